// Owns reading atoms and the conditions of a body: checks, tests, comparisons and aggregates.
// Refuses to know clauses and annotations.

import { literal, parseRelationName } from '../../terms.ts';
import { itemVariables } from './body.ts';
import { RuleError } from '../errors.ts';
import { ExpressionReader } from './expressions.ts';
import type { ReadTerm } from './expressions.ts';
import { NESTING } from './kinds.ts';
import { CLOSE, CLOSE_BRACE, COLON, COMMA, END, MINUS, NAME, NUMBER, OPEN, OPEN_BRACE, QUOTED, VARIABLE } from './lexer.ts';
import { IS_A } from './print.ts';
import type { Aggregate, AggregateFunction, Atom, BodyItem, Comparison, Expression, RuleTerm } from '../types.ts';
import { BUILTINS, isTerm, TESTS } from './values.ts';
import type { ValueKind } from './values.ts';

/** Conditions as they were read, and where their sides stand. To be used again for the next clause. */
export class Conditions<T extends BodyItem = BodyItem> {
  readonly #items: T[] = [];
  readonly #at: number[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }
  add(item: T, first: number, second: number): void {
    const i = this.#count++;
    this.#items[i] = item;
    this.#at[2 * i] = first;
    this.#at[2 * i + 1] = second;
  }
  addAll(others: Conditions<T>): void {
    for (let i = 0; i < others.#count; i++) this.add(others.#items[i], others.#at[2 * i], others.#at[2 * i + 1]);
  }
  /** The conditions in order, as an array of their number. */
  items(): T[] {
    return this.#items.slice(0, this.#count);
  }
  /** Token of subject (0) or object (1), of left or right side. */
  at(item: number, position: 0 | 1): number | undefined {
    return item < this.#count ? this.#at[2 * item + position] : undefined;
  }
}

/** Words that introduce an aggregate. */
const AGGREGATES: readonly string[] = ['count', 'sum', 'min', 'max', 'avg'] satisfies AggregateFunction[];
const CLASS_OF = parseRelationName(IS_A);
const MIRRORED: Readonly<Record<'=' | '!=' | '<' | '<=' | '>' | '>=', Comparison['operator']>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const gives = (expression: Expression): ValueKind | undefined => (expression.kind === 'call' ? BUILTINS.get(expression.function)?.gives : undefined);

export class ConditionReader extends ExpressionReader {
  /** Aggregates of which the text does not say what they count. */
  readonly #implicit = new WeakSet<object>();
  /** Did the clause have such? */
  hasImplicit = false;
  /** Conditions by the `exists` that they stood under. */
  checks: ReadonlySet<object>[] = [];
  #depth = 0;
  // Where the sides of the atom stand that was read last.
  #subjectAt = 0;
  #objectAt = 0;

  override begin(): void {
    super.begin();
    if (this.checks.length > 0) this.checks = [];
    this.hasImplicit = false;
    this.#depth = 0;
  }
  addImplicit(aggregate: object): void {
    this.#implicit.add(aggregate);
    this.hasImplicit = true;
  }
  isImplicit(item: object): boolean {
    return this.#implicit.has(item);
  }

  /** One condition as written, which may stand for several. */
  condition(into: Conditions, inside = false): void {
    const code = this.code();
    if (code === NAME || code === QUOTED) {
      if (code === NAME && this.isWord('not') && !this.is(OPEN, 1)) return this.#denied(into, inside);
      if (code === NAME && this.#introducesCheck()) return this.#exists(into, false, inside);
      if (this.is(OPEN, 1)) {
        if (this.#isTest() && !this.#isExpression()) return this.#test(into, true);
        if (code === QUOTED || !this.#isExpression()) return this.#condition(into, false);
      }
    } else if (code === MINUS && this.isName(1)) {
      this.next();
      return this.#condition(into, true);
    } else if (code !== OPEN && code !== MINUS && code !== VARIABLE && code !== NUMBER) throw this.expected('a condition');
    this.#comparison(into, inside);
  }
  #condition(into: Conditions, negated: boolean): void {
    const atom = this.atom(negated, false, true);
    into.add(atom, this.#subjectAt, this.#objectAt);
  }
  #denied(into: Conditions, inside: boolean): void {
    this.next();
    const { at } = this;
    if (this.is(VARIABLE)) throw this.expected('a relation name', 'a test such as contains(?x, "a")');
    if (this.#introducesCheck()) return this.#exists(into, true, inside);
    if (this.#isTest()) return this.#test(into, false);
    const negated = this.accept(MINUS);
    if (!this.isName()) throw this.expected('a relation name');
    const atom = this.atom(negated, true, true);
    // `not p(?x, _)`: nothing is p of ?x.
    const { absent: _, ...present } = atom;
    const open = [present.subject, present.object].some((term) => term.kind === 'variable' && this.isAnonymous(term.name));
    if (open) this.#none(into, [present], at, inside);
    else into.add(atom, this.#subjectAt, this.#objectAt);
  }

  #isTest(): boolean {
    return this.is(NAME) && this.is(OPEN, 1) && !this.isRelation(this.at) && TESTS.has(this.tokens.content(this.at));
  }
  /** Does what stands behind the brackets of the name here make it a call? */
  #isExpression(): boolean {
    let depth = 0;
    for (let i = 1; ; i++) {
      const code = this.code(i);
      if (code === END) return false;
      if (code === OPEN) depth++;
      if (code === CLOSE && --depth <= 0) return this.isInfix(i + 1);
    }
  }
  #test(into: Conditions, wanted: boolean): void {
    const { at } = this;
    into.add({ kind: 'compare', operator: '=', left: this.call(), right: literal(wanted) }, at, at);
  }

  #comparison(into: Conditions, inside: boolean): void {
    const { at } = this;
    if (this.#aggregates()) {
      const named = this.#aggregate(inside);
      const operator = this.operator();
      if (operator === undefined || operator === 'in' || operator === 'not in') throw this.expected('a comparison (= != < <= > >=)');
      return this.#result(into, named, operator, this.expression(), at);
    }
    const left = this.expression();
    const operator = this.operator();
    if (operator === undefined) {
      const code = this.tokens.codes[at];
      if (code === NAME || code === QUOTED) throw this.expected('"("', 'a comparison (= != < <= > >=)');
      throw this.expected('a comparison (= != < <= > >=)');
    }
    if (operator === 'in' || operator === 'not in') {
      const list = this.list(gives(left.value) === 'string');
      return into.add({ kind: 'compare', operator, left: left.value, right: list.value }, left.at, list.at);
    }
    if (this.#aggregates()) return this.#result(into, this.#aggregate(inside), MIRRORED[operator], left, left.at);
    const right = this.expression();
    into.add({ kind: 'compare', operator, left: this.#matching(left, right), right: this.#matching(right, left) }, left.at, right.at);
  }
  /** Quoted text beside a function that gives strings is a string, beside one that gives dates a date. */
  #matching({ value, at, quoted }: ReadTerm, other: ReadTerm): Expression {
    const kind = gives(other.value);
    return quoted && (kind === 'string' || kind === 'date') ? this.literal(at, this.tokens.content(at), kind) : value;
  }

  /** Does an aggregate begin here? `count {`, `count : {`, `sum ?x : {`. */
  #aggregates(): boolean {
    return this.is(NAME) && (this.is(OPEN_BRACE, 1) || this.is(COLON, 1) || this.is(VARIABLE, 1)) && AGGREGATES.includes(this.tokens.content(this.at));
  }
  /** `count { ?f : directed(?d, ?f) }`, or as Soufflé writes it: `count : { directed(?d, ?f) }`, `sum ?x : { price(?i, ?x) }`. */
  #aggregate(inside: boolean): Omit<Aggregate, 'result'> {
    const at = this.next();
    const name = this.tokens.content(at) as AggregateFunction;
    if (inside) throw this.wrong('syntax', `${name} stands inside another aggregate; compute it by a rule of its own and use the relation here`, at);
    const of: RuleTerm[] = [];
    const before = this.is(VARIABLE) ? [this.term()] : [];
    const souffle = before.length > 0 || this.is(COLON);
    if (souffle) this.expect(COLON);
    this.expect(OPEN_BRACE);
    if (!souffle && this.#namesValues()) {
      do of.push(this.term());
      while (this.accept(COMMA));
      this.expect(COLON, '","');
    } else of.push(...before);
    const items = this.#block(true).items() as (Atom | Comparison)[];
    // `count : { .. }` counts the ways to meet the conditions.
    const implicit = of.length === 0 && name === 'count';
    if (implicit) for (const inner of new Set(items.flatMap((item) => [...itemVariables(item)]))) of.push({ kind: 'variable', name: inner });
    if (of.length === 0) throw this.wrong('syntax', `${name} needs the value to take, such as ${name} { ?x : price(?item, ?x) }`, at, ['a variable']);
    const read = { kind: 'aggregate' as const, function: name, of, body: items };
    if (implicit) this.addImplicit(read);
    return read;
  }
  /** Do values and ":" stand here, before the conditions? */
  #namesValues(): boolean {
    for (let i = 0; ; i++) {
      const code = this.code(i);
      if (code === END || code === CLOSE_BRACE || code === OPEN) return false;
      if (code === COLON) return true;
    }
  }
  /** Conditions up to "}". */
  #block(inside: boolean): Conditions {
    if (++this.#depth > NESTING) throw this.wrong('too_large', `braces are nested deeper than ${NESTING}`);
    const body = new Conditions();
    do this.condition(body, inside);
    while (this.accept(COMMA));
    this.expect(CLOSE_BRACE, '","');
    this.#depth--;
    return body;
  }
  /** The condition that an aggregate has this result; other comparisons than `=` with a term name the result first. */
  #result(into: Conditions, aggregate: Omit<Aggregate, 'result'>, operator: Comparison['operator'], side: ReadTerm, at: number): void {
    const plain = operator === '=' && isTerm(side.value) ? side.value : undefined;
    const result = plain ?? this.anonymous();
    const value: Aggregate = { kind: 'aggregate', function: aggregate.function, result, of: aggregate.of, body: aggregate.body };
    if (this.isImplicit(aggregate)) this.addImplicit(value);
    into.add(value, at, at);
    if (!plain) into.add({ kind: 'compare', operator, left: result, right: side.value }, at, at);
  }

  /** Does `exists p(..)` or `exists { .. }` begin here? */
  #introducesCheck(): boolean {
    return (this.is(OPEN_BRACE, 1) || this.is(MINUS, 1) || this.isName(1)) && this.isWord('exists');
  }
  /** What exists is met as it stands; what does not is counted to be nothing. */
  #exists(into: Conditions, denied: boolean, inside: boolean): void {
    const word = this.next();
    let found = new Conditions();
    if (this.accept(OPEN_BRACE)) found = this.#block(denied || inside);
    else {
      const negated = this.accept(MINUS);
      if (!this.isName()) throw this.expected('a relation name', '"{"');
      this.#condition(found, negated);
    }
    if (denied) return this.#none(into, found.items(), word, inside);
    if (!inside) this.checks.push(new Set(found.items()));
    into.addAll(found);
  }
  #none(into: Conditions, body: readonly BodyItem[], token: number, inside: boolean): void {
    if (inside)
      throw this.wrong(
        'syntax',
        'what does not exist cannot be asked for inside an aggregate; compute it by a rule of its own and use the relation here',
        token,
      );
    const names = new Set(body.flatMap((item) => [...itemVariables(item)]));
    const of = [...names].map((name): RuleTerm => ({ kind: 'variable', name }));
    const value: Aggregate = { kind: 'aggregate', function: 'count', result: literal(0), of, body: body as readonly (Atom | Comparison)[] };
    this.addImplicit(value);
    into.add(value, token, token);
  }

  /** A head. */
  head(into: Conditions<Atom>): void {
    if (this.isWord('not') && !this.is(OPEN, 1))
      throw this.wrong('syntax', 'a head cannot be "not p(..)"; what is known to be false is written -p(..)', this.at, ['"-"', 'a relation name']);
    const negated = this.accept(MINUS);
    if (!this.isName()) throw this.expected('a relation name');
    const atom = this.atom(negated, false, false);
    into.add(atom, this.#subjectAt, this.#objectAt);
  }
  /** `open`: `_` may stand for anything. */
  atom(negated: boolean, absent: boolean, open: boolean): Atom {
    const name = this.next();
    if (!this.is(OPEN)) throw this.expected('"("');
    this.checkRelation(name);
    this.next();
    const subjectAt = this.at;
    const subject = this.#argument(open);
    if (subject.kind === 'literal')
      throw new RuleError('invalid_term', `${this.rawTerm(subjectAt)} is a literal and cannot be a subject; a subject is a variable or the name of an entity`, {
        ...this.place(subjectAt),
        expected: ['a variable', 'a name'],
        rule: this.source(),
      });
    this.#subjectAt = subjectAt;
    if (this.accept(CLOSE)) {
      if (open) this.refuseCall(name, 1);
      this.#objectAt = name;
      return atomOf(CLASS_OF, subject, this.entity(name), negated, absent);
    }
    this.expect(COMMA, '")"');
    this.#objectAt = this.at;
    const object = this.#argument(open);
    this.expect(CLOSE);
    if (open) this.refuseCall(name, 2);
    return atomOf(this.relation(name), subject, object, negated, absent);
  }
  #argument(open: boolean): RuleTerm {
    if (!open || !this.isWord('_')) return this.term();
    this.next();
    return this.anonymous();
  }
}

function atomOf(relation: Atom['relation'], subject: RuleTerm, object: RuleTerm, negated: boolean, absent: boolean): Atom {
  if (negated) return absent ? { relation, subject, object, negated, absent } : { relation, subject, object, negated };
  return absent ? { relation, subject, object, absent } : { relation, subject, object };
}
