// Owns packing token sequences into rectangular, time-major batches with a document mask.
// Refuses to know where the sequences come from.

/** `learned[i]` says that predicting tokens[i] from what stands before it is part of the loss. */
export interface Sequence {
  readonly tokens: readonly number[];
  readonly learned: readonly boolean[];
}
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

/** Fills `rowsCount` rows of `steps` tokens with sequences from `next`; sequences longer than a row are passed over. Each learned token weighs the same. */
export function packBatch(next: () => Sequence, rowsCount: number, steps: number): Batch {
  const inputIds = new BigInt64Array(steps * rowsCount);
  const positions = new BigInt64Array(steps * rowsCount);
  const segments = new BigInt64Array(steps * rowsCount);
  const rows: bigint[] = [];
  const targets: bigint[] = [];
  let spare: Sequence | undefined;
  for (let b = 0; b < rowsCount; b++) {
    let t = 0;
    let segment = 0n;
    for (;;) {
      const sequence = spare ?? next();
      spare = undefined;
      if (sequence.tokens.length > steps) continue;
      if (t + sequence.tokens.length > steps) {
        spare = sequence;
        break;
      }
      segment++;
      for (let i = 0; i < sequence.tokens.length; i++, t++) {
        const at = t * rowsCount + b;
        inputIds[at] = BigInt(sequence.tokens[i]);
        positions[at] = BigInt(i);
        segments[at] = segment;
        if (i + 1 < sequence.tokens.length && sequence.learned[i + 1]) {
          rows.push(BigInt(at));
          targets.push(BigInt(sequence.tokens[i + 1]));
        }
      }
    }
  }
  return {
    steps,
    rowsCount,
    inputIds,
    positions,
    segments,
    rows: BigInt64Array.from(rows),
    targets: BigInt64Array.from(targets),
    weights: new Float32Array(rows.length).fill(1 / Math.max(1, rows.length)),
  };
}
