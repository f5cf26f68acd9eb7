// Owns random programs and facts over a handful of names: recursion, both negations, comparisons, constants, several heads, confidences.
// Refuses to know what they mean.

import { entity, literal, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Term, Triple } from '../../graph/terms.ts';
import { RuleError } from '../../graph/reason/errors.ts';
import { makeRule } from '../../graph/reason/print.ts';
import type { Atom, BodyItem, Comparison, Rule, RuleTerm } from '../../graph/reason/types.ts';
import { checkRule } from '../../graph/reason/safety.ts';
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
