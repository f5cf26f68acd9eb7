// Owns recognising counts that must be nothing, which is what `not exists { .. }` and `not p(?x, _)` stand for, and which variables of them may be written `_`.
// Refuses to know how they are printed, read and evaluated.

import { isAggregate, isAtom, itemVariables, outerVariables } from './body.ts';
import type { Aggregate, Atom, BodyItem, Rule } from '../types.ts';

/** Does it say that there is nothing of the kind? */
export const isDenial = ({ function: name, result }: Aggregate): boolean => name === 'count' && result.kind === 'literal' && result.value === 0;

const ANONYMOUS = /^_\d+$/u;
/** Variables of a denial that mean "anything" at a glance: its own ones in a single atom, which nobody named. */
export function wildcards({ of, body: [first, ...others] }: Aggregate): readonly string[] {
  if (first === undefined || others.length > 0 || !isAtom(first) || first.absent) return [];
  const own = of.flatMap((term) => (term.kind === 'variable' ? [term.name] : []));
  const places = [...itemVariables(first)];
  const fit = own.length > 0 && own.every((name) => ANONYMOUS.test(name) && places.filter((place) => place === name).length === 1);
  return fit ? places.filter((name) => own.includes(name)) : [];
}

/** How denials of a rule can be written so that reading the text gives the same rule: with these variables as `_`. Those that are not listed are written as counts; undefined: there are none. */
export function writableDenials({ heads, body }: Pick<Rule, 'heads' | 'body'>): ReadonlyMap<BodyItem, readonly string[]> | undefined {
  if (!body.some((item) => isAggregate(item) && isDenial(item))) return undefined;
  const written = new Map<BodyItem, readonly string[]>();
  const outer = outerVariables({ heads, body });
  const uses = (name: string): number => [...heads, ...body].filter((item: Atom | BodyItem) => [...itemVariables(item)].includes(name)).length;
  for (const item of body) {
    if (!isAggregate(item) || !isDenial(item)) continue;
    const names = [...new Set(item.body.flatMap((inner) => [...itemVariables(inner)]))];
    const own = names.filter((name) => !outer.has(name));
    // What is counted where the text does not say it.
    const counted = own.length > 0 ? own : names;
    if (counted.length !== item.of.length || item.of.some((term, i) => term.kind !== 'variable' || term.name !== counted[i])) continue;
    const any = wildcards(item);
    written.set(item, any.length === own.length && any.every((name) => uses(name) === 1) ? any : []);
  }
  if (!areNumberedAsRead(written, [...heads, ...body])) for (const item of written.keys()) written.set(item, []);
  return written;
}
/** Would the reader, who gives `_` the first free names in order, give these? */
function areNumberedAsRead(written: ReadonlyMap<BodyItem, readonly string[]>, items: readonly BodyItem[]): boolean {
  const any = new Set([...written.values()].flat());
  const named = new Set(items.flatMap((item) => [...itemVariables(item)]).filter((name) => !any.has(name)));
  let number = 0;
  for (const names of written.values())
    for (const name of names) {
      do number++;
      while (named.has(`_${number}`));
      if (name !== `_${number}`) return false;
    }
  return true;
}
