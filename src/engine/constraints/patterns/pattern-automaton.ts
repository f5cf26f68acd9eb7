// Owns the deterministic automaton of a pattern that looks ahead and behind, over characters: a place in it is where the pattern may stand, each time with what has still to be found ahead, and what must not be.
// Refuses to know how patterns and characters are written.

import { LAST_POINT } from '../grammar/expression.ts';
import type { Range } from '../grammar/expression.ts';
import { invalid } from '../grammar/network.ts';
import { PatternNetwork } from './pattern-network.ts';
import type { Pattern } from './pattern.ts';

const MOST_PLACES = 5_000;
/** Threads that are looked at, and what they ask for, on all ways together: about a second. */
const MOST_WORK = 400_000;
/** The same of all patterns of one schema. */
const MOST_TOGETHER = 1_200_000;

/** A node of the network where the text may stand, if what follows is a text of all sets of `must` and of none of `never`. */
interface Thread {
  readonly node: number;
  readonly must: readonly number[];
  readonly never: readonly number[];
}
/** Sets of threads by their numbers: of these, nothing is a text, and anything is. */
const [NONE, ALL] = [0, 1];

export interface PatternPlace {
  readonly ends: boolean;
  /** Characters by the number of the place that they lead to. */
  readonly after: ReadonlyMap<number, readonly Range[]>;
}

/** What patterns have cost together. */
export class PatternWork {
  #spent = 0;
  /** Throws EngineError `constraint_invalid`. */
  spend(work: number): void {
    this.#spent += work;
    if (this.#spent > MOST_TOGETHER) throw invalid('the patterns look ahead or behind, or stand beside a format or length, and cost too much to follow together; take fewer of them, or say it without');
  }
}

/** Its places, the first one first. `together`: what it costs is counted there, too. Throws EngineError `constraint_invalid` where they are too many. */
export function patternAutomaton(pattern: Pattern, search: boolean, together: PatternWork | undefined): readonly PatternPlace[] {
  const network = new PatternNetwork(pattern, search);
  const sets = new ThreadSets(network, together);
  const alike = charactersAlike(network);
  const places: { readonly at: number; readonly behind: readonly number[] }[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (at: number, behind: readonly number[]): number => {
    const key = `${at} ${behind.join()}`;
    let number = numbers.get(key);
    if (number === undefined) {
      if (places.length >= MOST_PLACES) throw tooMany();
      number = places.push({ at, behind }) - 1;
      numbers.set(key, number);
    }
    return number;
  };
  const first = sets.behind(network.behind.map((start) => (held) => sets.begin(start, held)));
  numberOf(sets.begin(network.start, first.held), first.sets);
  const found: PatternPlace[] = [];
  // Those that are found on the way come behind.
  for (const { at, behind } of places) {
    const after = new Map<number, Range[]>();
    for (const { sample, ranges } of alike) {
      const { held, sets: next } = sets.behind(behind.map((set) => (known) => sets.step(set, sample, known)));
      const reached = sets.step(at, sample, held);
      if (reached === NONE) continue;
      // Where anything may follow, nothing depends on what stands before.
      const target = numberOf(reached, reached === ALL ? [] : next);
      const before = after.get(target);
      if (before) before.push(...ranges);
      else after.set(target, [...ranges]);
    }
    found.push({ ends: sets.ends(at), after });
  }
  return found;
}
/** Whether a text is one of the pattern, in time that grows with its length alone. Throws EngineError `constraint_invalid` where that takes too much work. */
export function patternMatcher(pattern: Pattern, search: boolean): (text: string) => boolean {
  const network = new PatternNetwork(pattern, search);
  const sets = new ThreadSets(network);
  return (text) => {
    let { sets: behind, held } = sets.behind(network.behind.map((start) => (known) => sets.begin(start, known)));
    let at = sets.begin(network.start, held);
    for (const character of text) {
      const point = character.codePointAt(0) as number;
      ({ sets: behind, held } = sets.behind(behind.map((set) => (known) => sets.step(set, point, known))));
      at = sets.step(at, point, held);
    }
    return sets.ends(at);
  };
}
const tooMany = (): Error => invalid(`the pattern looks ahead or behind and comes to more than ${MOST_PLACES} places, or costs too much to follow; repeat less, or say it without`);

/** Sets of threads, each with a number, and where they lead. */
class ThreadSets {
  readonly #network: PatternNetwork;
  readonly #sets: (readonly Thread[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #steps = new Map<string, number>();
  readonly #together: PatternWork | undefined;
  #work = 0;

  constructor(network: PatternNetwork, together?: PatternWork) {
    this.#network = network;
    this.#together = together;
    this.#number([]);
    this.#number([{ node: network.anything, must: [], never: [] }]);
  }
  /** What stands behind, one network after the other: each may depend on those before it. */
  behind(next: readonly ((held: readonly boolean[]) => number)[]): { readonly sets: readonly number[]; readonly held: readonly boolean[] } {
    const [sets, held]: [number[], boolean[]] = [[], []];
    for (const each of next) {
      const set = each(held);
      sets.push(set);
      held.push(this.ends(set));
    }
    return { sets, held };
  }
  begin(node: number, held: readonly boolean[]): number {
    return this.#close([{ node, must: [], never: [] }], held);
  }
  /** The set after one more character. `held`: by network that is looked for behind, whether what then stands there is a text of it. */
  step(set: number, point: number, held: readonly boolean[]): number {
    if (set === NONE || set === ALL) return set;
    const key = `${set} ${point} ${held.map(Number).join('')}`;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const next: Thread[] = [];
    for (const { node, must, never } of this.#sets[set]) {
      const targets = this.#network.nodes[node].arcs.filter(({ ranges }) => holds(ranges, point));
      if (targets.length === 0) continue;
      const thread = (target: number): Thread => ({ node: target, must: stepped(must), never: stepped(never) });
      const stepped = (all: readonly number[]): number[] => all.map((each) => this.step(each, point, held));
      for (const { target } of targets) next.push(thread(target));
    }
    const result = this.#close(next, held);
    this.#steps.set(key, result);
    return result;
  }
  /** The text may end here. */
  ends(set: number): boolean {
    return this.#sets[set].some(({ node, must, never }) => this.#network.nodes[node].ends && must.every((each) => this.ends(each)) && !never.some((each) => this.ends(each)));
  }

  /** The set of these threads and of those that they lead to without a character. */
  #close(threads: readonly Thread[], held: readonly boolean[]): number {
    const kept = new Map<string, Thread>();
    const seen = new Set<string>();
    const open = [...threads];
    for (let given = open.pop(); given; given = open.pop()) {
      const work = 1 + given.must.length + given.never.length;
      this.#work += work;
      this.#together?.spend(work);
      if (this.#work > MOST_WORK) throw tooMany();
      const thread = settled(given);
      if (!thread) continue;
      const key = keyOf(thread);
      if (seen.has(key)) continue;
      seen.add(key);
      const { arcs, jumps, conditions, ends } = this.#network.nodes[thread.node];
      if (arcs.length > 0 || ends) kept.set(key, thread);
      for (const jump of jumps) open.push({ ...thread, node: jump });
      for (const condition of conditions) {
        const { target, negated } = condition;
        if (condition.kind === 'behind') {
          if (held[condition.network] !== negated) open.push({ ...thread, node: target });
          continue;
        }
        const ahead = this.begin(condition.start, held);
        open.push(negated ? { ...thread, node: target, never: [...thread.never, ahead] } : { ...thread, node: target, must: [...thread.must, ahead] });
      }
    }
    return this.#number(this.#least([...kept.values()]));
  }
  /** Without those that ask for all that another one at the same node asks for. */
  #least(threads: readonly Thread[]): readonly Thread[] {
    const free = threads.filter(({ must, never }) => must.length + never.length === 0);
    if (free.some(({ node }) => node === this.#network.anything)) return [{ node: this.#network.anything, must: [], never: [] }];
    const within = (some: readonly number[], all: readonly number[]): boolean => some.every((each) => all.includes(each));
    return threads.filter(
      (thread) => !threads.some((other) => other !== thread && other.node === thread.node && within(other.must, thread.must) && within(other.never, thread.never)),
    );
  }
  #number(threads: readonly Thread[]): number {
    const sorted = threads.map((thread) => ({ thread, key: keyOf(thread) })).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const key = sorted.map((each) => each.key).join(';');
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#sets.push(sorted.map(({ thread }) => thread)) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}
const keyOf = ({ node, must, never }: Thread): string => `${node}:${must.join()}:${never.join()}`;
/** What is sure already is left out; undefined where it can hold no more. */
function settled({ node, must, never }: Thread): Thread | undefined {
  if (must.includes(NONE) || never.includes(ALL)) return undefined;
  const rest = (all: readonly number[], sure: number): number[] => [...new Set(all)].filter((each) => each !== sure).toSorted((a, b) => a - b);
  const thread = { node, must: rest(must, ALL), never: rest(never, NONE) };
  return thread.must.some((each) => thread.never.includes(each)) ? undefined : thread;
}

function holds(ranges: readonly Range[], point: number): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < point) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= point;
}
/** All characters, in parts that no arc of the network tells apart. */
function charactersAlike({ nodes }: PatternNetwork): readonly { readonly sample: number; readonly ranges: readonly Range[] }[] {
  const lists = [...new Set(nodes.flatMap(({ arcs }) => arcs.map(({ ranges }) => ranges)))];
  /** By point: lists that begin, or end before it. */
  const changes = new Map<number, number[]>();
  const change = (point: number, list: number): void => {
    const there = changes.get(point);
    if (there) there.push(list);
    else changes.set(point, [list]);
  };
  for (const [number, ranges] of lists.entries())
    for (const [from, to] of ranges) {
      change(from, number);
      change(to + 1, number);
    }
  const parts = new Map<string, Range[]>();
  const within = new Set<number>();
  const points = [...changes.keys()].toSorted((a, b) => a - b);
  for (const [i, point] of points.entries()) {
    for (const list of changes.get(point) ?? []) if (!within.delete(list)) within.add(list);
    const last = (points[i + 1] ?? LAST_POINT + 1) - 1;
    if (within.size === 0 || last < point) continue;
    const key = [...within].toSorted((a, b) => a - b).join();
    const part = parts.get(key);
    if (part) part.push([point, last]);
    else parts.set(key, [[point, last]]);
  }
  return Array.from(parts.values(), (ranges) => ({ sample: ranges[0][0], ranges }));
}
