// Owns the facts of one signed relation as columns of integers, with a hash of rows and chains by subject and by object.
// Refuses to know terms and rules: it stores numbers. 16 bytes a row, 5 to 11 for the row hash, 4 for each chain in use (8 when
// rows go from long ones), 8 more when weighted; twice that until it is trimmed.
// Rows of subjects with many objects are known by bits (up to 8 bytes, and 4) and come into the hash only when somebody asks for a row's number.

import { Chain } from './chain.ts';
import { grown } from './columns.ts';
import { Degrees, rowBits, withRoom } from './rowbits.ts';
import type { RowBits } from './rowbits.ts';
import { fillSlots, hash } from './rowhash.ts';

/** `rule` of a row that was told, not derived. */
export const STORED = -1;
/** `rule` of a row that holds only inside this derivation (a hypothesis). */
export const GIVEN = -2;
/** Stamp of a row that follows no longer and is not taken out yet: it is no premise of anything. */
export const FALLEN = 0x7fffffff;

/** Slots of the hash for each row at least. */
const FULL = 4 / 3;
/** Rows that are listed until they come into the hash; for more, all are brought there. */
const LISTED = 65_536;

export class Table {
  subjects = new Int32Array(16);
  objects = new Int32Array(16);
  /** Number of the rule that derived the row, or STORED or GIVEN. */
  rules = new Int32Array(16);
  /** Greater than the stamps of the premises in some derivation by the rule that `rules` names; 0 for rows that were told. */
  stamps = new Int32Array(16);
  /** Present when some confidence in the derivation is below 1. */
  confidences: Float64Array<ArrayBuffer> | undefined;
  /** Rows in use. */
  count = 0;
  /** Rows that a rule derived. */
  derived = 0;
  #slots = new Int32Array(32);
  #mask = 31;
  /** Bits of an entry that hold row + 1. */
  #rowBits = 31;
  /** Rows in the hash. */
  #hashed = 0;
  #bits: RowBits | undefined;
  /** Until rows go. */
  #degrees: Degrees | undefined;
  /** Rows when it was last looked at which subjects get bits. */
  #measured = 0;
  /** Few rows are to come: see `trim`. */
  #settled = false;
  /** Rows known by bits that are not in the hash. */
  readonly #unhashed: number[] = [];
  #unhashedCount = 0;
  /** There are more of these than are listed. */
  #unlisted = false;
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

  /** Is the pair there? Cheaper than finding its row where bits know. */
  has(subject: number, object: number): boolean {
    const words = this.#bits?.[subject];
    return words === undefined ? this.find(subject, object) >= 0 : object >>> 5 < words.length && (words[object >>> 5] & (1 << (object & 31))) !== 0;
  }
  /** Row of the pair, or -1. */
  find(subject: number, object: number): number {
    if (this.#bits !== undefined) {
      const words = this.#bits[subject];
      if (words !== undefined && (object >>> 5 >= words.length || (words[object >>> 5] & (1 << (object & 31))) === 0)) return -1;
      if (words !== undefined && this.#unhashedCount > 0) this.#hashAll();
    }
    const { subjects, objects } = this;
    const [slots, mask, bits] = [this.#slots, this.#mask, this.#rowBits];
    const mixed = hash(subject, object);
    for (let slot = mixed & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry === 0) return -1;
      if (((entry ^ mixed) & ~bits) !== 0) continue;
      const row = (entry & bits) - 1;
      if (subjects[row] === subject && objects[row] === object) return row;
    }
  }

  /** Adds the pair and returns its row, or `~row` of the row that holds it already. */
  insert(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const row = this.add(subject, object, rule, stamp, confidence);
    return row >= 0 ? row : ~this.find(subject, object);
  }

  /** Adds the pair and returns its row, or -1 when a row holds it already. In two parts: the short one becomes part of the loops that call it. */
  add(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const words = this.#bits === undefined ? undefined : this.#bits[subject];
    return words === undefined ? this.#addHashed(subject, object, rule, stamp, confidence) : this.#addBit(words, subject, object, rule, stamp, confidence);
  }
  #addBit(known: Int32Array<ArrayBuffer>, subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const word = object >>> 5;
    const words = word < known.length ? known : withRoom(this.#bits as RowBits, subject, object);
    const mask = 1 << (object & 31);
    if ((words[word] & mask) !== 0) return -1;
    words[word] |= mask;
    const row = this.#append(subject, object, rule, stamp, confidence);
    if (this.#unhashedCount === LISTED) this.#unlisted = true;
    else this.#unhashed[this.#unhashedCount++] = row;
    return row;
  }
  #addHashed(subject: number, object: number, rule: number, stamp: number, confidence: number): number {
    const [slots, mask, bits] = [this.#slots, this.#mask, this.#rowBits];
    const mixed = hash(subject, object);
    let slot = mixed & mask;
    for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
      const row = (entry & bits) - 1;
      if (((entry ^ mixed) & ~bits) === 0 && this.subjects[row] === subject && this.objects[row] === object) return -1;
      slot = (slot + 1) & mask;
    }
    const row = this.#append(subject, object, rule, stamp, confidence);
    slots[slot] = (mixed & ~this.#rowBits) | (row + 1);
    // The subject may have got bits when the table grew for this row.
    if (this.#bits !== undefined && this.#bits[subject] !== undefined) withRoom(this.#bits, subject, object)[object >>> 5] |= 1 << (object & 31);
    if (++this.#hashed * FULL > slots.length) this.#rehash();
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
    return (this.#bySubject ??= new Chain(() => this.subjects, this.count, terms));
  }
  byObject(terms: number): Chain {
    return (this.#byObject ??= new Chain(() => this.objects, this.count, terms));
  }

  /** The rows that were told, as a table of their own. */
  told(): Table {
    const table = new Table(this.confidences !== undefined);
    for (let row = 0; row < this.count; row++)
      if (this.rules[row] < 0) table.insert(this.subjects[row], this.objects[row], this.rules[row], 0, this.confidence(row));
    return table;
  }

  #grow(): void {
    const rows = this.subjects.length;
    // The row that is being added is not in the columns yet: `add` sets its bit.
    if (rows >= this.#measured * 2) {
      this.#bits = rowBits(this.subjects, this.objects, rows, (this.#degrees ??= new Degrees()), this.#bits);
      this.#measured = rows;
    }
    const length = this.#settled ? rows + (rows >>> 3) : rows * 2;
    while (length > this.#rowBits) this.#widen();
    this.#settled = false;
    this.#resize(length);
  }
  #resize(length: number): void {
    this.subjects = grown(this.subjects, length);
    this.objects = grown(this.objects, length);
    this.rules = grown(this.rules, length);
    this.stamps = grown(this.stamps, length);
    if (this.confidences !== undefined) {
      const confidences = new Float64Array(length);
      confidences.set(this.confidences.subarray(0, length));
      this.confidences = confidences;
    }
  }
  /** Takes a bit from the hashes in the entries for the numbers of rows. */
  #widen(): void {
    const before = this.#rowBits;
    const after = (this.#rowBits = before * 2 + 1);
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) if (slots[i] !== 0) slots[i] = (slots[i] & ~after) | (slots[i] & before);
  }
  /** After many rows came: gives back the room for more where it is much, and enters all rows into the hash. It grows by a little when it grows next. */
  settle(): void {
    if (this.#unhashedCount > 0) this.#hashAll();
    const length = this.count + (this.count >>> 5) + 16;
    if (length < 4096) return;
    this.#settled = true;
    if (this.count + (this.count >>> 2) < this.subjects.length) this.#resize(length);
    this.#bySubject?.trim(length);
    this.#byObject?.trim(length);
  }

  /**
   * Removes rows, which stand in front of `old`; those from `old` on stay together behind the others. Returns the rows that moved, as pairs of from and to.
   * Links and hash are mended in place, and where most of them would change, made anew.
   */
  remove(rows: readonly number[], old = this.count): Int32Array {
    if (rows.length === 0) return new Int32Array(0);
    this.#degrees = undefined;
    if (this.#unhashedCount > 0) this.#hashAll();
    const { subjects, objects, rules, stamps, confidences, count } = this;
    const moves = gaps(rows, old, count);
    // For many rows it is cheaper to make links and hash anew. Else links come first: they are found by what stands in the columns.
    const many = rows.length * 4 > count;
    for (const chain of many ? [] : [this.#bySubject, this.#byObject]) chain?.remove(rows, moves, count);
    for (const row of rows) {
      const words = this.#bits?.[subjects[row]];
      if (words !== undefined) words[objects[row] >>> 5] &= ~(1 << (objects[row] & 31));
      if (rules[row] >= 0) this.derived--;
      if (!many) this.#unhash(row);
    }
    for (let i = 0; i < moves.length; i += 2) {
      const [from, to] = [moves[i], moves[i + 1]];
      if (!many) {
        const slot = this.#slotOf(from);
        this.#slots[slot] = (this.#slots[slot] & ~this.#rowBits) | (to + 1);
      }
      subjects[to] = subjects[from];
      objects[to] = objects[from];
      rules[to] = rules[from];
      stamps[to] = stamps[from];
      if (confidences !== undefined) confidences[to] = confidences[from];
    }
    this.count -= rows.length;
    this.#hashed -= rows.length;
    if (many) {
      this.#rehash();
      this.#bySubject?.relink(this.count);
      this.#byObject?.relink(this.count);
    }
    return moves;
  }
  /** Place in the hash of a row that is in it. */
  #slotOf(row: number): number {
    let slot = hash(this.subjects[row], this.objects[row]) & this.#mask;
    while ((this.#slots[slot] & this.#rowBits) !== row + 1) slot = (slot + 1) & this.#mask;
    return slot;
  }
  /** Takes a row out of the hash and moves those behind it up, so that no search ends too early (Knuth, TAOCP 3, algorithm 6.4R). */
  #unhash(out: number): void {
    const [slots, mask] = [this.#slots, this.#mask];
    let hole = this.#slotOf(out);
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = (slots[slot] & this.#rowBits) - 1;
      const home = hash(this.subjects[row], this.objects[row]) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot];
      hole = slot;
    }
    slots[hole] = 0;
  }

  /** Brings all rows into the hash. */
  #hashAll(): void {
    if (this.#unlisted || this.count * FULL > this.#slots.length) {
      this.#rehash();
      return;
    }
    for (let i = 0; i < this.#unhashedCount; i++) this.#enter(this.#unhashed[i]);
    this.#hashed += this.#unhashedCount;
    this.#unhashedCount = 0;
  }
  #enter(row: number): void {
    const [slots, mask] = [this.#slots, this.#mask];
    const mixed = hash(this.subjects[row], this.objects[row]);
    let slot = mixed & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = (mixed & ~this.#rowBits) | (row + 1);
  }
  /** Makes room for all rows and some more, and brings all into the hash. */
  #rehash(): void {
    let { length } = this.#slots;
    while (this.count * FULL > length) length *= 2;
    this.#slots = new Int32Array(length);
    this.#mask = length - 1;
    fillSlots(this.#slots, this.#rowBits, this.subjects, this.objects, this.count);
    this.#hashed = this.count;
    this.#unhashedCount = 0;
    this.#unlisted = false;
  }
}

/** Moves that close the gaps which `rows` leave in front of `old`, and let the rows from `old` to `count` follow without a gap: pairs of from and to. */
function gaps(rows: readonly number[], old: number, count: number): Int32Array {
  const [gone, kept] = [new Set(rows), old - rows.length];
  const moves: number[] = [];
  let from = kept;
  for (const row of rows) {
    if (row >= kept) continue;
    while (gone.has(from)) from++;
    moves.push(from++, row);
  }
  const behind = Math.min(rows.length, count - old);
  for (let i = 0; i < behind; i++) moves.push(count - behind + i, kept + i);
  return Int32Array.from(moves);
}
