// Owns names of properties other than those that a schema lists.
// Refuses to know what the properties are.

import { characters, choiceOf, complement, literal, NOTHING, repeat, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { wrong } from '../reading/source.ts';

/** Of a name that other properties must not have. */
const MOST_NAME = 500;

/** The inside of a string that is none of the names that are listed. */
export function otherNames(names: readonly string[], at: string): Expression {
  const long = names.find((name) => name.length > MOST_NAME);
  if (long !== undefined)
    throw wrong(
      at,
      'properties',
      `has a name of ${long.length} characters, of which at most ${MOST_NAME} are supported beside additionalProperties; close the object, or take a shorter name`,
    );
  return nameOtherThan(names);
}
/** The inside of a string that is none of these names; only characters that need no escape. */
function nameOtherThan(names: readonly string[]): Expression {
  const plain = complement([
    [0, 0x1f],
    [34, 34],
    [92, 92],
  ]);
  const any = repeat(characters(plain), 0, Infinity);
  if (names.length === 0) return any;
  const build = (suffixes: readonly (readonly string[])[]): Expression => {
    const byFirst = Map.groupBy(
      suffixes.filter((suffix) => suffix.length > 0),
      ([character]) => character,
    );
    const points = [...byFirst.keys()].map((character) => character.codePointAt(0) ?? 0);
    const off = complement([...points.map((point) => [point, point] as const), ...complement(plain)]);
    return choiceOf([
      ...(suffixes.some((suffix) => suffix.length === 0) ? [] : [NOTHING]),
      ...(off.length > 0 ? [sequence(characters(off), any)] : []),
      ...[...byFirst]
        .filter(([character]) => character !== '"' && character !== '\\' && character >= ' ')
        .map(([character, group]) => sequence(literal(character), build(group.map((suffix) => suffix.slice(1))))),
    ]);
  };
  return build(names.map((name) => Array.from(name)));
}
