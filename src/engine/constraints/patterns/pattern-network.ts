// Owns a pattern as a network of places between characters, with what is looked for ahead and behind beside it.
// Refuses to know where in a text it is.

import { invalid } from '../grammar/network.ts';
import { ANY } from './pattern.ts';
import type { Look, Pattern } from './pattern.ts';
import type { Range } from '../grammar/expression.ts';

/** Repetitions are written out. */
const MOST_NODES = 20_000;

/** What has to hold, or with `negated` must not, so that the place behind is reached. */
export type Condition =
  /** What follows leads from this place to an end. */
  | { readonly kind: 'ahead'; readonly start: number; readonly negated: boolean; readonly target: number }
  /** What stands before is a text of the network of this number in `behind`. */
  | { readonly kind: 'behind'; readonly network: number; readonly negated: boolean; readonly target: number };
export interface PatternNode {
  readonly arcs: { readonly ranges: readonly Range[]; readonly target: number }[];
  readonly jumps: number[];
  readonly conditions: Condition[];
  /** A text may end here. */
  ends: boolean;
}

export class PatternNetwork {
  readonly nodes: PatternNode[] = [];
  /** Whatever follows. */
  readonly anything: number;
  readonly start: number;
  /** Where what is looked for behind begins, from the beginning of the text on; those that others look for behind come first. */
  readonly behind: number[] = [];

  /** `search`: the text need only hold a match. Throws EngineError `constraint_invalid` for a pattern that is too large, and one that looks ahead while it looks behind. */
  constructor(pattern: Pattern, search: boolean) {
    this.anything = this.#anything();
    this.nodes[this.anything].ends = true;
    this.start = search ? this.#anything() : this.#node();
    const end = this.#add(pattern, this.start, false);
    if (search) this.nodes[end].jumps.push(this.anything);
    else this.nodes[end].ends = true;
  }

  #node(): number {
    if (this.nodes.length >= MOST_NODES) throw invalid(`the pattern looks ahead or behind and, written out, has more than ${MOST_NODES} places; repeat less`);
    return this.nodes.push({ arcs: [], jumps: [], conditions: [], ends: false }) - 1;
  }
  #anything(): number {
    const node = this.#node();
    this.nodes[node].arcs.push({ ranges: ANY, target: node });
    return node;
  }
  /** Writes a pattern behind a node; returns the node behind it. `within`: it is looked for behind. */
  #add(pattern: Pattern, from: number, within: boolean): number {
    switch (pattern.kind) {
      case 'character': {
        const target = this.#node();
        this.nodes[from].arcs.push({ ranges: pattern.ranges, target });
        return target;
      }
      case 'sequence':
        return pattern.items.reduce((at, item) => this.#add(item, at, within), from);
      case 'choice': {
        const target = this.#node();
        for (const item of pattern.items) {
          const start = this.#node();
          this.nodes[from].jumps.push(start);
          this.nodes[this.#add(item, start, within)].jumps.push(target);
        }
        return target;
      }
      case 'repeat':
        return this.#repeat(pattern, from, within);
      case 'look':
        return this.#look(pattern, from, within);
      default:
        return pattern satisfies never;
    }
  }
  #repeat({ item, least, most }: Extract<Pattern, { kind: 'repeat' }>, from: number, within: boolean): number {
    let at = from;
    for (let i = 0; i < least; i++) at = this.#add(item, at, within);
    const target = this.#node();
    if (most === Infinity) {
      const loop = this.#node();
      this.nodes[at].jumps.push(loop);
      this.nodes[this.#add(item, loop, within)].jumps.push(loop);
      this.nodes[loop].jumps.push(target);
      return target;
    }
    this.nodes[at].jumps.push(target);
    for (let i = least; i < most; i++) {
      at = this.#add(item, at, within);
      this.nodes[at].jumps.push(target);
    }
    return target;
  }
  #look({ back, negated, body }: Look, from: number, within: boolean): number {
    if (!back && within) throw invalid('the pattern looks ahead ((?=, (?!, $, \\b) within what it looks for behind ((?<=, (?<!), which is not supported');
    const start = back ? this.#anything() : this.#node();
    const end = this.#add(body, start, back || within);
    const target = this.#node();
    if (back) {
      this.nodes[end].ends = true;
      this.nodes[from].conditions.push({ kind: 'behind', network: this.behind.push(start) - 1, negated, target });
    } else {
      this.nodes[end].jumps.push(this.anything);
      this.nodes[from].conditions.push({ kind: 'ahead', start, negated, target });
    }
    return target;
  }
}
