// Owns POST /v1/embeddings over HTTP: OpenAI's shape, its own client, what is refused, models by what they can do.
// Refuses to know how vectors are made: test/engine/encoder does.

import { join } from 'node:path';
import OpenAI from 'openai';
import t from 'tap';
import { FOLDER, until } from '../engine/world.ts';
import { writeEncoder } from '../engine/encoders.ts';
import { call, list, listen, startApp, str } from '../helpers/http-app.ts';

const folder = t.testdir();
const small = await writeEncoder(join(folder, 'small'), { prompts: { prompts: { query: 'query: ' } }, sentence: { max_seq_length: 12 } });
const settings = { PHAROS_MODELS: `${FOLDER},${small}`, PHAROS_EMBED_INPUTS: '8' };
const app = await startApp(t, settings);
const embed = (body: object, url = '/v1/embeddings') => call(app, 'POST', url, body);

t.test('a text, texts, ids and lists of ids come back as vectors in their order', async (t) => {
  const { status, json } = await embed({ model: 'small', input: ['the cat sat', 'dog'] });
  t.equal(status, 200);
  t.match(json, { object: 'list', model: 'small', data: [{ object: 'embedding', index: 0 }, { object: 'embedding', index: 1 }], usage: { prompt_tokens: 8, total_tokens: 8 } });
  t.equal(list(json.data[0].embedding).length, 16);
  const same = async (input: unknown, expected: unknown): Promise<unknown> => t.same((await embed({ model: 'small', input })).json.data[0].embedding, expected, JSON.stringify(input));
  await same('the cat sat', json.data[0].embedding);
  await same([2, 4, 5, 7, 3], json.data[0].embedding);
  await same([[2, 6, 3], [2, 4, 3]], json.data[1].embedding);
  t.match(await embed({ input: 'dog' }), { status: 200, json: { model: 'small' } }, 'the first that can, when none is named');
  t.match(await embed({ input: 'dog' }, '/embeddings'), { status: 200, json: { model: 'small' } });
  t.match(await embed({ input: 'dog', user: 'x', encoding_format: 'float', dimensions: null, truncate: null }), { status: 200 });
});

t.test('base64 holds the same 32-bit floats, little-endian', async (t) => {
  const [floats, encoded] = [await embed({ input: 'the cat' }), await embed({ input: 'the cat', encoding_format: 'base64' })];
  const bytes = Buffer.from(str(encoded.json.data[0].embedding), 'base64');
  const numbers = floats.json.data[0].embedding as unknown as number[];
  t.equal(bytes.length, 64);
  t.same(Array.from({ length: 16 }, (_, i) => bytes.readFloatLE(4 * i)), numbers.map(Math.fround));
});

t.test('dimensions, prompts and cutting', async (t) => {
  const [whole, cut] = [await embed({ input: 'dog' }), await embed({ input: 'dog', dimensions: 4 })];
  const [all, four] = [whole, cut].map(({ json }) => json.data[0].embedding as unknown as number[]);
  t.equal(four.length, 4);
  t.ok(Math.abs(Math.hypot(...four) - 1) < 1e-6 && Math.abs(four[0] / four[1] - all[0] / all[1]) < 1e-5);
  t.match(await embed({ input: 'dog', dimensions: 99 }), { status: 400, json: { error: { code: 'invalid_value', param: 'dimensions', message: /vectors of 16 numbers/, type: 'invalid_request_error' } } });
  const query = (await embed({ input: 'dog', input_type: 'search_query' })).json;
  t.equal(Number(query.usage.prompt_tokens), 5);
  t.same((await embed({ input: 'dog', prompt_name: 'query' })).json.data, query.data);
  t.match(await embed({ input: 'dog', prompt_name: 'none' }), { status: 400, json: { error: { code: 'invalid_value', param: 'prompt_name', message: /it has: query/ } } });
  t.match(await embed({ input: 'dog', prompt_name: 'query', input_type: 'query' }), { status: 400, json: { error: { param: 'prompt_name' } } });
  const long = 'the cat sat the dog ran a b c the cat';
  t.match(await embed({ input: ['dog', long] }), { status: 400, json: { error: { code: 'context_length_exceeded', param: 'input', message: /input\[1\] has 13 tokens; the model takes 12/ } } });
  t.match(await embed({ input: ['dog', long], truncate: true }), { status: 200, json: { usage: { prompt_tokens: 15 } } });
});

t.test('what is no request for embeddings is told so', async (t) => {
  const refused = async (body: object, param: string | null, message: RegExp, status = 400): Promise<unknown> => t.match(await embed(body), { status, json: { error: { param, message, type: 'invalid_request_error' } } }, JSON.stringify(body).slice(0, 80));
  await refused({}, 'input', /required/);
  await refused({ input: '' }, 'input', /./);
  await refused({ input: [] }, 'input', /^input: expected array to have >=1 items$/);
  await refused({ input: ['a', 3] }, 'input[1]', /expected string/);
  await refused({ input: ['a', ''] }, 'input[1]', /./);
  t.match(await embed({ input: ['a', 3] }), { status: 400, json: { error: { param: /^input/ } } });
  await refused({ input: [1, -4] }, 'input[1]', /./);
  await refused({ input: [2, 99, 3] }, 'input', /token 99, and model small has a vocabulary of 40/);
  await refused({ input: 'a', dimensions: 0 }, 'dimensions', /./);
  await refused({ input: 'a', encoding_format: 'hex' }, 'encoding_format', /float/);
  await refused({ input: 'a', more: 1 }, 'more', /not a field/);
  await refused({ input: Array.from({ length: 9 }, () => 'dog') }, 'input', /has 9 texts; one request takes 8/);
  await refused({ input: 'a', model: 'none' }, 'model', /"none".*there are: pharos-mini, small/, 404);
  await refused({ input: 'a', model: 'pharos-mini' }, 'model', /"pharos-mini" can write text, and cannot make embeddings; models that can: small/, 404);
});

t.test('models say what they can do, and are asked for nothing else', async (t) => {
  const { json } = await call(app, 'GET', '/v1/models');
  t.match(json.data, [{ id: 'pharos-mini', tasks: ['generate'], loaded: true }, { id: 'small', tasks: ['embed', 'score'], dimensions: 16, context_length: 12, loaded: true }]);
  t.match(await call(app, 'GET', '/v1/models/small'), { status: 200, json: { id: 'small' } });
  const cannot = { status: 404, json: { error: { code: 'model_not_found', param: 'model', message: /"small" can make embeddings and rank texts, and cannot write text; models that can: pharos-mini/ } } };
  t.match(await call(app, 'POST', '/v1/chat/completions', { model: 'small', messages: [{ role: 'user', content: 'hi' }] }), cannot);
  t.match(await call(app, 'POST', '/v1/completions', { model: 'small', prompt: 'hi' }), cannot);
});

t.test('a service of embeddings alone is ready, and says that it writes no text', async (t) => {
  const alone = await startApp(t, { PHAROS_MODELS: small });
  t.match(await call(alone, 'GET', '/readyz'), { status: 200 });
  t.match(await call(alone, 'POST', '/v1/embeddings', { input: 'dog' }), { status: 200 });
  t.match(await call(alone, 'POST', '/v1/completions', { prompt: 'hi' }), { status: 404, json: { error: { message: /cannot write text; no model here can/ } } });
});

t.test('a client that leaves frees the work that it asked for', async (t) => {
  const { app: busy, url } = await listen(t, { ...settings, PHAROS_EMBED_INPUTS: '100000', PHAROS_EMBED_PASS_TOKENS: '16' });
  const controller = new AbortController();
  const body = JSON.stringify({ model: 'small', input: Array.from({ length: 20_000 }, () => 'the cat sat') });
  const left = fetch(`${url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: controller.signal }).catch((error: unknown) => error);
  await until(() => busy.engine.statistics().running === 1);
  t.equal(busy.admission.generations, 1);
  controller.abort();
  t.match(await left, { name: 'AbortError' });
  await until(() => busy.engine.statistics().running === 0 && busy.admission.generations === 0);
});

t.test("OpenAI's own client gets what it asks for, and a Pharos behind a Pharos the same", async (t) => {
  const { url } = await listen(t, settings);
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });
  const expected = (await embed({ input: ['the cat', 'dog'] })).json.data as unknown as { embedding: number[] }[];
  const check = async (from: OpenAI): Promise<void> => {
    const { data, usage } = await from.embeddings.create({ model: 'small', input: ['the cat', 'dog'] });
    for (const [i, { embedding }] of data.entries()) t.same(Array.from(embedding), expected[i].embedding.map(Math.fround));
    t.equal(usage.prompt_tokens, 7);
  };
  await check(client);
  const front = await listen(t, { PHAROS_ENGINE: `${url}/v1` });
  await check(new OpenAI({ baseURL: `${front.url}/v1`, apiKey: 'none' }));
  t.match(await call(front.app, 'POST', '/v1/embeddings', { model: 'small', input: 'a b c a b c a b c a b c' }), { status: 400, json: { error: { code: 'context_length_exceeded', param: 'input' } } });
  const ranked = { model: 'small', query: 'cat', documents: ['dog', 'the cat'] };
  const [there, here] = [await call(front.app, 'POST', '/v1/rerank', ranked), await call(app, 'POST', '/v1/rerank', ranked)];
  t.same(there.json.results, here.json.results);
});

t.test('the service as it ships makes vectors and ranks by them, and who names no model gets text from the one that writes', async (t) => {
  const shipped = await startApp(t);
  const texts = ['who is the director of Vertigo?', 'Vertigo was directed by Alfred Hitchcock.', 'Emma was written by Jane Austen.'];
  const { status, json } = await call(shipped, 'POST', '/v1/embeddings', { input: texts });
  t.equal(status, 200);
  t.match(json, { model: 'pharos-embed', data: [{ index: 0 }, { index: 1 }, { index: 2 }] });
  t.equal(list(json.data[0].embedding).length, 192);
  t.equal(list((await call(shipped, 'POST', '/v1/embeddings', { input: texts[0], dimensions: 64 })).json.data[0].embedding).length, 64);
  t.match(await call(shipped, 'POST', '/v1/rerank', { query: texts[0], documents: [texts[2], texts[1]] }), { status: 200, json: { results: [{ index: 1 }, { index: 0 }] } });
  t.match(await call(shipped, 'POST', '/v1/completions', { prompt: 'Albert Einstein was born', max_tokens: 4 }), { status: 200, json: { model: 'pharos-mini' } });
});
