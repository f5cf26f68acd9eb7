// Owns embedded stores for tests: a fresh file in a folder of its own, opened, reopened and removed.
// Refuses to know what is inside the file.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { reopenable } from './store-world.ts';
import type { StoreUnderTest } from './store-world.ts';

export type EmbeddedOptions = Omit<ConstructorParameters<typeof EmbeddedStore>[0], 'file'>;

export async function freshFile(t: Pick<Test, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-store-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'graph.db');
}

export async function openStore(file: string, options: EmbeddedOptions = {}): Promise<EmbeddedStore> {
  const store = new EmbeddedStore({ ...options, file });
  await store.open();
  return store;
}

/** A store in a file of its own; `reopen` reads that file again. */
export async function createInFile(): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-store-'));
  return reopenable(
    () => openStore(join(folder, 'graph.db')),
    () => rm(folder, { recursive: true, force: true }),
  );
}

export async function createInMemory(): Promise<StoreUnderTest> {
  const store = await openStore(':memory:');
  return { store, destroy: () => store.close() };
}
