// Owns an independent float64 decoder: the equations of src/model/decoder.ts written out with loops, nothing shared but the parameters' names.
// Refuses to know ONNX and the cache: it always looks at the whole sequence.

import type { DecoderConfig } from '../../src/model/decoder.ts';

export type Weights = ReadonlyMap<string, Float32Array>;

/** x [n, inner] times w [inner, outer]. */
function product(x: readonly Float64Array[], w: Float32Array, outer: number): Float64Array[] {
  return x.map((row) => {
    const y = new Float64Array(outer);
    for (let i = 0; i < row.length; i++) for (let o = 0; o < outer; o++) y[o] += row[i] * w[i * outer + o];
    return y;
  });
}
/** Root mean square to 1 (Zhang and Sennrich 2019), no gain. */
const normed = (x: readonly Float64Array[], epsilon: number): Float64Array[] =>
  x.map((row) => {
    const inverse = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + epsilon);
    return row.map((value) => value * inverse);
  });

/** Turns the pair (i, i + size / 2) of each head by position * base^(-2i / rotated) (Su et al. 2021; half-split pairs); pairs beyond `rotaryDimensions` stay. */
function turned(x: readonly Float64Array[], config: DecoderConfig): Float64Array[] {
  const { heads, headSize, rotaryBase, rotaryDimensions } = config;
  const half = headSize / 2;
  return x.map((row, position) => {
    const y = row.slice();
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < rotaryDimensions / 2; i++) {
        const angle = position / rotaryBase ** ((2 * i) / rotaryDimensions);
        const [a, b] = [row[head * headSize + i], row[head * headSize + half + i]];
        y[head * headSize + i] = a * Math.cos(angle) - b * Math.sin(angle);
        y[head * headSize + half + i] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    return y;
  });
}

/** Logarithms of the next token's probabilities, [n][vocabulary], after every position. */
export function referenceLogits(config: DecoderConfig, weights: Weights, tokens: readonly number[]): Float64Array[] {
  const { width, heads, headSize, layers, feedForward, vocabularySize, normEpsilon, pointerWidth, pointerTokenWidth } = config;
  const of = (name: string): Float32Array => {
    const values = weights.get(name);
    if (!values) throw new Error(`no weights ${name}`);
    return values;
  };
  const embedding = of('embedding');
  const spelt = normed(tokens.map((token) => Float64Array.from(embedding.subarray(token * width, (token + 1) * width))), normEpsilon);
  let x = spelt;
  const added = (a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] => a.map((row, t) => row.map((value, i) => value + b[t][i]));
  for (let layer = 0; layer < layers; layer++) {
    const h = normed(x, normEpsilon);
    const raw = product(h, of(`layer.${layer}.key`), width);
    const mix = of(`layer.${layer}.mix`);
    const key = turned(raw.map((row, t) => row.map((value, i) => value + mix[i] * (t > 0 ? raw[t - 1][i] : 0))), config);
    const query = turned(product(h, of(`layer.${layer}.query`), width), config);
    const value = product(h, of(`layer.${layer}.value`), width);
    const attended = tokens.map((_, t) => {
      const out = new Float64Array(width);
      for (let head = 0; head < heads; head++) {
        const from = head * headSize;
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          let dot = 0;
          for (let i = from; i < from + headSize; i++) dot += query[t][i] * key[s][i];
          return dot / Math.sqrt(headSize);
        });
        const highest = Math.max(...scores);
        const weighed = scores.map((score) => Math.exp(score - highest));
        const total = weighed.reduce((sum, weight) => sum + weight, 0);
        for (let s = 0; s <= t; s++) for (let i = from; i < from + headSize; i++) out[i] += (weighed[s] / total) * value[s][i];
      }
      return out;
    });
    x = added(x, product(attended, of(`layer.${layer}.out`), width));
    const up = product(normed(x, normEpsilon), of(`layer.${layer}.up`), feedForward).map((row) => row.map((value) => Math.max(0, value) ** 2));
    x = added(x, product(up, of(`layer.${layer}.down`), width));
  }
  const states = normed(x, normEpsilon);
  const queries = product(states, of('pointer.query'), pointerWidth);
  const keys = product(states, of('pointer.key'), pointerWidth);
  const features = product(spelt, of('pointer.token'), pointerTokenWidth);
  const match = of('pointer.match');
  const run = of('pointer.run');
  const score = (t: number, i: number): number => {
    let sum = keys[i].reduce((total, value, c) => total + value * queries[t][c], 0) / Math.sqrt(pointerWidth);
    for (let back = 0; back < 8 && back <= i; back++) for (let c = 0; c < pointerTokenWidth; c++) sum += match[back * pointerTokenWidth + c] * features[t - back][c] * features[i - back][c];
    for (let back = 0; back < 8 && back < i && tokens[i - back] === tokens[t - back]; back++) sum += 10 * run[back];
    return sum;
  };
  const softmax = (values: Float64Array): Float64Array => {
    const highest = values.reduce((a, b) => Math.max(a, b));
    const weighed = values.map((value) => Math.exp(value - highest));
    const total = weighed.reduce((sum, weight) => sum + weight, 0);
    return weighed.map((weight) => weight / total);
  };
  return states.map((row, t) => {
    const logits = new Float64Array(vocabularySize);
    for (let token = 0; token < vocabularySize; token++) for (let i = 0; i < width; i++) logits[token] += row[i] * embedding[token * width + i];
    const sentinel = row.reduce((sum, value, i) => sum + value * of('pointer.sentinel')[i], 8);
    const shares = softmax(Float64Array.of(...Array.from({ length: t }, (_, i) => score(t, i)), sentinel));
    const probabilities = softmax(logits).map((value) => value * shares[t]);
    // The position before each token seen stands for that token.
    for (let i = 0; i < t; i++) probabilities[tokens[i + 1]] += shares[i];
    return probabilities.map((value) => Math.log(value + 1e-20));
  });
}

/** Largest difference of two vectors, over the largest magnitude of the second. */
export function relativeError(given: ArrayLike<number>, right: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < right.length; i++) {
    difference = Math.max(difference, Math.abs(given[i] - right[i]));
    size = Math.max(size, Math.abs(right[i]));
  }
  return difference / size;
}
