// Owns questions to a base: what follows, what would, why not, what would explain it, and whether a proof is right.
// Refuses to know how each is answered, and writing.

import type { BaseName, Statement, Triple, TriplePattern } from '../terms.ts';
import { abduce } from '../abduce/abduce.ts';
import { readQuestion } from '../abduce/request.ts';
import type { AbduceRequest, AbduceResult } from '../abduce/types.ts';
import { checkProof } from '../reason/proofs/checker.ts';
import type { CheckResult } from '../reason/proofs/checker.ts';
import { runSliced } from '../reason/evaluate/run.ts';
import { excludingRules } from '../reason/rulesets/known-false.ts';
import type { Atom, BudgetLimit, Proof } from '../reason/types.ts';
import { NO_ASSUMPTIONS } from './facts/assumptions.ts';
import type { AbsenceOracle } from './facts/assumptions.ts';
import { contextOf, proofLimits } from './worlds/context.ts';
import type { Shared } from './worlds/context.ts';
import { deduceHypothetically } from './questions/deduce.ts';
import { absences, groundsOf, standingAbsence } from './questions/grounds.ts';
import { groundGoal } from './worlds/goals.ts';
import { hypotheticalAbsence } from './worlds/hypothesis.ts';
import type { Hypothesis } from './worlds/hypothesis.ts';
import { decides } from './bases/policies.ts';
import { checkBudget, checkSupposed, goalOf } from './common/requests.ts';
import type { Resolver } from './conflicts/resolved.ts';
import { readingRulesOf } from './rulebook.ts';
import { deduceStanding } from './worlds/standing.ts';
import { KnowledgeError } from './common/types.ts';
import type { DeduceRequest, DeduceResult, WhatIfRequest, WhatIfResult } from './common/types.ts';
import { whatIf } from './questions/whatif.ts';
import { explainAbsence } from './questions/whynot.ts';
import type { WhyNotRequest, WhyNotResult } from './questions/whynot.ts';

/** Rules and facts that a proof may assume: those of the deduction that gave it. */
export interface ProofHypothesis {
  readonly rules?: unknown;
  readonly facts?: readonly Statement[];
  /** Stored facts that were thought away. */
  readonly removed?: readonly TriplePattern[];
  /** World time at which the deduction was made, ISO 8601. */
  readonly validAt?: string;
}

/** What is left of a budget's time whenever it is asked, beginning now. */
function lasting<B extends { readonly ms: number }>(budget: B): () => B {
  const until = performance.now() + budget.ms;
  return () => ({ ...budget, ms: Math.max(0, until - performance.now()) });
}
/** The result, which is not complete where policies were not decided to the end: what is taken as being there might have to fall. */
const marked = <R extends { readonly complete: boolean; readonly limit?: BudgetLimit }>(result: R, { undecided }: Pick<Hypothesis, 'undecided'>): R =>
  undecided === undefined ? result : { ...result, complete: false, limit: result.limit ?? undecided };

export class Reasoning {
  readonly #shared: Shared;
  readonly #resolver: Resolver;
  /** Abductions at work. */
  #abductions = 0;
  constructor(shared: Shared, resolver: Resolver) {
    this.#shared = shared;
    this.#resolver = resolver;
  }

  async deduce(base: BaseName, request: DeduceRequest): Promise<DeduceResult> {
    this.#shared.states.assertOpen();
    const { budget, facts = [], removed = [], semantics = 'best', proofs = 1, validAt, signal } = request;
    checkBudget(budget);
    checkSupposed(facts, removed, validAt);
    const goal = goalOf(request.goal);
    const { rules, places } = await runSliced(readingRulesOf(request.rules));
    if (!goal && semantics === 'exact') throw new KnowledgeError('invalid_request', 'an exact probability needs a goal; give one');
    const plain = rules.length === 0 && facts.length === 0 && removed.length === 0 && semantics === 'best' && proofs === 1 && validAt === undefined;
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state, validAt);
      // What is known to be false by what is declared is not derived before somebody asks.
      const excluded = goal?.negated && !groundGoal(goal) && excludingRules(goal, state.declared).length > 0;
      const known = goal && plain && !excluded && state.closure.partial === undefined;
      if (known && !decides(state.policies)) return deduceStanding(goal, state, proofLimits(this.#shared.limits), budget, context.keep, signal);
      const left = lasting(budget);
      const hypothesis = await this.#resolver.resolved(state, { rules, places, facts, removed }, context, { ms: budget.ms / 2, signal });
      const found =
        known && hypothesis.removed.length === 0
          ? await deduceStanding(goal, state, proofLimits(this.#shared.limits), left(), context.keep, signal)
          : await deduceHypothetically(goal, hypothesis, { budget: left(), semantics, proofs }, context, signal);
      return marked(found, hypothesis);
    });
  }
  async whatIf(base: BaseName, request: WhatIfRequest): Promise<WhatIfResult> {
    this.#shared.states.assertOpen();
    const { budget, add = [], remove = [], cursor, signal } = request;
    checkBudget(budget);
    checkSupposed(add, remove, undefined);
    const goal = goalOf(request.goal);
    const { rules, places } = await runSliced(readingRulesOf(request.rules));
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state);
      const left = lasting(budget);
      const actual = await this.#resolver.resolved(state, NO_ASSUMPTIONS, context, { ms: budget.ms / 4, signal });
      // What is added replaces what it would replace if it were written.
      const after = { ...context, reader: context.reader.replacing(add) };
      const supposed = await this.#resolver.resolved(state, { rules, places, facts: add, removed: remove }, after, { ms: budget.ms / 4, signal });
      return marked(await whatIf({ actual, supposed, goal, cursor }, state, left(), { before: context, after }, signal), { undecided: actual.undecided ?? supposed.undecided });
    });
  }
  async abduce(base: BaseName, request: AbduceRequest): Promise<AbduceResult> {
    this.#shared.states.assertOpen();
    const { facts = [], signal } = request;
    checkSupposed(facts, [], undefined);
    const question = readQuestion(request);
    const { rules, places } = await runSliced(readingRulesOf(request.rules));
    const { jobs, breaches } = this.#shared.limits.abduce;
    if (this.#abductions >= jobs) throw new KnowledgeError('occupied', `${this.#abductions} abductions are at work, which is the limit; try again later`);
    this.#abductions++;
    return this.#shared.states
      .read(base, async (state) => {
        const context = contextOf(this.#shared, state);
        const left = lasting(question.budget);
        const hypothesis = await this.#resolver.resolved(state, { rules, places, facts, removed: [] }, context, { ms: question.budget.ms / 2, signal });
        const check = (proof: Proof, oracle: AbsenceOracle, assumed: readonly Triple[]): Promise<CheckResult> =>
          checkProof(proof, groundsOf(this.#shared.store, state, context.now, oracle, { ...hypothesis, facts: assumed }));
        const found = await abduce({ ...question, budget: left() }, hypothesis, { ...context, breaches, check }, signal);
        return hypothesis.undecided === undefined ? found : { ...found, complete: false, limit: found.limit ?? 'ms', exhausted: false };
      })
      .finally(() => void this.#abductions--);
  }
  async whyNot(base: BaseName, request: WhyNotRequest): Promise<WhyNotResult> {
    this.#shared.states.assertOpen();
    const { budget, facts = [], removed = [], signal } = request;
    checkBudget(budget);
    checkSupposed(facts, removed, undefined);
    const goal = goalOf(request.goal) as Atom;
    const { rules, places } = await runSliced(readingRulesOf(request.rules));
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state);
      const left = lasting(budget);
      const hypothesis = await this.#resolver.resolved(state, { rules, places, facts, removed }, context, { ms: budget.ms / 2, signal });
      return marked(await explainAbsence(goal, hypothesis, state, { ...request, budget: left() }, context), hypothesis);
    });
  }
  async checkProof(base: BaseName, proof: Proof, assumptions: ProofHypothesis = {}): Promise<CheckResult> {
    this.#shared.states.assertOpen();
    const { facts = [], removed = [], validAt } = assumptions;
    checkSupposed(facts, removed, validAt);
    const assumed = { ...(await runSliced(readingRulesOf(assumptions.rules))), facts, removed };
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state, validAt);
      const { reader, now } = context;
      const hypothesis = await this.#resolver.resolved(state, assumed, context);
      const supposed = assumed.rules.length + facts.length + hypothesis.removed.length > 0 || validAt !== undefined;
      const needed = supposed ? absences(proof, this.#shared.limits.proofNodes) : undefined;
      const oracle =
        needed && needed.size > 0 ? await hypotheticalAbsence(hypothesis, needed, this.#shared.limits.standing, reader, now) : standingAbsence(state);
      const checked = await checkProof(proof, groundsOf(this.#shared.store, state, now, oracle, hypothesis));
      if (!checked.valid || hypothesis.undecided === undefined) return checked;
      return { valid: false, path: [], reason: `which facts stand by the conflict policies is not decided: that reached the limit ${hypothesis.undecided}` };
    });
  }
}
