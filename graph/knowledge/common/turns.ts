// Owns giving others their turn during a long reading: once in some milliseconds the event loop goes round.
// Refuses to know what is read.

import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two turns. */
const SLICE = 10;

export class Turns {
  #since = performance.now();
  /** Resolves at once, or after others had their turn when it is time for that. Rejects with the signal's reason. */
  async give(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (performance.now() - this.#since < SLICE) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
