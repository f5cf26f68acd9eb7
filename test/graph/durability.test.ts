// Owns the proof that an acknowledged transaction survives kill -9, and that an unacknowledged one is whole or absent.
// Refuses to simulate the crash: a real process is loading the real file and is really killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import type { GraphStore } from '../../graph/store.ts';
import { batch, BATCH_FACTS, KEPT } from '../helpers/store-loader.ts';
import { freshFile, openStore } from '../helpers/store-embedded.ts';
import { StoreModel } from '../helpers/store-model.ts';
import { base, id, matchAll, relation, seeded, sorted } from '../helpers/store-world.ts';

const loader = fileURLToPath(new URL('../helpers/store-loader.ts', import.meta.url));
const ROUNDS = 15;

/** Loads from batch `first` on and kills the process `delay` ms after `acknowledgements` lines; gives the last acknowledged batch, or `first - 1`. */
async function loadAndKill(file: string, first: number, acknowledgements: number, delay: number): Promise<{ readonly acknowledged: number; readonly signal: string | null }> {
  const child = spawn(process.execPath, [loader, file, String(first), '1000000'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
  let acknowledged = first - 1;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'open') {
      acknowledged = Number(line);
      lines++;
    }
    if (lines === acknowledgements) setTimeout(() => child.kill('SIGKILL'), delay);
  }
  const [, signal] = (await ended) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the loader ended by itself: ${complaint}`);
  return { acknowledged, signal };
}

/** The number of the last batch that is in the store, by its marker; -1 for none. */
async function lastBatch(t: Test, store: GraphStore): Promise<number> {
  const markers = await matchAll(t, store, base, { subject: id('loader'), relation: relation('last batch') });
  t.ok(markers.length <= 1, 'one marker at most: a batch replaces the one before');
  return markers.length === 0 ? -1 : Number(markers[0].object.kind === 'literal' ? markers[0].object.value : NaN);
}

t.test(`every acknowledged batch survives ${ROUNDS} rounds of kill -9, and no batch is there in part`, async (t) => {
  const file = await freshFile(t);
  const random = seeded(77);
  const model = new StoreModel();
  let stored = -1;
  for (let round = 0; round < ROUNDS; round++) {
    // From "right after opening the file" to "in the middle of the ninth batch".
    const { acknowledged } = await loadAndKill(file, stored + 1, round === 0 ? 0 : random.below(9), random.below(25));
    const store = await openStore(file);
    const last = await lastBatch(t, store);
    const say = `round ${round}, ${acknowledged - stored} acknowledged`;
    t.ok(last >= acknowledged, `${say}: what was acknowledged is there`);
    t.ok(last <= acknowledged + 1, `${say}: at most one more`);
    for (let n = stored + 1; n <= last; n++) model.transact(batch(n));
    t.same(sorted(await matchAll(t, store, base)), sorted(model.match({})), `${say}: exactly the facts of batches 0 to ${last}`);
    t.same(await store.rules(base), last < 0 ? [] : [{ id: 'r_last', document: String(last) }], `${say}: the rule of batch ${last}`);
    const known = (await store.bases()).find((one) => one.base === base);
    t.equal(known?.version ?? 0, last + 1, `${say}: one version for each batch`);
    if (last >= 0) {
      t.equal(known?.facts, BATCH_FACTS * Math.min(KEPT, last + 1) + 1, `${say}: statistics agree`);
      t.match((await store.search(base, `批次${last}号`))[0], { entity: { id: `subject ${last}.0`, label: `Batch ${last}`, types: ['batch'] }, score: 1 }, `${say}: found by name`);
      t.same((await store.entities(base, [id(`subject ${last + 1}.0`)])).length, 0, `${say}: nothing of the next batch`);
    }
    await store.close();
    stored = last;
  }
  t.ok(stored >= ROUNDS, 'the rounds did load something');
});

t.test('a file that was left by a killed process can be opened again and again', async (t) => {
  const file = await freshFile(t);
  const { acknowledged } = await loadAndKill(file, 0, 4, 3);
  for (let again = 0; again < 2; again++) {
    const store = await openStore(file);
    t.ok((await lastBatch(t, store)) >= acknowledged, 'opening twice after a crash changes nothing');
    await store.close();
  }
});
