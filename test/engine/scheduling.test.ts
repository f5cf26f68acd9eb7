// Owns how generations share the engine: alone or together the same text, slots freed, queue bounded, the main thread free.
// Refuses to know what the texts say.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
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
