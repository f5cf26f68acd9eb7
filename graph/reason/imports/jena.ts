// Owns reading Jena's rules, `[name: (?x rdf:type ex:C) notEqual(?x, ?y) -> (?x ex:q ?y)]`, or without brackets and with a point behind.
// Refuses what has no counterpart here: rules inside rules, functors as values, built-ins that act or make new things.

import { literal } from '../../terms.ts';
import { itemVariables } from '../language/body.ts';
import { RuleError } from '../errors.ts';
import { runNow } from '../evaluate/run.ts';
import { ALTERNATIVES, alternatives } from './alternatives.ts';
import type { Formula } from './alternatives.ts';
import type { ReadRules } from '../language/parse.ts';
import type { NameStyle } from './rdf-names.ts';
import { RdfReader } from './rdf-reader.ts';
import type { RdfTerm } from './rdf-reader.ts';
import type { RdfToken } from './rdf-tokens.ts';
import { placeOf } from './source-tokens.ts';
import { called, compared, noneOf } from './token-reader.ts';
import type { PlacedItem } from './token-reader.ts';
import type { Atom, Comparison, Expression } from '../types.ts';

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
  ['min', 'min'],
  ['max', 'max'],
  ['strConcat', 'concat'],
]);

/** Is it a literal? */
const KINDS: ReadonlyMap<string, '=' | '!='> = new Map([
  ['isLiteral', '!='],
  ['notLiteral', '='],
]);
/** What there is in Jena and not here, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['makeTemp', 'makeInstance', 'makeSkolem', 'uriConcat'].map((name) => [name, 'makes a new thing, and rules make none; name what is meant, or let a condition find it'] as const),
  ...['print', 'remove', 'drop', 'hide', 'table', 'tableAll', 'listMapAsObject', 'listMapAsSubject', 'assertDisjointPairs'].map((name) => [name, 'acts when the rule runs; a rule here says what holds'] as const),
  ['now', 'has another value each time'],
]);

/** Reads as much of a text of Jena rules as is right, and says what is wrong with the rest. */
export const readJena = (text: string, names?: NameStyle): ReadRules => runNow(readingJena(text, names));
/** The same in slices. */
export function* readingJena(text: string, names: NameStyle = 'local'): Generator<void, ReadRules> {
  try {
    return yield* new JenaReader(text, names).reading();
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}

/** In Jena a pattern is about all of the text, here about any part of it. */
const wholly = ({ value, token }: RdfTerm): RdfTerm => {
  const [begin, end] = [literal('^(?:'), literal(')$')];
  if (value.kind === 'literal' && value.type === 'string') return { value: literal(begin.value + value.value + end.value), token };
  return { value: { kind: 'call', function: 'concat', arguments: [begin, value, end] }, token };
};

class JenaReader extends RdfReader {
  /** Conditions of the rule that is read of which there must be none. */
  readonly #wild = new Map<PlacedItem, RdfToken>();
  /** The conditions of a rule that is asked from its head are being read. */
  #asked = false;

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
    // A rule may stand without brackets; it ends with ".".
    const at = this.#isName() ? 1 : 0;
    const bare = this.is('(', at) || this.is('->', at) || (this.ahead(at).kind === 'word' && this.is('(', at + 1));
    if (!bare) this.expect('[', 'a rule', '"@prefix"');
    const name = this.#isName() ? this.next().text.slice(0, -1) || undefined : undefined;
    this.#wild.clear();
    this.#asked = false;
    const first = this.#clauses();
    const backwards = (this.#asked = this.is('<-'));
    if (!this.accept('->') && !this.accept('<-')) throw this.expected('"->"', '"<-"');
    if (this.is('[')) throw this.wrong('syntax', 'a rule inside a rule has no counterpart here; write its conditions in one rule');
    const second = this.#clauses();
    if (bare) this.expect('.', 'a triple', 'a built-in');
    else {
      this.expect(']');
      this.accept('.');
    }
    const [body, heads] = backwards ? [second, first] : [first, second];
    if (heads.length === 0) throw this.wrong('syntax', 'nothing is concluded, and such a rule does nothing; what must not be is a rule without head, `:- p(?x, ?y).`, in the language of its own', token);
    const concluded = heads.map((head): PlacedItem<Atom> => {
      if (!('one' in head) || 'kind' in head.one.item || head.one.item.absent) throw this.wrong('syntax', 'a built-in cannot be concluded; it stands among the conditions only', token);
      return { item: head.one.item, places: head.one.places };
    });
    const ways = alternatives({ all: body });
    if (!ways) throw this.wrong('too_large', `the rule stands for more than ${ALTERNATIVES} rules, since quotient(..) of whole numbers has no rest; split it`, token);
    for (const way of ways) this.add(name, concluded, this.#bound(concluded, way), token);
  }
  #isName(): boolean {
    return this.token.kind === 'prefixed' && this.token.text.endsWith(':');
  }
  /** Variables that only a `noValue` has may be anything there. */
  #bound(heads: readonly PlacedItem[], body: readonly PlacedItem[]): PlacedItem[] {
    const known = new Set([...heads, ...body.filter((each) => !this.#wild.has(each))].flatMap(({ item }) => [...itemVariables(item)]));
    return body.map((each) => {
      const token = this.#wild.get(each);
      return token ? noneOf([each], [...new Set(itemVariables(each.item)).difference(known)], token) : each;
    });
  }

  #clauses(): Formula<PlacedItem>[] {
    const items: Formula<PlacedItem>[] = [];
    while (!this.atEnd() && !this.is('->') && !this.is('<-') && !this.is(']') && !this.is('.')) {
      if (this.is('(')) items.push({ one: this.#triple() });
      else if (this.token.kind === 'word') items.push(this.#builtin());
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

  #builtin(): Formula<PlacedItem> {
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
      return { one: compared(comparison, values[0], values[1]) };
    }
    const of = FUNCTIONS.get(token.text);
    if (of) {
      const one = token.text === 'addOne';
      takes(one ? 2 : 3, of === 'concat' ? 17 : one ? 2 : 3);
      const result = values.at(-1) as RdfTerm;
      const given = one ? [values[0], { value: literal(1), token }] : values.slice(0, -1);
      return { one: called(of, given, result, token) };
    }
    const kind = KINDS.get(token.text);
    if (kind) {
      takes(1);
      return { one: compared(kind, { value: call('type', values[0].value), token }, { value: literal('entity', 'string'), token: values[0].token }) };
    }
    switch (token.text) {
      case 'quotient':
        takes(3);
        return quotient(values[0], values[1], values[2], token);
      case 'regex':
        if (values.length > 2) throw this.wrong('arity', 'regex(..) is read with a text and a pattern; groups of a pattern have no values here', token);
        takes(2);
        return { one: called('matches', [values[0], wholly(values[1])], undefined, token) };
      case 'bound':
      case 'unbound':
        // Which variables have values is told to the rules of a goal; what follows is the same.
        takes(1, 16);
        if (token.text === 'unbound' && !this.#asked) throw this.wrong('syntax', 'unbound(..) never holds in a rule with "->", whose conditions give all variables their values', token);
        return { all: [] };
      case 'noValue': {
        takes(2, 3);
        const condition = this.triple(values[0], values[1], values[2] ?? { value: this.fresh(), token });
        this.#wild.set(condition, token);
        return { one: condition };
      }
      case 'listContains':
        takes(2);
        return { one: this.member(values[0], values[1], token) };
      case 'listNotContains': {
        takes(2);
        const { item, places } = this.member(values[0], values[1], token);
        return { one: { item: { ...item, absent: true }, places } };
      }
      case 'countLiteralValues': {
        takes(3);
        return { one: this.#counted(values, token) };
      }
      default:
    }
    const why = REFUSED.get(token.text);
    if (why !== undefined) throw this.wrong('unknown_builtin', `${token.text}(..) ${why}`, token);
    const known = [...COMPARISONS.keys(), ...FUNCTIONS.keys(), ...KINDS.keys(), 'quotient', 'regex', 'bound', 'unbound', 'noValue', 'listContains', 'listNotContains', 'countLiteralValues'];
    throw this.wrong('unknown_builtin', `${token.text} is no built-in known here; there are ${known.join(', ')}`, token, known);
  }
  /** How many different literals a relation leads to. */
  #counted(values: readonly RdfTerm[], token: RdfToken): PlacedItem {
    const of = this.fresh();
    const { item } = this.triple(values[0], values[1], { value: of, token });
    const { item: isLiteral } = compared('!=', { value: call('type', of), token }, { value: literal('entity', 'string'), token });
    const { value } = values[2];
    if (value.kind === 'call' || value.kind === 'list') throw this.expected('a variable', 'a number');
    return { item: { kind: 'aggregate', function: 'count', result: value, of: [of], body: [item, isLiteral as Comparison] }, places: [placeOf(token), placeOf(values[2].token)] };
  }
}
const call = (name: string, ...values: Expression[]): Expression => ({ kind: 'call', function: name, arguments: values });
/** Jena divides whole numbers without a rest, towards zero, and others exactly. A number that is written with a point is no whole number there. */
function quotient(dividend: RdfTerm, divisor: RdfTerm, result: RdfTerm, token: RdfToken): Formula<PlacedItem> {
  const exact = call('/', dividend.value, divisor.value);
  const truncated = call('+', call('max', call('floor', exact), literal(0)), call('min', call('ceil', exact), literal(0)));
  const gives = (value: Expression): Formula<PlacedItem> => ({ one: compared('=', { value, token }, result) });
  const operands = [dividend, divisor];
  if (operands.some((each) => each.value.kind === 'literal' && /[.e]/iu.test(each.token.text))) return gives(exact);
  const open = operands.filter(({ value }) => value.kind === 'variable');
  const whole = (operand: RdfTerm, operator: '=' | '!='): Formula<PlacedItem> => ({ one: compared(operator, { value: call('floor', operand.value), token: operand.token }, operand) });
  // The first that is no whole number decides.
  const broken = open.map((each, i): Formula<PlacedItem> => ({ all: [...open.slice(0, i).map((before) => whole(before, '=')), whole(each, '!='), gives(exact)] }));
  return { any: [{ all: [...open.map((each) => whole(each, '=')), gives(truncated)] }, ...broken] };
}
