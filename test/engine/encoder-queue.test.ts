// Owns how requests to encoders share the thread: whose step is next, who waits, who leaves.
// Refuses to know what a step computes.

import t from 'tap';
import type { EncoderAnswer } from '../../src/engine/encoder/encoder.ts';
import { EncoderQueue } from '../../src/engine/encoder/queue.ts';
import { until } from './world.ts';

/** A request of so many steps of so many tokens; `told` hears of each. */
function work(steps: number, tokens: number, told: () => void = () => undefined) {
  let left = steps;
  return {
    get done() {
      return (steps - left) * tokens;
    },
    step: async (): Promise<EncoderAnswer | undefined> => {
      told();
      return --left > 0 ? undefined : { kind: 'score', scores: [], promptTokens: steps * tokens };
    },
  };
}
const of = (client: string, priority = 0) => ({ client, priority });

t.test('a client with many long requests does not hold up the short one of another', async (t) => {
  let [steps, end] = [0, 0];
  const queue = new EncoderQueue({ slots: 8, queue: 64 }, (id) => {
    if (id === 99) end = steps;
  });
  for (let id = 1; id <= 20; id++) queue.submit(id, () => work(500, 1024, () => void steps++), of('many'));
  t.match(queue, { running: 8, waiting: 12 });
  await until(() => steps > 50);
  const before = steps;
  queue.submit(99, () => work(2, 3), of('one'));
  await until(() => end > 0);
  t.ok(end - before <= 3, `${end - before} steps of the other came between`);
  for (let id = 1; id <= 20; id++) queue.cancel(id);
  await queue.close(0);
  t.match(queue, { running: 0, waiting: 0 });
});

t.test('two clients with long requests are given the same number of tokens, however many requests and steps they make of them', async (t) => {
  const given = { few: 0, many: 0 };
  const queue = new EncoderQueue({ slots: 4, queue: 64 }, () => undefined);
  for (let id = 1; id <= 2; id++) queue.submit(id, () => work(1000, 1000, () => void (given.few += 1000)), of('few'));
  for (let id = 3; id <= 20; id++) queue.submit(id, () => work(1000, 90, () => void (given.many += 90)), of('many'));
  await until(() => given.few >= 50_000);
  t.ok(Math.abs(given.few - given.many) <= 2_000, JSON.stringify(given));
  for (let id = 1; id <= 20; id++) queue.cancel(id);
  await queue.close(0);
});

t.test('requests of one client are worked on in turn, so many at a time, the urgent first; each ends once', async (t) => {
  const [order, ended]: [number[], number[]] = [[], []];
  const queue = new EncoderQueue({ slots: 2, queue: 64 }, (id, outcome) => ended.push('answer' in outcome ? id : -id));
  for (const [id, priority] of [[1, 0], [2, 0], [3, 0], [4, -5], [5, 0]] as const) queue.submit(id, () => work(2, 10, () => void order.push(id)), of('one', priority));
  queue.cancel(5);
  await until(() => ended.length === 4);
  t.same(order, [1, 2, 1, 4, 4, 2, 3, 3]);
  t.same(ended, [1, 4, 2, 3]);
  t.equal(queue.promptTokens, 80);
  queue.submit(6, () => {
    throw new Error('cannot be');
  }, of('one'));
  queue.submit(7, () => work(1, 1), of('one'));
  await until(() => ended.length === 6);
  t.same(ended.slice(4), [-6, 7]);
  queue.submit(8, () => work(1, 1), of('one'));
  await queue.close(1000);
  t.same(ended.slice(6), [-8], 'what has not begun is refused at the end');
});
