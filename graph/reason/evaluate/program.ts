// Owns rules made ready to run over one database: clauses by stratum, which clauses a relation's new rows concern, and plans that fit the tables as they grow.
// Refuses to know how rounds run and what they find.

import { ByObject } from '../tables/classes.ts';
import type { Waiting } from '../tables/classes.ts';
import type { Database, Slot } from '../tables/database.ts';
import { compileRule } from './compile.ts';
import { bestLead, orderBody } from './plan.ts';
import type { AtomItem, Clause, Step } from './plan.ts';
import { pauses, RULE_TURNS, runNow } from './run.ts';
import { stratifying } from './strata.ts';
import type { Strata } from './strata.ts';
import type { Rule } from '../types.ts';

/** Rules made ready to run over one database. Constraints take no part. Throws RuleError `unstratifiable`. */
export class Program {
  readonly rules: readonly Rule[];
  readonly database: Database;
  /** Clauses by stratum. */
  readonly strata: readonly (readonly Clause[])[];
  /** Relations that rules derive. */
  readonly derived: ReadonlySet<Slot>;
  readonly #stages: readonly Stage[];
  /** By number of the rule. */
  readonly #clauses: readonly (readonly Clause[])[];

  constructor(rules: readonly Rule[], database: Database, compiled: Compiled = runNow(compile(rules, database))) {
    this.rules = rules;
    this.database = database;
    this.#clauses = compiled.clauses;
    this.strata = compiled.strata;
    this.derived = compiled.derived;
    this.#stages = compiled.stages;
  }
  /** The same in slices. */
  static *making(rules: readonly Rule[], database: Database): Generator<void, Program> {
    return new Program(rules, database, yield* compile(rules, database));
  }
  /** Clauses of one rule. */
  clausesOf(rule: number): readonly Clause[] {
    return this.#clauses[rule] ?? [];
  }
  /** What new rows of the slot concern in one stratum. */
  watchers(stratum: number, slot: Slot): Watchers | undefined {
    return this.#stages[stratum].watchers.get(slot);
  }
  /** How to meet each clause of one stratum when all rows are new, but for those that `classes` leads to. */
  *openings(
    stratum: number,
    affected: ReadonlySet<Slot> | undefined,
  ): Generator<{ readonly clause: Clause; readonly lead: number; readonly steps: readonly Step[] }> {
    for (const clause of this.#stages[stratum].joining) {
      if (affected && !affected.has(clause.head.slot)) continue;
      // Rows that come later are met by the variant that they lead: what counts is what is there.
      const lead = bestLead(clause, NONE);
      yield { clause, lead, steps: orderBody(clause, lead, [], NONE) };
    }
  }
  /** Slots of one stratum that have variants of which a row's object alone decides (`isAlone`). */
  classes(stratum: number): ReadonlyMap<Slot, Watchers> {
    return this.#stages[stratum].classes;
  }
  /** The order in which a variant meets its other conditions, made when it is first needed and again when tables have grown much. */
  steps(variant: Variant): readonly Step[] {
    const { clause, lead } = variant;
    if (clause.body.length === 1) return ALONE;
    const size = clause.body.length === 2 ? 0 : sizeOf(clause);
    if (variant.steps && size <= variant.size * 4) return variant.steps;
    variant.size = Math.max(size, 64);
    return (variant.steps = orderBody(clause, lead, [], this.derived));
  }
}
/** Clauses of rules that were made ready one after the other. */
class Compiled {
  readonly #database: Database;
  readonly #order: Strata;
  /** By number of the rule. */
  readonly clauses: Clause[][] = [];
  readonly strata: Clause[][] = [];
  readonly stages: Stage[] = [];
  readonly derived = new Set<Slot>();
  #last: Clause | undefined;

  constructor(database: Database, order: Strata) {
    this.#database = database;
    this.#order = order;
  }
  add(rule: Rule): void {
    if (rule.confidence !== undefined && rule.confidence < 1) this.#database.weigh();
    const clauses = compileRule(rule, this.clauses.length, this.#database, this.#last);
    this.clauses.push(clauses);
    this.#last = clauses[0];
    for (let i = 0; i < clauses.length; i++) {
      this.derived.add(clauses[i].head.slot);
      const stratum = this.#order.of(rule.heads[i]);
      while (this.strata.length <= stratum) {
        this.strata.push([]);
        this.stages.push(new Stage());
      }
      this.strata[stratum].push(clauses[i]);
      this.stages[stratum].add(clauses[i]);
    }
  }
}
function* compile(rules: readonly Rule[], database: Database): Generator<void, Compiled> {
  const compiled = new Compiled(database, yield* stratifying(rules));
  const pause = pauses(RULE_TURNS);
  for (let i = 0; i < rules.length; i++) {
    if (pause()) yield;
    compiled.add(rules[i]);
  }
  return compiled;
}
const NONE: ReadonlySet<Slot> = new Set();
const ALONE: readonly Step[] = [];
/** Rows of the tables that a clause meets. */
function sizeOf({ body }: Clause): number {
  let size = 0;
  for (const item of body) if (item.kind === 'atom') size += item.slot.table.count;
  return size;
}

/** A clause that begins with the new rows of one of its conditions. */
export interface Variant extends Waiting<Variant> {
  readonly clause: Clause;
  readonly lead: number;
  readonly item: AtomItem;
  /** The plan, and the rows that its tables had then. */
  steps: readonly Step[] | undefined;
  size: number;
}
export interface Watchers {
  readonly general: Variant[];
  /** Conditions whose object is a constant, by that constant: one row meets only the rules about its class. */
  readonly byObject: ByObject<Variant>;
}
/** Is a row's object all that decides whether it meets the clause? */
export const isAlone = ({ clause, item }: Variant): boolean => clause.body.length === 1 && item.object < 0;

/** The clauses of one stratum, by what wakes them. */
class Stage {
  /** By the slot whose new rows they begin with. */
  readonly watchers = new Map<Slot, Watchers>();
  readonly classes = new Map<Slot, Watchers>();
  /** Clauses that are met one by one when everything is new. */
  readonly joining: Clause[] = [];

  add(clause: Clause): void {
    const alone = this.#watch(clause);
    if (alone) this.classes.set(...alone);
    else this.joining.push(clause);
  }
  #watch(clause: Clause): readonly [Slot, Watchers] | undefined {
    const { body } = clause;
    for (let lead = 0; lead < body.length; lead++) {
      const item = body[lead];
      if (item.kind !== 'atom' || item.absent) continue;
      let watchers = this.watchers.get(item.slot);
      if (!watchers) this.watchers.set(item.slot, (watchers = { general: [], byObject: new ByObject() }));
      const variant: Variant = { clause, lead, item, steps: undefined, size: 0, next: undefined };
      if (item.object >= 0) {
        watchers.general.push(variant);
        continue;
      }
      watchers.byObject.add(~item.object, variant);
      if (isAlone(variant)) return [item.slot, watchers];
    }
    return undefined;
  }
}
