// Owns which tokens may come at a place of a grammar.
// Refuses to know which model they are of, and what is chosen.
//
// A state is a set of places, and a token may come when it may come at one of them. Most tokens that may come at a place never leave the networks around it, so that they are the same wherever
// these networks were called from: they are found once for a place and kept with the grammar. Those that leave are few, and are tried at each state anew (the division of XGrammar, Dong et al. 2024).
// Within a loop over characters even the place matters little: which tokens stay in it, and for how many rounds, is found once for a vocabulary.

import { Distances } from '../lengths/distance.ts';
import { loopAutomaton } from './loop-automaton.ts';
import { loopTokens } from './loop-tokens.ts';
import type { Leavers, LoopTokens } from './loop-tokens.ts';
import { FLOOR, Machine } from '../grammar/machine.ts';
import type { Meter } from '../lengths/meter.ts';
import { Network } from '../grammar/network.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import type { Loop } from '../grammar/node.ts';
import type { Grammar } from '../grammar/expression.ts';
import { TokenSet } from '../tokens/token-set.ts';
import type { TokenTrie } from '../tokens/token-trie.ts';

/** What is known of a place whatever called its networks. */
interface Local {
  readonly tokens: TokenSet;
  /** Tokens that go on beyond the networks. */
  readonly leaving: TokenTrie;
}
interface KnownLoop {
  readonly tokens: LoopTokens;
  /** Places of its automaton as states of the grammar's inner machine. */
  readonly states: readonly number[];
}
export interface LoopPlace extends KnownLoop {
  readonly loop: Loop;
  /** Rounds that must, and may, still be begun. */
  readonly least: number;
  readonly most: number;
  /** The state behind the loop, or -1. */
  readonly exit: number;
  readonly leavers: Leavers | undefined;
}
const MOST_LOCALS = 4_096;
/** States whose tokens are kept: at a vocabulary of 152,000 each takes 19 kB. */
const MOST_MASKS = 256;

/** A grammar made ready for a vocabulary; texts share it. */
export class CompiledGrammar {
  /** What it was made of. */
  readonly source: Grammar;
  readonly network: Network;
  readonly trie: TokenTrie;
  readonly size: number;
  readonly ends: readonly number[];
  /** What a token writes; undefined for special tokens. */
  readonly bytesOf: (token: number) => Uint8Array | undefined;
  #inner: Machine;
  /** For texts; they share what was walked before. */
  #walked: Machine;
  readonly #distances = new Map<Meter, Distances>();
  #masks = new Map<number, TokenSet>();
  readonly #locals = new Map<string, Local>();
  /** Null: its rounds do not follow from the text. */
  readonly #loops = new Map<string, KnownLoop | null>();

  /** `size`: tokens of the vocabulary; `ends`: those that end a text. Throws EngineError `constraint_invalid`. */
  constructor(grammar: Grammar, trie: TokenTrie, size: number, ends: readonly number[], bytesOf: (token: number) => Uint8Array | undefined) {
    this.source = grammar;
    this.network = new Network(grammar);
    this.#inner = new Machine(this.network);
    this.#walked = new Machine(this.network);
    this.trie = trie;
    this.size = size;
    this.ends = ends;
    this.bytesOf = bytesOf;
  }

  /** How much is to be written at least, by a meter. */
  distances(meter: Meter): Distances {
    let known = this.#distances.get(meter);
    if (!known) this.#distances.set(meter, (known = new Distances(this.network, meter)));
    return known;
  }
  /** For places without what is around them. */
  get inner(): Machine {
    return this.#inner;
  }
  /** What was found stays; places of automata are its states. */
  #renewInner(): void {
    if (!this.#inner.isLarge) return;
    this.#inner = new Machine(this.network);
    this.#loops.clear();
  }
  /** A machine for a new text. */
  machine(): Machine {
    if (this.#walked.isLarge) {
      this.#walked = new Machine(this.network);
      this.#masks = new Map();
    }
    return this.#walked;
  }
  /** Tokens that may come at a state of a machine over this grammar, where that was found before. */
  known(machine: Machine, state: number): TokenSet | undefined {
    return machine === this.#walked ? this.#masks.get(state) : undefined;
  }
  /** Tokens that may come at such a state. `found`: where others have found them. */
  allowed(machine: Machine, state: number, found?: TokenSet): TokenSet {
    const known = this.known(machine, state);
    if (known) return known;
    const set = found ?? this.find(machine, state);
    if (machine !== this.#walked) return set;
    const [oldest] = this.#masks.size >= MOST_MASKS ? this.#masks.keys() : [];
    if (oldest !== undefined) this.#masks.delete(oldest);
    this.#masks.set(state, set);
    return set;
  }
  /** The first two tokens that may come at a state and of which `holds`, if they do not begin with `without`; ends are left out. It gives up where it looked at `most` tokens. */
  firstTwo(
    machine: Machine,
    state: number,
    {
      holds = () => true,
      most = Infinity,
      without = -1,
    }: { readonly holds?: (token: number, after: number) => boolean; readonly most?: number; readonly without?: number } = {},
  ): readonly number[] {
    const found: number[] = [];
    let looked = 0;
    const look = (token: number, after: number): boolean => {
      if (holds(token, after)) found.push(token);
      return found.length === 2 || ++looked >= most;
    };
    for (const [i, token] of this.network.tokens.entries()) {
      const after = machine.step(state, FIRST_TOKEN + i);
      if (after >= 0 && look(token, after)) return found;
    }
    this.trie.accepted(state, (at, byte) => (at === state && byte === without ? -1 : machine.step(at, byte)), look);
    return found;
  }
  /** What a token is to machines: its bytes, or the arc of a special token; undefined where no text of the grammar has it. */
  arcsOf(token: number): Iterable<number> | undefined {
    const at = this.network.tokens.indexOf(token);
    return this.bytesOf(token) ?? (at >= 0 ? [FIRST_TOKEN + at] : undefined);
  }
  /** Tokens that may come at a state of any machine over this grammar, found anew. */
  find(machine: Machine, state: number): TokenSet {
    const bits = new Uint32Array(Math.ceil(this.size / 32));
    const set = (token: number): void => void (bits[token >>> 5] |= 1 << (token & 31));
    for (const [parent, frames] of groups(machine, state)) {
      if (this.#inLoop(machine, frames, parent, bits, set)) continue;
      // How often it goes round decides, so that another text seldom comes to the same place.
      if ((machine.loopOf(parent)?.most ?? Infinity) < Infinity) {
        this.trie.accepted(machine.enter(frames), (at, byte) => machine.step(at, byte), set);
        continue;
      }
      const local = this.#local(machine, frames);
      local.tokens.addTo(bits);
      if (local.leaving.bytes.length > 0) local.leaving.accepted(machine.enter(frames), (at, byte) => machine.step(at, byte), set);
    }
    for (const [i, token] of this.network.tokens.entries()) if (machine.step(state, FIRST_TOKEN + i) >= 0) set(token);
    if (machine.ends(state)) for (const end of this.ends) set(end);
    return TokenSet.ofBits(bits);
  }

  /** Tokens that may come within a loop, and from there behind it. False where the loop's rounds do not follow from the text. */
  #inLoop(machine: Machine, frames: readonly number[], parent: number, bits: Uint32Array, set: (token: number) => void): boolean {
    const place = this.loopAt(machine, frames, parent);
    if (!place) return false;
    const { tokens, exit, leavers, least, most } = place;
    tokens.addTo(bits, most);
    leavers?.behind.accepted(
      exit,
      (at, byte) => machine.step(at, byte),
      (group) => {
        for (const { token, rounds } of leavers.groups[group]) if (rounds >= least && rounds <= most) set(token);
      },
    );
    return true;
  }
  /** Places within the body of one loop, to which they come back. Undefined where they are in none, or its rounds do not follow from the text. */
  loopAt(machine: Machine, frames: readonly number[], parent: number): LoopPlace | undefined {
    const loop = machine.loopOf(parent);
    const known =
      loop &&
      this.#loop(
        frames.map((frame) => machine.nodes[frame]),
        loop.free,
      );
    if (!known) return undefined;
    const [least, most] = [loop.least - machine.counts[parent], loop.most - machine.counts[parent]];
    const exit = machine.enter([machine.parents[parent]]);
    const leavers = exit < 0 ? undefined : known.tokens.leaving(machine.bytesOf(exit), most < known.tokens.mostRounds);
    return exit >= 0 && !leavers ? undefined : { ...known, loop, exit, leavers, least, most };
  }
  #loop(nodes: readonly number[], free: number): KnownLoop | undefined {
    const key = `${free} ${nodes.join()}`;
    let known = this.#loops.get(key);
    if (known === undefined) {
      this.#renewInner();
      if (this.#loops.size >= MOST_LOCALS) this.#loops.clear();
      const automaton = loopAutomaton(this.#inner, this.network, nodes, free);
      known = automaton ? { tokens: loopTokens(automaton, this.trie, this.size), states: automaton.states } : null;
      this.#loops.set(key, known);
    }
    return known ?? undefined;
  }

  /** `frames` have one parent. */
  #local(machine: Machine, frames: readonly number[]): Local {
    // The networks around a place reach up through the loops that it is in: a text is a loop over characters.
    const around: number[] = [];
    for (let above = machine.parents[frames[0]]; above > FLOOR && machine.loopOf(above); above = machine.parents[above]) around.push(above);
    const nodes = frames.map((frame) => machine.nodes[frame]);
    const key = [...nodes, ...around.map((above) => `${machine.nodes[above]}:${this.#left(machine, above)}`)].join();
    let local = this.#locals.get(key);
    if (!local) {
      this.#renewInner();
      if (this.#locals.size >= MOST_LOCALS) this.#locals.clear();
      let parent = FLOOR;
      for (const above of around.toReversed()) parent = this.#inner.frame(machine.nodes[above], machine.counts[above], parent);
      local = this.#around(this.#inner.enter(nodes.map((node) => this.#inner.frame(node, 0, parent))));
      this.#locals.set(key, local);
    }
    return local;
  }
  /** How often a loop must and may still go round, as far as one token can tell. */
  #left(machine: Machine, frame: number): string {
    const { least, most } = machine.loopOf(frame) as { least: number; most: number };
    const reach = this.trie.longest + 1;
    return `${Math.min(Math.max(least - machine.counts[frame], 0), reach)}-${Math.min(most - machine.counts[frame], reach)}`;
  }
  #around(start: number): Local {
    const machine = this.#inner;
    const { bytes, depths, ends, tokens, twins, longest } = this.trie;
    const bits = new Uint32Array(Math.ceil(this.size / 32));
    /** Nodes of the tree below which all tokens leave. */
    const leaving: number[] = [];
    const states = new Int32Array(longest + 1);
    /** By depth: did the way to it pass the end of the networks? */
    const passed = new Uint8Array(longest + 1);
    states[0] = start;
    passed[0] = machine.ends(start) ? 1 : 0;
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node];
      const after = machine.step(states[depth - 1], bytes[node]);
      if (after < 0) {
        if (passed[depth - 1]) leaving.push(node);
        node = ends[node];
        continue;
      }
      states[depth] = after;
      passed[depth] = passed[depth - 1] || (machine.ends(after) ? 1 : 0);
      const token = tokens[node];
      if (token >= 0) {
        bits[token >>> 5] |= 1 << (token & 31);
        if (twins.size > 0) for (const twin of twins.get(token) ?? []) bits[twin >>> 5] |= 1 << (twin & 31);
      }
      node++;
    }
    return { tokens: TokenSet.smallOf(bits), leaving: this.trie.below(leaving) };
  }
}

/** The places of a state, by what they come back to. */
export function groups(machine: Machine, state: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const frame of machine.framesOf(state)) {
    const group = found.get(machine.parents[frame]);
    if (group) group.push(frame);
    else found.set(machine.parents[frame], [frame]);
  }
  return found;
}
