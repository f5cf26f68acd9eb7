// Owns how the service tells of an engine whose thread ended: it serves again, and where it does not, probes hear why.
// Refuses to know how the engine is started again.

import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { call, startApp } from '../helpers/http-app.ts';

/** Threads of the engine, in the order in which they were started. */
const threads: Worker[] = [];
process.on('worker', (worker) => {
  if (worker.threadName === 'pharos-engine') threads.push(worker);
});
const kill = async (): Promise<void> => {
  await threads.at(-1)?.terminate();
  await new Promise(setImmediate);
};

t.test('an engine that is started again serves, and one that is not is told by 503 with the reason', async (t) => {
  const app = await startApp(t);
  const complete = () => call(app, 'POST', '/v1/completions', { prompt: 'Albert', max_tokens: 1 });
  await kill();
  t.match(await complete(), { status: 200 });
  t.match(await call(app, 'GET', '/healthz'), { status: 200 });
  t.match((await call(app, 'GET', '/metrics')).text, /^pharos_engine_restarts_total 1$/m);
  for (let i = 0; i < 4; i++) {
    await kill();
    t.match(await call(app, 'GET', '/readyz'), { status: 200 });
  }
  await kill();
  const failed = { status: 503, json: { error: { type: 'server_error', code: 'engine_failed', message: /is not started again: it ended with code 1/ } } };
  for (const address of ['/healthz', '/health', '/readyz']) t.match(await call(app, 'GET', address), failed, address);
  t.match(await complete(), failed);
  t.match((await call(app, 'GET', '/metrics')).text, /^pharos_engine_restarts_total 5$/m);
});
