// Owns the comparison of functions and aggregates with their naive meaning, in random programs and by value; and of the engine's reckoning with the checker's.
// Refuses to know stores.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { checkProof } from '../../../graph/reason/proofs/checker.ts';
import { reckon } from '../../../graph/reason/proofs/checker-values.ts';
import { rulesFromJson, ruleToJson } from '../../../graph/reason/language/json.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { matchesPattern, patternFault } from '../../../graph/reason/language/pattern.ts';
import { BUILTINS, evaluate } from '../../../graph/reason/language/values.ts';
import type { Expression } from '../../../graph/reason/types.ts';
import { entity, literal, parseEntityId, parseRelationName, termText } from '../../../graph/terms.ts';
import type { Term } from '../../../graph/terms.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { contents, grounds, listed, mutations, proofs, run } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { randomConfidence, randomRichRule, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';

const told = (subject: string, relation: string, object: string | number | Term): Told => ({
  triple: {
    subject: parseEntityId(subject),
    relation: parseRelationName(relation),
    object: typeof object === 'string' ? entity(parseEntityId(object)) : typeof object === 'number' ? literal(object) : object,
  },
  confidence: 1,
});
/** What rules derive, as `relation(subject, object)`. */
function derives(rules: string, facts: readonly Told[]): string[] {
  return [...contents(run(parseRules(rules), facts).program).values()]
    .filter((known) => !known.told)
    .map(({ triple }) => `${triple.relation}(${triple.subject}, ${termText(triple.object)})`)
    .toSorted();
}

t.test('2,000 random programs with functions and aggregates derive exactly what naive evaluation derives, and every proof is accepted', async (t) => {
  let [compared, derived, aggregates, computed, accepted, refused, differ] = [0, 0, 0, 0, 0, 0, 0];
  for (let seed = 1; compared < 2_000; seed++) {
    const random = seeded(seed * 65_537);
    const weighted = random.next() < 0.4;
    const rules = Array.from({ length: 1 + random.below(4) }, () => (random.next() < 0.7 ? randomRichRule(random, weighted) : randomRule(random, weighted)));
    if (!naiveStrata(rules)) {
      t.throws(() => run(rules, []), { code: 'unstratifiable' });
      continue;
    }
    const facts = Array.from({ length: 8 + random.below(20) }, (): Told => ({
      triple: randomTriple(random),
      confidence: weighted ? randomConfidence(random) : 1,
    }));
    compared++;
    const model = naiveModel(rules, facts);
    const { program, result } = run(rules, facts);
    const [expected, found] = [listed(model), listed(contents(program))];
    if (!result.complete || JSON.stringify(found) !== JSON.stringify(expected)) {
      t.same(found, expected, `seed ${seed}: ${rules.map(({ text }) => text).join(' ')}`);
      if (++differ > 3) return;
      continue;
    }
    derived += program.database.derived;
    aggregates += rules.filter(({ body }) => body.some((item) => 'kind' in item && item.kind === 'aggregate')).length;
    computed += rules.filter(({ body }) => body.some((item) => 'kind' in item && item.kind === 'compare' && item.left.kind === 'call')).length;
    if (compared % 4 !== 0) continue;
    const ground = grounds(rules, model);
    for (const proof of proofs(program)) {
      accepted++;
      const checked = await checkProof(proof, ground);
      if (!checked.valid) {
        t.fail(`seed ${seed}: ${checked.reason} at ${checked.path.join('.')} of ${JSON.stringify(proof).slice(0, 800)}`);
        if (++differ > 3) return;
      }
      if (accepted % 20 !== 0) continue;
      for (const wrong of mutations(proof, random).slice(0, 60)) {
        refused++;
        if ((await checkProof(wrong, ground)).valid) t.fail(`seed ${seed}: accepted ${JSON.stringify(wrong).slice(0, 600)}`);
      }
    }
  }
  t.ok(derived > 2_000 && aggregates > 800 && computed > 200, `${derived} facts derived, ${aggregates} rules with aggregates, ${computed} with functions`);
  t.ok(accepted > 2_000 && refused > 500, `${accepted} proofs accepted, ${refused} changed ones refused`);
});

t.test('printed text and the JSON form of rules with functions and aggregates are read to the same rules', async (t) => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const rule = randomRichRule(seeded(seed), true);
    t.strictSame(parseRules(rule.text), [rule], rule.text);
    t.strictSame(rulesFromJson(JSON.parse(JSON.stringify([ruleToJson(rule)]))), [rule]);
  }
});

t.test('an entity in a list beside a function that gives a string is printed as one, and its rule keeps its address', (t) => {
  const [rule] = parseRules('p(?x) :- q(?x, ?y), upper(?y) not in ["the d"^^entity, a, "b"].');
  t.equal(rule.text, 'p(?x) :- q(?x, ?y), upper(?y) not in ["the d"^^entity, a, "b"^^string].');
  t.strictSame(parseRules(rule.text), [rule]);
  t.strictSame(rulesFromJson(JSON.parse(JSON.stringify([ruleToJson(rule)]))), [rule]);
  t.equal(rule.id, 'r_ab7474abd140297d11c95a68');
  t.end();
});

const VALUES: readonly Term[] = [
  ...[0, 1, -1, 2.5, 7, -13, 1e300, 30, 365].map((value) => literal(value)),
  ...['', 'a', 'Ab c', ' x ', 'ÄÖ ß', '😀a', '12', '-3.5e2', '1990-05-17', 'a+', '^[a-z]', 'b'].map((value) => literal(value)),
  ...['1990', '1990-05', '2000-02-29', '1879-03-14', '-0044-03-15', '2024-12-31T23:59:59Z', '2024-12-31T23:59:59.5+05:30', '12024-01-01'].map((value) =>
    literal(value, 'date'),
  ),
  ...['a', 'the d', '1990-01-01', 'Ünal'].map((value) => entity(parseEntityId(value))),
  literal(true),
  literal(false),
];
t.test('the engine and the checker reckon alike, whatever values a function is given', async (t) => {
  const random = seeded(5);
  let valued = 0;
  for (const [name, { arity }] of BUILTINS)
    for (let i = 0; i < 600; i++) {
      const count = random.next() < 0.9 ? arity[0] + random.below(Math.min(2, arity[1] - arity[0]) + 1) : random.below(4);
      const expression: Expression = { kind: 'call', function: name, arguments: Array.from({ length: count }, () => random.pick(VALUES)) };
      const [engine, checker] = [evaluate(expression, () => undefined), reckon(expression, {})];
      if (engine) valued++;
      if (JSON.stringify(engine) !== JSON.stringify(checker)) t.same(engine, checker, JSON.stringify(expression));
    }
  t.ok(valued > 4_000, `${valued} calls had a value`);
});

t.test('functions have the values that their names say', async (t) => {
  const cases: readonly (readonly [text: string, value: string | number | boolean | undefined])[] = [
    ['1 + 2 * 3 - 4 / 2', 5],
    ['(1 + 2) * 3', 9],
    ['10 - 3 - 2', 5],
    ['-(2) + 5', 3],
    ['1 / 0', undefined],
    ['mod(-1, 7)', 6],
    ['round(2.5) + floor(-1.5) + ceil(1.2)', 3],
    ['min(3, 1, 2) + max(1, 5)', 6],
    ['power(2, 10) + abs(-1) + sqrt(9)', 1028],
    ['length("😀é")', 2],
    ['concat("a", 1, true, alice)', 'a1truealice'],
    ['upper("straße")', 'STRASSE'],
    ['substring("héllo", 1, 3)', 'éll'],
    ['replace("a.b.c", ".", "$&")', 'a$&b$&c'],
    ['trim("  a ")', 'a'],
    ['number("12.5") * 2', 25],
    ['number("12.5 m") * 2', undefined],
    ['type(alice)', 'entity'],
    ['year("1879-03-14"^^date)', 1879],
    ['month("1879"^^date)', undefined],
    ['day("1879-03-14")', 14],
    ['year("-0044-03-15"^^date)', -44],
    ['days_between("2024-02-28", "2024-03-01")', 2],
    ['days_between("2024-03-01", "2024-02-28")', -2],
    ['days_between("2024-03-01T12:00:00Z", "2024-03-03T06:00:00Z")', 1],
    ['days_between("2024-03-03T06:00:00Z", "2024-03-01T12:00:00Z")', -1],
    ['days_between("2024-03-01T12:00:00Z", "2024-03-01T06:00:00Z")', 0],
    ['add_days("2024-02-28"^^date, 2)', '2024-03-01'],
    ['add_days("2024-12-31T10:00:00Z"^^date, 1)', '2025-01-01T10:00:00Z'],
    ['string("1990"^^date)', '1990'],
    ['before("1990", "1990-02")', true],
    ['substring("abc", -1)', undefined],
  ];
  for (const [text, value] of cases) {
    const found = derives(`v(?x, ?v) :- q(?x), ?v = ${text}.`, [told('a', 'is a', 'q')]);
    t.same(found, value === undefined ? [] : [`v(a, ${value})`], text);
  }
  const tests = [
    'contains(?y, "b c")',
    'starts_with(?y, "a")',
    'ends_with(?y, "d")',
    'matches(?y, "^a.*d$")',
    'not contains(?y, "x")',
    '?y in ["a b c d", z]',
    '?y not in [z]',
    'lower(?y) = "a b c d"',
  ];
  for (const text of tests) t.same(derives(`v(?x) :- p(?x, ?y), ${text}.`, [told('s', 'p', 'a b c d'), told('s', 'p', literal(5))]), ['is a(s, v)'], text);
});

t.test('a pattern matches what a regular expression matches, and no text makes it slow', async (t) => {
  const random = seeded(11);
  const piece = (depth: number): string => {
    const roll = random.next();
    if (depth > 3 || roll < 0.45) return random.pick(['a', 'b', 'c', '.', '[ab]', '[^a]', '\\d', '\\w', '[a-c1-3]', '\\.', '\\b', '\\B', '\\p{L}', '[\\P{L}c]', '(?:a|bc)']);
    if (roll < 0.6) return piece(depth + 1) + piece(depth + 1);
    if (roll < 0.7) return `(${piece(depth + 1)}|${piece(depth + 1)})`;
    return `(${piece(depth + 1)})${random.pick(['*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}'])}${random.next() < 0.2 ? '?' : ''}`;
  };
  let hits = 0;
  for (let i = 0; i < 4_000; i++) {
    const pattern = `${random.next() < 0.3 ? '^' : ''}${piece(0)}${random.next() < 0.3 ? '$' : ''}`;
    const text = Array.from({ length: random.below(8) }, () => random.pick(['a', 'b', 'c', '1', '.', '\n'])).join('');
    if (pattern.length > 200) continue;
    const expected = new RegExp(pattern, 'su').test(text) && new RegExp(pattern, 'u').test(text);
    if (new RegExp(pattern, 'su').test(text) !== new RegExp(pattern, 'u').test(text)) continue;
    const check = reckon({ kind: 'call', function: 'matches', arguments: [literal(text), literal(pattern)] }, {});
    if (matchesPattern(text, pattern) !== expected || check?.kind !== 'literal' || check.value !== expected)
      t.equal(matchesPattern(text, pattern), expected, `${pattern} on ${JSON.stringify(text)}`);
    if (expected) hits++;
  }
  t.ok(hits > 800, `${hits} matches`);
  for (const [text, pattern, expected] of [
    ['', '^a+?$', false],
    ['ein Wörterbuch', '\\bWörter', true],
    ['ein Wörterbuch', 'W\\b', false],
    ['漢字', '^\\p{Script=Han}{2}$', true],
    ['[x', '[[x]x', true],
    ['a{1}', 'a\\{', true],
  ] as const) {
    t.equal(matchesPattern(text, pattern), expected, pattern);
    t.match(reckon({ kind: 'call', function: 'matches', arguments: [literal(text, 'string'), literal(pattern)] }, {}), { value: expected }, pattern);
  }
  t.equal(matchesPattern('a'.repeat(20_000), '(a*)*(a|aa)+b'), false, 'one way at a time, this would take longer than the world has stood');
  for (const [pattern, says] of [
    ['(a', /not closed/],
    ['a)', /closes nothing/],
    ['*a', /repeats nothing/],
    ['(?=a)', /only \(\?:\.\.\) is known/],
    ['(?<name>a)', /only \(\?:\.\.\) is known/],
    ['a++', /repeats what is repeated already/],
    ['a**', /repeats what is repeated already/],
    ['a{2}{3}', /repeats what is repeated already/],
    ['a{1,1000}', /repeats too much: .* more than 1000 steps/],
    ['a{99999999999}', /repeats too much/],
    ['[[:alpha:]]', /\[\\p\{L\}\] for \[\[:alpha:\]\]/],
    ['\\p{Nothing}', /needs a property of Unicode/],
    ['\\pL', /needs a property of Unicode/],
    ['\\1', /not known/],
    ['a{3,1}', /backwards/],
    ['[b-a]', /backwards/],
    ['(((a{99}){99}){99})', /too much/],
    ['a'.repeat(201), /at most 200/],
  ] as const)
    t.match(patternFault(pattern) ?? '', says, pattern);
});

t.test('aggregates count what is different, add what is equal twice, and know the empty group', async (t) => {
  const facts = [
    told('shop', 'is a', 'store'),
    told('empty', 'is a', 'store'),
    told('shop', 'sells', 'tea'),
    told('shop', 'sells', 'milk'),
    told('shop', 'sells', 'rum'),
    told('tea', 'price', 3),
    told('milk', 'price', 3),
    told('rum', 'price', 20),
    told('tea', 'bought by', 'ann'),
    told('tea', 'bought by', 'bob'),
    told('rum', 'bought by', 'ann'),
  ];
  const value = (text: string): string[] => derives(`v(?s, ?n) :- store(?s), ?n = ${text}.`, facts);
  t.same(value('count { ?i : sells(?s, ?i) }'), ['v(empty, 0)', 'v(shop, 3)']);
  t.same(value('count { ?p : sells(?s, ?i), price(?i, ?p) }'), ['v(empty, 0)', 'v(shop, 2)'], 'different prices');
  t.same(value('sum { ?p : sells(?s, ?i), price(?i, ?p) }'), ['v(empty, 0)', 'v(shop, 26)'], 'the price of every item');
  t.same(value('sum ?p : { sells(?s, ?i), price(?i, ?p) }'), ['v(empty, 0)', 'v(shop, 26)'], 'as Soufflé writes it');
  t.same(value('sum { ?p : sells(?s, ?i), price(?i, ?p), "bought by"(?i, _) }'), ['v(empty, 0)', 'v(shop, 23)'], '_ does not multiply');
  t.same(value('sum { ?p : sells(?s, ?i), price(?i, ?p), "bought by"(?i, ?who) }'), ['v(empty, 0)', 'v(shop, 26)'], 'tea is bought twice');
  t.same(value('min { ?p : sells(?s, ?i), price(?i, ?p) }'), ['v(shop, 3)']);
  t.same(value('max { ?p : sells(?s, ?i), price(?i, ?p) }'), ['v(shop, 20)']);
  t.same(value('avg { ?p : sells(?s, ?i), price(?i, ?p), ?p < 10 }'), ['v(shop, 3)']);
  t.same(value('count : { sells(?s, ?i), "bought by"(?i, ?who) }'), ['v(empty, 0)', 'v(shop, 3)']);
  t.same(derives('big(?s) :- store(?s), count { ?i : sells(?s, ?i) } >= 3.', facts), ['is a(shop, big)']);
  t.same(derives('bare(?s) :- store(?s), not sells(?s, _).', facts), ['is a(empty, bare)']);
  t.same(derives('dry(?s) :- store(?s), not exists { sells(?s, ?i), price(?i, ?p), ?p > 10 }.', facts), ['is a(empty, dry)']);
  t.same(derives('big(?s) :- exists sells(?s, ?i), count { ?i : sells(?s, ?i) } >= 3.', facts), ['is a(shop, big)'], 'what exists has its own variables');
  t.same(
    derives(
      'w(?s) :- exists { sells(?s, ?i), price(?i, 20) }, exists { sells(?s, ?i), price(?i, ?p), ?p < 5 }, not exists { sells(?s, ?i), price(?i, ?p), ?p > 20 }.',
      facts,
    ),
    ['is a(shop, w)'],
  );
  t.same(derives('sold(?i) :- exists "bought by"(?i, _).', facts), ['is a(rum, sold)', 'is a(tea, sold)']);
  t.same(
    derives(
      'n(?s, ?n) :- store(?s), ?n = count { ?i : sells(?s, ?i) }. total(all, ?t) :- ?t = sum { ?n : n(?s, ?n) }. double(?s, ?d) :- n(?s, ?n), ?d = 2 * ?n.',
      facts,
    ),
    ['double(empty, 0)', 'double(shop, 6)', 'n(empty, 0)', 'n(shop, 3)', 'total(all, 3)'],
  );
  t.same(derives('v(?s, ?n) :- store(?s), ?n = sum { ?i : sells(?s, ?i) }.', facts), ['v(empty, 0)'], 'what is no number cannot be added');
});

t.test('a rule that makes values for ever is stopped by its budget', async (t) => {
  const rules = parseRules('n(?x, ?z) :- n(?x, ?y), ?z = ?y + 1.');
  const { result, program } = run(rules, [told('a', 'n', 0)], { answers: 1, facts: 1_000, ms: 60_000, depth: 100_000 });
  t.match(result, { complete: false, limit: 'facts' });
  t.equal(program.database.derived, 1_000);
  t.match(run(rules, [told('a', 'n', 0)], { answers: 1, facts: 1e9, ms: 60_000, depth: 50 }).result, { complete: false, limit: 'depth' });
  const doubling = run(parseRules('s(?x, ?z) :- s(?x, ?y), ?z = concat(?y, ?y).'), [told('a', 's', literal('ab'))]);
  t.equal(doubling.result.complete, true, 'a text longer than a literal may be has no value');
  t.equal(doubling.program.database.derived, 15);
});

t.test('mistakes with functions and aggregates are reported by kind, place and what would be right', async (t) => {
  const cases: readonly (readonly [text: string, code: string, column: number, says: RegExp])[] = [
    ['p(?x, ?z) :- q(?x, ?y), ?z = conct(?y, "a").', 'unknown_builtin', 30, /conct is no built-in function; did you mean concat\?/],
    ['p(?x, ?z) :- q(?x, ?y), ?z = mod(?y).', 'arity', 30, /mod takes 2 values, not 1/],
    ['p(?x, ?z) :- q(?x, ?y), ?z = ?x + 1.', 'type', 30, /\+ takes a number, and \?x is an entity/],
    ['p(?x) :- q(?x, ?y), ?x > 5.', 'type', 21, /\?x stands as a subject, so it is an entity and has no order/],
    ['p(?x) :- q(?x, ?y), ?x = 5.', 'type', 26, /\?x is an entity and 5 a number; they are never the same/],
    ['p(?x) :- q(?x, ?y), ?y > 5, ?y < "a"^^string.', 'type', 34, /a number and a string have no common order/],
    ['p(?y, b) :- q(?x, ?y), ?y > 5.', 'type', 3, /\?y is .* a number and cannot be a subject/],
    ['p(?x) :- q(?x, ?y), ?y > 5, length(?y) > 1.', 'type', 29, /length takes a text, and \?y is a number/],
    ['p(?z) :- q(?x, ?y), ?z = ?y + 1.', 'type', 3, /computed as a number and cannot be a subject/],
    ['p(?x) :- q(?x, ?y), ?n = length(?y), ?n = "a".', 'type', 43, /\?n is a number and a an entity/],
    ['p(?x) :- q(?x, ?y), matches(?y, "(a").', 'type', 21, /is no pattern: "\(" is not closed/],
    ['p(?x) :- q(?x, ?y), ?y > "1990".', 'type', 26, /a date is written "\.\.\."\^\^date/],
    ['p(?d, ?n) :- ?n = count { ?f : r(?d, ?f) }.', 'unsafe', 3, /it is the group there/],
    ['p(?x, ?n) :- q(?x), ?n = count { ?f : r(?x, ?g) }.', 'unsafe', 21, /\?f has no value inside count/],
    ['p(?x) :- q(?x), ?y + 1 = 2.', 'unsafe', 17, /\?y occurs only in a comparison/],
    ['p(?x, ?n) :- q(?x), ?n = sum { ?a, ?b : r(?a, ?b) }.', 'arity', 21, /sum takes one value, not 2/],
    ['p(?x, ?n) :- q(?x), ?n = count { ?f : r(?f, ?k), ?k = count { ?g : s(?f, ?g) } }.', 'syntax', 55, /inside another aggregate/],
    ['contains(?x, ?y) :- p(?x, ?y).', 'syntax', 1, /in quotes, "contains", it is the relation/],
    ['p(?x) :- q(?x, ?y), ?y in 3.', 'syntax', 24, /comparison/],
    ['p(?x) :- q(?x, ?y), ?y in [?x].', 'syntax', 28, /a list holds names and literals/],
    ['p(?x, ?n) :- q(?x), ?n = sum { : r(?x, ?y) }.', 'syntax', 32, /expected/],
    [`p(?x) :- q(?x, ?y), ?y = ${'('.repeat(80)}1.`, 'too_large', 76, /nested deeper/],
    [`p(?x) :- ${'exists { '.repeat(9_000)}q(?x).`, 'too_large', 469, /braces are nested deeper/],
    [`p(?x) :- q(?x, ?y), ?y = 1${' + 1'.repeat(60)}.`, 'too_large', 26, /nested deeper/],
    [`p(?x) :- q(?x, ?y), ?y = ${'- '.repeat(9_000)}1.`, 'too_large', 1026, /more than 500 calls/],
  ];
  for (const [text, code, column, says] of cases) {
    let found: unknown;
    try {
      parseRules(text);
    } catch (error) {
      found = error;
    }
    t.match(found, { code, line: 1, column, message: says }, text.slice(0, 100));
  }
  t.throws(() => run(parseRules('p(?x, ?n) :- q(?x), ?n = count { ?f : r(?x, ?f) }. r(?x, ?y) :- p(?x, ?y).'), []), {
    code: 'unstratifiable',
    message: /aggregation runs in a circle: (p -> count of r -> p|r -> p -> count of r)/,
  });
});

t.test('an old name that a test now has stays a relation in quotes, and JSON says which is meant', async (t) => {
  const [rule] = parseRules('holds(?x, ?y) :- "contains"(?x, ?y), contains(?y, "a").');
  t.equal(rule.text, 'holds(?x, ?y) :- "contains"(?x, ?y), contains(?y, "a"^^string).');
  t.same(ruleToJson(rule).body, [
    { relation: 'contains', subject: '?x', object: '?y' },
    { call: 'contains', arguments: ['?y', { value: 'a', type: 'string' }] },
  ]);
});

t.test('every example of the guide is a rule, and every function is in it', async (t) => {
  const guide = readFileSync(new URL('../../../graph/reason/LANGUAGE.md', import.meta.url), 'utf8');
  const examples = [...guide.matchAll(/```datalog\n(.*?)```/gsu)].map((match) => match[1]);
  t.equal(examples.length, 4);
  t.ok(parseRules(examples.join('\n')).length > 18);
  for (const name of BUILTINS.keys()) t.ok(guide.includes(name), name);
});
