// Owns an independent float64 form of the original transformer: encoder, decoder, cross-attention, written out with loops after Vaswani et al. 2017, in each variant that is selectable.
// Refuses to know ONNX and caches: it always looks at whole texts.

import type { Activation } from '../../src/model/layers.ts';
import { transformerParameters } from '../../src/model/transformer.ts';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { Random } from '../../src/training/random.ts';
import type { Weights } from './reference.ts';

type Rows = readonly Float64Array[];

export function randomTransformer(config: TransformerConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(
    transformerParameters(config).map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const spread =
        name.endsWith('norm.weight') || name.endsWith('layernorm_embedding.weight') ? 0.3 : shape.length === 2 ? 1.6 / Math.sqrt(config.width) : 0.3;
      return [name, Float32Array.from({ length: size }, () => (spread === 0.3 && name.endsWith('.weight') ? 1 : 0) + spread * random.normal())];
    }),
  );
}

/** Error function to 1e-13 by its series and, from 3 on, its continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let [term, sum] = [a, a];
    for (let n = 1; n < 200 && term > 1e-18 * sum; n++) sum += term *= (2 * a * a) / (2 * n + 1);
    return (Math.sign(x) * 2 * Math.exp(-a * a) * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}
export function activate(kind: Activation, v: number): number {
  if (kind === 'relu') return Math.max(0, v);
  if (kind === 'silu') return v / (1 + Math.exp(-v));
  return kind === 'gelu' ? (v * (1 + erf(v / Math.SQRT2))) / 2 : 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));
}
export function layerNormed(row: Float64Array, gain: ArrayLike<number>, bias: ArrayLike<number>, epsilon: number): Float64Array {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * gain[i] + bias[i]);
}
/** Of each head by itself: softmax(q k^T / sqrt(size)) v over the rows that `seen` lets row t see. `scale` in the place of 1 / sqrt(size); scores s capped to cap * tanh(s / cap). */
export function headsAttend(
  query: Rows,
  key: Rows,
  value: Rows,
  heads: number,
  seen: (t: number, s: number) => boolean,
  { scale, cap }: { readonly scale?: number; readonly cap?: number } = {},
): Float64Array[] {
  const size = query[0].length / heads;
  return query.map((q, t) => {
    const out = new Float64Array(q.length);
    for (let head = 0; head < heads; head++) {
      const at = (i: number): number => head * size + i;
      const open = key.flatMap((_, s) => (seen(t, s) ? [s] : []));
      const scores = open.map((s) => {
        const score = Array.from({ length: size }, (_, i) => q[at(i)] * key[s][at(i)]).reduce((a, b) => a + b, 0) * (scale ?? 1 / Math.sqrt(size));
        return cap === undefined ? score : cap * Math.tanh(score / cap);
      });
      const highest = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
      open.forEach((s, n) => {
        for (let i = 0; i < size; i++) out[at(i)] += (Math.exp(scores[n] - highest) / total) * value[s][at(i)];
      });
    }
    return out;
  });
}

export interface Reference {
  /** States of the encoder, a row for each token. */
  readonly encoded: (tokens: readonly number[]) => Float64Array[];
  /** Logits after every token of the decoder's text. */
  readonly logits: (tokens: readonly number[], source?: readonly number[]) => Float64Array[];
}
export function transformer(config: TransformerConfig, weights: Weights): Reference {
  const { width, positions, norm, activation, normEpsilon } = config;
  const of = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  const linear = (x: Rows, name: string): Float64Array[] => {
    const [w, bias] = [of(`${name}.weight`), of(`${name}.bias`)];
    return x.map((row) =>
      Float64Array.from({ length: w.length / row.length }, (_, o) => row.reduce((sum, value, i) => sum + value * w[o * row.length + i], bias[o] ?? 0)),
    );
  };
  const normed = (x: Rows, name: string): Float64Array[] => x.map((row) => layerNormed(row, of(`${name}.weight`), of(`${name}.bias`), normEpsilon));
  const around = (x: Rows, name: string, part: (x: Rows) => Rows): Rows => {
    const add = (a: Rows, b: Rows): Float64Array[] => a.map((row, t) => row.map((value, i) => value + b[t][i]));
    return norm === 'pre' ? add(x, part(normed(x, name))) : normed(add(x, part(x)), name);
  };
  const placeOf = (side: string, position: number): Float64Array => {
    if (positions.kind === 'learned') return Float64Array.from(of(`model.${side}.embed_positions.weight`).subarray(position * width, (position + 1) * width));
    const vector = new Float64Array(width);
    if (positions.kind === 'rotary') return vector;
    for (let i = 0; 2 * i < width; i++) {
      const angle = position / 10_000 ** ((2 * i) / width);
      const [sine, cosine] = positions.layout === 'alternating' ? [2 * i, 2 * i + 1] : [i, width / 2 + i];
      [vector[sine], vector[cosine]] = [Math.sin(angle), Math.cos(angle)];
    }
    return vector;
  };
  const turned = (x: Rows, heads: number): Rows => {
    if (positions.kind !== 'rotary') return x;
    const size = width / heads;
    return x.map((row, position) =>
      row.map((value, at) => {
        const i = at % size;
        const angle = position / positions.rotary.base ** ((2 * (i % (size / 2))) / size);
        return i < size / 2 ? value * Math.cos(angle) - row[at + size / 2] * Math.sin(angle) : value * Math.cos(angle) + row[at - size / 2] * Math.sin(angle);
      }),
    );
  };
  const stack = (side: 'encoder' | 'decoder', tokens: readonly number[], states?: Rows): Rows => {
    const own = config[side];
    const table = of('model.shared.weight');
    let x: Rows = tokens.map((token, t) => placeOf(side, t).map((place, i) => place + table[token * width + i] * (config.embeddingScale ?? 1)));
    if (config.embeddingNorm) x = normed(x, `model.${side}.layernorm_embedding`);
    for (let layer = 0; layer < (own?.layers ?? 0); layer++) {
      const at = (name: string): string => `model.${side}.layers.${layer}.${name}`;
      const heads = own?.heads ?? 1;
      const attend = (name: string, query: Rows, others: Rows, seen: (t: number, s: number) => boolean, turn: (x: Rows) => Rows): Rows =>
        linear(
          headsAttend(turn(linear(query, at(`${name}.q_proj`))), turn(linear(others, at(`${name}.k_proj`))), linear(others, at(`${name}.v_proj`)), heads, seen),
          at(`${name}.out_proj`),
        );
      x = around(x, at('self_attn_layer_norm'), (h) =>
        attend('self_attn', h, h, side === 'encoder' ? () => true : (t, s) => s <= t, (rows) => turned(rows, heads)),
      );
      if (states)
        x = around(x, at('encoder_attn_layer_norm'), (h) =>
          attend(
            'encoder_attn',
            h,
            states,
            () => true,
            (rows) => rows,
          ),
        );
      x = around(x, at('final_layer_norm'), (h) =>
        linear(
          linear(h, at('fc1')).map((row) => row.map((value) => activate(activation, value))),
          at('fc2'),
        ),
      );
    }
    return norm === 'pre' ? normed(x, `model.${side}.layer_norm`) : x;
  };
  const encoded = (tokens: readonly number[]): Float64Array[] => [...stack('encoder', tokens)];
  return {
    encoded,
    logits: (tokens, source) =>
      linear(stack('decoder', tokens, source && encoded(source)), config.tied ? 'model.shared' : 'lm_head').map((row) =>
        row.map((value, i) => value + (config.logitBias ? of('final_logits_bias')[i] : 0)),
      ),
  };
}
