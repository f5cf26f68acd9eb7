// Owns what keeps very many rules cheap and right: tokens in columns, lists without doubles, components, what waits for a class, and a taxonomy of many classes.
// Refuses speed; the benchmarks measure it.

import { createHash } from 'node:crypto';
import t from 'tap';
import { ByObject } from '../../../graph/reason/tables/classes.ts';
import type { Waiting } from '../../../graph/reason/tables/classes.ts';
import { components } from '../../../graph/reason/evaluate/components.ts';
import { END, NAME, QUOTED, tokenize } from '../../../graph/reason/language/lexer.ts';
import { parseRules, readRules } from '../../../graph/reason/language/parse.ts';
import { RuleList } from '../../../graph/reason/language/rule-list.ts';
import { hashed, Symbols } from '../../../graph/reason/language/symbols.ts';
import { entity, parseEntityId, parseRelationName } from '../../../graph/terms.ts';
import { run } from '../../helpers/proofs.ts';
import { seeded } from '../../helpers/random-programs.ts';

const CLASSES = 5_000;
const taxonomy = Array.from({ length: CLASSES }, (_, i) => `"is a"(?x, "c${i + 1}") :- c${i}(?x).`);

t.test('a taxonomy of many classes is read, each rule at its place, and derived to its top', async (t) => {
  const { rules, errors, places } = readRules(taxonomy.join(' '));
  t.equal(errors.length, 0);
  t.equal(rules.length, CLASSES);
  t.equal(rules[41].text, 'c42(?x) :- c41(?x).');
  t.same(places.get(rules[1].id), { line: 1, column: taxonomy[0].length + 2 });
  t.same(places.get(rules[CLASSES - 1].id), { line: 1, column: taxonomy.join(' ').lastIndexOf('"is a"') + 1 });
  const fact = { triple: { subject: parseEntityId('thing'), relation: parseRelationName('is a'), object: entity(parseEntityId('c0')) }, confidence: 1 };
  const { program, result } = run(rules, [fact]);
  t.same([result.complete, result.rounds, program.database.derived], [true, CLASSES, CLASSES]);
});

t.test('a text holds as many rules and characters as the caller allows', async (t) => {
  const text = 'p(a, b).\np(b, c).\n  p(c, d).';
  t.match(readRules(text, { rules: 2 }), {
    rules: [{ text: 'p(a, b).' }, { text: 'p(b, c).' }],
    errors: [{ code: 'too_large', line: 3, column: 3, message: /more than 2 rules/ }],
  });
  t.match(readRules(text, { characters: 10 }).errors, [{ code: 'too_large', message: /28 characters; at most 10/ }]);
  t.equal(parseRules(text, { rules: 3, characters: 28 }).length, 3);
});

t.test('a name is one name however it is written, and different names are told apart', async (t) => {
  const [one, other] = parseRules('"caf\\u00e9"(?x, cafe\u0301) :- café(?x, "cafe\u0301"). q(?é, 1e1) :- p(?e\u0301, 10), p(?é, "10").');
  t.equal(one.text, 'café(?x, café) :- café(?x, café).');
  t.equal(other.text, 'q(?é, 10) :- p(?é, 10), p(?é, "10").');
  const tokens = tokenize('abc "abc" abd abc "ab\\"c" % abc\nabc');
  t.same(
    Array.from({ length: 7 }, (_, i) => tokens.codes[i]),
    [NAME, QUOTED, NAME, NAME, QUOTED, NAME, END],
  );
  t.equal(tokens.symbolCount, 4);
  t.equal(tokens.symbols[5], tokens.symbols[0]);
  t.equal(tokens.content(4), 'ab"c');
  t.same(tokens.place(5), { line: 2, column: 1 });
  t.same(tokens.place(6), { line: 2, column: 4 });
});

t.test('pieces of a text with equal hashes are told apart', async (t) => {
  // "Aa" and "BB" are equal under this hash, and so are all words made of them.
  const words = Array.from({ length: 64 }, (_, i) => Array.from({ length: 6 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''));
  const symbols = new Symbols(words.join('') + words.join(''));
  const of = (at: number): number => symbols.of(at * 12, at * 12 + 12, symbols.units.subarray(at * 12, at * 12 + 12).reduce(hashed, 0));
  t.same(
    Array.from({ length: 128 }, (_, i) => of(i)),
    [...Array(64).keys(), ...Array(64).keys()],
  );
  t.equal(symbols.string(63), words[63]);
  t.equal(symbols.string(63, 1, 2), words[63].slice(1, -2));
});

t.test('names made to have one hash in a process that is known have many in this one', async (t) => {
  const alike = Array.from({ length: 4_096 }, (_, i) => Array.from({ length: 12 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''));
  const hashes = (factor?: number): number =>
    new Set(alike.map((name) => Array.from(name, (sign) => sign.charCodeAt(0)).reduce((hash, unit) => (factor === undefined ? hashed(hash, unit) : (Math.imul(hash, factor) + unit) | 0), 0))).size;
  t.equal(hashes(31), 1);
  t.ok(hashes() > 4_000);
});

t.test('the address of a rule is that of its text, read by the rule before it or by itself', async (t) => {
  const texts = ['p(?x, a) :- q(?x, b).', 'p(?x, c) :- q(?x, d).', 'p(?x, "e f") :- q(?x, c).', '@confidence(0.5) p(?x, a) :- q(?x, ?x).'];
  const rules = parseRules(texts.join(' '));
  t.same(
    rules.map(({ id }) => id),
    texts.map((text) => `r_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`),
  );
  t.same(
    rules.map(({ id }) => id),
    texts.map((text) => parseRules(text)[0].id),
  );
});

t.test('a list of rules has each rule once, the last that was added', async (t) => {
  const list = new RuleList();
  const rules = parseRules(taxonomy.slice(0, 1_000).join(''));
  t.ok(rules.every((rule) => list.add(rule)));
  const copies = rules.map((rule) => ({ ...rule, id: rule.id }));
  t.notOk(copies.some((rule) => list.add(rule)));
  t.ok(list.rules.every((rule, i) => rule === copies[i]));
  t.equal(list.rules.length, rules.length);
});

t.test('what waits for an id is found in order of coming', async (t) => {
  interface Item extends Waiting<Item> {
    readonly number: number;
  }
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const list = new ByObject<Item>();
    const model = new Map<number, number[]>();
    for (let number = 0; number < 500; number++) {
      const id = random.below(seed * 20) * (seed % 2 === 0 ? 1 : 1_024);
      list.add(id, { number, next: undefined });
      model.set(id, [...(model.get(id) ?? []), number]);
    }
    t.equal(list.size, model.size);
    t.same(
      Array.from(model.keys(), (id) => list.get(id)?.map(({ number }) => number)),
      [...model.values()],
    );
    t.equal(list.get(-1), undefined);
    t.same(
      list.firsts().map(({ number }) => number),
      [...model.values()].map(([first]) => first),
    );
  }
});

t.test('components are the nodes that lead to each other, each after those it leads to', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    const nodes = 1 + random.below(12);
    const pairs = Array.from({ length: random.below(nodes * 2) }, () => [random.below(nodes), random.below(nodes)] as const);
    const first: number[] = Array.from({ length: nodes }, () => -1);
    const next = pairs.map(([from], edge) => {
      const before = first[from];
      first[from] = edge;
      return before;
    });
    const reached = Array.from({ length: nodes }, (_, from) => {
      const all = new Set([from]);
      for (const node of all) for (const [a, b] of pairs) if (a === node) all.add(b);
      return all;
    });
    const component: number[] = [];
    components({ nodes, first, next, to: pairs.map(([, to]) => to) }, (members, number) => {
      for (const member of members) component[member] = number;
    });
    const wrong: number[][] = [];
    for (let a = 0; a < nodes; a++)
      for (let b = 0; b < nodes; b++) {
        const together = reached[a].has(b) && reached[b].has(a);
        if ((component[a] === component[b]) !== together || (reached[a].has(b) && component[a] < component[b])) wrong.push([a, b]);
      }
    t.same(wrong, [], `seed ${seed}`);
  }
});
