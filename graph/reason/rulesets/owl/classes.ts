// Owns what OWL 2 RL says of classes (OWL 2 Profiles, section 4.3, tables 6 and 7), as rules.
// Refuses to know properties' own axioms, equality and where the schema comes from.

import { entity } from '../../../terms.ts';
import type { EntityId, Term, Triple } from '../../../terms.ts';
import { LIMITS } from '../../language/safety.ts';
import type { Atom, BodyItem } from '../../types.ts';
import { ofAxiom, writeUnique } from './properties.ts';
import { compare, memberOf, namesOf, quotedList, relates, variable } from './schema.ts';
import type { RuleWriter, Schema } from './schema.ts';

const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const THING = 'thing';
const named = (name: string): Term => entity(name as EntityId);

export function classAxioms(schema: Schema, write: RuleWriter): void {
  for (const [a, b, fact] of schema.pairs('disjoint with'))
    write.add(`cax-dw: "${a}" and "${b}" are disjoint`, [], [memberOf(X, named(a)), memberOf(X, named(b))], [fact]);
  for (const { members, from } of ofAxiom(schema, 'all disjoint classes')) {
    const names = [...new Set(namesOf(members))];
    // One rule for each class and those behind it: a pair is met once.
    names.slice(0, -1).forEach((c, i) => {
      const others = names.slice(i + 1);
      if (others.length === 1) write.add(`cax-adc: "${c}" and "${others[0]}" are disjoint`, [], [memberOf(X, named(c)), memberOf(X, named(others[0]))], from());
      else
        write.add(
          `cax-adc: "${c}" is disjoint with ${quotedList(others)}`,
          [],
          [memberOf(X, named(c)), relates('is a', X, Y), compare(Y, 'in', { kind: 'list', items: others.map(named) })],
          from(),
        );
    });
  }
  for (const [a, b, fact] of schema.pairs('complement of'))
    write.add(`cls-com: "${a}" is what "${b}" is not`, [], [memberOf(X, named(a)), memberOf(X, named(b))], [fact]);
  combinations(schema, write);
  restrictions(schema, write);
}

function combinations(schema: Schema, write: RuleWriter): void {
  const said = ([fact]: Iterable<Triple>): Atom => relates(fact.relation, named(fact.subject), fact.object);
  for (const { subject: c, members, from } of schema.lists('intersection of', true)) {
    if (members.some((term) => term.kind !== 'entity')) continue;
    const all = namesOf(members).filter((part) => part !== THING);
    const parts = all.filter((part) => part !== c);
    // What has to be a `c` to be one adds nothing.
    if (parts.length > 0 && parts.length === all.length && parts.length <= LIMITS.body)
      write.add(
        `cls-int1: what is all of ${quotedList(parts)} is a "${c}"`,
        [memberOf(X, named(c))],
        parts.map((part) => memberOf(X, named(part))),
        from(),
      );
    namesOf(members).forEach((part, i) => {
      if (part === c || part === THING) return;
      write.add(`cls-int2: a "${c}" is a "${part}"`, [memberOf(X, named(part))], [memberOf(X, named(c))], from(i));
      write.add('scm-int', [relates('subclass of', named(c), named(part))], [said(from(i))], from(i));
    });
  }
  for (const { subject: c, members, from } of schema.lists('union of', true))
    members.forEach((part, i) => {
      if (part.kind !== 'entity' || part.id === c) return;
      write.add(`cls-uni: a "${part.id}" is a "${c}"`, [memberOf(X, named(c))], [memberOf(X, part)], from(i));
      write.add('scm-uni', [relates('subclass of', part, named(c))], [said(from(i))], from(i));
    });
  for (const { subject: c, members, from } of schema.lists('one of', true))
    members.forEach((each, i) => {
      if (each.kind === 'entity') write.add(`cls-oo: "${c}" is a list`, [memberOf(each, named(c))], [said(from(i))], from(i));
    });
}

function restrictions(schema: Schema, write: RuleWriter): void {
  const [some, every, value] = ['some values from', 'all values from', 'has value'].map((name) => schema.grouped(name));
  const [most, qualified, classes] = ['max cardinality', 'max qualified cardinality', 'on class'].map((name) => schema.grouped(name));
  const within = (term: Term): Atom[] => (term.kind === 'entity' && term.id === THING ? [] : [memberOf(Y, term)]);
  for (const [r, p, on] of schema.pairs('on property')) {
    const isR = memberOf(X, named(r));
    for (const fact of some.get(r) ?? []) {
      const { object: c } = fact;
      if (c.kind === 'entity')
        write.add(`${c.id === THING ? 'cls-svf2' : 'cls-svf1'}: "${r}" is what has some "${p}" in "${c.id}"`, [isR], [relates(p, X, Y), ...within(c)], [on, fact]);
    }
    for (const fact of every.get(r) ?? []) {
      const { object: c } = fact;
      if (c.kind === 'entity') write.add(`cls-avf: "${r}" has "${p}" only in "${c.id}"`, [memberOf(Y, c)], [isR, relates(p, X, Y)], [on, fact]);
    }
    for (const fact of value.get(r) ?? []) {
      const has = relates(p, X, fact.object);
      write.add(`cls-hv1: "${r}" has a certain "${p}"`, [has], [isR], [on, fact]);
      write.add(`cls-hv2: "${r}" has a certain "${p}"`, [isR], [has], [on, fact]);
    }
    const atMost = (name: string, { object: count }: Triple, of: string, conditions: (end: typeof Y) => readonly BodyItem[], from: readonly Triple[]): void => {
      if (count.kind !== 'literal') return;
      if (count.value === 0) write.add(`${name}: "${r}" has no "${p}"${of}`, [], [isR, relates(p, X, Y), ...conditions(Y)], from);
      if (count.value === 1)
        writeUnique(write, name, `"${r}" has at most one "${p}"${of}`, [isR, relates(p, X, Y), ...conditions(Y), relates(p, X, Z), ...conditions(Z)], from);
    };
    for (const count of most.get(r) ?? []) atMost(isZero(count) ? 'cls-maxc1' : 'cls-maxc2', count, '', () => [], [on, count]);
    for (const count of qualified.get(r) ?? [])
      for (const onClass of classes.get(r) ?? []) {
        const { object: c } = onClass;
        const from = [on, count, onClass];
        if (c.kind === 'entity' && c.id === THING) atMost(isZero(count) ? 'cls-maxqc2' : 'cls-maxqc4', count, '', () => [], from);
        else if (c.kind === 'entity') atMost(isZero(count) ? 'cls-maxqc1' : 'cls-maxqc3', count, ` in "${c.id}"`, (end) => [memberOf(end, c)], from);
      }
  }
}
const isZero = ({ object }: Triple): boolean => object.kind === 'literal' && object.value === 0;
