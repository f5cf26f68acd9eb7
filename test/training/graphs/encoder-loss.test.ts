// Owns the training graph of a text encoder: its loss against an independent float64 encoder, its gradients against slopes of that encoder.
// Refuses to know data and optimizer.

import t from 'tap';
import type { TransformerConfig } from '../../../src/model/transformer.ts';
import { encoderLoss } from '../../../src/training/graphs/encoder-loss.ts';
import { Random } from '../../../src/training/random.ts';
import { packTexts } from '../../../src/training/search/batches.ts';
import { randomTransformer, transformer } from '../../model/transformer-reference.ts';
import type { Weights } from '../../model/reference.ts';
import { contrasted } from './contrast-blocks.ts';
import { openLoss, worstSlope } from './losses.ts';

const CONFIG: TransformerConfig = {
  vocabularySize: 31,
  width: 24,
  contextLength: 32,
  encoder: { layers: 2, heads: 3, feedForward: 20 },
  positions: { kind: 'rotary', rotary: { base: 100 } },
  norm: 'pre',
  activation: 'gelu',
  normEpsilon: 1e-5,
  tied: true,
};
const OPTIONS = { negatives: 1, temperature: 0.5, dimensions: [10, 24], dropout: 0 };

/** The loss of texts, each seen alone and whole, with the mean over its tokens as its vector. */
function lossOf(weights: Weights, texts: readonly (readonly number[])[], pairs: number): number {
  const { encoded } = transformer(CONFIG, weights);
  const vectors = texts.map((tokens) => {
    const states = encoded(tokens);
    return states[0].map((_, i) => states.reduce((sum, state) => sum + state[i], 0) / states.length);
  });
  const losses = OPTIONS.dimensions.map((size) => {
    const unit = vectors.flatMap((vector) => Array.from(vector.slice(0, size), (value) => value / Math.hypot(...vector.slice(0, size))));
    return contrasted(Float64Array.from(unit), size, pairs, OPTIONS.temperature);
  });
  return losses.reduce((a, b) => a + b) / losses.length;
}

t.test('the loss of packed texts and its gradients are those of the texts, each seen alone by an independent float64 encoder', async (t) => {
  const { compute } = await openLoss(t, encoderLoss(CONFIG, OPTIONS));
  for (const [pairs, steps] of [
    [3, 16],
    [2, 9],
  ] as const) {
    const random = new Random(pairs);
    const texts = Array.from({ length: 3 * pairs }, () => Array.from({ length: random.int(1, 9) }, () => random.int(0, CONFIG.vocabularySize - 1)));
    const weights = randomTransformer(CONFIG, pairs);
    const batch = packTexts(texts, steps);
    t.ok(batch.rowsCount < texts.length, 'some rows hold several');
    const computed = await compute(weights, batch);
    const loss = (of: Weights): number => lossOf(of, texts, pairs);
    const error = Math.abs(computed.loss / loss(weights) - 1);
    const worst = worstSlope(t, computed, weights, loss);
    t.comment(`${texts.length} texts: relative error of the loss ${error.toExponential(1)}, of a slope ${worst.toExponential(1)}`);
    t.ok(error < 2e-6, String(error));
    t.ok(worst < 1e-5, String(worst));
  }
});

t.test('a form that is not trained is refused with the one that is', (t) => {
  for (const other of [{ norm: 'post' }, { activation: 'relu' }, { encoder: undefined }, { positions: { kind: 'learned' } }, { embeddingNorm: true }] as const)
    t.throws(() => encoderLoss({ ...CONFIG, ...other }, OPTIONS), { name: 'RangeError', message: /rotary positions, norm `pre`, activation `gelu`/ });
  t.end();
});
