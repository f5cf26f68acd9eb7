// Owns finding the rows that may hang on something that changed: on a pair that matches a condition of a clause, or on the group of an aggregate.
// Refuses to know which of them fall. Too many may be named, never too few: rows that went are looked at besides those that are there, and `not` and aggregates are let pass.

import type { Slot } from '../tables/database.ts';
import { ALL, ASSIGN, COMPARE, OBJECT, orderBody, PROBE, SUBJECT, TEST } from '../evaluate/plan.ts';
import type { AtomItem, BodyStep, Clause, InnerItem, Operand, Side, Step, TestItem } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import type { Meter } from '../evaluate/run.ts';
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
   * stamp: rows are left out that premises of greater stamps lead to, for that is not the derivation that they rest on.
   */
  each(way: Way, stamp: number, accept: (row: number) => boolean, found: (row: number) => void): void {
    this.#way = way;
    this.#accept = accept;
    this.#found = found;
    this.#meet(0, -1, stamp);
  }
  /** Calls `found` for each way to meet conditions that have no head. */
  members(way: Way, found: () => void): void {
    this.each(way, 0, () => true, found);
  }

  /** `row`: of the head, where it is known. True when that row was found. */
  #meet(i: number, row: number, stamp: number): boolean {
    const { steps, known, head } = this.#way;
    if (i === known && head) {
      row = head.slot.table.find(this.#value(head.subject), this.#value(head.object));
      if (row < 0 || !this.#accept(row)) return false;
    }
    if (row >= 0 && head && head.slot.table.stamps[row] <= stamp) return false;
    if (i === steps.length) {
      if (head && row < 0) this.#partly(head, stamp);
      else this.#found(row);
      return true;
    }
    const { op, slot, subject, object, operator, same, test, compute } = steps[i];
    const { registers } = this;
    const { terms } = this.#program.database;
    this.#meter.count();
    if (op === COMPARE) return terms.compare(operator, this.#value(subject), this.#value(object)) && this.#meet(i + 1, row, stamp);
    if (op === TEST || op === ASSIGN) this.#meter.check();
    if (op === TEST) return (test as TestItem).holds(registers) && this.#meet(i + 1, row, stamp);
    if (op === ASSIGN) {
      const value = compute?.(registers);
      if (value === undefined) return false;
      registers[subject] = terms.intern(value);
      return this.#meet(i + 1, row, stamp);
    }
    const { table } = slot as Slot;
    const gone = this.#gone.get(slot as Slot);
    const ranked = head !== undefined && !this.#program.database.weighted && !this.#shaken.has(slot as Slot);
    for (const rows of gone === undefined ? [table] : [table, gone]) {
      if (op === PROBE) {
        const at = rows.find(this.#value(subject), this.#value(object));
        if (at >= 0 && this.#meet(i + 1, row, ranked ? later(stamp, rows.stamps[at]) : stamp)) return true;
        continue;
      }
      const chain = op === ALL ? undefined : op === OBJECT ? rows.byObject(terms.size) : rows.bySubject(terms.size);
      for (let at = chain ? chain.first(this.#value(op === OBJECT ? object : subject)) : rows.count - 1; at >= 0; at = chain ? chain.after(at) : at - 1) {
        this.#meter.count();
        if (same && rows.subjects[at] !== rows.objects[at]) continue;
        if (op !== SUBJECT) registers[subject] = rows.subjects[at];
        if (op !== OBJECT) registers[object] = rows.objects[at];
        // One way is enough to find a row.
        if (this.#meet(i + 1, row, ranked ? later(stamp, rows.stamps[at]) : stamp) && i >= known) return true;
      }
    }
    return false;
  }
  #value(operand: Operand): number {
    return operand < 0 ? ~operand : this.registers[operand];
  }
  /** Rows of a head of which a part is known: what is not known comes from an aggregate and may have been any value. */
  #partly({ slot: { table }, subject, object }: Head, stamp: number): void {
    const { filled } = this.#way;
    const { size } = this.#program.database.terms;
    const [chain, key] = isKnown(subject, filled)
      ? [table.bySubject(size), this.#value(subject)]
      : isKnown(object, filled)
        ? [table.byObject(size), this.#value(object)]
        : [undefined, -1];
    for (let row = chain ? chain.first(key) : table.count - 1; row >= 0; row = chain ? chain.after(row) : row - 1) {
      this.#meter.count();
      if (table.stamps[row] > stamp && this.#accept(row)) this.#found(row);
    }
  }
}
