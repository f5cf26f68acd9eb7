// Owns what a written relation path says: the facts walked, with their proofs, and what it leads to.
// Refuses to know how it was written.

import { sameTerm, termKey, termText } from '../../../graph/terms.ts';
import type { BaseName, EntityTerm, Path, Term } from '../../../graph/terms.ts';
import type { PathResult } from '../../../graph/store.ts';
import type { Proof } from '../../../graph/reason/types.ts';
import { pathText, provePath } from '../retrieve.ts';
import type { AnswerGraph } from '../retrieve.ts';
import type { PathArc } from './path-automaton.ts';
import { MOST_READ } from './offer.ts';
import type { Written } from './offer.ts';

export interface PathLimits {
  /** Ends of one path, and claims with proofs, at most. */
  readonly answers: number;
  readonly claims: number;
}
export interface Told {
  readonly path: Path;
  readonly answers: readonly Term[];
  readonly claims: readonly { readonly text: string; readonly proof: Proof }[];
}

/** A path that names what it passes is proved step by step; one of relations alone, for each of its ends. */
export async function tellPath(
  graph: AnswerGraph,
  base: BaseName,
  starts: readonly EntityTerm[],
  arcs: readonly PathArc<Written>[],
  limits: PathLimits,
  signal?: AbortSignal,
): Promise<Told> {
  const path = arcs.flatMap(({ meaning: { step } }) => (step ? [step] : []));
  const named = arcs.flatMap(({ meaning: { term } }) => (term ? [term] : []));
  const claims: { text: string; proof: Proof }[] = [];
  const claim = async (start: Term, steps: Path, result: PathResult): Promise<void> => {
    const proof = claims.length < limits.claims ? await provePath(graph, base, start, steps, result) : undefined;
    if (proof) claims.push({ text: `${termText(start)} ${pathText(steps)} ${termText(result.end)}`, proof });
  };
  if (named.length > 0) {
    for (const [i, step] of path.entries()) {
      // As many as were offered: the one that was chosen may be the last of them.
      const results = await graph.follow(base, named[i], [step], { limit: MOST_READ, signal });
      const result = results.find(({ end }) => sameTerm(end, named[i + 1]));
      if (result) await claim(named[i], [step], result);
    }
    return { path, answers: named.slice(-1), claims };
  }
  const answers = new Map<string, Term>();
  for (const start of starts)
    for (const result of await graph.follow(base, start, path, { limit: limits.answers, signal })) {
      answers.set(termKey(result.end), result.end);
      await claim(start, path, result);
    }
  return { path, answers: [...answers.values()].slice(0, limits.answers), claims };
}
