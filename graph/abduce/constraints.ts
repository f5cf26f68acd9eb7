// Owns what may not be, as rules without head: those that are written, contradictions, functional and disjoint relations.
// Refuses to know what breaks them.

import type { RelationName } from '../terms.ts';
import { makeRule } from '../reason/language/print.ts';
import { disjointWith } from '../reason/rulesets/properties.ts';
import type { Declarations } from '../reason/rulesets/properties.ts';
import type { Rule } from '../reason/types.ts';

const variable = (name: string): { readonly kind: 'variable'; readonly name: string } => ({ kind: 'variable', name });
const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const label = (text: string): string => (text.length <= 200 ? text : `${text.slice(0, 199)}…`);

/** Nothing is true and false. */
export const contradiction = (relation: RelationName): Rule =>
  makeRule({
    name: label(`"${relation}" is not true and false of the same`),
    heads: [],
    body: [
      { relation, subject: X, object: Y },
      { relation, subject: X, object: Y, negated: true },
    ],
  });
/** What is declared of a relation that something may break. */
export function declaredConstraints(relation: RelationName, declarations: Declarations): Rule[] {
  const rules = disjointWith(relation, declarations).map((other) => {
    const [first, second] = [relation, other].toSorted();
    return makeRule({
      name: label(`"${first}" and "${second}" are disjoint`),
      heads: [],
      body: [
        { relation: first, subject: X, object: Y },
        { relation: second, subject: X, object: Y },
      ],
    });
  });
  if (declarations.get(relation)?.functional)
    rules.push(
      makeRule({
        name: label(`"${relation}" has one object for each subject`),
        heads: [],
        body: [
          { relation, subject: X, object: Y },
          { relation, subject: X, object: Z },
          { kind: 'compare', operator: '!=', left: Y, right: Z },
        ],
      }),
    );
  return rules;
}
