// Owns that what leads to something false is false: through subclasses, sub-properties, domains, ranges, inverses and symmetry, declared or told to a rule set.
// Refuses to know any real store.

import t from 'tap';
import type { KnowledgeGraph } from '../../../graph/knowledge.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import type { Change } from '../../../graph/store.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { BASE, declare, open, say, texts, triple } from '../../helpers/knowledge-world.ts';

const deny = (subject: string, relation: string, object: string): Change => ({ kind: 'assert', statement: triple(subject, relation, object, true) });
/** Outcome by two semantics, where they agree; the proof of what is refuted is checked. */
async function outcome(graph: KnowledgeGraph, goal: string): Promise<string> {
  const results = [];
  for (const semantics of ['best', 'exact'] as const) results.push(await graph.deduce(BASE, { goal, semantics, budget: AMPLE }));
  const [best, exact] = results;
  if (best.outcome !== exact.outcome) return `${best.outcome} or ${exact.outcome}`;
  if (best.outcome !== 'refuted') return best.outcome;
  const { valid } = await graph.checkProof(BASE, graph.proof(BASE, best.refutation?.proofId as string) as Proof);
  return valid ? 'refuted' : 'refuted by a proof that is not valid';
}

const ANIMALS = [
  say('cat', 'subclass of', 'animal'),
  say('rose', 'subclass of', 'plant'),
  say('dog rose', 'subclass of', 'rose'),
  say('animal', 'disjoint with', 'plant'),
  say('r', 'is a', 'rose'),
  say('tom', 'is a', 'cat'),
  say('eats', 'domain', 'animal'),
  say('eats', 'range', 'plant'),
  say('devours', 'subproperty of', 'eats'),
  say('eaten by', 'inverse of', 'eats'),
  deny('dust', 'is a', 'plant'),
];
t.test('by OWL 2 RL, what would put a thing into disjoint classes is refuted', async (t) => {
  const { graph } = await open(t);
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.tell(BASE, ANIMALS);
  for (const [goal, wanted] of [
    ['cat(r)', 'refuted'],
    ['rose(tom)', 'refuted'],
    ['"dog rose"(tom)', 'refuted'],
    ['"dog rose"(dust)', 'refuted'],
    ['eats(r, tom)', 'refuted'],
    ['eats(tom, tom)', 'refuted'],
    ['devours(tom, tom)', 'refuted'],
    ['"eaten by"(tom, tom)', 'refuted'],
    ['-"eaten by"(tom, tom)', 'entailed'],
    ['eats(tom, r)', 'not_entailed'],
    ['cat(new)', 'not_entailed'],
    ['"dog rose"(r)', 'not_entailed'],
  ] as const)
    t.equal(await outcome(graph, goal), wanted, goal);
});
t.test('questions with variables and conditions of rules agree', async (t) => {
  const { graph } = await open(t);
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.tell(BASE, ANIMALS);
  const found = async (goal: string, rules?: string): Promise<string[]> => {
    const { answers } = await graph.deduce(BASE, { goal, ...(rules === undefined ? {} : { rules }), budget: AMPLE });
    for (const { proofId } of answers)
      t.equal((await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, rules === undefined ? {} : { rules })).valid, true);
    return texts(answers.map((answer) => answer.triple));
  };
  t.same(await found('-cat(?x)'), texts([triple('r', 'is a', 'cat', true)]));
  t.same(await found('-"dog rose"(?x)'), texts([triple('dust', 'is a', 'dog rose', true), triple('tom', 'is a', 'dog rose', true)]));
  t.same(await found('safe(?x)', 'safe(?x) :- cat(?x), -"dog rose"(?x).'), texts([triple('tom', 'is a', 'safe')]));
});
t.test('what is declared refutes what leads to it, too', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('mother', { functional: true }),
    declare('child', { inverseOf: 'mother' }),
    declare('spouse', { functional: true, symmetric: true }),
    declare('loves', { disjointWith: ['hates'] }),
    declare('loved by', { inverseOf: 'loves' }),
    declare('knows', { closed: true }),
    declare('known by', { inverseOf: 'knows' }),
    declare('visits', { range: ['place'] }),
    declare('visited by', { inverseOf: 'visits' }),
    say('b', 'mother', 'c'),
    say('b', 'spouse', 'c'),
    say('b', 'hates', 'c'),
    deny('x', 'is a', 'place'),
  ]);
  for (const [goal, wanted] of [
    ['child(d, b)', 'refuted'],
    ['child(c, b)', 'entailed'],
    ['spouse(a, b)', 'refuted'],
    ['spouse(x, y)', 'not_entailed'],
    ['"loved by"(c, b)', 'refuted'],
    ['"loved by"(b, c)', 'not_entailed'],
    ['"known by"(c, b)', 'refuted'],
    ['"visited by"(x, a)', 'refuted'],
    ['"visited by"(y, a)', 'not_entailed'],
  ] as const)
    t.equal(await outcome(graph, goal), wanted, goal);
});
t.test('what is refuted for the same reason in two ways has one proof', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('birth place', { subPropertyOf: ['origin'] }), declare('origin', { functional: true, disjointWith: ['tomb'] }), say('a', 'origin', 'ulm'), say('a', 'tomb', 'rome')]);
  const { answers } = await graph.deduce(BASE, { goal: '-"birth place"(a, rome)', proofs: 10, budget: AMPLE });
  t.equal(answers[0].proofIds?.length, 2);
});
