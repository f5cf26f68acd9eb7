// Owns the rows that were derived and wait to be taken into their tables: for each pair the surest derivation so far, and all in order of confidence.
// Refuses to know how rows are derived, and what happens to them when their turn comes.

import { grown } from '../tables/columns.ts';
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
/** Numbers in the shortest list of derivations. */
const LEAST = 4 * 1024;
/** Up to that times as sure as before, a pair keeps its place in the order. */
const NEAR = 1 + 2 ** -20;
/** Entries of the hash for each pair at least. */
const FULL = 4 / 3;

/** The pairs of one slot that wait, and those that did, with the confidence of the surest derivation: an open hash whose entries lie together, as they are looked at for each derivation. */
class Pairs {
  /** Of each entry: the subject + 1 (0 where there is none), the object, and in two halves the confidence. */
  #entries = new Int32Array(4 * 1024);
  #confidences = new Float64Array(this.#entries.buffer);
  /** By entry: the number of the derivation with which it waits, or TAKEN. */
  numbers = new Int32Array(1024);
  #count = 0;

  /** Entry of the pair; ~entry of the place for it when there is none. */
  find(subject: number, object: number): number {
    const entries = this.#entries;
    const mask = this.numbers.length - 1;
    for (let at = hash(subject, object) & mask; ; at = (at + 1) & mask) {
      const found = entries[4 * at];
      if (found === 0) return ~at;
      if (found === subject + 1 && entries[4 * at + 1] === object) return at;
    }
  }
  confidence(at: number): number {
    return this.#confidences[2 * at + 1];
  }
  /** `at`: what `find` gave. */
  put(at: number, subject: number, object: number, number: number, confidence: number): void {
    const entry = at < 0 ? ~at : at;
    this.#entries[4 * entry] = subject + 1;
    this.#entries[4 * entry + 1] = object;
    this.#confidences[2 * entry + 1] = confidence;
    this.numbers[entry] = number;
    if (at < 0 && ++this.#count * FULL > this.numbers.length) this.#grow();
  }
  #grow(): void {
    const [entries, confidences, numbers] = [this.#entries, this.#confidences, this.numbers];
    this.#entries = new Int32Array(entries.length * 2);
    this.#confidences = new Float64Array(this.#entries.buffer);
    this.numbers = new Int32Array(numbers.length * 2);
    this.#count = 0;
    for (let at = 0; at < numbers.length; at++)
      if (entries[4 * at] !== 0) {
        const [subject, object] = [entries[4 * at] - 1, entries[4 * at + 1]];
        this.put(this.find(subject, object), subject, object, numbers[at], confidences[2 * at + 1]);
      }
  }
}

export class Candidates {
  readonly #pairs = new Map<Slot, Pairs>();
  /** The slot asked about last, its pairs, and what was found there. */
  #slot: Slot | undefined;
  #of!: Pairs;
  #at = -1;
  /** Derivations by number, and numbers that were given up. */
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];
  /** Of each: subject, object, rule and stamp. */
  #rows = new Int32Array(LEAST);
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
    if (this.#rows.length > LEAST) this.#rows = new Int32Array(LEAST);
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
    this.#at = this.#of.find(subject, object);
    return this.#at < 0 ? -1 : this.#of.confidence(this.#at);
  }
  /** Of the pair that was found: it waits. */
  get waits(): boolean {
    return this.#of.numbers[this.#at] !== TAKEN;
  }
  /** The pair that was found waits, and follows otherwise, as surely, from a premise that rose. What it rested on may be lost by that: the greater of the two stamps is the safe one. */
  tie(rule: number, stamp: number): void {
    const at = 4 * this.#of.numbers[this.#at];
    if (this.#rows[at + 2] === rule && this.#rows[at + 3] < stamp) this.#rows[at + 3] = stamp;
  }
  /** A pair comes to wait, or waits with more confidence than before. `fresh`: it is in no table. */
  add({ slot, subject, object, rule, stamp, confidence }: Candidate, fresh: boolean): void {
    let of = this.#pairs.get(slot);
    if (!of) this.#pairs.set(slot, (of = new Pairs()));
    const at = of.find(subject, object);
    const waiting = at < 0 ? TAKEN : of.numbers[at];
    if (waiting === TAKEN) {
      this.#waiting++;
      if (fresh) this.fresh++;
    }
    // What is surer by rounding keeps its place.
    const number = waiting !== TAKEN && confidence <= of.confidence(at) * NEAR ? waiting : (this.#free.pop() ?? this.#slots.length);
    this.#slots[number] = slot;
    of.put(at, subject, object, number, confidence);
    if (4 * number >= this.#rows.length) this.#rows = grown(this.#rows, this.#rows.length * 2);
    this.#rows[4 * number] = subject;
    this.#rows[4 * number + 1] = object;
    this.#rows[4 * number + 2] = rule;
    this.#rows[4 * number + 3] = stamp;
    if (number !== waiting) this.#push(confidence, number);
  }
  /** The pair, which is fresh if it waits, came into its table in another way. */
  drop(slot: Slot, subject: number, object: number): void {
    if (this.find(slot, subject, object) < 0 || !this.waits) return;
    this.#of.numbers[this.#at] = TAKEN;
    this.fresh--;
    if (--this.#waiting === 0) this.#empty();
  }
  /** The surest that waits, but for roundings. It waits no longer. */
  take(): Candidate | undefined {
    while (this.#keys.length > 0) {
      const number = this.#pop();
      this.#free.push(number);
      const slot = this.#slots[number];
      const [subject, object, rule, stamp] = this.#rows.slice(4 * number, 4 * number + 4);
      const of = this.#pairs.get(slot) as Pairs;
      const at = of.find(subject, object);
      if (of.numbers[at] !== number) continue;
      of.numbers[at] = TAKEN;
      // What is left then are pairs as they were before they got surer.
      if (--this.#waiting === 0) this.#empty();
      return { slot, subject, object, rule, stamp, confidence: of.confidence(at) };
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
