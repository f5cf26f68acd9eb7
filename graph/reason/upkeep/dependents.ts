// Owns finding the rows that may hang on something that changed: on a pair that matches a condition of a clause, or on the group of an aggregate.
// Refuses to know which of them fall. Too many may be named, never too few: rows that went are looked at besides those that are there, and `not` and aggregates are let pass.

import type { Slot } from '../tables/database.ts';
import { ALL, ASSIGN, COMPARE, OBJECT, orderBody, PROBE, SUBJECT, TEST } from '../evaluate/plan.ts';
import type { AtomItem, BodyStep, Clause, InnerItem, Operand, Side, Step, TestItem } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import type { Meter } from '../evaluate/run.ts';
import type { Chain } from '../tables/chain.ts';
import { FALLEN } from '../tables/table.ts';
import type { Table } from '../tables/table.ts';

type Head = Clause['head'];
/** Conditions in order, and what they lead to. */
export interface Way {
  readonly steps: readonly Step[];
  /** Absent: what is looked for is not rows but ways to meet the conditions. */
  readonly head: Head | undefined;
  /** Conditions that are met before the head is known; infinite when a part of it stays unknown. */
  readonly known: number;
  /** Registers that are filled in the end. */
  readonly filled: ReadonlySet<number>;
}

/** Registers that a pair fills. */
export const registersOf = ({ subject, object }: AtomItem): number[] => [...new Set([subject, object])].filter((operand) => operand >= 0);
const isKnown = (operand: Operand, filled: ReadonlySet<number>): boolean => operand < 0 || filled.has(operand);
/** The register that a comparison fills; -1 when it is a test; undefined when it cannot be decided. */
function fills(item: TestItem, filled: ReadonlySet<number>): number | undefined {
  const known = (side: Side): boolean => side.reads.every((register) => filled.has(register));
  if (known(item.left) && known(item.right)) return -1;
  if (!item.assigns) return undefined;
  if (item.left.register >= 0 && known(item.right)) return item.left.register;
  return item.right.register >= 0 && known(item.left) ? item.right.register : undefined;
}
/** The conditions that rows meet, and those that can be decided from these and the filled registers alone. */
function decidable(body: readonly BodyStep[], given: Iterable<number>): InnerItem[] {
  const filled = new Set(given);
  const kept: InnerItem[] = body.filter((item) => item.kind === 'atom' && !item.absent) as AtomItem[];
  for (const item of kept as AtomItem[]) for (const operand of [item.subject, item.object]) if (operand >= 0) filled.add(operand);
  const open = new Set(body.filter((item) => item.kind === 'compare' || item.kind === 'test'));
  for (let before = -1; before !== open.size;) {
    before = open.size;
    for (const item of open) {
      const register = item.kind === 'test' ? fills(item, filled) : isKnown(item.left, filled) && isKnown(item.right, filled) ? -1 : undefined;
      if (register === undefined) continue;
      if (register >= 0) filled.add(register);
      open.delete(item);
      kept.push(item);
    }
  }
  return kept;
}

/** The greater stamp; what a row had that fell is not known. */
const later = (stamp: number, other: number): number => (other > stamp && other !== FALLEN ? other : stamp);

/** One more than a body has conditions. */
const STEPS = 80;
/** In place of a row: it is time for a pause. */
const PAUSED = -2;

export class Dependents {
  readonly #program: Program;
  readonly #meter: Meter;
  /** Rows that went. */
  readonly #gone: ReadonlyMap<Slot, Table>;
  /** Rows whose stamps rose: what they were premises of is not known by their stamps. */
  readonly #shaken: ReadonlyMap<Slot, Table>;
  readonly registers = new Int32Array(160);
  #way!: Way;
  #accept: (row: number) => boolean = () => true;
  #found: (row: number) => void = () => undefined;
  // By step: the row of the head as far as it is known (or -1), the greatest stamp among the premises, the tables, and the row to look at next.
  readonly #heads = new Int32Array(STEPS);
  readonly #stamps = new Int32Array(STEPS);
  readonly #rows = new Int32Array(STEPS);
  readonly #tables: Table[] = [];
  readonly #chains: (Chain | undefined)[] = [];
  readonly #behind: (Table | undefined)[] = [];
  readonly #ranked: boolean[] = [];
  /** Where it paused. */
  #pausedAt = 0;
  #entered = false;

  constructor(program: Program, meter: Meter, gone: ReadonlyMap<Slot, Table>, shaken: ReadonlyMap<Slot, Table>) {
    this.#program = program;
    this.#meter = meter;
    this.#gone = gone;
    this.#shaken = shaken;
  }

  /** How to get on when the registers in `given` are filled, and the condition at `lead` is met (-1: none). */
  way(body: readonly BodyStep[], head: Head | undefined, lead: number, given: readonly number[]): Way {
    const items = decidable(body, given).filter((item) => item !== body[lead]);
    const steps = orderBody({ body: items }, -1, given, this.#program.derived);
    const filled = new Set(given);
    const complete = (): boolean => head !== undefined && isKnown(head.subject, filled) && isKnown(head.object, filled);
    let known = complete() ? 0 : Number.POSITIVE_INFINITY;
    steps.forEach(({ op, subject, object }, i) => {
      if (op === ASSIGN || op === OBJECT || op === ALL) filled.add(subject);
      if (op === SUBJECT || op === ALL) filled.add(object);
      if (known > steps.length && complete()) known = i + 1;
    });
    return { steps, head, known, filled };
  }
  /** Fills the registers of a condition from a pair; false where they do not fit. */
  unify({ subject: s, object: o }: AtomItem, subject: number, object: number): boolean {
    if ((s < 0 && ~s !== subject) || (o < 0 && ~o !== object) || (s >= 0 && s === o && subject !== object)) return false;
    if (s >= 0) this.registers[s] = subject;
    if (o >= 0) this.registers[o] = object;
    return true;
  }
  /**
   * Calls `found` for each row that `accept` takes, perhaps more than once; it is asked as soon as the row is known, before all conditions are met. What led here had this
   * stamp: rows are left out that premises of greater stamps lead to, for that is not the derivation that they rest on. True: it paused, `rest` goes on.
   */
  each(way: Way, stamp: number, accept: (row: number) => boolean, found: (row: number) => void): boolean {
    this.#way = way;
    this.#accept = accept;
    this.#found = found;
    this.#heads[0] = -1;
    this.#stamps[0] = stamp;
    return this.#meet(0, true);
  }
  /** Calls `found` for each way to meet conditions that have no head. True: it paused, `rest` goes on. */
  members(way: Way, found: () => void): boolean {
    return this.each(way, 0, () => true, found);
  }
  /** Goes on after a pause. */
  *rest(): Generator<void, void> {
    do {
      yield;
      this.#meter.turned();
    } while (this.#meet(this.#pausedAt, this.#entered));
  }

  /** Step `i` is entered, or gone back to for its next row. True: it paused. */
  #meet(i: number, entered: boolean): boolean {
    const { steps, known, head } = this.#way;
    while (i >= 0) {
      let met = false;
      if (entered && !this.#begin(i)) {
        // Nothing hangs on what was met so far.
      } else if (i === steps.length) {
        if (head && this.#heads[i] < 0) {
          if (this.#partly(head, i, entered)) return this.#pause(i, false);
        } else this.#found(this.#heads[i]);
        // One way is enough to find a row.
        [i, entered] = [Math.min(i, known) - 1, false];
        continue;
      } else if (steps[i].slot) {
        if (entered) this.#enter(i);
        const row = this.#next(i);
        if (row === PAUSED) return this.#pause(i, false);
        met = row >= 0;
      } else if (entered) {
        if (this.#meter.count() || (steps[i].op !== COMPARE && this.#meter.check())) return this.#pause(i, true);
        met = this.#holds(steps[i]);
        this.#stamps[i + 1] = this.#stamps[i];
      }
      if (met) this.#heads[i + 1] = this.#heads[i];
      [i, entered] = met ? [i + 1, true] : [i - 1, false];
    }
    return false;
  }
  #pause(i: number, entered: boolean): true {
    [this.#pausedAt, this.#entered] = [i, entered];
    return true;
  }
  /** False where the row of the head, once it is known, is not looked for. */
  #begin(i: number): boolean {
    const { known, head } = this.#way;
    if (!head) return true;
    if (i === known) {
      const row = head.slot.table.find(this.#value(head.subject), this.#value(head.object));
      if (row < 0 || !this.#accept(row)) return false;
      this.#heads[i] = row;
    }
    const row = this.#heads[i];
    return row < 0 || head.slot.table.stamps[row] > this.#stamps[i];
  }
  #holds({ op, subject, object, operator, test, compute }: Step): boolean {
    const { terms } = this.#program.database;
    if (op === COMPARE) return terms.compare(operator, this.#value(subject), this.#value(object));
    if (op === TEST) return (test as TestItem).holds(this.registers);
    const value = compute?.(this.registers);
    if (value === undefined) return false;
    this.registers[subject] = terms.intern(value);
    return true;
  }
  /** Begins with the rows of a step: those that are there, and behind them those that went. */
  #enter(i: number): void {
    const slot = this.#way.steps[i].slot as Slot;
    this.#meter.countOnly();
    this.#behind[i] = this.#gone.get(slot);
    this.#ranked[i] = this.#way.head !== undefined && !this.#program.database.weighted && !this.#shaken.has(slot);
    this.#open(i, slot.table);
  }
  #open(i: number, rows: Table): void {
    const { op, subject, object } = this.#way.steps[i];
    const { size } = this.#program.database.terms;
    const chain = op === SUBJECT ? rows.bySubject(size) : op === OBJECT ? rows.byObject(size) : undefined;
    this.#tables[i] = rows;
    this.#chains[i] = chain;
    if (op === PROBE) this.#rows[i] = rows.find(this.#value(subject), this.#value(object));
    else this.#rows[i] = chain ? chain.first(this.#value(op === OBJECT ? object : subject)) : rows.count - 1;
  }
  /** The next row of a step, in the registers; -1: there is none; PAUSED. */
  #next(i: number): number {
    const { op, subject, object, same } = this.#way.steps[i];
    for (;;) {
      const at = this.#rows[i];
      if (at < 0) {
        const behind = this.#behind[i];
        if (!behind) return -1;
        this.#behind[i] = undefined;
        this.#open(i, behind);
        continue;
      }
      if (op !== PROBE && this.#meter.count()) return PAUSED;
      const rows = this.#tables[i];
      const chain = this.#chains[i];
      this.#rows[i] = chain ? chain.after(at) : op === PROBE ? -1 : at - 1;
      if (same && rows.subjects[at] !== rows.objects[at]) continue;
      if (op === ALL || op === OBJECT) this.registers[subject] = rows.subjects[at];
      if (op === ALL || op === SUBJECT) this.registers[object] = rows.objects[at];
      this.#stamps[i + 1] = this.#ranked[i] ? later(this.#stamps[i], rows.stamps[at]) : this.#stamps[i];
      return at;
    }
  }
  #value(operand: Operand): number {
    return operand < 0 ? ~operand : this.registers[operand];
  }
  /** Rows of a head of which a part is known: what is not known comes from an aggregate and may have been any value. True: it is time for a pause. */
  #partly({ slot: { table }, subject, object }: Head, i: number, entered: boolean): boolean {
    if (entered) {
      const { filled } = this.#way;
      const { size } = this.#program.database.terms;
      const chain = isKnown(subject, filled) ? table.bySubject(size) : isKnown(object, filled) ? table.byObject(size) : undefined;
      this.#chains[i] = chain;
      this.#rows[i] = chain ? chain.first(this.#value(isKnown(subject, filled) ? subject : object)) : table.count - 1;
    }
    const chain = this.#chains[i];
    for (let row = this.#rows[i]; row >= 0; row = chain ? chain.after(row) : row - 1) {
      this.#rows[i] = row;
      if (this.#meter.count()) return true;
      if (table.stamps[row] > this.#stamps[i] && this.#accept(row)) this.#found(row);
    }
    return false;
  }
}
