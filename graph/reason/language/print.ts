// Owns the canonical text of rules and the rule's content address.
// Refuses to know how text is parsed: parsing what this prints gives the same rule.
//
// The content address is made from a plainer text, in which denials are counts: an address must never change.

import type { Term } from '../../terms.ts';
import { isAtom } from './body.ts';
import { isDenial, wildcards, writableDenials } from './denials.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../types.ts';
import { BUILTINS, INFIX, isCall, TESTS } from './values.ts';

/** The relation that `c(?x)` is short for. */
export const IS_A = 'is a';
/** Words that are not names when they stand bare. */
const RESERVED = new Set(['not', 'true', 'false', '_']);
const LONGEST_RESERVED = 5;
const BARE = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u;
/** By character below 128: 1 for what may begin a bare name, 2 for what may go on one. */
const IN_NAMES = Uint8Array.from({ length: 128 }, (_, code) => (/[A-Za-z_]/.test(String.fromCharCode(code)) ? 3 : code >= 48 && code <= 57 ? 2 : 0));
function isBare(name: string): boolean {
  const first = name.charCodeAt(0);
  if (first < 128 && (IN_NAMES[first] & 1) === 0) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 128) return BARE.test(name);
    if (IN_NAMES[code] === 0) return false;
  }
  return name !== '' && (name.length > LONGEST_RESERVED || !RESERVED.has(name));
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Quoted text of the language; the inverse of the lexer's unescaping. Signs that a reader cannot see are written as \uXXXX. */
export const printQuoted = (text: string): string =>
  `"${text.replace(/["\\]|\p{Cc}|\p{Zl}|\p{Zp}/gu, (sign) => ESCAPES[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
/** A name, bare where the language allows it. */
export const printName = (name: string): string => (isBare(name) ? name : printQuoted(name));

export function printTerm(term: Term): string {
  if (term.kind === 'entity') return printName(term.id);
  if (term.type === 'number' || term.type === 'boolean') return String(term.value);
  return `${printQuoted(term.value)}^^${term.type}`;
}
export const printRuleTerm = (term: RuleTerm): string => (term.kind === 'variable' ? `?${term.name}` : printTerm(term));

const NONE: readonly string[] = [];
/** How it is written: for reading, or for the content address. */
type Style = 'readable' | 'plain';
/** `any`: variables written as `_`. */
export function printAtom(atom: Atom, any = NONE, style: Style = 'readable'): string {
  const sign = (atom.absent ? 'not ' : '') + (atom.negated ? '-' : '');
  if (atom.relation === IS_A && atom.object.kind === 'entity') return `${sign}${printRelation(atom.object.id, 1, style)}(${printPlace(atom.subject, any)})`;
  return `${sign}${printRelation(atom.relation, 2, style)}(${printPlace(atom.subject, any)}, ${printPlace(atom.object, any)})`;
}
const printPlace = (term: RuleTerm, any: readonly string[]): string =>
  any.length > 0 && term.kind === 'variable' && any.includes(term.name) ? '_' : printRuleTerm(term);
/** A name that would be read as a test or a function, with so many terms behind it, stands in quotes. */
const printRelation = (name: string, terms: 1 | 2, style: Style): string =>
  BUILTINS.has(name) && (TESTS.has(name) || (style === 'readable' && isCall(name, terms))) ? printQuoted(name) : printName(name);

/** Inside the brackets of a call, and in a list beside one that gives a string, quoted text is a string: an entity that needs quotes says that it is one. */
function printArgument(expression: Expression): string {
  if (expression.kind === 'entity' && printName(expression.id) !== expression.id) return `${printQuoted(expression.id)}^^entity`;
  return printExpression(expression, false);
}
/** `?x + (?y * 2)`; calls between their arguments stand in brackets, except outermost. */
export function printExpression(expression: Expression, outermost = true): string {
  if (expression.kind === 'list') return `[${expression.items.map(printTerm).join(', ')}]`;
  if (expression.kind !== 'call') return printRuleTerm(expression);
  const { function: name, arguments: values } = expression;
  if (INFIX.has(name) && values.length === 2) {
    const text = `${printArgument(values[0])} ${name} ${printArgument(values[1])}`;
    return outermost ? text : `(${text})`;
  }
  if (name === '-') return `-(${printArgument(values[0])})`;
  return `${name}(${values.map(printArgument).join(', ')})`;
}
function printComparison({ operator, left, right }: Comparison, style: Style = 'readable'): string {
  if (style === 'readable' && right.kind === 'list' && left.kind === 'call' && BUILTINS.get(left.function)?.gives === 'string')
    return `${printExpression(left)} ${operator} [${right.items.map(printArgument).join(', ')}]`;
  if (operator === '=' && left.kind === 'call' && TESTS.has(left.function) && right.kind === 'literal' && right.type === 'boolean')
    return `${right.value ? '' : 'not '}${printExpression(left)}`;
  return `${printExpression(left)} ${operator} ${printExpression(right)}`;
}
/** `?n = count { ?f : directed(?d, ?f) }`. */
function printAggregate({ function: name, result, of, body }: Aggregate, style: Style): string {
  return `${printRuleTerm(result)} = ${name} { ${of.map(printRuleTerm).join(', ')} : ${printBody(body, style)} }`;
}
/** `not exists { parent(?p, ?y), ?y != ?x }`, or `not parent(?x, _)`. */
const printDenial = ({ body }: Aggregate, any: readonly string[]): string =>
  any.length > 0 ? `not ${printAtom(body[0] as Atom, any)}` : `not exists { ${printBody(body, 'readable')} }`;
const printBody = (body: readonly BodyItem[], style: Style): string => body.map((item) => printItem(item, style)).join(', ');
/** `any`: of a denial that is written as one. */
function printItem(item: BodyItem, style: Style, any?: readonly string[]): string {
  if (isAtom(item)) return printAtom(item, NONE, style);
  if (item.kind === 'compare') return printComparison(item, style);
  return any ? printDenial(item, any) : printAggregate(item, style);
}
/** One condition by itself, as a reader of errors, proofs and reasons wants it. */
export const printBodyItem = (item: BodyItem): string =>
  printItem(item, 'readable', !isAtom(item) && item.kind === 'aggregate' && isDenial(item) ? wildcards(item) : undefined);

export type RuleParts = Pick<Rule, 'name' | 'confidence' | 'say' | 'heads' | 'body'>;
/** `@name("..") @confidence(..) @say("..") heads :- body.` on one line. */
export const printRule = (rule: RuleParts): string => printIn(rule, 'readable');
function printIn(rule: RuleParts, style: Style): string {
  const denials = style === 'readable' ? writableDenials(rule) : undefined;
  let text = '';
  if (rule.name !== undefined) text += `@name(${printQuoted(rule.name)}) `;
  if (rule.confidence !== undefined && rule.confidence !== 1) text += `@confidence(${rule.confidence}) `;
  if (rule.say !== undefined) text += `@say(${printQuoted(rule.say)}) `;
  for (let i = 0; i < rule.heads.length; i++) text += (i === 0 ? '' : ', ') + printAtom(rule.heads[i], NONE, style);
  for (let i = 0; i < rule.body.length; i++) text += (i > 0 ? ', ' : rule.heads.length > 0 ? ' :- ' : ':- ') + printItem(rule.body[i], style, denials?.get(rule.body[i]));
  return `${text}.`;
}
export const printRules = (rules: readonly RuleParts[]): string => rules.map((rule) => printRule(rule) + '\n').join('');

let crypto: typeof import('node:crypto') | undefined;
/** First 24 hexadecimal digits of SHA-256. Loading the module takes as long as reading some thousand rules: it waits until there is something to hash. */
export const shortHash = (text: string): string => (crypto ??= process.getBuiltinModule('node:crypto')).hash('sha256', text, 'hex').slice(0, 24);

/** Is the plain text the same? Most rules are a few atoms, and there are very many. */
function isPlain(text: string, heads: readonly Atom[], body: readonly BodyItem[]): boolean {
  for (const item of body) if (!isAtom(item)) return false;
  // Names of functions are quoted.
  return !text.includes('"') || ![...heads, ...(body as readonly Atom[])].some(isNamedAsFunction);
}
const isNamedAsFunction = ({ relation, object }: Atom): boolean => BUILTINS.has(relation) || (object.kind === 'entity' && BUILTINS.has(object.id));
/** A rule whose address is made when somebody asks for it: of very many rules, most are only run. */
export class AddressedRule implements Rule {
  declare readonly name?: string;
  declare readonly confidence?: number;
  declare readonly say?: string;
  readonly heads: readonly Atom[];
  readonly body: readonly BodyItem[];
  readonly text: string;
  /** The address is that of this text; absent: of the canonical one. */
  readonly #plain: string | undefined;
  #id: string | undefined;

  constructor(heads: readonly Atom[], body: readonly BodyItem[], text: string, plain?: string) {
    this.heads = heads;
    this.body = body;
    this.text = text;
    this.#plain = plain;
  }
  get id(): string {
    return (this.#id ??= `r_${shortHash(this.#plain ?? this.text)}`);
  }
  /** Is its canonical text all that its address is made from? */
  static isPlain(rule: Rule): boolean {
    return rule instanceof AddressedRule && rule.#plain === undefined;
  }
}
/** A rule with its canonical text and content address. A confidence of 1 is left out, as it is the default. */
export function makeRule({ name, confidence, say, heads, body }: RuleParts): Rule {
  const text = printRule({ name, confidence, say, heads, body });
  const rule = new AddressedRule(heads, body, text, isPlain(text, heads, body) ? undefined : printIn({ name, confidence, say, heads, body }, 'plain'));
  if (name === undefined && say === undefined && (confidence === undefined || confidence === 1)) return rule;
  return Object.assign(
    rule,
    name === undefined ? {} : { name },
    confidence === undefined || confidence === 1 ? {} : { confidence },
    say === undefined ? {} : { say },
  );
}
