// Owns what the tests of training train: a very small decoder, and endless sequences that it can learn to copy.
// Refuses to know what is tested.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parameterCount } from '../../src/model/decoder.ts';
import type { DecoderConfig } from '../../src/model/decoder.ts';
import { packBatch } from '../../src/training/data/packing.ts';
import type { Batch, Sequence, TrainingData } from '../../src/training/batch.ts';
import { decoderLoss } from '../../src/training/graphs/decoder-loss.ts';
import { drawnWeights } from '../../src/training/initial.ts';
import type { LossGraph, TrainableModel } from '../../src/training/loss-graph.ts';
import { Random } from '../../src/training/random.ts';
import { Trainer } from '../../src/training/trainer.ts';
import type { TrainerOptions } from '../../src/training/trainer.ts';

export const CONFIG: DecoderConfig = {
  vocabularySize: 40,
  width: 32,
  layers: 2,
  heads: 4,
  headSize: 8,
  feedForward: 64,
  contextLength: 32,
  rotaryBase: 10_000,
  rotaryDimensions: 4,
  normEpsilon: 1e-5,
  pointerWidth: 8,
  pointerTokenWidth: 8,
};
export const ADAM = { kind: 'adamw', beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.05 } as const;

/** Copy three tokens after a sign: what the model that ships has to do with names. */
export function copy(random: Random): Sequence {
  const name = [random.int(2, 39), random.int(2, 39), random.int(2, 39)];
  return { tokens: [0, ...name, 1, ...name], learned: [false, false, false, false, false, true, true, true] };
}
export const copies = (random: Random, rows = 8): Batch => packBatch(() => copy(random), rows, 32);

export const lossGraph = (config: DecoderConfig = CONFIG, dropout = 0): LossGraph => decoderLoss(config, { method: { kind: 'full' }, dropout });
export function openTrainer<Extra extends object = object>(
  options: Partial<TrainerOptions> & { readonly seed?: number; readonly config?: DecoderConfig } = {},
): Promise<Trainer<Extra>> {
  const { seed = 1, config = CONFIG, ...rest } = options;
  return Trainer.open<Extra>(lossGraph(config), drawnWeights(config, seed), { optimizer: ADAM, clip: 1, threads: 1, ...rest });
}
export const flat = (weights: ReadonlyMap<string, Float32Array>): number[] => [...weights.values()].flatMap((values) => [...values]);

/** The tiny decoder as a model that can be trained; its result is a file of all weights. */
export const tinyModel = (seed = 1, dropout = 0): TrainableModel => ({
  graph: lossGraph(CONFIG, dropout),
  initial: () => drawnWeights(CONFIG, seed),
  parameterCount: parameterCount(CONFIG),
  contextLength: CONFIG.contextLength,
  save: (weights, folder) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'weights.bin'), Float32Array.from(flat(weights)));
  },
});
/** Batches of copies, drawn one after the other; its position is the state of the draw. */
export function copiesData(seed: number, batches: number, position?: object): TrainingData {
  const random = new Random(seed);
  let given = 0;
  if (position) {
    const kept = position as { readonly given: number; readonly state: number };
    given = kept.given;
    random.advanceTo(kept.state);
  }
  return {
    examples: batches * 32,
    batches,
    get position() {
      return { given, state: random.state };
    },
    next: async () => (given++ < batches ? copies(random) : undefined),
    close: async () => {},
  };
}
