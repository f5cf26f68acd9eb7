// Owns reading a rule by the one before it, where they differ in names alone: ontologies are thousands of rules of a few shapes.
// Refuses to know grammar: what does not fit is read in the usual way.

import type { EntityTerm } from '../../terms.ts';
import { isAtom } from './body.ts';
import { TYPED } from './lexer.ts';
import type { Tokens } from './lexer.ts';
import { AddressedRule, printName, printRule } from './print.ts';
import type { Atom, Rule } from '../types.ts';

/** A clause as it was read: its tokens, and those of the sides of its atoms (of `c(?x)`, the class is the object). */
export interface ReadClause {
  readonly first: number;
  /** Token behind its ".". */
  readonly end: number;
  readonly rule: Rule;
  readonly at: (part: 'heads' | 'body', index: number, position: 0 | 1) => number | undefined;
}
/** The entity that a token names; undefined where reading it is not so simple. */
export type EntityAt = (token: number) => EntityTerm | undefined;

/** Stands for a name; no name that is usual holds it. */
const HOLE = '\ue000';
const HOLES = new RegExp(`"${HOLE}(\\d+)"`, 'u');
/** An atom, and the holes that its sides are: -1 for none. */
interface Template {
  readonly atom: Atom;
  readonly subject: number;
  readonly object: number;
}

/** Shapes tried at most. */
const SHAPES = 8;
/** Reads clauses by those before. */
export class Shapes {
  readonly #tokens: Tokens;
  readonly #entityAt: EntityAt;
  /** The one that was met last comes first. */
  readonly #shapes: Shape[] = [];
  #last: ReadClause | undefined;

  constructor(tokens: Tokens, entityAt: EntityAt) {
    this.#tokens = tokens;
    this.#entityAt = entityAt;
  }
  /** Notes a clause that was read in the usual way. */
  note(clause: ReadClause): void {
    this.#last = clause;
  }
  /** The rule that begins at this token, and how many tokens it takes; undefined where no clause before is like it. */
  read(first: number): { readonly rule: Rule; readonly length: number } | undefined {
    const shapes = this.#shapes;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i];
      const rule = shape.read(first, this.#entityAt);
      if (rule === undefined) continue;
      if (i > 0) [shapes[0], shapes[i]] = [shape, shapes[0]];
      return { rule, length: shape.length };
    }
    const shape = this.#last && Shape.of(this.#tokens, this.#last, first, this.#entityAt);
    this.#last = undefined;
    if (!shape) return undefined;
    shapes.unshift(shape);
    if (shapes.length > SHAPES) shapes.pop();
    const rule = shape.read(first, this.#entityAt);
    return rule && { rule, length: shape.length };
  }
}

class Shape {
  readonly #tokens: Tokens;
  readonly #codes: Uint8Array;
  /** By token: its symbol; of holes, ANY. */
  readonly #symbols: Int32Array;
  /** Places of the holes among the tokens. */
  readonly #holes: readonly number[];
  readonly #heads: readonly Template[];
  readonly #body: readonly Template[];
  /** The text, cut at the holes, and the holes in between. */
  readonly #pieces: readonly string[];
  readonly #order: readonly number[];
  readonly #found: EntityTerm[] = [];

  private constructor(tokens: Tokens, { first, end, rule, at }: ReadClause, entityAt: EntityAt) {
    this.#tokens = tokens;
    this.#codes = tokens.codes.slice(first, end);
    this.#symbols = tokens.symbols.slice(first, end);
    const holes: number[] = [];
    const templates = (part: 'heads' | 'body', atoms: readonly Atom[]): Template[] =>
      atoms.map((atom, i) => {
        const hole = (side: Atom['subject'], position: 0 | 1): number => {
          const token = at(part, i, position);
          if (side.kind !== 'entity' || token === undefined || tokens.codes[token + 1] === TYPED || entityAt(token)?.id !== side.id) return -1;
          this.#symbols[token - first] = ANY;
          return holes.push(token - first) - 1;
        };
        return { atom, subject: hole(atom.subject, 0), object: hole(atom.object, 1) };
      });
    this.#heads = templates('heads', rule.heads);
    this.#body = templates('body', rule.body as readonly Atom[]);
    this.#holes = holes;
    const empty = holes.map((_, i): EntityTerm => ({ kind: 'entity', id: `${HOLE}${i}` as EntityTerm['id'] }));
    const parts = printRule({ heads: filled(this.#heads, empty), body: filled(this.#body, empty) }).split(HOLES);
    this.#pieces = parts.filter((_, i) => i % 2 === 0);
    this.#order = parts.filter((_, i) => i % 2 === 1).map(Number);
  }
  /** The shape of a clause, if the clause that begins at `next` may have it. */
  static of(tokens: Tokens, clause: ReadClause, next: number, entityAt: EntityAt): Shape | undefined {
    const { first, end, rule } = clause;
    for (let i = first; i < end; i++) if (tokens.codes[next + i - first] !== tokens.codes[i]) return undefined;
    if (rule.name !== undefined || rule.say !== undefined || rule.confidence !== undefined || !rule.body.every(isAtom)) return undefined;
    // Where the address is not that of the text, a name means something else besides.
    if (rule.text.includes(HOLE) || !AddressedRule.isPlain(rule)) return undefined;
    return new Shape(tokens, clause, entityAt);
  }
  get length(): number {
    return this.#codes.length;
  }
  /** The rule that begins at `first`; undefined when it is not of this shape. */
  read(first: number, entityAt: EntityAt): Rule | undefined {
    const { codes, symbols } = this.#tokens;
    const [own, wanted] = [this.#codes, this.#symbols];
    for (let i = 0; i < own.length; i++) if (codes[first + i] !== own[i] || (symbols[first + i] !== wanted[i] && wanted[i] !== ANY)) return undefined;
    const found = this.#found;
    for (let i = 0; i < this.#holes.length; i++) {
      const entity = entityAt(first + this.#holes[i]);
      if (entity === undefined) return undefined;
      found[i] = entity;
    }
    let [text] = this.#pieces;
    for (let i = 0; i < this.#order.length; i++) text += printName(found[this.#order[i]].id) + this.#pieces[i + 1];
    return new AddressedRule(filled(this.#heads, found), filled(this.#body, found), text);
  }
}
const ANY = -2;
function filled(templates: readonly Template[], entities: readonly EntityTerm[]): Atom[] {
  // An array of just their number: one that grows by itself has room for sixteen more.
  return templates.map(({ atom, subject: s, object: o }) => {
    if (s < 0 && o < 0) return atom;
    const subject = s < 0 ? atom.subject : entities[s];
    const object = o < 0 ? atom.object : entities[o];
    return atom.negated || atom.absent ? { ...atom, subject, object } : { relation: atom.relation, subject, object };
  });
}
