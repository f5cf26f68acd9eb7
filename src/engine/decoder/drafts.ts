// Owns guessing what comes next from what the text already holds: where the last tokens stood before, what followed them then. Answers that quote their facts are guessed for whole stretches.
// Refuses to know the model: whoever uses a guess has it checked.
//
// Prompt lookup decoding (Saxena 2023; Yang et al. 2023, "Inference with Reference"). How much is guessed follows from how often guesses were right lately and what a longer pass costs
// (as in Leviathan et al., ICML 2023, section 3.5).

/** Share of guessed tokens that are right, to begin with, and how much of it each guess decides. */
const FIRST_RATE = 0.7;
const NEWS = 0.2;
/** Tokens written without a guess after guesses were not worth their cost; then one token is tried. */
const PAUSE = 8;
/** Ids are below it: pairs and triples of them are whole numbers. */
const BASE = 2 ** 17.5;

export class Drafts {
  readonly #text: number[] = [];
  /** Where the last pair, and triple, of these tokens ended. */
  readonly #pairs = new Map<number, number>();
  readonly #triples = new Map<number, number>();
  #rate = FIRST_RATE;
  #pause = 0;

  constructor(prompt: readonly number[]) {
    for (const token of prompt) this.push(token);
  }
  /** The text goes on with this token. */
  push(token: number): void {
    this.#note();
    this.#text.push(token);
    if (this.#pause > 0) this.#pause--;
  }
  /** Notes the end of the text, once something stands behind it. */
  #note(): void {
    const end = this.#text.length;
    if (end >= 2) this.#pairs.set(this.#pair(end), end);
    if (end >= 3) this.#triples.set(this.#triple(end), end);
  }
  #pair(end: number): number {
    return this.#text[end - 2] * BASE + this.#text[end - 1];
  }
  #triple(end: number): number {
    return this.#text[end - 3] * BASE * BASE + this.#pair(end);
  }

  /** What may follow, `most` tokens at most; may be empty. `overhead`: what a pass costs, in tokens, besides its tokens. */
  guess(most: number, overhead: number): number[] {
    const text = this.#text;
    const end = text.length;
    if (this.#pause > 0 || most < 1 || end < 3) return [];
    const triple = this.#triples.get(this.#triple(end));
    const at = triple ?? this.#pairs.get(this.#pair(end));
    if (at === undefined) return [];
    // Two tokens alike are weak evidence.
    return text.slice(at, at + Math.min(triple === undefined ? 2 : most, most, this.#worth(most, overhead)));
  }
  /** The length of a guess at which a pass brings most tokens for its cost: with the share r of right ones, 1 + r + r² + .. of them. At least one is tried, so that the share is learnt. */
  #worth(most: number, overhead: number): number {
    let [best, length] = [0, 1];
    let [expected, right] = [1, 1];
    for (let guessed = 1; guessed <= most; guessed++) {
      right *= this.#rate;
      expected += right;
      const worth = expected / (overhead + 1 + guessed);
      if (worth < best) break;
      [best, length] = [worth, guessed];
    }
    return length;
  }
  /** How many tokens of the last guess were right. */
  judge(guessed: number, right: number, overhead: number): void {
    if (guessed === 0) return;
    const looked = right < guessed ? right + 1 : right;
    this.#rate += (1 - (1 - NEWS) ** looked) * (right / looked - this.#rate);
    // Not even one more token is worth what it costs.
    if ((1 + this.#rate) * (overhead + 1) < overhead + 2) this.#pause = PAUSE;
  }
}
