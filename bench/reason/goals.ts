// Owns the measurement of goal-directed deduction: facts derived, time, and how long other work of the process has to wait, for goals over a dense random graph and a long chain.
// Refuses to know how goals are answered.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { Change } from '../../graph/store.ts';
import { entity, parseBaseName, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import { options, printMachine, printTable } from '../common/machine.ts';
import { seeded } from '../../test/helpers/store-world.ts';

const { nodes, edges, chain } = options({ nodes: 2_000, edges: 4_000, chain: 1_000 });
const RULES = {
  right: 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).',
  left: 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).',
  chained: 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), path(?y, ?z).',
} as const;

await printMachine([]);
const graph = new KnowledgeGraph({ store: new EmbeddedStore({ file: ':memory:' }) });
await graph.open();
const edge = parseRelationName('edge');
const tell = (base: string, pairs: readonly (readonly [number, number])[]): Promise<unknown> =>
  graph.tell(
    parseBaseName(base),
    pairs.map(([from, to]): Change => ({ kind: 'assert', statement: { subject: parseEntityId(`n${from}`), relation: edge, object: entity(parseEntityId(`n${to}`)) } })),
  );
const random = seeded(1);
await tell('random', Array.from({ length: edges }, () => [random.below(nodes), random.below(nodes)] as const));
await tell('chain', Array.from({ length: chain - 1 }, (_, i) => [i, i + 1] as const));

const rows: (string | number)[][] = [];
for (const base of ['random', 'chain'])
  for (const [recursion, rules] of Object.entries(RULES))
    for (const goal of ['path(?x, ?y)', 'path(n7, ?x)', 'path(?x, n700)', 'path(n7, n700)']) {
      if (goal === 'path(?x, ?y)' && recursion === 'chained') continue;
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const { statistics, answers, complete, limit } = await graph.deduce(parseBaseName(base), {
        goal,
        rules,
        budget: { answers: 10, facts: 10_000_000, ms: 120_000, depth: 1_000_000 },
      });
      delay.disable();
      rows.push([base, recursion, goal, answers.length, complete ? 'all' : String(limit), statistics.derived, statistics.ms, delay.percentile(99) / 1e6, delay.max / 1e6]);
    }
await graph.close();
printTable(['graph', 'recursion', 'goal', 'answers read', 'reached', 'facts derived', 'ms', 'event loop p99 ms', 'event loop max ms'], rows);
