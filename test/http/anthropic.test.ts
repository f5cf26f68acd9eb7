// Owns Anthropic's Messages over HTTP: requests as its clients send them, blocks, events, errors, and what reaches the engine.
// Refuses to know how a model writes: its events come from a script.

import Anthropic from '@anthropic-ai/sdk';
import t from 'tap';
import { messagesEvent } from '../../src/contract/dialects/messages-reply.ts';
import { EngineError } from '../../src/engine/port.ts';
import type { ChatPrompt, GenerateEvent, GenerateRequest } from '../../src/engine/port.ts';
import { call, list, startApp, str } from '../helpers/http-app.ts';
import type { Json } from '../helpers/http-app.ts';
import { randomAnswer, randomNumbers } from '../helpers/random-answers.ts';
import { eventually } from '../helpers/http-server.ts';
import { lastAsked, lastChat, says, scriptedEngine } from '../helpers/scripted-engine.ts';

let script: (request: GenerateRequest) => readonly GenerateEvent[] = () => says('Hello there.');
const engine = scriptedEngine((request) => script(request));
const app = await startApp(t, {}, { engine });
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const client = new Anthropic({ baseURL: url, apiKey: 'unused', maxRetries: 0 });
const usage = { promptTokens: 30, completionTokens: 9, cachedTokens: 10, reasoningTokens: 4 };
const messages = [{ role: 'user', content: 'Hello.' }];
const off = { knowledge: { mode: 'off' } };
const body = { model: 'scripted', max_tokens: 64, messages, ...off };
const send = (more: object = {}, path = '/v1/messages') => call(app, 'POST', path, { ...body, ...more });
const asked = (): GenerateRequest => lastAsked(engine);
const chatAsked = (): ChatPrompt => lastChat(engine);
/** Events of a stream, each valid by the contract and named by its type. */
const streamed = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [, name, data] = /^event: (\S+)\ndata: (.*)$/s.exec(frame) ?? [];
      const event = messagesEvent.parse(JSON.parse(data)) as unknown as Json;
      if (str(event.type) !== name) throw new Error(`event ${name} holds ${str(event.type)}`);
      return event;
    });
const tool = { name: 'weather', description: 'Weather of a place.', input_schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] } };
const thinksAndCalls: GenerateEvent[] = [
  { kind: 'reasoning', text: 'They want ' },
  { kind: 'reasoning', text: 'the weather.' },
  { kind: 'delta', text: 'Let me ' },
  { kind: 'delta', text: 'look.' },
  { kind: 'tool_call', index: 0, id: 'call_1', name: 'weather', arguments: '' },
  { kind: 'tool_call', index: 0, arguments: '{"place":' },
  { kind: 'tool_call', index: 0, arguments: '"Ulm"}' },
  { kind: 'tool_call', index: 1, id: 'call_2', name: 'weather', arguments: '{"place":"Bern"}' },
  { kind: 'finish', reason: 'tool_calls', usage },
];

t.test('a text is a message with one block, and what was asked reaches the engine', async (t) => {
  script = () => [{ kind: 'delta', text: 'Hello' }, { kind: 'delta', text: ' there.' }, { kind: 'finish', reason: 'stop', usage }];
  const { status, json, headers } = await send({ system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }, { type: 'text', text: 'Be kind.' }], temperature: 0.5, top_p: 0.9, top_k: 7, stop_sequences: ['END'], metadata: { user_id: 'u' } });
  t.equal(status, 200, JSON.stringify(json));
  t.match(json, { id: /^msg_/, type: 'message', role: 'assistant', model: 'scripted', stop_reason: 'end_turn', stop_sequence: null, grounding: { outcome: 'ungrounded' } });
  t.same(json.content, [{ type: 'text', text: 'Hello there.', citations: null }]);
  t.same(json.usage, { input_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 10, output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } });
  t.ok(headers['request-id']);
  t.match(asked(), { model: 'scripted', maxTokens: 64, stop: ['END'], sampling: { temperature: 0.5, topP: 0.9, topK: 7 } });
  t.same(chatAsked().messages, [
    { role: 'system', content: 'Be brief.\nBe kind.' },
    { role: 'user', content: 'Hello.' },
  ]);
});

t.test('why it ended is told: the limit, a stop sequence, calls', async (t) => {
  script = () => [{ kind: 'delta', text: 'Hel' }, { kind: 'finish', reason: 'length', usage }];
  t.match((await send()).json, { stop_reason: 'max_tokens', stop_sequence: null });
  script = () => [{ kind: 'delta', text: 'Hel' }, { kind: 'finish', reason: 'stop', stop: 'END', usage }];
  t.match((await send({ stop_sequences: ['END'] })).json, { stop_reason: 'stop_sequence', stop_sequence: 'END' });
  script = () => thinksAndCalls;
  t.match((await send({ tools: [tool] })).json, { stop_reason: 'tool_use' });
});

t.test('the stop sequence that ended a text of the shipped model is told', async (t) => {
  const shipped = await startApp(t);
  const ask = (more: object) => call(shipped, 'POST', '/v1/messages', { model: 'pharos-mini', max_tokens: 40, messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], ...off, ...more });
  const text = str((await ask({})).json.content[0].text);
  t.ok(text.length > 3, text);
  const [first, second] = [text.slice(1, 3), text.slice(-2)];
  const { json } = await ask({ stop_sequences: ['\u0001', second, first] });
  t.match(json, { stop_reason: 'stop_sequence', stop_sequence: text.indexOf(first) <= text.indexOf(second) ? first : second });
  t.match((await ask({ stop_sequences: ['\u0001'] })).json, { stop_sequence: null });
});

t.test('thoughts, text and calls are blocks in order; a stream says the same', async (t) => {
  script = () => thinksAndCalls;
  const { json } = await send({ tools: [tool] });
  const blocks = list(json.content);
  t.same(
    blocks.map(({ type }) => str(type)),
    ['thinking', 'text', 'tool_use', 'tool_use'],
  );
  t.match(blocks[0], { thinking: 'They want the weather.', signature: /.{20}/ });
  t.match(blocks[1], { text: 'Let me look.' });
  t.same(blocks[2].input, { place: 'Ulm' });
  t.match(blocks[3], { id: 'call_2', name: 'weather', input: { place: 'Bern' } });

  const events = streamed((await send({ tools: [tool], stream: true })).text);
  t.same(
    events.map(({ type, index }) => `${str(type)}${index === undefined ? '' : ` ${Number(index)}`}`),
    [
      'message_start', 'ping',
      'content_block_start 0', 'content_block_delta 0', 'content_block_delta 0', 'content_block_delta 0', 'content_block_stop 0',
      'content_block_start 1', 'content_block_delta 1', 'content_block_delta 1', 'content_block_stop 1',
      'content_block_start 2', 'content_block_delta 2', 'content_block_delta 2', 'content_block_stop 2',
      'content_block_start 3', 'content_block_delta 3', 'content_block_stop 3',
      'message_delta', 'message_stop',
    ],
  );
  t.match(events[0].message, { content: [], stop_reason: null, role: 'assistant' });
  const counted = await call(app, 'POST', '/v1/messages/count_tokens', { model: 'scripted', messages, tools: [tool] });
  t.same((events[0].message as { usage: unknown }).usage, { input_tokens: counted.json.input_tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0, output_tokens_details: null }, 'the length of the request is told at once');
  t.ok(Number(counted.json.input_tokens) > 0);
  t.match(events.at(-2), { delta: { stop_reason: 'tool_use' }, usage: { input_tokens: 20, output_tokens: 9 }, grounding: { outcome: 'ungrounded' } });
});

t.test('an answer from the graph begins with the tokens of the prompt that it ends with', async (t) => {
  const grounded = await startApp(t, { PHAROS_EXAMPLE: 'on' });
  const asked = { model: 'pharos-mini', max_tokens: 64, stream: true, messages: [{ role: 'user', content: 'Is Socrates mortal?' }] };
  for (const _ of ['made', 'cached']) {
    const events = streamed((await call(grounded, 'POST', '/v1/messages', asked)).text);
    const { usage: begun } = events[0].message as unknown as { usage: Record<string, number> };
    const { usage: ended } = events.at(-2) as unknown as { usage: Record<string, number> };
    t.ok(begun.input_tokens > 0);
    t.equal(begun.input_tokens, ended.input_tokens + ended.cache_read_input_tokens);
  }
});

t.test('the official client puts a stream together to the same message', async (t) => {
  script = () => thinksAndCalls;
  const params = { ...body, tools: [tool], thinking: { type: 'enabled', budget_tokens: 1024 } } as unknown as Anthropic.MessageCreateParamsNonStreaming;
  const whole = await client.messages.create(params);
  const stream = client.messages.stream(params);
  const seen: string[] = [];
  stream.on('text', (piece) => seen.push(piece));
  const put = await stream.finalMessage();
  t.same(put.content, whole.content);
  t.equal(put.stop_reason, 'tool_use');
  t.match(put.usage, { input_tokens: 20, cache_read_input_tokens: 10, output_tokens: 9 });
  t.same(seen, ['Let me ', 'look.']);
  t.match(asked().prompt, { thinking: true, tools: [{ name: 'weather', parameters: tool.input_schema }] });
});

t.test('a conversation with calls and results comes to the engine in its own form', async (t) => {
  script = () => says('Sunny.');
  const reply = await send({
    tools: [tool],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Ask.', signature: 'x' },
          { type: 'redacted_thinking', data: 'zzz' },
          { type: 'text', text: 'Looking.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { place: 'Ulm' } },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '20 °C' }, { type: 'text', text: 'dry' }] },
          { type: 'tool_result', tool_use_id: 'b', is_error: true },
          { type: 'text', text: 'So?' },
          { type: 'text', text: 'Quick.' },
        ],
      },
    ],
  });
  t.equal(reply.status, 200, reply.text);
  t.same(chatAsked().messages, [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: 'Looking.',
      reasoning: 'Ask.',
      toolCalls: [
        { id: 'a', name: 'weather', arguments: '{"place":"Ulm"}' },
        { id: 'b', name: 'weather', arguments: '{}' },
      ],
    },
    { role: 'tool', content: '20 °C\ndry', toolCallId: 'a' },
    { role: 'tool', content: 'The tool failed.', toolCallId: 'b' },
    { role: 'user', content: 'So?\nQuick.' },
  ]);
});

t.test('whole numbers of any length in the inputs of calls reach the engine and come back as they are, and others stay numbers', async (t) => {
  script = () => [{ kind: 'tool_call', index: 0, id: 'c', name: 'weather', arguments: '{"id":12345678901234567890}' }, { kind: 'finish', reason: 'tool_calls', usage }];
  const text = (input: string, more = ''): string => `{"model": "scripted", "max_tokens": 64${more}, "knowledge": {"mode": "off"}, "messages": [{"role": "user", "content": "12345678901234567890?"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "weather", "input": ${input}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x"}]}]}`;
  const input = '{"id":9007199254740993,"deep":[{"n":-12345678901234567890}],"small":12,"part":0.1234567890123456,"text":"9007199254740993"}';
  for (const path of ['/v1/messages', '/anthropic/v1/messages']) {
    const reply = await call(app, 'POST', path, text(input));
    t.equal(reply.status, 200, reply.text);
    t.equal(chatAsked().messages[1].toolCalls?.[0].arguments, input);
    t.match(reply.text, '"input":{"id":12345678901234567890}');
  }
  t.equal((await call(app, 'POST', '/v1/messages/count_tokens', text(input).replace(/ "max_tokens": 64,| "knowledge": \{.*?\},/g, ''))).status, 200);
  const schema = ', "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"id": {"type": "integer", "maximum": 18446744073709551615}}}}]';
  t.equal((await call(app, 'POST', '/v1/messages', text(input, schema))).status, 200);
  t.same(chatAsked().tools?.[0].parameters, { type: 'object', properties: { id: { type: 'integer', maximum: 18446744073709552000 } } });
  for (const wrong of ['9007199254740993', '[9007199254740993]']) t.match(await call(app, 'POST', '/v1/messages', text(wrong)), { status: 400, json: { error: { message: /input: expected record/ } } });
  t.match(await call(app, 'POST', '/v1/messages', text('{}', ', "top_k": 90071992547409931')), { status: 400, json: { error: { message: /^top_k: / } } });
});

t.test('choices of tools, thinking, effort and formats are passed on', async (t) => {
  script = () => says('x');
  const chat = async (more: object): Promise<unknown> => {
    const { status, text } = await send(more);
    t.equal(status, 200, text);
    const { constraint } = asked();
    const { kind: _, messages: __, tools: ___, ...rest } = chatAsked();
    return { ...rest, ...(constraint ? { constraint } : {}) };
  };
  const tools = [tool];
  t.same(await chat({ tools, tool_choice: { type: 'any', disable_parallel_tool_use: true } }), { toolChoice: 'required', parallelToolCalls: false });
  t.same(await chat({ tools, tool_choice: { type: 'tool', name: 'weather' } }), { toolChoice: { name: 'weather' } });
  t.same(await chat({ tools, tool_choice: { type: 'none' } }), { toolChoice: 'none' });
  t.same(await chat({ tools, tool_choice: { type: 'auto' } }), { toolChoice: 'auto' });
  t.same(await chat({ thinking: { type: 'disabled' }, output_config: { effort: 'low' } }), { thinking: false, reasoningEffort: 'low' });
  t.same(await chat({ thinking: { type: 'adaptive' } }), {});
  const schema = { type: 'object' };
  t.same(await chat({ output_config: { format: { type: 'json_schema', schema } } }), { constraint: { kind: 'schema', schema } });
  t.same(await chat({ messages: [...messages, { role: 'assistant', content: 'Once upon' }] }), { continues: true });
});

t.test('thoughts that were asked to be left out come without their text', async (t) => {
  script = () => thinksAndCalls;
  const thinking = { type: 'enabled', budget_tokens: 1024, display: 'omitted' };
  t.match((await send({ tools: [tool], thinking })).json.content[0], { type: 'thinking', thinking: '', signature: /.{20}/ });
  const { text } = await send({ tools: [tool], thinking, stream: true });
  t.notMatch(text, /They want/);
  t.match(text, /signature_delta/);
});

t.test('a call that was cut off is told whole', async (t) => {
  script = () => [{ kind: 'tool_call', index: 0, id: 'c', name: 'weather', arguments: '{"place": "U' }, { kind: 'finish', reason: 'length', usage }];
  t.match((await send({ tools: [tool] })).json, { content: [{ type: 'tool_use', input: { invalid_json: '{"place": "U' } }], stop_reason: 'max_tokens' });
});

t.test("errors have Anthropic's body, with the place and the code of ours", async (t) => {
  script = () => says('x');
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
  const results = [{ type: 'tool_result', tool_use_id: 'nobody', content: 'x' }];
  const cases: readonly (readonly [string, object, number, string, RegExp, { error_code: string; param?: string }])[] = [
    ['no max_tokens', { max_tokens: undefined }, 400, 'invalid_request_error', /max_tokens: is required/, { error_code: 'missing_required_parameter' }],
    ['an unknown field', { temprature: 1 }, 400, 'invalid_request_error', /temprature/, { error_code: 'unknown_parameter', param: 'temprature' }],
    ['an image', { messages: [{ role: 'user', content: [image] }] }, 400, 'invalid_request_error', /images.*cannot be read/, { error_code: 'unsupported_parameter', param: 'messages[0].content[0]' }],
    ['a tool that runs at the server', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 400, 'invalid_request_error', /only tools of type "custom"/, { error_code: 'invalid_value' }],
    ['a result of no call', { messages: [{ role: 'user', content: results }] }, 400, 'invalid_request_error', /"nobody"/, { error_code: 'invalid_value', param: 'messages[0].content[0].tool_use_id' }],
    ['a choice that is no tool', { tools: [tool], tool_choice: { type: 'tool', name: 'other' } }, 400, 'invalid_request_error', /"other".*not among tools/, { error_code: 'invalid_value', param: 'tool_choice' }],
    ['a call without tools', { tool_choice: { type: 'any' } }, 400, 'invalid_request_error', /no tools/, { error_code: 'invalid_value' }],
    ['tools and the graph', { tools: [tool], knowledge: {} }, 400, 'invalid_request_error', /knowledge/, { error_code: 'invalid_value', param: 'knowledge' }],
    ['tools and a format', { tools: [tool], output_config: { format: { type: 'json_schema', schema: {} } } }, 400, 'invalid_request_error', /tools/, { error_code: 'invalid_value', param: 'output_config.format' }],
    ['two tools of one name', { tools: [tool, tool] }, 400, 'invalid_request_error', /one name/, { error_code: 'invalid_value', param: 'tools' }],
    ['an unknown model', { model: 'claude' }, 404, 'not_found_error', /"claude".*scripted/, { error_code: 'model_not_found', param: 'model' }],
  ];
  for (const [name, more, status, type, message, details] of cases)
    for (const path of ['/v1/messages', '/anthropic/v1/messages']) {
      const reply = await send(more, path);
      t.equal(reply.status, status, `${name}: ${reply.text.slice(0, 300)}`);
      t.match(reply.json, { type: 'error', error: { type, message, details }, request_id: /./ }, name);
    }
  t.match(await call(app, 'GET', '/anthropic/v1/nothing'), { status: 404, json: { type: 'error', error: { type: 'not_found_error' } } });
  t.match(await call(app, 'GET', '/v1/messages'), { status: 405, json: { type: 'error', error: { type: 'invalid_request_error' } } });
  t.match(await call(app, 'POST', '/v1/messages', '{'), { status: 400, json: { error: { details: { error_code: 'invalid_json' } } } });
  const error: unknown = await client.messages.create({ model: 'gpt', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }).catch((failure: unknown) => failure);
  t.match(error, { status: 404, type: 'not_found_error', requestID: /./ });
});

t.test('an answer that breaks off says so: before its first event by the status, later by an event', async (t) => {
  script = () => [{ kind: 'error', error: new EngineError('queue_full', 'too many') }];
  t.match(await send(), { status: 429, json: { type: 'error', error: { type: 'rate_limit_error' } } });
  script = () => [{ kind: 'error', error: new EngineError('constraint_invalid', 'a keyword is not known') }];
  t.match(await send(), { status: 400, json: { error: { details: { param: 'output_config.format' } } } }, 'the field has the name that it has here');
  script = () => [{ kind: 'delta', text: 'Hel' }, { kind: 'error', error: new EngineError('failed', 'secret of the inside') }];
  const events = streamed((await send({ stream: true })).text);
  t.match(events.at(-1), { type: 'error', error: { type: 'api_error', details: { error_code: 'engine_failed' } } });
  t.notMatch(JSON.stringify(events), /secret/);
  const stream = client.messages.stream({ model: 'scripted', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] });
  t.match(await stream.finalMessage().catch((failure: unknown) => failure), { type: 'api_error' });
});

t.test('tokens are counted', async (t) => {
  const count = await client.messages.countTokens({ model: 'scripted', messages: [{ role: 'user', content: 'x'.repeat(40) }] });
  t.equal(count.input_tokens, 10);
  const shipped = await startApp(t);
  for (const more of [{}, { system: 'Be brief.' }, { tools: [tool] }, { messages: [...messages, { role: 'assistant', content: 'So' }] }]) {
    const { json } = await call(shipped, 'POST', '/anthropic/v1/messages/count_tokens', { model: 'pharos-mini', messages, ...more });
    const { json: answered } = await call(shipped, 'POST', '/v1/messages', { model: 'pharos-mini', messages, max_tokens: 1, ...more, ...off });
    t.equal(Number(json.input_tokens), Number(answered.usage.input_tokens) + Number(answered.usage.cache_read_input_tokens), Object.keys(more).join());
  }
  t.match(await call(app, 'POST', '/v1/messages/count_tokens', { model: 'scripted' }), { status: 400, json: { type: 'error' } });
});

t.test('long whole numbers in the input of a tool stay as they were written', async (t) => {
  const written = '{"id": 175928847299117063, "in": [-9223372036854775807, 9007199254740993], "small": 12, "half": 1.5, "huge": 1e300}';
  script = () => [{ kind: 'tool_call', index: 0, id: 'call_1', name: 'f', arguments: written }, { kind: 'finish', reason: 'tool_calls', usage }];
  const { text } = await call(app, 'POST', '/v1/messages', body);
  t.ok(text.includes('"input":{"id":175928847299117063,"in":[-9223372036854775807,9007199254740993],"small":12,"half":1.5,"huge":1e+300}'), text);
});

t.test('a key may come as Anthropic sends it', async (t) => {
  const locked = await startApp(t, { PHAROS_API_KEYS: 'first-key-1' }, { engine: scriptedEngine(() => says('Hi.')) });
  const post = (headers: Record<string, string>) => call(locked, 'POST', '/v1/messages', body, headers);
  t.match(await post({}), { status: 401, json: { type: 'error', error: { type: 'authentication_error', message: /x-api-key/ } } });
  t.match(await post({ 'x-api-key': 'wrong' }), { status: 401 });
  t.match(await post({ 'x-api-key': 'first-key-1', 'anthropic-version': '2023-06-01' }), { status: 200, json: { content: [{ text: 'Hi.' }] } });
  t.match(await call(locked, 'GET', '/v1/models', undefined, { 'x-api-key': 'first-key-1' }), { status: 200 });
});

t.test('whatever an answer is made of, the client puts its stream together to what is told at once', async (t) => {
  const random = randomNumbers(7);
  for (let i = 0; i < 60; i++) {
    const { events, parts } = randomAnswer(random);
    script = () => events;
    const whole = await client.messages.create({ model: 'scripted', max_tokens: 99, messages: [{ role: 'user', content: 'x' }] });
    const got = whole.content.map((block) => {
      if (block.type === 'thinking') return { kind: 'reasoning', text: block.thinking };
      return block.type === 'text' ? { kind: 'text', text: block.text } : { kind: 'call', text: JSON.stringify(block.type === 'tool_use' ? block.input : undefined) };
    });
    if (!t.same(got, parts, `answer ${i}`)) return;
    const put = await client.messages.stream({ model: 'scripted', max_tokens: 99, messages: [{ role: 'user', content: 'x' }] }).finalMessage();
    if (!t.same([put.content, put.stop_reason, put.usage.output_tokens], [whole.content, whole.stop_reason, whole.usage.output_tokens], `stream ${i}`)) return;
  }
});

t.test("an answer from the graph brings its grounding, whole and in a stream's message_delta", async (t) => {
  const graph = await startApp(t, { PHAROS_EXAMPLE: 'on' });
  const question = { model: 'pharos-mini', max_tokens: 64, messages: [{ role: 'user', content: 'Where was Albert Einstein born?' }], knowledge: {} };
  const { json } = await call(graph, 'POST', '/v1/messages', question);
  t.match(json, { content: [{ type: 'text', text: /Ulm/ }], stop_reason: 'end_turn', grounding: { outcome: 'entailed', cached: false, claims: [{ proof_id: /./ }] } });
  const events = streamed((await call(graph, 'POST', '/anthropic/v1/messages', { ...question, stream: true })).text);
  t.match(events.at(-2), { type: 'message_delta', grounding: { outcome: 'entailed', cached: true } });
});

t.test('models are listed as its client lists them', async (t) => {
  const listing = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: 'unused', maxRetries: 0 });
  const ids: string[] = [];
  for await (const { id } of listing.models.list()) ids.push(id);
  t.same(ids, ['scripted']);
  t.match(await listing.models.retrieve('scripted'), { type: 'model', max_input_tokens: 4096, created_at: '2026-01-01T00:00:00.000Z' });
  t.match(await call(app, 'GET', '/anthropic/v1/models/none'), { status: 404, json: { type: 'error', error: { type: 'not_found_error' } } });
});

t.test('a client that leaves in the middle ends the generation', async (t) => {
  script = () => [...Array.from({ length: 200_000 }, (): GenerateEvent => ({ kind: 'delta', text: 'on and on ' })), { kind: 'finish', reason: 'stop', usage }];
  const stream = await client.messages.create({ model: 'scripted', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], stream: true });
  let seen = 0;
  for await (const _ of stream) if (++seen === 8) break;
  const aborted = async (): Promise<boolean> => /finished_reason="abort"\} 1$/m.test((await call(app, 'GET', '/metrics')).text);
  t.ok(await eventually(aborted, (ended) => ended));
  t.equal(app.admission.generations, 0);
});
