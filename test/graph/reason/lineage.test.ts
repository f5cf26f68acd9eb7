// Owns the comparison of exact probability, noisy-or and possibility with enumeration of worlds and proofs, on random small programs.
// Refuses to know stores.

import t from 'tap';
import { Diagrams, FALSE, TRUE } from '../../../graph/reason/proofs/bdd.ts';
import { runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { Lineage, LINEAGE_LIMITS, LineageTooLarge } from '../../../graph/reason/proofs/lineage.ts';
import { relaxed } from '../../../graph/reason/proofs/tallies.ts';
import { makeRule } from '../../../graph/reason/language/print.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import type { Program } from '../../../graph/reason/evaluate/program.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../../../graph/reason/types.ts';
import { entity, literal, parseEntityId, parseRelationName, termKey, tripleKey } from '../../../graph/terms.ts';
import type { Term, Triple } from '../../../graph/terms.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { run } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { seeded } from '../../helpers/random-programs.ts';
import type { Random } from '../../helpers/random-programs.ts';

const THINGS = ['a', 'b', 'c'].map((name) => entity(parseEntityId(name)));
const NAMES = ['p', 'q', 'r', 's'].map(parseRelationName);
const VARIABLES = ['x', 'y'].map((name) => ({ kind: 'variable' as const, name }));
const LIMITS = { ...LINEAGE_LIMITS, ms: 20_000 };

const randomAtom = (random: Random, absent = false): Atom => ({
  relation: random.pick(NAMES),
  subject: random.next() < 0.9 ? random.pick(VARIABLES) : random.pick(THINGS),
  object: random.next() < 0.85 ? random.pick(VARIABLES) : random.pick(THINGS),
  ...(absent ? { absent: true as const } : {}),
});
/** A rule over at most two variables, all bound by its positive conditions. */
function randomRule(random: Random): Rule {
  for (;;) {
    const body: BodyItem[] = Array.from({ length: 1 + random.below(2) }, () => randomAtom(random));
    const bound = new Set(body.flatMap((item) => ('kind' in item ? [] : [item.subject, item.object])).flatMap((term) => (term.kind === 'variable' ? [term.name] : [])));
    if (random.next() < 0.4) body.push(randomAtom(random, true));
    const head = randomAtom(random);
    const used = [head, ...body].flatMap((item) => ('kind' in item ? [] : [item.subject, item.object]));
    if (used.every((term) => term.kind !== 'variable' || bound.has(term.name)))
      return makeRule({ heads: [head], body, ...(random.next() < 0.2 ? { confidence: 0.7 } : {}) });
  }
}
const put = (term: RuleTerm, values: ReadonlyMap<string, Term>): RuleTerm => (term.kind === 'variable' ? (values.get(term.name) as Term) : term);
/** Every rule with every value of its variables whose positive conditions could hold. */
function instances(rule: Rule, possible: ReadonlySet<string>): Rule[] {
  const names = [...new Set([...rule.heads, ...rule.body].flatMap((item) => ('kind' in item ? [] : [item.subject, item.object])).flatMap((term) => (term.kind === 'variable' ? [term.name] : [])))];
  let all: ReadonlyMap<string, Term>[] = [new Map()];
  for (const name of names) all = all.flatMap((values) => THINGS.map((thing) => new Map(values).set(name, thing)));
  return all.flatMap((values) => {
    const ground = (item: BodyItem): Atom => ({ ...(item as Atom), subject: put((item as Atom).subject, values), object: put((item as Atom).object, values) });
    const body = rule.body.map(ground);
    const could = body.every(({ absent, subject, relation, object }) => absent || (subject.kind === 'entity' && possible.has(tripleKey({ subject: subject.id, relation, object: object as Term }))));
    return could ? [makeRule({ heads: rule.heads.map(ground), body })] : [];
  });
}
interface Case {
  readonly rules: readonly Rule[];
  readonly told: readonly Told[];
}
function randomCase(random: Random, negation: boolean): Case | undefined {
  const rules = Array.from({ length: 1 + random.below(4) }, () => randomRule(random)).map((rule) =>
    negation ? rule : makeRule({ heads: rule.heads, body: rule.body.filter((item) => 'kind' in item || !item.absent), ...(rule.confidence === undefined ? {} : { confidence: rule.confidence }) }),
  );
  if (!naiveStrata(rules)) return undefined;
  const told = new Map<string, Told>();
  for (let i = 4 + random.below(4); i > 0; i--) {
    const triple: Triple = { subject: random.pick(THINGS).id, relation: random.pick(NAMES), object: random.pick(THINGS) };
    told.set(tripleKey(triple), { triple, confidence: random.pick([1, 0.5, 0.25, 0.8, 0.9]) });
  }
  return { rules: [...new Map(rules.map((rule) => [rule.id, rule])).values()], told: [...told.values()] };
}
/** What may be there or not: uncertain facts, and instances of uncertain rules. */
function choices({ rules, told }: Case): { readonly facts: readonly Told[]; readonly steps: readonly { readonly rule: Rule; readonly confidence: number }[] } {
  const possible = new Set(naiveModel(relaxed(rules).map(({ heads, body }) => makeRule({ heads, body })), told).keys());
  return {
    facts: told.filter(({ confidence }) => confidence < 1),
    steps: rules.flatMap((rule) => ((rule.confidence ?? 1) < 1 ? instances(rule, possible).map((step) => ({ rule: step, confidence: rule.confidence as number })) : [])),
  };
}
/** Every world with its probability: certain rules and facts, and a choice of the others. */
function* worlds(given: Case): Generator<{ readonly probability: number; readonly holds: ReadonlySet<string>; readonly chosen: ReadonlySet<number> }> {
  const { facts, steps } = choices(given);
  const certain = given.rules.filter(({ confidence = 1 }) => confidence === 1);
  const sure = given.told.filter(({ confidence }) => confidence === 1);
  const weights = [...facts, ...steps].map(({ confidence }) => confidence);
  for (let mask = 0; mask < 1 << weights.length; mask++) {
    const there = (i: number): boolean => (mask & (1 << i)) !== 0;
    const probability = weights.reduce((product, weight, i) => product * (there(i) ? weight : 1 - weight), 1);
    const rules = [...certain, ...steps.filter((_, i) => there(facts.length + i)).map(({ rule }) => rule)];
    const holds = naiveModel(rules, [...sure, ...facts.filter((_, i) => there(i)).map(({ triple }) => ({ triple, confidence: 1 }))]);
    yield { probability, holds: new Set(holds.keys()), chosen: new Set(weights.keys().filter(there)) };
  }
}
/** A value for every row of a program's database, by triple. */
function values(program: Program, read: (rows: readonly { slot: ReturnType<Program['database']['slot']>; row: number }[]) => number[]): Map<string, number> {
  const rows = [...program.database.slots()].flatMap((slot) => Array.from({ length: slot.table.count }, (_, row) => ({ slot, row })));
  const found = read(rows);
  return new Map(rows.map(({ slot, row }, i) => [tripleKey(program.database.triple(slot, row)), found[i]]));
}
function* cases(count: number, negation: boolean, first: number): Generator<{ seed: number; given: Case }> {
  for (let seed = first; count > 0; seed++) {
    const given = randomCase(seeded(seed), negation);
    if (!given) continue;
    const { facts, steps } = choices(given);
    if (facts.length + steps.length > 9) continue;
    count--;
    yield { seed, given };
  }
}
const text = ({ rules, told }: Case): string => `${rules.map((rule) => rule.text).join(' ')} ${told.map(({ triple, confidence }) => `${confidence}::${tripleKey(triple)}`).join(' ')}`;

t.test('exact probability equals the sum over all worlds, with negation and uncertain rules', async (t) => {
  let [rows, between, onlySome] = [0, 0, 0];
  for (const { seed, given } of cases(450, true, 1)) {
    const expected = new Map<string, number>();
    for (const { probability, holds } of worlds(given)) for (const key of holds) expected.set(key, (expected.get(key) ?? 0) + probability);
    const all = naiveModel(given.rules.map(({ heads, body }) => makeRule({ heads, body })), given.told);
    const { program } = run(relaxed(given.rules), given.told);
    const found = values(program, (list) => runNow(runNow(Lineage.of(program, list, LIMITS, given.rules)).probabilities(list)));
    for (const [key, probability] of found) {
      rows++;
      const sum = expected.get(key) ?? 0;
      if (probability > 0 && probability < 1) between++;
      if (probability > 0 && !all.has(key)) onlySome++;
      if (Math.abs(sum - probability) > 1e-9) return t.equal(probability, sum, `seed ${seed}: ${key} in ${text(given)}`);
    }
    for (const [key, sum] of expected) if (sum > 0 && !found.has(key)) return t.fail(`seed ${seed}: ${key} is missing in ${text(given)}`);
  }
  return t.ok(rows > 1_500 && between > 500 && onlySome > 10, `${rows} rows, ${between} of them uncertain, ${onlySome} hold only where something is missing`);
});

/** A certain rule whose condition counts what a relation has, as `not exists { .. }` and bounds on numbers do. */
function countingRule(random: Random): Rule {
  const [x, z, n] = ['x', 'z', 'n'].map((name) => ({ kind: 'variable' as const, name }));
  const inner: Atom[] = [{ relation: random.pick(NAMES), subject: x, object: z }];
  if (random.next() < 0.4) inner.push({ relation: random.pick(NAMES), subject: z, object: random.pick([x, ...THINGS]), ...(random.next() < 0.4 ? { absent: true as const } : {}) });
  const head: Atom = { relation: random.pick(NAMES), subject: x, object: random.pick([x, ...THINGS]) };
  const count = { kind: 'aggregate' as const, function: 'count' as const, of: [z], body: inner };
  const body: BodyItem[] = [{ relation: random.pick(NAMES), subject: x, object: random.pick(THINGS) }];
  if (random.next() < 0.3) body.push({ ...count, result: literal(random.below(3)) });
  else body.push({ ...count, result: n }, { kind: 'compare', operator: random.pick(['<', '<=', '=', '!=', '>', '>='] as const), left: n, right: literal(random.below(3)) });
  return makeRule({ heads: [head], body });
}
t.test('exact probability equals the sum over all worlds where rules count uncertain facts', async (t) => {
  let [rows, between] = [0, 0];
  for (let seed = 20_000; rows < 1_500; seed++) {
    const random = seeded(seed);
    const given = randomCase(random, true);
    const rules = [...(given?.rules ?? []), countingRule(random), countingRule(random)];
    if (!given || !naiveStrata(rules)) continue;
    const counted: Case = { rules: [...new Map(rules.map((rule) => [rule.id, rule])).values()], told: given.told };
    const { facts, steps } = choices(counted);
    if (facts.length + steps.length > 8) continue;
    const expected = new Map<string, number>();
    for (const { probability, holds } of worlds(counted)) for (const key of holds) expected.set(key, (expected.get(key) ?? 0) + probability);
    const { program } = run(relaxed(counted.rules), counted.told);
    const found = values(program, (list) => runNow(runNow(Lineage.of(program, list, LIMITS, counted.rules)).probabilities(list)));
    for (const [key, probability] of found) {
      rows++;
      if (probability > 0 && probability < 1) between++;
      if (Math.abs((expected.get(key) ?? 0) - probability) > 1e-9) return t.equal(probability, expected.get(key), `seed ${seed}: ${key} in ${text(counted)}`);
    }
    for (const [key, sum] of expected) if (sum > 0 && !found.has(key)) return t.fail(`seed ${seed}: ${key} is missing in ${text(counted)}`);
  }
  return t.ok(between > 500, `${rows} rows, ${between} of them uncertain`);
});

t.test('exact probability of sums and extremes; a rule that concludes the number itself is named', async (t) => {
  const price = (object: number, confidence: number): Told => ({ triple: { subject: THINGS[0].id, relation: NAMES[0], object: literal(object) }, confidence });
  const told = [price(1, 0.5), price(2, 0.5), price(4, 0.5)];
  for (const [condition, probability] of [
    ['?v = sum { ?o : p(a, ?o) }, ?v >= 5', 3 / 8],
    ['?v = sum { ?o : p(a, ?o) }, ?w = ?v * 2, ?w = 6', 1 / 8],
    ['?v = min { ?o : p(a, ?o) }, ?v = 2', 2 / 8],
    ['?v = max { ?o : p(a, ?o) }, ?v < 4', 3 / 8],
    ['?v = avg ?o : { p(a, ?o) }, ?v = 1.5', 1 / 8],
    ['count { ?o : p(a, ?o) } <= 1', 4 / 8],
    ['not exists { p(a, ?o), ?o > 1 }', 2 / 8],
  ] as const) {
    const rules = parseRules(`q(a, b) :- ${condition}.`);
    const { program } = run(relaxed(rules), told);
    const rows = [{ slot: program.database.slot('+q'), row: 0 }];
    t.same(runNow(runNow(Lineage.of(program, rows, LIMITS, rules)).probabilities(rows)), [probability], condition);
  }
  t.throws(() => relaxed(parseRules('q(a, ?n) :- ?n = count { ?o : p(a, ?o) }.')), { name: 'ValueNeeded', message: /the number itself/ });
});

t.test('noisy-or and possibility equal what the minimal sets of facts and steps give', async (t) => {
  let rows = 0;
  for (const { seed, given } of cases(200, false, 10_000)) {
    const { facts, steps } = choices(given);
    const weights = [...facts, ...steps].map(({ confidence }) => confidence);
    const sets = new Map<string, ReadonlySet<number>[]>();
    const byChoice = [...worlds(given)].toSorted((a, b) => a.chosen.size - b.chosen.size);
    for (const { holds, chosen } of byChoice)
      for (const key of holds) {
        const list = sets.get(key) ?? [];
        if (!list.some((smaller) => smaller.isSubsetOf(chosen))) sets.set(key, [...list, chosen]);
      }
    const { program } = run(given.rules, given.told);
    const noisy = values(program, (list) => runNow(runNow(Lineage.of(program, list, LIMITS)).noisyOr(list)));
    const possible = values(program, (list) => runNow(runNow(Lineage.of(program, list, LIMITS)).possibilities(list)));
    for (const [key, list] of sets) {
      rows++;
      const or = 1 - list.reduce((none, set) => none * (1 - [...set].reduce((all, i) => all * weights[i], 1)), 1);
      const most = Math.max(...list.map((set) => Math.min(1, ...[...set].map((i) => weights[i]))));
      if (Math.abs(or - (noisy.get(key) ?? -1)) > 1e-9) return t.equal(noisy.get(key), or, `seed ${seed}: noisy-or of ${key} in ${text(given)}`);
      if (possible.get(key) !== most) return t.equal(possible.get(key), most, `seed ${seed}: possibility of ${key} in ${text(given)}`);
    }
    if (noisy.size !== sets.size) return t.fail(`seed ${seed}: ${noisy.size} rows, not ${sets.size}, in ${text(given)}`);
  }
  return t.ok(rows > 1_000, `${rows} rows`);
});

t.test('beyond a limit there is an error that says so', async (t) => {
  const rules = parseRules('p(?x, ?z) :- e(?x, ?y), p(?y, ?z). p(?x, ?y) :- e(?x, ?y).');
  const told: Told[] = [];
  for (let i = 0; i < 12; i++)
    for (let j = 0; j < 12; j++)
      told.push({ triple: { subject: entity(parseEntityId(`n${i}`)).id, relation: parseRelationName('e'), object: entity(parseEntityId(`n${j}`)) }, confidence: 0.5 });
  const { program } = run(rules, told);
  const slot = program.database.slot('+p');
  const rows = [{ slot, row: 0 }];
  const limited = (limits: Partial<typeof LIMITS>): void => void runNow(runNow(Lineage.of(program, rows, { ...LIMITS, ...limits })).probabilities(rows));
  t.throws(() => limited({ variables: 100 }), { name: 'LineageTooLarge', message: /more than 100 uncertain facts/ });
  t.throws(() => limited({ rows: 10 }), { name: 'LineageTooLarge', message: /more than 10 facts/ });
  t.throws(() => limited({ steps: 100 }), { name: 'LineageTooLarge', message: /100 steps/ });
  t.throws(() => limited({ ms: 20 }), LineageTooLarge);
});

t.test('decision diagrams are one and the same for equal functions', async (t) => {
  const diagrams = new Diagrams(100);
  const [a, b, c] = [0, 1, 2].map((i) => diagrams.variable(i));
  const { and, or, not } = { and: diagrams.and.bind(diagrams), or: diagrams.or.bind(diagrams), not: diagrams.not.bind(diagrams) };
  t.equal(and(a, or(b, c)), or(and(a, b), and(a, c)));
  t.equal(not(and(a, b)), or(not(a), not(b)));
  t.equal(and(a, not(a)), FALSE);
  t.equal(or(a, not(a)), TRUE);
  t.equal(diagrams.probability(or(and(a, b), and(not(a), c)), (i) => [0.5, 0.2, 0.6][i]), 0.4);
  t.same(
    diagrams.minimalSolutions(or(and(a, b), or(c, and(b, c))), 9).map((set) => [...set].toSorted()),
    [[2], [0, 1]],
  );
  t.throws(() => diagrams.minimalSolutions(or(a, or(b, c)), 2), { name: 'BddTooLarge' });
  t.equal(termKey(THINGS[0]), 'ea');
});

t.test('what an aggregate ranges over is looked for in pieces, until the time is over', (t) => {
  const told = Array.from({ length: 200 }, (_, i) => ['a', 'b'].map((name): Told => ({ triple: { subject: parseEntityId(`${name}${i}`), relation: parseRelationName(name), object: THINGS[0] }, confidence: i === 0 ? 0.5 : 1 }))).flat();
  const rules = parseRules('q(a) :- ?n = count { ?x, ?y : a(?x, ?z), b(?y, ?z), concat(?x, ?y) = "a0b0" }, ?n > 0.');
  const { program } = run(relaxed(rules), told);
  const rows = [...program.derived].flatMap((slot) => Array.from({ length: slot.table.count }, (_, row) => ({ slot, row })));
  const finding = Lineage.of(program, rows, LIMITS, rules);
  let [pauses, step] = [0, finding.next()];
  for (; !step.done; step = finding.next()) pauses++;
  t.ok(pauses > 1_000, `${pauses} pauses`);
  t.same(runNow(step.value.probabilities(rows)), [0.25]);
  t.throws(() => runNow(Lineage.of(program, rows, { ...LIMITS, ms: 0 }, rules)), { name: LineageTooLarge.name, message: /cannot be computed within 0 ms/ });
  t.end();
});

t.test('how many of eighty uncertain facts hold has an exact probability', (t) => {
  const probabilities = Array.from({ length: 80 }, (_, i) => 0.3 + (i % 7) / 20);
  const told = probabilities.map((confidence, i): Told => ({ triple: { subject: parseEntityId(`n${i}`), relation: parseRelationName('p'), object: THINGS[0] }, confidence }));
  const rules = parseRules('q(a) :- ?n = count { ?x : p(?x, a) }, ?n >= 40.');
  const { program } = run(relaxed(rules), told);
  const rows = [...program.derived].flatMap((slot) => Array.from({ length: slot.table.count }, (_, row) => ({ slot, row })));
  const [found] = runNow(runNow(Lineage.of(program, rows, LIMITS, rules)).probabilities(rows));
  let exactly = [1];
  for (const p of probabilities) exactly = Array.from({ length: exactly.length + 1 }, (_, count) => (exactly[count] ?? 0) * (1 - p) + (exactly[count - 1] ?? 0) * p);
  const expected = exactly.slice(40).reduce((sum, each) => sum + each, 0);
  t.ok(Math.abs(found - expected) < 1e-12, `${found} is ${expected}`);
  t.end();
});
