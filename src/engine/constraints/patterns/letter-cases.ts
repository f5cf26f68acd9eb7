// Owns which characters are the same but for their case, as the runtime's regular expressions know it.
// Refuses to know patterns and how characters are written.

import { normalise } from '../grammar/expression.ts';
import type { Range } from '../grammar/expression.ts';
import { charactersOf } from './unicode-properties.ts';

/** By character, those that are the same, itself among them. */
let known: ReadonlyMap<number, readonly number[]> | undefined;
function alike(): ReadonlyMap<number, readonly number[]> {
  if (known) return known;
  const groups = new Map<string, string[]>();
  for (const [from, to] of charactersOf('Changes_When_Casemapped') ?? [])
    for (let point = from; point <= to; point++) {
      const character = String.fromCodePoint(point);
      const upper = character.toUpperCase();
      // Some are several characters in upper case; and some are taken for another one by languages alone.
      const key = (Array.from(upper).length === 1 ? upper : character).toLowerCase();
      if (new RegExp(`^${key}$`, 'iu').test(character)) groups.set(key, [...(groups.get(key) ?? []), character]);
    }
  const points = Array.from(groups.values(), (group) => group.map((character) => character.codePointAt(0) ?? 0));
  return (known = new Map(points.flatMap((group) => group.map((point) => [point, group]))));
}
/** With the other cases of their letters. */
export function withOtherCases(ranges: readonly Range[]): readonly Range[] {
  const given = normalise(ranges);
  const more = Array.from(alike()).flatMap(([point, group]) => (given.some(([from, to]) => from <= point && point <= to) ? group : []));
  return normalise([...given, ...more.map((point): Range => [point, point])]);
}
