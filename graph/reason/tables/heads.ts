// Owns a number for each of some keys: a column where most keys up to the greatest have one, else a hash, since there may be very many tables with few rows over very many terms.
// Refuses to know what the numbers mean; 0 is none.

import { grown } from './columns.ts';

/** Keys that could be for each that is, at most, in a column. */
const SPARSENESS = 8;
/** Longest column that is had whatever is in it. */
const SMALL = 1_024;

export class Heads {
  /** By key; where there is a hash, empty. */
  #column = new Int32Array(16);
  /** Open addressing: key + 1 and its number, by turns. */
  #pairs: Int32Array | undefined;
  /** Pairs in the hash. */
  #used = 0;
  #greatest = 0;

  /** `expected`: so many keys from 0, of which most will come; 0 where that is not known. */
  constructor(expected = 0) {
    if (expected > 16) this.#column = new Int32Array(expected);
  }
  get(key: number): number {
    const pairs = this.#pairs;
    if (pairs === undefined) return key < this.#column.length ? this.#column[key] : 0;
    return pairs[slotOf(pairs, key) + 1];
  }
  /** `count`: keys that may have come so far. */
  set(key: number, value: number, count: number): void {
    if (this.#pairs === undefined && (key < this.#column.length || this.#reach(key, count))) {
      this.#column[key] = value;
      return;
    }
    const pairs = this.#pairs ?? this.#scatter();
    const slot = slotOf(pairs, key);
    const isNew = pairs[slot] === 0;
    pairs[slot] = key + 1;
    pairs[slot + 1] = value;
    if (!isNew) return;
    if (key > this.#greatest) this.#greatest = key;
    if (++this.#used * 4 > pairs.length) this.#widen(pairs);
  }
  clear(): void {
    this.#column.fill(0);
    this.#pairs?.fill(0);
    this.#used = 0;
  }

  /** Room in the column for this key; false where it would be mostly empty. */
  #reach(key: number, count: number): boolean {
    const most = Math.max(SMALL, count * SPARSENESS);
    if (key >= most) return false;
    this.#column = grown(this.#column, Math.max(key + 1, Math.min(this.#column.length * 2, most)));
    return true;
  }
  /** From the column into a hash. */
  #scatter(): Int32Array {
    const column = this.#column;
    const keys = Array.from(column.keys()).filter((key) => column[key] !== 0);
    this.#column = new Int32Array(0);
    return this.#fill(keys.length, (put) => {
      for (const key of keys) put(key, column[key]);
    });
  }
  /** Into a column, or a hash with more room. */
  #widen(before: Int32Array): void {
    if (this.#greatest < this.#used * SPARSENESS) {
      this.#column = new Int32Array(this.#greatest + 1);
      this.#pairs = undefined;
      for (let slot = 0; slot < before.length; slot += 2) if (before[slot] !== 0) this.#column[before[slot] - 1] = before[slot + 1];
      return;
    }
    this.#fill(this.#used, (put) => {
      for (let slot = 0; slot < before.length; slot += 2) if (before[slot] !== 0) put(before[slot] - 1, before[slot + 1]);
    });
  }
  /** A hash with room for twice as many pairs, and these in it. */
  #fill(count: number, each: (put: (key: number, value: number) => void) => void): Int32Array {
    let length = 32;
    while (length < count * 8) length *= 2;
    const pairs = (this.#pairs = new Int32Array(length));
    this.#used = count;
    each((key, value) => {
      const slot = slotOf(pairs, key);
      pairs[slot] = key + 1;
      pairs[slot + 1] = value;
      if (key > this.#greatest) this.#greatest = key;
    });
    return pairs;
  }
}
/** Place of the pair with this key, or of the free one for it. */
function slotOf(pairs: Int32Array, key: number): number {
  const mask = pairs.length - 2;
  let slot = (Math.imul(key, 0x9e3779b1) >>> 7) & mask;
  while (pairs[slot] !== 0 && pairs[slot] !== key + 1) slot = (slot + 2) & mask;
  return slot;
}
