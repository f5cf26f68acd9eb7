// Owns what no run can be, seen in its specification alone, wherever it is carried out.
// Refuses to know models, data and machines.

import { resolve } from 'node:path';

import { requireSchedule } from '../optimizers/schedules.ts';
import type { TrainingSpec } from '../spec.ts';
import { RunError } from './errors.ts';

/** Throws RunError `invalid_spec`. */
export function requirePossible({ model, output, patience, validation_files: held, schedule, steps }: TrainingSpec): void {
  if (resolve(model) === resolve(output))
    throw new RunError('invalid_spec', `output: ${output} is the folder of the model to start from, which would be lost; name another`);
  if (patience > 0 && held.length === 0)
    throw new RunError('invalid_spec', 'patience: ending early needs losses on validation_files, and there are none; give some, or patience 0');
  specified(() => requireSchedule(schedule, steps));
}

/** Makes RunError `invalid_spec` of whatever is thrown about a value of the specification. */
export function specified<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RunError('invalid_spec', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
