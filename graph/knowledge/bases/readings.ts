// Owns the order of what happens to one base: writes one after the other, and readings that no write cuts in two.
// Refuses to know what is written and read.

import { WriteQueue } from './queue.ts';
import { Raced } from '../common/raced.ts';

/** Readings begun beside writes before one keeps the writes waiting. */
const READINGS = 3;

/** What is read and written. All but `isOutdated` run while nothing else does. */
export interface Readable {
  /** It is not what it should be: the clock changed it, or a write failed in the middle. */
  isOutdated(): boolean;
  /** Repairs what a failed write left. */
  mend(): Promise<void>;
  /** Brings it up to the clock. */
  expire(): Promise<void>;
  /** Reads all of it again, from the store. */
  readAnew(): Promise<void>;
}

export class Readings {
  readonly #of: Readable;
  readonly #queue: WriteQueue;
  /** Set while a write or refresh is at work. */
  #writing: Promise<void> | undefined;
  #era = 0;

  constructor(pendingWrites: number, of: Readable) {
    this.#queue = new WriteQueue(pendingWrites);
    this.#of = of;
  }
  /** Grows when a write or refresh begins and when it ends. */
  get era(): number {
    return this.#era;
  }
  /** No write is at work or waits. */
  get free(): boolean {
    return this.#queue.free;
  }
  /** Resolves when all writes given so far are done. */
  settled(): Promise<void> {
    return this.#queue.idle();
  }
  /** Runs a change after all given before. Rejects with KnowledgeError `busy` when too many wait. */
  change<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(() => this.#alone(task));
  }
  async #alone<T>(task: () => Promise<T>): Promise<T> {
    const work = Promise.withResolvers<void>();
    this.#writing = work.promise;
    this.#era++;
    try {
      await this.#of.mend();
      return await task();
    } finally {
      this.#era++;
      this.#writing = undefined;
      work.resolve();
    }
  }
  /** Reads one version from beginning to end: reads again when a write came between, and in the end keeps the writes waiting. */
  async steady<T>(read: () => Promise<T>): Promise<T> {
    for (let i = 0; i < READINGS; i++) {
      if (this.#of.isOutdated()) break;
      if (this.#writing) await this.#writing;
      const era = this.#era;
      if (this.#writing) continue;
      try {
        const result = await read();
        if (this.#era === era) return result;
      } catch (error) {
        if (this.#era === era && !(error instanceof Raced)) throw error;
      }
    }
    return this.#queue.run(async () => {
      if (this.#of.isOutdated()) await this.#alone(() => this.#of.expire());
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof Raced)) throw error;
        // The store holds what was not written here: another process shares it.
        await this.#alone(() => this.#of.readAnew());
        return await read();
      }
    }, true);
  }
}
