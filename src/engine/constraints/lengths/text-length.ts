// Owns how long a text is: its characters and its words, counted as it grows, in all scripts.
// Refuses to know what is done where it is too long.

import type { TextLimits } from '../../port.ts';

/** Written without spaces between words: each of their characters counts as a word, as word processors count them. */
const UNSPACED =
  /[\p{Script_Extensions=Han}\p{Script_Extensions=Hiragana}\p{Script_Extensions=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tai_Le}\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}]/u;
/** Words of their own beside letters of other scripts. */
const HANGUL = /\p{Script=Hangul}/u;
const LETTER = /[\p{L}\u05f3\u05f4]/u;
const DIGIT = /[\p{Nd}\p{Nl}]/u;
/** Belongs to the character in front of it. */
const MARK = /\p{M}|\u200d/u;
/** Joins letters to letters and digits to digits: don't, e.g, 3.14. */
const JOINS_ALL = "'.’․﹒＇．";
/** Joins digits only: 1,000. */
const JOINS_DIGITS = ',;，；';

export type WordClass = 'extends' | 'unspaced' | 'letter' | 'hangul' | 'digit' | 'mark' | 'joins' | 'joinsDigits' | 'other';
function classify(character: string): WordClass {
  if (character === '_') return 'extends';
  if (JOINS_ALL.includes(character)) return 'joins';
  if (JOINS_DIGITS.includes(character)) return 'joinsDigits';
  if (MARK.test(character)) return 'mark';
  const [letter, digit] = [LETTER.test(character), DIGIT.test(character)];
  if (!letter && !digit) return 'other';
  return UNSPACED.test(character) ? 'unspaced' : HANGUL.test(character) ? 'hangul' : letter ? 'letter' : 'digit';
}
const ASCII: readonly WordClass[] = Array.from({ length: 128 }, (_, code) => classify(String.fromCharCode(code)));
/** What a character (a code point) is to the words around it. */
export const wordClass = (character: string): WordClass => ASCII[character.charCodeAt(0)] ?? classify(character);

/**
 * Counts words as a text grows. A word is a run of letters, digits and what joins them inside (Unicode Standard Annex #29, word boundaries); in scripts that put no spaces between words it is
 * one character. A text has at least so many words as UAX #29 finds in it, with or without a dictionary; and a number never falls as the text goes on.
 */
export class WordCounter {
  words = 0;
  /** The last character, or what it may join to the next. */
  #last: 'none' | 'extends' | 'letter' | 'hangul' | 'digit' | 'letterJoin' | 'digitJoin' = 'none';

  /** Is it within a word, so that a letter that follows would belong to it? */
  get within(): boolean {
    return this.#last === 'letter' || this.#last === 'hangul' || this.#last === 'digit' || this.#last === 'extends';
  }
  /** Does a letter or digit go on with the word? */
  get #goesOn(): boolean {
    return this.within && this.#last !== 'hangul';
  }
  /** The text goes on with one character (a code point). */
  push(character: string): void {
    const kind = wordClass(character);
    switch (kind) {
      case 'unspaced':
        this.words++;
        this.#last = 'none';
        return;
      case 'letter':
        if (!this.#goesOn && this.#last !== 'letterJoin') this.words++;
        this.#last = 'letter';
        return;
      case 'hangul':
        if (this.#last !== 'hangul') this.words++;
        this.#last = 'hangul';
        return;
      case 'extends':
        if (!this.within) this.words++;
        this.#last = this.#last === 'hangul' ? 'none' : 'extends';
        return;
      case 'digit':
        if (!this.#goesOn && this.#last !== 'digitJoin') this.words++;
        this.#last = 'digit';
        return;
      case 'mark':
        return;
      case 'joins':
        this.#last = this.#last === 'letter' ? 'letterJoin' : this.#last === 'digit' ? 'digitJoin' : 'none';
        return;
      case 'joinsDigits':
        this.#last = this.#last === 'digit' ? 'digitJoin' : 'none';
        return;
      case 'other':
        this.#last = 'none';
        return;
      default:
        kind satisfies never;
    }
  }
  copy(): WordCounter {
    const copy = new WordCounter();
    copy.words = this.words;
    copy.#last = this.#last;
    return copy;
  }
}

/** Code points. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
export function countWords(text: string): number {
  const counter = new WordCounter();
  for (const character of text) counter.push(character);
  return counter.words;
}

export const isWithin = (text: string, { words, characters, lineWords, lineCharacters }: TextLimits): boolean =>
  countCharacters(text) <= (characters ?? Infinity) &&
  countWords(text) <= (words ?? Infinity) &&
  text.split('\n').every((line) => countCharacters(line) <= (lineCharacters ?? Infinity) && countWords(line) <= (lineWords ?? Infinity));
/** Limits as they are told in messages. */
export const limitsText = ({ words, characters, lineWords, lineCharacters }: TextLimits): string =>
  [
    ...(words === undefined ? [] : [`${words} words`]),
    ...(characters === undefined ? [] : [`${characters} characters`]),
    ...(lineWords === undefined ? [] : [`${lineWords} words in a line`]),
    ...(lineCharacters === undefined ? [] : [`${lineCharacters} characters in a line`]),
  ].join(', ');
