// Owns the grammar of the rule language: text in, rules out, every mistake with line, column and what was expected.
// Refuses to know how rules run.
//
//   program    := { annotation } clause ...
//   clause     := [ head { "," head } ] [ ":-" item { "," item } ] "."      a clause without head is a constraint, one without body a given fact
//   head       := ["-"] name "(" term [ "," term ] ")"                      c(?x) is short for "is a"(?x, c)
//   item       := ["not"] ["-"] name "(" term [ "," term ] ")"                `_` as a term: anything; under "not": nothing at all
//               | ["not"] "exists" ( ["-"] name "(" .. ")" | "{" item { "," item } "}" )
//               | ["not"] test "(" value "," value ")"                          contains, starts_with, ends_with, matches
//               | value ("=" | "!=" | "<" | "<=" | ">" | ">=") value            "=" gives a variable its value
//               | value ["not"] "in" "[" term { "," term } "]"
//               | value operator aggregate  |  aggregate operator value
//   value      := term | value ("+" | "-" | "*" | "/") value | "(" value ")" | "-" value | function "(" value { "," value } ")"
//   aggregate  := ("count" | "sum" | "min" | "max" | "avg") "{" term { "," term } ":" item { "," item } "}"
//               | "count" ":" "{" items "}" | ("sum" | "min" | "max" | "avg") ?variable ":" "{" items "}"       as Soufflé writes it
//   term       := ?variable | name | number | true | false | "text"^^string | "1879-03-14"^^date | "5"^^number | "true"^^boolean
//   name       := letters, digits and "_" of any script (not beginning with a digit) | "quoted"
//   annotation := @name("..") | @confidence(0.9) | @say("{x} is ..")
//
// In a term a bare or quoted name is an entity; between the brackets of a function, and beside one that gives a string, quoted text is a string ("x"^^entity is the entity).
// `not`, `true`, `false` and `_` are names only in quotes, and so are relations that share the name of a test. Functions are listed in values.ts.
// Variables that an aggregate shares with the rest of the rule are its group; they get their values there.

import { entity, literal, parseEntityId, parseRelationName } from '../terms.ts';
import type { RelationName } from '../terms.ts';
import { isAtom, itemVariables, outerVariables, substituteItem } from './body.ts';
import { Cursor } from './cursor.ts';
import type { ReadTerm } from './cursor.ts';
import type { Aggregate, AggregateFunction, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from './types.ts';
import { RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';
import { NESTING } from './kinds.ts';
import { IS_A, makeRule } from './print.ts';
import { checkRule, LIMITS } from './safety.ts';
import { BUILTINS, isTerm, TESTS } from './values.ts';
import type { ValueKind } from './values.ts';

export interface ReadRules {
  /** Rules without a mistake, each once, in order. */
  readonly rules: readonly Rule[];
  /** Every mistake found, in order; after a mistake reading goes on behind the next ".". */
  readonly errors: readonly RuleError[];
  /** Where each rule begins, by its id. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Reads as much of `text` as is right, and says what is wrong with the rest. */
export function readRules(text: string): ReadRules {
  let tokens: Token[];
  try {
    tokens = tokenize(text);
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
  const parser = new Parser(tokens);
  const rules = new Map<string, Rule>();
  const errors: RuleError[] = [];
  const places = new Map<string, Place>();
  while (!parser.atEnd()) {
    try {
      if (rules.size >= LIMITS.rules) throw new RuleError('too_large', `more than ${LIMITS.rules} rules in one text`, parser.place());
      const place = parser.place();
      const rule = parser.clause();
      rules.set(rule.id, rule);
      if (!places.has(rule.id)) places.set(rule.id, place);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      errors.push(error);
      if (error.code === 'too_large' || errors.length >= 100) break;
      parser.recover();
    }
  }
  return { rules: [...rules.values()], errors, places };
}

/** Rules of `text`, each once, in order. Throws the first RuleError. */
export function parseRules(text: string): readonly Rule[] {
  const { rules, errors } = readRules(text);
  if (errors.length > 0) throw errors[0];
  return rules;
}

/** One atom, such as `ancestor(alice, ?x)`, perhaps with `-` in front and `.` behind. */
export function parseGoal(text: string): Atom {
  const parser = new Parser(tokenize(text));
  const atom = parser.goal();
  return atom;
}

interface Placed<T> {
  readonly value: T;
  /** Of subject and object, or of left and right side. */
  readonly places: readonly [Place, Place];
}
/** Words that introduce an aggregate. */
const AGGREGATES: readonly string[] = ['count', 'sum', 'min', 'max', 'avg'] satisfies AggregateFunction[];
const SIGNS_BEHIND_CALL = new Set(['=', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/']);

class Parser extends Cursor {
  /** Conditions that the one being read stands for besides itself. */
  #besides: Placed<BodyItem>[] = [];
  /** Aggregates of which the text does not say what they count. */
  readonly #implicit = new WeakSet<object>();
  /** Conditions by the `exists` that they stood under. */
  #checks: ReadonlySet<object>[] = [];
  #depth = 0;

  clause(): Rule {
    this.begin();
    this.#checks = [];
    this.#depth = 0;
    const { name, confidence, say } = this.#annotations();
    const heads: Placed<Atom>[] = [];
    const body: Placed<BodyItem>[] = [];
    if (!this.is(':-')) {
      do heads.push(this.head());
      while (this.accept(','));
    }
    if (this.accept(':-')) {
      do this.#conditions(body);
      while (this.accept(','));
      this.expect('.', '","');
    } else this.expect('.', '":-"', '","');

    this.#apart(heads, body);
    this.#withoutGroups(heads, body);
    const parts = {
      ...(name === undefined ? {} : { name }),
      ...(confidence === undefined ? {} : { confidence }),
      ...(say === undefined ? {} : { say: say.text }),
      heads: heads.map(({ value }) => value),
      body: body.map(({ value }) => value),
    };
    const { first } = this;
    checkRule(parts, (part, index, position) => {
      if (part === 'say') return say?.place ?? this.place(first);
      return (part === 'heads' ? heads : body)[index]?.places[position] ?? this.place(first);
    });
    return makeRule(parts);
  }

  /** A variable of an `exists` that the rest of the rule does not know is its own, even if other braces use its name. */
  #apart(heads: readonly Placed<Atom>[], body: Placed<BodyItem>[]): void {
    if (this.#checks.length === 0) return;
    const checkOf = (item: BodyItem): ReadonlySet<object> | undefined => this.#checks.find((items) => items.has(item));
    const outer = outerVariables({ heads: heads.map(({ value }) => value), body: body.flatMap(({ value }) => (checkOf(value) ? [] : [value])) });
    for (const check of this.#checks) {
      const others = new Set(body.flatMap(({ value }) => (check.has(value) ? [] : [...itemVariables(value)])));
      const names: Record<string, RuleTerm> = {};
      for (const item of check as ReadonlySet<BodyItem>)
        for (const name of isAtom(item) || item.kind === 'compare' ? itemVariables(item) : [])
          if (!outer.has(name) && others.has(name)) names[name] ??= this.anonymous();
      body.forEach(({ value, places }, i) => {
        if (!check.has(value)) return;
        body[i] = { value: substituteItem(value, names), places };
        if (this.#implicit.has(value)) this.#implicit.add(body[i].value);
      });
    }
  }
  /** Where it was not said what to count, the group need not be counted: it is one value each time. */
  #withoutGroups(heads: readonly Placed<Atom>[], body: Placed<BodyItem>[]): void {
    if (!body.some(({ value }) => this.#implicit.has(value))) return;
    const outer = outerVariables({ heads: heads.map(({ value }) => value), body: body.map(({ value }) => value) });
    body.forEach(({ value, places }, i) => {
      if (!this.#implicit.has(value) || isAtom(value) || value.kind !== 'aggregate') return;
      const of = value.of.filter((term) => term.kind !== 'variable' || !outer.has(term.name));
      if (of.length > 0) body[i] = { value: { ...value, of }, places };
    });
  }

  #annotations(): { name?: string; confidence?: number; say?: { text: string; place: Place } } {
    let name: string | undefined;
    let confidence: number | undefined;
    let say: { text: string; place: Place } | undefined;
    while (this.token.kind === 'annotation') {
      const token = this.next();
      const fail = (reason: string, expected: readonly string[]): never => {
        throw this.wrong('invalid_annotation', reason, token, expected);
      };
      const twice = { name, confidence, say }[token.text as 'name' | 'confidence' | 'say'] !== undefined;
      if (twice) fail(`@${token.text} stands twice in front of one rule; keep one`, []);
      if (token.text === 'name' || token.text === 'say') {
        this.expect('(');
        const value = this.token;
        if (value.kind !== 'quoted') throw this.expected('a text in quotes');
        this.next();
        this.expect(')');
        const limit = token.text === 'name' ? LIMITS.nameCharacters : LIMITS.sayCharacters;
        if (value.text.trim() === '' || value.text.length > limit || !value.text.isWellFormed())
          fail(`@${token.text} needs a text of 1 to ${limit} characters`, ['a text in quotes']);
        if (token.text === 'name') name = value.text;
        else say = { text: value.text, place: this.place(value) };
      } else if (token.text === 'confidence') {
        this.expect('(');
        const value = this.token;
        if (value.kind !== 'number') throw this.expected('a number above 0 and at most 1');
        this.next();
        this.expect(')');
        confidence = Number(value.text);
        if (!(confidence > 0 && confidence <= 1))
          fail(`@confidence(${value.text}) is out of range; it must be above 0 and at most 1`, ['a number above 0 and at most 1']);
      } else fail(`@${token.text} is not known; a rule may carry @name("..."), @confidence(0.9) and @say("...")`, ['@name', '@confidence', '@say']);
    }
    return { ...(name === undefined ? {} : { name }), ...(confidence === undefined ? {} : { confidence }), ...(say === undefined ? {} : { say }) };
  }

  goal(): Atom {
    this.begin();
    const { value } = this.head();
    this.accept('.');
    if (!this.atEnd()) throw this.expected('the end of the goal');
    return value;
  }

  head(): Placed<Atom> {
    if (this.isWord('not') && !this.is('(', 1))
      throw this.wrong('syntax', 'a head cannot be "not p(..)"; what is known to be false is written -p(..)', this.token, ['"-"', 'a relation name']);
    const negated = this.accept('-');
    if (!this.isName()) throw this.expected('a relation name');
    return this.#atom(negated, false, false);
  }

  /** One condition as written, which may stand for several. */
  #conditions(body: Placed<BodyItem>[], inside = false): void {
    this.#besides = [];
    const item = this.#item(inside);
    body.push(...this.#besides, ...(item ? [item] : []));
    this.#besides = [];
  }

  #item(inside: boolean): Placed<BodyItem> | undefined {
    const { token } = this;
    const denied = this.isWord('not') && !this.is('(', 1);
    if (denied) {
      this.next();
      const { token: second } = this;
      if (second.kind === 'variable') throw this.expected('a relation name', 'a test such as contains(?x, "a")');
      if (this.#introducesCheck()) return this.#exists(true, inside);
      if (this.#isTest()) return this.#test(false);
      const negated = this.accept('-');
      if (!this.isName()) throw this.expected('a relation name');
      return this.#absent(this.#atom(negated, true, true), second, inside);
    }
    if (this.#introducesCheck()) return this.#exists(false, inside);
    if (this.is('-') && this.isName(1)) {
      this.next();
      return this.#atom(true, false, true);
    }
    if (this.isName() && this.is('(', 1)) {
      if (this.#isTest() && !this.#isExpression()) return this.#test(true);
      if (token.kind === 'quoted' || !this.#isExpression()) return this.#atom(false, false, true);
    }
    const begins = this.is('(') || this.is('-') || token.kind === 'variable' || token.kind === 'number' || this.isName();
    if (!begins) throw this.expected('a condition');
    return this.#comparison(inside);
  }

  #isTest(): boolean {
    return this.token.kind === 'name' && TESTS.has(this.token.text) && this.is('(', 1);
  }
  /** Does what stands behind the brackets of the name here make it a call? */
  #isExpression(): boolean {
    let depth = 0;
    for (let i = 1; ; i++) {
      const token = this.ahead(i);
      if (token.kind === 'end') return false;
      if (token.kind !== 'sign') continue;
      if (token.text === '(') depth++;
      if (token.text === ')') depth--;
      if (depth > 0) continue;
      const behind = this.ahead(i + 1);
      if (behind.kind === 'sign') return SIGNS_BEHIND_CALL.has(behind.text);
      return (behind.kind === 'number' && behind.raw.startsWith('-')) || (behind.kind === 'name' && (behind.text === 'in' || behind.text === 'not'));
    }
  }
  #test(wanted: boolean): Placed<BodyItem> {
    const { value, place } = this.call();
    return { value: { kind: 'compare', operator: '=', left: value, right: literal(wanted) }, places: [place, place] };
  }

  #comparison(inside: boolean): Placed<BodyItem> {
    const { token } = this;
    if (this.#aggregates()) {
      const place = this.place();
      const named = this.#aggregate(inside);
      const operator = this.operator();
      if (operator === undefined || operator === 'in' || operator === 'not in') throw this.expected('a comparison (= != < <= > >=)');
      const right = this.expression();
      return this.#result(named, operator, right, [place, place]);
    }
    const left = this.expression();
    const operator = this.operator();
    if (operator === undefined) {
      if (token.kind === 'name' || token.kind === 'quoted') throw this.expected('"("', 'a comparison (= != < <= > >=)');
      throw this.expected('a comparison (= != < <= > >=)');
    }
    if (operator === 'in' || operator === 'not in') {
      const list = this.list(gives(left.value) === 'string');
      return { value: { kind: 'compare', operator, left: left.value, right: list.value }, places: [left.place, list.place] };
    }
    if (this.#aggregates()) return this.#result(this.#aggregate(inside), MIRRORED[operator], left, [left.place, left.place]);
    const right = this.expression();
    const [a, b] = [this.#matching(left, right), this.#matching(right, left)];
    return { value: { kind: 'compare', operator, left: a, right: b }, places: [left.place, right.place] };
  }
  /** Quoted text beside a function that gives strings is a string, beside one that gives dates a date. */
  #matching(side: ReadTerm, other: ReadTerm): Expression {
    const kind = gives(other.value);
    const { quoted } = side;
    return quoted && (kind === 'string' || kind === 'date') ? this.convert(quoted, () => literal(quoted.text, kind)) : side.value;
  }

  /** Does an aggregate begin here? `count {`, `count : {`, `sum ?x : {`. */
  #aggregates(): boolean {
    const { token } = this;
    if (token.kind !== 'name' || !AGGREGATES.includes(token.text)) return false;
    return this.is('{', 1) || this.is(':', 1) || this.ahead(1).kind === 'variable';
  }
  /** `count { ?f : directed(?d, ?f) }`, or as Soufflé writes it: `count : { directed(?d, ?f) }`, `sum ?x : { price(?i, ?x) }`. */
  #aggregate(inside: boolean): Omit<Aggregate, 'result'> {
    const name = this.next();
    if (inside) throw this.wrong('syntax', `${name.text} stands inside another aggregate; compute it by a rule of its own and use the relation here`, name);
    const of: RuleTerm[] = [];
    const before = this.token.kind === 'variable' ? [this.term().value] : [];
    const souffle = before.length > 0 || this.is(':');
    if (souffle) this.expect(':');
    this.expect('{');
    if (!souffle && this.#namesValues()) {
      do of.push(this.term().value);
      while (this.accept(','));
      this.expect(':', '","');
    } else of.push(...before);
    const body = this.#block(true);
    const items = body.map(({ value }) => value as Atom | Comparison);
    // `count : { .. }` counts the ways to meet the conditions.
    const implicit = of.length === 0 && name.text === 'count';
    if (implicit) for (const inner of new Set(items.flatMap((item) => [...itemVariables(item)]))) of.push({ kind: 'variable', name: inner });
    if (of.length === 0)
      throw this.wrong('syntax', `${name.text} needs the value to take, such as ${name.text} { ?x : price(?item, ?x) }`, name, ['a variable']);
    const read = { kind: 'aggregate' as const, function: name.text as AggregateFunction, of, body: items };
    if (implicit) this.#implicit.add(read);
    return read;
  }
  /** Do values and ":" stand here, before the conditions? */
  #namesValues(): boolean {
    for (let i = 0; ; i++) {
      const token = this.ahead(i);
      if (token.kind === 'end' || this.is('}', i) || this.is('(', i)) return false;
      if (this.is(':', i)) return true;
    }
  }
  /** Conditions up to "}". */
  #block(inside: boolean): Placed<BodyItem>[] {
    if (++this.#depth > NESTING) throw this.wrong('too_large', `braces are nested deeper than ${NESTING}`);
    const outside = this.#besides;
    const body: Placed<BodyItem>[] = [];
    do this.#conditions(body, inside);
    while (this.accept(','));
    this.expect('}', '","');
    this.#besides = outside;
    this.#depth--;
    return body;
  }
  /** The condition that an aggregate has this result; other comparisons than `=` with a term name the result first. */
  #result(aggregate: Omit<Aggregate, 'result'>, operator: Comparison['operator'], side: ReadTerm, places: readonly [Place, Place]): Placed<BodyItem> {
    const plain = operator === '=' && isTerm(side.value) ? side.value : undefined;
    const result = plain ?? this.anonymous();
    const value: Aggregate = { kind: 'aggregate', function: aggregate.function, result, of: aggregate.of, body: aggregate.body };
    if (this.#implicit.has(aggregate)) this.#implicit.add(value);
    if (plain) return { value, places };
    this.#besides.push({ value, places });
    return { value: { kind: 'compare', operator, left: result, right: side.value }, places };
  }

  /** Does `exists p(..)` or `exists { .. }` begin here? */
  #introducesCheck(): boolean {
    return this.isWord('exists') && (this.is('{', 1) || this.is('-', 1) || this.isName(1));
  }
  /** What exists is met as it stands; what does not is counted to be nothing. */
  #exists(denied: boolean, inside: boolean): Placed<BodyItem> | undefined {
    const word = this.next();
    const items: Placed<BodyItem>[] = [];
    if (this.accept('{')) items.push(...this.#block(denied || inside));
    else {
      const negated = this.accept('-');
      if (!this.isName()) throw this.expected('a relation name', '"{"');
      items.push(this.#atom(negated, false, true));
    }
    if (denied)
      return this.#none(
        items.map(({ value }) => value),
        word,
        inside,
      );
    if (!inside) this.#checks.push(new Set(items.map(({ value }) => value)));
    this.#besides.push(...items);
    return undefined;
  }
  /** `not p(?x, _)`: nothing is p of ?x. */
  #absent(atom: Placed<Atom>, token: Token, inside: boolean): Placed<BodyItem> {
    const { absent: _, ...present } = atom.value;
    const open = [present.subject, present.object].some((term) => term.kind === 'variable' && this.isAnonymous(term.name));
    return open ? this.#none([present], token, inside) : atom;
  }
  #none(body: readonly BodyItem[], token: Token, inside: boolean): Placed<BodyItem> {
    if (inside)
      throw this.wrong(
        'syntax',
        'what does not exist cannot be asked for inside an aggregate; compute it by a rule of its own and use the relation here',
        token,
      );
    const names = new Set(body.flatMap((item) => [...itemVariables(item)]));
    const of = [...names].map((name): RuleTerm => ({ kind: 'variable', name }));
    const value: Aggregate = { kind: 'aggregate', function: 'count', result: literal(0), of, body: body as readonly (Atom | Comparison)[] };
    this.#implicit.add(value);
    const place = this.place(token);
    return { value, places: [place, place] };
  }

  #argument(open: boolean): ReadTerm<RuleTerm> {
    if (!open || !this.isWord('_')) return this.term();
    const { token } = this;
    this.next();
    return { value: this.anonymous(), place: this.place(token), raw: '_' };
  }
  /** `open`: `_` may stand for anything. */
  #atom(negated: boolean, absent: boolean, open: boolean): Placed<Atom> {
    const name = this.next();
    const flags = { ...(negated ? { negated } : {}), ...(absent ? { absent } : {}) };
    if (!this.is('(')) throw this.expected('"("');
    if (name.kind === 'name' && (name.text === 'not' || name.text === '_'))
      throw this.wrong('syntax', `${name.text} is not a name; in quotes, ${JSON.stringify(name.text)}, it is`, name, ['a relation name']);
    if (name.kind === 'name' && TESTS.has(name.text))
      throw this.wrong('syntax', `${name.text} is a built-in test; in quotes, ${JSON.stringify(name.text)}, it is the relation of that name`, name, [
        JSON.stringify(name.text),
      ]);
    this.next();
    const subject = this.#argument(open);
    if (subject.value.kind === 'literal')
      throw new RuleError('invalid_term', `${subject.raw} is a literal and cannot be a subject; a subject is a variable or the name of an entity`, {
        ...subject.place,
        expected: ['a variable', 'a name'],
        rule: this.source(),
      });
    if (this.accept(')')) {
      const object: RuleTerm = entity(this.convert(name, () => parseEntityId(name.text)));
      return { value: { relation: IS_A as RelationName, subject: subject.value, object, ...flags }, places: [subject.place, this.place(name)] };
    }
    this.expect(',', '")"');
    const object = this.#argument(open);
    this.expect(')');
    return {
      value: { relation: this.convert(name, () => parseRelationName(name.text)), subject: subject.value, object: object.value, ...flags },
      places: [subject.place, object.place],
    };
  }
}

const gives = (expression: Expression): ValueKind | undefined => (expression.kind === 'call' ? BUILTINS.get(expression.function)?.gives : undefined);
const MIRRORED: Readonly<Record<'=' | '!=' | '<' | '<=' | '>' | '>=', Comparison['operator']>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
