// Owns the promise that conditions are met in an order that looks at few rows, by what the tables hold.
// Refuses what follows from the rules; any order gives that.

import t from 'tap';
import { Database } from '../../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import { spreads } from '../../../graph/reason/tables/statistics.ts';
import { Table } from '../../../graph/reason/tables/table.ts';
import { entity, parseEntityId, parseRelationName } from '../../../graph/terms.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import { seeded } from '../../helpers/random-programs.ts';

type Pair = readonly [subject: string, relation: string, object: string];
/** Rows derived, and rows looked at. */
function derive(rules: string, facts: Iterable<Pair>): { readonly derived: number; readonly cost: number; readonly program: Program } {
  const database = new Database();
  for (const [subject, relation, object] of facts)
    database.tell({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }, 1);
  const program = new Program(parseRules(rules), database);
  const evaluator = new Evaluator(program, AMPLE);
  if (!runNow(evaluator.derive()).complete) throw new Error('the budget is too small');
  return { derived: database.derived, cost: evaluator.cost, program };
}

t.test('the members of a class that rules fill are not walked for each row of another class', async (t) => {
  const people = 2_000;
  const groups = 200;
  const facts = [
    ...Array.from({ length: people }, (_, i): Pair => [`p${i}`, 'phone', `n${i}`]),
    ...Array.from({ length: people }, (_, i): Pair => [`p${i}`, 'head of', `g${i % groups}`]),
    ...Array.from({ length: groups }, (_, i): Pair => [`g${i}`, 'is a', 'group']),
  ];
  const rules = `
    person(?x) :- phone(?x, ?n).
    organization(?x) :- group(?x).
    "works for"(?x, ?y) :- "head of"(?x, ?y).
    employee(?x) :- person(?x), "works for"(?x, ?y), organization(?y).`;
  const { derived, cost } = derive(rules, facts);
  t.equal(derived, people + groups + people + people);
  t.ok(cost < 10 * people, `${cost} rows looked at`);
});

t.test('a rare class leads, and a common one is looked up', async (t) => {
  const facts = function* (): Generator<Pair> {
    for (let i = 0; i < 3_000; i++) {
      yield [`x${i}`, 'is a', 'common'];
      yield [`x${i}`, 'likes', `y${i % 3}`];
    }
    for (const i of [7, 70, 700]) yield [`x${i}`, 'is a', 'rare'];
  };
  for (const body of ['common(?x), likes(?x, ?y), rare(?x)', 'likes(?x, ?y), common(?x), rare(?x)', 'rare(?x), common(?x), likes(?x, ?y)']) {
    const { derived, cost } = derive(`both(?x, ?y) :- ${body}.`, facts());
    t.equal(derived, 3);
    t.ok(cost < 50, `${cost} rows looked at`);
  }
});

t.test('a plan is made again when tables have grown', async (t) => {
  const { program } = derive('p(?x, ?z) :- q(?x, ?y), r(?y, ?z), s(?z, ?x).', [['a', 'q', 'b']]);
  const { database } = program;
  const slot = database.slotOf(parseRelationName('q'), false);
  const [variant] = program.watchers(0, slot)?.general ?? [];
  const first = program.steps(variant);
  t.equal(program.steps(variant), first);
  const tell = (relation: string, subject: string, object: string): unknown =>
    database.tell({ subject: parseEntityId(subject), relation: parseRelationName(relation), object: entity(parseEntityId(object)) }, 1);
  for (let i = 0; i < 400; i++) {
    tell('r', 'b', `c${i}`);
    tell('s', `c${i}`, `a${i}`);
  }
  const then = program.steps(variant);
  t.not(then, first);
  t.same(
    then.map(({ slot: met }) => met?.key),
    ['+s', '+r'],
    'one row of s for each ?x, 400 of r for each ?y',
  );
});

t.test('rows by value are counted as they are, and on average where there are many values', async (t) => {
  for (const [rows, values] of [
    [100, 7],
    [3_000, 500],
    [20_000, 300],
    [20_000, 15_000],
  ]) {
    const random = seeded(rows + values);
    const table = new Table(false);
    for (let i = 0; i < rows; i++) table.add(i * 3, random.below(values) * 100, 0, 0, 1);
    const counts = new Map<number, number>();
    for (let row = 0; row < rows; row++) counts.set(table.objects[row], (counts.get(table.objects[row]) ?? 0) + 1);
    const { subjects, objects } = spreads(table);
    t.equal(subjects.average, 1);
    t.equal(objects.average, rows / counts.size);
    const exact = counts.size <= 4_096;
    for (const value of [0, 100, 600, 12_345]) t.equal(objects.of(value), exact ? (counts.get(value) ?? 0) : objects.average);
    t.equal(spreads(table).objects, objects);
    for (let i = 0; i <= rows; i++) table.add(rows * 3 + i, 1, 0, 0, 1);
    t.not(spreads(table).objects, objects);
  }
});
