// Owns mining a small graph to the end without limits that matter, beside a naive count of the same facts.
// Refuses to know what is asked of the rules that are found.

import { FactGraph } from '../../graph/induce/graph.ts';
import { mine } from '../../graph/induce/miner.ts';
import type { MineOptions, MineResult } from '../../graph/induce/miner.ts';
import { Words } from '../../graph/induce/words.ts';
import type { Triple } from '../../graph/terms.ts';
import { NaiveFacts } from './naive-induction.ts';

/** Rules of every relation with one condition, all that there are. */
export const EVERYTHING: Omit<MineOptions, 'relations'> = {
  length: 1,
  constants: true,
  vacuous: [],
  thresholds: { support: 1, confidence: 0, pcaConfidence: 0, headCoverage: 0 },
  ms: 60_000,
  rules: 1_000_000,
  candidates: 1_000_000,
  pairs: 10_000,
  edges: 1_000_000,
  passes: 3,
  seed: 1,
  clock: () => 0,
};
export function mineAll(graph: FactGraph, options: Partial<MineOptions> = {}): MineResult {
  const mining = mine(graph, { ...EVERYTHING, relations: Array.from({ length: graph.relations }, (_, i) => i), ...options });
  for (;;) {
    const next = mining.next();
    if (next.done) return next.value;
  }
}

export interface MinedWorld {
  readonly facts: NaiveFacts;
  readonly words: Words;
  readonly graph: FactGraph;
}
/** `values`: with the order of literals, for bounds. */
export function minedWorld(triples: readonly Triple[], values = false): MinedWorld {
  const words = new Words();
  for (const triple of triples) words.add(triple);
  return { facts: new NaiveFacts(triples), words, graph: new FactGraph(words.columns(values)) };
}
