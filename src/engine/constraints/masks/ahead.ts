// Owns what is asked of the thread that finds masks while a pass runs, and what one text has asked of it.
// Refuses to know how masks are found, and how the threads talk.

import type { Grammar } from '../grammar/expression.ts';
import type { Machine, Places } from '../grammar/machine.ts';
import type { Claim, Masks } from './mask-slots.ts';

/** What is left of one limit. */
export interface Room {
  readonly meter: 'characters' | 'words';
  readonly total: number;
  readonly left: number;
  /** Of the meter. */
  readonly state: number;
}
/** What is limited of a text that stands somewhere in a grammar. */
export interface LimitedPlace {
  readonly rooms: readonly Room[];
  /** Nothing is limited while the model thinks. */
  readonly thinks: boolean;
  readonly begun: boolean;
  /** The token that opens a thought. */
  readonly open: number | undefined;
}
/** A place of a text; it survives structured cloning. */
export interface Place {
  readonly places: Places;
  readonly limited?: LimitedPlace;
}
/** Finds masks of one vocabulary on another thread. */
export interface MasksAhead {
  /** Asks for the masks at places of a grammar, the one that is needed first in front. Undefined where it was not asked: the thread is gone, or has too much to do. */
  ask(grammar: { readonly source: Grammar }, places: readonly Place[]): readonly (Claim | undefined)[];
  /** What was asked for. Undefined where it is not there, and whoever needs it has to find it. `patienceMs`: how long to wait for what is not begun. */
  take(claim: Claim, patienceMs: number): Masks | undefined;
}

/** Numbers of frames that are sent at most: those who are so deep in a grammar find their masks themselves. */
const MOST_FRAMES = 3_000;

/** What one text has asked for, by keys of its places. */
export class AskedMasks<K> {
  readonly #ahead: MasksAhead;
  #claims = new Map<K, Claim>();

  constructor(ahead: MasksAhead) {
    this.#ahead = ahead;
  }
  /** Asks for masks at states of a machine over a grammar, where that was not done; what was asked for before and is not among them is forgotten. */
  ask(
    grammar: { readonly source: Grammar },
    machine: Machine,
    wanted: readonly { readonly key: K; readonly state: number; readonly limited?: LimitedPlace }[],
  ): void {
    const before = this.#claims;
    this.#claims = new Map();
    const fresh: { readonly key: K; readonly place: Place }[] = [];
    for (const { key, state, limited } of wanted) {
      const claim = before.get(key);
      if (claim) {
        this.#claims.set(key, claim);
        continue;
      }
      const places = machine.placesOf(state);
      if (places.frames.length <= MOST_FRAMES) fresh.push({ key, place: { places, ...(limited ? { limited } : {}) } });
    }
    if (fresh.length === 0) return;
    const claims = this.#ahead.ask(
      grammar,
      fresh.map(({ place }) => place),
    );
    for (const [i, { key }] of fresh.entries()) {
      const claim = claims[i];
      if (claim) this.#claims.set(key, claim);
    }
  }
  has(key: K): boolean {
    return this.#claims.has(key);
  }
  /** As of MasksAhead; each only once. */
  take(key: K, patienceMs = 0): Masks | undefined {
    const claim = this.#claims.get(key);
    this.#claims.delete(key);
    return claim && this.#ahead.take(claim, patienceMs);
  }
  /** Its keys mean something else from now on. */
  forget(): void {
    this.#claims.clear();
  }
}
