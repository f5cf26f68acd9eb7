// Owns conditions that are joined by "and" and "or", and the bodies of rules that say the same without "or".
// Refuses to know what the conditions are.

export type Formula<T> = { readonly one: T } | { readonly all: readonly Formula<T>[] } | { readonly any: readonly Formula<T>[] };
/** Rules that one rule may stand for. */
export const ALTERNATIVES = 64;

/** Each way to meet the formula, as a list of conditions; undefined when there are more than ALTERNATIVES. */
export function alternatives<T>(formula: Formula<T>): readonly (readonly T[])[] | undefined {
  if ('one' in formula) return [[formula.one]];
  if ('any' in formula) {
    const ways = formula.any.map((part) => alternatives(part));
    const found = ways.flatMap((way) => way ?? []);
    return ways.includes(undefined) || found.length > ALTERNATIVES ? undefined : found;
  }
  let found: readonly (readonly T[])[] = [[]];
  for (const part of formula.all) {
    const ways = alternatives(part);
    if (!ways || found.length * ways.length > ALTERNATIVES) return undefined;
    found = found.flatMap((before) => ways.map((way) => [...before, ...way]));
  }
  return found;
}
