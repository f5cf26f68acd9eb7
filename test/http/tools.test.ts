// Owns tools, calls and thoughts over HTTP: what a request may say, what reaches the engine, what comes back, whole and streamed.
// Refuses to know how replies are read: the engine is scripted here, except where the shipped model has to call.

import { Ajv2020 } from 'ajv/dist/2020.js';
import OpenAI from 'openai';
import type { RunnableToolFunction } from 'openai/lib/RunnableFunction';
import t from 'tap';
import type { Test } from 'tap';
import type { ChatPrompt, GenerateEvent } from '../../src/engine/port.ts';
import { call, events, list, startApp, str } from '../helpers/http-app.ts';
import type { Json, Reply } from '../helpers/http-app.ts';
import { says, scriptedEngine } from '../helpers/scripted-engine.ts';
import type { ScriptedEngine } from '../helpers/scripted-engine.ts';

const user = { role: 'user', content: 'Weather in Ulm?' };
const schema = { type: 'object', properties: { city: { type: 'string', maxLength: 12 }, days: { type: 'integer', minimum: 1, maximum: 9 } }, required: ['city', 'days'], additionalProperties: false };
const tool = (name: string, more: object = { parameters: schema }): object => ({ type: 'function', function: { name, ...more } });
const TOOLS = [tool('weather', { description: 'The weather.', parameters: schema, strict: true }), tool('now', {})];
const finish = (reason: 'stop' | 'length' | 'tool_calls'): GenerateEvent => ({ kind: 'finish', reason, usage: { promptTokens: 9, completionTokens: 20, reasoningTokens: 4 } });
const CALLS: readonly GenerateEvent[] = [
  { kind: 'reasoning', text: 'They ask ' },
  { kind: 'reasoning', text: 'for it.' },
  { kind: 'tool_call', index: 0, id: 'call_a', name: 'weather', arguments: '' },
  { kind: 'tool_call', index: 0, arguments: '{"city":' },
  { kind: 'tool_call', index: 0, arguments: '"Ulm"}' },
  { kind: 'tool_call', index: 1, id: 'call_b', name: 'now', arguments: '{}' },
  finish('tool_calls'),
];

const app = await startApp(t, { PHAROS_EXAMPLE: 'on' });

type Ask = (body: object) => Promise<Reply>;
async function scripted(t: Test, script: readonly GenerateEvent[]): Promise<{ readonly engine: ScriptedEngine; readonly ask: Ask; readonly prompt: () => ChatPrompt }> {
  const engine = scriptedEngine(() => script);
  const app = await startApp(t, {}, { engine });
  const prompt = (): ChatPrompt => {
    const last = engine.requests.at(-1)?.prompt;
    if (last?.kind !== 'chat') throw new Error('no chat was asked for');
    return last;
  };
  return { engine, prompt, ask: (body) => call(app, 'POST', '/v1/chat/completions', { messages: [user], ...body }) };
}

t.test('calls and thoughts of a reply, whole', async (t) => {
  const { ask, prompt } = await scripted(t, CALLS);
  const { status, json } = await ask({ tools: TOOLS });
  t.equal(status, 200, JSON.stringify(json));
  t.same(json.choices[0].message, {
    role: 'assistant',
    content: null,
    refusal: null,
    reasoning_content: 'They ask for it.',
    tool_calls: [
      { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } },
      { id: 'call_b', type: 'function', function: { name: 'now', arguments: '{}' } },
    ],
  });
  t.equal(str(json.choices[0].finish_reason), 'tool_calls');
  t.match(json, { usage: { completion_tokens: 20, completion_tokens_details: { reasoning_tokens: 4 } }, grounding: { outcome: 'ungrounded' } });
  t.same(prompt().tools, [{ name: 'weather', description: 'The weather.', parameters: schema, strict: true }, { name: 'now' }]);
  t.equal(prompt().toolChoice, undefined);
});

t.test('the same streamed, as OpenAI streams them', async (t) => {
  const { ask } = await scripted(t, CALLS);
  const chunks = events((await ask({ tools: TOOLS, stream: true })).text);
  const deltas = chunks.map((chunk) => chunk.choices[0].delta as unknown);
  t.same(deltas, [
    { role: 'assistant', content: '' },
    { reasoning_content: 'They ask ' },
    { reasoning_content: 'for it.' },
    { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '"Ulm"}' } }] },
    { tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'now', arguments: '{}' } }] },
    {},
  ]);
  t.same(chunks.map((chunk) => chunk.choices[0].finish_reason as unknown), [...Array<null>(7).fill(null), 'tool_calls']);
  const called = await scripted(t, CALLS.slice(2));
  t.same(events((await called.ask({ tools: TOOLS, stream: true })).text)[0].choices[0].delta, { role: 'assistant', content: null }, 'nothing is said before a call');
});

t.test("OpenAI's own client runs the functions and sends their results back", async (t) => {
  const engine = scriptedEngine(({ prompt }) => (prompt.kind === 'chat' && prompt.messages.at(-1)?.role === 'tool' ? says(`It is ${prompt.messages.at(-1)?.content}.`) : CALLS));
  const served = await startApp(t, {}, { engine });
  const client = new OpenAI({ baseURL: `${await served.listen({ host: '127.0.0.1', port: 0 })}/v1`, apiKey: 'none', maxRetries: 0 });
  const given: string[] = [];
  const run = (name: string, result: string): RunnableToolFunction<object> => ({
    type: 'function',
    function: { name, description: name, parameters: { type: 'object', properties: {} }, parse: JSON.parse, function: (args: object) => `${name}${given.push(`${name} ${JSON.stringify(args)}`)}${result}` },
  });
  for (const stream of [false, true]) {
    const body = { model: 'scripted', messages: [{ role: 'user' as const, content: 'Weather?' }], tools: [run('weather', ' rain'), run('now', ' noon')] };
    const runner = stream ? client.chat.completions.runTools({ ...body, stream: true }) : client.chat.completions.runTools(body);
    t.match(await runner.finalContent(), /^It is now\d noon\.$/);
  }
  t.same(given, ['weather {"city":"Ulm"}', 'now {}', 'weather {"city":"Ulm"}', 'now {}']);
  const last = engine.requests.at(-1)?.prompt;
  t.match(last, { messages: [{ role: 'user' }, { role: 'assistant', toolCalls: [{ id: 'call_a', name: 'weather' }, { id: 'call_b', name: 'now' }] }, { role: 'tool', toolCallId: 'call_a' }, { role: 'tool', toolCallId: 'call_b' }] });
});

t.test('text beside calls is content; two choices have calls of their own', async (t) => {
  const { ask } = await scripted(t, [{ kind: 'delta', text: 'I look.' }, ...CALLS.slice(2)]);
  const { json } = await ask({ tools: TOOLS, n: 2 });
  t.equal(list(json.choices).length, 2);
  for (const choice of list(json.choices)) t.match(choice, { message: { content: 'I look.', tool_calls: [{ id: 'call_a' }, { id: 'call_b' }] }, finish_reason: 'tool_calls' });
  const thought = await scripted(t, [{ kind: 'reasoning', text: 'Hm.' }, ...says('Good day.')]);
  const plain = await thought.ask({ knowledge: { mode: 'off' } });
  t.same(plain.json.choices[0].message, { role: 'assistant', content: 'Good day.', refusal: null, reasoning_content: 'Hm.' });
});

t.test('a conversation with calls reaches the engine whole', async (t) => {
  const { ask, prompt } = await scripted(t, says('It rains.'));
  const made = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } };
  const { status, json } = await ask({
    messages: [
      user,
      { role: 'assistant', tool_calls: [{ ...made, index: 0 }], reasoning_content: 'Look.', refusal: null, annotations: [], audio: null, function_call: null },
      { role: 'tool', tool_call_id: 'c1', name: 'weather', content: [{ type: 'text', text: 'rain' }] },
      { role: 'assistant', content: null, tool_calls: [{ ...made, id: 'c2' }], reasoning: 'Again.' },
      { role: 'tool', tool_call_id: 'c2', content: 'sun' },
    ],
    tools: TOOLS,
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning_effort: 'high',
    chat_template_kwargs: { enable_thinking: true },
  });
  t.equal(status, 200, JSON.stringify(json));
  const calls = { name: 'weather', arguments: '{"city":"Ulm"}' };
  t.same(prompt().messages, [
    { role: 'user', content: 'Weather in Ulm?' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c1', ...calls }], reasoning: 'Look.' },
    { role: 'tool', content: 'rain', name: 'weather', toolCallId: 'c1' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c2', ...calls }], reasoning: 'Again.' },
    { role: 'tool', content: 'sun', toolCallId: 'c2' },
  ]);
  t.match(prompt(), { toolChoice: 'auto', parallelToolCalls: false, thinking: true, reasoningEffort: 'high' });
});

t.test('choices, thoughts and messages that are gone on with, as clients write them', async (t) => {
  const { ask, prompt } = await scripted(t, says('Yes.'));
  const sent = async (body: object): Promise<ChatPrompt> => {
    const { status, json } = await ask(body);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return prompt();
  };
  t.same((await sent({ tools: TOOLS, tool_choice: { type: 'function', function: { name: 'now' } } })).toolChoice, { name: 'now' });
  t.equal((await sent({ tools: TOOLS, tool_choice: 'required' })).toolChoice, 'required');
  t.match(await sent({ tools: TOOLS, tool_choice: 'none', knowledge: { mode: 'off' } }), { toolChoice: 'none', tools: [{ name: 'weather' }, { name: 'now' }] });
  const allowed = await sent({ tools: TOOLS, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'now' } }] } } });
  t.same([allowed.toolChoice, allowed.tools], ['required', [{ name: 'now' }]]);
  t.equal((await sent({ thinking: { type: 'disabled' }, tools: TOOLS })).thinking, false);
  t.equal((await sent({ reasoning_effort: 'none', tools: TOOLS })).thinking, false);
  t.equal((await sent({ chat_template_kwargs: { thinking: true }, tools: TOOLS })).thinking, true);
  t.equal((await sent({ tools: TOOLS })).thinking, undefined);
  const half = { role: 'assistant', content: 'It is' };
  t.equal((await sent({ messages: [user, half], continue_final_message: true, add_generation_prompt: false })).continues, true);
  t.equal((await sent({ messages: [user, { ...half, prefix: true }] })).continues, true);
  t.same((await sent({ messages: [user, { role: 'assistant', content: 'Hm.', tool_calls: [] }, user], tools: TOOLS })).messages[1], { role: 'assistant', content: 'Hm.' }, 'no calls at all');
  t.equal((await sent({ tools: [], tool_choice: 'auto', knowledge: { mode: 'off' } })).tools, undefined, 'no tools at all');
});

t.test('what cannot be meant is refused with its place', async (t) => {
  const { ask, engine } = await scripted(t, says('Yes.'));
  const made = [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } }];
  const cases: readonly (readonly [body: object, param: string, message: RegExp])[] = [
    [{ tools: [tool('a b')] }, 'tools[0].function.name', /1 to 64/],
    [{ tools: [tool('a'.repeat(65))] }, 'tools[0].function.name', /1 to 64/],
    [{ tools: [tool('a'), tool('a')] }, 'tools[1].function.name', /name of its own/],
    [{ tools: Array.from({ length: 129 }, (_, i) => tool(`f${i}`)) }, 'tools', /<=128/],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type', /must be "function"/],
    [{ tools: [tool('a', { parameters: { type: 'array' } })] }, 'tools[0].function.parameters.type', /must be "object"/],
    [{ tools: [tool('a', { parameters: { description: 'x'.repeat(300_000) } })] }, 'tools[0].function.parameters', /characters/],
    [{ tools: [tool('a', { params: {} })] }, 'tools[0].function.params', /not a field/],
    [{ tool_choice: 'required' }, 'tool_choice', /there are no tools/],
    [{ tools: TOOLS, tool_choice: 'any' }, 'tool_choice', /expected one of "none"\|"auto"\|"required"/],
    [{ tools: TOOLS, tool_choice: { type: 'function', function: { name: 'delete' } } }, 'tool_choice', /"delete", which is not among the tools; there are: weather, now/],
    [{ tools: TOOLS, response_format: { type: 'json_object' } }, 'response_format', /cannot be combined with tools/],
    [{ tools: TOOLS, structured_outputs: { regex: 'a' } }, 'structured_outputs', /cannot be combined with tools/],
    [{ tools: TOOLS, knowledge: {} }, 'tools', /answer from the graph/],
    [{ messages: [user, { role: 'tool', content: 'x' }] }, 'messages[1].tool_call_id', /is required/],
    [{ messages: [user, { role: 'assistant', tool_calls: made }, { role: 'tool', tool_call_id: 'c2', content: 'x' }] }, 'messages[2].tool_call_id', /is "c2", .* there are: c1/],
    [{ messages: [{ role: 'tool', tool_call_id: 'c1', content: 'x' }, { role: 'assistant', tool_calls: made }] }, 'messages[0].tool_call_id', /"c1"/],
    [{ messages: [{ ...user, tool_calls: made }] }, 'messages[0].tool_calls', /role assistant; this one is of user/],
    [{ messages: [{ ...user, tool_call_id: 'c1' }] }, 'messages[0].tool_call_id', /role tool/],
    [{ messages: [user, { role: 'assistant' }] }, 'messages[1].content', /required/],
    [{ messages: [user, { role: 'assistant', tool_calls: [] }] }, 'messages[1].content', /required/],
    [{ messages: [user], continue_final_message: true }, 'messages', /end with a message of the role assistant/],
    [{ messages: [user], add_generation_prompt: false }, 'add_generation_prompt', /continue_final_message/],
    [{ messages: [{ role: 'assistant', content: 'a', prefix: true }, user] }, 'messages[0].prefix', /last message/],
    [{ functions: [{ name: 'f' }] }, 'functions', /use tools/],
    [{ function_call: { name: 'f' } }, 'function_call', /use tool_choice/],
    [{ chat_template_kwargs: { temperature: 1 } }, 'chat_template_kwargs.temperature', /not a field/],
  ];
  for (const [body, param, message] of cases) t.match(await ask(body), { status: 400, json: { error: { type: 'invalid_request_error', param, message } } }, JSON.stringify(body).slice(0, 100));
  t.equal(engine.requests.length, 0);
});

t.test('answers are kept apart by what was asked of the model', async (t) => {
  const cached = async (body: object): Promise<unknown> => {
    const { json } = await call(app, 'POST', '/v1/chat/completions', { messages: [{ role: 'user', content: 'Where was Marie Curie born?' }], ...body });
    return json.grounding.cached;
  };
  t.same([await cached({}), await cached({})], [false, true]);
  t.same([await cached({ reasoning_effort: 'low' }), await cached({ reasoning_effort: 'low' }), await cached({ reasoning_effort: 'high' })], [false, true, false]);
  t.equal(await cached({ tools: TOOLS, max_tokens: 3 }), false, 'where there are tools, the model alone is asked');
});

const real = (body: object): Promise<Reply> => call(app, 'POST', '/v1/chat/completions', { messages: [user], temperature: 1.3, max_tokens: 160, ...body });
const valid = new Ajv2020().compile(schema);
const argumentsOf = (reply: Json): unknown => JSON.parse(str(reply.function.arguments));

t.test('the shipped model calls because it must, with arguments that are valid', async (t) => {
  for (const seed of [1, 2, 3]) {
    const { status, json } = await real({ tools: TOOLS, tool_choice: { type: 'function', function: { name: 'weather' } }, seed });
    t.equal(status, 200, JSON.stringify(json));
    const { message, finish_reason: reason } = json.choices[0];
    t.equal(str(reason), 'tool_calls');
    t.equal(message.content, null);
    t.equal(list(message.tool_calls).length, 1);
    t.match(message.tool_calls[0], { id: /^call_[0-9a-f]{24}$/, type: 'function', function: { name: 'weather' } });
    t.ok(valid(argumentsOf(message.tool_calls[0])), JSON.stringify(message));
  }
  const { json } = await real({ tools: [...TOOLS, tool('loose', { parameters: { type: 'object', $dynamicRef: '#x' } })], tool_choice: 'required', parallel_tool_calls: false, seed: 5 });
  const [made] = list(json.choices[0].message.tool_calls);
  t.ok(['weather', 'now', 'loose'].includes(str(made.function.name)));
  t.type(argumentsOf(made), 'object');
});

t.test('streamed, the arguments are the same as whole', async (t) => {
  const body = { tools: TOOLS, tool_choice: { type: 'function', function: { name: 'weather' } }, seed: 7 };
  const whole = await real(body);
  const chunks = events((await real({ ...body, stream: true, stream_options: { include_usage: true } })).text);
  const parts = chunks.flatMap((chunk) => list(chunk.choices)).flatMap(({ delta }) => ((delta.tool_calls as unknown) === undefined ? [] : list(delta.tool_calls)));
  t.equal(parts.map((part) => str(part.function.arguments)).join(''), str(whole.json.choices[0].message.tool_calls[0].function.arguments));
  t.ok(parts.length > 2, 'they come as they are written');
  t.equal(parts.filter((part) => (part.id as unknown) !== undefined).length, 1);
  t.notOk(chunks.flatMap((chunk) => list(chunk.choices)).some(({ delta }) => typeof (delta.content as unknown) === 'string'), 'nothing of it is content');
});

t.test('a call that is cut off shows nothing of its marks, whole or streamed', async (t) => {
  const bodies = [1, 7, 20].flatMap((max_tokens) => [{ type: 'function', function: { name: 'weather' } }, 'required'].map((tool_choice) => ({ tools: TOOLS, tool_choice, max_tokens, seed: 3 })));
  for (const body of bodies) {
    const { json } = await real(body);
    t.match(json.choices[0].finish_reason, 'length');
    const { content, tool_calls: calls } = json.choices[0].message;
    t.notOk(content, `${body.max_tokens} tokens give ${JSON.stringify(content)}`);
    if (body.tool_choice !== 'required') t.match(calls, [{ id: /^call_/, function: { name: 'weather' } }]);
    const choices = events((await real({ ...body, stream: true })).text).flatMap((chunk) => list(chunk.choices));
    t.notOk(choices.some(({ delta }) => Boolean(delta.content)));
    const named = choices.filter(({ delta }) => (delta.tool_calls as unknown) !== undefined && (delta.tool_calls[0].function.name as unknown) !== undefined);
    t.equal(named.length, (calls as unknown) === undefined ? 0 : list(calls).length);
    t.equal(str(choices.at(-1)?.finish_reason as Json), 'length');
  }
});

t.test('a strict function whose schema cannot be kept is refused; without strict it may be asked for', async (t) => {
  const parameters = { type: 'object', properties: { a: { type: 'object', $dynamicRef: '#x' } } };
  t.match(await real({ tools: [tool('f', { parameters, strict: true })] }), { status: 400, json: { error: { param: 'tools', message: /function f is strict, .*\$dynamicRef at #\/properties\/a is not supported/ } } });
  t.equal((await real({ tools: [tool('f', { parameters })], max_tokens: 4 })).status, 200);
});

t.test('calls and their results are read by the shipped model, and logarithms are told of what is said alone', async (t) => {
  const messages = [user, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'now', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'c', content: 'noon' }, { role: 'user', content: 'and?' }];
  const { status, json } = await real({ messages, tools: TOOLS, max_tokens: 12, logprobs: true });
  t.equal(status, 200, JSON.stringify(json));
  const called = await real({ tools: TOOLS, tool_choice: 'required', parallel_tool_calls: false, logprobs: true, seed: 1 });
  t.match(called.json, { choices: [{ finish_reason: 'tool_calls', logprobs: null }] });
});
