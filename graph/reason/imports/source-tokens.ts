// Owns cutting the text of an imported rule syntax into tokens with their places, by patterns that its own file gives.
// Refuses to know any of the syntaxes.

import { RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { RULE_TEXT_LIMIT } from '../language/lexer.ts';

export type SourceTokenKind = 'iri' | 'prefixed' | 'variable' | 'blank' | 'text' | 'number' | 'word' | 'directive' | 'language' | 'sign' | 'end';
export interface SourceToken {
  readonly kind: SourceTokenKind;
  /** IRI, prefixed name, variable without `?`, unescaped text, number, word or sign. */
  readonly text: string;
  readonly raw: string;
  readonly line: number;
  readonly column: number;
}
/** The first pattern that matches at a place makes the token; its first group, where it has one, is the token's text. */
export type TokenPatterns = readonly (readonly [SourceTokenKind | 'skip', RegExp])[];

export function sourceTokens(text: string, patterns: TokenPatterns): SourceToken[] {
  if (text.length > RULE_TEXT_LIMIT)
    throw new RuleError('too_large', `the text has ${text.length} characters; at most ${RULE_TEXT_LIMIT} are allowed in one call`, { line: 1, column: 1 });
  const tokens: SourceToken[] = [];
  let [at, line, column] = [0, 1, 1];
  while (at < text.length) {
    let found: readonly [SourceTokenKind | 'skip', RegExpExecArray] | undefined;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match) {
        found = [kind, match];
        break;
      }
    }
    if (!found) {
      const sign = String.fromCodePoint(text.codePointAt(at) as number);
      throw new RuleError('syntax', `found ${JSON.stringify(sign)}, which has no meaning here`, { line, column });
    }
    const [kind, match] = found;
    const [raw] = match;
    const content = match.slice(1).find((group) => group !== undefined) ?? raw;
    if (kind !== 'skip') tokens.push({ kind, text: textOf(kind, kind === 'number' ? raw : content, line, column), raw, line, column });
    at += raw.length;
    const last = raw.lastIndexOf('\n');
    if (last >= 0) line += raw.split('\n').length - 1;
    column = last < 0 ? column + Array.from(raw).length : Array.from(raw.slice(last + 1)).length + 1;
  }
  tokens.push({ kind: 'end', text: '', raw: '', line, column });
  return tokens;
}
export const placeOf = ({ line, column }: SourceToken): Place => ({ line, column });
function textOf(kind: SourceTokenKind, content: string, line: number, column: number): string {
  if (kind === 'text') return unescaped(content, line, column);
  if (kind === 'iri') return unescaped(content, line, column).normalize('NFC');
  return (kind === 'prefixed' ? content.replace(/\\(.)/gu, '$1') : content).normalize('NFC');
}
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'", '\\': '\\' };
const unescaped = (text: string, line: number, column: number): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu, (escape: string, short?: string, long?: string, sign?: string) => {
    const code = short ?? long;
    if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff) return String.fromCodePoint(Number.parseInt(code, 16));
    const plain = sign === undefined ? undefined : ESCAPES[sign];
    if (plain === undefined) throw new RuleError('syntax', `unknown escape ${JSON.stringify(escape)} in a text`, { line, column });
    return plain;
  });
