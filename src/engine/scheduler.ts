// Owns who runs when: a bounded queue, a fixed number of running sequences, those of each model in one pass.
// Refuses to know tensors, text and threads.

import { EngineError } from './port.ts';
import type { EngineErrorCode, EngineLimits, EngineStatistics } from './port.ts';
import type { WireEvent } from './protocol.ts';
import { Batch } from './batch.ts';
import type { Outcome, PassCounts } from './batch.ts';
import type { Runner } from './runner.ts';
import type { Sequence } from './sequence.ts';

/** Message of anything thrown, with EngineError's own code. */
export function describeError(error: unknown): { readonly code: EngineErrorCode; readonly message: string } {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  return { code: 'failed', message: error instanceof Error ? error.message : String(error) };
}

export class Scheduler {
  readonly #limits: EngineLimits;
  /** Told what happened, after each step and each change of who runs. */
  readonly #deliver: (events: readonly WireEvent[]) => void;
  readonly #running = new Map<number, Sequence>();
  readonly #waiting = new Map<number, Sequence>();
  readonly #batches = new WeakMap<Runner, Batch>();
  readonly #passes: PassCounts = { total: 0, sequences: 0, guessedTokens: 0, acceptedTokens: 0 };
  /** Tokens that each had written before the pass. */
  #before = new Map<Sequence, number>();
  #promptTokens = 0;
  #generatedTokens = 0;
  #closing = false;
  #loop: Promise<void> | undefined;

  constructor(limits: EngineLimits, deliver: (events: readonly WireEvent[]) => void) {
    this.#limits = limits;
    this.#deliver = deliver;
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

  /** Takes a request on. `make` is called only when there is room. Throws EngineError `queue_full`, `closed`, or what `make` throws. */
  submit(id: number, make: () => Sequence): void {
    if (this.#closing) throw new EngineError('closed', 'the engine is closing and takes no more requests');
    if (this.#running.size >= this.#limits.slots && this.#waiting.size >= this.#limits.queue)
      throw new EngineError('queue_full', `${this.#limits.slots} generations run and ${this.#limits.queue} wait, which is the limit; try again later`);
    this.#waiting.set(id, make());
    this.#admit();
    this.#deliver([]);
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
    });
  }

  /** Ends a request without a word. Its slot is free at once; a step of it that is under way is thrown away. */
  cancel(id: number): void {
    this.#waiting.delete(id);
    this.#release(id);
    this.#deliver([]);
  }

  /** Refuses what waits, lets what runs go on for `graceMs` at most, then ends it; resolves when no step is under way. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
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
      for (const sequence of this.#running.values()) {
        const beside = models.get(sequence.runner);
        if (beside) beside.push(sequence);
        else models.set(sequence.runner, [sequence]);
      }
      for (const [runner, sequences] of models) {
        this.#before = new Map(sequences.map((sequence) => [sequence, sequence.usage.completionTokens]));
        for await (const outcomes of this.#batchOf(runner).step(sequences, this.#limits.prefillChunk)) this.#pass(outcomes);
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
    const ids = new Map(Array.from(this.#running, ([id, sequence]) => [sequence, id]));
    const events: WireEvent[] = [];
    for (const outcome of outcomes) {
      const { sequence } = outcome;
      const id = ids.get(sequence);
      if (id === undefined) continue;
      if ('error' in outcome) {
        this.#release(id);
        events.push({ id, kind: 'error', ...describeError(outcome.error) });
        continue;
      }
      const { text, tokens, parts = [], finish } = outcome.progress;
      this.#generatedTokens += sequence.usage.completionTokens - (this.#before.get(sequence) ?? 0);
      this.#before.set(sequence, sequence.usage.completionTokens);
      if (text !== '' || tokens?.length) events.push({ id, kind: 'delta', text, ...(tokens?.length ? { tokens } : {}) });
      for (const part of parts) events.push(part.kind === 'delta' ? { id, ...part } : { id, kind: 'part', part });
      if (!finish) continue;
      this.#release(id);
      events.push({ id, kind: 'finish', reason: finish, usage: sequence.usage, ...(sequence.stop === undefined ? {} : { stop: sequence.stop }) });
    }
    if (events.length > 0) this.#deliver(events);
  }

  #admit(): void {
    for (const [id, sequence] of this.#waiting) {
      if (this.#running.size >= this.#limits.slots) return;
      this.#waiting.delete(id);
      this.#running.set(id, sequence);
      this.#promptTokens += sequence.promptTokens;
    }
  }
  #release(id: number): void {
    const sequence = this.#running.get(id);
    if (!sequence) return;
    this.#running.delete(id);
    sequence.release(this.#batches.get(sequence.runner)?.leave(sequence));
    if (!this.#closing) this.#admit();
  }
  #refuse(sequences: Map<number, Sequence>, message: string): void {
    const events: WireEvent[] = [...sequences.keys()].map((id) => ({ id, kind: 'error', code: 'closed', message }));
    for (const sequence of sequences.values()) sequence.release(this.#batches.get(sequence.runner)?.leave(sequence));
    sequences.clear();
    this.#deliver(events);
  }
}
