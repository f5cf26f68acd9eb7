// Owns telling rules whose variables are written as in Prolog and Soufflé, `p(X, Y) :- q(X, Y).` or `p(x, y) :- q(x, y).`, which here would be about entities of these names.
// Refuses to know how rules are read.

import { isAtom, termsOf } from './body.ts';
import { RuleError } from '../errors.ts';
import type { ReadRules } from './parse.ts';
import { IS_A } from './print.ts';
import type { BodyItem, Rule, RuleTerm } from '../types.ts';

/** Capitalised, or what variables are mostly called. */
const LIKE_VARIABLES = /^(?:\p{Lu}[\p{L}\p{M}\p{N}_]*|[xyz]\d*)$/u;

/** Terms of a condition; a class that is written like a relation is none. */
function* terms(item: BodyItem): Generator<RuleTerm> {
  if (isAtom(item)) {
    yield item.subject;
    if (item.relation !== IS_A) yield item.object;
  } else if (item.kind === 'compare') {
    yield* termsOf(item.left);
    yield* termsOf(item.right);
  } else {
    yield item.result;
    yield* item.of;
    for (const inner of item.body) yield* terms(inner);
  }
}
const named = (items: readonly BodyItem[]): Set<string> => {
  const names = new Set<string>();
  for (const item of items) for (const term of terms(item)) if (term.kind === 'entity' && LIKE_VARIABLES.test(term.id)) names.add(term.id);
  return names;
};
const hasVariables = ({ heads, body }: Rule): boolean => {
  for (const item of [...heads, ...body]) for (const term of terms(item)) if (term.kind === 'variable' && !term.name.startsWith('_')) return true;
  return false;
};

/** Rules without a variable in which one such name stands in head and body become mistakes, unless the text writes the name in quotes. */
export function withoutBareVariables(read: ReadRules, text: string): ReadRules {
  const errors: RuleError[] = [];
  const rules = read.rules.filter((rule) => {
    if (rule.heads.length === 0 || rule.body.length === 0 || hasVariables(rule)) return true;
    const below = named(rule.body);
    const name = [...named(rule.heads)].find((each) => below.has(each) && !text.includes(`"${each}"`));
    if (name === undefined) return true;
    errors.push(
      new RuleError(
        'syntax',
        `the rule has no variable, and ${name} stands in its head and in its body; did you mean ?${name}? A variable begins with "?". If an entity is meant, write "${name}" in quotes; for rules of Soufflé, give the format "souffle"`,
        { ...read.places.get(rule.id), expected: [`?${name}`, `"${name}"`], rule: rule.text },
      ),
    );
    return false;
  });
  if (errors.length === 0) return read;
  return { rules, errors: [...read.errors, ...errors].toSorted((a, b) => a.line - b.line || a.column - b.column), places: read.places };
}
