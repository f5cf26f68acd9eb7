// Owns texts and chats as tokens over HTTP, and tokens as text.
// Refuses to know how a tokenizer cuts.

import { fileURLToPath } from 'node:url';
import t from 'tap';
import { call, startApp, str } from '../helpers/http-app.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
const app = await startApp(t, { PHAROS_MODELS: `${folder('pharos-mini')},${folder('pharos-embed')}` });
const post = (path: string, body: object) => call(app, 'POST', path, body);
const tokens = async (body: object): Promise<number[]> => {
  const { status, json, text } = await post('/tokenize', body);
  t.equal(status, 200, text);
  return json.tokens as unknown as number[];
};

t.test('a text is the tokens that a completion of it reads, and they write it', async (t) => {
  for (const prompt of ['Albert Einstein was born in Ulm.', '苏格拉底会死吗？ 🙂', '<|n|>Ulm<|/n|> and more', '']) {
    const { json } = await post('/tokenize', { prompt, return_token_strs: true });
    const ids = json.tokens as unknown as number[];
    t.same(json.count, ids.length);
    t.equal(json.max_model_len, 1536);
    t.equal((json.token_strs as unknown as string[]).length, ids.length);
    if (prompt !== '') {
      const read = await post('/v1/completions', { prompt, max_tokens: 1, return_token_ids: true });
      t.same((read.json.choices[0] as unknown as { prompt_token_ids: number[] }).prompt_token_ids, ids);
    }
    t.equal(str((await post('/detokenize', { tokens: ids })).json.prompt), prompt);
  }
  t.same((await post('/tokenize', { prompt: 'Ulm' })).json.token_strs, null);
  t.same(await tokens({ prompt: 'Ulm', add_special_tokens: false }), await tokens({ prompt: 'Ulm' }), 'this tokenizer puts nothing around a text');
});

t.test('a chat is the tokens that the model reads', async (t) => {
  const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Where is <|n|> Ulm?' }];
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
  const continued = [...messages, { role: 'assistant', content: 'It lies' }];
  for (const more of [{ messages }, { messages, tools }, { messages: continued, continue_final_message: true, add_generation_prompt: false }]) {
    const read = await post('/v1/chat/completions', { ...more, max_tokens: 1, return_token_ids: true });
    t.same(await tokens(more), (read.json as unknown as { prompt_token_ids: number[] }).prompt_token_ids);
  }
});

t.test('an embedding model reads texts in a frame, and writes none', async (t) => {
  const model = 'pharos-embed';
  const [framed, alone] = [await tokens({ model, prompt: 'Ulm lies on the Danube.' }), await tokens({ model, prompt: 'Ulm lies on the Danube.', add_special_tokens: false })];
  const { json } = await post('/v1/embeddings', { model, input: 'Ulm lies on the Danube.' });
  t.equal(framed.length, (json.usage as unknown as { prompt_tokens: number }).prompt_tokens);
  t.ok(framed.length >= alone.length && alone.every((id) => framed.includes(id)));
  t.match(await post('/tokenize', { model, messages: [{ role: 'user', content: 'x' }] }), { status: 400, json: { error: { param: 'messages', message: /cannot chat/ } } });
  t.match(await post('/detokenize', { model, tokens: framed }), { status: 400, json: { error: { param: 'tokens', message: /reads texts and writes none/ } } });
});

t.test('what is wrong is named', async (t) => {
  const messages = [{ role: 'user', content: 'x' }];
  for (const [body, param, message] of [
    [{}, 'prompt', /is required, or messages/],
    [{ prompt: 'x', messages }, 'messages', /together with prompt/],
    [{ prompt: 'x', tools: [] }, 'tools', /together with prompt/],
    [{ messages, add_special_tokens: true }, 'add_special_tokens', /belongs to a text/],
    [{ messages, add_generation_prompt: false }, 'add_generation_prompt', /only there/],
    [{ messages, continue_final_message: true }, 'messages', /role assistant/],
    [{ prompt: 'x', text: 'y' }, 'text', /not a field/],
  ] as const)
    t.match(await post('/tokenize', body), { status: 400, json: { error: { param, message } } }, JSON.stringify(body));
  t.match(await post('/tokenize', { prompt: 'x', model: 'nobody' }), { status: 404, json: { error: { code: 'model_not_found' } } });
  t.match(await post('/detokenize', { tokens: [5, 4109] }), { status: 400, json: { error: { param: 'tokens', message: /token 4109 is none .* from 0 to 4108/ } } });
  t.match(await post('/detokenize', { tokens: [-1] }), { status: 400, json: { error: { param: 'tokens[0]' } } });
  const elsewhere = await startApp(t, {}, { engine: scriptedEngine(() => []) });
  t.match(await call(elsewhere, 'POST', '/tokenize', { prompt: 'x' }), { status: 400, json: { error: { param: 'model', message: /served elsewhere/ } } });
});
