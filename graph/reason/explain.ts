// Owns rebuilding proofs from rule numbers and stamps, and finding all ways to meet a body.
// Refuses to know stores: leaves are rows, which the caller turns into facts.

import type { Fact, Term, Triple } from '../terms.ts';
import type { Database, Row, Slot } from './database.ts';
import { ABSENT, ALL, COMPARE, compileBody, OBJECT, orderBody, PROBE } from './plan.ts';
import type { Clause, Operand, Step } from './plan.ts';
import { isComparison } from './print.ts';
import type { Program } from './program.ts';
import { GIVEN } from './table.ts';
import type { Atom, Proof, Rule, RuleTerm } from './types.ts';

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

/** A row with how it came about; told rows have no premises. Nodes are shared: the tree is a directed acyclic graph in memory. */
export interface Derivation {
  readonly at: Row;
  readonly rule?: Rule;
  readonly bindings?: Readonly<Record<string, Term>>;
  /** One per condition of the rule; undefined for `not` and comparisons. */
  readonly premises?: readonly (Derivation | undefined)[];
  readonly nodes: number;
  readonly height: number;
}

/** Meets the conditions of a body one way after the other; `found` returns true to stop. Registers of -1 are unbound. */
function search(
  database: Database,
  steps: readonly Step[],
  registers: Int32Array,
  accept: (slot: Slot, row: number) => boolean,
  found: (rows: Int32Array) => boolean,
  places: number,
): boolean {
  const rows = new Int32Array(places).fill(-1);
  const value = (operand: Operand): number => (operand < 0 ? ~operand : registers[operand]);
  const go = (i: number): boolean => {
    if (i === steps.length) return found(rows);
    const { op, position, slot, subject, object, operator, same } = steps[i];
    if (op === COMPARE) return database.terms.compare(operator, value(subject), value(object)) && go(i + 1);
    const { table } = slot as Slot;
    if (op === ABSENT) return table.find(value(subject), value(object)) < 0 && go(i + 1);
    if (op === PROBE) {
      const row = table.find(value(subject), value(object));
      if (row < 0 || !accept(slot as Slot, row)) return false;
      rows[position] = row;
      return go(i + 1);
    }
    if (op === ALL) {
      for (let row = 0; row < table.count; row++) {
        if ((same && table.subjects[row] !== table.objects[row]) || !accept(slot as Slot, row)) continue;
        registers[subject] = table.subjects[row];
        registers[object] = table.objects[row];
        rows[position] = row;
        if (go(i + 1)) return true;
      }
      return false;
    }
    const backwards = op === OBJECT;
    const chain = backwards ? table.byObject(database.terms.size) : table.bySubject(database.terms.size);
    for (let row = chain.first(value(backwards ? object : subject)); row >= 0; row = chain.after(row)) {
      if (!accept(slot as Slot, row)) continue;
      if (backwards) registers[subject] = table.subjects[row];
      else registers[object] = table.objects[row];
      rows[position] = row;
      if (go(i + 1)) return true;
    }
    return false;
  };
  return go(0);
}

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
    const derivation = this.#explain(at, 0);
    if (!derivation) throw new TypeError('a row names a rule that does not derive it');
    return derivation;
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
    if (depth >= this.#limits.height) throw new ProofTooLarge(this.#limits);
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
    let [nodes, height] = [1, 0];
    for (let i = 0; i < clause.body.length; i++) {
      const item = clause.body[i];
      if (item.kind === 'compare' || item.absent) {
        premises.push(undefined);
        [nodes, height] = [nodes + 1, Math.max(height, 1)];
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
      nodes,
      height: height + 1,
    };
  }

  /** All ways to meet a body, such as a constraint's, up to `limit`. */
  solve(
    rule: Pick<Rule, 'body'>,
    limit: number,
  ): { readonly bindings: Readonly<Record<string, Term>>; readonly premises: readonly (Derivation | undefined)[] }[] {
    const { database, derived } = this.#program;
    const { body, variables } = compileBody(rule, database);
    const registers = new Int32Array(variables.length).fill(-1);
    const found: { bindings: Readonly<Record<string, Term>>; premises: readonly (Derivation | undefined)[] }[] = [];
    if (limit <= 0) return found;
    search(
      database,
      orderBody({ body }, -1, [], derived),
      registers,
      () => true,
      (rows) => {
        const premises = body.map((item, i) => (item.kind === 'compare' || item.absent ? undefined : this.explain({ slot: item.slot, row: rows[i] })));
        found.push({ bindings: bindingsOf(variables, registers, database), premises });
        return found.length >= limit;
      },
      body.length,
    );
    return found;
  }
}

function bindHead(clause: Clause, registers: Int32Array, subject: number, object: number): boolean {
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
const bindingsOf = (variables: readonly string[], registers: Int32Array, database: Database): Record<string, Term> =>
  Object.fromEntries(variables.map((name, i) => [name, database.terms.term(registers[i])]));

/** Told rows at the leaves that are not hypotheses, each once. */
export function storedLeaves(derivations: Iterable<Derivation | undefined>, database: Database): Triple[] {
  const seen = new Set<Derivation>();
  const leaves: Triple[] = [];
  const visit = (node: Derivation | undefined): void => {
    if (!node || seen.has(node)) return;
    seen.add(node);
    if (node.premises) node.premises.forEach(visit);
    else if (node.at.slot.table.rules[node.at.row] !== GIVEN) leaves.push(database.triple(node.at.slot, node.at.row));
  };
  for (const node of derivations) visit(node);
  return leaves;
}

const substitute = (term: RuleTerm, bindings: Readonly<Record<string, Term>>): Term => (term.kind === 'variable' ? bindings[term.name] : term);

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
      const premises = premisesOf(node.rule, node.bindings ?? {}, node.premises ?? [], build);
      if (!premises) return undefined;
      proof = { kind: 'rule', conclusion, confidence, rule: node.rule, bindings: node.bindings ?? {}, premises };
    }
    built.set(node, proof);
    return proof;
  };
  return build(derivation);
}

/** Proofs of the conditions of a body, in order. */
export function premisesOf(
  rule: Pick<Rule, 'body'>,
  bindings: Readonly<Record<string, Term>>,
  derivations: readonly (Derivation | undefined)[],
  build: (node: Derivation) => Proof | undefined,
): Proof[] | undefined {
  const premises: Proof[] = [];
  for (let i = 0; i < rule.body.length; i++) {
    const item = rule.body[i];
    const derivation = derivations[i];
    if (isComparison(item))
      premises.push({
        kind: 'compare',
        conclusion: { ...item, left: substitute(item.left, bindings), right: substitute(item.right, bindings) },
        confidence: 1,
      });
    else if (derivation === undefined) {
      const conclusion: Atom = { ...item, subject: substitute(item.subject, bindings), object: substitute(item.object, bindings) };
      premises.push({ kind: 'absent', conclusion, confidence: 1 });
    } else {
      const premise = build(derivation);
      if (!premise) return undefined;
      premises.push(premise);
    }
  }
  return premises;
}
