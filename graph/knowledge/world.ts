// Owns what holds in one world - the base as it is, or with hypotheses - and the three outcomes of asking for one triple.
// Refuses to know where the world's facts are kept.

import { entity, sameTerm } from '../terms.ts';
import type { Fact, RelationName, Term, Triple } from '../terms.ts';
import { isAtom, substituteItem } from '../reason/body.ts';
import type { Row } from '../reason/database.ts';
import { signed } from '../reason/database.ts';
import { Explainer, groupDerivations, premisesOf, ProofTooLarge, storedLeaves, toProof } from '../reason/explain.ts';
import type { Derivation, ProofLimits } from '../reason/explain.ts';
import type { Program } from '../reason/program.ts';
import { closedRule, disjointRule, disjointWith, functionalRule } from '../reason/properties.ts';
import type { Declarations } from '../reason/properties.ts';
import type { Atom, Budget, Comparison, Outcome, Proof, Rule } from '../reason/types.ts';
import { Steps, treeLeaves, Trees } from '../reason/ways.ts';
import type { Tree } from '../reason/ways.ts';
import { tripleKey } from '../terms.ts';
import { bareTriple } from './facts.ts';
import type { FactReader } from './facts.ts';

/** A triple that holds. Its proof is absent when it is larger than the limits allow. */
export interface Held {
  readonly triple: Triple;
  readonly confidence: number;
  readonly proof?: Proof;
}
export interface World {
  readonly declarations: Declarations;
  /** Everything that follows is known: absence may be concluded. */
  readonly complete: boolean;
  /** The triple, when it holds. */
  hold(triple: Triple): Promise<Held | undefined>;
  /** relation(subject, some object other than the triple's), when there is one. */
  holdOther(triple: Triple): Promise<Held | undefined>;
}

/** Reading raced a write: rows and facts do not fit together. The caller reads again. */
export class Raced extends Error {
  constructor() {
    super('the knowledge base changed while a proof was read');
    this.name = 'Raced';
  }
}

/** Rows looked at while enumerating the proofs of one answer. */
const TREE_STEPS = 200_000;

/** Proofs of rows of a program's database, leaves read from the store. Make one for each reading. */
export class Prover {
  readonly #program: Program;
  readonly #reader: FactReader;
  readonly #explainer: Explainer;
  readonly #limits: ProofLimits;
  readonly #facts = new Map<string, Fact>();

  constructor(program: Program, reader: FactReader, limits: ProofLimits) {
    this.#program = program;
    this.#reader = reader;
    this.#explainer = new Explainer(program, limits);
    this.#limits = limits;
  }
  /** Throws ProofTooLarge, or Raced when the store no longer has what the rows rest on. */
  async prove(at: Row): Promise<Proof> {
    const derivation = this.#explainer.explain(at);
    await this.#read([derivation]);
    return this.#build(derivation);
  }
  /** What the row says, with its proof unless that is too large. */
  async hold(at: Row): Promise<Held> {
    const { slot, row } = at;
    const held = { triple: this.#program.database.triple(slot, row), confidence: slot.table.confidence(row) };
    try {
      return { ...held, proof: await this.prove(at) };
    } catch (error) {
      if (error instanceof ProofTooLarge) return held;
      throw error;
    }
  }
  /** Ways to meet a rule's body, with proofs of its conditions. */
  async solve(rule: Rule, limit: number): Promise<{ bindings: Readonly<Record<string, Term>>; premises: readonly Proof[] }[]> {
    const ways = this.#explainer.solve(rule, limit);
    await this.#read(ways.flatMap(({ premises, groups }) => [...premises, ...groupDerivations(groups)]));
    return ways.map(({ bindings, premises, groups }) => ({ bindings, premises: premisesOf(rule, bindings, premises, (node) => this.#build(node), groups) ?? [] }));
  }
  /** Distinct proofs of the row, lowest first, at most `limit`; fewer when finding them takes too long. */
  async alternatives(at: Row, limit: number, budget: Budget, signal?: AbortSignal): Promise<readonly Proof[]> {
    const until = performance.now() + budget.ms;
    const trees = new Trees(this.#program, this.#limits, new Steps(TREE_STEPS));
    const proofs: Proof[] = [];
    for (const tree of trees.of(at)) {
      signal?.throwIfAborted();
      await this.#readTriples(treeLeaves(tree, this.#program.database));
      proofs.push(this.#grow(tree));
      if (proofs.length >= limit || performance.now() > until) break;
    }
    return proofs;
  }
  #grow(tree: Tree): Proof {
    const { at, way, recorded, premises } = tree;
    if (recorded) return this.#build(recorded);
    if (!way) return this.#build({ at, nodes: 1, height: 1 });
    const rule = this.#program.rules[way.rule];
    const built = premises.map((premise, i): Proof => {
      if (premise) return this.#grow(premise);
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
    await this.#readTriples(storedLeaves(derivations, this.#program.database));
  }
  async #readTriples(triples: readonly Triple[]): Promise<void> {
    for (const triple of triples) {
      const key = tripleKey(triple);
      if (this.#facts.has(key)) continue;
      const fact = await this.#reader.of(triple);
      if (!fact || this.#toldConfidence(triple) !== fact.confidence) throw new Raced();
      this.#facts.set(key, fact);
    }
  }
  #toldConfidence(triple: Triple): number | undefined {
    const at = this.#program.database.find(triple);
    return at?.slot.table.confidence(at.row);
  }
  #build(derivation: Derivation): Proof {
    const proof = toProof(derivation, this.#program.database, (triple) => this.#facts.get(tripleKey(triple)));
    if (!proof) throw new Raced();
    return proof;
  }
}

/** The world of one database in which everything relevant was loaded and derived. */
export class DatabaseWorld implements World {
  readonly declarations: Declarations;
  readonly complete: boolean;
  readonly #program: Program;
  readonly #prover: Prover;
  constructor(program: Program, prover: Prover, declarations: Declarations, complete: boolean) {
    this.#program = program;
    this.#prover = prover;
    this.declarations = declarations;
    this.complete = complete;
  }
  async hold(triple: Triple): Promise<Held | undefined> {
    const at = this.#program.database.find(triple);
    return at && this.#prover.hold(at);
  }
  async holdOther(triple: Triple): Promise<Held | undefined> {
    const { database } = this.#program;
    const slot = database.get(signed(triple.relation, false));
    if (!slot) return undefined;
    for (const row of database.rows(slot.key, entity(triple.subject), undefined))
      if (!sameTerm(database.terms.term(slot.table.objects[row]), triple.object)) return this.#prover.hold({ slot, row });
    return undefined;
  }
}

export interface Grounded {
  readonly outcome: Outcome;
  /** Of the triple when entailed, of its negation when refuted. */
  readonly held?: Held;
}

/** Entailed, refuted or not entailed. A triple that holds is entailed even where something speaks against it as well. */
export async function groundIn(world: World, asked: Triple): Promise<Grounded> {
  const triple = bareTriple(asked);
  const positive: Triple = { subject: triple.subject, relation: triple.relation, object: triple.object };
  const holds = await world.hold(triple);
  if (holds) return { outcome: 'entailed', held: holds };
  if (triple.negated) {
    const against = await world.hold(positive);
    if (against) return { outcome: 'refuted', held: against };
    const implied = await refute(world, positive);
    return implied ? { outcome: 'entailed', held: implied } : { outcome: 'not_entailed' };
  }
  const refuted = (await world.hold({ ...positive, negated: true })) ?? (await refute(world, positive));
  return refuted ? { outcome: 'refuted', held: refuted } : { outcome: 'not_entailed' };
}

/** The negation by what is declared of relations: another object of a functional relation, a disjoint relation that holds, a closed relation. */
async function refute(world: World, triple: Triple): Promise<Held | undefined> {
  const { subject, relation, object } = triple;
  const declared = world.declarations.get(relation);
  if (declared?.functional) {
    const other = await world.holdOther(triple);
    if (other) {
      const witness = other.triple.object;
      return conclude(functionalRule(relation, subject, object), { y: witness }, triple, other, [
        { kind: 'compare', conclusion: { kind: 'compare', operator: '!=', left: witness, right: object }, confidence: 1 },
      ]);
    }
  }
  for (const other of disjointWith(relation, world.declarations)) {
    const held = await world.hold({ subject, relation: other, object });
    if (held) return conclude(disjointRule(relation, other), { x: entity(subject), y: object }, triple, held, []);
  }
  if (declared?.closed && world.complete) {
    const absent: Atom = { relation, subject: entity(subject), object, absent: true };
    return conclude(closedRule(relation, subject, object), {}, triple, undefined, [{ kind: 'absent', conclusion: absent, confidence: 1 }]);
  }
  return undefined;
}
function conclude(
  rule: Rule,
  bindings: Readonly<Record<string, Term>>,
  { subject, relation, object }: Triple,
  from: Held | undefined,
  others: readonly Proof[],
): Held {
  const triple: Triple = { subject, relation, object, negated: true };
  const confidence = from?.confidence ?? 1;
  if (from && !from.proof) return { triple, confidence };
  const premises = from?.proof ? [from.proof, ...others] : others;
  return { triple, confidence, proof: { kind: 'rule', conclusion: triple, confidence, rule, bindings, premises } };
}

/** Relations whose facts decide about a triple of this relation, besides its own. */
export const decisiveRelations = (relation: RelationName, declarations: Declarations): RelationName[] => [relation, ...disjointWith(relation, declarations)];
