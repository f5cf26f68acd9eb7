// Owns what holds of one triple in a base, by its policies where it has some, and its proof.
// Refuses to know hypotheses and goals with variables.

import type { BaseName, Triple } from '../terms.ts';
import { decisiveGoals } from '../reason/rulesets/refutation.ts';
import type { Proof } from '../reason/types.ts';
import { NO_ASSUMPTIONS } from './facts/assumptions.ts';
import { contextOf, proofLimits } from './worlds/context.ts';
import type { Shared } from './worlds/context.ts';
import { groundIn } from './worlds/ground.ts';
import type { Grounded } from './worlds/ground.ts';
import { derive } from './worlds/hypothesis.ts';
import { decides } from './bases/policies.ts';
import type { Resolver } from './conflicts/resolved.ts';
import { StandingWorld } from './worlds/standing.ts';
import type { GroundResult } from './common/types.ts';
import type { BaseView, ReadView } from './worlds/view.ts';
import { DatabaseWorld, Prover } from './worlds/world.ts';

export class Grounding {
  readonly #shared: Shared;
  readonly #resolver: Resolver;
  readonly #read: ReadView;
  constructor(shared: Shared, resolver: Resolver, read: ReadView) {
    this.#shared = shared;
    this.#resolver = resolver;
    this.#read = read;
  }
  async ground(base: BaseName, triple: Triple): Promise<GroundResult> {
    return this.#read(base, async (view) => {
      const { outcome, held, partial } = await this.#ground(view, triple);
      return {
        outcome,
        ...(held?.proof ? { proof: held.proof, proofId: this.#shared.proofs.keep(base, held.proof) } : {}),
        ...(partial === undefined ? {} : { partial }),
      };
    });
  }
  async prove(base: BaseName, triple: Triple): Promise<Proof | undefined> {
    return this.#read(base, async (view) => {
      const { outcome, held } = await this.#ground(view, triple);
      return outcome === 'entailed' ? held?.proof : undefined;
    });
  }
  async #ground(view: BaseView, triple: Triple): Promise<Grounded & Pick<GroundResult, 'partial'>> {
    const { limits } = this.#shared;
    const until = performance.now() + limits.standing.ms;
    const standing = async (partial = view.closure.partial): Promise<Grounded & Pick<GroundResult, 'partial'>> => ({
      ...(await groundIn(new StandingWorld(view, proofLimits(limits), { until }), triple)),
      ...(partial === undefined ? {} : { partial }),
    });
    if (!decides(view.policies)) return standing();
    const context = contextOf(this.#shared, view);
    const hypothesis = await this.#resolver.resolved(view, NO_ASSUMPTIONS, context, { ms: limits.standing.ms / 2 });
    if (hypothesis.removed.length === 0) return standing(view.closure.partial ?? hypothesis.undecided);
    const left = { ...limits.standing, ms: Math.max(0, until - performance.now()) };
    const { program, run, tellings } = await derive(hypothesis, { goals: decisiveGoals(triple, view.declared) }, left, view.reader, context.now);
    const prover = new Prover(program, view.reader, proofLimits(limits), tellings, { until, settled: run.complete });
    const world = new DatabaseWorld(program, prover, view.declared, run.complete);
    const partial = run.limit ?? hypothesis.undecided;
    return { ...(await groundIn(world, triple)), ...(partial === undefined ? {} : { partial }) };
  }
}
