// Owns the language's surface: what is read, what is refused and where, and that text, JSON and printing agree.
// Refuses to know what rules derive.

import t from 'tap';
import { RuleError } from '../../../graph/reason/errors.ts';
import { rulesFromJson, ruleToJson } from '../../../graph/reason/language/json.ts';
import { parseGoal, parseRules, readRules } from '../../../graph/reason/language/parse.ts';
import { printRules } from '../../../graph/reason/language/print.ts';
import { stratify } from '../../../graph/reason/evaluate/strata.ts';
import { randomRule, seeded } from '../../helpers/random-programs.ts';

const failure = (work: () => unknown): RuleError => {
  try {
    work();
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

t.test('every mistake in a text is reported by kind, line, column and what would be right', async (t) => {
  const cases: readonly (readonly [text: string, code: string, line: number, column: number, says: RegExp])[] = [
    ['p(?x, ?y)', 'syntax', 1, 10, /expected "\.", ":-" or "," but the text ends/],
    ['p(?x, ?y) :- q(?x, ?y)', 'syntax', 1, 23, /expected "\."/],
    ['p(?x, ?y) :- .', 'syntax', 1, 14, /expected a condition but found "\."/],
    ['p(?x, ?y) :- q(?x, ?y),, r(?x, ?y).', 'syntax', 1, 24, /expected a condition but found ","/],
    ['p ?x, ?y) :- q(?x, ?y).', 'syntax', 1, 3, /expected "\(" but found "\?"/],
    ['p(?x ?y) :- q(?x, ?y).', 'syntax', 1, 6, /expected "," or "\)"/],
    ['p(?x, ?y, ?z) :- q(?x, ?y).', 'syntax', 1, 9, /expected "\)"/],
    ['p() :- q(?x, ?y).', 'syntax', 1, 3, /expected a variable, a name or a literal but found "\)"/],
    ['born in(?x, ?y) :- q(?x, ?y).', 'syntax', 1, 6, /expected "\("/],
    ['born-in(?x, ?y) :- q(?x, ?y).', 'syntax', 1, 5, /in quotes/],
    ['p(?x, ?y) : q(?x, ?y).', 'syntax', 1, 11, /":-" between head and body/],
    ['p(?x, ?y) <- q(?x, ?y).', 'syntax', 1, 11, /expected "\.", ":-" or "," but found "<"/],
    ['# a remark', 'syntax', 1, 1, /comments begin with "%"/],
    ['p(?x) :- q(?x) // a remark', 'syntax', 1, 16, /comments begin with "%"/],
    ['p(?x) :- q(?x), /* a remark */ r(?x).', 'syntax', 1, 17, /comments begin with "%"/],
    ['p(?x, ?z) :- q(?x, ?y), ?z = ?y /* halved */ / 2.', 'syntax', 1, 33, /comments begin with "%"/],
    ['// a remark', 'syntax', 1, 1, /comments begin with "%"/],
    // Only entities are subjects: under "not" this would hold of everything.
    ['p(?x) :- q(?x, ?n), ?y = ?n + 1, not r(?y, _).', 'type', 1, 38, /under "not", \?y is a number and cannot be the subject of r; only entities can, so nothing would ever meet this/],
    ['p(?x) :- q(?x, ?n), ?n > 3, not r(?n, _).', 'type', 1, 33, /cannot be the subject of r/],
    ['p(?x) :- q(?x, ?v), ?y = ?v + 1, not exists { r(?y, ?z), s(?z, ?w) }.', 'type', 1, 38, /cannot be the subject of r/],
    ['p(?x, ?n) :- q(?x, ?v), ?y = ?v + 1, ?n = count { ?z : r(?y, ?z) }.', 'type', 1, 38, /so nothing would ever meet this/],
    ['p(?x, ?n) :- q(?x, _), ?n = count { ?z : s(?x, ?z), ?u = lower(?z), not r(?u, ?z) }.', 'type', 1, 24, /so this would always hold/],
    ['p(?x) :- q(?x);\n r(?x).', 'syntax', 1, 15, /one rule for each alternative/],
    ['p(?x) :- !q(?x).', 'syntax', 1, 10, /"not p\(\.\.\)"/],
    ['p(?x) :- \\+ q(?x).', 'syntax', 1, 10, /"not p\(\.\.\)"/],
    ['p(?x) :- q(?x, ?y), ?y == 3.', 'syntax', 1, 24, /"==" is no comparison here; there are = != < <= > >=/],
    ['p(?x) :- q(?x, ?y), ?y =< 3.', 'syntax', 1, 24, /"=<" is no comparison/],
    ['p(?x) :- count { ?y : q(?x, ?y) } <> 3.', 'syntax', 1, 35, /"<>" is no comparison/],
    ['p(?x) :- q(?x) & r(?x).', 'syntax', 1, 16, /"," between conditions/],
    ['p（?x） :- q(?x).', 'syntax', 1, 2, /half-width/],
    ["p('a', b).", 'syntax', 1, 3, /double quotes/],
    ['p(“a”, b).', 'syntax', 1, 3, /straight quotes/],
    ['p(? x, b).', 'syntax', 1, 3, /a variable is "\?" and a name/],
    ['p("a, b).', 'syntax', 1, 3, /no closing quote/],
    ['p("a\\q", b).', 'syntax', 1, 5, /unknown escape/],
    ['p(_, b) :- q(b, c).', 'syntax', 1, 3, /_ has no meaning/],
    ['not p(?x, ?y) :- q(?x, ?y).', 'syntax', 1, 1, /written -p\(\.\.\)/],
    ['p(?x) :- not not q(?x).', 'syntax', 1, 18, /expected "\(" but found "q"/],
    ['p(a, "5"^^integer).', 'syntax', 1, 11, /expected string, number, date or boolean/],
    ['p(?x) :- ?x q(?x).', 'syntax', 1, 13, /a comparison/],
    ['p(?x, ?y) :- q(?x, ?z).', 'unsafe', 1, 7, /variable \?y of the head is not bound by the body/],
    ['% first\np(a, b).\nq(?u,\n  ?v) :- p(?u, ?w).', 'unsafe', 4, 3, /\?v/],
    ['p(?x) :- q(?x), not r(?x, ?y).', 'unsafe', 1, 27, /occurs only under "not"/],
    ['p(?x) :- q(?x), ?y > 3.', 'unsafe', 1, 17, /occurs only in a comparison/],
    ['p(?x, b).', 'unsafe', 1, 3, /not bound/],
    ['p(5, b).', 'invalid_term', 1, 3, /5 is a literal and cannot be a subject/],
    ['p("  ", b).', 'invalid_term', 1, 3, /empty/],
    ['p(a, "1879-3-14"^^date).', 'invalid_term', 1, 6, /ISO 8601/],
    ['p(a, "x"^^number).', 'invalid_term', 1, 6, /finite number/],
    ['p(a, 1e999).', 'invalid_term', 1, 6, /finite number/],
    ['p(a, "maybe"^^boolean).', 'invalid_term', 1, 6, /true or false/],
    ['@confidence(1.5) p(a, b).', 'invalid_annotation', 1, 1, /above 0 and at most 1/],
    ['@confidence("x") p(a, b).', 'syntax', 1, 13, /a number above 0/],
    ['@name("a") @name("b") p(a, b).', 'invalid_annotation', 1, 12, /stands twice/],
    ['@weight(3) p(a, b).', 'invalid_annotation', 1, 1, /@weight is not known/],
    ['@say("{x} of {q}") p(?x) :- r(?x).', 'invalid_annotation', 1, 6, /mentions \{q\}.*\?x/],
    ['p(?x) :- q(?x), alice < 3.', 'type', 1, 17, /alice has no order/],
    ['p(?x) :- q(?x), "1990"^^date < 3.', 'type', 1, 32, /no common order/],
    ['p(?x) :- q(?x), 3 >= true.', 'type', 1, 22, /true has no order/],
    ['爱(?x, ?y) :- 认识(?x, ?z).', 'unsafe', 1, 7, /\?y/],
    [`p(?x) :- ${Array.from({ length: 65 }, () => 'q(?x)').join(', ')}.`, 'too_large', 1, 460, /65 conditions; at most 64/],
  ];
  for (const [text, code, line, column, says] of cases) {
    const error = failure(() => parseRules(text));
    t.match({ code: error.code, line: error.line, column: error.column }, { code, line, column }, text);
    t.match(error.message, says, text);
    t.ok(error.message.startsWith(`line ${line}, column ${column}: `));
  }
});

t.test('all mistakes of a text are found, and the right rules beside them', async (t) => {
  const { rules, errors, places } = readRules('p(a, b).\np(?x).\nq(?x, ?y) :- p(?x, ?y).\nr(?x :- p(?x, ?x).\n  s(a).');
  t.same(
    rules.map(({ text }) => text),
    ['p(a, b).', 'q(?x, ?y) :- p(?x, ?y).', 's(a).'],
  );
  t.same(
    errors.map(({ line, code }) => [line, code]),
    [
      [2, 'unsafe'],
      [4, 'syntax'],
    ],
  );
  t.same(
    rules.map(({ id }) => places.get(id)),
    [
      { line: 1, column: 1 },
      { line: 3, column: 1 },
      { line: 5, column: 3 },
    ],
  );
});

t.test('whole numbers that would be others are mistakes, wherever they stand', async (t) => {
  const read = readRules('p(a, 9007199254740993).\np(b, "9007199254740993"^^number).\nq(?x) :- p(?x, ?v), ?v -9007199254740993 > 1.\nr(?x) :- p(?x, 9007199254740992), not p(?x, 1e300).');
  t.same(read.errors.map(({ code, line, column }) => [code, line, column]), [['invalid_term', 1, 6], ['invalid_term', 2, 6], ['invalid_term', 3, 24]]);
  t.equal(read.rules.length, 1);
  t.throws(() => parseGoal('p(?x, 9007199254740993)'), { code: 'invalid_term', message: /is 9007199254740993, and whole numbers beyond 2\^53/ });
});

t.test('a circle of negation is shown, with its rules', async (t) => {
  const rules = parseRules(
    'wins(?x, g) :- moves(?x, ?y), not loses(?y, g).\nloses(?x, g) :- plays(?x, g), not draws(?x, g).\ndraws(?x, g) :- wins(?x, g).\nother(?x) :- not loses(?x, ?x), person(?x).',
  );
  const error = failure(() => stratify(rules, (rule) => ({ line: rules.indexOf(rule) + 1, column: 1 })));
  t.equal(error.code, 'unstratifiable');
  t.match(
    error.message,
    /wins\(\.\., g\) -> not loses\(\.\., g\) -> not draws\(\.\., g\) -> wins\(\.\., g\)|loses\(\.\., g\) -> not draws\(\.\., g\) -> wins\(\.\., g\) -> not loses\(\.\., g\)/,
  );
  for (const rule of rules.slice(0, 3)) t.ok(error.message.includes(rule.text));
  t.notOk(error.message.includes(rules[3].text));
  t.ok(error.line >= 1 && error.line <= 2);
  t.match(failure(() => stratify(parseRules('p(?x, ?y) :- q(?x, ?y), not p(?y, ?x).'))).message, /circle: p -> not p;/);
});

t.test('negation between classes is no circle, between a class and itself it is', async (t) => {
  const strata = stratify(parseRules('flies(?x) :- bird(?x), not penguin(?x). bird(?x) :- penguin(?x). walks(?x) :- animal(?x), not flies(?x).'));
  const of = (text: string): number => strata.of(parseGoal(text));
  t.same(['bird(?x)', 'flies(?x)', 'walks(?x)'].map(of), [0, 0, 1]);
  t.match(
    failure(() => stratify(parseRules('calm(?x) :- dog(?x), not wild(?x). wild(?x) :- dog(?x), not calm(?x).'))).message,
    /calm -> not wild -> not calm|wild -> not calm -> not wild/,
  );
  // What may be any class may be the one that is denied.
  t.equal(
    failure(() => stratify(parseRules('"is a"(?x, ?c) :- member(?x, ?c). wild(?x) :- member(?x, ?y), "is a"(?y, ?c), not calm(?x). calm(?x) :- wild(?x).')))
      .code,
    'unstratifiable',
  );
  t.match(failure(() => stratify(parseRules('"is a"(?x, ?c) :- kind(?x, ?c), not human(?x).'))).message, /circle: "is a" -> not "is a";/);
  t.equal(stratify(parseRules('p(?x, ?c) :- kind(?x, ?c), not human(?x). human(?x) :- kind(?x, human).')).of(parseGoal('p(a, ?x)')), 1);
});

t.test('printed text is read to the same rules, and so is the JSON form', async (t) => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const rule = randomRule(seeded(seed), true);
    t.strictSame(parseRules(rule.text), [rule], rule.text);
    t.strictSame(rulesFromJson(JSON.parse(JSON.stringify({ rules: [ruleToJson(rule)] }))), [rule]);
  }
  const odd = parseRules(
    String.raw`@name("a \"b\"\\ c") @confidence(0.25) @say("{x} 生 {年}") "born\tin"("?x", "not"), -爱(?x, true) :- "p/q"(?x, ?年), not -"_"(?x, "5"^^string), ?年 != "true"^^string, ?年 >= -1.5e3. :- p(?x, ?x).`,
  );
  t.strictSame(parseRules(printRules(odd)), odd);
  t.strictSame(rulesFromJson(JSON.parse(JSON.stringify(odd.map(ruleToJson)))), odd);
  t.equal(odd[0].heads[0].relation, 'born\tin');
  t.same(
    odd.map(({ heads, body }) => [heads.length, body.length]),
    [
      [2, 4],
      [0, 1],
    ],
  );
});

t.test('an id is the same for the same rule however it was written, and differs for another', async (t) => {
  const [one] = parseRules('human( ?x )  :- % a remark\n philosopher(?x) .');
  t.equal(parseRules('"is a"(?x, human) :- "is a"(?x, "philosopher").')[0].id, one.id);
  t.equal(parseRules('@confidence(1) human(?x) :- philosopher(?x).')[0].id, one.id);
  t.match(one.id, /^r_[0-9a-f]{24}$/);
  t.not(parseRules('human(?y) :- philosopher(?y).')[0].id, one.id);
  t.equal(parseRules('p(a, b). p(a, b).').length, 1, 'a rule that stands twice is one rule');
});

t.test('mistakes in JSON are reported by their path', async (t) => {
  const atom = { relation: 'p', subject: '?x', object: '?y' };
  const cases: readonly (readonly [value: unknown, code: string, path: string, says: RegExp])[] = [
    [null, 'syntax', 'rules', /expected an object but found null/],
    [{ rules: {} }, 'syntax', 'rules', /an array of rules/],
    [[{ heads: [atom], body: [{ ...atom, object: 5 }] }], 'syntax', 'rules[0].body[0].object', /expected an object but found 5/],
    [[{ heads: [atom], body: [atom] }, { head: [atom] }], 'syntax', 'rules[1]', /"head" is not known here/],
    [[{ heads: [{ ...atom, object: '?z' }], body: [atom] }], 'unsafe', 'rules[0].heads[0].object', /\?z/],
    [[{ heads: [atom], body: [atom], confidence: 0 }], 'syntax', 'rules[0].confidence', /above 0/],
    [[{ heads: [atom], body: [{ compare: '~', left: '?x', right: '?y' }] }], 'syntax', 'rules[0].body[0].compare', /one of =/],
    [[{ heads: [atom], body: [{ ...atom, subject: { value: 5 } }] }], 'invalid_term', 'rules[0].body[0].subject', /literal/],
    [[{ heads: [atom], body: [{ ...atom, negated: 'yes' }] }], 'syntax', 'rules[0].body[0].negated', /true or false/],
    [{ heads: [{ ...atom, subject: ' ' }], body: [atom] }, 'invalid_term', 'rule.heads[0].subject', /empty/],
  ];
  for (const [value, code, path, says] of cases) {
    const error = failure(() => rulesFromJson(value));
    t.match({ code: error.code, path: error.path, line: error.line }, { code, path, line: 0 }, JSON.stringify(value));
    t.match(error.message, says);
  }
});

t.test('rules read by the one before, which differ in names alone, are what they are by themselves', async (t) => {
  const random = seeded(41);
  const pick = <T>(list: readonly T[]): T => random.pick(list);
  const names = ['a', 'B2', '_x', '"a"', '"a b"', '"x\\"y"', '"x"^^entity', '"t"^^string', '5', 'true', '_', '"_"', 'not', '"not"', 'contains', '"contains"', 'count', 'floor', '"floor"', 'ägir', '人', '"\ue0000"', '" "'];
  const forms = [
    'p(?x, A) :- q(?x, B).',
    'A(?x) :- B(?x).',
    'A(?x) :- B(?x), not C(?x).',
    '-A(?x) :- "is a"(?x, B), -q(C, ?x).',
    'p(A, B).',
    ':- p(?x, A), p(?x, B).',
    'p(?x, A), C(?x) :- q(?x, ?y), q(?y, _), exists r(?x, B).',
    'p(?x, ?n) :- q(?x, A), ?n = count { ?y : q(?x, ?y) }.',
    '@confidence(0.5) p(?x, A) :- q(?x, B).',
    'p(?x, A) :- q(?x, ?z), ?z != B.',
    'p(?y, A) :- q(?x, B).',
  ];
  let same = 0;
  for (let round = 0; round < 300; round++) {
    const few = [pick(forms), pick(forms), pick(forms)];
    const clauses = Array.from({ length: 12 }, () => pick(few).replaceAll(/[ABC](?=[(),.])/g, () => pick(random.next() < 0.6 ? names.slice(0, 5) : names)));
    const alone = clauses.map((clause) => readRules(clause));
    const together = readRules(clauses.join('\n'));
    const rules = new Map(alone.flatMap((read) => read.rules).map((rule) => [rule.id, rule]));
    if (JSON.stringify(together.rules) === JSON.stringify([...rules.values()])) same++;
    else t.same(together.rules, [...rules.values()], clauses.join('\n'));
    const lines = alone.flatMap(({ errors }, i) => errors.map(({ message }) => [i + 1, message.replace(/line 1\b/, `line ${i + 1}`)]));
    t.same(together.errors.map(({ line, message }) => [line, message]), lines, clauses.join('\n'));
    for (const { id, text } of together.rules) t.equal(clauses[(together.places.get(id)?.line ?? 0) - 1] && parseRules(clauses[(together.places.get(id)?.line ?? 0) - 1])[0].text, text);
  }
  t.equal(same, 300);
});

t.test('a goal is one atom', async (t) => {
  t.strictSame(parseGoal('ancestor(alice, ?x)'), parseGoal('"ancestor"("alice", ?x).'));
  t.match(parseGoal('-mortal(zeus)'), { relation: 'is a', negated: true, subject: { kind: 'entity', id: 'zeus' }, object: { kind: 'entity', id: 'mortal' } });
  t.match(
    failure(() => parseGoal('p(a, b), q(a, b)')),
    { code: 'syntax', line: 1, column: 8 },
  );
  t.match(failure(() => parseGoal('not p(a, b)')).code, 'syntax');
  t.match(failure(() => parseGoal('')).message, /expected a relation name but the text ends/);
});
