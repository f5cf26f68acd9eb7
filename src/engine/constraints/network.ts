// Owns a grammar as networks of nodes: an arc reads a byte or a special token, a call enters another network and comes back, a loop counts.
// Refuses to know tokens, and where in a text it is walked.

import { EngineError } from '../port.ts';
import type { Expression, Grammar } from './expression.ts';

/** From here on arcs read special tokens: the one at this place of `Network.tokens`, and those behind it. */
export const FIRST_TOKEN = 256;
export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}
/** A loop enters `body` and comes back to itself, until it has done so `most` times. Behind `least` times it may end its network. */
export interface Loop {
  readonly body: number;
  readonly least: number;
  readonly most: number;
  /** The loop over the same body that goes round as often as it likes. */
  readonly free: number;
}
export interface Node {
  readonly arcs: Arc[];
  readonly jumps: number[];
  /** Networks entered from here, by their first nodes, and where they come back to. */
  readonly calls: { readonly start: number; readonly back: number }[];
  /** The network may end here. */
  final: boolean;
  loop: Loop | undefined;
}

/** Places between and within characters in UTF-8, and which bytes lead from one to the next (The Unicode Standard, table 3-7). */
type Utf8Place = 'between' | 'one' | 'two' | 'three' | 'e0' | 'ed' | 'f0' | 'f4';
const UTF8: Readonly<Record<Utf8Place, readonly (readonly [low: number, high: number, place: Utf8Place])[]>> = {
  between: [
    [0x00, 0x7f, 'between'],
    [0xc2, 0xdf, 'one'],
    [0xe0, 0xe0, 'e0'],
    [0xe1, 0xec, 'two'],
    [0xed, 0xed, 'ed'],
    [0xee, 0xef, 'two'],
    [0xf0, 0xf0, 'f0'],
    [0xf1, 0xf3, 'three'],
    [0xf4, 0xf4, 'f4'],
  ],
  one: [[0x80, 0xbf, 'between']],
  two: [[0x80, 0xbf, 'one']],
  three: [[0x80, 0xbf, 'two']],
  e0: [[0xa0, 0xbf, 'one']],
  ed: [[0x80, 0x9f, 'one']],
  f0: [[0x90, 0xbf, 'two']],
  f4: [[0x80, 0x8f, 'two']],
};
/** More would take too much memory and time to walk. */
const MOST_NODES = 200_000;
/** Repetitions up to so many times are written out; more are counted. */
const WRITTEN_OUT = 3;

export const invalid = (message: string): EngineError => new EngineError('constraint_invalid', message);

export class Network {
  readonly nodes: Node[] = [];
  /** Ids of special tokens that the grammar names. */
  readonly tokens: number[] = [];
  readonly start: number;
  readonly #rules = new Map<string, number>();
  readonly #grammar: Grammar;

  /** Throws EngineError `constraint_invalid` for rules that are missing, call themselves before they read anything, or are too large. */
  constructor(grammar: Grammar) {
    this.#grammar = grammar;
    this.start = this.#network(grammar.root);
    for (const name of this.#rules.keys()) this.#refuseLeftRecursion(name);
  }

  #node(): number {
    if (this.nodes.length >= MOST_NODES) throw invalid(`the grammar is too large: written out, it has more than ${MOST_NODES} places; repeat less, or fewer alternatives`);
    return this.nodes.push({ arcs: [], jumps: [], calls: [], final: false, loop: undefined }) - 1;
  }
  /** A network of its own. */
  #network(expression: Expression): number {
    const start = this.#node();
    this.nodes[this.#add(expression, start)].final = true;
    return start;
  }
  /** Writes an expression behind a node; returns the node behind it. */
  #add(expression: Expression, from: number): number {
    switch (expression.kind) {
      case 'byte': {
        const target = this.#node();
        for (const [low, high] of expression.ranges) this.nodes[from].arcs.push({ from: low, to: high, target });
        return target;
      }
      case 'token': {
        const target = this.#node();
        let at = this.tokens.indexOf(expression.id);
        if (at < 0) at = this.tokens.push(expression.id) - 1;
        this.nodes[from].arcs.push({ from: FIRST_TOKEN + at, to: FIRST_TOKEN + at, target });
        return target;
      }
      case 'without':
        return this.#without(expression.texts, from);
      case 'sequence': {
        let at = from;
        for (const item of expression.items) at = this.#add(item, at);
        return at;
      }
      case 'choice': {
        const target = this.#node();
        for (const item of expression.items) {
          const start = this.#node();
          this.nodes[from].jumps.push(start);
          this.nodes[this.#add(item, start)].jumps.push(target);
        }
        return target;
      }
      case 'repeat':
        return this.#repeat(expression, from);
      case 'rule':
        return this.#call(this.#rule(expression.name), from);
      default:
        return expression satisfies never;
    }
  }
  #repeat({ item, least, most }: Extract<Expression, { kind: 'repeat' }>, from: number): number {
    if (most <= WRITTEN_OUT) {
      let at = from;
      for (let i = 0; i < least; i++) at = this.#add(item, at);
      const target = this.#node();
      this.nodes[at].jumps.push(target);
      for (let i = least; i < most; i++) {
        at = this.#add(item, at);
        this.nodes[at].jumps.push(target);
      }
      return target;
    }
    const [loop, body] = [this.#node(), this.#network(item)];
    const free = least === 0 && most === Infinity ? loop : this.#node();
    this.nodes[free].loop = { body, least: 0, most: Infinity, free };
    if (free !== loop) this.nodes[loop].loop = { body, least, most, free };
    return this.#call(loop, from);
  }
  /**
   * A node for each beginning of the texts, the longest one with which what was read ends (Aho and Corasick 1975), and each place within a character. The last byte of a text is never read.
   * Bytes that form no character are never read either: readers drop them, and a text with one in it would be found all the same.
   */
  #without(texts: readonly string[], from: number): number {
    const spelt = texts.map((text) => Buffer.from(text, 'utf8').toString('latin1'));
    const beginnings = new Set(['', ...spelt.flatMap((text) => Array.from({ length: text.length - 1 }, (_, i) => text.slice(0, i + 1)))]);
    const target = this.#node();
    const nodes = new Map<string, number>();
    const open: { readonly read: string; readonly place: Utf8Place; readonly node: number }[] = [];
    const nodeOf = (read: string, place: Utf8Place): number => {
      const key = `${place} ${read}`;
      let node = nodes.get(key);
      if (node === undefined) {
        node = this.#node();
        nodes.set(key, node);
        open.push({ read, place, node });
      }
      return node;
    };
    this.nodes[from].jumps.push(nodeOf('', 'between'));
    for (let at = open.pop(); at; at = open.pop()) {
      const { arcs, jumps } = this.nodes[at.node];
      if (at.place === 'between') jumps.push(target);
      for (const [low, high, place] of UTF8[at.place])
        for (let byte = low; byte <= high; byte++) {
          let after = at.read + String.fromCharCode(byte);
          if (spelt.some((text) => after.endsWith(text))) continue;
          while (!beginnings.has(after)) after = after.slice(1);
          const next = nodeOf(after, place);
          const last = arcs.at(-1);
          if (last?.target === next && last.to === byte - 1) arcs[arcs.length - 1] = { ...last, to: byte };
          else arcs.push({ from: byte, to: byte, target: next });
        }
    }
    return target;
  }
  #call(start: number, from: number): number {
    const back = this.#node();
    this.nodes[from].calls.push({ start, back });
    return back;
  }
  #rule(name: string): number {
    let start = this.#rules.get(name);
    if (start !== undefined) return start;
    const expression = this.#grammar.rules.get(name);
    if (!expression) throw invalid(`the grammar has no rule ${JSON.stringify(name)}, which another one names`);
    start = this.#node();
    // Known before it is written: it may call itself.
    this.#rules.set(name, start);
    this.nodes[this.#add(expression, start)].final = true;
    return start;
  }

  /** Nodes that are reached from a node without reading anything; `enter` is called with each network entered so. Returns whether the network's end is among them. */
  #silently(start: number, enter: (network: number) => void, empty: (network: number) => boolean): boolean {
    const [seen, open] = [new Set([start]), [start]];
    let ends = false;
    const visit = (node: number): void => {
      if (!seen.has(node)) {
        seen.add(node);
        open.push(node);
      }
    };
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const { jumps, calls, final, loop } = this.nodes[node];
      ends ||= final;
      for (const jump of jumps) visit(jump);
      for (const { start: network, back } of calls) {
        enter(network);
        if (empty(network)) visit(back);
      }
      if (loop) {
        enter(loop.body);
        ends ||= loop.least === 0 || empty(loop.body);
      }
    }
    return ends;
  }
  readonly #empty = new Map<number, boolean>();
  /** May a network read nothing? Those that are being looked at count as not: a way through them would be left-recursive. */
  #mayBeEmpty(network: number): boolean {
    let known = this.#empty.get(network);
    if (known === undefined) {
      this.#empty.set(network, false);
      known = this.#silently(network, () => undefined, (other) => this.#mayBeEmpty(other));
      this.#empty.set(network, known);
    }
    return known;
  }
  #refuseLeftRecursion(name: string): void {
    const start = this.#rules.get(name) as number;
    const [seen, open] = [new Set<number>(), [start]];
    for (let network = open.pop(); network !== undefined; network = open.pop())
      this.#silently(network, (entered) => {
        if (entered === start) throw invalid(`rule ${JSON.stringify(name)} calls itself before it reads anything (left recursion); write the repetition with * or +, or put what is read first`);
        if (!seen.has(entered)) {
          seen.add(entered);
          open.push(entered);
        }
      }, (other) => this.#mayBeEmpty(other));
  }
}
