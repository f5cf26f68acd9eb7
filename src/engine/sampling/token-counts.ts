// Owns the penalties for tokens that a text holds already.
// Refuses to know how a token is chosen.

export interface Penalties {
  /** Logits of tokens in prompt or text are divided by it where positive, multiplied where negative (Keskar et al. 2019). 1: none. */
  readonly repetitionPenalty: number;
  /** Taken off once for tokens in the text (OpenAI's definition). */
  readonly presencePenalty: number;
  /** Taken off for each time that a token is in the text. */
  readonly frequencyPenalty: number;
}

export class TokenCounts {
  readonly #penalties: Penalties;
  /** By token: times that it was written; 0 for those of the prompt. */
  readonly #counts = new Map<number, number>();

  constructor(penalties: Penalties, prompt: readonly number[]) {
    this.#penalties = penalties;
    if (penalties.repetitionPenalty !== 1) for (const token of prompt) this.#counts.set(token, 0);
  }
  add(token: number): void {
    this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1);
  }
  apply(logits: Float32Array): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = this.#penalties;
    for (const [token, count] of this.#counts) {
      if (token >= logits.length) continue;
      let value = logits[token];
      if (repetitionPenalty !== 1) value = value > 0 ? value / repetitionPenalty : value * repetitionPenalty;
      if (count > 0) value -= presencePenalty + frequencyPenalty * count;
      logits[token] = value;
    }
  }
}
