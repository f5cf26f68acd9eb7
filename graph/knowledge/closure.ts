// Owns what the standing rules of one base derive, and keeps it equal to deriving it anew, whatever facts come and go.
// Refuses to know stores' formats, events' listeners and how proofs are kept.

import type { RelationName, Triple } from '../terms.ts';
import { atomsOf } from '../reason/body.ts';
import { Database, signed, unsigned } from '../reason/database.ts';
import type { SignedRelation, Slot } from '../reason/database.ts';
import { Evaluator, runSliced } from '../reason/evaluate.ts';
import type { RunResult } from '../reason/evaluate.ts';
import { Program } from '../reason/program.ts';
import { Table } from '../reason/table.ts';
import type { Budget, BudgetLimit, Rule } from '../reason/types.ts';
import type { Changes } from './changes.ts';
import type { FactReader } from './facts.ts';

/** What is told of a triple now: its confidence, or nothing. */
export interface ToldState {
  readonly triple: Triple;
  readonly confidence: number | undefined;
}

/** Relations whose facts some rules need: of bodies as premises, of heads to know what is stored already. */
export function neededRelations(rules: Iterable<Rule>): Set<SignedRelation> {
  const needed = new Set<SignedRelation>();
  for (const rule of rules)
    for (const atom of [...rule.heads, ...Array.from(atomsOf(rule.body), (placed) => placed.atom)]) needed.add(signed(atom.relation, atom.negated));
  return needed;
}

/** Reads the facts in force of these relations into a database. */
export async function loadRelations(database: Database, reader: FactReader, relations: Iterable<SignedRelation>, signal?: AbortSignal): Promise<void> {
  for (const key of relations) {
    const { relation, negated } = unsigned(key);
    await reader.each({ relation, ...(negated ? { negated } : {}) }, (fact) => void database.tell(fact, fact.confidence), signal);
  }
}

let generations = 0;

export class Closure {
  /** Changes when rows move: row numbers read before are void. */
  generation = ++generations;
  readonly #budget: Budget;
  readonly needed: ReadonlySet<SignedRelation>;
  readonly database: Database;
  readonly program: Program;
  #evaluator: Evaluator;
  #partial: BudgetLimit | undefined;
  /** Heads that directly depend on a slot, and whether any does so through `not` or an aggregate. */
  readonly #dependents = new Map<Slot, { readonly heads: Set<Slot>; absent: boolean }>();

  private constructor(rules: readonly Rule[], needed: ReadonlySet<SignedRelation>, database: Database, budget: Budget) {
    this.#budget = budget;
    this.needed = needed;
    this.database = database;
    this.program = new Program(rules, database);
    this.#evaluator = new Evaluator(this.program, budget);
    for (const clause of this.program.strata.flat())
      for (const item of clause.body)
        for (const inner of item.kind === 'aggregate' ? item.body : [item]) {
          if (inner.kind !== 'atom') continue;
          let entry = this.#dependents.get(inner.slot);
          if (!entry) this.#dependents.set(inner.slot, (entry = { heads: new Set(), absent: false }));
          entry.heads.add(clause.head.slot);
          entry.absent ||= inner.absent || item.kind === 'aggregate';
        }
  }

  /** Reads what the rules need and derives what follows. Throws RuleError `unstratifiable`. */
  static async build(rules: readonly Rule[], reader: FactReader, budget: Budget, signal?: AbortSignal): Promise<Closure> {
    const needed = neededRelations(rules);
    const database = new Database();
    await loadRelations(database, reader, needed, signal);
    const closure = new Closure(rules, needed, database, budget);
    closure.#finish(await runSliced(closure.#evaluator.derive(), signal));
    return closure;
  }

  /** The limit that was reached; undefined when everything that follows is here. */
  get partial(): BudgetLimit | undefined {
    return this.#partial;
  }
  needs(triple: { readonly relation: RelationName; readonly negated?: boolean }): boolean {
    return this.needed.has(signed(triple.relation, triple.negated));
  }
  #finish(result: RunResult): void {
    this.#partial = result.limit;
  }

  /** Brings the closure up to date after the told state of some triples (each once) changed, and lists what came and went. */
  async apply(states: readonly ToldState[], changes: Changes): Promise<void> {
    const { database } = this;
    /** Slots that got new rows, with their count before. */
    const grown = new Map<Slot, number>();
    /** Slots that lost rows, or in which confidences changed. */
    const lost = new Map<Slot, Set<number>>();
    const mark = (slot: Slot): Set<number> => {
      let rows = lost.get(slot);
      if (!rows) lost.set(slot, (rows = new Set()));
      return rows;
    };
    const old = new Map<Slot, Table>();
    for (const { triple, confidence } of states) {
      const slot = database.slot(signed(triple.relation, triple.negated));
      const at = database.find(triple);
      if (!at) {
        if (confidence === undefined) continue;
        if (!grown.has(slot)) grown.set(slot, slot.table.count);
        database.tell(triple, confidence);
        continue;
      }
      const { table } = slot;
      const derived = table.rules[at.row] >= 0;
      if (confidence === undefined) {
        if (!derived) mark(slot).add(at.row);
      } else if (derived) {
        const same = table.confidence(at.row) === confidence;
        changes.vanished(triple, false);
        database.tell(triple, confidence);
        if (!same) mark(slot);
      } else if (table.confidence(at.row) !== confidence) {
        if (confidence < 1) database.weigh();
        table.restate(at.row, table.rules[at.row], 0, confidence);
        mark(slot);
      }
    }
    if (grown.size === 0 && lost.size === 0 && this.#partial === undefined) return;

    const all = this.#partial !== undefined;
    const affected = all ? this.program.derived : this.#affected(lost.keys(), grown.keys());
    if (affected.size > 0 || lost.size > 0) this.generation = ++generations;
    for (const slot of new Set([...affected, ...lost.keys()])) {
      old.set(slot, slot.table);
      slot.table = keep(slot.table, affected.has(slot), lost.get(slot));
    }
    let result: RunResult;
    if (all) {
      this.#evaluator = new Evaluator(this.program, this.#budget);
      result = await runSliced(this.#evaluator.derive());
    } else {
      result = { complete: true, rounds: 0 };
      if (affected.size > 0) result = await runSliced(this.#evaluator.derive(affected));
      const additions = new Map([...grown].filter(([slot]) => !old.has(slot)));
      if (result.complete && additions.size > 0) {
        result = await runSliced(this.#evaluator.extend(additions));
        for (const [slot, count] of this.#evaluator.touched) if (!grown.has(slot)) grown.set(slot, count);
      }
      if (!result.complete && result.limit !== 'ms') {
        // Stamps only grow, and a partial result depends on the order of events: begin anew, which either fits or is partial in the one way there is.
        this.generation = ++generations;
        for (const slot of this.program.derived) {
          if (!old.has(slot)) old.set(slot, slot.table);
          slot.table = keep(slot.table, true, undefined);
        }
        this.#evaluator = new Evaluator(this.program, this.#budget);
        result = await runSliced(this.#evaluator.derive());
      }
    }
    this.#finish(result);
    this.#report(old, grown, changes);
  }

  /** Heads to derive anew: all that hang on rows that went, and all that hang on rows that came when a `not` or an aggregate is on the way. */
  #affected(lost: Iterable<Slot>, grown: Iterable<Slot>): Set<Slot> {
    const affected = new Set<Slot>();
    const reach = (from: Slot, seen: Set<Slot>): boolean => {
      let absent = false;
      const stack = [from];
      seen.add(from);
      for (let slot = stack.pop(); slot; slot = stack.pop()) {
        const entry = this.#dependents.get(slot);
        if (!entry) continue;
        absent ||= entry.absent;
        for (const head of entry.heads)
          if (!seen.has(head)) {
            seen.add(head);
            stack.push(head);
          }
      }
      return absent;
    };
    for (const slot of lost) reach(slot, affected);
    for (const slot of grown) {
      const seen = new Set<Slot>();
      if (reach(slot, seen)) for (const head of seen) affected.add(head);
    }
    for (const slot of affected) if (!this.program.derived.has(slot)) affected.delete(slot);
    return affected;
  }

  #report(old: ReadonlyMap<Slot, Table>, grown: ReadonlyMap<Slot, number>, changes: Changes): void {
    const { database } = this;
    for (const [slot, before] of old) {
      const after = slot.table;
      for (let row = 0; row < before.count; row++) {
        if (before.rules[row] < 0) continue;
        const now = after.find(before.subjects[row], before.objects[row]);
        const triple = (): Triple => tripleAt(database, slot, before, row);
        if (now < 0) changes.vanished(triple());
        else if (after.rules[now] < 0) changes.vanished(triple(), false);
        else if (after.confidence(now) !== before.confidence(row)) changes.altered(triple());
      }
      for (let row = 0; row < after.count; row++) {
        if (after.rules[row] < 0) continue;
        const then = before.find(after.subjects[row], after.objects[row]);
        if (then < 0 || before.rules[then] < 0) changes.appeared(database.triple(slot, row));
      }
    }
    for (const [slot, count] of grown) {
      if (old.has(slot)) continue;
      for (let row = count; row < slot.table.count; row++) if (slot.table.rules[row] >= 0) changes.appeared(database.triple(slot, row));
    }
    for (const [slot, rows] of this.#evaluator.raised) {
      if (old.has(slot)) continue;
      const count = grown.get(slot) ?? slot.table.count;
      for (const row of rows) if (row < count) changes.altered(database.triple(slot, row));
    }
  }

  /** Lists the difference between what two closures derive. `stored` says whether a triple that is no longer derived is stored instead. */
  static compare(before: Closure, after: Closure, changes: Changes): void {
    for (const slot of before.program.derived)
      for (let row = 0; row < slot.table.count; row++) {
        if (slot.table.rules[row] < 0) continue;
        const triple = before.database.triple(slot, row);
        const now = after.database.find(triple);
        if (!now) changes.vanished(triple);
        else if (now.slot.table.rules[now.row] < 0) changes.vanished(triple, false);
        else if (now.slot.table.confidence(now.row) !== slot.table.confidence(row)) changes.altered(triple);
      }
    for (const slot of after.program.derived)
      for (let row = 0; row < slot.table.count; row++) {
        if (slot.table.rules[row] < 0) continue;
        const triple = after.database.triple(slot, row);
        const then = before.database.find(triple);
        if (!then || then.slot.table.rules[then.row] < 0) changes.appeared(triple);
      }
  }
}

/** The told rows of a table without those in `lost`; with its derived rows too unless `toldOnly`. */
function keep(table: Table, toldOnly: boolean, lost: ReadonlySet<number> | undefined): Table {
  const kept = new Table(table.confidences !== undefined);
  for (let row = 0; row < table.count; row++)
    if (!lost?.has(row) && (table.rules[row] < 0 || !toldOnly))
      kept.insert(table.subjects[row], table.objects[row], table.rules[row], table.stamps[row], table.confidence(row));
  return kept;
}
const tripleAt = (database: Database, slot: Slot, table: Table, row: number): Triple => {
  const { relation, negated } = unsigned(slot.key);
  const subject = database.terms.term(table.subjects[row]);
  if (subject.kind !== 'entity') throw new TypeError('a literal stands as subject of a row');
  return { subject: subject.id, relation, object: database.terms.term(table.objects[row]), ...(negated ? { negated } : {}) };
};
