// Owns which examples share a row of an epoch, in which order, and how rows become a batch with a document mask.
// Refuses to know where tokens lie and what they say.

import { LEAST_STEPS } from '../batch.ts';
import type { Batch, Sequence } from '../batch.ts';
import { Random } from '../random.ts';

/** Tokens are kept as 32 bits each: the id, and above it whether the token is learned. */
export const LEARNED = 0x8000_0000;
const ID = 0x7fff_ffff;
/** Examples among which a row looks for those that fill it. */
const WINDOW = 256;
/** Batches are as long as their longest row, rounded up to this many tokens: few lengths, so that ONNX Runtime plans its memory anew but seldom. */
const STEP = 32;

/** Which examples stand in which row of an epoch: row r has `examples[starts[r]]` to `examples[starts[r + 1] - 1]`. */
export interface RowPlan {
  readonly rows: number;
  readonly examples: Uint32Array;
  readonly starts: Uint32Array;
}

/** The order of an epoch's examples: by Fisher and Yates, from the seed and the number of the epoch. */
export function epochOrder(count: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const random = new Random(seed ^ Math.imul(epoch + 1, 0x9e37_79b1));
  for (let i = count - 1; i > 0; i--) {
    const j = random.int(0, i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Examples of the window by length; the longest that fits is found by halving. */
class Window {
  readonly #lengths: Uint32Array;
  readonly #held: number[] = [];

  constructor(lengths: Uint32Array) {
    this.#lengths = lengths;
  }
  get size(): number {
    return this.#held.length;
  }
  /** Where the first that is longer than `length` stands. */
  #above(length: number): number {
    let [low, high] = [0, this.#held.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lengths[this.#held[middle]] <= length) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  add(example: number): void {
    this.#held.splice(this.#above(this.#lengths[example]), 0, example);
  }
  /** Takes out the longest of at most `space` tokens. */
  take(space: number): number | undefined {
    const at = this.#above(space) - 1;
    return at < 0 ? undefined : this.#held.splice(at, 1)[0];
  }
  remove(example: number): void {
    this.#held.splice(this.#held.lastIndexOf(example, this.#above(this.#lengths[example]) - 1), 1);
  }
}

/** Rows of `context` tokens: each begins with the next example in order and is filled up by the longest of the window that fits (best fit). Each example stands in one row, and none is longer than it. */
export function planRows(order: Uint32Array, lengths: Uint32Array, context: number): RowPlan {
  const examples = new Uint32Array(order.length);
  const starts: number[] = [];
  const placed = new Uint8Array(lengths.length);
  const window = new Window(lengths);
  let [pulled, oldest, at] = [0, 0, 0];
  const fill = (): void => {
    while (window.size < WINDOW && pulled < order.length) window.add(order[pulled++]);
  };
  const place = (example: number): number => {
    placed[example] = 1;
    examples[at++] = example;
    return lengths[example];
  };
  while (at < order.length) {
    fill();
    while (placed[order[oldest]] === 1) oldest++;
    starts.push(at);
    window.remove(order[oldest]);
    let space = context - place(order[oldest]);
    for (let next = window.take(space); next !== undefined; next = window.take(space)) {
      space -= place(next);
      fill();
    }
  }
  return { rows: starts.length, examples, starts: Uint32Array.from([...starts, at]) };
}

/** A batch of these rows (`laidOut`), as long as the longest of them, rounded up. `most`: tokens a row has at most; throws RangeError for more. */
export function layRows(rows: readonly (readonly Uint32Array[])[], most: number): Batch {
  const longest = Math.max(...rows.map((documents) => documents.reduce((sum, { length }) => sum + length, 0)));
  if (longest > most) throw new RangeError(`a row has ${longest} tokens; it takes ${most}`);
  return laidOut(rows, Math.min(most, Math.ceil(longest / STEP) * STEP));
}

/**
 * A batch of these rows in `wanted` tokens each, or LEAST_STEPS if that is more, of which each has whole documents with their learned flags: positions count from 0 in each document, segments from 1 in each row, 0 is padding. Each
 * learned token weighs the same.
 */
export function laidOut(rows: readonly (readonly Uint32Array[])[], wanted: number): Batch {
  const steps = Math.max(wanted, LEAST_STEPS);
  const size = steps * rows.length;
  const [inputIds, positions, segments] = [new BigInt64Array(size), new BigInt64Array(size), new BigInt64Array(size)];
  // The lower halves; ONNX Runtime runs on little-endian machines alone.
  const [ids, places, documentsOf] = [inputIds, positions, segments].map(({ buffer }) => new Uint32Array(buffer));
  const learnedAt: bigint[] = [];
  const targets: bigint[] = [];
  for (const [b, documents] of rows.entries()) {
    let t = 0;
    for (const [d, tokens] of documents.entries()) {
      for (let i = 0; i < tokens.length; i++, t++) {
        const at = t * rows.length + b;
        ids[2 * at] = tokens[i] & ID;
        places[2 * at] = i;
        documentsOf[2 * at] = d + 1;
        if (i + 1 < tokens.length && tokens[i + 1] >= LEARNED) {
          learnedAt.push(BigInt(at));
          targets.push(BigInt(tokens[i + 1] & ID));
        }
      }
    }
  }
  return {
    steps,
    rowsCount: rows.length,
    inputIds,
    positions,
    segments,
    rows: BigInt64Array.from(learnedAt),
    targets: BigInt64Array.from(targets),
    weights: new Float32Array(learnedAt.length).fill(1 / Math.max(1, learnedAt.length)),
  };
}

/** Fills `rowsCount` rows of `steps` tokens with sequences from `next`, the first of each row from `first`; sequences longer than a row are passed over. Each learned token weighs the same. */
export function packBatch(next: () => Sequence, rowsCount: number, steps: number, first = next): Batch {
  const rows: Uint32Array[][] = [];
  let spare: Sequence | undefined;
  while (rows.length < rowsCount) {
    const row: Uint32Array[] = [];
    for (let left = steps; ;) {
      const begins = row.length === 0 && first !== next;
      const sequence = begins ? first() : (spare ?? next());
      if (!begins) spare = undefined;
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
