// Owns the measurement of abduction: how often the fact left out of an AbductionRules case is the first explanation, and how long a question takes.
// Refuses to know how explanations are searched.

import { join } from 'node:path';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import { missingFirst, readCases } from '../../test/helpers/abduction-rules.ts';
import { MemoryStore } from '../../test/helpers/memory-store.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { data } = options({ data: process.env['PHAROS_OUTSIDE'] ? join(process.env['PHAROS_OUTSIDE'], 'data/abduction') : '' });
if (data === '') {
  console.error('give the folder with animal-simple-dev.jsonl and person-dev.jsonl: --data FOLDER, or PHAROS_OUTSIDE');
  process.exit(2);
}
await printMachine([]);
const graph = new KnowledgeGraph({ store: new MemoryStore() });
await graph.open();
const rows: string[][] = [];
let enough = true;
for (const file of ['animal-simple-dev', 'person-dev']) {
  const cases = readCases(join(data, `${file}.jsonl`));
  const began = performance.now();
  const { asked, first, misses } = await missingFirst(graph, cases);
  const ms = (performance.now() - began) / asked;
  rows.push([
    file,
    String(cases.length),
    String(asked),
    String(first),
    `${((100 * first) / asked).toFixed(2)} %`,
    ms.toFixed(2),
    misses.slice(0, 20).join(' '),
  ]);
  enough &&= first / asked >= 0.99;
}
await graph.close();
printTable(['file', 'cases', 'questions', 'missing fact first', 'share', 'ms a question', 'misses'], rows);
if (!enough) process.exit(1);
