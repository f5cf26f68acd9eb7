// Owns reading calls that are written as code of Python: f(a=1, b="x"), one or several, printed or assigned or in a list, with literals as arguments; and literals by themselves.
// Refuses to run anything. What is no such call makes the whole text none.

export interface PythonCall {
  readonly name: string;
  /** By position. */
  readonly values: readonly unknown[];
  /** By name. */
  readonly named: Readonly<Record<string, unknown>>;
}

const MOST_DEPTH = 64;
const NAME = /[A-Za-z_]\w*/y;
const PATH = /[A-Za-z_][\w-]*(?:\s*\.\s*[A-Za-z_][\w-]*)*/y;
const NUMBER = /[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['True', true],
  ['False', false],
  ['None', null],
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\u0007',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

class NoCall extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  constructor(text: string) {
    this.#text = text;
  }

  /** Statements up to the end of the text. */
  program(): PythonCall[] {
    const calls: PythonCall[] = [];
    for (;;) {
      this.#skip(true);
      while (this.#take(';')) this.#skip(true);
      if (this.#at >= this.#text.length) return calls;
      calls.push(...this.#statement());
      this.#skip(false);
      if (this.#at < this.#text.length && !/[\n;]/.test(this.#text[this.#at])) throw new NoCall();
    }
  }
  /** One literal, and nothing else. */
  literal(): unknown {
    const value = this.#value();
    this.#skip(true);
    if (this.#at < this.#text.length) throw new NoCall();
    return value;
  }
  #statement(): PythonCall[] {
    if (this.#take('[')) return this.#listed(']', () => this.#call());
    const start = this.#at;
    const assigned = this.#match(NAME);
    this.#skip(false);
    if (assigned === undefined || this.#text[this.#at] !== '=' || this.#text[this.#at + 1] === '=') this.#at = start;
    else this.#at++;
    this.#skip(false);
    if (/print\s*\(/y.test(this.#text.slice(this.#at))) {
      this.#match(NAME);
      this.#skip(false);
      this.#need('(');
      return this.#listed(')', () => this.#call());
    }
    return [this.#call()];
  }
  #call(): PythonCall {
    this.#skip(true);
    const name = this.#match(PATH)?.replace(/\s/g, '');
    this.#skip(false);
    if (name === undefined || !this.#take('(')) throw new NoCall();
    const values: unknown[] = [];
    const named: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    this.#listed(')', () => {
      if (this.#take('**')) {
        const spread = this.#value();
        if (!isObject(spread)) throw new NoCall();
        Object.assign(named, spread);
        return;
      }
      const start = this.#at;
      const key = this.#match(NAME);
      this.#skip(true);
      if (key !== undefined && this.#take('=')) named[key] = this.#value();
      else {
        this.#at = start;
        if (Object.keys(named).length > 0) throw new NoCall();
        values.push(this.#value());
      }
    });
    return { name, values, named };
  }
  /** Items between commas, the last of which may have one behind it. */
  #listed<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    for (;;) {
      this.#skip(true);
      if (this.#take(close)) return items;
      items.push(item());
      this.#skip(true);
      if (this.#take(close)) return items;
      this.#need(',');
    }
  }
  #value(): unknown {
    this.#skip(true);
    if (++this.#depth > MOST_DEPTH) throw new NoCall();
    const value = this.#bare();
    this.#depth--;
    return value;
  }
  #bare(): unknown {
    const character = this.#text[this.#at];
    if (character === '"' || character === "'") return this.#string(character);
    if (this.#take('[')) return this.#listed(']', () => this.#value());
    if (this.#take('(')) return this.#listed(')', () => this.#value());
    if (this.#take('{')) {
      const entries = this.#listed('}', () => {
        const key = this.#value();
        this.#skip(true);
        this.#need(':');
        if (typeof key !== 'string') throw new NoCall();
        return [key, this.#value()] as const;
      });
      return Object.fromEntries(entries);
    }
    const number = this.#match(NUMBER);
    if (number !== undefined) {
      const value = Number(number.replaceAll('_', ''));
      // Digits would be lost of larger whole numbers.
      if (!Number.isFinite(value) || (/^[+-]?[\d_]+$/.test(number) && !Number.isSafeInteger(value))) throw new NoCall();
      return value;
    }
    const word = this.#match(NAME) ?? '';
    if (!WORDS.has(word)) throw new NoCall();
    return WORDS.get(word);
  }
  #string(quote: string): string {
    const close = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#at += close.length;
    let value = '';
    while (!this.#take(close)) {
      const character = this.#text[this.#at++];
      if (character === undefined || (character === '\n' && close.length === 1)) throw new NoCall();
      value += character === '\\' ? this.#escape() : character;
    }
    return value;
  }
  #escape(): string {
    const character = this.#text[this.#at++] ?? '';
    const digits = { x: 2, u: 4, U: 8 }[character];
    if (digits === undefined) return Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : `\\${character}`;
    const code = this.#text.slice(this.#at, this.#at + digits);
    this.#at += digits;
    const point = Number.parseInt(code, 16);
    if (!new RegExp(`^[0-9A-Fa-f]{${digits}}$`).test(code) || point > 0x10ffff) throw new NoCall();
    return String.fromCodePoint(point);
  }
  /** Space and comments; line breaks, too, where they end nothing. */
  #skip(lines: boolean): void {
    const pattern = lines ? /(?:\s|#[^\n]*|\\\n)+/y : /(?:[^\S\n]|#[^\n]*|\\\n)+/y;
    this.#match(pattern);
  }
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
  #need(text: string): void {
    if (!this.#take(text)) throw new NoCall();
  }
}

/** The calls that a code makes, in order; undefined: it does something else, or nothing. */
export function pythonCalls(code: string): readonly PythonCall[] | undefined {
  const calls = attempt(() => new Reader(code).program());
  return calls && calls.length > 0 ? calls : undefined;
}
/** The value of a literal; undefined for what is none. */
export const pythonLiteral = (text: string): unknown => attempt(() => new Reader(text).literal());
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NoCall) return undefined;
    throw error;
  }
}
