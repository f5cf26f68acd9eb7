// Owns the engine elsewhere: against a Pharos on a real socket, and against a server that says what no good one would.
// Refuses to know how good servers make tokens.

import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { ChatPrompt, Engine, GenerateEvent } from '../../src/engine/port.ts';
import { createUpstream } from '../../src/engine/upstream/upstream.ts';
import { call, listen, startApp } from '../helpers/http-app.ts';
import { json, scripted, stream } from '../helpers/scripted-server.ts';
import type { Handler } from '../helpers/scripted-server.ts';
import { ask, chat, collect, failure, startEngine, until } from './world.ts';

/** As wild as OpenAI's API allows. */
const hot = { sampling: { temperature: 2, topP: 1, seed: 3 }, maxTokens: 40 } as const;

t.test('tokens of a server elsewhere are those of the engine here', async (t) => {
  const { url } = await listen(t);
  const [engine, here] = [await createUpstream({ url: `${url}/v1/` }), await startEngine(t)];
  t.teardown(() => engine.close());
  t.match(engine.models(), [{ id: 'pharos-mini', contextLength: 1536, device: 'upstream' }]);
  const requests = [
    ask('Albert Einstein was', { maxTokens: 12 }),
    ask('A colour:', { sampling: { temperature: 1.5, topP: 0.9, topK: 40, minP: 0.01, seed: 4, presencePenalty: 1, repetitionPenalty: 1.2, logitBias: { 300: -5 } }, maxTokens: 12 }),
    ask('A colour:', { ...hot, constraint: { kind: 'regex', pattern: '#[0-9a-f]{6}' } }),
    ask('A colour:', { ...hot, constraint: { kind: 'schema', schema: { type: 'object', properties: { a: { type: 'integer', maximum: 9, minimum: 1 } }, required: ['a'] } } }),
    ask('A colour:', { ...hot, constraint: { kind: 'choice', choices: ['red', 'green'] } }),
    ask('A colour:', { ...hot, constraint: { kind: 'grammar', grammar: 'root ::= "x"{3}' } }),
    ask('Albert Einstein was', { sampling: { temperature: 0, topP: 1, logprobs: 2 }, maxTokens: 4, echo: true }),
    ask('', { prompt: { kind: 'tokens', ids: [400, 500] }, maxTokens: 5, stop: ['zzz'] }),
    ask('Albert Einstein was', { sampling: { temperature: 2, topP: 1, seed: 3, minTokens: 9, ignoreEos: true, stopTokens: [300], includeStop: true, specialTokens: true, tokenIds: true, truncatePrompt: 2 }, maxTokens: 30, stop: ['e'] }),
    chat([{ role: 'user', content: 'Where was Albert Einstein born?' }], { sampling: { temperature: 2, topP: 1, seed: 3, tokenIds: true }, maxTokens: 12 }),
  ];
  for (const request of requests) {
    const [there, expected] = [await collect(engine.generate(request)), await collect(here.generate(request))];
    t.equal(there.text, expected.text, JSON.stringify(request).slice(0, 120));
    t.equal(there.reason, expected.reason);
    t.same({ ...there.usage, cachedTokens: 0 }, { ...expected.usage, cachedTokens: 0 });
    const [told, known] = [await tokensOf(engine.generate(request)), await tokensOf(here.generate(request))];
    t.equal(known.length > 0, request.sampling.logprobs !== undefined);
    t.same(told, known, 'and how likely each was');
    t.same(await idsOf(engine.generate(request)), await idsOf(here.generate(request)), 'and their ids');
  }
  t.match(await failure(collect(engine.generate(ask('x', { model: 'none' })))), { code: 'unknown_model' });
  t.match(await failure(collect(engine.generate(ask('x', { sampling: { temperature: 0, topP: 1, promptLogprobs: 1 } })))), { code: 'invalid_prompt', message: /leave prompt_logprobs out/ });
  t.match(await failure(collect(engine.generate(ask('word '.repeat(5000))))), { code: 'context_length_exceeded', message: /answered 400: .*1536 tokens/ });
  t.match(await failure(collect(engine.generate(ask('x', { constraint: { kind: 'regex', pattern: '(' } })))), { code: 'invalid_prompt', message: /group that nothing closes/ });

  const controller = new AbortController();
  const events = engine.generate(ask('x', { ...hot, maxTokens: 900 }), controller.signal)[Symbol.asyncIterator]();
  await events.next();
  t.equal(engine.statistics().running, 1);
  controller.abort();
  t.match((await collect({ [Symbol.asyncIterator]: () => events })).error, { code: 'aborted' });
  await until(() => engine.statistics().running === 0);
  t.ok(engine.statistics().generatedTokens > 20);
});

t.test('answers are grounded here and worded there', async (t) => {
  const replies: string[] = [];
  const { url } = await scripted(t, (path, body, response) => {
    if (path === '/v1/models') return json(response, 200, { object: 'list', data: [{ id: 'large', object: 'model', created: 7, owned_by: 'x', max_model_len: 4096 }] });
    replies.push(JSON.stringify(body));
    return stream(response, ['Albert Einstein was born in Ulm', ' and Germany.'], { prompt_tokens: 50, completion_tokens: 9 });
  });
  const app = await startApp(t, { PHAROS_EXAMPLE: 'on', PHAROS_ENGINE: `${url}/v1`, PHAROS_ENGINE_KEY: 'secret' });
  t.match((await call(app, 'GET', '/v1/models')).json, { data: [{ id: 'large', device: 'upstream', context_length: 4096, grounded: false }] });
  const question = (content: string): ReturnType<typeof call> => call(app, 'POST', '/v1/chat/completions', { model: 'large', messages: [{ role: 'user', content }] });
  const right = await question('Where was Albert Einstein born?');
  t.match(right.json, { choices: [{ message: { content: 'Albert Einstein was born in Ulm and Germany.' } }], grounding: { outcome: 'entailed', wording: 'model', answers: ['Ulm', 'Germany'] }, usage: { prompt_tokens: 50, completion_tokens: 9 } });
  t.match(replies[0], /Ulm.*Where was Albert Einstein born/s, 'the evidence and the question are sent');
  t.match((await question('Where was Albert Einstein born?')).json, { grounding: { cached: true } });
  t.equal(replies.length, 1);
  // What is said there about something else is not believed here.
  const wrong = await question('Where was Marie Curie born?');
  t.match(wrong.json, { grounding: { outcome: 'entailed', wording: 'plain' } });
  t.match(wrong.json, { choices: [{ message: { content: /Warsaw/ } }] });
});

t.test('likelihoods of a chat are read as chats tell them', async (t) => {
  const content = [{ token: 'Hé', logprob: -0.5, bytes: null, top_logprobs: [{ token: 'Hé', logprob: -0.5 }, { token: 'Ho', logprob: -1, bytes: [72, 111] }] }];
  let asked: unknown;
  const { url } = await scripted(t, (path, body, response) => {
    if (path === '/v1/models') return json(response, 200, { data: [{ id: 'm' }] });
    asked = body;
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'Hé' }, finish_reason: null, logprobs: { content } }] })}\n\n`);
    response.end(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'length' }] })}\n\ndata: [DONE]\n\n`);
    return undefined;
  });
  const engine = await createUpstream({ url: `${url}/v1` });
  const events: GenerateEvent[] = [];
  for await (const event of engine.generate(chat([{ role: 'user', content: 'x' }], { model: 'm', sampling: { temperature: 0, topP: 1, logprobs: 2 } }))) events.push(event);
  t.match(asked, { logprobs: true, top_logprobs: 2, messages: [{ role: 'user', content: 'x' }], temperature: 0 });
  t.same(events, [
    { kind: 'delta', text: 'Hé', tokens: [{ text: 'Hé', logprob: -0.5, bytes: [72, 195, 169], top: [{ text: 'Hé', logprob: -0.5, bytes: [72, 195, 169] }, { text: 'Ho', logprob: -1, bytes: [72, 111] }] }] },
    { kind: 'finish', reason: 'length', usage: { promptTokens: 0, completionTokens: 1 } },
  ]);
  t.equal(await engine.countTokens('m', '柏拉图的同乡'), 6, 'about as many as a Chinese text has');
});

t.test('tools, calls and thoughts go there and come back', async (t) => {
  let asked: unknown;
  let chunks: readonly object[] = [];
  const { url } = await scripted(t, (path, body, response) => {
    if (path === '/v1/models') return json(response, 200, { data: [{ id: 'm' }] });
    asked = body;
    for (const delta of chunks) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`);
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] })}\n\n`);
    response.end(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 3 } } })}\n\ndata: [DONE]\n\n`);
    return undefined;
  });
  const engine = await createUpstream({ url: `${url}/v1` });
  const given = async (parts: readonly object[], prompt: Partial<ChatPrompt> = {}): Promise<readonly GenerateEvent[]> => {
    chunks = parts;
    const events: GenerateEvent[] = [];
    for await (const event of engine.generate(ask('', { model: 'm', prompt: { kind: 'chat', messages: [{ role: 'user', content: 'x' }], ...prompt } }))) events.push(event);
    return events;
  };
  const messages: ChatPrompt['messages'] = [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: '', reasoning: 'why', toolCalls: [{ id: 'c1', name: 'f', arguments: '{"a":1}' }] },
    { role: 'tool', content: '2', toolCallId: 'c1', name: 'f' },
  ];
  const parameters = { type: 'object', properties: { a: { type: 'integer' } } };
  const events = await given(
    [
      { role: 'assistant', content: null, reasoning: 'Hm.' },
      { reasoning_content: ' So.', reasoning: ' So.' },
      { content: 'I call.' },
      { tool_calls: [{ index: 0, id: 'c2', type: 'function', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':2}' } }, { index: 1, id: 'c3', function: { name: 'g', arguments: { b: 1 } } }] },
    ],
    { messages, tools: [{ name: 'f', description: 'd', parameters, strict: true }, { name: 'g' }], toolChoice: { name: 'f' }, parallelToolCalls: false, thinking: true, reasoningEffort: 'low' },
  );
  t.same(asked, {
    model: 'm',
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: null, reasoning_content: 'why', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', content: '2', tool_call_id: 'c1', name: 'f' },
    ],
    tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters, strict: true } }, { type: 'function', function: { name: 'g' } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    parallel_tool_calls: false,
    chat_template_kwargs: { enable_thinking: true, thinking: true },
    reasoning_effort: 'low',
    max_tokens: 48,
    temperature: 0,
    top_p: 1,
    stream: true,
    stream_options: { include_usage: true },
  });
  t.same(events, [
    { kind: 'reasoning', text: 'Hm.' },
    { kind: 'reasoning', text: ' So.' },
    { kind: 'delta', text: 'I call.' },
    { kind: 'tool_call', index: 0, id: 'c2', name: 'f', arguments: '' },
    { kind: 'tool_call', index: 0, arguments: '{"a"' },
    { kind: 'tool_call', index: 0, arguments: ':2}' },
    { kind: 'tool_call', index: 1, id: 'c3', name: 'g', arguments: '{"b":1}' },
    { kind: 'finish', reason: 'tool_calls', usage: { promptTokens: 5, completionTokens: 9, reasoningTokens: 3 } },
  ]);
  t.match(
    await given([{ tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] }, { tool_calls: [{ id: 'b', function: { name: 'f', arguments: '{' } }] }, { tool_calls: [{ function: { arguments: '}' } }] }]),
    [{ index: 0, id: 'a' }, { index: 1, id: 'b', arguments: '{' }, { index: 1, arguments: '}' }, {}],
    'calls that are not numbered',
  );
  t.match(await given([{ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }, { index: 0, id: 'b', function: { name: 'f', arguments: '{}' } }] }]), [{ index: 0, id: 'a' }, { index: 1, id: 'b' }, {}], 'or all alike');
  t.match(await given([{ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }]), [{ id: /^call_[0-9a-f]{24}$/ }, {}], 'or have no id');
  await given([], { messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: 'so' }], continues: true });
  t.match(asked, { continue_final_message: true, add_generation_prompt: false });
  t.notOk(Object.hasOwn(asked as object, 'chat_template_kwargs'), 'nothing beside what was asked for');
});

t.test('a Pharos elsewhere calls as one here does', async (t) => {
  const { url } = await listen(t);
  const [there, here] = [await createUpstream({ url: `${url}/v1` }), await startEngine(t)];
  t.teardown(() => there.close());
  const parameters = { type: 'object', properties: { city: { type: 'string', maxLength: 9 } }, required: ['city'], additionalProperties: false };
  const request = ask('', { ...hot, maxTokens: 200, prompt: { kind: 'chat', messages: [{ role: 'user', content: 'Weather?' }], tools: [{ name: 'weather', parameters }], toolChoice: 'required', parallelToolCalls: false } });
  const calls = async (engine: Engine): Promise<string> => {
    let all = '';
    for await (const event of engine.generate(request)) all += event.kind === 'tool_call' ? `${event.name ?? ''}${event.arguments}` : event.kind === 'finish' ? event.reason : event.kind;
    return all;
  };
  const made = await calls(there);
  t.match(made, /^weather\{"city": ?"[^"]*.*"\}tool_calls$/);
  t.equal(made, await calls(here));
});

t.test('a server that fails is told of as such', async (t) => {
  const models = (response: ServerResponse): void => json(response, 200, { data: [{ id: 'm' }] });
  const cases: readonly (readonly [string, Handler, object])[] = [
    ['busy', (_, __, response) => json(response, 429, { error: { message: 'slow down' } }), { code: 'queue_full', message: /answered 429: slow down/ }],
    ['broken', (_, __, response) => json(response, 500, { error: { message: 'oh' } }), { code: 'upstream_failed', message: /answered 500: oh/ }],
    ['no key', (_, __, response) => json(response, 401, { error: 'who are you' }), { code: 'upstream_failed', message: /401: who are you/ }],
    ['too long', (_, __, response) => json(response, 400, { message: "This model's maximum context length is 8" }), { code: 'context_length_exceeded' }],
    ['nonsense', (_, __, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"choices": 7}\n\n'), { code: 'upstream_failed', message: /none of OpenAI's/ }],
    ['an error within', (_, __, response) => void response.writeHead(200).end('data: {"error": {"message": "out of memory"}}\n\n'), { code: 'upstream_failed', message: /out of memory/ }],
    ['nothing', (_, __, response) => void response.writeHead(200).end(), { code: 'upstream_failed', message: /broke its stream off/ }],
  ];
  for (const [name, handle, error] of cases) {
    const { url } = await scripted(t, (path, body, response) => (path === '/v1/models' ? models(response) : handle(path, body, response)));
    const engine = await createUpstream({ url: `${url}/v1` });
    t.match(await failure(collect(engine.generate(chat([{ role: 'user', content: 'x' }], { model: 'm' })))), error, name);
    t.equal(engine.statistics().running, 0);
  }
  const { url } = await scripted(t, (path, _, response) => {
    if (path === '/v1/models') return models(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices": [{"delta": {"content": "half a "}}]}\r\n\r\n');
    setTimeout(() => response.destroy(), 20);
    return undefined;
  });
  const engine = await createUpstream({ url: `${url}/v1` });
  t.match(await collect(engine.generate(chat([{ role: 'user', content: 'x' }], { model: 'm' }))), { text: 'half a ', error: { code: 'upstream_failed' } });
  await engine.close();
  t.match(await failure(collect(engine.generate(ask('x', { model: 'm' })))), { code: 'closed' });

  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  t.match(await failure(createUpstream({ url: `http://127.0.0.1:${port}/v1` })), { code: 'upstream_failed', message: /cannot be reached: ECONNREFUSED/ });
  const none = await scripted(t, (_, __, response) => json(response, 200, { data: [] }));
  t.match(await failure(createUpstream({ url: none.url })), { message: /names no model/ });
});

/** Token, likelihood and how many others are named in its place, in thousandths: two ways to read a prompt round differently. */
/** Of the most likely ones the texts: completions list them by text, and two pieces of letters may have one. */
async function tokensOf(events: AsyncIterable<GenerateEvent>): Promise<readonly (readonly [string, number | undefined, number])[]> {
  const all: [string, number | undefined, number][] = [];
  for await (const event of events) if (event.kind === 'delta') for (const { text, logprob, top } of event.tokens ?? []) all.push([text, logprob === undefined ? undefined : Math.round(logprob * 1000), new Set(top.map((each) => each.text)).size]);
  return all;
}
async function idsOf(events: AsyncIterable<GenerateEvent>): Promise<{ readonly prompt: readonly number[]; readonly written: readonly number[] }> {
  const all = { prompt: [] as number[], written: [] as number[] };
  for await (const event of events) {
    if (event.kind !== 'delta' || !event.ids) continue;
    all.prompt.push(...(event.ids.prompt ?? []));
    all.written.push(...event.ids.written);
  }
  return all;
}
