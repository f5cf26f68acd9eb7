// Owns the runs at work: which waiting job gets a free place, what its run tells, and the place given on when its process is gone.
// Refuses to know what becomes of a job whose run is over, and how a run trains.

import type { TrainingEvent } from '../spec.ts';
import { hasEnded } from './job.ts';
import type { Job } from './job.ts';
import type { BookLogger, JobBook } from './job-book.ts';
import { info, Progress } from './progress.ts';
import { RunProcess } from './run-process.ts';
import type { RunOutcome } from './run-process.ts';
import type { Tally } from './tally.ts';

export interface RunsOptions {
  readonly book: JobBook;
  readonly tally: Tally;
  /** Runs at the same time, and updates of one. */
  readonly limits: { readonly jobs: number; readonly steps: number };
  /** Fires when no run is to begin any more. */
  readonly closing: AbortSignal;
  /** The process of a run is gone, and its place not yet given on. */
  readonly settle: (id: string, outcome: RunOutcome) => Promise<void>;
  /** Nothing writes into the job's folder any more. */
  readonly left: (id: string) => Promise<void>;
  readonly failed: (id: string, reason: { readonly code: string; readonly message: string }) => Promise<void>;
  /** A text without the places of files. */
  readonly placeless: (id: string, text: string) => string;
  readonly now: () => number;
  readonly logger: BookLogger;
}
interface Live {
  readonly process: RunProcess;
  readonly over: Promise<void>;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #live = new Map<string, Live>();
  constructor(options: RunsOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#live.has(id);
  }
  /** It keeps where it is and ends within one step. */
  stop(id: string): void {
    this.#live.get(id)?.process.stop();
  }
  /** It ends at once. */
  kill(id: string): void {
    this.#live.get(id)?.process.kill();
  }
  /** Gives free places to those who have waited longest. */
  pump(): void {
    const { book, limits, closing } = this.#options;
    for (const job of book.all()) {
      if (closing.aborted || this.#live.size >= limits.jobs) return;
      // One that was paused and resumed may still be ending.
      if (job.status === 'queued' && !this.#live.has(job.id)) this.#start(job);
    }
  }
  /** Stops all at their next step; ends them after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const live = [...this.#live.values()];
    for (const { process } of live) process.stop();
    const timer = setTimeout(() => {
      for (const { process } of live) process.kill();
    }, graceMs);
    await Promise.all(live.map(({ over }) => over));
    clearTimeout(timer);
  }

  #start({ id, attempts }: Job): void {
    const { book, now } = this.#options;
    const progress = new Progress(now);
    const process = new RunProcess(book.files(id).spec, (event) => this.#hear(id, progress, event));
    this.#live.set(id, { process, over: this.#finish(id, process) });
    void book.change(id, { status: 'running', attempts: attempts + 1 }, info('The job runs'));
  }
  #hear(id: string, progress: Progress, event: TrainingEvent): void {
    const { book, tally, limits, failed, placeless } = this.#options;
    const before = book.get(id);
    // What a run still sends whose job was ended.
    if (hasEnded(before)) return;
    const { job, told: all } = progress.take(before, event);
    const told = all.map((each) => ({ ...each, message: placeless(id, each.message) }));
    tally.train(before, job);
    book.set(before.status === 'running' ? job : { ...job, estimatedFinish: undefined });
    if (event.kind === 'start' && event.steps > limits.steps) {
      this.kill(id);
      void failed(id, {
        code: 'too_many_steps',
        message: `the job would take ${event.steps} steps; this service allows ${limits.steps} at most: give fewer epochs, or steps`,
      });
    } else if (event.kind === 'start' || event.kind === 'checkpoint') void book.change(id, {}, ...told);
    else void book.tell(id, ...told);
  }
  /** Waits for the run's end and gives its place to the next. Never rejects. */
  async #finish(id: string, { outcome }: RunProcess): Promise<void> {
    const { settle, left, logger } = this.#options;
    try {
      await settle(id, await outcome);
      this.#live.delete(id);
      await left(id);
    } catch (error) {
      logger.error(`fine-tuning job ${id} could not be ended: ${error instanceof Error ? error.message : String(error)}`);
      this.#live.delete(id);
    }
    this.pump();
  }
}
