// Owns growing typed arrays, and linked lists of rows kept in them.
// Refuses to know what a row is.

type Column = Int32Array | Float64Array | Uint8Array | Uint16Array;

/** `column`, or a larger copy of it in which index `length - 1` exists. New cells are 0. */
export function grown<C extends Column>(column: C, length: number): C {
  if (length <= column.length) return column;
  const larger = new (column.constructor as new (length: number) => C)(Math.max(16, length, Math.ceil(column.length * 1.6)));
  larger.set(column);
  return larger;
}

/**
 * Many lists of rows, each in ascending order, each row in one list at most. Rows that are no longer live are taken out when a walk comes by.
 */
export class RowLists {
  // Rows are written plus one: 0 is none.
  #head = new Int32Array(0);
  #tail = new Int32Array(0);
  #next = new Int32Array(0);
  #live = new Int32Array(0);

  /** How many live rows the list has; none where it is no list (-1). */
  size(list: number): number {
    return list >= 0 && list < this.#live.length ? this.#live[list] : 0;
  }
  /** Puts a row, larger than all before it, at the end of a list. */
  append(list: number, row: number): void {
    if (list >= this.#head.length) {
      this.#head = grown(this.#head, list + 1);
      this.#tail = grown(this.#tail, list + 1);
      this.#live = grown(this.#live, list + 1);
    }
    if (row >= this.#next.length) this.#next = grown(this.#next, row + 1);
    this.#next[row] = 0;
    const tail = this.#tail[list];
    if (tail === 0) this.#head[list] = row + 1;
    else this.#next[tail - 1] = row + 1;
    this.#tail[list] = row + 1;
    this.#live[list]++;
  }
  /** One row of the list is no longer live. */
  drop(list: number): void {
    this.#live[list]--;
  }
  /** The first live row of a list, or -1. */
  first(list: number, live: Uint8Array): number {
    if (list < 0 || list >= this.#head.length) return -1;
    const head = this.#head[list];
    if (head === 0 || live[head - 1] === 1) return head - 1;
    const found = this.#skip(head, live);
    this.#head[list] = found;
    if (found === 0) this.#tail[list] = 0;
    return found - 1;
  }
  /** The live row that follows `row`, itself live, in its list; or -1. */
  after(list: number, row: number, live: Uint8Array): number {
    const next = this.#next[row];
    if (next === 0 || live[next - 1] === 1) return next - 1;
    const found = this.#skip(next, live);
    this.#next[row] = found;
    if (found === 0) this.#tail[list] = row + 1;
    return found - 1;
  }
  #skip(from: number, live: Uint8Array): number {
    let at = from;
    while (at !== 0 && live[at - 1] === 0) at = this.#next[at - 1];
    return at;
  }
  clear(): void {
    this.#head.fill(0);
    this.#tail.fill(0);
    this.#live.fill(0);
  }
}

/** Numbers for pairs of a term and a key, in order of arrival, and the pairs of each term. An open-addressing hash table in typed arrays. */
export class PairTable {
  #table = new Int32Array(64);
  #term = new Int32Array(32);
  #key = new Int32Array(32);
  /** The pair of the same term that came before, plus one. */
  #sibling = new Int32Array(32);
  #last = new Int32Array(0);
  #count = 0;

  #slot(term: number, key: number): number {
    const mask = this.#table.length - 1;
    let hash = Math.imul(term, 0x9e3779b1) ^ Math.imul(key, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    for (;;) {
      const pair = this.#table[slot] - 1;
      if (pair < 0 || (this.#term[pair] === term && this.#key[pair] === key)) return slot;
      slot = (slot + 1) & mask;
    }
  }
  /** The number of a pair, or -1. */
  find(term: number, key: number): number {
    return this.#table[this.#slot(term, key)] - 1;
  }
  /** The number of a pair; a new one if it has none. */
  add(term: number, key: number): number {
    const slot = this.#slot(term, key);
    const known = this.#table[slot] - 1;
    if (known >= 0) return known;
    const pair = this.#count++;
    if (pair >= this.#term.length) {
      this.#term = grown(this.#term, pair + 1);
      this.#key = grown(this.#key, pair + 1);
      this.#sibling = grown(this.#sibling, pair + 1);
    }
    if (term >= this.#last.length) this.#last = grown(this.#last, term + 1);
    this.#term[pair] = term;
    this.#key[pair] = key;
    this.#sibling[pair] = this.#last[term];
    this.#last[term] = pair + 1;
    this.#table[slot] = pair + 1;
    if (this.#count * 2 > this.#table.length) this.#rehash();
    return pair;
  }
  key(pair: number): number {
    return this.#key[pair];
  }
  /** The latest pair of a term, or -1. */
  lastOf(term: number): number {
    return term >= 0 && term < this.#last.length ? this.#last[term] - 1 : -1;
  }
  /** The pair of the same term that came before this one, or -1. */
  before(pair: number): number {
    return this.#sibling[pair] - 1;
  }
  #rehash(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    for (let pair = 0; pair < this.#count; pair++) this.#table[this.#slot(this.#term[pair], this.#key[pair])] = pair + 1;
  }
  clear(): void {
    this.#table.fill(0);
    this.#last.fill(0);
    this.#count = 0;
  }
}
