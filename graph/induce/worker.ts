// Owns the thread of one share of an induction: it mines, tells what it finds, and then answers rankings by the rules that it keeps.
// Refuses to know names and who is on the other side.

import { parentPort, workerData } from 'node:worker_threads';
import { ExampleFinder } from './examples.ts';
import { FactGraph } from './graph.ts';
import { mine } from './miner.ts';
import type { FromWorker, RankAnswer, RankQuestion, RuleBatch, ToWorker, WorkerSetup } from './protocol.ts';
import { Ranker } from './ranker.ts';
import { RuleColumns, STRIDE } from './shape.ts';

/** Milliseconds between two reports. */
const REPORT_MS = 200;
/** Rules told in one report. */
const REPORT_RULES = 200;
/** Edges looked at for the examples of one rule. */
const EXAMPLE_EDGES = 20_000;
/** Counter-examples that each rule is charged with when it ranks (AnyBURL's constant). */
const SMOOTHING = 5;
/** Rules of each candidate that count in a noisy-or: the surest. Rules that say the same in other words are many and not independent. */
const CAUSES = 5;

if (!parentPort) throw new Error('worker.ts runs as a worker thread of induction.ts only');
const port = parentPort;
const setup = workerData as WorkerSetup;
const send = (message: FromWorker): void => port.postMessage(message);

const graph = new FactGraph(setup.columns);
const finder = new ExampleFinder(graph);
const batch = (rules: RuleColumns, from: number, to: number): RuleBatch => ({
  data: rules.data.slice(from * STRIDE, to * STRIDE),
  length: to - from,
  examples: Array.from({ length: to - from }, (_, i) => finder.find(rules, from + i, setup.examples, EXAMPLE_EDGES)),
});

function run(): RuleColumns {
  const found = new RuleColumns();
  const mining = mine(graph, { ...setup.options, clock: () => performance.now() }, found);
  let [told, last] = [0, performance.now()];
  for (;;) {
    const next = mining.next();
    if (next.done) {
      const { rules, progress, complete, limit } = next.value;
      send({ kind: 'done', progress, complete, ...(limit === undefined ? {} : { limit }), rules: batch(rules, 0, Math.min(setup.given, rules.length)) });
      return rules;
    }
    if (performance.now() - last < REPORT_MS) continue;
    const to = Math.min(found.length, told + REPORT_RULES, setup.given);
    send({ kind: 'progress', progress: next.value, found: batch(found, told, Math.max(told, to)) });
    [told, last] = [Math.max(told, to), performance.now()];
  }
}

const rules = run();
let ranker: Ranker | undefined;
function answer({ anchor, step, ...options }: RankQuestion): RankAnswer {
  ranker ??= new Ranker(graph, rules, SMOOTHING);
  const { nodes, predicted, partial } = ranker.rank(anchor, step, { ...options, causes: CAUSES });
  return { candidates: nodes.map(({ rules: rows, ...node }) => ({ ...node, rules: rules.pick(Int32Array.from(rows)).data })), predicted, partial };
}
port.on('message', (message: ToWorker) => send({ kind: 'ranked', id: message.id, answer: answer(message.question) }));
