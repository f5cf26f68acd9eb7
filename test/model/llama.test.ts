// Owns the decoder of the Llama family against an independent float64 implementation, in each of its variants.
// Refuses to know text and files.

import t from 'tap';
import { buildLlama, llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { quantise } from '../../src/model/quantise.ts';
import { rotaryAngles } from '../../src/model/rotary.ts';
import { Random } from '../../src/training/random.ts';
import { feedInPieces, openGraph } from './graph.ts';
import { relativeError } from './reference.ts';

const SMALL: LlamaConfig = { vocabularySize: 67, width: 32, layers: 2, heads: 6, keyValueHeads: 2, headSize: 8, feedForward: 48, contextLength: 64, rotary: { base: 10_000 }, normEpsilon: 1e-5, attentionBias: false, headNorm: false, tied: false };

type Rows = readonly Float64Array[];
type Weights = ReadonlyMap<string, Float32Array>;
function randomWeights(config: LlamaConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(llamaParameters(config).map(({ name, shape }) => [name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (name.includes('norm') ? 1 + 0.3 * random.normal() : (random.normal() * 2) / Math.sqrt(shape[shape.length - 1])))]));
}

/** Logits after every position: the equations written out with loops. */
function reference(config: LlamaConfig, weights: Weights, tokens: readonly number[]): Float64Array[] {
  const { width, heads, keyValueHeads, headSize, normEpsilon } = config;
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
    config.headNorm ? x.map((row) => Float64Array.from(Array.from({ length: row.length / headSize }, (_, h) => [...norm(row.slice(h * headSize, (h + 1) * headSize), of(name))]).flat())) : [...x];
  const turn = (x: Rows): Float64Array[] =>
    x.map((row, position) =>
      row.map((value, i) => {
        const [within, half] = [i % headSize, headSize / 2];
        const angle = position / config.rotary.base ** ((2 * (within % half)) / headSize);
        return within < half ? value * Math.cos(angle) - row[i + half] * Math.sin(angle) : value * Math.cos(angle) + row[i - half] * Math.sin(angle);
      }),
    );
  const sum = (a: Rows, b: Rows): Float64Array[] => a.map((row, i) => row.map((value, k) => value + b[i][k]));
  const embedding = of('model.embed_tokens.weight');
  let x: Rows = tokens.map((token) => Float64Array.from(embedding.subarray(token * width, (token + 1) * width)));
  for (let layer = 0; layer < config.layers; layer++) {
    const at = (name: string): string => `model.layers.${layer}.${name}`;
    const h = x.map((row) => norm(row, of(at('input_layernorm.weight'))));
    const query = turn(perHead(times(h, at('self_attn.q_proj')), at('self_attn.q_norm.weight')));
    const key = turn(perHead(times(h, at('self_attn.k_proj')), at('self_attn.k_norm.weight')));
    const value = times(h, at('self_attn.v_proj'));
    const attended = tokens.map((_, t) => {
      const out = new Float64Array(heads * headSize);
      for (let head = 0; head < heads; head++) {
        const shared = Math.floor(head / (heads / keyValueHeads)) * headSize;
        const scores = Array.from({ length: t + 1 }, (_, s) => Array.from({ length: headSize }, (_, i) => query[t][head * headSize + i] * key[s][shared + i]).reduce((a, b) => a + b, 0) / Math.sqrt(headSize));
        const highest = Math.max(...scores);
        const total = scores.reduce((all, score) => all + Math.exp(score - highest), 0);
        scores.forEach((score, s) => {
          for (let i = 0; i < headSize; i++) out[head * headSize + i] += (Math.exp(score - highest) / total) * value[s][shared + i];
        });
      }
      return out;
    });
    x = sum(x, times(attended, at('self_attn.o_proj')));
    const m = x.map((row) => norm(row, of(at('post_attention_layernorm.weight'))));
    const [gate, up] = [times(m, at('mlp.gate_proj')), times(m, at('mlp.up_proj'))];
    x = sum(x, times(gate.map((row, i) => row.map((g, k) => (g / (1 + Math.exp(-g))) * up[i][k])), at('mlp.down_proj')));
  }
  const head = config.tied ? 'model.embed_tokens' : 'lm_head';
  return times(x.map((row) => norm(row, of('model.norm.weight'))), head);
}

const TEXTS = [[3, 41, 9, 9, 27, 60, 1, 3, 41, 9, 9, 28, 5, 66, 0, 12, 33], [8, 15, 16, 5], [41, 9, 9, 27, 3, 3, 3, 50, 2], [7, 1, 7, 2]];
const PIECES = [[9, 1, 4, 3], [1, 1, 1, 1], [5, 2, 1, 1], [0, 2, 1, 1]];

async function compare(t: Parameters<typeof openGraph>[0], config: LlamaConfig, weights: Weights, file: Uint8Array, bound: number, label: string): Promise<void> {
  const heads = [config.keyValueHeads, config.headSize];
  const graph = await openGraph(t, file, { growing: Object.fromEntries(Array.from({ length: config.layers }, (_, i) => [[`key.${i}`, heads], [`value.${i}`, heads]]).flat()) });
  const right = TEXTS.map((tokens) => reference(config, weights, tokens));
  let worst = 0;
  await feedInPieces(graph, TEXTS, PIECES, (text, place, logits) => void (worst = Math.max(worst, relativeError(logits, right[text][place]))));
  t.comment(`${label}: largest error over largest logit ${worst.toExponential(1)}`);
  t.ok(worst < bound, label);
}

for (const [label, more] of [
  ['Llama', {}],
  ['Qwen 2: biases, tied', { attentionBias: true, tied: true }],
  ['Qwen 3: heads are normed', { headNorm: true, tied: true }],
  ['every head with keys of its own', { keyValueHeads: 6 }],
  ['one head of keys', { keyValueHeads: 1 }],
] as const)
  t.test(`${label}: logits are right after every token, alone and side by side`, async (t) => {
    const config = { ...SMALL, ...more };
    const weights = randomWeights(config, 21);
    await compare(t, config, weights, buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), 'float'), 2e-5, label);
  });

t.test('quantised weights give what the rounded ones give, and the loss is told', async (t) => {
  for (const tied of [true, false])
    for (const storage of [{ bits: 8, block: 16 }, { bits: 4, block: 16 }, { bits: 4, block: 32 }, { bits: 4, block: 32, products: 'int8' }] as const) {
      const config = { ...SMALL, tied };
      const weights = randomWeights(config, 22);
      const rounded = new Map(weights);
      for (const { name, shape } of llamaParameters(config)) {
        if (shape.length !== 2) continue;
        const { values, scales, blocks } = quantise(weights.get(name) ?? new Float32Array(0), shape[0], shape[1], storage);
        const per = storage.block;
        rounded.set(name, Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => {
          const [row, column] = [Math.floor(i / shape[1]), i % shape[1]];
          const at = (row * blocks + Math.floor(column / per)) * per + (column % per);
          const q = storage.bits === 8 ? values[at] - 128 : ((at & 1) === 0 ? values[at >> 1] & 15 : values[at >> 1] >> 4) - 8;
          return q * scales[row * blocks + Math.floor(column / per)];
        }));
      }
      const lost = new Map<string, number>();
      const file = buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), { products: 'float', ...storage }, (name, error) => lost.set(name, error));
      // Activations rounded to eight bits are far off in so narrow a model.
      await compare(t, config, rounded, file, 'products' in storage ? 0.15 : 2e-5, `${storage.bits} bits, blocks of ${storage.block}, ${tied ? 'tied' : 'untied'}`);
      t.equal(lost.size, tied ? 9 : 10);
      for (const [name, error] of lost) t.ok(storage.bits === 8 ? error > 0.0005 && error < 0.01 : error > 0.02 && error < 0.12, `${name} ${error}`);
    }
});

t.test('a block meets its greatest weight, and rows that do not fill their last block are whole', (t) => {
  const random = new Random(4);
  for (const [bits, block, columns] of [[4, 32, 70], [8, 16, 40], [4, 16, 16]] as const) {
    const weights = Float32Array.from({ length: 3 * columns }, () => random.normal());
    const { values, scales, blocks, error } = quantise(weights, 3, columns, { bits, block });
    const zero = 1 << (bits - 1);
    let [lost, all] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const at = (row * blocks + Math.floor(column / block)) * block + (column % block);
      const q = bits === 8 ? values[at] : at % 2 === 0 ? values[at >> 1] & 15 : values[at >> 1] >> 4;
      const scale = scales[row * blocks + Math.floor(column / block)];
      t.ok(Math.abs(weights[i] - scale * (q - zero)) <= Math.abs(scale) * (q === 2 * zero - 1 ? 1 : 0.5) + 1e-6, 'no weight is further away than half a step, but at the edge');
      lost += (weights[i] - scale * (q - zero)) ** 2;
      all += weights[i] ** 2;
    }
    t.ok(Math.abs(error - Math.sqrt(lost / all)) < 1e-6);
  }
  t.same(quantise(new Float32Array(32), 1, 32, { bits: 4, block: 32 }).scales, new Float32Array(1));
  t.throws(() => quantise(new Float32Array(5), 1, 6, { bits: 4, block: 32 }), /needs 6 values, got 5/);
  t.throws(() => quantise(new Float32Array(6), 1, 6, { bits: 4, block: 24 }), /power of two/);
  t.end();
});

t.test('scaled rotary angles: linear, Llama 3 and YaRN', (t) => {
  const frequency = (scaling: Parameters<typeof rotaryAngles>[0]['scaling'], i: number): number => {
    const { cos, sin } = rotaryAngles({ base: 10_000, scaling }, 64, 2);
    return Math.atan2(sin[32 + i], cos[32 + i]);
  };
  const near = (given: number, right: number, label: string): void => void t.ok(Math.abs(given / right - 1) < 1e-4, `${label}: ${given} for ${right}`);
  for (const i of [0, 9, 31]) near(frequency({ kind: 'linear', factor: 4 }, i), 10_000 ** ((-2 * i) / 64) / 4, 'linear');
  const llama3 = { kind: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, trainedLength: 8192 } as const;
  near(frequency(llama3, 0), 1, 'short wavelengths stay');
  near(frequency(llama3, 31), 10_000 ** (-62 / 64) / 8, 'long ones are scaled');
  // In between (transformers, modeling_rope_utils): wavelength 2 pi / f, smooth = (8192 / wavelength - 1) / 3.
  const f = 10_000 ** (-2 * 22 / 64);
  const smooth = (8192 / ((2 * Math.PI) / f) - 1) / 3;
  t.ok(smooth > 0 && smooth < 1, 'the slope is met');
  near(frequency(llama3, 22), ((1 - smooth) * f) / 8 + smooth * f, 'the slope');
  const yarn = { kind: 'yarn', factor: 4, trainedLength: 2048, fast: 32, slow: 1 } as const;
  near(frequency(yarn, 0), 1, 'YaRN keeps what turns often');
  near(frequency(yarn, 31), 10_000 ** (-62 / 64) / 4, 'and scales what turns seldom');
  const { cos } = rotaryAngles({ base: 10_000, scaling: yarn }, 64, 1);
  near(cos[0], 0.1 * Math.log(4) + 1, 'attention is scaled');
  t.end();
});
