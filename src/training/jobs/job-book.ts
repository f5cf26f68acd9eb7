// Owns the records and events of all jobs: in memory for reading, on the disk for the next start.
// Refuses to know what jobs do and when they change.

import { stat } from 'node:fs/promises';
import { EventLog } from './event-log.ts';
import { hasEnded, JobError } from './job.ts';
import type { Job, JobEvent, NewJobEvent } from './job.ts';
import { JobFolders } from './job-folder.ts';
import type { JobFiles } from './job-folder.ts';

export interface BookLogger {
  error(message: string): void;
}

export class JobBook {
  readonly #folders: JobFolders;
  readonly #now: () => number;
  readonly #logger: BookLogger;
  /** By id, oldest first. */
  readonly #jobs = new Map<string, Job>();
  /** Of jobs that have not ended. */
  readonly #logs = new Map<string, Promise<EventLog>>();
  /** Records are written in the order in which they changed. */
  #saving: Promise<void> = Promise.resolve();

  constructor(folder: string, now: () => number, logger: BookLogger) {
    this.#folders = new JobFolders(folder);
    this.#now = now;
    this.#logger = logger;
  }
  async load(): Promise<void> {
    for (const job of await this.#folders.load((reason) => this.#logger.error(reason))) this.#jobs.set(job.id, job);
  }

  /** Oldest first. */
  all(): readonly Job[] {
    return [...this.#jobs.values()];
  }
  /** Throws JobError `unknown_job`. */
  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job)
      throw new JobError('unknown_job', `there is no fine-tuning job ${JSON.stringify(id.slice(0, 80))}; GET /v1/fine_tuning/jobs lists those that are there`);
    return job;
  }
  files(id: string): JobFiles {
    return this.#folders.of(id);
  }
  /** Whether its examples were made ready. */
  async isReady(id: string): Promise<boolean> {
    return stat(this.files(id).spec).then(
      () => true,
      () => false,
    );
  }
  /** The events so far, and those that come. Throws JobError `unknown_job`. */
  log(id: string): Promise<EventLog> {
    const ended = hasEnded(this.get(id));
    const log = this.#logs.get(id) ?? this.#openLog(id, ended);
    if (!ended) this.#logs.set(id, log);
    return log;
  }
  async events(id: string): Promise<readonly JobEvent[]> {
    return (await this.log(id)).all();
  }

  /** Rejects when it cannot be made to last, and leaves nothing. */
  async add(job: Job, ...told: readonly NewJobEvent[]): Promise<Job> {
    try {
      await this.#folders.save(job);
    } catch (error) {
      await this.#folders.remove(job.id).catch(() => undefined);
      throw error;
    }
    this.#jobs.set(job.id, job);
    await this.tell(job.id, ...told);
    return job;
  }
  /** At once in memory; resolves when it lasts, or when that has failed and was logged. */
  async change(id: string, change: Partial<Job>, ...told: readonly NewJobEvent[]): Promise<Job> {
    const job: Job = { ...this.get(id), ...change };
    const log = this.log(id);
    this.#jobs.set(id, job);
    for (const event of told) (await log).add(event);
    if (hasEnded(job)) {
      (await log).close();
      const lost = await (await log).settled();
      if (lost > 0 && this.#jobs.has(id)) this.#jobs.set(id, { ...this.get(id), eventsLost: lost });
      this.#logs.delete(id);
    }
    await this.#save(id);
    return job;
  }
  #openLog(id: string, closed: boolean): Promise<EventLog> {
    const { eventsLost: lost } = this.get(id);
    return EventLog.open({ job: id, file: this.files(id).events, now: this.#now, closed, lost, logger: this.#logger });
  }
  /** In memory alone: what changes with each step, and lasts by the checkpoints of the run. */
  set(job: Job): void {
    this.#jobs.set(job.id, job);
  }
  async tell(id: string, ...told: readonly NewJobEvent[]): Promise<void> {
    const log = await this.log(id);
    for (const event of told) log.add(event);
  }
  /** Removes what only a run needs. Never rejects: what cannot be removed is logged, and tried again at the next start. */
  async clear(id: string): Promise<void> {
    await this.#removing(id, this.#folders.clear(id));
  }
  /** Never rejects, like `clear`; a job whose folder is left is there again after the next start. */
  async remove(id: string): Promise<void> {
    const log = this.#logs.get(id);
    this.#jobs.delete(id);
    this.#logs.delete(id);
    if (log) (await log).close();
    await this.#removing(id, this.#folders.remove(id));
  }
  async #removing(id: string, done: Promise<void>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#logger.error(`files of fine-tuning job ${id} cannot be removed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  /** Everything lasts that was told so far. */
  async settled(): Promise<void> {
    for (const log of this.#logs.values()) await (await log).settled();
    await this.#saving;
  }

  #save(id: string): Promise<void> {
    this.#saving = this.#saveAfter(this.#saving, id);
    return this.#saving;
  }
  async #saveAfter(before: Promise<void>, id: string): Promise<void> {
    await before;
    const job = this.#jobs.get(id);
    try {
      if (job) await this.#folders.save(job);
    } catch (error) {
      this.#logger.error(`the record of fine-tuning job ${id} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
