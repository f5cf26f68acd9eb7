// Owns what a question is read as, and what of a graph is read for that.
// Refuses to know how questions are read, and what the answers are.

import type { BaseName, Entity, EntityId, Path, Term, Triple } from '../../../graph/terms.ts';
import type { PathResult, PathSummary, RelationSummary } from '../../../graph/store.ts';
import type { Language } from '../words/evidence.ts';
import type { Link, NameReader } from './link.ts';
import type { Kind } from './question.ts';

export interface QuestionGraph extends NameReader {
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]>;
  relations(base: BaseName): Promise<readonly RelationSummary[]>;
  paths(base: BaseName, start: Term, options: { readonly hops: number }): Promise<readonly PathSummary[]>;
  follow(base: BaseName, start: Term, path: Path, options?: { readonly limit?: number }): Promise<readonly PathResult[]>;
}
export interface Candidate {
  readonly start: Term;
  readonly path: Path;
  readonly score: number;
  /** Of a yes/no question: the triple that is asked about. */
  readonly target?: Triple;
}
export interface Interpretation {
  readonly language: Language;
  readonly kind: Kind;
  readonly links: readonly Link[];
  /** The noun after "which" or "what": what the answers are called. */
  readonly asked?: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** The first candidate is spoken of plainly enough to answer from it. */
  readonly confident: boolean;
}
