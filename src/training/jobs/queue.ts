// Owns the queue of fine-tuning jobs: who waits, who runs, what becomes of each, and how all of it goes on after a restart.
// Refuses to know HTTP, where examples come from, and how a run trains.

import { sep } from 'node:path';
import type { ModelLibrary } from '../../engine/port.ts';
import { randomName } from '../../workspace/files/file-store.ts';
import type { FileStore } from '../../workspace/files/file-store.ts';
import type { TrainingEvent } from '../spec.ts';
import { hasEnded, JobError } from './job.ts';
import type { EndedStatus, Job, JobEvent, NewJobEvent } from './job.ts';
import { JobBook } from './job-book.ts';
import type { JobFiles } from './job-folder.ts';
import { Preparation } from './preparation.ts';
import type { Prepare } from './preparation.ts';
import { info, Progress } from './progress.ts';
import { keepResults } from './results.ts';
import { RunProcess } from './run-process.ts';
import type { RunOutcome } from './run-process.ts';
import { Tally } from './tally.ts';
import type { TuningStatistics } from './tally.ts';
import { fineTunedName, TunedModels } from './tuned-models.ts';

export interface JobLimits {
  /** Jobs that run at the same time. */
  readonly jobs: number;
  /** Jobs that wait or are paused. */
  readonly queue: number;
  /** Jobs remembered after they ended. */
  readonly kept: number;
  /** Threads of one run. */
  readonly threads: number;
  /** Updates of one run. */
  readonly steps: number;
}
export interface QueueOptions {
  /** Of the jobs. */
  readonly folder: string;
  /** Of the models that come out, from which the engine serves them. */
  readonly models: string;
  readonly limits: JobLimits;
  /** Makes the job's files its own before anything is answered. */
  readonly claim: (job: Job, files: JobFiles) => Promise<void>;
  readonly prepare: Prepare;
  /** Absent where models cannot be added: jobs are refused. */
  readonly library: ModelLibrary | undefined;
  readonly files: FileStore;
  readonly logger: { warn(message: string): void; error(message: string): void };
  readonly now?: () => number;
}
export type NewJob = Pick<Job, 'model' | 'suffix' | 'metadata' | 'trainingFile' | 'validationFile' | 'knowledge' | 'settings' | 'learningRateMultiplier'>;

const ELSEWHERE = 'the models of this service run elsewhere (PHAROS_ENGINE) and cannot be trained here; use a service whose engine is embedded';
/** Starts without a checkpoint in between after which a job is given up. */
const ATTEMPTS = 5;

interface Live {
  readonly process: RunProcess;
  readonly over: Promise<void>;
}

export class JobQueue {
  readonly #options: QueueOptions;
  readonly #book: JobBook;
  readonly #models: TunedModels;
  readonly #now: () => number;
  readonly #live = new Map<string, Live>();
  readonly #closing = new AbortController();
  readonly #preparation: Preparation;
  /** Jobs that are being written down. */
  #arriving = 0;
  readonly #tally = new Tally();

  private constructor(options: QueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#models = new TunedModels(options.models, options.folder, options.library);
    this.#book = new JobBook(options.folder, this.#now, options.logger);
    this.#preparation = new Preparation({
      book: this.#book,
      prepare: options.prepare,
      library: options.library,
      threads: options.limits.threads,
      ready: () => this.#pump(),
      failed: (id, error) => this.#fail(id, reasonOf(error)),
    });
  }

  /** Finds the jobs of before: those that waited wait again, and those that ran go on from their last checkpoint. */
  static async open(options: QueueOptions): Promise<JobQueue> {
    const queue = new JobQueue(options);
    await queue.#book.load();
    for (const { id, status, attempts } of queue.#book.all()) {
      // It may have ended together with the service, and what only its run needed be left.
      if (hasEnded({ status })) await queue.#book.clear(id);
      else if (status === 'validating_files') queue.#preparation.add(id);
      else if (status === 'running' && attempts < ATTEMPTS)
        await queue.#book.change(id, { status: 'queued' }, info('The service was started again; the job goes on from its last checkpoint'));
      else if (status === 'running')
        await queue.#fail(id, {
          code: 'interrupted',
          message: `the service ended ${attempts} times while this job ran and before its next checkpoint; try a smaller checkpoint_every`,
        });
    }
    queue.#pump();
    return queue;
  }

  /** Newest first. */
  list(): readonly Job[] {
    return this.#book.all().toReversed();
  }
  statistics(): TuningStatistics {
    return this.#tally.of(this.#book.all());
  }
  /** Throws JobError `unknown_job`. */
  get(id: string): Job {
    return this.#book.get(id);
  }
  /** Oldest first. Throws JobError `unknown_job`. */
  async events(id: string): Promise<readonly JobEvent[]> {
    return this.#book.events(id);
  }
  /** Those that come, too, until the job ends. Throws JobError `unknown_job`. */
  async *follow(id: string, after: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent> {
    yield* (await this.#book.log(id)).follow(after, AbortSignal.any([signal, this.#closing.signal]));
  }

  /** Throws JobError `tuning_unsupported`, `job_queue_full` or `jobs_closed`. */
  async create(asked: NewJob): Promise<Job> {
    this.#closing.signal.throwIfAborted();
    const { limits, library } = this.#options;
    if (!library) throw new JobError('tuning_unsupported', ELSEWHERE);
    if (limits.jobs === 0) throw new JobError('tuning_unsupported', 'this service trains nothing: PHAROS_TUNE_JOBS is 0');
    const waiting = this.#arriving + this.#book.all().filter((job) => !hasEnded(job) && job.status !== 'running').length;
    if (waiting >= limits.queue)
      throw new JobError('job_queue_full', `${waiting} fine-tuning jobs wait, which is the limit; wait until one has ended, or cancel one`);
    const begun = { status: 'validating_files', step: 0, trainedTokens: 0, attempts: 0 } as const;
    this.#arriving++;
    try {
      return await this.#add({ ...asked, ...begun, resultFiles: [], checkpoints: [], id: `ftjob-${randomName(24)}`, created: this.#now() });
    } finally {
      this.#arriving--;
    }
  }
  async #add(job: Job): Promise<Job> {
    await this.#book.add(job, info(`Job created: fine-tuning of ${job.model}`), info('Examples are being made ready'));
    try {
      await this.#options.claim(job, this.#book.files(job.id));
    } catch (error) {
      await this.#book.remove(job.id);
      throw error;
    }
    this.#preparation.add(job.id);
    return job;
  }
  /** Ends a job for good. Throws JobError `unknown_job` or `job_ended`. */
  async cancel(id: string): Promise<Job> {
    this.#requireUnended(id, 'cancelled');
    // Nothing of the run is needed any more.
    this.#live.get(id)?.process.kill();
    this.#preparation.stop(id);
    return this.#end(id, { status: 'cancelled' }, info('The job was cancelled'));
  }
  /** Stops a job where it is, or before it begins. Throws JobError `unknown_job`, `job_ended` or `job_paused`. */
  async pause(id: string): Promise<Job> {
    if (this.#requireUnended(id, 'paused').status === 'paused')
      throw new JobError('job_paused', `job ${id} is paused already; POST /v1/fine_tuning/jobs/${id}/resume lets it go on`);
    this.#live.get(id)?.process.stop();
    return this.#book.change(id, { status: 'paused', estimatedFinish: undefined }, info('The job was paused'));
  }
  /** Throws JobError `unknown_job`, `job_ended` or `job_not_paused`. */
  async resume(id: string): Promise<Job> {
    const { status } = this.#requireUnended(id, 'resumed');
    if (status !== 'paused') throw new JobError('job_not_paused', `job ${id} is ${status}, not paused; only paused jobs can be resumed`);
    const ready = await this.#book.isReady(id);
    const job = await this.#book.change(id, { status: ready ? 'queued' : 'validating_files' }, info('The job was resumed'));
    if (ready) this.#pump();
    else this.#preparation.add(id);
    return job;
  }
  /** Takes a fine-tuned model out of service and deletes it. True when it was there. */
  async deleteModel(name: string): Promise<boolean> {
    return this.#models.remove(name);
  }

  /** Stops what runs at its next step, so that it goes on from there after the next start; ends it after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closing.abort(new JobError('jobs_closed', 'Pharos is shutting down; the job goes on when it is back'));
    const live = [...this.#live.values()];
    for (const { process } of live) process.stop();
    const timer = setTimeout(() => {
      for (const { process } of live) process.kill();
    }, graceMs);
    await Promise.all([this.#preparation.close(), ...live.map(({ over }) => over)]);
    clearTimeout(timer);
    await this.#book.settled();
  }
  #requireUnended(id: string, verb: string): Job {
    this.#closing.signal.throwIfAborted();
    const job = this.get(id);
    if (hasEnded(job)) throw new JobError('job_ended', `job ${id} has ${job.status === 'cancelled' ? 'been cancelled' : job.status} and cannot be ${verb}`);
    return job;
  }

  /** Gives free places to those who have waited longest. */
  #pump(): void {
    for (const job of this.#book.all()) {
      if (this.#closing.signal.aborted || this.#live.size >= this.#options.limits.jobs) return;
      // One that was paused and resumed may still be ending.
      if (job.status === 'queued' && !this.#live.has(job.id)) this.#start(job);
    }
  }
  #start({ id, attempts }: Job): void {
    const progress = new Progress(this.#now);
    const process = new RunProcess(this.#book.files(id).spec, (event) => this.#hear(id, progress, event));
    this.#live.set(id, { process, over: this.#finish(id, process) });
    void this.#book.change(id, { status: 'running', attempts: attempts + 1 }, info('The job runs'));
  }
  #hear(id: string, progress: Progress, event: TrainingEvent): void {
    const before = this.get(id);
    // What a run still sends whose job was ended.
    if (hasEnded(before)) return;
    const { job, told } = progress.take(before, event);
    this.#tally.train(before, job);
    this.#book.set(before.status === 'running' ? job : { ...job, estimatedFinish: undefined });
    const { steps } = this.#options.limits;
    if (event.kind === 'start' && event.steps > steps) {
      this.#live.get(id)?.process.kill();
      void this.#fail(id, {
        code: 'too_many_steps',
        message: `the job would take ${event.steps} steps; this service allows ${steps} at most: give fewer epochs, or steps`,
      });
    } else if (event.kind === 'start' || event.kind === 'checkpoint') void this.#book.change(id, {}, ...told);
    else void this.#book.tell(id, ...told);
  }

  /** Waits for the run's end and gives its place to the next. Never rejects. */
  async #finish(id: string, { outcome }: RunProcess): Promise<void> {
    try {
      await this.#settle(id, await outcome);
      this.#live.delete(id);
      if (hasEnded(this.get(id))) await this.#book.clear(id);
      await this.#forget();
    } catch (error) {
      this.#options.logger.error(`fine-tuning job ${id} could not be ended: ${reasonOf(error).message}`);
      this.#live.delete(id);
    }
    this.#pump();
  }
  /** The process of a run is gone. */
  async #settle(id: string, outcome: RunOutcome): Promise<void> {
    const { status } = this.get(id);
    const paused = status === 'paused' || status === 'queued';
    if (hasEnded({ status })) return;
    // Whoever pauses a run in its last step gets the result all the same.
    if (outcome.kind === 'ended' && outcome.reason !== 'stopped') await this.#succeed(id);
    else if (paused && outcome.kind === 'ended') return;
    else if (this.#closing.signal.aborted) await this.#book.change(id, outcome.kind === 'ended' ? { attempts: 0 } : {});
    else await this.#fail(id, outcome.kind === 'failed' ? outcome : { code: 'run_broke', message: 'the run stopped before its end' });
  }
  async #succeed(id: string): Promise<void> {
    const { output } = this.#book.files(id);
    const name = fineTunedName(this.get(id));
    try {
      const resultFiles = await keepResults(
        id,
        output,
        this.#options.files,
        (reason) => void this.#book.tell(id, { level: 'warn', type: 'message', message: reason }),
      );
      if (hasEnded(this.get(id))) return await this.#discard(resultFiles);
      await this.#models.serve(output, name);
      // Whoever cancelled it meanwhile was told that nothing comes of it.
      if (hasEnded(this.get(id))) {
        await this.#models.remove(name);
        return await this.#discard(resultFiles);
      }
      await this.#end(
        id,
        { status: 'succeeded', fineTunedModel: name, resultFiles: [...resultFiles] },
        info(`New fine-tuned model: ${name}`, { fine_tuned_model: name }),
        info('The job has completed'),
      );
    } catch (error) {
      await this.#fail(id, reasonOf(error));
    }
  }
  /** Result files of a job that was cancelled while they were kept. */
  async #discard(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#options.files.delete(id);
  }
  async #fail(id: string, { code, message: reason }: { readonly code: string; readonly message: string }): Promise<void> {
    if (hasEnded(this.get(id))) return;
    // Where the job's files lie is nobody's business.
    const message = reason.replaceAll(this.#book.files(id).folder + sep, '');
    this.#options.logger.warn(`fine-tuning job ${id} failed: ${message}`);
    await this.#end(
      id,
      { status: 'failed', error: { code, message, param: null } },
      { level: 'error', type: 'message', message: `The job failed: ${message}`, data: { code } },
    );
  }
  async #end(id: string, change: Partial<Job> & { readonly status: EndedStatus }, ...told: readonly NewJobEvent[]): Promise<Job> {
    this.#tally.end(change.status);
    const job = await this.#book.change(id, { ...change, finished: this.#now(), estimatedFinish: undefined }, ...told);
    // A process that is ending may still write; what it leaves is removed when it is gone.
    if (!this.#live.has(id)) {
      await this.#book.clear(id);
      await this.#forget();
    }
    return job;
  }
  /** Forgets the oldest of those that ended, where there are too many. */
  async #forget(): Promise<void> {
    const ended = this.#book.all().filter((job) => hasEnded(job) && !this.#live.has(job.id) && !this.#preparation.isAt(job.id));
    for (const { id } of ended.slice(0, Math.max(0, ended.length - this.#options.limits.kept))) await this.#book.remove(id);
  }
}

const reasonOf = (error: unknown): { readonly code: string; readonly message: string } => ({
  code: error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed',
  message: error instanceof Error ? error.message : String(error),
});
