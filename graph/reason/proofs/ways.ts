// Owns finding every way in which rules give a row that is there, and every proof tree over them, lowest first.
// Refuses to know confidences and stores.

import type { Database, Row, Slot } from '../tables/database.ts';
import { bindHead, bindingsOf, Explainer, ProofTooLarge } from './explain.ts';
import type { Derivation, ProofLimits } from './explain.ts';
import { isAggregate } from '../language/body.ts';
import { searching } from '../evaluate/join.ts';
import { Late, paced } from '../evaluate/pace.ts';
import { orderBody } from '../evaluate/plan.ts';
import type { Clause, Step } from '../evaluate/plan.ts';
import type { Program } from '../evaluate/program.ts';
import { storedLeaves } from './proof-trees.ts';
import { GIVEN } from '../tables/table.ts';
import type { Term, Triple } from '../../terms.ts';

/** One step by a rule that gives a row. */
export interface Way {
  /** Number of the rule in its program. */
  readonly rule: number;
  readonly bindings: Readonly<Record<string, Term>>;
  /** One per condition of the rule; undefined where it is no fact. */
  readonly premises: readonly (Row | undefined)[];
}
/** More was looked at than the caller allows. */
export class TooManySteps extends Error {
  constructor(steps: number) {
    super(`more than ${steps} steps were needed`);
    this.name = 'TooManySteps';
  }
}
/** Steps between two looks at the clock. */
const LOOK = 0xff;
/** Counts rows that are looked at. */
export class Steps {
  readonly #most: number;
  /** By performance.now(). */
  readonly until: number;
  #left: number;
  constructor(most: number, until = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.until = until;
    this.#left = most;
  }
  get left(): number {
    return Math.max(0, this.#left);
  }
  /** Throws TooManySteps when there were too many, or it is too late. True now and then: time for a pause. */
  count(): boolean {
    if (this.#left-- <= 0) throw new TooManySteps(this.#most);
    if ((this.#left & LOOK) !== 0) return false;
    if (performance.now() > this.until) throw new TooManySteps(this.#most);
    return true;
  }
}

const ORDERS = new WeakMap<Clause, readonly Step[]>();
/** Ways to derive a row, each once, at most `limit`. The conditions are met by whatever rows are there. Yields now and then, for other work. Throws TooManySteps. */
export function* waysTo(program: Program, { slot, row }: Row, limit: number, steps: Steps): Generator<undefined, Way[]> {
  const { database, derived } = program;
  const found: Way[] = [];
  if (!derived.has(slot)) return found;
  const [subject, object] = [slot.table.subjects[row], slot.table.objects[row]];
  for (let rule = 0; rule < program.rules.length && found.length < limit; rule++)
    for (const clause of program.clausesOf(rule)) {
      if (clause.head.slot !== slot) continue;
      const registers = new Int32Array(clause.variables.length).fill(-1);
      if (!bindHead(clause, registers, subject, object)) continue;
      let order = ORDERS.get(clause);
      if (!order) {
        const given = [...registers.keys()].filter((register) => registers[register] >= 0);
        ORDERS.set(clause, (order = orderBody(clause, -1, given, derived)));
      }
      const finding = searching(
        database,
        order,
        registers,
        () => true,
        (rows) => {
          const premises = clause.body.map((item, i): Row | undefined =>
            item.kind === 'atom' && !item.absent ? { slot: item.slot, row: rows[i] } : undefined,
          );
          found.push({ rule, bindings: bindingsOf(clause.variables, registers, database), premises });
          return found.length >= limit;
        },
        clause.body.length,
        () => steps.count(),
      );
      while (finding.next().done !== true) yield undefined;
    }
  return found;
}

/** A proof tree. Rows that were told stand at the leaves; a tree whose rule counts or adds up is the recorded one. */
export interface Tree {
  readonly at: Row;
  readonly way?: Way;
  readonly premises: readonly (Tree | undefined)[];
  /** Present where the tree is the one that the derivation recorded. */
  readonly recorded?: Derivation;
  readonly height: number;
  readonly nodes: number;
}
/** Ways of one row that trees are made from; of others `cut` tells. */
const WAYS = 1_000;

/** Enumerates proof trees of rows of one unchanged database. In no tree does a row rest on itself. */
export class Trees {
  readonly #program: Program;
  readonly #limits: ProofLimits;
  readonly #steps: Steps;
  readonly #explainer: Explainer;
  readonly #ways = new Map<Slot, Map<number, readonly Way[]>>();
  readonly #path = new Map<Slot, Set<number>>();
  /** A tree was left out because it is too high for this round. */
  #higher = false;
  #cut = false;

  constructor(program: Program, limits: ProofLimits, steps: Steps) {
    this.#program = program;
    this.#limits = limits;
    this.#steps = steps;
    this.#explainer = new Explainer(program, limits);
  }

  /** Trees may be missing: some row has more ways than are looked at. */
  get cut(): boolean {
    return this.#cut;
  }
  /** Distinct trees of a row, lowest first; lazily, by iterative deepening. Ends early, without error, when the steps are used up or the time is over. Yields undefined now and then, for other work. */
  *of(at: Row): Generator<Tree | undefined, void> {
    try {
      for (let height = 1; height <= this.#limits.height; height++) {
        this.#higher = false;
        for (const tree of this.#trees(at, height)) if (tree === undefined || tree.height === height) yield tree;
        if (!this.#higher) return;
      }
    } catch (error) {
      if (!(error instanceof TooManySteps || error instanceof Late)) throw error;
    } finally {
      this.#path.clear();
    }
  }

  *#trees(at: Row, height: number): Generator<Tree | undefined, void> {
    if (this.#steps.count()) yield undefined;
    const { slot, row } = at;
    let path = this.#path.get(slot);
    if (!path) this.#path.set(slot, (path = new Set()));
    if (path.has(row)) return;
    if (slot.table.rules[row] < 0) yield { at, premises: [], height: 1, nodes: 1 };
    for (const way of yield* this.#waysTo(at)) {
      if (height < 2 && way.premises.length > 0) {
        this.#higher = true;
        continue;
      }
      if (this.#program.rules[way.rule].body.some(isAggregate)) {
        const tree = yield* this.#recordedTree(at);
        if (tree && tree.height <= height && tree.recorded?.rule === this.#program.rules[way.rule]) yield tree;
        else this.#higher ||= tree !== undefined && tree.height > height;
        continue;
      }
      path.add(row);
      for (const premises of this.#combine(way.premises, 0, height - 1)) {
        if (!premises) {
          yield undefined;
          continue;
        }
        const nodes = premises.reduce((sum, premise) => sum + (premise?.nodes ?? 1), 1);
        const highest = Math.max(0, ...premises.map((premise) => premise?.height ?? 1));
        if (nodes > this.#limits.nodes) continue;
        // Whoever takes the tree may ask for others of the same rows before this goes on.
        path.delete(row);
        yield { at, way, premises, height: highest + 1, nodes };
        path.add(row);
      }
      path.delete(row);
    }
  }
  *#combine(rows: readonly (Row | undefined)[], i: number, height: number): Generator<(Tree | undefined)[] | undefined, void> {
    if (i === rows.length) {
      yield [];
      return;
    }
    const at = rows[i];
    if (!at) for (const rest of this.#combine(rows, i + 1, height)) yield rest && [undefined, ...rest];
    else
      for (const tree of this.#trees(at, height))
        if (!tree) yield undefined;
        else for (const rest of this.#combine(rows, i + 1, height)) yield rest && [tree, ...rest];
  }
  *#waysTo(at: Row): Generator<undefined, readonly Way[]> {
    let rows = this.#ways.get(at.slot);
    if (!rows) this.#ways.set(at.slot, (rows = new Map()));
    let ways = rows.get(at.row);
    if (!ways) {
      const found = yield* waysTo(this.#program, at, WAYS + 1, this.#steps);
      this.#cut ||= found.length > WAYS;
      rows.set(at.row, (ways = found.slice(0, WAYS)));
    }
    return ways;
  }
  *#recordedTree(at: Row): Generator<undefined, Tree | undefined> {
    const finding = this.#explainer.explaining(at, paced(this.#steps.until));
    try {
      for (;;) {
        const { done, value: recorded } = finding.next();
        if (done) return { at, recorded, premises: [], height: recorded.height, nodes: recorded.nodes };
        yield undefined;
      }
    } catch (error) {
      if (error instanceof ProofTooLarge) return undefined;
      throw error;
    }
  }
}

/** Told rows at the leaves of a tree; those of recorded parts are not among them. */
export function* toldRows({ at, way, recorded, premises }: Tree): Generator<Row> {
  if (recorded) return;
  if (!way) yield at;
  for (const premise of premises) if (premise) yield* toldRows(premise);
}
/** Told rows at the leaves of a tree that are not hypotheses, each once. */
export function treeLeaves(tree: Tree, database: Database): Triple[] {
  const leaves: Triple[] = [];
  const recorded: Derivation[] = [];
  const open: (Tree | undefined)[] = [tree];
  for (let node = open.pop(); node || open.length > 0; node = open.pop()) {
    if (!node) continue;
    if (node.recorded) recorded.push(node.recorded);
    else if (node.way) open.push(...node.premises);
    else if (node.at.slot.table.rules[node.at.row] !== GIVEN) leaves.push(database.triple(node.at.slot, node.at.row));
  }
  return [...leaves, ...storedLeaves(recorded, database)];
}
