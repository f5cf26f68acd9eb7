// Owns the decoder graph against an independent float64 implementation, and its cached form against its whole form.
// Refuses to know training and text.

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Test } from 'tap';
import { buildDecoder, decoderParameters, parameterCount, POINTER_LAGS, pointerRow, rotaryTables, sizeOf } from '../../src/model/decoder.ts';
import type { DecoderConfig } from '../../src/model/decoder.ts';
import { readWeights } from '../../src/model/onnx-weights.ts';
import { Random } from '../../src/training/random.ts';
import { feedInPieces, openGraph } from './graph.ts';
import type { Graph } from './graph.ts';
import { referenceLogits, relativeError } from './reference.ts';
import type { Weights } from './reference.ts';

const SMALL: DecoderConfig = { vocabularySize: 61, width: 24, layers: 3, heads: 3, headSize: 8, feedForward: 40, contextLength: 64, rotaryBase: 10_000, rotaryDimensions: 4, normEpsilon: 1e-5, pointerWidth: 12, pointerTokenWidth: 5 };

function randomWeights(config: DecoderConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  // Large enough that attention is sharp, or mistakes in it would hardly show.
  return new Map(decoderParameters(config).map(({ name, shape }) => [name, Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * (name.endsWith('mix') ? 0.7 : (name === 'pointer.sentinel' ? 8 : 2) / Math.sqrt(shape[0])))]));
}

function open(t: Test, config: DecoderConfig, file: Uint8Array): Promise<Graph> {
  const layers = Array.from({ length: config.layers }, (_, i) => i);
  const heads = [config.heads, config.headSize];
  return openGraph(t, file, {
    growing: { ...Object.fromEntries(layers.flatMap((i) => [[`key.${i}`, heads], [`value.${i}`, heads]])), pointer: [pointerRow(config)] },
    carried: Object.fromEntries(layers.map((i) => [`shift.${i}`, [config.width]])),
    recent: POINTER_LAGS - 1,
  });
}
const someTokens = (config: DecoderConfig, count: number, seed: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.int(0, config.vocabularySize - 1));
};
async function compare(t: Test, config: DecoderConfig, weights: Weights, file: Uint8Array, tokens: readonly number[], bound: number, label: string): Promise<void> {
  const graph = await open(t, config, file);
  const right = referenceLogits(config, weights, tokens);
  const { logits } = await graph.feed(graph.start, tokens);
  const whole = relativeError(logits, right[tokens.length - 1]);
  let [past, worst, fromWhole] = [graph.start, 0, 0];
  for (let i = 0; i < tokens.length; i++) {
    const step = await graph.feed(past, [tokens[i]]);
    past = step.past;
    worst = Math.max(worst, relativeError(step.logits, right[i]));
    if (i === tokens.length - 1) fromWhole = relativeError(step.logits, logits);
  }
  t.comment(`${label}, ${tokens.length} tokens, largest error over largest logit: at once ${whole.toExponential(1)}, step by step ${worst.toExponential(1)}, the two against each other ${fromWhole.toExponential(1)}`);
  t.ok(whole < bound, `${label}: at once`);
  t.ok(worst < bound, `${label}: every step with the cache`);
  t.ok(fromWhole < bound, `${label}: step by step as at once`);
  for (const cuts of [[5, 1, 7], [2, 2, 2, 2], [tokens.length - 1]]) {
    let state = graph.start;
    let at = 0;
    for (const size of cuts) {
      state = (await graph.feed(state, tokens.slice(at, at + size))).past;
      at += size;
    }
    t.ok(relativeError((await graph.feed(state, tokens.slice(at))).logits, right[tokens.length - 1]) < bound, `${label}: pieces of ${cuts.join(', ')}`);
  }
}

t.test('the graph computes what the equations say, at once and with the cache', async (t) => {
  for (const [label, config] of [
    ['partial rotation', SMALL],
    ['full rotation', { ...SMALL, rotaryDimensions: 8 }],
    ['one head, one layer', { ...SMALL, heads: 1, headSize: 24, layers: 1, rotaryDimensions: 12 }],
  ] as const) {
    const weights = randomWeights(config, 7);
    await compare(t, config, weights, buildDecoder(config, weights), someTokens(config, 37, 3), 2e-5, label);
  }
});

t.test('logits are right after every new token, and for sequences of different lengths side by side', async (t) => {
  const weights = randomWeights(SMALL, 17);
  const graph = await open(t, SMALL, buildDecoder(SMALL, weights));
  const texts = [someTokens(SMALL, 30, 1), someTokens(SMALL, 11, 2), someTokens(SMALL, 22, 3), someTokens(SMALL, 9, 4)];
  const right = texts.map((tokens) => referenceLogits(SMALL, weights, tokens));
  let [worst, seen] = [0, 0];
  // The last one begins in the batch, with nothing before it.
  await feedInPieces(graph, texts, [[13, 1, 4, 12], [3, 2, 1, 5], [9, 6, 5, 2], [0, 3, 2, 4]], (b, place, logits) => {
    worst = Math.max(worst, relativeError(logits, right[b][place]));
    seen++;
  });
  t.equal(seen, texts.reduce((sum, { length }) => sum + length, 0));
  t.comment(`largest error over largest logit ${worst.toExponential(1)}`);
  t.ok(worst < 2e-5);
});

t.test('each part matters: without key mixing, pointer, rotation or order the logits are others', async (t) => {
  const weights = randomWeights(SMALL, 7);
  const tokens = someTokens(SMALL, 20, 5);
  const last = (config: DecoderConfig, used: Weights, given: readonly number[]): Float64Array => referenceLogits(config, used, given)[given.length - 1];
  const right = last(SMALL, weights, tokens);
  const unmixed = new Map([...weights].map(([name, values]) => [name, name.endsWith('.mix') ? new Float32Array(values.length) : values]));
  const graph = await open(t, SMALL, buildDecoder(SMALL, unmixed));
  const { logits } = await graph.feed(graph.start, tokens);
  t.ok(relativeError(logits, last(SMALL, unmixed, tokens)) < 2e-5);
  t.ok(relativeError(logits, right) > 0.01);
  const everywhere = (used: Weights): number[] => referenceLogits(SMALL, used, tokens).flatMap((row) => [...row]);
  t.ok(relativeError(everywhere(new Map([...weights, ['pointer.token', new Float32Array(SMALL.width * SMALL.pointerTokenWidth)]])), everywhere(weights)) > 0.01);
  t.ok(relativeError(last({ ...SMALL, rotaryDimensions: 0 }, weights, tokens), right) > 0.01);
  t.ok(relativeError(last(SMALL, weights, tokens.with(3, (tokens[3] + 1) % 61)), right) > 0.001);
});

t.test('half-precision storage is the rounded weights, computed in single precision', async (t) => {
  const weights = randomWeights(SMALL, 11);
  const file = buildDecoder(SMALL, weights, { storage: 'float16' });
  const stored = new Map([...readWeights(file)].map(([name, { values }]) => [name, values]));
  for (const { name, shape } of decoderParameters(SMALL)) {
    t.equal(stored.get(name)?.length, sizeOf(shape), name);
    t.ok(relativeError(stored.get(name) ?? [], weights.get(name) ?? []) < 2 ** -11);
  }
  await compare(t, SMALL, stored, file, someTokens(SMALL, 25, 9), 2e-5, 'half-precision storage');
  t.ok(buildDecoder(SMALL, weights).length - file.length > 1.5 * parameterCount(SMALL), 'two bytes less for each');
});

t.test('the model that ships computes what the equations say with its own weights', async (t) => {
  const folder = new URL('../../models/pharos-mini/', import.meta.url);
  const description = JSON.parse(readFileSync(new URL('config.json', folder), 'utf8')) as Record<string, number>;
  const config: DecoderConfig = {
    vocabularySize: description['vocab_size'], width: description['hidden_size'], layers: description['num_hidden_layers'], heads: description['num_attention_heads'], headSize: description['head_dim'],
    feedForward: description['intermediate_size'], contextLength: description['max_position_embeddings'], rotaryBase: description['rope_theta'], rotaryDimensions: description['rotary_dimensions'], normEpsilon: description['rms_norm_eps'], pointerWidth: description['pointer_width'], pointerTokenWidth: description['pointer_token_width'],
  };
  t.equal(parameterCount(config), description['num_parameters']);
  const file = readFileSync(new URL('onnx/model.onnx', folder));
  const weights = new Map([...readWeights(file)].map(([name, { values }]) => [name, values]));
  await compare(t, config, weights, file, someTokens(config, 24, 13), 5e-5, 'pharos-mini');
});

t.test('rotary tables are cosines and sines of the angles, and 1 and 0 beyond the rotated dimensions', (t) => {
  const { cos, sin, shape } = rotaryTables(SMALL);
  t.same(shape, [64, 4]);
  for (const [position, i, angle] of [[0, 0, 0], [5, 0, 5], [5, 1, 5 / 100], [63, 1, 0.63], [5, 2, 0], [63, 3, 0]]) {
    t.ok(Math.abs(cos[position * 4 + i] - Math.cos(angle)) < 1e-7);
    t.ok(Math.abs(sin[position * 4 + i] - Math.sin(angle)) < 1e-7);
  }
  t.end();
});

t.test('weights of a wrong size are refused by name', (t) => {
  const weights = randomWeights(SMALL, 1);
  weights.set('layer.1.mix', new Float32Array(3));
  t.throws(() => buildDecoder(SMALL, weights), /layer.1.mix needs 24 values, got 3/);
  weights.delete('embedding');
  t.throws(() => buildDecoder(SMALL, weights), /embedding needs 1464 values, got none/);
  t.throws(() => buildDecoder({ ...SMALL, heads: 4 }, weights), /heads \(4\) times headSize \(8\) must equal width \(24\)/);
  t.end();
});
