// Owns files that clients give and get: kept under names of their own in one folder, each with a record that makes it exist.
// Refuses to know HTTP, and what is in the files.

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isFull, makeFolder, namesIn, PART, syncFolder, writeDurably, writePart } from './durable.ts';

export const FILE_PURPOSES = ['fine-tune', 'fine-tune-results', 'batch', 'user_data'] as const;
export type FilePurpose = (typeof FILE_PURPOSES)[number];

const record = z.strictObject({
  id: z.string(),
  bytes: z.int().nonnegative(),
  /** Milliseconds since 1970 UTC. */
  created: z.number(),
  filename: z.string(),
  purpose: z.enum(FILE_PURPOSES),
  /** Milliseconds since 1970 UTC. */
  expires: z.number().optional(),
});
export type StoredFile = Readonly<z.infer<typeof record>>;

export interface FileLimits {
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes of all files together. */
  readonly allBytes: number;
  readonly files: number;
}
export type FileErrorCode = 'unknown_file' | 'file_too_large' | 'files_full' | 'disk_full';
/** A file that is not there, or for which there is no room. */
export class FileError extends Error {
  readonly code: FileErrorCode;
  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FileError';
    this.code = code;
  }
}

/** Content that has arrived and has no record yet. */
export interface Arrived {
  readonly path: string;
  readonly bytes: number;
  /** Gives it a record: from now on it exists, also after a restart. */
  keep(about: { readonly filename: string; readonly purpose: FilePurpose; readonly expiresAfterMs?: number }): Promise<StoredFile>;
  drop(): Promise<void>;
}

const RECORD = '.json';
const OWN = /^(file-[A-Za-z0-9]{24})(\.json)?(\.part)?$/;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Text of so many letters and digits, drawn at random: 24 hold 142 bits. */
export const randomName = (length: number): string =>
  Array.from(randomBytes(length * 2).subarray(0, length), (byte) => LETTERS[byte % LETTERS.length]).join('');

/** Who sends files can do something about a full disk. */
const roomFor = (error: unknown): unknown =>
  isFull(error)
    ? new FileError('disk_full', 'the disk has no room for this file; delete some first (DELETE /v1/files/ID)', { cause: error })
    : error;

export class FileStore {
  readonly #folder: string;
  readonly #limits: FileLimits;
  readonly #now: () => number;
  /** By id, oldest first. */
  readonly #files: Map<string, StoredFile>;
  /** Bytes of all files, of those that are arriving, too. */
  #bytes: number;
  /** Files that are arriving, or have arrived and wait for their record. */
  #arriving = 0;

  private constructor(folder: string, limits: FileLimits, now: () => number, files: readonly StoredFile[]) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
    this.#files = new Map(files.toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1)).map((file) => [file.id, file]));
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Finds what is there; what was left without a record by an end in the middle is removed. A folder that does not exist is made with the first file. `unreadable` hears of records that cannot be
   * read; they are left as they are.
   */
  static async open(
    folder: string,
    limits: FileLimits,
    unreadable: (reason: string) => void = () => undefined,
    now: () => number = Date.now,
  ): Promise<FileStore> {
    const names = await namesIn(folder);
    const files: StoredFile[] = [];
    for (const name of names) {
      const [, id, ending, part] = OWN.exec(name) ?? [];
      if (id === undefined) continue;
      if (part !== undefined || (ending === undefined && !names.includes(id + RECORD))) await rm(join(folder, name), { force: true });
      else if (ending === RECORD && names.includes(id)) {
        try {
          files.push(record.parse(JSON.parse(await readFile(join(folder, name), 'utf8'))));
        } catch (error) {
          unreadable(`the record ${join(folder, name)} cannot be read, and its file is left out: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
    return new FileStore(folder, limits, now, files);
  }

  /** Oldest first. */
  list(): readonly StoredFile[] {
    const now = this.#now();
    return [...this.#files.values()].filter(({ expires = Number.POSITIVE_INFINITY }) => expires > now);
  }
  /** Throws FileError `unknown_file`. */
  get(id: string): StoredFile {
    const file = this.#files.get(id);
    if (!file || (file.expires !== undefined && file.expires <= this.#now()))
      throw new FileError('unknown_file', `there is no file ${JSON.stringify(id.slice(0, 80))}; GET /v1/files lists those that are there`);
    return file;
  }
  /** Where its content lies. Throws FileError `unknown_file`. */
  path(id: string): string {
    return join(this.#folder, this.get(id).id);
  }

  /** Takes content in as it comes. Rejects with FileError `file_too_large`, `files_full` or `disk_full` as soon as that is known; nothing is left then. */
  async receive(content: AsyncIterable<Uint8Array>): Promise<Arrived> {
    await this.#removeExpired();
    if (this.#files.size + this.#arriving >= this.#limits.files)
      throw new FileError('files_full', `${this.#limits.files} files are kept, which is the limit; delete some first (DELETE /v1/files/ID)`);
    const id = `file-${randomName(24)}`;
    const place = join(this.#folder, id);
    const path = place + PART;
    let held = 0;
    let arriving = true;
    this.#arriving++;
    const leave = (): void => {
      if (arriving) this.#arriving--;
      arriving = false;
    };
    const free = (): void => {
      this.#bytes -= held;
      held = 0;
      leave();
    };
    try {
      await makeFolder(this.#folder);
      const bytes = await writePart(path, content, (more) => {
        held += more;
        this.#bytes += more;
        if (held > this.#limits.fileBytes)
          throw new FileError('file_too_large', `the file has more than ${this.#limits.fileBytes} bytes, which is the limit; give a smaller one, or several`);
        if (this.#bytes > this.#limits.allBytes)
          throw new FileError(
            'files_full',
            `files may have ${this.#limits.allBytes} bytes in all, and this one does not fit in; delete some first (DELETE /v1/files/ID)`,
          );
      });
      return {
        path,
        bytes,
        keep: async ({ filename, purpose, expiresAfterMs }) => {
          const created = this.#now();
          const file: StoredFile = { id, bytes, created, filename, purpose, ...(expiresAfterMs === undefined ? {} : { expires: created + expiresAfterMs }) };
          try {
            await rename(path, place);
            await writeDurably(place + RECORD, JSON.stringify(file));
          } catch (error) {
            // Whoever is told that it failed must not find it after a restart.
            for (const ending of [RECORD, RECORD + PART, '', PART]) await rm(place + ending, { force: true }).catch(() => undefined);
            free();
            throw roomFor(error);
          }
          this.#files.set(id, file);
          held = 0;
          leave();
          return file;
        },
        drop: async () => {
          free();
          await rm(path, { force: true });
        },
      };
    } catch (error) {
      free();
      throw roomFor(error);
    }
  }

  /** Throws FileError `unknown_file`. */
  async delete(id: string): Promise<void> {
    this.get(id);
    await this.#remove(id);
  }

  async #remove(id: string): Promise<void> {
    // Without its record it is gone, whatever happens next; with it, it is there.
    await rm(join(this.#folder, id + RECORD), { force: true });
    const bytes = this.#files.get(id)?.bytes ?? 0;
    if (this.#files.delete(id)) this.#bytes -= bytes;
    await syncFolder(this.#folder);
    await rm(join(this.#folder, id), { force: true });
  }
  async #removeExpired(): Promise<void> {
    const now = this.#now();
    for (const { id, expires } of this.#files.values()) if (expires !== undefined && expires <= now) await this.#remove(id);
  }
}
