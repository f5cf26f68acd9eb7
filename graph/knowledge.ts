// Owns the knowledge graph as the rest of the system sees it: facts that are told, what follows from them, why, and who is told of changes.
// Refuses to know HTTP, models, and which store is behind it. Each group of methods has a room of its own in knowledge/.

import type { BaseName, Entity, EntityId, FactId, Path, Term, Triple, TriplePattern } from './terms.ts';
import type { Change, EntityHit, GraphStore, Page, PathSummary, RelationSummary } from './store.ts';
import type { AbduceRequest, AbduceResult } from './abduce/types.ts';
import type { Induction } from './induce/induction.ts';
import type { InduceRequest, RankRequest, RankResult } from './induce/types.ts';
import type { CheckResult } from './reason/proofs/checker.ts';
import type { RuleSetName } from './reason/rulesets/rulesets.ts';
import type { Proof, Rule } from './reason/types.ts';
import type { ContradictionPage } from './knowledge/conflicts/conflicts.ts';
import type { Shared } from './knowledge/worlds/context.ts';
import { Grounding } from './knowledge/grounding.ts';
import { Learning } from './knowledge/learning.ts';
import { Lookup } from './knowledge/reads/lookup.ts';
import type { ReadOptions } from './knowledge/reads/lookup.ts';
import type { ConflictPolicies } from './knowledge/bases/policies.ts';
import { ProofStore } from './knowledge/worlds/proofs.ts';
import { Reasoning } from './knowledge/reasoning.ts';
import type { ProofHypothesis } from './knowledge/reasoning.ts';
import { checkStatement } from './knowledge/common/requests.ts';
import type { RuleVersion } from './knowledge/bases/rule-history.ts';
import type { RuleSource } from './knowledge/rulebook.ts';
import { Ruling } from './knowledge/ruling.ts';
import type { PageOptions } from './knowledge/ruling.ts';
import { States } from './knowledge/bases/states.ts';
import { SetResolver } from './knowledge/conflicts/supposed-sets.ts';
import { Supposition } from './knowledge/supposition.ts';
import type { SupposeOptions } from './knowledge/supposition.ts';
import { DEFAULT_LIMITS } from './knowledge/common/types.ts';
import type {
  ChangeEvent,
  DeduceRequest,
  DeduceResult,
  GroundResult,
  KnowledgeLimits,
  KnownBaseStatistics,
  KnownFact,
  KnownMatchOptions,
  KnownPathResult,
  RuleBook,
  RuleRemoval,
  RuleRestoration,
  RulesCheck,
  RuleSetResult,
  RulesResult,
  TellResult,
  WhatIfRequest,
  WhatIfResult,
} from './knowledge/common/types.ts';
import type { WhyNotRequest, WhyNotResult } from './knowledge/questions/whynot.ts';

export * from './knowledge/common/types.ts';
export type { ConflictKind } from './knowledge/conflicts/clashes.ts';
export type { ConflictSide, Contradiction, ContradictionPage } from './knowledge/conflicts/conflicts.ts';
export type { ConflictPolicies, ConflictPolicy } from './knowledge/bases/policies.ts';
export type { WhyNotAttempt, WhyNotCondition, WhyNotReasons, WhyNotRequest, WhyNotResult } from './knowledge/questions/whynot.ts';
export type { AbduceBudget, AbduceLimit, AbduceRequest, AbduceResult, Assumable, Explanation } from './abduce/types.ts';
export { InduceError } from './induce/types.ts';
export type { InduceErrorCode, InduceRequest, InductionEvent, InductionState, MinedRule, RankRequest, RankResult } from './induce/types.ts';
export type { Induction } from './induce/induction.ts';
export type { ProofHypothesis } from './knowledge/reasoning.ts';
export type { CheckResult } from './reason/proofs/checker.ts';
export type { Supposition, SupposeOptions } from './knowledge/supposition.ts';
export type { RuleVersion } from './knowledge/bases/rule-history.ts';
export type { RuleFormat, RuleSource } from './knowledge/rulebook.ts';
export { checkStatement } from './knowledge/common/requests.ts';
export { RULE_FORMATS } from './knowledge/rulebook.ts';
export { RULE_SETS } from './reason/rulesets/rulesets.ts';
export type { RuleSetName } from './reason/rulesets/rulesets.ts';
export { RuleError } from './reason/errors.ts';
export type { RuleErrorCode } from './reason/errors.ts';

export interface KnowledgeGraphOptions {
  /** The facts' home. The graph opens and closes it. */
  readonly store: GraphStore;
  /** Each limit that is absent has the value of DEFAULT_LIMITS. */
  readonly limits?: Partial<KnowledgeLimits>;
  /** World time: milliseconds since 1970 UTC. Default: the system's clock. */
  readonly now?: () => number;
}

/**
 * Facts in named bases with what their rules derive. `open` once, `close` once; outside that span every call fails with KnowledgeError `closed`.
 * A base that was never written is empty. Each read sees one version of its base; after a write resolves, every read sees it.
 * Errors: KnowledgeError, RuleError, TermError, and the store's StoreError.
 */
export class KnowledgeGraph {
  readonly limits: KnowledgeLimits;
  readonly #shared: Shared;
  readonly #ruling: Ruling;
  readonly #learning: Learning;
  readonly #lookup: Lookup;
  readonly #resolver: SetResolver;
  readonly #reasoning: Reasoning;
  readonly #grounding: Grounding;

  constructor({ store, limits, now = Date.now }: KnowledgeGraphOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const states = new States({ store, limits: this.limits, now });
    this.#shared = { store, limits: this.limits, now, states, proofs: new ProofStore(this.limits.proofBytes) };
    this.#resolver = new SetResolver(this.limits);
    this.#ruling = new Ruling(this.#shared, this.#resolver);
    this.#learning = new Learning(this.#shared, (base, input) => this.#ruling.addRules(base, input));
    this.#lookup = new Lookup(this.#shared);
    this.#reasoning = new Reasoning(this.#shared, this.#resolver);
    this.#grounding = new Grounding(this.#shared, this.#resolver, (base, read) => states.read(base, read));
  }

  /** Opens the store. */
  async open(): Promise<void> {
    await this.#shared.store.open();
    this.#shared.states.open();
  }
  /** Refuses what comes after, waits for writes at work, closes the store. */
  async close(): Promise<void> {
    const { store, states, proofs } = this.#shared;
    if (!(await states.close())) return;
    this.#learning.close();
    proofs.clear();
    this.#lookup.close();
    await store.close();
  }

  /** Calls `listener` with what each write changed, before the write resolves. Returns the way to end it. */
  subscribe(listener: (event: ChangeEvent) => void): () => void {
    return this.#shared.states.subscribe(listener);
  }

  /** Stores and withdraws, all or nothing, and brings what follows up to date. KnowledgeError `busy` when too many writes wait; RuleError when rules or declarations cannot stand. */
  async tell(base: BaseName, changes: readonly Change[]): Promise<TellResult> {
    const { states } = this.#shared;
    states.assertOpen();
    for (const change of changes) if (change.kind === 'assert') checkStatement(change.statement);
    return states.use(base, (state) => state.change(() => state.write(changes)));
  }
  /** World time: milliseconds since 1970 UTC. */
  now(): number {
    return this.#shared.now();
  }
  /** Brings the base up to the clock: what began or ceased to be true since the last call is told to the listeners before this resolves. */
  async current(base: BaseName): Promise<void> {
    await this.#shared.states.read(base, async () => undefined);
  }

  /** Stores the rules of a text or a JSON document: all, or none when there is a mistake (RuleError). A rule that is there already stays as it is. */
  addRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesResult> {
    return this.#ruling.addRules(base, input, source);
  }
  /** What `addRules` would say, without storing anything. Never throws for what is wrong with the rules. */
  validateRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesCheck> {
    return this.#ruling.validateRules(base, input, source);
  }
  /** Takes a built-in rule set into use, or out of it. Its rules are written out for the schema that is stored, and follow it. RuleError when they cannot stand beside the base's own. */
  useRuleSet(base: BaseName, name: RuleSetName, use = true): Promise<RuleSetResult> {
    return this.#ruling.useRuleSet(base, name, use);
  }
  /**
   * The base's own rules, its rule sets with the rules they stand for now, and the version of the base that both belong to; or what was ruled in an earlier version.
   * KnowledgeError `unknown_version` when that is too long ago, or yet to come.
   */
  ruleBook(base: BaseName, version?: number): Promise<RuleBook> {
    return this.#ruling.ruleBook(base, version);
  }
  /** Versions of the base in which rules or rule sets changed, latest first, as far back as the store keeps them. */
  ruleVersions(base: BaseName): Promise<readonly RuleVersion[]> {
    return this.#ruling.ruleVersions(base);
  }
  /** Makes rules and rule sets what they were in an earlier version, as a new version. KnowledgeError `unknown_version`; RuleError when they cannot stand beside what is declared now. */
  restoreRules(base: BaseName, version: number): Promise<RuleRestoration> {
    return this.#ruling.restoreRules(base, version);
  }
  /** Removes one rule with what only it derived. KnowledgeError `unknown_rule` when the base has none of that id. */
  removeRule(base: BaseName, id: string): Promise<RuleRemoval> {
    return this.#ruling.removeRule(base, id);
  }
  /** The base's own rules. What declared properties of relations mean is not among them. */
  rules(base: BaseName): Promise<readonly Rule[]> {
    return this.#ruling.rules(base);
  }
  /**
   * Contradictions: several objects of a functional relation, relations that exclude each other, what is told or derived and known to be false, broken constraints. Each with
   * the proofs of its sides, and which of them stand by the declared policies. `offset`: how many to pass over; the order is the same while the base does not change.
   */
  contradictions(base: BaseName, options: PageOptions = {}): Promise<ContradictionPage> {
    return this.#ruling.contradictions(base, options);
  }
  /** What is declared about contradictions. */
  conflictPolicies(base: BaseName): Promise<ConflictPolicies> {
    return this.#ruling.conflictPolicies(base);
  }
  /**
   * Declares which side of a contradiction stands when questions are answered (`deduce`, `ground`, `prove`, `whyNot`, `whatIf`, `abduce`, `checkProof`): the weaker stored facts are then
   * taken as not being there, with all that follows from them alone. They stay stored, and `match`, `paths` and `conflicts` read them as before. Replaces all policies.
   */
  setConflictPolicies(base: BaseName, policies: ConflictPolicies): Promise<ConflictPolicies> {
    return this.#ruling.setConflictPolicies(base, policies);
  }

  /** Begins to learn rules from the facts in force, in threads of its own. InduceError, or the signal's reason while facts are read. */
  induce(base: BaseName, request: InduceRequest): Promise<Induction> {
    return this.#learning.induce(base, request);
  }
  /** An induction that was begun in this base. InduceError `unknown_induction` when it never was, or was forgotten. */
  induction(base: BaseName, id: string): Induction {
    return this.#learning.induction(base, id);
  }
  /** Stores rules that an induction found, with their measured confidence. InduceError `unknown_rule` when it did not find one of them. */
  adopt(base: BaseName, induction: string, ids: readonly string[]): Promise<RulesResult> {
    return this.#learning.adopt(base, induction, ids);
  }
  /** Candidates for the missing end of a fact, by rules that were learned. InduceError, or the signal's reason. */
  rank(base: BaseName, request: RankRequest): Promise<RankResult> {
    return this.#learning.rank(base, request);
  }

  /** Stored facts, then derived ones. StoreError `invalid_cursor` for a cursor that is unknown or out of date. */
  match(base: BaseName, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
    return this.#lookup.match(base, pattern, options);
  }
  /** Facts by id, in no certain order; unknown ids are left out. A derived fact is known for some time after it was given out, while it holds. */
  facts(base: BaseName, ids: readonly FactId[]): Promise<readonly KnownFact[]> {
    return this.#lookup.facts(base, ids);
  }
  /** Relation paths of one to `hops` steps from `start`, over stored and derived facts. */
  paths(base: BaseName, start: Term, options: ReadOptions & { readonly hops: number }): Promise<readonly PathSummary[]> {
    return this.#lookup.paths(base, start, options);
  }
  /** What a path reaches from `start`, over stored and derived facts: each end once, never `start` itself. */
  follow(base: BaseName, start: Term, path: Path, options: ReadOptions = {}): Promise<readonly KnownPathResult[]> {
    return this.#lookup.follow(base, start, path, options);
  }
  /** Entities by name or alias, best first; those that only rules name are among them. */
  search(base: BaseName, text: string, options: ReadOptions = {}): Promise<readonly EntityHit[]> {
    return this.#lookup.search(base, text, options);
  }
  /** Entities by exact name (after folding), many names at once; those that only rules name are among them. */
  named(base: BaseName, names: readonly string[], options: Pick<ReadOptions, 'signal'> = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#lookup.named(base, names, options);
  }
  /** Entities by id; unknown ids are left out. */
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return this.#lookup.entities(base, ids);
  }
  /** Relations with their declarations; `facts` counts derived facts, too. */
  relations(base: BaseName): Promise<readonly RelationSummary[]> {
    return this.#lookup.relations(base);
  }
  /** The bases that were written. Reads each of them. */
  bases(): Promise<readonly KnownBaseStatistics[]> {
    return this.#lookup.bases();
  }

  /**
   * Derives answers for a goal, with hypothetical rules and facts where they are given. RuleError for a goal or rule that is wrong, KnowledgeError `too_large` when the
   * semantics asked for is beyond its limits; the signal's reason when it fires.
   */
  deduce(base: BaseName, request: DeduceRequest): Promise<DeduceResult> {
    return this.#reasoning.deduce(base, request);
  }
  /** What would follow newly, no longer, or with another confidence, if facts and rules came or went. Nothing is written. Errors as of `deduce`. */
  whatIf(base: BaseName, request: WhatIfRequest): Promise<WhatIfResult> {
    return this.#reasoning.whatIf(base, request);
  }
  /** What would have to be so for observations to follow, without breaking a constraint or contradicting what stands by the base's policies. Nothing is written. Errors as of `deduce`; KnowledgeError `occupied`. */
  abduce(base: BaseName, request: AbduceRequest): Promise<AbduceResult> {
    return this.#reasoning.abduce(base, request);
  }
  /** Why a goal does not follow: the nearest instances of rules that could conclude it, what holds in them and what is missing. Errors as of `deduce`. */
  whyNot(base: BaseName, request: WhyNotRequest): Promise<WhyNotResult> {
    return this.#reasoning.whyNot(base, request);
  }
  /** Is the triple entailed, refuted (by strong negation, a functional or closed relation, a disjoint one) or neither? Its proof is absent when it is larger than the limits allow. */
  ground(base: BaseName, triple: Triple): Promise<GroundResult> {
    return this.#grounding.ground(base, triple);
  }
  /** A proof of the triple; undefined when it is not entailed, or when the proof is larger than the limits allow. */
  prove(base: BaseName, triple: Triple): Promise<Proof | undefined> {
    return this.#grounding.prove(base, triple);
  }
  /** The base with rules, as text or in the JSON form, or at a time, that hold for the reads of what is given back. Nothing is written. RuleError for rules that are none. */
  suppose(base: BaseName, rules: unknown, options: SupposeOptions): Supposition {
    this.#shared.states.assertOpen();
    return new Supposition(this.#shared, this.#resolver, base, rules, options);
  }
  /** Verifies a proof, step by step, against the base as it is now. `hypothesis`: what the proof may assume besides. */
  checkProof(base: BaseName, proof: Proof, assumptions: ProofHypothesis = {}): Promise<CheckResult> {
    return this.#reasoning.checkProof(base, proof, assumptions);
  }

  /** Keeps a proof to be asked for by id. The same proof of the same base always has the same id. */
  keepProof(base: BaseName, proof: Proof): string {
    this.#shared.states.assertOpen();
    return this.#shared.proofs.keep(base, proof);
  }
  /** A proof that was kept or given out for this base; undefined when it never was, or has fallen. */
  proof(base: BaseName, id: string): Proof | undefined {
    const kept = this.keptProof(id);
    return kept?.base === base ? kept.proof : undefined;
  }
  /** The same, of whatever base: an id says which. */
  keptProof(id: string): { readonly base: BaseName; readonly proof: Proof } | undefined {
    this.#shared.states.assertOpen();
    return this.#shared.proofs.get(id);
  }
}
