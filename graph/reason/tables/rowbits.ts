// Owns knowing which pairs are in a table by one bit each, for subjects with so many objects that bits are smaller than a hash and stay in the processor's cache.
// Refuses to know row numbers.

import { grown } from './columns.ts';

/** Fewest rows of a table that is looked at. */
const ROWS = 4_096;
/** Fewest objects of a subject that gets bits. */
const DEGREE = 64;
/** Objects that could be for each that is, at most: with 64, a bit map takes up to 8 bytes a row. */
const SPARSENESS = 64;

/** Bits by subject, then by object; no entry for subjects that have few objects. */
export type RowBits = (Int32Array<ArrayBuffer> | undefined)[];

/** How many rows each subject has, counted as the table grows: rows only come. */
export class Degrees {
  #degrees = new Int32Array(1_024);
  /** Rows that were counted. */
  #counted = 0;
  /** Greatest subject and object. */
  #most = -1;
  #span = 0;

  /** Counts the rows up to `count` that came since. */
  count(subjects: Int32Array, objects: Int32Array, count: number): void {
    let degrees = this.#degrees;
    let [most, span] = [this.#most, this.#span];
    for (let row = this.#counted; row < count; row++) {
      const subject = subjects[row];
      if (subject > most) {
        most = subject;
        if (most >= degrees.length) degrees = grown(degrees, most * 2);
      }
      if (objects[row] > span) span = objects[row];
      degrees[subject]++;
    }
    this.#degrees = degrees;
    [this.#most, this.#span, this.#counted] = [most, span, count];
  }
  get most(): number {
    return this.#most;
  }
  get span(): number {
    return this.#span;
  }
  of(subject: number): number {
    return this.#degrees[subject];
  }
}

/** Bits for the rows of a table, when most rows belong to subjects with many objects; `before` is replaced. To be called when a table doubles. */
export function rowBits(subjects: Int32Array, objects: Int32Array, count: number, degrees: Degrees, before: RowBits | undefined): RowBits | undefined {
  if (count < ROWS) return before;
  degrees.count(subjects, objects, count);
  const { most, span } = degrees;
  const wide = (subject: number): boolean => degrees.of(subject) >= DEGREE && degrees.of(subject) * SPARSENESS > span;
  let covered = 0;
  for (let subject = 0; subject <= most; subject++) if (wide(subject)) covered += degrees.of(subject);
  if (covered * 2 < count && before === undefined) return undefined;
  const bits: RowBits = before ?? [];
  const fresh = new Uint8Array(most + 1);
  let added = false;
  for (let subject = bits.length; subject <= most; subject++) bits.push(undefined);
  for (let subject = 0; subject <= most; subject++)
    if (bits[subject] === undefined && wide(subject)) {
      bits[subject] = new Int32Array((span >>> 5) + 1);
      fresh[subject] = 1;
      added = true;
    }
  if (!added) return bits;
  for (let row = 0; row < count; row++) {
    if (fresh[subjects[row]] === 0) continue;
    const words = bits[subjects[row]] as Int32Array;
    words[objects[row] >>> 5] |= 1 << (objects[row] & 31);
  }
  return bits;
}
/** The bits of one subject with room for this object. */
export function withRoom(bits: RowBits, subject: number, object: number): Int32Array<ArrayBuffer> {
  const words = bits[subject] as Int32Array<ArrayBuffer>;
  if (object >>> 5 < words.length) return words;
  const grown = new Int32Array(Math.max((object >>> 5) + 1, words.length * 2));
  grown.set(words);
  bits[subject] = grown;
  return grown;
}
