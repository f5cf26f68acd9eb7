// Owns the measurement of upkeep: one fact goes and comes back in closures of a million facts and more, against deriving all anew; and the bytes that a derived fact takes.
// Refuses to know how upkeep is done. Times are of whole writes through the knowledge graph over a store in memory, one after the other, in milliseconds.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import { Closure } from '../../graph/knowledge/bases/closure.ts';
import { FactReader } from '../../graph/knowledge/facts/facts.ts';
import { ValidityWatch } from '../../graph/knowledge/facts/validity.ts';
import { Database } from '../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../graph/reason/evaluate/evaluate.ts';
import { parseRules } from '../../graph/reason/language/parse.ts';
import { Program } from '../../graph/reason/evaluate/program.ts';
import { DEFAULT_BASE as BASE, entity, literal, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';
import { seeded } from '../../test/helpers/store-world.ts';
import { input } from './inputs.ts';

const { data, rows, operations, nodes, ring } = options({
  data: process.env.PHAROS_OUTSIDE ? `${process.env.PHAROS_OUTSIDE}/data` : '',
  rows: 'tree,counted,lubm10,random,ring,bytes',
  operations: 60,
  nodes: 100_000,
  ring: 1_500,
});
const NONE = Number.MAX_SAFE_INTEGER;
const BUDGET = { answers: NONE, facts: NONE, ms: NONE, depth: 1_000_000 };
const PATH = 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).';
const triple = (subject: string, relation: string, object: string | number): Triple => ({
  subject: parseEntityId(subject),
  relation: parseRelationName(relation),
  object: typeof object === 'number' ? literal(object) : entity(parseEntityId(object)),
});

interface Scene {
  readonly name: string;
  readonly rules: string;
  readonly facts: readonly Triple[];
  /** Facts that go and come back are of this relation; absent: of any. */
  readonly relation?: string;
}
/** Every node below an earlier one: about ln(nodes) levels. */
function tree(): Triple[] {
  const random = seeded(1);
  return Array.from({ length: nodes - 1 }, (_, i) => triple(`n${i + 1}`, 'under', `n${random.below(i + 1)}`));
}
const ABOVE = 'below(?x, ?y) :- under(?x, ?y). below(?x, ?z) :- below(?x, ?y), under(?y, ?z).';
async function scene(row: string): Promise<Scene> {
  switch (row) {
    case 'tree':
      return { name: `all that is below a node, tree of ${nodes}`, rules: ABOVE, facts: tree(), relation: 'under' };
    case 'counted':
      return {
        name: `the same, with "not" and a count`,
        rules: `${ABOVE} inner(?y) :- under(?x, ?y). leaf(?x) :- rank(?x, ?k), not inner(?x). depth(?x, ?n) :- rank(?x, ?k), ?n = count { ?y : below(?x, ?y) }. deep(?x) :- depth(?x, ?n), ?n > 12, leaf(?x).`,
        facts: [...tree(), ...Array.from({ length: nodes }, (_, i) => triple(`n${i}`, 'rank', i % 7))],
        relation: 'under',
      };
    case 'random':
    case 'lubm10': {
      const { name, facts, rules } = await input(row === 'random' ? 'tc' : row, data);
      const quoted = (term: string): string => (term.startsWith('?') ? term : JSON.stringify(term));
      const atom = ([s, r, o]: readonly [string, string, string]): string => `${quoted(r)}(${quoted(s)}, ${quoted(o)})`;
      return { name, rules: rules.map(({ head, body }) => `${atom(head)} :- ${body.map(atom).join(', ')}.`).join(' '), facts: facts.map(([s, r, o]) => triple(s, r, o)) };
    }
    case 'ring':
      return { name: `closure of a ring of ${ring}`, rules: PATH, facts: Array.from({ length: ring }, (_, i) => triple(`n${i}`, 'edge', `n${(i + 1) % ring}`)) };
    default:
      throw new RangeError(`unknown row ${row}; use tree, counted, lubm10, random, ring or bytes`);
  }
}

/** Milliseconds. */
async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, result: T]> {
  const began = performance.now();
  const result = await work();
  return [performance.now() - began, result];
}
async function measure({ name, rules, facts, relation }: Scene, count: number): Promise<(string | number)[]> {
  const store = new EmbeddedStore({ file: ':memory:' });
  const graph = new KnowledgeGraph({ store, limits: { standing: BUDGET } });
  await graph.open();
  for (let i = 0; i < facts.length; i += 5_000)
    await graph.tell(
      BASE,
      facts.slice(i, i + 5_000).map((statement) => ({ kind: 'assert', statement })),
    );
  const { derived } = await graph.addRules(BASE, rules);
  const random = seeded(7);
  const candidates = facts.filter((fact) => relation === undefined || fact.relation === relation);
  const [went, came, less]: [number[], number[], number[]] = [[], [], []];
  // The first of each builds indexes, which stay.
  for (let i = 0; i <= count; i++) {
    const fact = random.pick(candidates);
    const [gone, result] = await timed(() => graph.tell(BASE, [{ kind: 'withdraw', pattern: fact }]));
    const [back] = await timed(() => graph.tell(BASE, [{ kind: 'assert', statement: fact }]));
    if (i === 0) continue;
    went.push(gone);
    came.push(back);
    less.push(result.noLongerDerived);
  }
  const reader = new FactReader(store, BASE, new ValidityWatch(), Date.now);
  const anew: number[] = [];
  for (let i = 0; i < 3; i++) anew.push((await timed(() => Closure.build(parseRules(rules), reader, BUDGET)))[0]);
  await graph.close();
  return [name, derived, quantile(less, 0.5), quantile(less, 1), quantile(went, 0.5), quantile(went, 0.99), quantile(came, 0.5), quantile(came, 0.99), quantile(anew, 0.5)];
}

/** Bytes of array buffers and heap, after collecting garbage. */
function held(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
async function bytes(): Promise<(string | number)[][]> {
  const { name, rules, facts } = await scene('random');
  const database = new Database();
  for (const fact of facts) database.tell(fact, 1);
  const program = new Program(parseRules(rules), database);
  const before = held();
  runNow(new Evaluator(program, BUDGET).derive());
  const [slot] = program.derived;
  slot.table.settle();
  const { derived } = database;
  const rows: (string | number)[][] = [[name, 'facts, rule and rank of each, and rows by pair', (held() - before) / derived]];
  slot.table.bySubject(database.terms.size);
  slot.table.byObject(database.terms.size);
  rows.push([name, '.. and by subject and by object: all that proofs, questions and upkeep use', (held() - before) / derived]);
  const most = Math.floor(slot.table.count / 100);
  slot.table.remove(Array.from({ length: most }, (_, i) => i * 100));
  rows.push([name, '.. after a hundredth of the facts went, with links both ways', (held() - before) / (derived - most)]);
  return rows;
}

await printMachine([]);
const chosen = rows.split(',');
// Bytes first: nothing else is in memory yet.
if (chosen.includes('bytes')) printTable(['closure', 'kept', 'bytes a derived fact'], await bytes());
const table: (string | number)[][] = [];
for (const row of chosen) {
  if (row === 'bytes') continue;
  table.push(await measure(await scene(row), row === 'ring' ? Math.min(operations, 5) : operations));
  console.error(table.at(-1)?.join(' | '));
}
if (table.length > 0)
  printTable(['closure', 'derived', 'taken, median', 'taken, most', 'goes, median ms', 'p99', 'comes, median ms', 'p99', 'all anew, ms'], table);
