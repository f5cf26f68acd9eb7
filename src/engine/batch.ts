// Owns the passes of the sequences of one model: those that write go through the graph side by side, and each joins and leaves when it likes; prompts are read in chunks between.
// Refuses to know queues, and what sequences make of their logits.

import type { KvCache } from './kv-cache.ts';
import type { EngineStatistics } from './port.ts';
import type { Runner } from './runner.ts';
import type { Progress, Sequence } from './sequence.ts';

/** New tokens of a sequence in a pass over several: what is known already, such as a name that must follow, is shown a few tokens at a time. */
const MOST_TOGETHER = 8;
/** Tokens of a pass, guessed ones among them: on a processor more of them cost more. */
const GUESSED_PASS = 24;

/** As in EngineStatistics. */
export type PassCounts = { -readonly [Name in keyof NonNullable<EngineStatistics['passes']>]: number };
/** What a pass brought a sequence. */
export type Outcome = { readonly sequence: Sequence } & ({ readonly progress: Progress } | { readonly error: unknown });

export class Batch {
  readonly #runner: Runner;
  readonly #guesses: number;
  readonly #counts: PassCounts;
  /** What the sequences side by side remember; undefined while one writes at most. */
  #cache: KvCache | undefined;
  /** By column. */
  #side: (Sequence | undefined)[] = [];
  /** Reads next. */
  #turn = 0;

  /** `guesses`: tokens that may be guessed for one sequence in a pass. `counts` is counted on. */
  constructor(runner: Runner, guesses: number, counts: PassCounts) {
    this.#runner = runner;
    this.#guesses = guesses;
    this.#counts = counts;
  }

  /** One pass over those that write, and chunks of the prompts of those that read: `chunk` tokens, in turns. Each outcome comes as soon as it is known. */
  async *step(sequences: readonly Sequence[], chunk: number): AsyncGenerator<readonly Outcome[]> {
    const reading = sequences.filter((sequence) => sequence.reads);
    const writing = sequences.filter((sequence) => !sequence.reads);
    if (writing.length > 0) yield* this.#write(writing, chunk);
    for (let budget = chunk, i = 0; budget > 0 && i < reading.length; i++) {
      const sequence = reading[this.#turn++ % reading.length];
      // It may have been ended while another was read.
      if (sequence.released) continue;
      const before = sequence.left;
      yield [await this.#alone(sequence, Math.min(chunk, budget), 0)];
      budget -= before - sequence.left;
    }
  }

  /** Lets a sequence go. Returns what is remembered of it, as a copy, where it was beside others. */
  leave(sequence: Sequence): KvCache | undefined {
    const column = this.#side.indexOf(sequence);
    if (column < 0) return undefined;
    this.#side[column] = undefined;
    return this.#cache?.copy(this.#cache.length(column), column);
  }

  async *#write(writing: readonly Sequence[], chunk: number): AsyncGenerator<readonly Outcome[]> {
    const { together, canRewind } = this.#runner;
    if (writing.length === 1 || together === 0) {
      this.#part();
      for (const sequence of writing) if (!sequence.released) yield [await this.#alone(sequence, chunk, canRewind ? this.#guesses : 0)];
      return;
    }
    const cache = this.#gather(writing);
    const most = Math.min(together, MOST_TOGETHER);
    const guesses = canRewind ? Math.min(this.#guesses, most - 1, Math.floor(GUESSED_PASS / writing.length) - 1) : 0;
    const side = [...this.#side];
    const fed = side.map((sequence) => sequence?.plan(most, guesses));
    try {
      const rows = await this.#runner.forwardAll(cache, fed);
      this.#count(writing.length);
      yield side.flatMap((sequence, column) => (sequence && !sequence.released ? [this.#took(sequence, rows[column], cache, column)] : []));
    } catch (error) {
      yield side.flatMap((sequence) => (sequence ? [{ sequence, error }] : []));
    }
  }
  async #alone(sequence: Sequence, chunk: number, guesses: number): Promise<Outcome> {
    try {
      const state = sequence.begin();
      const { tokens, wanted } = sequence.plan(chunk, guesses);
      const rows = await this.#runner.forward(state, tokens, wanted);
      this.#count(1);
      return this.#took(sequence, rows, state.cache, 0);
    } catch (error) {
      return { sequence, error };
    }
  }
  #count(sequences: number): void {
    this.#counts.total++;
    this.#counts.sequences += sequences;
  }
  #took(sequence: Sequence, rows: readonly Float32Array[], cache: KvCache, column: number): Outcome {
    try {
      const { progress, guessed, undone } = sequence.take(rows);
      this.#counts.guessedTokens += guessed;
      this.#counts.acceptedTokens += guessed - undone;
      if (undone > 0) cache.truncate(cache.length(column) - undone, column);
      return { sequence, progress };
    } catch (error) {
      return { sequence, error };
    }
  }

  /** Puts all that write side by side, in as many columns as there are of them, or the next power of two: a pass over empty ones costs, and so does moving. */
  #gather(writing: readonly Sequence[]): KvCache {
    const present = new Set(writing);
    this.#side.forEach((sequence, column) => {
      if (sequence && present.has(sequence)) return;
      this.#side[column] = undefined;
      this.#cache?.truncate(0, column);
    });
    const columns = 2 ** Math.ceil(Math.log2(writing.length));
    if (!this.#cache || columns > this.#cache.columns || columns * 2 < this.#cache.columns) {
      const cache = this.#runner.batch(columns);
      const side: (Sequence | undefined)[] = Array.from({ length: columns }, () => undefined);
      let next = 0;
      this.#side.forEach((sequence, column) => {
        if (!sequence) return;
        cache.put(this.#cache as KvCache, next, this.#cache?.length(column), column);
        side[next++] = sequence;
      });
      [this.#cache, this.#side] = [cache, side];
    }
    for (const sequence of writing) {
      if (this.#side.includes(sequence)) continue;
      const column = this.#side.indexOf(undefined);
      const { cache } = sequence.begin();
      this.#cache.put(cache, column);
      cache.free();
      this.#side[column] = sequence;
    }
    return this.#cache;
  }
  /** Gives each its own memory back. */
  #part(): void {
    this.#side.forEach((sequence, column) => {
      if (sequence && this.#cache) sequence.begin().cache.put(this.#cache, 0, this.#cache.length(column), column);
    });
    this.#side = [];
    this.#cache = undefined;
  }
}
