// Owns the random part of the store contract: a few hundred operations, each answer compared with the naive model.
// Refuses to know any adapter.

import type { Change } from '../../graph/store.ts';
import type { BaseName, Statement, TriplePattern } from '../../graph/terms.ts';
import { StoreModel } from './store-model.ts';
import { checkWalks } from './store-walks.ts';
import { base, date, factText, id, matchAll, node, number, otherBase, relation, seeded, sorted, text, tick, truth } from './store-world.ts';
import type { Part } from './store-facts.ts';

const people = ['a', 'b', 'c', 'd', "e'", '1'].map(id);
const relations = ['r', 's', 't`'].map(relation);
const terms = [...people.map((name) => node(name)), number(1), number(2.5), text('a'), text('1'), date('2000-01-01'), truth(true)];
const sources = [undefined, undefined, 'hand', 'x.pdf', { document: 'x.pdf', page: 1 }, { document: 'x.pdf', page: 2 }] as const;
const instants = ['1990-01-01T00:00:00.000Z', '2000-01-01T00:00:00.000Z', '2010-01-01T00:00:00.000Z'];

/** Net effect: what was added and withdrawn by one transaction, cancelled against each other. */
function net(added: readonly Statement[], withdrawn: readonly Statement[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const [facts, sign] of [[added, 1], [withdrawn, -1]] as const) for (const fact of facts) sum.set(factText(fact), (sum.get(factText(fact)) ?? 0) + sign);
  for (const [key, value] of sum) if (value === 0) sum.delete(key);
  return new Map([...sum].sort());
}

export async function randomContract(part: Part, seed = 20_240_611, rounds = 150): Promise<void> {
  await part(`after each of ${rounds} random transactions the store answers as the naive model does`, async (t, world) => {
    const random = seeded(seed);
    let store = world.store;
    const models = new Map<BaseName, StoreModel>([[base, new StoreModel()], [otherBase, new StoreModel()]]);
    const snapshots: { readonly time: string; readonly kb: BaseName; readonly facts: readonly string[] }[] = [];

    const pattern = (): TriplePattern => ({
      ...(random.next() < 0.5 ? { subject: random.pick(people) } : {}),
      ...(random.next() < 0.5 ? { relation: random.pick(relations) } : {}),
      ...(random.next() < 0.4 ? { object: random.pick(terms) } : {}),
      ...(random.next() < 0.15 ? { negated: true } : {}),
    });
    const told = (): Change => {
      const source = random.pick(sources);
      const from = random.below(6);
      return {
        kind: 'assert',
        statement: {
          subject: random.pick(people),
          relation: random.pick(relations),
          object: random.pick(terms),
          ...(random.next() < 0.1 ? { negated: true } : {}),
          ...(random.next() < 0.3 ? { confidence: random.pick([0.25, 0.5, 1]) } : {}),
          ...(source === undefined ? {} : { source }),
          ...(from < 2 ? { validFrom: instants[from] } : {}),
          ...(random.next() < 0.2 ? { validTo: instants[2] } : {}),
        },
      };
    };
    const change = (): Change => {
      const kind = random.next();
      if (kind < 0.8) return told();
      if (kind < 0.95) return random.next() < 0.3 ? { kind: 'withdraw', pattern: pattern(), source: random.pick(['hand', 'x.pdf', 'y.pdf']) } : { kind: 'withdraw', pattern: { subject: random.pick(people), ...pattern() } };
      return random.next() < 0.7 ? { kind: 'rule', id: `r${random.below(4)}`, document: `d${random.below(100)}` } : { kind: 'rule', id: `r${random.below(4)}` };
    };

    for (let round = 0; round < rounds; round++) {
      const kb = random.next() < 0.8 ? base : otherBase;
      const model = models.get(kb)!;
      const changes = Array.from({ length: 1 + random.below(6) }, change);
      const before = model.version;
      const expected = model.transact(changes);
      const commit = await store.transact(kb, changes);
      const say = `round ${round}`;
      t.same(net(commit.added, commit.withdrawn), net(expected.added, expected.withdrawn), `${say}: added and withdrawn`);
      t.equal(commit.known, expected.known, `${say}: known`);
      if (net(expected.added, expected.withdrawn).size > 0 || model.version === before) t.equal(commit.version, model.version, `${say}: version`);
      else model.version = commit.version;

      const shape = pattern();
      const options = { ...(random.next() < 0.3 ? { validAt: random.pick(instants) } : {}), ...(random.next() < 0.3 ? { minConfidence: random.pick([0.25, 0.5, 0.75]) } : {}) };
      t.same(sorted(await matchAll(t, store, kb, shape, { ...options, limit: 1 + random.below(9) })), sorted(model.match(shape, options)), `${say}: ${JSON.stringify(shape)}`);
      if (round % 10 === 0) {
        for (const [name, one] of models) {
          t.same(sorted(await matchAll(t, store, name)), sorted(one.match({})), `${say}: all of ${name}`);
          t.same(sorted(await matchAll(t, store, name, { negated: true })), sorted(one.match({ negated: true })), `${say}: all that is false in ${name}`);
          t.same((await store.rules(name)).map((rule) => [rule.id, rule.document]).sort(), [...one.rules].sort(), `${say}: rules`);
          const live = one.match({});
          for (const summary of await store.relations(name)) {
            const mine = live.filter((fact) => fact.relation === summary.name);
            t.equal(summary.facts, mine.length, `${say}: facts of ${summary.name}`);
            const share = mine.length === 0 ? 0 : mine.filter((fact) => fact.object.kind === 'literal').length / mine.length;
            t.ok(Math.abs(summary.literals - share) < 1e-9, `${say}: literals of ${summary.name}`);
          }
        }
      }
      if (round % 15 === 0) await checkWalks(t, store, models.get(base)!, random.pick(terms), 2);
      if (round % 25 === 10 && store.capabilities.asOf) {
        await tick();
        snapshots.push({ time: new Date().toISOString(), kb, facts: sorted(model.match({})) });
        await tick();
      }
      if (round % 40 === 39 && world.reopen) store = await world.reopen();
    }
    for (const { time, kb, facts } of snapshots) t.same(sorted(await matchAll(t, store, kb, {}, { asOf: time, limit: 11 })), facts, `as of ${time}`);
  });
}
