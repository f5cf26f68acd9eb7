// Owns finding the calls in what a model says: text before, between and behind them, and what only looks like one.
// Refuses to know how a call is written, and what was thought.

import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { isSpace } from './json-scanner.ts';
import { MarkFinder } from './marks.ts';
import type { ReplyPart } from './reader.ts';
import type { CallSyntax } from './syntax.ts';

/** What is so by construction: that what opens a call goes on as one, or that the reply is calls. What is read so far of one that was cut off is then never text. */
export type Certain = 'nothing' | 'calls' | 'reply';
export interface CallsOptions {
  readonly syntax: CallSyntax;
  readonly names: ReadonlySet<string>;
  /** The JSON Schema of a function's arguments, where one is known. */
  readonly parameters: (name: string) => unknown;
  /** The reply ends after its first call. */
  readonly single: boolean;
  readonly certain: Certain;
  readonly newId: () => string;
}

export class CallsReader {
  readonly #options: CallsOptions;
  readonly #finder: MarkFinder;
  readonly #sink: CallSink;
  #parts: ReplyPart[] = [];
  #calls = 0;
  readonly #ids = new Set<string>();
  /** One call was asked for, and this is another. */
  #silent = false;
  #over = false;
  #body: CallBody | undefined;
  /** The call that is read has been told of. */
  #begun = false;
  /** All of a call that has not been told of. */
  #raw = '';
  /** Space, and marks around calls, that may turn out to stand before a call, where they are left out. */
  #waiting: { readonly text: string; readonly isMark: boolean }[] = [];
  /** Nothing was said since the beginning or the last call. */
  #fresh = true;
  /** Anything came at all. */
  #begins = false;

  constructor(options: CallsOptions) {
    const { syntax, names, parameters } = options;
    this.#options = options;
    this.#finder = new MarkFinder([...syntax.opens, ...syntax.around, ...syntax.ends, ...(syntax.silent ?? [])]);
    this.#sink = {
      knows: (name) => names.has(name),
      parameters,
      begin: (name, id) => this.#tell(name, id),
      write: (text) => {
        if (!this.#silent) this.#parts.push({ kind: 'tool_call', index: this.#calls - 1, arguments: text });
      },
    };
  }
  #tell(name: string, id: string | undefined): void {
    // A body may hold several calls.
    this.#silent = this.#options.single && this.#calls > 0;
    this.#begun = true;
    this.#raw = '';
    this.#waiting = [];
    if (this.#silent) return;
    const own = id === undefined || this.#ids.has(id) ? this.#options.newId() : id;
    this.#ids.add(own);
    this.#parts.push({ kind: 'tool_call', index: this.#calls++, id: own, name, arguments: '' });
  }
  get called(): boolean {
    return this.#calls > 0;
  }
  get over(): boolean {
    return this.#over;
  }
  get holds(): boolean {
    return this.#waiting.length > 0 || this.#raw !== '' || this.#finder.held !== '';
  }

  push(character: string): ReplyPart[] {
    this.#take(character);
    return this.#parts.splice(0);
  }
  end(): ReplyPart[] {
    const { certain } = this.#options;
    const opened = this.#body !== undefined || this.#waiting.some(({ isMark }) => isMark);
    if (certain === 'reply' || (certain === 'calls' && opened)) return this.#cut(opened || this.#finder.held !== '');
    if (this.#body) {
      const raw = this.#raw;
      const called = this.#body.end();
      this.#body = undefined;
      const before = this.#before(true);
      if (!called) this.#say(before + raw);
    }
    const rest = this.#finder.end();
    const before = this.#before();
    // Behind calls, space and marks say nothing.
    if (rest !== '' || this.#calls === 0) this.#say(before + rest);
    return this.#parts.splice(0);
  }

  /** The one function that a call which had to come can have been of is told of. */
  #cut(came: boolean): ReplyPart[] {
    this.#body?.end();
    const [name, ...others] = this.#options.names;
    if (came && this.#options.certain === 'reply' && this.#calls === 0 && others.length === 0) this.#tell(name, undefined);
    return this.#parts.splice(0);
  }

  #take(character: string): void {
    if (this.#over) return;
    if (this.#body) {
      // Of a mark that is one character over and over, the last ones count: what is said in front of it may end with the same.
      if (this.#raw + character === character + this.#raw && this.#options.syntax.opens.includes(this.#raw)) {
        this.#pass(character);
        return;
      }
      if (!this.#begun) this.#raw += character;
      this.#go(this.#body.push(character));
      return;
    }
    const { syntax } = this.#options;
    const bare = syntax.bare === 'first' ? this.#fresh : syntax.bare === 'marked' && this.#waiting.some(({ isMark }) => isMark);
    const headed = syntax.bare === 'headed' && !this.#begins;
    this.#begins = true;
    if (headed || (bare && character === '{' && this.#finder.held === '')) {
      this.#open('');
      this.#take(character);
      return;
    }
    const { passed, found } = this.#finder.push(character);
    for (const each of passed) this.#pass(each);
    if (found === undefined) return;
    if (syntax.opens.includes(found)) this.#open(found);
    else if (syntax.ends.includes(found)) this.#over = true;
    else if (syntax.silent?.includes(found) === true) this.#fresh = true;
    else this.#waiting.push({ text: found, isMark: true });
  }
  #open(mark: string): void {
    this.#raw = mark;
    this.#begun = false;
    this.#body = this.#options.syntax.body(this.#sink, mark);
  }
  #go(state: BodyState): void {
    switch (state.kind) {
      case 'open':
        return;
      case 'done':
        this.#body = undefined;
        this.#begun = false;
        this.#raw = '';
        this.#fresh = true;
        this.#over = this.#options.single && this.#calls > 0;
        for (const each of state.rest) this.#take(each);
        return;
      case 'failed': {
        const raw = this.#raw.slice(0, this.#raw.length - state.rest.length);
        this.#body = undefined;
        this.#raw = '';
        this.#say(this.#before(true) + raw);
        this.#fresh = false;
        for (const each of state.rest) this.#take(each);
        return;
      }
      default:
        state satisfies never;
    }
  }
  /** A character of text. */
  #pass(character: string): void {
    if (isSpace(character) || (this.#fresh && this.#calls > 0 && character === ';' && this.#options.syntax.bare === 'first')) {
      this.#waiting.push({ text: character, isMark: false });
      return;
    }
    this.#fresh = false;
    this.#say(this.#before() + character);
  }
  /** What waited, which stands before no call; marks alone say nothing behind one. */
  #before(marks = this.#calls === 0): string {
    return this.#waiting
      .splice(0)
      .map(({ text, isMark }) => (isMark && !marks ? '' : text))
      .join('');
  }
  #say(text: string): void {
    if (text !== '' && this.#options.certain !== 'reply') this.#parts.push({ kind: 'delta', text });
  }
}
