// Owns the promise that reading an answer keeps the time it was given, whatever takes long in it, and lets others work meanwhile.
// Refuses to know how fast the machine is: turns of the event loop are counted.

import t from 'tap';
import { literal } from '../../../graph/terms.ts';
import { BASE, open, say, triple } from '../../helpers/knowledge-world.ts';
import type { Change } from '../../../graph/store.ts';

const MS = 600;
const budget = { answers: 10_000, facts: 1_000_000, ms: MS, depth: 10_000 };
const numbers = (count: number): Change[] =>
  Array.from({ length: count }, (_, i) => ['A', 'B', 'C'].map((column) => say(`${column}${i}`, `v${column}`, literal(i)))).flat();
/** What the work gives, and how often others had their turn. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<[T, turns: number]> {
  let [turns, working] = [0, true];
  const turn = (): void => {
    turns++;
    if (working) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  try {
    return [await work(), turns];
  } finally {
    working = false;
  }
}
/** Each turn waits for what works between, tens of milliseconds at most on a machine that does nothing else. */
const OFTEN = 3;

t.test('a constraint whose conditions have nothing in common is searched until the time is over', async (t) => {
  const { graph } = await open(t, { limits: { standing: budget } });
  await graph.tell(BASE, [...numbers(1_000), say('ann', 'is a', 'admin'), say('ann', 'is a', 'guest')]);
  await graph.addRules(BASE, ':- admin(?x), guest(?x). :- vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 0 - 1.');
  const [page, turns] = await turnsDuring(() => graph.contradictions(BASE));
  t.match(page, { complete: false, limit: 'ms', more: true });
  t.ok(turns >= OFTEN, `${turns} turns`);
});

t.test('contradictions that were found before the time is over are shown', async (t) => {
  const { graph } = await open(t, { limits: { standing: budget } });
  await graph.tell(BASE, numbers(1_000));
  await graph.addRules(BASE, ':- vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 0.');
  const page = await graph.contradictions(BASE);
  t.equal(page.limit, 'ms');
  t.equal(page.contradictions.length, 1);
});

for (const [name, rules] of [
  ['a rule whose conditions have nothing in common', 'p(?x) :- vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 0 - 1.'],
  ['conditions that share a variable late', 'p(?x) :- vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), vA(?z, ?c).'],
  ['an aggregate over all pairs', 'p(A1) :- ?n = count{ ?x, ?y, ?z : vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 0 - 1 }, ?n > 0.'],
  ['a rule about one class', 'p(?x) :- "is a"(?x, thing), vA(?w, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 0 - 1.'],
] as const)
  t.test(`${name}: deriving stops when the time is over, and gives way`, async (t) => {
    const { graph } = await open(t);
    await graph.tell(BASE, [...numbers(1_000), say('A1', 'is a', 'thing')]);
    const [result, turns] = await turnsDuring(() => graph.deduce(BASE, { goal: 'p(?x)', rules, budget }));
    t.match(result, { answers: [], complete: false, limit: 'ms' });
    t.ok(turns >= OFTEN, `${turns} turns`);
  });

t.test('a long join that gives way finds what it would find at once', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, numbers(60));
  const rules = 'p(?x, ?y) :- vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 3.';
  const sums = `${rules} q(A1, ?n) :- ?n = count{ ?x, ?y, ?z : vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c = 3 }.`;
  const ample = { ...budget, ms: 120_000 };
  const [pairs, turns] = await turnsDuring(() => graph.deduce(BASE, { goal: 'p(?x, ?y)', rules, budget: ample }));
  t.equal(pairs.answers.length, 10);
  t.ok(turns >= OFTEN, `${turns} turns`);
  const counted = await graph.deduce(BASE, { goal: 'q(A1, ?n)', rules: sums, budget: ample });
  t.same(
    counted.answers.map(({ bindings }) => bindings.n),
    [literal(10)],
  );
});

const PATHS = 't(?x, ?y) :- e(?x, ?y). t(?x, ?z) :- t(?x, ?y), t(?y, ?z).';
t.test('further proofs are looked for until the time is over', async (t) => {
  const { graph } = await open(t);
  const facts = Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, (__, j) => triple(`n${i}`, 'e', `n${j}`))).flat();
  const [result, turns] = await turnsDuring(() => graph.deduce(BASE, { goal: 't(?x, ?y)', proofs: 100, rules: PATHS, facts, budget }));
  t.match(result, { complete: false, limit: 'ms' });
  t.ok(result.answers.some(({ proofIds = [] }) => proofIds.length > 1) || result.answers.length < 400);
  t.ok(turns >= OFTEN, `${turns} turns`);
});

t.test('fewer proofs of one fact than were asked for are not complete, where time or steps came first', async (t) => {
  const { graph } = await open(t);
  const dense = Array.from({ length: 12 }, (_, i) => Array.from({ length: 12 }, (__, j) => triple(`n${i}`, 'e', `n${j}`))).flat();
  for (const goal of ['t(n0, n1)', 't(n0, ?y)']) {
    const result = await graph.deduce(BASE, { goal, proofs: 1_000_000, rules: PATHS, facts: dense, budget });
    t.match(result, { outcome: 'entailed', complete: false, limit: 'ms' }, goal);
    const few = await graph.deduce(BASE, { goal, proofs: 2, rules: PATHS, facts: dense, budget: { ...budget, ms: 60_000 } });
    t.match(few, { complete: true, answers: [{ proofIds: { length: 2 } }] }, goal);
  }
  const one = await graph.deduce(BASE, { goal: 't(n0, n1)', proofs: 1_000_000, rules: PATHS, facts: dense.slice(0, 2), budget });
  t.match(one, { complete: true, answers: [{ proofIds: { length: 1 } }] }, 'there are no more: nothing rests on itself');
});

t.test('the proof of a count over very many ways is looked for until the time is over, and the answer stands without it', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, numbers(70));
  await graph.addRules(BASE, 'p(A1, ?n) :- ?n = count { ?x, ?y, ?z : vA(?x, ?a), vB(?y, ?b), vC(?z, ?c), ?a + ?b + ?c >= 0 }.');
  for (const goal of ['p(A1, ?n)', 'p(A1, 343000)']) {
    const [result, turns] = await turnsDuring(() => graph.deduce(BASE, { goal, budget: { ...budget, ms: 100 } }));
    t.match(result, { outcome: 'entailed', complete: false, limit: 'ms', answers: [{ triple: triple('A1', 'p', literal(343_000)), proofId: undefined }] }, goal);
    t.ok(turns >= OFTEN, `${turns} turns`);
  }
});

t.test('where a limit stops a run over uncertain facts in the middle, what was found is answered, with proofs as far as there are some', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, Array.from({ length: 60 }, (_, i) => say(`n${i}`, 'e', `n${i + 1}`, { confidence: (1 + ((i * 7919) % 997)) / 998 })));
  for (const limit of [{ depth: 4 }, { depth: 5 }, { facts: 900 }, { facts: 1_500 }])
    for (const goal of ['t(?x, ?y)', undefined]) {
      const { answers, ...result } = await graph.deduce(BASE, { ...(goal === undefined ? {} : { goal }), rules: PATHS, budget: { ...budget, ms: 60_000, ...limit } });
      t.match(result, { outcome: 'entailed', complete: false, limit: Object.keys(limit)[0] }, JSON.stringify(limit));
      t.ok(answers.length > 0 && answers.every(({ confidence }) => confidence > 0 && confidence <= 1), `${answers.length} answers`);
    }
});

t.test('of very many differences as many are proven as there is time for, and all are counted', async (t) => {
  const { graph } = await open(t);
  const length = 4_000;
  const rules = 'p(?x, ?y) :- e(?x, ?y). p(?x, ?z) :- e(?x, ?y), p(?y, ?z).';
  await graph.tell(BASE, Array.from({ length }, (_, i) => say(`n${i}`, 'e', `n${i + 1}`)));
  for (const goal of ['p(n0, ?x)', `p(?x, n${length})`]) {
    const [{ consequences, counts, statistics }, turns] = await turnsDuring(() => graph.whatIf(BASE, { goal, rules, budget }));
    t.same([consequences.length, counts], [length, { gained: length, lost: 0, altered: 0 }]);
    t.ok(consequences[10].proofId !== undefined && consequences.at(-1)?.proofId === undefined, goal);
    t.ok(turns >= OFTEN && statistics.ms < 10 * MS, `${turns} turns, ${statistics.ms} ms`);
  }
});

t.test('what follows no longer of a goal is what was said of it before', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [...Array.from({ length: 9 }, (_, i) => say(`n${i}`, 'e', `n${i + 1}`)), say('n0', 'p', 'n7')]);
  await graph.addRules(BASE, 'p(?x, ?y) :- e(?x, ?y). p(?x, ?z) :- e(?x, ?y), p(?y, ?z).');
  const lost = async (goal: string): Promise<(string | undefined)[]> => {
    const { consequences } = await graph.whatIf(BASE, { goal, remove: [triple('n4', 'e', 'n5')], budget });
    return consequences.map(({ change, triple: { subject, object }, proofId }) => proofId && `${change} ${subject} ${object.kind === 'entity' ? object.id : ''}`);
  };
  t.same(await lost('p(n0, ?x)'), ['lost n0 n5', 'lost n0 n6', 'lost n0 n8', 'lost n0 n9']);
  t.same(await lost('p(?x, n5)'), ['lost n4 n5', 'lost n3 n5', 'lost n2 n5', 'lost n1 n5', 'lost n0 n5']);
});

t.test('thousands of differences give way to others', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, Array.from({ length: 1_500 }, (_, i) => say(`n${i}`, 'e', `n${i + 1}`)));
  const [{ consequences }, turns] = await turnsDuring(() => graph.whatIf(BASE, { rules: 'p(?x, ?z) :- e(?x, ?y), e(?y, ?z).', budget: { ...budget, ms: 60_000 } }));
  t.equal(consequences.filter(({ proofId }) => proofId !== undefined).length, 1_499);
  t.ok(turns > 8, `${turns} turns`);
});

t.test('why something does not follow is looked for until the time is over', async (t) => {
  const { graph } = await open(t);
  const facts = Array.from({ length: 40 }, (_, i) => triple(`n${i}`, 'e', `n${i + 1}`));
  const [result, turns] = await turnsDuring(() => graph.whyNot(BASE, { goal: 't(n39, n1)', depth: 16, attempts: 100, rules: PATHS, facts, budget }));
  t.match(result, { outcome: 'not_entailed', complete: false, limit: 'ms' });
  t.ok(turns >= OFTEN, `${turns} turns`);
});
t.test('so is why nothing of a kind is not nothing, and what an aggregate comes to', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, numbers(1_000));
  for (const body of ['not exists { vA(?u, ?a), vB(?v, ?b), vC(?w, ?c), ?a + ?b + ?c = 0 - 1 }, "is a"(?x, nothing)', '?n = count{ ?u : vA(?u, ?a), vB(?v, ?b), vC(?w, ?c), ?a + ?b + ?c = 0 - 1 }, ?n > 5, "is a"(?x, nothing)']) {
    const [result, turns] = await turnsDuring(() => graph.whyNot(BASE, { goal: 'p(A1)', rules: `p(?x) :- ${body}.`, budget }));
    t.match(result, { complete: false, limit: 'ms' });
    t.ok(turns >= OFTEN, `${turns} turns`);
  }
});
