// Owns what Anthropic's Messages and OpenAI's Responses are asked beyond their everyday: turns and timeouts, conversations of other servers, and what cannot be read of them.
// Refuses to know their events: test/http/anthropic.test.ts and test/http/responses.test.ts do.

import Anthropic from '@anthropic-ai/sdk';
import t from 'tap';
import type { GenerateEvent } from '../../src/engine/port.ts';
import { call, startApp } from '../helpers/http-app.ts';
import { lastAsked, lastChat, says, scriptedEngine } from '../helpers/scripted-engine.ts';

let script: () => readonly GenerateEvent[] = () => says('Hello there.');
const engine = scriptedEngine(() => script());
const app = await startApp(t, {}, { engine });
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const off = { knowledge: { mode: 'off' } };
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const bodyOf = (path: string, more: object) => ({ model: 'scripted', ...off, ...(path.endsWith('responses') ? { input: 'x' } : { max_tokens: 64, messages: [user('x')] }), ...more });
const post = (path: string, more: object) => call(app, 'POST', path, bodyOf(path, more));
const message = (more: object) => post('/v1/messages', more);
const response = (more: object) => post('/v1/responses', more);
const PATHS = ['/v1/messages', '/anthropic/v1/messages', '/v1/responses'] as const;

t.test('a priority reaches the engine, and what it may be is said where it is something else', async (t) => {
  script = () => says('x');
  for (const path of PATHS) {
    t.equal((await post(path, { priority: -7, timeout: 20 })).status, 200);
    t.equal(lastAsked(engine).priority, -7, path);
    t.equal((await post(path, { priority: null, timeout: null })).status, 200);
    t.equal(lastAsked(engine).priority, undefined, path);
    for (const [more, param, reason] of [[{ priority: 101 }, 'priority', /100/], [{ timeout: 0 }, 'timeout', /0/], [{ timeout: 301 }, 'timeout', /is 301; a request may take 300 s at most here/]] as const) {
      const { status, json } = await post(path, more);
      t.equal(status, 400);
      t.match(json, path.endsWith('responses') ? { error: { param, message: reason } } : { error: { message: reason, details: { param } } }, path);
    }
  }
});

t.test('limits of the text reach the engine, and an answer that they cut short ends as at its limit of tokens', async (t) => {
  for (const path of PATHS) {
    script = () => says('One two.', 'length');
    const { status, json } = await post(path, { max_words: 2, max_characters: 30, max_words_per_line: 9, max_characters_per_line: 20 });
    t.equal(status, 200);
    t.same(lastAsked(engine).limits, { words: 2, characters: 30, lineWords: 9, lineCharacters: 20 }, path);
    t.match(json, path.endsWith('responses') ? { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } } : { stop_reason: 'max_tokens' });
    t.equal((await post(path, { max_words: null })).status, 200);
    t.equal(lastAsked(engine).limits, undefined, path);
    t.equal((await post(path, { max_words: 0 })).status, 400);
  }
});

t.test('a timeout ends an answer, before its first event by the status, later by its last event', async (t) => {
  const send = async (path: string, more: object): Promise<{ readonly status: number; readonly text: string }> => {
    const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(bodyOf(path, more)) });
    return { status: reply.status, text: await reply.text() };
  };
  script = () => Array.from({ length: 3_000_000 }, (): GenerateEvent => ({ kind: 'delta', text: '.' }));
  for (const path of ['/v1/messages', '/v1/responses']) {
    const type = path.endsWith('responses') ? 'server_error' : 'timeout_error';
    const whole = await send(path, { timeout: 0.2 });
    t.match(whole, { status: 504, text: /longer than 0\.2 s, which is its timeout/ }, path);
    t.match(JSON.parse(whole.text), { error: { type } });
    const { status, text } = await send(path, { timeout: 0.2, stream: true });
    const last = text.trimEnd().split('\n\n').at(-1) ?? '';
    t.equal(status, 200);
    t.match(last, path.endsWith('responses') ? /^event: response\.failed\n.*"error":\{"code":"server_error","message":"[^"]*its timeout/s : /^event: error\n.*"type":"timeout_error"/s, path);
  }
});

t.test('the official beta client is served as the other', async (t) => {
  script = () => says('Hello there.');
  const client = new Anthropic({ baseURL: url, apiKey: 'unused', maxRetries: 0 });
  const { content } = await client.beta.messages.create({ model: 'scripted', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], betas: ['context-1m-2025-08-07'] });
  t.match(content, [{ type: 'text', text: 'Hello there.' }]);
});

t.test("a conversation that began at Anthropic's goes on here, however long its signatures are", async (t) => {
  script = () => says('x');
  const messages = [
    user('x'),
    assistant([{ type: 'thinking', thinking: 'Hm.', signature: 'a'.repeat(50_000) }, { type: 'tool_use', id: 'toolu_1', name: 'f'.repeat(100), input: {}, toolset_name: null }]),
    user([{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'y', toolset_name: null }]),
  ];
  const { status, text } = await message({ messages, tools: [{ name: 'f'.repeat(100), input_schema: { type: 'object' } }], diagnostics: null, user_profile_id: 'u' });
  t.equal(status, 200, text);
  t.match(lastChat(engine), { messages: [{}, { reasoning: 'Hm.', toolCalls: [{ id: 'toolu_1' }] }, { role: 'tool', content: 'y' }], tools: [{ name: 'f'.repeat(100) }] });
});

t.test('a stop sequence is told as what ended the message, and only then', async (t) => {
  script = () => [{ kind: 'tool_call', index: 0, id: 'c', name: 'f', arguments: '{}' }, { kind: 'delta', text: 'so' }, { kind: 'finish', reason: 'tool_calls', stop: 'END', usage: { promptTokens: 1, completionTokens: 1 } }];
  t.match((await message({ tools: [{ name: 'f', input_schema: {} }], stop_sequences: ['END'] })).json, { stop_reason: 'tool_use', stop_sequence: null });
});

t.test('thoughts, texts and calls before the outputs of the calls are one message of the assistant', async (t) => {
  script = () => says('x');
  const thought = (text: string) => ({ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] });
  const called = (call_id: string) => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' });
  const output = (call_id: string) => ({ type: 'function_call_output', call_id, output: call_id });
  const { status, text } = await response({ input: [user('x'), thought('One.'), called('a'), thought('Two.'), assistant('I look.'), called('b'), output('a'), output('b'), thought('So.'), assistant('Yes.'), assistant('No.'), user('?')] });
  t.equal(status, 200, text);
  t.same(lastChat(engine).messages, [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: 'I look.', reasoning: 'One.\n\nTwo.', toolCalls: ['a', 'b'].map((id) => ({ id, name: 'f', arguments: '{}' })) },
    { role: 'tool', content: 'a', toolCallId: 'a' },
    { role: 'tool', content: 'b', toolCallId: 'b' },
    { role: 'assistant', content: 'Yes.', reasoning: 'So.' },
    { role: 'assistant', content: 'No.' },
    { role: 'user', content: '?' },
  ]);
  t.match(await response({ input: [user('x'), called('a'), output('a'), called('b')] }), { status: 400, json: { error: { param: 'input[3]', message: /nothing answers; send its output/ } } });
});

t.test('what cannot be read is refused with its place and what would be right', async (t) => {
  const used = assistant([{ type: 'tool_use', id: 'a', name: 'f', input: {} }]);
  const result = (block: object) => ({ messages: [user('x'), used, user([{ type: 'tool_result', tool_use_id: 'a', content: [block] }])] });
  const ofMessages: readonly (readonly [object, string, RegExp])[] = [
    [{ messages: [user('x'), assistant([{ type: 'server_tool_use', id: 'a', name: 'web_search', input: {} }]), user('y')] }, 'messages[1].content[0]', /no tools run at this server/],
    [{ messages: [user([{ type: 'container_upload', file_id: 'x' }])] }, 'messages[0].content[0]', /no tools run at this server/],
    [{ messages: [user('x'), assistant([{ type: 'image', source: {} }]), user('y')] }, 'messages[1].content[0]', /images.*cannot be read/],
    [result({ type: 'image', source: {} }), 'messages[2].content[0].content[0]', /images.*cannot be read/],
    [result({ type: 'tool_reference', tool_name: 'f' }), 'messages[2].content[0].content[0]', /send blocks of type "text"/],
  ];
  for (const [more, param, reason] of ofMessages) t.match(await message(more), { status: 400, json: { error: { message: reason, details: { param, error_code: 'unsupported_parameter' } } } }, param);
  const called = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
  const ofResponses: readonly (readonly [object, string, RegExp])[] = [
    [{ input: [{ type: 'web_search_call', id: 'x' }] }, 'input[0]', /only calls of functions/],
    [{ input: [user('x'), { type: 'custom_tool_call', call_id: 'a', name: 'f', input: 'x' }] }, 'input[1]', /only calls of functions/],
    [{ input: [user([{ type: 'input_file', file_id: 'x' }])] }, 'input[0].content[0]', /cannot be read/],
    [{ input: [{ type: 'message', ...user([{ type: 'input_image', image_url: 'x' }]) }] }, 'input[0].content[0]', /cannot be read/],
    [{ input: [called, { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url: 'x' }] }] }, 'input[1].output[0]', /cannot be read/],
  ];
  for (const [more, param, reason] of ofResponses) t.match(await response(more), { status: 400, json: { error: { param, message: reason, code: 'unsupported_parameter' } } }, param);
  t.match(await response({ input: [{ role: 'user' }] }), { json: { error: { param: 'input[0].content', code: 'missing_required_parameter' } } });
  t.match(await response({ input: [user([{ type: 'text', text: 'x' }])] }), { json: { error: { param: 'input[0].content[0].type', code: 'invalid_value' } } }, 'the part that is wrong, not the message');
  for (const field of ['response_format', 'messages']) t.match(await response({ [field]: [] }), { json: { error: { param: field, code: 'unknown_parameter', message: new RegExp(`^${field}: `) } } }, 'a field of another dialect keeps its name');
  t.match(await message({ response_format: {} }), { json: { error: { details: { param: 'response_format', error_code: 'unknown_parameter' } } } });
});
