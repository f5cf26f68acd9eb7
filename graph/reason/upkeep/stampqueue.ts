// Owns a queue of rows that gives those of the smallest stamps first.
// Refuses to know why they wait.

import type { Row } from '../tables/database.ts';

export class StampQueue {
  readonly #byStamp = new Map<number, Row[]>();
  /** Stamps that rows wait for, as a binary heap. */
  readonly #stamps: number[] = [];

  push(stamp: number, at: Row): void {
    const rows = this.#byStamp.get(stamp);
    if (rows) {
      rows.push(at);
      return;
    }
    this.#byStamp.set(stamp, [at]);
    const heap = this.#stamps;
    let i = heap.push(stamp) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && heap[parent] > stamp; parent = (i - 1) >> 1) {
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = stamp;
  }
  pop(): Row | undefined {
    const heap = this.#stamps;
    if (heap.length === 0) return undefined;
    const rows = this.#byStamp.get(heap[0]) as Row[];
    const at = rows.pop();
    if (rows.length > 0) return at;
    this.#byStamp.delete(heap[0]);
    const last = heap.pop() as number;
    if (heap.length === 0) return at;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= last) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return at;
  }
  clear(): void {
    this.#byStamp.clear();
    this.#stamps.length = 0;
  }
}
