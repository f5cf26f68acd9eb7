// Owns what reasoning must show on inputs that others made: extensions, pairs and labels equal to those that came with them.
// Refuses speed; the benchmarks measure it. Without PHAROS_OUTSIDE only small cases of the same shape are asserted.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName } from '../../../graph/terms.ts';
import type { Triple } from '../../../graph/terms.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import type { Program } from '../../../graph/reason/evaluate/program.ts';
import { open } from '../../helpers/knowledge-world.ts';
import { run } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { proofWriterGoal, proofWriterRules } from '../../helpers/proofwriter.ts';
import type { ProofWriterCase } from '../../helpers/proofwriter.ts';
import type { Test } from 'tap';

const { PHAROS_OUTSIDE } = process.env;
const outside = (...path: string[]): string | undefined => (PHAROS_OUTSIDE === undefined ? undefined : join(PHAROS_OUTSIDE, 'data', ...path));
const lines = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const told = (subject: string, relation: string, object: string): Told => ({
  triple: { subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) },
  confidence: 1,
});
/** What holds of a relation, as `subject,object`. */
function extension({ database }: Program, relation: string): Set<string> {
  const held = new Set<string>();
  for (const { subject, object } of database.matching({
    relation: parseRelationName(relation),
    subject: { kind: 'variable', name: 's' },
    object: { kind: 'variable', name: 'o' },
  }))
    held.add(`${subject},${object.kind === 'entity' ? object.id : String(object.value)}`);
  return held;
}

/** A, B or C as the graph decides. */
async function decide(t: Test, item: ProofWriterCase): Promise<string> {
  const { graph } = await open(t);
  await graph.addRules(DEFAULT_BASE, proofWriterRules(item));
  const { subject, relation, object, negated } = proofWriterGoal(item);
  if (subject.kind !== 'entity' || object.kind === 'variable') throw new TypeError('the question is not about one thing');
  const asked: Triple = { subject: subject.id, relation, object, ...(negated ? { negated } : {}) };
  const { outcome, proof } = await graph.ground(DEFAULT_BASE, asked);
  if (proof && !(await graph.checkProof(DEFAULT_BASE, proof)).valid) t.fail(`${item.id}: the proof is refused`);
  return { entailed: 'A', refuted: 'B', not_entailed: 'C' }[outcome];
}

const MADE: readonly ProofWriterCase[] = [
  {
    id: 'made',
    context:
      'The bald eagle is cold. Anne is not kind. All cold, rough things are nice. If someone is cold and not kind then they see the cat. If something is cold then it is rough.',
    question: 'Is it true? The bald eagle is nice.',
    answer: 'A',
  },
  { id: 'denied', context: 'Anne is cold. Cold people are not kind.', question: 'Is it true? Anne is kind.', answer: 'B' },
  {
    id: 'unknown',
    context: 'Anne is cold. If someone is cold and not kind then they see the cat.',
    question: 'Is it true? Anne does not see the cat.',
    answer: 'C',
  },
];
t.test('ProofWriter: every three-way label is decided by facts, rules and what is known to be false', async (t) => {
  t.equal(proofWriterRules(MADE[0]).split('\n')[3], '"see"(?x, "cat") :- "cold"(?x), -"kind"(?x).');
  const file = outside('logic', 'proofwriter-dev.json');
  const cases = [...MADE, ...(file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as ProofWriterCase[]))];
  const missed: string[] = [];
  for (const item of cases) {
    const found = await decide(t, item);
    if (found !== item.answer) missed.push(`${item.id}: ${found}, not ${item.answer}`);
  }
  t.same(missed, [], `${cases.length} cases`);
});

t.test('LUBM: every predicate has exactly the extension that is expected', async (t) => {
  const folder = outside('reasoning', 'lubm');
  if (folder === undefined) {
    const { program } = run(parseRules('type(?x, "c:Person") :- type(?x, "c:Student"). memberOf(?x, ?z) :- memberOf(?x, ?y), subOrganizationOf(?y, ?z).'), [
      told('ann', 'type', 'c:Student'),
      told('ann', 'memberOf', 'lab'),
      told('lab', 'subOrganizationOf', 'dept'),
    ]);
    t.same([...extension(program, 'type')], ['ann,c:Student', 'ann,c:Person']);
    t.same([...extension(program, 'memberOf')], ['ann,lab', 'ann,dept']);
    return;
  }
  const shown = (term: string): string => (term.startsWith('?') ? term.replace('?_', '?u') : JSON.stringify(term));
  const atom = ([subject, relation, object]: readonly string[]): string => `${JSON.stringify(relation)}(${shown(subject)}, ${shown(object)})`;
  const rules = (JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8')) as { head: string[]; body: string[][] }[]).map(
    ({ head, body }) => `${atom(head)} :- ${body.map(atom).join(', ')}.`,
  );
  const { program, result } = run(
    parseRules(rules.join('\n')),
    lines(join(folder, 'triples.tsv')).map((line) => {
      const [subject, relation, object] = line.replaceAll('"', '').split('\t');
      return told(subject, relation, object);
    }),
  );
  t.equal(result.complete, true);
  const types = extension(program, 'type');
  const files = readdirSync(join(folder, 'expected'));
  t.equal(files.length, 20);
  for (const file of files) {
    const name = file.replace('.csv', '');
    const expected = new Set(lines(join(folder, 'expected', file)).map((line) => line.replaceAll('"', '').replace('\t', ',')));
    const suffix = `,c:${name}`;
    const found = /^[A-Z]/u.test(name)
      ? new Set([...types].filter((pair) => pair.endsWith(suffix)).map((pair) => pair.slice(0, -suffix.length)))
      : extension(program, name);
    t.equal(found.size, expected.size, name);
    t.equal(found.difference(expected).size, 0, name);
  }
});

t.test('the closure of a random graph has exactly its pairs', async (t) => {
  const file = outside('reasoning', 'tc-random', 'edge.facts');
  const edges = file === undefined ? Array.from({ length: 60 }, (_, i) => [`n${i}`, `n${(i * 7) % 60}`]) : lines(file).map((line) => line.split('\t'));
  const { program, result } = run(
    parseRules('path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).'),
    edges.map(([from, to]) => told(from, 'edge', to)),
    { answers: 1, facts: 10_000_000, ms: 120_000, depth: 100_000 },
  );
  t.equal(result.complete, true);
  // Each node's reach by a walk of its own, added up.
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  let pairs = 0;
  for (const start of next.keys()) {
    const seen = new Set(next.get(start));
    for (const node of seen) for (const to of next.get(node) ?? []) seen.add(to);
    pairs += seen.size;
  }
  t.equal(program.database.derived, pairs);
  if (file !== undefined) t.equal(pairs, 2_514_315);
});
