// Owns rebuilding proofs from rule numbers and stamps, and finding all ways to meet a body.
// Refuses to know stores: leaves are rows, which the caller turns into facts.

import type { Fact, Term, Triple } from '../terms.ts';
import type { Database, Row, Slot } from './database.ts';
import { isAtom, substituteItem } from './body.ts';
import { eachMember, groupIds, search } from './join.ts';
import { compileBody, orderBody } from './plan.ts';
import type { AggregateItem, BodyStep, Clause } from './plan.ts';
import type { Program } from './program.ts';
import { GIVEN } from './table.ts';
import type { Aggregate, Atom, Comparison, Member, Proof, Rule } from './types.ts';

export { search } from './join.ts';

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

/** Levels of a proof explained in one descent: each takes several frames of the stack. */
const LEVELS = 100;
class Deeper {
  readonly at: Row;
  constructor(at: Row) {
    this.at = at;
  }
}

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
}
/** Members of a group that a proof shows at most. */
export const SHOWN_MEMBERS = 20;

/** Rebuilds proofs of rows of one program's database. Keeps what it built: make one for each reading of an unchanged database. */
export class Explainer {
  readonly #program: Program;
  readonly #limits: ProofLimits;
  readonly #known = new Map<Slot, Map<number, Derivation>>();
  readonly #path = new Map<Slot, Set<number>>();

  constructor(program: Program, limits: ProofLimits) {
    this.#program = program;
    this.#limits = limits;
  }

  /** A proof of the row, of the height its stamp says and of the row's confidence. Throws ProofTooLarge. */
  explain(at: Row): Derivation {
    const pending = [at];
    for (;;) {
      if (pending.length * LEVELS > this.#limits.height + LEVELS) throw new ProofTooLarge(this.#limits);
      try {
        const derivation = this.#explain(pending[pending.length - 1], 0);
        if (!derivation) throw new TypeError('a row names a rule that does not derive it');
        pending.pop();
        if (pending.length === 0) return derivation;
      } catch (error) {
        if (!(error instanceof Deeper)) throw error;
        pending.push(error.at);
      }
    }
  }

  #explain(at: Row, depth: number): Derivation | undefined {
    const { slot, row } = at;
    let known = this.#known.get(slot);
    if (!known) this.#known.set(slot, (known = new Map()));
    const kept = known.get(row);
    if (kept) return kept;
    if (slot.table.rules[row] < 0) {
      const leaf: Derivation = { at, nodes: 1, height: 1 };
      known.set(row, leaf);
      return leaf;
    }
    // What lies too deep for the stack is explained first, and known when this comes here again.
    if (depth >= LEVELS) throw new Deeper(at);
    let path = this.#path.get(slot);
    if (!path) this.#path.set(slot, (path = new Set()));
    path.add(row);
    try {
      // Premises older than the row make a proof at once. Where rounding made a later rise of a premise invisible, any premise that is not being proved will do.
      const derivation = this.#derive(at, depth, true) ?? (this.#program.database.weighted ? this.#derive(at, depth, false) : undefined);
      if (derivation) known.set(row, derivation);
      return derivation;
    } finally {
      path.delete(row);
    }
  }

  #derive(at: Row, depth: number, older: boolean): Derivation | undefined {
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
        const given = [...registers.keys()].filter((register) => registers[register] >= 0);
        const steps = orderBody(clause, -1, given, this.#program.derived);
        const accept = (premise: Slot, i: number): boolean => (older ? premise.table.stamps[i] < stamp : !(this.#path.get(premise)?.has(i) ?? false));
        let derivation: Derivation | undefined;
        search(
          database,
          steps,
          registers,
          accept,
          (rows) => {
            if (database.weighted && product(clause, rows) !== confidence) return false;
            derivation = this.#node(at, clause, Int32Array.from(registers), Int32Array.from(rows), depth);
            return derivation !== undefined;
          },
          clause.body.length,
        );
        if (derivation) return derivation;
      }
    return undefined;
  }

  #node(at: Row, clause: Clause, registers: Int32Array, rows: Int32Array, depth: number): Derivation | undefined {
    const premises: (Derivation | undefined)[] = [];
    const groups = new Map<number, Group>();
    let [nodes, height] = [1, 0];
    for (let i = 0; i < clause.body.length; i++) {
      const item = clause.body[i];
      if (item.kind !== 'atom' || item.absent) {
        premises.push(undefined);
        [nodes, height] = [nodes + 1, Math.max(height, 1)];
        if (item.kind !== 'aggregate') continue;
        const group = this.#group(item, registers, depth);
        groups.set(i, group);
        for (const { premises: inner } of group.members)
          for (const premise of inner) [nodes, height] = [nodes + (premise?.nodes ?? 1), Math.max(height, 1 + (premise?.height ?? 1))];
        continue;
      }
      const premise = this.#explain({ slot: item.slot, row: rows[i] }, depth + 1);
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

  #group(item: AggregateItem, registers: Int32Array, depth: number): Group {
    const { database } = this.#program;
    const ways: { registers: Int32Array; rows: Int32Array }[] = [];
    let total = 0;
    eachMember(database, item, groupIds(item, registers), (inner, rows) => {
      if (total++ < SHOWN_MEMBERS) ways.push({ registers: Int32Array.from(inner), rows: Int32Array.from(rows) });
      return false;
    });
    const own = item.variables.slice(item.group.length);
    const members = ways.map((way) => ({
      bindings: bindingsOf(own, way.registers.subarray(item.group.length), database),
      premises: item.body.map((each, i) => (each.kind !== 'atom' || each.absent ? undefined : this.#explain({ slot: each.slot, row: way.rows[i] }, depth + 2))),
    }));
    return { members, total };
  }

  /** All ways to meet a body, such as a constraint's, up to `limit`. */
  solve(rule: Pick<Rule, 'body'>, limit: number): Solution[] {
    const { database, derived } = this.#program;
    const { body, variables } = compileBody(rule, database);
    const registers = new Int32Array(variables.length).fill(-1);
    const found: Solution[] = [];
    if (limit <= 0) return found;
    search(
      database,
      orderBody({ body }, -1, [], derived),
      registers,
      () => true,
      (rows) => {
        const premises = body.map((item, i) => (item.kind !== 'atom' || item.absent ? undefined : this.explain({ slot: item.slot, row: rows[i] })));
        const groups = this.#groups(body, registers);
        found.push({ bindings: bindingsOf(variables, registers, database), premises, ...(groups.size > 0 ? { groups } : {}) });
        return found.length >= limit;
      },
      body.length,
    );
    return found;
  }
  #groups(body: readonly BodyStep[], registers: Int32Array): Map<number, Group> {
    return new Map(body.flatMap((item, i) => (item.kind === 'aggregate' ? [[i, this.#group(item, registers, 0)] as const] : [])));
  }
}
/** One way to meet a body. */
export interface Solution {
  readonly bindings: Readonly<Record<string, Term>>;
  readonly premises: readonly (Derivation | undefined)[];
  readonly groups?: ReadonlyMap<number, Group>;
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

/** Derivations of what the members of groups rest on. */
export const groupDerivations = (groups: ReadonlyMap<number, Group> | undefined): (Derivation | undefined)[] =>
  [...(groups?.values() ?? [])].flatMap(({ members }) => members.flatMap(({ premises }) => premises));

/** Told rows at the leaves that are not hypotheses, each once. */
export function storedLeaves(derivations: Iterable<Derivation | undefined>, database: Database): Triple[] {
  const seen = new Set<Derivation>();
  const leaves: Triple[] = [];
  const visit = (node: Derivation | undefined): void => {
    if (!node || seen.has(node)) return;
    seen.add(node);
    groupDerivations(node.groups).forEach(visit);
    if (node.premises) node.premises.forEach(visit);
    else if (node.at.slot.table.rules[node.at.row] !== GIVEN) leaves.push(database.triple(node.at.slot, node.at.row));
  };
  for (const node of derivations) visit(node);
  return leaves;
}

/** The proof as a tree. `factOf` gives the stored fact of a leaf; undefined where a leaf is no longer stored. */
export function toProof(derivation: Derivation, database: Database, factOf: (triple: Triple) => Fact | undefined): Proof | undefined {
  const built = new Map<Derivation, Proof>();
  const build = (node: Derivation): Proof | undefined => {
    const known = built.get(node);
    if (known) return known;
    const { slot, row } = node.at;
    const conclusion = database.triple(slot, row);
    const confidence = slot.table.confidence(row);
    let proof: Proof;
    if (!node.rule) {
      const fact = slot.table.rules[row] === GIVEN ? undefined : factOf(conclusion);
      if (!fact && slot.table.rules[row] !== GIVEN) return undefined;
      proof = fact ? { kind: 'fact', conclusion, confidence: fact.confidence, fact } : { kind: 'given', conclusion, confidence };
    } else {
      const premises = premisesOf(node.rule, node.bindings ?? {}, node.premises ?? [], build, node.groups);
      if (!premises) return undefined;
      proof = { kind: 'rule', conclusion, confidence, rule: node.rule, bindings: node.bindings ?? {}, premises };
    }
    built.set(node, proof);
    return proof;
  };
  return build(derivation);
}

/** Proofs of the conditions of a body, in order. `groups`: of its aggregates. */
export function premisesOf(
  rule: Pick<Rule, 'body'>,
  bindings: Readonly<Record<string, Term>>,
  derivations: readonly (Derivation | undefined)[],
  build: (node: Derivation) => Proof | undefined,
  groups?: ReadonlyMap<number, Group>,
): Proof[] | undefined {
  const premises: Proof[] = [];
  for (let i = 0; i < rule.body.length; i++) {
    const item = rule.body[i];
    const derivation = derivations[i];
    if (isAtom(item)) {
      const premise: Proof | undefined =
        derivation === undefined ? { kind: 'absent', conclusion: substituteItem<Atom>(item, bindings), confidence: 1 } : build(derivation);
      if (!premise) return undefined;
      premises.push(premise);
    } else if (item.kind === 'compare') premises.push({ kind: 'compare', conclusion: substituteItem<Comparison>(item, bindings), confidence: 1 });
    else {
      const { members, total } = groups?.get(i) ?? { members: [], total: 0 };
      const shown: Member[] = [];
      for (const member of members) {
        const inner = premisesOf({ body: item.body }, { ...bindings, ...member.bindings }, member.premises, build);
        if (!inner) return undefined;
        shown.push({ bindings: member.bindings, premises: inner });
      }
      premises.push({ kind: 'aggregate', conclusion: substituteItem<Aggregate>(item, bindings), confidence: 1, members: shown, total });
    }
  }
  return premises;
}
