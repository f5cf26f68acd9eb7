// Owns reading rules as they are given - text, JSON, N3 or Jena - and checking whether they can stand beside others.
// Refuses to know stores and facts.

import { RuleError } from '../reason/errors.ts';
import { readJena } from '../reason/jena.ts';
import { rulesFromJson } from '../reason/json.ts';
import { readN3 } from '../reason/n3.ts';
import { readRules } from '../reason/parse.ts';
import type { ReadRules } from '../reason/parse.ts';
import type { NameStyle } from '../reason/rdf-names.ts';
import { stratify } from '../reason/strata.ts';
import type { Rule } from '../reason/types.ts';
import type { RulesCheck } from './types.ts';

export type RuleFormat = 'datalog' | 'json' | 'n3' | 'jena';
/** How rules are written. Without `format`: Datalog text, JSON text or a JSON value, told apart by how they begin. */
export interface RuleSource {
  readonly format?: RuleFormat;
  /** What the names of IRIs are, in N3 and Jena rules. Default `local`. */
  readonly names?: NameStyle;
}
/** Rules from text or from a JSON value, with every mistake that was found. */
export function readInput(input: unknown, { format, names }: RuleSource = {}): ReadRules {
  try {
    if (format !== undefined && format !== 'json' && typeof input !== 'string')
      throw new RuleError('syntax', `rules in the format ${format} are a text`, { path: 'rules', expected: ['a text'] });
    if (typeof input === 'string' && format === 'n3') return readN3(input, names);
    if (typeof input === 'string' && format === 'jena') return readJena(input, names);
    if (typeof input === 'string' && format === 'datalog') return readRules(input);
    if (typeof input === 'string' && format === 'json') return { rules: rulesFromJson(parseJson(input)), errors: [], places: new Map() };
    if (typeof input !== 'string') return { rules: rulesFromJson(input), errors: [], places: new Map() };
    // No rule begins with a bracket or a brace.
    if (!/^\s*[[{]/u.test(input)) return readRules(input);
    return { rules: rulesFromJson(parseJson(input)), errors: [], places: new Map() };
  } catch (error) {
    if (error instanceof RuleError) return { rules: [], errors: [error], places: new Map() };
    throw error;
  }
}
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuleError(
      'syntax',
      `the text begins like JSON and is not (for N3 or Jena rules, give the format): ${error instanceof Error ? error.message : String(error)}`,
      {
        path: 'rules',
        expected: ['a JSON document', 'rules as text', 'the format "n3" or "jena"'],
      },
    );
  }
}

/** The rules. Throws the first RuleError when there is any mistake. */
export function rulesOf(input: unknown): readonly Rule[] {
  const { rules, errors } = readInput(input);
  if (errors.length > 0) throw errors[0];
  return rules;
}

/** Could these rules stand beside `standing`? Never throws for what is wrong with the rules. */
export function checkRules(input: unknown, standing: readonly Rule[], source?: RuleSource): RulesCheck {
  const { rules, errors, places } = readInput(input, source);
  if (errors.length > 0) return { valid: false, rules, errors };
  try {
    const all = new Map([...standing, ...rules].map((rule) => [rule.id, rule]));
    stratify([...all.values()], (rule) => places.get(rule.id) ?? {});
    return { valid: true, rules, errors: [] };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { valid: false, rules, errors: [error] };
  }
}
