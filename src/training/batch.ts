// Owns what training reads: sequences, the rectangular, time-major batches that they are packed into, and where batches come from.
// Refuses to know how they are packed, and what is learnt.

/** `learned[i]` says that predicting tokens[i] from what stands before it is part of the loss. */
export interface Sequence {
  readonly tokens: readonly number[];
  readonly learned: readonly boolean[];
}
/** Steps that a batch has at least, some of them padding if need be: graphs take them in so many stretches. */
export const LEAST_STEPS = 4;
export interface Batch {
  readonly steps: number;
  readonly rowsCount: number;
  /** All int64, [steps, rowsCount] time-major. */
  readonly inputIds: BigInt64Array;
  readonly positions: BigInt64Array;
  readonly segments: BigInt64Array;
  /** Flat positions whose next token is learned, those tokens, and their weights (sum 1). */
  readonly rows: BigInt64Array;
  readonly targets: BigInt64Array;
  readonly weights: Float32Array;
}

/** Batches one after the other, from a place that a checkpoint can keep. */
export interface BatchSource {
  /** The next batch, which has at least one learned token; undefined when all have been given. */
  next(): Promise<Batch | undefined>;
  /** JSON: a source of the same data and settings opened at it goes on with the batch that `next` would give next. */
  readonly position: object;
  close(): Promise<void>;
}
/** What a run has to know of its data before the first step. */
export interface TrainingData extends BatchSource {
  readonly examples: number;
  /** Batches from the very beginning to the end, of all epochs; Infinity when it goes on for ever. */
  readonly batches: number;
  /** What was left out, in a sentence. */
  readonly note?: string;
}
