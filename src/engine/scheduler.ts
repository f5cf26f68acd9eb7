// Owns who runs when: a bounded queue, a fixed number of running sequences, one step each in turn.
// Refuses to know tensors, text and threads.

import { EngineError } from './port.ts';
import type { EngineErrorCode, EngineLimits, EngineStatistics } from './port.ts';
import type { WireEvent } from './protocol.ts';
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
      for (const [id, sequence] of Array.from(this.#running)) {
        if (this.#running.get(id) === sequence) await this.#step(id, sequence);
      }
    }
  }

  async #step(id: number, sequence: Sequence): Promise<void> {
    const written = sequence.usage.completionTokens;
    try {
      const { text, tokens, finish } = await sequence.step(this.#limits.prefillChunk);
      this.#generatedTokens += sequence.usage.completionTokens - written;
      if (this.#running.get(id) !== sequence) return;
      const events: WireEvent[] = text === '' && !tokens?.length ? [] : [{ id, kind: 'delta', text, ...(tokens?.length ? { tokens } : {}) }];
      if (finish) {
        this.#release(id);
        events.push({ id, kind: 'finish', reason: finish, usage: sequence.usage });
      }
      if (events.length > 0) this.#deliver(events);
    } catch (error) {
      if (this.#running.get(id) !== sequence) return;
      this.#release(id);
      this.#deliver([{ id, kind: 'error', ...describeError(error) }]);
    }
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
    sequence.release();
    if (!this.#closing) this.#admit();
  }
  #refuse(sequences: Map<number, Sequence>, message: string): void {
    const events: WireEvent[] = [...sequences.keys()].map((id) => ({ id, kind: 'error', code: 'closed', message }));
    for (const sequence of sequences.values()) sequence.release();
    sequences.clear();
    this.#deliver(events);
  }
}
