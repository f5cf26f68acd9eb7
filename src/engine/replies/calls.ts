// Owns finding the calls in what a model says: text before, between and behind them, and what only looks like one.
// Refuses to know how a call is written, and what was thought.

import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { isSpace } from './json-scanner.ts';
import { MarkFinder } from './marks.ts';
import type { ReplyPart } from './reader.ts';

export interface CallSyntax {
  /** Marks behind which a call is written. */
  readonly opens: readonly string[];
  /** Marks around calls, which say nothing. */
  readonly around: readonly string[];
  /** A call may also begin with a bare brace, where nothing else was said. */
  readonly bare: boolean;
  body(sink: CallSink): CallBody;
}

export interface CallsOptions {
  readonly syntax: CallSyntax;
  readonly names: ReadonlySet<string>;
  /** The reply ends after its first call. */
  readonly single: boolean;
  readonly newId: () => string;
}

export class CallsReader {
  readonly #options: CallsOptions;
  readonly #finder: MarkFinder;
  readonly #sink: CallSink;
  #parts: ReplyPart[] = [];
  #calls = 0;
  #over = false;
  #body: CallBody | undefined;
  /** The call that is read has been told of. */
  #begun = false;
  /** All of a call that has not been told of, with the marks in front of it. */
  #raw = '';
  /** Marks around calls that have come and stand before no call yet. */
  #around = '';
  /** Space that may turn out to stand before a call, where it is left out. */
  #space = '';
  /** Nothing was said since the beginning or the last call. */
  #fresh = true;

  constructor(options: CallsOptions) {
    const { syntax, names, newId } = options;
    this.#options = options;
    this.#finder = new MarkFinder([...syntax.opens, ...syntax.around]);
    this.#sink = {
      knows: (name) => names.has(name),
      begin: (name) => {
        this.#begun = true;
        this.#raw = '';
        this.#space = '';
        this.#parts.push({ kind: 'tool_call', index: this.#calls++, id: newId(), name, arguments: '' });
      },
      write: (text) => void this.#parts.push({ kind: 'tool_call', index: this.#calls - 1, arguments: text }),
    };
  }
  get called(): boolean {
    return this.#calls > 0;
  }
  get over(): boolean {
    return this.#over;
  }
  get holds(): boolean {
    return this.#space !== '' || this.#raw !== '' || this.#finder.held !== '';
  }

  push(character: string): ReplyPart[] {
    this.#take(character);
    return this.#parts.splice(0);
  }
  end(): ReplyPart[] {
    if (this.#body) {
      const raw = this.#raw;
      const called = this.#body.end();
      this.#body = undefined;
      if (!called) this.#say(this.#space + raw);
      this.#space = '';
    }
    const rest = this.#finder.end();
    // Behind calls, space and marks say nothing.
    if (rest !== '' || this.#calls === 0) this.#say((this.#calls === 0 ? this.#around : '') + this.#space + rest);
    this.#space = '';
    return this.#parts.splice(0);
  }

  #take(character: string): void {
    if (this.#over) return;
    if (this.#body) {
      if (!this.#begun) this.#raw += character;
      this.#go(this.#body.push(character), character);
      return;
    }
    const { syntax } = this.#options;
    if (syntax.bare && this.#fresh && character === '{' && this.#finder.held === '') {
      this.#open('');
      this.#take(character);
      return;
    }
    const { passed, found } = this.#finder.push(character);
    for (const each of passed) this.#pass(each);
    if (found === undefined) return;
    if (syntax.opens.includes(found)) this.#open(found);
    else this.#around += found;
  }
  #open(mark: string): void {
    this.#raw = this.#around + mark;
    this.#around = '';
    this.#begun = false;
    this.#body = this.#options.syntax.body(this.#sink);
  }
  #go(state: BodyState, character: string): void {
    switch (state.kind) {
      case 'open':
        return;
      case 'done':
        this.#body = undefined;
        this.#begun = false;
        this.#raw = '';
        this.#fresh = true;
        this.#over = this.#options.single;
        for (const each of state.rest) this.#take(each);
        return;
      case 'failed': {
        // The last character may begin a mark.
        const raw = this.#raw.slice(0, this.#raw.length - character.length);
        this.#body = undefined;
        this.#raw = '';
        this.#say(this.#space + raw);
        this.#space = '';
        this.#fresh = false;
        this.#take(character);
        return;
      }
      default:
        state satisfies never;
    }
  }
  /** A character of text. */
  #pass(character: string): void {
    if (isSpace(character) || (this.#fresh && this.#calls > 0 && character === ';' && this.#options.syntax.bare)) {
      this.#space += character;
      return;
    }
    this.#fresh = false;
    this.#say((this.#calls === 0 ? this.#around : '') + this.#space + character);
    this.#around = '';
    this.#space = '';
  }
  #say(text: string): void {
    if (text !== '') this.#parts.push({ kind: 'delta', text });
  }
}
