// Owns that what a base has derived already is taken over into the worlds of questions only where it is the same there, with proofs, and that this is what makes them fast.
// Refuses to know any real store.

import t from 'tap';
import { Closure, neededRelations } from '../../../graph/knowledge/bases/closure.ts';
import { FactReader } from '../../../graph/knowledge/facts/facts.ts';
import { derive } from '../../../graph/knowledge/worlds/hypothesis.ts';
import type { Derived, Hypothesis, Wanted } from '../../../graph/knowledge/worlds/hypothesis.ts';
import { revised } from '../../../graph/knowledge/worlds/revised.ts';
import { ValidityWatch } from '../../../graph/knowledge/facts/validity.ts';
import { Explainer } from '../../../graph/reason/proofs/explain.ts';
import { parseGoal, readRules } from '../../../graph/reason/language/parse.ts';
import { signed } from '../../../graph/reason/tables/database.ts';
import type { SignedRelation } from '../../../graph/reason/tables/database.ts';
import type { Proof, Rule } from '../../../graph/reason/types.ts';
import type { Program } from '../../../graph/reason/evaluate/program.ts';
import { entity, tripleKey } from '../../../graph/terms.ts';
import type { Statement } from '../../../graph/terms.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { naiveStrata } from '../../helpers/naive-reasoner.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { randomConfidence, randomRichRule, randomRule, randomTriple, RELATIONS, seeded } from '../../helpers/random-programs.ts';
import { BASE, open, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';

/** Rules enough for a goal to take all of a relation that they ask for. */
const ASKING = 260;
const asking = (relation: string): Rule[] =>
  readRules(Array.from({ length: ASKING }, (_, i) => `f(?x, ?y) :- "${relation}"(?x, ?y), g${i}(?x, ?y).`).join('\n') + 'h(?x, ?y) :- f(?x, ?y). h(?x, ?z) :- f(?x, ?y), h(?y, ?z).').rules as Rule[];
const told = ({ program: { database } }: Derived, keys: Iterable<SignedRelation>): string[] =>
  [...keys]
    .flatMap((key) => {
      const slot = database.get(key);
      return slot ? Array.from({ length: slot.table.count }, (_, row) => `${tripleKey(database.triple(slot, row))} ${slot.table.confidence(row)} ${slot.table.rules[row] < 0}`) : [];
    })
    .toSorted();

t.test('on 60 random bases the worlds of questions are those that are derived anew, and every row of them is proven', async (t) => {
  const taken = { goals: 0, relations: 0, everything: 0, none: 0 };
  for (let seed = 1, done = 0; done < 60; seed++) {
    const random = seeded(seed);
    const asked = random.pick(RELATIONS);
    const weighted = random.next() < 0.6;
    const confidence = (): number => (weighted ? randomConfidence(random) : 1);
    const own = Array.from({ length: 2 + random.below(4) }, () => randomRule(random, weighted && random.next() < 0.5));
    const more = random.next() < 0.3 ? [randomRule(random, weighted)] : [];
    if (!naiveStrata([...own, ...more])) continue;
    done++;
    const rules = [...new Map([...own, ...asking(asked)].map((rule) => [rule.id, rule])).values()];
    const store = new MemoryStore();
    await store.open();
    const some = (count: number): Statement[] => Array.from({ length: count }, () => ({ ...randomTriple(random), confidence: confidence() }));
    const asks = (): Statement[] => Array.from({ length: 12 }, () => ({ ...randomTriple(random), negated: false, relation: `g${random.below(20)}` as Statement['relation'], confidence: confidence() }));
    await store.transact(BASE, [...some(14), ...asks()].map((statement) => ({ kind: 'assert', statement })));
    const reader = new FactReader(store, BASE, new ValidityWatch(), Date.now);
    const known = await Closure.build(rules, reader, AMPLE);
    const facts = [...asks(), ...(random.next() < 0.3 ? some(1) : [])];
    const removed = random.next() < 0.5 ? [{ relation: `g${random.below(20)}` as Statement['relation'] }] : random.next() < 0.2 ? [{ relation: random.pick(RELATIONS) }] : [];
    const plain: Hypothesis = { standing: rules, rules: more, facts, removed, declarations: new Map(), constraints: [], derivedAlready: () => false };
    const heads = new Set([...rules, ...more].flatMap((rule) => rule.heads.map((head) => signed(head.relation, head.negated))));
    const wants: [keyof typeof taken, Wanted, Iterable<SignedRelation>][] = [
      ['goals', { goals: [parseGoal('f(b, ?y)'), parseGoal('f(a, ?y)')] }, []],
      ['goals', { goals: [parseGoal('f(?x, ?y)')], allDerivations: true }, ['+f']],
      ['goals', { goals: [parseGoal('h(a, ?y)')], oneByOne: true }, []],
      ['relations', { relations: ['+f', '+p', '-q'] }, ['+f', '+p', '-q']],
      ['everything', {}, heads],
    ];
    for (const [kind, wanted, keys] of wants) {
      const anew = await derive(plain, wanted, AMPLE, reader, Date.now());
      const reusing = await derive({ ...plain, known }, wanted, AMPLE, reader, Date.now());
      for (const { answers = [] } of [anew, reusing]) Array.from(answers);
      if (wanted.goals && !wanted.allDerivations) {
        for (const goal of wanted.goals) {
          const [one, other] = [anew, reusing].map(({ program: { database } }) => Array.from(database.matching(goal), (each) => `${tripleKey(each)} ${database.find(each)?.slot.table.confidence(database.find(each)?.row as number)}`).toSorted());
          if (JSON.stringify(one) !== JSON.stringify(other)) return t.same(other, one, `seed ${seed}`);
        }
      } else if (JSON.stringify(told(anew, keys)) !== JSON.stringify(told(reusing, keys))) return t.same(told(reusing, keys), told(anew, keys), `seed ${seed} ${kind}`);
      taken[reusing.derived < anew.derived ? kind : 'none']++;
      const explainer = new Explainer(reusing.program, { nodes: 1_000_000, height: 10_000 });
      for (const slot of reusing.program.derived) for (let row = 0; row < slot.table.count; row++) if (slot.table.rules[row] >= 0) explainer.explain({ slot, row });
    }
  }
  return t.same(taken, { goals: 32, relations: 27, everything: 33, none: 208 }, 'questions for which something was taken over, and those for which nothing was');
});

t.test('on 150 random bases what is known, revised for a few facts told otherwise, is what is derived anew, and every row of it is proven', async (t) => {
  const rows = ({ database, derived }: Program): string[] =>
    [...derived].flatMap((slot) => Array.from({ length: slot.table.count }, (_, row) => `${tripleKey(database.triple(slot, row))} ${slot.table.confidence(row)} ${slot.table.rules[row] < 0}`)).toSorted();
  const seen = { revised: 0, given: 0, changed: 0 };
  for (let seed = 1, done = 0; done < 150; seed++) {
    const random = seeded(seed);
    const rules = [...new Map(Array.from({ length: 2 + random.below(5) }, (_, i) => (i % 3 === 2 ? randomRichRule(random, true) : randomRule(random, true))).map((rule) => [rule.id, rule])).values()];
    if (!naiveStrata(rules)) continue;
    done++;
    const draw = (count: number): Map<string, Statement> =>
      new Map(Array.from({ length: count }, () => ({ ...randomTriple(random), confidence: randomConfidence(random) })).map((each) => [tripleKey(each), each]));
    const closure = async (facts: Map<string, Statement>): Promise<Program> => {
      const store = new MemoryStore();
      await store.open();
      await store.transact(BASE, [...facts.values()].map((statement) => ({ kind: 'assert', statement })));
      return (await Closure.build(rules, new FactReader(store, BASE, new ValidityWatch(), Date.now), AMPLE)).program;
    };
    const cone = neededRelations(rules);
    const before = draw(25);
    const gone = [...before].filter(() => random.next() < 0.15).map(([key]) => key);
    const after = new Map([...[...before].filter(([key]) => !gone.includes(key)), ...draw(1 + random.below(4))]);
    const told = [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
      const [was, is] = [before.get(key), after.get(key)];
      const { subject, relation, object, negated } = (is ?? was) as Statement;
      const own = signed(relation, negated);
      return was?.confidence === is?.confidence || !cone.has(own) ? [] : [{ key: own, subject: entity(subject), object, confidence: is?.confidence }];
    });
    const known = await closure(before);
    const [program, anew] = [await revised(known, cone, told, AMPLE), await closure(after)];
    if (!program) {
      seen.given++;
      continue;
    }
    seen.revised++;
    if (JSON.stringify(rows(known)) !== JSON.stringify(rows(anew))) seen.changed++;
    if (JSON.stringify(rows(program)) !== JSON.stringify(rows(anew))) return t.same(rows(program), rows(anew), `seed ${seed}`);
    const explainer = new Explainer(program, { nodes: 1_000_000, height: 10_000 });
    for (const slot of program.derived) for (let row = 0; row < slot.table.count; row++) explainer.explain({ slot, row });
  }
  return t.same(seen, { revised: 150, given: 0, changed: 149 });
});

t.test('answers that are made one by one rest on what was taken over', async (t) => {
  const { graph } = await open(t);
  const chain = Array.from({ length: 9 }, (_, i) => [say(`n${i}`, 'q', `n${i + 1}`), say(`n${i}`, 'g7', `n${i + 1}`)]).flat();
  await graph.tell(BASE, chain);
  await graph.addRules(BASE, `p(?x, ?y) :- q(?x, ?y). ${asking('p').map(({ text }) => text).join('\n')}`);
  const facts = [triple('n9', 'g3', 'n0')];
  for (const supposed of [facts, []]) {
    const { answers, statistics } = await graph.deduce(BASE, { goal: 'h(n0, ?y)', facts: supposed, budget: AMPLE, validAt: '2050' });
    t.equal(answers.length, 9);
    t.ok(statistics.goalDirected && statistics.derived < 40, `${statistics.derived} derived`);
    for (const { proofId } of answers) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, { facts: supposed, validAt: '2050' }), { valid: true });
  }
});

t.test('in a tree of uncertain classes a question of another time, and one that supposes a fact, derive only what is asked, with proofs that are accepted', async (t) => {
  const { graph } = await open(t);
  const up = (i: number): number => Math.floor(i / 1.05);
  const classes = Array.from({ length: 600 }, (_, i) => say(`c${i + 1}`, 'subclass of', `c${up(i)}`, { confidence: (1 + ((i * 7919) % 997)) / 998 }));
  await graph.tell(BASE, [...classes, say('x', 'is a', 'c600'), say('y', 'is a', 'c300', { validTo: '2040' })]);
  await graph.useRuleSet(BASE, 'rdfs');
  const answers = async (goal: string, validAt?: string): Promise<[unknown, number]> => {
    const { answers: found, statistics, complete } = await graph.deduce(BASE, { goal, budget: AMPLE, ...(validAt === undefined ? {} : { validAt }) });
    t.ok(complete);
    for (const { proofId } of found) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, validAt === undefined ? {} : { validAt }), { valid: true });
    return [found.map(({ triple: each, confidence }) => [...texts([each]), confidence]).toSorted(), statistics.derived];
  };
  const [now] = await answers('"is a"(x, ?c)');
  const [then, derived] = await answers('"is a"(x, ?c)', '2050');
  t.same(then, now);
  t.ok(derived < 200, `${derived} derived`);
  t.same((await answers('"is a"(y, ?c)', '2050'))[0], []);
  const fact = triple('z', 'is a', 'c600');
  const { consequences, counts, statistics } = await graph.whatIf(BASE, { add: [fact], goal: '"is a"(z, ?c)', budget: AMPLE });
  t.equal(counts.gained, (now as unknown[]).length - 1);
  t.ok(statistics.derived < 400, `${statistics.derived} derived`);
  for (const { proofId } of consequences) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, { facts: [fact] }), { valid: true });
  // Where a statement of the schema comes or goes, what was known of it is revised.
  const more = { ...triple('c500', 'subclass of', 'c550'), confidence: 0.4 };
  const less = triple('c600', 'subclass of', `c${up(599)}`);
  const there = await graph.whatIf(BASE, { add: [more], remove: [less], goal: '"is a"(?x, ?c)', budget: AMPLE });
  t.ok(there.complete && there.statistics.derived < 2_000, `${there.statistics.derived} derived`);
  const lost = await answers('"is a"(x, ?c)');
  await graph.tell(BASE, [unsay('c600', 'subclass of', `c${up(599)}`), say('c500', 'subclass of', 'c550', { confidence: 0.4 })]);
  t.equal(there.counts.lost, (lost[0] as unknown[]).length - 1);
  const all = (await graph.deduce(BASE, { goal: '"is a"(?x, ?c)', budget: AMPLE })).answers;
  const held = new Map(all.map((answer) => [tripleKey(answer.triple), answer.confidence]));
  for (const { change, triple: each, confidence, proofId } of there.consequences) {
    t.equal(held.get(tripleKey(each)), change === 'lost' ? undefined : confidence, `${change} ${texts([each]).join()}`);
    if (change !== 'lost') t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, { facts: [more], removed: [less] }), { valid: true });
  }
});

t.test('what would change in much that is derived is what changes when it is written', async (t) => {
  const { graph } = await open(t);
  const random = seeded(2);
  const size = 170;
  await graph.addRules(BASE, 't(?x, ?y) :- e(?x, ?y). t(?x, ?z) :- e(?x, ?y), t(?y, ?z). cut(?x, ?y) :- t(?x, ?y), not t(?y, ?x), mark(?y). "n"(?x, ?n) :- mark(?x), ?n = count { ?y : t(?y, ?x) }.');
  const edges = Array.from({ length: size * 3 }, () => {
    const from = random.below(size - 5);
    return { ...triple(`n${from}`, 'e', `n${from + 1 + random.below(4)}`), confidence: (1 + random.below(998)) / 1_000 };
  });
  await graph.tell(BASE, [...edges.map((statement) => ({ kind: 'assert' as const, statement })), ...Array.from({ length: 20 }, () => say(`n${random.below(size)}`, 'is a', 'mark'))]);
  const all = async (): Promise<Map<string, number>> => {
    const answers = await Promise.all(['t(?x, ?y)', 'cut(?x, ?y)', 'n(?x, ?n)'].map(async (goal) => (await graph.deduce(BASE, { goal, budget: AMPLE })).answers));
    return new Map(answers.flat().map((answer) => [tripleKey(answer.triple), answer.confidence]));
  };
  for (let round = 0; round < 3; round++) {
    const { subject, relation, object } = random.pick(edges);
    const add = { ...triple(`n${random.below(size)}`, 'e', `n${random.below(size)}`), confidence: 0.6 };
    const before = await all();
    const { consequences, statistics } = await graph.whatIf(BASE, { add: [add], remove: [{ subject, relation, object }], budget: AMPLE });
    t.equal(statistics.derived, 0, 'nothing is derived anew');
    await graph.tell(BASE, [{ kind: 'withdraw', pattern: { subject, relation, object } }, { kind: 'assert', statement: add }]);
    const after = await all();
    const expected = [
      ...[...after].flatMap(([key, now]) => (before.get(key) === now ? [] : [`${before.has(key) ? 'altered' : 'gained'} ${key} ${now}`])),
      ...[...before].flatMap(([key, then]) => (after.has(key) ? [] : [`lost ${key} ${then}`])),
    ];
    t.ok(expected.length > 0);
    t.same(consequences.map(({ change, triple: each, confidence }) => `${change} ${tripleKey(each)} ${confidence}`).toSorted(), expected.toSorted());
  }
});
