// Owns the memory in which one thread leaves masks for another: slots, and a word of control for each that says whose turn it is.
// Refuses to know what masks are of, and who finds them.
//
// A slot is asked for, begun by the thread that finds the mask, and done. Whoever asked may take back what is not begun; a slot that is begun is written by the other thread alone. What nobody
// comes for is overwritten when its turn comes again, so that nothing has to be given back.

import { TokenSet } from '../tokens/token-set.ts';

/** Tokens that may come; and those that might come if the text were not limited, where that is more. */
export interface Masks {
  readonly allowed: TokenSet;
  readonly unlimited: TokenSet | undefined;
}
/** A slot for one mask; `turn` tells it from those that had the slot before. */
export interface Claim {
  readonly slot: number;
  readonly turn: number;
}
const [ASKED, BEGUN, DONE, DONE_LIMITED, OVER] = [0, 1, 2, 3, 4];
const PHASES = 8;
const TURNS = 2 ** 27;
/** At a vocabulary of 152,000 they take 2.4 MB. */
const SLOTS = 64;

export class MaskSlots {
  /** To be given to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #bits: Uint32Array;
  readonly #words: number;
  #turn = 0;

  /** `size`: tokens of the vocabulary. `memory`: of the other thread's slots. */
  constructor(size: number, memory?: SharedArrayBuffer) {
    this.#words = Math.ceil(size / 32);
    this.memory = memory ?? new SharedArrayBuffer(4 * (SLOTS + SLOTS * 2 * this.#words));
    this.#control = new Int32Array(this.memory, 0, SLOTS);
    this.#bits = new Uint32Array(this.memory, 4 * SLOTS);
    if (!memory) this.#control.fill(OVER);
  }

  /** A slot to be asked for; undefined where none is free. */
  claim(): Claim | undefined {
    for (let i = 0; i < SLOTS; i++) {
      this.#turn = (this.#turn + 1) % TURNS;
      const slot = this.#turn % SLOTS;
      const seen = Atomics.load(this.#control, slot);
      if (seen % PHASES !== BEGUN && Atomics.compareExchange(this.#control, slot, seen, word(this.#turn, ASKED)) === seen) return { slot, turn: this.#turn };
    }
    return undefined;
  }
  /**
   * What a slot was asked for. Waits for what is begun, at most `mostMs`; for what is not, at most `patienceMs`, and takes it back then. Undefined where it was taken back, came too late, has
   * failed, or was overwritten.
   */
  take({ slot, turn }: Claim, patienceMs: number, mostMs: number): Masks | undefined {
    const began = performance.now();
    for (;;) {
      const seen = Atomics.load(this.#control, slot);
      const [asked, begun] = [seen === word(turn, ASKED), seen === word(turn, BEGUN)];
      if (!asked && !begun) return this.#read(slot, seen, turn);
      const left = (asked ? patienceMs : mostMs) - (performance.now() - began);
      if (left > 0) Atomics.wait(this.#control, slot, seen, left);
      else if (begun) return undefined;
      else if (Atomics.compareExchange(this.#control, slot, seen, word(turn, OVER)) === seen) return undefined;
    }
  }
  #read(slot: number, seen: number, turn: number): Masks | undefined {
    const limited = seen === word(turn, DONE_LIMITED);
    if (!limited && seen !== word(turn, DONE)) return undefined;
    const at = slot * 2 * this.#words;
    const set = (from: number): TokenSet => TokenSet.ofBits(this.#bits.slice(from, from + this.#words));
    return { allowed: set(at), unlimited: limited ? set(at + this.#words) : undefined };
  }

  /** For the thread that finds masks: may it begin? */
  begin({ slot, turn }: Claim): boolean {
    return Atomics.compareExchange(this.#control, slot, word(turn, ASKED), word(turn, BEGUN)) === word(turn, ASKED);
  }
  /** For that thread: what it found, both as bits; undefined where it failed. */
  finish({ slot, turn }: Claim, masks: Masks | undefined): void {
    const { allowed, unlimited } = masks ?? {};
    const at = slot * 2 * this.#words;
    if (allowed?.bits) this.#bits.set(allowed.bits, at);
    if (unlimited?.bits) this.#bits.set(unlimited.bits, at + this.#words);
    Atomics.store(this.#control, slot, word(turn, !allowed?.bits ? OVER : unlimited ? DONE_LIMITED : DONE));
    Atomics.notify(this.#control, slot);
  }
}

const word = (turn: number, phase: number): number => turn * PHASES + phase;
