// Owns random programs and facts over a handful of names: recursion, both negations, comparisons, functions, aggregates, constants, several heads, confidences.
// Refuses to know what they mean.

import { entity, literal, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Term, Triple } from '../../graph/terms.ts';
import { RuleError } from '../../graph/reason/errors.ts';
import { makeRule } from '../../graph/reason/language/print.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../../graph/reason/types.ts';
import { checkRule } from '../../graph/reason/language/safety.ts';
import { seeded } from './store-world.ts';

export const ENTITIES = ['a', 'b', 'c', 'the d'].map((name) => entity(parseEntityId(name)));
export const LITERALS: readonly Term[] = [
  literal(1),
  literal(2),
  literal(3),
  literal('2'),
  literal('x y'),
  literal('1990-05', 'date'),
  literal('2001', 'date'),
  literal(true),
];
export const RELATIONS = ['p', 'q', 'is a', 'born in'].map(parseRelationName);
const VARIABLES = ['x', 'y', 'z'].map((name) => ({ kind: 'variable' as const, name }));
const OPERATORS: readonly Comparison['operator'][] = ['=', '!=', '<', '<=', '>', '>='];

export type Random = ReturnType<typeof seeded>;
export { seeded };

export function randomTriple(random: Random): Triple {
  const negated = random.next() < 0.1;
  return {
    subject: random.pick(ENTITIES).id,
    relation: random.pick(RELATIONS),
    object: random.next() < 0.15 ? random.pick(LITERALS) : random.pick(ENTITIES),
    ...(negated ? { negated } : {}),
  };
}
export const randomConfidence = (random: Random): number => random.pick([1, 1, 1, 0.9, 0.5, 0.3]);

function randomAtom(random: Random, absent: boolean): Atom {
  const subject: RuleTerm = random.next() < 0.93 ? random.pick(VARIABLES) : random.pick(ENTITIES);
  const roll = random.next();
  const object: RuleTerm = roll < 0.88 ? random.pick(VARIABLES) : roll < 0.95 ? random.pick(ENTITIES) : random.pick(LITERALS);
  return {
    relation: random.pick(RELATIONS),
    subject,
    object,
    ...(random.next() < 0.1 ? { negated: true as const } : {}),
    ...(absent ? { absent: true as const } : {}),
  };
}
const randomTerm = (random: Random): RuleTerm =>
  random.next() < 0.7 ? random.pick(VARIABLES) : random.next() < 0.5 ? random.pick(LITERALS) : random.pick(ENTITIES);

/** A rule that is safe; found by drawing until one is. */
export function randomRule(random: Random, weighted: boolean): Rule {
  for (;;) {
    const body: BodyItem[] = Array.from({ length: 1 + random.below(3) }, () => randomAtom(random, false));
    if (random.next() < 0.3) body.splice(random.below(body.length + 1), 0, randomAtom(random, true));
    if (random.next() < 0.3)
      body.splice(random.below(body.length + 1), 0, { kind: 'compare', operator: random.pick(OPERATORS), left: randomTerm(random), right: randomTerm(random) });
    if (random.next() < 0.05) body.length = 0;
    const heads = Array.from({ length: random.next() < 0.15 ? 2 : 1 }, () => randomAtom(random, false));
    const parts = { ...(weighted && random.next() < 0.4 ? { confidence: random.pick([0.9, 0.5, 0.8]) } : {}), heads, body };
    try {
      checkRule(parts, () => ({}));
      return makeRule(parts);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
    }
  }
}

const call = (name: string, ...values: Expression[]): Expression => ({ kind: 'call', function: name, arguments: values });
function randomExpression(random: Random, depth = 0): Expression {
  const roll = random.next();
  if (depth > 1 || roll < 0.4) return randomTerm(random);
  if (roll < 0.8) return call(random.pick(['+', '-', '*', '/']), randomExpression(random, depth + 1), randomExpression(random, depth + 1));
  return roll < 0.9 ? call('length', randomTerm(random)) : call('concat', randomTerm(random), randomExpression(random, depth + 1));
}
/** Conditions with functions. What is computed into a variable is kept small, so that no program runs for ever. */
function randomReckoning(random: Random): Comparison[] {
  const compare = (operator: Comparison['operator'], left: Expression, right: Expression): Comparison => ({ kind: 'compare', operator, left, right });
  const roll = random.next();
  const made = random.pick(VARIABLES);
  if (roll < 0.35)
    return [
      compare('=', made, call(random.pick(['+', '-', '*']), random.pick(VARIABLES), randomTerm(random))),
      compare('<', made, literal(6)),
      compare('>', made, literal(-6)),
    ];
  if (roll < 0.45) return [compare('=', random.pick(VARIABLES), randomTerm(random))];
  if (roll < 0.55) return [compare('=', made, call('upper', random.pick(VARIABLES)))];
  if (roll < 0.65)
    return [compare('=', call('contains', randomTerm(random), random.pick([literal('x'), literal('a'), literal('')])), literal(random.next() < 0.6))];
  if (roll < 0.75)
    return [
      compare(random.next() < 0.5 ? 'in' : 'not in', randomTerm(random), {
        kind: 'list',
        items: [random.pick(ENTITIES), random.pick(LITERALS), random.pick(LITERALS)],
      }),
    ];
  return [compare(random.pick(OPERATORS), randomExpression(random), randomExpression(random))];
}
const INNER = ['x', 'y', 'u', 'v', '_w'].map((name) => ({ kind: 'variable' as const, name }));
function randomAggregate(random: Random): Aggregate {
  const inside = (): Atom => ({
    ...randomAtom(random, false),
    subject: random.next() < 0.9 ? random.pick(INNER) : random.pick(ENTITIES),
    object: random.next() < 0.9 ? random.pick(INNER) : random.pick(LITERALS),
  });
  const name = random.pick(['count', 'count', 'sum', 'min', 'max', 'avg'] as const);
  const body: (Atom | Comparison)[] = Array.from({ length: 1 + random.below(2) }, inside);
  if (random.next() < 0.2) body.push({ ...inside(), absent: true });
  if (random.next() < 0.25)
    body.push({
      kind: 'compare',
      operator: random.pick(OPERATORS),
      left: random.pick(INNER),
      right: random.next() < 0.5 ? random.pick(INNER) : random.pick(LITERALS),
    });
  return {
    kind: 'aggregate',
    function: name,
    result: random.next() < 0.7 ? { kind: 'variable', name: 'z' } : literal(random.below(3)),
    of: Array.from({ length: name === 'count' ? 1 + random.below(2) : 1 }, () => random.pick(INNER)),
    body,
  };
}
/** A safe rule with functions or aggregates. */
export function randomRichRule(random: Random, weighted: boolean): Rule {
  for (;;) {
    const body: BodyItem[] = Array.from({ length: 1 + random.below(2) }, () => randomAtom(random, false));
    if (random.next() < 0.2) body.push(randomAtom(random, true));
    if (random.next() < 0.5) body.splice(random.below(body.length + 1), 0, ...randomReckoning(random));
    else body.splice(random.below(body.length + 1), 0, randomAggregate(random));
    if (random.next() < 0.2) body.push(...randomReckoning(random));
    const parts = { ...(weighted && random.next() < 0.4 ? { confidence: random.pick([0.9, 0.5, 0.8]) } : {}), heads: [randomAtom(random, false)], body };
    try {
      checkRule(parts, () => ({}));
      return makeRule(parts);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
    }
  }
}
