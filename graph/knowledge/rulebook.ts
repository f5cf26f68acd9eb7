// Owns reading rules as they are given - text, JSON, N3, Jena, RDFox or Soufflé - and checking whether they can stand beside others.
// Refuses to know stores and facts.

import { withoutBareVariables } from '../reason/language/bare-variables.ts';
import { RuleError } from '../reason/errors.ts';
import { readingJena } from '../reason/imports/jena.ts';
import { rulesOfJson } from '../reason/language/json.ts';
import { readingN3 } from '../reason/imports/n3.ts';
import { readingRules } from '../reason/language/parse.ts';
import type { ReadRules } from '../reason/language/parse.ts';
import type { NameStyle } from '../reason/imports/rdf-names.ts';
import { readingRdfox } from '../reason/imports/rdfox.ts';
import { readingSouffle } from '../reason/imports/souffle.ts';
import { runNow } from '../reason/evaluate/run.ts';
import { stratifying } from '../reason/evaluate/strata.ts';
import type { Rule } from '../reason/types.ts';
import type { RulesCheck } from './common/types.ts';

export const RULE_FORMATS = ['datalog', 'json', 'n3', 'jena', 'rdfox', 'souffle'] as const;
export type RuleFormat = (typeof RULE_FORMATS)[number];
/** How rules are written. Without `format`: Datalog text, JSON text or a JSON value, told apart by how they begin. */
export interface RuleSource {
  readonly format?: RuleFormat;
  /** What the names of IRIs are, in N3, Jena and RDFox rules. Default `local`. */
  readonly names?: NameStyle;
}
/** Rules from text or from a JSON value, with every mistake that was found. */
export const readInput = (input: unknown, source?: RuleSource): ReadRules => runNow(readingInput(input, source));
function* readingInput(input: unknown, { format, names }: RuleSource = {}): Generator<void, ReadRules> {
  try {
    if (format !== undefined && format !== 'json' && typeof input !== 'string')
      throw new RuleError('syntax', `rules in the format ${format} are a text`, { path: 'rules', expected: ['a text'] });
    if (typeof input === 'string' && format === 'n3') return yield* readingN3(input, names);
    if (typeof input === 'string' && format === 'jena') return yield* readingJena(input, names);
    if (typeof input === 'string' && format === 'rdfox') return yield* readingRdfox(input, names);
    if (typeof input === 'string' && format === 'souffle') return yield* readingSouffle(input);
    if (typeof input === 'string' && format === 'datalog') return withoutBareVariables(yield* readingRules(input), input);
    if (typeof input !== 'string') return placed(yield* rulesOfJson(input));
    // No rule begins with a bracket or a brace.
    if (format === 'json' || /^\s*[[{]/u.test(input)) return placed(yield* rulesOfJson(parseJson(input)));
    return withoutBareVariables(yield* readingRules(input), input);
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}
const placed = (rules: readonly Rule[]): ReadRules => ({ rules, errors: [], places: new Map(rules.map(({ id }, i) => [id, { path: `rules[${i}]` }])) });
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RuleError(
      'syntax',
      `the text begins like JSON and is not (for rules of N3, Jena or RDFox, give the format): ${reason}`,
      {
        path: 'rules',
        ...firstWrong(text),
        expected: ['a JSON document', 'rules as text', 'the format "n3", "jena" or "rdfox"'],
      },
    );
  }
}

/** Where the text is no JSON: at the first sign after which nothing would make it so, or at its end. */
function firstWrong(text: string): { readonly line: number; readonly column: number } {
  let [right, wrong] = [0, text.length + 1];
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (isBegun(text.slice(0, middle))) right = middle;
    else wrong = middle;
  }
  const before = text.slice(0, right).split('\n');
  return { line: before.length, column: [...before[before.length - 1]].length + 1 };
}
/** Could more text make this JSON? */
function isBegun(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return /end of JSON|Unterminated/u.test(message) || Number(/position (\d+)/u.exec(message)?.[1] ?? 0) >= text.length;
  }
}

/** Rules of a request, and where each stands in it. Throws the first RuleError when there is any mistake. */
export const rulesOf = (input: unknown): Pick<ReadRules, 'rules' | 'places'> => runNow(readingRulesOf(input));
/** The same in slices. */
export function* readingRulesOf(input: unknown): Generator<void, Pick<ReadRules, 'rules' | 'places'>> {
  if (input === undefined) return { rules: [], places: new Map() };
  const { rules, errors, places } = yield* readingInput(input);
  if (errors.length > 0) throw errors[0];
  return { rules, places };
}

/** Could these rules stand beside the others of a base? `standing` gives all that stand there with them. Never throws for what is wrong with the rules. In slices. */
export function* checkingRules(input: unknown, standing: (rules: readonly Rule[]) => readonly Rule[], source?: RuleSource): Generator<void, RulesCheck> {
  const { rules, errors, places } = yield* readingInput(input, source);
  if (errors.length > 0) return { valid: false, rules, errors };
  try {
    yield* stratifying(standing(rules), (rule) => places.get(rule.id) ?? {});
    return { valid: true, rules, errors: [] };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { valid: false, rules, errors: [error] };
  }
}
