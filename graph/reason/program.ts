// Owns rules made ready to run over one database: clauses by stratum, and which clauses a relation's new rows concern.
// Refuses to know how rounds run and what they find.

import type { Database, Slot } from './database.ts';
import { compileRule } from './plan.ts';
import type { AtomItem, Clause, Step } from './plan.ts';
import { stratify } from './strata.ts';
import type { Rule } from './types.ts';

/** Rules made ready to run over one database. Constraints take no part. Throws RuleError `unstratifiable`. */
export class Program {
  readonly rules: readonly Rule[];
  readonly database: Database;
  /** Clauses by stratum. */
  readonly strata: readonly (readonly Clause[])[];
  /** Relations that rules derive. */
  readonly derived: ReadonlySet<Slot>;
  /** Variants by stratum and by the slot whose new rows they begin with. */
  readonly #watchers: readonly Map<Slot, Watchers>[];
  readonly #clauses = new Map<number, Clause[]>();

  constructor(rules: readonly Rule[], database: Database) {
    this.rules = rules;
    this.database = database;
    const order = stratify(rules);
    const strata: Clause[][] = [];
    const derived = new Set<Slot>();
    rules.forEach((rule, number) => {
      if ((rule.confidence ?? 1) < 1) database.weigh();
      const clauses = compileRule(rule, number, database);
      this.#clauses.set(number, clauses);
      clauses.forEach((clause, i) => {
        derived.add(clause.head.slot);
        (strata[order.of(rule.heads[i])] ??= []).push(clause);
      });
    });
    this.strata = Array.from(strata, (clauses) => clauses ?? []);
    this.derived = derived;
    this.#watchers = this.strata.map((clauses) => {
      const bySlot = new Map<Slot, Watchers>();
      for (const clause of clauses)
        clause.body.forEach((item, i) => {
          if (item.kind !== 'atom' || item.absent) return;
          let watchers = bySlot.get(item.slot);
          if (!watchers) bySlot.set(item.slot, (watchers = { general: [], byObject: new Map() }));
          const variant: Variant = { clause, lead: i, item, steps: undefined };
          if (item.object >= 0) watchers.general.push(variant);
          else {
            const list = watchers.byObject.get(~item.object);
            if (list) list.push(variant);
            else watchers.byObject.set(~item.object, [variant]);
          }
        });
      return bySlot;
    });
  }
  /** Clauses of one rule. */
  clausesOf(rule: number): readonly Clause[] {
    return this.#clauses.get(rule) ?? [];
  }
  watchers(stratum: number, slot: Slot): Watchers | undefined {
    return this.#watchers[stratum].get(slot);
  }
}

/** A clause that begins with the new rows of one of its conditions. */
export interface Variant {
  readonly clause: Clause;
  readonly lead: number;
  readonly item: AtomItem;
  /** Planned at first use, when tables have their sizes. */
  steps: readonly Step[] | undefined;
}
export interface Watchers {
  readonly general: Variant[];
  /** Conditions whose object is a constant, by that constant: one row meets only the rules about its class. */
  readonly byObject: Map<number, Variant[]>;
}
