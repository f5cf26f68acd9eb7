// Owns the pieces that a search works with: questions, clauses partly met, and a line to wait in.
// Refuses to know the order of the work.

import type { Slot } from '../reason/tables/database.ts';
import { union } from './environments.ts';
import type { Environment, Ids, Label } from './environments.ts';
import type { AtomItem, Operand } from '../reason/evaluate/plan.ts';
import type { Clause, GroupItem, Item } from './model.ts';

/** A question: a relation with the values that are given; -1 is open. */
export interface Call {
  readonly slot: Slot;
  readonly subject: number;
  readonly object: number;
  readonly labels: Map<number, Label>;
  readonly answers: { readonly atom: number; readonly environment: Environment }[];
  readonly waiting: Waiting[];
}
/** A clause partly met. */
export interface State {
  readonly clause: Clause;
  /** Value of each variable, or -1. */
  readonly registers: Int32Array;
  /** Places of conditions not looked at yet. */
  readonly left: readonly number[];
  /** Places of conditions to be assumed. */
  readonly assume: readonly number[];
  readonly environment: Environment;
  readonly answer: (state: State) => void;
}
export interface Waiting {
  readonly state: State;
  readonly place: number;
}
/** A clause that waits at an aggregate for what it ranges over. */
export interface Gathering {
  readonly state: State;
  readonly place: number;
  /** By the values that tell members apart: what each counts for, and under what it is one. */
  readonly members: Map<string, { readonly value: number; readonly label: Label }>;
  /** There are members that were not counted yet. */
  fresh: boolean;
}
/** First in, first out. */
export class Queue<T> {
  #items: T[] = [];
  #next = 0;
  add(item: T): void {
    this.#items.push(item);
  }
  take(): T | undefined {
    if (this.#next >= this.#items.length) return undefined;
    const item = this.#items[this.#next++];
    if (this.#next > 4096 && this.#next * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return item;
  }
}

export const isPositive = (item: Item): item is AtomItem => item.kind === 'atom' && !item.absent;
export const valueOf = (operand: Operand, registers: Int32Array): number => (operand < 0 ? ~operand : registers[operand]);
export const without = (state: State, place: number): State => ({ ...state, left: state.left.filter((other) => other !== place) });
/** The state when the aggregate has this value; undefined when it has none, or another is wanted. */
export function counted(state: State, place: number, { result }: GroupItem, value: number): State | undefined {
  const registers = state.registers.slice();
  return value >= 0 && bind(registers, result, value) ? { ...without(state, place), registers } : undefined;
}
export function bind(registers: Int32Array, operand: Operand, value: number): boolean {
  const known = valueOf(operand, registers);
  if (known >= 0) return known === value;
  registers[operand] = value;
  return true;
}

/** Sets of assumptions under which one aggregate is computed at most. */
const GROUPINGS = 4096;
/** The set and all its unions with assumptions of the environments that have at most `size` members. */
export function unions(
  base: Ids,
  environments: readonly Environment[],
  size: number,
): { readonly sets: readonly Ids[]; readonly pruned: boolean; readonly cut: boolean } {
  const found = new Map<string, Ids>([[base.join(), base]]);
  let [pruned, cut] = [false, false];
  for (const { assumed } of environments)
    for (const known of Array.from(found.values())) {
      const next = union(known, assumed);
      if (next.length > size) pruned = true;
      else if (found.size < GROUPINGS) found.set(next.join(), next);
      else cut = true;
    }
  return { sets: [...found.values()], pruned, cut };
}
