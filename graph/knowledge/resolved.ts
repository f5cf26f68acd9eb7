// Owns which world a question is asked in: the base with what is supposed, without the facts that do not stand by its policies.
// Refuses to know what is asked in it.

import type { TriplePattern } from '../terms.ts';
import type { Assumptions } from './assumptions.ts';
import { overruled } from './conflicts.ts';
import type { DeduceContext } from './context.ts';
import type { Hypothesis } from './hypothesis.ts';
import { decides } from './policies.ts';
import type { KnowledgeLimits } from './types.ts';
import type { BaseView } from './view.ts';

/** The base with what is supposed. */
export function hypothesisOf(state: BaseView, assumed: Assumptions): Hypothesis {
  const own = new Set(assumed.rules.map(({ id }) => id));
  const standing = state.standing(assumed.rules);
  return {
    ...assumed,
    standing: own.size === 0 ? standing : standing.filter(({ id }) => !own.has(id)),
    ...state.declared,
    derivedAlready: (triple) => {
      const at = state.closure.database.find(triple);
      return at !== undefined && at.slot.table.rules[at.row] >= 0;
    },
  };
}

export class Resolver {
  readonly #limits: KnowledgeLimits;
  /** Facts that do not stand, for a version of a base and until the clock changes it. */
  readonly #overruled = new WeakMap<BaseView, { readonly version: number; readonly until: number; readonly removed: readonly TriplePattern[] }>();

  constructor(limits: KnowledgeLimits) {
    this.#limits = limits;
  }
  /** The hypothesis without the facts that do not stand by the base's policies. */
  async resolved(state: BaseView, assumed: Assumptions, context: DeduceContext): Promise<Hypothesis> {
    const hypothesis = hypothesisOf(state, assumed);
    if (!decides(state.policies)) return hypothesis;
    const own = assumed.rules.length + assumed.facts.length + assumed.removed.length > 0 || context.reader !== state.reader;
    const kept = own ? undefined : this.#overruled.get(state);
    if (kept?.version === state.version && context.now < kept.until) return { ...hypothesis, removed: kept.removed };
    // Taken before reading: what a write changes meanwhile must not pass for read after it.
    const { version } = state;
    const until = state.watch.next;
    const removed = await overruled(hypothesis, state, this.#limits.standing, context);
    if (!own) this.#overruled.set(state, { version, until, removed });
    return { ...hypothesis, removed: [...assumed.removed, ...removed] };
  }
}
