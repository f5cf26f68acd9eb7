// Owns that requests are refused while the event loop cannot keep up, and only then.
// Refuses to know what they ask.

import { setImmediate, setTimeout } from 'node:timers/promises';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import type { Test } from 'tap';
import { pressure } from '../../src/plugins/pressure.ts';

/** The loop stands still. */
function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
async function start(t: Test, eventLoopDelayMs: number): Promise<FastifyInstance> {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(pressure, { eventLoopDelayMs });
  app.get('/plain', async () => 'served');
  app.get('/open', { config: { open: true } }, async () => 'served');
  await app.ready();
  return app;
}
const status = async (app: FastifyInstance, url: string): Promise<number> => (await app.inject({ url })).statusCode;

t.test('a start that takes long before the loop turns refuses nobody', async (t) => {
  const app = await start(t, 5000);
  block(1300);
  await setTimeout(20);
  t.equal(await status(app, '/plain'), 200);
});

t.test('a loop that turns slowly refuses, but for those who watch, until it has caught up', async (t) => {
  const app = await start(t, 100);
  for (const end = performance.now() + 2500; performance.now() < end; await setImmediate()) block(250);
  t.not(await status(app, '/plain'), 200);
  t.equal(await status(app, '/open'), 200);
  const caught = async (): Promise<boolean> => (await status(app, '/plain')) === 200;
  for (const end = performance.now() + 20_000; !(await caught()) && performance.now() < end;) await setTimeout(100);
  t.ok(await caught());
});
