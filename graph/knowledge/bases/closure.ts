// Owns what the standing rules of one base derive, and keeps it equal to deriving it anew, whatever facts come and go.
// Refuses to know stores' formats, events' listeners and how proofs are kept.

import { entity } from '../../terms.ts';
import type { RelationName, Triple } from '../../terms.ts';
import { atomsOf } from '../../reason/language/body.ts';
import { Database, signed, unsigned } from '../../reason/tables/database.ts';
import type { SignedRelation, Slot } from '../../reason/tables/database.ts';
import { Evaluator, runSliced } from '../../reason/evaluate/evaluate.ts';
import type { RunResult } from '../../reason/evaluate/evaluate.ts';
import { pauses } from '../../reason/evaluate/run.ts';
import { Program } from '../../reason/evaluate/program.ts';
import { Reach } from '../../reason/evaluate/reach.ts';
import { STORED, Table } from '../../reason/tables/table.ts';
import type { Budget, BudgetLimit, Rule } from '../../reason/types.ts';
import { Upkeep } from '../../reason/upkeep/upkeep.ts';
import type { Edit } from '../../reason/upkeep/upkeep.ts';
import type { Changes } from './changes.ts';
import { listAnew, listUpkeep } from './differences.ts';
import { Turns } from '../common/turns.ts';
import type { FactReader } from '../facts/facts.ts';

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
  const turns = new Turns();
  for (const key of relations) {
    await turns.give(signal);
    const { relation, negated } = unsigned(key);
    await reader.each({ relation, ...(negated ? { negated } : {}) }, (fact) => void database.tell(fact, fact.confidence), signal);
  }
}

/** Part of the work of deriving anew that upkeep may do before it is given up. */
const SHARE = 1 / 10;
/** Part of that after which it is given up where nearly everything falls that is looked at; half as much each time that it was given up before. */
const TRIAL = 1 / 8;
/** Work that is never given up: rows looked at. */
const LEAST_WORK = 20_000;
/** Writes at most for which upkeep is not tried after it was given up. */
const MOST_WAITS = 15;
let generations = 0;

export class Closure {
  /** Changes when rows move: row numbers read before are void. */
  generation = ++generations;
  readonly #budget: Budget;
  readonly needed: ReadonlySet<SignedRelation>;
  readonly database: Database;
  readonly program: Program;
  #evaluator: Evaluator;
  #upkeep: Upkeep;
  /** Times in a row that upkeep was given up, and times that it is not tried. */
  #failures = 0;
  #waits = 0;
  #partial: BudgetLimit | undefined;
  readonly #reach: Reach;

  private constructor(program: Program, needed: ReadonlySet<SignedRelation>, budget: Budget) {
    this.#budget = budget;
    this.needed = needed;
    this.database = program.database;
    this.program = program;
    this.#evaluator = new Evaluator(this.program, budget);
    this.#upkeep = new Upkeep(this.program, this.#evaluator);
    this.#reach = new Reach(this.program);
  }

  /** Reads what the rules need and derives what follows. Throws RuleError `unstratifiable`. */
  static async build(rules: readonly Rule[], reader: FactReader, budget: Budget, signal?: AbortSignal): Promise<Closure> {
    const turns = new Turns();
    const needed = neededRelations(rules);
    await turns.give(signal);
    const database = new Database();
    await loadRelations(database, reader, needed, signal);
    const closure = new Closure(await runSliced(Program.making(rules, database), signal), needed, budget);
    await turns.give(signal);
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
    for (const { table } of this.database.slots()) table.settle();
  }

  /** Brings the closure up to date after the told state of some triples (each once) changed, and lists what came and went. */
  async apply(states: readonly ToldState[], changes: Changes): Promise<void> {
    const edits = await runSliced(this.#edits(states, changes));
    let undone = false;
    if (this.#partial === undefined) {
      if (edits.length === 0) return;
      const waits = this.#waits > 0 && edits.some(({ confidence }) => confidence === undefined);
      const result = waits ? undefined : await runSliced(this.#tryUpkeep(edits));
      if (result?.complete) {
        if (this.#upkeep.gone.size > 0) this.#failures = 0;
        for (const slot of this.#evaluator.touched.keys()) slot.table.settle();
        if (this.#upkeep.gone.size > 0) this.generation = ++generations;
        listUpkeep(this.database, this.#evaluator, this.#upkeep, changes);
        this.#upkeep.forget();
        return;
      }
      if (waits) this.#waits--;
      else {
        this.#upkeep.undo();
        undone = true;
        // Where upkeep was given up again and again, it is tried less often.
        this.#waits = Math.min(MOST_WAITS, 2 ** ++this.#failures - 1);
      }
    }
    await this.#anew(edits, changes, undone);
  }

  /** What is told otherwise now. What was derived and is told from now on is listed at once. */
  *#edits(states: readonly ToldState[], changes: Changes): Generator<void, Edit[]> {
    const { database } = this;
    const edits: Edit[] = [];
    const pause = pauses();
    for (const { triple, confidence } of states) {
      if (pause()) yield;
      const at = database.find(triple);
      const table = at?.slot.table;
      const derived = at !== undefined && at.slot.table.rules[at.row] >= 0;
      if (confidence === undefined ? !at || derived : at && !derived && table?.confidence(at.row) === confidence) continue;
      if (confidence !== undefined && confidence < 1) database.weigh();
      if (derived) changes.vanished(triple, false);
      const slot = database.slot(signed(triple.relation, triple.negated));
      edits.push({ slot, subject: database.terms.intern(entity(triple.subject)), object: database.terms.intern(triple.object), confidence });
    }
    return edits;
  }
  #tryUpkeep(edits: readonly Edit[]): ReturnType<Upkeep['run']> {
    const most = this.#allowance(edits);
    return this.#upkeep.run(edits, most, (most * TRIAL) / 2 ** this.#failures);
  }
  /** Work that upkeep may do before deriving anew is the better way: a small part of what that would be. */
  #allowance(edits: readonly Edit[]): number {
    let derived = 0;
    for (const slot of this.#reach.of(edits.map(({ slot }) => slot)).heads) derived += slot.table.derived;
    return Math.max(LEAST_WORK, (this.#evaluator.cost * SHARE * derived) / Math.max(1, this.database.derived));
  }

  /** Derives anew what hangs on the edits, or everything. `undone`: upkeep was given up, and what it reached has its facts as before, but not what they rest on. */
  async #anew(edits: readonly Edit[], changes: Changes, undone: boolean): Promise<void> {
    const { lost, grown } = tell(edits);
    const old = new Map<Slot, Table>();
    const all = this.#partial !== undefined;
    const affected = all ? this.program.derived : undone ? this.#reach.of([...lost.keys(), ...grown.keys()]).heads : this.#affected(lost.keys(), grown.keys());
    if (affected.size > 0 || lost.size > 0) this.generation = ++generations;
    for (const slot of new Set([...affected, ...lost.keys()])) {
      old.set(slot, slot.table);
      slot.table = keep(slot.table, affected.has(slot), lost.get(slot));
    }
    let result: RunResult;
    if (all) {
      this.#renew();
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
        this.#renew();
        result = await runSliced(this.#evaluator.derive());
      }
    }
    this.#finish(result);
    listAnew(this.database, old, grown, this.#evaluator.raised, changes);
  }
  #renew(): void {
    this.#evaluator = new Evaluator(this.program, this.#budget);
    this.#upkeep = new Upkeep(this.program, this.#evaluator);
  }

  /** Heads to derive anew: all that hang on rows that went, and all that hang on rows that came when a `not` or an aggregate is on the way. */
  #affected(lost: Iterable<Slot>, grown: Iterable<Slot>): Set<Slot> {
    const affected = this.#reach.of(lost).heads;
    for (const slot of grown) {
      const { heads, absent } = this.#reach.of([slot]);
      if (absent) for (const head of heads) affected.add(head);
    }
    return affected;
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

/** Tells edits at once. Returns rows to be taken out, and slots that got new rows with their count before. */
function tell(edits: readonly Edit[]): { readonly lost: Map<Slot, Set<number>>; readonly grown: Map<Slot, number> } {
  const grown = new Map<Slot, number>();
  /** Slots in which confidences changed are among them, with or without rows. */
  const lost = new Map<Slot, Set<number>>();
  for (const { slot, subject, object, confidence } of edits) {
    const { table } = slot;
    const row = table.find(subject, object);
    if (row < 0) {
      if (confidence === undefined) continue;
      if (!grown.has(slot)) grown.set(slot, table.count);
      table.insert(subject, object, STORED, 0, confidence);
      continue;
    }
    let rows = lost.get(slot);
    if (!rows) lost.set(slot, (rows = new Set()));
    if (confidence === undefined) rows.add(row);
    else table.restate(row, STORED, 0, confidence);
  }
  return { lost, grown };
}
/** The told rows of a table without those in `lost`; with its derived rows too unless `toldOnly`. */
function keep(table: Table, toldOnly: boolean, lost: ReadonlySet<number> | undefined): Table {
  const kept = new Table(table.confidences !== undefined);
  for (let row = 0; row < table.count; row++)
    if (!lost?.has(row) && (table.rules[row] < 0 || !toldOnly))
      kept.insert(table.subjects[row], table.objects[row], table.rules[row], table.stamps[row], table.confidence(row));
  return kept;
}
