// Owns how generations share the engine: alone or together the same text, slots freed, queue bounded and fair, the main thread free.
// Refuses to know what the texts say.

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
import type { EngineError, GenerateEvent, GenerateRequest, GenerationTimes } from '../../src/engine/port.ts';
import { writeEncoder } from './encoders.ts';
import { ask, chat, collect, FACT, FACT_ZH, failure, startEngine, until, wild } from './world.ts';

const LONG = 'the river and the city of stone, '.repeat(16);

/** Hundreds of steps before its first token, where a step reads one token: it is sure to run when something happens to it. */
const SLOW = ask(LONG.repeat(6).slice(0, 2400), { maxTokens: 40 });

t.test('together, alone and in small prefill steps each request writes the same text', async (t) => {
  const requests = [chat(FACT), chat(FACT_ZH), ask(LONG, wild(1)), ask('born in', wild(2)), ask('The', wild(3)), ask(LONG, { maxTokens: 20 })];
  const engine = await startEngine(t, { limits: { slots: 6 } });
  const alone: string[] = [];
  for (const request of requests) alone.push((await collect(engine.generate(request))).text);
  const together = await Promise.all(requests.map(async (request) => (await collect(engine.generate(request))).text));
  t.same(together, alone);
  for (const prefillChunk of [1, 7]) {
    const other = await startEngine(t, { limits: { slots: 3, prefillChunk } });
    t.same(await Promise.all(requests.map(async (request) => (await collect(other.generate(request))).text)), alone, `steps of ${prefillChunk} tokens`);
  }
});

t.test('leaving the iterator or aborting frees the slot while others go on', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 3, queue: 4, prefillChunk: 1 } });
  const other = collect(engine.generate(SLOW));
  for await (const event of engine.generate(ask('one', wild(1, 900)))) if (event.kind === 'delta') break;
  const abort = new AbortController();
  const aborted = collect(engine.generate(SLOW, abort.signal));
  await until(() => engine.statistics().running === 2);
  abort.abort();
  const { error, reason } = await aborted.catch((thrown: unknown) => ({ error: thrown, reason: undefined }));
  t.match(error, { code: 'aborted' });
  t.equal(reason, undefined);
  await until(() => engine.statistics().slots.used === 1);
  t.equal(typeof (await other).reason, 'string');
  await until(() => engine.statistics().slots.used === 0);
  t.same(engine.statistics().slots, { used: 0, total: 3 });
});

t.test('a signal that was aborted before begins nothing', async (t) => {
  const engine = await startEngine(t);
  t.match(await failure(collect(engine.generate(ask('x'), AbortSignal.abort()))), { code: 'aborted' });
  t.equal(engine.statistics().promptTokens, 0);
});

t.test('more than slots and queue hold is refused as queue_full, and what waits is served in turn', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 2 } });
  const results = await Promise.allSettled(Array.from({ length: 5 }, async (_, seed) => collect(engine.generate(ask('The', wild(seed, 40))))));
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
  t.equal(refused.length, 2);
  for (const error of refused) t.match(error, { code: 'queue_full', message: /1 generations run and 2 wait/ });
  for (const result of results) if (result.status === 'fulfilled') t.ok(result.value.reason);
  const whole = await collect(engine.generate(chat(FACT)));
  t.equal(whole.reason, 'stop', 'there is room again');
});

t.test('half of many clients leave in the middle: every slot comes back and the rest complete', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 4, queue: 64 } });
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      if (i % 2 === 0) return (await collect(engine.generate(ask('The', wild(i, 30))))).reason;
      for await (const event of engine.generate(ask('The', wild(i, 400)))) if (event.kind === 'delta') return 'left';
      return 'ended';
    }),
  );
  t.ok(outcomes.every((outcome, i) => (i % 2 === 0 ? outcome === 'length' || outcome === 'stop' : outcome === 'left' || outcome === 'ended')), outcomes.join(' '));
  await until(() => engine.statistics().running === 0 && engine.statistics().waiting === 0);
  t.equal(engine.statistics().slots.used, 0);
});

t.test('the main thread keeps turning while the model runs', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 4 } });
  await collect(engine.generate(ask('warm', { maxTokens: 4 })));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const wholes = await Promise.all([1, 2, 3, 4].map(async (seed) => collect(engine.generate(ask(LONG, wild(seed, 120))))));
  delay.disable();
  const worst = delay.max / 1e6;
  t.comment(`event loop: mean ${(delay.mean / 1e6).toFixed(1)} ms, worst ${worst.toFixed(1)} ms at a resolution of 5 ms, over ${wholes.reduce((sum, { usage }) => sum + (usage?.completionTokens ?? 0), 0)} tokens`);
  t.ok(worst < 2000, 'no turn of the loop takes seconds');
});

t.test('statistics count what was read and written', async (t) => {
  const engine = await startEngine(t);
  const { usage } = await collect(engine.generate(chat(FACT)));
  await until(() => engine.statistics().slots.used === 0);
  t.match(engine.statistics(), { running: 0, waiting: 0, promptTokens: usage?.promptTokens, generatedTokens: usage?.completionTokens });
});

t.test('closing lets what runs finish, refuses what waits and what comes, and is done once', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 4, prefillChunk: 1 } });
  const running = collect(engine.generate(SLOW));
  const waiting = failure(collect(engine.generate(ask('The', wild(4, 40)))));
  await until(() => engine.statistics().running === 1 && engine.statistics().waiting === 1);
  const closed = engine.close(20_000);
  t.match(await waiting, { code: 'closed' });
  t.ok((await running).reason, 'the one that ran came to its end');
  await closed;
  await engine.close();
  t.match(await failure(collect(engine.generate(ask('x')))), { code: 'closed' });
  t.match(await failure(engine.countTokens('pharos-mini', 'x')), { code: 'closed' });
});

t.test('what is not done when the grace is over is ended with an error', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, prefillChunk: 1 } });
  const running = failure(collect(engine.generate(SLOW)));
  await until(() => engine.statistics().running === 1);
  await engine.close(1);
  t.match(await running, { code: 'closed', message: /had 1 ms to finish/ });
});

/** Texts of a given length, whatever the model has learnt: wild, and the end of text is not drawn. */
const long = (seed: number, maxTokens: number, more: Partial<GenerateRequest> = {}): GenerateRequest =>
  ask('The', { maxTokens, sampling: { temperature: 2, topP: 1, seed, logitBias: { 0: -100, 1: -100, 2: -100, 3: -100 } }, ...more });

t.test('a client with many requests does not hold up the one of another', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 64 } });
  const order: string[] = [];
  const many = Array.from({ length: 20 }, async (_, i) => collect(engine.generate(long(i, 20, { client: 'many' }))).then(() => order.push('many')));
  await until(() => engine.statistics().waiting === 19);
  await collect(engine.generate(long(99, 20, { client: 'one' }))).then(() => order.push('one'));
  await Promise.all(many);
  t.ok(order.slice(0, 3).includes('one'), order.join(' '));
});

t.test('while two clients wait they are given the same number of tokens, however their requests are cut', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 2, queue: 256 } });
  const written = { small: 0, large: 0 };
  const asked: Promise<unknown>[] = [];
  let over = false;
  const ask = async (client: keyof typeof written, seed: number, tokens: number): Promise<void> => {
    const { usage } = await collect(engine.generate(long(seed, tokens, { client })));
    if (!over) written[client] += usage?.completionTokens ?? 0;
  };
  const [small, large] = [Array.from({ length: 120 }, (_, i) => ask('small', i, 5)), Array.from({ length: 12 }, (_, i) => ask('large', i, 50))];
  asked.push(...small, ...large);
  // Until one of them has no more: then the other has the engine to itself.
  await Promise.race([Promise.all(small), Promise.all(large)]);
  over = true;
  t.comment(JSON.stringify(written));
  t.ok(Math.abs(written.small - written.large) <= 2 * (2 * 50) + 2 * 50, JSON.stringify(written));
  t.ok(Math.min(written.small, written.large) > 300);
  await Promise.all(asked);
});

t.test('what waits has its turn by priority, whenever it came', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 64 } });
  const order: number[] = [];
  const first = collect(engine.generate(long(1, 60)));
  await until(() => engine.statistics().running === 1);
  const rest = [5, 0, -5, 100, -100, 1, 0].map(async (priority, i) => collect(engine.generate(long(i, 3, { priority, client: `c${i}` }))).then(() => order.push(priority)));
  await Promise.all([first, ...rest]);
  t.same(order, [-100, -5, 0, 0, 1, 5, 100]);
  for (const priority of [0.5, 101, -101, Number.NaN]) t.match(await failure(collect(engine.generate(long(1, 1, { priority })))), { code: 'invalid_prompt', message: /priority must be a whole number from -100 to 100/ });
});

t.test('where the queue is full the newest of the client that has most gives way, and is told when there will be room', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 4 } });
  const many = Array.from({ length: 5 }, async (_, i) => collect(engine.generate(long(i, 40, { client: 'many' }))).then(({ reason }) => reason as string, (error: unknown) => error));
  await until(() => engine.statistics().waiting === 4);
  t.match(await failure(collect(engine.generate(long(9, 5, { client: 'many' })))), { code: 'queue_full', message: /1 generations run and 4 wait, which is the limit; try again later/, retryAfter: 1 });
  t.equal((await collect(engine.generate(long(9, 5, { client: 'one' })))).reason, 'length');
  const outcomes = await Promise.all(many);
  t.same(outcomes.slice(0, 4), ['length', 'length', 'length', 'length']);
  t.match(outcomes[4], { code: 'queue_full', message: /the newest of the client that had most of them, and gave way/ });
  t.ok(Number((outcomes[4] as EngineError).retryAfter) >= 1);
  await until(() => engine.statistics().slots.used === 0 && engine.statistics().waiting === 0);
});

t.test('a generation tells how long it waited, read and wrote, and one that was left while it waited that its turn had not come', async (t) => {
  const engine = await startEngine(t, { limits: { slots: 1, queue: 4 } });
  const times = async (events: AsyncIterable<GenerateEvent>): Promise<GenerationTimes | undefined> => {
    let found: GenerationTimes | undefined;
    for await (const event of events) if (event.kind === 'finish') found = event.times;
    return found;
  };
  const began = performance.now();
  const first = times(engine.generate(long(1, 80)));
  await until(() => engine.statistics().running === 1);
  const second = times(engine.generate(long(2, 30)));
  const controller = new AbortController();
  const third = failure(collect(engine.generate(long(3, 30), controller.signal)));
  await until(() => engine.statistics().waiting === 2);
  controller.abort();
  const error = (await third) as EngineError;
  t.match(error, { code: 'aborted' });
  t.ok((error.waitedMs ?? -1) >= 0);
  const [a, b] = [await first, await second];
  const all = performance.now() - began;
  if (!a || !b) throw new Error('they have times');
  t.ok(a.queued < a.decode && b.queued > b.prefill && a.prefill > 0 && a.decode > 0, JSON.stringify([a, b]));
  t.ok(b.queued <= a.prefill + a.decode + 20 && a.prefill + a.decode + b.prefill + b.decode <= all, JSON.stringify([a, b, all]));
  const running = new AbortController();
  const left = engine.generate(long(4, 900), running.signal)[Symbol.asyncIterator]();
  await left.next();
  running.abort();
  let last: unknown;
  for (;;) {
    const { done, value } = await left.next();
    if (done) break;
    last = value;
  }
  t.match(last, { kind: 'error', error: { code: 'aborted', waitedMs: undefined } });
});

t.test('requests to encoders take turns by client, too, and the newest of the client that has most gives way', async (t) => {
  const encoder = await writeEncoder(join(t.testdir(), 'encoder'), {});
  const engine = await startEngine(t, { models: [encoder], limits: { slots: 1, queue: 12, passTokens: 32 } });
  const embed = async (client: string, texts: number) => engine.embed({ model: 'encoder', inputs: Array.from({ length: texts }, () => 'the cat sat'), client });
  const order: string[] = [];
  const told = (client: string) => (): void => void order.push(client);
  const many = Array.from({ length: 13 }, async () => embed('many', 200).then(told('many'), told('refused')));
  await until(() => engine.statistics().waiting === 12);
  await embed('one', 2).then(told('one'));
  await Promise.all(many);
  t.ok(order.slice(0, 4).includes('one'), order.join(' '));
  t.same(order.filter((each) => each === 'refused').length, 1);
  t.equal(order.length, 14);
});

t.test('while a model is loaded those who wait for it give way in the same manner, and at once', async (t) => {
  const folder = t.testdir();
  const [first, second] = await Promise.all(['a', 'b'].map(async (name) => writeEncoder(join(folder, name), {})));
  const engine = await startEngine(t, { models: [first, second], limits: { slots: 2, queue: 8 } });
  const embed = async (client: string) => engine.embed({ model: 'b', inputs: ['the cat sat'], client });
  const many = Array.from({ length: 30 }, async () => embed('many').then(() => 'served', (error: unknown) => (error as EngineError).code));
  const one = embed('one').then(({ vectors }) => vectors.length);
  t.equal(await one, 1);
  const outcomes = await Promise.all(many);
  t.ok(outcomes.every((outcome) => outcome === 'served' || outcome === 'queue_full'), outcomes.join(' '));
  t.ok(outcomes.includes('served') && outcomes.includes('queue_full'), outcomes.join(' '));
  await until(() => engine.statistics().running + engine.statistics().waiting === 0);
});
