// Owns the knowledge graph as the rest of the system sees it: facts that are told, what follows from them, why, and who is told of changes.
// Refuses to know HTTP, models, and which store is behind it.

import { LRUCache } from 'lru-cache';
import type { BaseName, Entity, EntityId, FactId, Path, Statement, Term, Triple, TriplePattern } from './terms.ts';
import type { Change, EntityHit, GraphStore, Page, PathSummary, RelationSummary } from './store.ts';
import { abduce } from './abduce/abduce.ts';
import { readQuestion } from './abduce/request.ts';
import type { AbduceRequest, AbduceResult } from './abduce/types.ts';
import type { Induction } from './induce/induction.ts';
import { Inductions } from './induce/inductions.ts';
import type { FactSource } from './induce/inductions.ts';
import { InduceError } from './induce/types.ts';
import type { InduceRequest, RankRequest, RankResult } from './induce/types.ts';
import { checkProof } from './reason/checker.ts';
import type { CheckResult } from './reason/checker.ts';
import type { ProofLimits } from './reason/explain.ts';
import { instant } from './reason/interner.ts';
import { ruleToJson } from './reason/json.ts';
import type { RuleSetName } from './reason/rulesets.ts';
import type { Atom, Proof, Rule } from './reason/types.ts';
import { BaseState, ruleDocument, ruleSetId } from './knowledge/base.ts';
import { contradictions, overruled } from './knowledge/conflicts.ts';
import type { ContradictionPage } from './knowledge/conflicts.ts';
import { deduceHypothetically } from './knowledge/deduce.ts';
import type { DeduceContext } from './knowledge/deduce.ts';
import { bareTriple, FactReader } from './knowledge/facts.ts';
import { absences, groundsOf, NO_ASSUMPTIONS, standingAbsence } from './knowledge/grounds.ts';
import type { AbsenceOracle, Assumptions } from './knowledge/grounds.ts';
import { decisiveGoals, derive, hypotheticalAbsence } from './knowledge/hypothesis.ts';
import type { Hypothesis } from './knowledge/hypothesis.ts';
import { withDerived, withMentioned, withMentionedHits, withMentionedNames } from './knowledge/listing.ts';
import { matchKnown } from './knowledge/pages.ts';
import { checkPolicies, decides, policiesChange } from './knowledge/policies.ts';
import type { ConflictPolicies } from './knowledge/policies.ts';
import { ProofStore } from './knowledge/proofs.ts';
import { checkRules, rulesOf } from './knowledge/rulebook.ts';
import type { RuleSource } from './knowledge/rulebook.ts';
import { deduceStanding, StandingWorld } from './knowledge/standing.ts';
import { DEFAULT_LIMITS, KnowledgeError } from './knowledge/types.ts';
import type {
  ChangeEvent,
  Conflict,
  DeduceRequest,
  DeduceResult,
  GroundResult,
  KnowledgeLimits,
  KnownBaseStatistics,
  KnownFact,
  KnownMatchOptions,
  KnownPathResult,
  RuleRemoval,
  RulesCheck,
  RuleBook,
  RuleSetResult,
  RulesResult,
  TellResult,
  WhatIfRequest,
  WhatIfResult,
} from './knowledge/types.ts';
import { inForce, ValidityWatch } from './knowledge/validity.ts';
import { checkBudget, checkStatement, checkSupposed, goalOf } from './knowledge/requests.ts';
import { States } from './knowledge/states.ts';
import { Walker } from './knowledge/walk.ts';
import { whatIf } from './knowledge/whatif.ts';
import { explainAbsence } from './knowledge/whynot.ts';
import type { WhyNotRequest, WhyNotResult } from './knowledge/whynot.ts';
import { DatabaseWorld, groundIn, Prover } from './knowledge/world.ts';
import type { Grounded } from './knowledge/world.ts';

export * from './knowledge/types.ts';
export type { ConflictKind, ConflictSide, Contradiction, ContradictionPage } from './knowledge/conflicts.ts';
export type { ConflictPolicies, ConflictPolicy } from './knowledge/policies.ts';
export type { WhyNotAttempt, WhyNotCondition, WhyNotReasons, WhyNotRequest, WhyNotResult } from './knowledge/whynot.ts';
export type { AbduceBudget, AbduceLimit, AbduceRequest, AbduceResult, Assumable, Explanation } from './abduce/types.ts';
export { InduceError } from './induce/types.ts';
export type { InduceErrorCode, InduceRequest, InductionEvent, InductionState, MinedRule, RankRequest, RankResult } from './induce/types.ts';
export type { Induction } from './induce/induction.ts';
export type { CheckResult } from './reason/checker.ts';
export type { RuleFormat, RuleSource } from './knowledge/rulebook.ts';
export { RULE_SETS } from './reason/rulesets.ts';
export type { RuleSetName } from './reason/rulesets.ts';
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
type ReadOptions = { readonly limit?: number; readonly signal?: AbortSignal };
/** Rules and facts that a proof may assume: those of the deduction that gave it. */
export interface ProofHypothesis {
  readonly rules?: unknown;
  readonly facts?: readonly Statement[];
  /** Stored facts that were thought away. */
  readonly removed?: readonly TriplePattern[];
  /** World time at which the deduction was made, ISO 8601. */
  readonly validAt?: string;
}

/** Derived facts whose ids are remembered after they were given out. */
const REMEMBERED_DERIVED = 20_000;

/**
 * Facts in named bases with what their rules derive. `open` once, `close` once; outside that span every call fails with KnowledgeError `closed`.
 * A base that was never written is empty. Each read sees one version of its base; after a write resolves, every read sees it.
 * Errors: KnowledgeError, RuleError, TermError, and the store's StoreError.
 */
export class KnowledgeGraph {
  readonly limits: KnowledgeLimits;
  readonly #store: GraphStore;
  readonly #now: () => number;
  readonly #proofs: ProofStore;
  readonly #states: States;
  readonly #inductions = new Inductions();
  readonly #derived = new LRUCache<FactId, { readonly base: BaseName; readonly triple: Triple }>({ max: REMEMBERED_DERIVED });
  /** Facts that do not stand, for a version of a base and until the clock changes it. */
  readonly #overruled = new WeakMap<BaseState, { readonly version: number; readonly until: number; readonly removed: readonly TriplePattern[] }>();

  constructor({ store, limits, now = Date.now }: KnowledgeGraphOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#store = store;
    this.#now = now;
    this.#proofs = new ProofStore(this.limits.proofBytes);
    this.#states = new States({ store, limits: this.limits, now });
  }

  /** Opens the store. */
  async open(): Promise<void> {
    await this.#store.open();
    this.#states.open();
  }
  /** Refuses what comes after, waits for writes at work, closes the store. */
  async close(): Promise<void> {
    if (!(await this.#states.close())) return;
    this.#inductions.close();
    this.#proofs.clear();
    this.#derived.clear();
    await this.#store.close();
  }

  /** Calls `listener` with what each write changed, before the write resolves. Returns the way to end it. */
  subscribe(listener: (event: ChangeEvent) => void): () => void {
    return this.#states.subscribe(listener);
  }

  /** Stores and withdraws, all or nothing, and brings what follows up to date. KnowledgeError `busy` when too many writes wait; RuleError when rules or declarations cannot stand. */
  async tell(base: BaseName, changes: readonly Change[]): Promise<TellResult> {
    this.#states.assertOpen();
    for (const change of changes) if (change.kind === 'assert') checkStatement(change.statement);
    return this.#states.use(base, (state) => state.change(() => state.write(changes)));
  }
  /** Stores the rules of a text or a JSON document: all, or none when there is a mistake (RuleError). A rule that is there already stays as it is. */
  async addRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesResult> {
    this.#states.assertOpen();
    return this.#states.use(base, (state) =>
      state.change(async () => {
        const { rules, errors } = checkRules(input, state.standing(), source);
        if (errors.length > 0) throw errors[0];
        const { derived, version, partial } = await state.write(rules.map((rule): Change => ({ kind: 'rule', id: rule.id, document: ruleDocument(rule) })));
        return { rules, derived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  /** What `addRules` would say, without storing anything. Never throws for what is wrong with the rules. */
  async validateRules(base: BaseName, input: unknown, source?: RuleSource): Promise<RulesCheck> {
    this.#states.assertOpen();
    return this.#states.read(base, async (state) => checkRules(input, state.standing(), source));
  }
  /** Takes a built-in rule set into use, or out of it. Its rules are written out for the schema that is stored, and follow it. RuleError when they cannot stand beside the base's own. */
  async useRuleSet(base: BaseName, name: RuleSetName, use = true): Promise<RuleSetResult> {
    this.#states.assertOpen();
    return this.#states.use(base, (state) =>
      state.change(async () => {
        const { derived, noLongerDerived, version, partial } = await state.write([
          { kind: 'rule', id: ruleSetId(name), ...(use ? { document: JSON.stringify({ rule_set: name }) } : {}) },
        ]);
        return { rules: state.setRules, derived, noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  /** The base's own rules, its rule sets with the rules they stand for now, and the version of the base that both belong to. */
  async ruleBook(base: BaseName): Promise<RuleBook> {
    return this.#states.read(base, async (state) => ({ rules: [...state.rules.values()], ruleSets: [...state.ruleSets], setRules: state.setRules, version: state.version }));
  }
  /** Removes one rule with what only it derived. KnowledgeError `unknown_rule` when the base has none of that id. */
  async removeRule(base: BaseName, id: string): Promise<RuleRemoval> {
    this.#states.assertOpen();
    return this.#states.use(base, (state) =>
      state.change(async () => {
        const rule = state.rules.get(id);
        if (!rule)
          throw new KnowledgeError(
            'unknown_rule',
            `knowledge base ${JSON.stringify(base)} has no rule ${JSON.stringify(id.slice(0, 80))}; list its rules to see their ids`,
          );
        const { noLongerDerived, version, partial } = await state.write([{ kind: 'rule', id }]);
        return { rule, noLongerDerived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  /** The base's own rules. What declared properties of relations mean is not among them. */
  async rules(base: BaseName): Promise<readonly Rule[]> {
    return this.#states.read(base, async (state) => [...state.rules.values()]);
  }
  /** Ways in which the base's constraints (rules without head) are broken, at most `limit` in all. */
  async conflicts(base: BaseName, { limit = 100 }: { readonly limit?: number } = {}): Promise<readonly Conflict[]> {
    return this.#states.read(base, async (state) => {
      const { prover } = new StandingWorld(state, this.#proofLimits);
      const found: Conflict[] = [];
      for (const rule of state.standing())
        if (rule.heads.length === 0) for (const way of await prover.solve(rule, limit - found.length)) found.push({ rule, ...way });
      return found;
    });
  }

  /** Brings the base up to the clock: what began or ceased to be true since the last call is told to the listeners before this resolves. */
  async current(base: BaseName): Promise<void> {
    await this.#states.read(base, async () => undefined);
  }
  /**
   * Contradictions: several objects of a functional relation, relations that exclude each other, what is told or derived and known to be false, broken constraints. Each with
   * the proofs of its sides, and which of them stand by the declared policies. `offset`: how many to pass over; the order is the same while the base does not change.
   */
  async contradictions(base: BaseName, options: { readonly offset?: number; readonly limit?: number; readonly signal?: AbortSignal } = {}): Promise<ContradictionPage> {
    const { offset = 0, limit = 100, signal } = options;
    return this.#states.read(base, (state) =>
      contradictions(hypothesisOf(state, NO_ASSUMPTIONS), state, { offset, limit, budget: this.limits.standing }, this.#deduceContext(state), signal),
    );
  }
  /** What is declared about contradictions. */
  async conflictPolicies(base: BaseName): Promise<ConflictPolicies> {
    return this.#states.read(base, async (state) => state.policies);
  }
  /**
   * Declares which side of a contradiction stands when questions are answered (`deduce`, `ground`, `prove`, `whyNot`, `whatIf`, `checkProof`): the weaker stored facts are then
   * taken as not being there, with all that follows from them alone. They stay stored, and `match`, `paths` and `conflicts` read them as before. Replaces all policies.
   */
  async setConflictPolicies(base: BaseName, policies: ConflictPolicies): Promise<ConflictPolicies> {
    this.#states.assertOpen();
    const checked = checkPolicies(policies);
    await this.#states.use(base, (state) => state.change(() => state.write([policiesChange(checked)])));
    return checked;
  }

  /** Begins to learn rules from the facts in force, in threads of its own. InduceError, or the signal's reason while facts are read. */
  async induce(base: BaseName, request: InduceRequest): Promise<Induction> {
    this.#states.assertOpen();
    return this.#states.use(base, (state) => this.#inductions.begin(factSource(state), request));
  }
  /** An induction that was begun in this base. InduceError `unknown_induction` when it never was, or was forgotten. */
  induction(base: BaseName, id: string): Induction {
    this.#states.assertOpen();
    return this.#inductions.get(base, id);
  }
  /** Stores rules that an induction found, with their measured confidence. InduceError `unknown_rule` when it did not find one of them. */
  async adopt(base: BaseName, induction: string, ids: readonly string[]): Promise<RulesResult> {
    const found = new Map(this.induction(base, induction).state.rules.map(({ rule }) => [rule.id, rule]));
    const rules = ids.map((id) => {
      const rule = found.get(id);
      if (!rule) throw new InduceError('unknown_rule', `induction ${induction} has no rule ${JSON.stringify(id.slice(0, 80))}; its rules are listed with their ids`);
      return ruleToJson(rule);
    });
    return this.addRules(base, rules);
  }
  /** Candidates for the missing end of a fact, by rules that were learned. InduceError, or the signal's reason. */
  async rank(base: BaseName, request: RankRequest): Promise<RankResult> {
    return this.#states.use(base, (state) => this.#inductions.rank(factSource(state), request));
  }
  /** Stored facts, then derived ones. StoreError `invalid_cursor` for a cursor that is unknown or out of date. */
  async match(base: BaseName, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
    const page = await this.#states.read(base, async (state) => {
      const found = await matchKnown(this.#store, state, pattern, options);
      for (const fact of found.items) if (fact.validFrom !== undefined || fact.validTo !== undefined) state.watch.see(fact, this.#now());
      return found;
    });
    this.#remember(base, page.items);
    return page;
  }
  /** Facts by id, in no certain order; unknown ids are left out. A derived fact is known for some time after it was given out, while it holds. */
  async facts(base: BaseName, ids: readonly FactId[]): Promise<readonly KnownFact[]> {
    return this.#states.read(base, async (state) => {
      const stored = ids.filter((id) => !id.startsWith('d_'));
      const found: KnownFact[] = (stored.length === 0 ? [] : await this.#store.facts(base, stored)).map((fact) => ({ ...fact, derived: false }));
      for (const id of new Set(ids)) {
        const known = this.#derived.get(id);
        const at = known?.base === base ? state.closure.database.find(known.triple) : undefined;
        if (known && at && at.slot.table.rules[at.row] >= 0)
          found.push({ ...known.triple, id, confidence: at.slot.table.confidence(at.row), recordedAt: state.readAt, derived: true });
      }
      return found;
    });
  }
  /** Relation paths of one to `hops` steps from `start`, over stored and derived facts. */
  async paths(base: BaseName, start: Term, options: ReadOptions & { readonly hops: number }): Promise<readonly PathSummary[]> {
    return this.#states.read(base, (state) => this.#walker(state).paths(start, options.hops, options));
  }
  /** What a path reaches from `start`, over stored and derived facts: each end once, never `start` itself. */
  async follow(base: BaseName, start: Term, path: Path, options: ReadOptions = {}): Promise<readonly KnownPathResult[]> {
    const results = await this.#states.read(base, (state) => this.#walker(state).follow(start, path, options));
    for (const { facts } of results) this.#remember(base, facts);
    return results;
  }

  /** Entities by name or alias, best first; those that only rules name are among them. */
  async search(base: BaseName, text: string, options: ReadOptions = {}): Promise<readonly EntityHit[]> {
    return this.#states.read(base, async (state) => withMentionedHits(state, text, await this.#store.search(base, text, options), options.limit));
  }
  /** Entities by exact name (after folding), many names at once; those that only rules name are among them. */
  async named(base: BaseName, names: readonly string[], options: Pick<ReadOptions, 'signal'> = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#states.read(base, async (state) => withMentionedNames(state, names, await this.#store.named(base, names, options)));
  }
  /** Entities by id; unknown ids are left out. */
  async entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return this.#states.read(base, async (state) => withMentioned(state, ids, await this.#store.entities(base, ids)));
  }
  /** Relations with their declarations; `facts` counts derived facts, too. */
  async relations(base: BaseName): Promise<readonly RelationSummary[]> {
    return this.#states.read(base, async (state) => withDerived(state, await this.#store.relations(base)));
  }
  /** The bases that were written. Reads each of them. */
  async bases(): Promise<readonly KnownBaseStatistics[]> {
    this.#states.assertOpen();
    const list: KnownBaseStatistics[] = [];
    for (const { base } of await this.#store.bases()) {
      const known = await this.#states.read(base, async (state) => {
        const statistics = (await this.#store.bases()).find((each) => each.base === base);
        const { database, partial } = state.closure;
        return statistics && { ...statistics, derived: database.derived, rules: state.rules.size, ...(partial === undefined ? {} : { partial }) };
      });
      if (known) list.push(known);
    }
    return list;
  }

  /**
   * Derives answers for a goal, with hypothetical rules and facts where they are given. RuleError for a goal or rule that is wrong, KnowledgeError `too_large` when the
   * semantics asked for is beyond its limits; the signal's reason when it fires.
   */
  async deduce(base: BaseName, request: DeduceRequest): Promise<DeduceResult> {
    this.#states.assertOpen();
    const { budget, facts = [], removed = [], semantics = 'best', proofs = 1, validAt, signal } = request;
    checkBudget(budget);
    checkSupposed(facts, removed, validAt);
    const goal = goalOf(request.goal);
    const rules = request.rules === undefined ? [] : rulesOf(request.rules);
    if (!goal && semantics === 'exact') throw new KnowledgeError('invalid_request', 'an exact probability needs a goal; give one');
    const plain = rules.length === 0 && facts.length === 0 && removed.length === 0 && semantics === 'best' && proofs === 1 && validAt === undefined;
    return this.#states.read(base, async (state) => {
      const context = this.#deduceContext(state, validAt);
      const known = goal && plain && state.closure.partial === undefined;
      if (known && !decides(state.policies)) return deduceStanding(goal, state, this.#proofLimits, budget, context.keep, signal);
      const hypothesis = await this.#resolved(state, { rules, facts, removed }, context);
      if (known && hypothesis.removed.length === 0) return deduceStanding(goal, state, this.#proofLimits, budget, context.keep, signal);
      return deduceHypothetically(goal, hypothesis, { budget, semantics, proofs }, context, signal);
    });
  }
  /** What would follow newly, no longer, or with another confidence, if facts and rules came or went. Nothing is written. Errors as of `deduce`. */
  async whatIf(base: BaseName, request: WhatIfRequest): Promise<WhatIfResult> {
    this.#states.assertOpen();
    const { budget, add = [], remove = [], cursor, signal } = request;
    checkBudget(budget);
    checkSupposed(add, remove, undefined);
    const goal = goalOf(request.goal);
    const rules = request.rules === undefined ? [] : rulesOf(request.rules);
    return this.#states.read(base, async (state) => {
      const context = this.#deduceContext(state);
      const actual = await this.#resolved(state, NO_ASSUMPTIONS, context);
      const supposed = await this.#resolved(state, { rules, facts: add, removed: remove }, context);
      return whatIf({ actual, supposed, goal, cursor }, state, budget, context, signal);
    });
  }
  /** What would have to be so for observations to follow. Nothing is written. Errors as of `deduce`. */
  async abduce(base: BaseName, request: AbduceRequest): Promise<AbduceResult> {
    this.#states.assertOpen();
    const { facts = [], signal } = request;
    checkSupposed(facts, [], undefined);
    const question = readQuestion(request);
    const rules = request.rules === undefined ? [] : rulesOf(request.rules);
    return this.#states.read(base, (state) => {
      const context = this.#deduceContext(state);
      const check = (proof: Proof, oracle: AbsenceOracle, assumed: readonly Triple[]): Promise<CheckResult> =>
        checkProof(proof, groundsOf(this.#store, state, context.now, oracle, { rules, facts: assumed, removed: [] }));
      return abduce(question, hypothesisOf(state, { rules, facts, removed: [] }), { ...context, check }, signal);
    });
  }
  /** Why a goal does not follow: the nearest instances of rules that could conclude it, what holds in them and what is missing. Errors as of `deduce`. */
  async whyNot(base: BaseName, request: WhyNotRequest): Promise<WhyNotResult> {
    this.#states.assertOpen();
    const { budget, facts = [], removed = [] } = request;
    checkBudget(budget);
    checkSupposed(facts, removed, undefined);
    const goal = goalOf(request.goal) as Atom;
    const rules = request.rules === undefined ? [] : rulesOf(request.rules);
    return this.#states.read(base, async (state) => {
      const context = this.#deduceContext(state);
      return explainAbsence(goal, await this.#resolved(state, { rules, facts, removed }, context), state, request, context);
    });
  }
  /** Is the triple entailed, refuted (by strong negation, a functional or closed relation, a disjoint one) or neither? Its proof is absent when it is larger than the limits allow. */
  async ground(base: BaseName, triple: Triple): Promise<GroundResult> {
    return this.#states.read(base, async (state) => {
      const { outcome, held } = await this.#ground(state, triple);
      const { partial } = state.closure;
      return {
        outcome,
        ...(held?.proof ? { proof: held.proof, proofId: this.#proofs.keep(base, held.proof) } : {}),
        ...(partial === undefined ? {} : { partial }),
      };
    });
  }
  /** A proof of the triple; undefined when it is not entailed, or when the proof is larger than the limits allow. */
  async prove(base: BaseName, triple: Triple): Promise<Proof | undefined> {
    return this.#states.read(base, async (state) => {
      const { outcome, held } = await this.#ground(state, triple);
      return outcome === 'entailed' ? held?.proof : undefined;
    });
  }
  /** Keeps a proof to be asked for by id. The same proof of the same base always has the same id. */
  keepProof(base: BaseName, proof: Proof): string {
    this.#states.assertOpen();
    return this.#proofs.keep(base, proof);
  }
  /** A proof that was kept or given out for this base; undefined when it never was, or has fallen. */
  proof(base: BaseName, id: string): Proof | undefined {
    this.#states.assertOpen();
    const kept = this.#proofs.get(id);
    return kept?.base === base ? kept.proof : undefined;
  }
  /** Verifies a proof, step by step, against the base as it is now. `hypothesis`: what the proof may assume besides. */
  async checkProof(base: BaseName, proof: Proof, assumptions: ProofHypothesis = {}): Promise<CheckResult> {
    this.#states.assertOpen();
    const { facts = [], removed = [], validAt } = assumptions;
    checkSupposed(facts, removed, validAt);
    const assumed = { rules: assumptions.rules === undefined ? [] : rulesOf(assumptions.rules), facts, removed };
    return this.#states.read(base, async (state) => {
      const context = this.#deduceContext(state, validAt);
      const { reader, now } = context;
      const hypothesis = await this.#resolved(state, assumed, context);
      const supposed = assumed.rules.length + facts.length + hypothesis.removed.length > 0 || validAt !== undefined;
      const needed = supposed ? absences(proof, this.limits.proofNodes) : undefined;
      const oracle =
        needed && needed.size > 0
          ? await hypotheticalAbsence(hypothesis, needed, this.limits.standing, reader, now)
          : standingAbsence(state);
      return checkProof(proof, groundsOf(this.#store, state, now, oracle, hypothesis));
    });
  }

  get #proofLimits(): ProofLimits {
    return { nodes: this.limits.proofNodes, height: this.limits.proofHeight };
  }
  /** The hypothesis without the facts that do not stand by the base's policies. */
  async #resolved(state: BaseState, assumed: Assumptions, context: DeduceContext): Promise<Hypothesis> {
    const hypothesis = hypothesisOf(state, assumed);
    if (!decides(state.policies)) return hypothesis;
    const own = assumed.rules.length + assumed.facts.length + assumed.removed.length > 0 || context.reader !== state.reader;
    const kept = own ? undefined : this.#overruled.get(state);
    if (kept?.version === state.version && context.now < kept.until) return { ...hypothesis, removed: kept.removed };
    const until = state.watch.next;
    const removed = await overruled(hypothesis, state, this.limits.standing, context);
    if (!own) this.#overruled.set(state, { version: state.version, until, removed });
    return { ...hypothesis, removed: [...assumed.removed, ...removed] };
  }
  async #ground(state: BaseState, triple: Triple): Promise<Grounded> {
    if (!decides(state.policies)) return groundIn(new StandingWorld(state, this.#proofLimits), triple);
    const context = this.#deduceContext(state);
    const hypothesis = await this.#resolved(state, NO_ASSUMPTIONS, context);
    if (hypothesis.removed.length === 0) return groundIn(new StandingWorld(state, this.#proofLimits), triple);
    const { program, run } = await derive(hypothesis, { goals: decisiveGoals(triple, state.declarations) }, this.limits.standing, state.reader, context.now);
    return groundIn(new DatabaseWorld(program, new Prover(program, state.reader, this.#proofLimits), state.declarations, run.complete), triple);
  }
  #deduceContext(state: BaseState, validAt?: string): DeduceContext {
    const keep = (proof: Proof): string => this.#proofs.keep(state.base, proof);
    const proofs = this.#proofLimits;
    if (validAt === undefined) return { reader: state.reader, proofs, now: this.#now(), keep };
    const now = instant(validAt);
    // What begins or ends by the clock is none of a reading of another time.
    return { reader: new FactReader(this.#store, state.base, new ValidityWatch(), () => now), proofs, now, keep };
  }
  #walker(state: BaseState): Walker {
    return new Walker(this.#store, state.base, state.closure.database, state.readAt, this.limits.expansion, (fact) => {
      if (fact.validFrom === undefined && fact.validTo === undefined) return true;
      const now = this.#now();
      state.watch.see(fact, now);
      return inForce(fact, now);
    });
  }
  #remember(base: BaseName, facts: readonly KnownFact[]): void {
    for (const fact of facts) if (fact.derived) this.#derived.set(fact.id, { base, triple: bareTriple(fact) });
  }
}

const factSource = (state: BaseState): FactSource => ({
  base: state.base,
  version: () => state.version,
  steady: (read) => state.steady(read),
  each: (pattern, visit, signal) => state.reader.each(pattern, visit, signal),
  *derived() {
    const { database } = state.closure;
    for (const slot of database.slots()) for (const row of database.rows(slot.key, undefined, undefined)) if (slot.table.rules[row] >= 0) yield database.triple(slot, row);
  },
});
const hypothesisOf = (state: BaseState, assumed: Assumptions): Hypothesis => ({
  ...assumed,
  standing: state.standing(),
  declarations: state.declarations,
  derivedAlready: (triple) => {
    const at = state.closure.database.find(triple);
    return at !== undefined && at.slot.table.rules[at.row] >= 0;
  },
});
