// Owns a grammar as networks of nodes: an arc reads a byte or a special token, a call enters another network and comes back, a loop counts.
// Refuses to know tokens, and where in a text it is walked.

import { EngineError } from '../../port.ts';
import { literal } from './expression.ts';
import type { Expression, Grammar } from './expression.ts';
import { endsFrom, leftRecursive } from './network-ends.ts';
import { FIRST_TOKEN } from './node.ts';
import type { Node } from './node.ts';

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
/** There is no text of a part of a grammar. Where another part may stand there, or none, it is no error of the whole. */
export class NoText extends EngineError {
  constructor(message: string) {
    super('constraint_invalid', message);
  }
}

export class Network {
  readonly nodes: Node[] = [];
  /** Ids of special tokens that the grammar names. */
  readonly tokens: number[] = [];
  readonly start: number;
  /** Behind the brackets that open arrays of which no two items are equal, and objects of which no two names are. */
  readonly distinct = new Set<number>();
  /** First nodes of rules that are named. */
  readonly #rules = new Map<string, number>();

  /** Throws EngineError `constraint_invalid` for rules that are missing, call themselves before they read anything, or are too large, and for a grammar without a text. */
  constructor({ root, rules }: Grammar) {
    this.start = this.#network(root);
    // Rules that are named while others are written come behind them.
    for (const [name, start] of this.#rules) {
      const expression = rules.get(name);
      if (!expression) throw invalid(`the grammar has no rule ${JSON.stringify(name)}, which another one names`);
      this.nodes[this.#add(expression, start)].final = true;
    }
    this.#check();
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
      case 'automaton':
        return this.#automaton(expression, from);
      case 'distinct': {
        const [begin, end] = expression.of === 'items' ? '[]' : '{}';
        const open = this.#add(literal(begin), from);
        this.distinct.add(open);
        return this.#add(literal(end), this.#add(expression.inside, open));
      }
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
    this.nodes[free].loop = { body, least: 0, most: Infinity, free, hollow: false };
    if (free !== loop) this.nodes[loop].loop = { body, least, most, free, hollow: false };
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
  #automaton({ places }: Extract<Expression, { kind: 'automaton' }>, from: number): number {
    const target = this.#node();
    const nodes = places.map(() => this.#node());
    this.nodes[from].jumps.push(nodes[0]);
    /** Where it begins to be read what leads to a place: it does not matter from which place it is read. */
    const begun = new Map<Expression, Map<number, number>>();
    for (const [place, { ends, after }] of places.entries()) {
      const { jumps } = this.nodes[nodes[place]];
      if (ends) jumps.push(target);
      for (const { read, target: next } of after) {
        const known = begun.get(read) ?? new Map<number, number>();
        begun.set(read, known);
        let start = known.get(next);
        if (start === undefined) {
          start = this.#node();
          known.set(next, start);
          this.#lead(read, start, nodes[next]);
        }
        jumps.push(start);
      }
    }
    return target;
  }
  /** Writes an expression between two nodes. */
  #lead(expression: Expression, from: number, to: number): void {
    if (expression.kind === 'byte') for (const [low, high] of expression.ranges) this.nodes[from].arcs.push({ from: low, to: high, target: to });
    else if (expression.kind === 'choice') for (const item of expression.items) this.#lead(item, from, to);
    else if (expression.kind === 'sequence' && expression.items.length > 0) this.#lead(expression.items[expression.items.length - 1], expression.items.slice(0, -1).reduce((at, item) => this.#add(item, at), from), to);
    else this.nodes[this.#add(expression, from)].jumps.push(to);
  }
  #call(start: number, from: number): number {
    const back = this.#node();
    this.nodes[from].calls.push({ start, back });
    return back;
  }
  #rule(name: string): number {
    let start = this.#rules.get(name);
    if (start === undefined) this.#rules.set(name, (start = this.#node()));
    return start;
  }

  /** Refuses left recursion and what has no text, and takes out of the network what leads to no text, and rounds that read nothing. */
  #check(): void {
    const empty = endsFrom(this.nodes, false);
    const names = new Map(Array.from(this.#rules, ([name, start]) => [start, name]));
    const recursive = leftRecursive(this.nodes, empty, names);
    if (recursive !== undefined)
      throw invalid(`rule ${JSON.stringify(recursive)} calls itself before it reads anything (left recursion); write the repetition with * or +, or put what is read first`);
    const ends = endsFrom(this.nodes, true);
    if (ends[this.start] === 0) {
      const [, endless] = [...names].find(([start]) => ends[start] === 0) ?? [];
      throw invalid(`the grammar has no text${endless === undefined ? '' : `: rule ${JSON.stringify(endless)} can never be completed`}; what must come always calls for itself again, or for a character that there is not`);
    }
    for (const node of this.nodes) {
      node.arcs = node.arcs.filter(({ target }) => ends[target] === 1);
      node.jumps = node.jumps.filter((jump) => ends[jump] === 1);
      node.calls = node.calls.filter(({ start, back }) => ends[start] === 1 && ends[back] === 1);
      const { loop } = node;
      if (!loop) continue;
      if (ends[loop.body] === 0) {
        node.loop = undefined;
        node.final = loop.least === 0;
      } else if (empty[loop.body] === 1) node.loop = { ...loop, least: 0, hollow: true };
    }
  }
}
