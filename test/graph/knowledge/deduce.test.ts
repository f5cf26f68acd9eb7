// Owns asking for what follows, with hypotheses and without: answers, bindings, limits, proofs, and that nothing is written.
// Refuses to know any real store.

import t from 'tap';
import type { DeduceRequest, DeduceResult, KnowledgeGraph } from '../../../graph/knowledge.ts';
import { literal } from '../../../graph/terms.ts';
import { parseGoal } from '../../../graph/reason/language/parse.ts';
import type { Budget, Proof } from '../../../graph/reason/types.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { all, BASE, declare, open, say, texts, triple } from '../../helpers/knowledge-world.ts';

const FAMILY = 'ancestor(?x, ?y) :- parent(?x, ?y). ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).';
const shown = ({ answers }: DeduceResult): string[] => texts(answers.map((answer) => answer.triple));
const ask = (graph: KnowledgeGraph, request: Partial<DeduceRequest>, budget: Partial<Budget> = {}): Promise<DeduceResult> =>
  graph.deduce(BASE, { ...request, budget: { ...AMPLE, ...budget } });

async function family(t: Parameters<typeof open>[0], rules = FAMILY): ReturnType<typeof open> {
  const world = await open(t);
  if (rules !== '') await world.graph.addRules(BASE, rules);
  await world.graph.tell(BASE, [
    say('ann', 'parent', 'bob'),
    say('bob', 'parent', 'cid', { confidence: 0.5 }),
    say('cid', 'parent', 'cid'),
    say('ann', 'age', literal(70)),
  ]);
  return world;
}

t.test('a goal is answered alike from standing rules and from the same rules as hypotheses', async (t) => {
  const standing = await family(t);
  const bare = await family(t, '');
  const goals = [
    'ancestor(ann, ?x)',
    'ancestor(?x, cid)',
    'ancestor(?x, ?y)',
    'ancestor(?x, ?x)',
    'ancestor(ann, cid)',
    'ancestor(cid, ann)',
    'parent(ann, ?x)',
    'parent(?x, ?x)',
    'age(?x, ?n)',
    'age(?x, 70)',
    'age(?x, "70"^^string)',
    'nothing(?x, ?y)',
    '-ancestor(?x, ?y)',
  ];
  const view = ({ outcome, answers, complete }: DeduceResult): unknown => ({
    outcome,
    complete,
    answers: answers.map(({ bindings, confidence, triple: { object } }) => JSON.stringify([bindings, confidence, object])).toSorted(),
  });
  for (const goal of goals) {
    const [one, other] = [await ask(standing.graph, { goal }), await ask(bare.graph, { goal, rules: FAMILY })];
    t.same(view(one), view(other), goal);
    t.same(view(await ask(standing.graph, { goal: parseGoal(goal) })), view(one), `${goal} built`);
  }
  const result = await ask(standing.graph, { goal: 'ancestor(ann, ?who)' });
  t.match(result, { outcome: 'entailed', complete: true, statistics: { derived: 0, rounds: 0 } });
  t.same(
    result.answers.map(({ bindings, confidence }) => [bindings, confidence]),
    [
      [{ who: { kind: 'entity', id: 'bob' } }, 1],
      [{ who: { kind: 'entity', id: 'cid' } }, 0.5],
    ],
  );
  t.same(shown(await ask(standing.graph, { goal: 'ancestor(?x, ?x)' })), ['ancestor(cid, cid)']);
  t.match(await ask(standing.graph, { goal: 'ancestor(cid, ann)' }), { outcome: 'not_entailed', answers: [], complete: true });
});

t.test('hypotheses hold for one call, and their proofs are accepted only with them', async (t) => {
  const { graph, events, store } = await family(t);
  const before = JSON.stringify([await all(graph), await store.rules(BASE)]);
  events.length = 0;
  const hypothesis = {
    rules: 'related(?x, ?y) :- ancestor(?x, ?y), not friend(?x, ?y).',
    facts: [{ ...triple('cid', 'parent', 'dan'), confidence: 0.5 }, triple('ann', 'friend', 'bob')],
  };
  const result = await ask(graph, { goal: 'related(ann, ?x)', ...hypothesis });
  t.same(shown(result), ['related(ann, cid)', 'related(ann, dan)']);
  for (const {
    proofId,
    confidence,
    triple: { object },
  } of result.answers) {
    const proof = graph.proof(BASE, proofId as string) as Proof;
    t.equal(proof.confidence, confidence);
    t.match(await graph.checkProof(BASE, proof, hypothesis), { valid: true }, JSON.stringify(object));
    t.match(await graph.checkProof(BASE, proof), { valid: false });
    t.match(
      await graph.checkProof(BASE, proof, { ...hypothesis, facts: [...hypothesis.facts, triple('ann', 'friend', 'cid'), triple('ann', 'friend', 'dan')] }),
      { valid: false, reason: /is not absent/ },
    );
  }
  t.equal(JSON.stringify([await all(graph), await store.rules(BASE)]), before);
  t.same(events, []);
  t.match(await ask(graph, { goal: 'related(ann, ?x)' }), { outcome: 'not_entailed', answers: [] });
});

t.test('without a goal, what the hypotheses add is listed', async (t) => {
  const { graph } = await family(t);
  t.same(shown(await ask(graph, { rules: 'elder(?x) :- age(?x, ?n), ?n > 65.' })), ['is a(ann, elder)']);
  t.same(shown(await ask(graph, { facts: [triple('cid', 'parent', 'dan')] })), ['ancestor(ann, dan)', 'ancestor(bob, dan)', 'ancestor(cid, dan)']);
  t.same(shown(await ask(graph, {})), texts(await all(graph, {}, { derived: 'only' })));
});

t.test('a goal without variables may be refuted, with its reason', async (t) => {
  const { graph } = await family(t);
  await graph.tell(BASE, [declare('parent', { closed: true }), declare('age', { functional: true })]);
  for (const hypothetical of [false, true]) {
    const facts = hypothetical ? [triple('x', 'y', 'z')] : [];
    for (const goal of ['age(ann, 3)', 'parent(cid, ann)']) {
      const result = await ask(graph, { goal, facts });
      t.match(result, { outcome: 'refuted', answers: [], complete: true, refutation: { confidence: 1 } }, goal);
      t.match(await graph.checkProof(BASE, graph.proof(BASE, result.refutation?.proofId as string) as Proof, { facts }), { valid: true });
    }
    t.match(await ask(graph, { goal: '-age(ann, 3)', facts }), { outcome: 'entailed', answers: [{ bindings: {}, confidence: 1 }] });
  }
  t.match(await ask(graph, { goal: 'parent(cid, ann)', facts: [triple('cid', 'parent', 'ann')] }), { outcome: 'entailed' });
});

t.test('each limit stops the call, is named, and leaves the base as it was', async (t) => {
  const { graph } = await open(t);
  await graph.tell(
    BASE,
    Array.from({ length: 50 }, (_, i) => say(`n${i}`, 'parent', `n${i + 1}`)),
  );
  const limited = async (budget: Partial<Budget>, goal: string | undefined = 'ancestor(?x, ?y)'): Promise<DeduceResult> =>
    ask(graph, { goal, rules: FAMILY }, budget);
  t.match(await limited({}), { complete: true, statistics: { derived: 1275 } });
  for (const goal of ['ancestor(?x, ?y)', undefined]) {
    const few = await limited({ answers: 10 }, goal);
    t.match({ ...few, answers: few.answers.length }, { outcome: 'entailed', answers: 10, complete: false, limit: 'answers' });
  }
  const facts = await limited({ facts: 100 });
  t.match({ ...facts, answers: facts.answers.length }, { answers: 100, complete: false, limit: 'facts' });
  const depth = await limited({ depth: 3 });
  t.match({ complete: depth.complete, limit: depth.limit, answers: depth.answers.length }, { complete: false, limit: 'depth', answers: 50 + 49 + 48 });
  t.match(await ask(graph, { goal: 'ancestor(n0, n40)', rules: FAMILY }, { facts: 20 }), { outcome: 'not_entailed', complete: false, limit: 'facts' });
  t.match(await ask(graph, { goal: 'ancestor(n0, n1)', rules: FAMILY }, { facts: 60 }), { outcome: 'entailed', complete: true }, 'what is decided is decided');
  await graph.tell(
    BASE,
    Array.from({ length: 700 }, (_, i) => say(`m${i % 100}`, 'parent', `m${(i * 7 + Math.floor(i / 100) * 13) % 100}`)),
  );
  t.match(await limited({ ms: 0.001 }), { complete: false, limit: 'ms' });
  t.same(await all(graph, {}, { derived: 'only' }), []);
  const leave = new AbortController();
  leave.abort(new Error('left'));
  await t.rejects(ask(graph, { goal: 'ancestor(?x, ?y)', rules: FAMILY, signal: leave.signal }), { message: 'left' });
  for (const budget of [{ answers: 0 }, { ms: -1 }, { facts: Number.NaN }])
    await t.rejects(limited(budget), { name: 'KnowledgeError', code: 'invalid_request' });
});

t.test('goals and rules that are wrong are refused with their place', async (t) => {
  const { graph } = await family(t);
  await t.rejects(ask(graph, { goal: 'ancestor(ann ?x)' }), { name: 'RuleError', code: 'syntax', line: 1, column: 14 });
  await t.rejects(ask(graph, { goal: 'p(?x, ?y)', rules: 'p(?x, ?z) :- q(?x, ?y).' }), { name: 'RuleError', code: 'unsafe' });
  await t.rejects(ask(graph, { goal: 'age(?x, ?y)', rules: 'parent(?x, ?y) :- p(?x, ?y), not ancestor(?x, ?y).' }), {
    name: 'RuleError',
    code: 'unstratifiable',
  });
  await t.rejects(ask(graph, { goal: { ...parseGoal('p(?x, ?y)'), absent: true } }), { code: 'invalid_request' });
  await t.rejects(ask(graph, { goal: { ...parseGoal('p(?x, ?y)'), subject: literal(3) } }), { code: 'invalid_request' });
  await t.rejects(ask(graph, { facts: [{ ...triple('a', 'b', 'c'), confidence: 2 }] }), { name: 'TermError', code: 'invalid_confidence' });
});

t.test('where standing rules reached their limit, a goal gets its own budget', async (t) => {
  const { graph } = await open(t, { limits: { standing: { ...AMPLE, facts: 20 } } });
  await graph.addRules(BASE, `${FAMILY} noise(?x, ?y) :- noise(?x, ?z), noise(?z, ?y).`);
  await graph.tell(BASE, [
    ...Array.from({ length: 12 }, (_, i) => say(`a${i}`, 'noise', `a${i + 1}`)),
    say('ann', 'parent', 'bob'),
    say('bob', 'parent', 'cid'),
  ]);
  t.match(await graph.bases(), [{ partial: 'facts' }]);
  const result = await ask(graph, { goal: 'ancestor(ann, ?x)' });
  t.same([result.complete, shown(result), result.statistics.derived], [true, ['ancestor(ann, bob)', 'ancestor(ann, cid)'], 2]);
});

t.test('each of the facts that tell one triple is evidence of its own, and has proofs of its own', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [say('y', 'is a', 'h', { source: 's1', confidence: 0.4 }), say('y', 'is a', 'h', { source: 's2', confidence: 0.7 })]);
  const m = { goal: 'm(y)', rules: 'm(?x) :- h(?x).' };
  for (const [semantics, confidence] of [
    ['best', 0.7],
    ['possibility', 0.7],
    ['noisy_or', 0.82],
    ['exact', 0.82],
  ] as const)
    t.ok(Math.abs((await ask(graph, { ...m, semantics })).answers[0].confidence - confidence) < 1e-9, semantics);
  const facts = [
    { ...triple('y', 'is a', 'h'), source: 's3', confidence: 0.5 },
    { ...triple('y', 'is a', 'h'), source: 's1', confidence: 0.45 },
  ];
  t.ok(Math.abs((await ask(graph, { ...m, facts, semantics: 'exact' })).answers[0].confidence - (1 - 0.55 * 0.3 * 0.5)) < 1e-9, 'what is supposed of a stored fact is no other fact');
  for (const supposed of [[], facts]) {
    const { answers } = await ask(graph, { ...m, facts: supposed, proofs: 9 });
    const proofs = (answers[0].proofIds as string[]).map((id) => graph.proof(BASE, id) as Proof);
    t.same(
      proofs.map(({ confidence }) => confidence),
      supposed.length === 0 ? [0.7, 0.4] : [0.7, 0.5, 0.45],
    );
    for (const proof of proofs) t.match(await graph.checkProof(BASE, proof, { rules: m.rules, facts: supposed }), { valid: true });
  }
});

t.test('exact probability where rules deny and count', async (t) => {
  const { graph } = await open(t);
  const e = (object: string, confidence: number, subject = 'a') => ({ ...triple(subject, 'e', object), confidence });
  const exact = (rules: string, goal: string, facts: DeduceRequest['facts']) => ask(graph, { rules, goal, facts, semantics: 'exact' });
  const one = async (rules: string, goal: string, facts: DeduceRequest['facts']): Promise<unknown> => {
    const { outcome, complete, answers } = await exact(rules, goal, facts);
    return [outcome, complete, ...answers.map(({ confidence }) => Math.round(confidence * 1e9) / 1e9)];
  };
  const p = { ...triple('a', 'p', 'c'), confidence: 0.8 };
  t.same(await one('q(?x) :- e(?x, ?y), not p(?x, _).', 'q(a)', [e('b', 0.5), p]), ['entailed', true, 0.1]);
  t.same(await one('q(?x) :- e(?x, ?y), not exists { p(?x, ?z), ?z != b }.', 'q(a)', [e('b', 0.5), p]), ['entailed', true, 0.1]);
  const few = 'few(?x) :- g(?x), count { ?y : e(?x, ?y) } <= 1.';
  t.same(await one(few, 'few(a)', [triple('a', 'is a', 'g'), e('b', 0.5), e('c', 0.5)]), ['entailed', true, 0.75]);
  t.same(await one(`${few} many(?x) :- g(?x), not few(?x).`, 'many(?x)', [triple('a', 'is a', 'g'), e('b', 0.5), e('c', 0.5)]), ['entailed', true, 0.25]);
  // What counts about another class has no say.
  const classes = 'few(?x) :- g(?x), not e(?x, _). many(?x) :- n(?x, ?n), ?n > 2. n(?x, ?n) :- g(?x), ?n = count { ?y : e(?x, ?y) }.';
  t.match(await exact(classes, 'few(a)', [triple('a', 'is a', 'g'), e('b', 0.5)]), { outcome: 'entailed', complete: true, answers: [{ confidence: 0.5 }] });
  await t.rejects(exact(classes, 'many(a)', [triple('a', 'is a', 'g'), e('b', 0.5)]), { code: 'invalid_request' });
  await t.rejects(exact('n(?x, ?n) :- g(?x), ?n = count { ?y : e(?x, ?y) }.', 'n(a, ?n)', [triple('a', 'is a', 'g'), e('b', 0.5)]), {
    code: 'invalid_request',
    field: 'semantics',
    message: /concludes from the number itself.*"noisy_or" or "possibility"$/,
  });
});

t.test('facts that are supposed have their time, and a proof is accepted with no weaker ones', async (t) => {
  const { graph } = await open(t, { now: () => Date.parse('2024-01-01') });
  const rules = 'r(?x) :- q(?x), s(?x).';
  const facts = [
    { ...triple('a', 'is a', 'q'), confidence: 0.9, validFrom: '2020', validTo: '2030' },
    { ...triple('a', 'is a', 's'), validFrom: '2022' },
  ];
  const { answers } = await ask(graph, { goal: 'r(a)', rules, facts });
  t.match(answers, [{ confidence: 0.9, validFrom: '2022', validTo: '2030' }]);
  const proof = graph.proof(BASE, answers[0].proofId as string) as Proof;
  t.match(await graph.checkProof(BASE, proof, { rules, facts }), { valid: true });
  for (const weaker of [{ confidence: 0.1 }, { confidence: 1 }, { validTo: '2025' }, { validFrom: undefined }])
    t.match(await graph.checkProof(BASE, proof, { rules, facts: [{ ...facts[0], ...weaker }, facts[1]] }), { valid: false, reason: /not made as the proof tells it/ }, JSON.stringify(weaker));
});

t.test('a count holds as long as all that is counted, be it more than its proof shows', async (t) => {
  const { graph } = await open(t);
  await graph.addRules(BASE, 'seat(?b, ?m) :- member(?m, ?b). size(?b, ?n) :- board(?b), ?n = count{?m : seat(?b, ?m)}.');
  await graph.tell(BASE, [
    say('b', 'is a', 'board'),
    ...Array.from({ length: 60 }, (_, i) => say(`m${i}`, 'member', 'b', i === 30 ? { validFrom: '2001', validTo: '2090' } : i === 3 ? { validFrom: '2000' } : {})),
  ]);
  for (const goal of ['size(b, ?n)', 'size(b, 60)']) {
    const { answers } = await ask(graph, { goal });
    t.match(answers, [{ validFrom: '2001', validTo: '2090' }], goal);
    const proof = graph.proof(BASE, answers[0].proofId as string) as Proof;
    t.notMatch(JSON.stringify(proof), '"m30"', 'what is shown stays short');
    t.match(await graph.checkProof(BASE, proof), { valid: true });
  }
  t.match((await graph.match(BASE, { relation: parseGoal('size(b, 60)').relation })).items, [{ validFrom: '2001', validTo: '2090' }]);
});

t.test('a circle among the rules of a request is told with its place', async (t) => {
  const { graph } = await family(t);
  const circle = 'ok(?x) :- parent(?x, ?y).\nin(?x) :- parent(?x, ?y), not out(?x).\nout(?x) :- parent(?x, ?y), not in(?x).';
  const place = { name: 'RuleError', code: 'unstratifiable', line: 3, column: 1 };
  await t.rejects(ask(graph, { goal: 'in(ann)', rules: circle }), place);
  await t.rejects(graph.whatIf(BASE, { rules: circle, budget: AMPLE }), place);
  await t.rejects(graph.whyNot(BASE, { goal: 'in(ann)', rules: circle, budget: AMPLE }), place);
  await t.rejects(ask(graph, { rules: '[{"heads": [}]' }), { code: 'syntax', line: 1, column: 13 });
  await t.rejects(ask(graph, { rules: '[\n  {"heads": []' }), { code: 'syntax', line: 2 });
  const json = ['in', 'out'].map((name, i) => ({
    heads: [{ relation: 'is a', subject: '?x', object: name }],
    body: [
      { relation: 'parent', subject: '?x', object: '?y' },
      { relation: 'is a', subject: '?x', object: i === 0 ? 'out' : 'in', absent: true },
    ],
  }));
  await t.rejects(ask(graph, { goal: 'in(ann)', rules: json }), { code: 'unstratifiable', path: /^rules\[[01]\]$/ });
});

t.test('where a fact has more ways to follow than are looked at, it is said that proofs may be missing', async (t) => {
  const { graph } = await open(t);
  for (const count of [900, 1_100]) {
    // Every way but the one by w0 goes round in a circle.
    const facts = [triple('w0', 'is a', 'sound'), ...Array.from({ length: count }, (_, i) => triple('q', 'via', `w${i}`))];
    const request = { goal: 'good(q)', rules: 'good(?x) :- via(?x, ?y), sound(?y). sound(?y) :- via(?x, ?y), good(?x).', facts, budget: AMPLE };
    const { answers, complete } = await graph.deduce(BASE, { ...request, proofs: 2 });
    t.equal(answers.length, 1);
    t.equal(complete, count < 1_000, `${count} ways`);
    t.ok(answers[0].proofId);
  }
});

t.test('a goal finds what has a proof as high as the limit, however many steps it takes to ask for it', async (t) => {
  const { graph } = await open(t);
  const facts = Array.from({ length: 30 }, (_, i) => triple(`n${i}`, 'e', `n${i + 1}`));
  for (const step of ['e(?x, ?y), p(?y, ?z)', 'p(?x, ?y), e(?y, ?z)', 'p(?x, ?y), p(?y, ?z)'])
    for (const depth of [1, 2, 4, 7]) {
      const found = (goal?: string): Promise<DeduceResult> => ask(graph, { goal, facts, rules: `p(?x, ?y) :- e(?x, ?y). p(?x, ?z) :- ${step}.` }, { depth });
      const every = shown(await found()).filter((text) => text.startsWith('p('));
      t.same(shown(await found('p(n0, ?x)')), every.filter((text) => text.startsWith('p(n0,')));
      t.same(shown(await found('p(?x, n20)')), every.filter((text) => text.endsWith(', n20)')));
      for (const end of [depth, depth + 1, 30]) t.equal((await found(`p(n0, n${end})`)).outcome, every.includes(`p(n0, n${end})`) ? 'entailed' : 'not_entailed', `${step} ${depth} ${end}`);
    }
});
