// Owns token sequences on disk while a run lasts: written once in order, read one by one in any order.
// Refuses to know examples, rows and epochs.

import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './errors.ts';

const TOKEN_BYTES = 4;

/** Sequences of 32-bit tokens. The file has no name once it is open, so that nothing of it outlives the process, however that ends. */
export class TokenFile {
  /** Tokens of each sequence. */
  lengths = new Uint32Array(0);
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #digest = createHash('sha256');
  readonly #parts: Uint32Array[] = [];
  #offsets = new Float64Array(0);
  #tokens = 0;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }
  /** Throws DataError `unreadable` for a folder in which no file can be made. */
  static async create(folder: string): Promise<TokenFile> {
    const path = join(folder, `.tokens-${process.pid}-${crypto.randomUUID()}`);
    const handle = await open(path, 'wx+').catch((error: unknown) => {
      throw new DataError('unreadable', `${folder} takes no file for tokens: ${error instanceof Error ? error.message : String(error)}`, {
        file: folder,
        cause: error,
      });
    });
    // Where an open file cannot lose its name, it loses it when it is closed.
    await rm(path, { force: true }).catch(() => undefined);
    return new TokenFile(handle, path);
  }

  get tokens(): number {
    return this.#tokens;
  }
  /** Adds sequences, one behind the other in `tokens`. */
  async append(tokens: Uint32Array, lengths: Uint32Array): Promise<void> {
    const bytes = new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
    for (let written = 0; written < bytes.length;) written += (await this.#handle.write(bytes, written)).bytesWritten;
    this.#digest.update(bytes).update(new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength));
    this.#parts.push(lengths);
    this.#tokens += tokens.length;
  }
  /** Ends writing; gives what tells this data from other. */
  finish(): string {
    const count = this.#parts.reduce((sum, { length }) => sum + length, 0);
    this.lengths = new Uint32Array(count);
    let at = 0;
    for (const part of this.#parts) {
      this.lengths.set(part, at);
      at += part.length;
    }
    this.#parts.length = 0;
    this.#offsets = new Float64Array(count);
    for (let i = 1; i < count; i++) this.#offsets[i] = this.#offsets[i - 1] + this.lengths[i - 1];
    return this.#digest.digest('hex').slice(0, 32);
  }

  /** Waits for the disk: what is asked for was written lately and lies in memory as a rule, where handing the read to another thread takes far longer than the read. */
  read(sequence: number): Uint32Array {
    const tokens = new Uint32Array(this.lengths[sequence]);
    const bytes = new Uint8Array(tokens.buffer);
    const from = this.#offsets[sequence] * TOKEN_BYTES;
    for (let read = 0; read < bytes.length;) {
      const count = readSync(this.#handle.fd, bytes, read, bytes.length - read, from + read);
      if (count === 0) throw new DataError('unreadable', `the file of tokens ends before sequence ${sequence}`);
      read += count;
    }
    return tokens;
  }
  async close(): Promise<void> {
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}
