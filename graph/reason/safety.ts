// Owns what makes a single rule meaningful: every variable has a value, compared things have an order, sentences name variables.
// Refuses to know how the rule was written down, and what other rules say.

import type { RuleTerm } from './types.ts';
import { RuleError } from './errors.ts';
import type { Place } from './errors.ts';
import { isComparison, printRule, printRuleTerm } from './print.ts';
import type { RuleParts } from './print.ts';

/** Place of one term of a rule: position 0 is the subject (or left side), 1 the object (or right side). */
export type Placer = (part: 'heads' | 'body' | 'say', index: number, position: 0 | 1) => Place;

export const LIMITS = {
  /** Rules in one text or JSON document. */
  rules: 200_000,
  heads: 16,
  body: 64,
  variables: 64,
  nameCharacters: 200,
  sayCharacters: 1_000,
} as const;

const PLACEHOLDER = /\{([^{}]*)\}/gu;
/** Variables that a `say` sentence mentions. */
export const sayVariables = (say: string): string[] => [...say.matchAll(PLACEHOLDER)].map((match) => match[1]);

/** Throws RuleError `unsafe`, `type`, `invalid_annotation` or `too_large` at the first thing that is wrong. */
export function checkRule(rule: RuleParts, place: Placer): void {
  const fail = (code: 'unsafe' | 'type' | 'invalid_annotation' | 'too_large', reason: string, at: Place): never => {
    throw new RuleError(code, reason, { ...at, rule: rule.name ?? printRule(rule) });
  };
  if (rule.heads.length === 0 && rule.body.length === 0) fail('unsafe', 'the rule is empty; give it a head, a body or both', place('heads', 0, 0));
  if (rule.heads.length > LIMITS.heads)
    fail('too_large', `the rule has ${rule.heads.length} heads; at most ${LIMITS.heads} are allowed`, place('heads', LIMITS.heads, 0));
  if (rule.body.length > LIMITS.body)
    fail('too_large', `the rule has ${rule.body.length} conditions; at most ${LIMITS.body} are allowed`, place('body', LIMITS.body, 0));

  const bound = new Set<string>();
  for (const item of rule.body)
    if (!isComparison(item) && !item.absent) for (const term of [item.subject, item.object]) if (term.kind === 'variable') bound.add(term.name);
  if (bound.size > LIMITS.variables) fail('too_large', `the rule has ${bound.size} variables; at most ${LIMITS.variables} are allowed`, place('body', 0, 0));

  const needs = (term: RuleTerm, part: 'heads' | 'body', index: number, position: 0 | 1, where: string): void => {
    if (term.kind === 'variable' && !bound.has(term.name))
      fail(
        'unsafe',
        `variable ?${term.name} ${where}; add a condition to the body that gives it a value, such as p(?${term.name}, ?other)`,
        place(part, index, position),
      );
  };
  rule.heads.forEach((head, i) => {
    if (head.absent) fail('unsafe', 'a head cannot be "not p(..)"; what is known to be false is written -p(..)', place('heads', i, 0));
    needs(head.subject, 'heads', i, 0, 'of the head is not bound by the body');
    needs(head.object, 'heads', i, 1, 'of the head is not bound by the body');
  });
  rule.body.forEach((item, i) => {
    if (isComparison(item)) {
      needs(item.left, 'body', i, 0, 'occurs only in a comparison');
      needs(item.right, 'body', i, 1, 'occurs only in a comparison');
      if (item.operator === '=' || item.operator === '!=') return;
      for (const [position, term] of [
        [0, item.left],
        [1, item.right],
      ] as const)
        if (term.kind === 'entity' || (term.kind === 'literal' && term.type === 'boolean'))
          fail(
            'type',
            `${printRuleTerm(term)} has no order, so "${item.operator}" can never hold; compare numbers, dates or strings, or use "=" or "!="`,
            place('body', i, position),
          );
      const { left, right } = item;
      if (left.kind === 'literal' && right.kind === 'literal' && left.type !== right.type)
        fail('type', `a ${left.type} and a ${right.type} have no common order, so "${item.operator}" can never hold`, place('body', i, 1));
    } else if (item.absent) {
      needs(item.subject, 'body', i, 0, 'occurs only under "not"');
      needs(item.object, 'body', i, 1, 'occurs only under "not"');
    }
  });
  if (rule.say !== undefined)
    for (const name of sayVariables(rule.say))
      if (!bound.has(name))
        fail(
          'invalid_annotation',
          `@say mentions {${name}}, but the rule has no variable ?${name}${bound.size > 0 ? `; it has ${[...bound].map((known) => `?${known}`).join(', ')}` : ''}`,
          place('say', 0, 0),
        );
}
