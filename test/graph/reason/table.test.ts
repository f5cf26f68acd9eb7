// Owns the promise that a table of pairs is a set, however many objects a subject has and however its rows are asked for.
// Refuses to know rules.

import t from 'tap';
import { Heads } from '../../../graph/reason/tables/heads.ts';
import { Table } from '../../../graph/reason/tables/table.ts';
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

t.test('rows that are removed leave no trace, and the others are found by pair, by subject and by object', async (t) => {
  for (let seed = 1; seed <= 24; seed++) {
    const random = seeded(seed);
    // Wide subjects have bits; with one object for all, one chain holds every row.
    const subjects = 1 + random.below(seed % 3 === 0 ? 5 : 400);
    const objects = 1 + random.below(seed % 4 === 0 ? 3 : 9_000);
    const table = new Table(seed % 2 === 0);
    const known = new Map<number, number>();
    const key = (subject: number, object: number): number => subject * 100_000 + object;
    let wrong = 0;
    for (let step = 0; step < 60; step++) {
      const old = table.count;
      for (let i = random.below(step === 0 ? 30_000 : 400); i > 0; i--) {
        const [subject, object] = [random.below(subjects), random.below(objects)];
        if (table.add(subject, object, i, i, i / 1_000) >= 0) known.set(key(subject, object), i);
      }
      const behind = Array.from({ length: table.count - old }, (_, i) => key(table.subjects[old + i], table.objects[old + i])).toSorted();
      const out = new Set<number>();
      if (old > 0) for (let i = random.below(step % 20 === 7 ? old : 30); i > 0; i--) out.add(random.below(old));
      for (const row of out) known.delete(key(table.subjects[row], table.objects[row]));
      table.remove([...out], old);
      // New rows stay behind those that were there before.
      const from = old - out.size;
      if (
        behind.join() !==
        Array.from({ length: table.count - from }, (_, i) => key(table.subjects[from + i], table.objects[from + i]))
          .toSorted()
          .join()
      )
        wrong++;
      if (table.count !== known.size) wrong++;
      if (step % 10 === 3) table.settle();
      if (step % 5 !== 4) continue;
      for (const [pair, i] of known) {
        const row = table.find(Math.floor(pair / 100_000), pair % 100_000);
        if (row < 0 || table.rules[row] !== i || table.stamps[row] !== i || (table.confidences && table.confidence(row) !== i / 1_000)) wrong++;
      }
      for (let i = 0; i < 500; i++) {
        const [subject, object] = [random.below(subjects), random.below(objects)];
        if (table.has(subject, object) !== known.has(key(subject, object)) || table.find(subject, object) >= 0 !== known.has(key(subject, object))) wrong++;
      }
      for (const [chain, keys, column] of [
        [table.bySubject(subjects), subjects, table.subjects],
        [table.byObject(objects), objects, table.objects],
      ] as const) {
        const seen = new Set<number>();
        for (let id = 0; id < keys; id++)
          for (let row = chain.first(id); row >= 0; row = chain.after(row)) {
            if (seen.has(row) || column[row] !== id || row >= table.count) wrong++;
            seen.add(row);
          }
        if (seen.size !== table.count) wrong++;
      }
    }
    t.equal(wrong, 0, `seed ${seed}: ${known.size} rows`);
  }
});

t.test('numbers by key equal a map, whether keys are few or many, near or far', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const span = random.pick([10, 900, 5_000, 1_000_000]);
    const heads = new Heads(random.pick([0, 0, 100]));
    const known = new Map<number, number>();
    let wrong = 0;
    for (let i = 1; i <= random.pick([40, 3_000, 20_000]); i++) {
      // Near keys come behind far ones, and the reverse.
      const key = random.below(random.next() < 0.5 ? span : Math.min(span, i));
      const value = random.next() < 0.1 ? 0 : i;
      heads.set(key, value, i);
      known.set(key, value);
      const asked = random.below(span + 5);
      if (heads.get(asked) !== (known.get(asked) ?? 0)) wrong++;
      if (random.next() < 0.0002) {
        heads.clear();
        known.clear();
      }
    }
    for (const [key, value] of known) if (heads.get(key) !== value) wrong++;
    t.equal(wrong, 0, `seed ${seed}`);
  }
});

t.test('very many tables with few rows take no room for all terms', async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  const terms = 1_000_000;
  const random = seeded(1);
  const tables = Array.from({ length: 300 }, () => {
    const table = new Table(false);
    for (let row = 0; row < 50; row++) table.add(random.below(terms), random.below(terms), 0, 0, 1);
    table.bySubject(terms);
    table.byObject(terms);
    return table;
  });
  const taken = (process.memoryUsage().arrayBuffers - before) / tables.length;
  t.ok(taken < 16_384, `${Math.round(taken)} bytes each`);
  const { subjects, objects } = tables[7];
  for (let row = 0; row < 50; row++) {
    t.equal(tables[7].bySubject(terms).first(subjects[row]), subjects.lastIndexOf(subjects[row], 49));
    t.equal(tables[7].byObject(terms).first(objects[row]), objects.lastIndexOf(objects[row], 49));
  }
});
