// Owns the rule language's abstract syntax, proofs and the limits of a derivation.
// Refuses to know how rules are parsed, evaluated or stored.

import type { Fact, RelationName, Term, Triple } from '../terms.ts';

export type RuleTerm = { readonly kind: 'variable'; readonly name: string } | Term;

/** relation(subject, object); `negated` is strong negation, `absent` is default negation (`not`). */
export interface Atom {
  readonly relation: RelationName;
  readonly subject: RuleTerm;
  readonly object: RuleTerm;
  readonly negated?: boolean;
  readonly absent?: boolean;
}
/** A built-in function, such as `+` or `concat`, of values. */
export interface Call {
  readonly kind: 'call';
  readonly function: string;
  readonly arguments: readonly Expression[];
}
/** `["a", "b"]`, on the right of `in` and `not in` only. */
export interface TermList {
  readonly kind: 'list';
  readonly items: readonly Term[];
}
export type Expression = RuleTerm | Call | TermList;
/**
 * Comparison of two values. `=` gives a variable that nothing else binds its value. A call that has no value (`1 / 0`, `year("x")`) makes any comparison fail.
 * A test such as `contains(?x, "a")` is the comparison of the call with `true`, under `not` with `false`.
 */
export interface Comparison {
  readonly kind: 'compare';
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';
  readonly left: Expression;
  readonly right: Expression;
}
export type AggregateFunction = 'count' | 'sum' | 'min' | 'max' | 'avg';
/**
 * `result = count { of : body }`: a value computed from all ways to meet `body`. Variables that also occur outside are given from there: they are the group.
 * `count` counts the different values of `of` (any number of terms); the others have one term and take its value once for each way to bind the named variables of the body
 * (variables whose name begins with `_` do not multiply ways). Nothing to count is 0, and so is its sum; it has no min, max and avg. What holds counts in full, whatever its confidence.
 */
export interface Aggregate {
  readonly kind: 'aggregate';
  readonly function: AggregateFunction;
  readonly result: RuleTerm;
  readonly of: readonly RuleTerm[];
  readonly body: readonly (Atom | Comparison)[];
}
export type BodyItem = Atom | Comparison | Aggregate;

export interface Rule {
  /** Content address: `r_` and a hash of the canonical text, with denials written as counts. May be made when it is first read: a copy has to name it (`{ ...rule, id: rule.id }`). */
  readonly id: string;
  readonly name?: string;
  /** In (0, 1]; absent = 1. */
  readonly confidence?: number;
  /** Sentence with `{variable}` places, for explanations. */
  readonly say?: string;
  /** Several heads share the body; no head = a constraint. */
  readonly heads: readonly Atom[];
  readonly body: readonly BodyItem[];
  /** Canonical text; parsing it gives the same rule. */
  readonly text: string;
}

/** One way to meet the body of an aggregate: values of the variables that are its own, and proofs of its conditions in order. */
export interface Member {
  readonly bindings: Readonly<Record<string, Term>>;
  readonly premises: readonly Proof[];
}
/** A proof tree. Leaves are stored facts, hypothetical facts, absences, comparisons and aggregates of empty groups. */
export type Proof =
  | { readonly kind: 'fact'; readonly conclusion: Triple; readonly confidence: number; readonly fact: Fact }
  | { readonly kind: 'given'; readonly conclusion: Triple; readonly confidence: number; readonly validFrom?: string; readonly validTo?: string }
  | {
      readonly kind: 'rule';
      readonly conclusion: Triple;
      readonly confidence: number;
      readonly rule: Rule;
      readonly bindings: Readonly<Record<string, Term>>;
      /** One per body item of the rule, in order. */
      readonly premises: readonly Proof[];
    }
  | { readonly kind: 'absent'; readonly conclusion: Atom; readonly confidence: 1 }
  | { readonly kind: 'compare'; readonly conclusion: Comparison; readonly confidence: 1 }
  | {
      readonly kind: 'aggregate';
      /** Group and result are values. */
      readonly conclusion: Aggregate;
      readonly confidence: 1;
      /** The first ways to meet the body; `total` says how many there are. */
      readonly members: readonly Member[];
      readonly total: number;
      /** Facts on which further ways rest; not part of the proof as it is kept and shown, but of the time in which it holds. */
      readonly others?: readonly Proof[];
    };

/** Limits of one derivation; the caller states every one. */
export interface Budget {
  /** Answers returned at most. */
  readonly answers: number;
  /** Facts derived at most. */
  readonly facts: number;
  /** Milliseconds. */
  readonly ms: number;
  /** Height of a proof tree at most. */
  readonly depth: number;
}
export type BudgetLimit = keyof Budget;

export type Outcome = 'entailed' | 'refuted' | 'not_entailed';
