// Owns a run over a model and data that are open already: where it begins or goes on, its checks against the checkpoint, its start and its end.
// Refuses to know folders of models, files of data and how gradients are made.

import { existsSync } from 'node:fs';

import type { BatchSource, TrainingData } from '../batch.ts';
import type { TrainableModel } from '../loss-graph.ts';
import { scheduleOf } from '../optimizers/schedules.ts';
import type { TrainingEvent, TrainingSpec } from '../spec.ts';
import { Trainer } from '../trainer.ts';
import type { TrainerOptions } from '../trainer.ts';
import { roomFor, RunError } from './errors.ts';
import { batchesOf, runSteps } from './loop.ts';
import { specified } from './possible.ts';
import { requireSameRun, runFiles } from './record.ts';
import type { RunState } from './record.ts';

export interface RunHooks {
  /** Called for every event, in order; `tokens` of a step are those of the run so far. */
  readonly emit: (event: TrainingEvent) => void;
  /** The run keeps where it is and ends within one step. */
  readonly signal?: AbortSignal;
  /** Goes on from the checkpoint in the output folder, where there is one. Without it, one that is there is an error: it would be lost. */
  readonly resume?: boolean;
}
export interface RunInputs {
  readonly model: TrainableModel;
  /** Opens the training data at a position, or at its beginning. */
  readonly data: (position?: object) => Promise<TrainingData>;
  /** Opens the validation data from its beginning. */
  readonly validation?: () => Promise<BatchSource>;
  readonly gradients?: TrainerOptions['gradients'];
}

/** Trains, and closes all that it opened. Throws RunError, and what model and data throw. */
export async function trainModel(
  spec: TrainingSpec,
  { model, data: openData, validation, gradients }: RunInputs,
  { emit, signal, resume = false }: RunHooks,
): Promise<void> {
  const files = runFiles(spec.output);
  if (!resume && existsSync(files.checkpoint))
    throw new RunError('other_run', `${files.checkpoint} is of a run that can go on; resume it, or remove the folder ${files.folder} to begin anew`);
  const { optimizer, clip, threads } = spec;
  const trainer = await Trainer.open<RunState>(model.graph, model.initial(), { optimizer, clip, threads, gradients });
  try {
    const kept = trainer.restore(files.checkpoint, (state) => requireSameRun(state.spec, spec, files.checkpoint));
    const data = await openData(kept?.position).catch((error: unknown) => {
      if (signal?.aborted) return undefined;
      throw error;
    });
    if (!data) return emit({ kind: 'end', step: trainer.step, reason: 'stopped', model: spec.output });
    try {
      const total = spec.steps ?? Math.ceil(data.batches / batchesOf(spec));
      const schedule = specified(() => scheduleOf(spec.schedule, total));
      const trained = [...trainer.weights.values()].reduce((sum, { length }) => sum + length, 0);
      emit({
        kind: 'start',
        steps: total,
        parameters: model.parameterCount,
        trained,
        examples: data.examples,
        resumedAt: trainer.step,
        ...(data.note === undefined ? {} : { note: data.note }),
      });
      const state = { ...(kept ?? { position: data.position, tokens: 0, stale: 0 }), spec };
      const reason = await runSteps({ spec, model, trainer, data, validation, schedule, total, files, state, emit, signal });
      emit({ kind: 'end', step: trainer.step, reason, model: spec.output });
    } finally {
      await data.close();
    }
  } catch (error) {
    throw roomFor(error, spec.output);
  } finally {
    await trainer.close();
  }
}
