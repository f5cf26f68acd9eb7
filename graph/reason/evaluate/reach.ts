// Owns which relations hang on which: the heads that a change of some relations may reach.
// Refuses to know rows, and what is done about them.

import type { Slot } from '../tables/database.ts';
import type { Program } from './program.ts';

export interface Reached {
  /** All that hang on the slots that were given, and these themselves. */
  readonly slots: ReadonlySet<Slot>;
  /** Those of them that rules conclude. */
  readonly heads: Set<Slot>;
  /** A `not` or an aggregate is on the way. */
  readonly absent: boolean;
}
export class Reach {
  readonly #derived: ReadonlySet<Slot>;
  /** Heads that directly depend on a slot, and whether any does so through `not` or an aggregate. */
  readonly #dependents = new Map<Slot, { readonly heads: Set<Slot>; absent: boolean }>();

  constructor({ strata, derived }: Program) {
    this.#derived = derived;
    for (const clause of strata.flat())
      for (const item of clause.body)
        for (const inner of item.kind === 'aggregate' ? item.body : [item]) {
          if (inner.kind !== 'atom') continue;
          let entry = this.#dependents.get(inner.slot);
          if (!entry) this.#dependents.set(inner.slot, (entry = { heads: new Set(), absent: false }));
          entry.heads.add(clause.head.slot);
          entry.absent ||= inner.absent || item.kind === 'aggregate';
        }
  }

  of(from: Iterable<Slot>): Reached {
    const slots = new Set(from);
    let absent = false;
    for (const slot of slots) {
      const entry = this.#dependents.get(slot);
      if (!entry) continue;
      absent ||= entry.absent;
      for (const head of entry.heads) slots.add(head);
    }
    return { slots, heads: new Set([...slots].filter((slot) => this.#derived.has(slot))), absent };
  }
}
