// Owns the process that durability.test.ts kills: it loads numbered batches into a store file and prints a line after each one is acknowledged.
// Refuses to stop by itself before its last batch; `node store-loader.ts FILE FIRST COUNT`.

import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Change } from '../../graph/store.ts';
import { openStore } from './store-embedded.ts';
import { assert, base, describe, id, number, relation } from './store-world.ts';

/** Facts that batch `n` asserts, apart from the one that says which batch is the last. */
export const BATCH_FACTS = 400;
/** How far back a batch withdraws: batch `n` withdraws what came from batch `n - KEPT`. */
export const KEPT = 5;

/** Everything a transaction can hold: facts with new entities and literals, withdrawals, a described entity, a rule, a marker that is replaced. */
export function batch(n: number): Change[] {
  const changes: Change[] = [
    { kind: 'withdraw', pattern: { subject: id('loader'), relation: relation('last batch') } },
    { kind: 'withdraw', pattern: {}, source: `batch ${n - KEPT}` },
  ];
  for (let row = 0; row < BATCH_FACTS; row++)
    changes.push(assert(`subject ${n}.${row % 40}`, `relation ${row % 7}`, row % 3 === 0 ? number(row) : `object ${row}`, { source: `batch ${n}`, confidence: 1 - (row % 10) / 20 }));
  changes.push(describe(`subject ${n}.0`, { label: `Batch ${n}`, aliases: [`批次${n}号`], types: ['batch'] }));
  changes.push({ kind: 'rule', id: 'r_last', document: String(n) });
  changes.push(assert('loader', 'last batch', number(n)));
  return changes;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, first, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
  const store = await openStore(file);
  writeSync(1, 'open\n');
  for (let n = first; n < first + count; n++) {
    await store.transact(base, batch(n));
    writeSync(1, `${n}\n`);
  }
  await store.close();
}
