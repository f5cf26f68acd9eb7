// Owns what the truth of derived rows depends on: the uncertain facts and rule steps under them, as Boolean functions and as least confidences.
// Refuses to know stores and what the answers are for.

import { isAggregate, isAtom, substituteItem } from './body.ts';
import { BddTooLarge, Diagrams, FALSE, TRUE } from './bdd.ts';
import type { Bdd } from './bdd.ts';
import { signed } from './database.ts';
import type { Database, Row, Slot } from './database.ts';
import type { Program } from './program.ts';
import { stratify } from './strata.ts';
import type { Atom, Rule } from './types.ts';
import { Steps, TooManySteps, waysTo } from './ways.ts';

export interface LineageLimits {
  /** Uncertain facts and uncertain rule steps under all answers together. */
  readonly variables: number;
  /** Derived rows under all answers together. */
  readonly rows: number;
  /** Rows looked at while finding the steps. */
  readonly steps: number;
  /** Minimal sets of facts of one answer. */
  readonly sets: number;
  /** Milliseconds. */
  readonly ms: number;
}
export const LINEAGE_LIMITS: Omit<LineageLimits, 'ms'> = { variables: 256, rows: 20_000, steps: 2_000_000, sets: 1_000 };
/** What an answer rests on is more than the limits allow. */
export class LineageTooLarge extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'LineageTooLarge';
  }
}

/** The rules without what stands under `not`: they derive everything that holds in any world. Numbers of rules stay. */
export const relaxed = (rules: readonly Rule[]): Rule[] =>
  rules.map((rule) => (rule.body.some((item) => isAtom(item) && item.absent) ? { ...rule, body: rule.body.filter((item) => !isAtom(item) || !item.absent) } : rule));

interface Step {
  /** Variable of an uncertain rule, or -1. */
  readonly variable: number;
  readonly confidence: number;
  readonly premises: readonly number[];
  /** Rows that must not hold. */
  readonly absent: readonly number[];
}
interface Node {
  readonly at: Row;
  /** Variable of an uncertain fact; -1: certain; -2: not told. */
  readonly told: number;
  steps: readonly Step[];
  stratum: number;
}
const CERTAIN = -1;
const NOT_TOLD = -2;

/**
 * Everything that rows of one unchanged database rest on. A told row may hold by derivation as well. A step by an uncertain rule is one thing for each way to bind all its variables.
 * `original`: the rules before `relaxed`, by number; with them, what stands under `not` is part of the function, else it is taken as it is in the database.
 */
export class Lineage {
  readonly #nodes: Node[] = [];
  readonly #numbers = new Map<Slot, Map<number, number>>();
  readonly #weights: number[] = [];
  readonly #rules = new Map<string, number>();
  readonly #program: Program;
  readonly #limits: LineageLimits;
  readonly #diagrams = new Diagrams();
  readonly #until: number;

  private constructor(program: Program, limits: LineageLimits) {
    this.#program = program;
    this.#limits = limits;
    this.#until = performance.now() + limits.ms;
  }

  /** Finds what the rows rest on. Yields between pieces of work. Throws LineageTooLarge. */
  static *of(program: Program, rows: readonly Row[], limits: LineageLimits, original?: readonly Rule[]): Generator<void, Lineage> {
    const lineage = new Lineage(program, limits);
    try {
      for (const row of rows) lineage.#number(row);
      const steps = new Steps(limits.steps);
      const strata = original && stratify(original);
      for (let i = 0; i < lineage.#nodes.length; i++) {
        const node = lineage.#nodes[i];
        if (node.told === CERTAIN) continue;
        const found = waysTo(program, node.at, limits.steps, steps);
        node.steps = found.map(({ rule, bindings, premises }): Step => {
          const { confidence = 1, heads, body } = original?.[rule] ?? program.rules[rule];
          if (original && body.some(isAggregate))
            throw new LineageTooLarge(`rule ${program.rules[rule].text} counts or adds up, of which no exact probability is known; ask for another semantics`);
          if (strata)
            for (const head of heads) if (lineage.#gives(head, node.at)) node.stratum = Math.max(node.stratum, strata.of(head));
          const absent = original ? body.flatMap((item) => (isAtom(item) && item.absent ? lineage.#rows(substituteItem<Atom>(item, bindings)) : [])) : [];
          const key = confidence < 1 ? `${rule} ${JSON.stringify(bindings)}` : '';
          let variable = confidence < 1 ? lineage.#rules.get(key) : -1;
          if (variable === undefined) lineage.#rules.set(key, (variable = lineage.#variable(confidence)));
          return { variable, confidence, absent, premises: premises.flatMap((premise) => (premise ? [lineage.#number(premise)] : [])) };
        });
        yield;
        lineage.#checkTime();
      }
    } catch (error) {
      if (error instanceof TooManySteps) throw new LineageTooLarge(`what the answers rest on takes more than ${limits.steps} steps to find`);
      throw error;
    }
    return lineage;
  }
  #gives(head: Atom, { slot, row }: Row): boolean {
    if (signed(head.relation, head.negated) !== slot.key) return false;
    return head.object.kind === 'variable' || this.#program.database.terms.find(head.object) === slot.table.objects[row];
  }
  #checkTime(): void {
    if (performance.now() > this.#until) throw new LineageTooLarge(`what the answers rest on cannot be computed within ${Math.round(this.#limits.ms)} ms`);
  }
  #variable(weight: number): number {
    if (this.#weights.length >= this.#limits.variables)
      throw new LineageTooLarge(`the answers rest on more than ${this.#limits.variables} uncertain facts and steps`);
    return this.#weights.push(weight) - 1;
  }
  #number(at: Row): number {
    let rows = this.#numbers.get(at.slot);
    if (!rows) this.#numbers.set(at.slot, (rows = new Map()));
    const known = rows.get(at.row);
    if (known !== undefined) return known;
    const number = this.#nodes.length;
    if (number >= this.#limits.rows) throw new LineageTooLarge(`the answers rest on more than ${this.#limits.rows} facts`);
    rows.set(at.row, number);
    const { table } = at.slot;
    const confidence = table.confidence(at.row);
    const told = table.rules[at.row] >= 0 ? NOT_TOLD : confidence === 1 ? CERTAIN : this.#variable(confidence);
    this.#nodes.push({ at, told, steps: [], stratum: 0 });
    return number;
  }
  /** Rows that match an atom, whose variables without value match anything. */
  #rows(atom: Atom): number[] {
    const { database } = this.#program;
    return matching(database, atom).map((at) => this.#number(at));
  }

  /** Brings a value for each row to its fixpoint, stratum by stratum. `meet` gives a row's value from the others; values only grow. */
  *#fixpoint<T>(none: T, meet: (node: Node, values: readonly T[]) => T): Generator<void, T[]> {
    const values = this.#nodes.map(() => none);
    const strata = [...new Set(this.#nodes.map(({ stratum }) => stratum))].toSorted((a, b) => a - b);
    for (const stratum of strata) {
      const members = [...this.#nodes.keys()].filter((i) => this.#nodes[i].stratum === stratum).toReversed();
      for (let changed = true; changed;) {
        changed = false;
        for (const i of members) {
          const value = meet(this.#nodes[i], values);
          changed ||= value !== values[i];
          values[i] = value;
          yield;
          this.#checkTime();
        }
      }
    }
    return values;
  }
  *#functions(): Generator<void, Bdd[]> {
    const diagrams = this.#diagrams;
    return yield* this.#fixpoint<Bdd>(FALSE, ({ told, steps }, values) => {
      let value = told === CERTAIN ? TRUE : told === NOT_TOLD ? FALSE : diagrams.variable(told);
      for (const { variable, premises, absent } of steps) {
        let way = variable < 0 ? TRUE : diagrams.variable(variable);
        for (const premise of premises) way = diagrams.and(way, values[premise]);
        for (const row of absent) way = diagrams.and(way, diagrams.not(values[row]));
        value = diagrams.or(value, way);
      }
      return value;
    });
  }
  *#read<T>(rows: readonly Row[], of: (root: Bdd) => T): Generator<void, T[]> {
    try {
      const functions = yield* this.#functions();
      return rows.map((row) => of(functions[this.#number(row)]));
    } catch (error) {
      if (error instanceof BddTooLarge) throw new LineageTooLarge(error.message);
      throw error;
    }
  }

  /** Probability of each row: weighted model counting over the decision diagram. */
  probabilities(rows: readonly Row[]): Generator<void, number[]> {
    return this.#read(rows, (root) => this.#diagrams.probability(root, (variable) => this.#weights[variable]));
  }
  /** 1 - product of (1 - probability) over the minimal sets that prove each row. */
  noisyOr(rows: readonly Row[]): Generator<void, number[]> {
    return this.#read(rows, (root) => {
      let none = 1;
      for (const set of this.#diagrams.minimalSolutions(root, this.#limits.sets)) {
        let all = 1;
        for (const variable of set) all *= this.#weights[variable];
        none *= 1 - all;
      }
      return 1 - none;
    });
  }
  /** Greatest least confidence over all proofs of each row. */
  *possibilities(rows: readonly Row[]): Generator<void, number[]> {
    const values = yield* this.#fixpoint(0, ({ told, steps }, known) => {
      let value = told === CERTAIN ? 1 : told === NOT_TOLD ? 0 : this.#weights[told];
      for (const { confidence, premises } of steps) value = Math.max(value, Math.min(confidence, ...premises.map((premise) => known[premise])));
      return value;
    });
    return rows.map((row) => values[this.#number(row)]);
  }
}

function matching(database: Database, atom: Atom): Row[] {
  const slot = database.get(signed(atom.relation, atom.negated));
  if (!slot) return [];
  const [subject, object] = [atom.subject, atom.object].map((term) => (term.kind === 'variable' ? undefined : term));
  const same = atom.subject.kind === 'variable' && atom.object.kind === 'variable' && atom.subject.name === atom.object.name;
  return [...database.rows(slot.key, subject, object, same)].map((row) => ({ slot, row }));
}
