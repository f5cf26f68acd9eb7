// Owns the strongly connected components of a graph, by Tarjan (SIAM J. Comput. 1972), without recursion.
// Refuses to know what nodes and edges stand for.

/** Nodes and edges are numbered from 0; -1 ends a list. */
export interface Graph {
  readonly nodes: number;
  /** By node: its first edge. */
  readonly first: ArrayLike<number>;
  /** By edge: the next edge of its node. */
  readonly next: ArrayLike<number>;
  /** By edge: where it leads. */
  readonly to: ArrayLike<number>;
}

/** Calls `found` with each component and its number, each after those that it leads to. */
export function components({ nodes, first, next, to }: Graph, found: (members: readonly number[], number: number) => void): void {
  /** By node: when it was entered, from 1; 0 before. */
  const order = new Int32Array(nodes);
  const low = new Int32Array(nodes);
  const onStack = new Uint8Array(nodes);
  /** By node: the edge to follow next. */
  const edges = new Int32Array(nodes);
  const stack: number[] = [];
  const work: number[] = [];
  let [entered, number] = [0, 0];
  const enter = (node: number): void => {
    order[node] = low[node] = ++entered;
    edges[node] = first[node];
    stack.push(node);
    onStack[node] = 1;
    work.push(node);
  };
  for (let root = 0; root < nodes; root++) {
    if (order[root] > 0) continue;
    enter(root);
    while (work.length > 0) {
      const node = work[work.length - 1];
      const edge = edges[node];
      if (edge >= 0) {
        edges[node] = next[edge];
        const target = to[edge];
        if (order[target] === 0) enter(target);
        else if (onStack[target] === 1) low[node] = Math.min(low[node], order[target]);
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent], low[node]);
      if (low[node] !== order[node]) continue;
      const members: number[] = [];
      let member: number;
      do {
        member = stack.pop() as number;
        onStack[member] = 0;
        members.push(member);
      } while (member !== node);
      found(members, number++);
    }
  }
}
