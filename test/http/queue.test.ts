// Owns what clients see of a service that is busy: whose turn it is, how long one may wait, and what they are told where there is no room. The shipped model answers.
// Refuses to know the queue itself: test/engine/queue.test.ts does.

import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import t from 'tap';
import type { FastifyInstance } from 'fastify';
import { writeEncoder } from '../engine/encoders.ts';
import { FOLDER, until } from '../engine/world.ts';
import { call, events, listen, startApp } from '../helpers/http-app.ts';
import type { Reply } from '../helpers/http-app.ts';

const COMPLETIONS = '/v1/completions';
/** As long as it is asked to be: its end is not drawn. */
const words = (max_tokens: number, more: object = {}) => ({ prompt: 'The', max_tokens, temperature: 2, seed: 1, logit_bias: { 1: -100 }, ...more });
const complete = async (app: FastifyInstance, max_tokens: number, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Reply> => call(app, 'POST', COMPLETIONS, words(max_tokens, more), headers);
/** The same on a socket: what the clock ends is ended differently there. */
async function post(url: string, path: string, body: object): Promise<Pick<Reply, 'status' | 'text'> & { readonly json: unknown }> {
  const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, text, json: text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined };
}
const running = (app: FastifyInstance, count = 1) => until(() => app.engine.statistics().running === count);
const waiting = (app: FastifyInstance, count: number) => until(() => app.engine.statistics().waiting === count);
const messages = [{ role: 'user', content: 'Hello.' }];
const off = { knowledge: { mode: 'off' } };
/** Every address that generates. */
const GENERATING: readonly (readonly [string, object])[] = [
  ['/v1/chat/completions', { messages, ...off }],
  ['/chat/completions', { messages, ...off }],
  ['/beta/chat/completions', { messages, ...off }],
  ['/v1/completions', { prompt: 'x' }],
  ['/completions', { prompt: 'x' }],
  ['/beta/completions', { prompt: 'x' }],
  ['/v1/responses', { input: 'x', ...off }],
  ['/v1/messages', { messages, max_tokens: 4, ...off }],
  ['/anthropic/v1/messages', { messages, max_tokens: 4, ...off }],
];
const isAnthropic = (path: string): boolean => path.endsWith('/messages');

t.test('a key with many requests does not hold up the one of another, and cannot pass for several', async (t) => {
  const keys = { many: 'key-of-many', one: 'key-of-one' };
  const app = await startApp(t, { PHAROS_SLOTS: '1', PHAROS_API_KEYS: Object.values(keys).join(',') });
  const order: string[] = [];
  const ask = async (client: keyof typeof keys, seed: number): Promise<void> => {
    // Neither another user nor another header makes another client of it.
    t.equal((await complete(app, 20, { seed, user: `user ${seed}` }, { authorization: `Bearer ${' '.repeat(seed % 3)}${keys[client]}`, 'x-api-key': `other-${seed}` })).status, 200);
    order.push(client);
  };
  const many = Array.from({ length: 16 }, async (_, i) => ask('many', i));
  await waiting(app, 15);
  await ask('one', 0);
  await Promise.all(many);
  t.ok(order.slice(0, 3).includes('one'), order.join(' '));
});

t.test('without keys clients are told apart by what they say, else by their address', async (t) => {
  const app = await startApp(t, { PHAROS_SLOTS: '1' });
  for (const field of ['user', 'safety_identifier', 'user_id']) {
    const order: string[] = [];
    const ask = async (client: string, seed: number): Promise<void> => {
      t.equal((await complete(app, 20, { seed, ...(client === 'address' ? {} : { [field]: client }) })).status, 200);
      order.push(client);
    };
    const many = Array.from({ length: 12 }, async (_, i) => ask('address', i));
    await waiting(app, 11);
    await ask('one', 0);
    await Promise.all(many);
    t.ok(order.slice(0, 3).includes('one'), `${field}: ${order.join(' ')}`);
  }
});

t.test('priority decides who is next; service_tier has no effect', async (t) => {
  const app = await startApp(t, { PHAROS_SLOTS: '1' });
  const order: number[] = [];
  const first = complete(app, 60);
  await running(app);
  const rest = [7, 0, -7].map(async (priority, i) => {
    const reply = i === 1 ? await call(app, 'POST', '/v1/chat/completions', { messages, ...off, max_tokens: 3, priority, service_tier: 'priority' }) : await complete(app, 3, { priority, service_tier: 'flex' });
    t.equal(reply.status, 200, reply.text);
    order.push(priority);
  });
  await Promise.all([first, ...rest]);
  t.same(order, [-7, 0, 7]);
});

t.test('what these fields may be is said where they are something else', async (t) => {
  const app = await startApp(t, { PHAROS_REQUEST_SECONDS: '20' });
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ priority: 101 }, 'priority', /100/],
    [{ priority: -101 }, 'priority', /-100/],
    [{ priority: 0.5 }, 'priority', /int/],
    [{ priority: 'high' }, 'priority', /number/],
    [{ timeout: 0 }, 'timeout', /0/],
    [{ timeout: -1 }, 'timeout', /0/],
    [{ timeout: '3s' }, 'timeout', /number/],
    [{ timeout: 21 }, 'timeout', /is 21; a request may take 20 s at most here/],
  ];
  for (const [more, param, message] of cases) {
    t.match(await complete(app, 2, more), { status: 400, json: { error: { param, message, type: 'invalid_request_error' } } }, JSON.stringify(more));
    t.match(await call(app, 'POST', '/v1/chat/completions', { messages, ...off, max_tokens: 2, ...more }), { status: 400, json: { error: { param } } });
  }
  for (const more of [{ priority: null, timeout: null }, { priority: -100, timeout: 20 }, { timeout: 19.5 }]) t.equal((await complete(app, 2, more)).status, 200, JSON.stringify(more));
});

t.test('a timeout that passes in the queue is told with how long it waited, and frees its place', async (t) => {
  const app = await startApp(t, { PHAROS_SLOTS: '1' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const busy = new AbortController();
  const first = fetch(url + COMPLETIONS, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(words(900, { n: 8 })), signal: busy.signal }).catch(() => undefined);
  await running(app);
  const message = /longer than 0\.3 s, which is its timeout; it waited for 0\.[23] s of that and its turn had not come, so that nothing was computed/;
  const [whole, streamed, chat] = await Promise.all([post(url, COMPLETIONS, words(5, { timeout: 0.3 })), post(url, COMPLETIONS, words(5, { timeout: 0.3, stream: true })), post(url, '/v1/chat/completions', { messages, ...off, timeout: 0.3 })]);
  for (const reply of [whole, streamed, chat]) t.match(reply, { status: 504, json: { error: { code: 'timeout', type: 'server_error', message } } });
  await waiting(app, 7);
  busy.abort();
  await first;
  await until(() => app.engine.statistics().running + app.engine.statistics().waiting + app.admission.generations === 0);
});

t.test('so is the time that the service gives to all', async (t) => {
  const { app, url } = await listen(t, { PHAROS_SLOTS: '1', PHAROS_REQUEST_SECONDS: '1' });
  // Time is over for what is busy, too: when the first is ended, another goes before the one that waits.
  const busy = async () => post(url, COMPLETIONS, words(900, { n: 8, priority: -100 }));
  const first = busy();
  await running(app);
  const late = post(url, COMPLETIONS, words(5, { priority: 100 }));
  await waiting(app, 8);
  await sleep(500);
  const second = busy();
  t.match(await late, { status: 504, json: { error: { code: 'timeout', message: /longer than 1 s, which is the limit; it waited for \d\.\d s of that/ } } });
  for (const reply of [await first, await second]) t.equal(reply.status, 504);
});

t.test('a timeout that passes while it writes ends the stream with an error event, and a whole answer with 504', async (t) => {
  const { app, url } = await listen(t);
  // Sixteen texts of a thousand tokens take longer on any machine.
  const ask = { timeout: 0.7, n: 16 };
  const streamed = await post(url, COMPLETIONS, words(1000, { ...ask, stream: true }));
  t.equal(streamed.status, 200);
  const all = events(streamed.text);
  t.ok(all.length > 1, 'it had begun');
  t.match(all.at(-1), { error: { code: 'timeout', message: /^the answer took longer than 0\.7 s, which is its timeout$/ } });
  t.match(streamed.text, /data: \[DONE\]\n\n$/);
  t.match(await post(url, COMPLETIONS, words(1000, ask)), { status: 504, json: { error: { code: 'timeout' } } });
  await until(() => app.engine.statistics().running + app.engine.statistics().waiting === 0);
});

t.test('where the queue is full every address says so, with the limit and when to come again', async (t) => {
  const app = await startApp(t, { PHAROS_SLOTS: '1', PHAROS_QUEUE_REQUESTS: '0' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const busy = new AbortController();
  const first = fetch(url + COMPLETIONS, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(words(1000)), signal: busy.signal }).catch(() => undefined);
  await running(app);
  for (const [path, body] of GENERATING) {
    for (const stream of [false, true]) {
      const reply = await call(app, 'POST', path, { model: 'pharos-mini', ...body, stream });
      if (app.engine.statistics().running === 0) t.fail('what keeps the engine busy is over');
      t.match(reply, { status: 429, headers: { 'retry-after': /^\d+$/, 'content-type': /^application\/json/ }, json: { error: { message: /1 generations run and 0 wait, which is the limit/, type: 'rate_limit_error' } } }, path);
      if (!isAnthropic(path)) t.match(reply.json, { error: { code: 'engine_overloaded' } }, path);
      const after = Number(reply.headers['retry-after']);
      t.ok(after >= 1 && after <= 60, `${path}: ${after}`);
    }
  }
  busy.abort();
  await first;
  // Who was refused holds nothing.
  await until(() => app.admission.generations === 0);
});

t.test('so does the limit of what may be under way at a time, embeddings and rankings included', async (t) => {
  const encoder = await writeEncoder(`${t.testdir()}/encoder`, {});
  const app = await startApp(t, { PHAROS_STREAMS: '1', PHAROS_MODELS: `${FOLDER},${encoder}` });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const busy = new AbortController();
  const first = fetch(url + COMPLETIONS, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(words(1000)), signal: busy.signal }).catch(() => undefined);
  await running(app);
  const encoding: typeof GENERATING = [
    ['/v1/embeddings', { model: 'encoder', input: 'cat' }],
    ['/v1/rerank', { model: 'encoder', query: 'cat', documents: ['dog'] }],
  ];
  for (const [path, body] of [...GENERATING, ...encoding]) {
    const reply = await call(app, 'POST', path, { model: 'pharos-mini', ...body });
    if (app.admission.generations === 0) t.fail('what keeps the service busy is over');
    t.match(reply, { status: 429, headers: { 'retry-after': /^\d+$/ }, json: { error: { message: /1 generations are under way, which is the limit/ } } }, path);
  }
  busy.abort();
  await first;
  await until(() => app.admission.generations === 0);
  for (const [path, body] of encoding) t.equal((await call(app, 'POST', path, body)).status, 200, path);
});

t.test('the last of what may be under way is kept for other clients', async (t) => {
  const app = await startApp(t, { PHAROS_STREAMS: '20', PHAROS_SLOTS: '1' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const busy = new AbortController();
  const many = Array.from({ length: 18 }, async () => fetch(url + COMPLETIONS, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(words(400, { user: 'many' })), signal: busy.signal }).catch(() => undefined));
  await until(() => app.admission.generations === 18);
  t.match(await complete(app, 2, { user: 'many' }), { status: 429, json: { error: { code: 'too_many_streams', message: /18 generations of this client are under way, and of the 20 that may be under way at a time the last 2 are kept for others/ } } });
  t.equal((await complete(app, 2, { user: 'one' })).status, 200);
  busy.abort();
  await Promise.all(many);
  await until(() => app.admission.generations === 0);
  t.equal((await complete(app, 2, { user: 'many' })).status, 200);
});

t.test("OpenAI's client tries again when it is told to, and has its answer", async (t) => {
  const { app, url } = await listen(t, { PHAROS_SLOTS: '1', PHAROS_QUEUE_REQUESTS: '1' });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 8 });
  const replies = await Promise.all(Array.from({ length: 6 }, async () => client.completions.create({ model: 'pharos-mini', ...words(30), logit_bias: { 1: -100 } })));
  t.ok(replies.every(({ choices }) => choices[0].finish_reason === 'length'));
  t.equal(app.admission.generations, 0);
});

t.test('metrics tell how long generations waited, read and wrote, and what was guessed', async (t) => {
  const app = await startApp(t, { PHAROS_SLOTS: '1' });
  await Promise.all([complete(app, 40), complete(app, 40, { seed: 2 }), call(app, 'POST', COMPLETIONS, { prompt: 'one two three one two three one two three one two', max_tokens: 60 })]);
  const { text } = await call(app, 'GET', '/metrics');
  const value = (name: string): number => Number(text.split('\n').find((line) => line.startsWith(`${name}{model_name="pharos-mini",engine="0"} `))?.split(' ').at(-1));
  for (const phase of ['queue', 'prefill', 'decode', 'inference']) t.equal(value(`vllm:request_${phase}_time_seconds_count`), 3, phase);
  const [queue, prefill, decode, inference, whole] = ['request_queue_time', 'request_prefill_time', 'request_decode_time', 'request_inference_time', 'e2e_request_latency'].map((name) => value(`vllm:${name}_seconds_sum`));
  t.ok(queue > 0 && prefill > 0 && decode > 0, text);
  t.ok(Math.abs(prefill + decode - inference) < 1e-6 && queue + inference <= whole + 0.001, `${queue} ${prefill} ${decode} ${inference} ${whole}`);
  const { passes } = app.engine.statistics();
  t.equal(value('vllm:spec_decode_num_draft_tokens_total'), passes?.guessedTokens);
  t.equal(value('vllm:spec_decode_num_accepted_tokens_total'), passes?.acceptedTokens);
  t.ok((passes?.guessedTokens ?? 0) > 0);
});
