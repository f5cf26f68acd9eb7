// Owns what goes wrong with a training run itself: one class and a closed list of codes.
// Refuses to know HTTP statuses, data and models, which have errors of their own.

/**
 * `invalid_spec`: the specification asks for what cannot be done. `other_run`: the output folder holds a checkpoint of another run, or of this one without the wish to go on from it.
 * `damaged_checkpoint`: its checkpoint cannot be read. `diverged`: loss or gradients are no longer finite.
 */
export type RunErrorCode = 'invalid_spec' | 'other_run' | 'damaged_checkpoint' | 'diverged';

export class RunError extends Error {
  readonly code: RunErrorCode;
  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RunError';
    this.code = code;
  }
}
