// Owns a run from its specification: the folder of the model and the files of data opened, trained, saved.
// Refuses to know commands and jobs.

import type { TrainingData } from '../batch.ts';
import { packedBatches } from '../data/packed-batches.ts';
import { leftOut, tokenise } from '../data/tokenised-data.ts';
import type { TokenisedData } from '../data/tokenised-data.ts';
import type { TrainableModel } from '../loss-graph.ts';
import { openTrainable } from '../open-model.ts';
import { openParallelGradients } from '../parallel/parallel-gradients.ts';
import type { TrainingSpec } from '../spec.ts';
import { RunError } from './errors.ts';
import type { GradientsOptions } from './gradients.ts';
import { requirePossible } from './possible.ts';
import { runFiles } from './record.ts';
import { trainModel } from './train-model.ts';
import type { RunHooks } from './train-model.ts';

/**
 * Trains as the specification says and writes the result into its output folder, in the layout that is served, with `training/` beside it: checkpoint.bin, metrics.csv, loss.svg, schedule.svg.
 * A run that the signal stops ends with the event `end` of reason `stopped` and leaves a checkpoint, no result. Throws RunError for what cannot be run and for a run that diverges, DataError for
 * data, and what openTrainable throws for the model.
 */
export async function runTraining(spec: TrainingSpec, hooks: RunHooks): Promise<void> {
  requirePossible(spec);
  requirePrecision(spec);
  const model = openTrainable(spec.model, spec.method, { dropout: spec.dropout, seed: spec.seed });
  requireContext(spec, model);
  const { context, rows, workers, validation_files: held } = spec;
  const opened: TokenisedData[] = [];
  const tokens = async (files: readonly string[]): Promise<TokenisedData> => {
    const data = await tokenise({ model: spec.model, files, context, folder: runFiles(spec.output).folder, signal: hooks.signal });
    opened.push(data);
    return data;
  };
  // Read before the first step, so that a bad line in either is found before hours have gone by.
  let validation: TokenisedData | undefined;
  const data = async (position?: object): Promise<TrainingData> => {
    const training = await tokens(spec.training_files);
    if (held.length > 0) validation = await tokens(held);
    const batches = packedBatches(training, { rows, epochs: spec.steps === undefined ? spec.epochs : Number.POSITIVE_INFINITY, seed: spec.seed, position });
    const notes = [training, ...(validation ? [validation] : [])].flatMap(({ report }) => leftOut(report, context) ?? []);
    return Object.assign(batches, notes.length > 0 ? { note: notes.join('; ') } : {});
  };
  const evaluated = async (): Promise<TrainingData> => {
    if (!validation) throw new TypeError('validation data is opened with the training data');
    return packedBatches(validation, { rows, epochs: 1 });
  };
  try {
    const inputs = {
      model,
      data,
      gradients: (options: GradientsOptions) => openParallelGradients(options, workers),
      ...(held.length > 0 ? { validation: evaluated } : {}),
    };
    await trainModel(spec, inputs, hooks);
  } finally {
    for (const each of opened) await each.close();
  }
}

function requirePrecision({ precision }: TrainingSpec): void {
  if (precision === 'mixed')
    throw new RunError(
      'invalid_spec',
      'precision: mixed needs a provider that multiplies in half precision, and ONNX Runtime has none for training on a CPU; use float32',
    );
}
function requireContext({ context }: TrainingSpec, { contextLength }: TrainableModel): void {
  if (context > contextLength) throw new RunError('invalid_spec', `context: the model takes rows of at most ${contextLength} tokens, not ${context}`);
}
