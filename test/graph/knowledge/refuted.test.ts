// Owns what is known to be false by what is declared: how sure that is, in answers, in conditions of rules and by rule sets; and its proofs.
// Refuses to know any real store.

import t from 'tap';
import type { DeduceRequest, DeduceResult, KnowledgeGraph } from '../../../graph/knowledge.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import { literal, parseEntityId } from '../../../graph/terms.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { all, BASE, declare, node, open, say, texts, triple } from '../../helpers/knowledge-world.ts';

const ask = (graph: KnowledgeGraph, goal: string, request: Partial<DeduceRequest> = {}): Promise<DeduceResult> =>
  graph.deduce(BASE, { goal, ...request, budget: AMPLE });
const shown = ({ answers }: DeduceResult): string[] => texts(answers.map((answer) => answer.triple));
const checked = async (graph: KnowledgeGraph, ids: readonly (string | undefined)[], request: Partial<DeduceRequest> = {}): Promise<boolean[]> =>
  Promise.all(ids.map(async (id) => (await graph.checkProof(BASE, graph.proof(BASE, id as string) as Proof, request)).valid));

t.test('what is known to be false is as sure as the semantics says, and has all its proofs', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('born', { functional: true }),
    declare('likes', { disjointWith: ['hates', 'ignores'] }),
    say('e', 'born', 'ulm', { confidence: 0.2 }),
    say('e', 'born', 'rome', { confidence: 0.9 }),
    say('a', 'hates', 'b', { confidence: 0.5 }),
    say('a', 'ignores', 'b', { confidence: 0.6 }),
    say('a', 'likes', 'b', { confidence: 0.1, negated: true }),
  ]);
  const fact = [triple('x', 'y', 'z')];
  for (const [subject, relation, object, best, any, count] of [
    ['e', 'born', 'paris', 0.9, 0.92, 2],
    ['a', 'likes', 'b', 0.6, 1 - 0.5 * 0.4 * 0.9, 3],
  ] as const) {
    const goal = `${relation}(${subject}, ${object})`;
    for (const [semantics, confidence] of [
      ['best', best],
      ['possibility', best],
      ['noisy_or', any],
      ['exact', any],
    ] as const)
      for (const facts of [[], fact]) {
        const positive = await ask(graph, goal, { semantics, facts });
        t.match(positive, { outcome: 'refuted', answers: [], complete: true }, `${goal} ${semantics}`);
        t.ok(Math.abs((positive.refutation?.confidence ?? 0) - confidence) < 1e-9, `${goal} ${semantics} ${positive.refutation?.confidence}`);
        const negative = await ask(graph, `-${goal}`, { semantics, facts });
        t.match(negative, { outcome: 'entailed', answers: [{ bindings: {}, triple: { subject, negated: true } }] }, `-${goal} ${semantics}`);
        t.ok(Math.abs(negative.answers[0].confidence - confidence) < 1e-9, `-${goal} ${semantics} ${negative.answers[0].confidence}`);
        t.same(await checked(graph, [positive.refutation?.proofId, negative.answers[0].proofId], { facts }), [true, true]);
      }
    const all = await ask(graph, `-${goal}`, { proofs: 9 });
    t.equal(all.answers[0].proofIds?.length, count);
    t.equal(all.answers[0].confidence, best);
    t.ok((await checked(graph, all.answers[0].proofIds as string[])).every(Boolean));
  }
  t.equal((await graph.ground(BASE, triple('e', 'born', 'paris'))).proof?.confidence, 0.9);
});

t.test('of a closed relation the absence of an uncertain fact is as sure as it is', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('flies to', { closed: true }), say('Ulm', 'flies to', 'Bern', { confidence: 0.3 })]);
  const goal = '-"flies to"(Ulm, Bern)';
  t.match(await ask(graph, goal), { outcome: 'refuted', refutation: { confidence: 0.3 } });
  t.match(await ask(graph, goal, { semantics: 'exact' }), { outcome: 'entailed', answers: [{ confidence: 0.7 }] });
  for (const semantics of ['best', 'possibility', 'noisy_or', 'exact'] as const)
    t.match(await ask(graph, '"flies to"(Ulm, Rome)', { semantics, proofs: 2 }), { outcome: 'refuted', refutation: { confidence: 1 } }, semantics);
  const { answers } = await ask(graph, '-"flies to"(Ulm, Rome)', { proofs: 2 });
  t.same(await checked(graph, answers[0].proofIds as string[]), [true]);
});

t.test('a condition "-p" is met wherever -p is entailed, by standing rules and by supposed ones', async (t) => {
  const rules =
    'seen(?x, ?y) :- look(?x, ?y), -hates(?x, ?y). odd(?x, ?y) :- guess(?x, ?y), -born(?x, ?y). far(?x, ?y) :- look(?x, ?y), -near(?x, ?y). free(?x, ?y) :- look(?x, ?y), not -hates(?x, ?y). wrong(?x, ?y) :- look(?x, ?y), -owns(?x, ?y).';
  const facts = [
    declare('hates', { disjointWith: ['likes'] }),
    declare('born', { functional: true }),
    declare('near', { closed: true }),
    declare('owns', { domain: [parseEntityId('person')] }),
    say('a', 'likes', 'b', { confidence: 0.5 }),
    say('a', 'look', 'b', { confidence: 0.8 }),
    say('a', 'look', 'c'),
    say('c', 'look', 'a'),
    say('a', 'near', 'c'),
    say('a', 'born', 'ulm', { confidence: 0.9 }),
    say('a', 'guess', 'ulm'),
    say('a', 'guess', 'rome'),
    say('c', 'is a', 'person', { negated: true }),
  ];
  const expected: Record<string, string[]> = {
    'seen(?x, ?y)': ['seen(a, b)'],
    'odd(?x, ?y)': ['odd(a, rome)'],
    'far(?x, ?y)': ['far(a, b)', 'far(c, a)'],
    'free(?x, ?y)': ['free(a, c)', 'free(c, a)'],
    'wrong(?x, ?y)': ['wrong(c, a)'],
  };
  const standing = await open(t);
  await standing.graph.tell(BASE, facts);
  await standing.graph.addRules(BASE, rules);
  const bare = await open(t);
  await bare.graph.tell(BASE, facts);
  for (const [goal, answers] of Object.entries(expected))
    for (const [{ graph }, request] of [
      [standing, {}],
      [bare, { rules }],
      [standing, { facts: [triple('x', 'y', 'z')] }],
    ] as const) {
      const result = await ask(graph, goal, request);
      t.same(shown(result), answers, goal);
      t.ok(
        (
          await checked(
            graph,
            result.answers.map(({ proofId }) => proofId),
            request,
          )
        ).every(Boolean),
        goal,
      );
    }
  t.same((await ask(standing.graph, 'seen(a, b)')).answers[0].confidence, 0.4);
  t.same(await standing.graph.rules(BASE).then((list) => list.length), 5, 'the rules are those that were given');
  t.same((await standing.graph.contradictions(BASE)).contradictions, []);
  await standing.graph.addRules(BASE, ':- look(?x, ?y), -near(?x, ?y), -hates(?x, ?y).');
  t.same(
    (await standing.graph.contradictions(BASE)).contradictions.map(({ kind, sides }) => [kind, ...texts(sides.map((side) => side.triple))]),
    [['constraint', '-hates(a, b)', 'look(a, b)']],
  );
  await standing.graph.tell(BASE, [declare('hates', {}), declare('near', {}), declare('born', {})]);
  t.same(shown(await ask(standing.graph, 'seen(?x, ?y)')), []);
  t.same(shown(await ask(standing.graph, 'far(?x, ?y)')), []);
  t.same((await standing.graph.contradictions(BASE)).contradictions, []);
});

t.test('an open goal "-p" has the answers that follow from what excludes p', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('hates', { disjointWith: ['likes'] }), say('a', 'likes', 'b'), say('a', 'likes', 'c', { confidence: 0.5 })]);
  t.same(shown(await ask(graph, '-hates(a, ?x)')), ['-hates(a, b)', '-hates(a, c)']);
  t.same(shown(await ask(graph, '-hates(?x, b)', { facts: [triple('d', 'likes', 'b')] })), ['-hates(a, b)', '-hates(d, b)']);
  t.match(await ask(graph, '-hates(a, c)'), { outcome: 'entailed', answers: [{ confidence: 0.5 }] });
  const { answers } = await ask(graph, '-hates(a, ?x)');
  t.ok(
    (
      await checked(
        graph,
        answers.map(({ proofId }) => proofId),
      )
    ).every(Boolean),
  );
});

t.test('what is declared never makes rules that stood run in a circle', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'p(?x, ?y) :- a(?x, ?y), not -p(?x, ?y). q(?x, ?y) :- b(?x, ?y), not -q(?x, ?y). r(?x, ?y) :- a(?x, ?y), -r(?x, ?y).');
  await graph.tell(BASE, [declare('p', { disjointWith: ['q'], functional: true }), declare('r', { closed: true }), say('u', 'a', 'v'), say('u', 'b', 'v')]);
  t.match(await ask(graph, 'p(u, v)'), { outcome: 'entailed' });
  t.match(await ask(graph, '-p(u, w)', { semantics: 'exact' }), { outcome: 'entailed', answers: [{ confidence: 1 }] });
  t.match(await ask(graph, 'r(u, v)'), { outcome: 'refuted' });
});

t.test('nor does it with a rule that comes later: added, validated, supposed for one question or for all reads, it stands whatever the order', async (t) => {
  const COUNTS = 'upset(?x, ?y) :- meets(?x, ?y), -likes(?x, ?y).';
  const CIRCLE = 'hates(?x, ?y) :- meets(?x, ?y), not -likes(?x, ?y).';
  const facts = [declare('likes', { disjointWith: ['hates'] }), say('a', 'meets', 'b'), say('a', 'meets', 'c'), say('a', 'hates', 'c')];
  const [one, other] = [await open(t), await open(t)];
  for (const { graph } of [one, other]) await graph.tell(BASE, facts);
  await one.graph.addRules(BASE, COUNTS);
  t.same(texts(await all(one.graph, {}, { derived: 'only' })), ['upset(a, c)'], 'hating counts as not liking');
  await other.graph.addRules(BASE, CIRCLE);
  await other.graph.addRules(BASE, COUNTS);
  const stored = texts(await all(other.graph, {}, { derived: 'only' }));
  t.same(stored, ['hates(a, b)'], 'and no longer where that would run in a circle');

  const { consequences } = await one.graph.whatIf(BASE, { rules: CIRCLE, budget: AMPLE });
  t.same(consequences.map(({ change, triple: { relation, object } }) => [change, relation, object]).toSorted(), [
    ['gained', 'hates', node('b')],
    ['lost', 'likes', node('c')],
    ['lost', 'upset', node('c')],
  ]);
  for (const { change, proofId } of consequences) t.same(await checked(one.graph, [proofId], change === 'lost' ? {} : { rules: CIRCLE }), [true], change);
  t.same(shown(await ask(one.graph, 'hates(?x, ?y)', { rules: CIRCLE })), ['hates(a, b)', 'hates(a, c)']);
  t.same(shown(await ask(one.graph, 'upset(?x, ?y)', { rules: CIRCLE })), []);
  const supposed = await one.graph.suppose(BASE, CIRCLE, { budget: AMPLE }).match(BASE, {}, { derived: 'only' });
  t.same(texts(supposed.items), stored);
  t.match(await one.graph.validateRules(BASE, CIRCLE), { valid: true });
  await one.graph.addRules(BASE, CIRCLE);
  t.same(texts(await all(one.graph, {}, { derived: 'only' })), stored);
  t.match(
    await one.graph.validateRules(BASE, '-likes(?x, ?y) :- hates(?x, ?y).'),
    { valid: false, errors: [{ code: 'unstratifiable' }] },
    'a rule that says so is another matter',
  );
});

t.test('a rule supposed makes what is declared count where the base asks for it nowhere', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('likes', { disjointWith: ['hates'] }), say('a', 'hates', 'c')]);
  const rules = 'upset(?x, ?y) :- -likes(?x, ?y).';
  const { consequences } = await graph.whatIf(BASE, { rules, budget: AMPLE });
  t.same(texts(consequences.map((each) => each.triple)), ['-likes(a, c)', 'upset(a, c)']);
  await graph.addRules(BASE, rules);
  t.same(texts([...(await all(graph, {}, { derived: 'only' })), ...(await all(graph, { negated: true }, { derived: 'only' }))]), [
    '-likes(a, c)',
    'upset(a, c)',
  ]);
});

t.test('by OWL what is disjoint, a complement, asymmetric or irreflexive is refuted, with the rule that says so', async (t) => {
  const { graph } = await open(t);
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.tell(BASE, [
    say('Cat', 'disjoint with', 'Dog'),
    say('Puppy', 'subclass of', 'Dog'),
    say('Alive', 'complement of', 'Dead'),
    say('loves', 'property disjoint with', 'hates'),
    say('parent', 'is a', 'asymmetric property'),
    say('parent', 'is a', 'irreflexive property'),
    say('tom', 'is a', 'Cat', { confidence: 0.8 }),
    say('tom', 'is a', 'Alive'),
    say('tom', 'loves', 'ann'),
    say('ann', 'parent', 'tom'),
    say('all', 'is a', 'all disjoint classes'),
    ...['Red', 'Green', 'Blue'].map((name) => say('all', 'axiom members', name)),
    say('rose', 'is a', 'Red'),
    say('age', 'is a', 'functional property'),
    say('ann', 'age', literal(3)),
  ]);
  for (const [goal, name, confidence] of [
    ['Dog(tom)', 'cax-dw', 0.8],
    ['Dead(tom)', 'cls-com', 1],
    ['hates(tom, ann)', 'prp-pdw', 1],
    ['parent(tom, ann)', 'prp-asyp', 1],
    ['parent(tom, tom)', 'prp-irp', 1],
    ['Blue(rose)', 'cax-adc', 1],
    ['Green(rose)', 'cax-adc', 1],
    ['age(ann, 4)', 'prp-fp, dt-diff', 1],
  ] as const)
    for (const facts of [[], [triple('x', 'y', 'z')]]) {
      const result = await ask(graph, goal, { facts });
      t.match(result, { outcome: 'refuted', refutation: { confidence } }, goal);
      const proof = graph.proof(BASE, result.refutation?.proofId as string) as Proof & { kind: 'rule' };
      t.equal(proof.rule.name?.split(':')[0], name);
      t.match(await graph.checkProof(BASE, proof, { facts }), { valid: true }, goal);
      t.match(await ask(graph, `-${goal}`, { facts, semantics: 'exact' }), { outcome: 'entailed', answers: [{ confidence }] }, goal);
    }
  t.match(await ask(graph, 'Cat(ann)'), { outcome: 'not_entailed' });
  t.match(await ask(graph, 'tame(tom)', { rules: 'tame(?x) :- Cat(?x), -Dog(?x).' }), { outcome: 'entailed' });
  t.same(shown(await ask(graph, '-Dog(?x)')), ['-is a(tom, Dog)']);
  await graph.addRules(BASE, ':- Cat(?x), Fish(?x).');
  t.match(await ask(graph, 'Fish(tom)'), { outcome: 'not_entailed' }, 'a constraint that somebody writes refutes nothing');
});
