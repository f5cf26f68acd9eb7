// Owns an independent float64 decoder of GPT-2, with the names and the layout of its published checkpoints: matrices in layers are [in, out].
// Refuses to know ONNX and the cache: it always looks at the whole sequence.

import type { Gpt2Config } from '../../src/model/gpt2.ts';
import type { Weights } from './reference.ts';

type Rows = readonly Float64Array[];

/** Logits after every position. */
export function gpt2Logits({ width, heads, layers, normEpsilon }: Gpt2Config, weights: Weights, tokens: readonly number[]): Float64Array[] {
  const of = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  const times = (x: Rows, name: string): Float64Array[] => {
    const [w, bias] = [of(`${name}.weight`), of(`${name}.bias`)];
    return x.map((row) => Float64Array.from(bias, (start, o) => row.reduce((sum, value, i) => sum + value * w[i * bias.length + o], start)));
  };
  const normed = (x: Rows, name: string): Float64Array[] =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + normEpsilon)) * of(`${name}.weight`)[i] + of(`${name}.bias`)[i]);
    });
  const sum = (a: Rows, b: Rows): Float64Array[] => a.map((row, i) => row.map((value, k) => value + b[i][k]));
  const size = width / heads;
  let x: Rows = tokens.map((token, t) => Float64Array.from({ length: width }, (_, i) => of('wte.weight')[token * width + i] + of('wpe.weight')[t * width + i]));
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string): string => `h.${layer}.${name}`;
    const all = times(normed(x, at('ln_1')), at('attn.c_attn'));
    const attended = tokens.map((_, t) => {
      const out = new Float64Array(width);
      for (let head = 0; head < heads; head++) {
        const from = head * size;
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          let dot = 0;
          for (let i = from; i < from + size; i++) dot += all[t][i] * all[s][width + i];
          return Math.exp(dot / Math.sqrt(size));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        scores.forEach((score, s) => {
          for (let i = from; i < from + size; i++) out[i] += (score / total) * all[s][2 * width + i];
        });
      }
      return out;
    });
    x = sum(x, times(attended, at('attn.c_proj')));
    const inner = times(normed(x, at('ln_2')), at('mlp.c_fc')).map((row) => row.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))));
    x = sum(x, times(inner, at('mlp.c_proj')));
  }
  const embedding = of('wte.weight');
  return normed(x, 'ln_f').map((row) => Float64Array.from({ length: embedding.length / width }, (_, token) => row.reduce((total, value, i) => total + value * embedding[token * width + i], 0)));
}
