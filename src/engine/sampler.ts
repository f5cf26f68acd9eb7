// Owns the choice of the next token from logits: greedy, temperature, nucleus, seeded.
// Refuses to know what tokens mean and which of them a constraint allows beyond the list it is given.

import { getRandomValues } from 'node:crypto';
import { EngineError } from './port.ts';
import type { Sampling } from './port.ts';

/** xoshiro128** 1.1 (Blackman and Vigna 2018), its state filled from the seed by splitmix32. Same seed, same sequence. */
export class SeededRandom {
  readonly #state = new Uint32Array(4);

  /** Any finite number; integers up to 2^53 give different sequences. */
  constructor(seed: number) {
    let [low, high] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
    for (let i = 0; i < 4; i++) {
      low = (low + 0x9e3779b9) >>> 0;
      let mixed = low ^ high;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      high = Math.imul(high, 0x85ebca6b) ^ i;
      this.#state[i] = mixed ^ (mixed >>> 15);
    }
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }
  static unseeded(): SeededRandom {
    const [low, high] = getRandomValues(new Uint32Array(2));
    return new SeededRandom((high % 2 ** 21) * 2 ** 32 + low);
  }

  /** Uniform in [0, 1), 32 bits. */
  next(): number {
    const s = this.#state;
    const turned = Math.imul(s[1], 5);
    const result = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result / 2 ** 32;
  }
}

/** Working memory for one vocabulary; shared by all sequences of a model, because a choice never waits. */
export class SamplerScratch {
  readonly weights: Float64Array;
  readonly order: Int32Array;
  constructor(vocabularySize: number) {
    this.weights = new Float64Array(vocabularySize);
    this.order = new Int32Array(vocabularySize);
  }
}

export class Sampler {
  readonly #sampling: Sampling;
  readonly #random: SeededRandom;
  readonly #scratch: SamplerScratch;

  constructor(sampling: Sampling, scratch: SamplerScratch) {
    this.#sampling = sampling;
    this.#scratch = scratch;
    this.#random = sampling.seed === undefined ? SeededRandom.unseeded() : new SeededRandom(sampling.seed);
  }

  /** A token id out of `allowed` (all when absent). `logits`: one per id. Throws EngineError `failed` when none of them is a number. */
  choose(logits: Float32Array, allowed?: Int32Array): number {
    const count = allowed ? allowed.length : logits.length;
    let best = -1;
    let highest = -Infinity;
    for (let i = 0; i < count; i++) {
      const id = allowed ? allowed[i] : i;
      if (logits[id] > highest) {
        highest = logits[id];
        best = id;
      }
    }
    if (best < 0) throw new EngineError('failed', 'the model gave no usable logits (not a number, or minus infinity everywhere)');
    if (this.#sampling.temperature === 0 || count === 1) return best;

    // Candidates with their weights exp((logit - highest) / temperature), so that the likeliest weighs 1.
    const { weights, order } = this.#scratch;
    const scale = 1 / this.#sampling.temperature;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const id = allowed ? allowed[i] : i;
      const weight = Math.exp((logits[id] - highest) * scale);
      weights[id] = weight > 0 ? weight : 0;
      total += weights[id];
    }
    const { topP } = this.#sampling;
    let candidates = 0;
    // Nucleus sampling (Holtzman et al. 2020): the likeliest tokens that together weigh topP. Those below `least` weigh less than 1 - topP all together.
    const least = topP < 1 ? ((1 - topP) * total) / count : 0;
    for (let i = 0; i < count; i++) {
      const id = allowed ? allowed[i] : i;
      if (weights[id] > 0 && weights[id] >= least) order[candidates++] = id;
    }
    const kept = topP < 1 ? this.#nucleus(candidates, topP * total) : { from: 0, mass: total };
    let left = this.#random.next() * kept.mass;
    for (let i = candidates - 1; i >= kept.from; i--) {
      left -= weights[order[i]];
      if (left < 0) return order[i];
    }
    return best;
  }

  /** Heap sort that stops when the heaviest candidates reach `mass`: they stand at order[from..candidates), heaviest last. */
  #nucleus(candidates: number, mass: number): { readonly from: number; readonly mass: number } {
    const { order } = this.#scratch;
    for (let i = (candidates >> 1) - 1; i >= 0; i--) this.#sink(i, candidates);
    let from = candidates;
    let reached = 0;
    while (from > 0 && (reached < mass || from === candidates)) {
      from--;
      const heaviest = order[0];
      order[0] = order[from];
      order[from] = heaviest;
      reached += this.#scratch.weights[heaviest];
      this.#sink(0, from);
    }
    return { from, mass: reached };
  }
  #sink(start: number, size: number): void {
    const { order } = this.#scratch;
    let parent = start;
    for (;;) {
      let largest = parent;
      for (let child = 2 * parent + 1; child <= 2 * parent + 2; child++) if (child < size && this.#before(order[child], order[largest])) largest = child;
      if (largest === parent) return;
      const moved = order[parent];
      order[parent] = order[largest];
      order[largest] = moved;
      parent = largest;
    }
  }
  /** Heavier first; among equals the lower id. */
  #before(a: number, b: number): boolean {
    const { weights } = this.#scratch;
    return weights[a] > weights[b] || (weights[a] === weights[b] && a < b);
  }
}
