// Owns where a job's files lie and how its record is kept.
// Refuses to know what a job does.

import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isMissing, makeFolder, namesIn, share, writeDurably } from '../../workspace/files/durable.ts';
import { jobRecord } from './job.ts';
import type { Job } from './job.ts';

export interface JobFiles {
  readonly folder: string;
  readonly events: string;
  /** The specification that its run has, also when it goes on after an end. */
  readonly spec: string;
  /** Holds the folder of a tuned model that the job starts from: whoever deletes the model takes nothing from the job. */
  readonly base: string;
  /** The result, with what the run keeps beside it while it is not over. */
  readonly output: string;
  readonly training: string;
  readonly validation: string;
  /** Questions about things that training does not ask about. */
  readonly heldOut: string;
}
const RECORD = 'job.json';
const JOB = 'ftjob-';
/** Before the name of a folder that is being deleted. */
export const REMOVED = 'removed-';

export class JobFolders {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }

  of(id: string): JobFiles {
    const folder = join(this.#folder, id);
    return {
      folder,
      events: join(folder, 'events.ndjson'),
      spec: join(folder, 'spec.json'),
      base: join(folder, 'base'),
      output: join(folder, 'model'),
      training: join(folder, 'training.jsonl'),
      validation: join(folder, 'validation.jsonl'),
      heldOut: join(folder, 'held-out.jsonl'),
    };
  }
  /** Jobs that have a record, oldest first; what else lies there is removed. `unreadable` hears of records that cannot be read; they are left as they are. */
  async load(unreadable: (reason: string) => void): Promise<readonly Job[]> {
    const jobs: Job[] = [];
    for (const name of await namesIn(this.#folder)) {
      if (name.startsWith(REMOVED)) await this.#delete(name);
      if (!name.startsWith(JOB)) continue;
      try {
        const job = jobRecord.parse(JSON.parse(await readFile(join(this.#folder, name, RECORD), 'utf8')));
        if (job.id !== name) throw new Error(`its record is that of ${job.id}`);
        jobs.push(job);
      } catch (error) {
        // A job whose record was never written never was. One whose record cannot be read may be there all the same.
        if (isMissing(error)) {
          await this.#delete(name);
          continue;
        }
        unreadable(
          `the fine-tuning job in ${join(this.#folder, name)} cannot be read and is left out: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    return jobs.toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  }
  async #delete(name: string): Promise<void> {
    await rm(join(this.#folder, name), { recursive: true, force: true });
  }
  async save(job: Job): Promise<void> {
    const { folder } = this.of(job.id);
    await makeFolder(folder);
    await writeDurably(join(folder, RECORD), JSON.stringify(job));
  }
  /** Removes all but the record and the events: what only a run needs. */
  async clear(id: string): Promise<void> {
    const { base, output, training, validation, heldOut, spec } = this.of(id);
    for (const path of [spec, base, output, training, validation, heldOut]) await rm(path, { recursive: true, force: true });
  }
  async remove(id: string): Promise<void> {
    await removeFolder(this.of(id).folder, join(this.#folder, REMOVED + id));
  }
}

/** A second folder with the same files, whose content stays when the first is removed. */
export async function shareFolder(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const folder = join(to, relative(from, entry.parentPath));
    await makeFolder(folder);
    await share(join(entry.parentPath, entry.name), join(folder, entry.name));
  }
}
/** Takes a folder away at once, then deletes what is in it. `aside`: where it goes in between, on the same file system. */
export async function removeFolder(folder: string, aside: string): Promise<void> {
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside).catch(() => undefined);
  await rm(aside, { recursive: true, force: true });
}
