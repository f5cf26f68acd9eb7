// Owns the vocabulary of what is true: names, terms, triples, facts, patterns, paths.
// Knows nothing of storage, HTTP or models.

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Name of a knowledge base: 1-64 characters of `a-z 0-9 . _ -`, starting with a letter or digit. */
export type BaseName = Brand<string, 'BaseName'>;
/** Canonical name of an entity inside its knowledge base (NFC, trimmed, 1-1024 characters). It is the entity's stable id. */
export type EntityId = Brand<string, 'EntityId'>;
/** Name of a relation (NFC, trimmed, 1-256 characters). */
export type RelationName = Brand<string, 'RelationName'>;
/** Opaque id of one stored fact; never reused. */
export type FactId = Brand<string, 'FactId'>;

export type LiteralType = 'string' | 'number' | 'date' | 'boolean';
export type Literal =
  | { readonly kind: 'literal'; readonly type: 'string'; readonly value: string }
  | { readonly kind: 'literal'; readonly type: 'number'; readonly value: number }
  | { readonly kind: 'literal'; readonly type: 'date'; readonly value: string }
  | { readonly kind: 'literal'; readonly type: 'boolean'; readonly value: boolean };
export type EntityTerm = { readonly kind: 'entity'; readonly id: EntityId };
export type Term = EntityTerm | Literal;

/** `negated` marks strong negation: the triple is known to be false (`-p(s, o)` in rules). */
export interface Triple {
  readonly subject: EntityId;
  readonly relation: RelationName;
  readonly object: Term;
  readonly negated?: boolean;
}

/** Where a fact was read: a free text, or a place in a document (`start`/`end` in characters, `page` from 1). */
export type Source =
  | string
  | { readonly document: string; readonly page?: number; readonly start?: number; readonly end?: number };

/** A triple as somebody tells it. Confidence in (0, 1], default 1. Times are ISO 8601 in UTC. */
export interface Statement extends Triple {
  readonly confidence?: number;
  readonly source?: Source;
  /** World time: true from this instant (inclusive); absent = always was. */
  readonly validFrom?: string;
  /** World time: true until this instant (exclusive); absent = still is. */
  readonly validTo?: string;
}

/** A stored statement, with its transaction time. */
export interface Fact extends Statement {
  readonly id: FactId;
  readonly confidence: number;
  readonly recordedAt: string;
  /** Set when withdrawn; a withdrawn fact is kept for as-of queries. */
  readonly retractedAt?: string;
}

/** An undefined position matches anything. `negated` undefined means positive triples only. */
export interface TriplePattern {
  readonly subject?: EntityId;
  readonly relation?: RelationName;
  readonly object?: Term;
  readonly negated?: boolean;
}

export interface Alias {
  readonly text: string;
  /** BCP 47 tag such as `en`, `zh`; absent = any language. */
  readonly language?: string;
}
export interface Entity {
  readonly id: EntityId;
  readonly label: string;
  readonly aliases: readonly Alias[];
  readonly types: readonly string[];
}
export interface Relation {
  readonly name: RelationName;
  readonly aliases: readonly Alias[];
  readonly functional?: boolean;
  readonly symmetric?: boolean;
  readonly transitive?: boolean;
  readonly inverseOf?: RelationName;
  readonly disjointWith?: readonly RelationName[];
  /** Classes of what has it, and of what it leads to. */
  readonly domain?: readonly EntityId[];
  readonly range?: readonly EntityId[];
  /** Relations that hold wherever this one does; and those that hold of the same pairs. */
  readonly subPropertyOf?: readonly RelationName[];
  readonly equivalentTo?: readonly RelationName[];
  /** Closed world: what is not stored or derived for this relation is false. */
  readonly closed?: boolean;
}

/** One edge of a relation path. `inverse` walks from object to subject. */
export interface PathStep {
  readonly relation: RelationName;
  readonly inverse: boolean;
}
export type Path = readonly PathStep[];

export type TermErrorCode = 'invalid_base' | 'invalid_entity' | 'invalid_relation' | 'invalid_literal' | 'invalid_time' | 'invalid_confidence';
/** A name or value that cannot be part of a triple. The message says what was wrong and what would be right. */
export class TermError extends Error {
  readonly code: TermErrorCode;
  /** Where in a list of them it lies. */
  readonly field: string | undefined;
  constructor(code: TermErrorCode, message: string, field?: string) {
    super(message);
    this.name = 'TermError';
    this.code = code;
    this.field = field;
  }
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
function parseName(text: string, what: string, limit: number, code: TermErrorCode): string {
  const name = text.normalize('NFC').trim();
  if (name.length === 0) throw new TermError(code, `${what} is empty; give a name of 1 to ${limit} characters`);
  if (name.length > limit) throw new TermError(code, `${what} has ${name.length} characters; at most ${limit} are allowed`);
  if (CONTROL.test(name)) throw new TermError(code, `${what} ${JSON.stringify(name.slice(0, 40))} holds a control character; remove it`);
  if (!name.isWellFormed()) throw new TermError(code, `${what} ${JSON.stringify(name.slice(0, 40))} holds half of a surrogate pair; send well-formed Unicode`);
  return name;
}
export const parseBaseName = (text: string): BaseName => {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(text))
    throw new TermError('invalid_base', `knowledge base ${JSON.stringify(text.slice(0, 80))} must be 1 to 64 of a-z 0-9 . _ - and start with a letter or digit`);
  return text as BaseName;
};
export const parseEntityId = (text: string): EntityId => parseName(text, 'entity name', 1024, 'invalid_entity') as EntityId;
export const parseRelationName = (text: string): RelationName => parseName(text, 'relation name', 256, 'invalid_relation') as RelationName;
export const parseFactId = (text: string): FactId => text as FactId;

const ISO = /^-?\d{4,6}(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-](\d\d):(\d\d))?)?)?)?$/;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Whether the text is an ISO 8601 year, month, date or time that the (proleptic Gregorian) calendar has: "2024-02-29", not "2023-02-29". */
export function isCalendar(text: string): boolean {
  const found = ISO.exec(text);
  if (!found) return false;
  const [month = 1, day = 1, hour = 0, minute = 0, second = 0, offset = 0, offsetMinute = 0] = found.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  const year = Number.parseInt(text, 10);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month < 1 || month > 12 || day < 1 || day > (month === 2 && !leap ? 28 : DAYS[month - 1])) return false;
  return hour <= 23 && minute <= 59 && second <= 59 && offset <= 23 && offsetMinute <= 59;
}

export const DEFAULT_BASE = 'default' as BaseName;

export const entity = (id: EntityId): EntityTerm => ({ kind: 'entity', id });
export const literal = (value: string | number | boolean, type?: LiteralType): Literal => {
  const kind = type ?? (typeof value as 'string' | 'number' | 'boolean');
  switch (kind) {
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw new TermError('invalid_literal', `a number literal needs a finite number, not ${typeof value === 'number' ? value : JSON.stringify(value)}`);
      return { kind: 'literal', type: 'number', value: value === 0 ? 0 : value };
    case 'boolean':
      if (typeof value !== 'boolean') throw new TermError('invalid_literal', `a boolean literal needs true or false, not ${JSON.stringify(value)}`);
      return { kind: 'literal', type: 'boolean', value };
    case 'date':
      if (typeof value !== 'string' || !isCalendar(value))
        throw new TermError('invalid_literal', `a date literal needs an ISO 8601 date that the calendar has, such as "1879-03-14", not ${JSON.stringify(value)}`);
      return { kind: 'literal', type: 'date', value };
    case 'string':
      if (typeof value !== 'string') throw new TermError('invalid_literal', `a string literal needs a string, not ${JSON.stringify(value)}`);
      if (value.length > 65536) throw new TermError('invalid_literal', `a string literal has ${value.length} characters; at most 65536 are allowed`);
      if (!value.isWellFormed()) throw new TermError('invalid_literal', 'a string literal holds half of a surrogate pair; send well-formed Unicode');
      return { kind: 'literal', type: 'string', value };
    default:
      throw new TermError('invalid_literal', `unknown literal type ${JSON.stringify(kind)}; use string, number, date or boolean` satisfies string) as never;
  }
};

const WHOLE = /^(?:[+-]?\d+|0x[\da-f]+|0b[01]+)$/iu;
/** The number that a text writes. Throws TermError `invalid_literal` for a whole number that would be another one here, and be written otherwise. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && !Number.isSafeInteger(number) && WHOLE.test(text) && String(number) !== text && BigInt(text) !== BigInt(number))
    throw new TermError('invalid_literal', `the number is ${text}, and whole numbers beyond 2^53 cannot all be told apart here; give it as a string`);
  return number;
}

/** What a reader sees: the entity's name or the literal's value. */
export const termText = (term: Term): string => (term.kind === 'entity' ? term.id : String(term.value));
/** Injective text of a term, usable as a Map key: two terms are equal exactly when their keys are. */
export const termKey = (term: Term): string => (term.kind === 'entity' ? `e${term.id}` : `${term.type[0]}\u0001${String(term.value)}`);
/** Injective text of a triple, usable as a Map key. */
export const tripleKey = (triple: Triple): string =>
  `${triple.negated ? '-' : '+'}${triple.subject}\u0000${triple.relation}\u0000${termKey(triple.object)}`;
export const sameTerm = (a: Term, b: Term): boolean => termKey(a) === termKey(b);
