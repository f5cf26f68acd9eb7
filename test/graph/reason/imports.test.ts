// Owns the reading of N3 and Jena rules: what they become, and what is refused with its place.
// Refuses to know what the rules derive.

import t from 'tap';
import { resolveIri } from '../../../graph/reason/imports/iri.ts';
import { readJena } from '../../../graph/reason/imports/jena.ts';
import { readN3 } from '../../../graph/reason/imports/n3.ts';
import { mistakesOf, textsOf } from '../../helpers/read-rules.ts';

t.test('N3 rules and facts become rules of the language', async (t) => {
  const read = readN3(`
@prefix : <http://example.org/family#> .
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
{ ?x :parent ?y . ?y :parent ?z } => { ?x :grandparent ?z } . # a remark
{ ?x a :Person ; :age ?a . ?a math:notLessThan 18 . (?a 1 2) math:sum ?n } => { ?x a :Adult ; :next ?n . } .
:alice :parent :bob , :carl ; a :Person .
{ ?x foaf:knows ?y . ?x log:notEqualTo ?y } => { ?y foaf:knows ?x } .
{ ?x :called "A.S."@en } <= { ?x :name ?n . ?n string:startsWith "A" } .
{ ?x :a ?y . ?y :a ?x } => false .
{ ?x :born "1990-01-01"^^xsd:date ; :size 1.5 ; rdfs:subClassOf _:any } => { ?x :ok true } .
`);
  t.same(read.errors, []);
  t.same(textsOf(read), [
    'grandparent(?x, ?z) :- parent(?x, ?y), parent(?y, ?z).',
    'Adult(?x), next(?x, ?n) :- Person(?x), age(?x, ?a), ?a >= 18, (?a + 1) + 2 = ?n.',
    'parent(alice, bob).',
    'parent(alice, carl).',
    'Person(alice).',
    'knows(?y, ?x) :- knows(?x, ?y), ?x != ?y.',
    'called(?x, "A.S."^^string) :- name(?x, ?n), starts_with(?n, "A"^^string).',
    ':- a(?x, ?y), a(?y, ?x).',
    'ok(?x, true) :- born(?x, "1990-01-01"^^date), size(?x, 1.5), "subclass of"(?x, ?_any).',
  ]);
  t.same(read.places.get(read.rules[0].id), { line: 4, column: 1 });
  t.same(textsOf(readN3('@prefix ex: <http://example.org/> . { ?x ex:p ?y } => { ?y ex:p ?x } .', 'iri')), [
    '"http://example.org/p"(?y, ?x) :- "http://example.org/p"(?x, ?y).',
  ]);
  t.same(textsOf(readN3('@base <http://example.org/> . { ?x <p> <a%20b> } => { ?x <q> <a%20b> } .')), ['q(?x, "a b") :- p(?x, "a b").']);
});

t.test('relative references are resolved as RFC 3986 says', async (t) => {
  const all = (base: string, ...references: string[]): string[] => references.map((reference) => resolveIri(base, reference));
  const normal = ['g:h', 'g', './g', 'g/', '/g', '//g', '?y', 'g?y', '#s', 'g#s', 'g?y#s', ';x', 'g;x', '', '.', './', '..', '../', '../g', '../..', '../../g'];
  // Section 5.4.1, and of 5.4.2 what leads above the root.
  t.same(all('http://a/b/c/d;p?q', ...normal, '../../../g', '/./g', '/../g', 'g..', './../g', 'g/./h', 'g/../h'), [
    'g:h', 'http://a/b/c/g', 'http://a/b/c/g', 'http://a/b/c/g/', 'http://a/g', 'http://g', 'http://a/b/c/d;p?y', 'http://a/b/c/g?y', 'http://a/b/c/d;p?q#s', 'http://a/b/c/g#s',
    'http://a/b/c/g?y#s', 'http://a/b/c/;x', 'http://a/b/c/g;x', 'http://a/b/c/d;p?q', 'http://a/b/c/', 'http://a/b/c/', 'http://a/b/', 'http://a/b/', 'http://a/b/g', 'http://a/',
    'http://a/g', 'http://a/g', 'http://a/g', 'http://a/g', 'http://a/b/c/g..', 'http://a/b/g', 'http://a/b/c/g/h', 'http://a/b/c/h',
  ]);
  t.same(all('http://example.org', 'a', '#b', '?c'), ['http://example.org/a', 'http://example.org#b', 'http://example.org?c']);
  t.same(textsOf(readN3('@base <http://example.org/people> . <ann> <knows> <bob> . @base <more/> . @prefix : <#> . <cid> :likes <../dan> .')), ['knows(ann, bob).', 'likes(cid, dan).']);
});

t.test('numbers and texts in all the forms of Turtle', async (t) => {
  const read = readN3(`@prefix : <http://example.org/> .
:a :n .5 , -.25e1 , "-5"^^xsd:negativeInteger , "7"^^xsd:unsignedByte , "0"^^xsd:nonPositiveInteger , " +8.50 "^^xsd:decimal , "2024-01-01T00:00:00Z"^^xsd:dateTimeStamp ;
  :t '''x
'y' ''z''' , 'w' .`);
  t.same(read.errors, []);
  t.same(textsOf(read).map((text) => text.slice(5, -2)), ['0.5', '-2.5', '-5', '7', '0', '8.5', '"2024-01-01T00:00:00Z"^^date', `"x\\n'y' ''z"^^string`, '"w"^^string']);
  t.match(readN3('<x:a> <x:n> "0x10"^^xsd:integer .').errors, [{ code: 'invalid_term', message: /not "0x10"/ }]);
  t.match(readN3('<x:a> <x:n> 9007199254740993 , "-9007199254740993"^^xsd:integer .').errors, [{ code: 'invalid_term', column: 13, message: /the number is 9007199254740993, and whole numbers beyond 2\^53/ }]);
});

t.test('what is no value of its datatype is refused', async (t) => {
  const of = (text: string, type: string): string => `<x:a> <x:n> "${text}"^^<http://www.w3.org/2001/XMLSchema#${type}> .`;
  for (const [text, type] of [['-1', 'nonNegativeInteger'], ['0', 'positiveInteger'], ['1', 'nonPositiveInteger'], ['0', 'negativeInteger'], ['1.5', 'integer'], ['1e3', 'int'], ['128', 'byte'], ['-32769', 'short'], ['4294967296', 'unsignedInt'], ['-1', 'unsignedLong']] as const)
    t.match(readN3(of(text, type)).errors, [{ code: 'invalid_term', column: 13, message: new RegExp(`"${text}" is no value of xsd:${type}`) }], `${text} ${type}`);
  for (const [text, type] of [['+5', 'positiveInteger'], ['-0', 'nonNegativeInteger'], ['-128', 'byte'], ['4294967295', 'unsignedInt'], ['9223372036854775808', 'unsignedLong'], ['1e3', 'double'], ['5.', 'decimal']] as const) t.same(readN3(of(text, type)).errors, [], `${text} ${type}`);
});

t.test('names in all the forms of Turtle', async (t) => {
  const names = String.raw`:a :p :q\~z , :b:c , :%41d , :x.y , :e\.f , <http://e.org/caf\u00e9> .`;
  t.same(textsOf(readN3(`@prefix : <http://e.org/> . ${names}`, 'iri')).map((text) => text.slice('"http://e.org/p"("http://e.org/a", "'.length, -3)), ['q~z', 'b:c', '%41d', 'x.y', 'e.f', 'café'].map((name) => `http://e.org/${name}`));
  t.same(textsOf(readN3(`@prefix : <http://e.org/n#> . ${names}`)).map((text) => text.slice(5, -2)), ['"q~z"', 'c', 'Ad', '"x.y"', '"e.f"', 'café']);
});

t.test('N3 facts may hold lists and nameless nodes, which have names of their own in each text', async (t) => {
  const text = '@prefix : <http://example.org/> . :c owl:unionOf ( :a [ :p 1 ; :q ( ) ] ) . _:n :p _:n . [ :p _:n ] .';
  const read = readN3(text);
  t.same(read.errors, []);
  const mark = /_:#1-([0-9a-f]{8})/u.exec(read.rules[0].text)?.[1] ?? '';
  t.same(
    textsOf(read).map((rule) => rule.replaceAll(mark, 'M')),
    [
      'p("_:#1-M", 1).',
      'q("_:#1-M", "empty list").',
      '"first of list"("_:#2-M", "_:#1-M").',
      '"rest of list"("_:#2-M", "empty list").',
      '"first of list"("_:#3-M", a).',
      '"rest of list"("_:#3-M", "_:#2-M").',
      '"union of"(c, "_:#3-M").',
      'p("_:n-M", "_:n-M").',
      'p("_:#4-M", "_:n-M").',
    ],
  );
  t.same(textsOf(readN3(text)), textsOf(read));
  t.not(textsOf(readN3(`${text} `))[0], textsOf(read)[0]);
  t.same(mistakesOf(readN3('@prefix : <http://example.org/> .\n:c :p ( :a "b" . :d :p ( ) .\n{ ?x :p [] } => { ?x :q [] } . ')), [
    ['syntax', 2, 16],
    ['unsafe', 3, 25],
  ]);
});

t.test('mistakes in N3 are reported by line and column, and what stands beside them is read', async (t) => {
  const read = readN3(`@prefix : <http://example.org/> .
{ ?x ?p ?y } => { ?y ?p ?x } .
{ ?x :old ?d } => { ?x :parent ?y } .
{ ?x no:p ?d } => { ?x :p ?d } .
{ ?x a :Person } => { ?x a <http://other.org/Person> } .
{ ?x :p ?y => { ?x :q ?y } .
{ ?x :p ?y . ?y math:sine ?z } => { ?x :q ?z } .
{ ?x :p ?y . ?y math:sum ?z } => { ?x :q ?z } .
{ ?x :p { ?y :q ?z } } => { ?x :r ?y } .
{ ?x :p ?y } => { ?y math:greaterThan ?x } .
"text" :p :b .
{ ?x :p ?y } => { ?y :inverse ?x } .`);
  t.same(mistakesOf(read), [
    ['invalid_term', 2, 6],
    ['unsafe', 3, 32],
    ['syntax', 4, 6],
    ['invalid_term', 5, 28],
    ['syntax', 6, 12],
    ['unknown_builtin', 7, 17],
    ['arity', 8, 14],
    ['syntax', 9, 9],
    ['syntax', 10, 1],
    ['invalid_term', 11, 1],
  ]);
  t.match(read.errors[0].message, /one rule for each relation/);
  t.match(read.errors[3].message, /the same local name "Person"/);
  t.same(textsOf(read), ['inverse(?y, ?x) :- p(?x, ?y).']);
  t.same(mistakesOf(readN3('{ ?x <p> ` }')), [['syntax', 1, 10]]);
  t.match(readN3('{ ?x <a#p> ?y } => { ?x <a#q> _:new } .').errors, [{ code: 'unsafe', line: 1, message: /_:new stands in the conclusion only/ }]);
  t.same(textsOf(readN3('{ ?x <a#p> _:b } => { ?x <a#q> _:b } .')), ['q(?x, ?_b) :- p(?x, ?_b).']);
});

t.test('Jena rules become rules of the language', async (t) => {
  const read = readJena(`@prefix ex: <http://example.org/>.
# a remark
[siblings: (?p ex:parent ?x), (?p ex:parent ?y) notEqual(?x, ?y) -> (?x ex:sibling ?y)]
[(?x ex:age ?v) lessThan(?v, 5) sum(?v, 1, ?w) -> (?x ex:next ?w) (?x rdf:type ex:Child)]
// a remark
[alone: (?x ex:q ?y) <- (?x ex:p ?y), noValue(?x, ex:r), noValue(?y ex:s ?x)]
[text: (?x ex:name ?y) regex(?y, 'a|b.*') strConcat(?y, '-', ?y, ?z) -> (?x ex:label ?z)]
[given: (?x ex:name ?y) (?x ex:pattern ?z) regex(?y, ?z) -> (?x ex:fits ?z)]
`);
  t.same(read.errors, []);
  t.same(textsOf(read), [
    '@name("siblings") sibling(?x, ?y) :- parent(?p, ?x), parent(?p, ?y), ?x != ?y.',
    'next(?x, ?w), Child(?x) :- age(?x, ?v), ?v < 5, ?v + 1 = ?w.',
    '@name("alone") q(?x, ?y) :- p(?x, ?y), not r(?x, _), not s(?y, ?x).',
    '@name("text") label(?x, ?z) :- name(?x, ?y), matches(?y, "^(?:a|b.*)$"^^string), concat(?y, "-"^^string, ?y) = ?z.',
    '@name("given") fits(?x, ?z) :- name(?x, ?y), pattern(?x, ?z), matches(?y, concat("^(?:"^^string, ?z, ")$"^^string)).',
  ]);
});

t.test('rules of Jena for goals with and without a value say the same', async (t) => {
  const read = readJena(`@prefix ex: <http://example.org/>.
[a: (?x ex:in ?z) <- bound(?z), (?y ex:in ?z) (?x ex:part ?y)]
[b: (?x ex:in ?z) <- unbound(?z) (?x ex:part ?y) (?y ex:in ?z)]
[c: (?x ex:part ?y) bound(?x, ?y) -> (?x ex:in ?y)]
[d: (?x ex:part ?y) unbound(?x) -> (?x ex:in ?y)]`);
  t.same(textsOf(read), ['@name("a") in(?x, ?z) :- in(?y, ?z), part(?x, ?y).', '@name("b") in(?x, ?z) :- part(?x, ?y), in(?y, ?z).', '@name("c") in(?x, ?y) :- part(?x, ?y).']);
  t.match(read.errors, [{ code: 'syntax', line: 5, column: 21, message: /unbound\(\.\.\) never holds/ }]);
});

t.test('mistakes in Jena rules are reported by line and column', async (t) => {
  const read = readJena(`@prefix ex: <http://example.org/>.
[(?x ex:p ?y) -> print(?x)]
[(?x ex:p) -> (?x ex:q ?y)]
[(?x ex:p ?y) -> (?x ex:q ?z)]
[(?x ex:p ?y) (?x ex:q ?y)]
[(?x ex:p ?y) sum(?y, ?z) -> (?x ex:q ?z)]
[(?x ex:p f(?y)) -> (?x ex:q ?y)]
[good: (?x ex:p ?y) -> (?y ex:q ?x)]`);
  t.same(mistakesOf(read), [
    ['unknown_builtin', 2, 18],
    ['arity', 3, 10],
    ['unsafe', 4, 27],
    ['syntax', 5, 27],
    ['arity', 6, 15],
    ['syntax', 7, 11],
  ]);
  t.same(textsOf(readJena('(?x <e#p> ?y) equal(?y, ?z) -> (?z <e#q> ?x) . equal(?x, 1) (?y <e#v> ?x) -> (?y <e#ok> true).')), [
    'q(?z, ?x) :- p(?x, ?y), ?y = ?z.',
    'ok(?y, true) :- ?x = 1, v(?y, ?x).',
  ]);
  t.same(textsOf(readJena('-> (<e#a> <e#p> <e#b>), (<e#b> rdf:type <e#c>) .\nback: (?x <e#p> ?y) -> (?y <e#q> ?x) . none: -> (<e#a> <e#r> 1).')), [
    'p(a, b), c(b).',
    '@name("back") q(?y, ?x) :- p(?x, ?y).',
    '@name("none") r(a, 1).',
  ]);
  const bare = readJena('(?x <e#p> ?y) -> (?y <e#q> ?z) .\n(?x <e#p> ?y) -> (?y <e#q> ?x)\n[(?x <e#p> ?y) -> (?y <e#r> ?x)]');
  t.same([textsOf(bare), mistakesOf(bare)], [['r(?y, ?x) :- p(?x, ?y).'], [['unsafe', 1, 28], ['syntax', 3, 1]]], 'without brackets a rule ends with a point');
  t.match(read.errors[0].message, /print\(\.\.\) acts when the rule runs/);
  t.same(textsOf(read), ['@name("good") q(?y, ?x) :- p(?x, ?y).']);
});
