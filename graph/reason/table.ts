// Owns the facts of one signed relation as columns of integers, with a hash of rows and chains by subject and by object.
// Refuses to know terms and rules: it stores numbers. 16 bytes a row, 4 to 11 for the row hash, 4 for each chain in use, 8 more when weighted.
// Rows of subjects with many objects are known by bits (up to 8 bytes, and 4) and come into the hash only when somebody asks for a row's number.

import { rowBits, withRoom } from './rowbits.ts';
import type { RowBits } from './rowbits.ts';

/** `rule` of a row that was told, not derived. */
export const STORED = -1;
/** `rule` of a row that holds only inside this derivation (a hypothesis). */
export const GIVEN = -2;

const grown = (column: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const next = new Int32Array(length);
  next.set(column);
  return next;
};

/** Rows that share a subject (or an object), newest first. Rows are numbered from 0; links hold row + 1. */
export class Chain {
  /** By term id: the newest row + 1, or 0. */
  heads: Int32Array<ArrayBuffer>;
  /** By row: the next older row + 1, or 0. */
  next: Int32Array<ArrayBuffer>;
  readonly #column: () => Int32Array;

  constructor(column: () => Int32Array, rows: number, capacity: number, terms: number) {
    this.#column = column;
    this.heads = new Int32Array(Math.max(16, terms));
    this.next = new Int32Array(capacity);
    for (let row = 0; row < rows; row++) this.add(row);
  }
  add(row: number): void {
    const key = this.#column()[row];
    if (key >= this.heads.length) this.heads = grown(this.heads, Math.max(key + 1, this.heads.length * 2));
    if (row >= this.next.length) this.next = grown(this.next, Math.max(row + 1, this.next.length * 2));
    this.next[row] = this.heads[key];
    this.heads[key] = row + 1;
  }
  /** Newest row with this key, or -1. */
  first(key: number): number {
    return key < this.heads.length ? this.heads[key] - 1 : -1;
  }
  after(row: number): number {
    return this.next[row] - 1;
  }
}

export class Table {
  subjects = new Int32Array(16);
  objects = new Int32Array(16);
  /** Number of the rule that derived the row, or STORED or GIVEN. */
  rules = new Int32Array(16);
  /** Round of the derivation that `rules` names; 0 for rows that were told. Premises of that derivation have smaller stamps. */
  stamps = new Int32Array(16);
  /** Present when some confidence in the derivation is below 1. */
  confidences: Float64Array<ArrayBuffer> | undefined;
  /** Rows in use. */
  count = 0;
  /** Rows that a rule derived. */
  derived = 0;
  #slots = new Int32Array(32);
  #mask = 31;
  /** Rows in the hash. */
  #hashed = 0;
  #bits: RowBits | undefined;
  /** Rows known by bits that are not in the hash. */
  #unhashed = new Int32Array(0);
  #unhashedCount = 0;
  #bySubject: Chain | undefined;
  #byObject: Chain | undefined;

  constructor(weighted: boolean) {
    if (weighted) this.confidences = new Float64Array(16);
  }

  confidence(row: number): number {
    return this.confidences === undefined ? 1 : this.confidences[row];
  }
  /** From now on rows carry confidences; those so far have 1. */
  weigh(): void {
    this.confidences ??= new Float64Array(this.subjects.length).fill(1, 0, this.count);
  }

  /** Row of the pair, or -1. */
  find(subject: number, object: number): number {
    if (this.#bits !== undefined) {
      const words = this.#bits[subject];
      if (words !== undefined && (object >>> 5 >= words.length || (words[object >>> 5] & (1 << (object & 31))) === 0)) return -1;
      if (words !== undefined && this.#unhashedCount > 0) this.#hashAll();
    }
    const { subjects, objects } = this;
    const slots = this.#slots;
    let slot = hash(subject, object) & this.#mask;
    for (;;) {
      const row = slots[slot] - 1;
      if (row < 0) return -1;
      if (subjects[row] === subject && objects[row] === object) return row;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Adds the pair and returns its row, or `~row` of the row that holds it already. */
  insert(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const row = this.add(subject, object, rule, stamp, confidence);
    return row >= 0 ? row : ~this.find(subject, object);
  }

  /** Adds the pair and returns its row, or -1 when a row holds it already. */
  add(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    if (this.#bits !== undefined && this.#bits[subject] !== undefined) {
      const words = withRoom(this.#bits, subject, object);
      const mask = 1 << (object & 31);
      if ((words[object >>> 5] & mask) !== 0) return -1;
      words[object >>> 5] |= mask;
      const row = this.#append(subject, object, rule, stamp, confidence);
      if (this.#unhashedCount === this.#unhashed.length) this.#unhashed = grown(this.#unhashed, Math.max(1024, this.#unhashedCount * 2));
      this.#unhashed[this.#unhashedCount++] = row;
      return row;
    }
    const slots = this.#slots;
    let slot = hash(subject, object) & this.#mask;
    for (let row = slots[slot] - 1; row >= 0; row = slots[slot] - 1) {
      if (this.subjects[row] === subject && this.objects[row] === object) return -1;
      slot = (slot + 1) & this.#mask;
    }
    const row = this.#append(subject, object, rule, stamp, confidence);
    slots[slot] = row + 1;
    // The subject may have got bits when the table grew for this row.
    if (this.#bits !== undefined && this.#bits[subject] !== undefined) withRoom(this.#bits, subject, object)[object >>> 5] |= 1 << (object & 31);
    if (++this.#hashed * 10 > slots.length * 6) this.#rehash();
    return row;
  }

  #append(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const row = this.count++;
    if (row === this.subjects.length) this.#grow();
    this.subjects[row] = subject;
    this.objects[row] = object;
    this.rules[row] = rule;
    this.stamps[row] = stamp;
    if (this.confidences !== undefined) this.confidences[row] = confidence;
    if (rule >= 0) this.derived++;
    this.#bySubject?.add(row);
    this.#byObject?.add(row);
    return row;
  }

  /** Changes how a row came about. */
  restate(row: number, rule: number, stamp: number, confidence: number): void {
    if (this.rules[row] >= 0) this.derived--;
    if (rule >= 0) this.derived++;
    this.rules[row] = rule;
    this.stamps[row] = stamp;
    if (this.confidences !== undefined) this.confidences[row] = confidence;
  }

  /** Rows by subject; built at the first call, kept up from then on. `terms`: number of known terms. */
  bySubject(terms: number): Chain {
    return (this.#bySubject ??= new Chain(() => this.subjects, this.count, this.subjects.length, terms));
  }
  byObject(terms: number): Chain {
    return (this.#byObject ??= new Chain(() => this.objects, this.count, this.subjects.length, terms));
  }

  /** The rows that were told, as a table of their own. */
  told(): Table {
    const table = new Table(this.confidences !== undefined);
    for (let row = 0; row < this.count; row++)
      if (this.rules[row] < 0) table.insert(this.subjects[row], this.objects[row], this.rules[row], 0, this.confidence(row));
    return table;
  }

  #grow(): void {
    const length = this.subjects.length * 2;
    // The row that is being added is not in the columns yet: `add` sets its bit.
    this.#bits = rowBits(this.subjects, this.objects, this.subjects.length, this.#bits);
    this.subjects = grown(this.subjects, length);
    this.objects = grown(this.objects, length);
    this.rules = grown(this.rules, length);
    this.stamps = grown(this.stamps, length);
    if (this.confidences !== undefined) {
      const confidences = new Float64Array(length);
      confidences.set(this.confidences);
      this.confidences = confidences;
    }
  }
  /** Brings all rows into the hash. */
  #hashAll(): void {
    if ((this.#hashed + this.#unhashedCount) * 10 > this.#slots.length * 6) {
      this.#rehash();
      return;
    }
    const { subjects, objects } = this;
    const [slots, mask] = [this.#slots, this.#mask];
    for (let i = 0; i < this.#unhashedCount; i++) {
      const row = this.#unhashed[i];
      let slot = hash(subjects[row], objects[row]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#hashed += this.#unhashedCount;
    this.#unhashedCount = 0;
  }
  /** Makes room for all rows and some more, and brings all into the hash. */
  #rehash(): void {
    let { length } = this.#slots;
    while (this.count * 10 > length * 3) length *= 2;
    const slots = new Int32Array(length);
    const mask = length - 1;
    const { subjects, objects, count } = this;
    for (let row = 0; row < count; row++) {
      let slot = hash(subjects[row], objects[row]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
    this.#mask = mask;
    this.#hashed = count;
    this.#unhashedCount = 0;
  }
}

/** Mixes two ids so that low bits depend on all bits of both (multipliers of MurmurHash3's finaliser). */
function hash(subject: number, object: number): number {
  let h = Math.imul(subject, 0x85ebca6b) ^ Math.imul(object, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
