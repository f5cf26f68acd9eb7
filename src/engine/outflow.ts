// Owns how soon there will be room where there is none: how fast requests end, and what was promised to those who were refused.
// Refuses to know what ends, and who is refused.

/** Ends from which the rate is taken, and how old they may be. */
const MOST_ENDS = 64;
const RECENT_MS = 60_000;
/** Longer is promised to nobody: clients that keep to `Retry-After` at all do not do so for more than a minute. */
const LONGEST_MS = 60_000;

export class Outflow {
  readonly #ends: number[] = [];
  /** Until when places that come free are promised. */
  #promised = 0;

  /** `now`: milliseconds of a clock that never goes back, here and below. */
  ended(now: number = performance.now()): void {
    this.#ends.push(now);
    if (this.#ends.length > MOST_ENDS) this.#ends.shift();
  }
  /** Milliseconds between two ends, the time since the last one included; undefined: too few are known. */
  interval(now: number = performance.now()): number | undefined {
    const recent = this.#ends.filter((end) => now - end <= RECENT_MS);
    return recent.length < 2 ? undefined : (now - recent[0]) / (recent.length - 1);
  }
  /** Whole seconds after which one that is refused now is likely to find room, at least 1: each is told the next place that comes free, so that they do not come back all at once. 1 where nothing is known. */
  retryAfter(now: number = performance.now()): number {
    const interval = this.interval(now);
    if (interval === undefined) return 1;
    this.#promised = Math.min(Math.max(now, this.#promised) + interval, now + LONGEST_MS);
    return Math.max(1, Math.ceil((this.#promised - now) / 1000));
  }
}
