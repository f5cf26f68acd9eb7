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
/** Comparison of two terms; later built-ins join this union. */
export interface Comparison {
  readonly kind: 'compare';
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly left: RuleTerm;
  readonly right: RuleTerm;
}
export type BodyItem = Atom | Comparison;

export interface Rule {
  /** Content address: `r_` and a hash of the canonical text. */
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

/** A proof tree. Leaves are stored facts, hypothetical facts, absences and comparisons. */
export type Proof =
  | { readonly kind: 'fact'; readonly conclusion: Triple; readonly confidence: number; readonly fact: Fact }
  | { readonly kind: 'given'; readonly conclusion: Triple; readonly confidence: number }
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
  | { readonly kind: 'compare'; readonly conclusion: Comparison; readonly confidence: 1 };

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
