// Owns that trees of tokens, and characters as bytes, stand for what they were made of.
// Refuses to know grammars.

import t from 'tap';
import { characters } from '../../src/engine/constraints/grammar/expression.ts';
import { Machine } from '../../src/engine/constraints/grammar/machine.ts';
import { Network } from '../../src/engine/constraints/grammar/network.ts';
import { bytesOfTokens, TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { seeded } from '../helpers/store-world.ts';

const random = seeded(61);
/** Short words over few letters: many share beginnings, some are spelt alike. */
const words = Array.from({ length: 600 }, () => Buffer.from(Array.from({ length: random.below(6) }, () => random.pick([...'abcä'])).join('')));
const tree = new TokenTrie(words.keys(), (id) => words[id]);
const tokensOf = (trie: TokenTrie): number[] => {
  const found: number[] = [];
  trie.accepted(
    0,
    () => 0,
    (token) => void found.push(token),
  );
  return found;
};

t.test('a tree gives back the bytes of its tokens, and as its parts is the same tree', (t) => {
  const bytesOf = bytesOfTokens(tree);
  for (const [id, word] of words.entries()) t.same(bytesOf(id), word.length === 0 ? undefined : Uint8Array.from(word));
  const copy = TokenTrie.of(structuredClone(tree.parts));
  t.same(tokensOf(copy), tokensOf(tree));
  t.equal(copy.longest, tree.longest);
  t.end();
});

t.test('the tree below some nodes has the tokens at and below them, and no others', (t) => {
  for (let round = 0; round < 200; round++) {
    const share = random.next() * 0.3;
    const roots: number[] = [];
    for (let node = 0; node < tree.bytes.length;) {
      const taken = random.next() < share;
      if (taken) roots.push(node);
      node = taken ? tree.ends[node] : node + 1;
    }
    const expected = new Set<number>();
    for (const root of roots)
      for (let node = root; node < tree.ends[root]; node++)
        if (tree.tokens[node] >= 0) for (const id of [tree.tokens[node], ...(tree.twins.get(tree.tokens[node]) ?? [])]) expected.add(id);
    const below = tree.below(roots);
    t.same(new Set(tokensOf(below)), expected);
    const bytesOf = bytesOfTokens(below);
    for (const id of expected) if (Buffer.compare(bytesOf(id) ?? Buffer.of(), words[id]) !== 0) t.fail(`token ${id}`);
  }
  t.end();
});

t.test('a search ends where it is told to', (t) => {
  const found: number[] = [];
  tree.accepted(
    0,
    () => 0,
    (token) => found.push(token) === 3,
  );
  t.same(found, tokensOf(tree).slice(0, 3));
  t.end();
});

t.test('characters as bytes are those of the ranges, and no others', (t) => {
  const points = [0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
  for (let round = 0; round < 60; round++) {
    const ranges = Array.from({ length: 1 + random.below(40) }, () => {
      const from = random.next() < 0.3 ? random.pick(points) : random.below(random.pick([0x80, 0x800, 0x10000, 0x110000]));
      return [from, Math.min(0x10ffff, from + random.below(random.pick([1, 64, 5000])))] as const;
    });
    const machine = new Machine(new Network({ root: characters(ranges), rules: new Map() }));
    const tried = [...points, ...ranges.flatMap(([from, to]) => [from - 1, from, to, to + 1]), ...Array.from({ length: 300 }, () => random.below(0x110000))];
    for (const point of tried) {
      if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) continue;
      const behind = Buffer.from(String.fromCodePoint(point), 'utf8').reduce((state, byte) => (state < 0 ? state : machine.step(state, byte)), machine.start);
      const taken = behind >= 0 && machine.ends(behind);
      if (taken !== ranges.some(([from, to]) => from <= point && point <= to)) t.fail(`${point.toString(16)} in ${JSON.stringify(ranges)}`);
    }
  }
  t.pass('60 sets of ranges');
  t.end();
});
