// Owns the world as it is and worlds in which something more is assumed: what holds there, why, and which constraints are broken that were not before.
// Refuses to know how assumptions are found. One world at a time; each is left as it was found.

import { tripleKey } from '../terms.ts';
import type { RelationName, Statement, Term, Triple, TriplePattern } from '../terms.ts';
import { entity, parseEntityId, termKey } from '../terms.ts';
import { isAggregate, isAtom } from '../reason/language/body.ts';
import { Database, signed } from '../reason/tables/database.ts';
import type { Row, SignedRelation, Slot } from '../reason/tables/database.ts';
import { Evaluator, runSliced } from '../reason/evaluate/evaluate.ts';
import type { RunResult } from '../reason/evaluate/evaluate.ts';
import { bindingsOf, Explainer, ProofTooLarge } from '../reason/proofs/explain.ts';
import { groupDerivations } from '../reason/proofs/proof-trees.ts';
import type { Derivation } from '../reason/proofs/explain.ts';
import { searching } from '../reason/evaluate/join.ts';
import type { Tick } from '../reason/evaluate/join.ts';
import { Late, paced } from '../reason/evaluate/pace.ts';
import { compileBody } from '../reason/evaluate/compile.ts';
import { orderBody } from '../reason/evaluate/plan.ts';
import { makeRule } from '../reason/language/print.ts';
import { Program } from '../reason/evaluate/program.ts';
import { Reach } from '../reason/evaluate/reach.ts';
import { Table, GIVEN } from '../reason/tables/table.ts';
import type { Budget, Rule } from '../reason/types.ts';
import { neededRelations } from '../knowledge/bases/closure.ts';
import type { FactReader } from '../knowledge/facts/facts.ts';
import { load } from '../knowledge/worlds/hypothesis.ts';
import { inForce } from '../knowledge/facts/validity.ts';

/** No name that a user gives holds this sign. */
const BROKEN = '\u0002broken' as RelationName;
/** Proofs that are looked through for what they rest on. */
const PROOFS = { nodes: 1_000_000_000, height: 1_000 };

/** What a derivation rests on: atoms that must stay absent, triples that are given. */
export interface Rest {
  readonly absent: readonly { readonly slot: Slot; readonly subject: number; readonly object: number }[];
  readonly given: ReadonlySet<string>;
  /** Why more assumptions may change it in ways not listed: something was counted or added up, or the proof is too high to be looked through. */
  readonly unclear?: 'aggregates' | 'depth';
}
/** One way to meet a body: values of its variables, and the row for each atom that is not under `not`. */
export interface Met {
  readonly bindings: Readonly<Record<string, Term>>;
  readonly rows: readonly Row[];
}
/** A world to look into. */
export interface Glimpse {
  /** The first way to meet a body. */
  meet(body: Rule['body']): Promise<Met | undefined>;
  /** Why a constraint is broken that was not so before; undefined when none is. */
  breach(): Promise<Rest | undefined>;
  /** What the proof of a row rests on. */
  restsOn(row: Row): Promise<Rest>;
  /** Nodes of the proof of a row; infinite when it is too large. */
  size(row: Row): Promise<number>;
}
export interface WorldsInput {
  /** Rules with heads. */
  readonly rules: readonly Rule[];
  /** Rules without heads. */
  readonly constraints: readonly Rule[];
  readonly facts: readonly Statement[];
  /** Stored facts that do not count. */
  readonly removed: readonly TriplePattern[];
  /** Relations to be read besides those that rules need. */
  readonly keys: Iterable<SignedRelation>;
  readonly reader: FactReader;
  readonly now: number;
  readonly budget: Budget;
  /** Ways to break one constraint that are told apart before anything is assumed. */
  readonly breaches: number;
  readonly signal?: AbortSignal;
}

export class Worlds {
  readonly database: Database;
  readonly program: Program;
  /** Of deriving what holds before anything is assumed, and what is broken then. */
  #run: RunResult;
  /** Facts derived then. */
  readonly derived: number;
  readonly #constraints: readonly Rule[];
  readonly #breaches: number;
  readonly #evaluator: Evaluator;
  /** Breaches of constraints that are broken already. */
  readonly #before = new Map<number, ReadonlySet<string>>();
  readonly #reach: Reach;

  private constructor(constraints: readonly Rule[], breaches: number, program: Program, evaluator: Evaluator, run: RunResult) {
    this.#constraints = constraints;
    this.#breaches = breaches;
    this.program = program;
    this.database = program.database;
    this.#evaluator = evaluator;
    this.#run = run;
    this.derived = program.database.derived;
    this.#reach = new Reach(program);
  }
  get run(): RunResult {
    return this.#run;
  }

  /** Reads the facts and derives what follows. Throws RuleError, and the signal's reason. */
  static async build({ rules, constraints, facts, removed, keys, reader, now, budget, breaches, signal }: WorldsInput): Promise<Worlds> {
    const began = performance.now();
    const flags = constraints.map(({ body }, i) => {
      const mark = entity(parseEntityId(String(i)));
      return makeRule({ heads: [{ relation: BROKEN, subject: mark, object: mark }], body });
    });
    const all = [...rules, ...flags];
    const needed = neededRelations(all);
    for (const key of keys) needed.add(key);
    needed.delete(signed(BROKEN, false));
    const database = new Database();
    await load(database, reader, needed, removed, signal);
    for (const fact of facts) if (inForce(fact, now)) database.tell(fact, fact.confidence ?? 1, true);
    for (const key of needed) database.slot(key);
    const program = new Program(all, database);
    // Stamps grow from world to world; the depth that was asked for is that of the first.
    let depth = budget.depth;
    const evaluator = new Evaluator(program, {
      ...budget,
      ms: Math.max(0, budget.ms - (performance.now() - began)),
      get depth() {
        return depth;
      },
    });
    const run = await runSliced(evaluator.derive(), signal);
    depth = Number.MAX_SAFE_INTEGER;
    const worlds = new Worlds(constraints, breaches, program, evaluator, run);
    if (!(await inTime(worlds.#note(paced(began + budget.ms)), signal))) worlds.#run = { ...run, complete: false, limit: run.limit ?? 'ms' };
    return worlds;
  }
  /** Remembers what is broken before anything is assumed. */
  *#note(tick: Tick): Generator<void, true> {
    for (const i of this.#broken()) this.#before.set(i, new Set((yield* this.#ways(this.#constraints[i].body, this.#breaches, tick)).map(keyOf)));
    return true;
  }

  /** Looks into the world in which the triples hold as well. undefined when it could not be derived, or looked into, within the limits or before the deadline. */
  async suppose<T>(assumed: readonly Triple[], deadline: number, look: (world: Glimpse) => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    const glance = (): Promise<T | undefined> => notLate(look(this.#glimpse(paced(deadline), signal)));
    if (assumed.length === 0) return glance();
    const { database } = this;
    const own = new Set(assumed.map(({ relation, negated }) => database.slot(signed(relation, negated))));
    const { slots: touched, heads: affected, absent: closed } = this.#reach.of(own);
    const before = new Map([...touched].map((slot) => [slot, slot.table]));
    try {
      for (const slot of touched) slot.table = await copy(slot.table, closed && affected.has(slot));
      const grown = new Map([...own].map((slot) => [slot, slot.table.count]));
      for (const triple of assumed) database.tell(triple, 1, true);
      const work = closed ? this.#evaluator.derive(affected) : this.#evaluator.extend(grown);
      const result = await runSliced(until(work, deadline), signal);
      return result?.complete ? await glance() : undefined;
    } finally {
      for (const [slot, table] of before) slot.table = table;
    }
  }

  /** What is asked throws Late when the time is over. */
  #glimpse(tick: Tick, signal: AbortSignal | undefined): Glimpse {
    const explainer = new Explainer(this.program, PROOFS);
    const restsOn = async (rows: readonly Row[], top?: { readonly rule: Rule; readonly bindings: Met['bindings'] }): Promise<Rest> => {
      try {
        const derivations: Derivation[] = [];
        for (const row of rows) derivations.push(await runSliced(explainer.explaining(row, tick), signal));
        return this.#restsOn(derivations, top);
      } catch (error) {
        if (error instanceof ProofTooLarge) return { absent: [], given: new Set(), unclear: 'depth' };
        throw error;
      }
    };
    const ways = (body: Rule['body'], limit: number): Promise<Met[]> => runSliced(this.#ways(body, limit, tick), signal);
    return {
      meet: async (body) => (await ways(body, 1))[0],
      breach: async () => {
        for (const i of this.#broken()) {
          const known = this.#before.get(i);
          const rule = this.#constraints[i];
          if (!known) return restsOn([this.#flag(i) as Row]);
          // Where more ways were there than are told apart, a new one is not seen: see `blind`.
          const fresh = known.size < this.#breaches ? (await ways(rule.body, this.#breaches)).find((way) => !known.has(keyOf(way))) : undefined;
          if (fresh) return restsOn(fresh.rows, { rule, bindings: fresh.bindings });
        }
        return undefined;
      },
      restsOn: (row) => restsOn([row]),
      size: async (row) => {
        try {
          return (await runSliced(explainer.explaining(row, tick), signal)).nodes;
        } catch (error) {
          if (error instanceof ProofTooLarge) return Number.POSITIVE_INFINITY;
          throw error;
        }
      },
    };
  }
  /** Some constraint is broken in so many ways before anything is assumed that a further one is not noticed. */
  get blind(): boolean {
    return [...this.#before.values()].some(({ size }) => size >= this.#breaches);
  }
  #flag(i: number): Row | undefined {
    return this.database.find({ subject: parseEntityId(String(i)), relation: BROKEN, object: entity(parseEntityId(String(i))) });
  }
  #broken(): number[] {
    return [...this.#constraints.keys()].filter((i) => this.#flag(i) !== undefined);
  }
  /** Ways to meet a body, at most `limit`. */
  *#ways(body: Rule['body'], limit: number, tick: Tick): Generator<void, Met[]> {
    const { database } = this;
    const { body: steps, variables } = compileBody({ body }, database);
    const registers = new Int32Array(variables.length).fill(-1);
    const found: Met[] = [];
    yield* searching(
      database,
      orderBody({ body: steps }, -1, [], this.program.derived),
      registers,
      () => true,
      (rows) => {
        const met = steps.flatMap((step, i): Row[] => (step.kind === 'atom' && !step.absent ? [{ slot: step.slot, row: rows[i] }] : []));
        return found.push({ bindings: bindingsOf(variables, registers, database), rows: met }) >= limit;
      },
      steps.length,
      tick,
    );
    return found;
  }

  #restsOn(derivations: readonly Derivation[], top?: { readonly rule: Rule; readonly bindings: Met['bindings'] }): Rest {
    const absent: { slot: Slot; subject: number; object: number }[] = [];
    const given = new Set<string>();
    let counted = false;
    const seen = new Set<Derivation>();
    const open: Derivation[] = [];
    const { database } = this;
    const conditions = (rule: Rule, bindings: Met['bindings']): void => {
      for (const item of rule.body)
        if (isAggregate(item)) counted = true;
        else if (isAtom(item) && item.absent) {
          const [subject, object] = [item.subject, item.object].map((term) => database.terms.intern(term.kind === 'variable' ? bindings[term.name] : term));
          absent.push({ slot: database.slot(signed(item.relation, item.negated)), subject, object });
        }
    };
    const push = (each: readonly (Derivation | undefined)[]): void => {
      for (const derivation of each)
        if (derivation && !seen.has(derivation)) {
          seen.add(derivation);
          open.push(derivation);
        }
    };
    if (top) conditions(top.rule, top.bindings);
    push(derivations);
    for (let node = open.pop(); node; node = open.pop()) {
      if (node.rule) conditions(node.rule, node.bindings ?? {});
      else if (node.at.slot.table.rules[node.at.row] === GIVEN) given.add(tripleKey(database.triple(node.at.slot, node.at.row)));
      push(node.premises ?? []);
      push(groupDerivations(node.groups));
    }
    return { absent, given, ...(counted ? { unclear: 'aggregates' } : {}) };
  }
}

/** The values that tell ways to meet one body apart. */
const keyOf = ({ bindings }: Met): string => JSON.stringify(Object.entries(bindings).map(([name, term]) => [name, termKey(term)]));
/** Rows copied without letting other work in between. */
const CHUNK = 50_000;
/** A table with the same rows, or with those alone that were told. */
async function copy(table: Table, toldOnly: boolean): Promise<Table> {
  const made = new Table(table.confidences !== undefined);
  for (let row = 0; row < table.count; row++) {
    if (row % CHUNK === CHUNK - 1) await new Promise<void>((resolve) => setImmediate(resolve));
    if (!toldOnly || table.rules[row] < 0) made.insert(table.subjects[row], table.objects[row], table.rules[row], table.stamps[row], table.confidence(row));
  }
  return made;
}
/** undefined when the time is over. */
async function notLate<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Late) return undefined;
    throw error;
  }
}
const inTime = <T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T | undefined> => notLate(runSliced(work, signal));
/** Ends work that a deadline overtakes; what it did so far is left lying. */
function* until<T>(work: Generator<void, T>, deadline: number): Generator<void, T | undefined> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() > deadline) return undefined;
    yield;
  }
}
