// Owns the question whether a row still follows: from rows of smaller stamps, so that no row holds itself up.
// Refuses to know why it is asked, and what happens to rows that fall.

import { ByObject } from '../tables/classes.ts';
import type { Waiting } from '../tables/classes.ts';
import type { Slot } from '../tables/database.ts';
import type { GroupValues } from './groups.ts';
import { ABSENT, AGGREGATE, ALL, ASSIGN, COMPARE, OBJECT, orderBody, PROBE, TEST } from './plan.ts';
import type { AggregateItem, Clause, Step, TestItem } from './plan.ts';
import type { Program } from './program.ts';
import type { Meter } from './run.ts';
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
  /** Premises have smaller stamps. */
  #below = 0;
  #confidence = 1;

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

  /** Does the row follow, with its confidence, from rows of smaller stamps by the clauses of the strata up to this one? The row is told which rule that is. */
  holds(slot: Slot, row: number, stratum: number): boolean {
    const { table } = slot;
    const [subject, object] = [table.subjects[row], table.objects[row]];
    const heads = this.#heads.get(slot);
    if (!heads) return false;
    this.#below = table.stamps[row];
    this.#confidence = table.confidence(row);
    const given = table.rules[row];
    // The rule that is named there is asked first.
    for (const named of [true, false]) {
      for (const placed of heads.general) if (this.#derives(placed, subject, object, stratum, given, named)) return this.#rests(table, row, named);
      for (let placed = heads.byObject.first(object); placed; placed = placed.next)
        if (this.#derives(placed, subject, object, stratum, given, named)) return this.#rests(table, row, named);
    }
    return false;
  }
  #derives(placed: PlacedClause, subject: number, object: number, stratum: number, given: number, named: boolean): boolean {
    const { clause } = placed;
    if (placed.stratum > stratum || (clause.rule === given) !== named || !bindHead(clause, this.#registers, subject, object)) return false;
    this.#clause = clause;
    this.#steps = this.steps(placed);
    return this.#meet(0);
  }
  #rests(table: Table, row: number, named: boolean): true {
    if (!named) table.restate(row, this.#clause.rule, this.#below, this.#confidence);
    return true;
  }

  #meet(i: number): boolean {
    if (i === this.#steps.length) return this.#sure();
    const step = this.#steps[i];
    const registers = this.#registers;
    const subject = step.subject < 0 ? ~step.subject : registers[step.subject];
    const object = step.object < 0 ? ~step.object : registers[step.object];
    this.#meter.count();
    switch (step.op) {
      case COMPARE:
        return this.#program.database.terms.compare(step.operator, subject, object) && this.#meet(i + 1);
      case TEST:
        this.#meter.check();
        return (step.test as TestItem).holds(registers) && this.#meet(i + 1);
      case ASSIGN: {
        this.#meter.check();
        const value = step.compute?.(registers);
        if (value === undefined) return false;
        registers[step.subject] = this.#program.database.terms.intern(value);
        return this.#meet(i + 1);
      }
      case AGGREGATE: {
        const id = this.#groups.value(step.aggregate as AggregateItem, registers);
        if (id < 0 || (step.object === 1 && id !== subject)) return false;
        if (step.object !== 1) registers[step.subject] = id;
        return this.#meet(i + 1);
      }
      default:
    }
    const { table } = step.slot as Slot;
    const { stamps } = table;
    if (step.op === ABSENT) return table.find(subject, object) < 0 && this.#meet(i + 1);
    if (step.op === PROBE) {
      const row = table.find(subject, object);
      if (row < 0 || stamps[row] >= this.#below) return false;
      this.#rows[step.position] = row;
      return this.#meet(i + 1);
    }
    if (step.op === ALL) {
      for (let row = 0; row < table.count; row++) {
        this.#meter.count();
        if (stamps[row] >= this.#below || (step.same && table.subjects[row] !== table.objects[row])) continue;
        registers[step.subject] = table.subjects[row];
        registers[step.object] = table.objects[row];
        this.#rows[step.position] = row;
        if (this.#meet(i + 1)) return true;
      }
      return false;
    }
    const backwards = step.op === OBJECT;
    const { heads, next } = backwards ? table.byObject(this.#program.database.terms.size) : table.bySubject(this.#program.database.terms.size);
    const key = backwards ? object : subject;
    for (let row = key < heads.length ? heads[key] - 1 : -1; row >= 0; row = next[row] - 1) {
      this.#meter.count();
      if (stamps[row] >= this.#below) continue;
      if (backwards) registers[step.subject] = table.subjects[row];
      else registers[step.object] = table.objects[row];
      this.#rows[step.position] = row;
      if (this.#meet(i + 1)) return true;
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
