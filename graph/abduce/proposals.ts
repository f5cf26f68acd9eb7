// Owns the order in which sets of assumptions are tried.
// Refuses to know where they come from.

import type { Environment, Ids } from './environments.ts';

/** Proposals to be tried, each once: those of fewest assumptions first, then the cheapest. */
export class Proposals {
  readonly #cost: (ids: Ids) => number;
  readonly #seen = new Set<string>();
  readonly #open: { readonly environment: Environment; readonly cost: number }[] = [];
  constructor(cost: (ids: Ids) => number) {
    this.#cost = cost;
  }
  add(environment: Environment): void {
    const key = `${environment.assumed.join()}|${environment.absent.join()}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const entry = { environment, cost: this.#cost(environment.assumed) };
    const before = (other: typeof entry): boolean =>
      other.environment.assumed.length - environment.assumed.length > 0 ||
      (other.environment.assumed.length === environment.assumed.length && other.cost > entry.cost);
    // The best stands last; among equals, the one that came first.
    let [low, high] = [0, this.#open.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.#open[middle])) low = middle + 1;
      else high = middle;
    }
    this.#open.splice(low, 0, entry);
  }
  take(): Environment | undefined {
    return this.#open.pop()?.environment;
  }
}
