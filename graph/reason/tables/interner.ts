// Owns the numbering of terms and the order of literals inside one derivation.
// Refuses to know facts and rules. Ids are dense from 0 and live as long as the interner.

import { sameTerm, TermError, termKey } from '../../terms.ts';
import type { EntityId, Literal, Term } from '../../terms.ts';
import type { Comparison } from '../types.ts';

/** Operators that compare two terms. */
export type PlainOperator = Exclude<Comparison['operator'], 'in' | 'not in'>;

export class Interner {
  /** By name. Entities are many, and looked up most. */
  readonly #named = new Map<string, number>();
  /** By key. */
  readonly #literals = new Map<string, number>();
  readonly #terms: Term[] = [];
  #entities = new Uint8Array(256);

  get size(): number {
    return this.#terms.length;
  }
  /** Id of the term, given now if it is new. */
  intern(term: Term): number {
    if (term.kind === 'entity') {
      const known = this.#named.get(term.id);
      if (known !== undefined) return known;
      this.#named.set(term.id, this.#terms.length);
      return this.#add(term, 1);
    }
    const key = termKey(term);
    const known = this.#literals.get(key);
    if (known !== undefined) return known;
    this.#literals.set(key, this.#terms.length);
    return this.#add(term, 0);
  }
  /** Id of the entity of this name, given now if it is new. */
  internEntity(id: EntityId): number {
    const known = this.#named.get(id);
    if (known !== undefined) return known;
    this.#named.set(id, this.#terms.length);
    return this.#add({ kind: 'entity', id }, 1);
  }
  #add(term: Term, isEntity: 0 | 1): number {
    const id = this.#terms.push(term) - 1;
    if (id === this.#entities.length) {
      const grown = new Uint8Array(id * 2);
      grown.set(this.#entities);
      this.#entities = grown;
    }
    this.#entities[id] = isEntity;
    return id;
  }
  /** Id of a term that is known, or -1. */
  find(term: Term): number {
    return (term.kind === 'entity' ? this.#named.get(term.id) : this.#literals.get(termKey(term))) ?? -1;
  }
  term(id: number): Term {
    return this.#terms[id];
  }
  isEntity(id: number): boolean {
    return this.#entities[id] === 1;
  }

  /** `=` and `!=` compare identity (1 is not "1"); the others hold only between two numbers, two dates or two strings. */
  compare(operator: PlainOperator, left: number, right: number): boolean {
    if (operator === '=') return left === right;
    if (operator === '!=') return left !== right;
    return ordered(operator, literalOrder(this.#terms[left], this.#terms[right]));
  }
}

/** Comparison of two terms, as the interner's of their ids. */
export function compareTerms(operator: PlainOperator, left: Term, right: Term): boolean {
  if (operator === '=' || operator === '!=') return sameTerm(left, right) === (operator === '=');
  return ordered(operator, literalOrder(left, right));
}
function ordered(operator: '<' | '<=' | '>' | '>=', order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return operator satisfies never;
  }
}

/** Below 0, 0 or above 0 as `left` is before, at or behind `right`; NaN when they have no common order. Strings are ordered by code point. */
export function literalOrder(left: Term, right: Term): number {
  if (left.kind !== 'literal' || right.kind !== 'literal' || left.type !== right.type) return Number.NaN;
  switch (left.type) {
    case 'number':
      return left.value - (right as Literal & { type: 'number' }).value;
    case 'date':
      return instant(left.value) - instant((right as Literal & { type: 'date' }).value);
    case 'string':
      return codePointOrder(left.value, (right as Literal & { type: 'string' }).value);
    case 'boolean':
      return Number.NaN;
    default:
      left satisfies never;
      return Number.NaN;
  }
}

function codePointOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    // Surrogates stand for code points above all others.
    if (x !== y)
      return (x >= 0xd800 && x <= 0xdfff ? x + 0x2000 : x >= 0xe000 ? x - 0x800 : x) - (y >= 0xd800 && y <= 0xdfff ? y + 0x2000 : y >= 0xe000 ? y - 0x800 : y);
  }
  return a.length - b.length;
}

const DATE = /^(-?\d{4,6})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
/** First instant of an ISO 8601 date, month or year, in milliseconds since 1970 UTC (proleptic Gregorian). Without an offset: UTC. */
export function instant(text: string): number {
  const match = DATE.exec(text);
  if (!match) return Number.NaN;
  const [, year, month = '01', day = '01', hour = '0', minute = '0', second = '0', offset = 'Z'] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const shift = offset === 'Z' ? 0 : (offset.startsWith('-') ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));
  return date.getTime() + (Number(hour) * 60 + Number(minute) - shift) * 60_000 + Number(second) * 1000;
}
/** The same. Throws TermError `invalid_time` for what is no time; `what`: as which it was given. */
export function timeOf(text: string, what = ''): number {
  const at = instant(text);
  if (Number.isNaN(at))
    throw new TermError(
      'invalid_time',
      `${what === '' ? '' : `${what} `}${JSON.stringify(text.slice(0, 80))} is no time; give ISO 8601 such as "2024-03-01T12:00:00Z"`,
    );
  return at;
}
