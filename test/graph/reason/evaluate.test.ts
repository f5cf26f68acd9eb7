// Owns the comparison of the engine with the naive meaning of random programs: what follows, how sure it is, why, and that circles of negation are refused.
// Refuses to know stores.

import t from 'tap';
import { checkProof } from '../../../graph/reason/proofs/checker.ts';
import { RuleError } from '../../../graph/reason/errors.ts';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import { Database } from '../../../graph/reason/tables/database.ts';
import { entity, literal, parseEntityId, parseRelationName, tripleKey } from '../../../graph/terms.ts';
import type { Term } from '../../../graph/terms.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { AMPLE, contents, grounds, listed, mutations, proofs, run } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { randomConfidence, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';

const told = (subject: string, relation: string, object: string | Term, confidence = 1): Told => ({
  triple: {
    subject: parseEntityId(subject),
    relation: parseRelationName(relation),
    object: typeof object === 'string' ? entity(parseEntityId(object)) : object,
  },
  confidence,
});

t.test('1,500 random programs derive exactly what naive evaluation derives, with the same confidences', async (t) => {
  let [compared, circles, derived, negations, differ] = [0, 0, 0, 0, 0];
  for (let seed = 1; compared < 1_500; seed++) {
    const random = seeded(seed);
    const weighted = random.next() < 0.5;
    const rules = Array.from({ length: 1 + random.below(6) }, () => randomRule(random, weighted));
    const facts = Array.from({ length: 10 + random.below(30) }, (): Told => ({
      triple: randomTriple(random),
      confidence: weighted ? randomConfidence(random) : 1,
    }));
    if (!naiveStrata(rules)) {
      circles++;
      try {
        run(rules, facts);
        t.fail(`seed ${seed}: a circle of negation was let pass`);
      } catch (error) {
        if (!(error instanceof RuleError) || error.code !== 'unstratifiable') throw error;
      }
      continue;
    }
    compared++;
    const model = naiveModel(rules, facts);
    const { program, result } = run(rules, facts);
    const [expected, found] = [listed(model), listed(contents(program))];
    if (!result.complete || JSON.stringify(found) !== JSON.stringify(expected)) {
      t.same(found, expected, `seed ${seed}: ${rules.map(({ text }) => text).join(' ')}`);
      if (++differ > 3) return;
    }
    derived += program.database.derived;
    negations += rules.filter(({ body }) => body.some((item) => 'absent' in item && item.absent)).length;
  }
  t.equal(differ, 0);
  t.ok(circles > 50, `${circles} programs were circular`);
  t.ok(derived > 2_000 && negations > 500, `${derived} facts derived, ${negations} rules with "not"`);
});

t.test('every fact of random programs has a proof that the checker accepts, and no proof with anything changed is accepted', async (t) => {
  let [checked, changed] = [0, 0];
  for (let seed = 1; checked < 4_000; seed++) {
    const random = seeded(seed * 7919);
    const weighted = random.next() < 0.5;
    const rules = Array.from({ length: 1 + random.below(5) }, () => randomRule(random, weighted));
    if (!naiveStrata(rules)) continue;
    const facts = Array.from({ length: 5 + random.below(20) }, (): Told => ({
      triple: randomTriple(random),
      confidence: weighted ? randomConfidence(random) : 1,
    }));
    const ground = grounds(rules, naiveModel(rules, facts));
    const { program } = run(rules, facts);
    for (const proof of proofs(program)) {
      checked++;
      const result = await checkProof(proof, ground);
      if (!result.valid) t.fail(`seed ${seed}: ${result.reason} at ${result.path.join('.')} of ${JSON.stringify(proof).slice(0, 300)}`);
      if (checked % 10 !== 0) continue;
      for (const wrong of mutations(proof, random).slice(0, 60)) {
        changed++;
        if ((await checkProof(wrong, ground)).valid) t.fail(`seed ${seed}: accepted ${JSON.stringify(wrong).slice(0, 600)}`);
      }
    }
  }
  t.ok(changed > 2_000, `${checked} proofs accepted, ${changed} changed ones refused`);
});

t.test('facts that are told later give what telling them at once gives', async (t) => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed * 104_729);
    const weighted = random.next() < 0.5;
    const rules = Array.from({ length: 1 + random.below(5) }, () => randomRule(random, weighted)).filter(
      ({ body }) => !body.some((item) => 'absent' in item && item.absent),
    );
    if (!naiveStrata(rules)) continue;
    const facts = Array.from({ length: 12 }, (): Told => ({ triple: randomTriple(random), confidence: weighted ? randomConfidence(random) : 1 }));
    const database = new Database(weighted);
    const program = new Program(rules, database);
    const evaluator = new Evaluator(program, AMPLE);
    for (const { triple, confidence } of facts.slice(0, 4)) database.tell(triple, confidence);
    t.ok(runNow(evaluator.derive()).complete);
    // Only rows that are new: one that is derived already would have to be derived anew.
    for (const { triple, confidence } of facts.slice(4)) {
      if (database.find(triple)) continue;
      const key = triple.negated ? (`-${triple.relation}` as const) : (`+${triple.relation}` as const);
      const slot = database.slot(key);
      const before = slot.table.count;
      database.tell(triple, confidence);
      runNow(evaluator.extend(new Map([[slot, before]])));
    }
    const all: Told[] = [...contents(program).values()].filter((known) => known.told);
    const [found, expected] = [listed(contents(program)), listed(naiveModel(rules, all))];
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, `seed ${seed}: ${rules.map(({ text }) => text).join(' ')}`);
    const ground = grounds(rules, naiveModel(rules, all));
    for (const proof of proofs(program)) {
      const result = await checkProof(proof, ground);
      if (!result.valid) t.fail(`seed ${seed}: ${result.reason}`);
    }
  }
});

t.test('what is known to be false is its own matter, and "not" is what cannot be derived', async (t) => {
  const rules = parseRules(`
    flies(?x) :- bird(?x), not -flies(?x).
    -flies(?x) :- penguin(?x).
    bird(?x) :- penguin(?x).
    grounded(?x) :- bird(?x), not flies(?x).
  `);
  const { program } = run(rules, [told('tux', 'is a', 'penguin'), told('tweety', 'is a', 'bird')]);
  const holds = (subject: string, kind: string, negated = false): boolean =>
    program.database.find({ subject: parseEntityId(subject), relation: parseRelationName('is a'), object: entity(parseEntityId(kind)), negated }) !== undefined;
  t.same(
    ['flies', 'grounded'].map((kind) => [holds('tux', kind), holds('tweety', kind)]),
    [
      [false, true],
      [true, false],
    ],
  );
  t.same([holds('tux', 'flies', true), holds('tweety', 'flies', true)], [true, false]);
});

t.test('dates, numbers and strings are compared among themselves, and by code point', async (t) => {
  const rules = parseRules('before(?a, ?b) :- at(?a, ?x), at(?b, ?y), ?x < ?y.');
  const values: [string, Term][] = [
    ['year', literal('1990', 'date')],
    ['month', literal('1990-05', 'date')],
    ['zone', literal('1990-01-01T00:00:00-05:00', 'date')],
    ['bc', literal('-0044-03-15', 'date')],
    ['two', literal(2)],
    ['ten', literal(10)],
    ['text two', literal('2')],
    ['text ten', literal('10')],
    ['emoji', literal('😀')],
    ['private', literal('\ue000')],
    ['true', literal(true)],
  ];
  const { program } = run(
    rules,
    values.map(([name, value]) => told(name, 'at', value)),
  );
  const before = [...contents(program).values()]
    .filter((known) => !known.told)
    .map(({ triple }) => `${triple.subject} < ${triple.object.kind === 'entity' ? triple.object.id : ''}`);
  t.same(before.toSorted(), [
    'bc < month',
    'bc < year',
    'bc < zone',
    'private < emoji',
    'text ten < emoji',
    'text ten < private',
    'text ten < text two',
    'text two < emoji',
    'text two < private',
    'two < ten',
    'year < month',
    'year < zone',
    'zone < month',
  ]);
});

t.test('each limit stops a derivation cleanly, and what it derived stands', async (t) => {
  const rules = parseRules('reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- reach(?x, ?y), next(?y, ?z).');
  const chain = Array.from({ length: 60 }, (_, i) => told(`n${i}`, 'next', `n${i + 1}`));
  const all = naiveModel(rules, chain.slice(0, 12));
  t.equal(contents(run(rules, chain.slice(0, 12)).program).size, all.size);

  const complete = run(rules, chain);
  t.same([complete.result.complete, complete.result.limit, complete.program.database.derived], [true, undefined, (60 * 61) / 2]);
  const few = run(rules, chain, { ...AMPLE, facts: 100 });
  t.match(few.result, { complete: false, limit: 'facts' });
  t.equal(few.program.database.derived, 100);
  const flat = run(rules, chain, { ...AMPLE, depth: 5 });
  t.match(flat.result, { complete: false, limit: 'depth' });
  const ends = [...contents(flat.program).values()]
    .filter((known) => !known.told)
    .map(({ triple }) => Number((triple.object as { id: string }).id.slice(1)) - Number(triple.subject.slice(1)));
  t.equal(Math.max(...ends), 5, 'five steps are as far as a proof of height five reaches');
  let clock = 0;
  const late = run(
    rules,
    Array.from({ length: 400 }, (_, i) => told(`n${i}`, 'next', `n${i + 1}`)),
    { ...AMPLE, ms: 3 },
    () => clock++,
  );
  t.match(late.result, { complete: false, limit: 'ms' });
  for (const stopped of [few, flat, late]) {
    const ground = grounds(rules, complete.program === stopped.program ? all : contents(stopped.program));
    let checked = 0;
    for (const proof of proofs(stopped.program)) {
      if (checked++ > 200) break;
      t.match(await checkProof(proof, ground), { valid: true });
    }
  }
});

t.test('a derivation lets other work in between and stops when its signal fires', async (t) => {
  const { runSliced } = await import('../../../graph/reason/evaluate/evaluate.ts');
  const rules = parseRules('reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- reach(?x, ?y), next(?y, ?z).');
  const database = new Database();
  for (let i = 0; i < 700; i++) for (const to of [i + 1, (i * 7) % 700]) database.tell(told(`n${i}`, 'next', `n${to}`).triple, 1);
  const leave = new AbortController();
  let ticks = 0;
  const timer = setInterval(() => ++ticks === 2 && leave.abort(new Error('left')), 1);
  t.teardown(() => clearInterval(timer));
  await t.rejects(runSliced(new Evaluator(new Program(rules, database), AMPLE).derive(), leave.signal, 1), { message: 'left' });
  t.equal(ticks >= 2, true);
});

t.test('a proof larger than the limits is refused, whichever limit it is', async (t) => {
  const rules = parseRules('reach(?x, ?y) :- next(?x, ?y). reach(?x, ?z) :- reach(?x, ?y), next(?y, ?z).');
  const { program } = run(
    rules,
    Array.from({ length: 30 }, (_, i) => told(`n${i}`, 'next', `n${i + 1}`)),
  );
  t.throws(() => [...proofs(program, { nodes: 1_000, height: 10 })], { name: 'ProofTooLarge' });
  t.throws(() => [...proofs(program, { nodes: 20, height: 1_000 })], { name: 'ProofTooLarge' });
  const sizes = [...proofs(program)].length;
  t.equal(sizes, 30 + (30 * 31) / 2);
  t.equal(new Set([...contents(program).values()].map(({ triple }) => tripleKey(triple))).size, sizes);
});
