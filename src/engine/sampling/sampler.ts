// Owns the choice of the next token from logits: penalties, bias, temperature, the cuts by rank and mass, the draw, and how likely the choice was.
// Refuses to know what tokens mean and which of them a constraint allows beyond the list it is given.

import type { TokenSet } from '../constraints/tokens/token-set.ts';
import { EngineError } from '../port.ts';
import type { Sampling } from '../port.ts';
import { SeededRandom } from './random.ts';
import { TokenCounts } from './token-counts.ts';

const NONE: ReadonlySet<number> = new Set();

/** Working memory for one vocabulary; shared by all sequences of a model, because a choice never waits. */
export class SamplerScratch {
  readonly weights: Float64Array;
  readonly order: Int32Array;
  /** What a heap is ordered by, where that is not the weight. */
  readonly keys: Float64Array;
  constructor(vocabularySize: number) {
    this.weights = new Float64Array(vocabularySize);
    this.order = new Int32Array(vocabularySize);
    this.keys = new Float64Array(vocabularySize);
  }
}

/** How likely a token was, by the model's own distribution: before penalties, temperature, cuts and constraint. */
export interface Likelihood {
  readonly logprob: number;
  /** The likeliest tokens, likeliest first. */
  readonly top: readonly (readonly [token: number, logprob: number])[];
}

export class Sampler {
  readonly #sampling: Sampling;
  readonly #random: SeededRandom;
  readonly #scratch: SamplerScratch;
  /** Absent: nothing depends on what was written. */
  readonly #counts: TokenCounts | undefined;
  readonly #bias: readonly (readonly [token: number, bias: number])[];
  /** Of the last choice, when `sampling.logprobs` is given. */
  likelihood: Likelihood | undefined;

  /** `prompt`: ids that the repetition penalty looks at besides those that are written. */
  constructor(sampling: Sampling, scratch: SamplerScratch, prompt: readonly number[] = []) {
    this.#sampling = sampling;
    this.#scratch = scratch;
    this.#random = sampling.seed === undefined ? SeededRandom.unseeded() : new SeededRandom(sampling.seed);
    const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampling;
    if (repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0) this.#counts = new TokenCounts({ repetitionPenalty, presencePenalty, frequencyPenalty }, prompt);
    this.#bias = Object.entries(sampling.logitBias ?? {}).map(([token, bias]) => [Number(token), bias]);
  }
  /** A choice is free of logits only where nobody asks how likely it was. */
  get wantsLikelihood(): boolean {
    return this.#sampling.logprobs !== undefined;
  }
  /** `token` was written. */
  accept(token: number): void {
    this.#counts?.add(token);
  }

  /** How likely a token was that nobody chose, and so many of the likeliest ones. */
  score(logits: Float32Array, token: number, most: number): Likelihood {
    const { top, total, highest } = this.#likeliest(logits, most);
    return { logprob: logits[token] - highest - total, top: top.map((id) => [id, logits[id] - highest - total]) };
  }

  /** A token id out of `allowed` (all when absent), and none of `barred`, where that leaves any. `logits`: one per id; they are changed. Throws EngineError `failed` when none of them is a number. */
  choose(logits: Float32Array, allowed?: TokenSet, barred: ReadonlySet<number> = NONE): number {
    const { logprobs } = this.#sampling;
    if (logprobs === undefined) return this.#choose(logits, allowed, barred);
    const { top, total, highest } = this.#likeliest(logits, logprobs);
    const before = Float32Array.from(logits);
    const token = this.#choose(logits, allowed, barred);
    const logprob = (id: number): number => before[id] - highest - total;
    this.likelihood = { logprob: logprob(token), top: top.map((id) => [id, logprob(id)]) };
    return token;
  }

  #choose(logits: Float32Array, set: TokenSet | undefined, barred: ReadonlySet<number>): number {
    const allowed = set?.ids;
    if (set?.bits) set.mask(logits);
    if (set?.within(barred) !== true) for (const token of barred) if (token < logits.length) logits[token] = -Infinity;
    this.#counts?.apply(logits);
    for (const [token, bias] of this.#bias) if (token < logits.length) logits[token] += bias;
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
    const { temperature, topP, topK = 0, minP = 0, typicalP = 1 } = this.#sampling;
    if (temperature === 0 || count === 1) return best;

    // Candidates with their weights exp((logit - highest) / temperature), so that the likeliest weighs 1.
    const { weights, order } = this.#scratch;
    const scale = 1 / temperature;
    // Min-p (Nguyen et al. 2024): a token weighs at least so much of what the likeliest weighs.
    let candidates = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const id = allowed ? allowed[i] : i;
      const weight = Math.exp((logits[id] - highest) * scale);
      if (!(weight > 0) || weight < minP) continue;
      weights[id] = weight;
      order[candidates++] = id;
      total += weight;
    }
    let from = 0;
    if (typicalP < 1) [candidates, total] = this.#typical(candidates, total, typicalP);
    if (topK > 0 && topK < candidates) [from, total] = this.#heaviest(0, candidates, total, 1, topK);
    // Nucleus sampling (Holtzman et al. 2020): the likeliest tokens that together weigh topP.
    if (topP < 1) [from, total] = from > 0 ? this.#cutSorted(from, candidates, topP * total) : this.#heaviest(from, candidates, total, topP, candidates);
    let left = this.#random.next() * total;
    for (let i = candidates - 1; i >= from; i--) {
      left -= weights[order[i]];
      if (left < 0) return order[i];
    }
    return best;
  }

  /**
   * The heaviest candidates until they weigh `share` of the total or are `most`: they stand at order[from..candidates), heaviest last. Heap sort that stops there; those that together cannot
   * weigh what is cut off are left out of the heap.
   */
  #heaviest(start: number, candidates: number, total: number, share: number, most: number): [from: number, mass: number] {
    const { order, weights } = this.#scratch;
    let low = start;
    if (share < 1) {
      // Lighter ones weigh less than 1 - share all together.
      const least = ((1 - share) * total) / (candidates - start);
      for (let i = start; i < candidates; i++)
        if (weights[order[i]] < least) {
          const light = order[i];
          order[i] = order[low];
          order[low++] = light;
        }
    }
    const size = candidates - low;
    for (let i = (size >> 1) - 1; i >= 0; i--) this.#sink(low, i, size, weights);
    let left = size;
    let mass = 0;
    while (left > 0 && size - left < most && (mass < share * total || left === size)) {
      left--;
      const heaviest = order[low];
      order[low] = order[low + left];
      order[low + left] = heaviest;
      mass += weights[heaviest];
      this.#sink(low, 0, left, weights);
    }
    return [low + left, mass];
  }
  /** The same where order[from..candidates) is sorted already, heaviest last. */
  #cutSorted(from: number, candidates: number, wanted: number): [from: number, mass: number] {
    const { order, weights } = this.#scratch;
    let mass = 0;
    let at = candidates;
    while (at > from && (mass < wanted || at === candidates)) mass += weights[order[--at]];
    return [at, mass];
  }
  /** Locally typical sampling (Meister et al. 2023): those whose surprise is closest to the expected one, until they weigh `share`. They come to the front of `order`. */
  #typical(candidates: number, total: number, share: number): [candidates: number, mass: number] {
    const { order, weights, keys } = this.#scratch;
    let entropy = 0;
    for (let i = 0; i < candidates; i++) {
      const p = weights[order[i]] / total;
      entropy -= p * Math.log(p);
    }
    for (let i = 0; i < candidates; i++) keys[order[i]] = -Math.abs(-Math.log(weights[order[i]] / total) - entropy);
    for (let i = (candidates >> 1) - 1; i >= 0; i--) this.#sink(0, i, candidates, keys);
    let left = candidates;
    let mass = 0;
    while (left > 0 && (mass < share * total || left === candidates)) {
      left--;
      const closest = order[0];
      order[0] = order[left];
      order[left] = closest;
      mass += weights[closest];
      this.#sink(0, 0, left, keys);
    }
    order.copyWithin(0, left, candidates);
    return [candidates - left, mass];
  }
  /** In the heap order[low..low + size): the greatest key first; among equals the lower id. */
  #sink(low: number, start: number, size: number, keys: Float64Array): void {
    const { order } = this.#scratch;
    let parent = start;
    for (;;) {
      let largest = parent;
      for (let child = 2 * parent + 1; child <= 2 * parent + 2; child++) {
        if (child >= size) break;
        const [a, b] = [order[low + child], order[low + largest]];
        if (keys[a] > keys[b] || (keys[a] === keys[b] && a < b)) largest = child;
      }
      if (largest === parent) return;
      const moved = order[low + parent];
      order[low + parent] = order[low + largest];
      order[low + largest] = moved;
      parent = largest;
    }
  }

  /** The likeliest tokens, and the logarithm of the sum of exp(logit - highest). */
  #likeliest(logits: Float32Array, count: number): { readonly top: readonly number[]; readonly total: number; readonly highest: number } {
    const top: number[] = [];
    let highest = -Infinity;
    for (let id = 0; id < logits.length; id++) {
      const value = logits[id];
      if (value > highest) highest = value;
      if (count === 0 || (top.length === count && !(value > logits[top[count - 1]]))) continue;
      let at = top.length;
      while (at > 0 && value > logits[top[at - 1]]) at--;
      top.splice(at, 0, id);
      if (top.length > count) top.pop();
    }
    let sum = 0;
    for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id] - highest);
    return { top, total: Math.log(sum), highest };
  }
}
