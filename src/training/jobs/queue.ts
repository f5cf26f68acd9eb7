// Owns the queue of fine-tuning jobs: who waits, who runs, what becomes of each, and how all of it goes on after a restart.
// Refuses to know HTTP, where examples come from, and how a run trains.

import { dirname, isAbsolute, sep } from 'node:path';
import { splitVariant } from '../../engine/models/model-files.ts';
import type { ModelLibrary } from '../../engine/port.ts';
import { isFull } from '../../workspace/files/durable.ts';
import { randomName } from '../../workspace/files/file-store.ts';
import type { FileStore } from '../../workspace/files/file-store.ts';
import { hasEnded, JobError } from './job.ts';
import type { EndedStatus, Job, JobEvent, NewJobEvent } from './job.ts';
import { JobBook } from './job-book.ts';
import type { JobFiles } from './job-folder.ts';
import { Preparation } from './preparation.ts';
import type { Prepare } from './preparation.ts';
import { info } from './progress.ts';
import { Results } from './results.ts';
import type { JobResult } from './results.ts';
import type { RunOutcome } from './run-process.ts';
import { Runs } from './runs.ts';
import { Tally } from './tally.ts';
import type { TuningStatistics } from './tally.ts';
import { TunedModels } from './tuned-models.ts';

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

export class JobQueue {
  readonly #options: QueueOptions;
  readonly #book: JobBook;
  readonly #models: TunedModels;
  readonly #now: () => number;
  readonly #results: Results;
  readonly #closing = new AbortController();
  readonly #preparation: Preparation;
  readonly #runs: Runs;
  /** Jobs that are being written down. */
  #arriving = 0;
  readonly #tally = new Tally();

  private constructor(options: QueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#models = new TunedModels(options.models, options.folder, options.library);
    this.#results = new Results(this.#models, options.files);
    this.#book = new JobBook(options.folder, this.#now, options.logger);
    this.#preparation = new Preparation({
      book: this.#book,
      prepare: options.prepare,
      library: options.library,
      threads: options.limits.threads,
      ready: () => this.#runs.pump(),
      failed: (id, error) => this.#fail(id, reasonOf(error)),
    });
    this.#runs = new Runs({
      book: this.#book,
      tally: this.#tally,
      limits: options.limits,
      closing: this.#closing.signal,
      settle: (id, outcome) => this.#settle(id, outcome),
      left: (id) => this.#leave(id),
      failed: (id, reason) => this.#fail(id, reason),
      placeless: (id, text) => this.#placeless(id, text),
      now: this.#now,
      logger: options.logger,
    });
  }

  /** Finds the jobs of before: those that waited wait again, and those that ran go on from their last checkpoint. */
  static async open(options: QueueOptions): Promise<JobQueue> {
    const queue = new JobQueue(options);
    await queue.#book.load();
    for (const job of queue.#book.all()) await queue.#takeUp(job);
    queue.#runs.pump();
    return queue;
  }
  async #takeUp(job: Job): Promise<void> {
    const { id, status, attempts } = job;
    if (hasEnded(job)) {
      // It may have ended together with the service, and what it had to take away be left.
      if (status !== 'succeeded') await this.#results.discard(job);
      return this.#book.clear(id);
    }
    try {
      const result = await this.#results.find(job);
      if (result) return void (await this.#succeed(id, result, info('The service was started again; the model was in its place before')));
    } catch (error) {
      return this.#fail(id, reasonOf(error));
    }
    if (status === 'validating_files') this.#preparation.add(id);
    else if (status === 'running' && attempts < ATTEMPTS)
      await this.#book.change(id, { status: 'queued' }, info('The service was started again; the job goes on from its last checkpoint'));
    else if (status === 'running')
      await this.#fail(id, {
        code: 'interrupted',
        message: `the service ended ${attempts} times while this job ran and before its next checkpoint; try a smaller checkpoint_every`,
      });
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
    this.#runs.kill(id);
    this.#preparation.stop(id);
    return this.#end(id, { status: 'cancelled', error: undefined }, info('The job was cancelled'));
  }
  /** Stops a job where it is, or before it begins. Throws JobError `unknown_job`, `job_ended` or `job_paused`. */
  async pause(id: string): Promise<Job> {
    if (this.#requireUnended(id, 'paused').status === 'paused')
      throw new JobError('job_paused', `job ${id} is paused already; POST /v1/fine_tuning/jobs/${id}/resume lets it go on`);
    this.#runs.stop(id);
    return this.#book.change(id, { status: 'paused', estimatedFinish: undefined }, info('The job was paused'));
  }
  /** Throws JobError `unknown_job`, `job_ended` or `job_not_paused`. */
  async resume(id: string): Promise<Job> {
    this.#requireUnended(id, 'resumed');
    const ready = await this.#book.isReady(id);
    // Meanwhile it may have been resumed or cancelled by another.
    const { status } = this.#requireUnended(id, 'resumed');
    if (status !== 'paused') throw new JobError('job_not_paused', `job ${id} is ${status}, not paused; only paused jobs can be resumed`);
    const job = await this.#book.change(id, { status: ready ? 'queued' : 'validating_files', error: undefined }, info('The job was resumed'));
    if (ready) this.#runs.pump();
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
    await Promise.all([this.#preparation.close(), this.#runs.close(graceMs)]);
    await this.#book.settled();
  }
  #requireUnended(id: string, verb: string): Job {
    this.#closing.signal.throwIfAborted();
    const job = this.get(id);
    if (hasEnded(job)) throw new JobError('job_ended', `job ${id} has ${job.status === 'cancelled' ? 'been cancelled' : job.status} and cannot be ${verb}`);
    return job;
  }

  /** The process of a run is gone. */
  async #settle(id: string, outcome: RunOutcome): Promise<void> {
    const { status, checkpoints } = this.get(id);
    const paused = status === 'paused' || status === 'queued';
    if (hasEnded({ status })) return;
    // Whoever pauses a run in its last step gets the result all the same.
    if (outcome.kind === 'ended' && outcome.reason !== 'stopped') await this.#keep(id);
    else if (paused && outcome.kind === 'ended') return;
    else if (this.#closing.signal.aborted) await this.#book.change(id, outcome.kind === 'ended' ? { attempts: 0 } : {});
    else if (outcome.kind === 'failed' && outcome.code === 'disk_full' && checkpoints.length > 0) await this.#hold(id, outcome);
    else await this.#fail(id, outcome.kind === 'failed' ? outcome : { code: 'run_broke', message: 'the run stopped before its end' });
  }
  /** A job that found no room is paused rather than ended, so that what it has learnt is not lost. */
  async #hold(id: string, { code, message: reason }: { readonly code: string; readonly message: string }): Promise<void> {
    const message = this.#placeless(id, reason);
    this.#options.logger.warn(`fine-tuning job ${id} is paused: ${message}`);
    await this.#book.change(
      id,
      { status: 'paused', estimatedFinish: undefined, error: { code, message, param: null } },
      { level: 'error', type: 'message', message: `The job was paused: ${message}; POST /v1/fine_tuning/jobs/${id}/resume lets it go on`, data: { code } },
    );
  }
  async #keep(id: string): Promise<void> {
    const job = this.get(id);
    try {
      const result = await this.#results.keep(job, this.#book.files(id).output, (message) => void this.#book.tell(id, { level: 'warn', type: 'message', message }));
      // Whoever cancelled it meanwhile was told that nothing comes of it.
      if (hasEnded(this.get(id))) await this.#results.discard(job);
      else await this.#succeed(id, result);
    } catch (error) {
      await this.#fail(id, reasonOf(error));
    }
  }
  #succeed(id: string, result: JobResult, ...told: readonly NewJobEvent[]): Promise<Job> {
    const { fineTunedModel: name } = result;
    return this.#end(id, { status: 'succeeded', ...result }, ...told, info(`New fine-tuned model: ${name}`, { fine_tuned_model: name }), info('The job has completed'));
  }
  async #fail(id: string, { code, message: reason }: { readonly code: string; readonly message: string }): Promise<void> {
    if (hasEnded(this.get(id))) return;
    const message = this.#placeless(id, reason);
    this.#options.logger.warn(`fine-tuning job ${id} failed: ${message}`);
    await this.#end(
      id,
      { status: 'failed', error: { code, message, param: null } },
      { level: 'error', type: 'message', message: `The job failed: ${message}`, data: { code } },
    );
  }
  /** Where the files of a job and of its model lie is nobody's business. */
  #placeless(id: string, text: string): string {
    const { folder } = this.#book.files(id);
    const model = splitVariant(this.#options.library?.folderOf(this.get(id).model) ?? '').folder;
    const places = [folder, ...(isAbsolute(model) ? [dirname(model)] : [])];
    return places.reduce((rest, place) => rest.replaceAll(place + sep, ''), text);
  }
  async #end(id: string, change: Partial<Job> & { readonly status: EndedStatus }, ...told: readonly NewJobEvent[]): Promise<Job> {
    this.#tally.end(change.status);
    const job = await this.#book.change(id, { ...change, finished: this.#now(), estimatedFinish: undefined }, ...told);
    // A process that is ending may still write; what it leaves is removed when it is gone.
    if (!this.#runs.has(id)) await this.#leave(id);
    return job;
  }
  /** Nothing of its run is at work. */
  async #leave(id: string): Promise<void> {
    if (hasEnded(this.get(id))) await this.#book.clear(id);
    await this.#forget();
  }
  /** Forgets the oldest of those that ended, where there are too many. */
  async #forget(): Promise<void> {
    const ended = this.#book.all().filter((job) => hasEnded(job) && !this.#runs.has(job.id) && !this.#preparation.isAt(job.id));
    for (const { id } of ended.slice(0, Math.max(0, ended.length - this.#options.limits.kept))) await this.#book.remove(id);
  }
}

function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
  if (isFull(error)) return { code: 'disk_full', message: 'there is no room left on the disk; make some and create the job again' };
  return { code, message: error instanceof Error ? error.message : String(error) };
}
