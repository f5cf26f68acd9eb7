// Owns the values of aggregates in one run, each computed once: the tables that an aggregate reads are complete before its rules run.
// Refuses to know when a run begins: somebody says so.

import type { Term } from '../../terms.ts';
import type { Database } from '../tables/database.ts';
import { aggregating, groupIds } from './join.ts';
import type { AggregateItem } from './plan.ts';
import type { Meter } from './run.ts';

/** In place of the id of a value: the group has none. */
export const NONE = -1;
/** In place of the id of a value: there was a pause, and asking again goes on. */
export const UNFINISHED = -2;

export class GroupValues {
  readonly #database: Database;
  readonly #meter: Meter;
  /** Ids by group, or NONE. */
  readonly #known = new Map<AggregateItem, Map<string, number>>();
  /** What is being computed for the loop. */
  #pending: { readonly item: AggregateItem; readonly key: string; readonly work: Generator<void, Term | undefined> } | undefined;

  constructor(database: Database, meter: Meter) {
    this.#database = database;
    this.#meter = meter;
  }
  forget(): void {
    this.#known.clear();
    this.#pending = undefined;
  }
  /** Id of the value for the group in the registers, NONE, or UNFINISHED. */
  attempt(item: AggregateItem, registers: Int32Array): number {
    const group = groupIds(item, registers);
    const key = group.join(' ');
    const kept = this.#of(item).get(key);
    if (kept !== undefined) return kept;
    if (this.#pending?.item !== item || this.#pending.key !== key) this.#pending = { item, key, work: this.#compute(item, group) };
    const step = this.#pending.work.next();
    if (!step.done) return UNFINISHED;
    this.#pending = undefined;
    return this.#keep(item, key, step.value);
  }
  #of(item: AggregateItem): Map<string, number> {
    let known = this.#known.get(item);
    if (!known) this.#known.set(item, (known = new Map()));
    return known;
  }
  #compute(item: AggregateItem, group: readonly number[]): Generator<void, Term | undefined> {
    return aggregating(this.#database, item, group, (slow) => (slow ? this.#meter.check() : this.#meter.count()));
  }
  #keep(item: AggregateItem, key: string, value: Term | undefined): number {
    const id = value === undefined ? NONE : this.#database.terms.intern(value);
    this.#of(item).set(key, id);
    return id;
  }
}
