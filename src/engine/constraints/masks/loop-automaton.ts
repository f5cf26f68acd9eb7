// Owns the small deterministic automaton of one loop's body: which bytes lead on, and where one round ends and the next may begin.
// Refuses to know tokens, what stands around the loop, and how often it may go round.

import { FLOOR } from '../grammar/machine.ts';
import type { Machine } from '../grammar/machine.ts';
import { FIRST_TOKEN } from '../grammar/node.ts';
import type { Network } from '../grammar/network.ts';

/** Bodies that need more are no characters; they are followed as all else is. */
const MOST_PLACES = 64;
export const NOWHERE = -1;

export interface LoopAutomaton {
  /** By place and byte: the place behind it, or NOWHERE. The first place is where it begins. */
  readonly table: Int16Array;
  /** Where a round is over, and a byte begins the next one; NOWHERE when no round ends. */
  readonly boundary: number;
  /** The places as states of the machine; FLOOR is the way out of the loop. */
  readonly states: readonly number[];
}

/**
 * The automaton of a loop that begins at `nodes` of its body. Undefined where its body is too large, or where one text can be cut into rounds in several ways: then the number of rounds
 * does not follow from the text.
 */
export function loopAutomaton(machine: Machine, network: Network, nodes: readonly number[], free: number): LoopAutomaton | undefined {
  if (!isCertain(machine, network, nodes, free)) return undefined;
  const loop = machine.frame(free, 0, FLOOR);
  const between = machine.enter([loop]);
  const states = [machine.enter(nodes.map((node) => machine.frame(node, 0, loop)))];
  const rows: Int16Array[] = [];
  const places = new Map([[states[0], 0]]);
  for (let place = 0; place < states.length; place++) {
    const state = states[place];
    const row = new Int16Array(FIRST_TOKEN).fill(NOWHERE);
    for (const [from, to] of stretches(machine, network, state)) {
      const after = machine.step(state, from);
      if (after < 0) continue;
      let next = places.get(after);
      if (next === undefined) {
        if (states.length >= MOST_PLACES) return undefined;
        next = states.push(after) - 1;
        places.set(after, next);
      }
      row.fill(next, from, to + 1);
    }
    rows.push(row);
  }
  const table = new Int16Array(rows.length * FIRST_TOKEN);
  rows.forEach((row, place) => table.set(row, place * FIRST_TOKEN));
  return { table, boundary: places.get(between) ?? NOWHERE, states };
}
/** Does every round end where it can read no more? Then a text is cut into rounds in one way. */
function isCertain(machine: Machine, network: Network, nodes: readonly number[], free: number): boolean {
  const body = network.nodes[free].loop?.body;
  const starts = [nodes, ...(body === undefined ? [] : [[body]])];
  const states = new Set(starts.map((start) => machine.enter(start.map((node) => machine.frame(node, 0, FLOOR)))));
  for (const state of states) {
    if (states.size > MOST_PLACES || (machine.ends(state) && machine.framesOf(state).length > 0)) return false;
    for (const [from] of stretches(machine, network, state)) {
      const after = machine.step(state, from);
      if (after >= 0) states.add(after);
    }
  }
  return true;
}
/** Bytes that are read alike, as inclusive ranges. */
function stretches(machine: Machine, network: Network, state: number): [number, number][] {
  const cuts = new Set([0, FIRST_TOKEN]);
  for (const frame of machine.framesOf(state))
    for (const { from, to } of network.nodes[machine.nodes[frame]].arcs)
      if (from < FIRST_TOKEN) {
        cuts.add(from);
        cuts.add(to + 1);
      }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => [sorted[i], end - 1]);
}
