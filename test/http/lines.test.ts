// Owns that an import of lines ends, whatever its body and its time do.
// Refuses to know what lines mean: test/http/triples.test.ts and test/live/bodies.test.ts send real ones.

import { Readable } from 'node:stream';
import t from 'tap';
import { LineImport } from '../../src/http/lines.ts';
import { HttpError } from '../../src/http/problems.ts';
import { failure } from '../engine/world.ts';

const options = { bodyBytes: 1000, lineBytes: 20, batch: 2, read: (value: unknown) => value, write: async (items: readonly unknown[]) => items.length };
/** A body that begins and does not end. */
const endless = (): Readable => {
  const body = new Readable({ read: () => undefined });
  body.push('1\n2\n3\n');
  return body;
};
async function all(lines: LineImport<unknown, number>): Promise<number[]> {
  const counts: number[] = [];
  for await (const count of lines.batches()) counts.push(count);
  return counts;
}

t.test('an import whose time is over before it begins ends at once', async (t) => {
  const controller = new AbortController();
  controller.abort(new HttpError('timeout', 'too late'));
  const lines = new LineImport(endless(), { ...options, signal: controller.signal });
  t.match(await failure(all(lines)), { code: 'timeout' });
  t.equal(lines.acknowledged, 0);
});
t.test('an import whose client left before it begins ends at once', async (t) => {
  const body = endless();
  body.destroy();
  await new Promise((resolve) => body.once('close', resolve));
  t.match(await failure(all(new LineImport(body, { ...options, signal: new AbortController().signal }))), { code: 'client_gone' });
});
t.test('an import that is ended in the middle keeps what it acknowledged', async (t) => {
  const [body, controller] = [endless(), new AbortController()];
  const lines = new LineImport(body, { ...options, signal: controller.signal });
  const batches = lines.batches();
  t.same(await batches.next(), { done: false, value: 2 });
  const next = failure(batches.next());
  controller.abort(new HttpError('timeout', 'over'));
  t.match(await next, { code: 'timeout' });
  t.equal(lines.acknowledged, 2);
});
t.test('lines at the limit are taken, and longer ones named', async (t) => {
  const signal = new AbortController().signal;
  const read = (text: string): Promise<number[]> => all(new LineImport(Readable.from([Buffer.from(text)]), { ...options, signal }));
  t.same(await read(`"${'x'.repeat(18)}"\n\n2`), [2]);
  t.match(await failure(read(`1\n"${'x'.repeat(19)}"\n`)), { code: 'invalid_line', extra: { line: 2 } });
  t.match(await failure(read(`1\n"${'é'.repeat(10)}"\n`)), { code: 'invalid_line', extra: { line: 2 } }, 'bytes are counted, not characters');
  t.match(await failure(read(`1\n"${'é'.repeat(10)}"`)), { code: 'invalid_line', extra: { line: 2 } });
  t.match(await failure(read('1\n'.repeat(501))), { code: 'body_too_large' });
});
