// Owns contradictions: which are found, with what proofs, and what each declared policy makes of answers.
// Refuses to know any real store.

import t from 'tap';
import type { ConflictPolicies, Contradiction, KnowledgeGraph } from '../../../graph/knowledge.ts';
import type { Change } from '../../../graph/store.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import { literal } from '../../../graph/terms.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { all, BASE, declare, open, say, texts, triple, unsay } from '../../helpers/knowledge-world.ts';

const ask = { budget: AMPLE };
const deny = (subject: string, relation: string, object: string, extra: object = {}): Change => ({
  kind: 'assert',
  statement: { ...triple(subject, relation, object, true), ...extra },
});
const shown = ({ kind, sides }: Contradiction): unknown => [kind, ...texts(sides.map((side) => side.triple))];
const answers = async (graph: KnowledgeGraph, goal: string): Promise<string[]> =>
  texts((await graph.deduce(BASE, { goal, ...ask })).answers.map((answer) => answer.triple));

t.test('every kind of contradiction is found once, each side with a proof', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [
    declare('born in', { functional: true }),
    declare('loves', { disjointWith: ['hates'] }),
    declare('hates', { disjointWith: ['loves'] }),
    declare('unheard', { functional: true, disjointWith: ['loves'] }),
  ]);
  await graph.addRules(BASE, '"born in"(?x, ?c) :- "born at"(?x, ?h), in(?h, ?c). :- admin(?x), guest(?x). -trusts(?x, ?y) :- hates(?x, ?y).');
  await graph.tell(BASE, [
    say('ann', 'born in', 'Ulm'),
    say('ann', 'born at', 'St. Mary'),
    say('St. Mary', 'in', 'Bern', { confidence: 0.5 }),
    say('bob', 'born in', 'Ulm'),
    say('ann', 'loves', 'bob'),
    say('ann', 'hates', 'bob'),
    say('ann', 'trusts', 'bob'),
    say('bob', 'is a', 'admin'),
    say('bob', 'is a', 'guest'),
    say('cid', 'is a', 'guest'),
    say('bob', 'likes', 'tea'),
    deny('bob', 'likes', 'tea'),
  ]);
  const page = await graph.contradictions(BASE);
  t.match(page, { complete: true, more: false });
  t.same(page.contradictions.map(shown), [
    ['functional', 'born in(ann, Bern)', 'born in(ann, Ulm)'],
    ['disjoint', 'hates(ann, bob)', 'loves(ann, bob)'],
    ['negation', '-likes(bob, tea)', 'likes(bob, tea)'],
    ['negation', '-trusts(ann, bob)', 'trusts(ann, bob)'],
    ['constraint', 'is a(bob, admin)', 'is a(bob, guest)'],
  ]);
  for (const { sides, policy } of page.contradictions)
    for (const { proofId, stands } of sides) {
      t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof), { valid: true });
      t.same([stands, policy], [true, 'keep']);
    }
  const pages: unknown[] = [];
  for (let offset = 0, more = true; more; offset += 2) {
    const part = await graph.contradictions(BASE, { offset, limit: 2 });
    pages.push(...part.contradictions.map(shown));
    ({ more } = part);
  }
  t.same(pages, page.contradictions.map(shown), 'pages together are the whole');
});

/** One person with two birth years, from two sources, told at two times. */
async function years(t: Parameters<typeof open>[0]): Promise<KnowledgeGraph> {
  let now = Date.parse('2024-01-01');
  const { graph } = await open(t, { now: () => now });
  await graph.tell(BASE, [declare('born', { functional: true })]);
  await graph.addRules(BASE, 'old(?x, yes) :- born(?x, ?y), ?y < 1900. young(?x, yes) :- person(?x), not old(?x, yes).');
  await graph.tell(BASE, [say('ann', 'born', literal(1879), { source: 'register', confidence: 0.7 }), say('ann', 'is a', 'person')]);
  now += 1000;
  await graph.tell(BASE, [say('ann', 'born', literal(1978), { source: { document: 'web.html', page: 1 }, confidence: 0.9 })]);
  now += 1000;
  return graph;
}

t.test('a policy decides which fact stands in answers, and what rests on the other falls', async (t) => {
  for (const [policies, year] of [
    [{}, undefined],
    [{ default: { policy: 'newest' } }, 1978],
    [{ default: { policy: 'confident' } }, 1978],
    [{ default: { policy: 'trusted', sources: ['register', 'web.html'] } }, 1879],
    [{ default: { policy: 'trusted', sources: ['web.html'] } }, 1978],
    [{ default: { policy: 'trusted', sources: ['register'] }, relations: { born: { policy: 'newest' } } }, 1978],
    [{ default: { policy: 'newest' }, relations: { born: { policy: 'keep' } } }, undefined],
    [{ relations: { ' born ': { policy: 'newest' } } }, 1978],
  ] as [ConflictPolicies, number | undefined][]) {
    const graph = await years(t);
    await graph.setConflictPolicies(BASE, policies);
    const text = JSON.stringify(policies);
    t.same(await answers(graph, 'born(ann, ?y)'), year === undefined ? ['born(ann, 1879)', 'born(ann, 1978)'] : [`born(ann, ${year})`], text);
    const old = year !== 1978;
    t.same(await answers(graph, 'old(?x, ?y)'), old ? ['old(ann, yes)'] : [], text);
    const young = await graph.deduce(BASE, { goal: 'young(ann, yes)', ...ask });
    t.equal(young.outcome, old ? 'not_entailed' : 'entailed', text);
    for (const { proofId } of young.answers) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof), { valid: true });
    const asked = await graph.ground(BASE, triple('ann', 'born', literal(1879)));
    t.equal(asked.outcome, year === 1978 ? 'refuted' : 'entailed', text);
    t.equal((await graph.prove(BASE, triple('ann', 'born', literal(1978)))) === undefined, year === 1879, text);
    t.equal((await all(graph, triple('ann', 'born', literal(1879)))).length, 1, 'both facts stay stored');
    const [conflict] = (await graph.contradictions(BASE)).contradictions;
    t.same(
      conflict.sides.filter(({ stands }) => stands).map((side) => (side.triple.object.kind === 'literal' ? side.triple.object.value : '')),
      year === undefined ? [1879, 1978] : [year],
    );
  }
});

t.test('a decision follows the facts, and falls with the policy', async (t) => {
  const graph = await years(t);
  await graph.setConflictPolicies(BASE, { default: { policy: 'newest' } });
  t.same(await answers(graph, 'born(ann, ?y)'), ['born(ann, 1978)']);
  await graph.tell(BASE, [unsay('ann', 'born', literal(1978))]);
  t.same(await answers(graph, 'born(ann, ?y)'), ['born(ann, 1879)']);
  await graph.tell(BASE, [say('ann', 'born', literal(1999))]);
  t.same(await answers(graph, 'born(ann, ?y)'), ['born(ann, 1999)']);
  t.match(await graph.whyNot(BASE, { goal: 'old(ann, yes)', ...ask }), { outcome: 'not_entailed', reasons: { attempts: [{ lacking: 1 }] } });
  t.match(await graph.whatIf(BASE, { remove: [triple('ann', 'born', literal(1999))], goal: 'old(ann, yes)', ...ask }), {
    outcome: { before: 'not_entailed', after: 'entailed' },
  });
  t.same(await graph.conflictPolicies(BASE), { default: { policy: 'newest' }, relations: {} });
  t.equal((await graph.rules(BASE)).length, 2, 'the policies are no rule');
  await graph.setConflictPolicies(BASE, {});
  t.same(await answers(graph, 'born(ann, ?y)'), ['born(ann, 1879)', 'born(ann, 1999)']);
});

t.test('policies outlive the process, listeners hear of them, and wrong ones are refused', async (t) => {
  const { graph, store, events } = await open(t);
  await graph.tell(BASE, [declare('born', { functional: true }), say('ann', 'born', literal(1), { confidence: 0.5 }), say('ann', 'born', literal(2))]);
  events.length = 0;
  await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
  t.match(events, [{ relationsChanged: ['born'] }]);
  const again = await open(t, { store });
  t.same(await answers(again.graph, 'born(ann, ?y)'), ['born(ann, 2)']);
  for (const wrong of [
    { default: { policy: 'loudest' } },
    { default: { policy: 'trusted' } },
    { default: { policy: 'newest', sources: ['x'] } },
    { relations: { '': { policy: 'keep' } } },
  ])
    await t.rejects(graph.setConflictPolicies(BASE, wrong as ConflictPolicies), { code: 'invalid_request' }, JSON.stringify(wrong));
});

t.test('of a derived side the weakest stored fact goes; of a broken constraint the weakest premise; a chain of decisions ends', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [declare('in', { functional: true })]);
  await graph.addRules(BASE, 'in(?x, ?z) :- lives(?x, ?y), part(?y, ?z). :- rich(?x), poor(?x). poor(?x) :- in(?x, slum).');
  await graph.tell(BASE, [
    say('ann', 'in', 'city', { confidence: 0.8 }),
    say('ann', 'lives', 'hut', { confidence: 0.9 }),
    say('hut', 'part', 'slum', { confidence: 0.6 }),
    say('bob', 'in', 'slum', { confidence: 0.5 }),
    say('bob', 'is a', 'rich', { confidence: 0.4 }),
  ]);
  await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
  t.same(await answers(graph, 'in(?x, ?y)'), ['in(ann, city)', 'in(bob, slum)']);
  t.same(await answers(graph, 'part(?x, ?y)'), [], 'it made ann live in the slum');
  t.same(await answers(graph, 'lives(?x, ?y)'), ['lives(ann, hut)']);
  t.same(await answers(graph, 'rich(?x)'), []);
  t.same(await answers(graph, 'poor(?x)'), ['is a(bob, poor)']);
});

t.test('relations that exclude each other are a contradiction, whichever of them declares it, and a policy decides it', async (t) => {
  for (const [declaring, other] of [
    ['likes', 'hates'],
    ['hates', 'likes'],
  ]) {
    const { graph } = await open(t);
    await graph.tell(BASE, [declare(declaring, { disjointWith: [other] })]);
    await graph.tell(BASE, [say('a', 'likes', 'b', { confidence: 0.9 }), say('a', 'hates', 'b', { confidence: 0.4 })]);
    t.same((await graph.contradictions(BASE)).contradictions.map(shown), [['disjoint', 'hates(a, b)', 'likes(a, b)']], declaring);
    await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
    t.same(await answers(graph, 'hates(?x, ?y)'), [], declaring);
    t.same(await answers(graph, 'likes(?x, ?y)'), ['likes(a, b)'], declaring);
  }
});

t.test('a broken constraint whose proof is too large to give out is listed without it', async (t) => {
  const { graph } = await open(t, { limits: { proofNodes: 20 } });
  await graph.addRules(BASE, 'reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- next(?x, ?y), reach(?y, ?z). :- reach(n0, n30), reach(?x, n2).');
  await graph.tell(
    BASE,
    Array.from({ length: 30 }, (_, i) => say(`n${i}`, 'next', `n${i + 1}`)),
  );
  const { contradictions, complete, more } = await graph.contradictions(BASE);
  t.same(
    [complete, more, ...contradictions.map(({ sides }) => sides.map(({ triple: each, proofId }) => [each.subject, proofId !== undefined]))],
    [
      true,
      false,
      [
        ['n0', false],
        ['n0', true],
      ],
      [
        ['n0', false],
        ['n1', true],
      ],
    ],
  );
});

t.test('contradictions are those of the time that is asked for', async (t) => {
  const { graph } = await open(t, { now: () => Date.parse('2024-01-01') });
  await graph.tell(BASE, [
    declare('head of', { functional: true }),
    say('lab', 'head of', 'ann', { validFrom: '2010', validTo: '2015' }),
    say('lab', 'head of', 'bob', { validFrom: '2014', validTo: '2030' }),
    say('lab', 'head of', 'cid', { validFrom: '2028' }),
  ]);
  await graph.addRules(BASE, ':- "head of"(?x, ann).');
  const at = async (validAt?: string): Promise<unknown[]> => (await graph.contradictions(BASE, { validAt })).contradictions.map(shown);
  t.same(await at(), []);
  t.same(await at('2012'), [['constraint', 'head of(lab, ann)']]);
  t.same(await at('2014-06-01'), [
    ['functional', 'head of(lab, ann)', 'head of(lab, bob)'],
    ['constraint', 'head of(lab, ann)'],
  ]);
  t.same(await at('2029'), [['functional', 'head of(lab, bob)', 'head of(lab, cid)']]);
  await t.rejects(at('sometime'), { code: 'invalid_time' });
});

t.test('sides whose proofs have steps in common are told with both proofs', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'p(?x, ?y) :- q(?x, ?y). -p(?x, ?y) :- p(?x, ?y), r(?x, ?y).');
  await graph.tell(BASE, [say('a', 'q', 'b'), say('a', 'r', 'b')]);
  const { contradictions } = await graph.contradictions(BASE);
  t.match(contradictions, [{ kind: 'negation', sides: [{ proofId: /^p_/ }, { proofId: /^p_/ }] }]);
});
