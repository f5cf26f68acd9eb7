// Owns who runs when: a bounded queue that is fair between clients, a fixed number of running sequences, those of each model in one pass.
// Refuses to know tensors, text and threads.

import { EngineError } from './port.ts';
import type { EngineLimits, EngineStatistics, Usage } from './port.ts';
import type { WireError, WireEvent } from './protocol.ts';
import { Batch } from './decoder/batch.ts';
import type { Outcome, PassCounts } from './decoder/batch.ts';
import { Outflow } from './outflow.ts';
import { FairQueue } from './queue.ts';
import type { Account, Turn } from './queue.ts';
import type { KvCache } from './decoder/kv-cache.ts';
import type { Runner } from './decoder/runner.ts';
import type { Sequence } from './decoder/sequence.ts';

/** Message of anything thrown, with EngineError's own code. */
export function describeError(error: unknown): WireError {
  if (error instanceof EngineError) return { code: error.code, message: error.message, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) };
  return { code: 'failed', message: error instanceof Error ? error.message : String(error) };
}

/** What a token that was written is charged, in tokens that were read: a pass reads many at once (weights of the paper, see queue.ts). */
const WRITTEN = 2;
/** Milliseconds that the prompts of one model may take in a round while others have work: a long prompt of a large model would hold up each token of a small one by a whole chunk. */
const SHARED_MS = 100;
/** Work that a generation was; what was remembered of another text is none. */
const workOf = ({ promptTokens, completionTokens, cachedTokens = 0 }: Usage): number => promptTokens - cachedTokens + WRITTEN * completionTokens;

export interface Submission extends Turn {
  /** When the request came, by performance.now(). */
  readonly since: number;
}
interface Waiting {
  readonly sequence: Sequence;
  readonly since: number;
}
interface Running extends Waiting {
  readonly begun: number;
  readonly account: Account;
  charged: number;
  /** When its first token was there. */
  first: number | undefined;
}

export class Scheduler {
  readonly #limits: EngineLimits;
  /** Told what happened, after each step and each change of who runs. */
  readonly #deliver: (events: readonly WireEvent[]) => void;
  /** Has somebody else work for the thread? */
  readonly #pressed: () => boolean;
  readonly #running = new Map<number, Running>();
  readonly #waiting = new Map<number, Waiting>();
  /** Ids of those that wait. */
  readonly #queue = new FairQueue<number>();
  readonly #outflow = new Outflow();
  readonly #batches = new WeakMap<Runner, Batch>();
  readonly #passes: PassCounts = { total: 0, sequences: 0, guessedTokens: 0, acceptedTokens: 0 };
  /** Tokens that each had written before the pass. */
  #before = new Map<Sequence, number>();
  #promptTokens = 0;
  #generatedTokens = 0;
  #closing = false;
  #loop: Promise<void> | undefined;

  constructor(limits: EngineLimits, deliver: (events: readonly WireEvent[]) => void, pressed: () => boolean = () => false) {
    this.#limits = limits;
    this.#deliver = deliver;
    this.#pressed = pressed;
  }

  statistics(): EngineStatistics {
    return {
      running: this.#running.size,
      waiting: this.#waiting.size,
      promptTokens: this.#promptTokens,
      generatedTokens: this.#generatedTokens,
      slots: { used: this.#running.size, total: this.#limits.slots },
      passes: { ...this.#passes },
    };
  }

  /** Bytes reserved for what a model remembers of the texts that run. */
  bytesOf(runner: Runner): number {
    let bytes = this.#batches.get(runner)?.bytes ?? 0;
    for (const { sequence } of this.#running.values()) if (sequence.runner === runner) bytes += sequence.bytes;
    return bytes;
  }

  /**
   * Takes a request on. `make` is called only when there is room: where the queue is full, one of a client that has more waiting gives way, and is ended with an error. Throws EngineError
   * `queue_full`, `closed`, or what `make` throws.
   */
  submit(id: number, make: () => Sequence, { since, ...turn }: Submission): void {
    if (this.#closing) throw new EngineError('closed', 'the engine is closing and takes no more requests');
    const full = this.#running.size >= this.#limits.slots && this.#waiting.size >= this.#limits.queue;
    const victim = full ? this.#queue.displaced(turn) : undefined;
    if (full && victim === undefined) throw this.#full('try again later');
    const sequence = make();
    const events = victim === undefined ? [] : this.#displace(victim);
    this.#waiting.set(id, { sequence, since });
    this.#queue.put(id, turn);
    this.#deliver([...events, ...this.#admit()]);
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
    });
  }

  /** Ends a request without a word. Its slot is free at once; a step of it that is under way is thrown away. */
  cancel(id: number): void {
    if (this.#waiting.delete(id)) this.#queue.delete(id);
    this.#deliver(this.#release(id));
  }

  /** Refuses what waits, lets what runs go on for `graceMs` at most, then ends it; resolves when no step is under way. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#queue.clear();
    this.#refuse(this.#waiting, 'the engine closed before this request began');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([this.#loop ?? Promise.resolve(), late]);
    clearTimeout(timer);
    this.#refuse(this.#running, `the engine closed; this generation had ${graceMs} ms to finish`);
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#running.size > 0) {
      // One round over those that run now: whoever comes in the meantime waits for the next, so that no stream of short requests can hold up a long one.
      const models = new Map<Runner, Sequence[]>();
      for (const { sequence } of this.#running.values()) {
        const beside = models.get(sequence.runner);
        if (beside) beside.push(sequence);
        else models.set(sequence.runner, [sequence]);
      }
      for (const [runner, sequences] of models) {
        this.#before = new Map(sequences.map((sequence) => [sequence, sequence.usage.completionTokens]));
        try {
          const ms = models.size > 1 || this.#pressed() ? SHARED_MS : Number.POSITIVE_INFINITY;
          for await (const outcomes of this.#batchOf(runner).step(sequences, this.#limits.prefillChunk, ms)) this.#pass(outcomes);
        } catch (error) {
          // Between passes, where memory for them is made. Those of other models know nothing of it.
          this.#pass(sequences.map((sequence) => ({ sequence, error })));
        }
      }
    }
  }
  #batchOf(runner: Runner): Batch {
    let batch = this.#batches.get(runner);
    if (!batch) this.#batches.set(runner, (batch = new Batch(runner, this.#limits.guesses, this.#passes)));
    return batch;
  }

  /** Tells what a pass brought those that still run. */
  #pass(outcomes: readonly Outcome[]): void {
    const ids = new Map(Array.from(this.#running, ([id, { sequence }]) => [sequence, id]));
    const events: WireEvent[] = [];
    for (const outcome of outcomes) {
      const { sequence } = outcome;
      const id = ids.get(sequence);
      const running = id === undefined ? undefined : this.#running.get(id);
      if (id === undefined || !running) continue;
      const { usage } = sequence;
      this.#charge(running, usage);
      if ('error' in outcome) {
        events.push({ id, kind: 'error', ...describeError(outcome.error) }, ...this.#release(id));
        continue;
      }
      const { text, tokens, told, parts = [], finish } = outcome.progress;
      if (!sequence.reads) running.first ??= performance.now();
      this.#generatedTokens += usage.completionTokens - (this.#before.get(sequence) ?? 0);
      this.#before.set(sequence, usage.completionTokens);
      if (text !== '' || tokens?.length || told) events.push({ id, kind: 'delta', text, ...(tokens?.length ? { tokens } : {}), ...(told ? { told } : {}), usage });
      for (const part of parts) events.push(part.kind === 'delta' ? { id, ...part, usage } : { id, kind: 'part', part, usage });
      if (!finish) continue;
      events.push({ id, kind: 'finish', reason: finish, usage, ...(sequence.stop === undefined ? {} : { stop: sequence.stop }), times: timesOf(running) }, ...this.#release(id));
    }
    if (events.length > 0) this.#deliver(events);
  }
  #charge(running: Running, usage: Usage): void {
    const work = workOf(usage);
    running.account.charge(work - running.charged);
    running.charged = work;
  }

  #admit(): WireEvent[] {
    const events: WireEvent[] = [];
    while (this.#running.size < this.#limits.slots) {
      const taken = this.#queue.take();
      const waiting = taken && this.#waiting.get(taken.item);
      if (!waiting) break;
      const { item: id, account } = taken;
      this.#waiting.delete(id);
      // Its prompt counts at once, so that the next to be taken is another client's.
      const running: Running = { ...waiting, begun: performance.now(), account, charged: 0, first: undefined };
      this.#running.set(id, running);
      this.#charge(running, waiting.sequence.usage);
      this.#promptTokens += waiting.sequence.promptTokens;
      events.push({ id, kind: 'begun' });
    }
    return events;
  }
  #release(id: number): WireEvent[] {
    const running = this.#running.get(id);
    if (!running) return [];
    this.#running.delete(id);
    this.#outflow.ended();
    running.account.end();
    this.#free(running.sequence);
    return this.#closing ? [] : this.#admit();
  }
  #free(sequence: Sequence): void {
    let beside: KvCache | undefined;
    try {
      beside = this.#batches.get(sequence.runner)?.leave(sequence);
    } catch {
      // There is no memory for a copy: the text is not remembered.
    }
    sequence.release(beside);
  }
  #displace(id: number): WireEvent[] {
    this.#queue.delete(id);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) this.#free(waiting.sequence);
    return [{ id, kind: 'error', ...describeError(this.#full('this one was the newest of the client that had most of them, and gave way; try again later')) }];
  }
  #full(what: string): EngineError {
    const { slots, queue } = this.#limits;
    return new EngineError('queue_full', `${slots} generations run and ${queue} wait, which is the limit; ${what}`, { retryAfter: this.#outflow.retryAfter() });
  }
  #refuse(sequences: Map<number, Waiting>, message: string): void {
    const events: WireEvent[] = [...sequences.keys()].map((id) => ({ id, kind: 'error', code: 'closed', message }));
    for (const { sequence } of sequences.values()) this.#free(sequence);
    sequences.clear();
    this.#deliver(events);
  }
}

function timesOf({ since, begun, first, sequence }: Running): Extract<WireEvent, { kind: 'finish' }>['times'] {
  const now = performance.now();
  return { queued: begun - since, prefill: (first ?? now) - begun, decode: sequence.usage.completionTokens > 0 ? now - (first ?? now) : 0 };
}
