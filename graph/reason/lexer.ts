// Owns cutting rule text into tokens with their places.
// Refuses to know what the tokens mean together.

import { RuleError } from './errors.ts';

export type TokenKind = 'name' | 'quoted' | 'variable' | 'number' | 'annotation' | 'sign' | 'end';
export interface Token {
  readonly kind: TokenKind;
  /** Name, unescaped content, variable without `?`, annotation without `@`, or the sign itself. */
  readonly text: string;
  /** As it stands in the source. */
  readonly raw: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
}

/** Characters of one rule text at most. */
export const RULE_TEXT_LIMIT = 16 * 1024 * 1024;

const SPACE = /[\s\uFEFF]+/uy;
const COMMENT = /%[^\n]*/uy;
const NAME = /[\p{L}_][\p{L}\p{M}\p{N}_]*/uy;
const VARIABLE = /\?([\p{L}_][\p{L}\p{M}\p{N}_]*)/uy;
const ANNOTATION = /@([A-Za-z_]+)/uy;
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/uy;
const SIGN = /:-|\^\^|!=|<=|>=|[(),.<>=+*/:{}[\]-]/uy;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', r: '\r', t: '\t' };

/** What people type by habit, and what the language has instead. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^#/u, 'comments begin with "%"'],
  [/^（|^）|^，|^。|^？|^－|^：/u, 'write the half-width sign: ( ) , . ? - :'],
  [/^[“”„«»]/u, 'names are quoted with straight quotes: "..."'],
  [/^'/u, 'names are quoted with double quotes: "..."'],
  [/^\?/u, 'a variable is "?" and a name that begins with a letter, such as ?x'],
  [/^!/u, 'write "not p(..)" for what cannot be derived, "!=" for unequal'],
  [/^;/u, 'write one rule for each alternative'],
  [/^&|^\|/u, 'write "," between conditions, one rule for each alternative'],
];

/** Cuts `text` into tokens; the last one has kind `end`. Throws RuleError at the first character that begins no token. */
export function tokenize(text: string): Token[] {
  if (text.length > RULE_TEXT_LIMIT)
    throw new RuleError('too_large', `the text has ${text.length} characters; at most ${RULE_TEXT_LIMIT} are allowed in one call`, { line: 1, column: 1 });
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let column = 1;
  const advance = (raw: string): void => {
    at += raw.length;
    const last = raw.lastIndexOf('\n');
    if (last < 0) column += length(raw);
    else {
      for (let i = 0; i <= last; i++) if (raw.charCodeAt(i) === 10) line++;
      column = length(raw.slice(last + 1)) + 1;
    }
  };
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const push = (kind: TokenKind, value: string, raw: string): void => {
    tokens.push({ kind, text: value, raw, line, column });
    advance(raw);
  };
  while (at < text.length) {
    let match: RegExpExecArray | null;
    if ((match = take(SPACE)) ?? (match = take(COMMENT))) advance(match[0]);
    else if ((match = take(NAME))) push('name', match[0].normalize('NFC'), match[0]);
    else if ((match = take(VARIABLE))) push('variable', match[1].normalize('NFC'), match[0]);
    else if ((match = take(NUMBER))) push('number', match[0], match[0]);
    else if ((match = take(ANNOTATION))) push('annotation', match[1], match[0]);
    else if (text[at] === '"') {
      const [value, raw] = quoted(text, at, line, column);
      push('quoted', value, raw);
    } else if ((match = take(SIGN))) push('sign', match[0], match[0]);
    else {
      const rest = text.slice(at, at + 8);
      const hint = HINTS.find(([pattern]) => pattern.test(rest))?.[1] ?? 'a name with other signs than letters, digits and "_" is written in quotes';
      const found = String.fromCodePoint(text.codePointAt(at) as number);
      throw new RuleError('syntax', `found ${JSON.stringify(found)}, which has no meaning here; ${hint}`, { line, column, expected: [hint] });
    }
  }
  tokens.push({ kind: 'end', text: '', raw: '', line, column });
  return tokens;
}

function quoted(text: string, start: number, line: number, column: number): [value: string, raw: string] {
  let value = '';
  for (let i = start + 1; i < text.length; i++) {
    const sign = text[i];
    if (sign === '"') return [value, text.slice(start, i + 1)];
    if (sign === '\n') break;
    if (sign !== '\\') {
      value += sign;
      continue;
    }
    const escape = text[++i] ?? '';
    const hex = escape === 'u' ? /^[0-9a-fA-F]{4}/.exec(text.slice(i + 1, i + 5)) : null;
    if (hex) {
      value += String.fromCharCode(Number.parseInt(hex[0], 16));
      i += 4;
    } else if (ESCAPES[escape] !== undefined) value += ESCAPES[escape];
    else
      throw new RuleError('syntax', `unknown escape ${JSON.stringify('\\' + escape)} in quotes; use \\" \\\\ \\n \\r \\t or \\uXXXX`, {
        line,
        column: column + length(text.slice(start, i - 1)),
        expected: ['\\"', '\\\\', '\\n', '\\r', '\\t', '\\uXXXX'],
      });
  }
  throw new RuleError('syntax', 'the quoted name that begins here has no closing quote on its line; expected "\\""', { line, column, expected: ['"'] });
}

function length(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  return count;
}
