// Owns what holds of one triple in a base, by its policies where it has some, and its proof.
// Refuses to know hypotheses and goals with variables.

import type { BaseName, Triple } from '../terms.ts';
import { decisiveGoals } from '../reason/rulesets/refutation.ts';
import type { Proof } from '../reason/types.ts';
import { NO_ASSUMPTIONS } from './assumptions.ts';
import { contextOf, proofLimits } from './context.ts';
import type { Shared } from './context.ts';
import { groundIn } from './ground.ts';
import type { Grounded } from './ground.ts';
import { derive } from './hypothesis.ts';
import { decides } from './policies.ts';
import type { Resolver } from './resolved.ts';
import { StandingWorld } from './standing.ts';
import type { GroundResult } from './types.ts';
import type { BaseView, ReadView } from './view.ts';
import { DatabaseWorld, Prover } from './world.ts';

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
      const { outcome, held } = await this.#ground(view, triple);
      const { partial } = view.closure;
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
  async #ground(view: BaseView, triple: Triple): Promise<Grounded> {
    const { limits } = this.#shared;
    const standing = (): Promise<Grounded> => groundIn(new StandingWorld(view, proofLimits(limits)), triple);
    if (!decides(view.policies)) return standing();
    const context = contextOf(this.#shared, view);
    const hypothesis = await this.#resolver.resolved(view, NO_ASSUMPTIONS, context);
    if (hypothesis.removed.length === 0) return standing();
    const { program, run, tellings } = await derive(hypothesis, { goals: decisiveGoals(triple, view.declared) }, limits.standing, view.reader, context.now);
    return groundIn(new DatabaseWorld(program, new Prover(program, view.reader, proofLimits(limits), tellings), view.declared, run.complete), triple);
  }
}
