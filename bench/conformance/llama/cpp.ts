// Owns reading tables out of C++ sources: string literals of every kind, braced lists, calls and sums of texts, as expressions.
// Refuses to know C++ beyond that: whatever else stands in an expression makes it unreadable, and the caller says so.

export type Expression =
  | { readonly kind: 'text'; readonly value: string }
  /** An identifier, a number, true or false. */
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'list'; readonly type?: string; readonly items: readonly Expression[] }
  | { readonly kind: 'sum'; readonly parts: readonly Expression[] };
export interface Token {
  readonly kind: 'text' | 'word' | 'sign';
  readonly value: string;
  readonly line: number;
}
export class Unreadable extends Error {}

const SIMPLE: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\u0007', '0': '\0' };
/** Bytes of a literal without its quotes: escapes may write single bytes of UTF-8. */
function unescaped(body: string): Buffer {
  const parts: Buffer[] = [];
  for (const [whole, hex, short, long, octal, one] of body.matchAll(/\\x([0-9A-Fa-f]+)|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\([0-7]{1,3})|\\([\s\S])|[^\\]+/g)) {
    if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16) & 0xff]));
    else if (short !== undefined || long !== undefined) parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(short ?? long, 16))));
    else if (octal !== undefined) parts.push(Buffer.from([Number.parseInt(octal, 8) & 0xff]));
    else if (one !== undefined) parts.push(Buffer.from(one === '\n' ? '' : (SIMPLE[one] ?? one)));
    else parts.push(Buffer.from(whole));
  }
  return Buffer.concat(parts);
}

const TOKEN = /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<raw>(?:u8)?R"(?<fence>[^()\\\s]{0,16})\((?<inner>[\s\S]*?)\)\k<fence>")|(?<text>(?:u8)?"(?<body>(?:[^"\\]|\\[\s\S])*)")|(?<single>'(?:[^'\\]|\\[\s\S])*')|(?<word>[A-Za-z_][\w]*(?:::[A-Za-z_~]\w*)*|\d[\w.]*)|(?<sign>->|[\s\S])/gy;
/** Tokens of a source; comments and lines of the preprocessor are left out, neighbouring literals are one. */
export function tokensOf(source: string): Token[] {
  const text = source.replace(/^[ \t]*#(?:[^\n\\]|\\[\s\S])*/gm, (all) => all.replace(/[^\n]/g, ''));
  const tokens: Token[] = [];
  let line = 1;
  let pending: { bytes: Buffer[]; line: number } | undefined;
  const close = (): void => {
    if (pending) tokens.push({ kind: 'text', value: Buffer.concat(pending.bytes).toString('utf8'), line: pending.line });
    pending = undefined;
  };
  for (const { 0: whole, groups = {} } of text.matchAll(TOKEN)) {
    const bytes = groups['raw'] !== undefined ? Buffer.from(groups['inner']) : groups['text'] !== undefined ? unescaped(groups['body']) : undefined;
    if (bytes) (pending ??= { bytes: [], line }).bytes.push(bytes);
    else if (groups['space'] === undefined) {
      close();
      if (groups['single'] !== undefined) tokens.push({ kind: 'text', value: unescaped(whole.slice(1, -1)).toString('utf8'), line });
      else tokens.push({ kind: groups['word'] === undefined ? 'sign' : 'word', value: whole, line });
    }
    line += whole.split('\n').length - 1;
  }
  close();
  return tokens;
}

/** Reads expressions from a place in the tokens; `at` moves on as they are read. */
export class CppReader {
  readonly tokens: readonly Token[];
  at = 0;

  constructor(tokens: readonly Token[], at = 0) {
    this.tokens = tokens;
    this.at = at;
  }
  is(value: string, ahead = 0): boolean {
    const token = this.tokens[this.at + ahead];
    return token !== undefined && token.kind !== 'text' && token.value === value;
  }
  accept(value: string): boolean {
    if (!this.is(value)) return false;
    this.at++;
    return true;
  }
  expect(value: string): void {
    if (!this.accept(value)) throw this.#unreadable(`expected ${value}`);
  }
  #unreadable(why: string): Unreadable {
    const token = this.tokens[this.at];
    return new Unreadable(`line ${token?.line ?? 'end'}: ${why}, got ${JSON.stringify(token?.value.slice(0, 40) ?? 'the end')}`);
  }

  expression(): Expression {
    const parts = [this.#operand()];
    while (this.accept('+')) parts.push(this.#operand());
    return parts.length === 1 ? parts[0] : { kind: 'sum', parts };
  }
  /** Expressions between commas up to `close`, of which the opening sign was read. */
  list(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.accept(close)) {
      // Designated initializers state a name that the order states as well.
      if (this.is('.') && this.is('=', 2)) this.at += 3;
      items.push(this.expression());
      if (!this.is(close)) this.expect(',');
    }
    return items;
  }
  #operand(): Expression {
    const token = this.tokens[this.at];
    if (token?.kind === 'text') {
      this.at++;
      return { kind: 'text', value: token.value };
    }
    if (this.accept('{')) return { kind: 'list', items: this.list('}') };
    if (this.accept('(')) {
      if (this.is('const') || this.is('char')) throw this.#unreadable('a cast');
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (token?.kind !== 'word') throw this.#unreadable('expected an expression');
    this.at++;
    this.#skipTemplateArguments();
    if (this.accept('(')) return { kind: 'call', name: token.value, args: this.list(')') };
    if (this.accept('{')) return { kind: 'list', type: token.value, items: this.list('}') };
    if (this.is('.') || this.is('->') || this.is('[')) throw this.#unreadable('a member');
    return { kind: 'word', value: token.value };
  }
  #skipTemplateArguments(): void {
    if (!this.is('<')) return;
    let depth = 0;
    do {
      if (this.is('<')) depth++;
      if (this.is('>')) depth--;
      this.at++;
      if (this.at >= this.tokens.length) throw this.#unreadable('template arguments without an end');
    } while (depth > 0);
  }
}

export type Value = string | boolean | readonly Value[] | { readonly [field: string]: Value };
/** What names and functions of a source stand for. */
export interface Scope {
  readonly names: ReadonlyMap<string, Value>;
  readonly functions: ReadonlyMap<string, (args: readonly Value[]) => Value>;
}
/** Throws Unreadable for a name that the scope does not have. Constants in capitals are their own names. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'text':
      return expression.value;
    case 'word': {
      const { value } = expression;
      if (value === 'true' || value === 'false') return value === 'true';
      const known = scope.names.get(value);
      if (known !== undefined) return known;
      if (/^[A-Z][A-Z0-9_]+$|^\d/.test(value)) return value;
      throw new Unreadable(`${value} is computed by the program`);
    }
    case 'list':
      return expression.items.map((item) => evaluate(item, scope));
    case 'sum':
      return expression.parts.map((part) => textOf(evaluate(part, scope))).join('');
    case 'call': {
      const known = scope.functions.get(expression.name);
      if (!known) throw new Unreadable(`${expression.name}() is computed by the program`);
      return known(expression.args.map((arg) => evaluate(arg, scope)));
    }
    default:
      return expression satisfies never;
  }
}
export function textOf(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Unreadable(`a text was expected, got ${JSON.stringify(value)}`);
  return value;
}
export function listOf(value: Value | undefined): readonly Value[] {
  if (!Array.isArray(value)) throw new Unreadable(`a list was expected, got ${JSON.stringify(value)}`);
  return value as readonly Value[];
}
