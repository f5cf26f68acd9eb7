// Owns the files that a run keeps in its output folder, what its checkpoint says of it, and whether a checkpoint is of this run.
// Refuses to know how the run goes on.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { TrainingSpec } from '../spec.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { RunError } from './errors.ts';
import type { StepFigures } from './metrics.ts';

/** What a checkpoint holds beside weights and moments. */
export interface RunState {
  readonly spec: TrainingSpec;
  /** Of the training data. */
  position: object;
  /** Trained on so far. */
  tokens: number;
  /** The step that was made, but not yet evaluated and written down. */
  unsettled?: StepFigures;
  best?: { readonly step: number; readonly loss: number };
  /** Evaluations since the best one. */
  stale: number;
}
export interface RunFiles {
  readonly folder: string;
  readonly checkpoint: string;
  readonly metrics: string;
  readonly lossPlot: string;
  readonly schedulePlot: string;
}

/** `training/` in the output folder, which is made. */
export function runFiles(output: string): RunFiles {
  const folder = join(output, 'training');
  mkdirSync(folder, { recursive: true });
  return {
    folder,
    checkpoint: join(folder, 'checkpoint.bin'),
    metrics: join(folder, 'metrics.csv'),
    lossPlot: join(folder, 'loss.svg'),
    schedulePlot: join(folder, 'schedule.svg'),
  };
}

/** Fields that say where and how often, not what is computed. */
const FREE: readonly string[] = ['output', 'checkpoint_every'] satisfies readonly (keyof TrainingSpec)[];
/** Throws RunError `other_run` when the checkpoint's specification differs from `wanted` in a field that matters. */
export function requireSameRun(kept: TrainingSpec, wanted: TrainingSpec, file: string): void {
  const fields = new Set([...Object.keys(kept), ...Object.keys(wanted)]) as Set<keyof TrainingSpec>;
  const different = [...fields].filter((field) => !FREE.includes(field) && JSON.stringify(kept[field]) !== JSON.stringify(wanted[field]));
  if (different.length > 0)
    throw new RunError(
      'other_run',
      `checkpoint ${file} is of a run with other values of ${different.join(', ')}; give those again, or remove it to begin anew`,
    );
}

const bestFile = (folder: string, step: number): string => join(folder, `best-${step}.bin`);
/** Keeps the weights of the best evaluation. Those before stay until `dropBest`, for the checkpoint that still speaks of them. */
export function keepBest(folder: string, step: number, weights: ReadonlyMap<string, Float32Array>): void {
  writeCheckpoint(bestFile(folder, step), { step }, [...weights.values()]);
}
export function readBest(folder: string, step: number, like: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> {
  const weights = new Map(Array.from(like, ([name, { length }]) => [name, new Float32Array(length)]));
  const found = readCheckpoint(bestFile(folder, step), () => [...weights.values()]);
  if (!found)
    throw new RunError(
      'damaged_checkpoint',
      `${bestFile(folder, step)}, the weights of the best evaluation, is missing; put it back, or remove the checkpoint beside it to begin anew`,
    );
  return weights;
}
/** Removes the weights of evaluations that are no longer the best. */
export function dropBest(folder: string, except: number | undefined): void {
  for (const name of readdirSync(folder)) if (/^best-\d+\.bin$/u.test(name) && name !== `best-${except}.bin`) rmSync(join(folder, name));
}
