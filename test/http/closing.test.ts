// Owns what the end of the service means for those who only watch a job: their streams end as soon as it begins, and say why.
// Refuses to know requests that compute, which are let finish: test/live/process.test.ts has them.

import t from 'tap';
import type { Test } from 'tap';
import { events, listen } from '../helpers/http-app.ts';
import type { Json } from '../helpers/http-app.ts';
import { examples } from '../helpers/tuning-world.ts';
import { upload } from '../helpers/upload.ts';

/** So long would be waited for requests that compute. */
const GRACE_SECONDS = 30;
const settings = { PHAROS_SHUTDOWN_SECONDS: String(GRACE_SECONDS), PHAROS_TUNE_THREADS: '1', PHAROS_INDUCE_THREADS: '1' };

/** Reads a stream up to its first event, then closes the service. Resolves to all of its events; fails where it took nearly as long as requests that compute may. */
async function closedWhile(t: Test, close: () => Promise<void>, stream: Response): Promise<Json[]> {
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  const began = performance.now();
  let closed: Promise<void> | undefined;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    closed ??= close();
  }
  await closed;
  t.ok(performance.now() - began < (GRACE_SECONDS * 1000) / 2, `it took ${Math.round(performance.now() - began)} ms`);
  t.match(text, /\n\ndata: \[DONE\]\n\n$/);
  return events(text);
}

t.test('the events of a fine-tuning job', async (t) => {
  const { app, url } = await listen(t, settings);
  const file = (await upload(app, { content: examples(30), filename: 'items.jsonl', purpose: 'fine-tune' })).json.id;
  const asked = { model: 'pharos-mini', training_file: file, context: 64, steps: 100_000, hyperparameters: { batch_size: 1 } };
  const job = (await (await fetch(`${url}/v1/fine_tuning/jobs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) })).json()) as { readonly id: string };
  const told = await closedWhile(t, () => app.close(), await fetch(`${url}/v1/fine_tuning/jobs/${job.id}/events?stream=true`));
  t.match(told.at(-1), { error: { code: 'shutting_down', message: /the job goes on when it is back/ } });
});

t.test('the events of an induction in the background', async (t) => {
  const { app, url } = await listen(t, settings);
  const post = (path: string, body: object): Promise<Response> => fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const triples = Array.from({ length: 6000 }, (_, i) => ({ subject: `s${(i * 7919) % 300}`, relation: `r${i % 10}`, object: `s${(i * 104729) % 300}` }));
  t.equal((await post('/v1/triples', { triples })).status, 200);
  const told = await closedWhile(t, () => app.close(), await post('/v1/reason/induce', { stream: true, background: true, length: 4, min_support: 1, min_confidence: 0, min_head_coverage: 0, limits: { ms: 3_600_000 } }));
  t.match(told.at(-1), { status: 'cancelled' });
});
