// Owns what a job whose run is over comes to: figures and plots kept as files, its model served, both found again when the service ended in between.
// Refuses to know when a job ends, and what is told of it.

import { join } from 'node:path';
import { readPieces } from '../../workspace/files/durable.ts';
import { FileError } from '../../workspace/files/file-store.ts';
import type { FileStore, StoredFile } from '../../workspace/files/file-store.ts';
import type { Job } from './job.ts';
import { fineTunedName, RUN } from './tuned-models.ts';
import type { TunedModels } from './tuned-models.ts';

const FIGURES = ['metrics.csv', 'loss.svg', 'schedule.svg'] as const;
const PURPOSE = 'fine-tune-results';

/** As a record has it. */
export type JobResult = Required<Pick<Job, 'fineTunedModel' | 'resultFiles'>>;

export class Results {
  readonly #models: TunedModels;
  readonly #files: FileStore;
  constructor(models: TunedModels, files: FileStore) {
    this.#models = models;
    this.#files = files;
  }

  /** Serves what a run has put out; `missed` hears of figures for which there is no room. Rejects with the engine's reason, and leaves nothing, when the model cannot be served. */
  async keep(job: Job, output: string, missed: (reason: string) => void): Promise<JobResult> {
    const fineTunedModel = fineTunedName(job);
    try {
      await this.#keepFigures(job.id, join(output, RUN), missed);
      await this.#models.serve(output, fineTunedModel);
    } catch (error) {
      await this.discard(job);
      throw error;
    }
    return { fineTunedModel, resultFiles: this.#figuresOf(job.id) };
  }
  /** The result of a job whose model was in its place when the service ended; undefined where none was. Rejects like `keep`. */
  async find(job: Job): Promise<JobResult | undefined> {
    const fineTunedModel = fineTunedName(job);
    try {
      return (await this.#models.serveAgain(fineTunedModel)) ? { fineTunedModel, resultFiles: this.#figuresOf(job.id) } : undefined;
    } catch (error) {
      await this.discard(job);
      throw error;
    }
  }
  /** Takes all of it away. */
  async discard(job: Job): Promise<void> {
    await this.#models.remove(fineTunedName(job));
    for (const id of this.#figuresOf(job.id)) await this.#files.delete(id);
  }

  async #keepFigures(job: string, run: string, missed: (reason: string) => void): Promise<void> {
    for (const name of FIGURES) {
      // Kept before the service ended: a run that goes on to the same step leaves the same figures.
      if (this.#figure(job, name)) continue;
      try {
        const arrived = await this.#files.receive(readPieces(join(run, name)));
        await arrived.keep({ filename: `${job}-${name}`, purpose: PURPOSE });
      } catch (error) {
        if (error instanceof FileError) missed(`${name} is not kept: ${error.message}`);
        else if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
  }
  #figure(job: string, name: string): StoredFile | undefined {
    return this.#files.list().find(({ filename, purpose }) => purpose === PURPOSE && filename === `${job}-${name}`);
  }
  #figuresOf(job: string): string[] {
    return FIGURES.flatMap((name) => this.#figure(job, name)?.id ?? []);
  }
}
