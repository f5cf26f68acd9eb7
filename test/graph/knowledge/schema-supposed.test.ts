// Owns that rule sets follow the schema of a world that is supposed: facts and rules that come for one question, and facts that are thought away.
// Refuses to know how the rules are written out.

import t from 'tap';
import { Random } from '../../../graph/induce/random.ts';
import type { DeduceRequest, DeduceResult, WhatIfRequest, WhatIfResult } from '../../../graph/knowledge.ts';
import { tripleKey } from '../../../graph/terms.ts';
import type { Statement } from '../../../graph/terms.ts';
import type { Change } from '../../../graph/store.ts';
import { all, BASE, open, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';
import type { World } from '../../helpers/knowledge-world.ts';

const budget = { answers: 1000, facts: 100_000, ms: 20_000, depth: 100 };
type Suppose<T> = Omit<T, 'budget'>;
const deduce = ({ graph }: World, request: Suppose<DeduceRequest>): Promise<DeduceResult> => graph.deduce(BASE, { budget, ...request });
const whatIf = ({ graph }: World, request: Suppose<WhatIfRequest>): Promise<WhatIfResult> => graph.whatIf(BASE, { budget, ...request });
const changes = ({ consequences }: WhatIfResult): string[] => consequences.map(({ change, triple: each }) => `${change} ${texts([each])[0]}`).toSorted();

for (const set of ['rdfs', 'owl2-rl'] as const)
  t.test(`${set}: what-if says what a change of the schema would do, and the change does it`, async (t) => {
    const world = await open(t);
    const { graph } = world;
    await graph.useRuleSet(BASE, set);
    await graph.tell(BASE, [say('A', 'subclass of', 'B'), say('B', 'subclass of', 'C'), say('x', 'is a', 'A'), say('y', 'is a', 'B')]);
    const proof = await graph.prove(BASE, triple('x', 'is a', 'B'));
    t.match(proof && (await graph.checkProof(BASE, proof)), { valid: true });
    t.match(proof && (await graph.checkProof(BASE, proof, { removed: [triple('A', 'subclass of', 'B')] })), { valid: false }, 'nor does its proof hold without the schema');
    const gone = await whatIf(world, { remove: [triple('A', 'subclass of', 'B')] });
    t.same(changes(gone), ['lost is a(x, B)', 'lost is a(x, C)', 'lost subclass of(A, C)']);
    t.match(await whatIf(world, { remove: [{ subject: triple('A', 'is a', 'B').subject }], goal: 'B(x)' }), { outcome: { before: 'entailed', after: 'not_entailed' } });
    const come = { add: [triple('C', 'subclass of', 'D'), triple('p', 'domain', 'D'), triple('u', 'p', 'v')] };
    const gained = await whatIf(world, come);
    t.same(changes(gained), ['gained is a(u, D)', 'gained is a(x, D)', 'gained is a(y, D)', 'gained subclass of(A, D)', 'gained subclass of(B, D)']);
    t.match(await whatIf(world, { add: [triple('C', 'subclass of', 'D')], goal: 'D(?who)' }), { counts: { gained: 2, lost: 0, altered: 0 } });
    const unsure = await whatIf(world, { add: [{ ...triple('A', 'subclass of', 'B'), confidence: 0.5 }] });
    t.match(
      unsure.consequences.filter(({ triple: each }) => each.relation === 'is a').map(({ change, before, confidence }) => [change, before, confidence]),
      [
        ['altered', 1, 0.5],
        ['altered', 1, 0.5],
      ],
      'what is told with another confidence replaces what was told',
    );
    t.match(await whatIf(world, { add: [triple('z', 'is a', 'A')] }), { counts: { gained: 2 } }, 'facts that are no schema as before');
    await graph.tell(BASE, [unsay('A', 'subclass of', 'B')]);
    t.match([(await deduce(world, { goal: 'B(x)' })).outcome, (await deduce(world, { goal: 'C(x)' })).outcome], ['not_entailed', 'not_entailed']);
  });

t.test('schema given for one question counts in it: deduction, all that follows, why not, abduction, refutation; and its facts are assumptions in proofs', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.tell(BASE, [say('x', 'is a', 'A'), say('tom', 'is a', 'cat'), say('a', 'p', 'b')]);
  const facts = [{ ...triple('A', 'subclass of', 'E'), confidence: 0.5 }, triple('cat', 'disjoint with', 'dog')];
  const { outcome, answers } = await deduce(world, { goal: 'E(x)', facts });
  t.match({ outcome, answers }, { outcome: 'entailed', answers: [{ confidence: 0.5 }] });
  const proof = graph.proof(BASE, answers[0].proofId ?? '');
  t.match(proof && (await graph.checkProof(BASE, proof, { facts })), { valid: true });
  t.match(proof && (await graph.checkProof(BASE, proof)), { valid: false }, 'nobody says so in the base');
  t.match(await deduce(world, { goal: 'E(?x)', facts, semantics: 'exact' }), { answers: [{ confidence: 0.5 }] });
  const { outcome: against, refutation } = await deduce(world, { goal: 'dog(tom)', facts });
  t.equal(against, 'refuted');
  const refuting = graph.proof(BASE, refutation?.proofId ?? '');
  t.match(refuting && (await graph.checkProof(BASE, refuting, { facts })), { valid: true });
  t.match(refuting && (await graph.checkProof(BASE, refuting)), { valid: false });
  t.match(await whatIf(world, { add: facts, goal: 'dog(tom)' }), { outcome: { before: 'not_entailed', after: 'refuted' } });
  t.match(texts((await deduce(world, { facts })).answers.map((answer) => answer.triple)), ['is a(x, E)']);
  t.same(
    texts((await deduce(world, { goal: 'p(?x, ?y)', facts: [triple('a', 'same as', 'c')] })).answers.map((answer) => answer.triple)),
    ['p(a, b)', 'p(c, b)'],
    'the first that says what is the same',
  );
  t.equal((await graph.whyNot(BASE, { goal: 'E(x)', facts, budget })).outcome, 'entailed');
  t.equal((await deduce(world, { goal: 'E(x)' })).outcome, 'not_entailed', 'nothing of it stays');
  t.same(texts(await all(graph, {}, { derived: 'only' })), []);
  t.equal((await deduce(world, { goal: 'F(x)', rules: '"subclass of"(A, F).' })).outcome, 'entailed', 'a rule may say it as well');
  const { explanations } = await graph.abduce(BASE, { observations: ['E(w)'], facts, budget: { explanations: 10, size: 2, nodes: 100_000, ms: 20_000, facts: 100_000, depth: 100 } });
  t.ok(explanations.some(({ assume }) => texts(assume).includes('is a(w, A)')));
});

t.test('schema that rules conclude comes and goes with what they rest on', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.useRuleSet(BASE, 'rdfs');
  await graph.addRules(BASE, '"subclass of"(?a, ?b) :- "kind of"(?a, ?b).');
  await graph.tell(BASE, [say('A', 'kind of', 'B'), say('x', 'is a', 'A')]);
  t.same(changes(await whatIf(world, { remove: [triple('A', 'kind of', 'B')] })), ['lost is a(x, B)', 'lost subclass of(A, B)']);
  t.same(changes(await whatIf(world, { add: [triple('B', 'kind of', 'C')] })), [
    'gained is a(x, C)',
    'gained subclass of(A, C)',
    'gained subclass of(B, C)',
  ]);
  t.equal((await deduce(world, { goal: 'D(x)', rules: '"kind of"(?a, ?b) :- "sort of"(?a, ?b).', facts: [triple('A', 'sort of', 'D')] })).outcome, 'entailed');
  const supposed = graph.suppose(BASE, '"subclass of"(?a, ?b) :- "sort of"(?a, ?b). "sort of"(A, E).', { budget });
  t.equal((await supposed.ground(BASE, triple('x', 'is a', 'E'))).outcome, 'entailed', 'rules of a question of the chat');
  await t.rejects(deduce(world, { goal: 'B(x)', facts: [triple('B', 'subclass of', 'hidden')], rules: '"seen"(?x, yes) :- B(?x), not hidden(?x). hidden(?x) :- seen(?x, yes).' }), {
    code: 'unstratifiable',
  });
});

t.test('random schemas: what follows with facts that come and go is what follows in a base that was told so', async (t) => {
  const random = new Random(3);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)];
  const [classes, properties, things] = [
    ['A', 'B', 'C', 'R'],
    ['p', 'q', 'r'],
    ['a', 'b', 'c'],
  ];
  const one = (): readonly [string, string, string] =>
    pick<readonly [string, string, string]>([
      [pick(classes), 'subclass of', pick(classes)],
      [pick(classes), 'kind of', pick(classes)],
      [pick(classes), pick(['disjoint with', 'equivalent class']), pick(classes)],
      [pick(properties), pick(['subproperty of', 'inverse of', 'equivalent property']), pick(properties)],
      [pick(properties), pick(['domain', 'range']), pick(classes)],
      [pick(properties), 'is a', pick(['symmetric property', 'functional property', 'transitive property'])],
      ['R', 'on property', pick(properties)],
      ['R', 'some values from', pick(['thing', ...classes])],
      [pick(things), 'same as', pick(things)],
      [pick(things), 'is a', pick(classes)],
      [pick(things), pick(properties), pick(things)],
      [pick(things), pick(properties), pick(things)],
    ]);
  let compared = 0;
  for (let round = 0; round < 25; round++) {
    const told = Array.from({ length: 12 }, one);
    const added = Array.from({ length: 3 }, one).map(([s, p, o]): Statement => ({ ...triple(s, p, o), confidence: pick([1, 0.5]), source: 'supposed' }));
    const gone = [pick(told), pick(told)].map(([s, p, o]) => triple(s, p, o));
    const rules = random.below(2) === 0 ? '"subclass of"(?a, ?b) :- "kind of"(?a, ?b).' : '@name("none") none(?x, ?y) :- none(?y, ?x).';
    const set = pick(['rdfs', 'owl2-rl'] as const);
    const [world, real] = [await open(t), await open(t)];
    for (const { graph } of [world, real]) {
      await graph.tell(
        BASE,
        told.map(([s, p, o]) => say(s, p, o)),
      );
      await graph.useRuleSet(BASE, set);
    }
    await real.graph.addRules(BASE, rules);
    await real.graph.tell(BASE, [...gone.map((pattern): Change => ({ kind: 'withdraw', pattern })), ...added.map((statement): Change => ({ kind: 'assert', statement }))]);
    const best = new Map<string, number>();
    const facts = await all(real.graph);
    for (const fact of facts) best.set(tripleKey(fact), Math.max(best.get(tripleKey(fact)) ?? 0, fact.confidence));
    compared += facts.filter(({ derived }) => derived).length;
    const found = new Map<string, number>();
    const relations = new Set(facts.map(({ relation }) => relation));
    for (const name of [...gone, ...(await all(world.graph))]) relations.add(name.relation);
    for (const relation of relations) {
      const { answers } = await deduce(world, { goal: `"${relation}"(?x, ?y)`, facts: added, removed: gone, rules });
      for (const answer of answers) found.set(tripleKey(answer.triple), answer.confidence);
    }
    const readable = (map: ReadonlyMap<string, number>): string[] => Array.from(map, ([key, confidence]) => `${key} ${confidence.toFixed(9)}`).toSorted();
    const [is, should] = [readable(found), readable(best)];
    if (JSON.stringify(is) !== JSON.stringify(should)) {
      t.same(is, should, `round ${round}, ${set}: ${JSON.stringify({ told, added, gone, rules })}`);
      return;
    }
    await Promise.all([world.graph.close(), real.graph.close()]);
  }
  t.ok(compared > 100, `${compared} derived facts`);
});
