// Owns calls that are written call:NAME{key:value, ...}, with text between marks of its own (Gemma 4, FunctionGemma), and their arguments as JSON while they come. JSON itself is read, too.
// Refuses to know schemas: what is text says so by its marks.

import { Closing, failed, JsonArguments, MOST_NAME, OPEN } from './call-bodies.ts';
import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { isSpace } from './json-scanner.ts';
import type { Scanned } from './json-scanner.ts';
import { isSign, MarkFinder } from './marks.ts';
import { escaped, jsonOf, quoted } from './values.ts';

const MOST_DEPTH = 256;
type At = 'start' | 'first' | 'key' | 'name' | 'colon' | 'value' | 'element' | 'bare' | 'text' | 'json' | 'escape' | 'after';

/** An object whose keys need no quotes and whose texts stand between marks; what it is in JSON is written. */
class Dictionary {
  readonly #write: (text: string) => void;
  readonly #mark: string;
  readonly #quote: MarkFinder;
  readonly #stack: ('{' | '[')[] = [];
  #at: At = 'start';
  /** The text that is read is a key. */
  #isKey = false;
  /** Of a bare key or value. */
  #held = '';

  constructor(quote: string, write: (text: string) => void) {
    this.#mark = quote;
    this.#quote = new MarkFinder([quote]);
    this.#write = write;
  }
  push(character: string): Scanned {
    switch (this.#at) {
      case 'text':
        return this.#text(character);
      case 'json':
        this.#write(character < ' ' || isSign(character) ? escaped(character) : character);
        if (character === '"') return this.#closed();
        return character === '\\' ? this.#to('escape') : 'open';
      case 'escape':
        this.#write(character);
        return this.#to('json');
      case 'name':
        if (isSign(character) || this.#held.length > MOST_NAME || '{}[],'.includes(character)) return 'failed';
        if (character !== ':') return this.#hold(character);
        this.#write(quoted(this.#release().trim()) + ': ');
        return this.#to('value');
      case 'bare':
        if (isSign(character)) return 'failed';
        if (!',}]'.includes(character)) return this.#hold(character);
        this.#write(jsonOf(this.#release().trim(), undefined));
        this.#at = 'after';
        return this.push(character);
      default:
        return this.#between(character);
    }
  }
  #between(character: string): Scanned {
    const mayOpen = this.#at === 'first' || this.#at === 'key' || this.#at === 'value' || this.#at === 'element';
    if (mayOpen && (this.#quote.held !== '' || this.#mark.startsWith(character))) {
      const { passed, found } = this.#quote.push(character);
      if (passed !== '') {
        this.#held = (passed + this.#quote.end()).slice(0, -character.length);
        return 'failed';
      }
      return found === undefined ? 'open' : this.#quoted('text');
    }
    if (isSpace(character)) return 'open';
    if (mayOpen && character === '"') return this.#quoted('json');
    switch (this.#at) {
      case 'start':
        return character === '{' ? this.#opened('{') : 'failed';
      case 'first':
        if (character === '}') return this.#left(character);
        return this.#named(character);
      case 'key':
        return this.#named(character);
      case 'colon':
        if (character !== ':') return 'failed';
        this.#write(': ');
        return this.#to('value');
      case 'element':
        if (character === ']') return this.#left(character);
        return this.#value(character);
      case 'value':
        return this.#value(character);
      default:
        if (character === ',') {
          this.#write(', ');
          return this.#to(this.#stack.at(-1) === '{' ? 'key' : 'value');
        }
        return character === (this.#stack.at(-1) === '{' ? '}' : ']') ? this.#left(character) : 'failed';
    }
  }
  #to(at: At): Scanned {
    this.#at = at;
    return 'open';
  }
  #hold(character: string): Scanned {
    this.#held += character;
    return 'open';
  }
  #release(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
  #named(character: string): Scanned {
    this.#at = 'name';
    return this.push(character);
  }
  #value(character: string): Scanned {
    if (character === '{' || character === '[') return this.#opened(character);
    if (isSign(character) || ',}]:'.includes(character)) return 'failed';
    this.#at = 'bare';
    return this.push(character);
  }
  #opened(bracket: '{' | '['): Scanned {
    if (this.#stack.push(bracket) > MOST_DEPTH) return 'failed';
    this.#write(bracket);
    return this.#to(bracket === '{' ? 'first' : 'element');
  }
  #quoted(at: 'text' | 'json'): Scanned {
    this.#isKey = this.#at === 'first' || this.#at === 'key';
    this.#write('"');
    return this.#to(at);
  }
  #text(character: string): Scanned {
    const { passed, found } = this.#quote.push(character);
    this.#write(escaped(passed));
    if (found === undefined) return 'open';
    this.#write('"');
    return this.#closed();
  }
  #closed(): Scanned {
    return this.#to(this.#isKey ? 'colon' : 'after');
  }
  #left(bracket: string): Scanned {
    this.#write(bracket);
    this.#stack.pop();
    this.#at = 'after';
    return this.#stack.length === 0 ? 'done' : 'open';
  }
  /** What was held back of an object that goes no further; the character that it failed at is none of it. */
  end(): string {
    return this.#at === 'text' ? escaped(this.#quote.end()) : this.#release() + this.#quote.end();
  }
}

export class DictionaryBody implements CallBody {
  readonly #sink: CallSink;
  readonly #close: string;
  readonly #dictionary: Dictionary;
  #head = '';
  #begun = false;
  #closing: Closing | undefined;
  /** What is no dictionary any more. */
  #rest: JsonArguments | undefined;

  constructor(sink: CallSink, quote: string, close: string) {
    this.#sink = sink;
    this.#close = close;
    this.#dictionary = new Dictionary(quote, (text) => sink.write(text));
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#rest) return this.#rest.push(character);
    if (!this.#begun) {
      if (character !== '{') {
        this.#head += character;
        // A mark that is text begins like this one, at the latest.
        return this.#head.length > MOST_NAME || isSign(character) || character === '<' ? failed(character) : OPEN;
      }
      const name = /^\s*call:\s*(\S+)\s*$/.exec(this.#head)?.[1];
      if (name === undefined || !this.#sink.knows(name)) return failed(character);
      this.#begun = true;
      this.#sink.begin(name);
    }
    const scanned = this.#dictionary.push(character);
    if (scanned === 'failed') {
      this.#sink.write(this.#dictionary.end());
      this.#rest = new JsonArguments(this.#sink, [this.#close], { verbatim: true });
      return this.#rest.push(character);
    }
    if (scanned === 'done') this.#closing = new Closing([this.#close]);
    return OPEN;
  }
  end(): boolean {
    this.#rest?.end();
    if (this.#begun && !this.#rest && !this.#closing) this.#sink.write(this.#dictionary.end());
    return this.#begun;
  }
}
