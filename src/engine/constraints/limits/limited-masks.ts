// Owns which tokens may come at a place of a limited text: those behind which it can still be completed within its limits.
// Refuses to know how the text came there, and which thread asks.

import type { LimitedPlace, Room } from '../masks/ahead.ts';
import type { Distances, ToEnd } from '../lengths/distance.ts';
import { loopCosts } from '../masks/loop-costs.ts';
import type { LoopTokens } from '../masks/loop-tokens.ts';
import type { Machine } from '../grammar/machine.ts';
import type { Masks } from '../masks/mask-slots.ts';
import { groups } from '../masks/masks.ts';
import type { CompiledGrammar, LoopPlace } from '../masks/masks.ts';
import { METERS, tokenCosts } from '../lengths/meter.ts';
import type { TokenCosts } from '../lengths/meter.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import { TokenSet } from '../tokens/token-set.ts';

/** Where so few characters are left, or this part of them, and the text can end, no new word begins: the last one is to be whole. */
const LAST_WORD = 16;
const LAST_PART = 0.2;
/** So few characters that a new word may be refused. */
export const isLast = ({ meter, total }: Room, left: number): boolean => meter === 'characters' && left < Math.min(LAST_WORD, total * LAST_PART);

/** A room with what its meter says of grammar and vocabulary. */
interface Measured extends Room {
  readonly distances: Distances;
  readonly costs: TokenCosts;
}

export function limitedMasks(grammar: CompiledGrammar, machine: Machine, state: number, place: LimitedPlace, free: TokenSet): Masks {
  if (place.thinks || !free.bits) return { allowed: free, unlimited: undefined };
  const allowed = new Finder(grammar, machine, state, place).find();
  return same(free, allowed) ? { allowed: free, unlimited: undefined } : { allowed, unlimited: free };
}

class Finder {
  readonly #grammar: CompiledGrammar;
  readonly #machine: Machine;
  readonly #state: number;
  readonly #place: LimitedPlace;
  readonly #rooms: readonly Measured[];
  readonly #bits: Uint32Array;

  constructor(grammar: CompiledGrammar, machine: Machine, state: number, place: LimitedPlace) {
    [this.#grammar, this.#machine, this.#state, this.#place] = [grammar, machine, state, place];
    this.#rooms = place.rooms.map((room) => ({
      ...room,
      distances: grammar.distances(METERS[room.meter]),
      costs: tokenCosts(METERS[room.meter], grammar.trie, grammar.size),
    }));
    this.#bits = new Uint32Array(Math.ceil(grammar.size / 32));
  }

  find(): TokenSet {
    const machine = this.#machine;
    const { network, ends, trie } = this.#grammar;
    for (const [parent, frames] of groups(machine, this.#state)) {
      const place = this.#grammar.loopAt(machine, frames, parent);
      if (place) this.#inLoop(parent, place);
      else
        trie.accepted(
          machine.enter(frames),
          (at, byte) => machine.step(at, byte),
          (token, after) => {
            if (this.#fits(token, after)) this.#set(token);
          },
        );
    }
    for (const [i, token] of network.tokens.entries()) {
      const after = machine.step(this.#state, FIRST_TOKEN + i);
      const thinks = token === this.#place.open && !this.#place.begun;
      if (after >= 0 && (thinks || this.#fits(token, after))) this.#set(token);
    }
    if (machine.ends(this.#state)) for (const end of ends) this.#set(end);
    return TokenSet.ofBits(this.#bits);
  }
  #set(token: number): void {
    this.#bits[token >>> 5] |= 1 << (token & 31);
  }
  /** Can the text be completed behind this token? */
  #fits(token: number, after: number): boolean {
    return this.#rooms.every(
      ({ costs, distances, left, state }) => costs.cost[state][token] + distances.state(this.#machine, after)[costs.next[state][token]] <= left,
    );
  }
  #inLoop(parent: number, { tokens, states, loop, least, most, exit, leavers }: LoopPlace): void {
    const machine = this.#machine;
    let mayLeave = exit >= 0 && least <= 0 && machine.ends(exit);
    leavers?.behind.accepted(
      exit,
      (at, byte) => machine.step(at, byte),
      (group, after) => {
        for (const { token, rounds } of leavers.groups[group]) {
          if (rounds < least || rounds > most || !this.#fits(token, after)) continue;
          mayLeave ||= least <= 0;
          this.#set(token);
        }
      },
    );
    const rests = this.#rooms.map((room) => restsOf(room, machine, parent, this.#grammar.inner, states));
    const due = Math.max(0, least);
    const rounds = this.#rooms.map(({ distances }) => distances.round(loop));
    const last = this.#rooms.map((room, i) => mayLeave && isLast(room, room.left - rests[i].exit));
    // Of so few rounds all fit, whatever they write; the others are looked at one by one.
    const sure = Math.min(
      most,
      ...this.#rooms.map(({ costs, left, state }, i) =>
        last[i] ? -1 : tokens.greatest(costs.cost[state]).findLastIndex((cost) => cost + rests[i].most + due * rounds[i] <= left),
      ),
    );
    if (due === 0 && tokens.count(most) - tokens.count(sure) > FEW) {
      this.#addFitting(tokens, most, rests, last);
      return;
    }
    tokens.addTo(this.#bits, sure);
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
    for (let i = from; i < to; i++) if (fits[i - from] === 1) this.#set(tokens.tokens[i]);
  }
  /** Adds the tokens of a loop of at most so many rounds that fit into all rooms. */
  #addFitting(tokens: LoopTokens, most: number, rests: readonly Rests[], last: readonly boolean[]): void {
    const fitting = this.#rooms.map(({ meter, costs, left, state }, r) => loopCosts(tokens, meter, costs, state).fitting((place, next) => left - rests[r].at[place][next], last[r]));
    if (most < tokens.mostRounds) {
      const few = new Uint32Array(this.#bits.length);
      tokens.addTo(few, most);
      fitting.push(few);
    }
    const bits = this.#bits;
    for (let word = 0; word < bits.length; word++) {
      let all = -1;
      for (const each of fitting) all &= each[word];
      bits[word] |= all;
    }
  }
}

/** So few tokens are looked at one by one. */
const FEW = 2_000;

interface Rests {
  /** By place of the loop's automaton: what is written at least until the end. */
  readonly at: readonly ToEnd[];
  readonly most: number;
  /** From the end of the loop. */
  readonly exit: number;
}
function restsOf({ distances, state }: Measured, machine: Machine, parent: number, inner: Machine, states: readonly number[]): Rests {
  const beyond = distances.frame(machine, machine.parents[parent]);
  const at = states.map((place) => distances.state(inner, place, beyond));
  return { at, most: Math.max(...at.flatMap((each) => [...each])), exit: beyond[state] };
}
function same(a: TokenSet, b: TokenSet): boolean {
  return a === b || (a.bits !== undefined && b.bits !== undefined && a.bits.every((word, i) => word === b.bits?.[i]));
}
