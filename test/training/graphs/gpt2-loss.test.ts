// Owns the training graph of GPT-2: its loss against a float64 decoder, its gradients against slopes of that decoder.
// Refuses to know files and optimizers.

import t from 'tap';
import { transposed } from '../../../src/model/decoder-parts.ts';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import type { Gpt2Config } from '../../../src/model/gpt2.ts';
import { gpt2Loss } from '../../../src/training/graphs/gpt2-loss.ts';
import { Random } from '../../../src/training/random.ts';
import { gpt2Logits } from '../../model/gpt2-reference.ts';
import type { Weights } from '../../model/reference.ts';
import { meanLoss, openLoss, packed, worstSlope } from './losses.ts';

const FULL = { method: { kind: 'full' }, dropout: 0 } as const;
const BASE: Gpt2Config = { vocabularySize: 31, width: 24, layers: 2, heads: 3, feedForward: 40, contextLength: 16, normEpsilon: 1e-5, tied: true };
function randomWeights(config: Gpt2Config): Map<string, Float32Array> {
  const random = new Random(6);
  return new Map(
    gpt2Parameters(config).map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
        /ln_\w+\.weight/.test(name) ? 1 + 0.3 * random.normal() : (random.normal() * 1.5) / Math.sqrt(shape.at(-1) ?? 1),
      ),
    ]),
  );
}
/** Matrices of layers the other way round, as they are published. */
const published = (weights: Weights): Weights =>
  new Map(
    gpt2Parameters(BASE).map(({ name, shape }) => {
      const values = weights.get(name) ?? new Float32Array(0);
      return [name, name.startsWith('h.') && shape.length === 2 ? transposed(values, shape[0], shape[1]) : values];
    }),
  );

t.test('loss and gradients are those of an independent float64 decoder', async (t) => {
  const weights = randomWeights(BASE);
  const { batch, sequences } = packed(3, BASE.vocabularySize);
  const computed = await (await openLoss(t, gpt2Loss(BASE, FULL))).compute(weights, batch);
  const loss = (of: Weights): number => meanLoss((tokens) => gpt2Logits(BASE, published(of), tokens), sequences);
  const worst = worstSlope(t, computed, weights, loss);
  const error = Math.abs(computed.loss / loss(weights) - 1);
  t.comment(`relative error of the loss ${error.toExponential(1)}, of a slope ${worst.toExponential(1)}`);
  t.ok(error < 1e-6, String(error));
  t.ok(worst < 1e-5, String(worst));
});

t.test('an untied head with the values of the embedding has the loss of a tied one, and both sides of its gradient apart', async (t) => {
  const weights = randomWeights(BASE);
  const { batch } = packed(3, BASE.vocabularySize);
  const embedding = weights.get('wte.weight') ?? new Float32Array(0);
  const together = await (await openLoss(t, gpt2Loss(BASE, FULL))).compute(weights, batch);
  const apart = await (await openLoss(t, gpt2Loss({ ...BASE, tied: false }, FULL))).compute(new Map([...weights, ['lm_head.weight', embedding]]), batch);
  t.ok(Math.abs(apart.loss / together.loss - 1) < 1e-6);
  const [head, input, both] = [apart.gradients.get('lm_head.weight'), apart.gradients.get('wte.weight'), together.gradients.get('wte.weight')];
  t.ok(both?.every((value, i) => Math.abs(value - ((head?.[i] ?? 0) + (input?.[i] ?? 0))) < 1e-6));
});

t.test('scores that are not scaled are those of queries that were', async (t) => {
  const weights = randomWeights(BASE);
  const { batch } = packed(3, BASE.vocabularySize);
  const scaled = await (await openLoss(t, gpt2Loss(BASE, FULL))).evaluate(weights, batch);
  const root = Math.sqrt(BASE.width / BASE.heads);
  const shrunk = new Map(
    [...weights].map(([name, values]) => [name, name.includes('c_attn') ? values.map((value, i) => (i < values.length / 3 ? value / root : value)) : values]),
  );
  const whole = await (await openLoss(t, gpt2Loss({ ...BASE, scoreScale: 1 }, FULL))).evaluate(shrunk, batch);
  t.ok(Math.abs(whole / scaled - 1) < 1e-6, `${whole} for ${scaled}`);
});
