// Owns that the tokens of a loop that fit into a limit, counted off, are those that fit one by one.
// Refuses to know loops and meters.

import t from 'tap';
import { LoopCosts } from '../../src/engine/constraints/masks/loop-costs.ts';
import { seeded } from '../helpers/store-world.ts';

const SIZE = 700;

t.test('the tokens that fit are those that fit one by one, however many they are', async (t) => {
  const random = seeded(5);
  const cost = [0, 1].map(() => Uint16Array.from({ length: SIZE }, () => random.below(6)));
  const next = [0, 1].map(() => Uint8Array.from({ length: SIZE }, () => random.below(3)));
  const spaced = Uint8Array.from({ length: SIZE }, () => random.below(2));
  const tokens = Int32Array.from({ length: SIZE }, (_, id) => id).filter(() => random.next() < 0.8);
  const places = Uint8Array.from(tokens, () => random.below(4));
  const bits = new Uint32Array(Math.ceil(SIZE / 32));
  for (const token of tokens) bits[token >>> 5] |= 1 << (token & 31);
  const before = bits.slice();
  for (const state of [0, 1]) {
    const costs = new LoopCosts({ tokens, places, bits }, { cost, next, spaced }, state);
    for (let round = 0; round < 40; round++) {
      const least = Array.from({ length: 4 }, () => Array.from({ length: 3 }, () => (random.next() < 0.1 ? Infinity : random.below(8) / 2)));
      const left = random.below(12);
      const unspaced = random.next() < 0.4;
      const found = costs.fitting((place, behind) => left - least[place][behind], unspaced);
      const wanted = Array.from(tokens).filter((token, i) => cost[state][token] + least[places[i]][next[state][token]] <= left && !(unspaced && spaced[token] === 1));
      t.same(
        Array.from({ length: SIZE }, (_, id) => id).filter((id) => (found[id >>> 5] >>> (id & 31)) & 1),
        wanted,
      );
    }
  }
  t.same(bits, before);
});
