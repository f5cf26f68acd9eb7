// Owns stop strings: where a growing text ends, and how much of it may already be shown.
// Refuses to know tokens.

/** Finds the first stop string in text that comes in pieces, wherever the pieces are cut. */
export class StopMatcher {
  readonly #stops: readonly string[];
  /** The stop string itself is text as well. */
  readonly #included: boolean;
  #held = '';
  #matched: string | undefined;

  /** Empty strings are left out. */
  constructor(stops: readonly string[], included = false) {
    this.#included = included;
    this.#stops = stops.filter((stop) => stop !== '');
  }
  get stopped(): boolean {
    return this.#matched !== undefined;
  }
  /** The stop string that ended the text. */
  get matched(): string | undefined {
    return this.#matched;
  }

  /** Text that is now certain to come before any stop string. What follows a stop string is never given, nor is the stop string, where it is not included. */
  push(text: string): string {
    if (this.stopped) return '';
    if (this.#stops.length === 0) return text;
    const all = this.#held + text;
    let first = -1;
    for (const stop of this.#stops) {
      // One that ends in what was passed ends nothing.
      const at = all.indexOf(stop, Math.max(0, this.#held.length - stop.length + 1));
      if (at < 0 || (first >= 0 && at >= first)) continue;
      first = at;
      this.#matched = stop;
    }
    if (first < 0) return this.#hold(all);
    this.#held = '';
    return all.slice(0, first + (this.#included ? (this.#matched ?? '').length : 0));
  }
  /** Text that no stop string ends: one may still begin in it. */
  pass(text: string): string {
    return this.#stops.length === 0 ? text : this.#hold(this.#held + text);
  }
  #hold(all: string): string {
    let keep = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, all.length); length > keep; length--) {
        if (all.endsWith(stop.slice(0, length))) keep = length;
      }
    }
    this.#held = all.slice(all.length - keep);
    return all.slice(0, all.length - keep);
  }

  /** The text is over: what was held back for a stop string that did not come. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
