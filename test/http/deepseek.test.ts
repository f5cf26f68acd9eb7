// Owns what DeepSeek's clients need: addresses without /v1 and under /beta, thinking, a last message that is gone on with, its names in the usage.
// Refuses to know how a model writes: its events come from a script.

import OpenAI from 'openai';
import t from 'tap';
import type { ChatPrompt, GenerateEvent } from '../../src/engine/port.ts';
import { call, events, startApp } from '../helpers/http-app.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';

const usage = { promptTokens: 30, completionTokens: 9, cachedTokens: 10, reasoningTokens: 4 };
const script: readonly GenerateEvent[] = [
  { kind: 'reasoning', text: 'Greet.' },
  { kind: 'delta', text: 'Hello' },
  { kind: 'finish', reason: 'stop', usage },
];
const engine = scriptedEngine((request) => (request.prompt.kind === 'chat' ? script : script.slice(1)));
const app = await startApp(t, {}, { engine });
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const messages = [{ role: 'user', content: 'Hello.' }];
const chat = (more: object = {}, path = '/chat/completions') => call(app, 'POST', path, { model: 'scripted', messages, knowledge: { mode: 'off' }, ...more });
const asked = (): ChatPrompt => {
  const prompt = engine.requests.at(-1)?.prompt;
  if (prompt?.kind !== 'chat') throw new Error('what was asked is no chat');
  return prompt;
};

t.test('the same is answered with /v1, without it and under /beta', async (t) => {
  for (const path of ['/v1/chat/completions', '/chat/completions', '/beta/chat/completions'])
    t.match(await chat({}, path), { status: 200, json: { object: 'chat.completion', choices: [{ message: { content: 'Hello', reasoning_content: 'Greet.' }, finish_reason: 'stop' }] } }, path);
  for (const path of ['/v1/completions', '/completions', '/beta/completions'])
    t.match(await call(app, 'POST', path, { model: 'scripted', prompt: 'x', max_tokens: 4 }), { status: 200, json: { object: 'text_completion' } }, path);
  for (const path of ['/v1/models', '/models']) t.match(await call(app, 'GET', path), { status: 200, json: { data: [{ id: 'scripted' }] } }, path);
  t.match(await call(app, 'GET', '/models/scripted'), { status: 200, json: { id: 'scripted' } });
  t.match(await call(app, 'GET', '/chat/completions'), { status: 405, headers: { allow: 'POST' } });
  t.match(await call(app, 'GET', '/user/balance'), { status: 404, json: { error: { code: 'not_found' } } });
  t.match(await chat({ messages: [] }, '/beta/chat/completions'), { status: 400, json: { error: { param: 'messages' } } });
});

t.test('the usage has both families of names, whole and streamed', async (t) => {
  const counted = { prompt_tokens: 30, prompt_cache_hit_tokens: 10, prompt_cache_miss_tokens: 20, prompt_tokens_details: { cached_tokens: 10 }, completion_tokens_details: { reasoning_tokens: 4 } };
  t.match((await chat()).json.usage, counted);
  t.match(events((await chat({ stream: true, stream_options: { include_usage: true } })).text).at(-1)?.usage, counted);
});

t.test('thinking is switched, and whom it is for is accepted', async (t) => {
  t.equal((await chat({ thinking: { type: 'disabled' }, user_id: 'someone' })).status, 200);
  t.equal(asked().thinking, false);
  await chat({ thinking: { type: 'enabled' }, reasoning_effort: 'max' });
  t.match(asked(), { thinking: true, reasoningEffort: 'max' });
  await chat();
  t.notOk('thinking' in asked());
  t.match(await chat({ thinking: { type: 'perhaps' } }), { status: 400, json: { error: { param: 'thinking.type' } } });
});

t.test('a last message with prefix is gone on with, and nothing else may have one', async (t) => {
  const started = { role: 'assistant', content: '```python\n', prefix: true };
  t.equal((await chat({ messages: [...messages, started], stop: ['```'] }, '/beta/chat/completions')).status, 200);
  t.match(asked(), { continues: true, messages: [{ role: 'user' }, { role: 'assistant', content: '```python\n' }] });
  t.match(await chat({ messages: [started, ...messages] }), { status: 400, json: { error: { param: /^messages\[0\]/ } } });
  t.match(await chat({ messages: [{ ...messages[0], prefix: true }] }), { status: 400, json: { error: { param: /^messages\[0\]/ } } });
  await chat({ messages: [...messages, { ...started, prefix: false }] });
  t.notOk(asked().continues);
});

t.test('text between two others is asked of a model that can fill it in, and refused clearly of one that cannot', async (t) => {
  const asked = { model: 'scripted', prompt: 'def f(', suffix: 'return x', max_tokens: 8 };
  for (const path of ['/beta/completions', '/v1/completions']) {
    t.match(await call(app, 'POST', path, asked), { status: 200, json: { choices: [{ text: 'Hello' }] } });
    t.same(engine.requests.at(-1)?.prompt, { kind: 'text', text: 'def f(', suffix: 'return x' });
  }
  await call(app, 'POST', '/beta/completions', { ...asked, suffix: '' });
  t.same(engine.requests.at(-1)?.prompt, { kind: 'text', text: 'def f(' });
  for (const more of [{ echo: true }, { prompt: [1, 2] }]) t.match(await call(app, 'POST', '/beta/completions', { ...asked, ...more }), { status: 400, json: { error: { param: 'suffix' } } });
  const shipped = await startApp(t);
  t.match(await call(shipped, 'POST', '/beta/completions', { ...asked, model: 'pharos-mini' }), {
    status: 400,
    json: { error: { code: 'unsupported_parameter', param: 'suffix', message: /pharos-mini cannot fill in/ } },
  });
});

t.test("OpenAI's client with DeepSeek's base addresses", async (t) => {
  for (const base of ['', '/beta', '/v1']) {
    const client = new OpenAI({ baseURL: url + base, apiKey: 'unused', maxRetries: 0 });
    const reply = await client.chat.completions.create({ model: 'scripted', messages: [{ role: 'user', content: 'Hello.' }] });
    t.match(reply.choices[0].message, { content: 'Hello', reasoning_content: 'Greet.' }, base);
    let [text, thought] = ['', ''];
    for await (const { choices } of await client.chat.completions.create({ model: 'scripted', messages: [{ role: 'user', content: 'Hello.' }], stream: true })) {
      const delta = choices[0].delta as { content?: string; reasoning_content?: string };
      text += delta.content ?? '';
      thought += delta.reasoning_content ?? '';
    }
    t.same([text, thought], ['Hello', 'Greet.'], base);
  }
});
