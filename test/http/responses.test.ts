// Owns OpenAI's Responses over HTTP: requests as its client sends them, items, events, errors, and what reaches the engine.
// Refuses to know how a model writes: its events come from a script.

import OpenAI from 'openai';
import t from 'tap';
import { responseEvent } from '../../src/contract/dialects/responses-events.ts';
import { EngineError } from '../../src/engine/port.ts';
import type { ChatPrompt, GenerateEvent, GenerateRequest, WrittenToken } from '../../src/engine/port.ts';
import { call, list, startApp, str } from '../helpers/http-app.ts';
import type { Json } from '../helpers/http-app.ts';
import { randomAnswer, randomNumbers } from '../helpers/random-answers.ts';
import { eventually } from '../helpers/http-server.ts';
import { lastAsked, lastChat, says, scriptedEngine } from '../helpers/scripted-engine.ts';

let script: (request: GenerateRequest) => readonly GenerateEvent[] = () => says('Hello there.');
const engine = scriptedEngine((request) => script(request));
const app = await startApp(t, {}, { engine });
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const usage = { promptTokens: 30, completionTokens: 9, cachedTokens: 10, reasoningTokens: 4 };
const off = { knowledge: { mode: 'off' } };
const send = (more: object = {}) => call(app, 'POST', '/v1/responses', { model: 'scripted', input: 'Hello.', ...off, ...more });
const asked = (): GenerateRequest => lastAsked(engine);
const chatAsked = (): ChatPrompt => lastChat(engine);
/** Events of a stream, each valid by the contract, named by its type and numbered in order. */
const streamed = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame, i) => {
      const [, name, data] = /^event: (\S+)\ndata: (.*)$/s.exec(frame) ?? [];
      const event = responseEvent.parse(JSON.parse(data)) as unknown as Json;
      if (str(event.type) !== name || Number(event.sequence_number) !== i) throw new Error(`event ${i}, ${name}, is told as ${frame}`);
      return event;
    });
const tool = {
  type: 'function' as const,
  name: 'weather',
  description: 'Weather of a place.',
  parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'], additionalProperties: false },
  strict: true,
};
const thinksAndCalls: GenerateEvent[] = [
  { kind: 'reasoning', text: 'They want ' },
  { kind: 'reasoning', text: 'the weather.' },
  { kind: 'delta', text: 'Let me ' },
  { kind: 'delta', text: 'look.' },
  { kind: 'tool_call', index: 0, id: 'call_1', name: 'weather', arguments: '{"place":' },
  { kind: 'tool_call', index: 0, arguments: '"Ulm"}' },
  { kind: 'tool_call', index: 1, id: 'call_2', name: 'weather', arguments: '{"place":"Bern"}' },
  { kind: 'finish', reason: 'tool_calls', usage },
];

t.test('a text is a response with one message, and says what was asked', async (t) => {
  script = () => [{ kind: 'delta', text: 'Hello' }, { kind: 'delta', text: ' there.' }, { kind: 'finish', reason: 'stop', usage }];
  const { status, json, text } = await send({ instructions: 'Be brief.', temperature: 0.5, top_p: 0.9, max_output_tokens: 64, metadata: { a: 'b' }, store: true, user: 'u' });
  t.equal(status, 200, text);
  t.match(json, {
    id: /^resp_/,
    object: 'response',
    status: 'completed',
    model: 'scripted',
    instructions: 'Be brief.',
    temperature: 0.5,
    top_p: 0.9,
    max_output_tokens: 64,
    metadata: { a: 'b' },
    incomplete_details: null,
    error: null,
    store: false,
    grounding: { outcome: 'ungrounded' },
  });
  t.match(json.output, [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hello there.', annotations: [], logprobs: [] }] }]);
  t.same(json.usage, { input_tokens: 30, input_tokens_details: { cached_tokens: 10, cache_write_tokens: 0 }, output_tokens: 9, output_tokens_details: { reasoning_tokens: 4 }, total_tokens: 39 });
  t.match(asked(), { model: 'scripted', maxTokens: 64, sampling: { temperature: 0.5, topP: 0.9 } });
  t.same(chatAsked().messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello.' },
  ]);
});

t.test('thoughts, text and calls are items in order; a stream says the same', async (t) => {
  script = () => thinksAndCalls;
  const { json } = await send({ tools: [tool] });
  t.match(json.output, [
    { type: 'reasoning', id: /^rs_/, summary: [], content: [{ type: 'reasoning_text', text: 'They want the weather.' }] },
    { type: 'message', id: /^msg_/, content: [{ text: 'Let me look.' }] },
    { type: 'function_call', id: /^fc_/, call_id: 'call_1', name: 'weather', arguments: '{"place":"Ulm"}', status: 'completed' },
    { type: 'function_call', call_id: 'call_2', arguments: '{"place":"Bern"}' },
  ]);
  t.match(chatAsked().tools ?? 'none', [{ name: 'weather', parameters: tool.parameters, strict: true }]);

  const events = streamed((await send({ tools: [tool], stream: true })).text);
  t.same(
    events.map(({ type, output_index: index }) => `${str(type).replace('response.', '')}${index === undefined ? '' : ` ${Number(index)}`}`),
    [
      'created', 'in_progress',
      'output_item.added 0', 'content_part.added 0', 'reasoning_text.delta 0', 'reasoning_text.delta 0', 'reasoning_text.done 0', 'content_part.done 0', 'output_item.done 0',
      'output_item.added 1', 'content_part.added 1', 'output_text.delta 1', 'output_text.delta 1', 'output_text.done 1', 'content_part.done 1', 'output_item.done 1',
      'output_item.added 2', 'function_call_arguments.delta 2', 'function_call_arguments.delta 2', 'function_call_arguments.done 2', 'output_item.done 2',
      'output_item.added 3', 'function_call_arguments.delta 3', 'function_call_arguments.done 3', 'output_item.done 3',
      'completed',
    ],
  );
  const last = events.at(-1);
  const bare = (items: Json): unknown => list(items).map((item) => ({ ...item, id: undefined }));
  t.same(bare(last?.response.output as Json), bare(json.output));
  t.match(last?.response, { usage: { total_tokens: 39 }, grounding: { outcome: 'ungrounded' } });
});

t.test('the official client puts a stream together to the same response', async (t) => {
  script = () => thinksAndCalls;
  const params = { model: 'scripted', input: 'Weather?', tools: [tool] };
  const whole = await client.responses.create(params);
  t.equal(whole.output_text, 'Let me look.');
  const stream = client.responses.stream(params);
  const seen: string[] = [];
  stream.on('response.output_text.delta', ({ delta }) => seen.push(delta));
  const put = await stream.finalResponse();
  t.same(seen, ['Let me ', 'look.']);
  t.equal(put.output_text, whole.output_text);
  t.same(
    put.output.map(({ type }) => type),
    ['reasoning', 'message', 'function_call', 'function_call'],
  );
  t.match(put.usage, { input_tokens: 30, output_tokens: 9 });
});

t.test('an answer that the limit cuts off is incomplete, and so is its last item', async (t) => {
  script = () => [{ kind: 'delta', text: 'Hel' }, { kind: 'finish', reason: 'length', usage }];
  const incomplete = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [{ status: 'incomplete' }] };
  t.match((await send({ max_output_tokens: 1 })).json, incomplete);
  const events = streamed((await send({ max_output_tokens: 1, stream: true })).text);
  t.match(events.at(-1), { type: 'response.incomplete', response: incomplete });
  t.match(events.at(-2), { type: 'response.output_item.done', item: { status: 'incomplete' } });
});

t.test('items of a conversation come to the engine in its own form', async (t) => {
  script = () => says('Sunny.');
  const reply = await send({
    tools: [tool],
    input: [
      { role: 'developer', content: 'Be kind.' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Wea' }, { type: 'input_text', text: 'ther?' }] },
      { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Ask.' }] },
      { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content: [{ type: 'output_text', text: 'Looking.', annotations: [], logprobs: [] }] },
      { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'weather', arguments: '{"place":"Ulm"}', status: 'completed' },
      { type: 'function_call', call_id: 'b', name: 'weather', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: '20 °C' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'none' }] },
      { role: 'assistant', content: 'One.' },
      { role: 'assistant', content: 'Two.' },
      { role: 'user', content: 'So?' },
    ],
  });
  t.equal(reply.status, 200, reply.text);
  t.same(chatAsked().messages, [
    { role: 'system', content: 'Be kind.' },
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
    { role: 'tool', content: '20 °C', toolCallId: 'a' },
    { role: 'tool', content: 'none', toolCallId: 'b' },
    { role: 'assistant', content: 'One.' },
    { role: 'assistant', content: 'Two.' },
    { role: 'user', content: 'So?' },
  ]);
});

t.test('a reply may be sent back as it came', async (t) => {
  script = () => thinksAndCalls;
  const { json } = await send({ tools: [tool] });
  script = () => says('Sunny.');
  const results = ['call_1', 'call_2'].map((call_id) => ({ type: 'function_call_output', call_id, output: 'x' }));
  const { status, text } = await send({ tools: [tool], input: [{ role: 'user', content: 'Weather?' }, ...list(json.output), ...results] });
  t.equal(status, 200, text);
  t.match(chatAsked().messages[1], { reasoning: 'They want the weather.', content: 'Let me look.', toolCalls: [{ id: 'call_1' }, { id: 'call_2' }] });
});

t.test('formats, choices of tools, effort and likelihoods are passed on', async (t) => {
  script = () => says('x');
  const passed = async (more: object): Promise<unknown> => {
    const { status, text } = await send(more);
    t.equal(status, 200, text);
    const { constraint } = asked();
    const { kind: _, messages: __, ...rest } = chatAsked();
    return { ...rest, ...(constraint ? { constraint } : {}) };
  };
  const schema = { type: 'object' };
  t.same(await passed({ text: { format: { type: 'json_schema', name: 'x', schema } } }), { constraint: { kind: 'schema', schema } });
  t.same(await passed({ text: { format: { type: 'json_object' } } }), { constraint: { kind: 'json' } });
  t.same(await passed({ text: { format: { type: 'text' }, verbosity: 'low' } }), {});
  const tools = [{ type: 'function', name: 'one' }, { type: 'function', name: 'two' }];
  t.match(await passed({ tools, tool_choice: 'required', parallel_tool_calls: false }), { toolChoice: 'required', parallelToolCalls: false });
  t.match(await passed({ tools, tool_choice: { type: 'function', name: 'two' } }), { toolChoice: { name: 'two' } });
  t.same(await passed({ tools, tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'two' }] } }), { tools: [{ name: 'two' }], toolChoice: 'required' });
  t.same(await passed({ reasoning: { effort: 'high', summary: 'auto' } }), { reasoningEffort: 'high' });
  t.same(await passed({ reasoning: { effort: 'none' } }), { thinking: false });
});

t.test('how likely tokens were is told where it is asked for', async (t) => {
  const token = (text: string): WrittenToken => ({ text, bytes: [...Buffer.from(text)], logprob: -0.5, top: [{ text, bytes: [...Buffer.from(text)], logprob: -0.5 }] });
  script = () => [{ kind: 'delta', text: 'Hi', tokens: [token('Hi')] }, { kind: 'delta', text: ' you', tokens: [token(' '), token('you')] }, { kind: 'finish', reason: 'stop', usage }];
  const more = { include: ['message.output_text.logprobs'], top_logprobs: 1 };
  const { json } = await send(more);
  t.equal(asked().sampling.logprobs, 1);
  const told = [{ token: 'Hi', logprob: -0.5, top_logprobs: [{ token: 'Hi' }] }, { token: ' ' }, { token: 'you', bytes: [121, 111, 117] }];
  t.match(json.output[0].content[0].logprobs, told);
  const events = streamed((await send({ ...more, stream: true })).text);
  t.match(events[2].item, { content: [] });
  t.same(events[3].part, { type: 'output_text', text: '', annotations: [], logprobs: [] });
  t.match(events.find(({ type }) => str(type) === 'response.output_text.done')?.logprobs, told);
  t.equal(list(events.filter(({ type }) => str(type) === 'response.output_text.delta')[1].logprobs).length, 2);
});

t.test('what is wrong, or would need something that is kept, is refused with its place', async (t) => {
  script = () => says('x');
  const cases: readonly (readonly [string, object, number, { code: string; param?: string; message?: RegExp }])[] = [
    ['no input', { input: undefined }, 400, { code: 'missing_required_parameter', param: 'input' }],
    ['an unknown field', { temprature: 1 }, 400, { code: 'unknown_parameter', param: 'temprature' }],
    ['a response that was', { previous_response_id: 'resp_1' }, 400, { code: 'unsupported_parameter', param: 'previous_response_id', message: /send the whole conversation/ }],
    ['a conversation', { conversation: 'conv_1' }, 400, { code: 'unsupported_parameter', param: 'conversation' }],
    ['in the background', { background: true }, 400, { code: 'unsupported_parameter', param: 'background' }],
    ['an item by its id', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 400, { code: 'unsupported_parameter', param: 'input[0]', message: /send the item itself/ }],
    ['an image', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 400, { code: 'unsupported_parameter', param: 'input[0].content[0]', message: /cannot be read/ }],
    ['a tool that runs at the server', { tools: [{ type: 'web_search' }] }, 400, { code: 'invalid_value', param: 'tools[0].type', message: /only tools of type "function"/ }],
    ['an output of no call', { input: [{ type: 'function_call_output', call_id: 'z', output: 'x' }] }, 400, { code: 'invalid_value', param: 'input[0].call_id', message: /"z"/ }],
    ['a choice that is no tool', { tools: [tool], tool_choice: { type: 'function', name: 'other' } }, 400, { code: 'invalid_value', param: 'tool_choice' }],
    ['an allowed tool that is none', { tools: [tool], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'other' }] } }, 400, { code: 'invalid_value', param: 'tool_choice.tools[0].name' }],
    ['tools and a format', { tools: [tool], text: { format: { type: 'json_object' } } }, 400, { code: 'invalid_value', param: 'text.format' }],
    ['the graph and a format', { knowledge: {}, text: { format: { type: 'json_object' } } }, 400, { code: 'invalid_value', param: 'knowledge' }],
    ['an unknown model', { model: 'gpt-9' }, 404, { code: 'model_not_found', param: 'model' }],
  ];
  for (const [name, more, status, error] of cases) {
    const reply = await send(more);
    t.equal(reply.status, status, `${name}: ${reply.text.slice(0, 300)}`);
    t.match(reply.json, { error: { ...error, type: 'invalid_request_error' } }, name);
  }
  for (const more of [{ previous_response_id: null, conversation: null, background: false, store: false, truncation: 'disabled', include: ['reasoning.encrypted_content'], service_tier: 'auto' }])
    t.equal((await send(more)).status, 200);
});

t.test('an answer that breaks off says so: before its first event by the status, later by events', async (t) => {
  script = () => [{ kind: 'error', error: new EngineError('queue_full', 'too many') }];
  t.match(await send({ knowledge: { mode: 'off' } }), { status: 429, json: { error: { code: 'engine_overloaded' } } });
  script = () => [{ kind: 'error', error: new EngineError('context_length_exceeded', 'too long') }];
  t.match(await send(), { status: 400, json: { error: { code: 'context_length_exceeded', param: 'input' } } }, 'the field has the name that it has here');
  script = () => [{ kind: 'delta', text: 'Hel' }, { kind: 'error', error: new EngineError('failed', 'secret of the inside') }];
  const events = streamed((await send({ stream: true })).text);
  t.match(events.slice(-2), [
    { type: 'error', code: 'engine_failed' },
    { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' }, output: [{ content: [{ text: 'Hel' }] }] } },
  ]);
  t.notMatch(JSON.stringify(events), /secret/);
});

t.test('whatever an answer is made of, the client puts its stream together to what is told at once', async (t) => {
  const random = randomNumbers(7);
  for (let i = 0; i < 60; i++) {
    const { events, parts } = randomAnswer(random);
    script = () => events;
    const whole = await client.responses.create({ model: 'scripted', input: 'x' });
    const got = whole.output.map((item) => {
      if (item.type === 'reasoning') return { kind: 'reasoning', text: item.content?.[0]?.text };
      if (item.type === 'function_call') return { kind: 'call', text: item.arguments };
      return { kind: 'text', text: item.type === 'message' && item.content[0].type === 'output_text' ? item.content[0].text : undefined };
    });
    if (!t.same(got, parts, `answer ${i}`)) return;
    const { text } = await call(app, 'POST', '/v1/responses', { model: 'scripted', input: 'x', stream: true });
    const told = streamed(text);
    const bare = (items: unknown): unknown => list(items as Json).map((item) => ({ ...item, id: undefined }));
    if (!t.same(bare(told.at(-1)?.response.output), bare(whole.output), `stream ${i}`)) return;
    const deltas = told.filter(({ type }) => str(type).endsWith('.delta')).map(({ delta }) => str(delta));
    if (!t.equal(deltas.join(''), parts.map((part) => part.text).join(''), `pieces ${i}`)) return;
    const put = await client.responses.stream({ model: 'scripted', input: 'x' }).finalResponse();
    if (!t.equal(put.output_text, whole.output_text, `put together ${i}`)) return;
  }
});

t.test('an answer from the graph brings its grounding, whole and in the last event', async (t) => {
  const graph = await startApp(t, { PHAROS_EXAMPLE: 'on' });
  const question = { model: 'pharos-mini', input: 'Where was Albert Einstein born?', knowledge: {} };
  const { json } = await call(graph, 'POST', '/v1/responses', question);
  t.match(json, { output: [{ content: [{ text: /Ulm/ }] }], status: 'completed', grounding: { outcome: 'entailed', cached: false, claims: [{ proof_id: /./ }] } });
  const events = streamed((await call(graph, 'POST', '/v1/responses', { ...question, stream: true })).text);
  t.match(events.at(-1), { type: 'response.completed', response: { grounding: { outcome: 'entailed', cached: true } } });
});

t.test('a client that leaves in the middle ends the generation', async (t) => {
  script = () => [...Array.from({ length: 200_000 }, (): GenerateEvent => ({ kind: 'delta', text: 'on and on ' })), { kind: 'finish', reason: 'stop', usage }];
  const stream = await client.responses.create({ model: 'scripted', input: 'x', stream: true });
  let seen = 0;
  for await (const _ of stream) if (++seen === 8) break;
  const aborted = async (): Promise<boolean> => /finished_reason="abort"\} 1$/m.test((await call(app, 'GET', '/metrics')).text);
  t.ok(await eventually(aborted, (ended) => ended));
  t.equal(app.admission.generations, 0);
});
