// Owns keeping a growing text within limits of words and characters, whole or line by line: what of it may be shown already, and where it is cut.
// Refuses to know tokens, and what else ends a text.

import type { TextLimits } from '../../port.ts';
import { WordCounter } from '../lengths/text-length.ts';

/** From this part of a limit on, text is shown in whole sentences: where the limit comes, the sentence that does not fit is left out. */
const WHOLE_SENTENCES = 0.5;
const SPACE = /\s/;
/** End a sentence where space follows; and whatever follows. */
const ENDS_BEFORE_SPACE = /[.!?…]/;
const ENDS = /[。！？]/;
/** Belong to the sentence that ends before them. */
const CLOSES = /["'”’)\]}»」』）】*_.!?…。！？]/;
/** A full stop behind so few letters is taken for that of an abbreviation. */
const SHORT = 2;

/** Words and characters of a text, and of its last line. */
class Counts {
  words = new WordCounter();
  characters = 0;
  lineWords = new WordCounter();
  lineCharacters = 0;
  push(character: string): void {
    this.words.push(character);
    this.characters++;
    if (character === '\n') {
      this.lineWords = new WordCounter();
      this.lineCharacters = 0;
    } else {
      this.lineWords.push(character);
      this.lineCharacters++;
    }
  }
  copy(): Counts {
    const copy = new Counts();
    copy.words = this.words.copy();
    copy.characters = this.characters;
    copy.lineWords = this.lineWords.copy();
    copy.lineCharacters = this.lineCharacters;
    return copy;
  }
  /** How much of the limits is used: above 1 they are exceeded. `line`: of the last line; `text`: of the whole. */
  used({ words = Infinity, characters = Infinity, lineWords = Infinity, lineCharacters = Infinity }: TextLimits): {
    readonly text: number;
    readonly line: number;
  } {
    return {
      text: Math.max(this.words.words / words, this.characters / characters),
      line: Math.max(this.lineWords.words / lineWords, this.lineCharacters / lineCharacters),
    };
  }
}

/**
 * Text comes in pieces, wherever they are cut. What is given back never exceeds the limits and never ends within a word: words that may go on are held back. Where a line is too long, its
 * rest is left out; where the text is, it is over.
 */
export class Limiter {
  readonly #limits: TextLimits;
  /** Of what is shown, and of that with what is held back. */
  #shown = new Counts();
  #counts = new Counts();
  #held = '';
  /** How far a word, and a sentence, is whole in what is held back. */
  #wordEnd = 0;
  #sentenceEnd = 0;
  /** What is shown ends with a sentence, and late enough to end there. */
  #endsWell = false;
  /** Letters of the last word. */
  #letters = 0;
  /** The last sign ends a sentence: for sure, or where space follows. */
  #ending: 'no' | 'beforeSpace' | 'yes' = 'no';
  /** The rest of the line is left out. */
  #skips = false;
  /** Something was left out. */
  cut = false;
  /** Nothing more fits. */
  full = false;

  constructor(limits: TextLimits) {
    this.#limits = limits;
  }

  /** What may be shown now. */
  push(text: string): string {
    let shown = '';
    for (const character of text) {
      if (this.full) break;
      shown += this.#push(character);
    }
    return shown;
  }
  /** The text is over: what was held back. */
  end(): string {
    return this.#show(this.#held.length);
  }

  #push(character: string): string {
    if (character === '\n') this.#skips = false;
    if (this.#skips) return '';
    const counts = this.#counts.copy();
    counts.push(character);
    const space = SPACE.test(character);
    const newWord = counts.words.words > this.#counts.words.words;
    const sentenceOver = character === '\n' || (this.#ending === 'beforeSpace' && space) || (this.#ending === 'yes' && !CLOSES.test(character));
    const { text, line } = counts.used(this.#limits);
    if (text > 1 || line > 1) {
      const whole = sentenceOver || (!this.#endsWell && (space || newWord));
      return this.#cut(whole ? this.#held.length : this.#endsWell ? 0 : this.#wordEnd, text > 1);
    }
    if (space || newWord) this.#wordEnd = this.#held.length;
    if (sentenceOver) this.#sentenceEnd = this.#held.length;
    this.#note(character, space, counts, newWord);
    this.#counts = counts;
    this.#held += character;
    const late = Math.max(text, line) >= WHOLE_SENTENCES;
    const length = late ? this.#sentenceEnd : this.#wordEnd;
    if (length > 0) this.#endsWell = late;
    return this.#show(length);
  }
  /** Whether a sentence may end with this character. */
  #note(character: string, space: boolean, counts: Counts, newWord: boolean): void {
    if (ENDS.test(character)) this.#ending = 'yes';
    else if (ENDS_BEFORE_SPACE.test(character)) {
      if (character !== '.' || this.#letters > SHORT) this.#ending = 'beforeSpace';
    } else if (!CLOSES.test(character)) this.#ending = 'no';
    if (space) this.#letters = 0;
    else if (newWord && !counts.words.within) this.#letters = SHORT + 1;
    else if (counts.words.within) this.#letters = this.#counts.words.within && !newWord ? this.#letters + 1 : 1;
  }
  #show(length: number): string {
    const shown = this.#held.slice(0, length);
    for (const character of shown) this.#shown.push(character);
    this.#held = this.#held.slice(length);
    this.#wordEnd = Math.max(0, this.#wordEnd - length);
    this.#sentenceEnd = Math.max(0, this.#sentenceEnd - length);
    return shown;
  }
  /** Shows so much of what is held back and leaves out the rest. */
  #cut(length: number, whole: boolean): string {
    this.cut = true;
    if (whole) this.full = true;
    else this.#skips = true;
    const shown = this.#show(this.#held.slice(0, length).trimEnd().length);
    this.#held = '';
    this.#wordEnd = this.#sentenceEnd = 0;
    this.#counts = this.#shown.copy();
    [this.#endsWell, this.#ending, this.#letters] = [false, 'no', 0];
    return shown;
  }
}
