// Owns texts under a grammar that are limited in words or characters: only tokens come behind which the text can still be completed within its limits.
// Refuses to know where limits come from, and texts without a grammar: the limiter cuts those.

import { EngineError } from '../../port.ts';
import type { TextLimits } from '../../port.ts';
import { AskedMasks } from '../masks/ahead.ts';
import type { LimitedPlace, Room } from '../masks/ahead.ts';
import type { Constraint, ConstraintVocabulary } from '../port.ts';
import type { Distances } from '../lengths/distance.ts';
import { isLast, limitedMasks } from './limited-masks.ts';
import type { Masks } from '../masks/mask-slots.ts';
import type { CompiledGrammar } from '../masks/masks.ts';
import { CHARACTERS, costOf, METERS, SPACE, WORDS } from '../lengths/meter.ts';
import { invalid } from '../grammar/network.ts';
import { TokenSet } from '../tokens/token-set.ts';
import { GrammarWalk, statesBehind } from '../masks/walk.ts';

/** How long to wait for a mask that the other thread has not begun: to measure all tokens of a vocabulary takes longer. */
const PATIENCE_MS = 100;
const SPARE_WORDS = 2;
/** Tokens looked at for two that may come for sure. */
const MOST_LOOKED = 256;

/** Special tokens around what the model thinks, which is not limited. */
export interface ThoughtMarks {
  readonly open: number | undefined;
  readonly close: number | undefined;
  /** The prompt has opened a thought. */
  readonly opened: boolean;
}

/** Throws EngineError `constraint_invalid` where no text of the grammar is within the limits. */
export function checkLimits(grammar: CompiledGrammar, { words, characters, lineWords, lineCharacters }: TextLimits): void {
  if (lineWords !== undefined || lineCharacters !== undefined)
    throw invalid('limits of each line cannot be combined with a form of the text; limit the whole text, or leave one of them out');
  for (const [meter, limit] of [
    [CHARACTERS, characters],
    [WORDS, words],
  ] as const) {
    if (limit === undefined) continue;
    const { least } = grammar.distances(meter);
    if (least > limit)
      throw invalid(
        `a text of the form that is asked for has at least ${least} ${meter.name}, and it may have ${limit}; allow more ${meter.name}, or ask for less`,
      );
  }
}

/** What a text has left of its limits. */
type Left = Omit<LimitedPlace, 'open'>;

export class LimitedConstraint implements Constraint {
  readonly #grammar: CompiledGrammar;
  readonly #walk: GrammarWalk;
  readonly #bytesOf: ConstraintVocabulary['bytesOf'];
  readonly #marks: ThoughtMarks | undefined;
  readonly #asked: AskedMasks<string> | undefined;
  #left: Left;
  #found: Masks | undefined;

  constructor(grammar: CompiledGrammar, limits: TextLimits, { bytesOf, ahead }: Pick<ConstraintVocabulary, 'bytesOf' | 'ahead'>, marks?: ThoughtMarks) {
    this.#grammar = grammar;
    this.#walk = new GrammarWalk(grammar);
    this.#bytesOf = bytesOf;
    this.#marks = marks;
    const there = ahead?.();
    this.#asked = there && new AskedMasks(there);
    const rooms = (
      [
        ['characters', limits.characters],
        ['words', limits.words],
      ] as const
    ).flatMap(([meter, total]): Room[] => (total === undefined ? [] : [{ meter, total, left: total, state: 0 }]));
    this.#left = { rooms, thinks: marks?.opened === true, begun: false };
  }
  allowed(): TokenSet {
    return this.#masks().allowed;
  }
  unlimited(): TokenSet | undefined {
    return this.#masks().unlimited;
  }
  next(): TokenSet | undefined {
    return this.#found || !this.#asked || !this.#hasTwo() ? this.allowed() : undefined;
  }
  foresee(guess: readonly number[]): void {
    const { machine, state } = this.#walk;
    if (!this.#asked || state < 0) return;
    const states = statesBehind(this.#grammar, machine, state, guess);
    const places = this.#found ? [] : [this.#place(state, this.#left)];
    let left = this.#left;
    for (const [i, behind] of states.entries()) places.push(this.#place(behind, (left = this.#behind(left, guess[i]))));
    this.#asked.ask(this.#grammar, machine, places);
  }
  complete(): boolean {
    return this.#walk.complete();
  }
  accept(token: number): void {
    const bytes = this.#bytesOf(token);
    const { machine } = this.#walk;
    if (!(bytes ? this.#walk.accept(bytes) : this.#walk.acceptToken(token)))
      throw new EngineError('failed', `token ${token} is not allowed by the grammar here`);
    if (this.#walk.machine !== machine) this.#asked?.forget();
    this.#left = this.#behind(this.#left, token);
    this.#found = undefined;
  }

  #place(state: number, left: Left): { readonly key: string; readonly state: number; readonly limited: LimitedPlace } {
    return {
      key: [state, left.thinks, left.begun, ...left.rooms.flatMap((room) => [room.left, room.state])].join(),
      state,
      limited: { ...left, open: this.#marks?.open },
    };
  }
  /** What is left behind a token. */
  #behind({ rooms, thinks }: Left, token: number): Left {
    if (token === this.#marks?.open) return { rooms, thinks: true, begun: true };
    if (token === this.#marks?.close) return { rooms: rooms.map((room) => ({ ...room, left: room.total, state: 0 })), thinks: false, begun: true };
    if (thinks || !this.#bytesOf(token)) return { rooms, thinks, begun: true };
    return { rooms: rooms.map((room) => this.#less(room, token)), thinks, begun: true };
  }
  #less(room: Room, token: number): Room {
    const bytes = this.#bytesOf(token);
    if (!bytes) return { ...room, state: 0 };
    const [added, state] = costOf(METERS[room.meter], bytes)[room.state];
    return { ...room, left: room.left - added, state };
  }

  #masks(): Masks {
    if (!this.#found) {
      const { machine, state } = this.#walk;
      const { key, limited } = this.#place(state, this.#left);
      // Not to be found here where that can be helped: the other thread has measured all tokens.
      if (this.#asked && state >= 0 && !this.#asked.has(key)) this.#asked.ask(this.#grammar, machine, [{ key, state, limited }]);
      this.#found = this.#asked?.take(key, PATIENCE_MS) ?? limitedMasks(this.#grammar, machine, state, limited, this.#walk.allowed());
    }
    return this.#found;
  }
  /** Are there two tokens for sure that may come and are no ends? Where little is left, it is not said. */
  #hasTwo(): boolean {
    const { machine, state } = this.#walk;
    const { rooms, thinks } = this.#left;
    if (state < 0) return false;
    const distances = ({ meter }: Room): Distances => this.#grammar.distances(METERS[meter]);
    // No new word may be begun then.
    const last =
      !thinks && rooms.some((room) => machine.framesOf(state).some((frame) => isLast(room, room.left - distances(room).frame(machine, frame)[room.state])));
    const spare = rooms.map((room) => (thinks ? 0 : this.#spare(room.meter)));
    const holds = (token: number, after: number): boolean =>
      thinks ||
      rooms.every((room, i) => {
        const behind = this.#less(room, token);
        return distances(room).state(machine, after)[behind.state] + spare[i] <= behind.left;
      });
    return this.#grammar.firstTwo(machine, state, { holds, most: MOST_LOOKED, ...(last ? { without: SPACE } : {}) }).length === 2;
  }
  /** How much less of words is taken to be left than there seems to be: in a loop, masks take the dearest round for each that must still come, and what follows a word for a new one. */
  #spare(meter: Room['meter']): number {
    const { machine, state } = this.#walk;
    const distances = this.#grammar.distances(METERS[meter]);
    let most = SPARE_WORDS;
    for (const frame of machine.framesOf(state)) {
      const parent = machine.parents[frame];
      const loop = machine.loopOf(parent);
      const due = loop ? loop.least - machine.counts[parent] : 0;
      if (loop && due > 0) most = Math.max(most, due * distances.round(loop) + SPARE_WORDS);
    }
    return meter === 'words' ? most : 0;
  }
}
