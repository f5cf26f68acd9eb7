// Owns on which terms a request is served: whom it is for and how urgent it is, kept beside its lifetime. Every path hands the lifetime down to the engine, so that none can forget them.
// Refuses to know who says them, and what the engine does with them.

import type { Engine, Terms } from '../engine/port.ts';

const kept = new WeakMap<AbortSignal, Terms>();
export function setTerms(lifetime: AbortSignal, terms: Terms): void {
  kept.set(lifetime, terms);
}
const withTerms = <T extends Terms>(request: T, lifetime: AbortSignal | undefined): T => ({ ...(lifetime && kept.get(lifetime)), ...request });

/** The same engine; what is asked of it within a lifetime is asked on its terms. */
export const onTerms = (engine: Engine): Engine => ({
  models: () => engine.models(),
  generate: (request, signal) => engine.generate(withTerms(request, signal), signal),
  countTokens: (model, what) => engine.countTokens(model, what),
  embed: (request, signal) => engine.embed(withTerms(request, signal), signal),
  score: (request, signal) => engine.score(withTerms(request, signal), signal),
  statistics: () => engine.statistics(),
  library: engine.library,
  tokens: engine.tokens,
  close: (graceMs) => engine.close(graceMs),
});
