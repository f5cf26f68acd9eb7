// Owns the GraphStore port: what every graph database behind Pharos must be able to do.
// Refuses to know which one it is: differences are capability flags. Adapters: embedded/, neo4j/.

import type { Alias, BaseName, Entity, EntityId, Fact, FactId, Path, Relation, RelationName, Statement, Term, TriplePattern } from './terms.ts';

/** One change of a transaction. Changes are applied in order; all or none become durable. */
export type Change =
  /** Already stored with the same triple, validity, source and confidence: counted as known, nothing written. The same triple, validity and source with another
   *  confidence: the old fact is retracted and a new one recorded. */
  | { readonly kind: 'assert'; readonly statement: Statement }
  /** Retracts every live fact that matches (kept for as-of queries). */
  | { readonly kind: 'withdraw'; readonly pattern: TriplePattern; readonly source?: string }
  | { readonly kind: 'entity'; readonly entity: { readonly id: EntityId; readonly label?: string; readonly aliases?: readonly Alias[]; readonly types?: readonly string[] } }
  | { readonly kind: 'relation'; readonly relation: Relation }
  /** `document` is opaque to the store: the rule set's JSON text. An absent document deletes the rule. */
  | { readonly kind: 'rule'; readonly id: string; readonly document?: string };

export interface Commit {
  /** Version of the base after this transaction: grows by one with each transaction that changed something. */
  readonly version: number;
  readonly added: readonly Fact[];
  readonly known: number;
  readonly withdrawn: readonly Fact[];
}

export interface MatchOptions {
  /** At most this many facts (default 100). */
  readonly limit?: number;
  /** Continue after this cursor (from a previous page). */
  readonly cursor?: string;
  /** Transaction time: the facts as they were recorded at this instant. Default: now. */
  readonly asOf?: string;
  /** World time: only facts valid at this instant. Default: no filter. */
  readonly validAt?: string;
  readonly minConfidence?: number;
  readonly signal?: AbortSignal;
}
export interface Page<T> {
  readonly items: readonly T[];
  /** Present when there is more. */
  readonly cursor?: string;
}

export interface EntityHit {
  readonly entity: Entity;
  /** The label or alias that matched. */
  readonly matched: string;
  /** 1 = exact after case and accent folding; below 1 for prefix and misspelt matches. */
  readonly score: number;
}

/** A relation path that exists from a start term, with what it reaches. */
export interface PathSummary {
  readonly path: Path;
  /** Distinct end terms, exact up to the budget of the call. */
  readonly ends: number;
  /** A few end terms, for judging what kind of thing the path reaches. */
  readonly sample: readonly Term[];
}
/** As stores give it: over all facts that are recorded. */
export interface StoredPathSummary extends PathSummary {
  /** Among the facts that were walked is one with a validity: it may not be true now. */
  readonly timed: boolean;
}
export interface PathResult {
  readonly end: Term;
  /** The facts walked, one per step; of several ways to one end, the first found. */
  readonly facts: readonly Fact[];
}

export interface RelationSummary extends Relation {
  /** Live positive facts. */
  readonly facts: number;
  /** Share of live facts whose object is a literal, 0..1. */
  readonly literals: number;
}

export interface RuleDocument {
  readonly id: string;
  readonly document: string;
}
/** A rule document that a transaction wrote, replaced or deleted. */
export interface RuleChange {
  /** Version of the base that the transaction made. */
  readonly version: number;
  /** When, ISO 8601. */
  readonly at: string;
  readonly id: string;
  /** The document before; absent when there was none. */
  readonly before?: string;
}
/** The rule documents as they are, and what takes them back to earlier versions. */
export interface RuleHistory {
  readonly version: number;
  /** The earliest version of the base whose documents are known. */
  readonly from: number;
  readonly rules: readonly RuleDocument[];
  /** Latest first. */
  readonly changes: readonly RuleChange[];
}
/** How far back a base's rule documents are known: older changes are forgotten when the rules change. */
export interface RuleHistoryLimits {
  /** Versions in which rules changed. */
  readonly ruleVersions: number;
  /** Changes of single documents, in all. */
  readonly ruleChanges: number;
}
export const RULE_HISTORY: RuleHistoryLimits = { ruleVersions: 1_000, ruleChanges: 100_000 };

export interface BaseStatistics {
  readonly base: BaseName;
  readonly version: number;
  readonly facts: number;
  readonly entities: number;
  readonly relations: number;
}

export interface StoreCapabilities {
  /** Calls answer from this process's memory (microseconds, not a network). */
  readonly inProcess: boolean;
  /** `asOf` sees withdrawn facts. */
  readonly asOf: boolean;
}

/**
 * A graph of facts in named knowledge bases, durable before `transact` resolves.
 * `open` once, `close` once; every other call outside that span rejects with StoreError `closed`.
 */
export interface GraphStore {
  readonly kind: string;
  readonly capabilities: StoreCapabilities;
  open(): Promise<void>;
  close(): Promise<void>;
  /** Applies all changes or none. At most `limits.changes` per call (StoreError `too_large`). Resolves after the write is durable; who reads this base before that may see a part of it. */
  transact(base: BaseName, changes: readonly Change[]): Promise<Commit>;
  match(base: BaseName, pattern: TriplePattern, options?: MatchOptions): Promise<Page<Fact>>;
  /** Facts by id, live or withdrawn; unknown ids are left out. */
  facts(base: BaseName, ids: readonly FactId[]): Promise<readonly Fact[]>;
  /** Entities by name or alias: exact, prefix, misspelt, Chinese. Best first. `text` is a name, not a query language. */
  search(base: BaseName, text: string, options?: { readonly limit?: number; readonly signal?: AbortSignal }): Promise<readonly EntityHit[]>;
  /**
   * Entities whose label, id or alias equals one of the names after folding (`foldName`): many names in one call, for finding the names in a text.
   * Gives, by folded name, the hits of each name that has any, in order of id; `score` is 1.
   */
  named(base: BaseName, names: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<ReadonlyMap<string, readonly EntityHit[]>>;
  /** Entities by id; unknown ids are left out. An id that occurs in a fact is known. */
  entities(base: BaseName, ids: readonly EntityId[]): Promise<readonly Entity[]>;
  relations(base: BaseName): Promise<readonly RelationSummary[]>;
  /** Relation paths of one to `hops` steps that exist from `start`; no path that ends where it began by walking one edge back and forth only. */
  paths(base: BaseName, start: Term, options: { readonly hops: number; readonly limit?: number; readonly signal?: AbortSignal }): Promise<readonly StoredPathSummary[]>;
  /** What `path` reaches from `start` (never `start` itself), distinct ends in a stable order, at most `limit` (default 1,000). */
  follow(base: BaseName, start: Term, path: Path, options?: { readonly limit?: number; readonly signal?: AbortSignal }): Promise<readonly PathResult[]>;
  rules(base: BaseName): Promise<readonly RuleDocument[]>;
  /** The rule documents of earlier versions, as far back as RuleHistoryLimits allow. `documents: false`: each document is an empty text, for those who count only. */
  ruleHistory(base: BaseName, options?: { readonly documents?: boolean }): Promise<RuleHistory>;
  bases(): Promise<readonly BaseStatistics[]>;
}

export type StoreErrorCode = 'closed' | 'too_large' | 'unavailable' | 'corrupt' | 'invalid_cursor' | 'locked';
/** A store that cannot do what was asked; `cause` holds the driver's error. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
export type { RelationName };
