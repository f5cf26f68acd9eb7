// Owns the conditions that hang on what is absent: those under `not`, and those inside aggregates. What goes below them may come above, and the reverse.
// Refuses to know what went and what came.

import type { Slot } from '../tables/database.ts';
import { registersOf } from './dependents.ts';
import type { Dependents, Way } from './dependents.ts';
import { orderBody } from '../evaluate/plan.ts';
import { pauses, RULE_TURNS } from '../evaluate/run.ts';
import type { AtomItem, Clause, Step } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';

export interface ClosedCondition {
  readonly clause: Clause;
  readonly item: AtomItem;
  /** Inside an aggregate: from a pair that matches to the groups it counts for. The first registers there are the group's. */
  readonly inner: Way | undefined;
  /** Registers of the clause that the pair, or the group, fills. */
  readonly given: readonly number[];
  /** For each of these, the register inside the aggregate. */
  readonly from: readonly number[];
  /** From there to the rows that the clause may have derived. */
  readonly rows: Way;
  /** From there to the rows that it derives. */
  readonly steps: readonly Step[];
}

/** The closed conditions of a program by stratum, and in it by the slot that they read. In slices. */
export function* closedConditions({ strata, derived }: Program, dependents: Dependents): Generator<void, Map<Slot, ClosedCondition[]>[]> {
  const pause = pauses(RULE_TURNS);
  const found: Map<Slot, ClosedCondition[]>[] = [];
  for (const clauses of strata) {
    const bySlot = new Map<Slot, ClosedCondition[]>();
    found.push(bySlot);
    const note = (clause: Clause, item: AtomItem, lead: number, inner: Way | undefined, given: readonly number[], from: readonly number[]): void => {
      let list = bySlot.get(item.slot);
      if (!list) bySlot.set(item.slot, (list = []));
      const rows = dependents.way(clause.body, clause.head, lead, given);
      list.push({ clause, item, inner, given, from, rows, steps: orderBody(clause, -1, given, derived) });
    };
    for (const clause of clauses) {
      if (pause()) yield;
      clause.body.forEach((item, lead) => {
        if (item.kind === 'atom' && item.absent) note(clause, item, lead, undefined, registersOf(item), []);
        else if (item.kind === 'aggregate')
          item.body.forEach((each, at) => {
            if (each.kind !== 'atom') return;
            const inner = dependents.way(item.body, undefined, at, registersOf(each));
            const from = [...item.group.keys()].filter((register) => inner.filled.has(register));
            note(
              clause,
              each,
              lead,
              inner,
              from.map((register) => item.group[register]),
              from,
            );
          });
      });
    }
  }
  return found;
}
