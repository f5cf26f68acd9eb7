// Owns the question whether a row still follows: from rows of smaller stamps, so that no row holds itself up.
// Refuses to know why it is asked, and what happens to rows that fall.

import { ByObject } from '../tables/classes.ts';
import type { Waiting } from '../tables/classes.ts';
import type { Slot } from '../tables/database.ts';
import { UNFINISHED } from './groups.ts';
import type { GroupValues } from './groups.ts';
import { ABSENT, AGGREGATE, ALL, ASSIGN, COMPARE, OBJECT, orderBody, SUBJECT, TEST } from './plan.ts';
import type { AggregateItem, Clause, Step, TestItem } from './plan.ts';
import type { Program } from './program.ts';
import type { Meter } from './run.ts';
import type { Chain } from '../tables/chain.ts';
import type { Table } from '../tables/table.ts';

/** Clauses that may derive a row, by what stands in their heads. */
interface Heads {
  /** With a variable for the object. */
  readonly general: PlacedClause[];
  readonly byObject: ByObject<PlacedClause>;
}
export interface PlacedClause extends Waiting<PlacedClause> {
  readonly clause: Clause;
  readonly stratum: number;
  /** Order of the conditions when the head is known; made at first use. */
  steps: readonly Step[] | undefined;
}

export class Supports {
  readonly #program: Program;
  readonly #meter: Meter;
  readonly #groups: GroupValues;
  readonly #heads = new Map<Slot, Heads>();
  readonly #registers = new Int32Array(160);
  readonly #rows = new Int32Array(80);
  #clause!: Clause;
  #steps: readonly Step[] = [];
  /** The row that is asked about. */
  #asked!: { readonly table: Table; readonly row: number; readonly stratum: number; readonly heads: Heads | undefined };
  /** Premises have smaller stamps. */
  #below = 0;
  #confidence = 1;
  // Which clause is asked next: of the rule that is named there, or of others.
  #named = true;
  #general = 0;
  #placed: PlacedClause | undefined;
  // By step: the chain, and the row to look at next.
  readonly #chains: (Chain | undefined)[] = [];
  readonly #at = new Int32Array(80);
  /** Where it paused. */
  #pausedAt = 0;
  #entered = false;

  constructor(program: Program, meter: Meter, groups: GroupValues) {
    this.#program = program;
    this.#meter = meter;
    this.#groups = groups;
    program.strata.forEach((clauses, stratum) => {
      for (const clause of clauses) {
        const { slot, object } = clause.head;
        let heads = this.#heads.get(slot);
        if (!heads) this.#heads.set(slot, (heads = { general: [], byObject: new ByObject() }));
        const placed: PlacedClause = { clause, stratum, steps: undefined, next: undefined };
        if (object >= 0) heads.general.push(placed);
        else heads.byObject.add(~object, placed);
      }
    });
  }

  /** Clauses that could derive a row of this slot with this object. */
  *clauses(slot: Slot, object: number): Generator<PlacedClause> {
    const heads = this.#heads.get(slot);
    if (!heads) return;
    yield* heads.general;
    for (let placed = heads.byObject.first(object); placed; placed = placed.next) yield placed;
  }
  /** Conditions in the order in which they are met when the head's registers are filled. */
  steps(placed: PlacedClause): readonly Step[] {
    const { subject, object } = placed.clause.head;
    return (placed.steps ??= orderBody(
      placed.clause,
      -1,
      [subject, object].filter((operand) => operand >= 0),
      this.#program.derived,
    ));
  }

  /** Does the row follow, with its confidence, from rows of smaller stamps by the clauses of the strata up to this one? The row is told which rule that is. undefined: it paused, `rest` goes on. */
  attempt(slot: Slot, row: number, stratum: number): boolean | undefined {
    const { table } = slot;
    this.#asked = { table, row, stratum, heads: this.#heads.get(slot) };
    this.#below = table.stamps[row];
    this.#confidence = table.confidence(row);
    // The rule that is named there is asked first.
    [this.#named, this.#general] = [true, 0];
    return this.#ask();
  }
  /** Goes on after a pause. */
  *rest(): Generator<void, boolean> {
    for (;;) {
      yield;
      this.#meter.turned();
      const met = this.#meet(this.#pausedAt, this.#entered);
      const held = met === true ? this.#rests() : met === false ? this.#ask() : undefined;
      if (held !== undefined) return held;
    }
  }
  #ask(): boolean | undefined {
    for (let placed = this.#candidate(); placed; placed = this.#candidate()) {
      const met = this.#derives(placed);
      if (met !== false) return met && this.#rests();
    }
    return false;
  }
  /** The next clause that may derive the row: those with a variable for the object, then those with that object. */
  #candidate(): PlacedClause | undefined {
    const { heads, table, row } = this.#asked;
    if (!heads) return undefined;
    const { general, byObject } = heads;
    for (;;) {
      if (this.#general < general.length) return general[this.#general++];
      const placed = this.#general === general.length ? byObject.first(table.objects[row]) : this.#placed;
      this.#general = general.length + 1;
      this.#placed = placed?.next;
      if (placed || !this.#named) return placed;
      [this.#named, this.#general] = [false, 0];
    }
  }
  #derives(placed: PlacedClause): boolean | undefined {
    const { clause } = placed;
    const { table, row, stratum } = this.#asked;
    if (placed.stratum > stratum || (clause.rule === table.rules[row]) !== this.#named || !bindHead(clause, this.#registers, table.subjects[row], table.objects[row])) return false;
    this.#clause = clause;
    this.#steps = this.steps(placed);
    return this.#meet(0, true);
  }
  #rests(): true {
    const { table, row } = this.#asked;
    if (!this.#named) table.restate(row, this.#clause.rule, this.#below, this.#confidence);
    return true;
  }

  /** Step `i` is entered, or gone back to for its next row. undefined: it paused. */
  #meet(i: number, entered: boolean): boolean | undefined {
    while (i >= 0) {
      if (i === this.#steps.length) {
        if (this.#sure()) return true;
        [i, entered] = [i - 1, false];
        continue;
      }
      const step = this.#steps[i];
      let met: boolean | undefined = false;
      if (step.op === ALL || step.op === SUBJECT || step.op === OBJECT) {
        if (entered) this.#enter(i, step);
        met = this.#next(i, step);
        if (met === undefined) return this.#pause(i, false);
      } else if (entered) {
        if (this.#meter.count() || ((step.op === TEST || step.op === ASSIGN) && this.#meter.check())) return this.#pause(i, true);
        met = this.#single(step);
        if (met === undefined) return this.#pause(i, true);
      }
      [i, entered] = met ? [i + 1, true] : [i - 1, false];
    }
    return false;
  }
  #pause(i: number, entered: boolean): undefined {
    [this.#pausedAt, this.#entered] = [i, entered];
    return undefined;
  }
  /** A condition that is met in one way at most. undefined: an aggregate is not finished. */
  #single(step: Step): boolean | undefined {
    const registers = this.#registers;
    const subject = step.subject < 0 ? ~step.subject : registers[step.subject];
    const object = step.object < 0 ? ~step.object : registers[step.object];
    switch (step.op) {
      case COMPARE:
        return this.#program.database.terms.compare(step.operator, subject, object);
      case TEST:
        return (step.test as TestItem).holds(registers);
      case ASSIGN: {
        const value = step.compute?.(registers);
        if (value !== undefined) registers[step.subject] = this.#program.database.terms.intern(value);
        return value !== undefined;
      }
      case AGGREGATE: {
        const id = this.#groups.attempt(step.aggregate as AggregateItem, registers);
        if (id === UNFINISHED) return undefined;
        if (id < 0 || (step.object === 1 && id !== subject)) return false;
        if (step.object !== 1) registers[step.subject] = id;
        return true;
      }
      default:
    }
    const { table } = step.slot as Slot;
    const row = table.find(subject, object);
    if (step.op === ABSENT) return row < 0;
    if (row < 0 || table.stamps[row] >= this.#below) return false;
    this.#rows[step.position] = row;
    return true;
  }
  /** Begins with the rows of a step. */
  #enter(i: number, { op, slot, subject, object }: Step): void {
    this.#meter.countOnly();
    const { table } = slot as Slot;
    const { size } = this.#program.database.terms;
    const chain = op === ALL ? undefined : op === OBJECT ? table.byObject(size) : table.bySubject(size);
    const given = op === OBJECT ? object : subject;
    this.#chains[i] = chain;
    this.#at[i] = chain ? chain.first(given < 0 ? ~given : this.#registers[given]) : 0;
  }
  /** Meets the next row of a step. False: there is none; undefined: it is time for a pause. */
  #next(i: number, { op, slot, subject, object, position, same }: Step): boolean | undefined {
    const { table } = slot as Slot;
    const { subjects, objects, stamps } = table;
    const chain = this.#chains[i];
    const next = chain?.next;
    for (let row = this.#at[i]; next ? row >= 0 : row < table.count; row = next ? next[row] - 1 : row + 1) {
      if (this.#meter.count()) {
        this.#at[i] = row;
        return undefined;
      }
      if (stamps[row] >= this.#below || (same && subjects[row] !== objects[row])) continue;
      if (op !== SUBJECT) this.#registers[subject] = subjects[row];
      if (op !== OBJECT) this.#registers[object] = objects[row];
      this.#rows[position] = row;
      this.#at[i] = next ? next[row] - 1 : row + 1;
      return true;
    }
    return false;
  }
  /** Multiplied in the order in which the fixpoint multiplies. */
  #sure(): boolean {
    if (!this.#program.database.weighted) return true;
    let { confidence } = this.#clause;
    this.#clause.body.forEach((item, i) => {
      if (item.kind === 'atom' && !item.absent) confidence *= item.slot.table.confidence(this.#rows[i]);
    });
    return confidence === this.#confidence;
  }
}

/** Fills the head's registers; false where the head cannot be that. */
export function bindHead(clause: Clause, registers: Int32Array, subject: number, object: number): boolean {
  const { subject: s, object: o } = clause.head;
  if ((s < 0 && ~s !== subject) || (o < 0 && ~o !== object) || (s >= 0 && s === o && subject !== object)) return false;
  if (s >= 0) registers[s] = subject;
  if (o >= 0) registers[o] = object;
  return true;
}
