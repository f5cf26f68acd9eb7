// Owns walking over the live facts of one base in numbers: which relation paths leave a term, and what a path reaches.
// Refuses to know the terms and relations behind the numbers.

import type { FactTable } from './facts.ts';

/** A step in numbers. */
export interface Step {
  readonly relation: number;
  readonly inverse: boolean;
}
export interface FoundPath {
  readonly steps: readonly Step[];
  readonly ends: number;
  readonly sample: readonly number[];
  readonly timed: boolean;
}
export interface Reached {
  readonly end: number;
  /** One row a step. */
  readonly rows: readonly number[];
}

/** Edges looked at in one call, and for one path: ends beyond are not counted. */
const CALL_EDGES = 1_000_000;
const PATH_EDGES = 50_000;
const SAMPLE = 5;

/** Terms that were met, forgotten all at once by a new round. */
class Marks {
  #round = 0;
  #marks = new Uint32Array(0);
  begin(terms: number): void {
    if (terms > this.#marks.length) this.#marks = new Uint32Array(Math.ceil(terms * 1.5));
    if (++this.#round > 0xffffffff) {
      this.#marks.fill(0);
      this.#round = 1;
    }
  }
  /** True the first time in a round. */
  meet(term: number): boolean {
    if (this.#marks[term] === this.#round) return false;
    this.#marks[term] = this.#round;
    return true;
  }
}

export class Walker {
  readonly #facts: FactTable;
  readonly #marks = new Marks();
  /** Was a fact with a validity walked since this was last false? */
  #timed = false;
  constructor(facts: FactTable) {
    this.#facts = facts;
  }

  /** The distinct ends one step on from `frontier`, in order of discovery; `visit` is told each with the place it was reached from and the row, until it returns false. */
  #expand(
    frontier: readonly number[],
    { relation, inverse }: Step,
    terms: number,
    visit: (end: number, from: number, row: number) => boolean,
    edges: number,
  ): number {
    const facts = this.#facts;
    const side = inverse ? facts.inward : facts.outward;
    this.#marks.begin(terms);
    let left = edges;
    for (let from = 0; from < frontier.length; from++) {
      const pair = side.pairs.find(frontier[from], relation * 2);
      if (pair < 0) continue;
      for (let row = facts.firstOf(side, pair); row >= 0; row = facts.nextOf(side, pair, row)) {
        if (left-- <= 0) return edges;
        if (facts.from(row) > 0 || facts.to(row) > 0) this.#timed = true;
        const end = inverse ? facts.subject(row) : facts.object(row);
        if (this.#marks.meet(end) && !visit(end, from, row)) return edges - left;
      }
    }
    return edges - left;
  }

  /** What a path reaches from `start`, at most `limit` ends, in order of discovery; `terms` is how many terms there are. */
  follow(start: number, steps: readonly Step[], terms: number, limit: number): Reached[] {
    let frontier = [start];
    /** For each layer behind the start: from which place of the layer before, and by which row. */
    const layers: { readonly from: number[]; readonly rows: number[] }[] = [];
    let left = CALL_EDGES;
    for (const [index, step] of steps.entries()) {
      const layer = { from: [] as number[], rows: [] as number[] };
      const ends: number[] = [];
      const last = index === steps.length - 1;
      left -= this.#expand(
        frontier,
        step,
        terms,
        (end, from, row) => {
          if (last && end === start) return true;
          ends.push(end);
          layer.from.push(from);
          layer.rows.push(row);
          return !last || ends.length < limit;
        },
        left,
      );
      layers.push(layer);
      frontier = ends;
    }
    if (steps.length === 0 || limit <= 0) return [];
    return frontier.map((end, place) => {
      const rows: number[] = [];
      for (let layer = layers.length - 1, at = place; layer >= 0; layer--) {
        rows.unshift(layers[layer].rows[at]);
        at = layers[layer].from[at];
      }
      return { end, rows };
    });
  }

  /** Paths of one to `hops` steps that reach something other than `start`, shorter ones first, at most `limit`. */
  paths(start: number, hops: number, terms: number, limit: number): FoundPath[] {
    const found: FoundPath[] = [];
    let left = CALL_EDGES;
    let layer: { readonly steps: readonly Step[]; readonly frontier: readonly number[]; readonly timed: boolean }[] = [{ steps: [], frontier: [start], timed: false }];
    for (let hop = 0; hop < hops; hop++) {
      const next: typeof layer = [];
      for (const { steps, frontier, timed } of layer)
        for (const step of this.#stepsFrom(frontier)) {
          if (found.length >= limit || left <= 0) return found;
          const ends: number[] = [];
          this.#timed = timed;
          left -= this.#expand(frontier, step, terms, (end) => ends.push(end) > 0, Math.min(left, PATH_EDGES));
          const path = [...steps, step];
          const others = ends.includes(start) ? ends.length - 1 : ends.length;
          if (others > 0)
            found.push({
              steps: path,
              ends: others,
              sample: ends
                .slice(0, SAMPLE + 1)
                .filter((end) => end !== start)
                .slice(0, SAMPLE),
              timed: this.#timed,
            });
          if (hop + 1 < hops) next.push({ steps: path, frontier: ends, timed: this.#timed });
        }
      layer = next;
    }
    return found;
  }
  /** Steps that some term of the frontier has, by relation, forward first. */
  #stepsFrom(frontier: readonly number[]): Step[] {
    const facts = this.#facts;
    const steps = new Map<number, Step>();
    for (const inverse of [false, true]) {
      const { pairs, rows } = inverse ? facts.inward : facts.outward;
      for (const term of frontier)
        for (let pair = pairs.lastOf(term); pair >= 0; pair = pairs.before(pair)) {
          const key = pairs.key(pair);
          const order = key + (inverse ? 1 : 0);
          if ((key & 1) === 0 && !steps.has(order) && rows.size(pair) > 0) steps.set(order, { relation: key >> 1, inverse });
        }
    }
    return [...steps].sort(([a], [b]) => a - b).map(([, step]) => step);
  }
}
