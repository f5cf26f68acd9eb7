// Owns what comes in one run: new rows, rows whose confidence rose, and rows that had fallen and follow again; by round, and in all.
// Refuses to know rules and how anything is found.

import type { Slot } from '../tables/database.ts';
import { pauses } from './run.ts';
import type { Supports } from './supports.ts';
import { FALLEN } from '../tables/table.ts';

/** Another derivation of a row that is there: of greater confidence, or of the same, when the row's own may be lost. */
export interface Again {
  readonly slot: Slot;
  readonly row: number;
  readonly rule: number;
  readonly stamp: number;
  readonly confidence: number;
}

export class Deltas {
  /** Slots that got rows in this round. */
  readonly dirty = new Set<Slot>();
  /** Slots that changed in this run, with their row count before it: rows from there on are new. */
  readonly touched = new Map<Slot, number>();
  /** Rows whose confidence rose in this run, with the confidence before; some may be new themselves. */
  readonly raised = new Map<Slot, Map<number, number>>();
  /** Found in this round, applied at its end. */
  #rises: Again[] = [];
  #ties: Again[] = [];
  #back: { readonly slot: Slot; readonly row: number }[] = [];

  /** A run begins. */
  clear(slots: Iterable<Slot>): void {
    for (const slot of slots) slot.raised.length = 0;
    this.dirty.clear();
    this.touched.clear();
    this.raised.clear();
    [this.#rises, this.#ties, this.#back] = [[], [], []];
  }
  /** A stratum begins: its first round meets all that came so far. */
  open(slots: Iterable<Slot>): void {
    this.dirty.clear();
    for (const slot of slots) slot.low = slot.high = slot.table.count;
    for (const [slot, count] of this.touched) {
      slot.low = count;
      slot.raised = [...(this.raised.get(slot)?.keys() ?? [])].filter((row) => slot.table.stamps[row] !== FALLEN);
      this.dirty.add(slot);
    }
  }

  /** Rows are about to be added to this slot. */
  touch(slot: Slot): void {
    if (!this.touched.has(slot)) this.touched.set(slot, slot.table.count);
  }
  /** The confidence of a row rose from this. */
  raise(slot: Slot, row: number, before: number): void {
    let rows = this.raised.get(slot);
    if (!rows) this.raised.set(slot, (rows = new Map()));
    if (!rows.has(row)) rows.set(row, before);
    this.touch(slot);
  }
  /** Removes rows that were there before the run. Rows move. */
  remove(slot: Slot, rows: readonly number[]): void {
    this.touch(slot);
    const old = this.touched.get(slot) as number;
    const moves = slot.table.remove(rows, old);
    this.touched.set(slot, old - rows.length);
    const raised = this.raised.get(slot);
    if (!raised) return;
    for (const row of rows) raised.delete(row);
    for (let i = 0; i < moves.length; i += 2) {
      const before = raised.get(moves[i]);
      if (before === undefined) continue;
      raised.delete(moves[i]);
      raised.set(moves[i + 1], before);
    }
  }

  rise(found: Again): void {
    this.#rises.push(found);
  }
  tie(found: Again): void {
    // Rows of a table without confidences, such as magic ones, are no evidence: nobody asks for their proofs, and meeting them again would not end.
    if (found.slot.table.confidences !== undefined) this.#ties.push(found);
  }
  back(slot: Slot, row: number): void {
    this.#back.push({ slot, row });
  }
  /** Nothing came in this round. */
  get none(): boolean {
    return this.dirty.size === 0 && this.#rises.length + this.#back.length === 0;
  }
  /** Came nothing but new rows in this round? Then `shift` is all that `close` would do. */
  get plain(): boolean {
    return this.#rises.length + this.#ties.length + this.#back.length === 0;
  }
  /** Makes the new rows of the round that ends the delta of the next one. */
  shift(): void {
    for (const slot of this.dirty) {
      if (!this.touched.has(slot)) this.touched.set(slot, slot.high);
      slot.low = slot.high;
      slot.high = slot.table.count;
    }
  }
  /** Makes what came in the round that ends the delta of the next one. `supports`: does the row still follow from rows of smaller stamps, in the strata up to this one? `due`: has that looked at many rows? */
  *close(supports: () => Pick<Supports, 'attempt' | 'rest'>, stratum: number, due: () => boolean): Generator<void, void> {
    const pause = pauses();
    const next = new Map<Slot, Set<number>>();
    const meet = (slot: Slot, row: number): void => {
      const rows = next.get(slot);
      if (rows) rows.add(row);
      else next.set(slot, new Set([row]));
    };
    const restate = ({ slot, row, rule, stamp, confidence }: Again): void => {
      if (!this.touched.has(slot)) this.touched.set(slot, slot.high);
      this.raise(slot, row, slot.table.confidence(row));
      slot.table.restate(row, rule, stamp, confidence);
      meet(slot, row);
    };
    for (const rise of this.#rises) {
      if (pause()) yield;
      if (rise.slot.table.confidence(rise.row) < rise.confidence) restate(rise);
    }
    // By rounding, a row may be as sure as before by premises that rose, and have lost the premises of smaller stamps.
    for (const tie of this.#ties) {
      if (pause() || due()) yield;
      const { slot, row, confidence } = tie;
      if (slot.table.confidence(row) !== confidence || next.get(slot)?.has(row)) continue;
      if (!(supports().attempt(slot, row, stratum) ?? (yield* supports().rest()))) restate(tie);
    }
    for (const { slot, row } of this.#back) {
      if (pause()) yield;
      meet(slot, row);
    }
    [this.#rises, this.#ties, this.#back] = [[], [], []];
    for (const [slot, rows] of next) {
      this.dirty.add(slot);
      slot.raised = [...rows];
    }
    this.shift();
  }
  /** The run stopped in the middle of a round: counts the rows of that round among the new ones. */
  halt(): void {
    for (const slot of this.dirty) if (!this.touched.has(slot)) this.touched.set(slot, slot.high);
  }
}
