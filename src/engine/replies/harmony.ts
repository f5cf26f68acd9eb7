// Owns replies in Harmony, the format of gpt-oss: messages with channels, of which `analysis` is thought, those to a function are calls, and all others are said.
// Refuses to know tokens, and what the functions do.

import { JsonArguments } from './call-bodies.ts';
import { isSpace } from './json-scanner.ts';
import { MarkFinder } from './marks.ts';
import type { Marks } from './marks.ts';
import type { ReplyPart, ReplyReader } from './reader.ts';
import { HARMONY } from './syntax.ts';

export interface HarmonyOptions {
  readonly marks: Marks;
  /** The prompt has opened a thought. */
  readonly opened: boolean;
  /** Functions that may be called. */
  readonly names: ReadonlySet<string>;
  /** The reply ends after its first call. */
  readonly single: boolean;
  /** Behind its thought the reply is a call by construction. */
  readonly forced: boolean;
  readonly newId: () => string;
}
/** Characters of a message's head. */
const MOST_HEAD = 512;
/** A reply begins behind the role, so that a recipient may come at once. */
const RECIPIENT = /^\s*(?:t|to|to=\S*\s*)?$/;
/** What messages say between them. */
const BETWEEN = '\n\n';

type Said = 'delta' | 'reasoning';

export class HarmonyReader implements ReplyReader {
  readonly #options: HarmonyOptions;
  readonly #marks: Readonly<Record<keyof typeof HARMONY, string>>;
  readonly #finder: MarkFinder;
  #at: 'begin' | 'head' | 'text' | 'between';
  /** Of the message that begins, with its marks. */
  #head = '';
  #kind: Said;
  /** Nothing of this message was told. */
  #fresh = true;
  readonly #told = new Set<Said>();
  #arguments: JsonArguments | undefined;
  #calls = 0;
  #over = false;
  #parts: ReplyPart[] = [];

  constructor(options: HarmonyOptions) {
    const { marks, opened } = options;
    this.#options = options;
    this.#marks = {
      start: marks.as(HARMONY.start),
      channel: marks.as(HARMONY.channel),
      constrain: marks.as(HARMONY.constrain),
      message: marks.as(HARMONY.message),
      end: marks.as(HARMONY.end),
      call: marks.as(HARMONY.call),
      stop: marks.as(HARMONY.stop),
    };
    this.#finder = new MarkFinder(Object.values(this.#marks));
    this.#at = opened ? 'text' : 'begin';
    this.#kind = opened ? 'reasoning' : 'delta';
  }
  get called(): boolean {
    return this.#calls > 0;
  }
  get over(): boolean {
    return this.#over;
  }
  get thinks(): boolean {
    return this.#at === 'text' && this.#kind === 'reasoning' && !this.#arguments;
  }
  get holds(): boolean {
    return (this.#at === 'begin' && this.#head !== '') || (this.#at === 'text' && this.#kind === 'delta' && this.#finder.held !== '');
  }

  push(text: string): ReplyPart[] {
    for (const character of text) this.#take(character);
    return this.#parts.splice(0);
  }
  end(): ReplyPart[] {
    const held = this.#finder.end();
    const [name, ...others] = this.#options.names;
    if (this.#options.forced && this.#calls === 0 && others.length === 0 && this.#at === 'head' && this.#head.includes('commentary')) this.#call(name);
    if (this.#arguments) this.#arguments.end();
    else if (this.#at === 'text') this.#say(held);
    // A head that was cut off says nothing; a beginning without marks is none.
    else if (this.#at === 'begin') this.#say(this.#head + held);
    return this.#parts.splice(0);
  }

  #take(character: string): void {
    if (this.#over) return;
    if (this.#arguments) {
      this.#argued(this.#arguments, character);
      return;
    }
    const { passed, found } = this.#finder.push(character);
    if (passed !== '') this.#text(passed);
    if (found !== undefined) this.#mark(found);
  }
  #text(text: string): void {
    switch (this.#at) {
      case 'begin':
        this.#head += text;
        if (!RECIPIENT.test(this.#head)) this.#plain();
        return;
      case 'head':
        this.#head += text;
        if (this.#head.length > MOST_HEAD) this.#plain();
        return;
      case 'text':
        this.#say(text);
        return;
      case 'between':
        if (Array.from(text).every(isSpace)) return;
        this.#open('delta');
        this.#say(text);
        return;
      default:
        this.#at satisfies never;
    }
  }
  #mark(mark: string): void {
    const { start, channel, constrain, message, end } = this.#marks;
    if (mark === start) this.#begin('');
    else if (mark === channel || mark === constrain) this.#begin((this.#at === 'begin' || this.#at === 'head' ? this.#head : '') + mark);
    else if (mark === message) this.#headed(this.#at === 'begin' || this.#at === 'head' ? this.#head : '');
    else if (mark === end) {
      if (this.#at === 'begin') this.#say(this.#head);
      this.#at = 'between';
    } else this.#over = true;
  }
  #begin(head: string): void {
    this.#at = 'head';
    this.#head = head;
  }
  #open(kind: Said): void {
    this.#at = 'text';
    this.#kind = kind;
    this.#head = '';
    this.#fresh = true;
  }
  /** What was taken for a head is said. */
  #plain(): void {
    const head = this.#head;
    this.#open('delta');
    this.#say(head);
  }
  #headed(head: string): void {
    const { channel, constrain } = this.#marks;
    const [role, ...rest] = head.replaceAll(constrain, ' ').split(channel);
    const [name] = (rest.at(-1) ?? '').trim().split(/\s+/);
    const recipient = /(?:^|\s)to=(\S+)/.exec(` ${role} ${rest.join(' ')}`)?.[1];
    const speaker = role.replace(/(?:^|\s)to=\S+/, '').trim();
    if (speaker !== '' && speaker !== 'assistant') {
      // Someone else speaks.
      this.#over = true;
      return;
    }
    const called = recipient?.replace(/^functions\./, '');
    if (called !== undefined && this.#options.names.has(called)) this.#call(called);
    else if (recipient !== undefined && recipient !== 'user' && recipient !== 'assistant') {
      // What was not offered is text like any other.
      this.#open('delta');
      this.#say(head.replace(/^\s*assistant/, '') + this.#marks.message);
    } else this.#open(name === 'analysis' ? 'reasoning' : 'delta');
  }
  #call(name: string): void {
    const index = this.#calls++;
    this.#parts.push({ kind: 'tool_call', index, id: this.#options.newId(), name, arguments: '' });
    const { start, end, call, stop } = this.#marks;
    this.#head = '';
    this.#at = 'between';
    this.#arguments = new JsonArguments({ write: (text) => void this.#parts.push({ kind: 'tool_call', index, arguments: text }) }, [end, call, stop, start]);
  }
  #argued(args: JsonArguments, character: string): void {
    const state = args.push(character);
    if (state.kind === 'open') return;
    this.#arguments = undefined;
    if (this.#options.single) this.#over = true;
    if (args.closed !== undefined) this.#mark(args.closed);
    for (const each of state.rest) this.#take(each);
  }
  #say(text: string): void {
    if (text === '' || (this.#options.forced && this.#kind === 'delta')) return;
    const between = this.#fresh && this.#told.has(this.#kind) ? BETWEEN : '';
    this.#fresh = false;
    this.#told.add(this.#kind);
    this.#parts.push({ kind: this.#kind, text: between + text });
  }
}
