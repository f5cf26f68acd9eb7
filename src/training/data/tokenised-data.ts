// Owns a run's examples as tokens: files of any size in, tokenised ahead by threads and kept on disk; what was left out is counted and told.
// Refuses to know epochs, rows and what is trained.

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { DataError } from './errors.ts';
import { readPieces } from './lines.ts';
import type { Piece } from './lines.ts';
import { readModelText } from './model-text.ts';
import { TokenFile } from './token-file.ts';
import type { Tokenised } from './tokenise-worker.ts';
import { TokeniserPool } from './tokeniser-pool.ts';

const MOST_THREADS = 8;
/** Pieces under way a thread: the next one lies ready while it works on one. */
const AHEAD = 2;
/** Places of too long examples that a report names. */
const MOST_PLACES = 5;

export interface TokeniseOptions {
  /** Folder of the model whose tokenizer and chat template write the examples. */
  readonly model: string;
  readonly files: readonly string[];
  /** Tokens of the longest sequence that is kept. */
  readonly context: number;
  /** Folder that the tokens lie in, 4 bytes each, until they are closed; it is made when it is not there. */
  readonly folder: string;
  /** Threads that tokenise; default: as many as the machine has cores, up to 8. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}
export interface TooLongPlace {
  readonly file: string;
  readonly line: number;
  readonly tokens: number;
}
export interface DataReport {
  /** Lines that are examples, and the sequences that they gave: one each, but for templates that show a conversation's earlier replies otherwise than its last. */
  readonly examples: number;
  readonly sequences: number;
  readonly tokens: number;
  readonly learnedTokens: number;
  /** Sequences that were left out because they are longer than `context`, and the first of them. */
  readonly tooLong: number;
  readonly firstTooLong: readonly TooLongPlace[];
}
export interface TokenisedData {
  readonly report: DataReport;
  /** Tells these tokens from others. */
  readonly digest: string;
  readonly context: number;
  /** Tokens of each sequence. */
  readonly lengths: Uint32Array;
  /** Tokens of a sequence with their learned flags (packing.ts). */
  read(sequence: number): Uint32Array;
  close(): Promise<void>;
}

/** A sentence about what was left out; undefined: nothing was. */
export function leftOut({ tooLong, sequences, firstTooLong }: DataReport, context: number): string | undefined {
  if (tooLong === 0) return undefined;
  const places = firstTooLong.map(({ file, line, tokens }) => `${file} line ${line} (${tokens})`).join(', ');
  return `${tooLong} of ${sequences + tooLong} sequences are longer than the context of ${context} tokens and are left out: ${places}${tooLong > firstTooLong.length ? ', ...' : ''}`;
}

class Tally {
  examples = 0;
  sequences = 0;
  learnedTokens = 0;
  tooLong = 0;
  readonly firstTooLong: TooLongPlace[] = [];

  add({ file }: Pick<Piece, 'file'>, { examples, lengths, learned, tooLong }: Tokenised): void {
    this.examples += examples;
    this.sequences += lengths.length;
    this.learnedTokens += learned;
    this.tooLong += tooLong.length;
    for (const [line, tokens] of tooLong.slice(0, MOST_PLACES - this.firstTooLong.length)) this.firstTooLong.push({ file, line, tokens });
  }
}

/**
 * Reads the files through, once. Throws DataError `invalid_line` with file and line, `unreadable`, `nothing_to_learn` when no example is left; EngineError `model_invalid` for a folder without what
 * writes text; the signal's reason.
 */
export async function tokenise({
  model,
  files,
  context,
  folder,
  threads = Math.min(MOST_THREADS, availableParallelism()),
  signal,
}: TokeniseOptions): Promise<TokenisedData> {
  const text = await readModelText(model);
  await mkdir(folder, { recursive: true });
  const file = await TokenFile.create(folder);
  const pool = new TokeniserPool({ text, context }, threads);
  const tally = new Tally();
  const underway: { readonly file: string; readonly tokenised: Promise<Tokenised> }[] = [];
  const keep = async (): Promise<void> => {
    const first = underway.shift();
    if (!first) return;
    const tokenised = await first.tokenised;
    tally.add(first, tokenised);
    await file.append(tokenised.tokens, tokenised.lengths);
  };
  // Threads that are stopped fail whatever waits for them.
  const stop = (): void => void pool.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of readPieces(files)) {
      signal?.throwIfAborted();
      const tokenised = pool.run(piece);
      // It is waited for in its turn; until then a failure is nobody's.
      tokenised.catch(() => undefined);
      underway.push({ file: piece.file, tokenised });
      if (underway.length >= threads * AHEAD) await keep();
    }
    while (underway.length > 0) await keep();
    signal?.throwIfAborted();
    const report: DataReport = {
      examples: tally.examples,
      sequences: tally.sequences,
      tokens: file.tokens,
      learnedTokens: tally.learnedTokens,
      tooLong: tally.tooLong,
      firstTooLong: tally.firstTooLong,
    };
    const digest = file.finish();
    if (report.sequences === 0)
      throw new DataError('nothing_to_learn', `${files.join(', ')}: no example to learn; ${leftOut(report, context) ?? 'there is no line in it'}`);
    return { report, digest, context, lengths: file.lengths, read: (sequence) => file.read(sequence), close: () => file.close() };
  } catch (error) {
    await file.close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.close();
  }
}
