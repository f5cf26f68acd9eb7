// Owns the events of jobs: appended to a file each, read page by page or followed while they come.
// Refuses to know what they say.

import { appendFile, readFile, truncate } from 'node:fs/promises';
import type { JobEvent, NewJobEvent } from './job.ts';

/** Events of one job; beyond, figures of single steps are no longer kept, and at twice as many nothing is. */
const MOST_EVENTS = 5_000;

export class EventLog {
  readonly #file: string;
  readonly #job: string;
  readonly #now: () => number;
  readonly #events: JobEvent[];
  #writing: Promise<void> = Promise.resolve();
  #listeners = new Set<() => void>();
  #closed: boolean;

  private constructor(job: string, file: string, now: () => number, events: JobEvent[], closed: boolean) {
    this.#job = job;
    this.#file = file;
    this.#now = now;
    this.#events = events;
    this.#closed = closed;
  }
  /** `closed`: no more will come. A last line that was cut off is removed. */
  static async open(job: string, file: string, now: () => number, closed: boolean): Promise<EventLog> {
    const text = await readFile(file, 'utf8').catch(() => '');
    const whole = text.lastIndexOf('\n') + 1;
    if (whole < text.length) await truncate(file, Buffer.byteLength(text.slice(0, whole))).catch(() => undefined);
    const lines = text.slice(0, whole).split('\n').slice(0, -1);
    const events = lines.flatMap((line): JobEvent[] => {
      try {
        return [JSON.parse(line) as JobEvent];
      } catch {
        return [];
      }
    });
    return new EventLog(job, file, now, events, closed);
  }

  /** Oldest first. */
  all(): readonly JobEvent[] {
    return this.#events;
  }
  add(event: NewJobEvent): void {
    const most = event.type === 'metrics' ? MOST_EVENTS : 2 * MOST_EVENTS;
    if (this.#events.length >= most) return;
    const whole: JobEvent = { id: `ftevent-${this.#job.replace(/^ftjob-/, '')}-${this.#events.length}`, created: this.#now(), ...event };
    this.#events.push(whole);
    this.#writing = this.#writing.then(() => appendFile(this.#file, `${JSON.stringify(whole)}\n`)).catch(() => undefined);
    this.#wake();
  }
  /** Everything that was added is in the file. */
  settled(): Promise<void> {
    return this.#writing;
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
