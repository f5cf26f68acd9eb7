// Owns the promise that upkeep is exact when facts come into force and fall out of it: at every time the graph equals the naive model of what is in force, and events told the difference.
// Refuses to know how upkeep is done, and clocks: the tests say what time it is.

import t from 'tap';
import { EmbeddedStore } from '../../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../../graph/knowledge.ts';
import type { Change } from '../../../graph/store.ts';
import { tripleKey } from '../../../graph/terms.ts';
import type { Fact, Triple } from '../../../graph/terms.ts';
import { all, BASE, derived, named, open, say, triple } from '../../helpers/knowledge-world.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { randomConfidence, randomRichRule, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';
import { ruleDocument } from '../../../graph/knowledge/bases/rule-documents.ts';
import type { Rule } from '../../../graph/reason/types.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const bare = ({ subject, relation, object, negated }: Triple): Triple => ({ subject, relation, object, ...(negated ? { negated } : {}) });
/** From the first instant on, and no more at the last. */
const isInForce = ({ validFrom, validTo }: Pick<Fact, 'validFrom' | 'validTo'>, now: number): boolean =>
  !(validFrom !== undefined && now < Date.parse(validFrom)) && !(validTo !== undefined && now >= Date.parse(validTo));
const pairs = (map: ReadonlyMap<string, unknown>): string[] => [...map].map(([key, value]) => `${key} ${String(value)}`).toSorted();

for (const weighted of [false, true])
  t.test(`facts come into force and fall out of it, and what follows with them${weighted ? ', confidences too' : ''}`, async (t) => {
    let [times, rows] = [0, 0];
    for (let seed = 1; seed <= 25 && t.passing(); seed++) {
      const random = seeded(seed * 977 + (weighted ? 1 : 0));
      let now = START;
      const { graph } = await open(t, { now: () => now });
      const known = new Set<string>();
      const wrong: string[] = [];
      graph.subscribe(({ added, removed }) => {
        for (const each of removed) if (each.derived && !known.delete(tripleKey(each))) wrong.push(`${tripleKey(each)} went and was not there`);
        for (const each of added) {
          if (!each.derived) continue;
          if (known.has(tripleKey(each))) wrong.push(`${tripleKey(each)} came and was there`);
          known.add(tripleKey(each));
        }
      });
      const rules: Rule[] = [];
      while (rules.length < 5) {
        const rule = random.next() < 0.4 ? randomRichRule(random, weighted) : randomRule(random, weighted);
        if (naiveStrata([...rules, rule])) rules.push(rule);
      }
      await graph.tell(
        BASE,
        rules.map((rule) => ({ kind: 'rule', id: rule.id, document: ruleDocument(rule) })),
      );
      const instant = (): string => new Date(now + (random.below(9) - 3) * HOUR).toISOString();
      const statement = (): Change => {
        const [a, b] = [instant(), instant()].toSorted();
        const interval = random.next() < 0.3 ? {} : a === b ? { validFrom: a } : random.next() < 0.3 ? { validTo: b } : { validFrom: a, validTo: b };
        return { kind: 'assert', statement: { ...randomTriple(random), confidence: weighted ? randomConfidence(random) : 1, ...interval } };
      };
      for (let step = 0; step < 30; step++) {
        const roll = random.next();
        if (roll < 0.5) now += random.below(3) * HOUR;
        if (roll > 0.3)
          await graph.tell(BASE, roll < 0.85 ? [statement(), statement()] : [{ kind: 'withdraw', pattern: bare(randomTriple(random)) }, statement()]);
        const found = await derived(graph);
        const facts = [...(await all(graph, {}, { derived: 'exclude' })), ...(await all(graph, { negated: true }, { derived: 'exclude' }))];
        const model = naiveModel(
          rules,
          facts.filter((fact) => isInForce(fact, now)).map((fact) => ({ triple: bare(fact), confidence: fact.confidence })),
        );
        const expected = new Map([...model].filter(([, each]) => !each.told).map(([key, each]) => [key, each.confidence]));
        times++;
        if (JSON.stringify(pairs(found)) !== JSON.stringify(pairs(expected))) t.same(pairs(found), pairs(expected), `seed ${seed}, step ${step}: derived`);
        const told = [...known].toSorted();
        if (JSON.stringify(told) !== JSON.stringify([...found.keys()].toSorted()))
          t.same(told, [...found.keys()].toSorted(), `seed ${seed}, step ${step}: told`);
        if (wrong.length > 0) t.same(wrong.splice(0), [], `seed ${seed}, step ${step}: events`);
        rows += found.size;
        if (!t.passing()) break;
      }
      for (const key of known) {
        const fact = [...(await all(graph, {}, { derived: 'only' })), ...(await all(graph, { negated: true }, { derived: 'only' }))].find(
          (each) => tripleKey(each) === key,
        );
        const { proof } = await graph.ground(BASE, bare(fact as Triple));
        if (!proof || !(await graph.checkProof(BASE, proof)).valid) t.fail(`seed ${seed}: no proof of ${key}`);
      }
      await graph.close();
    }
    t.ok(times > 500 && rows > 1_000, `${times} times, ${rows} derived facts`);
  });

t.test('facts whose time comes later than that of all that are watched are not forgotten', async (t) => {
  let now = START;
  const graph = new KnowledgeGraph({ store: new EmbeddedStore({ file: ':memory:' }), now: () => now });
  await graph.open();
  t.teardown(() => graph.close());
  await graph.addRules(BASE, 'q(?x) :- p(?x, ?y).');
  // More than are watched at a time.
  const count = 101_000;
  const end = (i: number): string => new Date(START + (i + 1) * 60_000).toISOString();
  await graph.tell(
    BASE,
    Array.from({ length: count }, (_, i) => say(`n${i}`, 'p', 'o', { validTo: end(i) })),
  );
  const holds = async (i: number): Promise<boolean> => (await graph.ground(BASE, triple(`n${i}`, 'is a', 'q'))).outcome === 'entailed';
  now = Date.parse(end(count - 5_000));
  t.same([await holds(count - 5_001), await holds(count - 5_000), await holds(count - 1)], [false, false, true]);
  now = Date.parse(end(count - 2));
  t.same([await holds(count - 2), await holds(count - 1)], [false, true]);
  t.same(
    (await graph.match(BASE, { relation: named('is a') }, { derived: 'only' })).items.map(({ subject }) => subject),
    [`n${count - 1}`],
  );
  now = Date.parse(end(count));
  t.same((await graph.match(BASE, { relation: named('is a') }, { derived: 'only' })).items, []);
});

t.test('when the store fails just as the clock changes what holds, everything is doubted and read anew', async (t) => {
  let now = START;
  const { graph, store, events } = await open(t, { now: () => now });
  await graph.addRules(BASE, 'q(?x, ?y) :- p(?x, ?y).');
  await graph.tell(BASE, [say('a', 'p', 'b', { validTo: new Date(START + HOUR).toISOString() }), say('c', 'r', 'd')]);
  events.length = 0;
  now += 2 * HOUR;
  store.beforeMatch = () => {
    throw new Error('connection lost');
  };
  await t.rejects(graph.ground(BASE, triple('a', 'q', 'b')), { message: 'connection lost' });
  t.same(events.flatMap(({ relationsChanged }) => [...relationsChanged]).toSorted(), ['p', 'q', 'r']);
  store.beforeMatch = () => undefined;
  t.match(await graph.ground(BASE, triple('a', 'q', 'b')), { outcome: 'not_entailed' });
  t.same([...(await derived(graph))], []);
});
