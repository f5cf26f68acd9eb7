// Owns a world of fine-tuning jobs for tests: a queue in a folder of its own, the model that ships, short runs of it.
// Refuses to know what is tested.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ModelInfo, ModelLibrary } from '../../src/engine/port.ts';
import { hasEnded, jobSettings } from '../../src/training/jobs/job.ts';
import type { Job } from '../../src/training/jobs/job.ts';
import { JobQueue } from '../../src/training/jobs/queue.ts';
import type { NewJob, QueueOptions } from '../../src/training/jobs/queue.ts';
import type { TrainingSpecInput } from '../../src/training/spec.ts';
import { FileStore } from '../../src/workspace/files/file-store.ts';
import { FOLDER } from '../engine/world.ts';
import { eventually } from './http-server.ts';

/** A run may have to wait for its processor. */
const SECONDS = 120;
export const examples = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `${JSON.stringify({
        messages: [
          { role: 'user', content: `What is item ${i}?` },
          { role: 'assistant', content: `Item ${i} is number ${i * 7}.` },
        ],
      })}\n`,
  ).join('');
export const asked = (settings: Omit<TrainingSpecInput, 'model' | 'output' | 'training_files'> = {}): NewJob => ({
  model: 'pharos-mini',
  suffix: 'test',
  learningRateMultiplier: 1,
  settings: jobSettings.parse({ context: 64, rows: 1, steps: 3, ...settings }),
});

export interface Shelf extends ModelLibrary {
  add: ModelLibrary['add'];
  readonly folders: Map<string, string>;
}
/** Folders by the names of their models, and no engine behind them. */
export function shelf(): Shelf {
  const folders = new Map([['pharos-mini', FOLDER]]);
  return {
    folders,
    folderOf: (id) => folders.get(id),
    add: async (folder) => {
      const id = decodeURIComponent(folder.split('/').at(-1) ?? '');
      folders.set(id, folder);
      return { id, device: 'cpu', created: 0 } satisfies ModelInfo;
    },
    remove: async (id) => void folders.delete(id),
  };
}
export interface TuningWorld {
  readonly folder: string;
  readonly library: Shelf;
  /** `text`: the examples of every job. `unreadable` hears of records that cannot be read; without it they fail the test. */
  readonly open: (limits?: Partial<QueueOptions['limits']>, text?: string, unreadable?: (reason: string) => void) => Promise<JobQueue>;
}
export async function tuningWorld(t: Test): Promise<TuningWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-jobs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const library = shelf();
  return {
    folder,
    library,
    open: async (limits = {}, text = examples(20), unreadable = (reason) => void t.fail(reason)) => {
      const queue = await JobQueue.open({
        folder: join(folder, 'jobs'),
        models: join(folder, 'models'),
        limits: { jobs: 1, queue: 3, kept: 10, threads: 1, steps: 100_000, ...limits },
        claim: async () => undefined,
        prepare: async (_, at) => {
          await writeFile(at.training, text);
          return { training: [at.training], validation: [], message: 'ready' };
        },
        library,
        files: await FileStore.open(join(folder, 'files'), { fileBytes: 1e6, allBytes: 1e7, files: 100 }),
        logger: { warn: () => undefined, error: unreadable },
      });
      t.teardown(() => queue.close(0));
      return queue;
    },
  };
}
export const reaches = (queue: JobQueue, id: string, holds: (job: Job) => boolean): Promise<Job> => eventually(async () => queue.get(id), holds, SECONDS);
export const ends = (queue: JobQueue, id: string): Promise<Job> => reaches(queue, id, hasEnded);
export const told = async (queue: JobQueue, id: string): Promise<string[]> => (await queue.events(id)).map(({ message }) => message);
