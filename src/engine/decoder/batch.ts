// Owns the passes of the sequences of one model: those that write go through the graph side by side, and each joins and leaves when it likes; prompts are read in chunks between.
// Refuses to know queues, and what sequences make of their logits.

import type { JointSources } from './feeds.ts';
import type { KvCache } from './kv-cache.ts';
import type { EngineStatistics } from '../port.ts';
import { LEAST_TOKENS } from './prefix-cache.ts';
import type { Runner, RunnerState } from './runner.ts';
import type { Progress } from './outgoing.ts';
import type { Sequence } from './sequence.ts';

/** New tokens of a sequence in a pass over several: what is known already, such as a name that must follow, is shown a few tokens at a time. */
const MOST_TOGETHER = 8;
/** Tokens of a prompt that are read at once, however long they take: each pass costs much besides its tokens. */
const LEAST_CHUNK = 16;
/** What a guessed token counts for beside one that is certain. */
const GUESSED = 0.7;

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
  /** Of what encoders read for them; undefined where there are none. */
  #joint: JointSources | undefined;
  /** By column. */
  #side: (Sequence | undefined)[] = [];
  /** Reads next. */
  #turn = 0;
  /** Milliseconds a token of the last chunk that was read; before the first, nothing is counted on. */
  #pace = Number.POSITIVE_INFINITY;

  /** `guesses`: tokens that may be guessed for one sequence in a pass. `counts` is counted on. */
  constructor(runner: Runner, guesses: number, counts: PassCounts) {
    this.#runner = runner;
    this.#guesses = guesses;
    this.#counts = counts;
  }

  /** Bytes reserved for what sequences side by side remember. */
  get bytes(): number {
    return (this.#cache?.bytes ?? 0) + (this.#joint?.bytes ?? 0);
  }

  /** One pass over those that write, and chunks of the prompts of those that read: `chunk` tokens, in turns, or fewer where those would take more than `ms`. Each outcome comes as soon as it is known. */
  async *step(sequences: readonly Sequence[], chunk: number, ms = Number.POSITIVE_INFINITY): AsyncGenerator<readonly Outcome[]> {
    const reading = sequences.filter((sequence) => sequence.reads);
    const writing = sequences.filter((sequence) => !sequence.reads);
    if (writing.length > 0) yield* this.#write(writing, chunk);
    for (let budget = this.#tokensIn(ms, chunk), i = 0; budget > 0 && i < reading.length; i++) {
      const sequence = reading[this.#turn++ % reading.length];
      // It may have been ended while another was read.
      if (sequence.released) continue;
      if (!sequence.begun) {
        if (this.#waits(sequence, reading)) continue;
        try {
          sequence.begin(this.#beside(sequence, sequences));
        } catch (error) {
          yield [{ sequence, error }];
          continue;
        }
      }
      const [left, computed] = [sequence.left, this.#runner.computedMs];
      const outcome = await this.#alone(sequence, budget, 0);
      const read = left - sequence.left;
      budget -= read;
      if (read >= LEAST_CHUNK && !sequence.released) this.#pace = (this.#runner.computedMs - computed) / read;
      yield [outcome];
    }
  }
  #tokensIn(ms: number, most: number): number {
    return ms === Number.POSITIVE_INFINITY ? most : Math.min(most, Math.max(LEAST_CHUNK, Math.floor(ms / this.#pace)));
  }

  /** Is a text being read whose beginning, as yet unread, is its own, too? Choices of one prompt wait for the first of them. */
  #waits(sequence: Sequence, reading: readonly Sequence[]): boolean {
    if (!this.#runner.canRewind || !sequence.mayShare) return false;
    return reading.some((other) => other.begun && !other.released && commonLength(other.prompt, sequence.prompt) >= Math.max(LEAST_TOKENS, other.prompt.length - other.left + LEAST_TOKENS));
  }
  /** The longest beginning that a text which is being read or written has seen. */
  #beside(sequence: Sequence, sequences: readonly Sequence[]): { readonly length: number; copy(): RunnerState } | undefined {
    if (!this.#runner.canRewind || !sequence.mayShare) return undefined;
    let best: { readonly length: number; copy(): RunnerState } | undefined;
    for (const other of sequences) {
      if (other === sequence || !other.begun || other.released) continue;
      const column = this.#side.indexOf(other);
      const cache = column >= 0 && this.#cache ? this.#cache : other.begin().cache;
      const length = Math.min(cache.shared(sequence.prompt, Math.max(0, column)), sequence.prompt.length - 1);
      if (length >= LEAST_TOKENS && length > (best?.length ?? 0)) best = { length, copy: () => ({ cache: cache.copy(length, Math.max(0, column)), replaced: [] }) };
    }
    return best;
  }

  /** Lets a sequence go. Returns what is remembered of it, as a copy, where it was beside others. */
  leave(sequence: Sequence): KvCache | undefined {
    const column = this.#side.indexOf(sequence);
    if (column < 0) return undefined;
    this.#side[column] = undefined;
    const cache = this.#cache;
    // Nobody may come for long, and the room is that of the longest text for each.
    if (!this.#side.some((each) => each !== undefined)) this.#clear();
    return cache?.copy(cache.length(column), column);
  }

  async *#write(writing: readonly Sequence[], chunk: number): AsyncGenerator<readonly Outcome[]> {
    const { together, canRewind } = this.#runner;
    if (writing.length === 1 || together === 0) {
      this.#part();
      for (const sequence of writing) if (!sequence.released) yield [await this.#alone(sequence, chunk, canRewind ? this.#guesses : 0)];
      return;
    }
    const cache = this.#gather(writing);
    const side = [...this.#side];
    const most = this.#length(writing, cache.columns, Math.min(together, MOST_TOGETHER), canRewind ? this.#guesses : 0);
    const failed: Outcome[] = [];
    const fed = side.map((sequence) => {
      try {
        return sequence?.plan(most, Math.max(0, Math.min(this.#guesses, most - sequence.left)));
      } catch (error) {
        if (sequence) failed.push({ sequence, error });
        return undefined;
      }
    });
    if (failed.length > 0) yield failed;
    if (fed.every((each) => each === undefined)) return;
    try {
      const rows = await this.#runner.forwardAll(cache, fed, this.#sources(side));
      this.#count(writing.length);
      yield side.flatMap((sequence, column) => (sequence && !sequence.released ? [this.#took(sequence, rows[column], cache, column)] : []));
    } catch (error) {
      yield side.flatMap((sequence) => (sequence ? [{ sequence, error }] : []));
    }
  }
  /** New tokens of each at which the pass brings most for its cost: who has fewer is padded, and costs as much. */
  #length(writing: readonly Sequence[], columns: number, most: number, guesses: number): number {
    const lefts = writing.map(({ left }) => left);
    const guessed = writing.map((sequence, i) => (lefts[i] < most && guesses > 0 ? sequence.guessable(Math.min(guesses, most - lefts[i])) : 0));
    let [best, length] = [0, 1];
    for (let n = 1; n <= most; n++) {
      const brought = lefts.reduce((sum, left, i) => sum + Math.min(n, left) + GUESSED * Math.min(Math.max(0, n - left), guessed[i]), 0);
      const worth = brought / (this.#runner.overhead + columns * n);
      if (worth > best) [best, length] = [worth, n];
    }
    return length;
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
    this.#clear();
  }
  #clear(): void {
    [this.#cache, this.#joint, this.#side] = [undefined, undefined, []];
  }
  /** What encoders read for these, put together anew when others stand side by side. */
  #sources(side: readonly (Sequence | undefined)[]): JointSources | undefined {
    const sources = side.map((sequence) => sequence?.source);
    if (sources.every((source) => source === undefined)) return undefined;
    const known = this.#joint?.sources;
    if (!this.#joint || known?.length !== sources.length || sources.some((source, i) => source !== known[i])) this.#joint = this.#runner.join(sources);
    return this.#joint;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
