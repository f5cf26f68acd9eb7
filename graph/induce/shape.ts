// Owns the numbers that a mined rule is made of: closed paths and rules with constants, and which of their variables must differ.
// Refuses to know names, the rule language and how rules are found.

import type { FactGraph } from './graph.ts';

/** r(x, y) :- a path of steps from x to y. */
export const PATH = 0;
/** The head step leads from ?x to a constant :- the body step leads from ?x to a constant. */
export const BOUND = 1;
/** The head step leads from ?x to a constant :- the body step leads from ?x anywhere. */
export const OPEN = 2;

/** The head step leads from ?x to a constant :- the body step leads from ?x to a value within bounds, and ?x may be of a class. */
export const RANGE = 3;
/** The head step leads from ?x to a constant :- as a bound or open body, and another step does not lead from ?x to some node, or anywhere. */
export const EXCEPT = 4;

/** Edges looked at between two pauses of those who look for rules, about; the time limit is looked at in pauses only. */
export const PAUSE = 8_192;
export const MAX_LENGTH = 5;
/** Fields of one rule in RuleColumns. */
export const KIND = 0;
/** Step of the head; of a path always forwards. */
export const HEAD = 1;
/** Node at the end of the head step; -1 in a path. */
export const CONSTANT = 2;
/** Pairs of variables that must differ: bit `pairBit(i, j)`. Of an open rule: 1 = the variable must not be the head's constant. */
export const DIFFER = 3;
/** Number of steps in the body. */
export const LENGTH = 4;
/**
 * Five places: steps of a path; step and node of a bound body; step of an open body; of a range step, least and greatest value (nodes, -1: none), step and node of the class (-1: none);
 * of an exception step and node (-1: anything) of the body, and of what does not hold.
 */
export const BODY = 5;
export const SUPPORT = 10;
/** Pairs or nodes for which the body holds. */
export const COVER = 11;
/** Those among them that PCA counts. */
export const PCA = 12;
/** 1 = counted on the whole graph, 0 = extrapolated from a part of it. */
export const EXACT = 13;
export const STRIDE = 14;

export const pairBit = (i: number, j: number): number => 1 << (i * 6 + j);

/** Rules as rows of one typed array. */
export class RuleColumns {
  data: Int32Array;
  length = 0;
  constructor(data: Int32Array = new Int32Array(STRIDE * 1024), length = 0) {
    [this.data, this.length] = [data, length];
  }
  /** Appends a row of zeros; returns where it begins. */
  add(): number {
    if ((this.length + 1) * STRIDE > this.data.length) {
      const grown = new Int32Array(this.data.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    return this.length++ * STRIDE;
  }
  /** The rows at these places, in this order. */
  pick(rows: Int32Array): RuleColumns {
    const data = new Int32Array(rows.length * STRIDE);
    for (let i = 0; i < rows.length; i++) data.set(this.data.subarray(rows[i] * STRIDE, (rows[i] + 1) * STRIDE), i * STRIDE);
    return new RuleColumns(data, rows.length);
  }
}

/**
 * Which variables of head(v0, vn) :- steps must differ (`head` is a relation) so that no fact is used twice in one instance of the rule; -1 for a body that repeats an atom or the head.
 * Neighbours joined by a relation without loops differ anyway.
 */
export function mustDiffer(graph: FactGraph, head: number, steps: ArrayLike<number>, length: number): number {
  let differ = 0;
  // Atom -1 is the head.
  const subject = (i: number): number => (i < 0 ? 0 : (steps[i] & 1) === 0 ? i : i + 1);
  const object = (i: number): number => (i < 0 ? length : (steps[i] & 1) === 0 ? i + 1 : i);
  const relation = (i: number): number => (i < 0 ? head : steps[i] >> 1);
  const bit = (a: number, b: number): number => pairBit(Math.min(a, b), Math.max(a, b));
  const apart = (a: number, b: number): boolean => (differ & bit(a, b)) !== 0 || (Math.abs(a - b) === 1 && graph.loops[steps[Math.min(a, b)] >> 1] === 0);
  // First the pairs of atoms that share a variable: what they need may settle the others.
  for (const sharing of [true, false])
    for (let i = -1; i < length; i++)
      for (let j = i + 1; j < length; j++) {
        if (relation(i) !== relation(j)) continue;
        const [sameSubject, sameObject] = [subject(i) === subject(j), object(i) === object(j)];
        if (sameSubject && sameObject) return -1;
        if (sharing !== (sameSubject || sameObject)) continue;
        const [a, b] = sameSubject ? [object(i), object(j)] : [subject(i), subject(j)];
        if (!apart(a, b) && (sharing || !apart(object(i), object(j)))) differ |= bit(a, b);
      }
  return differ;
}
