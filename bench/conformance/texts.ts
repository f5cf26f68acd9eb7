// Owns whether a constraint lets a text through, byte by byte.
// Refuses to know models: every byte is a token, and there are some special ones.

import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { EngineError } from '../../src/engine/port.ts';
import type { ConstraintSpec } from '../../src/engine/port.ts';

const BYTES = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));
/** One ends a text, the others are special. */
const SIZE = 2_048;
const trie = new TokenTrie(BYTES.keys(), (id) => BYTES[id]);

/** Says of a text whether it is one of those that may be written. Throws EngineError `constraint_invalid` for a form that is refused. */
export function textsOf(spec: ConstraintSpec): (text: string) => boolean {
  const vocabulary: ConstraintVocabulary = { trie: () => trie, size: SIZE, ends: [BYTES.length], encode: (text) => [...Buffer.from(text)], bytesOf: (id) => BYTES[id], compiled: new Map() };
  compileConstraint(spec, vocabulary);
  return (text) => {
    const constraint = compileConstraint(spec, vocabulary);
    for (const byte of Buffer.from(text)) {
      if (!constraint.allowed().has(byte)) return false;
      constraint.accept(byte);
    }
    return constraint.complete();
  };
}
/** The same; the message where the form is refused. */
export function textsOrRefusal(spec: ConstraintSpec): ReturnType<typeof textsOf> | string {
  try {
    return textsOf(spec);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'constraint_invalid') return error.message;
    throw error;
  }
}
