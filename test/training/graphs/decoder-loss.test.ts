// Owns the training graph of the decoder that ships: its loss against the independent float64 decoder, its gradients against slopes of that decoder.
// Refuses to know data and optimizer.

import t from 'tap';
import { decoderParameters, sizeOf } from '../../../src/model/decoder.ts';
import type { DecoderConfig } from '../../../src/model/decoder.ts';
import { decoderLoss } from '../../../src/training/graphs/decoder-loss.ts';
import { Random } from '../../../src/training/random.ts';
import { referenceLogits } from '../../model/reference.ts';
import type { Weights } from '../../model/reference.ts';
import { meanLoss, openLoss, packed, worstSlope } from './losses.ts';

const CONFIG: DecoderConfig = {
  vocabularySize: 23,
  width: 16,
  layers: 2,
  heads: 2,
  headSize: 8,
  feedForward: 24,
  contextLength: 32,
  rotaryBase: 10_000,
  rotaryDimensions: 4,
  normEpsilon: 1e-5,
  pointerWidth: 6,
  pointerTokenWidth: 5,
};
const sizeOfStart = (name: string): number => (name === 'pointer.sentinel' ? 8 : name === 'pointer.run' ? 0.3 : 1.2);
function randomWeights(seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(
    decoderParameters(CONFIG).map(({ name, shape }) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * (name.endsWith('mix') ? 0.5 : sizeOfStart(name) / Math.sqrt(shape[0]))),
    ]),
  );
}

t.test('the loss of packed rows and its gradients are those of the sequences, each seen alone by an independent float64 decoder', async (t) => {
  const { compute } = await openLoss(t, decoderLoss(CONFIG, { method: { kind: 'full' }, dropout: 0 }));
  for (const [seed, rows, steps] of [
    [3, 3, 24],
    [8, 2, 12],
  ] as const) {
    const weights = randomWeights(seed);
    const { batch, sequences } = packed(seed + 2, CONFIG.vocabularySize, rows, steps);
    const loss = (of: Weights): number => meanLoss((tokens) => referenceLogits(CONFIG, of, tokens), sequences);
    const computed = await compute(weights, batch);
    const error = Math.abs(computed.loss / loss(weights) - 1);
    const worst = worstSlope(t, computed, weights, loss);
    t.comment(`${sequences.length} sequences: relative error of the loss ${error.toExponential(1)}, of a slope ${worst.toExponential(1)}`);
    t.ok(error < 2e-6, String(error));
    t.ok(worst < 1e-5, String(worst));
  }
});

t.test('parameters decay and are hidden as the decoder says, and its embedding learns by both sides', (t) => {
  const { parameters, embedding } = decoderLoss(CONFIG, { method: { kind: 'full' }, dropout: 0 });
  t.same(
    parameters.map(({ name, shape, decay }) => ({ name, shape, decay })),
    decoderParameters(CONFIG).map(({ name, shape, decay }) => ({ name, shape, decay })),
  );
  t.same(
    parameters.filter(({ hidden }) => hidden).map(({ name }) => name),
    [0, 1].flatMap((i) => ['query', 'key', 'value', 'out', 'up', 'down'].map((name) => `layer.${i}.${name}`)),
  );
  t.same(embedding, { name: 'embedding', width: 16 });
  t.end();
});
