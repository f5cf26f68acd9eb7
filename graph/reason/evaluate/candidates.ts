// Owns the rows that were derived and wait to be taken into their tables: for each pair the surest derivation so far, and all in order of confidence.
// Refuses to know how rows are derived, and what happens to them when their turn comes.

import type { Slot } from '../tables/database.ts';
import { hash } from '../tables/rowhash.ts';

/** A derivation of a pair. */
export interface Candidate {
  readonly slot: Slot;
  readonly subject: number;
  readonly object: number;
  readonly rule: number;
  readonly stamp: number;
  readonly confidence: number;
}

/** In place of the number of a derivation: the pair waits no longer. */
const TAKEN = -1;
/** Derivations on one page of their list, as a power of two. */
const PAGE = 12;
const ON_PAGE = (1 << PAGE) - 1;
/** Up to that times as sure as before, a pair keeps its place in the order. */
const NEAR = 1 + 2 ** -20;
/** Entries of a hash for each pair at least. */
const FULL = 4 / 3;
/** Entries of a part at most, so that none takes long to grow or to divide: who derives rows cannot pause in the midst of one. */
const LARGEST = 32 * 1024;
/** Divisions that lead to a part at most. One that is as deep grows on: too many pairs are alike for it to help. */
const DEEPEST = 16;

/** The pairs of one slot that wait, and those that did, with the confidence of the surest derivation: parts by the upper bits of a pair's hash (extendible hashing, Fagin et al., TODS 1979). */
class Pairs {
  #parts: Part[] = [new Part(0)];
  /** Upper bits that tell parts apart. */
  #bits = 0;

  /** The part of the pairs with this hash. */
  part(hashOf: number): Part {
    return this.#parts[(hashOf >>> 1) >>> (31 - this.#bits)];
  }
  /** `at`: what `find` gave in the part of the pair. */
  put(part: Part, at: number, subject: number, object: number, number: number, confidence: number): void {
    part.put(at, subject, object, number, confidence);
    if (!part.full) return;
    if (part.numbers.length < LARGEST || part.depth === DEEPEST) part.grow();
    else this.#divide(part);
  }
  #divide(part: Part): void {
    if (part.depth === this.#bits) {
      this.#parts = this.#parts.flatMap((each) => [each, each]);
      this.#bits++;
    }
    const halves = part.halves();
    for (let i = 0; i < this.#parts.length; i++) if (this.#parts[i] === part) this.#parts[i] = halves[(i >>> (this.#bits - 1 - part.depth)) & 1];
  }
}

/** An open hash whose entries lie together, as they are looked at for each derivation. */
class Part {
  /** Upper bits that all pairs share. */
  readonly depth: number;
  /** Of each entry: the subject + 1 (0 where there is none), the object, and in two halves the confidence. */
  #entries: Int32Array<ArrayBuffer>;
  #confidences: Float64Array<ArrayBuffer>;
  /** By entry: the number of the derivation with which it waits, or TAKEN. */
  numbers: Int32Array<ArrayBuffer>;
  #count = 0;

  constructor(depth: number, length = 1024) {
    this.depth = depth;
    this.#entries = new Int32Array(4 * length);
    this.#confidences = new Float64Array(this.#entries.buffer);
    this.numbers = new Int32Array(length);
  }
  get full(): boolean {
    return this.#count * FULL > this.numbers.length;
  }
  /** Entry of the pair, whose hash is given; ~entry of the place for it when there is none. */
  find(subject: number, object: number, hashOf: number): number {
    const entries = this.#entries;
    const mask = this.numbers.length - 1;
    for (let at = hashOf & mask; ; at = (at + 1) & mask) {
      const found = entries[4 * at];
      if (found === 0) return ~at;
      if (found === subject + 1 && entries[4 * at + 1] === object) return at;
    }
  }
  confidence(at: number): number {
    return this.#confidences[2 * at + 1];
  }
  put(at: number, subject: number, object: number, number: number, confidence: number): void {
    const entry = at < 0 ? ~at : at;
    this.#entries[4 * entry] = subject + 1;
    this.#entries[4 * entry + 1] = object;
    this.#confidences[2 * entry + 1] = confidence;
    this.numbers[entry] = number;
    if (at < 0) this.#count++;
  }
  grow(): void {
    const grown = new Part(this.depth, this.numbers.length * 2);
    this.#hand(() => grown);
    this.#entries = grown.#entries;
    this.#confidences = grown.#confidences;
    this.numbers = grown.numbers;
  }
  /** Its pairs by the next bit of their hashes. */
  halves(): readonly [Part, Part] {
    const halves = [new Part(this.depth + 1, this.numbers.length), new Part(this.depth + 1, this.numbers.length)] as const;
    this.#hand((hashOf) => halves[(hashOf >>> (31 - this.depth)) & 1]);
    return halves;
  }
  /** Hands its pairs on to other parts. */
  #hand(to: (hashOf: number) => Part): void {
    for (let at = 0; at < this.numbers.length; at++)
      if (this.#entries[4 * at] !== 0) {
        const [subject, object] = [this.#entries[4 * at] - 1, this.#entries[4 * at + 1]];
        const hashOf = hash(subject, object);
        const part = to(hashOf);
        part.put(part.find(subject, object, hashOf), subject, object, this.numbers[at], this.#confidences[2 * at + 1]);
      }
  }
}

export class Candidates {
  readonly #pairs = new Map<Slot, Pairs>();
  /** The slot asked about last, its pairs, their part, and what was found there. */
  #slot: Slot | undefined;
  #of!: Pairs;
  #part!: Part;
  #at = -1;
  /** Derivations by number, and numbers that were given up. */
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];
  /** Of each, on pages: subject, object, rule and stamp. */
  readonly #pages = [new Int32Array(4 << PAGE)];
  /** A heap of confidences, the greatest first, four below each, and the numbers of the derivations. A pair that got much surer is there twice. */
  readonly #keys: number[] = [];
  readonly #numbers: number[] = [];
  /** Pairs that wait. */
  #waiting = 0;
  /** Those of them that are in no table yet, or have fallen there. */
  fresh = 0;

  clear(): void {
    this.#empty();
    this.fresh = 0;
    this.#pairs.clear();
    this.#slot = undefined;
    this.#pages.length = 1;
  }
  /** None waits any more. */
  #empty(): void {
    this.#slots.length = this.#free.length = this.#keys.length = this.#numbers.length = this.#waiting = 0;
  }
  /** Confidence with which the pair waits, or was taken; -1 when it never came here. */
  find(slot: Slot, subject: number, object: number): number {
    if (slot !== this.#slot) {
      const of = this.#pairs.get(slot);
      if (!of) return -1;
      this.#slot = slot;
      this.#of = of;
    }
    const hashOf = hash(subject, object);
    this.#part = this.#of.part(hashOf);
    this.#at = this.#part.find(subject, object, hashOf);
    return this.#at < 0 ? -1 : this.#part.confidence(this.#at);
  }
  /** Of the pair that was found: it waits. */
  get waits(): boolean {
    return this.#part.numbers[this.#at] !== TAKEN;
  }
  /** The pair that was found waits, and follows otherwise, as surely, from a premise that rose. What it rested on may be lost by that: the greater of the two stamps is the safe one. */
  tie(rule: number, stamp: number): void {
    const number = this.#part.numbers[this.#at];
    const page = this.#pages[number >>> PAGE];
    const at = 4 * (number & ON_PAGE);
    if (page[at + 2] === rule && page[at + 3] < stamp) page[at + 3] = stamp;
  }
  /** A pair comes to wait, or waits with more confidence than before. `fresh`: it is in no table. */
  add({ slot, subject, object, rule, stamp, confidence }: Candidate, fresh: boolean): void {
    let of = this.#pairs.get(slot);
    if (!of) this.#pairs.set(slot, (of = new Pairs()));
    const hashOf = hash(subject, object);
    const part = of.part(hashOf);
    const at = part.find(subject, object, hashOf);
    const waiting = at < 0 ? TAKEN : part.numbers[at];
    if (waiting === TAKEN) {
      this.#waiting++;
      if (fresh) this.fresh++;
    }
    // What is surer by rounding keeps its place.
    const number = waiting !== TAKEN && confidence <= part.confidence(at) * NEAR ? waiting : (this.#free.pop() ?? this.#slots.length);
    this.#slots[number] = slot;
    of.put(part, at, subject, object, number, confidence);
    const page = (this.#pages[number >>> PAGE] ??= new Int32Array(4 << PAGE));
    const row = 4 * (number & ON_PAGE);
    page[row] = subject;
    page[row + 1] = object;
    page[row + 2] = rule;
    page[row + 3] = stamp;
    if (number !== waiting) this.#push(confidence, number);
  }
  /** The pair, which is fresh if it waits, came into its table in another way. */
  drop(slot: Slot, subject: number, object: number): void {
    if (this.find(slot, subject, object) < 0 || !this.waits) return;
    this.#part.numbers[this.#at] = TAKEN;
    this.fresh--;
    if (--this.#waiting === 0) this.#empty();
  }
  /** The surest that waits, but for roundings. It waits no longer. */
  take(): Candidate | undefined {
    while (this.#keys.length > 0) {
      const number = this.#pop();
      this.#free.push(number);
      const slot = this.#slots[number];
      const row = 4 * (number & ON_PAGE);
      const [subject, object, rule, stamp] = this.#pages[number >>> PAGE].slice(row, row + 4);
      const hashOf = hash(subject, object);
      const part = (this.#pairs.get(slot) as Pairs).part(hashOf);
      const at = part.find(subject, object, hashOf);
      if (part.numbers[at] !== number) continue;
      part.numbers[at] = TAKEN;
      // What is left then are pairs as they were before they got surer.
      if (--this.#waiting === 0) this.#empty();
      return { slot, subject, object, rule, stamp, confidence: part.confidence(at) };
    }
    return undefined;
  }

  #push(key: number, number: number): void {
    const [keys, numbers] = [this.#keys, this.#numbers];
    let i = keys.push(key) - 1;
    numbers.push(number);
    for (let parent = (i - 1) >> 2; i > 0 && keys[parent] < key; parent = (i - 1) >> 2) {
      keys[i] = keys[parent];
      numbers[i] = numbers[parent];
      i = parent;
    }
    keys[i] = key;
    numbers[i] = number;
  }
  /** Takes the top away and returns its number. */
  #pop(): number {
    const [keys, numbers] = [this.#keys, this.#numbers];
    const [top] = numbers;
    const key = keys.pop() as number;
    const number = numbers.pop() as number;
    const { length } = keys;
    if (length === 0) return top;
    let i = 0;
    for (let child = 1; child < length; child = 4 * i + 1) {
      for (let other = child + 1, end = Math.min(child + 4, length); other < end; other++) if (keys[other] > keys[child]) child = other;
      if (keys[child] <= key) break;
      keys[i] = keys[child];
      numbers[i] = numbers[child];
      i = child;
    }
    keys[i] = key;
    numbers[i] = number;
    return top;
  }
}
