// Owns what OWL 2 RL says of properties (OWL 2 Profiles, section 4.3, table 5), as rules.
// Refuses to know classes, equality and where the schema comes from.

import { entity, literal } from '../../../terms.ts';
import type { EntityId, Term, Triple } from '../../../terms.ts';
import { LIMITS } from '../../language/safety.ts';
import type { BodyItem } from '../../types.ts';
import { compare, memberOf, namesOf, quotedList, relates, variable } from './schema.ts';
import type { Listed, RuleWriter, Schema } from './schema.ts';

/** The relation by which OWL says that two names stand for one thing. */
export const SAME = 'same as';
const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const named = (name: string): Term => entity(name as EntityId);
const differ: BodyItem = compare(Y, '!=', Z);

/**
 * What has one value by `conditions`, which reach ?y and ?z from ?x: things are the same, literals cannot be (dt-diff with eq-diff1).
 * `name` is that of the table, `why` says it in words.
 */
export function writeUnique(write: RuleWriter, name: string, why: string, conditions: readonly BodyItem[], from: readonly Triple[]): void {
  write.add(`${name}: ${why}`, [relates(SAME, Y, Z)], [...conditions, differ], from);
  const isLiteral = (term: typeof Y): BodyItem => compare({ kind: 'call', function: 'type', arguments: [term] }, '!=', literal('entity'));
  write.add(`${name}, dt-diff: ${why}`, [], [...conditions, differ, isLiteral(Y), isLiteral(Z)], from);
}

export function propertyAxioms(schema: Schema, write: RuleWriter): void {
  for (const [p, q, fact] of schema.pairs('equivalent property')) {
    write.add(`prp-eqp1: "${p}" and "${q}" are the same property`, [relates(q, X, Y)], [relates(p, X, Y)], [fact]);
    write.add(`prp-eqp2: "${p}" and "${q}" are the same property`, [relates(p, X, Y)], [relates(q, X, Y)], [fact]);
  }
  for (const [p, q, fact] of schema.pairs('inverse of')) {
    write.add(`prp-inv1: "${p}" is the inverse of "${q}"`, [relates(q, Y, X)], [relates(p, X, Y)], [fact]);
    write.add(`prp-inv2: "${p}" is the inverse of "${q}"`, [relates(p, Y, X)], [relates(q, X, Y)], [fact]);
  }
  const each = (name: string, add: (p: string, from: readonly Triple[]) => void): void => {
    for (const fact of schema.facts(name)) add(fact.subject, [fact]);
  };
  each('symmetric property', (p, from) => write.add(`prp-symp: "${p}" is symmetric`, [relates(p, Y, X)], [relates(p, X, Y)], from));
  each('transitive property', (p, from) => write.add(`prp-trp: "${p}" is transitive`, [relates(p, X, Z)], [relates(p, X, Y), relates(p, Y, Z)], from));
  each('asymmetric property', (p, from) => write.add(`prp-asyp: "${p}" is asymmetric`, [], [relates(p, X, Y), relates(p, Y, X)], from));
  each('irreflexive property', (p, from) => write.add(`prp-irp: "${p}" is irreflexive`, [], [relates(p, X, X)], from));
  each('functional property', (p, from) => writeUnique(write, 'prp-fp', `"${p}" has one object for each subject`, [relates(p, X, Y), relates(p, X, Z)], from));
  each('inverse functional property', (p, from) =>
    write.add(`prp-ifp: "${p}" has one subject for each object`, [relates(SAME, Y, Z)], [relates(p, Y, X), relates(p, Z, X), differ], from),
  );
  for (const [p, q, fact] of schema.pairs('property disjoint with'))
    write.add(`prp-pdw: "${p}" and "${q}" are disjoint`, [], [relates(p, X, Y), relates(q, X, Y)], [fact]);
  for (const { members, from } of ofAxiom(schema, 'all disjoint properties')) {
    const names = [...new Set(namesOf(members))];
    names.forEach((p, i) => {
      for (const q of names.slice(i + 1)) write.add(`prp-adp: "${p}" and "${q}" are disjoint`, [], [relates(p, X, Y), relates(q, X, Y)], from());
    });
  }
  for (const { subject: p, members, from } of schema.lists('property chain', false)) {
    const steps = namesOf(members);
    if (steps.length !== members.length || steps.length > LIMITS.body - 4) continue;
    const at = (i: number) => variable(`x${i}`);
    write.add(
      `prp-spo2: ${quotedList(steps)}, one after the other, make "${p}"`,
      [relates(p, at(0), at(steps.length))],
      steps.map((step, i) => relates(step, at(i), at(i + 1))),
      from(),
    );
  }
  for (const { subject: c, members, from } of schema.lists('has key', true)) {
    const keys = namesOf(members);
    if (keys.length !== members.length || keys.length > LIMITS.body - 4) continue;
    const agree = keys.flatMap((key, i) => [relates(key, Y, variable(`k${i}`)), relates(key, Z, variable(`k${i}`))]);
    write.add(`prp-key: a "${c}" is known by ${quotedList(keys)}`, [relates(SAME, Y, Z)], [memberOf(Y, named(c)), memberOf(Z, named(c)), ...agree, differ], from());
  }
  negativeAssertions(schema, write);
}

/** `n`: that `a` has `p` with `b` is false. It becomes known to be false, and a conflict where it holds. */
function negativeAssertions(schema: Schema, write: RuleWriter): void {
  const sources = schema.grouped('source individual');
  const targets = (['target individual', 'target value'] as const).map((relation) => [relation, schema.grouped(relation)] as const);
  for (const [n, p, of] of schema.pairs('assertion property'))
    for (const source of sources.get(n) ?? [])
      for (const [relation, grouped] of targets)
        for (const target of grouped.get(n) ?? []) {
          const [a, b] = [source.object, target.object];
          const name = `${relation === 'target individual' ? 'prp-npa1' : 'prp-npa2'}: "${n}" says that it is false`;
          const said = [relates('assertion property', named(n), named(p)), relates('source individual', named(n), a), relates(relation, named(n), b)];
          const from = [of, source, target];
          write.add(name, [{ ...relates(p, a, b), negated: true }], said, from);
          write.add(name, [], [relates(p, a, b), ...said], from);
        }
}

/** Members of the axioms of a class, such as "all different". */
export function ofAxiom(schema: Schema, name: string): readonly Listed[] {
  const axioms = schema.grouped(name);
  if (axioms.size === 0) return [];
  return schema.lists('axiom members', true).flatMap(({ subject, members, from }) => {
    const [axiom] = axioms.get(subject) ?? [];
    return axiom ? [{ subject, members, from: () => [axiom, ...from()] }] : [];
  });
}
