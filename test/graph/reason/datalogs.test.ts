// Owns the reading of rules as RDFox and Soufflé write them, and of variables that look like theirs: what they become, what they derive, what is refused with its place.
// Refuses to know how rules are evaluated.

import t from 'tap';
import type { ReadRules } from '../../../graph/reason/language/parse.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { readRdfox } from '../../../graph/reason/imports/rdfox.ts';
import { readSouffle } from '../../../graph/reason/imports/souffle.ts';
import { readInput } from '../../../graph/knowledge/rulebook.ts';
import type { RuleFormat } from '../../../graph/knowledge.ts';
import { all, BASE, open } from '../../helpers/knowledge-world.ts';
import { seeded } from '../../helpers/random-programs.ts';
import { mistakesOf, textsOf } from '../../helpers/read-rules.ts';
import type { Test } from 'tap';

/** What is read is a rule of the language: its text gives it again. */
function stands(t: Test, read: ReadRules): void {
  for (const rule of read.rules) t.same(parseRules(rule.text), [rule], rule.text);
}
/** `subject relation object` of what the program derives, without the facts in it. */
async function derived(t: Test, program: string, format: RuleFormat): Promise<string[]> {
  const { graph } = await open(t);
  const { rules } = await graph.addRules(BASE, program, { format });
  const facts = new Set(rules.filter(({ body }) => body.length === 0).map(({ heads: [{ subject, relation, object }] }) => JSON.stringify([subject, relation, object])));
  return (await all(graph, {}, { derived: 'only' }))
    .filter(({ subject, relation, object }) => !facts.has(JSON.stringify([{ kind: 'entity', id: subject }, relation, object])))
    .map(({ subject, relation, object }) => `${subject} ${relation} ${object.kind === 'entity' ? object.id : JSON.stringify(object.value)}`)
    .toSorted();
}

t.test('RDFox rules become rules of the language', (t) => {
  const read = readRdfox(`
PREFIX : <http://example.org/>
@prefix f: <http://example.org/family#> .
[?X, f:gp, ?Z] :- [?X, f:parent, ?Y], [?Y, f:parent, ?Z] . # a remark
[?X, q, ?Y], [?X, a, :Thing] :- :has[?X, ?Y], :Other[?Y] .
[?X, p, ?Y] :- [?X, q, ?Y], NOT [?Y, r, ?Z], NOT [?X, r, ?Y], NOT ([?X, a, :C], [?Y, a, :C]) .
[?X, p, ?Y] :- [?X, q, ?Y], FILTER(?Y != :a && (?X = :b || !(?X != :c))) .
[?x, big, ?n] :- [?x, :age, ?a], FILTER(?a >= 18 && ?a NOT IN (20, -1 , "x")), BIND(xsd:integer(SUBSTR(STR(?x), 2)) + ?a * 2 AS ?n) .
[?x, a, :Lonely] :- [?x, a, :Person], NOT EXISTS ?y IN ([?x, :knows, ?y], FILTER(?y != ?x)) .
[?d, n, ?n], [?d, m, ?m] :- AGGREGATE([?e, :in, ?d], [?e, :wage, ?w] ON ?d BIND COUNT(?e) AS ?n BIND SUM(?w * 2) AS ?m) .
[?e, peers, ?n] :- [?e, :in, ?d], AGGREGATE([?e, :in, ?d] ON ?d BIND COUNT(DISTINCT ?e) AS ?n) .
[:a, :v, -3.5] .
`);
  t.same(read.errors, []);
  t.same(textsOf(read), [
    'gp(?X, ?Z) :- parent(?X, ?Y), parent(?Y, ?Z).',
    'q(?X, ?Y), Thing(?X) :- has(?X, ?Y), Other(?Y).',
    'p(?X, ?Y) :- q(?X, ?Y), not exists { r(?Y, ?Z) }, not r(?X, ?Y), not exists { C(?X), C(?Y) }.',
    'p(?X, ?Y) :- q(?X, ?Y), ?Y != a, ?X = b.',
    'p(?X, ?Y) :- q(?X, ?Y), ?Y != a, ?X = c.',
    'big(?x, ?n) :- age(?x, ?a), ?a >= 18, ?a not in [20, -1, "x"^^string], ?n = number(substring(string(?x), 1)) + (?a * 2).',
    'Lonely(?x) :- Person(?x), not exists { knows(?x, ?_1), ?_1 != ?x }.',
    'n(?d, ?n), m(?d, ?m) :- in(?own_1, ?d), wage(?own_1, ?own_2), ?n = count { ?e, ?w : in(?e, ?d), wage(?e, ?w) }, ?m = sum { ?_3 : in(?e, ?d), wage(?e, ?w), ?_3 = ?w * 2 }.',
    'peers(?e, ?n) :- in(?e, ?d), in(?own_2, ?d), ?n = count { ?own_1 : in(?own_1, ?d) }.',
    'v(a, -3.5).',
  ]);
  stands(t, read);
  t.same(read.places.get(read.rules[0].id), { line: 4, column: 1 });
  t.same(textsOf(readRdfox('PREFIX : <http://e.org/> [?x, :p, ?y] :- [?y, :p, ?x] .', 'iri')), ['"http://e.org/p"(?x, ?y) :- "http://e.org/p"(?y, ?x).']);
  t.end();
});

t.test('what RDFox rules derive', async (t) => {
  const program = `
PREFIX : <http://example.org/>
[:ann, :in, :lab] . [:bob, :in, :lab] . [:cid, :in, :hall] . [:dan, a, :Guest] . [:hall, a, :Place] . [:shed, a, :Place] .
[:ann, :wage, 10] . [:bob, :wage, 10] . [:cid, :wage, 7] .
[?d, :size, ?n], [?d, :total, ?s] :- AGGREGATE([?e, :in, ?d], [?e, :wage, ?w] ON ?d BIND COUNT(*) AS ?n BIND SUM(?w) AS ?s) .
[?d, a, :Empty] :- [?d, a, :Place], NOT [?e, :in, ?d] .
[?x, :colleague, ?y] :- [?x, :in, ?d], [?y, :in, ?d], FILTER(?x != ?y) .
[?x, a, :Odd] :- [?x, :wage, ?w], FILTER(?w < 8 || ?x = :bob) .`;
  t.same(await derived(t, program, 'rdfox'), [
    'ann colleague bob',
    'bob colleague ann',
    'bob is a Odd',
    'cid is a Odd',
    'hall size 1',
    'hall total 7',
    'lab size 2',
    'lab total 20',
    'shed is a Empty',
  ]);
});

t.test('what of RDFox has no counterpart is refused by its name and place', (t) => {
  const read = readRdfox(`PREFIX : <http://example.org/>
[?x, :q, ?y] :- :T(?x, ?y) .
[?x, :q, ?y] :- [?x, :p, ?y] :G .
[?x, :q, ?y] :- [?x, :p, ?y], SKOLEM("a", ?x, ?y) .
[?x, :q, ?y] :- [?x, :p, ?y], FILTER(FOO(?x)) .
[?x, :q, ?y] :- [?x, :p, ?y], FILTER(?x) .
[?x, :q, ?y] :- [?x, :p ?y] .
[?x, :q, ?y] :- [?x, :p, ?y], NOT [?y, :r, ?z], FILTER(?z > 3) .
[?x, :q, ?n] :- AGGREGATE([?x, :p, ?y] ON ?x BIND SUM(DISTINCT ?y) AS ?n) .
[?x, :q, ?n] :- AGGREGATE([?x, :p, ?y] ON ?z BIND COUNT(?y) AS ?n) .
[?x, :q, ?n] :- AGGREGATE([?x, :p, ?y] ON ?x BIND MEDIAN(?y) AS ?n) .
[?x, ex:q, ?n] :- [?x, :p, ?n] .
[?x, ?q, ?n] :- [?x, :p, ?n] .
[?x, :fine, ?y] :- [?x, :p, ?y] .`);
  t.same(textsOf(read), ['fine(?x, ?y) :- p(?x, ?y).'], 'what is right is read');
  t.same(mistakesOf(read), [
    ['syntax', 2, 17],
    ['syntax', 3, 30],
    ['syntax', 4, 31],
    ['unknown_builtin', 5, 38],
    ['syntax', 6, 38],
    ['syntax', 7, 25],
    ['unsafe', 8, 44],
    ['syntax', 9, 51],
    ['unsafe', 10, 17],
    ['unknown_builtin', 11, 51],
    ['syntax', 12, 6],
    ['invalid_term', 13, 6],
  ]);
  t.match(read.errors[2].message, /SKOLEM has no counterpart here/);
  t.match(read.errors[5], { expected: ['","'] });
  t.end();
});

t.test('Soufflé programs become rules of the language', (t) => {
  const read = readSouffle(`
/* a program
   of two lines */
.type Node <: symbol
.decl edge, link(x: Node, y: Node) input
.decl path(x: Node, y: Node) // reached
.decl age(x: Node, n: number)
.input edge(IO=file, filename="e.facts")
.output path, age
.printsize path
edge("a", "b"). edge("b", "c").
age("a", 3).
path(x, y) :- edge(x, y).
path(x, z) :- edge(x, y), (path(y, z) ; y = z, !blocked(y)).
  .plan 0:(1,2)
leaf(x) :- edge(_, x), !edge(x, _).
deg(x, n) :- edge(x, _), n = count : { edge(x, _) }.
busy(x), known(x) :- edge(x, _), count : edge(x, _) > 2.
old(x) :- age(x, n), n + 1 > 0x0a, n != 12.
top(x, n) :- edge(x, _), n = max a * 2 : { edge(x, y), age(y, a) }.
next(x, n + 1) :- age(x, n).
same(x) :- edge(x, y), x = "a", y != "b".
m(x) :- edge(x, _), match("a.*", x), !contains("zz", x).
`);
  t.same(read.errors, []);
  t.same(textsOf(read), [
    'edge(a, b).',
    'edge(b, c).',
    'age(a, 3).',
    'path(?x, ?y) :- edge(?x, ?y).',
    'path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).',
    'path(?x, ?z) :- edge(?x, ?y), ?y = ?z, not blocked(?y).',
    'leaf(?x) :- edge(?_1, ?x), not edge(?x, _).',
    'deg(?x, ?n) :- edge(?x, ?_1), ?n = count { ?any_2 : edge(?x, ?any_2) }.',
    'busy(?x), known(?x) :- edge(?x, ?_1), ?_2 = count { ?any_3 : edge(?x, ?any_3) }, ?_2 > 2.',
    'old(?x) :- age(?x, ?n), ?n + 1 > 10, ?n != 12.',
    'top(?x, ?n) :- edge(?x, ?_1), ?n = max { ?_2 : edge(?x, ?y), age(?y, ?a), ?_2 = ?a * 2 }.',
    'next(?x, ?_1) :- age(?x, ?n), ?_1 = ?n + 1.',
    'same(?x) :- edge(?x, ?y), ?x = a, ?y != b.',
    'm(?x) :- edge(?x, ?_1), matches(?x, "^(a.*)$"^^string), not contains(?x, "zz"^^string).',
  ]);
  stands(t, read);
  t.same(read.places.get(read.rules[4].id), { line: 14, column: 1 });
  t.end();
});

t.test('numbers in all the forms of Soufflé', (t) => {
  const read = readSouffle('.decl n(x: symbol, v: float)\nn("a", 10). n("a", 10u). n("a", 0xff). n("a", 0xffu). n("a", 0b101u). n("a", -1.5e2). n("a", 0.25). n("a", -3).');
  t.same(read.errors, []);
  t.same(textsOf(read), ['n(a, 10).', 'n(a, 255).', 'n(a, 5).', 'n(a, -150).', 'n(a, 0.25).', 'n(a, -3).']);
  t.end();
});

t.test('what Soufflé programs derive: numbers as nodes, whole division, aggregates over all rows, texts', async (t) => {
  const program = `
.decl edge(x: number, y: number)
.decl path(x: number, y: number)
.decl bought(w: symbol, what: symbol)
.decl price(what: symbol, p: number)
.decl half(what: symbol, p: number)
.decl rest(what: symbol, p: number)
.decl tag(what: symbol, t: symbol)
edge(1, 2). edge(2, 3). edge(3, 4).
path(x, y) :- edge(x, y).
path(x, z) :- path(x, y), edge(y, z).
far(x) :- path(x, y), y > x + 2.
before(x) :- edge(x, y), x < y, y = 4.
bought("ann", "pen"). bought("ann", "cup"). bought("bob", "pen").
price("pen", 3). price("cup", 3). price("debt", -7).
spent(w, s) :- bought(w, _), s = sum p : { bought(w, x), price(x, p) }.
half(x, p / 2) :- price(x, p).
rest(x, p % 4) :- price(x, p).
tag(x, cat(x, "!")) :- price(x, _), strlen(x) = 3.
pen(x) :- tag(x, "pen!").
mean_price("all", m) :- m = mean p : { price(_, p) }.
`;
  t.same(
    (await derived(t, program, 'souffle')).filter((fact) => !fact.includes(' path ')),
    [
      '1 is a far',
      '3 is a before',
      'all mean_price -0.3333333333333333',
      'ann spent 6',
      'bob spent 3',
      'cup half 1',
      'cup rest 3',
      'cup tag "cup!"',
      'debt half -3',
      'debt rest -3',
      'pen half 1',
      'pen is a pen',
      'pen rest 3',
      'pen tag "pen!"',
    ],
  );
  t.equal((await derived(t, program, 'souffle')).filter((fact) => fact.includes(' path ')).length, 6);
});

t.test('what a Soufflé program computes meets entities by their names', async (t) => {
  const numbers = '.decl a(x: number)\n.decl b(x: number)\na(1). a(2).';
  const pairs = '.decl e(x: number, y: number)\n.decl b(x: number)\ne(1, 2). e(2, 3).';
  const words = '.decl w(x: symbol, y: symbol)\n.decl b(x: symbol)\nw("a", "x"). w("ax", "y").';
  for (const [program, wanted] of [
    [`${numbers} b(x) :- a(x), z = x + 1, !a(z).`, ['2']],
    [`${numbers} b(x) :- a(x), !a(x + 1).`, ['2']],
    [`${numbers} b(x) :- a(x), a(x + 1).`, ['1']],
    [`${numbers} b(x) :- a(x), z = x + 1, a(z).`, ['1']],
    [`${pairs} b(x) :- e(x, y), e(y, x + 2).`, ['1']],
    [`${pairs} b(y) :- e(_, y), !e(y, _). b(x) :- e(x, x + 1), x > 1.`, ['2', '3']],
    [`${words} b(x) :- w(x, y), !w(cat(x, y), _).`, ['ax']],
    [`${words} b(x) :- w(x, y), w(cat(x, y), _).`, ['a']],
    ['.decl w(x: symbol, y: number)\n.decl b(x: symbol)\nw("a", 1). w("b", 2). b(x) :- w(x, y), !w(_, y + 1).', ['b']],
  ] as const)
    t.same(
      (await derived(t, program, 'souffle')).filter((fact) => fact.endsWith(' is a b')),
      wanted.map((name) => `${name} is a b`),
      program,
    );
});
t.test('what a Soufflé program computes is no entity', (t) => {
  const program = '.decl e(x: number, y: number)\n.decl c(x: number, y: number)\n.decl b(x: number)\ne(1, 2).';
  for (const clause of ['c(x, x + 1) :- e(x, _).', 'c(x, z) :- e(x, _), z = x + 1.', 'c(x, n) :- e(x, _), n = sum y : { e(x, y) }.']) {
    const read = readSouffle(`${program}\n${clause} b(x) :- c(x, y), e(y, _).`);
    t.match(read.errors, [{ code: 'type', line: 5, message: /place 2 of c holds entities/u }], clause);
  }
  for (const [clause, column] of [['b(x + 1) :- e(x, _).', 5], ['c(sum y : { e(x, y) }, x) :- e(x, _).', 3], ['b(cat("a", x)) :- e(x, _).', 3]] as const)
    t.match(readSouffle(`${program}\n${clause}`).errors, [{ code: 'type', line: 5, column, message: /place 1 of . holds entities, and what is computed cannot be one/u }], clause);
  t.end();
});

t.test('what of Soufflé has no counterpart is refused by its name and place', (t) => {
  const read = readSouffle(`.decl edge(x: symbol, y: symbol)
.decl three(x: symbol, y: symbol, z: symbol)
.comp Foo { .decl a(x: number) a(1). }
.decl eq(x: symbol, y: symbol) eqrel
.type Pair = [a: number, b: number]
.functor f(x: number): number
#include "other.dl"
p(x) :- edge(x, y), x < y.
p(x) :- edge(x, [1, 2]).
p(x) :- edge(x, ord(x)).
p(x) edge(x, y).
p(x) :- edge(x).
p(x, n) :- edge(x, _), n = sum a : { edge(x, y), b = max c : { age(y, c) }, age(y, a) }.
p(_) :- edge(x, _).
p(x) <= p(y) :- edge(x, y).
p(x) :- edge(x, y), !q(x, z).
p(x) :- edge(x, @f(x)).
p(x, y) :- edge(x, y)
`);
  t.same(textsOf(read), []);
  t.same(mistakesOf(read), [
    ['arity', 2, 7],
    ['syntax', 3, 1],
    ['syntax', 4, 32],
    ['syntax', 5, 14],
    ['syntax', 6, 1],
    ['syntax', 7, 1],
    ['type', 8, 21],
    ['syntax', 9, 17],
    ['unknown_builtin', 10, 17],
    ['syntax', 11, 6],
    ['arity', 12, 9],
    ['syntax', 13, 54],
    ['unsafe', 14, 3],
    ['syntax', 15, 6],
    ['unsafe', 16, 27],
    ['syntax', 17, 17],
    ['syntax', 19, 1],
  ]);
  t.match(read.errors[0].message, /three has 3 places, and a relation here has one or two/);
  t.match(read.errors.at(-1)?.message, 'expected ".", "," or ";" but the text ends');
  t.match(readSouffle('p(x) :- q(x), x = "a').errors, [{ code: 'syntax', line: 1, column: 19 }]);
  t.end();
});

t.test('no text breaks the readers, however it is cut and nested', (t) => {
  const random = seeded(5);
  const rdfox = 'PREFIX : <http://e.org/> [?x, :p, ?n] :- AGGREGATE([?x, :q, ?y], FILTER(?y > 1) ON ?x BIND SUM(?y * 2) AS ?n), NOT ([?x, a, :C], [?x, :r, ?z]), FILTER(?n > 1 || !(?n = 2)), BIND(STRLEN(STR(?x)) + 1 AS ?k) .';
  const souffle = '.decl p(x: symbol, n: number) .input p(a=b) p("a", 1). q(x, n) :- p(x, _), (n = sum y * 2 : { p(x, y), y > 1 } ; n = -3), !r(x, _), match("a.*", x). // end';
  for (const [text, read] of [[rdfox, readRdfox], [souffle, readSouffle]] as const) {
    let [accepted, refused] = [0, 0];
    for (let i = 0; i < 1_500; i++) {
      const pieces = text.split(/(?=[^\w])|(?<=[^\w])/u);
      for (let cuts = 1 + random.below(3); cuts > 0; cuts--) pieces.splice(random.below(pieces.length), random.below(3), ...(random.next() < 0.5 ? [random.pick(pieces)] : []));
      const { rules, errors } = read(pieces.join(''));
      if (errors.some(({ line, column }) => !(line > 0 && column > 0))) t.fail(`no place: ${pieces.join('')}`);
      for (const rule of rules) if (parseRules(rule.text)[0].id !== rule.id) t.fail(rule.text);
      if (errors.length > 0) refused++;
      else if (rules.length > 0) accepted++;
    }
    t.ok(accepted > 100 && refused > 500, `${read.name}: ${accepted} accepted, ${refused} refused`);
  }
  const deep = 30_000;
  for (const text of [
    `[?x, p, ?n] :- [?x, q, ?y], BIND(${'('.repeat(deep)}?y${')'.repeat(deep)} AS ?n) .`,
    `[?x, p, ?n] :- [?x, q, ?y], BIND(${'-'.repeat(deep)}?y AS ?n) .`,
    `[?x, p, ?y] :- [?x, q, ?y], FILTER(${'!'.repeat(deep)}(?y = 1)) .`,
    `[?x, p, ?y] :- [?x, q, ?y], ${'NOT ('.repeat(deep)} .`,
    `[?x, p, ?n] :- [?x, q, ?y], BIND(1${' + 1'.repeat(deep)} AS ?n) .`,
  ])
    t.match(readRdfox(text).errors, [{ code: 'too_large' }], text.slice(0, 60));
  for (const text of [
    `p(x) :- ${'('.repeat(deep)}q(x)${')'.repeat(deep)}.`,
    `p(x, n) :- q(x, y), n = ${'('.repeat(deep)}y${')'.repeat(deep)}.`,
    `p(x, n) :- q(x, y), n = ${'-'.repeat(deep)}y.`,
    `p(x, n) :- q(x, y), n = 1${' ^ 1'.repeat(deep)}.`,
    `p(x, n) :- q(x, y), n = ${'strlen('.repeat(deep)}y.`,
    `p(x, n) :- q(x, y), n = ${'count : { '.repeat(deep)}.`,
    `p(x, n) :- q(x, y), n = 1${' * 1'.repeat(deep)}.`,
    `p(x) :- q(x)${'; q(x)'.repeat(deep)}.`,
  ])
    t.match(readSouffle(text).errors, [{ code: 'too_large' }], text.slice(0, 60));
  t.end();
});

t.test('variables written as in Prolog are asked about, and a quoted name is a name', (t) => {
  const says = (text: string): string[] => readInput(text).errors.map(({ message }) => message);
  for (const [text, name, place] of [
    ['p(X,Y) :- q(X,Y).', 'X', 'line 1, column 1'],
    ['ok(?x) :- p(?x, a).\nmortal(Person) :- human(Person).', 'Person', 'line 2, column 1'],
    ['n(X, 1) :- q(X, _).', 'X', 'line 1, column 1'],
    ['path(x, z1) :- edge(x, y), path(y, z1).', 'x', 'line 1, column 1'],
  ]) {
    const [message] = says(text);
    t.match(message, `${place}: the rule has no variable, and ${name} stands in its head and in its body; did you mean ?${name}?`);
  }
  t.match(readInput('p(X,Y) :- q(X,Y). r(?x) :- s(?x).'), { rules: [{ text: 'r(?x) :- s(?x).' }], errors: [{ code: 'syntax', expected: ['?X', '"X"'] }] });
  t.match(says('n(a, N) :- q(a, b), N = 1 + 2.'), ['line 1, column 25: N is an entity and 1 + 2 a number; they are never the same']);
  for (const text of ['mortal("Socrates") :- human("Socrates").', 'p(X, a).', 'p(?x, Y) :- q(?x, Y).', 'p(a, B) :- q(a, C).', 'Cat(tom) :- Cat(tim).', ':- p(X, X).', 'p(a) :- q(a).', 'p("x") :- q(x).'])
    t.same(says(text), [], text);
  t.same(textsOf(readInput('p(X,Y) :- q(X,Y).', { format: 'souffle' })), ['p(?X, ?Y) :- q(?X, ?Y).']);
  t.end();
});
