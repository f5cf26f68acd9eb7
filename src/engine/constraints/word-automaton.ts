// Owns the language "whole words, spaced as words are": an automaton over UTF-8 bytes, made deterministic as it is walked.
// Refuses to know tokens, names and the model.

import { EngineError } from '../port.ts';

/** Letters and digits of scripts that put spaces between words. */
const SPACED = /[\p{L}\p{N}\p{M}_]/u;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const isSpaced = (character: string | undefined): boolean => character !== undefined && SPACED.test(character) && !UNSPACED.test(character);

const SPACE = 0x20;
/** Between words: at the start or after a space; after a sign or an unspaced character; after a letter. */
const [OPEN, FREE, LETTER] = [0, 1, 2];
/** Which words may still be begun: any; none, as a word of others comes next; none, as nothing comes next but where something must stand in front of the end. */
export type Begins = 'any' | 'others' | 'last';
const MODES: Readonly<Record<Begins, number>> = { any: 0, others: 1, last: 2 };
/** Roots of the tree of words that begin with a letter, and of all others. */
const [LETTERS, OTHERS] = [3, 4];
export const MOST_BYTES = 4 * 1024 * 1024;
const MOST_STATES = 100_000;

/**
 * Text made of the given words. A single space may stand before a word and must stand between two words that would otherwise run together ("theriver"); signs
 * and characters of unspaced scripts need none.
 */
export class WordAutomaton {
  /** Nothing written yet. */
  readonly start: number;
  /** Something that reads like a word has just been written by others. */
  readonly afterWord: number;
  readonly #edges = new Map<number, number>();
  /** For each node: 0, or the state between words that is reached as well because a word ends here. */
  readonly #ends: number[] = [0, 0, 0, 0, 0];
  /** Deterministic states: the sets of nodes they stand for. */
  readonly #sets: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #steps = new Map<number, number>();

  /** Throws EngineError `constraint_unsatisfiable` when the words have more than MOST_BYTES bytes together. */
  constructor(words: Iterable<string>) {
    let bytes = 0;
    for (const given of words) {
      // A line break is a sign like any other; no other blank is a word.
      const word = given.trim() || (given.includes('\n') ? '\n' : '');
      if (word === '') continue;
      const characters = Array.from(word);
      let node = isSpaced(characters[0]) ? LETTERS : OTHERS;
      for (const byte of Buffer.from(word, 'utf8')) {
        if (++bytes > MOST_BYTES) throw new EngineError('constraint_unsatisfiable', `the constraint's words have more than ${MOST_BYTES} bytes together; give fewer`);
        const key = node * 256 + byte;
        node = this.#edges.get(key) ?? this.#ends.push(0) - 1;
        this.#edges.set(key, node);
      }
      this.#ends[node] = isSpaced(characters[characters.length - 1]) ? LETTER : FREE;
    }
    this.start = this.#number([OPEN]);
    this.afterWord = this.#number([LETTER]);
  }

  /** State after one more byte; -1 where no words are written so. */
  step(state: number, byte: number, begins: Begins = 'any'): number {
    const key = (state * 256 + byte) * 3 + MODES[begins];
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const next = new Set<number>();
    const follow = (from: number): void => {
      const node = this.#edges.get(from * 256 + byte);
      if (node === undefined) return;
      next.add(node);
      if (this.#ends[node] > 0) next.add(this.#ends[node]);
    };
    for (const node of this.#sets[state]) {
      if (node > LETTER) follow(node);
      else {
        if (byte === SPACE && node !== OPEN && begins !== 'last') next.add(OPEN);
        if (begins === 'others' || (begins === 'last' && node !== OPEN)) continue;
        follow(OTHERS);
        if (node !== LETTER) follow(LETTERS);
      }
    }
    const result = next.size === 0 ? -1 : this.#number([...next]);
    this.#steps.set(key, result);
    return result;
  }

  /** The text may end here: something is written, the last word is whole and no space hangs on. */
  mayEnd(state: number): boolean {
    return this.#sets[state].some((node) => node === FREE || node === LETTER);
  }
  /** A word of others may begin here. */
  mayBegin(state: number): boolean {
    return this.#sets[state].some((node) => node === OPEN || node === FREE);
  }

  #number(nodes: number[]): number {
    nodes.sort((a, b) => a - b);
    const key = nodes.join(',');
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#sets.push(nodes) - 1;
      if (number >= MOST_STATES) throw new EngineError('constraint_unsatisfiable', `the constraint's words need more than ${MOST_STATES} states; give fewer or shorter words`);
      this.#numbers.set(key, number);
    }
    return number;
  }
}
