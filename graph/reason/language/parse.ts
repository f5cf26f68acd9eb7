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

import { ClauseReader } from './clause.ts';
import { RuleError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { pauses, RULE_TURNS, runNow } from '../evaluate/run.ts';
import { RULE_TEXT_LIMIT, tokenize } from './lexer.ts';
import type { Tokens } from './lexer.ts';
import { RuleList } from './rule-list.ts';
import { LIMITS } from './safety.ts';
import type { Atom, Rule } from '../types.ts';

export interface ReadRules {
  /** Rules without a mistake, each once, in order. */
  readonly rules: readonly Rule[];
  /** Every mistake found, in order; after a mistake reading goes on behind the next ".". */
  readonly errors: readonly RuleError[];
  /** Where each rule begins, by its id. */
  readonly places: ReadonlyMap<string, Place>;
}
/** How much one text may hold. */
export interface TextLimits {
  /** Default 16 Mi. */
  readonly characters?: number;
  /** Default 200,000. */
  readonly rules?: number;
}

/** Reads as much of `text` as is right, and says what is wrong with the rest. */
export const readRules = (text: string, limits?: TextLimits): ReadRules => runNow(readingRules(text, limits));
/** The same in slices. */
export function* readingRules(text: string, { characters = RULE_TEXT_LIMIT, rules: most = LIMITS.rules }: TextLimits = {}): Generator<void, ReadRules> {
  let tokens: Tokens;
  try {
    tokens = tokenize(text, characters);
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
  const reader = new ClauseReader(tokens);
  const list = new RuleList();
  const { rules } = list;
  const errors: RuleError[] = [];
  /** Token at which each rule begins. */
  const begins: number[] = [];
  const pause = pauses(RULE_TURNS);
  while (!reader.atEnd()) {
    if (pause()) yield;
    try {
      if (rules.length >= most) throw new RuleError('too_large', `more than ${most} rules in one text`, reader.place());
      const { at } = reader;
      if (list.add(reader.clause())) begins.push(at);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      errors.push(error);
      if (error.code === 'too_large' || errors.length >= 100) break;
      reader.recover();
    }
  }
  let places: Map<string, Place> | undefined;
  return {
    rules,
    errors,
    /** Made when somebody asks: it takes longer than it is worth for very many rules without a mistake. */
    get places() {
      return (places ??= new Map(rules.map(({ id }, i) => [id, tokens.place(begins[i])])));
    },
  };
}

/** Rules of `text`, each once, in order. Throws the first RuleError. */
export function parseRules(text: string, limits?: TextLimits): readonly Rule[] {
  const { rules, errors } = readRules(text, limits);
  if (errors.length > 0) throw errors[0];
  return rules;
}

/** One atom, such as `ancestor(alice, ?x)`, perhaps with `-` in front and `.` behind. */
export function parseGoal(text: string): Atom {
  return new ClauseReader(tokenize(text)).goal();
}
