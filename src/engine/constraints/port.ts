// Owns the constraint port of the sampler: what may be written next, and what a constraint needs to know of a model.
// Refuses to know which constraints there are.

import type { MasksAhead } from './masks/ahead.ts';
import type { CompiledGrammar } from './masks/masks.ts';
import type { TokenSet } from './tokens/token-set.ts';
import type { TokenTrie } from './tokens/token-trie.ts';

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
  /** The id of a special token by its text; undefined for all other texts. Absent: none can be named. */
  readonly special?: (text: string) => number | undefined;
  /** Bytes that a token writes; undefined for special tokens. */
  readonly bytesOf: (token: number) => Uint8Array | undefined;
  /** Grammars made ready before, by what they were made from. */
  readonly compiled: CompiledGrammars;
  /** Finds masks while passes run, made at the first call; absent where that does not pay. */
  readonly ahead?: () => MasksAhead;
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
  /** As `allowed`; undefined where at least two tokens may come that are no ends, and which they are is not yet found. Absent: that is always found. */
  next?(): TokenSet | undefined;
  /** A pass begins, behind which a token is chosen here, and perhaps behind each of the tokens of `guess`: what may come there is looked for meanwhile. */
  foresee?(guess: readonly number[]): void;
  /** The text may end here. */
  complete(): boolean;
  /** `token` was written. It must be one of `allowed()` and no end token. */
  accept(token: number): void;
}
