// Owns what is declared of relations beyond a single one: domain, range, sub-properties and equivalents; what follows, what is refuted by it, and the proofs.
// Refuses to know any real store.

import t from 'tap';
import { literal } from '../../../graph/terms.ts';
import type { Relation, Term, Triple } from '../../../graph/terms.ts';
import { propertyRules, withSubs, withSupers } from '../../../graph/reason/rulesets/properties.ts';
import { parseRelationName } from '../../../graph/terms.ts';
import type { KnowledgeGraph } from '../../../graph/knowledge.ts';
import { all, BASE, declare, open, say, triple } from '../../helpers/knowledge-world.ts';

const budget = { answers: 10, facts: 1_000, ms: 10_000, depth: 100 };
interface Lists {
  readonly domain?: readonly string[];
  readonly range?: readonly string[];
  readonly subPropertyOf?: readonly string[];
  readonly equivalentTo?: readonly string[];
  readonly disjointWith?: readonly string[];
}
/** Outcome, and the name of the rule at the root of its checked proof. */
async function asked(graph: KnowledgeGraph, what: Triple): Promise<string> {
  const { outcome, proof } = await graph.ground(BASE, what);
  if (!proof) return outcome;
  const checked = await graph.checkProof(BASE, proof);
  return `${outcome}${proof.kind === 'rule' ? `: ${proof.rule.name}` : ''}${checked.valid ? '' : ` WRONG: ${checked.reason}`}`;
}
const derived = async (graph: KnowledgeGraph): Promise<string[]> =>
  (await all(graph, {}, { derived: 'only' })).map(({ subject, relation, object }) => `${subject} ${relation} ${termOf(object)}`).toSorted();
const termOf = (term: Term): string => (term.kind === 'entity' ? term.id : String(term.value));

t.test('domain and range say what class the ends of a relation are in', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('born in', { domain: ['person', 'mortal'], range: ['place'] }),
    declare('age', { range: ['number'] }),
    say('Einstein', 'born in', 'Ulm'),
    say('Einstein', 'age', literal(76)),
  ]);
  t.same(await derived(graph), ['Einstein is a mortal', 'Einstein is a person', 'Ulm is a place'], 'a literal is in no class');
  t.equal(await asked(graph, triple('Einstein', 'is a', 'person')), 'entailed: what has "born in" is a "person"');
  t.equal(await asked(graph, triple('Ulm', 'is a', 'place')), 'entailed: what "born in" leads to is a "place"');
  await graph.tell(BASE, [declare('born in')]);
  t.same(await derived(graph), [], 'a declaration is replaced as a whole');
});

t.test('what is known to be in no such class does not have the relation', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('born in', { domain: ['person'], range: ['place'] }),
    declare('baptised in', { subPropertyOf: ['born in'] }),
    say('Rex', 'is a', 'person', { negated: true, confidence: 0.9 }),
    say('joy', 'is a', 'place', { negated: true }),
  ]);
  t.equal(await asked(graph, triple('Rex', 'born in', 'Ulm')), 'refuted: what has "born in" is a "person"');
  t.equal((await graph.ground(BASE, triple('Rex', 'born in', 'Ulm'))).proof?.confidence, 0.9);
  t.equal(await asked(graph, triple('Einstein', 'born in', 'joy')), 'refuted: what "born in" leads to is a "place"');
  t.equal(await asked(graph, triple('Rex', 'baptised in', 'Ulm')), 'refuted: what has "baptised in" is a "person"');
  t.equal(await asked(graph, triple('Einstein', 'born in', 'Ulm')), 'not_entailed');
  await graph.tell(BASE, [say('Rex', 'born in', 'Ulm')]);
  const { contradictions } = await graph.contradictions(BASE);
  t.same(
    contradictions.map(({ kind, sides }) => [kind, sides.map(({ triple: side }) => `${side.negated ? '-' : ''}${side.relation}`)]),
    [['negation', ['is a', '-is a']]],
  );
});

t.test('a sub-property holds in what it is a part of, and falls with it', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('mother of', { subPropertyOf: ['parent of'] }),
    declare('parent of', { subPropertyOf: ['relative of', 'parent of'] }),
    say('Ada', 'mother of', 'Byron'),
    say('Eve', 'relative of', 'Cain', { negated: true }),
  ]);
  t.same(await derived(graph), ['Ada parent of Byron', 'Ada relative of Byron']);
  t.equal(await asked(graph, triple('Ada', 'relative of', 'Byron')), 'entailed: "parent of" is a sub-property of "relative of"');
  t.equal(await asked(graph, triple('Eve', 'mother of', 'Cain')), 'refuted: "mother of" is a sub-property of "parent of"');
  t.equal(await asked(graph, triple('Ada', 'mother of', 'Cain')), 'not_entailed');
});

t.test('equivalent relations hold of the same pairs, on whichever side it is declared', async (t) => {
  for (const [one, other] of [
    ['works for', 'employed by'],
    ['employed by', 'works for'],
  ]) {
    const { graph } = await open(t);
    await graph.tell(BASE, [
      declare(one, { equivalentTo: [other] }),
      say('Ann', 'works for', 'Acme'),
      say('Bob', 'employed by', 'Acme'),
      say('Cid', 'employed by', 'Acme', { negated: true }),
    ]);
    t.same(await derived(graph), ['Ann employed by Acme', 'Bob works for Acme']);
    t.equal(await asked(graph, triple('Bob', 'works for', 'Acme')), 'entailed: "works for" is equivalent to "employed by"');
    t.match(await asked(graph, triple('Cid', 'works for', 'Acme')), /^refuted: "(works for|employed by)" is equivalent to "(works for|employed by)"$/);
  }
  const twice = ['a', 'b'].map((name): Relation => ({ name: parseRelationName(name), aliases: [], equivalentTo: [parseRelationName(name === 'a' ? 'b' : 'a')] }));
  t.equal(propertyRules(twice).length, 4, 'declared on both sides, the rules are the same');
});

t.test('what is declared of a relation holds of its sub-properties: functional, disjoint, closed', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('birth place', { subPropertyOf: ['origin'] }),
    declare('origin', { disjointWith: ['never in'], functional: true }),
    declare('home', { equivalentTo: ['lives in'] }),
    declare('lives in', { closed: true }),
    say('Einstein', 'birth place', 'Ulm'),
    say('Curie', 'never in', 'Rome'),
    say('Curie', 'home', 'Paris'),
  ]);
  t.equal(await asked(graph, triple('Einstein', 'birth place', 'Bern')), 'refuted: "origin" has one object for each subject');
  t.equal(await asked(graph, triple('Curie', 'birth place', 'Rome')), 'refuted: "birth place" and "never in" are disjoint');
  t.equal(await asked(graph, triple('Curie', 'home', 'Rome')), 'refuted: all of "lives in" is known');
  t.equal(await asked(graph, triple('Curie', 'home', 'Paris')), 'entailed');
  t.equal(await asked(graph, triple('Curie', 'birth place', 'Paris')), 'not_entailed');
  for (const [goal, outcome] of [
    ['"birth place"(Einstein, Bern)', 'refuted'],
    ['"birth place"(Curie, Rome)', 'refuted'],
    ['home(Curie, Rome)', 'refuted'],
    ['-home(Curie, Rome)', 'entailed'],
    ['"birth place"(Curie, Paris)', 'not_entailed'],
  ]) {
    t.equal((await graph.deduce(BASE, { goal, budget })).outcome, outcome, goal);
    const supposing = { goal, budget, facts: [{ ...triple('x', 'y', 'z') }] };
    t.equal((await graph.deduce(BASE, supposing)).outcome, outcome, `${goal}, with a supposed fact`);
  }
  await graph.tell(BASE, [say('Einstein', 'birth place', 'Bern'), say('Curie', 'birth place', 'Rome')]);
  const { contradictions } = await graph.contradictions(BASE);
  t.same(contradictions.map(({ kind, sides }) => `${kind} ${sides.map(({ triple: side }) => side.relation).join(', ')}`).toSorted(), [
    'disjoint never in, origin',
    'functional origin, origin',
  ]);
});

t.test('listeners hear of every relation that a declaration may change', async (t) => {
  const { graph, events } = await open(t);
  await graph.tell(BASE, [declare('mother of', { subPropertyOf: ['parent of'] }), say('Ada', 'mother of', 'Byron')]);
  events.length = 0;
  await graph.tell(BASE, [declare('parent of', { domain: ['person'], functional: true })]);
  t.same(new Set(events.flatMap(({ relationsChanged }) => relationsChanged)).isSupersetOf(new Set(['parent of', 'mother of', 'is a'])), true);
});

t.test('supers and subs are found through circles and both sides of equivalence', (t) => {
  const of = (name: string, lists: Lists): [ReturnType<typeof parseRelationName>, Relation] => [
    parseRelationName(name),
    { name: parseRelationName(name), aliases: [], ...(lists as Partial<Relation>) },
  ];
  const declarations = new Map([of('a', { subPropertyOf: ['b'] }), of('b', { subPropertyOf: ['c'], equivalentTo: ['d'] }), of('c', { subPropertyOf: ['a'] })]);
  const from = (names: readonly string[]): string => [...names].toSorted().join(' ');
  t.equal(from(withSupers(parseRelationName('a'), declarations)), 'a b c d');
  t.equal(from(withSupers(parseRelationName('d'), declarations)), 'a b c d');
  t.equal(from(withSubs(parseRelationName('c'), declarations)), 'a b c d');
  t.equal(from(withSubs(parseRelationName('e'), declarations)), 'e');
  t.end();
});
