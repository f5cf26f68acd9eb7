// Owns what an induction and its threads say to each other.
// Refuses to know either side's insides.

import type { Examples } from './examples.ts';
import type { FactColumns } from './graph.ts';
import type { MineLimit, MineOptions, MineProgress } from './miner.ts';
import type { Aggregation } from './ranker.ts';

export interface WorkerSetup {
  readonly columns: FactColumns;
  readonly options: Omit<MineOptions, 'clock'>;
  /** Rules given out at most; the others serve rankings only. */
  readonly given: number;
  /** Examples and counter-examples of each rule. */
  readonly examples: number;
}
export interface RankQuestion {
  readonly anchor: number;
  readonly step: number;
  readonly limit: number;
  readonly aggregation: Aggregation;
  readonly exclude: readonly number[];
  readonly edges: number;
}
export type ToWorker = { readonly kind: 'rank'; readonly id: number; readonly question: RankQuestion };

/** Rules as rows, each with its examples. */
export interface RuleBatch {
  readonly data: Int32Array;
  readonly length: number;
  readonly examples: readonly Examples[];
}
export interface RankAnswer {
  readonly candidates: readonly {
    readonly node: number;
    readonly score: number;
    readonly before: number;
    readonly tied: number;
    /** Rows, one after the other. */ readonly rules: Int32Array;
  }[];
  readonly predicted: number;
  readonly partial: boolean;
}
export type FromWorker =
  | { readonly kind: 'progress'; readonly progress: MineProgress; readonly found: RuleBatch }
  | { readonly kind: 'done'; readonly progress: MineProgress; readonly complete: boolean; readonly limit?: MineLimit; readonly rules: RuleBatch }
  | { readonly kind: 'ranked'; readonly id: number; readonly answer: RankAnswer };
