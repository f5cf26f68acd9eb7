// Owns reading a base with rules supposed: every read is that of a base in which the rules are stored, whatever is written meanwhile, and nothing stays.
// Refuses to know any real store.

import t from 'tap';
import type { KnowledgeGraph, Supposition } from '../../../graph/knowledge.ts';
import { printRules } from '../../../graph/reason/language/print.ts';
import { termText, tripleKey } from '../../../graph/terms.ts';
import type { Change } from '../../../graph/store.ts';
import type { Fact, Triple } from '../../../graph/terms.ts';
import { all, BASE, declare, named, node, open, say, triple, unsay } from '../../helpers/knowledge-world.ts';
import { naiveStrata } from '../../helpers/naive-reasoner.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { ENTITIES, randomConfidence, randomRule, randomTriple, RELATIONS, seeded } from '../../helpers/random-programs.ts';

const budget = AMPLE;
type Reads = Pick<KnowledgeGraph, keyof Supposition>;
const said = (fact: Fact): string => `${tripleKey(fact)} ${fact.confidence}`;

/** Everything that can be read, but for ids and proofs. */
async function everything(graph: Reads): Promise<unknown> {
  const facts: string[] = [];
  for (const negated of [false, true]) for (const fact of (await graph.match(BASE, { negated }, { limit: 10_000 })).items) facts.push(said(fact));
  const starts: unknown[] = [];
  for (const start of ENTITIES) {
    const paths = await graph.paths(BASE, start, { hops: 2 });
    const ways = paths.map(({ path, ends }) => JSON.stringify([path, ends])).toSorted();
    const reached = await Promise.all(paths.map(async ({ path }) => (await graph.follow(BASE, start, path)).map(({ end }) => termText(end)).join()));
    starts.push([ways, reached.toSorted()]);
  }
  const verdicts = await Promise.all(
    ENTITIES.flatMap((subject) => RELATIONS.flatMap((relation) => ENTITIES.map((object): Triple => ({ subject: subject.id, relation, object })))).map(async (each) => {
      const { outcome, proof } = await graph.ground(BASE, each);
      return [tripleKey(each), outcome, proof?.confidence, (await graph.prove(BASE, each)) !== undefined];
    }),
  );
  const relations = (await graph.relations(BASE)).map(({ name, facts: count, literals }) => [name, count, literals]).toSorted();
  const ids = ENTITIES.map(({ id }) => id);
  const hits = await Promise.all(ids.map(async (id) => (await graph.search(BASE, id)).map(({ entity: { id: found }, score }) => [found, score])));
  return { facts: facts.toSorted(), starts, verdicts, relations, entities: await graph.entities(BASE, ids), hits, names: [...(await graph.named(BASE, ids))].toSorted() };
}

t.test('on 30 random bases every read with rules supposed is the read of a base in which they are stored, before and after writes', async (t) => {
  let [different, proofs] = [0, 0];
  for (let seed = 1, done = 0; done < 30; seed++) {
    const random = seeded(seed);
    const rules = Array.from({ length: 2 + random.below(4) }, () => randomRule(random, random.next() < 0.5));
    if (!naiveStrata(rules)) continue;
    done++;
    const supposed = rules.filter(() => random.next() < 0.5);
    if (supposed.length === 0) supposed.push(rules[0]);
    const own = rules.filter((rule) => !supposed.includes(rule));
    const [one, other] = [await open(t), await open(t)];
    if (own.length > 0) await one.graph.addRules(BASE, printRules(own));
    await other.graph.addRules(BASE, printRules(rules));
    const fact = (): Change => ({ kind: 'assert', statement: { ...randomTriple(random), confidence: randomConfidence(random) } });
    const world = one.graph.suppose(BASE, printRules(supposed), { budget });
    let writes: Change[] = [...Array.from({ length: 15 }, fact), ...(random.next() < 0.3 ? [declare('p', { functional: true })] : []), ...(random.next() < 0.3 ? [declare('q', { disjointWith: ['p'] })] : [])];
    for (let step = 0; step < 3; step++) {
      const gone = randomTriple(random);
      await Promise.all([one, other].map(({ graph }) => graph.tell(BASE, writes)));
      const [found, wanted] = [await everything(world), await everything(other.graph)];
      if (JSON.stringify(found) !== JSON.stringify(wanted)) return t.same(found, wanted, `seed ${seed}, step ${step}: ${printRules(own)} supposing ${printRules(supposed)}`);
      if (JSON.stringify(await everything(one.graph)) !== JSON.stringify(wanted)) different++;
      writes = [fact(), { kind: 'withdraw', pattern: gone }, { kind: 'withdraw', pattern: { subject: gone.subject, relation: gone.relation } }];
    }
    for (const derived of (await world.match(BASE, {}, { derived: 'only' })).items) {
      const proof = await world.prove(BASE, derived);
      if (!proof) continue;
      proofs++;
      const check = await one.graph.checkProof(BASE, proof, { rules: printRules(supposed) });
      if (!check.valid) return t.match(check, { valid: true }, `seed ${seed}: ${said(derived)}`);
    }
    t.same(await one.graph.rules(BASE).then((list) => list.length), own.length, 'nothing is stored');
    await Promise.all([one, other].map(({ graph }) => graph.close()));
  }
  return t.ok(different > 30 && proofs > 60, `in ${different} of 90 readings the rules mattered; ${proofs} proofs`);
});

t.test('what the clock and another writer change is seen at the next read; a write in the middle of deriving, too', async (t) => {
  let now = Date.parse('2020-01-01');
  const { graph } = await open(t, { now: () => now });
  await graph.tell(BASE, [say('a', 'p', 'b', { validTo: '2021-01-01' }), say('b', 'p', 'c')]);
  const world = graph.suppose(BASE, 'q(?x, ?y) :- p(?x, ?y).', { budget });
  const subjects = async (): Promise<string[]> => (await world.match(BASE, { relation: named('q') })).items.map(({ subject }) => subject).toSorted();
  t.same(await subjects(), ['a', 'b']);
  now = Date.parse('2022-01-01');
  t.same(await subjects(), ['b'], 'no write says so');
  await graph.tell(BASE, [unsay('b', 'p', 'c'), say('d', 'p', 'e')]);
  t.same(await subjects(), ['d']);
  const many = Array.from({ length: 3_000 }, (_, i) => say(`n${i}`, 'p', `n${i + 1}`));
  const [, between] = await Promise.all([graph.tell(BASE, many), world.match(BASE, { relation: named('q') }, { limit: 10_000 })]);
  t.ok([1, 3_001].includes(between.items.length), 'before or after, not in between');
  t.equal((await world.match(BASE, { relation: named('q') }, { limit: 10_000 })).items.length, 3_001);
});

t.test('policies decide in the supposed world as in the base', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('age', { functional: true }), say('a', 'age', 'old', { confidence: 0.9 }), say('a', 'age', 'young', { confidence: 0.4 })]);
  await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
  const world = graph.suppose(BASE, 'spry(?x, yes) :- age(?x, young). slow(?x, yes) :- age(?x, old).', { budget });
  t.match(await world.ground(BASE, triple('a', 'slow', 'yes')), { outcome: 'entailed' });
  t.match(await world.ground(BASE, triple('a', 'spry', 'yes')), { outcome: 'not_entailed' });
});

t.test('rules that are none, that cannot stand beside the others, or from which too much follows, are refused, and the field is named', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, Array.from({ length: 50 }, (_, i) => say(`n${i}`, 'p', 'm')));
  const field = 'knowledge.rules';
  t.throws(() => graph.suppose(BASE, 'q(?x) :-\n p(?x, ?).', { budget, field }), { code: 'syntax', field, line: 2 });
  await graph.addRules(BASE, 'q(?x, ?y) :- p(?x, ?y), not r(?x, ?y).');
  await t.rejects(graph.suppose(BASE, '% one\nr(?x, ?y) :- q(?x, ?y).', { budget, field }).relations(BASE), { code: 'unstratifiable', field, line: 2 });
  const square = 'pair(?x, ?y) :- p(?x, m), p(?y, m).';
  await t.rejects(graph.suppose(BASE, square, { budget: { ...budget, facts: 2_000 }, field }).search(BASE, 'n1'), { code: 'too_large', field });
  t.equal((await graph.suppose(BASE, square, { budget: { ...budget, facts: 2_500 } }).relations(BASE)).find(({ name }) => name === 'pair')?.facts, 2_500, 'what follows without them is not counted');
  t.throws(() => graph.suppose(BASE, square, { budget: { ...budget, ms: 0 } }), { code: 'invalid_request' });
  const gone = graph.suppose(BASE, square, { budget, signal: AbortSignal.abort(new Error('left')) });
  await t.rejects(gone.relations(BASE), { message: 'left' });
  await t.rejects(graph.suppose(BASE, square, { budget }).entities('another' as typeof BASE, []), RangeError);
  t.equal((await all(graph, {}, { derived: 'only' })).length, 50);
  const proof = await graph.suppose(BASE, square, { budget }).prove(BASE, { ...triple('n1', 'pair', 'n2'), object: node('n2') });
  t.match(proof, { kind: 'rule', rule: { text: square } });
});

t.test('on 30 random bases every read at another time is the read of a base whose clock says that time', async (t) => {
  const [before, now] = ['2000-01-01', '2020-01-01'].map((day) => Date.parse(day));
  const day = (random: { readonly below: (bound: number) => number }): string => `${1990 + 5 * random.below(7)}-06-01`;
  let different = 0;
  for (let seed = 1, done = 0; done < 30; seed++) {
    const random = seeded(seed);
    const rules = Array.from({ length: 1 + random.below(4) }, () => randomRule(random, random.next() < 0.5));
    if (!naiveStrata(rules)) continue;
    done++;
    const supposed = rules.filter(() => random.next() < 0.3);
    const own = rules.filter((rule) => !supposed.includes(rule));
    const [one, other] = [await open(t, { now: () => now }), await open(t, { now: () => before })];
    if (own.length > 0) await one.graph.addRules(BASE, printRules(own));
    await other.graph.addRules(BASE, printRules(rules));
    const schema = random.next() < 0.4;
    if (schema) for (const { graph } of [one, other]) await graph.useRuleSet(BASE, 'rdfs');
    const fact = (): Change => {
      const [from, to] = [day(random), day(random)].toSorted();
      const validity = from === to || random.next() < 0.3 ? {} : { ...(random.next() < 0.7 ? { validFrom: from } : {}), ...(random.next() < 0.7 ? { validTo: to } : {}) };
      const stated = schema && random.next() < 0.2 ? triple('p', 'subproperty of', 'q') : randomTriple(random);
      return { kind: 'assert', statement: { ...stated, confidence: randomConfidence(random), ...validity } };
    };
    const world = one.graph.suppose(BASE, supposed.length === 0 ? undefined : printRules(supposed), { budget, validAt: '2000-01-01' });
    for (let step = 0; step < 2; step++) {
      const writes = Array.from({ length: 12 }, fact);
      await Promise.all([one, other].map(({ graph }) => graph.tell(BASE, writes)));
      const [found, wanted] = [await everything(world), await everything(other.graph)];
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        t.same(found, wanted, `seed ${seed}, step ${step}: ${printRules(rules)}`);
        return;
      }
      if (JSON.stringify(await everything(one.graph)) !== JSON.stringify(wanted)) different++;
    }
    t.equal(world.now(), before);
    await one.graph.close();
    await other.graph.close();
  }
  t.ok(different > 30, `${different} of 60 readings are others now`);
});
