// Owns the shapes of abduction: what is asked, what may be assumed, the limits, and explanations.
// Refuses to know how explanations are found.

import type { Statement, Term, Triple } from '../terms.ts';
import type { Atom } from '../reason/types.ts';

/** Facts that may be assumed: `relation` or `atom`. A text alone is an atom when it holds a parenthesis, and a name otherwise. */
export interface Assumable {
  /** Name of a relation, or of a class (`c` for `"is a"(?x, c)`). */
  readonly relation?: string;
  /** Such as `rained(?when)` or `-open(door)`. Its values must be met; its variables are open. */
  readonly atom?: string;
  /** What assuming one such fact costs: 0 or more; default 1, or -ln(probability) where that is given. */
  readonly cost?: number;
  /** How likely one such fact is by itself: above 0, at most 1. Facts are taken for independent of each other. */
  readonly probability?: number;
}
/** Limits of all abductions of a process. */
export interface AbductionLimits {
  /** Abductions at work at the same time; more are refused. */
  readonly jobs: number;
  /** Ways to break one constraint that are told apart before anything is assumed. Where there are more, further ones are not noticed and the result is not complete. */
  readonly breaches: number;
}
/** Limits of one abduction; the caller states every one. */
export interface AbduceBudget {
  /** Explanations returned at most. */
  readonly explanations: number;
  /** Assumptions in one explanation at most. */
  readonly size: number;
  /** Steps of the search at most, over all sizes. */
  readonly nodes: number;
  readonly ms: number;
  /** Facts that rules derive at most, in any one world. */
  readonly facts: number;
  /** Rounds of rules at most before anything is assumed. */
  readonly depth: number;
}
/** `aggregates`: a rule that counts or adds up what may be assumed was followed only as far as facts go. */
export type AbduceLimit = keyof Omit<AbduceBudget, 'size'> | 'aggregates';

export interface AbduceRequest {
  /** What is to be explained, all of it together: atoms, as text or built. Variables of one name stand for one thing. */
  readonly observations: readonly (string | Atom)[];
  /** Absent: any fact but the observations themselves and those of relations declared closed; this asks what is missing. Of several that match a fact, the one with the most values counts, then the cheapest. */
  readonly assumable?: readonly (string | Assumable)[];
  /**
   * Values for what rules leave open. Absent: what stands, in any fact known or in a rule, in that place of the relation (of the class) or in places that share a variable with it in some
   * rule that the observations depend on; and what the request names. To these `complete` refers; values that follow from facts and functions are found, too.
   */
  readonly values?: readonly Term[];
  /** `cost`: only explanations of the least cost. Default `subset`. */
  readonly minimal?: 'subset' | 'cost';
  /** Hypothetical rules and facts; they hold for this call only. */
  readonly rules?: unknown;
  readonly facts?: readonly Statement[];
  readonly budget: AbduceBudget;
  readonly signal?: AbortSignal;
}
export interface Explanation {
  /** Nothing, when the observations hold already. No part of it explains the observations and agrees with the constraints. */
  readonly assume: readonly Triple[];
  /** Sum over the assumptions. */
  readonly cost: number;
  /** Of the proofs, when the assumptions are certain. */
  readonly confidence: number;
  /** Product of the probabilities of the assumptions and the confidence; absent when some assumption has no probability. */
  readonly probability?: number;
  /** Values of the observations' variables. */
  readonly bindings: Readonly<Record<string, Term>>;
  /** The proofs it would complete, one for each observation; assumptions are `given` in them. */
  readonly proofs: readonly { readonly triple: Triple; readonly proofId?: string }[];
}
export interface AbduceResult {
  /** Most probable first when all have a probability, cheapest first otherwise; then by confidence, and by the size of the proofs. */
  readonly explanations: readonly Explanation[];
  /** Every explanation of at most `size` assumptions by the values that are tried is here. */
  readonly complete: boolean;
  /** The limit that was reached. */
  readonly limit?: AbduceLimit;
  /** No larger explanation exists either. */
  readonly exhausted: boolean;
  /** Steps searched; sets of assumptions tried, and those that broke a constraint; facts derived before anything was assumed; milliseconds. */
  readonly statistics: { readonly nodes: number; readonly tried: number; readonly inconsistent: number; readonly derived: number; readonly ms: number };
}
