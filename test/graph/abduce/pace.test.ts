// Owns the promise that looking for explanations gives way and keeps its time while it looks for what breaks constraints.
// Refuses to know how fast the machine is: what others wait at most is compared with all the time it takes.

import t from 'tap';
import { Gatherings } from '../../../graph/abduce/gatherings.ts';
import type { Model } from '../../../graph/abduce/model.ts';
import type { State } from '../../../graph/abduce/state.ts';
import type { AbduceBudget } from '../../../graph/abduce/types.ts';
import { literal } from '../../../graph/terms.ts';
import { BASE, open, say } from '../../helpers/knowledge-world.ts';

const BUDGET: AbduceBudget = { explanations: 5, size: 3, nodes: 10_000, ms: 120_000, facts: 100_000, depth: 1_000 };

t.test('constraints whose conditions have nothing in common are looked into in pieces', async (t) => {
  const { graph } = await open(t, { limits: { standing: { answers: 1_000, facts: 1_000_000, ms: 300, depth: 10_000 } } });
  await graph.tell(BASE, Array.from({ length: 1_000 }, (_, i) => ['A', 'B'].map((column) => say(`${column}${i}`, `v${column}`, literal(i)))).flat());
  await graph.addRules(BASE, ':- vA(?x, ?a), vB(?y, ?b), ?a + ?b = 2, rained(?where). rained(road). wet(?x) :- rained(?x).');
  const asked = { observations: ['wet(street)'], assumable: ['rained(street)'], budget: BUDGET };
  let [longest, last, working] = [0, performance.now(), true];
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (working) setImmediate(turn);
  };
  setImmediate(turn);
  const began = last;
  const found = await graph.abduce(BASE, asked);
  working = false;
  const took = performance.now() - began;
  t.match(found, { explanations: [], complete: true, statistics: { inconsistent: 1 } });
  t.ok(longest < took / 8, `others waited ${longest} of ${took} ms`);
  t.match(await graph.abduce(BASE, { ...asked, budget: { ...BUDGET, ms: took / 10 } }), { explanations: [], complete: false, limit: 'ms' });
});

t.test('what may be assumed of an aggregate is counted set by set, with a pause behind each', (t) => {
  const body = { variables: ['y'], items: [] };
  const item = { kind: 'group', aggregate: { function: 'count' }, given: [], result: 0, body, distinct: [0], of: [0], affected: true };
  const state = { clause: { variables: ['n'], items: [item] }, registers: new Int32Array(1).fill(-1), left: [0], assume: [], environment: { assumed: [], absent: [] }, answer: () => undefined };
  const values: number[] = [];
  const gatherings = new Gatherings({ combine: (_: unknown, all: readonly number[]) => values.push(all.length) && -1 } as unknown as Model, {
    size: 6,
    begin: (_, __, answer) => {
      for (let i = 0; i < 12; i++) answer({ ...state, registers: Int32Array.of(i), environment: { assumed: [i], absent: [] } } as unknown as State);
    },
    advance: () => undefined,
    wanted: () => true,
    miss: () => undefined,
  });
  gatherings.gather(state as unknown as State, 0);
  const counting = gatherings.count();
  let pauses = 0;
  while (counting.next().done !== true) pauses++;
  // All sets of at most six of twelve.
  t.same([pauses, values.length, Math.max(...values)], [2_510, 2_510, 6]);
  t.end();
});

t.test('an aggregate that nothing assumed changes is counted in pieces', async (t) => {
  const { graph } = await open(t, { limits: { standing: { answers: 1_000, facts: 1_000_000, ms: 300, depth: 10_000 } } });
  await graph.tell(BASE, Array.from({ length: 300 }, (_, i) => ['A', 'B'].map((column) => say(`${column}${i}`, `v${column}`, literal(i)))).flat());
  await graph.addRules(BASE, 'wet(?x) :- rained(?x), ?n = count { ?c, ?d : vA(?c, ?a), vB(?d, ?b) }, ?n > 5.');
  const found = await graph.abduce(BASE, { observations: ['wet(street)'], assumable: ['rained(street)'], budget: BUDGET });
  t.match(found, { explanations: [{ assume: [{ subject: 'street' }] }], complete: true });
  // Of 90,000 ways to meet the aggregate, so many at least are more than one step of the search.
  t.ok(found.statistics.nodes > 40, `${found.statistics.nodes} steps`);
});
