// Owns what follows from a network as a whole: from which nodes its end can be reached, and whether a rule calls itself before anything is read.
// Refuses to know what the network was made of, and where in a text it is walked.

import type { Node } from './node.ts';

/** By node: 1 where the end of its network can be reached; with `reading` false, without reading anything. */
export function endsFrom(nodes: readonly Node[], reading: boolean): Uint8Array {
  const ends = new Uint8Array(nodes.length);
  const reached = (node: number): boolean => {
    const { arcs, jumps, calls, final, loop } = nodes[node];
    return (
      final ||
      (loop !== undefined && (loop.least === 0 || ends[loop.body] === 1)) ||
      jumps.some((jump) => ends[jump] === 1) ||
      calls.some(({ start, back }) => ends[start] === 1 && ends[back] === 1) ||
      (reading && arcs.some(({ target }) => ends[target] === 1))
    );
  };
  /** By node: those that are looked at again when it is known to reach its end. */
  const before: number[][] = nodes.map(() => []);
  for (const [node, { arcs, jumps, calls, loop }] of nodes.entries()) {
    for (const jump of jumps) before[jump].push(node);
    for (const { start, back } of calls) {
      before[start].push(node);
      before[back].push(node);
    }
    if (loop) before[loop.body].push(node);
    if (reading) for (const { target } of arcs) before[target].push(node);
  }
  const open = [...nodes.keys()];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (ends[node] === 1 || !reached(node)) continue;
    ends[node] = 1;
    for (const other of before[node]) open.push(other);
  }
  return ends;
}

/** A rule that calls itself before anything is read, by its name; undefined where none does. `empty`: from which nodes a network may end without reading; `names`: of rules, by their first nodes. */
export function leftRecursive(nodes: readonly Node[], empty: Uint8Array, names: ReadonlyMap<number, string>): string | undefined {
  const done = new Set<number>();
  for (const first of names.keys()) {
    const path: { readonly network: number; readonly entered: number[] }[] = [];
    const within = new Set<number>();
    const enter = (network: number): void => {
      within.add(network);
      path.push({ network, entered: [...enteredFrom(nodes, empty, network)] });
    };
    if (!done.has(first)) enter(first);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.entered.pop();
      if (next === undefined) {
        path.pop();
        within.delete(top.network);
        done.add(top.network);
      } else if (within.has(next)) {
        const circle = path.slice(path.findIndex(({ network }) => network === next));
        return circle.map(({ network }) => names.get(network)).find((name) => name !== undefined);
      } else if (!done.has(next)) enter(next);
    }
  }
  return undefined;
}
/** Networks that are entered from the beginning of one before anything is read. */
function enteredFrom(nodes: readonly Node[], empty: Uint8Array, network: number): Set<number> {
  const entered = new Set<number>();
  const [seen, open] = [new Set([network]), [network]];
  const visit = (node: number): void => {
    if (seen.has(node)) return;
    seen.add(node);
    open.push(node);
  };
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { jumps, calls, loop } = nodes[node];
    for (const jump of jumps) visit(jump);
    for (const { start, back } of calls) {
      entered.add(start);
      if (empty[start] === 1) visit(back);
    }
    if (loop) entered.add(loop.body);
  }
  return entered;
}
