// Owns which world a question is asked in: the base with what is supposed, without the facts that do not stand by its policies.
// Refuses to know what is asked in it.

import type { Assumptions } from '../facts/assumptions.ts';
import { overruled } from './conflicts.ts';
import type { Overruled } from './conflicts.ts';
import type { DeduceContext } from '../worlds/context.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { decides } from '../bases/policies.ts';
import type { KnowledgeLimits } from '../common/types.ts';
import type { BaseView } from '../worlds/view.ts';

/** The base with what is supposed. */
export function hypothesisOf(state: BaseView, assumed: Assumptions): Hypothesis {
  const own = new Set(assumed.rules.map(({ id }) => id));
  const standing = state.standing(assumed.rules);
  return {
    ...assumed,
    standing: own.size === 0 ? standing : standing.filter(({ id }) => !own.has(id)),
    ...state.declared,
    ...(state.closure.partial === undefined ? { known: state.closure } : {}),
    derivedAlready: (triple) => {
      const at = state.closure.database.find(triple);
      return at !== undefined && at.slot.table.rules[at.row] >= 0;
    },
  };
}

export interface ResolveOptions {
  /** Milliseconds for deciding, where those of the standing rules are more. */
  readonly ms?: number;
  readonly signal?: AbortSignal;
}
export class Resolver {
  readonly #limits: KnowledgeLimits;
  /** Facts that do not stand, for a version of a base and until the clock changes it; and the milliseconds that there were to find them. */
  readonly #overruled = new WeakMap<BaseView, Overruled & { readonly version: number; readonly until: number; readonly ms: number }>();

  constructor(limits: KnowledgeLimits) {
    this.#limits = limits;
  }
  /** The hypothesis without the facts that do not stand by the base's policies, as far as that is decided within the time. Throws the signal's reason. */
  async resolved(state: BaseView, assumed: Assumptions, context: DeduceContext, { ms: most = Number.POSITIVE_INFINITY, signal }: ResolveOptions = {}): Promise<Hypothesis> {
    const hypothesis = hypothesisOf(state, assumed);
    if (!decides(state.policies)) return hypothesis;
    const own = assumed.rules.length + assumed.facts.length + assumed.removed.length > 0 || context.reader !== state.reader;
    const kept = own ? undefined : this.#overruled.get(state);
    const ms = Math.min(most, this.#limits.standing.ms);
    if (kept?.version === state.version && context.now < kept.until && (kept.limit === undefined || kept.ms >= ms)) return without(hypothesis, kept);
    // Taken before reading: what a write changes meanwhile must not pass for read after it.
    const { version } = state;
    const before = state.watch.next;
    const found = await overruled(hypothesis, state, { ...this.#limits.standing, ms }, context, signal);
    // Facts that were read only for this have their times, too.
    if (!own) this.#overruled.set(state, { ...found, version, until: Math.min(before, state.watch.next), ms });
    return without(hypothesis, found);
  }
}
const without = (hypothesis: Hypothesis, { removed, limit }: Overruled): Hypothesis => ({
  ...hypothesis,
  removed: [...hypothesis.removed, ...removed],
  ...(limit === undefined ? {} : { undecided: limit }),
});
