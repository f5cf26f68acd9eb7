// Owns the knowledge graph as the rest of the system sees it: facts that are told, what follows from them, why, and who is told of changes.
// Refuses to know HTTP, models, and which store is behind it.

import { LRUCache } from 'lru-cache';
import type { BaseName, Entity, EntityId, Fact, FactId, Path, Statement, Term, Triple, TriplePattern } from './terms.ts';
import { TermError } from './terms.ts';
import type { Change, EntityHit, GraphStore, Page, PathSummary, RelationSummary } from './store.ts';
import { checkProof } from './reason/checker.ts';
import type { CheckResult } from './reason/checker.ts';
import type { ProofLimits } from './reason/explain.ts';
import { instant } from './reason/interner.ts';
import { parseGoal } from './reason/parse.ts';
import type { Atom, Budget, Proof, Rule } from './reason/types.ts';
import { BaseState, ruleDocument } from './knowledge/base.ts';
import type { BaseContext } from './knowledge/base.ts';
import { deduceHypothetically, hypotheticalAbsence } from './knowledge/deduce.ts';
import type { Hypothesis } from './knowledge/deduce.ts';
import { bareTriple } from './knowledge/facts.ts';
import { absences, groundsOf, standingAbsence } from './knowledge/grounds.ts';
import { withDerived, withMentioned, withMentionedHits, withMentionedNames } from './knowledge/listing.ts';
import { matchKnown } from './knowledge/pages.ts';
import { ProofStore } from './knowledge/proofs.ts';
import { checkRules, rulesOf } from './knowledge/rulebook.ts';
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
  RulesResult,
  TellResult,
} from './knowledge/types.ts';
import { Walker } from './knowledge/walk.ts';
import { groundIn } from './knowledge/world.ts';

export * from './knowledge/types.ts';
export type { CheckResult } from './reason/checker.ts';
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
}

/** Derived facts whose ids are remembered after they were given out. */
const REMEMBERED_DERIVED = 20_000;
/** Bases without facts and rules whose empty state is kept. */
const EMPTY_STATES = 256;
const VALIDITY_CHECK_MS = 60_000;

/**
 * Facts in named bases with what their rules derive. `open` once, `close` once; outside that span every call fails with KnowledgeError `closed`.
 * A base that was never written is empty. Each read sees one version of its base; after a write resolves, every read sees it.
 * Errors: KnowledgeError, RuleError, TermError, and the store's StoreError.
 */
export class KnowledgeGraph {
  readonly limits: KnowledgeLimits;
  readonly #store: GraphStore;
  readonly #now: () => number;
  readonly #context: BaseContext;
  readonly #proofs: ProofStore;
  readonly #states = new Map<BaseName, Promise<BaseState>>();
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  readonly #derived = new LRUCache<FactId, { readonly base: BaseName; readonly triple: Triple }>({ max: REMEMBERED_DERIVED });
  #open = false;
  #timer: NodeJS.Timeout | undefined;

  constructor({ store, limits, now = Date.now }: KnowledgeGraphOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#store = store;
    this.#now = now;
    this.#proofs = new ProofStore(this.limits.proofBytes);
    this.#context = { store, limits: this.limits, now, emit: (event) => this.#emit(event) };
  }

  /** Opens the store. */
  async open(): Promise<void> {
    await this.#store.open();
    this.#open = true;
    this.#timer = setInterval(() => void this.#watchClock(), VALIDITY_CHECK_MS).unref();
  }
  /** Refuses what comes after, waits for writes at work, closes the store. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#timer);
    for (const state of await Promise.allSettled(this.#states.values())) if (state.status === 'fulfilled') await state.value.settled();
    this.#states.clear();
    this.#listeners.clear();
    this.#proofs.clear();
    this.#derived.clear();
    await this.#store.close();
  }

  /** Calls `listener` with what each write changed, before the write resolves. Returns the way to end it. */
  subscribe(listener: (event: ChangeEvent) => void): () => void {
    this.#assertOpen();
    // The same function given twice is told twice, and ends one at a time.
    const own = (event: ChangeEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Stores and withdraws, all or nothing, and brings what follows up to date. KnowledgeError `busy` when too many writes wait; RuleError when rules or declarations cannot stand. */
  async tell(base: BaseName, changes: readonly Change[]): Promise<TellResult> {
    this.#assertOpen();
    for (const change of changes) if (change.kind === 'assert') checkStatement(change.statement);
    return this.#use(base, (state) => state.change(() => state.write(changes)));
  }
  /** Stores the rules of a text or a JSON document: all, or none when there is a mistake (RuleError). A rule that is there already stays as it is. */
  async addRules(base: BaseName, input: unknown): Promise<RulesResult> {
    this.#assertOpen();
    return this.#use(base, (state) =>
      state.change(async () => {
        const { rules, errors } = checkRules(input, state.standing());
        if (errors.length > 0) throw errors[0];
        const { derived, version, partial } = await state.write(rules.map((rule): Change => ({ kind: 'rule', id: rule.id, document: ruleDocument(rule) })));
        return { rules, derived, version, ...(partial === undefined ? {} : { partial }) };
      }),
    );
  }
  /** What `addRules` would say, without storing anything. Never throws for what is wrong with the rules. */
  async validateRules(base: BaseName, input: unknown): Promise<RulesCheck> {
    this.#assertOpen();
    return this.#read(base, async (state) => checkRules(input, state.standing()));
  }
  /** Removes one rule with what only it derived. KnowledgeError `unknown_rule` when the base has none of that id. */
  async removeRule(base: BaseName, id: string): Promise<RuleRemoval> {
    this.#assertOpen();
    return this.#use(base, (state) =>
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
    return this.#read(base, async (state) => [...state.rules.values()]);
  }
  /** Ways in which the base's constraints (rules without head) are broken, at most `limit` in all. */
  async conflicts(base: BaseName, { limit = 100 }: { readonly limit?: number } = {}): Promise<readonly Conflict[]> {
    return this.#read(base, async (state) => {
      const { prover } = new StandingWorld(state, this.#proofLimits);
      const found: Conflict[] = [];
      for (const rule of state.rules.values())
        if (rule.heads.length === 0) for (const way of await prover.solve(rule, limit - found.length)) found.push({ rule, ...way });
      return found;
    });
  }

  /** Stored facts, then derived ones. StoreError `invalid_cursor` for a cursor that is unknown or out of date. */
  async match(base: BaseName, pattern: TriplePattern, options: KnownMatchOptions = {}): Promise<Page<KnownFact>> {
    const page = await this.#read(base, (state) => matchKnown(this.#store, state, pattern, options));
    this.#remember(base, page.items);
    return page;
  }
  /** Facts by id, in no certain order; unknown ids are left out. A derived fact is known for some time after it was given out, while it holds. */
  async facts(base: BaseName, ids: readonly FactId[]): Promise<readonly KnownFact[]> {
    return this.#read(base, async (state) => {
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
    return this.#read(base, (state) => this.#walker(state).paths(start, options.hops, options));
  }
  /** What a path reaches from `start`, over stored and derived facts: each end once, never `start` itself. */
  async follow(base: BaseName, start: Term, path: Path, options: ReadOptions = {}): Promise<readonly KnownPathResult[]> {
    const results = await this.#read(base, (state) => this.#walker(state).follow(start, path, options));
    for (const { facts } of results) this.#remember(base, facts);
    return results;
  }

  /** Entities by name or alias, best first; those that only rules name are among them. */
  async search(base: BaseName, text: string, options: ReadOptions = {}): Promise<readonly EntityHit[]> {
    return this.#read(base, async (state) => withMentionedHits(state, text, await this.#store.search(base, text, options), options.limit));
  }
  /** Entities by exact name (after folding), many names at once; those that only rules name are among them. */
  async named(base: BaseName, names: readonly string[], options: Pick<ReadOptions, 'signal'> = {}): Promise<ReadonlyMap<string, readonly EntityHit[]>> {
    return this.#read(base, async (state) => withMentionedNames(state, names, await this.#store.named(base, names, options)));
  }
  /** Entities by id; unknown ids are left out. */
  async entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]> {
    return this.#read(base, async (state) => withMentioned(state, ids, await this.#store.entities(base, ids)));
  }
  /** Relations with their declarations; `facts` counts derived facts, too. */
  async relations(base: BaseName): Promise<readonly RelationSummary[]> {
    return this.#read(base, async (state) => withDerived(state, await this.#store.relations(base)));
  }
  /** The bases that were written. Reads each of them. */
  async bases(): Promise<readonly KnownBaseStatistics[]> {
    this.#assertOpen();
    const list: KnownBaseStatistics[] = [];
    for (const { base } of await this.#store.bases()) {
      const known = await this.#read(base, async (state) => {
        const statistics = (await this.#store.bases()).find((each) => each.base === base);
        const { database, partial } = state.closure;
        return statistics && { ...statistics, derived: database.derived, rules: state.rules.size, ...(partial === undefined ? {} : { partial }) };
      });
      if (known) list.push(known);
    }
    return list;
  }

  /** Derives answers for a goal, with hypothetical rules and facts where they are given. RuleError for a goal or rule that is wrong; the signal's reason when it fires. */
  async deduce(base: BaseName, request: DeduceRequest): Promise<DeduceResult> {
    this.#assertOpen();
    const { budget, facts = [], signal } = request;
    checkBudget(budget);
    for (const fact of facts) checkStatement(fact);
    const goal = typeof request.goal === 'string' ? parseGoal(request.goal) : request.goal;
    if (goal) checkGoal(goal);
    const rules = request.rules === undefined ? [] : rulesOf(request.rules);
    const keep = (proof: Proof): string => this.#proofs.keep(base, proof);
    return this.#read(base, (state) => {
      if (goal && rules.length === 0 && facts.length === 0 && state.closure.partial === undefined)
        return deduceStanding(goal, state, this.#proofLimits, budget, keep, signal);
      const context = { reader: state.reader, proofs: this.#proofLimits, now: this.#now(), keep };
      return deduceHypothetically(goal, hypothesisOf(state, rules, facts), budget, context, signal);
    });
  }
  /** Is the triple entailed, refuted (by strong negation, a functional or closed relation, a disjoint one) or neither? Its proof is absent when it is larger than the limits allow. */
  async ground(base: BaseName, triple: Triple): Promise<GroundResult> {
    return this.#read(base, async (state) => {
      const { outcome, held } = await groundIn(new StandingWorld(state, this.#proofLimits), triple);
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
    return this.#read(base, async (state) => {
      const { outcome, held } = await groundIn(new StandingWorld(state, this.#proofLimits), triple);
      return outcome === 'entailed' ? held?.proof : undefined;
    });
  }
  /** Keeps a proof to be asked for by id. The same proof of the same base always has the same id. */
  keepProof(base: BaseName, proof: Proof): string {
    this.#assertOpen();
    return this.#proofs.keep(base, proof);
  }
  /** A proof that was kept or given out for this base; undefined when it never was, or has fallen. */
  proof(base: BaseName, id: string): Proof | undefined {
    this.#assertOpen();
    const kept = this.#proofs.get(id);
    return kept?.base === base ? kept.proof : undefined;
  }
  /** Verifies a proof, step by step, against the base as it is now. `hypothesis`: what the proof may assume besides. */
  async checkProof(base: BaseName, proof: Proof, hypothesis: ProofHypothesis = {}): Promise<CheckResult> {
    this.#assertOpen();
    const assumed = { rules: hypothesis.rules === undefined ? [] : rulesOf(hypothesis.rules), facts: hypothesis.facts ?? [] };
    return this.#read(base, async (state) => {
      const needed = assumed.rules.length + assumed.facts.length > 0 ? absences(proof, this.limits.proofNodes) : undefined;
      const oracle =
        needed && needed.size > 0
          ? await hypotheticalAbsence(hypothesisOf(state, assumed.rules, assumed.facts), needed, this.limits.standing, state.reader, this.#now())
          : standingAbsence(state);
      return checkProof(proof, groundsOf(this.#store, state, this.#now(), oracle, assumed));
    });
  }

  get #proofLimits(): ProofLimits {
    return { nodes: this.limits.proofNodes, height: this.limits.proofHeight };
  }
  #walker(state: BaseState): Walker {
    return new Walker(this.#store, state.base, state.closure.database, state.readAt, this.limits.expansion);
  }
  #remember(base: BaseName, facts: readonly KnownFact[]): void {
    for (const fact of facts) if (fact.derived) this.#derived.set(fact.id, { base, triple: bareTriple(fact) });
  }
  #assertOpen(): void {
    if (!this.#open) throw new KnowledgeError('closed', 'the knowledge graph is not open; call open() first, and nothing after close()');
  }
  #emit(event: ChangeEvent): void {
    for (const listener of this.#listeners)
      try {
        listener(event);
      } catch (error) {
        // The write is durable, whatever a listener makes of it.
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      }
  }

  #read<T>(base: BaseName, read: (state: BaseState) => Promise<T>): Promise<T> {
    return this.#use(base, (state) => state.steady(() => read(state)));
  }
  async #use<T>(base: BaseName, work: (state: BaseState) => Promise<T>): Promise<T> {
    for (;;) {
      this.#assertOpen();
      const loading = this.#states.get(base) ?? this.#load(base);
      const state = await loading;
      // Empty states are forgotten when there are many: two must never stand for one base.
      if (this.#states.get(base) !== loading) continue;
      state.users++;
      try {
        this.#assertOpen();
        return await work(state);
      } finally {
        state.users--;
        if (state.idle && this.#states.size > EMPTY_STATES) this.#states.delete(base);
      }
    }
  }
  #load(base: BaseName): Promise<BaseState> {
    const loading = BaseState.load(base, this.#context);
    this.#states.set(base, loading);
    // What could not be read is tried again at the next call.
    loading.catch(() => this.#states.delete(base));
    return loading;
  }
  async #watchClock(): Promise<void> {
    for (const loading of this.#states.values()) {
      const state = await loading.catch(() => undefined);
      // A failure here is found again, and reported, by the next call.
      if (state && this.#open && state.watch.next <= this.#now()) await state.steady(async () => undefined).catch(() => undefined);
    }
  }
}

const hypothesisOf = (state: BaseState, rules: readonly Rule[], facts: readonly Statement[]): Hypothesis => ({
  standing: state.standing(),
  rules,
  facts,
  declarations: state.declarations,
  derivedAlready: (triple) => {
    const at = state.closure.database.find(triple);
    return at !== undefined && at.slot.table.rules[at.row] >= 0;
  },
});

function checkStatement({ confidence, validFrom, validTo }: Statement | Fact): void {
  if (confidence !== undefined && !(confidence > 0 && confidence <= 1))
    throw new TermError('invalid_confidence', `confidence ${confidence} is out of range; it must be above 0 and at most 1`);
  for (const time of [validFrom, validTo])
    if (time !== undefined && Number.isNaN(instant(time)))
      throw new TermError('invalid_time', `${JSON.stringify(time.slice(0, 80))} is no time; give ISO 8601 such as "2024-03-01T12:00:00Z"`);
  if (validFrom !== undefined && validTo !== undefined && !(instant(validFrom) < instant(validTo)))
    throw new TermError('invalid_time', `a fact cannot be true from ${validFrom} until ${validTo}; the end must be later`);
}
function checkBudget(budget: Budget): void {
  for (const key of ['answers', 'facts', 'ms', 'depth'] as const)
    if (!(budget[key] > 0)) throw new KnowledgeError('invalid_request', `the limit ${key} is ${budget[key]}; give a number above 0`);
}
function checkGoal(goal: Atom): void {
  if (goal.absent) throw new KnowledgeError('invalid_request', 'a goal cannot be "not p(..)"; ask for p(..) and look at the outcome');
  if (goal.subject.kind === 'literal') throw new KnowledgeError('invalid_request', 'the subject of a goal is a variable or an entity, never a literal');
}
