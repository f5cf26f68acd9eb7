// Owns what becomes of requests when the engine elsewhere is busy, silent, cut short or speaks a dialect: each ends soon, with what the server said, and holds nothing after it.
// Refuses to know what good servers answer: that is upstream.test.ts.

import type { ServerResponse } from 'node:http';
import t from 'tap';
import type { Test } from 'tap';
import type { EmbedRequest, Engine, GenerateEvent } from '../../src/engine/port.ts';
import { waitOf } from '../../src/engine/upstream/upstream-refusal.ts';
import { createUpstream } from '../../src/engine/upstream/upstream.ts';
import { call, startApp } from '../helpers/http-app.ts';
import { json, scripted } from '../helpers/scripted-server.ts';
import { ask, chat, collect, failure, until } from './world.ts';

const models = (response: ServerResponse): void => json(response, 200, { data: [{ id: 'm', created: 1.5 }] });
/** An engine whose server answers all but the list of models by `handle`. */
async function upstream(t: Test, handle: (response: ServerResponse, body: unknown, path: string) => void): Promise<Engine> {
  const { url } = await scripted(t, (path, body, response) => (path === '/v1/models' ? models(response) : handle(response, body, path)));
  return createUpstream({ url: `${url}/v1` });
}
const events = (response: ServerResponse, ...lines: readonly string[]): void => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(lines.map((line) => `${line}\n\n`).join(''));
const said = (content: string, finish: string | null = null, more: object = {}): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }], ...more })}`;
const question = chat([{ role: 'user', content: 'x' }], { model: 'm' });
const answer = (engine: Engine): ReturnType<typeof collect> => collect(engine.generate(question));

t.test('who is refused is told when to come back, as the server elsewhere says it', async (t) => {
  const { url } = await scripted(t, (path, _, response) => (path === '/v1/models' ? models(response) : void response.writeHead(429, { 'retry-after': '17', 'content-type': 'application/json' }).end('{"error": {"message": "slow down"}}')));
  const app = await startApp(t, { PHAROS_ENGINE: `${url}/v1` });
  for (const stream of [false, true]) t.match(await call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }], stream }), { status: 429, headers: { 'retry-after': '17' }, json: { error: { code: 'engine_overloaded', message: /answered 429: slow down/ } } });
  t.match(await call(app, 'POST', '/v1/embeddings', { input: 'x' }), { status: 429, headers: { 'retry-after': '17' } });
});
t.test('a time to come back is read as seconds or as a date', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.equal(waitOf('3', now), 3);
  t.equal(waitOf('0.2', now), 1);
  t.equal(waitOf('Thu, 01 Jan 2026 00:01:30 GMT', now), 90);
  t.equal(waitOf('Wed, 31 Dec 2025 00:00:00 GMT', now), 1, 'one that is over');
  t.equal(waitOf('99999999', now), 3600);
  for (const none of [null, '', 'soon', '-3']) t.equal(waitOf(none, now), undefined);
  t.end();
});

t.test('errors within a stream are told in whatever form they come', async (t) => {
  const cases: readonly (readonly [string, readonly string[], object])[] = [
    ['with a status', ['data: {"error": {"message": "the context is too long", "code": 400}}'], { code: 'context_length_exceeded', message: /answered 400: the context is too long/ }],
    ['busy', ['data: {"error": {"message": "later", "code": 429}}'], { code: 'queue_full' }],
    ['of vLLM before', ['data: {"object": "error", "message": "bad seed", "type": "BadRequestError", "code": 400}', 'data: [DONE]'], { code: 'invalid_prompt', message: /bad seed/ }],
    ['of llama.cpp before', ['error: {"code": 500, "message": "no slot", "type": "server_error"}'], { code: 'upstream_failed', message: /answered 500: no slot/ }],
    ['as an event of that name', ['event: error\ndata: {"message": "gone"}'], { code: 'upstream_failed', message: /gone/ }],
    ['as text', ['data: {"error": "out of memory"}'], { code: 'upstream_failed', message: /out of memory/ }],
  ];
  for (const [name, lines, error] of cases) {
    const engine = await upstream(t, (response) => events(response, ...lines));
    t.match(await failure(answer(engine)), error, name);
    const later = await upstream(t, (response) => events(response, said('half'), ...lines));
    t.match(await answer(later), { text: 'half', error }, `${name}, after text`);
  }
});

t.test('what is said beside the text breaks nothing', async (t) => {
  const engine = await upstream(t, (response) => events(response, said('a', null, { error: null, usage: { prompt_tokens: 4 } }), 'data: {"choices": null}', ': a comment', said('b', 'stop'), 'data: [DONE]'));
  t.match(await answer(engine), { text: 'ab', reason: 'stop', usage: { promptTokens: 4, completionTokens: 2 } });
  const unsaid = await upstream(t, (response) => events(response, said('a'), 'data: [DONE]'));
  t.match(await answer(unsaid), { text: 'a', reason: 'stop' }, 'a stream that is said to be whole, and not why');
  const broken = await upstream(t, (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`${said('whole', 'length')}\n\n`);
    setTimeout(() => response.destroy(), 20);
  });
  t.match(await answer(broken), { text: 'whole', reason: 'length', error: undefined }, 'the connection broke behind the end');
  const split = await upstream(t, (response) => {
    const bytes = Buffer.from(`${said('héllo 🌍', 'stop')}\r\n\r\ndata: [DONE]\r\n\r\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let i = 0; i < bytes.length; i++) response.write(bytes.subarray(i, i + 1));
    response.end();
  });
  t.match(await answer(split), { text: 'héllo 🌍' });
});

t.test('half an event is no text, and an answer that is no stream is told as it is', async (t) => {
  const half = await upstream(t, (response) => events(response, said('a'), 'data: {"choices": [{"delta": {"content": "b'));
  t.match(await answer(half), { text: 'a', error: { code: 'upstream_failed', message: /none of OpenAI's/ } });
  const cut = await upstream(t, (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`${said('a')}\n\n${said('b', 'stop')}`));
  t.match(await answer(cut), { text: 'a', error: { code: 'upstream_failed', message: /broke its stream off/ } });
  const whole = await upstream(t, (response) => json(response, 200, { choices: [{ message: { content: 'x' } }] }));
  t.match(await failure(answer(whole)), { code: 'upstream_failed', message: /asked for a stream and sent application\/json: \{"choices"/ });
});

t.test('a server that is silent holds nobody who leaves', async (t) => {
  let [asked, left] = [0, 0];
  const engine = await upstream(t, (response, body) => {
    asked++;
    response.once('close', () => left++);
    // The second has begun, and says no more.
    if (JSON.stringify(body).includes('begin')) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`${said('a')}\n\n`);
  });
  const silent = engine.generate(question)[Symbol.asyncIterator]();
  const pending = silent.next();
  await until(() => asked === 1);
  t.same(await silent.return?.(), { done: true, value: undefined });
  t.match(await pending, { done: true });
  const begun = engine.generate(chat([{ role: 'user', content: 'begin' }], { model: 'm' }))[Symbol.asyncIterator]();
  t.match(await begun.next(), { value: { text: 'a' } });
  const next = begun.next();
  await begun.return?.();
  t.match(await next, { done: true });
  await until(() => left === 2);
  t.equal(engine.statistics().running, 0);

  const waits = failure(engine.embed({ model: 'm', inputs: ['x'] }));
  const generation = failure(answer(engine));
  await until(() => asked === 4);
  await engine.close();
  for (const each of [await waits, await generation]) t.match(each, { code: 'closed' });
  await until(() => left === 4);
});

t.test('of several texts, one that is refused does not wait for the others', async (t) => {
  const { url } = await scripted(t, (path, body, response) => {
    if (path === '/v1/models') return models(response);
    // Of two, the first is never answered.
    if ((body as { prompt: string }).prompt === 'bad') json(response, 400, { error: { message: 'no' } });
    return undefined;
  });
  const app = await startApp(t, { PHAROS_ENGINE: `${url}/v1` });
  t.match(await call(app, 'POST', '/v1/completions', { prompt: ['good', 'bad'] }), { status: 400, json: { error: { message: /answered 400: no/ } } });
});

t.test('a list of models that does not come, or does not end, is told', async (t) => {
  const hangs = await scripted(t, () => undefined);
  t.match(await failure(createUpstream({ url: hangs.url, startMs: 60 })), { name: 'EngineError', code: 'upstream_failed' });
  const begins = await scripted(t, (_, __, response) => void response.writeHead(200).write('{"data": ['));
  t.match(await failure(createUpstream({ url: begins.url, startMs: 200 })), { name: 'EngineError', code: 'upstream_failed', message: /did not name its models within 0.2 s/ });
  const breaks = await scripted(t, (_, __, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"data": [');
    setTimeout(() => response.destroy(), 20);
  });
  t.match(await failure(createUpstream({ url: breaks.url })), { name: 'EngineError', code: 'upstream_failed', message: /broke its answer off/ });
  const endless = await scripted(t, (_, __, response) => flood(response, 200));
  t.match(await failure(createUpstream({ url: endless.url })), { code: 'upstream_failed', message: /with more than 16777216 bytes/ });
});
t.test('what is said of an error has an end', async (t) => {
  const engine = await upstream(t, (response) => flood(response, 500));
  t.match(await failure(answer(engine)), { code: 'upstream_failed', message: /answered 500 with more than 16777216 bytes/ });
  t.match(await failure(engine.embed({ model: 'm', inputs: ['x'] })), { code: 'upstream_failed', message: /answered 500 with more than/ });
});

t.test('vectors that are none are not handed on', async (t) => {
  let told: readonly unknown[] = [];
  const engine = await upstream(t, (response) => json(response, 200, { data: told.map((embedding, index) => ({ index, embedding })) }));
  const embed = async (given: readonly unknown[], more: Partial<EmbedRequest> = {}): Promise<unknown> => {
    told = given;
    return engine.embed({ model: 'm', inputs: ['x', 'y'], ...more }).catch((error: unknown) => error);
  };
  const base64 = (...numbers: readonly number[]): string => Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
  t.same(await embed([base64(1, 2), [3, 4]]), { vectors: [Float32Array.of(1, 2), Float32Array.of(3, 4)], promptTokens: 0 });
  t.match(await embed([base64(1, 2), base64(1, 2).slice(0, -3)]), { code: 'upstream_failed', message: /no base64 of 32-bit floats/ });
  t.match(await embed(['!!!!!!!!!!!', base64(1)]), { code: 'upstream_failed', message: /no base64/ });
  t.match(await embed([base64(1, 2), base64(1)]), { code: 'upstream_failed', message: /an embedding of 1 numbers where 2 were to be/ });
  t.match(await embed([[], []]), { code: 'upstream_failed', message: /an embedding of 0 numbers/ });
  t.match(await embed([base64(1, Number.NaN), base64(1, 2)]), { code: 'upstream_failed', message: /not finite/ });
  t.match(await embed([[1, 2, 3], [1, 2, 3]], { dimensions: 2 }), { code: 'upstream_failed', message: /of 3 numbers where 2 were to be/ });
  t.match(await embed([[1]]), { code: 'upstream_failed', message: /1 embeddings for 2 texts/ });
  t.match(await failure((await upstream(t, (response) => json(response, 200, { results: [{ index: 0, relevance_score: 1 }, { index: 0, relevance_score: 1 }] }))).score({ model: 'm', query: 'q', documents: ['a', 'b'] })), { code: 'upstream_failed', message: /2 results for 2 texts/ });
});

t.test('a stop of the service while a stream is read ends it with a word', async (t) => {
  const engine = await upstream(t, (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`${said('a')}\n\n`));
  const all: GenerateEvent[] = [];
  for await (const event of engine.generate(ask('x', { model: 'm' }))) {
    all.push(event);
    if (all.length === 1) await engine.close();
  }
  t.match(all, [{ kind: 'delta', text: 'a' }, { kind: 'error', error: { code: 'closed' } }]);
});

/** Bytes without an end. */
function flood(response: ServerResponse, status: number): void {
  response.writeHead(status);
  const piece = 'x'.repeat(1 << 20);
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
