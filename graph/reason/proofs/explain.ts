// Owns rebuilding proofs from rule numbers and stamps, and finding all ways to meet a body.
// Refuses to know stores: leaves are rows, which the caller turns into facts.

import type { Term } from '../../terms.ts';
import type { Database, Row, Slot } from '../tables/database.ts';
import { eachMember, groupIds, searching } from '../evaluate/join.ts';
import type { Tick } from '../evaluate/join.ts';
import { runNow } from '../evaluate/run.ts';
import { compileBody } from '../evaluate/compile.ts';
import { orderBody } from '../evaluate/plan.ts';
import type { AggregateItem, Clause } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import type { Rule } from '../types.ts';

export interface ProofLimits {
  /** Nodes of one proof tree at most (shared parts counted each time). */
  readonly nodes: number;
  /** Height of one proof tree at most. */
  readonly height: number;
}
/** A proof exists but is larger than the caller allows. */
export class ProofTooLarge extends Error {
  constructor(limits: ProofLimits) {
    super(`the proof has more than ${limits.nodes} nodes or is higher than ${limits.height}`);
    this.name = 'ProofTooLarge';
  }
}

/** Nothing proves the row as it stands there: a run that did not end left it so. */
export class Unfounded extends Error {
  constructor() {
    super('a row names a rule that does not derive it');
    this.name = 'Unfounded';
  }
}

/** Levels of a proof explained in one descent: each takes several frames of the stack. */
const LEVELS = 100;
class Deeper {
  readonly at: Row;
  constructor(at: Row) {
    this.at = at;
  }
}

/** One way down from a row. */
interface Descent {
  readonly tick: Tick;
  /** Rows that are being explained. */
  readonly path: Map<Slot, Set<number>>;
  readonly depth: number;
}
const idle: Tick = () => false;

/** A row with how it came about; told rows have no premises. Nodes are shared: the tree is a directed acyclic graph in memory. */
export interface Derivation {
  readonly at: Row;
  readonly rule?: Rule;
  readonly bindings?: Readonly<Record<string, Term>>;
  /** One per condition of the rule; undefined for `not`, comparisons and aggregates. */
  readonly premises?: readonly (Derivation | undefined)[];
  /** By place among the conditions: what the aggregates of the rule are made of. */
  readonly groups?: ReadonlyMap<number, Group>;
  readonly nodes: number;
  readonly height: number;
}

/** The ways to meet the body of an aggregate for one group. */
export interface Group {
  readonly members: readonly { readonly bindings: Readonly<Record<string, Term>>; readonly premises: readonly (Derivation | undefined)[] }[];
  /** Ways in all; `members` are the first of them. */
  readonly total: number;
  /** What the ways rest on that come after the members, up to the READ_MEMBERS-th. */
  readonly others: readonly Derivation[];
}
/** Members of a group that a proof shows at most, and those whose facts are read. */
export const SHOWN_MEMBERS = 20;
export const READ_MEMBERS = 2_000;

/** Rebuilds proofs of rows of one program's database. Keeps what it built: make one for each reading of an unchanged database. */
export class Explainer {
  readonly #program: Program;
  readonly #limits: ProofLimits;
  /** What was found of a row; undefined: its proof is too large. */
  readonly #known = new Map<Slot, Map<number, Derivation | undefined>>();
  readonly #orders = new Map<Clause, ReturnType<typeof orderBody>>();

  constructor(program: Program, limits: ProofLimits) {
    this.#program = program;
    this.#limits = limits;
  }

  /** A proof of the row, of the height its stamp says and of the row's confidence. Throws ProofTooLarge, and Unfounded. */
  explain(at: Row): Derivation {
    return runNow(this.explaining(at));
  }
  /** The same. Yields where `tick` says so. */
  *explaining(at: Row, tick: Tick = idle): Generator<void, Derivation> {
    const pending = [at];
    for (;;) {
      if ((pending.length - 2) * LEVELS > this.#limits.height) this.#tooLarge(pending.splice(1)[0]);
      try {
        const derivation = yield* this.#explain(pending[pending.length - 1], { tick, path: new Map(), depth: 0 });
        if (!derivation) throw new Unfounded();
        pending.pop();
        if (pending.length === 0) return derivation;
      } catch (error) {
        if (error instanceof Deeper) pending.push(error.at);
        else if (error instanceof ProofTooLarge) {
          const large = this.#tooLarge(pending.pop() as Row);
          if (pending.length === 0) throw large;
        } else throw error;
      }
    }
  }
  /** Notes it, so that what rests on the row need not find it out again. */
  #tooLarge({ slot, row }: Row): ProofTooLarge {
    this.#knownOf(slot).set(row, undefined);
    return new ProofTooLarge(this.#limits);
  }
  #knownOf(slot: Slot): Map<number, Derivation | undefined> {
    let known = this.#known.get(slot);
    if (!known) this.#known.set(slot, (known = new Map()));
    return known;
  }

  *#explain(at: Row, descent: Descent): Generator<void, Derivation | undefined> {
    const { slot, row } = at;
    const known = this.#knownOf(slot);
    const kept = known.get(row);
    if (kept) return kept;
    if (known.has(row)) throw new ProofTooLarge(this.#limits);
    if (slot.table.rules[row] < 0) {
      const leaf: Derivation = { at, nodes: 1, height: 1 };
      known.set(row, leaf);
      return leaf;
    }
    // What lies too deep for the stack is explained first, and known when this comes here again.
    if (descent.depth >= LEVELS) throw new Deeper(at);
    let path = descent.path.get(slot);
    if (!path) descent.path.set(slot, (path = new Set()));
    path.add(row);
    try {
      // Premises older than the row make a proof at once. Where rounding made a later rise of a premise invisible, any premise that is not being proved will do.
      const derivation = (yield* this.#derive(at, descent, true)) ?? (this.#program.database.weighted ? yield* this.#derive(at, descent, false) : undefined);
      if (derivation) known.set(row, derivation);
      return derivation;
    } finally {
      path.delete(row);
    }
  }

  *#derive(at: Row, descent: Descent, older: boolean): Generator<void, Derivation | undefined> {
    const { slot, row } = at;
    const { table } = slot;
    const { database, rules } = this.#program;
    const stamp = table.stamps[row];
    const confidence = table.confidence(row);
    const numbers = older ? [table.rules[row]] : rules.keys();
    for (const number of numbers)
      for (const clause of this.#program.clausesOf(number)) {
        if (clause.head.slot !== slot) continue;
        const registers = new Int32Array(clause.variables.length).fill(-1);
        if (!bindHead(clause, registers, table.subjects[row], table.objects[row])) continue;
        const steps = this.#order(clause, registers);
        const accept = (premise: Slot, i: number): boolean => (older ? premise.table.stamps[i] < stamp : !(descent.path.get(premise)?.has(i) ?? false));
        let met: { readonly registers: Int32Array; readonly rows: Int32Array } | undefined;
        const ways = searching(
          database,
          steps,
          registers,
          accept,
          (rows) => {
            if (!database.weighted || product(clause, rows) === confidence) met = { registers: Int32Array.from(registers), rows: Int32Array.from(rows) };
            return false;
          },
          clause.body.length,
          // The search waits while the premises of a way are explained.
          (slow) => descent.tick(slow) || met !== undefined,
        );
        for (let ended = false; !ended; ) {
          ended = ways.next().done === true;
          if (!met) {
            if (!ended) yield;
            continue;
          }
          const derivation = yield* this.#node(at, clause, met.registers, met.rows, descent);
          if (derivation) return derivation;
          met = undefined;
        }
      }
    return undefined;
  }

  /** The order in which the conditions are met once the head is bound; the head binds the same variables each time. */
  #order(clause: Clause, registers: Int32Array): ReturnType<typeof orderBody> {
    let steps = this.#orders.get(clause);
    if (!steps) this.#orders.set(clause, (steps = orderBody(clause, -1, [...registers.keys()].filter((register) => registers[register] >= 0), this.#program.derived)));
    return steps;
  }
  *#node(at: Row, clause: Clause, registers: Int32Array, rows: Int32Array, descent: Descent): Generator<void, Derivation | undefined> {
    const premises: (Derivation | undefined)[] = [];
    const groups = new Map<number, Group>();
    let [nodes, height] = [1, 0];
    for (let i = 0; i < clause.body.length; i++) {
      const item = clause.body[i];
      if (item.kind !== 'atom' || item.absent) {
        premises.push(undefined);
        [nodes, height] = [nodes + 1, Math.max(height, 1)];
        if (item.kind !== 'aggregate') continue;
        const group = yield* this.#group(item, registers, descent);
        groups.set(i, group);
        for (const { premises: inner } of group.members)
          for (const premise of inner) [nodes, height] = [nodes + (premise?.nodes ?? 1), Math.max(height, 1 + (premise?.height ?? 1))];
        continue;
      }
      const premise = yield* this.#explain({ slot: item.slot, row: rows[i] }, { ...descent, depth: descent.depth + 1 });
      if (!premise) return undefined;
      premises.push(premise);
      [nodes, height] = [nodes + premise.nodes, Math.max(height, premise.height)];
    }
    if (nodes > this.#limits.nodes || height + 1 > this.#limits.height) throw new ProofTooLarge(this.#limits);
    return {
      at,
      rule: this.#program.rules[clause.rule],
      bindings: bindingsOf(clause.variables, registers, this.#program.database),
      premises,
      ...(groups.size > 0 ? { groups } : {}),
      nodes,
      height: height + 1,
    };
  }

  *#group(item: AggregateItem, registers: Int32Array, descent: Descent): Generator<void, Group> {
    const { database } = this.#program;
    const ways: { registers: Int32Array; rows: Int32Array }[] = [];
    let total = 0;
    const note = (inner: Int32Array, rows: Int32Array): boolean => {
      if (total++ < READ_MEMBERS) ways.push({ registers: Int32Array.from(inner), rows: Int32Array.from(rows) });
      return false;
    };
    yield* eachMember(database, item, groupIds(item, registers), note, descent.tick);
    const deeper = { ...descent, depth: descent.depth + 2 };
    const own = item.variables.slice(item.group.length);
    const members: Group['members'][number][] = [];
    const others = new Set<Derivation>();
    for (const [i, way] of ways.entries())
      try {
        const premises: (Derivation | undefined)[] = [];
        for (const [at, each] of item.body.entries())
          premises.push(each.kind !== 'atom' || each.absent ? undefined : yield* this.#explain({ slot: each.slot, row: way.rows[at] }, deeper));
        if (i < SHOWN_MEMBERS) members.push({ bindings: bindingsOf(own, way.registers.subarray(item.group.length), database), premises });
        else for (const premise of premises) if (premise) others.add(premise);
      } catch (error) {
        // What is not shown need not be small enough to be.
        if (i < SHOWN_MEMBERS || !(error instanceof ProofTooLarge)) throw error;
      }
    return { members, total, others: [...others] };
  }

  /** All ways to meet a body, such as a constraint's, up to `limit`, by the rows that meet the conditions, put into `found` one after the other. Yields where `tick` says so. */
  *meeting(rule: Pick<Rule, 'body'>, limit: number, found: Met[], tick?: Tick): Generator<void, void> {
    if (limit <= 0) return;
    const { database, derived } = this.#program;
    const { body, variables } = compileBody(rule, database);
    const registers = new Int32Array(variables.length).fill(-1);
    yield* searching(
      database,
      orderBody({ body }, -1, [], derived),
      registers,
      () => true,
      (rows) => {
        const met = body.map((item, i): Row | undefined => (item.kind !== 'atom' || item.absent ? undefined : { slot: item.slot, row: rows[i] }));
        found.push({ bindings: bindingsOf(variables, registers, database), rows: met });
        return found.length >= limit;
      },
      body.length,
      tick,
    );
  }
}
/** One way to meet a body: a row for each condition that is a fact. */
export interface Met {
  readonly bindings: Readonly<Record<string, Term>>;
  readonly rows: readonly (Row | undefined)[];
}

export function bindHead(clause: Clause, registers: Int32Array, subject: number, object: number): boolean {
  for (const [operand, id] of [
    [clause.head.subject, subject],
    [clause.head.object, object],
  ] as const) {
    if (operand < 0) {
      if (~operand !== id) return false;
    } else if (registers[operand] >= 0 && registers[operand] !== id) return false;
    else registers[operand] = id;
  }
  return true;
}
/** Multiplied in the order in which the fixpoint multiplies, so that equal proofs give equal numbers. */
function product(clause: Clause, rows: Int32Array): number {
  let confidence = clause.confidence;
  clause.body.forEach((item, i) => {
    if (item.kind === 'atom' && !item.absent) confidence *= item.slot.table.confidence(rows[i]);
  });
  return confidence;
}
export const bindingsOf = (variables: readonly string[], registers: Int32Array, database: Database): Record<string, Term> =>
  Object.fromEntries(variables.map((name, i) => [name, database.terms.term(registers[i])]));
