// Owns what OWL 2 RL says of equality (OWL 2 Profiles, section 4.3, table 4), as rules.
// Refuses to know what makes things equal.

import { termKey } from '../../../terms.ts';
import type { Term, Triple } from '../../../terms.ts';
import { IS_A } from '../../language/print.ts';
import { ofAxiom, SAME } from './properties.ts';
import { compare, relates, variable } from './schema.ts';
import type { RuleWriter, Schema } from './schema.ts';

const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
/** By what things come out the same: relations of a schema, and classes of properties. */
const UNIFYING: ReadonlySet<string> = new Set([
  'has key',
  'max cardinality',
  'max qualified cardinality',
  'functional property',
  'inverse functional property',
]);
/** May this fact of a schema make things the same? */
export const unifies = ({ relation, object }: Triple): boolean => UNIFYING.has(relation === IS_A && object.kind === 'entity' ? object.id : relation);

/** Members of one axiom "all different" differ from each other. */
export function differences(schema: Schema, write: RuleWriter): void {
  for (const { subject, members, from } of ofAxiom(schema, 'all different')) {
    const names = [...new Map(members.map((term): [string, Term] => [termKey(term), term])).values()].filter((term) => term.kind === 'entity');
    names.slice(0, -1).forEach((each, i) => {
      const others = names.slice(i + 1);
      const found = others.length === 1 ? [relates(SAME, each, others[0])] : [relates(SAME, each, Y), compare(Y, 'in', { kind: 'list', items: others })];
      write.add(`eq-diff2: "${subject}" are all different`, [], found, from());
    });
  }
}
/** Equals are put for equals in all these relations. */
export function replacements(relations: Iterable<string>, write: RuleWriter): void {
  for (const p of relations) {
    if (p === SAME) continue;
    write.add(`eq-rep-s: equals have the same "${p}"`, [relates(p, Z, Y)], [relates(SAME, X, Z), relates(p, X, Y)], []);
    write.add(`eq-rep-o: "${p}" of equals is the same`, [relates(p, X, Z)], [relates(SAME, Y, Z), relates(p, X, Y)], []);
  }
}
