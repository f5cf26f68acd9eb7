// Owns what "_" in the conditions of the JSON form stands for: variables that nobody named, and under "absent" that there is nothing of the kind.
// Refuses to know how JSON is read.

import { isAtom, itemVariables, outerVariables, substituteItem } from './body.ts';
import { RuleError } from '../errors.ts';
import { literal } from '../../terms.ts';
import type { Atom, BodyItem, Comparison, RuleTerm } from '../types.ts';

export const ANY = '_';
/** No variable that is written has a name that begins so. */
const MARK = '\u0000';
/** The term for "_" at this path, until the rule is complete. `open`: it is of an atom of a body. */
export function wildcard(path: string, open: boolean): RuleTerm {
  if (open) return { kind: 'variable', name: MARK + path };
  const reason = '"_" has no meaning here; in the atoms of a body it stands for anything; write a variable such as "?x", or {"entity": "_"}';
  throw new RuleError('syntax', reason, { path, expected: ['a variable', '{"entity": "_"}'] });
}
const isWildcard = (name: string): boolean => name.startsWith(MARK);
const hasWildcard = (item: BodyItem): boolean => [...itemVariables(item)].some(isWildcard);

/** Inside an aggregate nothing can be denied of anything. */
export function refuseDenial(item: Atom | Comparison, path: string): void {
  if (!isAtom(item) || !item.absent || !hasWildcard(item)) return;
  const reason = 'what does not exist cannot be asked for inside an aggregate; compute it by a rule of its own and use the relation here';
  throw new RuleError('syntax', reason, { path });
}
/** The body with a variable of its own for each "_", as the text form numbers them. */
export function withoutWildcards(heads: readonly Atom[], body: readonly BodyItem[]): readonly BodyItem[] {
  if (!body.some(hasWildcard)) return body;
  const names = [...heads, ...body].flatMap((item) => [...itemVariables(item)]);
  const [given, variables] = [new Set(names), new Map<string, RuleTerm>()];
  let number = 0;
  for (const name of names) {
    if (!isWildcard(name)) continue;
    do number++;
    while (given.has(`_${number}`));
    variables.set(name, { kind: 'variable', name: `_${number}` });
  }
  const named = (item: BodyItem): BodyItem => substituteItem<BodyItem>(item, Object.fromEntries(variables));
  const outer = outerVariables({ heads, body: body.filter((item) => !(isAtom(item) && item.absent && hasWildcard(item))) });
  return body.map((item) => {
    if (!isAtom(item) || !item.absent || !hasWildcard(item)) return named(item);
    const { absent: _, ...present } = item;
    const one = named(present) as Atom;
    const of = [...new Set(itemVariables(one))].filter((name) => !outer.has(name)).map((name): RuleTerm => ({ kind: 'variable', name }));
    return { kind: 'aggregate', function: 'count', result: literal(0), of, body: [one] };
  });
}
