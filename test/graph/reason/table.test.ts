// Owns the promise that a table of pairs is a set, however many objects a subject has and however its rows are asked for.
// Refuses to know rules.

import t from 'tap';
import { Table } from '../../../graph/reason/table.ts';
import { seeded } from '../../helpers/store-world.ts';

for (const [what, subjects, objects, adds] of [
  ['few subjects with many objects', 40, 3_000, 60_000],
  ['one subject with all', 1, 90_000, 60_000],
  ['many subjects with few objects', 20_000, 20_000, 60_000],
  ['both kinds beside each other', 0, 4_000, 80_000],
] as const)
  t.test(`a table equals a set of pairs: ${what}`, async (t) => {
    for (const asked of [0, 0.02, 0.5]) {
      const random = seeded(subjects + objects + asked * 100);
      const table = new Table(false);
      const rows = new Map<number, number>();
      let wrong = 0;
      for (let i = 0; i < adds; i++) {
        const subject = subjects === 0 ? (random.next() < 0.7 ? random.below(20) : random.below(9_000)) : random.below(subjects);
        const object = random.next() < 0.001 ? objects * 4 + random.below(objects) : random.below(objects);
        const key = subject * 1_000_000 + object;
        const known = rows.get(key);
        if (random.next() < asked && table.find(subject, object) !== (known ?? -1)) wrong++;
        if (random.next() < 0.5) {
          const row = table.add(subject, object, 0, i, 1);
          if (row !== (known === undefined ? rows.size : -1)) wrong++;
        } else {
          const row = table.insert(subject, object, 0, i, 1);
          if (row !== (known === undefined ? rows.size : ~known)) wrong++;
        }
        if (known === undefined) rows.set(key, rows.size);
        // Chains that begin in the middle hold what came before, too.
        if (i === adds >> 1) table.bySubject(10);
      }
      t.equal(wrong, 0);
      t.equal(table.count, rows.size);
      for (const [key, row] of rows) if (table.find(Math.floor(key / 1_000_000), key % 1_000_000) !== row) wrong++;
      for (let i = 0; i < 5_000; i++) {
        const [subject, object] = [random.below(9_000), random.below(objects * 5)];
        if (table.find(subject, object) !== (rows.get(subject * 1_000_000 + object) ?? -1)) wrong++;
      }
      t.equal(wrong, 0);
      const chain = table.bySubject(10);
      const seen = new Set<number>();
      for (const subject of new Set(Array.from(rows.keys(), (key) => Math.floor(key / 1_000_000))))
        for (let row = chain.first(subject); row >= 0; row = chain.after(row)) seen.add(row);
      t.equal(seen.size, rows.size);
    }
  });
