// Owns reading a call that is written as a JSON object, {"name": ..., "arguments": {...}}, while it comes: its name as soon as it is known, its arguments as they grow.
// Refuses to know what stands around the object.

import { isSpace, JsonScanner } from './json-scanner.ts';
import type { Scanned } from './json-scanner.ts';

/** Where a call goes that is read. */
export interface CallSink {
  /** May this be called? */
  knows(name: string): boolean;
  /** The JSON Schema of its arguments, where one is known. */
  parameters(name: string): unknown;
  /** `id`: what the model calls the call, where it does. */
  begin(name: string, id?: string): void;
  /** More of the arguments' JSON. */
  write(text: string): void;
}

const NAME = new Set(['name', 'tool_name']);
const ARGUMENTS = new Set(['arguments', 'parameters']);
const ID = new Set(['id', 'tool_call_id']);
/** Keys that say nothing about the call. */
const BESIDE = new Set(['type']);

/** Reads one call character by character. */
export interface CallScanner {
  push(character: string): Scanned;
  /** The call was told of; it cannot be taken back. */
  readonly begun: boolean;
  /** And all its arguments. */
  readonly whole: boolean;
}

/** The text inside a JSON string, when it is an object's JSON: some models write their arguments so. */
function objectWithin(text: string): string | undefined {
  try {
    const inner: unknown = JSON.parse(text);
    const value: unknown = typeof inner === 'string' ? JSON.parse(inner) : undefined;
    return typeof inner === 'string' && typeof value === 'object' && value !== null && !Array.isArray(value) ? inner : undefined;
  } catch {
    return undefined;
  }
}

type At = 'start' | 'first' | 'comma' | 'key' | 'colon' | 'value' | 'after';

export class CallObject implements CallScanner {
  readonly #sink: CallSink;
  #at: At = 'start';
  #scanner = new JsonScanner();
  /** Text of the key or value that is being read. */
  #text = '';
  #key = '';
  #name: string | undefined;
  /** What the model calls the call, where it says so before the arguments. */
  #id: string | undefined;
  /** Arguments that came before the name. */
  #early: string | undefined;
  /** Arguments are handed on as they come. */
  #streams = false;
  #begun = false;
  #whole = false;

  constructor(sink: CallSink) {
    this.#sink = sink;
  }
  get begun(): boolean {
    return this.#begun;
  }
  get whole(): boolean {
    return this.#whole;
  }

  push(character: string): Scanned {
    switch (this.#at) {
      case 'key':
      case 'value':
        return this.#inside(character);
      case 'start':
        if (isSpace(character)) return 'open';
        return character === '{' ? this.#to('first') : 'failed';
      case 'first':
      case 'comma':
        if (isSpace(character)) return 'open';
        return this.#quote(character);
      case 'colon':
        if (isSpace(character)) return 'open';
        if (character !== ':') return 'failed';
        this.#text = '';
        this.#scanner = new JsonScanner();
        return this.#to('value');
      case 'after':
        if (isSpace(character)) return 'open';
        if (character === ',') return this.#to('comma');
        return character === '}' ? this.#end() : 'failed';
      default:
        return this.#at satisfies never;
    }
  }
  #to(at: At): Scanned {
    this.#at = at;
    return 'open';
  }
  #quote(character: string): Scanned {
    if (character !== '"') return 'failed';
    this.#text = character;
    this.#scanner = new JsonScanner();
    this.#scanner.push(character);
    return this.#to('key');
  }
  #inside(character: string): Scanned {
    if (this.#at === 'value' && this.#text === '' && isSpace(character)) return 'open';
    const scanned = this.#scanner.push(character);
    if (scanned === 'failed') return 'failed';
    if (this.#at === 'value' && this.#text === '' && character === '{' && this.#name !== undefined && ARGUMENTS.has(this.#key)) {
      this.#begin();
      this.#streams = true;
    }
    if (this.#streams) {
      this.#sink.write(character);
      this.#text = character;
    } else this.#text += character;
    if (scanned === 'open') return 'open';
    return this.#at === 'key' ? this.#keyed() : this.#valued();
  }
  #keyed(): Scanned {
    this.#key = JSON.parse(this.#text) as string;
    const known = NAME.has(this.#key)
      ? this.#name === undefined
      : ARGUMENTS.has(this.#key)
        ? !this.#whole && this.#early === undefined
        : BESIDE.has(this.#key) || ID.has(this.#key);
    return known ? this.#to('colon') : 'failed';
  }
  #valued(): Scanned {
    const text = this.#text;
    if (this.#streams) {
      this.#streams = false;
      this.#whole = true;
    } else if (ID.has(this.#key)) {
      const id: unknown = JSON.parse(text);
      if (typeof id === 'string' && id !== '') this.#id = id;
    } else if (NAME.has(this.#key)) {
      const name: unknown = JSON.parse(text);
      if (typeof name !== 'string' || !this.#sink.knows(name)) return 'failed';
      this.#name = name;
      if (this.#early !== undefined) this.#all(this.#early);
      // An object with an id and a function's name is a call, whatever its arguments are.
      else if (this.#id !== undefined) this.#begin();
    } else if (ARGUMENTS.has(this.#key)) {
      const given = text.startsWith('{') ? text : text === 'null' ? '{}' : text.startsWith('"') ? objectWithin(text) : undefined;
      if (given === undefined) return 'failed';
      if (this.#name === undefined) this.#early = given;
      else this.#all(given);
    }
    return this.#to('after');
  }
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#sink.begin(this.#name ?? '', this.#id);
  }
  #all(given: string): void {
    this.#begin();
    this.#sink.write(given);
    this.#whole = true;
  }
  #end(): Scanned {
    if (this.#name === undefined) return 'failed';
    if (!this.#whole) this.#all('{}');
    return 'done';
  }
}
