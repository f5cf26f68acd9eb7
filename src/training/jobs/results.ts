// Owns what a run leaves beside its model: figures and plots, which become files.
// Refuses to know when a job ends.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPieces } from '../../workspace/files/durable.ts';
import { FileError } from '../../workspace/files/file-store.ts';
import type { FileStore } from '../../workspace/files/file-store.ts';

/** Beside the result, from the run (src/training/run/record.ts). */
const RUN = 'training';
const RESULTS = ['metrics.csv', 'loss.svg', 'schedule.svg'] as const;

/** Keeps the run's figures and plots as files, and removes everything else that only the run needed. Resolves to their ids; `missed` hears of those for which there is no room. */
export async function keepResults(job: string, output: string, files: FileStore, missed: (reason: string) => void): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const name of RESULTS) {
    try {
      const arrived = await files.receive(readPieces(join(output, RUN, name)));
      ids.push((await arrived.keep({ filename: `${job}-${name}`, purpose: 'fine-tune-results' })).id);
    } catch (error) {
      if (error instanceof FileError) missed(`${name} is not kept: ${error.message}`);
      else if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  await rm(join(output, RUN), { recursive: true, force: true });
  return ids;
}
