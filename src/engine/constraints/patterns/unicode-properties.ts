// Owns which characters have a property of Unicode, as the runtime's regular expressions know it.
// Refuses to know patterns and how characters are written.

import { LAST_POINT, normalise } from '../grammar/expression.ts';
import type { Range } from '../grammar/expression.ts';

const PLANE = 0x10000;
/** In planes 4 to 13 no character is assigned, and 15 and 16 are for private use: but for the last two of each plane, which are no characters, those of a plane have the same properties (The Unicode Standard, section 2.8). */
const ALIKE = [
  [4, 13],
  [15, 16],
] as const;
const NO_CHARACTER = PLANE - 2;
const isAlike = (plane: number): boolean => ALIKE.some(([first, last]) => plane >= first && plane <= last);

/** All characters of the other planes, in order. */
let others: string | undefined;
function allOthers(): string {
  if (others !== undefined) return others;
  const parts: string[] = [];
  for (let from = 0; from <= LAST_POINT; from += 1024)
    if (!isAlike(Math.floor(from / PLANE)) && (from < 0xd800 || from > 0xdfff))
      parts.push(String.fromCodePoint(...Array.from({ length: 1024 }, (_, i) => from + i)));
  return (others = parts.join(''));
}
const known = new Map<string, readonly Range[]>();

/** Undefined: there is no such property. */
export function charactersOf(property: string): readonly Range[] | undefined {
  const before = known.get(property);
  if (before) return before;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${property}}+`, 'gu');
  } catch {
    return undefined;
  }
  const ranges: Range[] = [];
  for (const [run] of allOthers().matchAll(runs)) ranges.push([run.codePointAt(0) ?? 0, lastOf(run)]);
  const has = (point: number): boolean => String.fromCodePoint(point).search(runs) === 0;
  for (const [first, last] of ALIKE) {
    const [most, end] = [has(first * PLANE), has(first * PLANE + NO_CHARACTER)];
    for (let plane = first; plane <= last; plane++) {
      const from = plane * PLANE;
      if (most) ranges.push([from, from + NO_CHARACTER - 1]);
      if (end) ranges.push([from + NO_CHARACTER, from + PLANE - 1]);
    }
  }
  const result = normalise(ranges);
  known.set(property, result);
  return result;
}
function lastOf(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xdc00 && last <= 0xdfff ? (text.codePointAt(text.length - 2) ?? 0) : last;
}
