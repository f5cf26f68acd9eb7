// Owns how much a grammar has to write at least until its text is complete, from each of its places.
// Refuses to know tokens, and which limit a text has.
//
// The least way through a network is found for each node and state of the meter, networks that call each other until nothing becomes shorter (Knuth 1977, "A generalization of Dijkstra's
// algorithm", without the queue); from a place in a text it goes on through all that the place comes back to.

import { BOTTOM, FLOOR } from '../grammar/machine.ts';
import type { Machine } from '../grammar/machine.ts';
import type { Meter } from './meter.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import type { Network } from '../grammar/network.ts';
import type { Loop } from '../grammar/node.ts';

/** By the meter's state before (row) and behind (column): what the way adds at least; Infinity where there is none. */
type Ways = Float64Array;
/** By the meter's state: what is written at least until the end. */
export type ToEnd = Float64Array;

export class Distances {
  readonly #network: Network;
  readonly #meter: Meter;
  readonly #size: number;
  /** From each node to the end of its network. */
  readonly #ways: Ways[];
  readonly #bytes = new Map<number, Ways>();
  readonly #frames = new WeakMap<Machine, Map<number, ToEnd>>();
  readonly #states = new WeakMap<Machine, Map<number, ToEnd>>();

  constructor(network: Network, meter: Meter) {
    this.#network = network;
    this.#meter = meter;
    this.#size = meter.states;
    this.#ways = network.nodes.map(() => new Float64Array(this.#size ** 2).fill(Infinity));
    for (let shorter = true; shorter;) {
      shorter = false;
      for (let node = network.nodes.length - 1; node >= 0; node--) shorter = this.#shorten(node) || shorter;
    }
  }
  /** From the beginning of a text. */
  get least(): number {
    return Math.min(...this.#ways[this.#network.start].slice(0, this.#size));
  }

  /** From a frame of a machine; `beyond`: from FLOOR. */
  frame(machine: Machine, frame: number, beyond?: ToEnd): ToEnd {
    if (frame === FLOOR && beyond) return beyond;
    if (frame === BOTTOM || frame === FLOOR) return new Float64Array(this.#size);
    let frames = this.#frames.get(machine);
    if (!frames) this.#frames.set(machine, (frames = new Map()));
    let known = beyond ? undefined : frames.get(frame);
    if (!known) {
      const node = machine.nodes[frame];
      const { loop } = this.#network.nodes[node];
      const ways = loop ? this.#rounds(loop, machine.counts[frame]) : this.#ways[node];
      known = this.#behind(ways, this.frame(machine, machine.parents[frame], beyond));
      if (!beyond) frames.set(frame, known);
    }
    return known;
  }
  /** From a state of a machine: the least of its places. */
  state(machine: Machine, state: number, beyond?: ToEnd): ToEnd {
    if (beyond) return this.#least(machine, state, beyond);
    let states = this.#states.get(machine);
    if (!states) this.#states.set(machine, (states = new Map()));
    let known = states.get(state);
    if (!known) states.set(state, (known = this.#least(machine, state)));
    return known;
  }
  #least(machine: Machine, state: number, beyond?: ToEnd): ToEnd {
    const least = machine.ends(state) ? (beyond?.slice() ?? new Float64Array(this.#size)) : new Float64Array(this.#size).fill(Infinity);
    for (const frame of machine.framesOf(state)) {
      const each = this.frame(machine, frame, beyond);
      for (let i = 0; i < this.#size; i++) least[i] = Math.min(least[i], each[i]);
    }
    return least;
  }
  /** What one round of a loop takes, whatever stands before it. */
  round({ body }: Loop): number {
    const ways = this.#ways[body];
    let most = 0;
    for (let from = 0; from < this.#size; from++) most = Math.max(most, Math.min(...ways.slice(from * this.#size, (from + 1) * this.#size)));
    return most;
  }

  #behind(ways: Ways, end: ToEnd): ToEnd {
    const result = new Float64Array(this.#size).fill(Infinity);
    for (let from = 0; from < this.#size; from++)
      for (let to = 0; to < this.#size; to++) result[from] = Math.min(result[from], ways[from * this.#size + to] + end[to]);
    return result;
  }
  /** The rounds that a loop must still go round. */
  #rounds({ body, least }: Loop, count: number): Ways {
    let result = this.#nothing();
    let power = this.#ways[body];
    for (let left = Math.max(0, least - count); left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = this.#then(result, power);
      power = this.#then(power, power);
    }
    return result;
  }
  #nothing(): Ways {
    return Float64Array.from({ length: this.#size ** 2 }, (_, i) => (i % (this.#size + 1) === 0 ? 0 : Infinity));
  }
  #then(first: Ways, second: Ways): Ways {
    const size = this.#size;
    const result = new Float64Array(size ** 2).fill(Infinity);
    for (let from = 0; from < size; from++)
      for (let middle = 0; middle < size; middle++)
        for (let to = 0; to < size; to++)
          result[from * size + to] = Math.min(result[from * size + to], first[from * size + middle] + second[middle * size + to]);
    return result;
  }
  #shorten(node: number): boolean {
    const ways = this.#ways[node];
    let shorter = false;
    const take = (other: Ways): void => {
      for (let i = 0; i < ways.length; i++)
        if (other[i] < ways[i]) {
          ways[i] = other[i];
          shorter = true;
        }
    };
    const { arcs, jumps, calls, final, loop } = this.#network.nodes[node];
    if (final) take(this.#nothing());
    for (const jump of jumps) take(this.#ways[jump]);
    for (const { start, back } of calls) take(this.#then(this.#ways[start], this.#ways[back]));
    for (const { from, to, target } of arcs) take(this.#then(from < FIRST_TOKEN ? this.#read(from, to) : this.#nothing(), this.#ways[target]));
    if (loop) take(this.#rounds(loop, 0));
    return shorter;
  }
  #read(from: number, to: number): Ways {
    const key = from * FIRST_TOKEN + to;
    let ways = this.#bytes.get(key);
    if (!ways) {
      ways = new Float64Array(this.#size ** 2).fill(Infinity);
      for (let state = 0; state < this.#size; state++)
        for (let byte = from; byte <= to; byte++) {
          const at = state * this.#size + this.#meter.next[state * 256 + byte];
          ways[at] = Math.min(ways[at], this.#meter.cost[state * 256 + byte]);
        }
      this.#bytes.set(key, ways);
    }
    return ways;
  }
}
