// Owns the facts of one induction as typed arrays: edges by node and step, nodes by step, steps between two nodes.
// Refuses to know names, rules and where facts come from. A step is a relation walked forwards (2r) or backwards (2r + 1).

/** Distinct facts as three columns of numbers. */
export interface FactColumns {
  readonly nodes: number;
  readonly relations: number;
  readonly subjects: Int32Array;
  readonly predicates: Int32Array;
  readonly objects: Int32Array;
  /** Order of the nodes that are numbers or dates, equals alike, numbers first; -1 for others. Empty when it is not wanted. */
  readonly ranks?: Int32Array;
  /** The least rank of a date. */
  readonly firstDate?: number;
}

const hash = (a: number, b: number): number => {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
};
const slotsFor = (count: number): Int32Array => new Int32Array(2 ** Math.ceil(Math.log2(Math.max(4, count * 2)))).fill(-1);

/** Stable counting sort of `order` by `keys`, which are below `range`. */
function sortBy(order: Int32Array, keys: Int32Array, range: number): Int32Array {
  const start = new Int32Array(range + 1);
  for (let i = 0; i < order.length; i++) start[keys[order[i]] + 1]++;
  for (let i = 0; i < range; i++) start[i + 1] += start[i];
  const sorted = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) sorted[start[keys[order[i]]]++] = order[i];
  return sorted;
}

/** A group is the edges of one node by one step: `targets[groupStart[g] .. groupStart[g + 1])`, ascending. */
export class FactGraph {
  readonly nodes: number;
  readonly relations: number;
  readonly steps: number;
  readonly facts: number;
  readonly ranks: Int32Array;
  readonly firstDate: number;
  /** Groups of a node: `nodeGroup[node] .. nodeGroup[node + 1]`. */
  readonly nodeGroup: Int32Array;
  readonly groupNode: Int32Array;
  readonly groupStep: Int32Array;
  readonly groupStart: Int32Array;
  readonly targets: Int32Array;
  /** Of each edge: the group of its target by the inverse step. */
  readonly peers: Int32Array;
  /** Groups of a step: `stepGroups[stepStart[step] .. stepStart[step + 1])`. */
  readonly stepStart: Int32Array;
  readonly stepGroups: Int32Array;
  /** Facts of each relation, and those of them whose subject is their object. */
  readonly relationFacts: Int32Array;
  readonly loops: Int32Array;
  /** The least step with the same pairs: a symmetric relation, its inverse or a copy is walked in one way only. */
  readonly alias: Int32Array;
  readonly #slots: Int32Array;
  readonly #pairSlots: Int32Array;
  readonly #pairFrom: Int32Array;
  readonly #pairTo: Int32Array;
  /** Steps of a pair, aliases left out: `pairSteps[pairStart[p] .. pairStart[p + 1])`. */
  readonly pairStart: Int32Array;
  readonly pairSteps: Int32Array;

  constructor({ nodes, relations, subjects, predicates, objects, ranks = new Int32Array(0), firstDate = 0 }: FactColumns) {
    [this.ranks, this.firstDate] = [ranks, firstDate];
    this.nodes = nodes;
    this.relations = relations;
    this.steps = relations * 2;
    const told = subjects.length;
    const [from, step, to] = [new Int32Array(told * 2), new Int32Array(told * 2), new Int32Array(told * 2)];
    for (let i = 0; i < told; i++) {
      [from[2 * i], step[2 * i], to[2 * i]] = [subjects[i], predicates[i] * 2, objects[i]];
      [from[2 * i + 1], step[2 * i + 1], to[2 * i + 1]] = [objects[i], predicates[i] * 2 + 1, subjects[i]];
    }
    let order: Int32Array = Int32Array.from({ length: told * 2 }, (_, i) => i);
    order = sortBy(sortBy(sortBy(order, to, nodes), step, this.steps), from, nodes);
    // Facts that were told twice count once.
    let edges = 0;
    for (let i = 0; i < order.length; i++) {
      const [edge, last] = [order[i], edges > 0 ? order[edges - 1] : -1];
      if (last >= 0 && from[edge] === from[last] && step[edge] === step[last] && to[edge] === to[last]) continue;
      order[edges++] = edge;
    }
    order = order.subarray(0, edges);
    this.facts = edges / 2;
    this.targets = new Int32Array(edges);
    this.nodeGroup = new Int32Array(nodes + 1);
    const [groupNode, groupStep, groupStart]: number[][] = [[], [], []];
    for (let i = 0; i < edges; i++) {
      const edge = order[i];
      const group = groupNode.length - 1;
      if (group < 0 || groupNode[group] !== from[edge] || groupStep[group] !== step[edge]) {
        groupNode.push(from[edge]);
        groupStep.push(step[edge]);
        groupStart.push(i);
        this.nodeGroup[from[edge] + 1]++;
      }
      this.targets[i] = to[edge];
    }
    groupStart.push(edges);
    for (let i = 0; i < nodes; i++) this.nodeGroup[i + 1] += this.nodeGroup[i];
    [this.groupNode, this.groupStep, this.groupStart] = [Int32Array.from(groupNode), Int32Array.from(groupStep), Int32Array.from(groupStart)];
    const groups = this.groupNode.length;
    this.#slots = slotsFor(groups);
    this.stepStart = new Int32Array(this.steps + 1);
    for (let g = 0; g < groups; g++) {
      this.#insertGroup(g);
      this.stepStart[this.groupStep[g] + 1]++;
    }
    for (let s = 0; s < this.steps; s++) this.stepStart[s + 1] += this.stepStart[s];
    this.stepGroups = sortBy(
      Int32Array.from({ length: groups }, (_, i) => i),
      this.groupStep,
      Math.max(1, this.steps),
    );
    this.relationFacts = new Int32Array(relations);
    this.loops = new Int32Array(relations);
    this.peers = new Int32Array(edges);
    for (let g = 0; g < groups; g++)
      for (let e = this.groupStart[g]; e < this.groupStart[g + 1]; e++) {
        this.peers[e] = this.group(this.targets[e], this.groupStep[g] ^ 1);
        if ((this.groupStep[g] & 1) === 1) continue;
        this.relationFacts[this.groupStep[g] >> 1]++;
        if (this.targets[e] === this.groupNode[g]) this.loops[this.groupStep[g] >> 1]++;
      }
    this.alias = this.#aliases();
    const byPair = sortBy(sortBy(sortBy(order, step, this.steps), to, nodes), from, nodes);
    const [pairFrom, pairTo, pairStart, pairSteps]: number[][] = [[], [], [], []];
    for (let i = 0; i < byPair.length; i++) {
      const edge = byPair[i];
      if (this.alias[step[edge]] !== step[edge]) continue;
      const pair = pairFrom.length - 1;
      if (pair < 0 || pairFrom[pair] !== from[edge] || pairTo[pair] !== to[edge]) {
        pairFrom.push(from[edge]);
        pairTo.push(to[edge]);
        pairStart.push(pairSteps.length);
      }
      pairSteps.push(step[edge]);
    }
    pairStart.push(pairSteps.length);
    [this.#pairFrom, this.#pairTo] = [Int32Array.from(pairFrom), Int32Array.from(pairTo)];
    [this.pairStart, this.pairSteps] = [Int32Array.from(pairStart), Int32Array.from(pairSteps)];
    this.#pairSlots = slotsFor(pairFrom.length);
    const mask = this.#pairSlots.length - 1;
    for (let p = 0; p < pairFrom.length; p++) {
      let at = hash(pairFrom[p], pairTo[p]) & mask;
      while (this.#pairSlots[at] >= 0) at = (at + 1) & mask;
      this.#pairSlots[at] = p;
    }
  }

  /** Number of edges, both directions. */
  get edges(): number {
    return this.targets.length;
  }
  /** The group of a node by a step, or -1. */
  group(node: number, step: number): number {
    const mask = this.#slots.length - 1;
    for (let at = hash(node, step) & mask; ; at = (at + 1) & mask) {
      const g = this.#slots[at];
      if (g < 0 || (this.groupNode[g] === node && this.groupStep[g] === step)) return g;
    }
  }
  /** The entry of `pairStart` for two nodes, or -1. */
  pair(from: number, to: number): number {
    const mask = this.#pairSlots.length - 1;
    for (let at = hash(from, to) & mask; ; at = (at + 1) & mask) {
      const p = this.#pairSlots[at];
      if (p < 0 || (this.#pairFrom[p] === from && this.#pairTo[p] === to)) return p;
    }
  }
  /** Whether the step leads from one node to the other. */
  has(from: number, step: number, to: number): boolean {
    const g = this.group(from, step);
    if (g < 0) return false;
    let [low, high] = [this.groupStart[g], this.groupStart[g + 1]];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.targets[middle] < to) low = middle + 1;
      else high = middle;
    }
    return low < this.groupStart[g + 1] && this.targets[low] === to;
  }
  /** How many nodes have the step. */
  groupsOf(step: number): number {
    return this.stepStart[step + 1] - this.stepStart[step];
  }
  size(group: number): number {
    return this.groupStart[group + 1] - this.groupStart[group];
  }
  /** Edges of a node, both directions. */
  degree(node: number): number {
    return this.groupStart[this.nodeGroup[node + 1]] - this.groupStart[this.nodeGroup[node]];
  }

  #insertGroup(group: number): void {
    const mask = this.#slots.length - 1;
    let at = hash(this.groupNode[group], this.groupStep[group]) & mask;
    while (this.#slots[at] >= 0) at = (at + 1) & mask;
    this.#slots[at] = group;
  }
  /** Steps with equal pairs share the least of them. */
  #aliases(): Int32Array {
    const alias = Int32Array.from({ length: this.steps }, (_, i) => i);
    const prints = new Map<string, number[]>();
    for (let s = 0; s < this.steps; s++) {
      let [print, count] = [0, 0];
      for (let i = this.stepStart[s]; i < this.stepStart[s + 1]; i++) {
        const g = this.stepGroups[i];
        for (let e = this.groupStart[g]; e < this.groupStart[g + 1]; e++, count++) print = (print + hash(this.groupNode[g], this.targets[e])) | 0;
      }
      const key = `${print} ${count} ${this.groupsOf(s)}`;
      const known = prints.get(key)?.find((other) => this.#samePairs(other, s));
      if (known !== undefined) alias[s] = known;
      else prints.set(key, [...(prints.get(key) ?? []), s]);
    }
    return alias;
  }
  #samePairs(a: number, b: number): boolean {
    for (let i = 0; i < this.groupsOf(a); i++) {
      const [g, h] = [this.stepGroups[this.stepStart[a] + i], this.stepGroups[this.stepStart[b] + i]];
      if (this.groupNode[g] !== this.groupNode[h] || this.size(g) !== this.size(h)) return false;
      for (let e = 0; e < this.size(g); e++) if (this.targets[this.groupStart[g] + e] !== this.targets[this.groupStart[h] + e]) return false;
    }
    return true;
  }
}
