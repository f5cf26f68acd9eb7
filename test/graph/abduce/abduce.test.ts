// Owns what abduction promises, one sentence at a time: rivals and their order, constraints, negation, open values, what is missing, limits, mistakes.
// Refuses to know any real store.

import t from 'tap';
import type { AbduceBudget, AbduceRequest, AbduceResult, KnowledgeGraph } from '../../../graph/knowledge.ts';
import { literal } from '../../../graph/terms.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import { proofMarkdown } from '../../../graph/reason/proofs/render.ts';
import { all, BASE, declare, node, open, say, texts, triple } from '../../helpers/knowledge-world.ts';

const AMPLE: AbduceBudget = { explanations: 100, size: 4, nodes: 1_000_000, ms: 20_000, facts: 100_000, depth: 1_000 };
type Asked = Omit<Partial<AbduceRequest>, 'observations' | 'budget'> & { readonly budget?: Partial<AbduceBudget> };
const ask = (graph: KnowledgeGraph, observed: string | readonly string[], { budget, ...request }: Asked = {}): Promise<AbduceResult> =>
  graph.abduce(BASE, { observations: typeof observed === 'string' ? [observed] : observed, ...request, budget: { ...AMPLE, ...budget } });
const shown = ({ explanations }: AbduceResult): string[] => explanations.map(({ assume }) => texts(assume).join(' & '));

const GARDEN = `
  @name("rain wets") @say("{place} is wet because it rained") wet(?place) :- rained(?place), not covered(?place).
  @name("sprinklers wet") @confidence(0.8) wet(?place) :- "stands in"(?device, ?place), on(?device).
  on(?device) :- sprinkler(?device), switch(?device, ?who).
`;
async function garden(t: Parameters<typeof open>[0]): Promise<KnowledgeGraph> {
  const { graph } = await open(t);
  await graph.addRules(BASE, GARDEN);
  await graph.tell(BASE, [say('jet', 'stands in', 'lawn'), say('jet', 'is a', 'sprinkler')]);
  return graph;
}

t.test('wet ground has two rival causes, the cheaper first, each with the proof it would complete', async (t) => {
  const graph = await garden(t);
  const before = JSON.stringify(await all(graph));
  const result = await ask(graph, 'wet(lawn)', { assumable: ['rained', { relation: 'on', cost: 2 }] });
  t.same(shown(result), ['is a(lawn, rained)', 'is a(jet, on)']);
  t.match(result, {
    complete: true,
    exhausted: true,
    explanations: [
      { cost: 1, confidence: 1 },
      { cost: 2, confidence: 0.8 },
    ],
  });
  t.notOk('limit' in result);
  for (const { assume, proofs, confidence } of result.explanations) {
    const proof = graph.proof(BASE, proofs[0].proofId as string) as Proof;
    t.match(proof, { kind: 'rule', confidence });
    t.match(await graph.checkProof(BASE, proof, { facts: assume }), { valid: true });
    t.match(await graph.checkProof(BASE, proof), { valid: false, reason: 'the hypothesis was not made' });
  }
  t.match(proofMarkdown(graph.proof(BASE, result.explanations[0].proofs[0].proofId as string) as Proof), /lawn is wet because it rained/);
  t.equal(JSON.stringify(await all(graph)), before, 'nothing was written');
});

t.test('probabilities rank, the confidence of rules counted in, and turn into costs', async (t) => {
  const graph = await garden(t);
  const rivals = async (rain: number, device: number): Promise<AbduceResult> =>
    ask(graph, 'wet(lawn)', {
      assumable: [
        { relation: 'rained', probability: rain },
        { relation: 'on', probability: device },
      ],
    });
  const result = await rivals(0.3, 0.25);
  t.same(shown(result), ['is a(lawn, rained)', 'is a(jet, on)']);
  t.match(result.explanations, [{ probability: 0.3 }, { probability: 0.2, confidence: 0.8 }]);
  t.ok(Math.abs(result.explanations[0].cost + Math.log(0.3)) < 1e-12);
  t.same(shown(await rivals(0.3, 0.36)), ['is a(lawn, rained)', 'is a(jet, on)'], 'what counts is 0.36 times 0.8');
  t.same(shown(await rivals(0.3, 0.4)), ['is a(jet, on)', 'is a(lawn, rained)']);
  t.equal((await rivals(1, 1)).explanations[0].cost, 0);
  const mixed = await ask(graph, 'wet(lawn)', { assumable: ['rained', { relation: 'on', probability: 0.9 }] });
  t.same(
    mixed.explanations.map(({ probability }) => probability),
    [0.9 * 0.8, undefined],
    'without a probability for all, the cheaper comes first',
  );
});

t.test('several assumptions together, and of those only sets of which no part would do', async (t) => {
  const { graph } = await open(t);
  const rules = 'fever(?x) :- flu(?x). fever(?x) :- cold(?x), weak(?x). ache(?x) :- flu(?x). ache(?x) :- fall(?x). ill(?x) :- fever(?x), ache(?x).';
  const assumable = ['flu', 'cold', 'weak', 'fall'];
  t.same(shown(await ask(graph, 'ill(ann)', { rules, assumable })), ['is a(ann, flu)', 'is a(ann, cold) & is a(ann, fall) & is a(ann, weak)']);
  t.same(shown(await ask(graph, ['fever(ann)', 'ache(bob)'], { rules, assumable })), [
    'is a(ann, flu) & is a(bob, fall)',
    'is a(ann, flu) & is a(bob, flu)',
    'is a(ann, cold) & is a(ann, weak) & is a(bob, fall)',
    'is a(ann, cold) & is a(ann, weak) & is a(bob, flu)',
  ]);
  t.same(shown(await ask(graph, 'ill(ann)', { rules, assumable, minimal: 'cost' })), ['is a(ann, flu)']);
  t.same(shown(await ask(graph, 'ill(ann)', { rules, assumable: [{ relation: 'flu', cost: 9 }, 'cold', 'weak', 'fall'], minimal: 'cost' })), [
    'is a(ann, cold) & is a(ann, fall) & is a(ann, weak)',
  ]);
  const small = await ask(graph, 'ill(ann)', { rules, assumable, budget: { size: 1 } });
  t.match([shown(small), small.complete, small.exhausted], [['is a(ann, flu)'], true, false], 'complete as far as it was asked, and larger ones may exist');
  const held = await ask(graph, 'ill(ann)', { rules, assumable, facts: [triple('ann', 'is a', 'flu')] });
  t.match(held, { explanations: [{ assume: [], cost: 0, confidence: 1 }], complete: true, exhausted: true }, 'what holds already needs nothing');
});

t.test('explanations that break a constraint fall: rules without head, contradictions, functional and disjoint relations', async (t) => {
  const graph = await garden(t);
  const assumable = ['rained', 'on'];
  const left = async (rules: string, facts: Asked['facts'] = []): Promise<string[]> => shown(await ask(graph, 'wet(lawn)', { assumable, rules, facts }));
  t.same(await left(':- rained(?x), dusty(?x).', [triple('lawn', 'is a', 'dusty')]), ['is a(jet, on)']);
  t.same(await left(':- flooded(?x). flooded(?x) :- rained(?x), flat(?x).', [triple('lawn', 'is a', 'flat')]), ['is a(jet, on)'], 'through what follows');
  t.same(await left('-rained(?x) :- dry(?y), near(?x, ?y).', [triple('road', 'is a', 'dry'), triple('lawn', 'near', 'road')]), ['is a(jet, on)']);
  t.same(await left('', [triple('jet', 'is a', 'on', true)]), ['is a(lawn, rained)'], 'what is known to be false is not assumed');
  t.same(await left(':- rained(?x), dusty(?x). :- on(?x), dusty(?x).', [triple('lawn', 'is a', 'dusty'), triple('jet', 'is a', 'dusty')]), []);
  t.same(
    await left(':- rained(?x), dusty(?x).', [triple('lawn', 'is a', 'dusty'), triple('road', 'is a', 'dusty'), triple('road', 'is a', 'rained')]),
    ['is a(jet, on)'],
    'a constraint that is broken already is not held against what does not break it anew',
  );
  await graph.tell(BASE, [
    declare('held by', { functional: true }),
    declare('owned by', { disjointWith: ['rented by'] }),
    say('key', 'held by', 'ann'),
    say('car', 'rented by', 'bob'),
  ]);
  const rules = 'in(?x) :- "held by"(key, ?x). drives(?x) :- "owned by"(car, ?x).';
  t.same(shown(await ask(graph, 'in(bob)', { rules, assumable: ['held by'] })), []);
  t.same(shown(await ask(graph, 'drives(bob)', { rules, assumable: ['owned by'] })), []);
  t.same(shown(await ask(graph, 'drives(ann)', { rules, assumable: ['owned by'] })), ['owned by(car, ann)']);
});

t.test('what rule sets exclude is excluded here, too', async (t) => {
  const { graph } = await open(t);
  await graph.useRuleSet(BASE, 'owl2-rl');
  await graph.addRules(BASE, 'barks(?x) :- dog(?x). barks(?x) :- seal(?x).');
  await graph.tell(BASE, [
    say('pets', 'is a', 'all disjoint classes'),
    ...['cat', 'dog', 'bird'].map((name) => say('pets', 'axiom members', name)),
    say('tom', 'is a', 'cat'),
  ]);
  t.same(shown(await ask(graph, 'barks(tom)', { assumable: ['dog', 'seal'] })), ['is a(tom, seal)']);
  t.same(shown(await ask(graph, 'barks(rex)', { assumable: ['dog', 'seal'] })), ['is a(rex, dog)', 'is a(rex, seal)']);
});

t.test('stored facts that do not stand by the policies explain nothing and stand against nothing; those that stand are not contradicted', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(
    BASE,
    'local(?x, ?c) :- "lives in"(?x, ?c), registered(?x). :- "lives in"(?x, ?c), banned(?x, ?c). suspect(?x) :- "lives in"(?x, rome), near(?x). -near(?x) :- abroad(?x).',
  );
  await graph.tell(BASE, [
    declare('lives in', { functional: true }),
    say('ann', 'lives in', 'oslo', { confidence: 0.6 }),
    say('ann', 'lives in', 'rome', { confidence: 0.9 }),
  ]);
  const registered = { assumable: ['registered', '"lives in"(?x, ?c)', 'banned(?x, ?c)'] };
  t.same(shown(await ask(graph, 'local(ann, oslo)', registered)), ['is a(ann, registered)'], 'while all sides stand');
  await graph.setConflictPolicies(BASE, { default: { policy: 'confident' } });
  const none = await ask(graph, 'local(ann, oslo)', registered);
  t.same([shown(none), none.complete], [[], true], 'oslo does not stand, and to assume it would contradict rome');
  const rome = await ask(graph, 'local(ann, rome)', registered);
  t.same(shown(rome), ['is a(ann, registered)']);
  t.match(
    await graph.deduce(BASE, { goal: 'local(ann, rome)', facts: rome.explanations[0].assume, budget: { answers: 1, facts: 1_000, ms: 5_000, depth: 100 } }),
    {
      outcome: 'entailed',
    },
  );
  const proof = graph.proof(BASE, rome.explanations[0].proofs[0].proofId as string) as Proof;
  t.match(await graph.checkProof(BASE, proof, { facts: rome.explanations[0].assume }), { valid: true });
  // A constraint, and what is known to be false by a rule.
  await graph.addRules(BASE, 'odd(?x) :- banned(?x, ?c).');
  t.same(shown(await ask(graph, 'odd(ann)', { assumable: ['banned(ann, oslo)', 'banned(ann, rome)'] })), ['banned(ann, oslo)']);
  t.same(shown(await ask(graph, 'suspect(ann)', { assumable: ['near'] })), ['is a(ann, near)']);
  await graph.tell(BASE, [say('ann', 'is a', 'abroad')]);
  t.same(shown(await ask(graph, 'suspect(ann)', { assumable: ['near'] })), []);
  // Facts of the call are heard, too: nothing stands against them.
  const moved = await ask(graph, 'local(ann, oslo)', { ...registered, facts: [triple('ann', 'lives in', 'oslo')] });
  t.same(shown(moved), ['is a(ann, registered)']);
});

t.test('where a rule says not: an assumption may break it, and another may mend it', async (t) => {
  const { graph } = await open(t);
  const rules = 'alarm(?x) :- smoke(?x), not silenced(?x). silenced(?x) :- smoke(?x), not tested(?x). tested(?x) :- inspector(?y), visits(?y, ?x).';
  const facts = [triple('eve', 'is a', 'inspector')];
  t.same(shown(await ask(graph, 'alarm(house)', { rules, facts, assumable: ['smoke'] })), [], 'smoke alone silences the alarm');
  t.same(shown(await ask(graph, 'alarm(house)', { rules, facts, assumable: ['smoke', 'visits'] })), ['is a(house, smoke) & visits(eve, house)']);
  t.same(
    shown(await ask(graph, 'silenced(house)', { rules, facts: [...facts, triple('eve', 'visits', 'house')], assumable: ['smoke', 'visits'] })),
    [],
    'nothing takes a fact away',
  );
  const guarded = 'late(?x) :- missed(?x, ?bus). :- missed(?x, ?bus), not sick(?x).';
  t.same(
    shown(await ask(graph, 'late(bob)', { rules: guarded, assumable: ['missed(bob, bus7)', 'sick'] })),
    ['is a(bob, sick) & missed(bob, bus7)'],
    'a constraint is met by one more assumption',
  );
});

t.test('what undoes one way to explain does not stand against another', async (t) => {
  const { graph } = await open(t);
  const rules = 'p(?x) :- q(?x). p(?x) :- b(?z), not q(?z), knows(?z, ?x).';
  const facts = [triple('a', 'knows', 'c'), triple('d', 'knows', 'c')];
  t.same(shown(await ask(graph, ['q(a)', 'p(c)'], { rules, facts, assumable: ['q(a)', 'b'] })), ['is a(a, q) & is a(d, b)']);
});

t.test('what rules leave open takes values that are known there or named, or those that are given', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [say('rex', 'bites', 'bob'), say('tom', 'scratches', 'eve'), say('ann', 'visits', 'eve')]);
  const rules = 'hurt(?x) :- bites(?dog, ?x).';
  t.same(
    shown(await ask(graph, 'hurt(ann)', { rules, assumable: ['bites'] })).toSorted(),
    ['bites(ann, ann)', 'bites(rex, ann)'],
    'who bites already, or is named',
  );
  t.same(shown(await ask(graph, 'hurt(ann)', { rules, assumable: ['bites(rex, ?who)'] })), ['bites(rex, ann)']);
  t.same(shown(await ask(graph, 'hurt(ann)', { rules, assumable: ['bites(?x, ?x)'] })), ['bites(ann, ann)']);
  t.same(shown(await ask(graph, 'hurt(ann)', { rules, assumable: ['bites'], values: [node('fido'), literal(3)] })), ['bites(fido, ann)']);
  const joined = 'hurt(?x) :- visits(?x, ?y), scratches(?cat, ?y), angry(?cat).';
  t.same(shown(await ask(graph, 'hurt(ann)', { rules: joined, assumable: ['angry'] })), ['is a(tom, angry)'], 'values come from what is known first');
  const observed = await ask(graph, 'hurt(?who)', { rules: joined, assumable: ['angry'] });
  t.match(observed.explanations, [{ assume: [triple('tom', 'is a', 'angry')], bindings: { who: node('ann') } }], 'an observation may leave open who');
});

t.test('what stands in one of two places that rules join is tried in both; a place of its own keeps its values', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [say('a', 'par', 'b'), say('b', 'par', 'c'), say('p', 'par', 'u'), say('rex', 'bites', 'bob'), say('tom', 'is a', 'cat')]);
  const rules = 'anc(?x, ?z) :- par(?x, ?z). anc(?x, ?z) :- par(?x, ?y), anc(?y, ?z). hurt(?x) :- bites(?dog, ?x). loud(?x) :- dog(?dog), owns(?x, ?dog).';
  const result = await ask(graph, 'anc(a, d)', { rules, assumable: ['par'], budget: { size: 2 } });
  const linked = ['a', 'b', 'c'].flatMap((from) => ['p & p', 'p & u', 'u & u'].map((way) => `par(${from}, ${way.replace(' & ', ') & par(')}, d)`));
  t.same(shown(result).toSorted(), ['par(a, d)', 'par(b, d)', 'par(c, d)', ...linked].toSorted(), 'by p, by u, and by what is known between them');
  t.match(result, { complete: true });
  t.same(
    shown(await ask(graph, 'hurt(ann)', { rules, assumable: ['bites'] })).toSorted(),
    ['bites(ann, ann)', 'bites(rex, ann)'],
    'who is bitten bites nobody for that',
  );
  t.same(
    shown(await ask(graph, 'loud(ann)', { rules, assumable: ['owns', 'dog'] })).toSorted(),
    ['is a(ann, dog) & owns(ann, ann)'],
    'members of another class are no dogs',
  );
});

t.test('no part of an explanation explains, wherever its values come from', async (t) => {
  const { graph } = await open(t);
  const rules = 'pair(?x, ?y) :- met(?y, home), met(?x, ?z). twice(?x) :- met(?x, ?n), age(?x, ?m), ?n = ?m + 1, met(?x, ?k).';
  // At home is nowhere among the values, but whoever is assumed to have met somebody there has met somebody.
  t.same(shown(await ask(graph, 'pair(b, b)', { rules, assumable: ['met'], values: [node('b')] })), ['met(b, home)']);
  t.same(shown(await ask(graph, 'twice(b)', { rules, assumable: ['met'], facts: [triple('b', 'age', literal(6))], values: [node('b')] })), ['met(b, 7)']);
});

t.test('of several that match a fact, the most exact price counts, then the lowest', async (t) => {
  const { graph } = await open(t);
  const rules = 'p(a) :- q(a, b). p(a) :- q(a, c). p(a) :- q(d, d).';
  const { explanations } = await ask(graph, 'p(a)', {
    rules,
    assumable: [
      { relation: 'q', cost: 5 },
      { relation: 'q', cost: 4 },
      { atom: 'q(a, ?x)', cost: 7 },
      { atom: 'q(a, c)', cost: 6 },
    ],
  });
  t.same(
    explanations.map(({ assume, cost }) => [...texts(assume), cost]),
    [
      ['q(d, d)', 4],
      ['q(a, c)', 6],
      ['q(a, b)', 7],
    ],
  );
});

t.test('without anything said to be assumable, what single fact is missing', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'uncle(?x, ?z) :- brother(?x, ?y), parent(?y, ?z). brother(?x, ?y) :- son(?x, ?p), parent(?p, ?y), ?x != ?y.');
  await graph.tell(BASE, [say('bob', 'son', 'ann'), say('ann', 'parent', 'cid'), say('cid', 'parent', 'dan')]);
  t.match(await ask(graph, 'uncle(bob, dan)'), { explanations: [{ assume: [] }] });
  await graph.tell(BASE, [{ kind: 'withdraw', pattern: triple('ann', 'parent', 'cid') }]);
  const result = await ask(graph, 'uncle(bob, dan)', { budget: { size: 1 } });
  t.same(shown(result), ['brother(bob, cid)', 'parent(ann, cid)']);
  t.notOk(shown(result).includes('uncle(bob, dan)'), 'the observation does not explain itself');
  t.notOk(
    shown(await ask(graph, 'uncle(bob, ?who)', { budget: { size: 1 } })).some((each) => each.startsWith('uncle')),
    'whoever it is about',
  );
  await graph.tell(BASE, [declare('brother', { closed: true })]);
  t.notOk(shown(await ask(graph, 'uncle(bob, dan)', { budget: { size: 1 } })).includes('brother(bob, cid)'), 'all of a closed relation is known');
  t.same(shown(await ask(graph, 'uncle(bob, dan)', { assumable: ['uncle'] })), ['uncle(bob, dan)'], 'unless it is said so');
});

t.test('comparisons and literals take part', async (t) => {
  const { graph } = await open(t);
  const rules = 'elder(?x) :- age(?x, ?n), ?n >= 65.';
  t.same(shown(await ask(graph, 'elder(ann)', { rules, assumable: ['age'], values: [literal(64), literal(65), literal('70'), node('old')] })), [
    'age(ann, 65)',
  ]);
});

t.test('functions and aggregates take part', async (t) => {
  const { graph } = await open(t);
  const rules = `
    full(?bus) :- seats(?bus, ?n), ?taken = count { ?who : boards(?who, ?bus) }, ?taken >= ?n.
    heavy(?bus) :- bus(?bus), ?sum = sum { ?kg : boards(?who, ?bus), weighs(?who, ?kg) }, ?sum > 150.
    next(?bus, ?m) :- seats(?bus, ?n), ?m = ?n + 1.`;
  const facts = [
    triple('b7', 'is a', 'bus'),
    triple('b7', 'seats', literal(2)),
    triple('ann', 'boards', 'b7'),
    ...[
      ['ann', 60],
      ['bob', 80],
      ['cid', 70],
      ['eve', 95],
    ].map(([who, kg]) => triple(who as string, 'weighs', literal(kg))),
  ];
  const assumable = ['boards(?who, b7)'];
  t.same(shown(await ask(graph, 'full(b7)', { rules, facts, assumable, values: [node('bob'), node('cid')] })), ['boards(bob, b7)', 'boards(cid, b7)']);
  const heavy = await ask(graph, 'heavy(b7)', { rules, facts, assumable, values: ['bob', 'cid', 'eve'].map(node) });
  t.same(shown(heavy), ['boards(eve, b7)', 'boards(bob, b7) & boards(cid, b7)']);
  t.match(heavy, { complete: true, exhausted: true });
  const [proof] = heavy.explanations[1].proofs;
  t.match(await graph.checkProof(BASE, graph.proof(BASE, proof.proofId as string) as Proof, { rules, facts: [...facts, ...heavy.explanations[1].assume] }), {
    valid: true,
  });
  t.same(shown(await ask(graph, 'next(b8, 4)', { rules, assumable: ['seats'], values: [literal(2), literal(3)] })), ['seats(b8, 3)']);
});

t.test('limits stop it cleanly, with what was found', async (t) => {
  const { graph } = await open(t);
  const rules = 'p(a) :- q(?x), r(?x). path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).';
  const values = Array.from({ length: 300 }, (_, i) => node(`v${i}`));
  const few = await ask(graph, 'p(a)', { rules, assumable: ['q', 'r'], values, budget: { explanations: 7 } });
  t.match(few, { complete: false, limit: 'explanations', explanations: { length: 7 } });
  const cut = await ask(graph, 'path(v0, v1)', { rules, assumable: ['edge'], values, budget: { nodes: 2_000, size: 3 } });
  t.match(cut, { complete: false, limit: 'nodes', exhausted: false });
  t.equal(shown(cut)[0], 'edge(v0, v1)', 'the smallest were found first');
  let turns = 0;
  let next: NodeJS.Immediate | undefined;
  const other = (): void => {
    turns++;
    next = setImmediate(other);
  };
  other();
  const slow = await ask(graph, 'path(v0, v1)', { rules, assumable: ['edge'], values, budget: { nodes: 100_000_000, ms: 700, size: 4 } });
  clearImmediate(next);
  t.match(slow, { complete: false, limit: 'ms' });
  t.ok(turns > 2, 'others had their turn while it ran');
  const tight = await ask(graph, 'path(a, z)', {
    rules,
    facts: Array.from({ length: 50 }, (_, i) => triple(`n${i}`, 'edge', `n${i + 1}`)),
    assumable: ['edge'],
    budget: { facts: 10 },
  });
  t.match(tight, { complete: false, limit: 'facts', explanations: [] });
  const control = new AbortController();
  const aborted = ask(graph, 'path(v0, v1)', { rules, assumable: ['edge'], values, budget: { ms: 60_000, nodes: 100_000_000 }, signal: control.signal });
  setTimeout(() => control.abort(new Error('enough')), 50);
  await t.rejects(aborted, { message: 'enough' });
});

t.test('mistakes are named', async (t) => {
  const { graph } = await open(t);
  const wrong: [Parameters<typeof ask>[1], Asked, { code?: string; message?: RegExp }][] = [
    [[], {}, { code: 'invalid_request', message: /0 observations/ }],
    ['p(', {}, { code: 'syntax' }],
    ['not p(a)', {}, { message: /not/ }],
    ['p(a)', { assumable: [{ relation: 'q', cost: -1 }] }, { code: 'invalid_request', message: /cost of "q" is -1/ }],
    ['p(a)', { assumable: [{ relation: 'q', probability: 2 }] }, { code: 'invalid_request', message: /probability of "q" is 2/ }],
    ['p(a)', { assumable: ['q(?x)('] }, { code: 'syntax' }],
    ['p(a)', { assumable: [{}] }, { code: 'invalid_request', message: /either a relation or an atom/ }],
    ['p(a)', { assumable: ['not q(?x)'] }, { code: 'syntax' }],
    ['p(a)', { assumable: ['  '] }, { code: 'invalid_relation' }],
    ['p(a)', { budget: { size: 0 } }, { code: 'invalid_request', message: /size/ }],
    ['p(a)', { rules: 'p(?x) :- q(?y).' }, { code: 'unsafe' }],
    ['p(a)', { rules: 'p(?x) :- q(?x), not r(?x). r(?x) :- p(?x).' }, { code: 'unstratifiable' }],
  ];
  for (const [observed, request, error] of wrong)
    await ask(graph, observed, request).then(
      () => t.fail(JSON.stringify([observed, request])),
      (caught: unknown) => t.match(caught, error, JSON.stringify([observed, request])),
    );
});
