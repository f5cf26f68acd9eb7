// Owns the fixpoint's inner loop: meeting the conditions of one clause one after the other, over rows that stand still while it runs.
// Refuses to know rounds, and what is done with what it finds.

import type { Database } from '../tables/database.ts';
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

  /** Meets the conditions from step `i` on. */
  join(i: number): void {
    if (i === this.#steps.length) return this.#found();
    const step = this.#steps[i];
    // Read once: V8 reads them anew behind each call.
    const { registers, rows, careful } = this;
    const { subject, object, position } = step;
    const last = i + 1 === this.#steps.length;
    switch (step.op) {
      case SUBJECT: {
        // Growing replaces the columns; those read here keep every row below the limit.
        const { next, heads } = this.#chains[i] as Chain;
        const { objects, stamps } = this.#tables[i];
        const limit = this.#limits[i];
        const key = step.subject < 0 ? ~step.subject : registers[step.subject];
        for (let row = key < heads.length ? heads[key] - 1 : -1; row >= 0; row = next[row] - 1) {
          this.#meter.count();
          if (row >= limit || (careful && stamps[row] === FALLEN)) continue;
          registers[object] = objects[row];
          rows[position] = row;
          if (last) this.#found();
          else this.join(i + 1);
        }
        return;
      }
      case OBJECT: {
        const { next, heads } = this.#chains[i] as Chain;
        const { subjects, stamps } = this.#tables[i];
        const limit = this.#limits[i];
        const key = step.object < 0 ? ~step.object : registers[step.object];
        for (let row = key < heads.length ? heads[key] - 1 : -1; row >= 0; row = next[row] - 1) {
          this.#meter.count();
          if (row >= limit || (careful && stamps[row] === FALLEN)) continue;
          registers[subject] = subjects[row];
          rows[position] = row;
          if (last) this.#found();
          else this.join(i + 1);
        }
        return;
      }
      case PROBE: {
        this.#meter.count();
        const row = this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]);
        if (row < 0 || row >= this.#limits[i] || (this.careful && this.#tables[i].stamps[row] === FALLEN)) return;
        rows[step.position] = row;
        return this.join(i + 1);
      }
      case ALL: {
        const { subjects, objects, stamps } = this.#tables[i];
        const limit = this.#limits[i];
        for (let row = 0; row < limit; row++) {
          this.#meter.count();
          if ((step.same && subjects[row] !== objects[row]) || (this.careful && stamps[row] === FALLEN)) continue;
          registers[step.subject] = subjects[row];
          registers[step.object] = objects[row];
          rows[step.position] = row;
          this.join(i + 1);
        }
        return;
      }
      case ABSENT:
        this.#meter.count();
        if (this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]) >= 0)
          return;
        return this.join(i + 1);
      case COMPARE:
        if (
          !this.#database.terms.compare(
            step.operator,
            step.subject < 0 ? ~step.subject : registers[step.subject],
            step.object < 0 ? ~step.object : registers[step.object],
          )
        )
          return;
        return this.join(i + 1);
      case TEST:
        this.#meter.check();
        if ((step.test as TestItem).holds(registers)) this.join(i + 1);
        return;
      case ASSIGN: {
        this.#meter.check();
        const value = step.compute?.(registers);
        if (value === undefined) return;
        registers[step.subject] = this.#database.terms.intern(value);
        return this.join(i + 1);
      }
      case AGGREGATE: {
        const id = this.#groups.value(step.aggregate as AggregateItem, registers);
        if (id < 0) return;
        if (step.object === 1) {
          if (id !== (step.subject < 0 ? ~step.subject : registers[step.subject])) return;
        } else registers[step.subject] = id;
        return this.join(i + 1);
      }
      default:
        throw new TypeError(`no step has operation ${step.op}`);
    }
  }
}
