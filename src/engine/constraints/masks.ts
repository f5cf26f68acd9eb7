// Owns which tokens may come at a place of a grammar.
// Refuses to know which model they are of, and what is chosen.
//
// A state is a set of places, and a token may come when it may come at one of them. Most tokens that may come at a place never leave the networks around it, so that they are the same wherever
// these networks were called from: they are found once for a place and kept with the grammar. Those that leave are few, and are tried at each state anew (the division of XGrammar, Dong et al. 2024).

import { FLOOR, Machine } from './machine.ts';
import { FIRST_TOKEN, Network } from './network.ts';
import type { Grammar } from './expression.ts';
import { TokenSet } from './token-set.ts';
import { TokenTrie } from './token-trie.ts';

/** What is known of a place whatever called its networks. */
interface Local {
  readonly bits: Uint32Array;
  /** Tokens that go on beyond the networks. */
  readonly leaving: TokenTrie;
}
const MOST_LOCALS = 4_096;
/** States whose tokens are kept: at a vocabulary of 152,000 each takes 19 kB. */
const MOST_MASKS = 256;

/** A grammar made ready for a vocabulary; texts share it. */
export class CompiledGrammar {
  readonly network: Network;
  readonly #trie: TokenTrie;
  readonly #size: number;
  readonly #ends: readonly number[];
  readonly #bytesOf: (token: number) => Uint8Array | undefined;
  /** For places without what is around them. */
  readonly #machine: Machine;
  /** For texts; they share what was walked before. */
  #walked: Machine;
  #masks = new Map<number, TokenSet>();
  readonly #locals = new Map<string, Local>();

  /** `size`: tokens of the vocabulary; `ends`: those that end a text. Throws EngineError `constraint_invalid`. */
  constructor(grammar: Grammar, trie: TokenTrie, size: number, ends: readonly number[], bytesOf: (token: number) => Uint8Array | undefined) {
    this.network = new Network(grammar);
    this.#machine = new Machine(this.network);
    this.#walked = new Machine(this.network);
    this.#trie = trie;
    this.#size = size;
    this.#ends = ends;
    this.#bytesOf = bytesOf;
  }

  /** A machine for a new text. */
  machine(): Machine {
    if (this.#walked.isLarge) {
      this.#walked = new Machine(this.network);
      this.#masks = new Map();
    }
    return this.#walked;
  }
  /** Tokens that may come at a state of a machine over this grammar. */
  allowed(machine: Machine, state: number): TokenSet {
    const shared = machine === this.#walked;
    let set = shared ? this.#masks.get(state) : undefined;
    if (!set) {
      set = this.#find(machine, state);
      if (shared) {
        const [oldest] = this.#masks.size >= MOST_MASKS ? this.#masks.keys() : [];
        if (oldest !== undefined) this.#masks.delete(oldest);
        this.#masks.set(state, set);
      }
    }
    return set;
  }
  #find(machine: Machine, state: number): TokenSet {
    const bits = new Uint32Array(Math.ceil(this.#size / 32));
    const set = (token: number): void => void (bits[token >>> 5] |= 1 << (token & 31));
    for (const frame of machine.framesOf(state)) {
      const local = this.#local(machine, frame);
      for (let word = 0; word < bits.length; word++) bits[word] |= local.bits[word];
      if (local.leaving.bytes.length > 0) local.leaving.accepted(machine.enter([frame]), (at, byte) => machine.step(at, byte), set);
    }
    for (const [i, token] of this.network.tokens.entries()) if (machine.step(state, FIRST_TOKEN + i) >= 0) set(token);
    if (machine.ends(state)) for (const end of this.#ends) set(end);
    return TokenSet.ofBits(bits);
  }

  #local(machine: Machine, frame: number): Local {
    // The networks around a place reach up through the loops that it is in: a text is a loop over characters.
    const around: number[] = [];
    for (let above = machine.parents[frame]; above > FLOOR && machine.loopOf(above); above = machine.parents[above]) around.push(above);
    const key = [machine.nodes[frame], ...around.map((above) => `${machine.nodes[above]}:${this.#left(machine, above)}`)].join();
    let local = this.#locals.get(key);
    if (!local) {
      if (this.#locals.size >= MOST_LOCALS) this.#locals.clear();
      let parent = FLOOR;
      for (const above of around.toReversed()) parent = this.#machine.frame(machine.nodes[above], machine.counts[above], parent);
      local = this.#around(this.#machine.enter([this.#machine.frame(machine.nodes[frame], machine.counts[frame], parent)]));
      this.#locals.set(key, local);
    }
    return local;
  }
  /** How often a loop must and may still go round, as far as one token can tell. */
  #left(machine: Machine, frame: number): string {
    const { least, most } = machine.loopOf(frame) as { least: number; most: number };
    const reach = this.#trie.longest + 1;
    return `${Math.min(Math.max(least - machine.counts[frame], 0), reach)}-${Math.min(most - machine.counts[frame], reach)}`;
  }
  #around(start: number): Local {
    const machine = this.#machine;
    const { bytes, depths, ends, tokens, twins, longest } = this.#trie;
    const bits = new Uint32Array(Math.ceil(this.#size / 32));
    const leaving: number[] = [];
    const each = (token: number, take: (id: number) => void): void => {
      take(token);
      for (const twin of twins.get(token) ?? []) take(twin);
    };
    const states = new Int32Array(longest + 1);
    /** By depth: did the way to it pass the end of the networks? */
    const passed = new Uint8Array(longest + 1);
    states[0] = start;
    passed[0] = machine.ends(start) ? 1 : 0;
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node];
      const after = machine.step(states[depth - 1], bytes[node]);
      if (after < 0) {
        if (passed[depth - 1]) for (let inner = node; inner < ends[node]; inner++) if (tokens[inner] >= 0) each(tokens[inner], (id) => leaving.push(id));
        node = ends[node];
        continue;
      }
      states[depth] = after;
      passed[depth] = passed[depth - 1] || (machine.ends(after) ? 1 : 0);
      if (tokens[node] >= 0) each(tokens[node], (id) => void (bits[id >>> 5] |= 1 << (id & 31)));
      node++;
    }
    return { bits, leaving: new TokenTrie(leaving, this.#bytesOf) };
  }
}

/** One text under a grammar. */
export class GrammarWalk {
  readonly #grammar: CompiledGrammar;
  #machine: Machine;
  #state: number;
  #allowed: TokenSet | undefined;

  constructor(grammar: CompiledGrammar) {
    this.#grammar = grammar;
    this.#machine = grammar.machine();
    this.#state = this.#machine.start;
  }
  allowed(): TokenSet {
    return (this.#allowed ??= this.#state < 0 ? TokenSet.ofIds([]) : this.#grammar.allowed(this.#machine, this.#state));
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
    ({ machine: this.#machine, state: this.#state } = this.#machine.renewed(state));
    this.#allowed = undefined;
    return true;
  }
}
