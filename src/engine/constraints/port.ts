// Owns the constraint port of the sampler: what may be written next, and what a constraint needs to know of a model.
// Refuses to know which constraints there are.

import type { CompiledGrammar } from './masks.ts';
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
  /** Tokens that might come next if the text were not limited, where limits leave out some of them; undefined where they do not. */
  unlimited?(): TokenSet | undefined;
  /** The text may end here. */
  complete(): boolean;
  /** `token` was written. It must be one of `allowed()` and no end token. */
  accept(token: number): void;
}
