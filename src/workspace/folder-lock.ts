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
/** Throws Error that says who may use the folder when another process, or another service of this one, does. SQLite's file locks are those of the system. */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database.close();
    if ((error as { readonly errcode?: number }).errcode !== BUSY) throw error;
    throw new Error(`${folder} is used by another Pharos; a folder of PHAROS_DATA has one owner at a time: give this one another folder, or end the other`, { cause: error });
  }
  return { release: () => database.close() };
}
