// Owns what is left out of a grammar because no text of it is valid.
// Refuses to know why.

import type { Expression } from '../../grammar/expression.ts';
import { NoText } from '../../grammar/network.ts';

/** Undefined where there is no text. */
export function possible(write: () => Expression): Expression | undefined {
  try {
    return write();
  } catch (error) {
    if (error instanceof NoText) return undefined;
    throw error;
  }
}
/** Those of which there are texts, as they are written. Throws NoText where there are none. */
export function allPossible<Item>(items: readonly Item[], write: (item: Item) => Expression): readonly Expression[] {
  let last: NoText | undefined;
  const found = items.flatMap((item): readonly Expression[] => {
    try {
      return [write(item)];
    } catch (error) {
      if (!(error instanceof NoText)) throw error;
      last = error;
      return [];
    }
  });
  if (found.length === 0 && last) throw last;
  return found;
}
