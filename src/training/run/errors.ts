// Owns what goes wrong with a training run itself: one class and a closed list of codes.
// Refuses to know HTTP statuses, data and models, which have errors of their own.

import { isFull } from '../../workspace/files/durable.ts';

/**
 * `invalid_spec`: the specification asks for what cannot be done. `other_run`: the output folder holds a checkpoint of another run, or of this one without the wish to go on from it.
 * `damaged_checkpoint`: its checkpoint cannot be read. `diverged`: loss or gradients are no longer finite.
 * `disk_full`: what it writes finds no room; the checkpoint before is whole.
 */
export type RunErrorCode = 'invalid_spec' | 'other_run' | 'damaged_checkpoint' | 'diverged' | 'disk_full';

export class RunError extends Error {
  readonly code: RunErrorCode;
  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunError';
    this.code = code;
  }
}

/** The same by its own name, where the system has no room left (ENOSPC) or gives this user no more (EDQUOT). */
export const roomFor = (error: unknown, folder: string): unknown =>
  isFull(error)
    ? new RunError('disk_full', `there is no room left on the disk for what the run writes to ${folder} (${error.message}); make some and resume the run: its last checkpoint, if it has one, is whole`, {
        cause: error,
      })
    : error;
