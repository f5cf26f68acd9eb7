// Owns the fixpoint: semi-naive rounds over strata (Bancilhon 1986), in slices, inside a budget.
// Refuses to know where facts come from and how proofs look.
//
// What a round k derives from rows of rounds before k gets stamp k. So the stamp of a row bounds the height of its recorded derivation, the premises of that
// derivation have smaller stamps, and a proof can be rebuilt from rule number and stamp alone (Zhao, Subotić and Scholz, TOPLAS 2020).
// Confidence: a told row has what was told; a derived row has the greatest product of premises and rule over all its proofs. Rows whose confidence rises
// are met again in the next round; products of numbers up to 1 rise finitely often, so this ends (max-product, Viterbi semiring). The order of rounds does not matter.

import type { Slot } from './database.ts';
import { aggregateValue, groupIds } from './join.ts';
import { ABSENT, AGGREGATE, ALL, ASSIGN, bestLead, COMPARE, OBJECT, orderBody, PROBE, SUBJECT, TEST } from './plan.ts';
import type { AggregateItem, AtomItem, Clause, Step, TestItem } from './plan.ts';
import type { Program, Variant, Watchers } from './program.ts';
import type { Chain, Table } from './table.ts';
import type { Budget, BudgetLimit } from './types.ts';

export interface RunResult {
  readonly complete: boolean;
  /** The limit that was reached; rows derived so far stay. */
  readonly limit?: BudgetLimit;
  readonly rounds: number;
}
/** What changed since the last complete run: slot -> number of rows it had then. */
export type Delta = ReadonlyMap<Slot, number>;

const CHUNK = 1024;
/** Rows looked at between two pauses at most, but for those that one row leads to. */
const PAUSE = 50_000;
/** Rows between two pauses where functions or aggregates are computed for each. */
const SMALL_CHUNK = 16;
class Tripped {
  readonly limit: BudgetLimit;
  constructor(limit: BudgetLimit) {
    this.limit = limit;
  }
}

export class Evaluator {
  readonly #program: Program;
  readonly #budget: Budget;
  readonly #now: () => number;
  /** Stamp of the current round. Grows over the evaluator's life: premises always have smaller stamps. */
  #clock = 0;
  /** Stamp of the last round that brought something. */
  #last = 0;
  #deadline = 0;
  #derived = 0;
  #work = 0;
  /** Work at which to yield, wherever that is. */
  #pause = 0;
  #weighted = false;
  /** Slots that got rows in this round. */
  #dirty = new Set<Slot>();
  /** Slots that changed in this run, with their row count before it. */
  #touched = new Map<Slot, number>();
  /** Raised rows below the counts in #touched, for the strata above. */
  #raised = new Map<Slot, Set<number>>();
  /** Values of aggregates by group, for this run: an aggregate's tables are complete before its clauses run. -1 stands for no value. */
  readonly #aggregates = new Map<AggregateItem, Map<string, number>>();
  /** Rises found in this round, applied at its end. */
  #rises: { slot: Slot; row: number; rule: number; confidence: number }[] = [];

  // The plan that runs.
  #clause!: Clause;
  #steps: readonly Step[] = [];
  readonly #tables: Table[] = [];
  readonly #limits: number[] = [];
  readonly #chains: (Chain | undefined)[] = [];
  readonly #registers = new Int32Array(160);
  /** Row met for each place of the body. */
  readonly #rows = new Int32Array(80);
  #head!: Table;
  #chunk = CHUNK;

  /** `now`: milliseconds, for the time limit. */
  constructor(program: Program, budget: Budget, now: () => number = () => performance.now()) {
    this.#program = program;
    this.#budget = budget;
    this.#now = now;
  }
  /** Slots that changed in the last run, with their row count before it. */
  get touched(): ReadonlyMap<Slot, number> {
    return this.#touched;
  }
  /** Rows whose confidence rose in the last run; some may be new themselves. */
  get raised(): ReadonlyMap<Slot, ReadonlySet<number>> {
    return this.#raised;
  }

  /** Derives everything anew for the clauses whose head is in `affected` (absent: all), whose tables hold told rows only. Yields between slices of work. */
  *derive(affected?: ReadonlySet<Slot>): Generator<void, RunResult> {
    return yield* this.#guarded(this.#deriveAll(affected));
  }
  /** Derives what follows from rows added since the last complete run, when no affected relation stands under `not`. Yields between slices of work. */
  *extend(delta: Delta): Generator<void, RunResult> {
    return yield* this.#guarded(this.#extendBy(delta));
  }

  *#guarded(work: Generator<void, void>): Generator<void, RunResult> {
    const began = this.#clock;
    this.#deadline = this.#now() + this.#budget.ms;
    this.#derived = this.#program.database.derived;
    this.#weighted = this.#program.database.weighted;
    this.#work = 0;
    this.#pause = PAUSE;
    for (const slot of this.#program.database.slots()) slot.raised.length = 0;
    this.#touched.clear();
    this.#raised.clear();
    this.#dirty.clear();
    this.#aggregates.clear();
    this.#rises = [];
    try {
      yield* work;
      return { complete: true, rounds: this.#clock - began };
    } catch (error) {
      if (!(error instanceof Tripped)) throw error;
      return { complete: false, limit: error.limit, rounds: this.#clock - began };
    }
  }

  *#deriveAll(affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    const { strata, database, derived } = this.#program;
    for (const slot of database.slots()) slot.low = slot.high = slot.table.count;
    for (let stratum = 0; stratum < strata.length; stratum++) {
      this.#beginRound();
      for (const clause of strata[stratum]) {
        if (affected && !affected.has(clause.head.slot)) continue;
        const lead = bestLead(clause, derived);
        if (lead < 0) {
          this.#prepare(clause, orderBody(clause, -1, [], derived), -1, true);
          this.#join(0);
          continue;
        }
        const item = clause.body[lead] as AtomItem;
        this.#prepare(clause, orderBody(clause, lead, [], derived), lead, true);
        yield* this.#walk(item, lead, 0, item.slot.high);
      }
      this.#endRound();
      yield* this.#rounds(stratum, affected);
    }
  }

  *#extendBy(delta: Delta): Generator<void, void> {
    const { strata, database } = this.#program;
    for (const slot of database.slots()) slot.low = slot.high = slot.table.count;
    for (const [slot, count] of delta) this.#touched.set(slot, count);
    for (let stratum = 0; stratum < strata.length; stratum++) {
      for (const [slot, count] of this.#touched) {
        slot.low = count;
        slot.high = slot.table.count;
        slot.raised = [...(this.#raised.get(slot) ?? [])];
        this.#dirty.add(slot);
      }
      yield* this.#rounds(stratum, undefined);
    }
  }

  /** Rounds of one stratum, beginning with the deltas of the slots in #dirty, until nothing new comes. */
  *#rounds(stratum: number, affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    while (this.#dirty.size > 0) {
      const active = [...this.#dirty].filter((slot) => slot.low < slot.high || slot.raised.length > 0);
      this.#dirty.clear();
      const watched = active.filter((slot) => this.#program.watchers(stratum, slot) !== undefined);
      this.#beginRound();
      for (const slot of watched) yield* this.#meet(this.#program.watchers(stratum, slot) as Watchers, slot, affected);
      for (const slot of active) {
        slot.low = slot.high;
        slot.raised = [];
      }
      this.#endRound();
    }
  }

  #beginRound(): void {
    this.#last = this.#clock++;
  }
  /** Makes the rows of the round that ends the delta of the next one. A round that brought nothing is not counted. */
  #endRound(): void {
    if (this.#dirty.size === 0 && this.#rises.length === 0) this.#clock = this.#last;
    const best = new Map<Slot, Set<number>>();
    for (const { slot, row, rule, confidence } of this.#rises) {
      if (slot.table.confidence(row) >= confidence) continue;
      slot.table.restate(row, rule, this.#clock, confidence);
      let rows = best.get(slot);
      if (!rows) best.set(slot, (rows = new Set()));
      rows.add(row);
    }
    this.#rises = [];
    for (const [slot, rows] of best) {
      this.#dirty.add(slot);
      slot.raised = [...rows];
      const all = this.#raised.get(slot) ?? new Set();
      for (const row of rows) all.add(row);
      this.#raised.set(slot, all);
      if (!this.#touched.has(slot)) this.#touched.set(slot, slot.high);
    }
    for (const slot of this.#dirty) {
      if (!this.#touched.has(slot)) this.#touched.set(slot, slot.high);
      slot.low = slot.high;
      slot.high = slot.table.count;
    }
  }

  *#meet(watchers: Watchers, slot: Slot, affected: ReadonlySet<Slot> | undefined): Generator<void, void> {
    for (const variant of watchers.general) {
      if (affected && !affected.has(variant.clause.head.slot)) continue;
      this.#prepareVariant(variant, false);
      yield* this.#walk(variant.item, variant.lead, slot.low, slot.high);
      if (slot.raised.length === 0) continue;
      this.#prepareVariant(variant, true);
      for (const row of slot.raised) if (this.#unify(variant.item, variant.lead, slot.table, row)) this.#join(0);
    }
    if (watchers.byObject.size === 0) return;
    const meetRow = (row: number, everything: boolean): void => {
      for (const variant of watchers.byObject.get(slot.table.objects[row]) ?? []) {
        if (affected && !affected.has(variant.clause.head.slot)) continue;
        this.#prepareVariant(variant, everything);
        if (this.#unify(variant.item, variant.lead, slot.table, row)) this.#join(0);
      }
    };
    const { low, high, raised } = slot;
    for (let row = low; row < high; row++) {
      meetRow(row, false);
      if ((row - low) % this.#chunk === this.#chunk - 1 || this.#due()) yield;
    }
    for (const row of raised) meetRow(row, true);
  }

  *#walk(item: AtomItem, lead: number, from: number, to: number): Generator<void, void> {
    const { table } = item.slot;
    // A constant narrows the rows to one chain or one pair.
    if (to - from > 32 && from === 0 && item.subject < 0 && item.object < 0) {
      const row = table.find(~item.subject, ~item.object);
      if (row >= 0 && row < to && this.#unify(item, lead, table, row)) this.#join(0);
      return;
    }
    if (to - from > 32 && from === 0 && (item.subject < 0 || item.object < 0)) {
      const terms = this.#program.database.terms.size;
      const chain = item.subject < 0 ? table.bySubject(terms) : table.byObject(terms);
      const rows: number[] = [];
      for (let row = chain.first(item.subject < 0 ? ~item.subject : ~item.object); row >= 0; row = chain.after(row)) if (row < to) rows.push(row);
      for (let i = 0; i < rows.length; i++) {
        if (this.#unify(item, lead, table, rows[i])) this.#join(0);
        if (i % this.#chunk === this.#chunk - 1 || this.#due()) yield;
      }
      return;
    }
    for (let row = from; row < to;) {
      const end = Math.min(to, row + this.#chunk);
      for (let due = false; row < end && !due; row++) {
        if (!this.#unify(item, lead, table, row)) continue;
        this.#join(0);
        due = this.#due();
      }
      yield;
    }
  }
  /** Few rows may lead to many: is it time to yield in the middle of a chunk? */
  #due(): boolean {
    if (this.#work < this.#pause) return false;
    this.#pause = this.#work + PAUSE;
    return true;
  }

  #prepareVariant(variant: Variant, everything: boolean): void {
    variant.steps ??= orderBody(variant.clause, variant.lead, [], this.#program.derived);
    this.#prepare(variant.clause, variant.steps, variant.lead, everything);
  }
  /** `everything`: all conditions see all rows of the rounds before; else those in front of the lead see only rows older than the delta, so that no pair of new rows is met twice. */
  #prepare(clause: Clause, steps: readonly Step[], lead: number, everything: boolean): void {
    this.#clause = clause;
    this.#steps = steps;
    this.#head = clause.head.slot.table;
    this.#chunk = steps.some(({ op }) => op >= TEST) ? SMALL_CHUNK : CHUNK;
    const terms = this.#program.database.terms.size;
    for (let i = 0; i < steps.length; i++) {
      const { slot, op, position } = steps[i];
      if (!slot) continue;
      this.#tables[i] = slot.table;
      this.#limits[i] = op === ABSENT ? slot.table.count : everything || position > lead ? slot.high : slot.low;
      this.#chains[i] = op === SUBJECT ? slot.table.bySubject(terms) : op === OBJECT ? slot.table.byObject(terms) : undefined;
    }
  }

  /** Binds the lead condition to a row. */
  #unify(item: AtomItem, lead: number, table: Table, row: number): boolean {
    const subject = table.subjects[row];
    const object = table.objects[row];
    if (item.subject < 0) {
      if (subject !== ~item.subject) return false;
    } else this.#registers[item.subject] = subject;
    if (item.object < 0) {
      if (object !== ~item.object) return false;
    } else if (item.object === item.subject) {
      if (object !== subject) return false;
    } else this.#registers[item.object] = object;
    this.#rows[lead] = row;
    return true;
  }

  #join(i: number): void {
    if (i === this.#steps.length) return this.#emit();
    const step = this.#steps[i];
    const registers = this.#registers;
    const rows = this.#rows;
    switch (step.op) {
      case SUBJECT: {
        // Growing replaces the columns; those read here keep every row below the limit.
        const { next, heads } = this.#chains[i] as Chain;
        const { objects } = this.#tables[i];
        const limit = this.#limits[i];
        const key = step.subject < 0 ? ~step.subject : registers[step.subject];
        for (let row = key < heads.length ? heads[key] - 1 : -1; row >= 0; row = next[row] - 1) {
          this.#count();
          if (row >= limit) continue;
          registers[step.object] = objects[row];
          rows[step.position] = row;
          this.#join(i + 1);
        }
        return;
      }
      case OBJECT: {
        const { next, heads } = this.#chains[i] as Chain;
        const { subjects } = this.#tables[i];
        const limit = this.#limits[i];
        const key = step.object < 0 ? ~step.object : registers[step.object];
        for (let row = key < heads.length ? heads[key] - 1 : -1; row >= 0; row = next[row] - 1) {
          this.#count();
          if (row >= limit) continue;
          registers[step.subject] = subjects[row];
          rows[step.position] = row;
          this.#join(i + 1);
        }
        return;
      }
      case PROBE: {
        this.#count();
        const row = this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]);
        if (row < 0 || row >= this.#limits[i]) return;
        rows[step.position] = row;
        return this.#join(i + 1);
      }
      case ALL: {
        const { subjects, objects } = this.#tables[i];
        const limit = this.#limits[i];
        for (let row = 0; row < limit; row++) {
          this.#count();
          if (step.same && subjects[row] !== objects[row]) continue;
          registers[step.subject] = subjects[row];
          registers[step.object] = objects[row];
          rows[step.position] = row;
          this.#join(i + 1);
        }
        return;
      }
      case ABSENT:
        this.#count();
        if (this.#tables[i].find(step.subject < 0 ? ~step.subject : registers[step.subject], step.object < 0 ? ~step.object : registers[step.object]) >= 0)
          return;
        return this.#join(i + 1);
      case COMPARE:
        if (
          !this.#program.database.terms.compare(
            step.operator,
            step.subject < 0 ? ~step.subject : registers[step.subject],
            step.object < 0 ? ~step.object : registers[step.object],
          )
        )
          return;
        return this.#join(i + 1);
      case TEST:
        this.#check();
        if ((step.test as TestItem).holds(registers)) this.#join(i + 1);
        return;
      case ASSIGN: {
        this.#check();
        const value = step.compute?.(registers);
        if (value === undefined) return;
        registers[step.subject] = this.#program.database.terms.intern(value);
        return this.#join(i + 1);
      }
      case AGGREGATE: {
        const id = this.#aggregate(step.aggregate as AggregateItem);
        if (id < 0) return;
        if (step.object === 1) {
          if (id !== (step.subject < 0 ? ~step.subject : registers[step.subject])) return;
        } else registers[step.subject] = id;
        return this.#join(i + 1);
      }
      default:
        throw new TypeError(`no step has operation ${step.op}`);
    }
  }

  /** Id of the value for the group in the registers, or -1. */
  #aggregate(item: AggregateItem): number {
    let known = this.#aggregates.get(item);
    if (!known) this.#aggregates.set(item, (known = new Map()));
    const group = groupIds(item, this.#registers);
    const key = group.join(' ');
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const { database } = this.#program;
    const value = aggregateValue(database, item, group, () => this.#count());
    const id = value === undefined ? -1 : database.terms.intern(value);
    known.set(key, id);
    return id;
  }

  /** A function may take long: the time is looked at before each. */
  #check(): void {
    if (this.#now() > this.#deadline) throw new Tripped('ms');
  }
  #count(): void {
    if ((++this.#work & 0x3fff) === 0 && this.#now() > this.#deadline) throw new Tripped('ms');
  }

  #emit(): void {
    this.#count();
    const clause = this.#clause;
    const { subject: s, object: o, slot } = clause.head;
    const subject = s < 0 ? ~s : this.#registers[s];
    const object = o < 0 ? ~o : this.#registers[o];
    if (clause.checkSubject && !this.#program.database.terms.isEntity(subject)) return;
    const table = this.#head;
    let confidence = 1;
    if (this.#weighted) {
      confidence = clause.confidence;
      for (let i = 0; i < clause.body.length; i++) {
        const item = clause.body[i];
        if (item.kind === 'atom' && !item.absent) confidence *= item.slot.table.confidence(this.#rows[i]);
      }
    }
    if (this.#derived >= this.#budget.facts || this.#clock > this.#budget.depth) {
      const row = table.find(subject, object);
      if (row < 0) throw new Tripped(this.#clock > this.#budget.depth ? 'depth' : 'facts');
      this.#meetAgain(slot, row, confidence);
      return;
    }
    if (table.add(subject, object, clause.rule, this.#clock, confidence) < 0) {
      if (this.#weighted) this.#meetAgain(slot, table.find(subject, object), confidence);
      return;
    }
    this.#derived++;
    this.#dirty.add(slot);
  }

  /** Another derivation of a row that is there. */
  #meetAgain(slot: Slot, row: number, confidence: number): void {
    const { table } = slot;
    if (!this.#weighted || table.rules[row] < 0 || table.confidence(row) >= confidence) return;
    if (this.#clock > this.#budget.depth) throw new Tripped('depth');
    if (row >= slot.high) table.restate(row, this.#clause.rule, this.#clock, confidence);
    else this.#rises.push({ slot, row, rule: this.#clause.rule, confidence });
  }
}

/** Runs to the end without a pause. */
export function runNow<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
/** Runs in slices of about `sliceMs`, letting other work of the process in between. Rejects with the signal's reason when it fires. */
export async function runSliced<T>(work: Generator<void, T>, signal?: AbortSignal, sliceMs = 10): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const until = performance.now() + sliceMs;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < until);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
