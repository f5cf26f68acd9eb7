// Owns what N3 and Jena rules about lists, nameless nodes, what is not known, and values become and derive; values computed as EYE and Jena compute them.
// Refuses to know how rules are evaluated.

import t from 'tap';
import { readJena } from '../../../graph/reason/imports/jena.ts';
import { readN3 } from '../../../graph/reason/imports/n3.ts';
import type { ReadRules } from '../../../graph/reason/language/parse.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import type { Term } from '../../../graph/terms.ts';
import { run } from '../../helpers/proofs.ts';
import { mistakesOf, textsOf } from '../../helpers/read-rules.ts';

const EX = '@prefix : <http://example.org/> .\n@prefix ex: <http://example.org/> .\n';
const n3 = (...statements: string[]): ReadRules => readN3(EX + statements.join('\n'));
const jena = (...rules: string[]): ReadRules => readJena(EX + rules.join('\n'));
const shown = (term: Term): string => (term.kind === 'entity' ? term.id : String(term.value));
/** `subject object` of a relation. */
function held(relation: string, ...read: ReadRules[]): string[] {
  const rules = read.flatMap(({ rules: each, errors }) => {
    if (errors.length > 0) throw errors[0];
    return each;
  });
  const { database } = run(rules, []).program;
  const found: string[] = [];
  for (const slot of database.slots())
    for (let row = 0; row < slot.table.count; row++) {
      const triple = database.triple(slot, row);
      if (triple.relation === relation) found.push(`${triple.subject} ${shown(triple.object)}`);
    }
  return found.toSorted();
}
const FACTS = n3(`:a a :Person ; :child :b , :c ; :likes (:x (:y) 3) ; :v 7 ; :d "1990-05-06"^^xsd:date ; :n "Abcab" .
:b a :Person ; :age 12 ; :v -7 ; :likes () . :c a :Person , :Girl ; :age 20 ; :v 7.5 . :dept :pay 5 , 7 . :x :in :dept ; :wage 3 . :y :in :dept ; :wage 3 . :z :wage 9 .`);

t.test('[..] in a premise is anything of which that holds, (..) the list of these members', (t) => {
  const read = n3(
    '{ ?x :child [ :age ?n ; a :Girl ] } => { ?x :girl ?n } .',
    '{ ?x :likes (?a (?b) ?c) } => { ?a :first ?b . ?a :third ?c } .',
    '{ ?x :likes () } => { ?x :none true } .',
    '{ ?x :likes ?l . ?l list:member ?m ; list:first ?f . ?m list:in (:x 3 :z) } => { ?x :member ?m . ?x :head ?f } .',
  );
  t.same(textsOf(read).slice(0, 3), [
    'girl(?x, ?n) :- age(?_1, ?n), Girl(?_1), child(?x, ?_1).',
    'first(?a, ?b), third(?a, ?c) :- "first of list"(?_1, ?c), "rest of list"(?_1, "empty list"), "first of list"(?_3, ?b), "rest of list"(?_3, "empty list"), "first of list"(?_2, ?_3), "rest of list"(?_2, ?_1), "first of list"(?_4, ?a), "rest of list"(?_4, ?_2), likes(?x, ?_4).',
    'none(?x, true) :- likes(?x, "empty list").',
  ]);
  for (const rule of read.rules) t.same(parseRules(rule.text), [rule], rule.text);
  t.same(held('girl', FACTS, read), ['a 20']);
  t.same([held('first', FACTS, read), held('third', FACTS, read), held('none', FACTS, read)], [['x y'], ['x 3'], ['b true']]);
  t.same([held('member', FACTS, read), held('head', FACTS, read)], [['a 3', 'a x'], ['a x']]);
  t.same(held('listed', FACTS, jena('[(?x ex:likes ?l) (?m ex:in ex:dept) listContains(?l, ?m) -> (?x ex:listed ?m)]')), ['a x']);
  t.same(held('unlisted', FACTS, jena('[(?x ex:likes ?l) (?m ex:in ex:dept) listNotContains(?l, ?m) -> (?x ex:unlisted ?m)]')), ['a y', 'b x', 'b y']);
  t.end();
});

t.test('a path leads to what has no name', (t) => {
  const read = n3('{ ?x!:child :age ?n . ?n math:greaterThan 12 } => { ?x :older ?n } .', '{ ?c^:child a :Person . ?c :n!string:length ?n } => { ?c :kid true } .', '{ :b^:child!:v :is ?v } => { :b :half ?v } .', ':b :is :q . :q!:r :is 3 .');
  t.same(mistakesOf(read), [['syntax', 4, 30]], 'a predicate is no path');
  t.same(textsOf(read).slice(0, 2), ['older(?x, ?n) :- child(?x, ?_1), age(?_1, ?n), ?n > 12.', 'half(b, ?v) :- child(?_1, b), v(?_1, ?_2), is(?_2, ?v).']);
  t.match(textsOf(read).slice(3), [/^r\(q, "_:#1-[0-9a-f]+"\)\.$/, /^is\("_:#1-[0-9a-f]+", 3\)\.$/]);
  t.same(held('older', FACTS, { ...read, errors: [] }), ['a 20']);
  t.same(held('long', FACTS, n3('{ ?x :n ?n . ?n!string:length math:greaterThan 3 } => { ?x :long true } .')), ['a true']);
  t.end();
});

t.test('labels of nameless nodes never meet each other or what has no label', (t) => {
  t.same(textsOf(n3('{ ?x :p _:1 , [] , _:a-b , _:a.b } => { ?x :q _:a.b } .')), ['q(?x, ?_a_b_2) :- p(?x, ?_n1), p(?x, ?_1), p(?x, ?_a_b), p(?x, ?_a_b_2).']);
  t.end();
});

t.test('a verb may lead backwards, true is an empty formula, and false what must not hold', (t) => {
  t.same(textsOf(n3(':a is :p of :b . :c <- :p :d . :e has :p :f , :g .')), ['p(b, a).', 'p(d, c).', 'p(e, f).', 'p(e, g).']);
  t.same(textsOf(n3('{ ?x is :p of ?y ; has :q ?z . ?v is math:sum of (?z 1) } => { ?y <- :s ?x . ?x :t ?v } .')), ['s(?x, ?y), t(?x, ?v) :- p(?y, ?x), q(?x, ?z), ?z + 1 = ?v.']);
  t.same(textsOf(n3('true => { :a :p :b } .', '{ :a :q :b } <= true .', 'false <= { ?x :p ?x } .', '{ ?x :q ?x } => false .')), ['p(a, b).', 'q(a, b).', ':- p(?x, ?x).', ':- q(?x, ?x).']);
  t.same(mistakesOf(n3('true <= { :a :p :b } .', 'false => { :a :p :b } .', ':a is :p :b .')), [['syntax', 3, 1], ['syntax', 4, 1], ['syntax', 5, 10]]);
  t.same(held('s', n3('{ () math:sum ?n . (7) math:product ?m . () math:product ?k } => { :a :s ?n , ?m , ?k } .')), ['a 0', 'a 1', 'a 7']);
  t.end();
});

t.test('what all that is known does not include is what cannot be derived', (t) => {
  const read = n3(
    '{ ?x a :Person . 1 log:notIncludes { ?x :child ?c } } => { ?x a :Childless } .',
    '{ ?x a :Person . [] log:notIncludes { ?x :child ?c . ?c :age ?a . ?a math:lessThan 18 } } => { ?x a :Free } .',
    '{ ?x a :Person . () log:notIncludes { ?x a :Girl } . _:s log:includes { ?x :v ?v } } log:implies { ?x :boys ?v } .',
  );
  t.same(textsOf(read), [
    'Childless(?x) :- Person(?x), not exists { child(?x, ?c) }.',
    'Free(?x) :- Person(?x), not exists { child(?x, ?c), age(?c, ?a), ?a < 18 }.',
    'boys(?x, ?v) :- Person(?x), v(?x, ?v), not Girl(?x).',
  ]);
  const classes = held('is a', FACTS, read).filter((line) => /Childless|Free/u.test(line));
  t.same(classes, ['b Childless', 'b Free', 'c Childless', 'c Free']);
  t.same(held('boys', FACTS, read), ['a 7', 'b -7']);
  t.same(textsOf(jena('[(?x ex:v ?v) noValue(?x, ex:p, ?z) noValue(?y ex:q ?v) noValue(?x ex:r ?v) -> (?x ex:h ?v)]')), [
    'h(?x, ?v) :- v(?x, ?v), not exists { p(?x, ?z) }, not exists { q(?y, ?v) }, not r(?x, ?v).',
  ]);
  t.end();
});

t.test('what is taken of all ways to meet a formula counts each of them', (t) => {
  const read = n3(
    '{ ?x :pay ?p . (?w { ?e :in ?x ; :wage ?w } ?l) log:collectAllIn ?S . ?l math:sum ?n ; math:max ?m ; list:length ?c } => { ?x :sum ?n ; :max ?m ; :length ?c } .',
    '{ ?x a :Person . (?c { ?x :child ?c } ?l) log:collectAllIn ?S . ?l math:memberCount ?c2 } => { ?x :children ?c2 } .',
  );
  t.same([held('sum', FACTS, read), held('max', FACTS, read), held('length', FACTS, read)], [['dept 6'], ['dept 3'], ['dept 2']]);
  t.same(held('children', FACTS, read), ['a 2', 'b 0', 'c 0']);
  t.same(textsOf(n3('{ ?x :p ?y . (?k { ?k :q ?x } ?L) log:collectAllIn ?S . ?L list:length ?n . ?S log:notIncludes { ?k :r ?y } . ?T log:notIncludes { ?x :s ?k } } => { ?x :n ?n } .')), [
    'n(?x, ?n) :- p(?x, ?y), ?n = count { ?k, ?x : q(?k, ?x) }, not exists { r(?k, ?y) }, not exists { s(?x, ?k) }.',
  ], 'a variable that two formulas have and nothing else is one of its own in each');
  const more = n3(
    '{ ?x :child ?any . (1 { ?x :child ?c } ?l) log:collectAllIn ?S . ?l math:sum ?n . ?n math:greaterThan 1 } => { ?x :many ?n } .',
    '{ ?x :child ?any . ({ ?x :child ?c . ?c :v ?v } { ?c :age ?v2 . }) log:forAllIn ?S } => { ?x :bad true } .',
    '{ ?x :child ?any . ({ ?x :child ?c } { ?c a :Person }) log:forAllIn ?S } => { ?x :persons true } .',
    '{ ?x :child ?any . ({ ?x :child ?c } { ?c a :Girl }) log:forAllIn ?S } => { ?x :girls true } .',
  );
  t.same(mistakesOf(more), [['unsafe', 4, 68]], 'what the second formula alone speaks of has no value');
  t.same(textsOf(more).at(-1), 'girls(?x, true) :- child(?x, ?any), not exists { child(?x, ?c), not Girl(?c) }.');
  t.same(['many', 'persons', 'girls'].map((relation) => held(relation, FACTS, { ...more, errors: [] })), [['a 2'], ['a true'], []]);
  t.same(held('pays', FACTS, jena('[(?x ex:pay ?p) countLiteralValues(?x, ex:pay, ?n) -> (?x ex:pays ?n)]')), ['dept 2']);
  t.end();
});

t.test('built-ins compute what EYE computes', (t) => {
  const read = n3(
    '{ ?x :v ?v . (?v 3) math:integerQuotient ?q ; math:remainder ?r ; math:max ?m ; math:min ?n } => { ?x :q ?q ; :r ?r ; :max ?m ; :min ?n } .',
    '{ ?x :v ?v . ?v math:floor ?f ; math:ceiling ?c } => { ?x :f ?f ; :c ?c } .',
    '{ ?x :d ?d . ?d time:year ?y ; time:month ?m ; time:day ?t } => { ?x :date ?y , ?m , ?t } .',
    '{ ?x :n ?n . (?n "ab" "-") string:replace ?r . ?n string:equalIgnoringCase "ABCAB" ; string:notMatches "^b" ; string:containsIgnoringCase "BCA" ; string:notLessThan "Abc" } => { ?x :r ?r } .',
  );
  t.same(held('q', FACTS, read), ['a 2', 'b -3', 'c 2']);
  t.same(held('r', FACTS, read), ['a 1', 'a Abc-', 'b 2', 'c 1.5']);
  t.same([held('max', FACTS, read), held('min', FACTS, read)], [['a 7', 'b 3', 'c 7.5'], ['a 3', 'b -7', 'c 3']]);
  t.same([held('f', FACTS, read), held('c', FACTS, read)], [['a 7', 'b -7', 'c 7'], ['a 7', 'b -7', 'c 8']]);
  t.same(held('date', FACTS, read), ['a 1990', 'a 5', 'a 6']);
  t.end();
});

t.test('a quotient of whole numbers is whole in Jena, towards zero; of others it is exact', (t) => {
  const halves = (...rules: string[]): string[] => held('h', FACTS, jena(...rules));
  t.same(halves('[(?x ex:v ?v) quotient(?v, 2, ?r) -> (?x ex:h ?r)]'), ['a 3', 'b -3', 'c 3.75']);
  t.same(halves('[(?x ex:v ?v) quotient(?v, 2.0, ?r) -> (?x ex:h ?r)]'), ['a 3.5', 'b -3.5', 'c 3.75']);
  t.same(halves('[(?x ex:v ?v) (?y ex:v ?w) quotient(?v, ?w, ?r) -> (?x ex:h ?r)]'), ['a -1', `a ${7 / 7.5}`, 'a 1', 'b -1', `b ${-7 / 7.5}`, 'b 1', `c ${-7.5 / 7}`, 'c 1', `c ${7.5 / 7}`].toSorted());
  t.same(halves('[(?x ex:n ?n) isLiteral(?n) quotient(7, 2, ?r) -> (?x ex:h ?r)]', '[(?x ex:likes ?n) notLiteral(?n) -> (?x ex:h 0)]'), ['a 0', 'a 3', 'b 0']);
  t.same(jena('[q: (?x ex:v ?v) quotient(?v, 2, ?r) -> (?x ex:h ?r)]').rules.map(({ name }) => name), ['q', 'q']);
  t.end();
});

t.test('what cannot be said here is refused with its place and the reason', (t) => {
  t.match(n3(`{ ?x :n ?y . (${'?y "-" '.repeat(10)}) string:concatenation ?z } => { ?x :long ?z } .`).rules[0].text, /concat\(concat\(/);
  const refused = (read: ReadRules, place: readonly unknown[], reason: RegExp): void => {
    t.same(mistakesOf(read), [place], reason.source);
    t.match(read.errors[0].message, reason);
  };
  refused(n3('{ ?x :p ?y } => { ?x :q [ :r ?y ] } .'), ['unsafe', 3, 25], /\[\.\.\] stands in the conclusion only/);
  refused(n3('{ ?x :p ?y } => { ?x :q (?x ?y) } .'), ['unsafe', 3, 25], /a list stands in the conclusion only/);
  refused(n3('{ ?x :p ?y } => { ?x :q ?y!:r } .'), ['unsafe', 3, 27], /what a path leads to stands in the conclusion only/);
  refused(n3('{ ?x :p ?y } |^| { ?x :q ?y } .'), ['syntax', 3, 14], /expected "=>" or "<=" but found "\|"/);
  refused(n3('{ ?x :p { ?y :q ?z } } => { ?x :r ?y } .'), ['syntax', 3, 9], /a formula inside a formula/);
  refused(n3('{ ?x :home ?y . ?y log:notIncludes { ?x a :V } } => { ?x a :O } .'), ['syntax', 3, 17], /\?y has a value/);
  refused(n3('{ { ?x a :V } log:notIncludes { ?x a :W } } => { ?x a :O } .'), ['syntax', 3, 3], /a formula cannot be looked into/);
  refused(n3('{ ?x a :V . <d> log:includes { ?x a :W } } => { ?x a :O } .'), ['syntax', 3, 13], /<d> cannot be looked into/);
  refused(n3('{ ?x :p ?y } => { } .'), ['syntax', 3, 17], /nothing is concluded/);
  refused(n3('{ } <= { ?x :p ?y } .'), ['syntax', 3, 1], /nothing is concluded/);
  refused(jena('[(?x ex:p ?y) -> ]'), ['syntax', 3, 1], /nothing is concluded/);
  refused(n3('{ ?x a :V . "d" log:notIncludes { ?x a :W } } => { ?x a :O } .'), ['syntax', 3, 13], /"d" cannot be looked into/);
  refused(n3('{ ?x a :V . ({ ?x :p ?y } { ?y a :W . ?y a :U }) log:forAllIn ?S } => { ?x a :O } .'), ['syntax', 3, 13], /one with one triple/);
  refused(n3(':x log:outputString "text" .'), ['unknown_builtin', 3, 4], /writes when rules run/);
  refused(n3('{ ?x a :V . ?S log:notIncludes ?x } => { ?x a :O } .'), ['syntax', 3, 32], /stands a formula/);
  refused(n3('{ ?x a :V . ?S log:notIncludes {} } => { ?x a :O } .'), ['syntax', 3, 32], /never holds/);
  refused(n3('{ ?x a :V . ?S log:notIncludes { ?T log:notIncludes { ?x a :W } } } => { ?x a :O } .'), ['syntax', 3, 37], /itself asked about/);
  refused(n3('{ ?x a :V } => { ?S log:notIncludes { ?x a :W } } .'), ['syntax', 3, 21], /cannot be concluded/);
  refused(n3('{ ?x a :V . (?y { ?x :p ?y } ?l) log:collectAllIn ?S } => { ?x :q ?l } .'), ['syntax', 3, 30], /only list:length/);
  refused(n3('{ ?x a :V . (?y ?l) log:collectAllIn ?S } => { ?x :q ?l } .'), ['syntax', 3, 13], /\(\?x \{\.\.\} \?list\)/);
  refused(n3('{ ?x a :V . (?y { [] :p ?y } ?l) log:collectAllIn ?S . ?l math:sum ?n } => { ?x :q ?n } .'), ['syntax', 3, 19], /without a name/);
  refused(n3('{ ?x :v ?v . (?v 1 2) math:difference ?d } => { ?x :q ?d } .'), ['arity', 3, 14], /a list of 2 values/);
  refused(n3('{ ?x :v ?v . (?v (1)) math:sum ?d } => { ?x :q ?d } .'), ['syntax', 3, 18], /a list has no counterpart as a value/);
  refused(n3('{ ?x :v ?v . (?v "a+" "b") string:replace ?d } => { ?x :q ?d } .'), ['syntax', 3, 18], /without signs of regular expressions/);
  refused(n3('{ ?x :v ?v . ?v list:in (1 ?x) } => { ?x :q ?v } .'), ['syntax', 3, 28], /\?x stands in a list/);
  refused(n3(`{ ?x :p ${'[:q '.repeat(60)}1${']'.repeat(60)} } => { ?x :q 1 } .`), ['too_large', 3, 210], /nested deeper/);
  refused(jena('[(?x ex:p ?y) makeSkolem(?z, ?x) -> (?z ex:q ?y)]'), ['unknown_builtin', 3, 15], /makes a new thing/);
  refused(jena('[(?x ex:p ?y) -> print(?y)]'), ['unknown_builtin', 3, 18], /acts when the rule runs/);
  refused(jena('[(?x ex:p ?y) now(?z) -> (?x ex:q ?z)]'), ['unknown_builtin', 3, 15], /another value each time/);
  refused(jena('[(?x ex:p ?y) regex(?y, "(a)", ?z) -> (?x ex:q ?z)]'), ['arity', 3, 15], /groups of a pattern/);
  refused(jena(`[(?x ex:p ?y) ${'quotient(?y, ?x, ?z) '.repeat(4)}-> (?x ex:q ?z)]`), ['too_large', 3, 1], /more than 64 rules/);
  t.end();
});
