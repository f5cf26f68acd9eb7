// Owns the canonical text of rules and the rule's content address.
// Refuses to know how text is parsed: parsing what this prints gives the same rule.

import { createHash } from 'node:crypto';
import type { Term } from '../terms.ts';
import type { Atom, BodyItem, Comparison, Rule, RuleTerm } from './types.ts';

/** The relation that `c(?x)` is short for. */
export const IS_A = 'is a';
/** Words that are not names when they stand bare. */
const RESERVED = new Set(['not', 'true', 'false', '_']);
const BARE = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u;

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Quoted text of the language; the inverse of the lexer's unescaping. Signs that a reader cannot see are written as \uXXXX. */
export const printQuoted = (text: string): string =>
  `"${text.replace(/["\\]|\p{Cc}|\p{Zl}|\p{Zp}/gu, (sign) => ESCAPES[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
/** A name, bare where the language allows it. */
export const printName = (name: string): string => (BARE.test(name) && !RESERVED.has(name) ? name : printQuoted(name));

export function printTerm(term: Term): string {
  if (term.kind === 'entity') return printName(term.id);
  if (term.type === 'number' || term.type === 'boolean') return String(term.value);
  return `${printQuoted(term.value)}^^${term.type}`;
}
export const printRuleTerm = (term: RuleTerm): string => (term.kind === 'variable' ? `?${term.name}` : printTerm(term));

export function printAtom(atom: Atom): string {
  const sign = (atom.absent ? 'not ' : '') + (atom.negated ? '-' : '');
  if (atom.relation === IS_A && atom.object.kind === 'entity') return `${sign}${printName(atom.object.id)}(${printRuleTerm(atom.subject)})`;
  return `${sign}${printName(atom.relation)}(${printRuleTerm(atom.subject)}, ${printRuleTerm(atom.object)})`;
}
export const printComparison = (item: Comparison): string => `${printRuleTerm(item.left)} ${item.operator} ${printRuleTerm(item.right)}`;
export const isComparison = (item: BodyItem): item is Comparison => 'kind' in item;
export const printBodyItem = (item: BodyItem): string => (isComparison(item) ? printComparison(item) : printAtom(item));

export type RuleParts = Pick<Rule, 'name' | 'confidence' | 'say' | 'heads' | 'body'>;
/** `@name("..") @confidence(..) @say("..") heads :- body.` on one line. */
export function printRule(rule: RuleParts): string {
  const parts: string[] = [];
  if (rule.name !== undefined) parts.push(`@name(${printQuoted(rule.name)})`);
  if (rule.confidence !== undefined && rule.confidence !== 1) parts.push(`@confidence(${rule.confidence})`);
  if (rule.say !== undefined) parts.push(`@say(${printQuoted(rule.say)})`);
  const heads = rule.heads.map(printAtom).join(', ');
  const body = rule.body.map(printBodyItem).join(', ');
  parts.push(body === '' ? `${heads}.` : heads === '' ? `:- ${body}.` : `${heads} :- ${body}.`);
  return parts.join(' ');
}
export const printRules = (rules: readonly RuleParts[]): string => rules.map((rule) => printRule(rule) + '\n').join('');

/** First 24 hexadecimal digits of SHA-256. */
export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/** A rule with its canonical text and content address. A confidence of 1 is left out, as it is the default. */
export function makeRule(parts: RuleParts): Rule {
  const text = printRule(parts);
  return {
    id: `r_${shortHash(text)}`,
    ...(parts.name === undefined ? {} : { name: parts.name }),
    ...(parts.confidence === undefined || parts.confidence === 1 ? {} : { confidence: parts.confidence }),
    ...(parts.say === undefined ? {} : { say: parts.say }),
    heads: parts.heads,
    body: parts.body,
    text,
  };
}
