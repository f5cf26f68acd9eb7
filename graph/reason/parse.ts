// Owns the grammar of the rule language: text in, rules out, every mistake with line, column and what was expected.
// Refuses to know how rules run.
//
//   program    := { annotation } clause ...
//   clause     := [ head { "," head } ] [ ":-" item { "," item } ] "."      a clause without head is a constraint, one without body a given fact
//   head       := ["-"] name "(" term [ "," term ] ")"                      c(?x) is short for "is a"(?x, c)
//   item       := ["not"] ["-"] name "(" term [ "," term ] ")"  |  term ("=" | "!=" | "<" | "<=" | ">" | ">=") term
//   term       := ?variable | name | number | true | false | "text"^^string | "1879-03-14"^^date | "5"^^number | "true"^^boolean
//   name       := letters, digits and "_" of any script (not beginning with a digit) | "quoted"
//   annotation := @name("..") | @confidence(0.9) | @say("{x} is ..")
//
// In a term a bare or quoted name is an entity. `not`, `true`, `false` and `_` are names only in quotes.

import { entity, literal, parseEntityId, parseRelationName, TermError } from '../terms.ts';
import type { Literal, LiteralType, RelationName } from '../terms.ts';
import type { Atom, BodyItem, Comparison, Rule, RuleTerm } from './types.ts';
import { anyOf, RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';
import { IS_A, makeRule } from './print.ts';
import { checkRule, LIMITS } from './safety.ts';

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

const OPERATORS = ['=', '!=', '<', '<=', '>', '>='] as const;
const isOperator = (text: string): text is Comparison['operator'] => (OPERATORS as readonly string[]).includes(text);
const TERM = 'a variable, a name or a literal';

interface Placed<T> {
  readonly value: T;
  /** Of subject and object, or of left and right side. */
  readonly places: readonly [Place, Place];
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Where the clause being read began. */
  #start = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #token(): Token {
    return this.#tokens[this.#at];
  }
  atEnd(): boolean {
    return this.#token.kind === 'end';
  }
  place(token = this.#token): Place {
    return { line: token.line, column: token.column };
  }
  #next(): Token {
    const token = this.#token;
    if (token.kind !== 'end') this.#at++;
    return token;
  }
  #is(sign: string, ahead = 0): boolean {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    return token.kind === 'sign' && token.text === sign;
  }
  #accept(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#at++;
    return true;
  }
  /** Goes behind the "." that ends the clause in which a mistake was found. */
  recover(): void {
    if (this.#at > this.#start && this.#tokens[this.#at - 1].kind === 'sign' && this.#tokens[this.#at - 1].text === '.') return;
    while (!this.atEnd())
      if (this.#accept('.')) return;
      else this.#at++;
  }

  #expected(...expected: string[]): RuleError {
    const token = this.#token;
    const found = token.kind === 'end' ? 'the text ends' : `found ${token.kind === 'quoted' ? token.raw : `"${token.kind === 'variable' ? '?' : token.raw}"`}`;
    const before = this.#tokens[this.#at - 1];
    const hint = token.kind === 'sign' && token.text === '-' && before?.kind === 'name' ? '; a name with spaces or other signs is written in quotes' : '';
    return new RuleError('syntax', `expected ${anyOf(expected)} but ${found}${hint}`, { ...this.place(), expected, rule: this.#source() });
  }
  #expect(sign: string, ...others: string[]): void {
    if (!this.#accept(sign)) throw this.#expected(`"${sign}"`, ...others);
  }
  /** The beginning of the clause, for naming it in an error. */
  #source(): string {
    return this.#tokens
      .slice(this.#start, Math.min(this.#at + 1, this.#start + 40))
      .map(({ raw }) => raw)
      .join(' ')
      .slice(0, 200);
  }

  clause(): Rule {
    this.#start = this.#at;
    let name: string | undefined;
    let confidence: number | undefined;
    let say: { text: string; place: Place } | undefined;
    while (this.#token.kind === 'annotation') {
      const token = this.#next();
      const fail = (reason: string, expected: readonly string[]): never => {
        throw new RuleError('invalid_annotation', reason, { ...this.place(token), expected, rule: this.#source() });
      };
      const twice = { name, confidence, say }[token.text as 'name' | 'confidence' | 'say'] !== undefined;
      if (twice) fail(`@${token.text} stands twice in front of one rule; keep one`, []);
      if (token.text === 'name' || token.text === 'say') {
        this.#expect('(');
        const value = this.#token;
        if (value.kind !== 'quoted') throw this.#expected('a text in quotes');
        this.#at++;
        this.#expect(')');
        const limit = token.text === 'name' ? LIMITS.nameCharacters : LIMITS.sayCharacters;
        if (value.text.trim() === '' || value.text.length > limit || !value.text.isWellFormed())
          fail(`@${token.text} needs a text of 1 to ${limit} characters`, ['a text in quotes']);
        if (token.text === 'name') name = value.text;
        else say = { text: value.text, place: this.place(value) };
      } else if (token.text === 'confidence') {
        this.#expect('(');
        const value = this.#token;
        if (value.kind !== 'number') throw this.#expected('a number above 0 and at most 1');
        this.#at++;
        this.#expect(')');
        confidence = Number(value.text);
        if (!(confidence > 0 && confidence <= 1))
          fail(`@confidence(${value.text}) is out of range; it must be above 0 and at most 1`, ['a number above 0 and at most 1']);
      } else fail(`@${token.text} is not known; a rule may carry @name("..."), @confidence(0.9) and @say("...")`, ['@name', '@confidence', '@say']);
    }

    const heads: Placed<Atom>[] = [];
    const body: Placed<BodyItem>[] = [];
    if (!this.#is(':-')) {
      do heads.push(this.#head());
      while (this.#accept(','));
    }
    const first = this.#tokens[this.#start];
    if (this.#accept(':-')) {
      do body.push(this.#item());
      while (this.#accept(','));
      this.#expect('.', '","');
    } else this.#expect('.', '":-"', '","');

    const parts = {
      ...(name === undefined ? {} : { name }),
      ...(confidence === undefined ? {} : { confidence }),
      ...(say === undefined ? {} : { say: say.text }),
      heads: heads.map(({ value }) => value),
      body: body.map(({ value }) => value),
    };
    checkRule(parts, (part, index, position) => {
      if (part === 'say') return say?.place ?? this.place(first);
      return (part === 'heads' ? heads : body)[index]?.places[position] ?? this.place(first);
    });
    return makeRule(parts);
  }

  goal(): Atom {
    const { value } = this.#head();
    this.#accept('.');
    if (!this.atEnd()) throw this.#expected('the end of the goal');
    return value;
  }

  #head(): Placed<Atom> {
    if (this.#token.kind === 'name' && this.#token.text === 'not' && !this.#is('(', 1))
      throw new RuleError('syntax', 'a head cannot be "not p(..)"; what is known to be false is written -p(..)', {
        ...this.place(),
        expected: ['"-"', 'a relation name'],
        rule: this.#source(),
      });
    const negated = this.#accept('-');
    if (this.#token.kind !== 'name' && this.#token.kind !== 'quoted') throw this.#expected('a relation name');
    return this.#atom(negated, false);
  }

  #item(): Placed<BodyItem> {
    const token = this.#token;
    if (token.kind === 'name' && token.text === 'not' && !this.#is('(', 1)) {
      this.#at++;
      const negated = this.#accept('-');
      if (this.#token.kind !== 'name' && this.#token.kind !== 'quoted') throw this.#expected('a relation name');
      return this.#atom(negated, true);
    }
    if (this.#accept('-')) {
      if (this.#token.kind !== 'name' && this.#token.kind !== 'quoted') throw this.#expected('a relation name');
      return this.#atom(true, false);
    }
    if ((token.kind === 'name' || token.kind === 'quoted') && this.#is('(', 1)) return this.#atom(false, false);
    if (token.kind === 'sign' || token.kind === 'end' || token.kind === 'annotation') throw this.#expected('a condition');
    const left = this.#term();
    const operator = this.#token;
    if (operator.kind !== 'sign' || !isOperator(operator.text)) {
      if (token.kind === 'name' || token.kind === 'quoted') throw this.#expected('"("', 'a comparison (= != < <= > >=)');
      throw this.#expected('a comparison (= != < <= > >=)');
    }
    this.#at++;
    const right = this.#term();
    return { value: { kind: 'compare', operator: operator.text, left: left.value, right: right.value }, places: [left.place, right.place] };
  }

  #atom(negated: boolean, absent: boolean): Placed<Atom> {
    const name = this.#next();
    const flags = { ...(negated ? { negated } : {}), ...(absent ? { absent } : {}) };
    if (!this.#is('(')) throw this.#expected('"("');
    if (name.kind === 'name' && (name.text === 'not' || name.text === '_'))
      throw new RuleError('syntax', `${name.text} is not a name; in quotes, ${JSON.stringify(name.text)}, it is`, {
        ...this.place(name),
        expected: ['a relation name'],
        rule: this.#source(),
      });
    this.#at++;
    const subject = this.#term();
    if (subject.value.kind === 'literal')
      throw new RuleError('invalid_term', `${subject.raw} is a literal and cannot be a subject; a subject is a variable or the name of an entity`, {
        ...subject.place,
        expected: ['a variable', 'a name'],
        rule: this.#source(),
      });
    if (this.#accept(')')) {
      const object: RuleTerm = entity(this.#name(name, parseEntityId));
      return { value: { relation: IS_A as RelationName, subject: subject.value, object, ...flags }, places: [subject.place, this.place(name)] };
    }
    this.#expect(',', '")"');
    const object = this.#term();
    this.#expect(')');
    return {
      value: { relation: this.#name(name, parseRelationName), subject: subject.value, object: object.value, ...flags },
      places: [subject.place, object.place],
    };
  }

  #term(): { value: RuleTerm; place: Place; raw: string } {
    const token = this.#token;
    const at = { place: this.place(token), raw: token.raw };
    switch (token.kind) {
      case 'variable':
        this.#at++;
        return { value: { kind: 'variable', name: token.text }, ...at };
      case 'number':
        this.#at++;
        return { value: this.#literal(token, Number(token.text), 'number'), ...at };
      case 'name':
        if (token.text === '_' || token.text === 'not')
          throw new RuleError(
            'syntax',
            token.text === '_'
              ? '_ has no meaning of its own; write a variable such as ?x, or "_" for the entity'
              : 'not is not a name; in quotes, "not", it is',
            {
              ...at.place,
              expected: [TERM],
              rule: this.#source(),
            },
          );
        this.#at++;
        if (token.text === 'true' || token.text === 'false') return { value: literal(token.text === 'true'), ...at };
        return { value: entity(this.#name(token, parseEntityId)), ...at };
      case 'quoted': {
        this.#at++;
        if (!this.#accept('^^')) return { value: entity(this.#name(token, parseEntityId)), ...at };
        const type = this.#token;
        if (type.kind !== 'name' || !['string', 'number', 'date', 'boolean'].includes(type.text)) throw this.#expected('string', 'number', 'date', 'boolean');
        this.#at++;
        return { value: this.#typed(token, type.text as LiteralType), place: at.place, raw: `${token.raw}^^${type.raw}` };
      }
      default:
        throw this.#expected(TERM);
    }
  }

  #typed(token: Token, type: LiteralType): Literal {
    if (type === 'number') return this.#literal(token, token.text.trim() === '' ? Number.NaN : Number(token.text), type);
    if (type === 'boolean') return this.#literal(token, token.text === 'true' ? true : token.text === 'false' ? false : token.text, type);
    return this.#literal(token, token.text, type);
  }
  #literal(token: Token, value: string | number | boolean, type: LiteralType): Literal {
    return this.#convert(token, () => literal(value, type));
  }
  #name<T>(token: Token, parse: (text: string) => T): T {
    return this.#convert(token, () => parse(token.text));
  }
  #convert<T>(token: Token, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof TermError) throw new RuleError('invalid_term', error.message, { ...this.place(token), rule: this.#source() });
      throw error;
    }
  }
}
