// Owns what the places of a Soufflé program's relations hold here. Soufflé's symbols and numbers may stand anywhere; here only entities are subjects, and what meets must be of one kind.
// Refuses to know how values are written.
//
// Places are put together that share a variable. Where one of them is a subject, all hold entities, and a number there is the entity of that name. Elsewhere numbers are numbers;
// symbols are entities, unless a text is computed there: then they are strings.

import type { Formula } from './alternatives.ts';
import type { Clause } from './souffle-syntax.ts';
import type { Argument, Literal } from './souffle-values.ts';

interface Column {
  parent: Column | undefined;
  subject: boolean;
  numeric: boolean;
  symbolic: boolean;
  computedText: boolean;
}
export type ColumnKind = 'entity' | 'string' | 'number';
const NUMBERS: ReadonlySet<string> = new Set(['number', 'unsigned', 'float']);
const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^', 'min', 'max']);
export const GIVES_TEXT: ReadonlySet<string> = new Set(['concat', 'substring', 'string']);

export function* literalsOf(formula: Formula<Literal>): Generator<Literal> {
  if ('one' in formula) yield formula.one;
  else for (const part of 'all' in formula ? formula.all : formula.any) yield* literalsOf(part);
}

export class Columns {
  readonly #columns = new Map<string, Column>();

  constructor(clauses: readonly Clause[], declared: ReadonlyMap<string, readonly string[]>, base: (type: string) => string) {
    for (const [relation, types] of declared)
      types.forEach((type, place) => {
        const column = this.#column(`${relation}/${types.length}.${place}`);
        if (NUMBERS.has(base(type))) column.numeric = true;
        else column.symbolic = true;
        if (place === 0) column.subject = true;
      });
    clauses.forEach((clause, number) => {
      for (const literal of [...clause.heads, ...literalsOf(clause.body)]) this.#literal(literal, number);
    });
  }

  /** What the variable of a clause holds. */
  variable(clause: number, name: string): ColumnKind {
    return kindOf(root(this.#column(`?${clause}.${name}`)));
  }
  /** Does it hold numbers, by declaration or by use? They may be entities' names all the same. */
  isNumeric(clause: number, name: string): boolean {
    return root(this.#column(`?${clause}.${name}`)).numeric;
  }
  /** Does it hold symbols, by declaration? */
  isSymbolic(clause: number, name: string): boolean {
    return root(this.#column(`?${clause}.${name}`)).symbolic;
  }
  /** What a place of a relation holds. */
  place(relation: string, places: number, place: number): ColumnKind {
    return kindOf(root(this.#column(`${relation}/${places}.${place}`)));
  }

  #column(key: string): Column {
    let column = this.#columns.get(key);
    if (!column) this.#columns.set(key, (column = { parent: undefined, subject: false, numeric: false, symbolic: false, computedText: false }));
    return column;
  }
  #literal(literal: Literal, clause: number): void {
    if (literal.kind === 'atom') {
      literal.arguments.forEach((argument, place) => {
        const column = this.#column(`${literal.relation}/${literal.arguments.length}.${place}`);
        if (place === 0) root(column).subject = true;
        this.#meets(argument, column, clause);
      });
      return;
    }
    const [left, right] = literal.kind === 'test' ? literal.arguments : [literal.left, literal.right];
    for (const argument of [left, right]) this.#inside(argument, clause);
    if (literal.kind === 'test' || literal.operator !== '=') return;
    for (const [side, other] of [
      [left, right],
      [right, left],
    ])
      if (side.kind === 'variable') this.#meets(other, this.#column(`?${clause}.${side.name}`), clause);
  }
  /** The argument stands where the column is. */
  #meets(argument: Argument, column: Column, clause: number): void {
    this.#inside(argument, clause);
    const into = root(column);
    if (argument.kind === 'variable') join(into, this.#column(`?${clause}.${argument.name}`));
    else if (argument.kind === 'constant') {
      if (typeof argument.value === 'number') into.numeric = true;
    } else if (argument.kind === 'aggregate' || (argument.kind === 'call' && !GIVES_TEXT.has(argument.function))) into.numeric = true;
    else if (argument.kind === 'call') into.computedText = true;
  }
  /** What stands in calls and aggregates. */
  #inside(argument: Argument, clause: number): void {
    if (argument.kind === 'call')
      for (const value of argument.arguments) {
        if (value.kind === 'variable' && ARITHMETIC.has(argument.function)) root(this.#column(`?${clause}.${value.name}`)).numeric = true;
        this.#inside(value, clause);
      }
    else if (argument.kind === 'aggregate') {
      for (const literal of literalsOf(argument.body)) this.#literal(literal, clause);
      if (argument.of?.kind === 'variable') root(this.#column(`?${clause}.${argument.of.name}`)).numeric = true;
      if (argument.of) this.#inside(argument.of, clause);
    }
  }
}
const kindOf = ({ subject, numeric, computedText }: Column): ColumnKind => (subject ? 'entity' : computedText ? 'string' : numeric ? 'number' : 'entity');
function root(column: Column): Column {
  let found = column;
  while (found.parent) found = found.parent;
  if (found !== column) column.parent = found;
  return found;
}
function join(one: Column, other: Column): void {
  const [a, b] = [root(one), root(other)];
  if (a === b) return;
  b.parent = a;
  a.subject ||= b.subject;
  a.numeric ||= b.numeric;
  a.symbolic ||= b.symbolic;
  a.computedText ||= b.computedText;
}
