// Owns meeting the conditions of a body one after the other over tables that stand still, and the values of aggregates.
// Refuses to know rounds and deltas. Proofs, constraints and aggregates are looked for with it; the fixpoint has a faster loop of its own.

import { literal, termKey } from '../../terms.ts';
import type { Literal, Term } from '../../terms.ts';
import type { Database, Slot } from '../tables/database.ts';
import { literalOrder } from '../tables/interner.ts';
import { ABSENT, AGGREGATE, ALL, ASSIGN, COMPARE, OBJECT, orderBody, PROBE, SUBJECT, TEST } from './plan.ts';
import type { AggregateItem, Operand, Step, TestItem } from './plan.ts';
import { runNow } from './run.ts';
import type { AggregateFunction } from '../types.ts';

/** Called for each row that is looked at, and with `slow` before a function is computed; may throw to stop. True: it is time for a pause. */
export type Tick = (slow?: boolean) => boolean;
const idle: Tick = () => false;

/** Meets the conditions of a body one way after the other; `found` returns true to stop. Registers of -1 are unbound. Yields where `tick` says so. */
export function* searching(
  database: Database,
  steps: readonly Step[],
  registers: Int32Array,
  accept: (slot: Slot, row: number) => boolean,
  found: (rows: Int32Array) => boolean,
  places: number,
  tick: Tick = idle,
): Generator<void, boolean> {
  const { terms } = database;
  const rows = new Int32Array(places).fill(-1);
  const value = (operand: Operand): number => (operand < 0 ? ~operand : registers[operand]);
  /** Fills a register, or tests one that has a value. */
  const settle = (operand: Operand, bound: boolean, id: number): boolean => {
    if (operand < 0 || bound) return value(operand) === id;
    registers[operand] = id;
    return true;
  };
  // Step `i` is entered, or gone back to for its next row.
  for (let [i, entered] = [0, true]; i >= 0;) {
    if (i === steps.length) {
      if (found(rows)) return true;
      [i, entered] = [i - 1, false];
      continue;
    }
    const step = steps[i];
    const { op, position, subject, object } = step;
    let met = false;
    if (op === ALL || op === SUBJECT || op === OBJECT) {
      const slot = step.slot as Slot;
      const { table } = slot;
      const chain = op === ALL ? undefined : op === OBJECT ? table.byObject(terms.size) : table.bySubject(terms.size);
      if (entered && tick()) yield;
      const before = rows[position];
      let row = chain ? (entered ? chain.first(value(op === OBJECT ? object : subject)) : chain.after(before)) : entered ? 0 : before + 1;
      for (; chain ? row >= 0 : row < table.count; row = chain ? chain.after(row) : row + 1) {
        if (tick()) yield;
        met = (!step.same || table.subjects[row] === table.objects[row]) && accept(slot, row);
        if (met) break;
      }
      if (met) {
        if (op !== SUBJECT) registers[subject] = table.subjects[row];
        if (op !== OBJECT) registers[object] = table.objects[row];
        rows[position] = row;
      }
    } else if (entered) {
      // There is one way at most.
      if (op !== COMPARE && op !== AGGREGATE && tick(op === TEST || op === ASSIGN)) yield;
      switch (op) {
        case COMPARE:
          met = terms.compare(step.operator, value(subject), value(object));
          break;
        case TEST:
          met = (step.test as TestItem).holds(registers);
          break;
        case ASSIGN: {
          const computed = step.compute?.(registers);
          met = computed !== undefined && settle(subject, false, terms.intern(computed));
          break;
        }
        case AGGREGATE: {
          const aggregate = step.aggregate as AggregateItem;
          const computed = yield* aggregating(database, aggregate, groupIds(aggregate, registers), tick);
          met = computed !== undefined && settle(subject, object === 1, terms.intern(computed));
          break;
        }
        default: {
          const slot = step.slot as Slot;
          const row = slot.table.find(value(subject), value(object));
          if (op === PROBE) rows[position] = row;
          met = op === ABSENT ? row < 0 : row >= 0 && accept(slot, row);
        }
      }
    }
    [i, entered] = met ? [i + 1, true] : [i - 1, false];
  }
  return false;
}
/** The same without pauses. */
export const search = (...of: Parameters<typeof searching>): boolean => runNow(searching(...of));

export const groupIds = (item: AggregateItem, registers: Int32Array): number[] => item.group.map((register) => registers[register]);

/** Planned at first use, when tables have their sizes. */
const PLANS = new WeakMap<AggregateItem, readonly Step[]>();
/** Meets the body of an aggregate for one group; ways that are not told apart are met once. `found` gets inner registers and rows, and returns true to stop. Yields where `tick` says so. */
export function* eachMember(
  database: Database,
  item: AggregateItem,
  group: readonly number[],
  found: (registers: Int32Array, rows: Int32Array) => boolean,
  tick: Tick = idle,
): Generator<void, void> {
  const registers = new Int32Array(item.variables.length).fill(-1);
  group.forEach((id, i) => (registers[i] = id));
  let steps = PLANS.get(item);
  if (!steps) PLANS.set(item, (steps = orderBody(item, -1, group.keys(), new Set())));
  const seen = item.distinct ? new Set<string>() : undefined;
  yield* searching(
    database,
    steps,
    registers,
    () => true,
    (rows) => {
      if (seen && item.distinct) {
        const key = item.distinct.map((register) => registers[register]).join(' ');
        if (seen.has(key)) return false;
        seen.add(key);
      }
      return found(registers, rows);
    },
    item.body.length,
    tick,
  );
}

/** Value of an aggregate for one group; undefined when it has none: nothing to take the least of, or values that cannot be added or ordered. Yields where `tick` says so. */
export function* aggregating(database: Database, item: AggregateItem, group: readonly number[], tick?: Tick): Generator<void, Term | undefined> {
  let count = 0;
  const values: Literal[] = [];
  let wrong = false;
  const [of] = item.of;
  yield* eachMember(
    database,
    item,
    group,
    (registers) => {
      count++;
      if (item.function === 'count') return false;
      const term = database.terms.term(of < 0 ? ~of : registers[of]);
      if (term.kind === 'entity' || term.type === 'boolean' || (values.length > 0 && values[0].type !== term.type)) return (wrong = true);
      values.push(term);
      return false;
    },
    tick,
  );
  if (item.function === 'count') return literal(count);
  return wrong ? undefined : valueOf(item.function, values);
}

/** The same without pauses. */
export const aggregateValue = (database: Database, item: AggregateItem, group: readonly number[]): Term | undefined => runNow(aggregating(database, item, group));

/** Value of an aggregate over values that are given; undefined when it has none. */
export function valueOfAll(name: AggregateFunction, terms: readonly Term[]): Term | undefined {
  if (name === 'count') return literal(terms.length);
  const values = terms.filter((term): term is Literal => term.kind === 'literal' && term.type !== 'boolean' && (terms[0] as Literal).type === term.type);
  return values.length < terms.length ? undefined : valueOf(name, values);
}
function valueOf(name: 'sum' | 'min' | 'max' | 'avg', values: readonly Literal[]): Term | undefined {
  if (name === 'min' || name === 'max')
    return values.length === 0 ? undefined : values.reduce((best, value) => (before(value, best) === (name === 'min') ? value : best));
  if (values.some(({ type }) => type !== 'number')) return undefined;
  if (name === 'avg' && values.length === 0) return undefined;
  const sum = exactSum(values.map(({ value }) => value as number));
  const value = name === 'sum' ? sum : sum / values.length;
  return Number.isFinite(value) ? literal(value) : undefined;
}
/** Of values that are equal in order, such as 1990 and 1990-01-01, the one whose text comes first is the lesser. */
function before(a: Literal, b: Literal): boolean {
  const order = literalOrder(a, b);
  return order < 0 || (order === 0 && termKey(a) < termKey(b));
}
/** Sum with Neumaier's compensation (ZAMM 1974), smallest values first: the same for the same values in any order. */
function exactSum(values: readonly number[]): number {
  let [sum, lost] = [0, 0];
  for (const value of values.toSorted((a, b) => a - b)) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
