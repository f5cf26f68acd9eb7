// Owns the loss graph against finite differences, and its forward pass against the independent decoder.
// Refuses to know data and optimizer.

import * as ort from 'onnxruntime-node';
import t from 'tap';
import type { Test } from 'tap';
import { decoderParameters, sizeOf } from '../../src/model/decoder.ts';
import type { DecoderConfig } from '../../src/model/decoder.ts';
import { packBatch } from '../../src/training/batch.ts';
import type { Batch, Sequence } from '../../src/training/batch.ts';
import { buildDecoderLoss } from '../../src/training/decoder-loss.ts';
import { Random } from '../../src/training/random.ts';
import { referenceLogits } from '../model/reference.ts';

const CONFIG: DecoderConfig = { vocabularySize: 23, width: 16, layers: 2, heads: 2, headSize: 8, feedForward: 24, contextLength: 32, rotaryBase: 10_000, rotaryDimensions: 4, normEpsilon: 1e-5, pointerWidth: 6, pointerTokenWidth: 5 };

function randomWeights(seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(decoderParameters(CONFIG).map(({ name, shape }) => [name, Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * (name.endsWith('mix') ? 0.5 : (name === 'pointer.sentinel' ? 8 : 1.2) / Math.sqrt(shape[0])))]));
}
function makeSequences(seed: number, count: number): Sequence[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const length = random.int(3, 9);
    return { tokens: Array.from({ length }, () => random.int(0, CONFIG.vocabularySize - 1)), learned: Array.from({ length }, (_, i) => i > 0 && random.chance(0.7)) };
  });
}
function batchOf(sequences: readonly Sequence[], rows: number, steps: number): Batch {
  let next = 0;
  return packBatch(() => sequences[next++ % sequences.length], rows, steps);
}

/** Mean loss of the learned tokens by the independent decoder, which sees each sequence alone: so packing, masks and positions are checked as well. */
function referenceLoss(weights: ReadonlyMap<string, Float32Array>, sequences: readonly Sequence[]): number {
  let [total, count] = [0, 0];
  for (const { tokens, learned } of sequences) {
    const logits = referenceLogits(CONFIG, weights, tokens);
    for (let i = 0; i + 1 < tokens.length; i++) {
      if (!learned[i + 1]) continue;
      total -= logits[i][tokens[i + 1]];
      count++;
    }
  }
  return total / count;
}

async function openLoss(t: Test): Promise<(weights: ReadonlyMap<string, Float32Array>, batch: Batch) => Promise<ort.InferenceSession.OnnxValueMapType>> {
  const session = await ort.InferenceSession.create(buildDecoderLoss(CONFIG), { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  t.teardown(async () => session.release());
  return async (weights, batch) => {
    const shape = [batch.steps, batch.rowsCount];
    const feeds: Record<string, ort.Tensor> = {
      input_ids: new ort.Tensor('int64', batch.inputIds, shape),
      positions: new ort.Tensor('int64', batch.positions, shape),
      segments: new ort.Tensor('int64', batch.segments, shape),
      rows: new ort.Tensor('int64', batch.rows, [batch.rows.length]),
      targets: new ort.Tensor('int64', batch.targets, [batch.targets.length]),
      weights: new ort.Tensor('float32', batch.weights, [batch.weights.length]),
    };
    for (const { name, shape: of } of decoderParameters(CONFIG)) feeds[name] = new ort.Tensor('float32', weights.get(name) as Float32Array, of);
    return session.run(feeds);
  };
}

t.test('the loss of packed rows is the mean loss of the sequences, each seen alone', async (t) => {
  const run = await openLoss(t);
  const weights = randomWeights(3);
  // Filled to the brim by what fits: the reference must see the same sequences.
  const sequences = makeSequences(5, 6);
  const taken: Sequence[] = [];
  let next = 0;
  const batch = packBatch(() => {
    const sequence = sequences[next++ % sequences.length];
    taken.push(sequence);
    return sequence;
  }, 3, 24);
  const packed = taken.slice(0, -1);
  const loss = (await run(weights, batch))['loss'].data[0] as number;
  const right = referenceLoss(weights, packed);
  t.comment(`loss ${loss}, by the independent decoder ${right}, relative difference ${Math.abs(loss / right - 1).toExponential(1)}`);
  t.ok(Math.abs(loss / right - 1) < 2e-6);
});

t.test('the gradient of every parameter group is the slope of the loss', async (t) => {
  const run = await openLoss(t);
  const weights = randomWeights(8);
  const sequences = makeSequences(21, 4);
  const batch = batchOf(sequences, 2, 12);
  const results = await run(weights, batch);
  const gradients = new Map(decoderParameters(CONFIG).map(({ name }) => [name, Float64Array.from(results[`gradient.${name}`].data as Float32Array)]));
  const embedding = gradients.get('embedding') as Float64Array;
  const inputs = results['gradient.inputs'].data as Float32Array;
  for (let at = 0; at < batch.inputIds.length; at++) for (let i = 0; i < CONFIG.width; i++) embedding[Number(batch.inputIds[at]) * CONFIG.width + i] += inputs[at * CONFIG.width + i];

  // Slopes come from the float64 decoder, so that they carry no rounding of the graph's own arithmetic.
  const seen: Sequence[] = [];
  let next = 0;
  packBatch(() => {
    const sequence = sequences[next++ % sequences.length];
    seen.push(sequence);
    return sequence;
  }, 2, 12);
  const packed = seen.slice(0, -1);
  const random = new Random(4);
  for (const { name } of decoderParameters(CONFIG)) {
    const values = weights.get(name) as Float32Array;
    const gradient = gradients.get(name) as Float64Array;
    const direction = Float32Array.from(values, () => random.normal());
    const at = (step: number): number => referenceLoss(new Map([...weights, [name, values.map((value, i) => value + step * direction[i])]]), packed);
    const slope = (at(1e-3) - at(-1e-3)) / 2e-3;
    const projected = gradient.reduce((sum, value, i) => sum + value * direction[i], 0);
    const scale = Math.hypot(...gradient);
    t.ok(Math.abs(slope - projected) < 5e-3 * Math.max(scale, 1e-3), `${name}: slope ${slope.toFixed(6)}, gradient ${projected.toFixed(6)}`);
    t.ok(scale > 0, `${name} has a gradient`);
  }
});
