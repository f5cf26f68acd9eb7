// Owns what holds in one world - the base as it is, or with hypotheses - and its proofs.
// Refuses to know where the world's facts are kept.

import type { Fact, Triple } from '../../terms.ts';
import { isAtom, substituteItem } from '../../reason/language/body.ts';
import type { Row } from '../../reason/tables/database.ts';
import type { Answer } from '../../reason/proofs/factored.ts';
import { Explainer, ProofTooLarge, Unfounded } from '../../reason/proofs/explain.ts';
import type { Derivation, Met, ProofLimits } from '../../reason/proofs/explain.ts';
import type { Tick } from '../../reason/evaluate/join.ts';
import { Late, paced } from '../../reason/evaluate/pace.ts';
import type { Program } from '../../reason/evaluate/program.ts';
import { runSliced } from '../../reason/evaluate/run.ts';
import { storedLeaves, toProof } from '../../reason/proofs/proof-trees.ts';
import type { Declared } from '../../reason/rulesets/refutation.ts';
import type { Atom, Budget, Comparison, Proof, Rule } from '../../reason/types.ts';
import { Steps, toldRows, treeLeaves, Trees } from '../../reason/proofs/ways.ts';
import type { Tree } from '../../reason/proofs/ways.ts';
import { tripleKey } from '../../terms.ts';
import type { FactReader } from '../facts/facts.ts';
import { goalRows } from './goals.ts';
import { Tellings } from '../facts/tellings.ts';
import type { Telling } from '../facts/tellings.ts';
import { Raced } from '../common/raced.ts';
import { Turns } from '../common/turns.ts';

/** A triple that holds. Its proof is absent when it is larger than the limits allow, or takes longer to find. */
export interface Held {
  readonly triple: Triple;
  readonly confidence: number;
  readonly proof?: Proof;
}
export interface World {
  readonly declared: Declared;
  /** Everything that follows is known: absence may be concluded. */
  readonly complete: boolean;
  /** The triple, when it holds. */
  hold(triple: Triple): Promise<Held | undefined>;
  /** What holds and matches an atom, without proofs; it may come more than once. */
  find(atom: Atom): AsyncIterable<Omit<Held, 'proof'>>;
}

export interface Proving {
  /** Proofs are looked for until then (performance.now()). */
  readonly until?: number;
  /** Did the run come to its end? */
  readonly settled?: boolean;
}
/** Rows looked at while enumerating the proofs of one answer. */
const TREE_STEPS = 200_000;
/** Facts asked of the store together. */
const READ_AT_ONCE = 32;

/** Proofs of rows of a program's database, leaves read from the store. Make one for each reading. */
export class Prover {
  readonly #program: Program;
  readonly #reader: FactReader;
  readonly #explainer: Explainer;
  readonly #limits: ProofLimits;
  readonly #tellings: Tellings;
  readonly #facts = new Map<string, Fact>();
  /** Proofs of one reading share their parts. */
  readonly #built = new Map<Derivation, Proof>();
  readonly #readFor = new Set<Derivation>();
  /** Of all proofs together: a clock that each of many short searches looked at first would stop none. */
  readonly #tick: Tick;
  readonly #settled: boolean;
  #late = false;

  /** `tellings`: where some facts are supposed, or the several facts that tell one triple make proofs of their own. */
  constructor(program: Program, reader: FactReader, limits: ProofLimits, tellings = new Tellings(reader, 0), { until = Number.POSITIVE_INFINITY, settled = true }: Proving = {}) {
    this.#program = program;
    this.#tick = paced(until);
    this.#settled = settled;
    this.#tellings = tellings;
    this.#reader = reader;
    this.#explainer = new Explainer(program, limits);
    this.#limits = limits;
  }
  /** Some proof was not found in time. */
  get late(): boolean {
    return this.#late;
  }
  /** Throws ProofTooLarge, Late, or Raced when the store no longer has what the rows rest on. */
  async prove(at: Row): Promise<Proof> {
    const derivation = await runSliced(this.#explainer.explaining(at, this.#tick));
    await this.#read([derivation]);
    return this.#build(derivation);
  }
  /** What the row says, with its proof unless that is too large, or was not found in time; once the time is over, none is looked for. */
  async hold(at: Row): Promise<Held> {
    const { slot, row } = at;
    const held = { triple: this.#program.database.triple(slot, row), confidence: slot.table.confidence(row) };
    if (this.#late) return held;
    try {
      return { ...held, proof: await this.prove(at) };
    } catch (error) {
      this.#late ||= error instanceof Late;
      // Where a limit stopped a run, premises may be surer by now than what was concluded from them: nothing proves that number.
      const unfounded = !this.#settled && this.#program.database.weighted && error instanceof Unfounded;
      if (error instanceof ProofTooLarge || error instanceof Late || unfounded) return held;
      throw error;
    }
  }
  /** The same of an answer whose rows are yet to be written. */
  async follow({ triple, writing }: Answer): Promise<Held> {
    try {
      return await this.hold(await runSliced(writing(this.#tick)));
    } catch (error) {
      if (!(error instanceof Late)) throw error;
      this.#late = true;
      return { triple, confidence: 1 };
    }
  }
  /** Ways to meet a rule's body, by the rows that meet its conditions, as far as they are found by then (performance.now()). Throws the signal's reason. */
  async meet(rule: Pick<Rule, 'body'>, limit: number, until: number, signal?: AbortSignal): Promise<{ readonly ways: readonly Met[]; readonly late: boolean }> {
    const ways: Met[] = [];
    const work = this.#explainer.meeting(rule, limit, ways, paced(until));
    try {
      await runSliced(work, signal);
      return { ways, late: false };
    } catch (error) {
      if (error instanceof Late) return { ways, late: true };
      throw error;
    }
  }
  /** Distinct proofs of the row, lowest first, at most `limit`; fewer, and `late`, when finding them takes too long or a row has more ways than are looked at. */
  async alternatives(at: Row, limit: number, budget: Budget, signal?: AbortSignal): Promise<{ readonly proofs: readonly Proof[]; readonly late: boolean }> {
    const until = performance.now() + budget.ms;
    const steps = new Steps(TREE_STEPS, until);
    const trees = new Trees(this.#program, this.#limits, steps);
    const turns = new Turns();
    const proofs: Proof[] = [];
    for (const tree of trees.of(at)) {
      signal?.throwIfAborted();
      await turns.give();
      if (!tree) continue;
      await this.#readTriples(treeLeaves(tree, this.#program.database));
      for (const chosen of await this.#choices(tree)) {
        proofs.push(this.#grow(tree, chosen));
        if (proofs.length >= limit) return { proofs, late: false };
      }
      if (performance.now() > until) break;
    }
    return { proofs, late: trees.cut || steps.left === 0 || performance.now() > until };
  }
  /** Which fact stands at the leaves whose triples several facts tell: each way to choose, the surest first. */
  async #choices(tree: Tree): Promise<Iterable<ReadonlyMap<string, Telling>>> {
    const { database } = this.#program;
    const several: (readonly [string, readonly Telling[]])[] = [];
    for (const [key, triple] of new Map(Array.from(toldRows(tree), ({ slot, row }) => database.triple(slot, row)).map((each) => [tripleKey(each), each])))
      if (this.#tellings.isRepeated(triple)) several.push([key, await this.#tellings.of(triple)]);
    return choose(several, 0);
  }
  #grow(tree: Tree, chosen: ReadonlyMap<string, Telling>): Proof {
    const { at, way, recorded, premises } = tree;
    if (recorded) return this.#build(recorded);
    if (!way) return chosen.get(tripleKey(this.#program.database.triple(at.slot, at.row))) ?? this.#build({ at, nodes: 1, height: 1 });
    const rule = this.#program.rules[way.rule];
    const built = premises.map((premise, i): Proof => {
      if (premise) return this.#grow(premise, chosen);
      const item = rule.body[i];
      if (isAtom(item)) return { kind: 'absent', conclusion: substituteItem<Atom>(item, way.bindings), confidence: 1 };
      if (item.kind === 'compare') return { kind: 'compare', conclusion: substituteItem<Comparison>(item, way.bindings), confidence: 1 };
      throw new TypeError('a rule that counts has a recorded proof only');
    });
    let confidence = rule.confidence ?? 1;
    for (const premise of built) confidence *= premise.confidence;
    return { kind: 'rule', conclusion: this.#program.database.triple(at.slot, at.row), confidence, rule, bindings: way.bindings, premises: built };
  }
  async #read(derivations: readonly (Derivation | undefined)[]): Promise<void> {
    await this.#readTriples(storedLeaves(derivations, this.#program.database, this.#readFor));
  }
  async #readTriples(triples: readonly Triple[]): Promise<void> {
    const wanted = triples.filter((triple) => !this.#facts.has(tripleKey(triple)));
    for (let i = 0; i < wanted.length; i += READ_AT_ONCE)
      await Promise.all(
        wanted.slice(i, i + READ_AT_ONCE).map(async (triple) => {
          const fact = await this.#reader.of(triple);
          if (!fact || this.#toldConfidence(triple) !== fact.confidence) throw new Raced();
          this.#facts.set(tripleKey(triple), fact);
        }),
      );
  }
  #toldConfidence(triple: Triple): number | undefined {
    const at = this.#program.database.find(triple);
    return at?.slot.table.confidence(at.row);
  }
  #build(derivation: Derivation): Proof {
    const leaves = {
      fact: (triple: Triple) => this.#facts.get(tripleKey(triple)),
      given: (triple: Triple, confidence: number) => this.#tellings.given(triple, confidence),
    };
    const proof = toProof(derivation, this.#program.database, leaves, this.#built);
    if (!proof) throw new Raced();
    return proof;
  }
}
function* choose(several: readonly (readonly [string, readonly Telling[]])[], from: number): Generator<ReadonlyMap<string, Telling>> {
  if (from === several.length) {
    yield new Map();
    return;
  }
  const [key, tellings] = several[from];
  for (const telling of tellings) for (const rest of choose(several, from + 1)) yield new Map(rest).set(key, telling);
}

/** The world of one database in which everything relevant was loaded and derived. */
export class DatabaseWorld implements World {
  readonly declared: Declared;
  readonly complete: boolean;
  readonly #program: Program;
  readonly #prover: Prover;
  constructor(program: Program, prover: Prover, declared: Declared, complete: boolean) {
    this.#program = program;
    this.#prover = prover;
    this.declared = declared;
    this.complete = complete;
  }
  async hold(triple: Triple): Promise<Held | undefined> {
    const at = this.#program.database.find(triple);
    return at && this.#prover.hold(at);
  }
  async *find(atom: Atom): AsyncGenerator<Omit<Held, 'proof'>> {
    const { database } = this.#program;
    for (const { slot, row } of goalRows(atom, database)) yield { triple: database.triple(slot, row), confidence: slot.table.confidence(row) };
  }
}
