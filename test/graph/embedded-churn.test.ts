// Owns what happens to the embedded store's memory when much is withdrawn: rows are given up, and nobody notices.
// Refuses to look inside: the naive model and a second opening of the same file say what is right.

import t from 'tap';
import type { Change } from '../../graph/store.ts';
import type { Fact } from '../../graph/terms.ts';
import { freshFile, openStore } from '../helpers/store-embedded.ts';
import { StoreModel } from '../helpers/store-model.ts';
import { checkWalks } from '../helpers/store-walks.ts';
import { assert, base, describe, id, matchAll, node, number, objects, relation, seeded, sorted, withdraw } from '../helpers/store-world.ts';

const broken = (): Change => ({
  kind: 'assert',
  get statement(): never {
    throw new Error('the fault of this test');
  },
});

t.test('after thousands of withdrawals, failed transactions and an opening in between, everything is as in the naive model', async (t) => {
  const file = await freshFile(t);
  const random = seeded(31);
  const model = new StoreModel();
  let store = await openStore(file);
  const name = (count: number): string => `n${random.below(count)}`;
  for (let round = 0; round < 24; round++) {
    const changes: Change[] = Array.from({ length: 400 }, (_, n) =>
      random.next() < 0.8
        ? assert(name(12), `r${random.below(3)}`, random.next() < 0.2 ? number(random.below(5)) : name(12), { source: { document: `d${round}`, page: n }, confidence: random.pick([0.5, 1]) })
        : assert('counter', 'is', number(n)),
    );
    changes.push(withdraw({ subject: id('counter') }), withdraw({}, `d${round - 1}`), ...(round % 5 === 4 ? [withdraw({}, `d${round}`)] : []));
    await t.rejects(store.transact(base, [describe('failed', { label: 'Failed' }), withdraw({ subject: id(name(12)) }), ...changes.slice(0, 50), broken()]), 'the fault');
    model.transact(changes);
    await store.transact(base, changes);
    t.same(sorted(await matchAll(t, store, base, {}, { limit: 97 })), sorted(model.match({})), `round ${round}: all`);
    const shape = { subject: id(name(12)), relation: relation('r1') };
    t.same(sorted(await matchAll(t, store, base, shape, { limit: 3 })), sorted(model.match(shape)), `round ${round}: one subject, one relation`);
    const around = { object: node(name(12)) };
    t.same(sorted(await matchAll(t, store, base, around, { limit: 5 })), sorted(model.match(around)), `round ${round}: one object`);
    if (round % 6 === 0) await checkWalks(t, store, model, node('n1'), 2);
    t.same(await store.entities(base, [id('failed')]), [], `round ${round}: nothing of what failed`);
    if (round % 7 === 6) {
      const before = [await store.bases(), await store.relations(base)];
      await store.close();
      store = await openStore(file);
      t.same([await store.bases(), await store.relations(base)], before, `round ${round}: counted anew from the file, the same`);
    }
  }
  await store.close();
});

t.test('a reader between two pages does not notice that rows were given up', async (t) => {
  const store = await openStore(':memory:');
  t.teardown(() => store.close());
  await store.transact(base, Array.from({ length: 12_000 }, (_, n) => assert('hub', 'r', `o${n}`, { source: n % 10 === 0 ? 'stays' : 'goes' })));
  const first = await store.match(base, { subject: id('hub'), relation: relation('r') }, { limit: 55 });
  t.equal((await store.transact(base, [withdraw({}, 'goes')])).withdrawn.length, 10_800);
  await store.transact(base, [assert('hub', 'r', 'late')]);
  const seen: Fact[] = [...first.items];
  for (let cursor = first.cursor; cursor !== undefined; ) {
    const page = await store.match(base, { subject: id('hub'), relation: relation('r') }, { limit: 500, cursor });
    seen.push(...page.items);
    cursor = page.cursor;
  }
  const stayed = objects(seen.filter((fact) => fact.source === 'stays'));
  t.same(stayed, Array.from({ length: 1200 }, (_, n) => `o${n * 10}`).sort(), 'what stays is seen once');
  t.equal(seen.length, 55 + (1200 - 6) + 1, 'and nothing that had gone before its page');
});

t.test('a value that is replaced again and again costs the same each time', async (t) => {
  const store = await openStore(':memory:');
  t.teardown(() => store.close());
  for (let n = 0; n < 3000; n++) await store.transact(base, [withdraw({ subject: id('counter'), relation: relation('is') }), assert('counter', 'is', number(n))]);
  t.same(objects(await matchAll(t, store, base)), ['2999']);
  t.match((await store.bases())[0], { version: 3000, facts: 1, entities: 1, relations: 1 });
  for (let n = 0; n < 6000; n++) await store.transact(base, [describe('Q1', { label: `Name number ${n}` })]);
  t.same((await store.search(base, 'name number 5999')).map((hit) => [hit.matched, hit.score]), [['Name number 5999', 1]]);
});
