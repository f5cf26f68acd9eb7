// Owns how one call is written behind the mark that opens it, in each format.
// Refuses to know what was said before it and what becomes of it.

import { CallObject } from './call-object.ts';
import type { CallSink } from './call-object.ts';
import { isSpace, JsonScanner } from './json-scanner.ts';
import { isSign, MarkFinder } from './marks.ts';

/** `open`: more must come; `done`: the call is over, and `rest` does not belong to it; `failed`: it is none. */
export type BodyState = { readonly kind: 'open' } | { readonly kind: 'done'; readonly rest: string } | { readonly kind: 'failed' };
export interface CallBody {
  push(character: string): BodyState;
  /** The reply is over. Whether what came was a call. */
  end(): boolean;
}

const OPEN: BodyState = { kind: 'open' };
const FAILED: BodyState = { kind: 'failed' };
const done = (rest: string): BodyState => ({ kind: 'done', rest });
/** Characters between a DeepSeek call's marks that are its name. */
const MOST_NAME = 256;

/** What follows a whole call up to the mark that closes it: nothing but space and `skipped`. */
class Closing {
  readonly #finder: MarkFinder;
  readonly #skipped: ReadonlySet<string>;
  #space = '';
  constructor(close: string, skipped: readonly string[] = []) {
    this.#finder = new MarkFinder([close, ...skipped]);
    this.#skipped = new Set(skipped);
  }
  push(character: string): BodyState {
    if (this.#finder.held === '' && isSpace(character)) {
      this.#space += character;
      return OPEN;
    }
    const { passed, found } = this.#finder.push(character);
    if (passed !== '') return done(this.#space + passed + (found ?? this.#finder.end()));
    return found !== undefined && !this.#skipped.has(found) ? done('') : OPEN;
  }
}

/** A JSON object with name and arguments, up to the mark that closes it, where there is one (Hermes, Qwen, Llama 3). */
export class ObjectBody implements CallBody {
  readonly #sink: CallSink;
  readonly #close: string | undefined;
  readonly #object: CallObject;
  #closing: Closing | undefined;
  /** Arguments that are no JSON any more, though the call was told of: all up to the mark that closes is theirs. */
  #verbatim: MarkFinder | undefined;

  constructor(sink: CallSink, close?: string) {
    this.#sink = sink;
    this.#close = close;
    this.#object = new CallObject(sink);
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#verbatim) {
      const { passed, found } = this.#verbatim.push(character);
      this.#sink.write(passed);
      return found === undefined ? OPEN : done('');
    }
    const scanned = this.#object.push(character);
    if (scanned === 'open') return OPEN;
    if (scanned === 'done') {
      if (this.#close === undefined) return done('');
      this.#closing = new Closing(this.#close);
      return OPEN;
    }
    if (!this.#object.begun) return FAILED;
    // Models forget the last brace.
    if (this.#object.whole) {
      if (this.#close === undefined) return done(character);
      this.#closing = new Closing(this.#close);
      return this.#closing.push(character);
    }
    this.#verbatim = new MarkFinder(this.#close === undefined ? [] : [this.#close]);
    return this.push(character);
  }
  end(): boolean {
    if (this.#verbatim) this.#sink.write(this.#verbatim.end());
    return this.#object.begun;
  }
}

/** Name and arguments with a mark between them: DeepSeek V3.1 writes both bare, V3 and R1 write `function` before the mark and the name, with the arguments fenced, behind it. */
export class SeparatedBody implements CallBody {
  readonly #sink: CallSink;
  readonly #close: string;
  readonly #separator: MarkFinder;
  readonly #scanner = new JsonScanner();
  #at: 'head' | 'lead' | 'arguments' = 'head';
  #head = '';
  #lead = '';
  #begun = false;
  #closing: Closing | undefined;
  #verbatim: MarkFinder | undefined;

  constructor(sink: CallSink, separator: string, close: string) {
    this.#sink = sink;
    this.#close = close;
    this.#separator = new MarkFinder([separator, close]);
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#verbatim) {
      const { passed, found } = this.#verbatim.push(character);
      this.#sink.write(passed);
      return found === undefined ? OPEN : done('');
    }
    switch (this.#at) {
      case 'head': {
        const { passed, found } = this.#separator.push(character);
        this.#head += passed;
        if (found === this.#close || this.#head.length > MOST_NAME || [...passed].some(isSign)) return FAILED;
        if (found !== undefined) this.#at = 'lead';
        return OPEN;
      }
      case 'lead':
        return this.#named(character);
      case 'arguments':
        return this.#argued(character);
      default:
        return this.#at satisfies never;
    }
  }
  #named(character: string): BodyState {
    if (character !== '{') {
      this.#lead += character;
      return this.#lead.length > MOST_NAME || isSign(character) ? FAILED : OPEN;
    }
    const fenced = /^\s*(\S+)\s*```(?:json)?\s*$/.exec(this.#lead)?.[1];
    const name = this.#lead.trim() === '' ? this.#head.trim() : fenced;
    if (name === undefined || !this.#sink.knows(name)) return FAILED;
    this.#begun = true;
    this.#sink.begin(name);
    this.#at = 'arguments';
    return this.#argued(character);
  }
  #argued(character: string): BodyState {
    const scanned = this.#scanner.push(character);
    if (scanned === 'failed') {
      this.#verbatim = new MarkFinder([this.#close]);
      return this.push(character);
    }
    this.#sink.write(character);
    if (scanned === 'done') this.#closing = new Closing(this.#close, ['```']);
    return OPEN;
  }
  end(): boolean {
    if (this.#verbatim) this.#sink.write(this.#verbatim.end());
    return this.#begun;
  }
}
