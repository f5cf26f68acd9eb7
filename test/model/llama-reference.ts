// Owns an independent float64 decoder of the Llama family: the equations of src/model/llama.ts written out with loops, in each variant.
// Refuses to know ONNX and the cache: it always looks at the whole sequence.

import { llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { expertShares, latentAttended } from './latent-reference.ts';
import { Random } from '../../src/training/random.ts';
import type { Weights } from './reference.ts';

export const SMALL: LlamaConfig = {
  vocabularySize: 67,
  width: 32,
  layers: 2,
  heads: 6,
  keyValueHeads: 2,
  headSize: 8,
  feedForward: 48,
  contextLength: 64,
  rotary: { base: 10_000 },
  normEpsilon: 1e-5,
  attentionBias: false,
  headNorm: false,
  tied: false,
};

type Rows = readonly Float64Array[];
export function randomWeights(config: LlamaConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(
    llamaParameters(config).map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        name.includes('norm')
          ? 1 + 0.3 * random.normal()
          : name.endsWith('e_score_correction_bias')
            ? 0.4 * random.normal()
            : (random.normal() * 2) / Math.sqrt(shape[shape.length - 1]),
      ),
    ]),
  );
}

/** Turns the first `size` numbers of a vector by position * base^(-2i / size), in pairs half of them apart or of neighbours (Su et al. 2021, eq. 34). */
function turnedVector(vector: Float64Array, position: number, base: number, size: number, pairs: 'halves' | 'neighbours'): Float64Array {
  const out = vector.slice();
  for (let i = 0; i < size / 2; i++) {
    const [a, b] = pairs === 'neighbours' ? [2 * i, 2 * i + 1] : [i, i + size / 2];
    const angle = position / base ** ((2 * i) / size);
    out[a] = vector[a] * Math.cos(angle) - vector[b] * Math.sin(angle);
    out[b] = vector[a] * Math.sin(angle) + vector[b] * Math.cos(angle);
  }
  return out;
}

/** Logits after every position. `pairs`: of a head, 0 and half are turned together, or neighbours (llama2.c). */
export function llamaLogits(config: LlamaConfig, weights: Weights, tokens: readonly number[], pairs: 'halves' | 'neighbours' = 'halves'): Float64Array[] {
  const { width, heads, keyValueHeads, headSize, normEpsilon, experts } = config;
  const of = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  const times = (x: Rows, name: string): Float64Array[] => {
    const w = of(`${name}.weight`);
    const bias = of(`${name}.bias`);
    const out = w.length / x[0].length;
    return x.map((row) => Float64Array.from({ length: out }, (_, o) => row.reduce((sum, value, i) => sum + value * w[o * row.length + i], bias[o] ?? 0)));
  };
  const norm = (row: Float64Array, gain: Float32Array): Float64Array => {
    const inverse = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + normEpsilon);
    return row.map((value, i) => value * inverse * gain[i]);
  };
  const perHead = (x: Rows, name: string): Float64Array[] =>
    config.headNorm
      ? x.map((row) =>
          Float64Array.from(Array.from({ length: row.length / headSize }, (_, h) => [...norm(row.slice(h * headSize, (h + 1) * headSize), of(name))]).flat()),
        )
      : [...x];
  const turn = (x: Rows, base: number): Float64Array[] =>
    x.map((row, position) =>
      Float64Array.from(
        Array.from({ length: row.length / headSize }, (_, h) => [
          ...turnedVector(row.slice(h * headSize, (h + 1) * headSize), position, base, config.rotary.dimensions ?? headSize, pairs),
        ]).flat(),
      ),
    );
  const sum = (a: Rows, b: Rows): Float64Array[] => a.map((row, i) => row.map((value, k) => value + b[i][k]));
  const capped = (value: number, cap: number | undefined): number => (cap === undefined ? value : cap * Math.tanh(value / cap));
  /** Rows cut into parts of these sizes. */
  const cut = (x: Rows, sizes: readonly number[]): Float64Array[][] => {
    const from = sizes.map((_, part) => sizes.slice(0, part).reduce((a, b) => a + b, 0));
    return sizes.map((size, part) => x.map((row) => row.slice(from[part], from[part] + size)));
  };
  const active = (v: number): number =>
    config.activation === 'gelu' ? 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))) : v / (1 + Math.exp(-v));
  const gated = (x: Rows, name: string, size: number): Float64Array[] => {
    const [gate, up] = config.fused ? cut(times(x, `${name}.gate_up_proj`), [size, size]) : [times(x, `${name}.gate_proj`), times(x, `${name}.up_proj`)];
    return times(
      gate.map((row, i) => row.map((g, k) => active(g) * up[i][k])),
      `${name}.down_proj`,
    );
  };
  const chosen = (x: Rows, name: string): Float64Array[] => {
    if (!experts) return [];
    return x.map((row) => {
      const [products] = times([row], `${name}.gate`);
      const out = new Float64Array(width);
      for (const { expert, share } of expertShares(products, experts, weights.get(`${name}.gate.e_score_correction_bias`)))
        gated([row], `${name}.experts.${expert}`, experts.size)[0].forEach((value, i) => void (out[i] += value * share));
      if (experts.shared > 0) gated([row], `${name}.shared_experts`, experts.shared)[0].forEach((value, i) => void (out[i] += value));
      return out;
    });
  };

  const attend = (h: Rows, layer: number, at: (name: string) => string): Float64Array[] => {
    const [q, k, value] = config.fused
      ? cut(times(h, at('self_attn.qkv_proj')), [heads * headSize, keyValueHeads * headSize, keyValueHeads * headSize])
      : ['q', 'k', 'v'].map((name) => times(h, at(`self_attn.${name}_proj`)));
    const { base } = config.local?.layers[layer] ? config.local.rotary : config.rotary;
    const query = turn(perHead(q, at('self_attn.q_norm.weight')), base);
    const key = turn(perHead(k, at('self_attn.k_norm.weight')), base);
    const first = (t: number): number => Math.max(0, t + 1 - (config.windows?.[layer] ?? tokens.length));
    return tokens.map((_, t) => {
      const out = new Float64Array(heads * headSize);
      for (let head = 0; head < heads; head++) {
        const shared = Math.floor(head / (heads / keyValueHeads)) * headSize;
        const scores = Array.from({ length: t + 1 - first(t) }, (_, s) => {
          const dot = Array.from({ length: headSize }, (_, i) => query[t][head * headSize + i] * key[first(t) + s][shared + i]).reduce((a, b) => a + b, 0);
          return capped(dot * (config.scoreScale ?? 1 / Math.sqrt(headSize)), config.scoreCap);
        });
        const highest = Math.max(...scores);
        const total = scores.reduce((all, score) => all + Math.exp(score - highest), 0);
        scores.forEach((score, s) => {
          for (let i = 0; i < headSize; i++) out[head * headSize + i] += (Math.exp(score - highest) / total) * value[first(t) + s][shared + i];
        });
      }
      return out;
    });
  };
  const latent = (h: Rows, at: (name: string) => string): Float64Array[] => {
    if (!config.latent) return [];
    const { turnedSize } = config.latent;
    return latentAttended(h, {
      heads,
      config: config.latent,
      scale: config.scoreScale ?? 1 / Math.sqrt(headSize),
      times: (x, name) => times(x, at(name)),
      gain: (name) => of(at(name)),
      turn: (vector, position) => turnedVector(vector, position, config.rotary.base, turnedSize, config.pairs ?? 'halves'),
    });
  };

  const embedding = of('model.embed_tokens.weight');
  let x: Rows = tokens.map((token) =>
    Float64Array.from(embedding.subarray(token * width, (token + 1) * width), (value) => value * (config.embeddingScale ?? 1)),
  );
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string): string => `model.layers.${layer}.${name}`;
    const normed = (rows: Rows, name: string): Float64Array[] => rows.map((row) => norm(row, of(at(`${name}.weight`))));
    const h = normed(x, 'input_layernorm');
    const attended = config.latent ? latent(h, at) : attend(h, layer, at);
    const mixed = times(attended, at('self_attn.o_proj'));
    x = sum(x, config.postNorms ? normed(mixed, 'post_attention_layernorm') : mixed);
    const m = normed(x, config.postNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm');
    const fed = experts && layer >= experts.firstLayer ? chosen(m, at('mlp')) : gated(m, at('mlp'), config.feedForward);
    x = sum(x, config.postNorms ? normed(fed, 'post_feedforward_layernorm') : fed);
  }
  const logits = times(
    x.map((row) => norm(row, of('model.norm.weight'))),
    config.tied ? 'model.embed_tokens' : 'lm_head',
  );
  return logits.map((row) => row.map((value) => capped(value, config.logitCap)));
}
