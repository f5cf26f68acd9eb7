// Owns what OWL 2 RL says of classes (OWL 2 Profiles, section 4.3, tables 6 and 7), as rules.
// Refuses to know properties' own axioms, equality and where the schema comes from.

import { entity } from '../../../terms.ts';
import type { EntityId, Term } from '../../../terms.ts';
import { LIMITS } from '../../language/safety.ts';
import type { Atom, BodyItem } from '../../types.ts';
import { ofAxiom, writeUnique } from './properties.ts';
import { compare, memberOf, namesOf, quotedList, relates, variable } from './schema.ts';
import type { RuleWriter, Schema } from './schema.ts';

const [X, Y, Z] = [variable('x'), variable('y'), variable('z')];
const THING = 'thing';
const named = (name: string): Term => entity(name as EntityId);

export function classAxioms(schema: Schema, write: RuleWriter): void {
  for (const [a, b] of schema.pairs('disjoint with')) write.add(`cax-dw: "${a}" and "${b}" are disjoint`, [], [memberOf(X, named(a)), memberOf(X, named(b))]);
  for (const { members } of ofAxiom(schema, 'all disjoint classes')) {
    const names = [...new Set(namesOf(members))];
    // One rule for each class and those behind it: a pair is met once.
    names.slice(0, -1).forEach((c, i) => {
      const others = names.slice(i + 1);
      if (others.length === 1) write.add(`cax-adc: "${c}" and "${others[0]}" are disjoint`, [], [memberOf(X, named(c)), memberOf(X, named(others[0]))]);
      else
        write.add(
          `cax-adc: "${c}" is disjoint with ${quotedList(others)}`,
          [],
          [memberOf(X, named(c)), relates('is a', X, Y), compare(Y, 'in', { kind: 'list', items: others.map(named) })],
        );
    });
  }
  for (const [a, b] of schema.pairs('complement of')) write.add(`cls-com: "${a}" is what "${b}" is not`, [], [memberOf(X, named(a)), memberOf(X, named(b))]);
  combinations(schema, write);
  restrictions(schema, write);
}

function combinations(schema: Schema, write: RuleWriter): void {
  for (const { subject: c, members, by } of schema.lists('intersection of', true)) {
    if (members.some((term) => term.kind !== 'entity')) continue;
    const all = namesOf(members).filter((part) => part !== THING);
    const parts = all.filter((part) => part !== c);
    // What has to be a `c` to be one adds nothing.
    if (parts.length > 0 && parts.length === all.length && parts.length <= LIMITS.body)
      write.add(
        `cls-int1: what is all of ${quotedList(parts)} is a "${c}"`,
        [memberOf(X, named(c))],
        parts.map((part) => memberOf(X, named(part))),
      );
    for (const part of parts) {
      write.add(`cls-int2: a "${c}" is a "${part}"`, [memberOf(X, named(part))], [memberOf(X, named(c))]);
      write.add('scm-int', [relates('subclass of', named(c), named(part))], [relates('intersection of', named(c), by.object)]);
    }
  }
  for (const { subject: c, members, by } of schema.lists('union of', true))
    for (const part of namesOf(members))
      if (part !== c) {
        write.add(`cls-uni: a "${part}" is a "${c}"`, [memberOf(X, named(c))], [memberOf(X, named(part))]);
        write.add('scm-uni', [relates('subclass of', named(part), named(c))], [relates('union of', named(c), by.object)]);
      }
  for (const { subject: c, members, by } of schema.lists('one of', true))
    for (const each of members)
      if (each.kind === 'entity') write.add(`cls-oo: "${c}" is a list`, [memberOf(each, named(c))], [relates('one of', named(c), by.object)]);
}

function restrictions(schema: Schema, write: RuleWriter): void {
  const [some, every, value] = ['some values from', 'all values from', 'has value'].map((name) => schema.grouped(name));
  const [most, qualified, classes] = ['max cardinality', 'max qualified cardinality', 'on class'].map((name) => schema.grouped(name));
  const within = (term: Term): Atom[] => (term.kind === 'entity' && term.id === THING ? [] : [memberOf(Y, term)]);
  for (const [r, p] of schema.pairs('on property')) {
    const isR = memberOf(X, named(r));
    for (const c of some.get(r) ?? [])
      if (c.kind === 'entity')
        write.add(`${c.id === THING ? 'cls-svf2' : 'cls-svf1'}: "${r}" is what has some "${p}" in "${c.id}"`, [isR], [relates(p, X, Y), ...within(c)]);
    for (const c of every.get(r) ?? [])
      if (c.kind === 'entity') write.add(`cls-avf: "${r}" has "${p}" only in "${c.id}"`, [memberOf(Y, c)], [isR, relates(p, X, Y)]);
    for (const v of value.get(r) ?? []) {
      write.add(`cls-hv1: "${r}" has a certain "${p}"`, [relates(p, X, v)], [isR]);
      write.add(`cls-hv2: "${r}" has a certain "${p}"`, [isR], [relates(p, X, v)]);
    }
    const atMost = (name: string, count: Term, of: string, conditions: (end: typeof Y) => readonly BodyItem[]): void => {
      if (count.kind !== 'literal') return;
      if (count.value === 0) write.add(`${name}: "${r}" has no "${p}"${of}`, [], [isR, relates(p, X, Y), ...conditions(Y)]);
      if (count.value === 1)
        writeUnique(write, name, `"${r}" has at most one "${p}"${of}`, [isR, relates(p, X, Y), ...conditions(Y), relates(p, X, Z), ...conditions(Z)]);
    };
    for (const count of most.get(r) ?? []) atMost(isZero(count) ? 'cls-maxc1' : 'cls-maxc2', count, '', () => []);
    for (const count of qualified.get(r) ?? [])
      for (const c of classes.get(r) ?? [])
        if (c.kind === 'entity' && c.id === THING) atMost(isZero(count) ? 'cls-maxqc2' : 'cls-maxqc4', count, '', () => []);
        else if (c.kind === 'entity') atMost(isZero(count) ? 'cls-maxqc1' : 'cls-maxqc3', count, ` in "${c.id}"`, (end) => [memberOf(end, c)]);
  }
}
const isZero = (term: Term): boolean => term.kind === 'literal' && term.value === 0;
