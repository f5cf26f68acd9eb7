// Owns the thread that turns pieces of files into token sequences.
// Refuses to know where pieces come from and where tokens go.

import { parentPort, workerData } from 'node:worker_threads';
import { readExample } from './example.ts';
import { DataError } from './errors.ts';
import { exampleAt, linesOf } from './lines.ts';
import type { Piece } from './lines.ts';
import type { ModelText } from './model-text.ts';
import { LEARNED } from './packing.ts';
import { Renderer } from './renderer.ts';

export interface TokeniseSetup {
  readonly text: ModelText;
  /** Longer sequences are left out, and told. */
  readonly context: number;
}
/** Numbers of lines, and tokens of the sequence that is too long. */
export type TooLong = readonly (readonly [line: number, tokens: number])[];
export interface Tokenised {
  readonly kind: 'tokenised';
  readonly examples: number;
  readonly tokens: Uint32Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly learned: number;
  readonly tooLong: TooLong;
}
export type TokeniseReply =
  | Tokenised
  | { readonly kind: 'failed'; readonly code: DataError['code']; readonly message: string; readonly file?: string; readonly line?: number };

function tokenise(renderer: Renderer, piece: Piece, context: number): Tokenised {
  const tokens: number[] = [];
  const lengths: number[] = [];
  const tooLong: (readonly [number, number])[] = [];
  let [examples, learned] = [0, 0];
  for (const line of linesOf(piece)) {
    examples++;
    for (const sequence of exampleAt(piece.file, line, (text) => renderer.sequences(readExample(text)))) {
      if (sequence.tokens.length > context) {
        tooLong.push([line.number, sequence.tokens.length]);
        continue;
      }
      lengths.push(sequence.tokens.length);
      for (const [i, id] of sequence.tokens.entries()) {
        tokens.push(sequence.learned[i] ? (id | LEARNED) >>> 0 : id);
        if (sequence.learned[i]) learned++;
      }
    }
  }
  return { kind: 'tokenised', examples, tokens: Uint32Array.from(tokens), lengths: Uint32Array.from(lengths), learned, tooLong };
}

if (!parentPort) throw new DataError('failed', 'tokenise-worker.ts runs as a worker thread only');
const port = parentPort;
const { text, context } = workerData as TokeniseSetup;
const renderer = new Renderer(text);
port.on('message', (piece: Piece) => {
  try {
    const reply = tokenise(renderer, piece, context);
    port.postMessage(reply, [reply.tokens.buffer, reply.lengths.buffer]);
  } catch (error) {
    const { code, message, file, line } = error instanceof DataError ? error : new DataError('failed', error instanceof Error ? error.message : String(error));
    port.postMessage({ kind: 'failed', code, message, file, line } satisfies TokeniseReply);
  }
});
