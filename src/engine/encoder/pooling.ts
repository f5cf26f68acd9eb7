// Owns how one vector is made of the vectors of a text's tokens: which are taken, how they are put together, length and cut.
// Refuses to know graphs, batches and where a model says how it pools.

export const POOLINGS = ['cls', 'max', 'mean', 'mean_sqrt_len', 'weightedmean', 'lasttoken'] as const;
/** As sentence-transformers names them. Several: one behind the other, in the order of POOLINGS. */
export type Pooling = (typeof POOLINGS)[number];

/** The vectors of the tokens of a batch, [rows, longest, width], as a graph gives them. */
export interface TokenVectors {
  readonly data: Float32Array;
  readonly longest: number;
  readonly width: number;
}

/**
 * The vector of row `row`, which has `length` tokens; the padding behind them is not looked at. `skip`: so many of the first tokens do not count (a prompt that the model leaves out);
 * first and last token are taken by their place all the same.
 */
export function pool({ data, longest, width }: TokenVectors, row: number, length: number, poolings: readonly Pooling[], skip = 0): Float32Array {
  const pooled = new Float32Array(width * poolings.length);
  const start = row * longest * width;
  // A text that is nothing but its prompt keeps what it has.
  const from = skip < length ? skip : 0;
  for (const [part, pooling] of poolings.entries()) {
    const sum = new Float64Array(width).fill(pooling === 'max' ? -Infinity : 0);
    const [first, end] = pooling === 'cls' ? [0, 1] : pooling === 'lasttoken' ? [length - 1, length] : [from, length];
    let weights = 0;
    for (let token = first; token < end; token++) {
      const weight = pooling === 'weightedmean' ? token + 1 : 1;
      weights += weight;
      const at = start + token * width;
      if (pooling === 'max') for (let i = 0; i < width; i++) sum[i] = Math.max(sum[i], data[at + i]);
      else for (let i = 0; i < width; i++) sum[i] += weight * data[at + i];
    }
    const divisor = pooling === 'mean' || pooling === 'weightedmean' ? weights : pooling === 'mean_sqrt_len' ? Math.sqrt(weights) : 1;
    for (let i = 0; i < width; i++) pooled[part * width + i] = sum[i] / divisor;
  }
  return pooled;
}

/** The same direction with length 1; a vector of zeros stays as it is. */
export function normalised(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** In [-1, 1]; 0 where one has no direction. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    ofA += a[i] * a[i];
    ofB += b[i] * b[i];
  }
  const lengths = Math.sqrt(ofA) * Math.sqrt(ofB);
  return lengths > 0 ? Math.max(-1, Math.min(1, product / lengths)) : 0;
}
