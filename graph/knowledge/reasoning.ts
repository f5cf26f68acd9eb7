// Owns questions to a base: what follows, what would, why not, what would explain it, and whether a proof is right.
// Refuses to know how each is answered, and writing.

import type { BaseName, Statement, Triple, TriplePattern } from '../terms.ts';
import { abduce } from '../abduce/abduce.ts';
import { readQuestion } from '../abduce/request.ts';
import type { AbduceRequest, AbduceResult } from '../abduce/types.ts';
import { checkProof } from '../reason/proofs/checker.ts';
import type { CheckResult } from '../reason/proofs/checker.ts';
import { excludingRules } from '../reason/rulesets/known-false.ts';
import type { Atom, Proof } from '../reason/types.ts';
import { NO_ASSUMPTIONS } from './assumptions.ts';
import type { AbsenceOracle } from './assumptions.ts';
import { contextOf, proofLimits } from './context.ts';
import type { Shared } from './context.ts';
import { deduceHypothetically } from './deduce.ts';
import { absences, groundsOf, standingAbsence } from './grounds.ts';
import { groundGoal } from './goals.ts';
import { hypotheticalAbsence } from './hypothesis.ts';
import { decides } from './policies.ts';
import { checkBudget, checkSupposed, goalOf } from './requests.ts';
import type { Resolver } from './resolved.ts';
import { rulesOf } from './rulebook.ts';
import { deduceStanding } from './standing.ts';
import { KnowledgeError } from './types.ts';
import type { DeduceRequest, DeduceResult, WhatIfRequest, WhatIfResult } from './types.ts';
import { whatIf } from './whatif.ts';
import { explainAbsence } from './whynot.ts';
import type { WhyNotRequest, WhyNotResult } from './whynot.ts';

/** Rules and facts that a proof may assume: those of the deduction that gave it. */
export interface ProofHypothesis {
  readonly rules?: unknown;
  readonly facts?: readonly Statement[];
  /** Stored facts that were thought away. */
  readonly removed?: readonly TriplePattern[];
  /** World time at which the deduction was made, ISO 8601. */
  readonly validAt?: string;
}

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
    const { rules, places } = rulesOf(request.rules);
    if (!goal && semantics === 'exact') throw new KnowledgeError('invalid_request', 'an exact probability needs a goal; give one');
    const plain = rules.length === 0 && facts.length === 0 && removed.length === 0 && semantics === 'best' && proofs === 1 && validAt === undefined;
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state, validAt);
      // What is known to be false by what is declared is not derived before somebody asks.
      const excluded = goal?.negated && !groundGoal(goal) && excludingRules(goal, state.declared).length > 0;
      const known = goal && plain && !excluded && state.closure.partial === undefined;
      if (known && !decides(state.policies)) return deduceStanding(goal, state, proofLimits(this.#shared.limits), budget, context.keep, signal);
      const hypothesis = await this.#resolver.resolved(state, { rules, places, facts, removed }, context);
      if (known && hypothesis.removed.length === 0) return deduceStanding(goal, state, proofLimits(this.#shared.limits), budget, context.keep, signal);
      return deduceHypothetically(goal, hypothesis, { budget, semantics, proofs }, context, signal);
    });
  }
  async whatIf(base: BaseName, request: WhatIfRequest): Promise<WhatIfResult> {
    this.#shared.states.assertOpen();
    const { budget, add = [], remove = [], cursor, signal } = request;
    checkBudget(budget);
    checkSupposed(add, remove, undefined);
    const goal = goalOf(request.goal);
    const { rules, places } = rulesOf(request.rules);
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state);
      const actual = await this.#resolver.resolved(state, NO_ASSUMPTIONS, context);
      // What is added replaces what it would replace if it were written.
      const after = { ...context, reader: context.reader.replacing(add) };
      const supposed = await this.#resolver.resolved(state, { rules, places, facts: add, removed: remove }, after);
      return whatIf({ actual, supposed, goal, cursor }, state, budget, { before: context, after }, signal);
    });
  }
  async abduce(base: BaseName, request: AbduceRequest): Promise<AbduceResult> {
    this.#shared.states.assertOpen();
    const { facts = [], signal } = request;
    checkSupposed(facts, [], undefined);
    const question = readQuestion(request);
    const { rules, places } = rulesOf(request.rules);
    const { jobs, breaches } = this.#shared.limits.abduce;
    if (this.#abductions >= jobs) throw new KnowledgeError('occupied', `${this.#abductions} abductions are at work, which is the limit; try again later`);
    this.#abductions++;
    return this.#shared.states
      .read(base, async (state) => {
        const context = contextOf(this.#shared, state);
        const hypothesis = await this.#resolver.resolved(state, { rules, places, facts, removed: [] }, context);
        const check = (proof: Proof, oracle: AbsenceOracle, assumed: readonly Triple[]): Promise<CheckResult> =>
          checkProof(proof, groundsOf(this.#shared.store, state, context.now, oracle, { ...hypothesis, facts: assumed }));
        return abduce(question, hypothesis, { ...context, breaches, check }, signal);
      })
      .finally(() => void this.#abductions--);
  }
  async whyNot(base: BaseName, request: WhyNotRequest): Promise<WhyNotResult> {
    this.#shared.states.assertOpen();
    const { budget, facts = [], removed = [] } = request;
    checkBudget(budget);
    checkSupposed(facts, removed, undefined);
    const goal = goalOf(request.goal) as Atom;
    const { rules, places } = rulesOf(request.rules);
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state);
      return explainAbsence(goal, await this.#resolver.resolved(state, { rules, places, facts, removed }, context), state, request, context);
    });
  }
  async checkProof(base: BaseName, proof: Proof, assumptions: ProofHypothesis = {}): Promise<CheckResult> {
    this.#shared.states.assertOpen();
    const { facts = [], removed = [], validAt } = assumptions;
    checkSupposed(facts, removed, validAt);
    const assumed = { ...rulesOf(assumptions.rules), facts, removed };
    return this.#shared.states.read(base, async (state) => {
      const context = contextOf(this.#shared, state, validAt);
      const { reader, now } = context;
      const hypothesis = await this.#resolver.resolved(state, assumed, context);
      const supposed = assumed.rules.length + facts.length + hypothesis.removed.length > 0 || validAt !== undefined;
      const needed = supposed ? absences(proof, this.#shared.limits.proofNodes) : undefined;
      const oracle =
        needed && needed.size > 0 ? await hypotheticalAbsence(hypothesis, needed, this.#shared.limits.standing, reader, now) : standingAbsence(state);
      return checkProof(proof, groundsOf(this.#shared.store, state, now, oracle, hypothesis));
    });
  }
}
