// Owns a list of rules in which each stands once, in order of first mention.
// Refuses to know where rules come from.

import type { Rule } from '../types.ts';

/** A table of the rules' content addresses: they are hashes already, and there may be very many. */
export class RuleList {
  readonly rules: Rule[] = [];
  /** By rule: the beginning of its address. */
  #bits = new Int32Array(64);
  /** Open addressing: place in the list + 1. */
  #slots = new Int32Array(128);

  /** Adds the rule. Returns whether it is new; one that is not replaces its equal. */
  add(rule: Rule): boolean {
    const bits = bitsOf(rule.id);
    const mask = this.#slots.length - 1;
    let slot = bits & mask;
    for (let at = this.#slots[slot] - 1; at >= 0; at = this.#slots[slot] - 1) {
      if (this.#bits[at] === bits && this.rules[at].id === rule.id) {
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

/** The first eight hexadecimal digits behind `r_`. */
function bitsOf(id: string): number {
  let bits = 0;
  for (let i = 2; i < 10; i++) {
    const code = id.charCodeAt(i);
    bits = (bits << 4) | (code < 58 ? code - 48 : code - 87);
  }
  return bits;
}
