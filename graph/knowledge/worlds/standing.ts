// Owns reading what holds in a base as it stands: from the closure where rules are about a relation, from the store where they are not.
// Refuses to know hypotheses, and who keeps the closure up to date.

import { entity, sameTerm } from '../../terms.ts';
import type { Fact, Term, Triple } from '../../terms.ts';
import { signed } from '../../reason/tables/database.ts';
import type { ProofLimits } from '../../reason/proofs/explain.ts';
import type { Declared } from '../../reason/rulesets/refutation.ts';
import type { Atom, Budget, Proof } from '../../reason/types.ts';
import { groundedResult, toAnswer } from './answers.ts';
import { bareTriple } from '../facts/facts.ts';
import { fixed, goalBindings, goalRows, groundGoal, patternOf, sameVariable } from './goals.ts';
import { groundIn } from './ground.ts';
import { Turns } from '../common/turns.ts';
import type { DeduceAnswer, DeduceResult } from '../common/types.ts';
import type { BaseView } from './view.ts';
import { Prover } from './world.ts';
import type { Held, Proving, World } from './world.ts';

const leaf = (fact: Fact): Held => {
  const triple = bareTriple(fact);
  return { triple, confidence: fact.confidence, proof: { kind: 'fact', conclusion: triple, confidence: fact.confidence, fact } };
};

/** The base as it is. Make one for each steady reading. */
export class StandingWorld implements World {
  readonly #state: BaseView;
  readonly #prover: Prover;

  constructor(state: BaseView, limits: ProofLimits, proving: Pick<Proving, 'until'> = {}) {
    this.#state = state;
    this.#prover = new Prover(state.closure.program, state.reader, limits, undefined, { ...proving, settled: state.closure.partial === undefined });
  }
  get declared(): Declared {
    return this.#state.declared;
  }
  get complete(): boolean {
    return this.#state.closure.partial === undefined;
  }
  get prover(): Prover {
    return this.#prover;
  }

  async hold(triple: Triple): Promise<Held | undefined> {
    const { closure, reader } = this.#state;
    if (!closure.needs(triple)) {
      const fact = await reader.of(triple);
      return fact && leaf(fact);
    }
    const at = closure.database.find(triple);
    return at && this.#prover.hold(at);
  }
  async *find(atom: Atom): AsyncGenerator<Omit<Held, 'proof'>> {
    const { closure, reader } = this.#state;
    if (closure.needs(atom)) {
      const { database } = closure;
      for (const { slot, row } of goalRows(atom, database)) yield { triple: database.triple(slot, row), confidence: slot.table.confidence(row) };
      return;
    }
    for await (const fact of reader.inForce(patternOf(atom)))
      if (!sameVariable(atom) || sameTerm(entity(fact.subject), fact.object)) yield { triple: bareTriple(fact), confidence: fact.confidence };
  }

  /** Triples that match a goal with variables, each once. The order is that of the closure, or of the store. */
  async *matching(goal: Atom, signal?: AbortSignal): AsyncGenerator<Held> {
    const { closure, reader } = this.#state;
    const { relation, negated } = goal;
    const [subject, object] = [fixed(goal.subject), fixed(goal.object)];
    if (closure.needs(goal)) {
      const slot = closure.database.get(signed(relation, negated));
      if (!slot) return;
      for (const row of closure.database.rows(slot.key, subject, object, sameVariable(goal))) {
        signal?.throwIfAborted();
        yield await this.#prover.hold({ slot, row });
      }
      return;
    }
    if (subject !== undefined && subject.kind !== 'entity') return;
    const seen = new Set<string>();
    for await (const fact of reader.inForce(patternOf(goal), signal)) {
      if (sameVariable(goal) && !sameTerm(entity(fact.subject), fact.object)) continue;
      const key = `${fact.subject}\u0000${keyOf(fact.object)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const held = await this.hold(bareTriple(fact));
      if (held) yield held;
    }
  }
}
const keyOf = (term: Term): string => JSON.stringify(term.kind === 'entity' ? [term.id] : [term.type, term.value]);

/** Answers a goal from what is derived already. */
export async function deduceStanding(
  goal: Atom,
  state: BaseView,
  limits: ProofLimits,
  budget: Budget,
  keep: (proof: Proof) => string,
  signal?: AbortSignal,
): Promise<DeduceResult> {
  const began = performance.now();
  const world = new StandingWorld(state, limits, { until: began + budget.ms });
  const statistics = (): DeduceResult['statistics'] => ({ derived: 0, rounds: 0, ms: performance.now() - began });
  const { partial } = state.closure;
  const asked = groundGoal(goal);
  if (asked) {
    const result = groundedResult(await groundIn(world, asked), asked, partial, keep);
    return { ...result, ...(world.prover.late ? { complete: false, limit: result.limit ?? 'ms' } : {}), statistics: statistics() };
  }
  const answers: DeduceAnswer[] = [];
  const turns = new Turns();
  let limit = partial;
  for await (const held of world.matching(goal, signal)) {
    await turns.give();
    // Whatever its proof takes, the first is answered.
    if (answers.length >= budget.answers) limit = 'answers';
    else if (answers.length > 0 && performance.now() - began > budget.ms) limit = 'ms';
    else {
      answers.push(toAnswer(held, goalBindings(goal, held.triple), keep));
      if (world.prover.late) limit ??= 'ms';
      continue;
    }
    break;
  }
  return {
    outcome: answers.length > 0 ? 'entailed' : 'not_entailed',
    answers,
    complete: limit === undefined,
    ...(limit === undefined ? {} : { limit }),
    statistics: statistics(),
  };
}
