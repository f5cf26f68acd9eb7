// Owns the constraint port of the sampler: what may be written next; and which constraint a request asks for.
// Refuses to know how likely a token is.

import type { ConstraintSpec } from '../port.ts';
import type { Grammar } from './expression.ts';
import { characters, choice, literal } from './expression.ts';
import { parseGbnf } from './gbnf.ts';
import { jsonObject, schemaGrammar } from './json-schema.ts';
import { CompiledGrammar, GrammarWalk } from './masks.ts';
import { ChoiceConstraint, NamesConstraint } from './names.ts';
import { parseRegex } from './regex.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenTrie } from './token-trie.ts';

/** What a constraint needs to know of a model. */
export interface ConstraintVocabulary {
  /** All tokens that write something and end no text; made at the first call. */
  readonly trie: () => TokenTrie;
  /** Ids are below. */
  readonly size: number;
  /** Ids that end a text. */
  readonly ends: readonly number[];
  /** Marks around names, where the model has them. */
  readonly nameMarks?: { readonly open: number; readonly close: number };
  /** Ids of text in which nothing is special. */
  readonly encode: (text: string) => number[];
  /** Bytes that a token writes; undefined for special tokens. */
  readonly bytesOf: (token: number) => Uint8Array | undefined;
  /** Grammars made ready before, by what they were made from. */
  readonly compiled: CompiledGrammars;
}
export interface CompiledGrammars {
  get(key: string): CompiledGrammar | undefined;
  set(key: string, grammar: CompiledGrammar): unknown;
}

export interface Constraint {
  /** Tokens that may come next; end tokens are among them exactly when the text is complete. */
  allowed(): TokenSet;
  /** The text may end here. */
  complete(): boolean;
  /** `token` was written. It must be one of `allowed()` and no end token. */
  accept(token: number): void;
}

class GrammarConstraint implements Constraint {
  readonly #walk: GrammarWalk;
  readonly #bytesOf: ConstraintVocabulary['bytesOf'];
  constructor(grammar: CompiledGrammar, { bytesOf }: ConstraintVocabulary) {
    this.#walk = new GrammarWalk(grammar);
    this.#bytesOf = bytesOf;
  }
  allowed(): TokenSet {
    return this.#walk.allowed();
  }
  complete(): boolean {
    return this.#walk.complete();
  }
  accept(token: number): void {
    const bytes = this.#bytesOf(token);
    if (!(bytes ? this.#walk.accept(bytes) : this.#walk.acceptToken(token))) throw new TypeError(`token ${token} is not allowed by the grammar here`);
  }
}

/** Throws EngineError `constraint_invalid`. */
export function grammarOf(spec: Exclude<ConstraintSpec, { kind: 'names' }>): Grammar {
  switch (spec.kind) {
    case 'choice':
      return { root: choice(...spec.choices.map(literal)), rules: new Map() };
    case 'json':
      return jsonObject();
    case 'schema':
      return schemaGrammar(spec.schema);
    case 'regex':
      return { root: parseRegex(spec.pattern, { write: characters, search: false }), rules: new Map() };
    case 'grammar':
      return parseGbnf(spec.grammar);
    default:
      return spec satisfies never;
  }
}

/** Throws EngineError `constraint_invalid` for a constraint that no text of the model meets, or that cannot be kept. */
export function compileConstraint(spec: ConstraintSpec, vocabulary: ConstraintVocabulary): Constraint {
  if (spec.kind === 'choice') return new ChoiceConstraint(spec.choices, vocabulary);
  if (spec.kind === 'names') return new NamesConstraint(spec.names, spec.words, vocabulary, spec.order);
  return constraintOf(JSON.stringify(spec), () => grammarOf(spec), vocabulary);
}
/** A grammar as a constraint; it is made ready once for its `key`. Throws EngineError `constraint_invalid`. */
export function constraintOf(key: string, make: () => Grammar, vocabulary: ConstraintVocabulary): Constraint {
  let grammar = vocabulary.compiled.get(key);
  if (!grammar) {
    const { trie, size, ends, bytesOf } = vocabulary;
    grammar = new CompiledGrammar(make(), trie(), size, ends, bytesOf);
    vocabulary.compiled.set(key, grammar);
  }
  return new GrammarConstraint(grammar, vocabulary);
}
