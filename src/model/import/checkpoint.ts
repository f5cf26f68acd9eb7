// Owns what a checkpoint is to those who read weights from it, and the error of all that can be wrong with one.
// Refuses to know file formats and architectures.

export type CheckpointErrorCode =
  /** A file is damaged, missing, or contradicts another. */
  | 'checkpoint_invalid'
  /** It is whole, and asks for something that is not computed here. */
  | 'checkpoint_unsupported'
  /** Where it should go, or what was asked for, does not do. */
  | 'arguments_invalid';

export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;
  constructor(code: CheckpointErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CheckpointError';
    this.code = code;
  }
}

export interface Checkpoint {
  readonly names: readonly string[];
  /** Undefined for a name that is not there. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Whether it is stored in eight bits, which say little without a scale. */
  isInEightBits(name: string): boolean;
  /** Reads one tensor, or its numbers from one on and before another. Throws CheckpointError for a name that is not there. */
  read(name: string, from?: number, to?: number): Float32Array;
  /** Bytes of all tensors. */
  readonly bytes: number;
  close(): void;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** Why something failed, in a line. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
