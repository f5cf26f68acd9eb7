// Owns what the truth of derived rows depends on: the uncertain facts and rule steps under them, as Boolean functions and as least confidences.
// Refuses to know stores and what the answers are for.

import { isAggregate, isAtom, substituteItem } from '../language/body.ts';
import { BddTooLarge, Diagrams, FALSE, TRUE } from './bdd.ts';
import type { Bdd } from './bdd.ts';
import { signed } from '../tables/database.ts';
import type { Database, Row, Slot } from '../tables/database.ts';
import { Explainer } from './explain.ts';
import type { Met } from './explain.ts';
import { Late, paced } from '../evaluate/pace.ts';
import type { Program } from '../evaluate/program.ts';
import { stratify } from '../evaluate/strata.ts';
import { tallyOf, TooManyValues, worldsOf } from './tallies.ts';
import type { LooseWorld, Tally } from './tallies.ts';
import type { Atom, BodyItem, Rule } from '../types.ts';
import { Steps, TooManySteps, waysTo } from './ways.ts';

export interface LineageLimits {
  /** Uncertain facts and uncertain rule steps under what is weighed together. */
  readonly variables: number;
  /** Derived rows under what is weighed together. */
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

interface Step {
  /** Variable of an uncertain rule, or -1. */
  readonly variable: number;
  readonly confidence: number;
  readonly premises: readonly number[];
  /** Rows that must not hold. */
  readonly absent: readonly number[];
  /** What its aggregates range over. */
  readonly tally?: Tally;
}
interface Node {
  readonly at: Row;
  /** Variables of the uncertain facts that tell it, if no certain one does. */
  readonly told: readonly number[] | 'certainly';
  steps: readonly Step[];
  stratum: number;
}
/** Confidences of the facts that tell a row, where there are several. */
export type Several = (at: Row) => readonly number[] | undefined;
/** Rules before `relaxed`, by number. */
type Original = readonly Rule[] | undefined;

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
  readonly #several: Several;
  readonly #explainer: Explainer;

  private constructor(program: Program, limits: LineageLimits, several: Several) {
    this.#program = program;
    this.#limits = limits;
    this.#several = several;
    this.#explainer = new Explainer(program, { nodes: 0, height: 0 });
    this.#until = performance.now() + limits.ms;
  }

  /** Finds what the rows rest on. Yields between pieces of work. Throws LineageTooLarge. */
  static *of(program: Program, rows: readonly Row[], limits: LineageLimits, original?: Original, several: Several = () => undefined): Generator<void, Lineage> {
    const lineage = new Lineage(program, limits, several);
    try {
      for (const row of rows) lineage.#number(row);
      const steps = new Steps(limits.steps, lineage.#until);
      const strata = original && stratify(original);
      for (let i = 0; i < lineage.#nodes.length; i++) {
        const node = lineage.#nodes[i];
        if (node.told === 'certainly') continue;
        const found = yield* waysTo(program, node.at, limits.steps, steps);
        const taken: Step[] = [];
        for (const { rule, bindings, premises } of found) {
          const whole = original?.[rule] ?? program.rules[rule];
          const { confidence = 1, heads, body } = whole;
          const tally = original && body.some(isAggregate) ? { tally: yield* tallyOf(whole, bindings, lineage.#loose, limits.rows) } : {};
          if (strata) for (const head of heads) if (lineage.#gives(head, node.at)) node.stratum = Math.max(node.stratum, strata.of(head));
          const absent = original ? body.flatMap((item) => (isAtom(item) && item.absent ? lineage.#rows(substituteItem<Atom>(item, bindings)) : [])) : [];
          const key = confidence < 1 ? `${rule} ${JSON.stringify(bindings)}` : '';
          let variable = confidence < 1 ? lineage.#rules.get(key) : -1;
          if (variable === undefined) lineage.#rules.set(key, (variable = lineage.#variable(confidence)));
          taken.push({ variable, confidence, absent, ...tally, premises: premises.flatMap((premise) => (premise ? [lineage.#number(premise)] : [])) });
        }
        node.steps = taken;
        yield;
        lineage.#checkTime();
      }
    } catch (error) {
      if (error instanceof Late || (error instanceof TooManySteps && performance.now() > lineage.#until)) throw lineage.#late();
      if (error instanceof TooManySteps) throw new LineageTooLarge(`what the answers rest on takes more than ${limits.steps} steps to find`);
      if (error instanceof TooManyValues) throw new LineageTooLarge(error.message);
      throw error;
    }
    return lineage;
  }
  /** Told rows that are uncertain, among all that the rows rest on. */
  *told(): Generator<Row> {
    for (const { at, told } of this.#nodes) if (told !== 'certainly' && told.length > 0) yield at;
  }
  get #loose(): LooseWorld {
    return { meet: (body, limit) => this.#meet(body, limit), number: (at) => this.#number(at), matching: (atom) => this.#rows(atom) };
  }
  *#meet(body: readonly BodyItem[], limit: number): Generator<void, readonly Met[]> {
    const found: Met[] = [];
    yield* this.#explainer.meeting({ body }, limit, found, paced(this.#until));
    return found;
  }
  #gives(head: Atom, { slot, row }: Row): boolean {
    if (signed(head.relation, head.negated) !== slot.key) return false;
    return head.object.kind === 'variable' || this.#program.database.terms.find(head.object) === slot.table.objects[row];
  }
  #checkTime(): void {
    if (performance.now() > this.#until) throw this.#late();
  }
  #late(): LineageTooLarge {
    return new LineageTooLarge(`what the answers rest on cannot be computed within ${Math.round(this.#limits.ms)} ms`);
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
    const tellings = table.rules[at.row] >= 0 ? [] : (this.#several(at) ?? [table.confidence(at.row)]);
    const told = tellings.includes(1) ? 'certainly' : tellings.map((confidence) => this.#variable(confidence));
    // What no rule gives is known before any rule looks at it.
    this.#nodes.push({ at, told, steps: [], stratum: -1 });
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
      let value = told === 'certainly' ? TRUE : told.reduce<Bdd>((any, each) => diagrams.or(any, diagrams.variable(each)), FALSE);
      for (const { variable, premises, absent, tally } of steps) {
        let way = variable < 0 ? TRUE : diagrams.variable(variable);
        for (const premise of premises) way = diagrams.and(way, values[premise]);
        for (const row of absent) way = diagrams.and(way, diagrams.not(values[row]));
        if (tally && way !== FALSE)
          way = diagrams.and(
            way,
            worldsOf(tally, diagrams, (row) => values[row], this.#limits.sets),
          );
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
      if (error instanceof BddTooLarge || error instanceof TooManyValues) throw new LineageTooLarge(error.message);
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
      let value = told === 'certainly' ? 1 : Math.max(0, ...told.map((variable) => this.#weights[variable]));
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
