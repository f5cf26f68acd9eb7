// Owns the import of NDJSON: bytes to lines, lines to batches, one transaction a batch, and how far it got.
// Refuses to know what a line means and where batches go.

import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { decodeUtf8 } from './body.ts';
import { HttpError } from './problems.ts';

export interface ImportOptions<T, R> {
  /** Bytes of the whole body and of one line at most. */
  readonly bodyBytes: number;
  readonly lineBytes: number;
  /** Lines of one batch. */
  readonly batch: number;
  /** What a line means, which came as that text. Anything thrown is told with the line's number. */
  readonly read: (value: unknown, text: string) => T;
  /** Makes one batch durable. */
  readonly write: (items: readonly T[]) => Promise<R>;
  readonly signal: AbortSignal;
}
/** Lines in order, and what is wrong with the line after them. */
interface Piece {
  readonly lines: readonly string[];
  readonly mistake?: HttpError;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';

function wrong(line: number, error: unknown): HttpError {
  const code = error instanceof HttpError && error.code === 'invalid_encoding' ? error.code : 'invalid_line';
  const reason = error instanceof SyntaxError ? `not JSON: ${error.message}` : error instanceof Error ? error.message : String(error);
  return new HttpError(code, `line ${line}: ${reason}`, { cause: error, extra: { line } });
}

/** Reads a body once, by `batches()`. Whenever it stops, `acknowledged` lines are durable and a client can go on from the next. */
export class LineImport<T, R> {
  readonly #body: Readable;
  readonly #options: ImportOptions<T, R>;
  /** Lines that need not be sent again, empty ones included. */
  acknowledged = 0;

  constructor(body: Readable, options: ImportOptions<T, R>) {
    this.#body = body;
    this.#options = options;
  }

  /** The result of each batch, after it is durable. Throws HttpError `invalid_line` for the first line that is wrong; nothing of its batch is stored. */
  async *batches(): AsyncGenerator<R> {
    const { batch, write, signal } = this.#options;
    let items: T[] = [];
    let line = 0;
    let written = false;
    for await (const { lines, mistake } of this.#pieces()) {
      for (const text of lines) {
        line++;
        if (text !== '' && text.trim() !== '') items.push(this.#read(text, line));
        if (items.length < batch) continue;
        signal.throwIfAborted();
        const result = await write(items);
        this.acknowledged = line;
        items = [];
        written = true;
        yield result;
        // A store in this process writes without ever waiting: others get their turn here.
        await setImmediate();
      }
      if (mistake) throw mistake;
    }
    signal.throwIfAborted();
    if (items.length > 0 || !written) {
      const result = await write(items);
      this.acknowledged = line;
      yield result;
    }
    this.acknowledged = line;
  }

  #read(line: string, number: number): T {
    // Files that were put together have more of these marks than the one at the beginning.
    const text = line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    try {
      return this.#options.read(JSON.parse(text), text);
    } catch (error) {
      throw wrong(number, error);
    }
  }

  /** The body's bytes until the signal fires or the client leaves. The body itself outlives a mistake in it: destroying it would close the connection before the answer. */
  #bytes(): Readable {
    const body = this.#body;
    const { signal } = this.#options;
    const bytes = new PassThrough();
    const fail = (error?: unknown): void => {
      if (!body.readableEnded) bytes.destroy(error instanceof Error ? error : new HttpError('client_gone', 'the client left before the body was complete'));
    };
    const stop = (): void => fail(signal.reason);
    const leave = (): void => fail();
    signal.addEventListener('abort', stop, { once: true });
    body.once('error', fail).once('close', leave);
    // Either may have come before anybody listened.
    if (signal.aborted) stop();
    else if (body.destroyed) leave();
    bytes.once('close', () => {
      signal.removeEventListener('abort', stop);
      body.off('close', leave);
    });
    return body.pipe(bytes);
  }

  async *#pieces(): AsyncGenerator<Piece> {
    const { bodyBytes, lineBytes } = this.#options;
    const long = new HttpError('invalid_line', `longer than ${lineBytes} bytes, which is the limit`);
    let rest: Buffer[] = [];
    let [restBytes, total, before] = [0, 0, 0];
    for await (const chunk of this.#bytes() as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > bodyBytes) throw new HttpError('body_too_large', `the body has more than ${bodyBytes} bytes; send the rest in another request`);
      const end = chunk.lastIndexOf(NEWLINE);
      if (end >= 0) {
        const piece = decodeLines(Buffer.concat([...rest, chunk.subarray(0, end)]), before);
        const tooLong = piece.lines.findIndex((text) => text.length > lineBytes || (3 * text.length > lineBytes && Buffer.byteLength(text) > lineBytes));
        yield tooLong < 0 ? piece : { lines: piece.lines.slice(0, tooLong), mistake: wrong(before + tooLong + 1, long) };
        before += piece.lines.length;
        [rest, restBytes] = [[], 0];
      }
      const tail = end < 0 ? chunk : chunk.subarray(end + 1);
      rest.push(tail);
      restBytes += tail.length;
      if (restBytes > lineBytes) throw wrong(before + 1, long);
    }
    if (restBytes > 0) yield decodeLines(Buffer.concat(rest), before);
  }
}

/** `before`: lines that came earlier. */
function decodeLines(bytes: Buffer, before: number): Piece {
  try {
    return { lines: decodeUtf8(bytes, 'it').split('\n') };
  } catch {
    const lines: string[] = [];
    for (let from = 0; ;) {
      const next = bytes.indexOf(NEWLINE, from);
      try {
        lines.push(decodeUtf8(bytes.subarray(from, next < 0 ? bytes.length : next), 'it'));
      } catch (error) {
        return { lines, mistake: wrong(before + lines.length + 1, error) };
      }
      from = next + 1;
    }
  }
}
