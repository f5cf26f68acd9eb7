// Owns what becomes of the engine when its thread ends by itself: it is started again, and not for ever.
// Refuses to know what is generated.

import { syncBuiltinESMExports } from 'node:module';
import threads, { MessageChannel } from 'node:worker_threads';
import type { MessagePort, WorkerOptions } from 'node:worker_threads';
import t from 'tap';
import type { EngineLogger } from '../../src/engine/engine.ts';
import { RESTARTS } from '../../src/engine/thread.ts';
import { chat, collect, FACT, failure, startEngine, until, wild } from './world.ts';

/** Ends an engine's thread in a turn of its own, as a fault of ours or a heap that is full would. */
const FAULTS = `
  import { workerData } from 'node:worker_threads';
  workerData.faults.on('message', (fault) => {
    if (fault === 'error') throw new Error('broken in /some/folder');
    if (fault === 'exit') process.exit(7);
    for (let list; ; ) list = { list };
  });
  workerData.faults.unref();`;
/** To the last thread that was started. */
let faults: MessagePort;
const { Worker: Real } = threads;
/** Threads that were started. */
let started = 0;
class Faulty extends Real {
  constructor(file: URL, options: WorkerOptions) {
    const { port1, port2 } = new MessageChannel();
    started++;
    faults = port1;
    faults.unref();
    super(file, { ...options, workerData: { ...options.workerData, faults: port2 }, transferList: [port2], execArgv: ['--import', `data:text/javascript,${encodeURIComponent(FAULTS)}`], resourceLimits: { maxOldGenerationSizeMb: 96 } });
  }
}
Object.assign(threads, { Worker: Faulty });
syncBuiltinESMExports();

const ANSWER = 'Albert Einstein was born in Ulm.';
const quiet = (errors: string[]): EngineLogger => ({ info: () => undefined, warn: () => undefined, error: (message) => void errors.push(message) });

for (const [fault, reason, logged] of [
  ['error', 'it broke', 'it broke: broken in /some/folder'],
  ['exit', 'it ended with code 7', 'it ended with code 7'],
  ['memory', 'it ran out of memory', 'it ran out of memory: Worker terminated due to reaching memory limit: JS heap out of memory'],
])
  t.test(`a thread that ends (${fault}) is started again: what was under way ends with one error, and the next request is answered`, async (t) => {
    const errors: string[] = [];
    const engine = await startEngine(t, { logger: quiet(errors) });
    const models = engine.models();
    const events = engine.generate(chat(FACT, wild(1, 1000)))[Symbol.asyncIterator]();
    t.match(await events.next(), { value: { kind: 'delta' } });
    faults.postMessage(fault, []);
    const last = [];
    for (let next = await events.next(); !next.done; next = await events.next()) last.push(next.value);
    const lost = { name: 'EngineError', code: 'thread_ended', message: `the engine's thread ended while this was under way (${reason}) and is started again; try again` };
    t.match(last.at(-1), { kind: 'error', error: lost });
    t.equal(last.filter(({ kind }) => kind !== 'delta').length, 1);
    t.same(engine.models().map(({ id, loaded }) => [id, loaded]), [['pharos-mini', false]], 'it is loaded when it is asked for');
    t.equal((await collect(engine.generate(chat(FACT)))).text, ANSWER);
    t.same(engine.models(), models);
    t.match(engine.statistics(), { running: 0, waiting: 0, restarts: 1, failure: undefined });
    t.same(errors, [`the engine's thread is gone (${logged}) and is started again; what was under way is lost`]);
  });

t.test('a thread that ends again and again stays ended, and says so', async (t) => {
  const engine = await startEngine(t);
  for (let i = 0; i <= RESTARTS.most; i++) {
    t.ok((await engine.countTokens('pharos-mini', 'there')) > 0);
    t.match(engine.statistics(), { restarts: i, failure: undefined });
    const before = started;
    faults.postMessage('exit', []);
    await until(() => started > before || engine.statistics().failure !== undefined);
  }
  const failed = { code: 'thread_ended', message: "the engine's thread is gone, for the last time after 5 others within 10 minutes, and is not started again: it ended with code 7" };
  t.match(await failure(engine.countTokens('pharos-mini', 'x')), failed);
  t.match(await failure(collect(engine.generate(chat(FACT)))), failed);
  t.match(engine.statistics(), { restarts: RESTARTS.most, failure: failed.message });
  await engine.close();
});

t.test('a thread that ends while the engine closes is not started again', async (t) => {
  const engine = await startEngine(t);
  const events = engine.generate(chat(FACT, wild(3, 1000)))[Symbol.asyncIterator]();
  await events.next();
  const before = started;
  const closing = engine.close(60_000);
  faults.postMessage('exit', []);
  await closing;
  t.equal(started, before);
  const last = [];
  for (let next = await events.next(); !next.done; next = await events.next()) last.push(next.value);
  t.match(last.at(-1), { kind: 'error', error: { code: 'closed' } });
  t.match(await failure(engine.countTokens('pharos-mini', 'x')), { code: 'closed' });
});
