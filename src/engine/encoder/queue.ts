// Owns when encoders work: one step after the other, between the steps of generations; whose step is next by the same fair order as generations begin in, so that requests with much to read hold up
// no other client's.
// Refuses to know what a step is.

import { EngineError } from '../port.ts';
import { Outflow } from '../outflow.ts';
import { FairQueue } from '../queue.ts';
import type { Turn } from '../queue.ts';
import type { EncoderAnswer } from './encoder.ts';

interface Work {
  /** What was done so far, in tokens. */
  readonly done: number;
  step(): Promise<EncoderAnswer | undefined>;
}
export interface EncoderQueueLimits {
  /** Requests of one client that are worked on in turn. */
  readonly slots: number;
  /** Requests that wait, where one client is worked for; requests of other clients that are worked on take their places. */
  readonly queue: number;
}
/** Told once for each request that was not cancelled. */
export type Deliver = (id: number, outcome: { readonly answer: EncoderAnswer } | { readonly error: unknown }) => void;

interface Waiting {
  readonly make: () => Work;
  readonly turn: Turn;
}
interface Job extends Waiting {
  work: Work | undefined;
}

export class EncoderQueue {
  readonly #limits: EncoderQueueLimits;
  readonly #deliver: Deliver;
  /** Those that are worked on, a step each in turn. */
  readonly #jobs = new Map<number, Job>();
  readonly #waiting = new Map<number, Waiting>();
  /** How many of each client are worked on. */
  readonly #ofClient = new Map<string, number>();
  /** Ids of those that are worked on and wait for a step. */
  readonly #steps = new FairQueue<number>();
  /** Ids of those that wait to be worked on. */
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
    if (this.#jobs.size + this.#waiting.size >= this.#limits.slots + this.#limits.queue) {
      const victim = this.#queue.displaced(turn);
      if (victim === undefined) throw this.#full('try again later');
      this.#leave(victim);
      this.#deliver(victim, { error: this.#full('this one was the newest of the client that had most of them, and gave way; try again later') });
    }
    this.#waiting.set(id, { make, turn });
    this.#queue.put(id, turn);
    this.#fill(turn.client);
    this.#loop ??= this.#run();
  }
  #full(what: string): EngineError {
    return new EngineError('queue_full', `${this.#jobs.size} requests to encoders are worked on and ${this.#waiting.size} wait, which is the limit; ${what}`, { retryAfter: this.#outflow.retryAfter() });
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
    for (;;) {
      // Messages come in, and generations take their steps, in between.
      await new Promise(setImmediate);
      const taken = this.#steps.take();
      const job = taken && this.#jobs.get(taken.item);
      if (!job) break;
      const { item: id, account } = taken;
      const before = job.work?.done ?? 0;
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
      account.charge(Math.max(1, (job.work?.done ?? 0) - before));
      account.end();
      if (this.#jobs.get(id) === job) this.#steps.put(id, job.turn);
    }
    // At once: whoever comes in the same turn must find that nobody works.
    this.#loop = undefined;
  }
  #fill(client: string): void {
    while (!this.#closing && (this.#ofClient.get(client) ?? 0) < this.#limits.slots) {
      const id = this.#queue.takeOf(client);
      const waiting = id === undefined ? undefined : this.#waiting.get(id);
      if (id === undefined || !waiting) return;
      this.#waiting.delete(id);
      this.#jobs.set(id, { ...waiting, work: undefined });
      this.#ofClient.set(client, (this.#ofClient.get(client) ?? 0) + 1);
      this.#steps.put(id, waiting.turn);
    }
  }
  #leave(id: number): void {
    if (this.#waiting.delete(id)) this.#queue.delete(id);
    const job = this.#jobs.get(id);
    if (!job) return;
    const { client } = job.turn;
    this.#jobs.delete(id);
    this.#steps.delete(id);
    const count = (this.#ofClient.get(client) ?? 0) - 1;
    if (count > 0) this.#ofClient.set(client, count);
    else this.#ofClient.delete(client);
    this.#outflow.ended();
    this.#fill(client);
  }
  #end(id: number, outcome: Parameters<Deliver>[1]): void {
    this.#leave(id);
    this.#deliver(id, outcome);
  }
}
