// Owns a list of rules in which each stands once, in order of first mention.
// Refuses to know where rules come from.

import { hashed, mixed } from './symbols.ts';
import type { Rule } from '../types.ts';

/** A table of the rules' canonical texts: equal rules have equal ones, and there may be very many. */
export class RuleList {
  readonly rules: Rule[] = [];
  /** By rule: the hash of its text. */
  #bits = new Int32Array(64);
  /** Open addressing: place in the list + 1. */
  #slots = new Int32Array(128);

  /** Adds the rule. Returns whether it is new; one that is not replaces its equal. */
  add(rule: Rule): boolean {
    const bits = bitsOf(rule.text);
    const mask = this.#slots.length - 1;
    let slot = bits & mask;
    for (let at = this.#slots[slot] - 1; at >= 0; at = this.#slots[slot] - 1) {
      if (this.#bits[at] === bits && this.rules[at].text === rule.text) {
        this.rules[at] = rule;
        return false;
      }
      slot = (slot + 1) & mask;
    }
    const at = this.rules.push(rule) - 1;
    this.#bits[at] = bits;
    this.#slots[slot] = at + 1;
    if (this.rules.length === this.#bits.length) this.#grow();
    return true;
  }
  #grow(): void {
    const bits = new Int32Array(this.#bits.length * 2);
    bits.set(this.#bits);
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let at = 0; at < this.rules.length; at++) {
      let slot = bits[at] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = at + 1;
    }
    [this.#bits, this.#slots] = [bits, slots];
  }
}

function bitsOf(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits = hashed(bits, text.charCodeAt(i));
  return mixed(bits);
}
