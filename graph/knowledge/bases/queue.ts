// Owns the order of writes: one after the other, at most so many waiting.
// Refuses to know what a write does.

import { KnowledgeError } from '../common/types.ts';

export class WriteQueue {
  readonly #limit: number;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }
  /** No task runs or waits. */
  get free(): boolean {
    return this.#waiting === 0;
  }
  /** Runs `task` after all tasks given before. Rejects with KnowledgeError `busy` when too many wait, unless it is `urgent`. */
  run<T>(task: () => Promise<T>, urgent = false): Promise<T> {
    if (!urgent && this.#waiting >= this.#limit)
      return Promise.reject(new KnowledgeError('busy', `${this.#waiting} writes are waiting for this knowledge base; try again later`));
    this.#waiting++;
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => void this.#waiting--,
      () => void this.#waiting--,
    );
    return result;
  }
  /** Resolves when all tasks given so far are done. */
  idle(): Promise<void> {
    return this.#tail;
  }
}
