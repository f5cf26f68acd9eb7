// Owns finished answers: bounded in bytes, and dropped exactly when a write touches what they were made from.
// Refuses to know how an answer is made, what it looks like and how the graph is read.

import { LRUCache } from 'lru-cache';
import type { BaseName } from '../../../graph/terms.ts';
import { DependencyIndex, indexBytes, touches } from './reverse-index.ts';
import { mayConcern } from './dependencies.ts';
import type { ChangeEvent, Dependencies, Doubt } from './dependencies.ts';
import type { AnswerStatistics } from '../port.ts';

export interface AnswerCacheOptions<V> {
  /** Bytes of keys, values and dependency rows together, estimated; 0 keeps nothing. An entry larger than this is not kept. */
  readonly maxBytes: number;
  /** Bytes of one value. Default: two for each character of its JSON text. */
  readonly sizeOf?: (value: V) => number;
  /**
   * Reads again what a write may have changed: what the answer depends on now if it would be made the same, else undefined.
   * Default: none, so that any doubt counts as a change. `signal` is that of the lookup; it is to bound its own time.
   */
  readonly settle?: (kept: Kept<V>, signal?: AbortSignal) => Promise<Dependencies | undefined>;
}

/** An answer and what it was made from. */
export interface Kept<V> {
  readonly value: V;
  readonly dependencies: Dependencies;
}

/** One computation under way. Made by `begin` or `enter`, ended by `end`, always. */
export interface Computation {
  readonly base: BaseName;
  /** Writes of the base that had been announced when it began. */
  readonly generation: number;
}
export type Entrance<V> = { readonly kind: 'hit'; readonly value: V } | { readonly kind: 'miss'; readonly computation: Computation };

interface Entry<V> extends Kept<V> {
  readonly key: string;
  readonly bytes: number;
  /** Every write up to this one is known not to matter. */
  generation: number;
}

/** Writes remembered for a base: answers older than the oldest are read again without asking whether a write was near. */
const REMEMBERED_WRITES = 1024;
const REMEMBERED_TRIPLES = 16_384;
/** Comparisons of doubts with changed triples in one lookup; beyond it reading again is cheaper. */
const COMPARISONS = 4096;
/** Times that a lookup starts over because the base was written meanwhile. */
const ATTEMPTS = 3;
const ENTRY_BYTES = 512;

const weigh = ({ added, removed }: ChangeEvent): number => added.length + removed.length;

/** What the cache knows of one base: its index, and its latest writes as long as someone may ask for them. */
class BaseState<V> {
  readonly index = new DependencyIndex<Entry<V>>();
  readonly computations = new Set<Computation>();
  entries = 0;
  generation = 0;
  #log: ChangeEvent[] = [];
  #weight = 0;

  get idle(): boolean {
    return this.entries === 0 && this.computations.size === 0;
  }
  record(event: ChangeEvent): void {
    this.generation++;
    this.#log.push(event);
    this.#weight += weigh(event);
    let gone = 0;
    while (gone < this.#log.length && (this.#log.length - gone > REMEMBERED_WRITES || this.#weight > REMEMBERED_TRIPLES)) this.#weight -= weigh(this.#log[gone++]);
    if (gone > 0) this.#log.splice(0, gone);
  }
  /** The writes after `generation`; undefined when some are forgotten. */
  since(generation: number): readonly ChangeEvent[] | undefined {
    const count = this.generation - generation;
    return count > this.#log.length ? undefined : this.#log.slice(this.#log.length - count);
  }
}

/**
 * Least recently used answers, kept until a write touches what they depend on.
 *
 * The key is text that holds everything that changes the answer beside the graph: base, question, model, sampling, limits.
 * Facts, patterns, rules and entities that an answer names are indexed: `invalidate` drops the answers it touches, at a cost that follows the write and
 * not the size of the cache. What a write only may have changed (a search by name, the paths from a place, a derivation) is settled at the next
 * lookup by reading it again: the answer stays when it would be made the same. So a kept answer always equals a new one.
 */
export class AnswerCache<V extends object> {
  readonly #sizeOf: (value: V) => number;
  readonly #settle: AnswerCacheOptions<V>['settle'];
  readonly #entries: LRUCache<string, Entry<V>> | undefined;
  readonly #bases = new Map<BaseName, BaseState<V>>();
  readonly #flights = new Map<string, { readonly computation: Computation; readonly done: Promise<void>; readonly finish: () => void }>();
  #hits = 0;
  #misses = 0;
  #invalidated = 0;

  constructor({ maxBytes, sizeOf, settle }: AnswerCacheOptions<V>) {
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) throw new RangeError(`maxBytes is ${maxBytes}; give a whole number of bytes, 0 or more`);
    this.#sizeOf = sizeOf ?? ((value) => 2 * JSON.stringify(value).length);
    this.#settle = settle;
    if (maxBytes > 0) this.#entries = new LRUCache<string, Entry<V>>({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes, dispose: (entry) => this.#forget(entry) });
  }

  statistics(): AnswerStatistics {
    return { hits: this.#hits, misses: this.#misses, invalidated: this.#invalidated, entries: this.#entries?.size ?? 0, bytes: this.#entries?.calculatedSize ?? 0 };
  }

  /** The kept answer, if no write since may have changed it. An answer in doubt is not given, and stays for `find` to settle. */
  get(key: string): V | undefined {
    const entry = this.#entries?.get(key);
    const value = entry && this.#pending(entry).length === 0 ? entry.value : undefined;
    return this.#count(value);
  }

  /** The kept answer, after reading again what writes since may have changed. */
  async find(key: string, signal?: AbortSignal): Promise<V | undefined> {
    return this.#count(await this.#find(key, signal));
  }

  /**
   * The kept answer, or the right to compute it. Of several callers with one key the first computes and the others wait for it once; a caller whose
   * wait brought nothing (the first failed, or its answer was not kept) computes on its own. Rejects with the signal's reason when that aborts the wait.
   */
  async enter(base: BaseName, key: string, signal?: AbortSignal): Promise<Entrance<V>> {
    let value = await this.#find(key, signal);
    const flight = value === undefined ? this.#flights.get(key) : undefined;
    if (flight) {
      await abortable(flight.done, signal);
      value = await this.#find(key, signal);
    }
    if (this.#count(value) !== undefined) return { kind: 'hit', value: value as V };
    return { kind: 'miss', computation: this.begin(base, key) };
  }

  /** Starts a computation whose answer `put` may keep: every write from now on counts against it. With `key`, `enter` lets equal callers wait for it. */
  begin(base: BaseName, key?: string): Computation {
    const state = this.#state(base);
    const computation: Computation = { base, generation: state.generation };
    state.computations.add(computation);
    if (key !== undefined && this.#entries && !this.#flights.has(key)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#flights.set(key, { computation, done: promise, finish: resolve });
    }
    return computation;
  }

  /** Ends a computation, kept or not. Ending twice is harmless. */
  end(computation: Computation): void {
    const state = this.#bases.get(computation.base);
    if (!state?.computations.delete(computation)) return;
    for (const [key, flight] of this.#flights)
      if (flight.computation === computation) {
        this.#flights.delete(key);
        flight.finish();
      }
    if (state.idle) this.#bases.delete(computation.base);
  }

  /**
   * Keeps an answer. False when it was not kept: a write since `begin` touched what it was made from (or too many writes to tell),
   * it is larger than the cache, its dependencies are another base's, or the computation has ended.
   */
  put(computation: Computation, key: string, value: V, dependencies: Dependencies): boolean {
    const state = this.#bases.get(computation.base);
    if (!this.#entries || !state?.computations.has(computation) || dependencies.base !== computation.base) return false;
    const events = state.since(computation.generation);
    if (!events || events.some((event) => touches(dependencies, event))) return false;
    return this.#keep(state, this.#entry(key, value, dependencies, computation.generation));
  }

  /** Takes note of a write; drops every answer that depends on what it changed. Returns how many. */
  invalidate(event: ChangeEvent): number {
    const state = this.#bases.get(event.base);
    if (!state) return 0;
    const touched = state.index.touched(event);
    // Recorded first: dropping the last entry of an idle base forgets the base.
    state.record(event);
    for (const { key } of touched) this.#entries?.delete(key);
    this.#invalidated += touched.size;
    return touched.size;
  }

  clear(): void {
    this.#entries?.clear();
  }

  async #find(key: string, signal?: AbortSignal): Promise<V | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = this.#entries?.get(key);
      const state = entry && this.#bases.get(entry.dependencies.base);
      if (!entry || !state) return undefined;
      const { generation } = state;
      if (this.#pending(entry).length === 0) return entry.value;
      const settled = await this.#settle?.(entry, signal);
      if (this.#entries?.peek(key) !== entry) continue;
      if (!settled) {
        this.#entries.delete(key);
        this.#invalidated++;
        return undefined;
      }
      this.#keep(state, this.#entry(key, entry.value, settled, generation));
      if (state.generation === generation) return entry.value;
    }
    return undefined;
  }

  /** The doubts that writes since the entry's generation may concern; an entry that none concerns is brought up to date. */
  #pending(entry: Entry<V>): readonly Doubt[] {
    const state = this.#bases.get(entry.dependencies.base);
    const { doubts } = entry.dependencies;
    if (!state || state.generation === entry.generation) return [];
    const events = state.since(entry.generation);
    const triples = events?.reduce((sum, event) => sum + weigh(event) + 1, 0) ?? Infinity;
    if (!events || triples * doubts.length > COMPARISONS) return doubts;
    const pending = doubts.filter((doubt) => events.some((event) => mayConcern(doubt, event)));
    if (pending.length === 0) entry.generation = state.generation;
    return pending;
  }

  #entry(key: string, value: V, dependencies: Dependencies, generation: number): Entry<V> {
    return { key, value, dependencies, generation, bytes: ENTRY_BYTES + 2 * key.length + this.#sizeOf(value) + indexBytes(dependencies) };
  }
  #keep(state: BaseState<V>, entry: Entry<V>): boolean {
    // Counted before it is set: setting may evict the base's last other entry, which must not forget the base.
    state.entries++;
    this.#entries?.set(entry.key, entry);
    const kept = this.#entries?.peek(entry.key) === entry;
    if (kept) state.index.add(entry, entry.dependencies);
    else this.#release(state, entry.dependencies.base);
    return kept;
  }
  #forget(entry: Entry<V>): void {
    const state = this.#bases.get(entry.dependencies.base);
    if (!state) return;
    state.index.remove(entry, entry.dependencies);
    this.#release(state, entry.dependencies.base);
  }
  #release(state: BaseState<V>, base: BaseName): void {
    state.entries--;
    if (state.idle) this.#bases.delete(base);
  }
  #state(base: BaseName): BaseState<V> {
    let state = this.#bases.get(base);
    if (!state) this.#bases.set(base, (state = new BaseState<V>()));
    return state;
  }
  #count(value: V | undefined): V | undefined {
    if (value === undefined) this.#misses++;
    else this.#hits++;
    return value;
  }
}

/** The promise, or a rejection with the signal's reason if that comes first. */
export async function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal?.reason instanceof Error ? signal.reason : new DOMException('The wait was aborted', 'AbortError'));
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    // Raced even when it is too late: what the promise comes to must not go unheard.
    return await Promise.race([aborted, promise]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
