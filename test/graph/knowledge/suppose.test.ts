// Owns asking what would be: goal-directed deductions from stored facts, what supposed changes bring and take, facts thought away, other times, several proofs.
// Refuses to know any real store.

import t from 'tap';
import type { Proof } from '../../../graph/reason/types.ts';
import { printRules } from '../../../graph/reason/language/print.ts';
import { proofJson, proofMarkdown, proofMermaid } from '../../../graph/reason/proofs/render.ts';
import { literal, tripleKey } from '../../../graph/terms.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { all, BASE, declare, named, open, say, texts, triple } from '../../helpers/knowledge-world.ts';
import type { Change } from '../../../graph/store.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { randomConfidence, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';

const FAMILY = 'ancestor(?x, ?y) :- parent(?x, ?y). ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).';
const ask = { budget: AMPLE };

t.test('a goal about one entity derives only what concerns it, from stored facts and supposed rules', async (t) => {
  const { graph } = await open(t);
  const told: Change[] = [];
  for (let family = 0; family < 60; family++) for (let i = 1; i < 15; i++) told.push(say(`p${family}_${i >> 1}`, 'parent', `p${family}_${i}`));
  await graph.tell(BASE, told);
  const one = await graph.deduce(BASE, { goal: 'ancestor(p9_1, ?x)', rules: FAMILY, ...ask });
  t.match(one, { outcome: 'entailed', complete: true, statistics: { goalDirected: true } });
  t.equal(one.answers.length, 13);
  t.ok(one.statistics.derived < 60, `${one.statistics.derived} derived`);
  const whole = await graph.deduce(BASE, { goal: 'ancestor(?x, ?y)', rules: FAMILY, budget: { ...AMPLE, answers: 1 } });
  t.equal(whole.statistics.goalDirected, undefined);
  t.ok(whole.statistics.derived >= 2_500, `${whole.statistics.derived} derived`);
  for (const { proofId } of one.answers) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, { rules: FAMILY }), { valid: true });
});

t.test('a fact thought away takes with it what rests on it, and the proofs are accepted only without it', async (t) => {
  const { graph, store } = await open(t);
  await graph.addRules(BASE, `${FAMILY} orphan(?x, yes) :- person(?x), not hasParent(?x, yes). hasParent(?x, yes) :- parent(?y, ?x).`);
  await graph.tell(BASE, [say('ann', 'parent', 'bob'), say('bob', 'parent', 'cid'), say('bob', 'is a', 'person'), say('cid', 'is a', 'person')]);
  const before = JSON.stringify([await all(graph), await store.rules(BASE)]);
  const removed = [{ relation: named('parent'), subject: triple('ann', 'x', 'y').subject }];
  const orphans = await graph.deduce(BASE, { goal: 'orphan(?x, yes)', removed, ...ask });
  t.same(texts(orphans.answers.map((answer) => answer.triple)), ['orphan(bob, yes)']);
  const proof = graph.proof(BASE, orphans.answers[0].proofId as string) as Proof;
  t.match(await graph.checkProof(BASE, proof, { removed }), { valid: true });
  t.match(await graph.checkProof(BASE, proof), { valid: false }, 'with the fact in place bob has a parent');
  const used = await graph.deduce(BASE, { goal: 'ancestor(ann, cid)', ...ask });
  t.match(await graph.checkProof(BASE, graph.proof(BASE, used.answers[0].proofId as string) as Proof, { removed }), { valid: false }, 'a proof may not use what is thought away');
  t.match(await graph.deduce(BASE, { goal: 'ancestor(ann, cid)', removed, ...ask }), { outcome: 'not_entailed', complete: true });

  const difference = await graph.whatIf(BASE, { remove: removed, ...ask });
  const listed = (change: string) => texts(difference.consequences.filter((each) => each.change === change).map((each) => each.triple));
  t.same([listed('gained'), listed('lost')], [['orphan(bob, yes)'], ['ancestor(ann, bob)', 'ancestor(ann, cid)', 'hasParent(bob, yes)']]);
  t.match(difference, { counts: { gained: 1, lost: 3, altered: 0 }, complete: true, cursor: undefined });
  for (const { change, proofId } of difference.consequences)
    t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, change === 'lost' ? {} : { removed }), { valid: true }, change);
  t.equal(JSON.stringify([await all(graph), await store.rules(BASE)]), before, 'nothing was written');
  await t.rejects(graph.whatIf(BASE, { remove: [{}], ...ask }), { code: 'invalid_request', message: /is empty/ });
});

t.test('what facts and rules would bring is listed page by page, or for one goal', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, FAMILY);
  await graph.tell(BASE, [...Array.from({ length: 9 }, (_, i) => say(`n${i}`, 'parent', `n${i + 1}`)), say('n0', 'age', literal(70))]);
  const add = [{ ...triple('m', 'parent', 'n0'), confidence: 0.5 }];
  const rules = 'elder(?x, yes) :- ancestor(?x, ?y), ancestor(?y, n9).';
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await graph.whatIf(BASE, { add, rules, budget: { ...AMPLE, answers: 4 }, cursor });
    t.ok(page.consequences.length <= 4);
    t.match(page.counts, { gained: 10 + 9, lost: 0, altered: 0 });
    seen.push(...texts(page.consequences.map((each) => each.triple)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  t.equal(new Set(seen).size, 19);
  t.notOk(seen.includes('parent(m, n0)'), 'what is supposed is no consequence');
  await t.rejects(graph.whatIf(BASE, { add, cursor: '999.4', ...ask }), { code: 'invalid_request', message: /cursor/ });

  t.match(await graph.whatIf(BASE, { add, goal: 'ancestor(m, n3)', ...ask }), {
    outcome: { before: 'not_entailed', after: 'entailed' },
    consequences: [{ change: 'gained', confidence: 0.5, proofId: /^p_/ }],
  });
  t.match(await graph.whatIf(BASE, { add: [triple('n3', 'parent', 'm')], goal: 'ancestor(n8, ?x)', ...ask }), { consequences: [], counts: { gained: 0 } });
  t.match(await graph.whatIf(BASE, { remove: [{ relation: named('parent') }], goal: 'ancestor(n0, n9)', ...ask }), {
    outcome: { before: 'entailed', after: 'not_entailed' },
    consequences: [{ change: 'lost' }],
  });
  t.match(await graph.whatIf(BASE, { add: [{ ...triple('n0', 'ancestor', 'n9'), confidence: 0.25 }], goal: 'ancestor(n0, ?x)', ...ask }), {
    consequences: [{ change: 'altered', before: 1, confidence: 0.25 }],
  });
  t.match(await graph.whatIf(BASE, { add: [triple('n0', 'age', literal(71))], ...ask }), { consequences: [], complete: true });
  await graph.tell(BASE, [declare('age', { functional: true })]);
  t.match(await graph.whatIf(BASE, { add: [triple('n0', 'age', literal(71))], remove: [{ relation: named('age') }], goal: 'age(n0, 70)', ...ask }), {
    outcome: { before: 'entailed', after: 'refuted' },
  });
});

t.test('a deduction is made at another time, and says when it holds', async (t) => {
  const now = Date.parse('2024-06-01');
  const { graph } = await open(t, { now: () => now });
  await graph.addRules(BASE, 'boss(?x, ?z) :- manages(?x, ?y), manages(?y, ?z).');
  await graph.tell(BASE, [
    say('a', 'manages', 'b', { validFrom: '2010-01-01', validTo: '2015-01-01' }),
    say('b', 'manages', 'c', { validFrom: '2012-01-01' }),
    say('c', 'manages', 'd'),
  ]);
  t.match(await graph.deduce(BASE, { goal: 'boss(a, ?x)', ...ask }), { outcome: 'not_entailed' });
  t.match(await graph.deduce(BASE, { goal: 'boss(b, d)', ...ask }), { answers: [{ validFrom: '2012-01-01', validTo: undefined }] });
  const then = await graph.deduce(BASE, { goal: 'boss(a, ?x)', validAt: '2013-05', ...ask });
  t.match(then, { outcome: 'entailed', answers: [{ validFrom: '2012-01-01', validTo: '2015-01-01' }] });
  const proof = graph.proof(BASE, then.answers[0].proofId as string) as Proof;
  t.match(await graph.checkProof(BASE, proof, { validAt: '2013-05' }), { valid: true });
  t.match(await graph.checkProof(BASE, proof), { valid: false, reason: /not in force/ });
  t.match(await graph.deduce(BASE, { goal: 'boss(a, c)', validAt: '2011', ...ask }), { outcome: 'not_entailed' });
  t.match(await graph.deduce(BASE, { goal: 'boss(b, ?x)', ...ask }), { outcome: 'entailed' }, 'now is as before');
  await t.rejects(graph.deduce(BASE, { goal: 'boss(a, c)', validAt: 'yesterday', ...ask }), { code: 'invalid_time' });
});

t.test('all proofs of an answer are given out, lowest first, each accepted', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, `${FAMILY} ancestor(?x, ?y) :- ancestor(?x, ?z), ancestor(?z, ?y).`);
  await graph.tell(BASE, [
    say('a', 'parent', 'b'),
    say('b', 'parent', 'c'),
    say('a', 'parent', 'x'),
    say('x', 'parent', 'c', { confidence: 0.5 }),
    say('c', 'parent', 'a'),
    say('a', 'ancestor', 'c', { confidence: 0.9 }),
  ]);
  const height = (proof: Proof): number => (proof.kind === 'rule' ? 1 + Math.max(...proof.premises.map(height)) : 1);
  const five = await graph.deduce(BASE, { goal: 'ancestor(a, c)', proofs: 5, ...ask });
  const ids = five.answers[0].proofIds as string[];
  t.equal(new Set(ids).size, 5);
  t.equal(ids[0], five.answers[0].proofId);
  const proofs = ids.map((id) => graph.proof(BASE, id) as Proof);
  t.equal(proofs[0].kind, 'fact');
  t.same(proofs.map(height), [1, 3, 3, 3, 3]);
  t.ok(proofs.some(({ confidence }) => confidence === 0.5));
  for (const proof of proofs) t.match(await graph.checkProof(BASE, proof), { valid: true });
  const few = await graph.deduce(BASE, { goal: 'ancestor(b, c)', proofs: 50, ...ask });
  t.ok((few.answers[0].proofIds?.length ?? 0) > 3, 'by way of the circle through a, too');
  const finite = await graph.deduce(BASE, { goal: 'q(a, b)', rules: 'q(?x, ?y) :- r(?x, ?y). q(?x, ?y) :- s(?x, ?y). r(?x, ?y) :- q(?x, ?y).', facts: [triple('a', 'r', 'b'), triple('a', 's', 'b')], proofs: 9, ...ask });
  t.equal(finite.answers[0].proofIds?.length, 2, 'no proof goes in a circle');
});

t.test('a proof as high as the limits allow is found, kept, written and checked, from standing rules and supposed ones; a higher one is refused', async (t) => {
  const { graph } = await open(t, { limits: { proofHeight: 990 } });
  const chain = Array.from({ length: 995 }, (_, i) => triple(`n${i}`, 'parent', `n${i + 1}`));
  for (const rules of [FAMILY, undefined]) {
    if (!rules) {
      await graph.tell(BASE, chain.map((statement) => ({ kind: 'assert', statement })));
      await graph.addRules(BASE, FAMILY);
    }
    const supposed = rules ? { rules, facts: chain } : {};
    const high = await graph.deduce(BASE, { goal: 'ancestor(n6, n995)', ...supposed, ...ask });
    const proof = graph.proof(BASE, high.answers[0].proofId as string) as Proof;
    t.match(await graph.checkProof(BASE, proof, supposed), { valid: true, nodes: 989 * 2 });
    t.ok(JSON.stringify(proofJson(proof)).length > 100_000);
    t.ok(proofMarkdown(proof).split('\n').length > 1_900);
    t.ok(proofMermaid(proof).length > 100_000);
    t.match(await graph.deduce(BASE, { goal: 'ancestor(n0, n995)', ...supposed, ...ask }), { outcome: 'entailed', answers: [{ proofId: undefined }] });
  }
});

t.test('a count has its proof where those that are not shown rest on proofs too high to be shown', async (t) => {
  const { graph } = await open(t);
  const length = 1_500;
  const facts = [
    ...Array.from({ length: 30 }, (_, i) => triple(`m${i}`, 'in', 'club')),
    ...Array.from({ length: 29 }, (_, i) => triple(`m${i + 1}`, 'is a', 'reached')),
    triple(`n${length}`, 'is a', 'reached'),
    triple('m0', 'next', 'n0'),
    ...Array.from({ length }, (_, i) => triple(`n${i}`, 'next', `n${i + 1}`)),
  ];
  const rules = 'reached(?x) :- next(?x, ?y), reached(?y). size(?c, ?n) :- in(_, ?c), ?n = count { ?m : in(?m, ?c), reached(?m) }.';
  const { answers } = await graph.deduce(BASE, { goal: 'size(club, ?n)', rules, facts, ...ask });
  t.match(answers, [{ bindings: { n: literal(30) }, proofId: /^p_/ }]);
  t.match(await graph.checkProof(BASE, graph.proof(BASE, answers[0].proofId as string) as Proof, { rules, facts }), { valid: true });
});

t.test('on 150 random bases what would change is the difference of two worlds derived naively', async (t) => {
  /** Bases in which something changed at all, and each way. */
  const bases = { any: 0, gained: 0, lost: 0, altered: 0 };
  for (let seed = 1, done = 0; done < 150; seed++) {
    const random = seeded(seed);
    const rules = Array.from({ length: 2 + random.below(5) }, () => randomRule(random, random.next() < 0.5));
    if (!naiveStrata(rules)) continue;
    done++;
    const own = rules.filter(() => random.next() < 0.8);
    const facts = new Map(Array.from({ length: 25 }, () => ({ triple: randomTriple(random), confidence: randomConfidence(random) })).map((fact) => [tripleKey(fact.triple), fact]));
    const add = new Map(Array.from({ length: 2 + random.below(4) }, () => ({ triple: randomTriple(random), confidence: randomConfidence(random) })).map((fact) => [tripleKey(fact.triple), fact]));
    const remove = [...facts.values()].filter(() => random.next() < 0.25).map(({ triple: each }) => each);
    const { graph } = await open(t);
    if (own.length > 0) await graph.addRules(BASE, printRules(own));
    await graph.tell(BASE, [...facts.values()].map(({ triple: each, confidence }) => ({ kind: 'assert', statement: { ...each, confidence } })));
    const before = naiveModel(own, [...facts.values()]);
    const gone = new Set(remove.map(tripleKey));
    const after = naiveModel(rules, [...[...facts.values()].filter(({ triple: each }) => !gone.has(tripleKey(each)) && !add.has(tripleKey(each))), ...add.values()]);
    const expected: string[] = [];
    for (const [key, now] of after) {
      const then = before.get(key);
      if (!then && !now.told) expected.push(`gained ${key} ${now.confidence}`);
      if (then && then.confidence !== now.confidence && !(then.told && now.told)) expected.push(`altered ${key} ${now.confidence}`);
    }
    for (const [key, then] of before) if (!after.has(key) && !then.told) expected.push(`lost ${key} ${then.confidence}`);
    const result = await graph.whatIf(BASE, { add: [...add.values()].map(({ triple: each, confidence }) => ({ ...each, confidence })), remove, rules: printRules(rules), ...ask });
    const found = result.consequences.map(({ change, triple: each, confidence }) => `${change} ${tripleKey(each)} ${confidence}`);
    if (JSON.stringify(found.toSorted()) !== JSON.stringify(expected.toSorted())) return t.same(found.toSorted(), expected.toSorted(), `seed ${seed}: ${printRules(rules)}`);
    if (found.length > 0) bases.any++;
    for (const change of ['gained', 'lost', 'altered'] as const) if (result.counts[change] > 0) bases[change]++;
    await graph.close();
  }
  return t.ok(bases.any >= 100 && bases.gained >= 50 && bases.lost >= 50 && bases.altered >= 40, `of 150 bases, those with a change: ${JSON.stringify(bases)}`);
});

t.test('what a limit kept from being derived is not told as lost, and what only the other world has not as gained', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, FAMILY);
  const chain = (name: string): Change[] => Array.from({ length: 10 }, (_, i) => say(`${name}${i}`, 'parent', `${name}${i + 1}`));
  await graph.tell(BASE, chain('n'));
  const partly = await graph.whatIf(BASE, { add: [triple('m', 'parent', 'n0')], budget: { ...AMPLE, facts: 20 } });
  t.match(partly, { complete: false, limit: 'facts', counts: { lost: 0, altered: 0 } });
  const whole = await graph.whatIf(BASE, { add: [triple('m', 'parent', 'n0')], ...ask });
  t.match(whole, { complete: true, counts: { gained: 11, lost: 0, altered: 0 } });
  const gained = new Set(texts(whole.consequences.map((each) => each.triple)));
  t.ok(texts(partly.consequences.map((each) => each.triple)).every((text) => gained.has(text)));

  const small = await open(t, { limits: { standing: { ...AMPLE, facts: 20 } } });
  await small.graph.addRules(BASE, FAMILY);
  await small.graph.tell(BASE, chain('n'));
  const less = await small.graph.whatIf(BASE, { remove: [{ relation: named('parent'), subject: triple('n4', 'x', 'y').subject }], budget: { ...AMPLE, facts: 31 } });
  t.match(less, { complete: false, counts: { gained: 0, altered: 0 } }, 'the supposed world is complete, and the base is not');
});

t.test('a fact supposed replaces the stored one that it would replace if it were written, and no other', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'q(?x, ?y) :- p(?x, ?y).');
  await graph.tell(BASE, [say('a', 'p', 'b', { confidence: 0.9 }), say('c', 'p', 'd', { confidence: 0.9, source: 'register' }), say('e', 'p', 'f', { confidence: 0.8, validTo: '2999' })]);
  const add = [
    { ...triple('a', 'p', 'b'), confidence: 0.2 },
    { ...triple('c', 'p', 'd'), confidence: 0.2 },
    { ...triple('e', 'p', 'f'), confidence: 0.3, validTo: '2999' },
  ];
  const predicted = await graph.whatIf(BASE, { add, ...ask });
  t.same(
    predicted.consequences.map(({ change, triple: each, before, confidence }) => [change, each.subject, before, confidence]),
    [
      ['altered', 'a', 0.9, 0.2],
      ['altered', 'e', 0.8, 0.3],
    ],
  );
  for (const { proofId } of predicted.consequences) t.match(await graph.checkProof(BASE, graph.proof(BASE, proofId as string) as Proof, { facts: add }), { valid: true });
  await graph.tell(BASE, add.map((statement) => ({ kind: 'assert', statement })));
  t.same(
    (await graph.deduce(BASE, { goal: 'q(?x, ?y)', ...ask })).answers.map((answer) => [answer.triple.subject, answer.confidence]).toSorted(),
    [
      ['a', 0.2],
      ['c', 0.9],
      ['e', 0.3],
    ],
    'the write does just that',
  );
});
