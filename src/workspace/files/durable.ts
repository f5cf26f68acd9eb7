// Owns files that are whole or not there: written beside their place, flushed to the disk, then put there in one rename.
// Refuses to know what is in them.

import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { copyFile, link, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Behind the name of a file that is not whole yet. */
export const PART = '.part';

/** Makes what was renamed, made or removed in a folder last. Systems that cannot open folders keep their own order. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder, with those above it, that is there after a loss of power, too. */
export async function makeFolder(folder: string): Promise<void> {
  const whole = resolve(folder);
  const first = await mkdir(whole, { recursive: true });
  if (first === undefined) return;
  for (let made = whole; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
/** Whether the system says that something is not there. */
export const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
/** Has the system no room left on the disk (ENOSPC), or does it give this user no more (EDQUOT)? */
export const isFull = (error: unknown): error is Error => error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
/** Names in a folder; none where there is no folder. Rejects when it cannot be read: what is in it must not pass for gone. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Writes what comes, piece by piece; a failure leaves nothing behind. Resolves to its bytes. `before` hears of each piece and may throw. */
export async function writePart(path: string, content: AsyncIterable<Uint8Array>, before: (bytes: number) => void = () => undefined): Promise<number> {
  let handle: FileHandle | undefined;
  let bytes = 0;
  try {
    handle = await open(path, 'wx');
    for await (const piece of content) {
      before(piece.length);
      await handle.writeFile(piece);
      bytes += piece.length;
    }
    await handle.sync();
    await handle.close();
    return bytes;
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}

/** Replaces a file: whoever reads it finds the old text or the new one, also after a loss of power. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path + PART, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(path + PART, path);
  await syncFolder(dirname(path));
}

/** A second name for a file's content, which stays when the first is removed; a copy where the system has no second names. */
export async function share(from: string, to: string): Promise<void> {
  await unlink(to).catch(() => undefined);
  await link(from, to).catch(() => copyFile(from, to));
}

export const readPieces = (path: string): AsyncIterable<Uint8Array> => createReadStream(path);
