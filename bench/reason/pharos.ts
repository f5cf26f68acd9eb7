// Owns one run of Pharos's rule engine for the benchmark, as a process of its own: input made, rules parsed, facts told, everything derived.
// Refuses to know the other engines. Prints the number of derived facts.

import { Database } from '../../graph/reason/database.ts';
import { Evaluator } from '../../graph/reason/evaluate.ts';
import { Program } from '../../graph/reason/program.ts';
import { parseRules } from '../../graph/reason/parse.ts';
import { readFile } from 'node:fs/promises';
import { entity } from '../../graph/terms.ts';
import type { EntityId, RelationName } from '../../graph/terms.ts';

const [, , rulesFile, factsFile] = process.argv;
const rules = parseRules(await readFile(rulesFile, 'utf8'));
const database = new Database();
for (const line of (await readFile(factsFile, 'utf8')).split('\n')) {
  if (line === '') continue;
  const [subject, relation, object] = line.split('\t');
  database.tell({ subject: subject as EntityId, relation: relation as RelationName, object: entity(object as EntityId) }, 1);
}
const none = Number.MAX_SAFE_INTEGER;
const run = new Evaluator(new Program(rules, database), { answers: none, facts: none, ms: none, depth: none }).derive();
for (let step = run.next(); !step.done; step = run.next());
console.log(database.derived);
