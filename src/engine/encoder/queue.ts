// Owns when encoders work: requests in turn, one step each, between the steps of generations; who waits is next by the same fair order as generations are.
// Refuses to know what a step is.

import { EngineError } from '../port.ts';
import { Outflow } from '../outflow.ts';
import { FairQueue } from '../queue.ts';
import type { Account, Turn } from '../queue.ts';
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

interface Job {
  readonly make: () => Work;
  work: Work | undefined;
  readonly account: Account;
}

export class EncoderQueue {
  readonly #limits: EncoderQueueLimits;
  readonly #deliver: Deliver;
  /** Those that are worked on, a step each in turn. */
  readonly #jobs = new Map<number, Job>();
  readonly #waiting = new Map<number, () => Work>();
  /** Ids of those that wait. */
  readonly #queue = new FairQueue<number>();
  readonly #outflow = new Outflow();
  #closing = false;
  #loop: Promise<void> | undefined;
  #tokens = 0;

  constructor(limits: EncoderQueueLimits, deliver: Deliver) {
    this.#limits = limits;
    this.#deliver = deliver;
  }
  get running(): number {
    return this.#jobs.size;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  /** Of all answers given. */
  get promptTokens(): number {
    return this.#tokens;
  }

  /** `make` is called when its turn comes. Where there is no room, one of a client that has more waiting gives way. Throws EngineError `queue_full` or `closed`. */
  submit(id: number, make: () => Work, turn: Turn): void {
    if (this.#closing) throw new EngineError('closed', 'the engine is closing and takes no more requests');
    if (this.#jobs.size >= this.#limits.slots && this.#waiting.size >= this.#limits.queue) {
      const victim = this.#queue.displaced(turn);
      if (victim === undefined) throw this.#full('try again later');
      this.#leave(victim);
      this.#deliver(victim, { error: this.#full('this one was the newest of the client that had most of them, and gave way; try again later') });
    }
    this.#waiting.set(id, make);
    this.#queue.put(id, turn);
    this.#fill();
    this.#loop ??= this.#run();
  }
  #full(what: string): EngineError {
    return new EngineError('queue_full', `${this.#limits.slots} requests to encoders are worked on and ${this.#limits.queue} wait, which is the limit; ${what}`, { retryAfter: this.#outflow.retryAfter() });
  }

  /** Ends a request without a word; a step of it that is under way is thrown away. */
  cancel(id: number): boolean {
    const known = this.#jobs.has(id) || this.#waiting.has(id);
    this.#leave(id);
    return known;
  }

  /** Refuses what has not begun, lets the rest go on for `graceMs` at most, then ends it; resolves when no step is under way. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const late = [...this.#waiting.keys(), ...Array.from(this.#jobs).flatMap(([id, { work }]) => (work ? [] : [id]))];
    for (const id of late) this.#end(id, { error: new EngineError('closed', 'the engine closed before this request began') });
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#loop ?? Promise.resolve(), over]);
    clearTimeout(timer);
    for (const id of this.#jobs.keys()) this.#end(id, { error: new EngineError('closed', `the engine closed; this request had ${graceMs} ms to finish`) });
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#jobs.size > 0) {
      for (const [id, job] of Array.from(this.#jobs)) {
        // Messages come in, and generations take their steps, in between.
        await new Promise(setImmediate);
        if (this.#jobs.get(id) !== job) continue;
        try {
          job.work ??= job.make();
          const answer = await job.work.step();
          if (answer && this.#jobs.get(id) === job) {
            this.#tokens += answer.promptTokens;
            job.account.charge(answer.promptTokens);
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
  #fill(): void {
    while (!this.#closing && this.#jobs.size < this.#limits.slots) {
      const taken = this.#queue.take();
      const make = taken && this.#waiting.get(taken.item);
      if (!make) return;
      this.#waiting.delete(taken.item);
      // One for having a turn; the texts are counted when they are known.
      taken.account.charge(1);
      this.#jobs.set(taken.item, { make, work: undefined, account: taken.account });
    }
  }
  #leave(id: number): void {
    if (this.#waiting.delete(id)) this.#queue.delete(id);
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#jobs.delete(id);
    job.account.end();
    this.#outflow.ended();
    this.#fill();
  }
  #end(id: number, outcome: Parameters<Deliver>[1]): void {
    this.#leave(id);
    this.#deliver(id, outcome);
  }
}
