// Owns the members of an object in a grammar: in order, those that are not needed left out at will, as many as there must and may be.
// Refuses to know schemas, and how names and values are written.

import { choiceOf, NOTHING, repeat, sequence } from '../../grammar/expression.ts';
import type { Expression } from '../../grammar/expression.ts';
import { COMMA } from '../texts/json-text.ts';
import { nothing, wrong } from '../reading/source.ts';

/** Properties times as many as are counted. */
const MOST_COUNTED = 4_000;

export interface Member {
  readonly needed: boolean;
  readonly member: Expression;
}
export interface Asked {
  readonly least: number;
  readonly most: number;
  readonly at: string;
  /** No two names are equal. */
  readonly different: boolean;
  /** The same expression, so that it may be named in several places. */
  readonly share: (expression: Expression) => Expression;
}

/**
 * What stands between the braces; after the members any others. Others may come twice, and then are one, unless they are different: they count as one towards `least`, and each towards `most`.
 * Throws EngineError `constraint_invalid`.
 */
export function membersOf(members: readonly Member[], others: Expression | undefined, { least, most, at, different, share }: Asked): Expression {
  const cap = Math.max(1, Math.min(members.length, most < Infinity ? most : least));
  if (members.length * cap > MOST_COUNTED) throw wrong(at, least > 0 ? 'minProperties' : 'maxProperties', `times the properties is supported up to ${MOST_COUNTED}`);
  const counted = different ? Infinity : 1;
  const more = others && sequence(COMMA, others);
  /** By members that stand before, so many or more where that is all the same: what may follow; undefined: nothing would be valid. */
  let after = Array.from({ length: cap + 1 }, (_, count) => {
    const missing = Math.max(0, least - count);
    if (missing === 0 && (!more || count >= most)) return NOTHING;
    return more && missing <= counted && count < most ? share(repeat(more, missing, most - count)) : undefined;
  });
  let first: Expression[] = others && most > 0 && least <= counted ? [sequence(others, after[1] ?? NOTHING)] : [];
  if (least === 0) first.push(NOTHING);
  for (const [i, { needed, member }] of [...members.entries()].toReversed()) {
    const one = share(member);
    const behind = after;
    const written = (count: number): readonly Expression[] => {
      const rest = count < most ? behind[Math.min(count + 1, cap)] : undefined;
      return rest ? [sequence(...(count > 0 ? [COMMA] : []), one, rest)] : [];
    };
    after = behind.map((without, count) => {
      if (count === 0 || count > i) return undefined;
      const ways = [...written(count), ...(!needed && without ? [without] : [])];
      return ways.length > 0 ? share(choiceOf(ways)) : undefined;
    });
    first = [...(needed ? [] : first), ...written(0)];
  }
  if (least > most) throw nothing(at, 'minProperties', 'is above maxProperties');
  if (first.length === 0 && others && least > 0) throw wrong(at, 'minProperties', 'is supported up to one more than the properties that are named: others may come twice');
  if (first.length === 0) throw nothing(at, least > 0 ? 'minProperties' : 'maxProperties', 'leaves no object with the properties that there may be');
  return choiceOf(first);
}
