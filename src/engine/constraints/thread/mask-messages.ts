// Owns the messages to the thread that finds masks. Everything in them survives structured cloning; answers come through shared memory.
// Refuses to know who sends them and why.

import type { Place } from '../masks/ahead.ts';
import type { Grammar } from '../grammar/expression.ts';
import type { Claim } from '../masks/mask-slots.ts';
import type { TrieParts } from '../tokens/token-trie.ts';

/** Vocabularies and grammars go by numbers. */
export type ToMaskWorker =
  | {
      readonly kind: 'open';
      readonly vocabulary: number;
      readonly trie: TrieParts;
      readonly size: number;
      readonly ends: readonly number[];
      readonly slots: SharedArrayBuffer;
      readonly counts: Int32Array;
    }
  | { readonly kind: 'grammar'; readonly vocabulary: number; readonly grammar: number; readonly source: Grammar }
  | { readonly kind: 'ask'; readonly vocabulary: number; readonly grammar: number; readonly places: readonly (readonly [claim: Claim, place: Place])[] }
  | { readonly kind: 'forget'; readonly vocabulary: number; readonly grammar: number }
  | { readonly kind: 'close'; readonly vocabulary: number };
/** Places of `counts`: messages of a vocabulary that are done, grammars that are kept for it, and parts of what is found once for it. */
export const [MESSAGES, GRAMMARS, PREPARED] = [0, 1, 2];
export const COUNTS_BYTES = 12;
