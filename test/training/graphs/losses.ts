// Owns what the tests of loss graphs share: packed batches, a run of a graph, losses of whole sequences by independent decoders, slopes.
// Refuses to know architectures.

import type { Test } from 'tap';
import { packBatch } from '../../../src/training/data/packing.ts';
import type { Batch, Sequence } from '../../../src/training/batch.ts';
import type { LossGraph } from '../../../src/training/loss-graph.ts';
import { Random } from '../../../src/training/random.ts';
import { openGradients } from '../../../src/training/run/gradients.ts';
import type { Predicted } from '../../../src/training/run/gradients.ts';
import type { Weights } from '../../model/reference.ts';

export interface Packed {
  readonly batch: Batch;
  /** All that are in it. */
  readonly sequences: readonly Sequence[];
}
/** Random sequences, packed so that rows hold several, of which not all tokens are learned. */
export function packed(seed: number, vocabularySize: number, rows = 2, steps = 9): Packed {
  const random = new Random(seed);
  const taken: Sequence[] = [];
  const batch = packBatch(
    () => {
      const length = random.int(3, 9);
      const sequence = {
        tokens: Array.from({ length }, () => random.int(0, vocabularySize - 1)),
        learned: Array.from({ length }, (_, i) => i === 1 || random.chance(0.7)),
      };
      taken.push(sequence);
      return sequence;
    },
    rows,
    steps,
  );
  // The last one did not fit.
  return { batch, sequences: taken.slice(0, -1) };
}

export interface Computed extends Predicted {
  readonly gradients: ReadonlyMap<string, Float32Array>;
}
export interface OpenLoss {
  readonly compute: (weights: Weights, batch: Batch, seed?: number) => Promise<Computed>;
  /** Without dropout. */
  readonly predict: (weights: Weights, batch: Batch) => Promise<Predicted>;
  /** The loss of that. */
  readonly evaluate: (weights: Weights, batch: Batch) => Promise<number>;
}
/** Opens a graph; it ends with the test. */
export async function openLoss(t: Test, graph: LossGraph): Promise<OpenLoss> {
  const own = new Map(graph.parameters.map(({ name, shape }) => [name, new Float32Array(shape.reduce((a, b) => a * b, 1))]));
  const gradients = await openGradients({ graph, weights: own, threads: 1 });
  t.teardown(async () => gradients.close());
  const take = (weights: Weights): void => own.forEach((values, name) => values.set(weights.get(name) ?? []));
  const predict = async (weights: Weights, batch: Batch): Promise<Predicted> => {
    take(weights);
    return gradients.evaluate([batch]);
  };
  return {
    predict,
    compute: async (weights, batch, seed = 0) => {
      take(weights);
      const { gradients: found, ...said } = await gradients.compute([batch], seed);
      return { ...said, gradients: new Map(graph.parameters.map(({ name }, i) => [name, found[i].slice()])) };
    },
    evaluate: async (weights, batch) => (await predict(weights, batch)).loss,
  };
}

/** What each learned token's predecessor says of it, each sequence seen alone: so packing, masks and positions are checked as well. */
function overLearned(
  logitsOf: (tokens: readonly number[]) => readonly ArrayLike<number>[],
  sequences: readonly Sequence[],
  said: (logits: readonly number[], target: number) => number,
): number {
  let [total, count] = [0, 0];
  for (const { tokens, learned } of sequences) {
    const logits = logitsOf(tokens);
    for (let i = 0; i + 1 < tokens.length; i++) {
      if (!learned[i + 1]) continue;
      total += said(Array.from(logits[i]), tokens[i + 1]);
      count++;
    }
  }
  return total / count;
}
/** Mean cross-entropy of the learned tokens. */
export const meanLoss = (logitsOf: (tokens: readonly number[]) => readonly ArrayLike<number>[], sequences: readonly Sequence[]): number =>
  overLearned(logitsOf, sequences, (row, target) => {
    const highest = Math.max(...row);
    return highest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - highest), 0)) - row[target];
  });
/** Share of the learned tokens that are the most probable ones. */
export const shareRight = (logitsOf: (tokens: readonly number[]) => readonly ArrayLike<number>[], sequences: readonly Sequence[]): number =>
  overLearned(logitsOf, sequences, (row, target) => (row.indexOf(Math.max(...row)) === target ? 1 : 0));

/**
 * How far gradients are from what an independent float64 loss does along a random direction of each parameter: |difference of losses - gradient * step| / (|gradient| |step|), the largest of all.
 * The step is what float32 weights really moved, so that their rounding does not count.
 */
export function worstSlope(t: Test, { gradients }: Computed, weights: Weights, loss: (weights: Weights) => number): number {
  const random = new Random(4);
  let worst = 0;
  for (const [name, gradient] of gradients) {
    const values = weights.get(name) ?? new Float32Array(0);
    const directions = values.map(() => random.normal());
    const [up, down] = [2e-5, -2e-5].map((step) => values.map((value, i) => value + step * directions[i]));
    const moved = up.map((value, i) => value - down[i]);
    const change = loss(new Map([...weights, [name, up]])) - loss(new Map([...weights, [name, down]]));
    const size = Math.hypot(...gradient);
    const error = Math.abs(change - gradient.reduce((sum, value, i) => sum + value * moved[i], 0)) / (size * Math.hypot(...moved));
    if (!(error < 1e-5)) t.comment(`${name}: ${error.toExponential(1)}, gradient of size ${size.toExponential(1)}`);
    t.ok(size > 0, `a gradient reaches ${name}`);
    worst = Math.max(worst, error);
  }
  return worst;
}

/** Every weight a little elsewhere, as after training. */
export function moved(weights: ReadonlyMap<string, Float32Array>, by = 0.05): Map<string, Float32Array> {
  const random = new Random(31);
  return new Map([...weights].map(([name, values]) => [name, values.map((value) => value + by * random.normal())]));
}
