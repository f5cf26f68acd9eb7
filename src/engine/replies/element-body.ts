// Owns calls whose parameters are elements, each with its value between marks: those of Qwen3-Coder, MiniMax, GLM 4.5, DeepSeek V3.2 and others. The arguments may be a JSON object in their place.
// Refuses to know what a value is: its parameter's schema says so, or what stands beside its name.

import { done, failed, JsonArguments, MOST_NAME, OPEN } from './call-bodies.ts';
import type { BodyState, CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { isSpace } from './json-scanner.ts';
import { isSign, MarkFinder } from './marks.ts';
import { isOpen, nestedJson } from './nested-values.ts';
import type { NestedForm } from './nested-values.ts';
import { escaped, isText, jsonOf, parameterSchema, parameterTypes, quoted } from './values.ts';

export interface ElementForm {
  /** Behind the function's name; absent: the name ends where a parameter, an object or the end begins. */
  readonly nameEnd?: string;
  readonly open: string;
  readonly keyEnd: string;
  /** Between key and value; absent: the value begins at once. */
  readonly valueOpen?: string;
  readonly valueClose: string;
  readonly close: string;
  /** A value stands on lines of its own: the line breaks around it are none of it. */
  readonly lines: boolean;
  /** What names a function or a parameter in its head, with attributes in it; absent: all of it. */
  readonly named?: (head: string) => Named;
  /** Marks around a value in which no other mark counts. */
  readonly raw?: { readonly open: string; readonly close: string };
  /** Elements within elements; the marks here are those of any element, and each ends with its own name. */
  readonly nested?: NestedForm;
}
export interface Named {
  readonly name: string;
  /** The types of JSON that its value may have, where the head says so. */
  readonly types?: ReadonlySet<string>;
}
/** Names may stand in quotes. */
const bare = (name: string): string => name.trim().replace(/^(["'])(.*)\1$/, '$2');

/** One value while it comes: text is handed on at once, all else when it is whole. */
class Value {
  readonly #form: ElementForm;
  readonly #json: (text: string) => string;
  readonly #write: (text: string) => void;
  readonly #streams: boolean;
  #text = '';
  #begun = false;
  /** A line break that may be the last. */
  #break = '';

  /** `json`: the value of a text that is whole; `streams`: it is text in any case. */
  constructor(form: ElementForm, json: (text: string) => string, streams: boolean, write: (text: string) => void) {
    this.#form = form;
    this.#json = json;
    this.#write = write;
    this.#streams = streams;
    if (streams) write('"');
  }
  /** What is known of it; of text that was handed on, nothing is. */
  get text(): string {
    return this.#text;
  }
  get begun(): boolean {
    return this.#begun;
  }
  push(text: string): void {
    for (const character of text) {
      const first = !this.#begun;
      this.#begun = true;
      if (!this.#form.lines || character !== '\n') this.#take(this.#flush() + character);
      else if (!first) {
        this.#take(this.#flush());
        this.#break = character;
      }
    }
  }
  #flush(): string {
    const held = this.#break;
    this.#break = '';
    return held;
  }
  #take(text: string): void {
    if (this.#streams) this.#write(escaped(text));
    else this.#text += text;
  }
  close(): void {
    this.#write(this.#streams ? '"' : this.#json(this.#text));
  }
  /** The reply ended within it. */
  cut(): void {
    this.#take(this.#flush());
    if (!this.#streams) this.#write(`"${escaped(this.#text)}`);
  }
}

type At = 'name' | 'between' | 'key' | 'gap' | 'value';

export class ElementBody implements CallBody {
  readonly #sink: CallSink;
  readonly #form: ElementForm;
  #at: At = 'name';
  #finder: MarkFinder;
  #name = '';
  #key = '';
  #parameter: Named = { name: '' };
  #parameters = 0;
  #begun = false;
  #value: Value | undefined;
  /** Arguments as JSON, or what is no element. */
  #rest: JsonArguments | undefined;

  constructor(sink: CallSink, form: ElementForm) {
    this.#sink = sink;
    this.#form = form;
    this.#finder = new MarkFinder(form.nameEnd === undefined ? [form.open, form.close] : [form.nameEnd]);
  }

  push(character: string): BodyState {
    if (this.#rest) return this.#rest.push(character);
    const loose = this.#finder.held === '';
    if ((this.#at === 'between' || this.#at === 'gap') && loose && isSpace(character)) return OPEN;
    const object =
      character === '{' && loose && this.#parameters === 0 && (this.#at === 'between' || (this.#at === 'name' && this.#form.nameEnd === undefined));
    if (object) return this.#at === 'between' || this.#known() ? this.#json(character) : failed(character);
    const { passed, found } = this.#finder.push(character);
    switch (this.#at) {
      case 'name': {
        this.#name += passed;
        // What is no name may begin a call itself.
        const characters = Array.from(passed);
        const stray = characters.findIndex((each) => each === '<' || isSign(each));
        if (stray >= 0 || this.#name.length > MOST_NAME || (!this.#form.named && /\S\s+\S/.test(this.#name)))
          return failed(characters.slice(stray).join('') + (found ?? this.#finder.end()));
        if (found === undefined) return OPEN;
        if (!this.#known()) return failed(found);
        return found === this.#form.nameEnd ? this.#to('between', [this.#form.open, this.#form.close]) : this.#marked(found);
      }
      case 'between':
        if (passed !== '') return this.#stray(passed + (found ?? ''));
        return found === undefined ? OPEN : this.#marked(found);
      case 'key':
        this.#key += passed;
        if (this.#key.length > MOST_NAME) return this.#stray(this.#key);
        return found === undefined ? OPEN : this.#keyed();
      case 'gap':
        if (passed !== '') return this.#stray(passed + (found ?? ''));
        if (found !== undefined) this.#open();
        return OPEN;
      case 'value':
        this.#value?.push(passed);
        return found === undefined ? OPEN : this.#closed(found);
      default:
        return this.#at satisfies never;
    }
  }
  #to(at: At, marks: readonly string[]): BodyState {
    this.#at = at;
    this.#finder = new MarkFinder(marks);
    return OPEN;
  }
  #known(): boolean {
    this.#name = this.#named(this.#name).name;
    return this.#sink.knows(this.#name);
  }
  #named(head: string): Named {
    return this.#form.named?.(head) ?? { name: bare(head) };
  }
  #begin(): void {
    if (!this.#begun) this.#sink.begin(this.#name);
    this.#begun = true;
  }
  /** A parameter begins, or the call is over. */
  #marked(mark: string): BodyState {
    this.#begin();
    return mark === this.#form.open ? this.#to('key', [this.#form.keyEnd]) : this.#end();
  }
  #end(): BodyState {
    this.#sink.write(this.#parameters === 0 ? '{}' : '}');
    return done('');
  }
  #keyed(): BodyState {
    if (this.#form.nested && this.#key.trim() === this.#form.nested.end) return this.#end();
    this.#parameter = this.#named(this.#key);
    this.#writeKey(quoted(this.#parameter.name) + ': ');
    if (this.#form.valueOpen === undefined) this.#open();
    else this.#to('gap', [this.#form.valueOpen]);
    return OPEN;
  }
  #writeKey(key: string): void {
    this.#sink.write((this.#parameters++ === 0 ? '{' : ', ') + key);
  }
  #open(): void {
    const { valueClose, close, open, nested, raw } = this.#form;
    const { name } = this.#parameter;
    const parameters = this.#sink.parameters(this.#name);
    const types = this.#parameter.types ?? parameterTypes(parameters, name);
    const json = (text: string): string => (nested ? nestedJson(text, nested, parameterSchema(parameters, name), parameters) : jsonOf(text, types));
    this.#value = new Value(this.#form, json, isText(types), (text) => this.#sink.write(text));
    this.#key = '';
    if (nested) this.#to('value', [nested.closeOf(name)]);
    // Marks that are special tokens stand in no text: a value that was not closed ends there.
    else this.#to('value', [valueClose, ...(raw ? [raw.open] : []), ...[open, close].filter(isSign)]);
  }
  #closed(mark: string): BodyState {
    const { nested, raw } = this.#form;
    const within = nested && this.#value && isOpen(this.#value.text, nested, this.#parameter.name);
    if (within === true || (raw && mark === raw.open)) {
      if (mark === raw?.open && this.#value?.begun === false) return this.#to('value', [raw.close + this.#form.valueClose]);
      this.#value?.push(mark);
      return OPEN;
    }
    this.#value?.close();
    this.#value = undefined;
    this.#to('between', [this.#form.open, this.#form.close]);
    return mark === this.#form.open || mark === this.#form.close ? this.#marked(mark) : OPEN;
  }
  #json(first: string): BodyState {
    this.#begin();
    this.#rest = new JsonArguments(this.#sink, [this.#form.close]);
    return this.#rest.push(first);
  }
  /** What is no element: of a call that was told of, it is written as it stands. */
  #stray(text: string): BodyState {
    if (!this.#begun) return failed(text + this.#finder.end());
    const held = text + this.#finder.end();
    this.#rest = new JsonArguments(this.#sink, [this.#form.close], { verbatim: true });
    let state: BodyState = OPEN;
    for (const character of held) state = this.#rest.push(character);
    return state;
  }
  end(): boolean {
    const held = this.#finder.end();
    if (this.#rest) this.#rest.end();
    else if (this.#begun && this.#at === 'key') this.#writeKey(`"${escaped(this.#key + held)}`);
    else if (this.#begun && this.#at === 'value') {
      this.#value?.push(held);
      this.#value?.cut();
    }
    return this.#begun;
  }
}
