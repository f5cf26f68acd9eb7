// Owns the events of jobs: appended to a file each, read page by page or followed while they come.
// Refuses to know what they say.

import { appendFile, readFile } from 'node:fs/promises';
import type { JobEvent, NewJobEvent } from './job.ts';

/** Events of one job; beyond, figures of single steps are no longer kept, and at twice as many nothing is. */
const MOST_EVENTS = 5_000;

export interface LogOptions {
  readonly job: string;
  readonly file: string;
  readonly now: () => number;
  /** No more will come. */
  readonly closed: boolean;
  /** Events that could not be written before the job ended. */
  readonly lost?: number;
  readonly logger: { error(message: string): void };
}
export class EventLog {
  readonly #options: LogOptions;
  readonly #events: JobEvent[];
  /** Events that are in the file. */
  #written: number;
  /** What the file ends with may be no whole line. */
  #cut: boolean;
  #failing = false;
  #writing: Promise<void> = Promise.resolve();
  #listeners = new Set<() => void>();
  #closed: boolean;

  private constructor(options: LogOptions, events: JobEvent[], cut: boolean) {
    this.#options = options;
    this.#events = events;
    this.#written = events.length;
    this.#cut = cut;
    this.#closed = options.closed;
  }
  /** Lines that were cut off are left out, and those that were written again behind them count once. */
  static async open(options: LogOptions): Promise<EventLog> {
    const { job, file, logger, lost = 0 } = options;
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (!isMissing(error)) logger.error(`the events of fine-tuning job ${job} cannot be read: ${reasonOf(error)}`);
      return '';
    });
    const events = text.split('\n').flatMap((line): JobEvent[] => {
      try {
        return [JSON.parse(line) as JobEvent];
      } catch {
        return [];
      }
    });
    const once = [...new Map(events.map((event) => [event.id, event])).values()];
    const log = new EventLog(options, once, text !== '' && !text.endsWith('\n'));
    if (lost > 0) log.#written = log.#events.push(log.#event(warn(`${lost} events of this job could not be written and are missing here`)));
    return log;
  }

  /** Oldest first. */
  all(): readonly JobEvent[] {
    return this.#events;
  }
  add(event: NewJobEvent): void {
    const most = event.type === 'metrics' ? MOST_EVENTS : 2 * MOST_EVENTS;
    if (this.#events.length >= most) return;
    this.#events.push(this.#event(event));
    this.#writing = this.#writing.then(() => this.#write());
    this.#wake();
  }
  /** Everything that was added is in the file, or was tried. Resolves to how many events are not. */
  async settled(): Promise<number> {
    await this.#writing;
    if (this.#written < this.#events.length) await (this.#writing = this.#writing.then(() => this.#write()));
    return this.#events.length - this.#written;
  }
  close(): void {
    this.#closed = true;
    this.#wake();
  }
  /** Events behind the one of id `after`, or all, and those that come until the log is closed or the signal fires. */
  async *follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let at = after === undefined ? 0 : this.#events.findIndex(({ id }) => id === after) + 1;
    for (;;) {
      while (at < this.#events.length) yield this.#events[at++];
      if (this.#closed) return;
      await this.#more(signal);
    }
  }

  #event(event: NewJobEvent): JobEvent {
    const { job, now } = this.#options;
    return { id: `ftevent-${job.replace(/^ftjob-/, '')}-${this.#events.length}`, created: now(), ...event };
  }
  /** Appends what is not in the file yet; what cannot be is tried again with the next event. Never rejects: a job goes on without its log. */
  async #write(): Promise<void> {
    const { job, file, logger } = this.#options;
    const all = this.#events.length;
    if (this.#written === all) return;
    const lines = this.#events.slice(this.#written, all).map((event) => `${JSON.stringify(event)}\n`);
    try {
      await appendFile(file, (this.#cut ? '\n' : '') + lines.join(''));
      [this.#written, this.#cut, this.#failing] = [all, false, false];
    } catch (error) {
      this.#cut = true;
      if (this.#failing) return;
      this.#failing = true;
      const reason = reasonOf(error);
      logger.error(`events of fine-tuning job ${job} cannot be written: ${reason}`);
      this.#events.push(
        this.#event(warn(`Events cannot be written (${reason}); they are tried again with each that follows, and are lost if the service ends before`)),
      );
      this.#wake();
    }
  }
  async #more(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let [listener, leave]: [() => void, () => void] = [() => undefined, () => undefined];
    try {
      await new Promise<void>((resolve, reject) => {
        listener = resolve;
        leave = () => reject(signal.reason instanceof Error ? signal.reason : new Error('the reader left'));
        this.#listeners.add(listener);
        signal.addEventListener('abort', leave, { once: true });
      });
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', leave);
    }
  }
  #wake(): void {
    const waiting = this.#listeners;
    this.#listeners = new Set();
    for (const listener of waiting) listener();
  }
}

const warn = (message: string): NewJobEvent => ({ level: 'warn', type: 'message', message });
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
/** What went wrong, without where: paths are nobody's business. */
const reasonOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error));
