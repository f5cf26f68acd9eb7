// Owns the training graphs of the Llama family: their losses against the inference graphs and a float64 decoder, their gradients against slopes of that decoder.
// Refuses to know files and optimizers.

import t from 'tap';
import type { Batch } from '../../../src/training/batch.ts';
import { packBatch } from '../../../src/training/data/packing.ts';
import { buildLlama } from '../../../src/model/llama.ts';
import type { LlamaConfig } from '../../../src/model/llama.ts';
import type { RotaryConfig } from '../../../src/model/rotary.ts';
import { llamaLoss } from '../../../src/training/graphs/llama-loss.ts';
import { openGraph } from '../../model/graph.ts';
import { llamaLogits, randomWeights, SMALL } from '../../model/llama-reference.ts';
import type { Weights } from '../../model/reference.ts';
import { meanLoss, openLoss, packed, worstSlope } from './losses.ts';

const FULL = { method: { kind: 'full' }, dropout: 0 } as const;
const GEMMA = { activation: 'gelu', embeddingScale: Math.sqrt(32), tied: true } as const;
const LATENT = { latent: { rank: 12, plainSize: 6, turnedSize: 4, valueSize: 5 }, headSize: 10, pairs: 'neighbours', scoreScale: 0.4 } as const;
const BALANCED = {
  count: 8,
  perToken: 2,
  size: 12,
  shared: 12,
  firstLayer: 1,
  normalised: true,
  scale: 2.5,
  gate: 'sigmoid',
  balanced: true,
  groups: { count: 2, kept: 1, by: 'two' },
} as const;
const VARIANTS = [
  ['Llama', {}],
  ['Qwen 2: biases, tied', { attentionBias: true, tied: true }],
  ['Qwen 3: heads are normed', { headNorm: true, tied: true }],
  ['every head with keys of its own', { keyValueHeads: 6 }],
  ['one head of keys', { keyValueHeads: 1 }],
  ['Llama with biases everywhere', { attentionBias: true, outputBias: true, feedForwardBias: true }],
  ['Phi-3: fused parameters, a part of each head turned', { fused: true, rotary: { base: 10_000, dimensions: 6 } }],
  ['Mistral: a window', { windows: [3, 3] }],
  ['Gemma 1', GEMMA],
  ['Gemma 2', { ...GEMMA, postNorms: true, scoreScale: 1 / Math.sqrt(12), scoreCap: 1.5, logitCap: 3, windows: [4, undefined] }],
  ['Gemma 3: layers with positions of their own', { ...GEMMA, postNorms: true, headNorm: true, windows: [4, undefined], rotary: { base: 1000 }, local: { rotary: { base: 10 }, layers: [true, false] } }],
  ['DeepSeekMoE: the first layer without experts', { experts: { count: 5, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 } }],
  ['experts whose shares sum to one, none shared', { experts: { count: 3, perToken: 2, size: 12, shared: 0, firstLayer: 0, normalised: true, scale: 1.5 } }],
  [
    'DeepSeek-V2: latent attention, experts in groups',
    {
      ...LATENT,
      latent: { ...LATENT.latent, queryRank: 10 },
      experts: { count: 6, perToken: 2, size: 12, shared: 12, firstLayer: 1, normalised: false, scale: 2, groups: { count: 3, kept: 2, by: 'one' } },
    },
  ],
  ['DeepSeek-V3: shares by sigmoid, balanced, groups by two', { ...LATENT, experts: BALANCED }],
  [
    'more experts than are chosen in a batch, one a token',
    { layers: 1, experts: { count: 16, perToken: 1, size: 12, shared: 0, firstLayer: 0, normalised: false, scale: 1 } },
  ],
] as const satisfies readonly (readonly [string, Partial<LlamaConfig>])[];

for (const [label, more] of VARIANTS)
  t.test(`${label}: loss and gradients are those of an independent float64 decoder`, async (t) => {
    const config: LlamaConfig = { ...SMALL, ...more };
    const weights = randomWeights(config, 21);
    const { batch, sequences } = packed(5, config.vocabularySize);
    const loss = (of: Weights): number => meanLoss((tokens) => llamaLogits(config, of, tokens), sequences);
    const computed = await (await openLoss(t, llamaLoss(config, FULL))).compute(weights, batch);
    const error = Math.abs(computed.loss / loss(weights) - 1);
    // Experts that no token chose have no gradient, and neither have biases that only choose.
    const [gradients, without] = [true, false].map(
      (some) => new Map([...computed.gradients].filter(([, values]) => some === values.some((value) => value !== 0))),
    );
    const idle = /\.mlp\.(experts\.\d+\.|gate\.e_score_correction_bias$)/;
    t.ok(
      [...without.keys()].every((name) => idle.test(name)),
      'a gradient reaches all else',
    );
    if (config.experts?.count === 16) t.ok(without.size > 0, 'some experts are not chosen');
    const worst = worstSlope(t, { ...computed, gradients }, weights, loss);
    t.comment(`${label}: relative error of the loss ${error.toExponential(1)}, of a slope ${worst.toExponential(1)}`);
    t.ok(error < 1e-6, String(error));
    t.ok(worst < 1e-5, String(worst));
  });

const SCALINGS: readonly (readonly [string, RotaryConfig])[] = [
  ['no scaling', { base: 10_000 }],
  ['linear', { base: 10_000, scaling: { kind: 'linear', factor: 4 } }],
  ['Llama 3', { base: 500, scaling: { kind: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, trainedLength: 32 } }],
  ['YaRN', { base: 10_000, scaling: { kind: 'yarn', factor: 4, trainedLength: 16, fast: 32, slow: 1 } }],
  ['LongRoPE', { base: 10_000, scaling: { kind: 'longrope', factors: [1, 1.5, 2, 4], attention: 1.19 } }],
];
for (const [label, rotary] of SCALINGS)
  t.test(`rotary positions, ${label}: the training graph has the loss of the inference graph on the same weights`, async (t) => {
    const config: LlamaConfig = { ...SMALL, rotary };
    const weights = randomWeights(config, 4);
    const { batch, sequences } = packed(9, config.vocabularySize);
    const heads = [config.keyValueHeads, config.headSize];
    const served = await openGraph(
      t,
      buildLlama(config, (name) => weights.get(name) ?? new Float32Array(0), 'float'),
      {
        growing: Object.fromEntries(
          [0, 1].flatMap((i) => [
            [`key.${i}`, heads],
            [`value.${i}`, heads],
          ]),
        ),
      },
    );
    const logits = await Promise.all(sequences.map(async ({ tokens }) => (await served.feedAll([served.start], [tokens]))[0].logits));
    const right = meanLoss((tokens) => logits[sequences.findIndex((each) => each.tokens === tokens)], sequences);
    const { loss, gradients } = await (await openLoss(t, llamaLoss(config, FULL))).compute(weights, batch);
    t.ok(Math.abs(loss / right - 1) < 1e-6, `${loss} for ${right}`);
    t.ok([...gradients.values()].every((values) => values.every(Number.isFinite)));
  });

t.test('rows of very few tokens have the loss and the gradients of longer ones', async (t) => {
  const weights = randomWeights(SMALL, 8);
  const opened = await openLoss(t, llamaLoss(SMALL, FULL));
  for (const length of [2, 3, 4, 5]) {
    const sequences = [0, 1].map((row) => ({ tokens: Array.from({ length }, (_, i) => (7 * row + 3 * i) % SMALL.vocabularySize), learned: Array.from({ length }, () => true) }));
    const batchOf = (steps: number): Batch => {
      let next = 0;
      return packBatch(() => sequences[next++] ?? { tokens: [0, 1], learned: [] }, 2, steps);
    };
    const [short, long] = [await opened.compute(weights, batchOf(length)), await opened.compute(weights, batchOf(23))];
    const loss = meanLoss((tokens) => llamaLogits(SMALL, weights, tokens), sequences);
    t.ok(Math.abs(short.loss / loss - 1) < 1e-6, `${length} tokens: ${short.loss} for ${loss}`);
    for (const [name, gradient] of short.gradients) {
      const other = long.gradients.get(name) ?? new Float32Array(0);
      t.ok(Math.hypot(...gradient.map((value, i) => value - other[i])) < 1e-5 * Math.hypot(...gradient), `${length} tokens: ${name}`);
    }
  }
});

t.test('the embedding of an untied model learns by its input side alone', async (t) => {
  const graph = llamaLoss(SMALL, FULL);
  t.same(graph.embedding, { name: 'model.embed_tokens.weight', width: 32 });
  const { batch } = packed(5, SMALL.vocabularySize);
  const { gradients } = await (await openLoss(t, graph)).compute(randomWeights(SMALL, 1), batch);
  const rows = gradients.get('model.embed_tokens.weight') ?? new Float32Array(0);
  const seen = new Set(Array.from(batch.inputIds, Number));
  for (let token = 1; token < SMALL.vocabularySize; token++)
    if (!seen.has(token))
      t.ok(
        rows.subarray(token * 32, (token + 1) * 32).every((value) => value === 0),
        `token ${token} was not there`,
      );
  t.end();
});

t.test('matrices decay and norms and biases do not; matrices of layers are hidden', (t) => {
  const { parameters } = llamaLoss({ ...SMALL, attentionBias: true }, FULL);
  const of = (end: string): object | undefined => parameters.find(({ name }) => name.endsWith(end));
  t.match(of('0.self_attn.q_proj.weight'), { decay: true, hidden: true, shape: [48, 32] });
  t.match(of('0.self_attn.q_proj.bias'), { decay: false, hidden: false });
  t.match(of('1.input_layernorm.weight'), { decay: false, hidden: false });
  t.match(of('embed_tokens.weight'), { decay: true, hidden: false });
  t.match(of('lm_head.weight'), { decay: true, hidden: false });
  t.end();
});

t.test('heads that no head of keys serves evenly are refused', (t) => {
  t.throws(() => llamaLoss({ ...SMALL, heads: 5 }, FULL), /heads \(5\) must be a multiple of keyValueHeads \(2\)/);
  t.end();
});
