// Owns reading rules as they are given - text or JSON - and checking whether they can stand beside others.
// Refuses to know stores and facts.

import { RuleError } from '../reason/errors.ts';
import { rulesFromJson } from '../reason/json.ts';
import { readRules } from '../reason/parse.ts';
import type { ReadRules } from '../reason/parse.ts';
import { stratify } from '../reason/strata.ts';
import type { Rule } from '../reason/types.ts';
import type { RulesCheck } from './types.ts';

/** Rules from text, from JSON text, or from a JSON value, with every mistake that was found. */
export function readInput(input: unknown): ReadRules {
  try {
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
    throw new RuleError('syntax', `the text begins like JSON and is not: ${error instanceof Error ? error.message : String(error)}`, {
      path: 'rules',
      expected: ['a JSON document', 'rules as text'],
    });
  }
}

/** The rules. Throws the first RuleError when there is any mistake. */
export function rulesOf(input: unknown): readonly Rule[] {
  const { rules, errors } = readInput(input);
  if (errors.length > 0) throw errors[0];
  return rules;
}

/** Could these rules stand beside `standing`? Never throws for what is wrong with the rules. */
export function checkRules(input: unknown, standing: readonly Rule[]): RulesCheck {
  const { rules, errors, places } = readInput(input);
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
