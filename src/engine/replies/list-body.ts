// Owns calls that stand in one JSON list, [{...}, {...}], each told of as it comes, up to the mark that closes the list, where there is one.
// Refuses to know how a call is written within the list.

import { Closing, done, failed, OPEN, Verbatim } from './call-bodies.ts';
import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallScanner, CallSink } from './call-object.ts';
import { isSpace, JsonScanner } from './json-scanner.ts';
import type { Scanned } from './json-scanner.ts';

/** A call of which the key is the function: {"NAME": {...}} (Apertus). */
export class KeyedObject implements CallScanner {
  readonly #sink: CallSink;
  #at: 'start' | 'quote' | 'key' | 'colon' | 'value' | 'after' = 'start';
  #scanner = new JsonScanner();
  #key = '';
  begun = false;
  whole = false;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }
  push(character: string): Scanned {
    if (this.#at === 'key') return this.#keyed(character);
    if (this.#at === 'value' && this.begun) return this.#valued(character);
    if (isSpace(character)) return 'open';
    switch (this.#at) {
      case 'start':
        return character === '{' ? this.#to('quote') : 'failed';
      case 'quote':
        if (character !== '"') return 'failed';
        this.#at = 'key';
        return this.#keyed(character);
      case 'colon':
        return character === ':' ? this.#to('value') : 'failed';
      case 'value':
        if (character !== '{') return 'failed';
        this.#sink.begin(this.#key);
        this.begun = true;
        return this.#valued(character);
      case 'after':
        return character === '}' ? 'done' : 'failed';
      default:
        return this.#at satisfies never;
    }
  }
  #to(at: 'quote' | 'colon' | 'value'): Scanned {
    this.#at = at;
    return 'open';
  }
  #keyed(character: string): Scanned {
    const scanned = this.#scanner.push(character);
    this.#key += character;
    if (scanned !== 'done') return scanned;
    this.#key = JSON.parse(this.#key) as string;
    this.#scanner = new JsonScanner();
    return this.#sink.knows(this.#key) ? this.#to('colon') : 'failed';
  }
  #valued(character: string): Scanned {
    const scanned = this.#scanner.push(character);
    if (scanned === 'failed') return 'failed';
    this.#sink.write(character);
    if (scanned === 'done') {
      this.#at = 'after';
      this.whole = true;
    }
    return 'open';
  }
}

export interface ListForm {
  /** Absent: the list's own end is the end. */
  readonly close?: string;
  /** Calls may also stand one after another without the brackets (MiniMax M1). */
  readonly loose?: boolean;
}
export class ListBody implements CallBody {
  readonly #form: ListForm;
  readonly #sink: CallSink;
  readonly #scanner: (sink: CallSink) => CallScanner;
  #at: 'start' | 'item' | 'between' = 'start';
  #loose = false;
  #call: CallScanner | undefined;
  /** All of a call that has not been told of. */
  #raw = '';
  #calls = 0;
  #closing: Closing | undefined;
  #verbatim: Verbatim | undefined;

  constructor(sink: CallSink, form: ListForm, scanner: (sink: CallSink) => CallScanner) {
    this.#sink = sink;
    this.#form = form;
    this.#scanner = scanner;
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#verbatim) return this.#verbatim.push(character);
    if (this.#call) return this.#inside(this.#call, character);
    if (isSpace(character)) return OPEN;
    switch (this.#at) {
      case 'start':
        if (character === '[') {
          this.#at = 'item';
          return OPEN;
        }
        if (this.#form.loose !== true || character !== '{') return failed(character);
        this.#loose = true;
        return this.#open(character);
      case 'item':
        return character === '{' ? this.#open(character) : this.#stray(character);
      case 'between':
        if (this.#loose) return character === '{' ? this.#open(character) : this.#closed(character);
        if (character === ',') {
          this.#at = 'item';
          return OPEN;
        }
        return character === ']' ? this.#end() : this.#stray(character);
      default:
        return this.#at satisfies never;
    }
  }
  #open(character: string): BodyState {
    this.#raw = '';
    this.#call = this.#scanner(this.#sink);
    return this.#inside(this.#call, character);
  }
  #inside(call: CallScanner, character: string): BodyState {
    const scanned = call.push(character);
    if (!call.begun) this.#raw += character;
    if (scanned === 'open') return OPEN;
    // Models forget the last brace.
    if (scanned === 'done' || call.whole) {
      this.#calls++;
      this.#call = undefined;
      this.#at = 'between';
      return scanned === 'done' ? OPEN : this.push(character);
    }
    if (!call.begun) return this.#calls === 0 ? failed(character) : done(this.#raw);
    this.#verbatim = new Verbatim(this.#sink, this.#form.close);
    return this.push(character);
  }
  #end(): BodyState {
    if (this.#form.close === undefined) return done('');
    this.#closing = new Closing([this.#form.close], [']']);
    return OPEN;
  }
  /** Without brackets the mark that closes follows at once. */
  #closed(character: string): BodyState {
    this.#end();
    return this.push(character);
  }
  #stray(character: string): BodyState {
    return this.#calls === 0 ? failed(character) : done(character);
  }
  end(): boolean {
    this.#verbatim?.end();
    return this.#calls > 0 || this.#call?.begun === true;
  }
}

/** One of two bodies, by the first character: whether it is this one. */
export class EitherBody implements CallBody {
  readonly #first: string;
  readonly #made: readonly [then: () => CallBody, otherwise: () => CallBody];
  #body: CallBody | undefined;

  constructor(first: string, then: () => CallBody, otherwise: () => CallBody) {
    this.#first = first;
    this.#made = [then, otherwise];
  }
  push(character: string): BodyState {
    if (!this.#body && isSpace(character)) return OPEN;
    this.#body ??= this.#made[character === this.#first ? 0 : 1]();
    return this.#body.push(character);
  }
  end(): boolean {
    return this.#body?.end() ?? false;
  }
}
