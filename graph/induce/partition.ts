// Owns candidates in groups that rules tell apart, one rule after the other.
// Refuses to know what the rules say and what is done with the order.

/** Candidates at the top that are told apart by further rules, however many are wanted. */
const TOLD_APART = 20;

/** Candidates in groups, best group first; each rule's predictions split the groups that they meet, and new candidates become the last group. */
export class Partition {
  readonly #order: Int32Array;
  readonly #place: Int32Array;
  /** Group of a node: where it begins in the order. */
  readonly #group: Int32Array;
  readonly #end: Int32Array;
  readonly #met: Int32Array;
  #count = 0;
  /** All places before this one are told apart. */
  #settled = 0;

  constructor(nodes: number) {
    [this.#order, this.#place, this.#group] = [new Int32Array(nodes), new Int32Array(nodes).fill(-1), new Int32Array(nodes)];
    [this.#end, this.#met] = [new Int32Array(nodes), new Int32Array(nodes)];
  }
  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#place[this.#order[i]] = -1;
    [this.#count, this.#settled] = [0, 0];
  }
  order(): Int32Array {
    return this.#order.slice(0, this.#count);
  }
  place(node: number): number {
    return this.#group[node];
  }
  same(a: number, b: number): boolean {
    return this.#group[a] === this.#group[b];
  }
  /** Nothing but membership. */
  add(nodes: Int32Array, count: number): void {
    for (let i = 0; i < count; i++)
      if (this.#place[nodes[i]] < 0) {
        this.#order[this.#count] = nodes[i];
        this.#place[nodes[i]] = this.#count++;
      }
  }
  refine(nodes: Int32Array, count: number): void {
    const before = this.#count;
    const touched: number[] = [];
    for (let i = 0; i < count; i++) {
      const node = nodes[i];
      if (this.#place[node] < 0) {
        this.#order[this.#count] = node;
        this.#place[node] = this.#count++;
        this.#group[node] = before;
        continue;
      }
      const group = this.#group[node];
      if (group >= before || this.#end[group] - group === 1) continue;
      if (this.#met[group] === 0) touched.push(group);
      this.#swap(this.#place[node], group + this.#met[group]++);
    }
    if (this.#count > before) this.#end[before] = this.#count;
    for (const group of touched) {
      const [met, end] = [this.#met[group], this.#end[group]];
      this.#met[group] = 0;
      if (group + met === end) continue;
      // Those met stay in front under the old group; the others become a group of their own.
      this.#end[group] = group + met;
      this.#end[group + met] = end;
      for (let i = group + met; i < end; i++) this.#group[this.#order[i]] = group + met;
    }
    while (this.#settled < this.#count && this.#end[this.#settled] === this.#settled + 1) this.#settled++;
  }
  /** `limit` candidates are found, and the best of them told apart. */
  settled(limit: number): boolean {
    return this.#count >= limit && this.#settled >= Math.min(limit, TOLD_APART);
  }
  #swap(a: number, b: number): void {
    if (a === b) return;
    const [first, second] = [this.#order[a], this.#order[b]];
    [this.#order[a], this.#order[b]] = [second, first];
    [this.#place[first], this.#place[second]] = [b, a];
  }
}
