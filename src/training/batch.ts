// Owns packing token sequences into rectangular, time-major batches with a document mask.
// Refuses to know where the sequences come from.

import { laidOut, LEARNED } from './data/packing.ts';

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
  const rows: Uint32Array[][] = [];
  let spare: Sequence | undefined;
  while (rows.length < rowsCount) {
    const row: Uint32Array[] = [];
    for (let left = steps; ;) {
      const sequence = spare ?? next();
      spare = undefined;
      const { length } = sequence.tokens;
      if (length > steps) continue;
      if (length > left) {
        spare = sequence;
        break;
      }
      left -= length;
      row.push(flagged(sequence));
    }
    rows.push(row);
  }
  return laidOut(rows, steps);
}
const flagged = ({ tokens, learned }: Sequence): Uint32Array => Uint32Array.from(tokens, (token, i) => token + (learned[i] ? LEARNED : 0));
