// Owns the tokens of a loop by what they add to a limit, so that those that fit are counted off and not looked at one by one.
// Refuses to know the limit, and what must still come behind a token.

import { LRUCache } from 'lru-cache';
import type { LoopTokens } from './loop-tokens.ts';
import type { Meter, TokenCosts } from '../lengths/meter.ts';

/** Orders that are kept: at a vocabulary of 152,000 each takes 0.6 MB. */
const MOST_ORDERS = 32;
const orders = new LRUCache<string, LoopCosts>({ max: MOST_ORDERS });
const numbers = new WeakMap<object, number>();
let given = 0;
function numberOf(thing: object): number {
  let number = numbers.get(thing);
  if (number === undefined) numbers.set(thing, (number = given++));
  return number;
}
/** The order of a loop's tokens for a meter in a state, found once. */
export function loopCosts(tokens: LoopTokens, meter: Meter['name'], costs: TokenCosts, state: number): LoopCosts {
  const key = `${numberOf(tokens)} ${numberOf(costs)} ${meter} ${state}`;
  let found = orders.get(key);
  if (!found) orders.set(key, (found = new LoopCosts(tokens, costs, state)));
  return found;
}

/** Tokens behind which the loop, and the meter, are in one state. */
interface Group {
  readonly place: number;
  readonly next: number;
  readonly spaced: boolean;
  /** By what they add. */
  readonly tokens: Int32Array;
  /** How many add at most so much. */
  readonly upTo: Int32Array;
}

/** Places, states of a meter, and whether a space comes first. */
const KEYS = 256 * 256 * 2;

export class LoopCosts {
  readonly #all: Uint32Array;
  readonly #groups: readonly Group[];
  readonly #count: number;

  constructor({ tokens, places, bits }: Pick<LoopTokens, 'tokens' | 'places' | 'bits'>, { cost, next, spaced }: TokenCosts, state: number) {
    this.#all = bits;
    this.#count = tokens.length;
    const [added, behind] = [cost[state], next[state]];
    const keyOf = (i: number): number => (places[i] * 256 + behind[tokens[i]]) * 2 + spaced[tokens[i]];
    const counts = new Int32Array(KEYS);
    for (let i = 0; i < tokens.length; i++) counts[keyOf(i)]++;
    const members = new Map<number, Int32Array>();
    for (let key = 0; key < KEYS; key++) if (counts[key] > 0) members.set(key, new Int32Array(counts[key]));
    for (let i = 0; i < tokens.length; i++) {
      const key = keyOf(i);
      (members.get(key) as Int32Array)[--counts[key]] = tokens[i];
    }
    this.#groups = Array.from(members, ([key, list]): Group => {
      // Sorted by counting.
      let most = 0;
      for (const token of list) if (added[token] > most) most = added[token];
      const upTo = new Int32Array(most + 1);
      for (const token of list) upTo[added[token]]++;
      for (let each = 1; each <= most; each++) upTo[each] += upTo[each - 1];
      const at = upTo.slice();
      const ordered = new Int32Array(list.length);
      for (const token of list) ordered[--at[added[token]]] = token;
      return { place: key >>> 9, next: (key >>> 1) & 255, spaced: (key & 1) === 1, tokens: ordered, upTo };
    });
  }
  /** Bits of the tokens that add at most what `room` says for the states behind them. `unspaced`: none that begins with a space. */
  fitting(room: (place: number, next: number) => number, unspaced: boolean): Uint32Array {
    const fit = this.#groups.map(({ place, next, spaced, tokens, upTo }) => {
      const most = unspaced && spaced ? -1 : Math.floor(room(place, next));
      return most < 0 ? 0 : most >= upTo.length ? tokens.length : upTo[most];
    });
    const few = fit.reduce((sum, count) => sum + count, 0) * 2 < this.#count;
    const bits = few ? new Uint32Array(this.#all.length) : this.#all.slice();
    this.#groups.forEach(({ tokens }, g) => {
      const [from, to] = few ? [0, fit[g]] : [fit[g], tokens.length];
      for (let i = from; i < to; i++) bits[tokens[i] >>> 5] ^= 1 << (tokens[i] & 31);
    });
    return bits;
  }
}
