// Owns reading Jena's rules, `[name: (?x rdf:type ex:C) notEqual(?x, ?y) -> (?x ex:q ?y)]`, or without brackets and with a point behind.
// Refuses what has no counterpart here: rules inside rules, functors as values, built-ins that act.

import { literal } from '../../terms.ts';
import { RuleError } from '../errors.ts';
import type { ReadRules } from '../language/parse.ts';
import type { NameStyle } from './rdf-names.ts';
import { RdfReader } from './rdf-reader.ts';
import type { RdfTerm } from './rdf-reader.ts';
import type { RdfToken } from './rdf-tokens.ts';
import { placeOf } from './source-tokens.ts';
import { called, compared } from './token-reader.ts';
import type { PlacedItem } from './token-reader.ts';
import type { Atom } from '../types.ts';

const COMPARISONS: ReadonlyMap<string, '=' | '!=' | '<' | '<=' | '>' | '>='> = new Map([
  ['equal', '='],
  ['notEqual', '!='],
  ['lessThan', '<'],
  ['greaterThan', '>'],
  ['le', '<='],
  ['ge', '>='],
]);
/** Built-ins that give their last argument its value. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['sum', '+'],
  ['addOne', '+'],
  ['difference', '-'],
  ['product', '*'],
  ['quotient', '/'],
  ['min', 'min'],
  ['max', 'max'],
  ['strConcat', 'concat'],
]);

/** Reads as much of a text of Jena rules as is right, and says what is wrong with the rest. */
export function readJena(text: string, names: NameStyle = 'local'): ReadRules {
  try {
    return new JenaReader(text, names).read();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

/** In Jena a pattern is about all of the text, here about any part of it. */
const whole = ({ value, token }: RdfTerm): RdfTerm => {
  const [begin, end] = [literal('^(?:'), literal(')$')];
  if (value.kind === 'literal' && value.type === 'string') return { value: literal(begin.value + value.value + end.value), token };
  return { value: { kind: 'call', function: 'concat', arguments: [begin, value, end] }, token };
};

class JenaReader extends RdfReader {
  protected override recover(): void {
    if (this.before === ']' || this.before === '.') return;
    // The next rule, where this one had no end.
    if (this.is('[') && this.before === ')') return;
    while (!this.atEnd()) {
      const { raw } = this.next();
      if (raw === ']' || raw === '.' || this.is('[')) return;
    }
  }

  protected override statement(): void {
    if (this.directive()) return;
    const { token } = this;
    // A rule without a name may stand without brackets; it ends with ".".
    const bare = this.is('(') || (token.kind === 'word' && this.is('(', 1));
    if (!bare) this.expect('[', 'a rule', '"@prefix"');
    let name: string | undefined;
    if (!bare && this.token.kind === 'prefixed' && this.token.text.endsWith(':')) name = this.next().text.slice(0, -1) || undefined;
    const first = this.#clauses();
    const backwards = this.is('<-');
    if (!this.accept('->') && !this.accept('<-')) throw this.expected('"->"', '"<-"');
    if (this.is('[')) throw this.wrong('syntax', 'a rule inside a rule has no counterpart here; write its conditions in one rule');
    const second = this.#clauses();
    if (bare) this.expect('.', 'a triple', 'a built-in');
    else {
      this.expect(']');
      this.accept('.');
    }
    const [body, heads] = backwards ? [second, first] : [first, second];
    const concluded = heads.map(({ item, places }): PlacedItem<Atom> => {
      if ('kind' in item || item.absent) throw this.wrong('syntax', 'a built-in cannot be concluded; it stands among the conditions only', token);
      return { item, places };
    });
    this.add(name, concluded, body, token);
  }

  #clauses(): PlacedItem[] {
    const items: PlacedItem[] = [];
    while (!this.atEnd() && !this.is('->') && !this.is('<-') && !this.is(']') && !this.is('.')) {
      if (this.is('(')) items.push(this.#triple());
      else if (this.token.kind === 'word') items.push(...this.#builtin());
      else throw this.expected('"("', 'a built-in', '"->"');
      this.accept(',');
    }
    return items;
  }
  #triple(): PlacedItem<Atom> {
    this.expect('(');
    const terms: RdfTerm[] = [];
    while (!this.is(')')) {
      if (this.token.kind === 'word' && this.is('(', 1))
        throw this.wrong('syntax', `${this.token.text}(..) stands inside a triple; functors have no counterpart here`);
      terms.push(this.term());
      this.accept(',');
    }
    const close = this.next();
    if (terms.length !== 3) throw this.wrong('arity', `a triple has three terms, not ${terms.length}`, close);
    return this.triple(terms[0], terms[1], terms[2]);
  }

  #builtin(): PlacedItem[] {
    const token = this.next();
    this.expect('(');
    const values: RdfTerm[] = [];
    while (!this.is(')')) {
      values.push(this.term());
      this.accept(',');
    }
    this.next();
    const takes = (least: number, most = least): void => {
      if (values.length < least || values.length > most)
        throw this.wrong('arity', `${token.text} takes ${least === most ? least : `${least} to ${most}`} values, not ${values.length}`, token);
    };
    const comparison = COMPARISONS.get(token.text);
    if (comparison) {
      takes(2);
      return [compared(comparison, values[0], values[1])];
    }
    const of = FUNCTIONS.get(token.text);
    if (of) {
      const one = token.text === 'addOne';
      takes(one ? 2 : 3, of === 'concat' ? 17 : one ? 2 : 3);
      const result = values.at(-1) as RdfTerm;
      const given = one ? [values[0], { value: literal(1), token }] : values.slice(0, -1);
      return [called(of, given, result, token)];
    }
    if (token.text === 'regex') {
      takes(2);
      return [called('matches', [values[0], whole(values[1])], undefined, token)];
    }
    if (token.text === 'noValue') {
      takes(2, 3);
      return [this.#noValue(values, token)];
    }
    const known = [...COMPARISONS.keys(), ...FUNCTIONS.keys(), 'regex', 'noValue'];
    throw this.wrong('unknown_builtin', `${token.text} is no built-in known here; there are ${known.join(', ')}`, token, known);
  }
  /** `noValue(?x, ex:p)`: nothing is p of ?x; `noValue(?x, ex:p, ?y)`: that triple cannot be derived. */
  #noValue(values: readonly RdfTerm[], token: RdfToken): PlacedItem {
    const open = values.length === 2 ? this.fresh() : undefined;
    const { item, places } = this.triple(values[0], values[1], open ? { value: open, token } : values[2]);
    if (!open) return { item: { ...item, absent: true }, places };
    return { item: { kind: 'aggregate', function: 'count', result: literal(0), of: [open], body: [item] }, places: [placeOf(token), placeOf(token)] };
  }
}
