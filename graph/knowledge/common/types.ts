// Owns the shapes in which a knowledge graph answers: results, events, limits, errors.
// Refuses to know how any of it is computed.

import type { BaseName, EntityId, Fact, RelationName, Statement, Term, Triple, TriplePattern } from '../../terms.ts';
import type { BaseStatistics, MatchOptions, PathResult } from '../../store.ts';
import type { AbductionLimits } from '../../abduce/types.ts';
import { INDUCTION_LIMITS } from '../../induce/limits.ts';
import type { InductionLimits } from '../../induce/limits.ts';
import type { RuleError } from '../../reason/errors.ts';
import type { RuleSetName } from '../../reason/rulesets/rulesets.ts';
import type { Atom, Budget, BudgetLimit, Outcome, Proof, Rule } from '../../reason/types.ts';

export interface KnowledgeLimits {
  /** Budget of the standing rules of one base; `answers` is not used. A closure that reaches it is partial and says so. */
  readonly standing: Budget;
  /** Bytes of kept proofs; the least recently used fall first. */
  readonly proofBytes: number;
  /** Nodes of one proof tree; larger proofs are not given out. */
  readonly proofNodes: number;
  /** Height of one proof tree. */
  readonly proofHeight: number;
  /** Writes that may wait for one base; more are refused with KnowledgeError `busy`. */
  readonly pendingWrites: number;
  /** Triples listed in one event; of relations with more, only the name is told, in `relationsChanged`. */
  readonly eventTriples: number;
  /** Edges looked at in one search for paths over derived facts; `ends` beyond are not counted. */
  readonly expansion: number;
  /** Edges looked at in following one path over derived facts, or facts of which some are not in force; ends beyond are not found. */
  readonly followed: number;
  readonly induce: InductionLimits;
  readonly abduce: AbductionLimits;
}
export const DEFAULT_LIMITS: KnowledgeLimits = {
  standing: { answers: 1_000, facts: 5_000_000, ms: 20_000, depth: 10_000 },
  proofBytes: 64 * 1024 * 1024,
  proofNodes: 10_000,
  proofHeight: 1_000,
  pendingWrites: 1_000,
  eventTriples: 100_000,
  expansion: 50_000,
  followed: 1_000_000,
  induce: INDUCTION_LIMITS,
  abduce: { jobs: 4, breaches: 10_000 },
};

/**
 * A fact as it is read: stored, or derived by standing rules. A derived fact's id begins with `d_` and is a hash of base and triple; it is valid while all facts of its proof are, and was recorded
 * with the last of them. (On paths, and where the proof is larger than the limits allow, it has no validity and was recorded when this process first read the base.)
 */
export type KnownFact = Fact & { readonly derived: boolean };
export type KnownPathResult = Omit<PathResult, 'facts'> & { readonly facts: readonly KnownFact[] };
export interface KnownMatchOptions extends MatchOptions {
  /** Default `include`. With `validAt`, what follows at that time; with `asOf` there are none, since it is not known which rules there were. */
  readonly derived?: 'include' | 'exclude' | 'only';
}

export interface TellResult {
  readonly added: readonly Fact[];
  readonly known: number;
  readonly withdrawn: readonly Fact[];
  /** Triples that follow now and did not before. */
  readonly derived: number;
  /** Triples that followed before and do not now. */
  readonly noLongerDerived: number;
  readonly version: number;
  /** The standing rules reached this limit: some consequences are missing. */
  readonly partial?: BudgetLimit;
}

export interface ChangedTriple extends Triple {
  /** It follows by standing rules and is not itself stored. */
  readonly derived: boolean;
}
/**
 * What one write changed, told before the write resolves. A fact whose confidence or source changed stands in `removed` and in `added`.
 * Validity that begins or ends by the clock is told the same way, at the first call after it or within a minute.
 */
export interface ChangeEvent {
  readonly base: BaseName;
  readonly version: number;
  readonly added: readonly ChangedTriple[];
  readonly removed: readonly ChangedTriple[];
  /** Ids of rules that came or went. */
  readonly rulesChanged: readonly string[];
  /** Entities that were described anew, or came into or out of existence. */
  readonly entitiesChanged: readonly EntityId[];
  /** Relations that were declared anew, came into or out of existence, or changed in more triples than are listed. Anything read of them may differ. */
  readonly relationsChanged: readonly RelationName[];
}

export interface RulesResult {
  readonly rules: readonly Rule[];
  readonly derived: number;
  readonly version: number;
  readonly partial?: BudgetLimit;
}
export interface RuleSetResult {
  /** All rules that the base's rule sets stand for now. */
  readonly rules: readonly Rule[];
  readonly derived: number;
  readonly noLongerDerived: number;
  readonly version: number;
  readonly partial?: BudgetLimit;
}
export interface RuleBook {
  readonly rules: readonly Rule[];
  readonly ruleSets: readonly RuleSetName[];
  /** What the rule sets stand for now; none of an earlier version. */
  readonly setRules: readonly Rule[];
  readonly version: number;
  /** It is an earlier version. */
  readonly past?: true;
}
export interface RuleRestoration {
  /** Own rules that came and went. */
  readonly added: readonly Rule[];
  readonly removed: readonly Rule[];
  readonly ruleSets: readonly RuleSetName[];
  readonly derived: number;
  readonly noLongerDerived: number;
  readonly version: number;
  readonly partial?: BudgetLimit;
}
export interface RuleRemoval {
  readonly rule: Rule;
  readonly noLongerDerived: number;
  readonly version: number;
  readonly partial?: BudgetLimit;
}
export interface RulesCheck {
  readonly valid: boolean;
  readonly rules: readonly Rule[];
  readonly errors: readonly RuleError[];
}

export interface DeduceRequest {
  /** One atom, as text or built. Absent: what the given rules derive. */
  readonly goal?: string | Atom;
  /** Hypothetical rules, as text or in the JSON form; they hold for this call only. */
  readonly rules?: unknown;
  /** Hypothetical facts; they hold for this call only. */
  readonly facts?: readonly Statement[];
  /** Stored facts that match any of these are thought away for this call. */
  readonly removed?: readonly TriplePattern[];
  /** What an answer's confidence means. Default `best`. */
  readonly semantics?: Semantics;
  /** Proofs of each answer at most, distinct, lowest first. Default 1. Where fewer are found than there may be, the result is not complete. */
  readonly proofs?: number;
  /** World time, ISO 8601: facts in force at this instant. Default: now. */
  readonly validAt?: string;
  readonly budget: Budget;
  readonly signal?: AbortSignal;
}
/**
 * What the confidence of a derived fact means.
 * - `best`: the greatest product of premises and rule over all proofs. A stored fact has what was told.
 * - `possibility`: the greatest least confidence over all proofs.
 * - `noisy_or`: 1 - (1 - p1)(1 - p2).. over the minimal sets of uncertain facts and rule steps that prove it, each set taken to be independent of the others. Sets that
 *   share facts are counted as if they did not, so the number is exact only where they share none, and never too low otherwise.
 * - `exact`: the probability over all worlds in which each uncertain fact, and each uncertain step by a rule, is there or not, independently. `not` is read in each
 *   world by itself, so a fact may have an answer here that does not follow when all facts are there. An answer is what holds in some world.
 */
export type Semantics = 'best' | 'noisy_or' | 'exact' | 'possibility';
export interface DeduceAnswer {
  /** Values of the goal's variables; empty without goal or variables. */
  readonly bindings: Readonly<Record<string, Term>>;
  readonly triple: Triple;
  readonly confidence: number;
  /** Absent when the proof is larger than the limits allow. */
  readonly proofId?: string;
  /** Present when more than one proof was asked for: distinct ones, lowest first. */
  readonly proofIds?: readonly string[];
  /** World time in which all facts of the proof are in force; an end is absent where no fact sets one. What must not hold sets none either. */
  readonly validFrom?: string;
  readonly validTo?: string;
}
export interface DeduceResult {
  /** Entailed when there is an answer; refuted only for a goal without variables. */
  readonly outcome: Outcome;
  readonly answers: readonly DeduceAnswer[];
  /** Of a refuted goal. */
  readonly refutation?: { readonly confidence: number; readonly proofId?: string };
  readonly complete: boolean;
  /** The limit that was reached. */
  readonly limit?: BudgetLimit;
  /** Facts derived and rounds run for this call, and its milliseconds. */
  /** `goalDirected`: only what the goal asks for was derived. */
  readonly statistics: { readonly derived: number; readonly rounds: number; readonly ms: number; readonly goalDirected?: boolean };
}

export interface WhatIfRequest {
  /** Facts supposed to hold. */
  readonly add?: readonly Statement[];
  /** Stored facts that match any of these are supposed not to hold. */
  readonly remove?: readonly TriplePattern[];
  /** Rules supposed to hold besides the base's own. */
  readonly rules?: unknown;
  /** Tell only of what matches. Absent: everything. */
  readonly goal?: string | Atom;
  /** `answers`: consequences of one page. */
  readonly budget: Budget;
  /** Where to go on, from the page before. */
  readonly cursor?: string;
  readonly signal?: AbortSignal;
}
export interface Consequence {
  /** It follows newly, follows no longer, or follows with another confidence. */
  readonly change: 'gained' | 'lost' | 'altered';
  readonly triple: Triple;
  /** In the world it holds in; when altered, in the supposed one. */
  readonly confidence: number;
  /** When altered: the confidence it has. */
  readonly before?: number;
  /** Of the world it holds in; when altered, of the supposed one. */
  readonly proofId?: string;
}
export interface WhatIfResult {
  /** Of a goal without variables. */
  readonly outcome?: { readonly before: Outcome; readonly after: Outcome };
  readonly consequences: readonly Consequence[];
  /** Over all pages. */
  readonly counts: { readonly gained: number; readonly lost: number; readonly altered: number };
  readonly complete: boolean;
  readonly limit?: BudgetLimit;
  readonly cursor?: string;
  readonly statistics: { readonly derived: number; readonly ms: number };
}

export interface GroundResult {
  readonly outcome: Outcome;
  /** Of the triple when entailed, of its negation when refuted. */
  readonly proof?: Proof;
  readonly proofId?: string;
  /** The standing rules, or deciding by the conflict policies, reached this limit: what is not entailed might be, and what is might fall. */
  readonly partial?: BudgetLimit;
}
export interface KnownBaseStatistics extends BaseStatistics {
  readonly derived: number;
  readonly rules: number;
  readonly partial?: BudgetLimit;
}

/** `busy`: too many writes wait; `occupied`: too many abductions are at work. */
export type KnowledgeErrorCode = 'closed' | 'busy' | 'occupied' | 'unknown_rule' | 'unknown_version' | 'invalid_request' | 'corrupt_rule' | 'too_large';
export class KnowledgeError extends Error {
  readonly code: KnowledgeErrorCode;
  /** The field of the request that is wrong, where one is. */
  readonly field: string | undefined;
  constructor(code: KnowledgeErrorCode, message: string, { field, ...options }: ErrorOptions & { readonly field?: string } = {}) {
    super(message, options);
    this.name = 'KnowledgeError';
    this.code = code;
    this.field = field;
  }
}
