// Owns the state of every base in use, who is told of changes, and the time between opening and closing.
// Refuses to know what is read and written.

import type { BaseName } from '../../terms.ts';
import { BaseState } from './base.ts';
import type { BaseContext } from './base.ts';
import { KnowledgeError } from '../common/types.ts';
import type { ChangeEvent } from '../common/types.ts';

/** Bases without facts and rules whose empty state is kept. */
const EMPTY_STATES = 256;
const VALIDITY_CHECK_MS = 60_000;

export class States {
  readonly #context: BaseContext;
  readonly #states = new Map<BaseName, Promise<BaseState>>();
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  #open = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: Omit<BaseContext, 'emit'>) {
    this.#context = { ...context, emit: (event) => this.#emit(event) };
  }

  open(): void {
    this.#open = true;
    this.#timer = setInterval(() => void this.#watchClock(), VALIDITY_CHECK_MS).unref();
  }
  /** Refuses what comes after and waits for writes at work. False when it was not open. */
  async close(): Promise<boolean> {
    if (!this.#open) return false;
    this.#open = false;
    clearInterval(this.#timer);
    for (const state of await Promise.allSettled(this.#states.values())) if (state.status === 'fulfilled') await state.value.settled();
    this.#states.clear();
    this.#listeners.clear();
    return true;
  }
  /** Calls `listener` with what each write changed, before the write resolves. Returns the way to end it. */
  subscribe(listener: (event: ChangeEvent) => void): () => void {
    this.assertOpen();
    // The same function given twice is told twice, and ends one at a time.
    const own = (event: ChangeEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
  /** Throws KnowledgeError `closed`. */
  assertOpen(): void {
    if (!this.#open) throw new KnowledgeError('closed', 'the knowledge graph is not open; call open() first, and nothing after close()');
  }
  #emit(event: ChangeEvent): void {
    for (const listener of this.#listeners)
      try {
        listener(event);
      } catch (error) {
        // The write is durable, whatever a listener makes of it.
        process.emitWarning(error instanceof Error ? error : new Error(String(error)));
      }
  }

  /** Reads one version of a base. */
  read<T>(base: BaseName, read: (state: BaseState) => Promise<T>): Promise<T> {
    return this.use(base, (state) => state.steady(() => read(state)));
  }
  /** Works with the one state of a base. */
  async use<T>(base: BaseName, work: (state: BaseState) => Promise<T>): Promise<T> {
    for (;;) {
      this.assertOpen();
      const loading = this.#states.get(base) ?? this.#load(base);
      const state = await loading;
      // Empty states are forgotten when there are many: two must never stand for one base.
      if (this.#states.get(base) !== loading) continue;
      state.users++;
      try {
        this.assertOpen();
        return await work(state);
      } finally {
        state.users--;
        if (state.idle && this.#states.size > EMPTY_STATES) this.#states.delete(base);
      }
    }
  }
  #load(base: BaseName): Promise<BaseState> {
    const loading = BaseState.load(base, this.#context);
    this.#states.set(base, loading);
    // What could not be read is tried again at the next call.
    loading.catch(() => this.#states.delete(base));
    return loading;
  }
  async #watchClock(): Promise<void> {
    for (const loading of this.#states.values()) {
      const state = await loading.catch(() => undefined);
      // A failure here is found again, and reported, by the next call.
      if (state && this.#open && state.watch.next <= this.#context.now()) await state.steady(async () => undefined).catch(() => undefined);
    }
  }
}
