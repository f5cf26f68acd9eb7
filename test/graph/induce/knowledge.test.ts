// Owns what learning rules is to a knowledge graph: swans, progress, thresholds, budgets, adoption, rankings.
// Refuses to know how rules are found.

import t from 'tap';
import { Induction } from '../../../graph/induce/induction.ts';
import { Words } from '../../../graph/induce/words.ts';
import { InduceError } from '../../../graph/knowledge.ts';
import type { InduceRequest, InductionEvent, InductionState, KnowledgeGraph } from '../../../graph/knowledge.ts';
import { parseEntityId, parseRelationName, termText, tripleKey } from '../../../graph/terms.ts';
import type { RelationName } from '../../../graph/terms.ts';
import { all, BASE, open, say, triple } from '../../helpers/knowledge-world.ts';

/** Time is no limit here: what is asked for ends by itself. */
const LIMITS = { ms: 3_600_000, rules: 1_000, facts: 100_000 };
const learn = async (graph: KnowledgeGraph, request: Partial<InduceRequest> = {}): Promise<InductionState> =>
  (await graph.induce(BASE, { headCoverage: 0, ...request, limits: { ...LIMITS, ...request.limits } })).ended();
const swans = (from: number, to: number, color: string) =>
  Array.from({ length: to - from }, (_, i) => [say(`swan ${from + i}`, 'is a', 'swan'), say(`swan ${from + i}`, 'has color', color)]).flat();
const colors: RelationName[] = [parseRelationName('has color')];

t.test('white swans teach that swans are white, and a black one lowers it', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, swans(1, 10, 'white'));
  const first = await learn(graph, { relations: colors });
  t.match(first, { status: 'completed', complete: true, facts: 18, version: 1 });
  const white = first.rules.find(({ rule }) => rule.text === '"has color"(?x, white) :- swan(?x).');
  t.match(white, { measures: { support: 9, predictions: 9, headCoverage: 1, confidence: 1, pcaConfidence: 1, lift: 1, exact: true }, counterExamples: [] });
  t.ok(white && white.measures.interval[0] > 0.69 && white.measures.interval[0] < 0.71, 'nine of nine is not certain');
  t.same(white?.examples.length, 3);

  await graph.tell(BASE, swans(10, 11, 'black'));
  const second = await learn(graph, { relations: colors });
  const lowered = second.rules.find(({ rule }) => rule.text === '@confidence(0.9) "has color"(?x, white) :- swan(?x).');
  t.match(lowered, { rule: { confidence: 0.9 }, measures: { support: 9, predictions: 10, confidence: 0.9 } });
  t.same(lowered?.counterExamples.map(tripleKey), [tripleKey(triple('swan 10', 'has color', 'white'))]);
});

t.test('adopted rules derive, with the confidence that was measured', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, [...swans(1, 10, 'white'), ...swans(10, 11, 'black'), say('odette', 'is a', 'swan')]);
  const { id, rules } = await learn(graph, { relations: colors });
  const rule = rules.find(({ rule: { text } }) => text.endsWith('"has color"(?x, white) :- swan(?x).'))?.rule;
  t.ok(rule);
  const adopted = await graph.adopt(BASE, id, [rule?.id ?? '']);
  t.match(adopted, { derived: 2, rules: [{ id: rule?.id }] });
  const [fact] = await all(graph, { subject: parseEntityId('odette'), relation: colors[0] });
  t.match(fact, { derived: true, confidence: 0.818182 });
  t.match(await graph.ground(BASE, triple('odette', 'has color', 'white')), { outcome: 'entailed' });
  await t.rejects(graph.adopt(BASE, id, ['r_none']), { code: 'unknown_rule', message: /"r_none"/ });
  await t.rejects(graph.adopt(BASE, 'ind_none', []), { code: 'unknown_induction' });
});

t.test('paths, inverses and compositions are learned; derived facts count when asked for', async (t) => {
  const { graph } = await open(t);
  const family = Array.from({ length: 12 }, (_, i) => [
    say(`a${i}`, 'parent', `b${i}`),
    say(`b${i}`, 'parent', `c${i}`),
    say(`a${i}`, 'grandparent', `c${i}`),
    say(`c${i}`, 'child of', `b${i}`),
    say(`b${i}`, 'child of', `a${i}`),
  ]).flat();
  await graph.tell(BASE, family);
  const texts = (await learn(graph, { constants: false, confidence: 1 })).rules.map(({ rule }) => rule.text);
  for (const text of [
    'parent(?x, ?y) :- "child of"(?y, ?x).',
    '"child of"(?x, ?y) :- parent(?y, ?x).',
    'grandparent(?x, ?y) :- parent(?x, ?a), parent(?a, ?y).',
  ])
    t.ok(texts.includes(text), `${text} in ${texts.join(' ')}`);
  await graph.addRules(BASE, 'ancestor(?x, ?y) :- parent(?x, ?y).');
  const ancestor = [parseRelationName('ancestor')];
  await t.rejects(learn(graph, { relations: ancestor }), { code: 'unknown_term', message: /"ancestor"/ });
  t.ok((await learn(graph, { relations: ancestor, derived: true })).rules.some(({ rule }) => rule.text === 'ancestor(?x, ?y) :- parent(?x, ?y).'));
});

t.test('what is known to be false teaches what is false', async (t) => {
  const { graph } = await open(t);
  const birds = ['penguin', 'robin'].flatMap((kind) =>
    Array.from({ length: 8 }, (_, i) => [say(`${kind} ${i}`, 'is a', kind), say(`${kind} ${i}`, 'can', 'fly', { negated: kind === 'penguin' })]),
  );
  await graph.tell(BASE, [...birds.flat(), say('pingu', 'is a', 'penguin')]);
  const can = parseRelationName('can');
  const { id, rules } = await learn(graph, { relations: [can] });
  const texts = rules.map(({ rule }) => rule.text);
  t.ok(texts.includes('can(?x, fly) :- robin(?x).'), texts.join(' '));
  const never = rules.find(({ rule }) => rule.text === '@confidence(0.888889) -can(?x, fly) :- penguin(?x).');
  t.match(never, { measures: { support: 8, predictions: 9 }, counterExamples: [{ subject: 'pingu', negated: true }] });
  await graph.adopt(BASE, id, [never?.rule.id ?? '']);
  t.match(await graph.ground(BASE, triple('pingu', 'can', 'fly')), { outcome: 'refuted' });
});

t.test('rules come while they are found, progress in between, and the end last', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, swans(1, 30, 'white'));
  const induction = await graph.induce(BASE, { limits: LIMITS });
  const read = async (): Promise<InductionEvent[]> => {
    const events: InductionEvent[] = [];
    for await (const event of induction.events()) events.push(event);
    return events;
  };
  const [one, two] = await Promise.all([read(), read()]);
  t.match(one[0], { kind: 'progress', state: { status: 'running' } });
  t.match(one.at(-1), { kind: 'end', state: { status: 'completed' } });
  const rules = (events: InductionEvent[]): string[] => events.flatMap((event) => (event.kind === 'rule' ? [event.rule.rule.id] : []));
  t.same(rules(one).toSorted(), induction.state.rules.map(({ rule }) => rule.id).toSorted());
  t.same(rules(two), rules(one));
  t.equal(graph.induction(BASE, induction.id), induction);
});

/** People with several facts each, so that mining takes a while. */
const crowd = (people: number) =>
  Array.from({ length: people }, (_, i) =>
    ['knows', 'likes', 'helps', 'met', 'pays', 'calls'].flatMap((relation, r) =>
      Array.from({ length: 4 }, (_unused, k) => say(`p${i}`, relation, `p${(i * (r + 3) + k * k * 7 + r) % people}`)),
    ),
  ).flat();

t.test('limits and cancelling end an induction cleanly; what was found stays', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, crowd(50));
  // Paths of five steps take far longer, on any machine.
  const late = await learn(graph, { confidence: 0, support: 1, length: 5, limits: { ...LIMITS, ms: 300 } });
  t.match(late, { status: 'completed', complete: false, limit: 'ms' });
  t.match(await learn(graph, { limits: { ...LIMITS, rules: 10, facts: 50 } }), { facts: 50, complete: false, limit: 'facts' });
  const long = await graph.induce(BASE, { confidence: 0, support: 1, length: 5, limits: LIMITS });
  for await (const event of long.events()) if (event.kind === 'rule' || event.state.progress.measured > 0) break;
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(long.state.status, 'running', 'the event loop is free meanwhile');
  long.cancel();
  t.match(await long.ended(), { status: 'cancelled', complete: false });
  await t.rejects(graph.rank(BASE, { relation: parseRelationName('knows'), subject: parseEntityId('p1'), induction: long.id, limits: LIMITS }), InduceError);
  const few = await learn(graph, { confidence: 0.01, length: 2, limits: { ...LIMITS, rules: 5 } });
  t.match(few, { rules: { length: 5 }, complete: false, limit: 'rules' });
  t.match(await learn(graph, { confidence: 0, length: 1, constants: false, limits: { ...LIMITS, rules: 1 } }), { complete: false, limit: 'rules' });
});

t.test('a thread that needs more memory than it may have ends its induction alone', async (t) => {
  const words = new Words();
  for (let i = 0; i < 300_000; i++) words.add(triple(`a${i}`, 'knows', `a${(i * 7) % 300_000}`));
  const induction = new Induction(words, {
    base: BASE,
    version: 1,
    cut: false,
    relations: [0],
    threads: 1,
    heapBytes: 2 ** 24,
    given: 10,
    examples: 1,
    confidenceBy: 'standard',
    options: {
      length: 1,
      constants: true,
      vacuous: [],
      thresholds: { support: 1, confidence: 0, pcaConfidence: 0, headCoverage: 0 },
      ms: 3_600_000,
      rules: 10,
      candidates: 10,
      pairs: 10,
      edges: 10,
      passes: 1,
      seed: 1,
    },
  });
  t.match(await induction.ended(), { status: 'failed', complete: false, error: { code: 'too_large', message: /fewer facts/ } });
});

t.test('what is wrong with a request is said', async (t) => {
  const { graph } = await open(t);
  await graph.tell(BASE, swans(1, 4, 'white'));
  await t.rejects(learn(graph, { length: 9 }), { code: 'invalid_request', message: /length of paths is 9; give a number from 1 to 5/ });
  await t.rejects(learn(graph, { confidence: 1.5 }), { code: 'invalid_request' });
  await t.rejects(learn(graph, { support: 0 }), { code: 'invalid_request' });
  const stopped = AbortSignal.abort(new Error('gone'));
  await t.rejects(learn(graph, { signal: stopped }), { message: 'gone' });
  const rank = { relation: colors[0], limits: LIMITS };
  await t.rejects(graph.rank(BASE, rank), { code: 'invalid_request' });
  await t.rejects(graph.rank(BASE, { ...rank, subject: parseEntityId('nobody') }), { code: 'unknown_term', message: /"nobody"/ });
  await t.rejects(graph.rank(BASE, { ...rank, relation: parseRelationName('none'), subject: parseEntityId('swan 1') }), { code: 'unknown_term' });
  t.match(await learn(graph, { support: 100 }), { status: 'completed', complete: true, rules: [] });
});

t.test('missing links are ranked by what was learned, known ones left out', async (t) => {
  const { graph } = await open(t);
  const lands = ['France', 'Spain', 'Italy'];
  const tongues = ['French', 'Spanish', 'Italian'];
  await graph.tell(
    BASE,
    Array.from({ length: 30 }, (_, i) => [
      say(`p${i}`, 'lives in', lands[i % 3]),
      ...(i === 0 ? [] : [say(`p${i}`, 'speaks', tongues[i % 3])]),
      ...(i % 5 === 1 ? [say(`p${i}`, 'speaks', 'English')] : []),
    ]).flat(),
  );
  const speaks = parseRelationName('speaks');
  const found = await graph.rank(BASE, { relation: speaks, subject: parseEntityId('p0'), limits: LIMITS });
  t.equal(termText(found.candidates[0].term), 'French');
  t.match(found.candidates[0].rules.map(({ text }) => text).join(' '), /speaks\(\?x, French\) :- "lives in"\(\?x, France\)/);
  t.ok(found.candidates[0].score > found.candidates[1].score);
  const again = await graph.rank(BASE, { relation: speaks, object: triple('x', 'speaks', 'French').object, limits: LIMITS, aggregation: 'noisy_or' });
  t.equal(again.induction, found.induction, 'rules are learned once');
  t.match(again.candidates[0].triple, triple('p0', 'speaks', 'French'));
  t.notOk(
    again.candidates.some(({ term }) => termText(term) === 'p3'),
    'p3 is known to speak French',
  );
  const known = await graph.rank(BASE, { relation: speaks, object: triple('x', 'speaks', 'French').object, limits: LIMITS, known: true, limit: 20 });
  t.ok(known.candidates.some(({ term }) => termText(term) === 'p3'));
  await graph.tell(BASE, [say('p0', 'speaks', 'French')]);
  const after = await graph.rank(BASE, { relation: speaks, subject: parseEntityId('p0'), limits: LIMITS });
  t.not(after.induction, found.induction, 'a write makes the rules old');
  t.notOk(after.candidates.some(({ term }) => termText(term) === 'French'));
});
