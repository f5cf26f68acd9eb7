// Owns running long work in slices, and the limits at which it stops.
// Refuses to know what the work is.

import type { Budget, BudgetLimit } from '../types.ts';

export interface RunResult {
  readonly complete: boolean;
  /** The limit that was reached; rows derived so far stay. */
  readonly limit?: BudgetLimit;
  readonly rounds: number;
}

/** Work ends here: a limit was reached. */
export class Tripped {
  readonly limit: BudgetLimit;
  constructor(limit: BudgetLimit) {
    this.limit = limit;
  }
}

/** Rows looked at between two pauses at most, but for those that one row leads to. */
const PAUSE = 50_000;
/** Milliseconds after which there is a pause in the midst of what one row leads to. */
const LONG = 20;
/** Counts the work of one run and watches its time. */
export class Meter {
  readonly #budget: Budget;
  readonly #now: () => number;
  #deadline = 0;
  /** Work at which to yield, wherever that is. */
  #pause = 0;
  /** When the last pause was known to be. */
  #since = 0;
  /** Rows looked at in this run. */
  work = 0;

  /** `now`: milliseconds. */
  constructor(budget: Budget, now: () => number) {
    this.#budget = budget;
    this.#now = now;
  }
  start(): void {
    this.work = 0;
    this.turned();
    this.#deadline = this.#since + this.#budget.ms;
  }
  /** A row is looked at. Throws Tripped. True: it is time to yield, even in the midst of what one row leads to. */
  count(): boolean {
    return (++this.work & 0x3fff) === 0 && this.check();
  }
  /** The same for who cannot yield: whoever looks at the next row is asked to. */
  countOnly(): void {
    if (this.count()) this.work--;
  }
  /** Before what may take long. Throws Tripped. True: it is time to yield. */
  check(): boolean {
    const now = this.#now();
    if (now > this.#deadline) throw new Tripped('ms');
    return now - this.#since > LONG;
  }
  /** Few rows may lead to many: is it time to yield? */
  due(): boolean {
    if (this.work < this.#pause) return false;
    this.turned();
    return true;
  }
  /** Others had their turn. */
  turned(): void {
    this.#pause = this.work + PAUSE;
    this.#since = this.#now();
  }
}

/** Turns of a loop between two pauses. */
const TURNS = 2_048;
/** The same where each turn is about a whole rule. */
export const RULE_TURNS = 64;
/** For a loop of short turns that look at no rows: is it time to yield? To be asked once a turn. `between`: turns between two pauses, a power of two. */
export function pauses(between = TURNS): () => boolean {
  let turns = 0;
  return () => (++turns & (between - 1)) === 0;
}

/** Runs to the end without a pause. */
export function runNow<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
/** Runs in slices of about `sliceMs`, letting other work of the process in between. Rejects with the signal's reason when it fires. */
export async function runSliced<T>(work: Generator<void, T>, signal?: AbortSignal, sliceMs = 10): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const until = performance.now() + sliceMs;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < until);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
