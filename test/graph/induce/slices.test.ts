// Owns what mining keeps to on large graphs: short stretches of work between pauses, and bounded memory without other results.
// Refuses to know wall clocks: work is counted.

import t from 'tap';
import { mineConstants } from '../../../graph/induce/constants.ts';
import { mineExceptions } from '../../../graph/induce/exceptions.ts';
import { FactGraph } from '../../../graph/induce/graph.ts';
import { mine } from '../../../graph/induce/miner.ts';
import { mineRanges } from '../../../graph/induce/ranges.ts';
import { EXCEPT, KIND, PAUSE, RuleColumns, STRIDE } from '../../../graph/induce/shape.ts';
import { ValueLists } from '../../../graph/induce/values.ts';
import { Words } from '../../../graph/induce/words.ts';
import { entity, literal, parseEntityId, parseRelationName } from '../../../graph/terms.ts';
import type { Term } from '../../../graph/terms.ts';
import { seeded } from '../../helpers/random-programs.ts';

const node = (name: string): Term => entity(parseEntityId(name));
const THRESHOLDS = { support: 1, confidence: 0, pcaConfidence: 0, headCoverage: 0 };
/** What a generator of work returns, the work in all and the longest stretch of it. */
function watch<T>(working: Generator<number, T, void>): { readonly value: T; readonly total: number; readonly longest: number } {
  let [total, longest] = [0, 0];
  for (;;) {
    const next = working.next();
    if (next.done) return { value: next.value, total, longest };
    total += next.value;
    longest = Math.max(longest, next.value);
  }
}
const rowsOf = ({ data, length }: RuleColumns): string[] => Array.from({ length }, (_, i) => data.subarray(i * STRIDE, (i + 1) * STRIDE).join(' '));

t.test('one constant with very many members is looked at in many short stretches', async (t) => {
  const random = seeded(1);
  const words = new Words();
  const people = 60_000;
  for (let i = 0; i < people; i++) {
    const say = (relation: string, object: Term): void => words.add({ subject: parseEntityId(`p${i}`), relation: parseRelationName(relation), object });
    say('age', literal(random.below(1_000) / 10));
    say('is a', node('person'));
    if (random.next() < 0.7) say('is a', node('member'));
    if (random.next() < 0.3) say('is a', node('guest'));
    if (random.next() < 0.8) say('gets', node('mail'));
  }
  const graph = new FactGraph(words.columns(true));
  const [gets, isA] = ['gets', 'is a'].map((name) => words.relation(parseRelationName(name)) as number);
  const values = watch(ValueLists.of(graph));
  const bases = new RuleColumns();
  const constants = watch(mineConstants(graph, gets, { ...THRESHOLDS, support: 100 }, [isA], bases, new RuleColumns()));
  const ranges = watch(mineRanges(graph, gets, { ...THRESHOLDS, support: 100 }, values.value, [isA], new RuleColumns()));
  const exceptions = watch(mineExceptions(graph, bases, { ...THRESHOLDS, support: 100 }, [isA], new RuleColumns()));
  t.ok(bases.length > 0);
  for (const [name, { total, longest }] of Object.entries({ constants, exceptions })) {
    t.ok(total > 100_000, `${name}: ${total}`);
    t.ok(longest <= people + PAUSE, `${name}: ${longest} at once`);
  }
  t.ok(exceptions.longest < 2 * PAUSE, `${exceptions.longest} at once`);
  for (const [name, { total, longest }] of Object.entries({ values, ranges })) {
    t.ok(total > 3 * people, `${name}: ${total}`);
    t.ok(longest <= people + PAUSE, `${name}: what is put in order is put in order at once, and no more: ${longest}`);
  }
});

t.test('members of classes are put in order again when they were forgotten', async (t) => {
  const random = seeded(2);
  const words = new Words();
  for (let i = 0; i < 300; i++) {
    words.add({ subject: parseEntityId(`p${i}`), relation: parseRelationName('age'), object: literal(random.below(90)) });
    for (let k = 0; k < 3; k++) words.add({ subject: parseEntityId(`p${i}`), relation: parseRelationName('is a'), object: node(`class ${random.below(8)}`) });
  }
  const graph = new FactGraph(words.columns(true));
  const [all, few] = [watch(ValueLists.of(graph)).value, watch(ValueLists.of(graph, 150)).value];
  const back = (words.relation(parseRelationName('is a')) as number) * 2 + 1;
  const groups = Array.from({ length: 8 }, (_, i) => graph.group(words.terms.find(node(`class ${i}`)), back));
  const [list] = all.lists;
  for (let i = 0; i < 200; i++) {
    const group = random.pick(groups);
    const [one, other] = [all, few].map((lists) => watch(lists.within(list, group)).value);
    const rank = random.below(100);
    t.same([other.size, other.atLeast(rank), other.atMost(rank)], [one.size, one.atLeast(rank), one.atMost(rank)]);
    if (few.kept > Math.max(150, other.size)) t.fail(`${few.kept} members are kept`);
  }
  t.ok(all.kept > 2 * few.kept, `${all.kept} without a limit, ${few.kept} with one`);
});

t.test('exceptions are those of all rules, however many rules there are', async (t) => {
  const random = seeded(3);
  const words = new Words();
  for (let i = 0; i < 9; i++)
    for (const relation of ['h', 'b'])
      for (let k = 0; k < 165; k++)
        if (random.next() < 0.5) words.add({ subject: parseEntityId(`n${i}`), relation: parseRelationName(relation), object: node(`${relation}${k}`) });
  const graph = new FactGraph(words.columns());
  const head = words.relation(parseRelationName('h')) as number;
  const bases = new RuleColumns();
  const thresholds = { ...THRESHOLDS, confidence: 0.3 };
  watch(mineConstants(graph, head, { ...thresholds, confidence: 0.15 }, [], bases, new RuleColumns()));
  t.ok(bases.length > 21_000, `${bases.length} rules`);
  const expected = new RuleColumns();
  watch(mineExceptions(graph, bases, thresholds, [], expected));
  const options = { relations: [head], length: 1, constants: false, exceptions: true, vacuous: [], thresholds, ms: 1, rules: 1e6, candidates: 1e6 };
  const mining = mine(graph, { ...options, pairs: 1, edges: 1e6, passes: 1, seed: 1, clock: () => 0 });
  let next = mining.next();
  while (!next.done) next = mining.next();
  const { rules } = next.value;
  const found = rowsOf(rules).filter((_, i) => rules.data[i * STRIDE + KIND] === EXCEPT);
  t.ok(found.length > 100, `${found.length} exceptions`);
  t.same(found.toSorted(), rowsOf(expected).toSorted());
});
