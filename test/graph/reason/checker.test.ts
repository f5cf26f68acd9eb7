// Owns the checker by itself: what it refuses, where it points, and that nothing malformed makes it throw. Mutated real proofs are in evaluate.test.ts.
// Refuses to know the engine.

import t from 'tap';
import { checkProof } from '../../../graph/reason/proofs/checker.ts';
import type { CheckLimits, Grounds } from '../../../graph/reason/proofs/checker.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { entity, literal, parseEntityId, parseRelationName } from '../../../graph/terms.ts';
import type { Term, Triple } from '../../../graph/terms.ts';
import type { Aggregate, Comparison, Proof } from '../../../graph/reason/types.ts';

const [chain, older, fit] = parseRules(
  'reach(?x, ?z) :- reach(?x, ?y), reach(?y, ?z). older(?x, ?y) :- born(?x, ?a), born(?y, ?b), ?a < ?b. fit(?x) :- person(?x), not ill(?x).',
);
const node = (name: string): Term => entity(parseEntityId(name));
const triple = (subject: string, relation: string, object: Term): Triple => ({
  subject: parseEntityId(subject),
  relation: parseRelationName(relation),
  object,
});
const given = (subject: string, relation: string, object: Term): Proof => ({ kind: 'given', conclusion: triple(subject, relation, object), confidence: 1 });
const grounds: Grounds = {
  fact: () => false,
  rule: ({ id }) => [chain, older, fit].find((rule) => rule.id === id),
  absent: ({ subject }) => subject.kind === 'entity' && subject.id !== 'sick',
  given: ({ subject }) => subject !== 'nobody',
};
const step = (x: string, y: string, z: string, premises: readonly Proof[]): Proof => ({
  kind: 'rule',
  conclusion: triple(x, 'reach', node(z)),
  confidence: 1,
  rule: chain,
  bindings: { x: node(x), y: node(y), z: node(z) },
  premises,
});
const check = (proof: unknown, limits?: CheckLimits): ReturnType<typeof checkProof> => checkProof(proof as Proof, grounds, limits);

t.test('the first step that does not hold is named by its way from the root', async (t) => {
  const good = step('a', 'b', 'd', [given('a', 'reach', node('b')), step('b', 'c', 'd', [given('b', 'reach', node('c')), given('c', 'reach', node('d'))])]);
  t.strictSame(await check(good), { valid: true, nodes: 5 });
  const bad = step('a', 'b', 'd', [
    given('a', 'reach', node('b')),
    step('b', 'nobody', 'd', [given('b', 'reach', node('nobody')), given('nobody', 'reach', node('d'))]),
  ]);
  t.strictSame(await check(bad), { valid: false, path: [1, 1], reason: 'the hypothesis was not made as the proof tells it' });
  const crossed = step('a', 'b', 'd', [given('a', 'reach', node('b')), given('c', 'reach', node('d'))]);
  t.match(await check(crossed), { valid: false, path: [1], reason: /not the condition/ });
});

t.test('comparisons are made again, by the checker’s own calendar and order', async (t) => {
  const cases: readonly (readonly [Term, Comparison['operator'], Term, boolean])[] = [
    [literal(1), '<', literal(2), true],
    [literal(2), '<', literal(10), true],
    [literal('2'), '<', literal('10'), false],
    [literal('\ue000'), '<', literal('😀'), true],
    [literal('1990', 'date'), '<', literal('1990-01-02', 'date'), true],
    [literal('1990', 'date'), '<=', literal('1990-01-01T00:00Z', 'date'), true],
    [literal('2000-02-29', 'date'), '<', literal('2000-03-01', 'date'), true],
    [literal('1999-12-31T23:00:00-02:00', 'date'), '>', literal('2000-01-01T00:30:00Z', 'date'), true],
    [literal('-0044-03-15', 'date'), '<', literal('0001', 'date'), true],
    [literal(1), '<', literal('2'), false],
    [literal(true), '<', literal(false), false],
    [node('a'), '<', node('b'), false],
    [node('a'), '!=', node('b'), true],
    [literal('a'), '=', node('a'), false],
    [literal(1), '=', literal(1), true],
  ];
  for (const [left, operator, right, holds] of cases) {
    const [rule] = parseRules('later(?x, ?y) :- born(?x, ?a), born(?y, ?b), ?a = ?b.');
    const compared = { ...rule, id: rule.id, body: [rule.body[0], rule.body[1], { ...(rule.body[2] as Comparison), operator }] };
    const proof: Proof = {
      kind: 'rule',
      conclusion: triple('p', 'later', node('q')),
      confidence: 1,
      rule: compared,
      bindings: { x: node('p'), y: node('q'), a: left, b: right },
      premises: [
        given('p', 'born', left),
        given('q', 'born', right),
        { kind: 'compare', conclusion: { kind: 'compare', operator, left, right }, confidence: 1 },
      ],
    };
    t.equal((await checkProof(proof, { ...grounds, rule: () => compared })).valid, holds, JSON.stringify([left, operator, right]));
  }
});

t.test('an absence counts only where nothing speaks against it', async (t) => {
  const proof = (who: string): Proof => ({
    kind: 'rule',
    conclusion: triple(who, 'is a', node('fit')),
    confidence: 1,
    rule: fit,
    bindings: { x: node(who) },
    premises: [
      given(who, 'is a', node('person')),
      { kind: 'absent', conclusion: { relation: parseRelationName('is a'), subject: node(who), object: node('ill'), absent: true }, confidence: 1 },
    ],
  });
  t.match(await check(proof('ann')), { valid: true, nodes: 3 });
  t.match(await check(proof('sick')), { valid: false, path: [1], reason: /is a\(sick, ill\) is not absent/ });
  t.match(await check((proof('ann') as Proof & { kind: 'rule' }).premises[1]), { valid: false, reason: /a premise, not a conclusion/ });
});

t.test('limits on nodes and height hold, and a proof that contains itself ends', async (t) => {
  let tall: Proof = given('a', 'reach', node('a'));
  for (let i = 0; i < 50; i++) tall = step('a', 'a', 'a', [given('a', 'reach', node('a')), tall]);
  t.match(await check(tall), { valid: true, nodes: 101 });
  t.match(await check(tall, { nodes: 50, height: 1000 }), { valid: false, reason: /more than 50 nodes/ });
  t.match(await check(tall, { nodes: 1000, height: 20 }), { valid: false, reason: /higher than 20/ });
  const loop = step('a', 'a', 'a', []) as { premises: readonly Proof[] };
  loop.premises = [given('a', 'reach', node('a')), loop as Proof];
  t.match(await check(loop, { nodes: 100_000, height: 500 }), { valid: false, reason: /higher than 500/ });
  let wide: Proof = given('a', 'reach', node('a'));
  for (let i = 0; i < 40; i++) wide = step('a', 'a', 'a', [wide, wide]);
  t.match(await check(wide), { valid: false, reason: /more than 100000 nodes/ });
});

t.test('what is no proof at all is refused, never thrown at', async (t) => {
  const good = step('a', 'b', 'c', [given('a', 'reach', node('b')), given('b', 'reach', node('c'))]);
  const holes = ['conclusion', 'rule', 'bindings', 'premises'].map((key) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key)));
  for (const wrong of [
    undefined,
    null,
    5,
    'proof',
    [],
    {},
    { kind: 'fact' },
    { kind: 'rule' },
    { kind: 'magic' },
    { kind: 'given' },
    ...holes,
    { ...good, premises: [null, null] },
    { ...good, confidence: Number.NaN },
    { ...good, bindings: { x: null, y: 1, z: 'c' } },
  ])
    t.match(await check(wrong), { valid: false, reason: /./ }, JSON.stringify(wrong));
});

t.test('others have their turn while the members of an aggregate are counted again', async (t) => {
  const [rule] = parseRules('many(a, ?n) :- ?n = count { ?x, ?y : p(?x, c), r(?y, c) }.');
  const counted = { ...(rule.body[0] as Aggregate), result: literal(6_400) };
  const proof: Proof = {
    kind: 'rule',
    conclusion: triple('a', 'many', literal(6_400)),
    confidence: 1,
    rule,
    bindings: { n: literal(6_400) },
    premises: [{ kind: 'aggregate', conclusion: counted, confidence: 1, total: 6_400, members: [] }],
  };
  const matching: Grounds['matching'] = ({ relation }) => Array.from({ length: 80 }, (_, i) => triple(`${relation}${i}`, relation, node('c')));
  let [turns, working] = [0, true];
  const turn = (): void => {
    turns++;
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  t.same(await checkProof(proof, { ...grounds, rule: () => rule, matching }), { valid: true, nodes: 2 });
  working = false;
  t.ok(turns > 6, `${turns} turns`);
});
