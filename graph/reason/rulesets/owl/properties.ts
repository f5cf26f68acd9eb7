// Owns what OWL 2 RL says of properties (OWL 2 Profiles, section 4.3, table 5), as rules.
// Refuses to know classes, equality and where the schema comes from.

import { entity, literal } from '../../../terms.ts';
import type { EntityId, Term } from '../../../terms.ts';
import { LIMITS } from '../../language/safety.ts';
import type { BodyItem } from '../../types.ts';
import { compare, memberOf, namesOf, quotedList, relates, variable } from './schema.ts';
import type { RuleWriter, Schema } from './schema.ts';

/** The relation by which OWL says that two names stand for one thing. */
export const SAME = 'same as';
const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const named = (name: string): Term => entity(name as EntityId);
const differ: BodyItem = compare(Y, '!=', Z);

/**
 * What has one value by `conditions`, which reach ?y and ?z from ?x: things are the same, literals cannot be (dt-diff with eq-diff1).
 * `name` is that of the table, `why` says it in words.
 */
export function writeUnique(write: RuleWriter, name: string, why: string, conditions: readonly BodyItem[]): void {
  write.add(`${name}: ${why}`, [relates(SAME, Y, Z)], [...conditions, differ]);
  const isLiteral = (term: typeof Y): BodyItem => compare({ kind: 'call', function: 'type', arguments: [term] }, '!=', literal('entity'));
  write.add(`${name}, dt-diff: ${why}`, [], [...conditions, differ, isLiteral(Y), isLiteral(Z)]);
}

export function propertyAxioms(schema: Schema, write: RuleWriter): void {
  for (const [p, q] of schema.pairs('equivalent property')) {
    write.add(`prp-eqp1: "${p}" and "${q}" are the same property`, [relates(q, X, Y)], [relates(p, X, Y)]);
    write.add(`prp-eqp2: "${p}" and "${q}" are the same property`, [relates(p, X, Y)], [relates(q, X, Y)]);
  }
  for (const [p, q] of schema.pairs('inverse of')) {
    write.add(`prp-inv1: "${p}" is the inverse of "${q}"`, [relates(q, Y, X)], [relates(p, X, Y)]);
    write.add(`prp-inv2: "${p}" is the inverse of "${q}"`, [relates(p, Y, X)], [relates(q, X, Y)]);
  }
  for (const p of schema.instances('symmetric property')) write.add(`prp-symp: "${p}" is symmetric`, [relates(p, Y, X)], [relates(p, X, Y)]);
  for (const p of schema.instances('transitive property')) write.add(`prp-trp: "${p}" is transitive`, [relates(p, X, Z)], [relates(p, X, Y), relates(p, Y, Z)]);
  for (const p of schema.instances('asymmetric property')) write.add(`prp-asyp: "${p}" is asymmetric`, [], [relates(p, X, Y), relates(p, Y, X)]);
  for (const p of schema.instances('irreflexive property')) write.add(`prp-irp: "${p}" is irreflexive`, [], [relates(p, X, X)]);
  for (const p of schema.instances('functional property'))
    writeUnique(write, 'prp-fp', `"${p}" has one object for each subject`, [relates(p, X, Y), relates(p, X, Z)]);
  for (const p of schema.instances('inverse functional property'))
    write.add(`prp-ifp: "${p}" has one subject for each object`, [relates(SAME, Y, Z)], [relates(p, Y, X), relates(p, Z, X), differ]);
  for (const [p, q] of schema.pairs('property disjoint with')) write.add(`prp-pdw: "${p}" and "${q}" are disjoint`, [], [relates(p, X, Y), relates(q, X, Y)]);
  for (const { members } of ofAxiom(schema, 'all disjoint properties')) {
    const names = [...new Set(namesOf(members))];
    names.forEach((p, i) => {
      for (const q of names.slice(i + 1)) write.add(`prp-adp: "${p}" and "${q}" are disjoint`, [], [relates(p, X, Y), relates(q, X, Y)]);
    });
  }
  for (const { subject: p, members } of schema.lists('property chain', false)) {
    const steps = namesOf(members);
    if (steps.length !== members.length || steps.length > LIMITS.body - 4) continue;
    const at = (i: number) => variable(`x${i}`);
    write.add(
      `prp-spo2: ${quotedList(steps)}, one after the other, make "${p}"`,
      [relates(p, at(0), at(steps.length))],
      steps.map((step, i) => relates(step, at(i), at(i + 1))),
    );
  }
  for (const { subject: c, members } of schema.lists('has key', true)) {
    const keys = namesOf(members);
    if (keys.length !== members.length || keys.length > LIMITS.body - 4) continue;
    const agree = keys.flatMap((key, i) => [relates(key, Y, variable(`k${i}`)), relates(key, Z, variable(`k${i}`))]);
    write.add(`prp-key: a "${c}" is known by ${quotedList(keys)}`, [relates(SAME, Y, Z)], [memberOf(Y, named(c)), memberOf(Z, named(c)), ...agree, differ]);
  }
  negativeAssertions(schema, write);
}

/** `n`: that `a` has `p` with `b` is false. It becomes known to be false, and a conflict where it holds. */
function negativeAssertions(schema: Schema, write: RuleWriter): void {
  const sources = schema.grouped('source individual');
  const targets = (['target individual', 'target value'] as const).map((relation) => [relation, schema.grouped(relation)] as const);
  for (const [n, p] of schema.pairs('assertion property'))
    for (const a of sources.get(n) ?? [])
      for (const [relation, of] of targets)
        for (const b of of.get(n) ?? []) {
          const name = `${relation === 'target individual' ? 'prp-npa1' : 'prp-npa2'}: "${n}" says that it is false`;
          const said = [relates('assertion property', named(n), named(p)), relates('source individual', named(n), a), relates(relation, named(n), b)];
          write.add(name, [{ ...relates(p, a, b), negated: true }], said);
          write.add(name, [], [relates(p, a, b), ...said]);
        }
}

/** Members of the axioms of a class, such as "all different". */
export function ofAxiom(schema: Schema, name: string): readonly { readonly subject: string; readonly members: readonly Term[] }[] {
  const axioms = new Set(schema.instances(name));
  return axioms.size === 0 ? [] : schema.lists('axiom members', true).filter(({ subject }) => axioms.has(subject));
}
