// Owns what follows from one fact by itself: by rules of one condition, which hand on what is true of one thing to another.
// Refuses to know what is made of it.

import { sameTerm } from '../../terms.ts';
import type { EntityId, RelationName } from '../../terms.ts';
import { isAtom, substituteItem } from '../language/body.ts';
import type { Atom, Rule, RuleTerm } from '../types.ts';

interface ByCondition {
  /** With any object. */
  readonly open: Rule[];
  readonly byObject: Map<EntityId, Rule[]>;
}
type Links = ReadonlyMap<RelationName, ByCondition>;

const linksAmong = new WeakMap<readonly Rule[], Links>();
function linksOf(rules: readonly Rule[]): Links {
  const known = linksAmong.get(rules);
  if (known) return known;
  const links = new Map<RelationName, ByCondition>();
  for (const rule of rules) {
    const [condition] = rule.body;
    if (rule.heads.length === 0 || rule.body.length !== 1 || !isAtom(condition) || condition.negated || condition.absent || (rule.confidence ?? 1) !== 1) continue;
    let found = links.get(condition.relation);
    if (!found) links.set(condition.relation, (found = { open: [], byObject: new Map() }));
    if (condition.object.kind !== 'entity') found.open.push(rule);
    else {
      const list = found.byObject.get(condition.object.id);
      if (list) list.push(rule);
      else found.byObject.set(condition.object.id, [rule]);
    }
  }
  linksAmong.set(rules, links);
  return links;
}
/** Values of the condition's variables for which it is the atom; variables of the atom stay what they are. */
function matching(condition: Atom, atom: Atom): Record<string, RuleTerm> | undefined {
  const values: Record<string, RuleTerm> = {};
  for (const [own, term] of [
    [condition.subject, atom.subject],
    [condition.object, atom.object],
  ] as const) {
    const known = own.kind === 'variable' ? values[own.name] : own;
    if (known === undefined && own.kind === 'variable') values[own.name] = term;
    else if (known === undefined || !same(known, term)) return undefined;
  }
  return values;
}
const same = (a: RuleTerm, b: RuleTerm): boolean => (a.kind === 'variable' ? b.kind === 'variable' && a.name === b.name : b.kind !== 'variable' && sameTerm(a, b));
const keyOf = ({ relation, subject, object }: Atom): string => JSON.stringify([relation, subject, object]);

/** So many are looked at. */
const MOST = 1_000;
/** What follows from the atom (which is not negated) by the rules of these lists, without itself. Its variables stand for anything. */
export function consequences(atom: Atom, lists: readonly (readonly Rule[])[]): readonly Atom[] {
  const links = lists.map(linksOf);
  const found = new Map([[keyOf(atom), atom]]);
  for (const each of found.values())
    for (const list of links) {
      const { open = [], byObject } = list.get(each.relation) ?? {};
      for (const { heads, body } of [...open, ...((each.object.kind === 'entity' && byObject?.get(each.object.id)) || [])]) {
        const values = matching(body[0] as Atom, each);
        if (!values) continue;
        for (const head of heads) {
          if (head.negated || found.size >= MOST) continue;
          const next = substituteItem<Atom>(head, values);
          if (next.subject.kind !== 'literal' && !found.has(keyOf(next))) found.set(keyOf(next), next);
        }
      }
    }
  return [...found.values()].slice(1);
}
