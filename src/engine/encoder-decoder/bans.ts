// Owns which tokens a text may not go on with, as generation_config.json says: never, not at first, not again, no end too soon.
// Refuses to know constraints and sampling.

export interface BanRules {
  /** No sequence of so many tokens comes twice; 0: any may. */
  readonly ngram: number;
  readonly always: readonly number[];
  /** Not as the first token that is written. */
  readonly first: readonly number[];
  /** Sequences of tokens that never come. */
  readonly words: readonly (readonly number[])[];
  /** Tokens that are written before the text may end. */
  readonly least: number;
}
const isNothing = ({ ngram, always, first, words, least }: BanRules): boolean => ngram + always.length + first.length + words.length + least === 0;

/** Of one text. */
export class Bans {
  readonly #rules: BanRules;
  readonly #ends: readonly number[];
  readonly #text: number[];
  #written = 0;

  private constructor(rules: BanRules, begins: readonly number[], ends: readonly number[]) {
    this.#rules = rules;
    this.#ends = ends;
    this.#text = [...begins];
  }
  /** `begins`: what the decoder sees before it writes; it counts where sequences repeat. Undefined where nothing is banned. */
  static of(rules: BanRules, begins: readonly number[], ends: Iterable<number>): Bans | undefined {
    return isNothing(rules) ? undefined : new Bans(rules, begins, [...ends]);
  }
  accept(token: number): void {
    this.#text.push(token);
    this.#written++;
  }
  /** Makes the banned tokens impossible. `logits`: one per id. */
  apply(logits: Float32Array): void {
    const { ngram, always, first, words, least } = this.#rules;
    const ban = (token: number): void => {
      if (token < logits.length) logits[token] = -Infinity;
    };
    always.forEach(ban);
    if (this.#written === 0) first.forEach(ban);
    if (this.#written < least) this.#ends.forEach(ban);
    const end = this.#text.length;
    for (const word of words) if (word.length > 0 && this.#stands(word, word.length - 1, end)) ban(word[word.length - 1]);
    if (ngram === 0) return;
    const last = this.#text.slice(Math.max(0, end - ngram + 1));
    if (last.length < ngram - 1) return;
    for (let at = last.length; at < end; at++) if (this.#stands(last, last.length, at)) ban(this.#text[at]);
  }
  /** Are the tokens in front of `end` the first `length` of these? */
  #stands(tokens: readonly number[], length: number, end: number): boolean {
    if (end < length) return false;
    for (let i = 0; i < length; i++) if (this.#text[end - length + i] !== tokens[i]) return false;
    return true;
  }
}
