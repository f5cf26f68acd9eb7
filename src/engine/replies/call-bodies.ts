// Owns how one call is written behind the mark that opens it, in each format.
// Refuses to know what was said before it and what becomes of it.

import { CallObject } from './call-object.ts';
import type { CallSink } from './call-object.ts';
import { isSpace, JsonScanner } from './json-scanner.ts';
import { isSign, MarkFinder } from './marks.ts';

/** `open`: more must come; `done`: the call is over, and `rest` does not belong to it; `failed`: it is none, and `rest`, the end of what came, may begin another. */
export type BodyState = { readonly kind: 'open' } | { readonly kind: 'done' | 'failed'; readonly rest: string };
export interface CallBody {
  push(character: string): BodyState;
  /** The reply is over. Whether what came was a call. */
  end(): boolean;
}

export const OPEN: BodyState = { kind: 'open' };
export const done = (rest: string): BodyState => ({ kind: 'done', rest });
export const failed = (rest: string): BodyState => ({ kind: 'failed', rest });
/** Characters of a name, and of what may stand around it. */
export const MOST_NAME = 256;

/** What follows a whole call up to the mark that closes it: nothing but space and `skipped`. Models write a brace too many now and then. */
export class Closing {
  readonly #finder: MarkFinder;
  readonly #skipped: ReadonlySet<string>;
  #space = '';
  /** The mark that closed it. */
  closed: string | undefined;
  constructor(closes: readonly string[], skipped: readonly string[] = ['}']) {
    this.#finder = new MarkFinder([...closes, ...skipped]);
    this.#skipped = new Set(skipped);
  }
  push(character: string): BodyState {
    if (this.#finder.held === '' && isSpace(character)) {
      this.#space += character;
      return OPEN;
    }
    const { passed, found } = this.#finder.push(character);
    if (passed !== '') return done(this.#space + passed + (found ?? this.#finder.end()));
    if (found === undefined || this.#skipped.has(found)) return OPEN;
    this.closed = found;
    return done('');
  }
}

/** Arguments that are no JSON any more, though the call was told of: all up to the mark that closes, where there is one, is theirs. */
export class Verbatim {
  readonly #sink: Pick<CallSink, 'write'>;
  readonly #finder: MarkFinder;
  constructor(sink: Pick<CallSink, 'write'>, close: string | undefined) {
    this.#sink = sink;
    this.#finder = new MarkFinder(close === undefined ? [] : [close]);
  }
  push(character: string): BodyState {
    const { passed, found } = this.#finder.push(character);
    this.#sink.write(passed);
    return found === undefined ? OPEN : done('');
  }
  end(): void {
    this.#sink.write(this.#finder.end());
  }
}

/** Arguments that are written as JSON, up to a mark that closes them. From where they are no JSON any more, all up to such a mark is theirs. */
export class JsonArguments {
  readonly #sink: Pick<CallSink, 'write'>;
  readonly #closes: readonly string[];
  readonly #skipped: readonly string[];
  readonly #scanner = new JsonScanner();
  #closing: Closing | undefined;
  #verbatim: MarkFinder | undefined;
  #written = false;
  #closed: string | undefined;

  /** `skipped`: marks that may stand between the arguments and their end. `verbatim`: they are no JSON already. */
  constructor(
    sink: Pick<CallSink, 'write'>,
    closes: readonly string[],
    { skipped = ['}'], verbatim = false }: { readonly skipped?: readonly string[]; readonly verbatim?: boolean } = {},
  ) {
    this.#sink = sink;
    this.#closes = closes;
    this.#skipped = skipped;
    if (verbatim) this.#verbatim = new MarkFinder(closes);
  }
  /** The mark that closed them. */
  get closed(): string | undefined {
    return this.#closing?.closed ?? this.#closed;
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#verbatim) return this.#beyond(this.#verbatim, character);
    if (!this.#written && isSpace(character)) return OPEN;
    const scanned = this.#scanner.push(character);
    if (scanned === 'failed') return this.#beyond((this.#verbatim = new MarkFinder(this.#closes)), character);
    this.#write(character);
    if (scanned === 'done') this.#closing = new Closing(this.#closes, this.#skipped);
    return OPEN;
  }
  #beyond(finder: MarkFinder, character: string): BodyState {
    const { passed, found } = finder.push(character);
    this.#write(passed);
    if (found === undefined) return OPEN;
    if (!this.#written) this.#write('{}');
    this.#closed = found;
    return done('');
  }
  #write(text: string): void {
    if (text === '') return;
    this.#written = true;
    this.#sink.write(text);
  }
  end(): void {
    if (this.#verbatim) this.#write(this.#verbatim.end());
  }
}

/** A JSON object with name and arguments, up to the mark that closes it, where there is one (Hermes, Qwen, Llama 3). */
export class ObjectBody implements CallBody {
  readonly #sink: CallSink;
  readonly #close: string | undefined;
  readonly #object: CallObject;
  #closing: Closing | undefined;
  #verbatim: Verbatim | undefined;

  constructor(sink: CallSink, close?: string) {
    this.#sink = sink;
    this.#close = close;
    this.#object = new CallObject(sink);
  }
  push(character: string): BodyState {
    if (this.#closing) return this.#closing.push(character);
    if (this.#verbatim) return this.#verbatim.push(character);
    const scanned = this.#object.push(character);
    if (scanned === 'open') return OPEN;
    if (scanned === 'done') {
      if (this.#close === undefined) return done('');
      this.#closing = new Closing([this.#close]);
      return OPEN;
    }
    if (!this.#object.begun) return failed(character);
    // Models forget the last brace.
    if (this.#object.whole) {
      if (this.#close === undefined) return done(character);
      this.#closing = new Closing([this.#close]);
      return this.#closing.push(character);
    }
    this.#verbatim = new Verbatim(this.#sink, this.#close);
    return this.push(character);
  }
  end(): boolean {
    this.#verbatim?.end();
    return this.#object.begun;
  }
}

export interface SeparatedForm {
  readonly separator: string;
  readonly close: string;
  /** The function's name in what stands before the mark, and the call's id, where that tells it. */
  readonly head?: (text: string) => { readonly name: string; readonly id: string };
  /** A mark within what stands before the mark. */
  readonly within?: string;
}
/**
 * Name and arguments with a mark between them: DeepSeek V3.1 writes both bare, V3 and R1 write `function` before the mark and the name, with the arguments fenced, behind it;
 * Kimi K2 writes an id before it that holds the name.
 */
export class SeparatedBody implements CallBody {
  readonly #sink: CallSink;
  readonly #form: SeparatedForm;
  readonly #separator: MarkFinder;
  #inHead = true;
  #head = '';
  #lead = '';
  #arguments: JsonArguments | undefined;

  constructor(sink: CallSink, form: SeparatedForm) {
    this.#sink = sink;
    this.#form = form;
    this.#separator = new MarkFinder([form.separator, form.close]);
  }
  push(character: string): BodyState {
    if (this.#arguments) return this.#arguments.push(character);
    if (!this.#inHead) return this.#led(character);
    const { passed, found } = this.#separator.push(character);
    this.#head += passed;
    if (found === this.#form.close) return failed(found);
    if (this.#head.length > MOST_NAME || [...passed].some((each) => isSign(each) && each !== this.#form.within))
      return failed(passed.slice(-1) + (found ?? this.#separator.end()));
    if (found !== undefined) this.#inHead = false;
    return OPEN;
  }
  #led(character: string): BodyState {
    if (character !== '{') {
      this.#lead += character;
      return this.#lead.length > MOST_NAME || isSign(character) ? failed(character) : OPEN;
    }
    const fenced = /^\s*(\S+)\s*```(?:json)?\s*$/.exec(this.#lead)?.[1];
    const head = this.#head.trim();
    const { name, id } = this.#lead.trim() === '' ? (this.#form.head?.(head) ?? { name: head, id: undefined }) : { name: fenced, id: undefined };
    if (name === undefined || !this.#sink.knows(name)) return failed(character);
    this.#sink.begin(name, id);
    this.#arguments = new JsonArguments(this.#sink, [this.#form.close], { skipped: ['```', '}'] });
    return this.#arguments.push(character);
  }
  end(): boolean {
    this.#arguments?.end();
    return this.#arguments !== undefined;
  }
}
