// Owns keeping what rules derive up to date when told facts come, go or change: stratum by stratum, what no longer follows goes, then what follows comes.
// Refuses to know stores and listeners, and when deriving anew would be cheaper: it is told how much work it may do.
//
// A row goes when no rule derives it any more from rows of smaller stamps; only rows whose named rule met something that went are asked. So rows that have another derivation that
// is no higher stay, and with them all that hangs on them, where DRed (Gupta, Mumick and Subrahmanian, SIGMOD 1993) takes away all that may hang on a row and Backward/Forward
// (Motik et al., AAAI 2015) looks for proofs of any height. Rows that went and still follow, by higher derivations, come back with their new stamps. Over the closure of a graph
// this is the repair of shortest paths (Ramalingam and Reps, J. Algorithms 1996); Zhao et al. (PPDP 2021) keep Soufflé's relations so.

import { closedConditions } from './closed.ts';
import type { ClosedCondition } from './closed.ts';
import type { Database, Slot } from '../tables/database.ts';
import { Dependents } from './dependents.ts';
import type { Evaluator, Opening } from '../evaluate/evaluate.ts';
import type { Program } from '../evaluate/program.ts';
import { pauses } from '../evaluate/run.ts';
import type { RunResult } from '../evaluate/run.ts';
import { Falls } from './falls.ts';
import { bindHead } from '../evaluate/supports.ts';
import { FALLEN, STORED, Table } from '../tables/table.ts';

/** A pair of ids, and how sure it is told to be; undefined: it is told no longer. */
export interface Edit {
  readonly slot: Slot;
  readonly subject: number;
  readonly object: number;
  readonly confidence: number | undefined;
}

/** Rows looked at before anything is thought hopeless. */
const LEAST_WORK = 5_000;
/** Rows that might be looked at for a pair that a closed condition reads. */
const PAIR = 4;
/** Smaller than any stamp. */
const NO_STAMP = -1;

export class Upkeep {
  readonly #program: Program;
  readonly #database: Database;
  readonly #evaluator: Evaluator;
  /** Rows that went in this run, as they were. */
  readonly #gone = new Map<Slot, Table>();
  /** Rows that fell in this run and follow in another way, as they were. */
  readonly #shaken = new Map<Slot, Table>();
  readonly #dependents: Dependents;
  readonly #falls: Falls;
  /** Work at which this run is given up, if it may be. */
  #most = 0;
  #bounded = false;
  #closed: Map<Slot, ClosedCondition[]>[] | undefined;

  constructor(program: Program, evaluator: Evaluator) {
    this.#program = program;
    this.#database = program.database;
    this.#evaluator = evaluator;
    this.#dependents = new Dependents(program, evaluator.meter, this.#gone, this.#shaken);
    this.#falls = new Falls(program, evaluator, this.#dependents);
  }
  /** Rows that went in the last run, as they were; some may have come back. */
  get gone(): ReadonlyMap<Slot, Table> {
    return this.#gone;
  }
  /** Rows that are derived otherwise since the last run, as they were. */
  get shaken(): ReadonlyMap<Slot, Table> {
    return this.#shaken;
  }

  /**
   * Brings everything up to date with these edits, each about another pair. Undefined when it would take more work (rows looked at) than `most`, or all fall
   * that are asked until the work exceeds `trial`: rows are in disorder then, until `undo`.
   */
  *run(edits: readonly Edit[], most: number, trial: number): Generator<void, RunResult | undefined> {
    this.forget();
    this.#falls.begin();
    const { meter } = this.#evaluator;
    let given = false;
    [this.#most, this.#bounded] = [most, false];
    // Where nearly all fall that are asked, more will.
    const hopeless = (): boolean => meter.work > Math.max(trial, LEAST_WORK) && this.#falls.fell > this.#falls.held * 30;
    // Additions alone cost what they derive, which would have to be derived in any case.
    const tooMuch = (): boolean => (given ||= (this.#bounded || this.#gone.size + this.#falls.fell > 0) && (meter.work > this.#most || hopeless()));
    const watched = function* (work: Generator<void, void>): Generator<void, void> {
      for (const step of work) {
        if (tooMuch()) return;
        yield step;
      }
    };
    const result = yield* this.#evaluator.lead(watched(this.#strata(edits, tooMuch)));
    return given ? undefined : result;
  }

  *#strata(edits: readonly Edit[], tooMuch: () => boolean): Generator<void, void> {
    yield* this.#tell(edits);
    for (let stratum = 0; stratum < this.#program.strata.length; stratum++) {
      const closed = yield* this.#changed(stratum);
      if (tooMuch()) return;
      yield* this.#ask(stratum, closed);
      for (const each of this.#falls.settle(stratum)) {
        if (tooMuch()) return;
        yield each;
      }
      const openings = yield* this.#openings(stratum, closed);
      if (openings.length > 0 || [...this.#evaluator.touched.keys()].some((slot) => this.#program.watchers(stratum, slot)))
        yield* this.#evaluator.advance(stratum, openings, this.#falls.count);
      if (tooMuch()) return;
      yield* this.#settle();
    }
  }

  /** What is told comes and goes; what is less sure than before goes and comes. */
  *#tell(edits: readonly Edit[]): Generator<void, void> {
    const evaluator = this.#evaluator;
    const lost = new Map<Slot, number[]>();
    const fresh: Edit[] = [];
    const raised: Edit[] = [];
    const pause = pauses();
    for (const edit of edits) {
      if (pause()) yield;
      const { slot, subject, object, confidence } = edit;
      const { table } = slot;
      const row = table.find(subject, object);
      if (row < 0) {
        if (confidence !== undefined) fresh.push(edit);
        continue;
      }
      if (confidence !== undefined && confidence >= table.confidence(row)) {
        if (confidence > table.confidence(row)) raised.push(edit);
        else table.restate(row, STORED, 0, confidence);
        continue;
      }
      if (confidence !== undefined) fresh.push(edit);
      const rows = lost.get(slot);
      if (rows) rows.push(row);
      else lost.set(slot, [row]);
    }
    for (const [slot, rows] of lost) yield* this.#take(slot, rows);
    for (const { slot, subject, object, confidence } of fresh) {
      if (pause()) yield;
      evaluator.deltas.touch(slot);
      slot.table.insert(subject, object, STORED, 0, confidence as number);
    }
    for (const { slot, subject, object, confidence } of raised) {
      if (pause()) yield;
      const row = slot.table.find(subject, object);
      evaluator.deltas.raise(slot, row, slot.table.confidence(row));
      slot.table.restate(row, STORED, 0, confidence as number);
    }
  }
  /** Removes rows and remembers them. */
  *#take(slot: Slot, rows: readonly number[]): Generator<void, void> {
    const { table } = slot;
    const gone = this.#rowsOf(this.#gone, slot);
    const [before, shaken] = [this.#evaluator.raised.get(slot), this.#shaken.get(slot)];
    const pause = pauses();
    for (const row of rows) {
      if (pause()) yield;
      const [subject, object] = [table.subjects[row], table.objects[row]];
      const was = shaken ? shaken.find(subject, object) : -1;
      gone.insert(
        subject,
        object,
        table.rules[row],
        table.stamps[row],
        was >= 0 ? (shaken as Table).confidence(was) : (before?.get(row) ?? table.confidence(row)),
      );
    }
    this.#evaluator.deltas.remove(slot, rows);
    // Rows move: what is listed by their numbers is void, and has its place in what went or was shaken.
    this.#falls.fallen.delete(slot);
  }
  #rowsOf(tables: Map<Slot, Table>, slot: Slot): Table {
    let table = tables.get(slot);
    if (!table) tables.set(slot, (table = new Table(this.#database.weighted)));
    return table;
  }

  // What falls.

  /** Conditions under `not` and in aggregates that something came or went for, with what the clause's registers are filled with. */
  *#changed(stratum: number): Generator<void, Map<ClosedCondition, number[][]>> {
    const changed = new Map<ClosedCondition, number[][]>();
    if (this.#gone.size + this.#evaluator.touched.size === 0) return changed;
    this.#closed ??= yield* closedConditions(this.#program, this.#dependents);
    const { registers } = this.#dependents;
    const { meter } = this.#evaluator;
    const pause = pauses();
    for (const [slot, conditions] of this.#closed[stratum]) {
      const pairs = yield* this.#presence(slot);
      if (pairs.length === 0) continue;
      // What comes below `not` may take as much with it as what goes.
      this.#bounded = true;
      if (pairs.length * PAIR > this.#most) this.#most = -1;
      if (this.#most < 0) break;
      for (const condition of conditions) {
        const { item, inner, given, from } = condition;
        const seen = new Map<string, number[]>();
        const note = (places: readonly number[]): void => {
          const values = places.map((register) => registers[register]);
          seen.set(values.join(), values);
        };
        for (const [subject, object] of pairs) {
          if (pause() || meter.due()) yield;
          if (!this.#dependents.unify(item, subject, object)) continue;
          if (!inner) note(given);
          else if (this.#dependents.members(inner, () => note(from))) yield* this.#dependents.rest();
        }
        if (seen.size > 0) changed.set(condition, [...seen.values()]);
      }
    }
    return changed;
  }
  /** Pairs that are there now and were not, or the reverse. */
  *#presence(slot: Slot): Generator<void, [subject: number, object: number][]> {
    const { table } = slot;
    const gone = this.#gone.get(slot);
    const pairs: [number, number][] = [];
    const pause = pauses();
    const only = function* (rows: Table, from: number, others: Table | undefined): Generator<void, void> {
      for (let row = from; row < rows.count; row++) {
        if (pause()) yield;
        const [subject, object] = [rows.subjects[row], rows.objects[row]];
        if (!others || others.find(subject, object) < 0) pairs.push([subject, object]);
      }
    };
    if (gone) yield* only(gone, 0, table);
    yield* only(table, this.#evaluator.touched.get(slot) ?? table.count, gone);
    return pairs;
  }

  /** Has the rows of a stratum asked that hang on what changed in the strata below, or in what is told. */
  *#ask(stratum: number, closed: ReadonlyMap<ClosedCondition, number[][]>): Generator<void, void> {
    const { meter } = this.#evaluator;
    const pause = pauses();
    for (const [slot, before] of [...this.#gone, ...this.#shaken]) {
      if (!this.#program.watchers(stratum, slot)) continue;
      const { table } = slot;
      for (let row = 0; row < before.count; row++) {
        if (pause() || meter.due()) yield;
        const now = table.find(before.subjects[row], before.objects[row]);
        if (now >= 0 && table.confidence(now) === before.confidence(row) && table.stamps[now] <= before.stamps[row]) continue;
        const rest = this.#falls.ask(stratum, slot, before.subjects[row], before.objects[row], before.stamps[row]);
        if (rest) yield* rest;
      }
    }
    const { registers } = this.#dependents;
    for (const [{ clause, given, rows }, all] of closed)
      for (const values of all) {
        if (pause() || meter.due()) yield;
        given.forEach((register, i) => (registers[register] = values[i]));
        if (this.#falls.askAll(clause, rows, NO_STAMP)) yield* this.#dependents.rest();
      }
  }
  /** Takes out what fell and does not follow in another way. */
  *#settle(): Generator<void, void> {
    const pause = pauses();
    for (const [slot, { rows, stamps, confidences }] of this.#falls.fallen) {
      const { table } = slot;
      const out: number[] = [];
      for (const [i, row] of rows.entries()) {
        if (pause()) yield;
        const confidence = confidences[i] ?? 1;
        if (table.stamps[row] === FALLEN) {
          table.stamps[row] = stamps[i];
          out.push(row);
        } else {
          this.#rowsOf(this.#shaken, slot).insert(table.subjects[row], table.objects[row], table.rules[row], stamps[i], confidence);
          if (table.confidence(row) > confidence) this.#evaluator.deltas.raise(slot, row, confidence);
        }
      }
      if (out.length > 0) yield* this.#take(slot, out);
    }
    this.#falls.end();
  }

  // What comes.

  /** Clauses to be met because something went: for rows that may follow in another way, for `not`, and for aggregates. */
  *#openings(stratum: number, closed: ReadonlyMap<ClosedCondition, number[][]>): Generator<void, Opening[]> {
    const openings: Opening[] = [];
    if (this.#gone.size + this.#falls.fallen.size + closed.size === 0) return openings;
    const { supports } = this.#evaluator;
    const open = (slot: Slot, subject: number, object: number, from = stratum): void => {
      for (const placed of supports.clauses(slot, object))
        if (placed.stratum >= from && placed.stratum <= stratum)
          openings.push({ clause: placed.clause, steps: supports.steps(placed), fill: (registers) => bindHead(placed.clause, registers, subject, object) });
    };
    const pause = pauses();
    for (const [slot, gone] of this.#gone)
      for (let row = 0; row < gone.count; row++) {
        if (pause()) yield;
        if (this.#database.weighted || slot.table.find(gone.subjects[row], gone.objects[row]) < 0) open(slot, gone.subjects[row], gone.objects[row]);
      }
    for (const [slot, { rows }] of this.#falls.fallen)
      for (const row of rows) {
        if (pause()) yield;
        open(slot, slot.table.subjects[row], slot.table.objects[row], 0);
      }
    // What fell in a stratum below by one rule and came back by another may be surer by a rule of this one.
    if (this.#database.weighted)
      for (const [slot, before] of this.#shaken)
        for (let row = 0; row < before.count; row++) {
          if (pause()) yield;
          open(slot, before.subjects[row], before.objects[row]);
        }
    for (const [{ clause, given, steps }, all] of closed)
      for (const values of all) {
        if (pause()) yield;
        openings.push({ clause, steps, fill: (registers) => given.every((register, i) => ((registers[register] = values[i]), true)) });
      }
    return openings;
  }

  /** Lets go of the rows that went. */
  forget(): void {
    this.#gone.clear();
    this.#shaken.clear();
  }
  /**
   * After a run that was not finished: what is derived is as it was before, with its confidence. What a row rests on (rule, stamp) may be another: whatever the edits reach has to be derived
   * anew before the next run. What is told stays to be told again.
   */
  undo(): void {
    this.#evaluator.deltas.halt();
    const { touched, raised } = this.#evaluator;
    const before = (table: Table, row: number, stamp: number, confidence: number): void => table.restate(row, table.rules[row], stamp, confidence);
    for (const [slot, count] of touched) {
      const { table } = slot;
      table.remove(Array.from({ length: table.count - count }, (_, i) => count + i));
      for (const [row, confidence] of raised.get(slot) ?? []) if (row < count && table.rules[row] >= 0) before(table, row, table.stamps[row], confidence);
    }
    for (const [slot, { rows, stamps, confidences }] of this.#falls.fallen) rows.forEach((row, i) => before(slot.table, row, stamps[i], confidences[i] ?? 1));
    this.#falls.end();
    for (const [slot, { subjects, objects, stamps, count, ...was }] of this.#shaken)
      for (let i = 0; i < count; i++) {
        const row = slot.table.find(subjects[i], objects[i]);
        if (row >= 0) before(slot.table, row, stamps[i], was.confidences?.[i] ?? 1);
      }
    for (const [slot, gone] of this.#gone)
      for (let row = 0; row < gone.count; row++)
        slot.table.insert(gone.subjects[row], gone.objects[row], gone.rules[row], gone.stamps[row], gone.confidence(row));
    this.forget();
  }
}
