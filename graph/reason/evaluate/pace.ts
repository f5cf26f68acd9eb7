// Owns the pace of a search: when it looks at the clock, pauses and gives up.
// Refuses to know what is searched.

import type { Tick } from './join.ts';

/** The time is over. */
export class Late extends Error {
  constructor() {
    super('the time for a search is over');
    this.name = 'Late';
  }
}

/** Rows between two looks at the clock. */
const LOOK = 0xfff;
/** A search with this pace throws Late when it is after `until` (performance.now()). */
export function paced(until: number): Tick {
  let looked = 0;
  return (slow) => {
    if (!slow && (++looked & LOOK) !== 0) return false;
    if (performance.now() > until) throw new Late();
    return true;
  };
}
