// Owns making jobs ready to run, one after the other: their examples, then the specification of their run.
// Refuses to know where examples come from, and what becomes of a job afterwards.

import { basename, join } from 'node:path';
import { isFineTuned, splitVariant } from '../../engine/models/model-files.ts';
import type { ModelLibrary } from '../../engine/port.ts';
import { writeDurably } from '../../workspace/files/durable.ts';
import type { TrainingSpecInput } from '../spec.ts';
import { hasEnded, JobError } from './job.ts';
import type { Job } from './job.ts';
import type { JobBook } from './job-book.ts';
import { shareFolder } from './job-folder.ts';
import type { JobFiles } from './job-folder.ts';
import { info } from './progress.ts';

export interface Prepared {
  readonly training: readonly string[];
  readonly validation: readonly string[];
  /** What is told of them. */
  readonly message: string;
}
/** Makes a job's examples ready in its folder. Rejects with an error whose `code` and `message` become those of the job. */
export type Prepare = (job: Job, files: JobFiles, signal: AbortSignal) => Promise<Prepared>;
export interface PreparationOptions {
  readonly book: JobBook;
  readonly prepare: Prepare;
  readonly library: ModelLibrary | undefined;
  /** Of one run. */
  readonly threads: number;
  readonly ready: () => void;
  readonly failed: (id: string, error: unknown) => Promise<void>;
}

export class Preparation {
  readonly #options: PreparationOptions;
  /** Ends with the last that was asked for. */
  #all: Promise<void> = Promise.resolve();
  #now: { readonly id: string; readonly controller: AbortController } | undefined;
  #closed = false;
  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  /** In the background, when its turn has come: a job in `validating_files` becomes `queued`. */
  add(id: string): void {
    this.#all = this.#after(this.#all, id);
  }
  isAt(id: string): boolean {
    return this.#now?.id === id;
  }
  stop(id: string): void {
    if (this.isAt(id)) this.#now?.controller.abort();
  }
  /** Stops what is under way; it is done again after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#now?.controller.abort();
    await this.#all;
  }

  async #after(before: Promise<void>, id: string): Promise<void> {
    await before;
    const { book, ready, failed } = this.#options;
    if (this.#closed) return;
    // While it waited it may have been cancelled, and forgotten since.
    if (book.all().some((job) => job.id === id && job.status === 'validating_files')) {
      const controller = new AbortController();
      this.#now = { id, controller };
      try {
        await this.#make(book.get(id), controller.signal);
        ready();
      } catch (error) {
        if (!controller.signal.aborted) await failed(id, error);
      } finally {
        this.#now = undefined;
      }
    }
    if (book.all().some((job) => job.id === id && hasEnded(job))) await book.clear(id);
  }
  async #make(job: Job, signal: AbortSignal): Promise<void> {
    const { book, prepare, library, threads } = this.#options;
    const files = book.files(job.id);
    const base = library?.folderOf(job.model);
    if (base === undefined) throw new JobError('tuning_unsupported', `model ${job.model} is no longer there`);
    const { training, validation, message } = await prepare(job, files, signal);
    const served = splitVariant(base).folder;
    // It is read again when the result is saved.
    const model = isFineTuned(job.model) ? join(files.base, basename(served)) : served;
    if (model !== served) await shareFolder(served, model);
    const own = { model, output: files.output, training_files: [...training], validation_files: [...validation], threads };
    await writeDurably(files.spec, JSON.stringify({ ...job.settings, ...own } satisfies TrainingSpecInput));
    // It may have been paused meanwhile.
    if (book.get(job.id).status === 'validating_files') await book.change(job.id, { status: 'queued' }, info(message), info('The job waits for its turn'));
  }
}
