// Owns what a question is read as, and what of a graph is read for that.
// Refuses to know how questions are read, and what the answers are.

import type { BaseName, Entity, EntityId, Fact, Path, RelationName, Term, Triple, TriplePattern } from '../../../graph/terms.ts';
import type { MatchOptions, Page, PathResult, PathSummary, RelationSummary } from '../../../graph/store.ts';
import type { Language } from '../words/evidence.ts';
import type { Link, NameReader } from './link.ts';
import type { Kind } from './question.ts';

export interface QuestionGraph extends NameReader {
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]>;
  relations(base: BaseName): Promise<readonly RelationSummary[]>;
  paths(base: BaseName, start: Term, options: { readonly hops: number }): Promise<readonly PathSummary[]>;
  follow(base: BaseName, start: Term, path: Path, options?: { readonly limit?: number }): Promise<readonly PathResult[]>;
  match(base: BaseName, pattern: TriplePattern, options?: MatchOptions): Promise<Page<Fact>>;
}
/** A stretch of the question that names what the graph does not know. */
export interface Stranger {
  readonly start: number;
  readonly end: number;
  /** Empty where it cannot be told how far the name goes; absent where it is the name that was found, and something else about it is not known. */
  readonly name?: string;
}
export interface Candidate {
  readonly start: Term;
  readonly path: Path;
  readonly score: number;
  /** Terms from which the path is walked as well: the dates of one year. */
  readonly others?: readonly Term[];
  /** Of a yes/no question: the triples that are asked about, which all have to hold. */
  readonly targets?: readonly Triple[];
}
/** "Which countries": those whose entity is said to be of a type called so, if any is. "Which chemists", where the graph says by `relation` who is one: those of which it does, and those of such a type. `some`: these alone. */
export type Wanted =
  | { readonly kind: 'type'; readonly names: readonly string[] }
  | { readonly kind: 'some'; readonly ids: readonly EntityId[] }
  | { readonly kind: 'class'; readonly names: readonly string[]; readonly relation: RelationName; readonly quality: EntityId };
export interface Interpretation {
  readonly language: Language;
  readonly kind: Kind;
  readonly links: readonly Link[];
  /** What the answers have to be, beside being reached. */
  readonly wanted?: Wanted;
  /** What is asked about in place of the names that were found. */
  readonly stranger?: Stranger;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** The first candidate is spoken of plainly enough to answer from it. */
  readonly confident: boolean;
}
