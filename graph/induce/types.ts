// Owns the shapes in which inductions and rankings are asked for and answered.
// Refuses to know how they are computed.

import type { BaseName, EntityId, RelationName, Term, Triple } from '../terms.ts';
import type { Rule } from '../reason/types.ts';
import type { MineLimit, MineProgress } from './miner.ts';
import type { Aggregation } from './ranker.ts';
import type { MinedRule } from './words.ts';

export type { Measures } from './measure.ts';
export type { MineLimit, MineProgress } from './miner.ts';
export type { Aggregation } from './ranker.ts';
export type { MinedRule } from './words.ts';

export interface InduceRequest {
  /** Relations whose facts, true or known to be false, the rules shall conclude. Default: all. */
  readonly relations?: readonly RelationName[];
  /** Longest closed path in a body, 1 to 5. Default 3. */
  readonly length?: number;
  /** Rules with constants, too. Default true. */
  readonly constants?: boolean;
  /** Rules that compare a number or date with bounds found in the facts, such as `adult(?x) :- age(?x, ?y), ?y >= 18`. Default false. */
  readonly ranges?: boolean;
  /** Rules with an exception, such as `flies(?x) :- bird(?x), not penguin(?x)`. Default false. */
  readonly exceptions?: boolean;
  /** Least support. Default 2. */
  readonly support?: number;
  /** Least standard confidence. Default 0.5. */
  readonly confidence?: number;
  /** Least PCA confidence. Default 0. */
  readonly pcaConfidence?: number;
  /** Least head coverage. Default 0.01. */
  readonly headCoverage?: number;
  /** Which measure a rule carries as its confidence. Default `standard`. */
  readonly confidenceBy?: 'standard' | 'pca';
  /** Examples and counter-examples given with each rule. Default 3. */
  readonly examples?: number;
  /** What standing rules derive counts as known, too. Default false. */
  readonly derived?: boolean;
  readonly limits: InduceLimits;
  /** The same seed and limits that are not reached give the same rules. Default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}
export interface InduceLimits {
  /** Milliseconds of mining. */
  readonly ms: number;
  /** Rules given out. */
  readonly rules: number;
  /** Facts read. */
  readonly facts: number;
}
export type InduceLimit = MineLimit | 'facts';
export type InductionStatus = 'running' | 'completed' | 'cancelled' | 'failed';

export interface InductionState {
  readonly id: string;
  readonly base: BaseName;
  /** Of the base when its facts were read. */
  readonly version: number;
  readonly status: InductionStatus;
  /** Facts that were read. */
  readonly facts: number;
  readonly progress: MineProgress;
  /** Surest first once completed; in order of finding before. */
  readonly rules: readonly MinedRule[];
  /** Nothing within the thresholds was missed or left out, and everything was counted exactly. */
  readonly complete: boolean;
  readonly limit?: InduceLimit;
  /** Of a failed one. */
  readonly error?: Error;
}
export type InductionEvent =
  | { readonly kind: 'progress'; readonly state: InductionState }
  | { readonly kind: 'rule'; readonly rule: MinedRule }
  | { readonly kind: 'end'; readonly state: InductionState };

/** One end of a fact is asked for: give its other end and the relation. */
export interface RankRequest {
  readonly relation: RelationName;
  readonly subject?: EntityId;
  readonly object?: Term;
  /** An induction whose rules rank. Default: rules for this relation are mined now, or taken from the last time when the base is as it was. */
  readonly induction?: string;
  /** Candidates wanted. Default 10. */
  readonly limit?: number;
  /** Default `max`. */
  readonly aggregation?: Aggregation;
  /** Candidates that are known facts already, too. Default false. */
  readonly known?: boolean;
  readonly limits: InduceLimits;
  readonly signal?: AbortSignal;
}
export interface RankedCandidate {
  readonly triple: Triple;
  readonly term: Term;
  /** Confidence of the surest rule with five counter-examples added, or the noisy-or of the five surest; 0 when only its frequency speaks for it. */
  readonly score: number;
  /** Rules that predict it, surest first, a few of them. */
  readonly rules: readonly Rule[];
}
export interface RankResult {
  readonly induction: string;
  readonly candidates: readonly RankedCandidate[];
  /** Candidates that some rule predicts. */
  readonly predicted: number;
  readonly partial: boolean;
}

export type InduceErrorCode = 'unknown_induction' | 'unknown_rule' | 'unknown_term' | 'invalid_request' | 'too_large' | 'failed' | 'busy' | 'cancelled';
export class InduceError extends Error {
  readonly code: InduceErrorCode;
  constructor(code: InduceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InduceError';
    this.code = code;
  }
}
