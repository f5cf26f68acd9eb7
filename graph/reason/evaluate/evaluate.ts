// Owns the fixpoint: semi-naive rounds over strata (Bancilhon 1986), in slices, inside a budget.
// Refuses to know where facts come from, how proofs look and which rows have to go.
//
// A derived row keeps the number of a rule and a stamp: by that rule it follows from rows of smaller stamps. So no row holds itself up, and a proof can be rebuilt from rule
// number and stamp alone (Zhao, Subotić and Scholz, TOPLAS 2020). Deriving anew where all is certain, the stamp is the number of the round; else, and when rows come and go later, it is
// one more than the greatest among its premises, and falls when a better derivation is met.
// Confidence: a told row has what was told; a derived row has the greatest product of premises and rule over all its proofs. Rows whose confidence rises
// are met again in the next round; products of numbers up to 1 rise finitely often, so this ends (max-product, Viterbi semiring). The order does not matter for what comes out, and matters
// for how often rows are met again: `Conclusions` takes the surest first where that is often.

import type { Slot } from '../tables/database.ts';
import { Conclusions } from './conclusions.ts';
import { Deltas } from './deltas.ts';
import { GroupValues } from './groups.ts';
import { Loop } from './loop.ts';
import { Meetings } from './meetings.ts';
import type { AtomItem, Clause, Step } from './plan.ts';
import type { Program } from './program.ts';
import { Meter, pauses, RULE_TURNS, Tripped } from './run.ts';
import type { RunResult } from './run.ts';
import { Supports } from './supports.ts';
import type { Budget } from '../types.ts';

export { runNow, runSliced } from './run.ts';
export type { RunResult } from './run.ts';

/** What changed since the last complete run: slot -> number of rows it had then. */
export type Delta = ReadonlyMap<Slot, number>;
/** A clause to be met besides those that new rows lead to, after `fill` filled registers. */
export interface Opening {
  readonly clause: Clause;
  readonly steps: readonly Step[];
  /** False where it does not apply. */
  readonly fill: (registers: Int32Array) => boolean;
}

export class Evaluator {
  readonly #program: Program;
  readonly meter: Meter;
  readonly groups: GroupValues;
  readonly #loop: Loop;
  readonly #conclusions: Conclusions;
  readonly #meetings: Meetings;
  #supports: Supports | undefined;
  /** Stamp of the last round that brought something. */
  #last = 0;
  #rounds = 0;
  /** Rows that the last complete derivation of everything looked at. */
  #cost = 0;
  readonly deltas = new Deltas();
  #stratum = 0;

  /** `now`: milliseconds, for the time limit. */
  constructor(program: Program, budget: Budget, now: () => number = () => performance.now()) {
    this.#program = program;
    this.meter = new Meter(budget, now);
    this.groups = new GroupValues(program.database, this.meter);
    this.#loop = new Loop(program.database, this.meter, this.groups, () => {
      this.meter.countOnly();
      this.#conclusions.draw();
    });
    this.#conclusions = new Conclusions(program, budget, this.deltas, this.#loop);
    this.#meetings = new Meetings(program, this.meter, this.#loop, this.#conclusions);
  }
  /** Slots that changed in the last run, with their row count before it; rows from there on are new. */
  get touched(): ReadonlyMap<Slot, number> {
    return this.deltas.touched;
  }
  /** Rows whose confidence rose in the last run, with the confidence before; some may be new themselves. */
  get raised(): ReadonlyMap<Slot, ReadonlyMap<number, number>> {
    return this.deltas.raised;
  }
  get cost(): number {
    return this.#cost;
  }
  get supports(): Supports {
    return (this.#supports ??= new Supports(this.#program, this.meter, this.groups));
  }

  /** Derives everything anew for the clauses whose head is in `affected` (absent: all), whose tables hold told rows only. Yields between slices of work. */
  *derive(affected?: ReadonlySet<Slot>): Generator<void, RunResult> {
    const result = yield* this.#guarded(this.#deriveAll(affected), false);
    if (result.complete && !affected) this.#cost = this.meter.work;
    return result;
  }
  /** Derives what follows from rows added since the last complete run, when no affected relation stands under `not`. Yields between slices of work. */
  *extend(delta: Delta): Generator<void, RunResult> {
    return yield* this.#guarded(this.#extendBy(delta), true);
  }
  /** Lets somebody else lead a run, who adds rows, raises and removes them, and calls `advance` for one stratum after the other. */
  *lead(work: Generator<void, void>): Generator<void, RunResult> {
    return yield* this.#guarded(work, true);
  }

  *#guarded(work: Generator<void, void>, ranked: boolean): Generator<void, RunResult> {
    this.meter.start();
    this.#rounds = 0;
    this.#conclusions.ranked = ranked;
    this.deltas.clear(this.#program.database.slots());
    this.groups.forget();
    this.#loop.careful = false;
    try {
      yield* work;
      return { complete: true, rounds: this.#rounds };
    } catch (error) {
      if (!(error instanceof Tripped)) throw error;
      yield* this.#conclusions.halt();
      return { complete: false, limit: error.limit, rounds: this.#rounds };
    } finally {
      this.#conclusions.end();
    }
  }

  *#deriveAll(affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    const { strata, database } = this.#program;
    for (const slot of database.slots()) slot.low = slot.high = slot.table.count;
    const pause = pauses(RULE_TURNS);
    for (let stratum = 0; stratum < strata.length; stratum++) {
      this.#conclusions.begin();
      this.#beginRound();
      for (const { clause, lead, steps } of this.#program.openings(stratum, affected)) {
        if (pause()) yield;
        this.#meetings.prepare(clause, steps, lead, true);
        if (lead < 0) {
          if (this.#loop.join(0)) yield* this.#meetings.rest();
        } else {
          const item = clause.body[lead] as AtomItem;
          yield* this.#meetings.walk(item, lead, 0, item.slot.high);
        }
      }
      for (const [slot, watchers] of this.#program.classes(stratum)) yield* this.#meetings.classes(watchers, slot, affected);
      yield* this.#endRound();
      yield* this.#run(stratum, affected);
    }
  }

  *#extendBy(delta: Delta): Generator<void, void> {
    for (const [slot, count] of delta) this.deltas.touched.set(slot, count);
    for (let stratum = 0; stratum < this.#program.strata.length; stratum++) yield* this.advance(stratum, []);
  }

  /** Derives in one stratum what follows from all rows that came or rose in this run, and by the openings. `fallen`: so many rows are; those that follow are so no longer. */
  *advance(stratum: number, openings: Iterable<Opening>, fallen = 0): Generator<void, void> {
    this.#loop.careful = fallen > 0;
    const { database } = this.#program;
    this.#conclusions.begin(fallen);
    this.deltas.open(database.slots());
    yield* this.#run(stratum, undefined, openings);
  }

  /** Rounds of one stratum, beginning with the deltas of the slots in #dirty and the openings, until nothing new comes. There may be very many rounds of one row each. */
  *#run(stratum: number, affected: ReadonlySet<Slot> | undefined, openings?: Iterable<Opening>): Generator<void, void> {
    this.#stratum = stratum;
    const { dirty } = this.deltas;
    const active: Slot[] = [];
    for (let first = openings; dirty.size > 0 || first; first = undefined) {
      active.length = 0;
      for (const slot of dirty) if (slot.low < slot.high || slot.raised.length > 0) active.push(slot);
      dirty.clear();
      this.#beginRound();
      if (first) yield* this.#open(first);
      for (const slot of active) {
        const watchers = this.#program.watchers(stratum, slot);
        if (!watchers) continue;
        if (watchers.general.length > 0 || slot.raised.length > 0) yield* this.#meetings.delta(watchers, slot, affected);
        else
          for (let row = slot.low; row < slot.high;) {
            row = this.#meetings.objects(watchers, slot, row, affected);
            if (this.#meetings.unfinished) yield* this.#meetings.unfinished;
            if (row < slot.high) yield;
          }
      }
      for (const slot of active) {
        slot.low = slot.high;
        if (slot.raised.length > 0) slot.raised = [];
      }
      if (this.deltas.plain && !this.deltas.none) this.deltas.shift();
      else yield* this.#endRound();
    }
  }
  *#open(openings: Iterable<Opening>): Generator<void, void> {
    const pause = pauses();
    for (const { clause, steps, fill } of openings) {
      if (pause() || this.meter.due()) yield;
      if (!fill(this.#loop.registers)) continue;
      this.#meetings.prepare(clause, steps, -1, true);
      if (this.#loop.join(0)) yield* this.#meetings.rest();
    }
  }
  #beginRound(): void {
    this.#last = this.#conclusions.clock;
    this.#rounds++;
    if (!this.#conclusions.ranked) this.#conclusions.clock++;
  }
  /** Makes the rows of the round that ends the delta of the next one. A round that brought nothing is not counted. */
  *#endRound(): Generator<void, void> {
    if (this.deltas.none && this.#conclusions.admit()) yield;
    if (this.deltas.none) {
      if (!this.#conclusions.ranked) this.#conclusions.clock = this.#last;
      this.#rounds--;
    }
    yield* this.deltas.close(
      () => this.supports,
      this.#stratum,
      () => this.meter.due(),
    );
  }
}
