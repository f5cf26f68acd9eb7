// Owns where a text ends, as its request asks: which tokens and strings end it, what of them stays in it, and how many tokens come first.
// Refuses to know what is written.

import type { GenerateRequest } from '../port.ts';

export interface Ending {
  /** Tokens by which the model ends texts, and constraints let them end. */
  readonly own: ReadonlySet<number>;
  /** Tokens that end this text. */
  readonly ends: ReadonlySet<number>;
  /** Those of them whose own text stays in it. */
  readonly shown: ReadonlySet<number>;
  readonly stops: readonly string[];
  /** A stop string that ended the text stays in it. */
  readonly stopShown: boolean;
  /** Tokens before the first end or stop string. */
  readonly least: number;
}

/** `own`: the ends of the model, for a text of this kind. `read`: a reader finds the parts of the text, and the model's ends are among its marks. */
export function endingOf({ sampling, stop }: Pick<GenerateRequest, 'sampling' | 'stop'>, own: ReadonlySet<number>, read: boolean): Ending {
  const { minTokens = 0, ignoreEos = false, stopTokens = [], includeStop = false } = sampling;
  const ends = ignoreEos ? new Set(stopTokens) : stopTokens.length > 0 ? new Set([...own, ...stopTokens]) : own;
  const shown = includeStop ? (read ? new Set(stopTokens.filter((token) => !own.has(token))) : ends) : new Set<number>();
  return { own, ends, shown, stops: stop, stopShown: includeStop, least: minTokens };
}
