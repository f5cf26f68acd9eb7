// Owns when encoders work: requests in turn, one step each, between the steps of generations.
// Refuses to know what a step is.

import { EngineError } from '../port.ts';
import type { EncoderAnswer } from './encoder.ts';

interface Work {
  step(): Promise<EncoderAnswer | undefined>;
}
export interface EncoderQueueLimits {
  /** Requests that are worked on in turn. */
  readonly slots: number;
  /** Requests that wait. */
  readonly queue: number;
}
/** Told once for each request that was not cancelled. */
export type Deliver = (id: number, outcome: { readonly answer: EncoderAnswer } | { readonly error: unknown }) => void;

export class EncoderQueue {
  readonly #limits: EncoderQueueLimits;
  readonly #deliver: Deliver;
  /** In the order in which they came; only the first `slots` have begun. */
  readonly #jobs = new Map<number, { readonly make: () => Work; work: Work | undefined }>();
  #closing = false;
  #loop: Promise<void> | undefined;
  #tokens = 0;

  constructor(limits: EncoderQueueLimits, deliver: Deliver) {
    this.#limits = limits;
    this.#deliver = deliver;
  }
  get running(): number {
    return Math.min(this.#jobs.size, this.#limits.slots);
  }
  get waiting(): number {
    return Math.max(0, this.#jobs.size - this.#limits.slots);
  }
  /** Of all answers given. */
  get promptTokens(): number {
    return this.#tokens;
  }

  /** `make` is called when its turn comes. Throws EngineError `queue_full` or `closed`. */
  submit(id: number, make: () => Work): void {
    if (this.#closing) throw new EngineError('closed', 'the engine is closing and takes no more requests');
    const { slots, queue } = this.#limits;
    if (this.#jobs.size >= slots + queue) throw new EngineError('queue_full', `${slots} requests to encoders are worked on and ${queue} wait, which is the limit; try again later`);
    this.#jobs.set(id, { make, work: undefined });
    this.#loop ??= this.#run();
  }

  /** Ends a request without a word; a step of it that is under way is thrown away. */
  cancel(id: number): boolean {
    return this.#jobs.delete(id);
  }

  /** Refuses what has not begun, lets the rest go on for `graceMs` at most, then ends it; resolves when no step is under way. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const [id, { work }] of this.#jobs) if (!work) this.#end(id, { error: new EngineError('closed', 'the engine closed before this request began') });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#loop ?? Promise.resolve(), late]);
    clearTimeout(timer);
    for (const id of this.#jobs.keys()) this.#end(id, { error: new EngineError('closed', `the engine closed; this request had ${graceMs} ms to finish`) });
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#jobs.size > 0) {
      let begun = 0;
      for (const [id, job] of Array.from(this.#jobs)) {
        if (begun++ >= this.#limits.slots) break;
        // Messages come in, and generations take their steps, in between.
        await new Promise(setImmediate);
        if (this.#jobs.get(id) !== job) continue;
        try {
          job.work ??= job.make();
          const answer = await job.work.step();
          if (answer && this.#jobs.get(id) === job) {
            this.#tokens += answer.promptTokens;
            this.#end(id, { answer });
          }
        } catch (error) {
          if (this.#jobs.get(id) === job) this.#end(id, { error });
        }
      }
    }
    // At once: whoever comes in the same turn must find that nobody works.
    this.#loop = undefined;
  }
  #end(id: number, outcome: Parameters<Deliver>[1]): void {
    this.#jobs.delete(id);
    this.#deliver(id, outcome);
  }
}
