// Owns reading lines out of files of any size: pieces cut at line ends, their text, the number of each line.
// Refuses to know what a line means.

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { readExample } from './example.ts';
import { DataError, invalidLine } from './errors.ts';

export interface PieceLimits {
  /** Bytes that are read at once; more while a line does not end. */
  readonly pieceBytes: number;
  /** Bytes of one line at most; what is read at once may go beyond it. */
  readonly lineBytes: number;
}
const LIMITS: PieceLimits = { pieceBytes: 2 ** 18, lineBytes: 2 ** 24 };
const NEWLINE = 0x0a;

/** Whole lines. */
export interface Piece {
  readonly file: string;
  /** Number of the first line, from 1. */
  readonly line: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
export interface Line {
  readonly number: number;
  readonly text: string;
}

const unreadable = (file: string, error: unknown): DataError =>
  new DataError('unreadable', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { file, cause: error });
function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

async function* piecesOf(file: string, handle: FileHandle, { pieceBytes, lineBytes }: PieceLimits): AsyncGenerator<Piece> {
  let line = 1;
  let rest = new Uint8Array(0);
  for (;;) {
    // Twice as much each time while a line does not end: it is copied that often.
    const size = Math.max(pieceBytes, rest.length);
    const chunk = new Uint8Array(rest.length + size);
    chunk.set(rest);
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(chunk, rest.length, size));
    } catch (error) {
      throw unreadable(file, error);
    }
    const filled = chunk.subarray(0, rest.length + bytesRead);
    const last = bytesRead === 0;
    const end = last ? filled.length : filled.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const bytes = filled.slice(0, end);
      const first = line;
      // Whoever gets the bytes may hand them on to a thread.
      line += countLines(bytes);
      yield { file, line: first, bytes };
    }
    if (last) return;
    rest = filled.slice(end);
    if (rest.length > lineBytes) throw invalidLine(file, line, `is longer than ${lineBytes} bytes, which is the limit`);
  }
}
/** The lines of these files, a piece at a time, in order. Throws DataError `unreadable`, and `invalid_line` for a line beyond the limit. */
export async function* readPieces(files: readonly string[], limits: PieceLimits = LIMITS): AsyncGenerator<Piece> {
  for (const file of files) {
    const handle = await open(file).catch((error: unknown) => {
      throw unreadable(file, error);
    });
    try {
      yield* piecesOf(file, handle, limits);
    } finally {
      await handle.close();
    }
  }
}

/** The lines of a piece that are not blank. Throws DataError `invalid_line` for one that is not UTF-8. */
export function* linesOf({ file, line, bytes }: Piece): Generator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = line;
  for (let from = 0; from < bytes.length; number++) {
    const found = bytes.indexOf(NEWLINE, from);
    const end = found < 0 ? bytes.length : found;
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(from, end));
    } catch {
      throw invalidLine(file, number, 'is not valid UTF-8');
    }
    if (text.trim() !== '') yield { number, text };
    from = end + 1;
  }
}

/** Reads a line as an example. Throws DataError `invalid_line`. */
export function exampleAt<T>(file: string, { number, text }: Line, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    throw error instanceof DataError ? error : invalidLine(file, number, error);
  }
}
/** Reads a file of examples through without a model, and gives their number. Throws DataError: `invalid_line` with the line's number, `unreadable`, `nothing_to_learn` for a file without a line. */
export async function checkExamples(file: string, signal?: AbortSignal): Promise<number> {
  let examples = 0;
  for await (const piece of readPieces([file])) {
    signal?.throwIfAborted();
    for (const line of linesOf(piece)) {
      exampleAt(file, line, readExample);
      examples++;
    }
    await setImmediate();
  }
  if (examples === 0) throw new DataError('nothing_to_learn', `${file} has no line; each example is a line of JSON`, { file });
  return examples;
}
