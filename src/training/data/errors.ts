// Owns what goes wrong with training data: one class, a closed list of codes, and where it went wrong.
// Refuses to know HTTP statuses and how data is read.

/**
 * `invalid_line`: a line is no example. `unreadable`: a file or folder cannot be read. `nothing_to_learn`: no example is left to train on. `other_data`: a position was kept for other data.
 * `failed`: a tokenising thread broke.
 */
export type DataErrorCode = 'invalid_line' | 'unreadable' | 'nothing_to_learn' | 'other_data' | 'failed';

export interface DataErrorPlace {
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  readonly cause?: unknown;
}
export class DataError extends Error {
  readonly code: DataErrorCode;
  readonly file: string | undefined;
  readonly line: number | undefined;

  constructor(code: DataErrorCode, message: string, { file, line, cause }: DataErrorPlace = {}) {
    super(message, { cause });
    this.name = 'DataError';
    this.code = code;
    this.file = file;
    this.line = line;
  }
}
/** A line that is no example, with its file and number in front of the reason. */
export const invalidLine = (file: string, line: number, error: unknown): DataError =>
  new DataError('invalid_line', `${file} line ${line}: ${error instanceof Error ? error.message : String(error)}`, { file, line, cause: error });
