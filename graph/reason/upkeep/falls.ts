// Owns which rows of one stratum fall: those that follow no longer from rows of smaller stamps.
// Refuses to know what becomes of them: they keep their places, marked as fallen.

import type { Slot } from '../tables/database.ts';
import { registersOf } from './dependents.ts';
import type { Dependents, Way } from './dependents.ts';
import type { Evaluator } from '../evaluate/evaluate.ts';
import type { Clause } from '../evaluate/plan.ts';
import type { Program, Variant, Watchers } from '../evaluate/program.ts';
import { pauses } from '../evaluate/run.ts';
import { StampQueue } from './stampqueue.ts';
import { FALLEN } from '../tables/table.ts';

/** Rows that fell, as they were. */
export interface Fallen {
  readonly rows: number[];
  readonly stamps: number[];
  /** Empty where all are 1. */
  readonly confidences: number[];
}

export class Falls {
  readonly #program: Program;
  readonly #evaluator: Evaluator;
  readonly #dependents: Dependents;
  readonly #ways = new Map<Variant, Way>();
  /** Rows to be asked whether they still follow. */
  readonly #asked = new StampQueue();
  /** One bit for each row of a slot: it waits there. */
  readonly #waiting = new Map<Slot, Int32Array>();
  /** Since the stratum began. */
  readonly fallen = new Map<Slot, Fallen>();
  /** Rows that were asked in this run, and fell or held. */
  fell = 0;
  held = 0;

  constructor(program: Program, evaluator: Evaluator, dependents: Dependents) {
    this.#program = program;
    this.#evaluator = evaluator;
    this.#dependents = dependents;
  }
  /** Rows that are fallen now. */
  get count(): number {
    let count = 0;
    for (const { rows } of this.fallen.values()) count += rows.length;
    return count;
  }
  /** A run begins. */
  begin(): void {
    this.fell = this.held = 0;
    this.end();
  }
  /** The stratum ends. */
  end(): void {
    this.#asked.clear();
    this.#waiting.clear();
    this.fallen.clear();
  }

  /** Has rows asked that may hang on a pair of this stamp. What is left to do is given back where it paused. */
  ask(stratum: number, slot: Slot, subject: number, object: number, stamp: number): Generator<void, void> | undefined {
    const watchers = this.#program.watchers(stratum, slot);
    if (!watchers) return undefined;
    for (let i = 0; i < watchers.general.length; i++)
      if (this.#askVariant(watchers.general[i], subject, object, stamp)) return this.#askRest(watchers, i + 1, watchers.byObject.first(object), subject, object, stamp);
    for (let variant = watchers.byObject.first(object); variant; variant = variant.next)
      if (this.#askVariant(variant, subject, object, stamp)) return this.#askRest(watchers, watchers.general.length, variant.next, subject, object, stamp);
    return undefined;
  }
  *#askRest({ general }: Watchers, from: number, first: Variant | undefined, subject: number, object: number, stamp: number): Generator<void, void> {
    yield* this.#dependents.rest();
    for (let i = from; i < general.length; i++) if (this.#askVariant(general[i], subject, object, stamp)) yield* this.#dependents.rest();
    for (let variant = first; variant; variant = variant.next) if (this.#askVariant(variant, subject, object, stamp)) yield* this.#dependents.rest();
  }
  #askVariant(variant: Variant, subject: number, object: number, stamp: number): boolean {
    const { clause, lead, item } = variant;
    if (!this.#dependents.unify(item, subject, object)) return false;
    let way = this.#ways.get(variant);
    if (!way) this.#ways.set(variant, (way = this.#dependents.way(clause.body, clause.head, lead, registersOf(item))));
    return this.askAll(clause, way, stamp);
  }
  /** Has rows asked that a clause may have derived, by what is in the registers. Only those that name its rule rest on it. True: it paused, the dependents go on. */
  askAll({ rule, head: { slot } }: Clause, way: Way, stamp: number): boolean {
    const { table } = slot;
    const old = this.#evaluator.touched.get(slot) ?? table.count;
    let bits = this.#waiting.get(slot);
    if (!bits) this.#waiting.set(slot, (bits = new Int32Array((old >>> 5) + 1)));
    const waiting = bits;
    const waits = (row: number): boolean => (waiting[row >>> 5] & (1 << (row & 31))) !== 0;
    return this.#dependents.each(
      way,
      stamp,
      (row) => row < old && table.rules[row] === rule && table.stamps[row] !== FALLEN && !waits(row),
      (row) => {
        if (waits(row)) return;
        waiting[row >>> 5] |= 1 << (row & 31);
        this.#asked.push(table.stamps[row], { slot, row });
      },
    );
  }

  /** Asks the rows that wait, and those that hang on what falls. Rows of small stamps come first, so that few are asked twice. */
  *settle(stratum: number): Generator<void, void> {
    const { meter, raised, supports } = this.#evaluator;
    const { weighted } = this.#program.database;
    const pause = pauses();
    for (let at = this.#asked.pop(); at; at = this.#asked.pop()) {
      const { slot, row } = at;
      (this.#waiting.get(slot) as Int32Array)[row >>> 5] &= ~(1 << (row & 31));
      if (supports.attempt(slot, row, stratum) ?? (yield* supports.rest())) {
        this.held++;
        if (pause() || meter.due()) yield;
        continue;
      }
      this.fell++;
      const { table } = slot;
      const stamp = table.stamps[row];
      let fallen = this.fallen.get(slot);
      if (!fallen) this.fallen.set(slot, (fallen = { rows: [], stamps: [], confidences: [] }));
      fallen.rows.push(row);
      fallen.stamps.push(stamp);
      if (weighted) fallen.confidences.push(raised.get(slot)?.get(row) ?? table.confidence(row));
      table.stamps[row] = FALLEN;
      const rest = this.ask(stratum, slot, table.subjects[row], table.objects[row], stamp);
      if (rest) yield* rest;
      // Often, for it may be time to give up.
      if ((this.fell & 0xff) === 0 || meter.due()) yield;
    }
  }
}
