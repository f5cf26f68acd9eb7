// Owns how likely each token of a prompt is, as it is read: told with an echo of the prompt, or by itself.
// Refuses to know passes, and what is written behind the prompt.

import type { RankedToken, WrittenToken } from '../port.ts';
import type { Likelihood, Sampler } from '../sampling/sampler.ts';

export interface PromptScoresParts {
  readonly prompt: readonly number[];
  readonly sampler: Sampler;
  readonly describe: (token: number, likelihood?: Likelihood) => WrittenToken;
  /** So many of the likeliest tokens for each: by itself, and with an echo; undefined: not asked for. */
  readonly likelihoods: { readonly prompt: number | undefined; readonly echo: number | undefined };
}

export class PromptScores {
  readonly #parts: PromptScoresParts;
  readonly #ranked: (readonly RankedToken[])[] = [];
  /** Tokens of the prompt that were read. */
  #read = 0;

  private constructor(parts: PromptScoresParts) {
    this.#parts = parts;
  }
  /** Undefined: nobody asks. */
  static of(parts: PromptScoresParts): PromptScores | undefined {
    const { prompt, echo } = parts.likelihoods;
    return prompt === undefined && echo === undefined ? undefined : new PromptScores(parts);
  }
  get done(): boolean {
    return this.#read >= this.#parts.prompt.length;
  }
  /** Once all is read, where it is asked for. */
  get ranked(): readonly (readonly RankedToken[])[] | undefined {
    return this.done && this.#parts.likelihoods.prompt !== undefined ? this.#ranked : undefined;
  }

  /** `count` tokens more were read, and `rows` are the logits behind each. Returns the tokens of which the likelihood is known by now, for an echo. */
  take(rows: readonly Float32Array[], count: number): WrittenToken[] {
    const { prompt, sampler, describe, likelihoods } = this.#parts;
    const told: WrittenToken[] = [];
    if (this.#read === 0) {
      if (likelihoods.echo !== undefined) told.push(describe(prompt[0]));
      this.#ranked.push([]);
    }
    const most = Math.max(likelihoods.prompt ?? 0, likelihoods.echo ?? 0);
    for (let i = 0; i < count; i++) {
      const next = prompt[this.#read + i + 1];
      if (next === undefined) break;
      const { logprob, top } = sampler.score(rows[i], next, most);
      if (likelihoods.echo !== undefined) told.push(describe(next, { logprob, top: top.slice(0, likelihoods.echo) }));
      if (likelihoods.prompt !== undefined) this.#ranked.push(this.#rankedOf(rows[i], next, logprob, top.slice(0, likelihoods.prompt)));
    }
    this.#read += count;
    return told;
  }
  #rankedOf(logits: Float32Array, token: number, logprob: number, top: Likelihood['top']): RankedToken[] {
    const others = top.map(([id, each], i) => this.#one(id, each, i + 1)).filter(({ id }) => id !== token);
    let rank = top.findIndex(([id]) => id === token) + 1;
    if (rank === 0) rank = 1 + logits.reduce((sum, value, id) => (value > logits[token] || (value === logits[token] && id < token) ? sum + 1 : sum), 0);
    return [this.#one(token, logprob, rank), ...others];
  }
  #one(id: number, logprob: number, rank: number): RankedToken {
    return { id, text: this.#parts.describe(id).text, logprob, rank };
  }
}
