// Owns the links between rows that share a subject, or an object.
// Refuses to know what else a table keeps.

import { grown } from './columns.ts';
import { Heads } from './heads.ts';

/** Rows passed over in one removal before links backwards are made. */
const WALK = 4_096;

/** Rows with one key, newest first until rows are removed. Rows are numbered from 0; links hold row + 1. */
export class Chain {
  /** By term id: the first row + 1, or 0. */
  readonly #heads: Heads;
  /** By row: the row behind it + 1, or 0. */
  next: Int32Array<ArrayBuffer>;
  /** By row: the row before it + 1, or 0. Made when rows are removed from long chains. */
  #previous: Int32Array<ArrayBuffer> | undefined;
  readonly #column: () => Int32Array;

  /** `column`: keys by row; it may be replaced by a longer one. `terms`: number of known terms. */
  constructor(column: () => Int32Array, rows: number, terms: number) {
    this.#column = column;
    this.#heads = new Heads(terms <= rows * 8 ? terms : 0);
    this.next = new Int32Array(column().length);
    for (let row = 0; row < rows; row++) this.add(row);
  }
  add(row: number): void {
    const key = this.#column()[row];
    if (row >= this.next.length) this.#resize(this.#column().length);
    const behind = this.#heads.get(key);
    this.next[row] = behind;
    this.#heads.set(key, row + 1, row + 1);
    if (this.#previous === undefined) return;
    this.#previous[row] = 0;
    if (behind !== 0) this.#previous[behind - 1] = row + 1;
  }
  /** First row with this key, or -1. */
  first(key: number): number {
    return this.#heads.get(key) - 1;
  }
  after(row: number): number {
    return this.next[row] - 1;
  }
  trim(length: number): void {
    if (length < this.next.length) this.#resize(length);
  }
  #resize(length: number): void {
    this.next = grown(this.next, length);
    if (this.#previous) this.#previous = grown(this.#previous, length);
  }

  /** Makes all links anew, for the rows in front of `rows`. */
  relink(rows: number): void {
    this.#heads.clear();
    for (let row = 0; row < rows; row++) this.add(row);
  }
  /** Leaves rows out and renames those that move (pairs of from and to), while the columns still hold them all. */
  remove(rows: readonly number[], moves: Int32Array, count: number): void {
    const { next } = this;
    const column = this.#column();
    let steps = 0;
    /** The link before a row: by walking, until that has taken too long. */
    const before = (row: number): number => {
      if (this.#previous) return this.#previous[row];
      let last = 0;
      for (let link = this.#heads.get(column[row]); link !== row + 1; link = next[link - 1]) {
        if (++steps > WALK) return this.#backwards(count)[row];
        last = link;
      }
      return last;
    };
    const put = (row: number, last: number, link: number): void => {
      if (last === 0) this.#heads.set(column[row], link, count);
      else next[last - 1] = link;
      if (link !== 0 && this.#previous) this.#previous[link - 1] = last;
    };
    for (const row of rows) {
      put(row, before(row), next[row]);
      next[row] = 0;
    }
    for (let i = 0; i < moves.length; i += 2) {
      const [from, to] = [moves[i], moves[i + 1]];
      const last = before(from);
      const behind = next[from];
      next[from] = 0;
      next[to] = behind;
      put(from, last, to + 1);
      if (behind !== 0 && this.#previous) this.#previous[behind - 1] = to + 1;
    }
  }
  /** Links backwards for the rows in front of `count`, kept up from now on. Rows that are left out link to nothing. */
  #backwards(count: number): Int32Array<ArrayBuffer> {
    const { next } = this;
    const previous = new Int32Array(next.length);
    for (let row = 0; row < count; row++) if (next[row] !== 0) previous[next[row] - 1] = row + 1;
    return (this.#previous = previous);
  }
}
