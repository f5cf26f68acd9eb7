// Owns guessing what comes next from what the text already holds: where the last tokens stood before, what followed them then. Answers that quote their facts are guessed for whole stretches.
// Refuses to know the model: whoever uses a guess has it checked.
//
// Prompt lookup decoding (Saxena 2023; Yang et al. 2023, "Inference with Reference"). How much is guessed follows how much was right lately.

const FIRST_DRAFT = 3;
const LONGEST_DRAFT = 64;
/** Tokens written without a guess after guesses that were all wrong. */
const PAUSE = 6;
/** Ids are below it: pairs and triples of them are whole numbers. */
const BASE = 2 ** 17.5;

export class Drafts {
  readonly #text: number[] = [];
  /** Where the last pair, and triple, of these tokens ended. */
  readonly #pairs = new Map<number, number>();
  readonly #triples = new Map<number, number>();
  /** Tokens of the next guess. */
  #length = FIRST_DRAFT;
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

  /** What may follow, `most` tokens at most; may be empty. */
  guess(most: number): number[] {
    const text = this.#text;
    const end = text.length;
    if (this.#pause > 0 || most < 1 || end < 3) return [];
    const triple = this.#triples.get(this.#triple(end));
    const at = triple ?? this.#pairs.get(this.#pair(end));
    if (at === undefined) return [];
    // Two tokens alike are weak evidence.
    const length = Math.min(most, triple === undefined ? Math.min(2, this.#length) : this.#length);
    return text.slice(at, at + length);
  }
  /** How many tokens of the last guess were right. */
  judge(guessed: number, right: number): void {
    if (guessed === 0) return;
    if (right === guessed) this.#length = Math.max(this.#length, Math.min(LONGEST_DRAFT, guessed * 2));
    else if (right === 0) {
      this.#length = Math.max(1, this.#length >> 1);
      if (this.#length === 1) this.#pause = PAUSE;
    } else this.#length = Math.max(FIRST_DRAFT, right);
  }
}
