// Owns the built-in rule sets in a base: what RDFS and OWL 2 RL derive from the schema that is stored, and that they follow it when it changes.
// Refuses to know how their rules are written out.

import t from 'tap';
import type { Test } from 'tap';
import { propertyRules } from '../../../graph/reason/rulesets/properties.ts';
import { all, BASE, derived, open, sameAnew, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';
import type { World } from '../../helpers/knowledge-world.ts';
import { EmbeddedStore } from '../../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../../graph/knowledge.ts';
import { naiveModel } from '../../helpers/naive-reasoner.ts';
import { freshFile } from '../../helpers/store-embedded.ts';

const told = async ({ graph }: World): Promise<string[]> => texts(await all(graph, {}, { derived: 'only' }));
/** The graph equals the naive model of all its rules, and one that is read anew. */
async function verify(t: Test, world: World, label: string): Promise<void> {
  const { graph, store } = world;
  const facts = (await all(graph, {}, { derived: 'exclude' })).map(({ subject, relation, object }) => ({
    triple: { subject, relation, object },
    confidence: 1,
  }));
  const { rules, setRules } = await graph.ruleBook(BASE);
  const model = naiveModel([...rules, ...setRules, ...propertyRules(await store.relations(BASE))], facts);
  const found = await derived(graph);
  t.same([...found.keys()].toSorted(), [...model].flatMap(([key, known]) => (known.told ? [] : [key])).toSorted(), label);
  await sameAnew(t, world, label);
}

t.test('RDFS: classes, properties, domains and ranges of the stored schema are followed, also when the schema changes', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.tell(BASE, [
    say('dog', 'subclass of', 'mammal'),
    say('mammal', 'subclass of', 'animal'),
    say('owns', 'subproperty of', 'has'),
    say('owns', 'domain', 'person'),
    say('owns', 'range', 'thing owned'),
    say('rex', 'is a', 'dog'),
    say('ann', 'owns', 'rex'),
  ]);
  const result = await graph.useRuleSet(BASE, 'rdfs');
  t.equal(result.derived, 6);
  const expected = ['has(ann, rex)', 'is a(ann, person)', 'is a(rex, animal)', 'is a(rex, mammal)', 'is a(rex, thing owned)', 'subclass of(dog, animal)'];
  t.same(await told(world), expected);
  await verify(t, world, 'at first');
  t.equal((await graph.useRuleSet(BASE, 'rdfs')).derived, 0, 'a set that is in use already stays as it is');

  const grown = await graph.tell(BASE, [say('animal', 'subclass of', 'being')]);
  t.equal(grown.derived, 3);
  t.ok((await told(world)).includes('is a(rex, being)'));
  await verify(t, world, 'after a class came');
  await graph.tell(BASE, [unsay('animal', 'subclass of', 'being'), unsay('owns', 'subproperty of', 'has')]);
  t.same(await told(world), expected.slice(1));
  await verify(t, world, 'after schema went');

  const { proof } = await graph.ground(BASE, triple('rex', 'is a', 'animal'));
  t.match(proof, { kind: 'rule', rule: { name: 'rdfs9: "mammal" is a subclass of "animal"' } });
  t.match(proof && (await graph.checkProof(BASE, proof)), { valid: true });
  const gone = await graph.useRuleSet(BASE, 'rdfs', false);
  t.equal(gone.noLongerDerived, 5);
  t.same(await told(world), []);
  t.match(await graph.ruleBook(BASE), { ruleSets: [], setRules: [] });
});

t.test('OWL 2 RL: properties of properties, equality and restrictions', async (t) => {
  const world = await open(t);
  const { graph } = world;
  await graph.tell(BASE, [
    say('ancestor of', 'is a', 'transitive property'),
    say('married to', 'is a', 'symmetric property'),
    say('parent of', 'inverse of', 'child of'),
    say('passport', 'is a', 'inverse functional property'),
    say('parent', 'on property', 'parent of'),
    say('parent', 'some values from', 'thing'),
    say('vegetarian', 'on property', 'eats'),
    say('vegetarian', 'all values from', 'plant'),
    say('citizen', 'on property', 'lives in'),
    say('citizen', 'has value', 'ulm'),
    say('cat', 'disjoint with', 'dog'),
    say('human', 'equivalent class', 'person'),
    say('a', 'ancestor of', 'b'),
    say('b', 'ancestor of', 'c'),
    say('a', 'married to', 'd'),
    say('a', 'parent of', 'b'),
    say('a', 'passport', 'p1'),
    say('aa', 'passport', 'p1'),
    say('veg', 'is a', 'vegetarian'),
    say('veg', 'eats', 'leek'),
    say('x', 'lives in', 'ulm'),
    say('y', 'is a', 'citizen'),
    say('a', 'is a', 'human'),
    say('tom', 'is a', 'cat'),
    say('tom', 'is a', 'dog'),
  ]);
  await graph.useRuleSet(BASE, 'owl2-rl');
  const found = new Set(await told(world));
  for (const text of [
    'ancestor of(a, c)',
    'married to(d, a)',
    'child of(b, a)',
    'is a(a, parent)',
    'is a(leek, plant)',
    'is a(x, citizen)',
    'lives in(y, ulm)',
    'is a(a, person)',
    'same as(a, aa)',
    'same as(aa, a)',
    'ancestor of(aa, c)',
    'married to(d, aa)',
    'is a(aa, person)',
    'subclass of(human, person)',
  ])
    t.ok(found.has(text), text);
  t.notOk(found.has('is a(tom, person)'));
  const { contradictions } = await graph.contradictions(BASE);
  t.match(contradictions, [{ rule: { name: 'cax-dw: "cat" and "dog" are disjoint' }, sides: [{ triple: { subject: 'tom' } }, { triple: { subject: 'tom' } }] }]);
  await verify(t, world, 'at first');
  await graph.tell(BASE, [say('aa', 'likes', 'tea')]);
  t.ok((await told(world)).includes('likes(a, tea)'), 'equals share a relation that is new');
  await graph.tell(BASE, [unsay('passport', 'is a', 'inverse functional property')]);
  t.notOk((await told(world)).includes('married to(d, aa)'));
  await verify(t, world, 'after a property went');
});

t.test('a rule set that would make negation run in a circle is refused before anything is written', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'walks(?x) :- bird(?x), not flies(?x).');
  await graph.useRuleSet(BASE, 'rdfs');
  await graph.tell(BASE, [say('tux', 'is a', 'bird'), say('penguin', 'subclass of', 'bird')]);
  t.same(texts(await all(graph, {}, { derived: 'only' })), ['is a(tux, walks)'], '"not" between other classes stays possible');
  await t.rejects(graph.tell(BASE, [say('walks', 'subclass of', 'flies')]), { code: 'unstratifiable', message: /rdfs9|walks/ });
  t.same(texts(await all(graph, { relation: triple('a', 'subclass of', 'b').relation })), ['subclass of(penguin, bird)']);
});

t.test('rule sets and rules that count are in force again when a file is opened again', async (t) => {
  const file = await freshFile(t);
  const first = new KnowledgeGraph({ store: new EmbeddedStore({ file }) });
  await first.open();
  await first.tell(BASE, [say('dog', 'subclass of', 'animal'), say('rex', 'is a', 'dog'), say('tim', 'is a', 'dog')]);
  await first.useRuleSet(BASE, 'rdfs');
  await first.addRules(BASE, 'size(herd, ?n) :- ?n = count { ?x : animal(?x) }.');
  const before = texts(await all(first, {}, { derived: 'only' }));
  t.ok(before.includes('size(herd, 2)'));
  await first.close();
  const second = new KnowledgeGraph({ store: new EmbeddedStore({ file }) });
  await second.open();
  t.teardown(() => second.close());
  t.same(texts(await all(second, {}, { derived: 'only' })), before);
  await second.tell(BASE, [unsay('tim', 'is a', 'dog')]);
  t.ok(texts(await all(second, {}, { derived: 'only' })).includes('size(herd, 1)'));
});
