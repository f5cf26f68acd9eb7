// Owns how rows meet the clauses that watch them, in slices: rows of a delta, of a table, and those whose confidence rose.
// Refuses to know rounds, and what becomes of what is found.

import type { Slot } from '../tables/database.ts';
import type { Conclusions } from './conclusions.ts';
import type { Loop } from './loop.ts';
import { TEST } from './plan.ts';
import type { AtomItem, Clause, Step } from './plan.ts';
import { isAlone } from './program.ts';
import type { Program, Variant, Watchers } from './program.ts';
import type { Meter } from './run.ts';

const CHUNK = 1024;
/** Rows between two pauses where functions or aggregates are computed for each. */
const SMALL_CHUNK = 16;

export class Meetings {
  readonly #program: Program;
  readonly #meter: Meter;
  readonly #loop: Loop;
  readonly #conclusions: Conclusions;
  #chunk = CHUNK;
  /** What is left to do of a row in whose midst the loop paused. */
  unfinished: Generator<void, void> | undefined;

  constructor(program: Program, meter: Meter, loop: Loop, conclusions: Conclusions) {
    this.#program = program;
    this.#meter = meter;
    this.#loop = loop;
    this.#conclusions = conclusions;
  }

  /** Goes on with the loop, which paused. */
  *rest(): Generator<void, void> {
    do {
      yield;
      this.#meter.turned();
    } while (this.#loop.resume());
  }

  /** The rows of a slot that came or rose in the last round meet the clauses of their stratum. */
  *delta(watchers: Watchers, slot: Slot, affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    for (const variant of watchers.general) {
      if (affected && !affected.has(variant.clause.head.slot)) continue;
      this.#prepareVariant(variant, false);
      yield* this.walk(variant.item, variant.lead, slot.low, slot.high);
      if (slot.raised.length === 0) continue;
      this.#prepareVariant(variant, true);
      this.#conclusions.rising = true;
      yield* this.#walkRows(variant.item, variant.lead, slot.raised);
      this.#conclusions.rising = false;
    }
    if (watchers.byObject.size === 0) return;
    for (let row = slot.low; row < slot.high;) {
      row = this.objects(watchers, slot, row, affected);
      if (this.unfinished) yield* this.unfinished;
      yield;
    }
    this.#conclusions.rising = true;
    for (let i = 0; i < slot.raised.length; i++) {
      const rest = this.#object(watchers.byObject.first(slot.table.objects[slot.raised[i]]), slot, slot.raised[i], true, affected);
      if (rest) yield* rest;
      if (i % this.#chunk === this.#chunk - 1 || this.#meter.due()) yield;
    }
    this.#conclusions.rising = false;
  }
  /** New rows meet the rules about the classes that they name, from this one on, up to the next pause or the end of the delta. Gives the row to go on with. */
  objects(watchers: Watchers, slot: Slot, row: number, affected: ReadonlySet<Slot> | undefined): number {
    for (let met = 1; ; met++) {
      this.unfinished = this.#object(watchers.byObject.first(slot.table.objects[row]), slot, row, false, affected);
      row++;
      if (this.unfinished || row >= slot.high || met >= this.#chunk || this.#meter.due()) return row;
    }
  }
  /** A row meets these rules. What is left to do is given back where the loop paused. */
  #object(
    first: Variant | undefined,
    slot: Slot,
    row: number,
    everything: boolean,
    affected: ReadonlySet<Slot> | undefined,
  ): Generator<void, void> | undefined {
    for (let variant = first; variant; variant = variant.next) {
      if (affected && !affected.has(variant.clause.head.slot)) continue;
      this.#prepareVariant(variant, everything);
      if (this.#loop.unify(variant.item, variant.lead, slot.table, row) && this.#loop.join(0)) return this.#objectRest(variant.next, slot, row, everything, affected);
    }
    return undefined;
  }
  *#objectRest(next: Variant | undefined, slot: Slot, row: number, everything: boolean, affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    yield* this.rest();
    const rest = this.#object(next, slot, row, everything, affected);
    if (rest) yield* rest;
  }

  /** All rows of a slot meet the clauses of which a row's object alone decides: class by class when there are many rows for each, else row by row. */
  *classes({ byObject }: Watchers, slot: Slot, affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    const { high } = slot;
    const wanted = (variant: Variant): boolean => isAlone(variant) && (!affected || affected.has(variant.clause.head.slot));
    if (byObject.size * 8 < high) {
      for (const first of byObject.firsts())
        for (let variant: Variant | undefined = first; variant; variant = variant.next) {
          if (!wanted(variant)) continue;
          this.#prepareVariant(variant, true);
          yield* this.walk(variant.item, variant.lead, 0, high);
        }
      return;
    }
    for (let row = 0; row < high; row++) {
      for (let variant = byObject.first(slot.table.objects[row]); variant; variant = variant.next) {
        if (!wanted(variant)) continue;
        this.#prepareVariant(variant, true);
        if (this.#loop.unify(variant.item, variant.lead, slot.table, row) && this.#loop.join(0)) yield* this.rest();
      }
      if (row % CHUNK === CHUNK - 1 || this.#meter.due()) yield;
    }
  }

  /** Rows of a table from this one up to that meet the clause that is prepared. */
  *walk(item: AtomItem, lead: number, from: number, to: number): Generator<void, void> {
    const { table } = item.slot;
    // A constant narrows the rows to one chain or one pair.
    if (to - from > 32 && from === 0 && item.subject < 0 && item.object < 0) {
      const row = table.find(~item.subject, ~item.object);
      if (row >= 0 && row < to && this.#loop.unify(item, lead, table, row) && this.#loop.join(0)) yield* this.rest();
      return;
    }
    if (to - from > 32 && from === 0 && (item.subject < 0 || item.object < 0)) {
      const terms = this.#program.database.terms.size;
      const chain = item.subject < 0 ? table.bySubject(terms) : table.byObject(terms);
      const rows: number[] = [];
      for (let row = chain.first(item.subject < 0 ? ~item.subject : ~item.object); row >= 0; row = chain.after(row)) if (row < to) rows.push(row);
      yield* this.#walkRows(item, lead, rows);
      return;
    }
    for (let row = from; row < to;) {
      const end = Math.min(to, row + this.#chunk);
      for (let due = false; row < end && !due; row++) {
        if (!this.#loop.unify(item, lead, table, row)) continue;
        if (this.#loop.join(0)) yield* this.rest();
        due = this.#meter.due();
      }
      yield;
    }
  }

  *#walkRows(item: AtomItem, lead: number, rows: readonly number[]): Generator<void, void> {
    const { table } = item.slot;
    for (let i = 0; i < rows.length; i++) {
      if (this.#loop.unify(item, lead, table, rows[i]) && this.#loop.join(0)) yield* this.rest();
      if (i % this.#chunk === this.#chunk - 1 || this.#meter.due()) yield;
    }
  }

  #prepareVariant(variant: Variant, everything: boolean): void {
    this.prepare(variant.clause, this.#program.steps(variant), variant.lead, everything);
  }
  /** This clause is met next. `everything`: its other conditions by all rows, and not only by those that are older than the delta. */
  prepare(clause: Clause, steps: readonly Step[], lead: number, everything: boolean): void {
    this.#chunk = steps.some(({ op }) => op >= TEST) ? SMALL_CHUNK : CHUNK;
    this.#loop.prepare(clause, steps, lead, everything);
    this.#conclusions.prepare(clause);
  }
}
