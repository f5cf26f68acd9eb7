// Owns the course of a run: steps, evaluations, early stopping, checkpoints, the result.
// Refuses to know where model and data come from and how gradients are made.

import { readFileSync } from 'node:fs';

import type { Batch, BatchSource, TrainingData } from '../batch.ts';
import type { TrainableModel } from '../loss-graph.ts';
import type { Schedule } from '../optimizers/schedules.ts';
import type { TrainingEvent, TrainingSpec } from '../spec.ts';
import { replaceFile } from '../trainer.ts';
import type { Trainer } from '../trainer.ts';
import { RunError } from './errors.ts';
import { scaled, summed } from './gradients.ts';
import type { Predicted } from './gradients.ts';
import { Metrics, lossPlot, schedulePlot } from './metrics.ts';
import { dropBest, keepBest, readBest } from './record.ts';
import type { RunFiles, RunState } from './record.ts';

export interface RunParts {
  readonly spec: TrainingSpec;
  readonly model: TrainableModel;
  readonly trainer: Trainer<RunState>;
  readonly data: TrainingData;
  /** Opens the validation data from its beginning; absent: nothing is evaluated. */
  readonly validation?: () => Promise<BatchSource>;
  readonly schedule: Schedule;
  /** Steps in all. */
  readonly total: number;
  readonly files: RunFiles;
  /** As the checkpoint has it, or as at the start. */
  readonly state: RunState;
  readonly emit: (event: TrainingEvent) => void;
  readonly signal?: AbortSignal;
}
type Reason = Extract<TrainingEvent, { kind: 'end' }>['reason'];

/** The loss is drawn anew when there are this many times as many steps: all that is written down is read for it. */
const PLOT_GROWTH = 1.02;
/** Batches of one update. */
export const batchesOf = ({ workers, accumulation }: TrainingSpec): number => workers * accumulation;

/** Goes on from the trainer's step until all steps are made, the loss no longer falls, or the signal comes. Returns why it ended, after the result (or, when stopped, a checkpoint) was written. */
export async function runSteps(parts: RunParts): Promise<Reason> {
  const { spec, trainer, files, state, signal, emit } = parts;
  const metrics = new Metrics(files.metrics, trainer.step - (state.unsettled ? 1 : 0));
  replaceFile(files.schedulePlot, schedulePlot(parts.schedule, parts.total));
  let [saved, plotted] = [-1, 0];
  const checkpoint = (last = true): void => {
    metrics.flush();
    if (last || trainer.step >= plotted * PLOT_GROWTH) {
      replaceFile(files.lossPlot, lossPlot(readFileSync(files.metrics, 'utf8')));
      plotted = trainer.step;
    }
    if (saved === trainer.step) return;
    trainer.save(files.checkpoint, state);
    dropBest(files.folder, state.best?.step);
    saved = trainer.step;
    emit({ kind: 'checkpoint', step: trainer.step, file: files.checkpoint });
  };
  for (;;) {
    if (state.unsettled && !(await settle(parts, metrics))) break;
    if (spec.patience > 0 && state.stale >= spec.patience) return finish(parts, checkpoint, 'early');
    if (trainer.step >= parts.total) return finish(parts, checkpoint, 'done');
    if (trainer.step > 0 && trainer.step % spec.checkpoint_every === 0) checkpoint(false);
    if (signal?.aborted) break;
    if (!(await makeStep(parts))) return finish(parts, checkpoint, 'done');
  }
  checkpoint();
  return 'stopped';
}

/** False when the data has ended. */
async function makeStep({ spec, trainer, data, schedule, state, emit }: RunParts): Promise<boolean> {
  const start = performance.now();
  const batches = await take(data, batchesOf(spec));
  if (batches.length === 0) return false;
  const rate = schedule(trainer.step);
  const { loss, gradientNorm, accuracy } = await trainer.train(batches, rate, dropoutSeed(spec, trainer.step));
  const tokens = batches.reduce((sum, batch) => sum + tokensOf(batch), 0);
  state.position = data.position;
  state.tokens += tokens;
  state.unsettled = { step: trainer.step, loss, ...(accuracy === undefined ? {} : { accuracy }), rate, gradientNorm, tokens: state.tokens };
  emit({ kind: 'step', ...state.unsettled, tokensPerSecond: tokens / ((performance.now() - start) / 1000) });
  return true;
}

/** Evaluates the step when its turn has come, and writes it down. False when the signal came before that was done. Throws RunError `diverged` when what it finds is no finite loss. */
async function settle({ spec, trainer, validation, total, files, state, emit, signal }: RunParts, metrics: Metrics): Promise<boolean> {
  const { unsettled } = state;
  if (!unsettled) return true;
  const { step } = trainer;
  let predicted: Predicted | undefined;
  if (validation && (step % spec.evaluate_every === 0 || step === total)) {
    predicted = await evaluate(trainer, await validation(), spec.workers, signal);
    if (!predicted) return false;
    const { loss } = predicted;
    if (!Number.isFinite(loss)) throw new RunError('diverged', `step ${step}: validation loss ${loss}; lower the learning rate`);
    const best = state.best === undefined || loss < state.best.loss;
    if (best) {
      keepBest(files.folder, step, trainer.weights);
      state.best = { step, loss };
    }
    state.stale = best ? 0 : state.stale + 1;
    emit({ kind: 'evaluation', step, ...predicted, best });
  }
  metrics.add(unsettled, predicted);
  delete state.unsettled;
  return true;
}

/** Mean over all learned tokens of the source, which is closed; undefined when the signal came first. */
async function evaluate(trainer: Trainer<RunState>, source: BatchSource, workers: number, signal: AbortSignal | undefined): Promise<Predicted | undefined> {
  const said: Predicted[] = [];
  let count = 0;
  try {
    for (;;) {
      if (signal?.aborted) return undefined;
      const batches = await take(source, workers);
      if (batches.length === 0) return scaled(summed(said), 1 / count);
      const learned = batches.reduce((rows, batch) => rows + batch.rows.length, 0);
      said.push(scaled(await trainer.predict(batches), learned));
      count += learned;
    }
  } finally {
    await source.close();
  }
}

/** The result is what was best in evaluations, or what came last where there were none. */
function finish({ spec, model, trainer, files, state }: RunParts, checkpoint: () => void, reason: Reason): Reason {
  checkpoint();
  model.save(state.best ? readBest(files.folder, state.best.step, trainer.weights) : trainer.weights, spec.output);
  return reason;
}

/** A function of run and step alone, so that a resumed run drops what an uninterrupted one drops; seeds that lie side by side have nothing in common. */
const dropoutSeed = (spec: TrainingSpec, step: number): number => (Math.imul(spec.seed, 0x9e3779b1) >>> 0) + step * batchesOf(spec);

async function take(data: BatchSource, count: number): Promise<readonly Batch[]> {
  const batches: Batch[] = [];
  while (batches.length < count) {
    const batch = await data.next();
    if (!batch) break;
    batches.push(batch);
  }
  return batches;
}
/** Without padding, whose segment is 0. */
const tokensOf = ({ segments }: Batch): number => segments.reduce((count, segment) => count + (segment === 0n ? 0 : 1), 0);
