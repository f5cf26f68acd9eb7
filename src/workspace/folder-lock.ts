// Owns that one process at a time uses a folder: a lock that the system lets go of when the process ends, however it does.
// Refuses to know what is in the folder.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Result code of SQLite: another process holds the lock. */
const BUSY = 5;

export interface FolderLock {
  release(): void;
}
/** A folder that cannot be had: it says why. */
export class FolderError extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'FolderError';
  }
}
/** Throws FolderError when another process, or another service of this one, uses the folder, and when it cannot be written. SQLite's file locks are those of the system. */
export function lockFolder(folder: string): FolderLock {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database?.close();
    const busy = (error as { readonly errcode?: number }).errcode === BUSY;
    throw new FolderError(
      busy
        ? `${folder} is used by another Pharos; a folder of PHAROS_DATA has one owner at a time: give this one another folder, or end the other`
        : `${folder} cannot be written, as the folder of PHAROS_DATA has to be: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const held = database;
  return { release: () => held.close() };
}
