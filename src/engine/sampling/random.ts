// Owns random numbers that a seed repeats.
// Refuses to know what they decide.

import { getRandomValues } from 'node:crypto';

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
