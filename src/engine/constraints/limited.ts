// Owns texts under a grammar that are limited in words or characters: only tokens come behind which the text can still be completed within its limits.
// Refuses to know where limits come from, and texts without a grammar: the limiter cuts those.

import { EngineError } from '../port.ts';
import type { TextLimits } from '../port.ts';
import type { Constraint, ConstraintVocabulary } from './port.ts';
import type { Distances, ToEnd } from './distance.ts';
import type { Machine } from './machine.ts';
import { groups, GrammarWalk } from './masks.ts';
import type { CompiledGrammar, LoopPlace } from './masks.ts';
import { CHARACTERS, tokenCosts, WORDS } from './meter.ts';
import type { TokenCosts } from './meter.ts';
import { FIRST_TOKEN, invalid } from './network.ts';
import { TokenSet } from './token-set.ts';

/** Where so few characters are left, or this part of them, and the text can end, no new word begins: the last one is to be whole. */
const LAST_WORD = 16;
const LAST_PART = 0.2;

/** What is left of one limit. */
interface Room {
  readonly total: number;
  readonly distances: Distances;
  readonly costs: TokenCosts;
  /** Of the meter. */
  state: number;
  left: number;
  /** In characters: words are parted by it. */
  readonly parts: boolean;
}
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

export class LimitedConstraint implements Constraint {
  readonly #grammar: CompiledGrammar;
  readonly #walk: GrammarWalk;
  readonly #bytesOf: ConstraintVocabulary['bytesOf'];
  readonly #marks: ThoughtMarks | undefined;
  readonly #rooms: readonly Room[];
  /** Nothing is limited while the model thinks. */
  #thinks: boolean;
  #begun = false;
  #found: { readonly allowed: TokenSet; readonly unlimited: TokenSet | undefined } | undefined;

  constructor(grammar: CompiledGrammar, limits: TextLimits, { bytesOf }: ConstraintVocabulary, marks?: ThoughtMarks) {
    this.#grammar = grammar;
    this.#walk = new GrammarWalk(grammar);
    this.#bytesOf = bytesOf;
    this.#marks = marks;
    this.#thinks = marks?.opened === true;
    this.#rooms = (
      [
        [CHARACTERS, limits.characters],
        [WORDS, limits.words],
      ] as const
    ).flatMap(([meter, limit]) =>
      limit === undefined
        ? []
        : [
            {
              total: limit,
              left: limit,
              state: 0,
              parts: meter === CHARACTERS,
              distances: grammar.distances(meter),
              costs: tokenCosts(meter, grammar.trie, grammar.size),
            },
          ],
    );
  }
  allowed(): TokenSet {
    return this.#masks().allowed;
  }
  unlimited(): TokenSet | undefined {
    return this.#masks().unlimited;
  }
  complete(): boolean {
    return this.#walk.complete();
  }
  accept(token: number): void {
    const bytes = this.#bytesOf(token);
    if (!(bytes ? this.#walk.accept(bytes) : this.#walk.acceptToken(token)))
      throw new EngineError('failed', `token ${token} is not allowed by the grammar here`);
    this.#begun = true;
    this.#found = undefined;
    if (token === this.#marks?.open) this.#thinks = true;
    else if (token === this.#marks?.close) {
      this.#thinks = false;
      for (const room of this.#rooms) [room.left, room.state] = [room.total, 0];
    } else if (!this.#thinks && bytes)
      for (const room of this.#rooms) {
        room.left -= room.costs.cost[room.state][token];
        room.state = room.costs.next[room.state][token];
      }
  }

  #masks(): { readonly allowed: TokenSet; readonly unlimited: TokenSet | undefined } {
    if (!this.#found) {
      const free = this.#walk.allowed();
      const limited = this.#thinks || !free.bits ? free : this.#find();
      this.#found = same(free, limited) ? { allowed: free, unlimited: undefined } : { allowed: limited, unlimited: free };
    }
    return this.#found;
  }
  #find(): TokenSet {
    const { machine, state } = this.#walk;
    const { network, size, ends, trie } = this.#grammar;
    const bits = new Uint32Array(Math.ceil(size / 32));
    const set = (token: number): void => void (bits[token >>> 5] |= 1 << (token & 31));
    const step = (at: number, byte: number): number => machine.step(at, byte);
    for (const [parent, frames] of groups(machine, state)) {
      const place = this.#grammar.loopAt(machine, frames, parent);
      if (place) this.#inLoop(machine, parent, place, bits, set);
      else
        trie.accepted(machine.enter(frames), step, (token, after) => {
          if (this.#fits(token, machine, after)) set(token);
        });
    }
    for (const [i, token] of network.tokens.entries()) {
      const after = machine.step(state, FIRST_TOKEN + i);
      const thinks = token === this.#marks?.open && !this.#begun;
      if (after >= 0 && (thinks || this.#fits(token, machine, after))) set(token);
    }
    if (machine.ends(state)) for (const end of ends) set(end);
    return TokenSet.ofBits(bits);
  }
  /** Can the text be completed behind this token? */
  #fits(token: number, machine: Machine, after: number): boolean {
    return this.#rooms.every(
      ({ costs, distances, left, state }) => costs.cost[state][token] + distances.state(machine, after)[costs.next[state][token]] <= left,
    );
  }
  #inLoop(
    machine: Machine,
    parent: number,
    { tokens, states, loop, least, most, exit, leavers }: LoopPlace,
    bits: Uint32Array,
    set: (token: number) => void,
  ): void {
    let mayLeave = exit >= 0 && least <= 0 && machine.ends(exit);
    leavers?.behind.accepted(
      exit,
      (at, byte) => machine.step(at, byte),
      (group, after) => {
        for (const { token, rounds } of leavers.groups[group]) {
          if (rounds < least || rounds > most || !this.#fits(token, machine, after)) continue;
          mayLeave ||= least <= 0;
          set(token);
        }
      },
    );
    const rests = this.#rooms.map((room) => restsOf(room, machine, parent, this.#grammar.inner, states));
    const due = Math.max(0, least);
    const rounds = this.#rooms.map(({ distances }) => distances.round(loop));
    const last = this.#rooms.map(({ left, total, parts }, i) => mayLeave && parts && left - rests[i].exit < Math.min(LAST_WORD, total * LAST_PART));
    // Of so few rounds all fit, whatever they write; the others are looked at one by one.
    const sure = Math.min(
      most,
      ...this.#rooms.map(({ costs, left, state }, i) =>
        last[i] ? -1 : tokens.greatest(costs.cost[state]).findLastIndex((cost) => cost + rests[i].most + due * rounds[i] <= left),
      ),
    );
    tokens.addTo(bits, sure);
    const [from, to] = [tokens.count(sure), tokens.count(most)];
    const fits = new Uint8Array(to - from).fill(1);
    this.#rooms.forEach(({ costs, left, state }, r) => {
      const [cost, next, { at }] = [costs.cost[state], costs.next[state], rests[r]];
      for (let i = from; i < to; i++) {
        const token = tokens.tokens[i];
        const round = Math.max(0, due - tokens.rounds[i]) * rounds[r];
        if (cost[token] + at[tokens.places[i]][next[token]] + round > left || (last[r] && costs.spaced[token] === 1)) fits[i - from] = 0;
      }
    });
    for (let i = from; i < to; i++) if (fits[i - from] === 1) set(tokens.tokens[i]);
  }
}

interface Rests {
  /** By place of the loop's automaton: what is written at least until the end. */
  readonly at: readonly ToEnd[];
  readonly most: number;
  /** From the end of the loop. */
  readonly exit: number;
}
function restsOf({ distances, state }: Room, machine: Machine, parent: number, inner: Machine, states: readonly number[]): Rests {
  const beyond = distances.frame(machine, machine.parents[parent]);
  const at = states.map((place) => distances.state(inner, place, beyond));
  return { at, most: Math.max(...at.flatMap((each) => [...each])), exit: beyond[state] };
}
function same(a: TokenSet, b: TokenSet): boolean {
  return a === b || (a.bits !== undefined && b.bits !== undefined && a.bits.every((word, i) => word === b.bits?.[i]));
}
