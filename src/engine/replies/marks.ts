// Owns the marks of a reply's parts: how each reaches a reader, and finding them in a growing text.
// Refuses to know what the marks stand for.

/** Marks that are one special token come as signs that no text holds: halves of surrogate pairs, which UTF-8 cannot write. */
const FIRST_SIGN = 0xdc00;
const LAST_SIGN = 0xdcff;
/** Is this character such a sign? */
export function isSign(character: string): boolean {
  const code = character.charCodeAt(0);
  return character.length === 1 && code >= FIRST_SIGN && code <= LAST_SIGN;
}

/** A mark, or the parts of one of which some may be special tokens. */
export type Mark = string | readonly string[];
type SpecialId = (text: string) => number | undefined;
export interface MarkPiece {
  readonly text: string;
  /** Of a special token. */
  readonly id?: number;
}
/** A mark in the special tokens of which it is made, and text between them: <|channel>thought is one token and a word. */
export function piecesOf(mark: string, specialId: SpecialId): readonly MarkPiece[] {
  const whole = specialId(mark);
  if (whole !== undefined) return [{ text: mark, id: whole }];
  return mark
    .split(/(<[^<>]*>)/)
    .filter((text) => text !== '')
    .map((text) => {
      const id = specialId(text);
      return id === undefined ? { text } : { text, id };
    });
}

export class Marks {
  /** Signs by token: what a detokenizer gives in the place of these special tokens. */
  readonly signs = new Map<number, string>();
  readonly #texts = new Map<string, string>();
  readonly #specialId: SpecialId;

  /** `specialId`: the id of a special token; undefined for all other texts. */
  constructor(specialId: SpecialId) {
    this.#specialId = specialId;
  }
  /** A mark as it reaches a reader. Of one that is no special token itself, the special tokens in it have their signs. */
  as(mark: Mark): string {
    return typeof mark === 'string' ? this.#as(mark) : mark.map((part) => this.#as(part)).join('');
  }
  #as(text: string): string {
    return piecesOf(text, this.#specialId)
      .map((piece) => (piece.id === undefined ? piece.text : this.#sign(piece.id, piece.text)))
      .join('');
  }
  #sign(id: number, text: string): string {
    let sign = this.signs.get(id);
    if (sign === undefined) {
      if (this.signs.size > LAST_SIGN - FIRST_SIGN) throw new RangeError(`a reply has ${this.signs.size} marks, which is the limit`);
      sign = String.fromCharCode(FIRST_SIGN + this.signs.size);
      this.signs.set(id, sign);
      this.#texts.set(sign, text);
    }
    return sign;
  }
  /** Signs as the marks that they stand for. */
  plain(text: string): string {
    if (this.#texts.size === 0) return text;
    return Array.from(text, (character) => (isSign(character) ? (this.#texts.get(character) ?? '') : character)).join('');
  }
}

/** Finds marks in a text that comes character by character. */
export class MarkFinder {
  readonly #marks: readonly string[];
  #held = '';

  constructor(marks: readonly string[]) {
    this.#marks = marks;
  }
  /** What may be the beginning of a mark. */
  get held(): string {
    return this.#held;
  }
  /** `passed`: text that is certain to be no part of a mark; `found`: the mark behind it. */
  push(character: string): { readonly passed: string; readonly found?: string } {
    let passed = '';
    this.#held += character;
    while (this.#held !== '') {
      const held = this.#held;
      if (this.#marks.includes(held)) {
        this.#held = '';
        return { passed, found: held };
      }
      if (this.#marks.some((mark) => mark.startsWith(held))) return { passed };
      const first = String.fromCodePoint(held.codePointAt(0) ?? 0);
      passed += first;
      this.#held = held.slice(first.length);
    }
    return { passed };
  }
  /** The text is over, or is read otherwise from here on: what was held. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
