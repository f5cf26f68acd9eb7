// Owns the original transformer - encoder, decoder, both - against an independent float64 implementation, in each variant that is selectable.
// Refuses to know text and files.

import t from 'tap';
import type { Test } from 'tap';
import { sinusoids } from '../../src/model/positions.ts';
import { buildDecoder, buildEncoder, transformerParameters } from '../../src/model/transformer.ts';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { decoderOf, encode } from './encoder-decoder.ts';
import type { Encoded } from './encoder-decoder.ts';
import { feedInPieces } from './graph.ts';
import type { Graph } from './graph.ts';
import { relativeError } from './reference.ts';
import type { Weights } from './reference.ts';
import { randomTransformer, transformer } from './transformer-reference.ts';

const STACK = { layers: 2, heads: 3, feedForward: 40 };
const BASE: TransformerConfig = {
  vocabularySize: 61,
  width: 24,
  contextLength: 32,
  encoder: STACK,
  decoder: STACK,
  positions: { kind: 'sinusoidal', layout: 'alternating' },
  norm: 'post',
  activation: 'relu',
  normEpsilon: 1e-5,
  embeddingScale: Math.sqrt(24),
  tied: true,
};
const SOURCES = [
  [3, 41, 9, 9, 27, 60, 1],
  [8, 15],
  [7, 1, 7, 2, 2, 30, 31, 32, 33, 9, 4],
];
const TEXTS = [
  [3, 41, 9, 9, 27, 60, 1, 3],
  [8, 15, 16],
  [41, 9, 9, 27, 3, 3],
];
/** None of them alone: what is compared with is there for all of them. */
const PIECES = [
  [0, 4, 2, 1, 1],
  [0, 1, 1, 1, 0],
  [0, 3, 1, 1, 1],
];
const VARIANTS: readonly (readonly [string, Partial<TransformerConfig>])[] = [
  ['as first published: sinusoids, norms behind, ReLU', {}],
  [
    'learned positions, exact GELU, a normed embedding, a bias of the logits (BART)',
    { positions: { kind: 'learned' }, activation: 'gelu', embeddingNorm: true, embeddingScale: undefined, logitBias: true },
  ],
  ['sinusoids in halves, SiLU (Marian)', { positions: { kind: 'sinusoidal', layout: 'halves' }, activation: 'silu', logitBias: true }],
  [
    'rotary positions, norms in front, GELU by tanh, a head of its own',
    { positions: { kind: 'rotary', rotary: { base: 10_000 } }, norm: 'pre', activation: 'gelu-tanh', tied: false },
  ],
  ['stacks of other sizes', { encoder: { layers: 1, heads: 4, feedForward: 16 }, decoder: { layers: 3, heads: 2, feedForward: 32 }, norm: 'pre' }],
];

const openDecoder = async (t: Test, config: TransformerConfig, weights: Weights, given: Encoded['given'] = {}): Promise<Graph> =>
  decoderOf(t, buildDecoder(config, { weights: (name) => weights.get(name) ?? new Float32Array(0), storage: 'float' }), config, given);
const encoderOf = (config: TransformerConfig, weights: Weights): Uint8Array =>
  buildEncoder(config, { weights: (name) => weights.get(name) ?? new Float32Array(0), storage: 'float' });

for (const [label, more] of VARIANTS)
  t.test(`${label}: states and logits are right after every token, for texts of other lengths side by side`, async (t) => {
    const config = { ...BASE, ...more };
    const weights = randomTransformer(config, 9);
    const right = transformer(config, weights);
    const { states, given } = await encode(t, encoderOf(config, weights), SOURCES, config.width);
    const encoded = Math.max(...states.flatMap((rows, b) => rows.map((row, i) => relativeError(row, right.encoded(SOURCES[b])[i]))));
    const logits = TEXTS.map((tokens, b) => right.logits(tokens, SOURCES[b]));
    let worst = 0;
    await feedInPieces(
      await openDecoder(t, config, weights, given),
      TEXTS,
      PIECES,
      (text, place, row) => void (worst = Math.max(worst, relativeError(row, logits[text][place]))),
    );
    t.comment(`${label}: largest error of states ${encoded.toExponential(1)}, of logits with cross-attention ${worst.toExponential(1)}`);
    t.ok(encoded < 1e-5 && worst < 1e-5);
    const alone = transformer(config, weights).logits(TEXTS[0], SOURCES[1])[7];
    t.ok(relativeError(alone, logits[0][7]) > 0.01, 'another source would say something else');
  });

t.test('an encoder alone and a decoder alone', async (t) => {
  for (const [label, { encoder: _, decoder: __, ...more }] of VARIANTS) {
    const encoder = { ...BASE, ...more, decoder: undefined, logitBias: false };
    const weights = randomTransformer(encoder, 5);
    const { states, given } = await encode(t, encoderOf(encoder, weights), SOURCES, encoder.width);
    t.same(Object.keys(given), ['encoder_attention_mask'], 'nothing is there for a decoder');
    t.ok(
      states.every((rows, b) =>
        transformer(encoder, weights)
          .encoded(SOURCES[b])
          .every((row, i) => relativeError(rows[i], row) < 1e-5),
      ),
      label,
    );
    const decoder = { ...BASE, ...more, encoder: undefined };
    const own = randomTransformer(decoder, 6);
    t.notOk(
      [...own.keys()].some((name) => name.includes('encoder')),
      'and no parameter of the other',
    );
    const right = TEXTS.map((tokens) => transformer(decoder, own).logits(tokens));
    let worst = 0;
    await feedInPieces(
      await openDecoder(t, decoder, own),
      TEXTS,
      PIECES,
      (text, place, row) => void (worst = Math.max(worst, relativeError(row, right[text][place]))),
    );
    t.ok(worst < 1e-5, `${label}: decoder ${worst.toExponential(1)}`);
  }
});

t.test('a source is translated greedily, step by step, as the equations say', async (t) => {
  const config = { ...BASE, embeddingScale: 1 };
  const weights = randomTransformer(config, 12);
  const right = transformer(config, weights);
  const { given } = await encode(t, encoderOf(config, weights), SOURCES, config.width);
  const decoder = await openDecoder(t, config, weights, given);
  const [start, steps] = [2, 14];
  const greatest = (row: ArrayLike<number>): number => Array.from(row).reduce((best, value, i, all) => (value > all[best] ? i : best), 0);
  const said = SOURCES.map(() => [start]);
  let pasts = SOURCES.map(() => decoder.start);
  for (let step = 0; step < steps; step++) {
    const fed = await decoder.feedAll(
      pasts,
      said.map((tokens) => tokens.slice(-1)),
    );
    pasts = fed.map(({ past }) => past);
    fed.forEach(({ logits }, b) => said[b].push(greatest(logits[0])));
  }
  for (const [b, source] of SOURCES.entries()) {
    const tokens = [start];
    while (tokens.length <= steps) tokens.push(greatest(right.logits(tokens, source)[tokens.length - 1]));
    t.same(said[b], tokens);
  }
  t.not(new Set(said.map(String)).size, 1);
});

t.test('sinusoids are those of the paper, and wrong configurations are refused', (t) => {
  const table = sinusoids(50, 512, 'alternating');
  for (const [position, i] of [
    [0, 0],
    [1, 0],
    [7, 255],
    [49, 31],
  ] as const) {
    const angle = position / 10_000 ** ((2 * i) / 512);
    t.equal(table[position * 512 + 2 * i], Math.fround(Math.sin(angle)), 'sines on even numbers');
    t.equal(table[position * 512 + 2 * i + 1], Math.fround(Math.cos(angle)), 'cosines on odd ones');
  }
  const none = { weights: () => new Float32Array(0), storage: 'float' } as const;
  t.throws(() => buildEncoder({ ...BASE, encoder: undefined }, none), /has no encoder/);
  t.throws(() => buildDecoder({ ...BASE, decoder: undefined }, none), /has no decoder/);
  t.throws(() => buildDecoder({ ...BASE, decoder: { ...STACK, heads: 5 } }, none), /width \(24\) must be a multiple of heads \(5\)/);
  // The base model of the paper, which says 65 million (table 3) with a vocabulary of about 37,000.
  const base = {
    ...BASE,
    vocabularySize: 37_000,
    width: 512,
    encoder: { layers: 6, heads: 8, feedForward: 2048 },
    decoder: { layers: 6, heads: 8, feedForward: 2048 },
  };
  const count = transformerParameters(base).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  t.equal(Math.round(count / 1e6), 63);
  t.end();
});
