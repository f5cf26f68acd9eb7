// Owns one text under a grammar: where it stands, which tokens may come, and which masks it will want next.
// Refuses to know limits, and how masks are found.

import { AskedMasks } from './ahead.ts';
import type { MasksAhead } from './ahead.ts';
import type { Machine } from '../grammar/machine.ts';
import type { CompiledGrammar } from './masks.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import { TokenSet } from '../tokens/token-set.ts';

/** Tokens of a guess behind which masks are asked for. */
const MOST_FORESEEN = 8;

/** One text under a grammar. */
export class GrammarWalk {
  readonly #grammar: CompiledGrammar;
  readonly #asked: AskedMasks<number> | undefined;
  #machine: Machine;
  #state: number;
  #allowed: TokenSet | undefined;

  /** `ahead`: finds masks while a pass runs. */
  constructor(grammar: CompiledGrammar, ahead?: MasksAhead) {
    this.#grammar = grammar;
    this.#asked = ahead && new AskedMasks(ahead);
    this.#machine = grammar.machine();
    this.#state = this.#machine.start;
  }
  get machine(): Machine {
    return this.#machine;
  }
  get state(): number {
    return this.#state;
  }
  allowed(): TokenSet {
    return (this.#allowed ??= this.#state < 0 ? TokenSet.ofIds([]) : this.#find());
  }
  #find(): TokenSet {
    const [machine, state] = [this.#machine, this.#state];
    return this.#grammar.known(machine, state) ?? this.#grammar.allowed(machine, state, this.#asked?.take(state)?.allowed);
  }
  /** As `allowed`; undefined where at least two tokens may come that are no ends, and which they are is still to be found. */
  next(): TokenSet | undefined {
    if (this.#allowed || !this.#asked) return this.allowed();
    if (this.#grammar.known(this.#machine, this.#state)) return this.allowed();
    const some = this.#grammar.firstTwo(this.#machine, this.#state);
    if (some.length === 2) return undefined;
    return (this.#allowed = TokenSet.ofIds([...some, ...(this.complete() ? this.#grammar.ends : [])]));
  }
  /** Asks for the masks here and behind each of the tokens of `guess`. */
  foresee(guess: readonly number[]): void {
    if (!this.#asked || this.#state < 0) return;
    const states = new Set(this.#allowed ? [] : [this.#state]);
    for (const state of statesBehind(this.#grammar, this.#machine, this.#state, guess)) states.add(state);
    const wanted = [...states].filter((state) => !this.#grammar.known(this.#machine, state));
    this.#asked.ask(
      this.#grammar,
      this.#machine,
      wanted.map((state) => ({ key: state, state })),
    );
  }
  complete(): boolean {
    return this.#state >= 0 && this.#machine.ends(this.#state);
  }
  /** False where these bytes may not come; the walk stays where it is then. */
  accept(bytes: Uint8Array): boolean {
    return this.#read(bytes);
  }
  /** The same for a special token. */
  acceptToken(token: number): boolean {
    const at = this.#grammar.network.tokens.indexOf(token);
    return at >= 0 && this.#read([FIRST_TOKEN + at]);
  }
  #read(arcs: Iterable<number>): boolean {
    let state = this.#state;
    for (const byte of arcs) {
      if (state < 0) return false;
      state = this.#machine.step(state, byte);
    }
    if (state < 0) return false;
    const before = this.#machine;
    ({ machine: this.#machine, state: this.#state } = this.#machine.renewed(state));
    if (this.#machine !== before) this.#asked?.forget();
    this.#allowed = undefined;
    return true;
  }
}

/** The states behind each token of a guess, as far as the grammar takes it. */
export function statesBehind(grammar: CompiledGrammar, machine: Machine, start: number, guess: readonly number[]): number[] {
  const states: number[] = [];
  let state = start;
  for (const token of guess.slice(0, MOST_FORESEEN)) {
    const arcs = grammar.arcsOf(token);
    if (!arcs) break;
    try {
      for (const arc of arcs) if (state >= 0) state = machine.step(state, arc);
    } catch {
      // Too many places: whoever writes this text comes to that, too, and says so.
      break;
    }
    if (state < 0) break;
    states.push(state);
  }
  return states;
}
