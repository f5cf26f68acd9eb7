// Owns where a JSON value ends in a text that comes character by character, and whether it is JSON so far.
// Refuses to know what the value says.

import { isSign } from './marks.ts';

/** `open`: more must come; `done`: this character ended the value; `failed`: it is no JSON. */
export type Scanned = 'open' | 'done' | 'failed';

const MOST_DEPTH = 256;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const OF_NUMBER = /^[0-9.eE+-]$/;
export const isSpace = (character: string): boolean => character === ' ' || character === '\n' || character === '\t' || character === '\r';

type At = 'value' | 'list' | 'object' | 'comma' | 'key' | 'after' | 'string' | 'escape' | 'unicode' | 'number' | 'word';

/** Of numbers that stand alone the end is not known; they fail. */
export class JsonScanner {
  readonly #stack: ('{' | '[')[] = [];
  /** Behind what the text stands, or in what. */
  #at: At = 'value';
  #isKey = false;
  #digits = 0;
  /** What of a number has come, or what of a word is missing. */
  #word = '';

  push(character: string): Scanned {
    switch (this.#at) {
      case 'string':
        if (character === '"') return this.#isKey ? this.#to('key') : this.#closed();
        if (character === '\\') return this.#to('escape');
        return character < ' ' || isSign(character) ? 'failed' : 'open';
      case 'escape':
        if (character === 'u') {
          this.#digits = 4;
          return this.#to('unicode');
        }
        return '"\\/bfnrt'.includes(character) ? this.#to('string') : 'failed';
      case 'unicode':
        if (!/^[0-9A-Fa-f]$/.test(character)) return 'failed';
        return --this.#digits === 0 ? this.#to('string') : 'open';
      case 'word':
        if (!this.#word.startsWith(character)) return 'failed';
        this.#word = this.#word.slice(1);
        return this.#word === '' ? this.#closed() : 'open';
      case 'number':
        if (OF_NUMBER.test(character)) {
          this.#word += character;
          return 'open';
        }
        if (!NUMBER.test(this.#word)) return 'failed';
        this.#at = 'after';
        return this.push(character);
      default:
        return isSpace(character) ? 'open' : this.#between(character);
    }
  }
  #between(character: string): Scanned {
    const inner = this.#stack.at(-1);
    switch (this.#at) {
      case 'list':
        return character === ']' ? this.#left() : this.#begin(character);
      case 'object':
        if (character === '}') return this.#left();
        return this.#key(character);
      case 'comma':
        return inner === '{' ? this.#key(character) : this.#begin(character);
      case 'key':
        return character === ':' ? this.#to('value') : 'failed';
      case 'after':
        if (character === ',') return this.#to('comma');
        return (character === '}' && inner === '{') || (character === ']' && inner === '[') ? this.#left() : 'failed';
      default:
        return this.#begin(character);
    }
  }
  #to(at: At): Scanned {
    this.#at = at;
    return 'open';
  }
  #key(character: string): Scanned {
    this.#isKey = true;
    return character === '"' ? this.#to('string') : 'failed';
  }
  #begin(character: string): Scanned {
    this.#isKey = false;
    if (character === '"') return this.#to('string');
    if (character === '{' || character === '[') {
      if (this.#stack.push(character) > MOST_DEPTH) return 'failed';
      return this.#to(character === '{' ? 'object' : 'list');
    }
    const word = ['true', 'false', 'null'].find((each) => each.startsWith(character));
    if (word !== undefined) {
      this.#word = word.slice(1);
      return this.#to('word');
    }
    if (this.#stack.length === 0 || !/^[-0-9]$/.test(character)) return 'failed';
    this.#word = character;
    return this.#to('number');
  }
  #closed(): Scanned {
    this.#at = 'after';
    return this.#stack.length === 0 ? 'done' : 'open';
  }
  #left(): Scanned {
    this.#stack.pop();
    return this.#closed();
  }
}
