// Owns the decoder of the Llama family against an independent float64 implementation, in each of its variants.
// Refuses to know text and files.

import t from 'tap';
import { buildLlama, llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { quantise } from '../../src/model/quantise.ts';
import { rotaryAngles } from '../../src/model/rotary.ts';
import { Random } from '../../src/training/random.ts';
import { feedInPieces, openGraph } from './graph.ts';
import { llamaLogits, randomWeights, SMALL } from './llama-reference.ts';
import { relativeError } from './reference.ts';
import type { Weights } from './reference.ts';

const TEXTS = [[3, 41, 9, 9, 27, 60, 1, 3, 41, 9, 9, 28, 5, 66, 0, 12, 33], [8, 15, 16, 5], [41, 9, 9, 27, 3, 3, 3, 50, 2], [7, 1, 7, 2]];
const PIECES = [[9, 1, 4, 3], [1, 1, 1, 1], [5, 2, 1, 1], [0, 2, 1, 1]];

async function compare(t: Parameters<typeof openGraph>[0], config: LlamaConfig, weights: Weights, file: Uint8Array, bound: number, label: string): Promise<void> {
  const heads = [config.keyValueHeads, config.headSize];
  const graph = await openGraph(t, file, { growing: Object.fromEntries(Array.from({ length: config.layers }, (_, i) => [[`key.${i}`, heads], [`value.${i}`, heads]]).flat()) });
  const right = TEXTS.map((tokens) => llamaLogits(config, weights, tokens));
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
  ['Llama with biases everywhere', { attentionBias: true, outputBias: true, feedForwardBias: true }],
  ['Phi-3: fused parameters, a part of each head turned', { fused: true, rotary: { base: 10_000, dimensions: 6 } }],
  ['Mistral: a window', { windows: [5, 5] }],
  ['Gemma 1', { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true }],
  ['Gemma 2', { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true, postNorms: true, scoreScale: 1 / Math.sqrt(12), scoreCap: 1.5, logitCap: 3, windows: [4, undefined] }],
  ['DeepSeekMoE: the first layer without experts', { experts: { count: 5, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } }],
  ['experts whose shares sum to one, none shared', { experts: { count: 3, perToken: 2, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1.5 } }],
] as const satisfies readonly (readonly [string, Partial<LlamaConfig>])[])
  t.test(`${label}: logits are right after every token, alone and side by side`, async (t) => {
    const config = { ...SMALL, ...more };
    const weights = randomWeights(config, 21);
    await compare(t, config, weights, buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), 'float'), 2e-5, label);
  });

t.test('quantised weights give what the rounded ones give, and the loss is told', async (t) => {
  const experts = { count: 3, perToken: 2, size: 12, shared: 0, firstLayer: 1, normalised: false, scale: 1 };
  for (const [tied, more] of [[true, {}], [false, {}], [true, { experts }]] as const)
    for (const storage of [{ bits: 8, block: 16 }, { bits: 4, block: 16 }, { bits: 4, block: 32 }, { bits: 4, block: 32, products: 'int8' }] as const) {
      const config = { ...SMALL, tied, ...more };
      const weights = randomWeights(config, 22);
      const rounded = new Map(weights);
      for (const { name, shape } of llamaParameters(config)) {
        if (shape.length !== 2 || name.endsWith('mlp.gate.weight')) continue;
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
      await compare(t, config, rounded, file, 'products' in storage ? 0.15 : 2e-5, `${storage.bits} bits, blocks of ${storage.block}, ${tied ? 'tied' : 'untied'}${'experts' in more ? ', experts' : ''}`);
      t.equal(lost.size, 'experts' in more ? 13 : tied ? 9 : 10);
      for (const [name, error] of lost) t.ok(storage.bits === 8 ? error > 0.0005 && error < 0.01 : error > 0.02 && error < 0.12, `${name} ${error}`);
    }
});

t.test('matrices that come in pieces make the same file as whole ones, whether the pieces are cut out here or elsewhere', (t) => {
  const config = { ...SMALL, attentionBias: true, tied: true };
  const weights = randomWeights(config, 12);
  const whole = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  for (const storage of ['float', 'float16', { bits: 8, block: 16 }, { bits: 4, block: 32 }] as const) {
    const right = buildLlama(config, whole, storage);
    for (const piece of [1, 100, 320, 1e6]) {
      t.ok(Buffer.from(buildLlama(config, whole, storage, undefined, { piece })).equals(right), `${JSON.stringify(storage)}, ${piece} numbers, cut out here`);
      t.ok(Buffer.from(buildLlama(config, (name, from, to) => whole(name).slice(from, to), storage, undefined, { piece })).equals(right), 'cut out elsewhere');
    }
  }
  t.throws(() => buildLlama(config, (name) => whole(name).subarray(1), 'float'), /parameter model\.embed_tokens\.weight needs 2144 values, got 2143/);
  t.end();
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
