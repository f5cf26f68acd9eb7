// Owns the values of aggregates in one run, each computed once: the tables that an aggregate reads are complete before its rules run.
// Refuses to know when a run begins: somebody says so.

import type { Database } from '../tables/database.ts';
import { aggregateValue, groupIds } from './join.ts';
import type { AggregateItem } from './plan.ts';
import type { Meter } from './run.ts';

export class GroupValues {
  readonly #database: Database;
  readonly #meter: Meter;
  /** By group; -1 stands for no value. */
  readonly #known = new Map<AggregateItem, Map<string, number>>();

  constructor(database: Database, meter: Meter) {
    this.#database = database;
    this.#meter = meter;
  }
  forget(): void {
    this.#known.clear();
  }
  /** Id of the value for the group in the registers, or -1. */
  value(item: AggregateItem, registers: Int32Array): number {
    let known = this.#known.get(item);
    if (!known) this.#known.set(item, (known = new Map()));
    const group = groupIds(item, registers);
    const key = group.join(' ');
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const value = aggregateValue(this.#database, item, group, (slow) => (slow ? this.#meter.check() : this.#meter.count()));
    const id = value === undefined ? -1 : this.#database.terms.intern(value);
    known.set(key, id);
    return id;
  }
}
