// Owns whole numbers beyond 2^53 in JSON that templates read: marks stand for them while a template writes, and their digits in what it wrote.
// Refuses to know templates.

import { randomInt } from 'node:crypto';

/** First digits of a mark, which stand in no text, and those that count. Together they stay below 2^53. */
const [FRONT, COUNTED] = [10, 6];

export class LongNumbers {
  readonly #front: string;
  readonly #digits: string[] = [];

  /** `texts`: all that a template may write besides. */
  constructor(texts: string) {
    let front: string;
    do front = String(randomInt(10 ** (FRONT - 1), 9 * 10 ** (FRONT - 1)));
    while (texts.includes(front));
    this.#front = front;
  }
  /** An object with marks in the place of such numbers; undefined for what is none. */
  objectOf(json: string): object | undefined {
    try {
      const value: unknown = JSON.parse(json, (_key, each: unknown, context?: { readonly source?: string }) => (typeof each === 'number' && !Number.isSafeInteger(each) ? this.#mark(each, context?.source ?? '') : each));
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }
  restored(text: string): string {
    return this.#digits.length === 0 ? text : text.replaceAll(new RegExp(`${this.#front}(\\d{${COUNTED}})`, 'g'), (mark, number: string) => this.#digits[Number(number)] ?? mark);
  }
  #mark(value: number, source: string): number {
    if (!/^-?\d+$/.test(source) || this.#digits.length === 10 ** COUNTED) return value;
    return Number(this.#front + String(this.#digits.push(source) - 1).padStart(COUNTED, '0'));
  }
}
