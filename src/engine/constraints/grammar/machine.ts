// Owns walking a grammar byte by byte: a state is the set of all places where the text so far may stand, each with the way back out of the networks it is in.
// Refuses to know tokens.

import { invalid } from './network.ts';
import { FIRST_TOKEN } from './node.ts';
import type { Network } from './network.ts';

/** The way out of everything: the text may end. */
export const BOTTOM = 0;
/** The way out of the part that is looked at: what follows is not known. */
export const FLOOR = 1;
/** Above, a walk goes on in a new machine. */
const MANY_STATES = 8_192;
const MOST_STATES = 100_000;
const MOST_FRAMES = 500_000;
const [UNKNOWN, DEAD] = [-2, -1];

/** A state in numbers that every machine of the same network understands; they survive structured cloning. */
export interface Places {
  /** Of each frame its node, how often its loop went round, and the number of the frame that it comes back to: BOTTOM, FLOOR, or 2 and more for those in front of it here. */
  readonly frames: readonly number[];
  /** Numbers of the frames that the state is. */
  readonly at: readonly number[];
  readonly ends: boolean;
}
interface State {
  /** Places that read a byte. */
  readonly frames: readonly number[];
  /** The text may end here; or, with FLOOR, the part may. */
  readonly ends: boolean;
  readonly after: Int32Array;
}

export class Machine {
  readonly #network: Network;
  /** By frame: its node, how often its loop went round, and the frame it comes back to. */
  readonly nodes: number[] = [-1, -1];
  readonly counts: number[] = [0, 0];
  readonly parents: number[] = [-1, -1];
  /** By the frame that they come back to, then by node and count. */
  readonly #frames = new Map<number, Map<number, number>>();
  readonly #states: State[] = [];
  readonly #numbers = new Map<string, number>();
  readonly start: number;

  constructor(network: Network) {
    this.#network = network;
    this.start = this.enter([this.frame(network.start, 0, BOTTOM)]);
  }

  frame(node: number, count: number, parent: number): number {
    let beside = this.#frames.get(parent);
    if (!beside) this.#frames.set(parent, (beside = new Map()));
    const key = count * this.#network.nodes.length + node;
    let frame = beside.get(key);
    if (frame === undefined) {
      if (this.nodes.length >= MOST_FRAMES) throw invalid('the text went so deep into the grammar that its places are too many to follow; nest less');
      frame = this.nodes.length;
      this.nodes.push(node);
      this.counts.push(count);
      this.parents.push(parent);
      beside.set(key, frame);
    }
    return frame;
  }
  /** The state of being at these frames; -1 when nothing can be read there and nothing may end. */
  enter(frames: Iterable<number>): number {
    const { nodes } = this.#network;
    const [seen, open, reading] = [new Set<number>(), [...frames], [] as number[]];
    let ends = false;
    for (let frame = open.pop(); frame !== undefined; frame = open.pop()) {
      if (seen.has(frame)) continue;
      seen.add(frame);
      if (frame === BOTTOM || frame === FLOOR) {
        ends = true;
        continue;
      }
      const [count, parent] = [this.counts[frame], this.parents[frame]];
      const { arcs, jumps, calls, final, loop } = nodes[this.nodes[frame]];
      if (arcs.length > 0) reading.push(frame);
      for (const jump of jumps) open.push(this.frame(jump, 0, parent));
      if (final) open.push(parent);
      for (const { start, back } of calls) open.push(this.frame(start, 0, this.#back(back, parent)));
      if (loop) {
        if (count >= loop.least) open.push(parent);
        if (count < loop.most) {
          // Behind `least` times of an endless loop nothing depends on how often it went round.
          const again = this.frame(this.nodes[frame], loop.most === Infinity ? Math.min(count + 1, loop.least) : count + 1, parent);
          // What follows a round that read nothing may follow without it.
          if (loop.hollow) seen.add(again);
          open.push(this.frame(loop.body, 0, again));
        }
      }
    }
    if (reading.length === 0 && !ends) return DEAD;
    reading.sort((a, b) => a - b);
    const key = `${reading.join()}${ends ? '.' : ''}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      if (this.#states.length >= MOST_STATES) throw invalid('the grammar has too many different places for one text; make it simpler or the text shorter');
      number = this.#states.length;
      this.#states.push({ frames: reading, ends, after: new Int32Array(FIRST_TOKEN + this.#network.tokens.length).fill(UNKNOWN) });
      this.#numbers.set(key, number);
    }
    return number;
  }
  /** Where a call comes back to. A place at which its network only ends is left out, so that calls at the end do not pile up. */
  #back(back: number, parent: number): number {
    for (let at = back; ;) {
      const { arcs, jumps, calls, final, loop } = this.#network.nodes[at];
      if (arcs.length + calls.length > 0 || loop || jumps.length + Number(final) !== 1) return this.frame(back, 0, parent);
      if (final) return parent;
      [at] = jumps;
    }
  }

  get isLarge(): boolean {
    return this.#states.length > MANY_STATES;
  }
  /** A new machine that knows only what a state stands for, where this one has grown large. */
  renewed(state: number): { readonly machine: Machine; readonly state: number } {
    if (!this.isLarge) return { machine: this, state };
    const machine = new Machine(this.#network);
    return { machine, state: machine.stateAt(this.placesOf(state)) };
  }
  /** Where a state stands. */
  placesOf(state: number): Places {
    const frames: number[] = [];
    const numbers = new Map([
      [BOTTOM, BOTTOM],
      [FLOOR, FLOOR],
    ]);
    const numberOf = (frame: number): number => {
      const chain: number[] = [];
      let at = frame;
      for (; !numbers.has(at); at = this.parents[at]) chain.push(at);
      let number = numbers.get(at) as number;
      for (const each of chain.toReversed()) {
        frames.push(this.nodes[each], this.counts[each], number);
        numbers.set(each, (number = FLOOR + frames.length / 3));
      }
      return number;
    };
    const { frames: reading, ends } = this.#states[state];
    return { at: reading.map(numberOf), frames, ends };
  }
  /** The state that stands there; -1 as of `enter`. */
  stateAt({ frames, at, ends }: Places): number {
    const numbers = [BOTTOM, FLOOR];
    for (let i = 0; i < frames.length; i += 3) numbers.push(this.frame(frames[i], frames[i + 1], numbers[frames[i + 2]]));
    return this.enter([...at.map((number) => numbers[number]), ...(ends ? [BOTTOM] : [])]);
  }

  /** The state after one more byte, or special token as its arcs name it; or -1. */
  step(state: number, byte: number): number {
    const { frames, after } = this.#states[state];
    if (after[byte] === UNKNOWN) {
      const next: number[] = [];
      // Bytes between which no arc begins or ends lead to the same.
      let [low, high] = [0, after.length - 1];
      for (const frame of frames)
        for (const { from, to, target } of this.#network.nodes[this.nodes[frame]].arcs) {
          if (from > byte) high = Math.min(high, from - 1);
          else if (to < byte) low = Math.max(low, to + 1);
          else {
            low = Math.max(low, from);
            high = Math.min(high, to);
            next.push(this.frame(target, 0, this.parents[frame]));
          }
        }
      after.fill(next.length === 0 ? DEAD : this.enter(next), low, high + 1);
    }
    return after[byte];
  }
  ends(state: number): boolean {
    return this.#states[state].ends;
  }
  framesOf(state: number): readonly number[] {
    return this.#states[state].frames;
  }
  /** Bytes that may come next. */
  bytesOf(state: number): Uint8Array {
    const there = new Uint8Array(FIRST_TOKEN);
    for (const frame of this.#states[state].frames)
      for (const { from, to } of this.#network.nodes[this.nodes[frame]].arcs) if (from < FIRST_TOKEN) there.fill(1, from, to + 1);
    return Uint8Array.from(there.keys().filter((byte) => there[byte] === 1));
  }
  loopOf(frame: number): Network['nodes'][number]['loop'] {
    return frame > FLOOR ? this.#network.nodes[this.nodes[frame]].loop : undefined;
  }
}
