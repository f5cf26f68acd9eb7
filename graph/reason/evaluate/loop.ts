// Owns the fixpoint's inner loop: meeting the conditions of one clause one after the other, over rows that stand still while it runs. It pauses and goes on where one row leads to very many.
// Refuses to know rounds, and what is done with what it finds.

import type { Database } from '../tables/database.ts';
import { NONE, UNFINISHED } from './groups.ts';
import type { GroupValues } from './groups.ts';
import { ABSENT, AGGREGATE, ALL, ASSIGN, COMPARE, OBJECT, PROBE, SUBJECT, TEST } from './plan.ts';
import type { AggregateItem, AtomItem, Clause, Step, TestItem } from './plan.ts';
import type { Meter } from './run.ts';
import type { Chain } from '../tables/chain.ts';
import { FALLEN } from '../tables/table.ts';
import type { Table } from '../tables/table.ts';

export class Loop {
  readonly #database: Database;
  readonly #meter: Meter;
  readonly #groups: GroupValues;
  readonly #found: () => void;
  clause!: Clause;
  readonly registers = new Int32Array(160);
  /** Row met for each place of the body. */
  readonly rows = new Int32Array(80);
  #steps: readonly Step[] = [];
  readonly #tables: Table[] = [];
  readonly #limits: number[] = [];
  readonly #chains: (Chain | undefined)[] = [];
  /** Some rows may be FALLEN, and are not met. */
  careful = false;
  /** Where it paused: the step, and the row to look at next there. What was met before is in `registers` and `rows`. */
  #pausedAt = 0;
  #pausedRow = -1;

  /** `found` is called for each way to meet the clause, with what is in `registers` and `rows`. */
  constructor(database: Database, meter: Meter, groups: GroupValues, found: () => void) {
    this.#database = database;
    this.#meter = meter;
    this.#groups = groups;
    this.#found = found;
  }

  /** `everything`: all conditions see all rows of the rounds before; else those in front of the lead see only rows older than the delta, so that no pair of new rows is met twice. */
  prepare(clause: Clause, steps: readonly Step[], lead: number, everything: boolean): void {
    this.clause = clause;
    this.#steps = steps;
    const terms = this.#database.terms.size;
    for (let i = 0; i < steps.length; i++) {
      const { slot, op, position } = steps[i];
      if (!slot) continue;
      this.#tables[i] = slot.table;
      this.#limits[i] = op === ABSENT ? slot.table.count : everything || position > lead ? slot.high : slot.low;
      this.#chains[i] = op === SUBJECT ? slot.table.bySubject(terms) : op === OBJECT ? slot.table.byObject(terms) : undefined;
    }
  }
  /** Binds the lead condition to a row. */
  unify(item: AtomItem, lead: number, table: Table, row: number): boolean {
    const subject = table.subjects[row];
    const object = table.objects[row];
    if (item.subject < 0) {
      if (subject !== ~item.subject) return false;
    } else this.registers[item.subject] = subject;
    if (item.object < 0) {
      if (object !== ~item.object) return false;
    } else if (item.object === item.subject) {
      if (object !== subject) return false;
    } else this.registers[item.object] = object;
    this.rows[lead] = row;
    return true;
  }

  /** Meets the conditions from step `i` on. True: it paused, `resume` goes on. */
  join(i: number): boolean {
    if (i === this.#steps.length) {
      this.#found();
      return false;
    }
    const step = this.#steps[i];
    const { registers, rows } = this;
    switch (step.op) {
      case SUBJECT:
      case OBJECT: {
        const chain = this.#chains[i] as Chain;
        const given = step.op === SUBJECT ? step.subject : step.object;
        return this.#along(i, chain.next, chain.first(given < 0 ? ~given : registers[given]));
      }
      case PROBE: {
        if (this.#meter.count()) return this.#pause(i, -1);
        const row = this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]);
        if (row < 0 || row >= this.#limits[i] || (this.careful && this.#tables[i].stamps[row] === FALLEN)) return false;
        rows[step.position] = row;
        return this.join(i + 1);
      }
      case ALL:
        return this.#all(i, 0);
      case ABSENT:
        if (this.#meter.count()) return this.#pause(i, -1);
        if (this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]) >= 0)
          return false;
        return this.join(i + 1);
      case COMPARE:
        if (
          !this.#database.terms.compare(
            step.operator,
            step.subject < 0 ? ~step.subject : registers[step.subject],
            step.object < 0 ? ~step.object : registers[step.object],
          )
        )
          return false;
        return this.join(i + 1);
      case TEST:
        if (this.#meter.check()) return this.#pause(i, -1);
        return (step.test as TestItem).holds(registers) && this.join(i + 1);
      case ASSIGN: {
        if (this.#meter.check()) return this.#pause(i, -1);
        const value = step.compute?.(registers);
        if (value === undefined) return false;
        registers[step.subject] = this.#database.terms.intern(value);
        return this.join(i + 1);
      }
      case AGGREGATE: {
        const id = this.#groups.attempt(step.aggregate as AggregateItem, registers);
        if (id === UNFINISHED) return this.#pause(i, -1);
        if (id === NONE) return false;
        if (step.object === 1) {
          if (id !== (step.subject < 0 ? ~step.subject : registers[step.subject])) return false;
        } else registers[step.subject] = id;
        return this.join(i + 1);
      }
      default:
        throw new TypeError(`no step has operation ${step.op}`);
    }
  }
  /** Rows of a step from this one on, along the chain of its subject (which leads to objects) or of its object. */
  #along(i: number, next: Chain['next'], from: number): boolean {
    // Growing replaces the columns; those read here keep every row below the limit. V8 reads what is not in a variable anew behind each call.
    const { subjects, objects, stamps } = this.#tables[i];
    const limit = this.#limits[i];
    const { registers, rows, careful } = this;
    const { op, subject, object, position } = this.#steps[i];
    const ends = op === SUBJECT ? objects : subjects;
    const register = op === SUBJECT ? object : subject;
    const last = i + 1 === this.#steps.length;
    for (let row = from; row >= 0; row = next[row] - 1) {
      if (this.#meter.count()) return this.#pause(i, row);
      if (row >= limit || (careful && stamps[row] === FALLEN)) continue;
      registers[register] = ends[row];
      rows[position] = row;
      if (last) this.#found();
      else if (this.join(i + 1)) return true;
    }
    return false;
  }
  /** The same where no value narrows the rows. */
  #all(i: number, from: number): boolean {
    const { subjects, objects, stamps } = this.#tables[i];
    const limit = this.#limits[i];
    const { registers, rows, careful } = this;
    const { subject, object, position, same } = this.#steps[i];
    for (let row = from; row < limit; row++) {
      if (this.#meter.count()) return this.#pause(i, row);
      if ((same && subjects[row] !== objects[row]) || (careful && stamps[row] === FALLEN)) continue;
      registers[subject] = subjects[row];
      registers[object] = objects[row];
      rows[position] = row;
      if (this.join(i + 1)) return true;
    }
    return false;
  }

  #pause(i: number, row: number): true {
    [this.#pausedAt, this.#pausedRow] = [i, row];
    return true;
  }
  /** Goes on after a pause. True: it paused once more. */
  resume(): boolean {
    return this.#resume(0);
  }
  #resume(i: number): boolean {
    const { op, position } = this.#steps[i];
    const below = i < this.#pausedAt;
    if (below && this.#resume(i + 1)) return true;
    switch (op) {
      case SUBJECT:
      case OBJECT: {
        const { next } = this.#chains[i] as Chain;
        return this.#along(i, next, below ? next[this.rows[position]] - 1 : this.#pausedRow);
      }
      case ALL:
        return this.#all(i, below ? this.rows[position] + 1 : this.#pausedRow);
      default:
        return !below && this.join(i);
    }
  }
}
