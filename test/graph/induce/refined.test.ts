// Owns rules with bounds and rules with exceptions: their measures, that the best of them are found, and what they are to a knowledge graph.
// Refuses to know other rules.

import t from 'tap';
import { FactGraph } from '../../../graph/induce/graph.ts';
import { wilson } from '../../../graph/induce/measure.ts';
import type { MineOptions, MineResult } from '../../../graph/induce/miner.ts';
import { Ranker } from '../../../graph/induce/ranker.ts';
import { CONSTANT, EXCEPT, HEAD, KIND, RANGE, STRIDE } from '../../../graph/induce/shape.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import type { Rule } from '../../../graph/reason/types.ts';
import { entity, literal, parseEntityId, parseRelationName, termKey } from '../../../graph/terms.ts';
import type { Term, Triple } from '../../../graph/terms.ts';
import type { InduceRequest, InductionState, KnowledgeGraph } from '../../../graph/knowledge.ts';
import { BASE, open, say, triple } from '../../helpers/knowledge-world.ts';
import { EVERYTHING, mineAll, minedWorld } from '../../helpers/mining.ts';
import type { MinedWorld } from '../../helpers/mining.ts';
import { NaiveFacts } from '../../helpers/naive-induction.ts';
import { seeded } from '../../helpers/random-programs.ts';

const run = (graph: FactGraph, options: Partial<MineOptions> = {}): MineResult => mineAll(graph, { ranges: true, exceptions: true, ...options });
type Random = ReturnType<typeof seeded>;
function world(random: Random, options: { nodes?: number; facts?: number } = {}): MinedWorld {
  const { nodes = 7, facts = 24 } = options;
  const date = (): Term => literal(`199${random.below(6)}`, 'date');
  const triples = Array.from({ length: facts }, (): Triple => {
    const [subject, kind] = [parseEntityId(`n${random.below(nodes)}`), random.below(4)];
    if (kind === 0) return { subject, relation: parseRelationName('is a'), object: entity(parseEntityId(random.pick(['A', 'B', 'C']))) };
    if (kind === 1) return { subject, relation: parseRelationName('r'), object: entity(parseEntityId(`n${random.below(nodes)}`)) };
    return {
      subject,
      relation: parseRelationName(kind === 2 ? 'size' : 'born'),
      object: kind === 2 || random.below(3) === 0 ? literal(random.below(6)) : date(),
    };
  });
  return minedWorld(triples, true);
}
const typeOf = (term: Term | undefined): string | undefined => (term?.kind === 'literal' ? term.type : undefined);
const textOf = ({ heads, body }: Rule): string => JSON.stringify([heads, body]);

t.test('measures are those of a naive count; a rule reads back from its text and is surer than without its bounds or exception', async (t) => {
  const random = seeded(3);
  const seen = new Map<number, number>();
  let wrong = 0;
  for (let i = 0; i < 120; i++) {
    const { facts, words, graph } = world(random);
    const isA = words.relation(parseRelationName('is a'));
    const { rules, complete } = run(graph, { vacuous: isA === undefined ? [] : [isA], thresholds: { ...EVERYTHING.thresholds, support: 1 + (i % 3) } });
    if (!complete) wrong++;
    for (let at = 0; at < rules.length; at++) {
      const kind = rules.data[at * STRIDE + KIND];
      if (kind !== RANGE && kind !== EXCEPT) continue;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      const { rule, measures } = words.rule(rules, at, 'standard');
      const naive = facts.measure(rule);
      // Without bounds (but with values of that kind), and without exception: the atoms that are left.
      const bound = rule.body.find((item) => 'kind' in item && item.kind === 'compare') as { readonly right?: Term } | undefined;
      const alike = new NaiveFacts(facts.triples.filter(({ object }) => !bound || object.kind === 'entity' || typeOf(object) === typeOf(bound.right)));
      const general = alike.measure({ ...rule, body: rule.body.filter((item) => !('kind' in item) && !item.absent) });
      const ok =
        measures.support === naive.support &&
        measures.predictions === naive.predictions &&
        measures.pcaConfidence === (naive.pca === 0 ? 0 : naive.support / naive.pca) &&
        measures.headCoverage === naive.support / naive.headFacts &&
        measures.confidence > general.support / general.predictions &&
        !(kind === RANGE && naive.circular) &&
        parseRules(rule.text)[0].id === rule.id;
      if (!ok && wrong++ < 3)
        t.match(
          { ...measures, pca: measures.pcaConfidence * naive.pca, parsed: parseRules(rule.text)[0].id, general: 0 },
          { ...naive, pca: naive.support, parsed: rule.id, general: general.support / general.predictions },
          `${rule.text} ${JSON.stringify(facts.triples)}`,
        );
    }
  }
  t.equal(wrong, 0);
  t.ok((seen.get(RANGE) ?? 0) > 500 && (seen.get(EXCEPT) ?? 0) > 150, JSON.stringify([...seen]));
});

t.test('of all bounds those are found that tell most, and of all exceptions the surest', async (t) => {
  const random = seeded(9);
  let [bounds, exceptions, wrong] = [0, 0, 0];
  for (let i = 0; i < 40; i++) {
    const { facts, words, graph } = world(random, { facts: 20 });
    const { rules } = run(graph);
    const list = Array.from({ length: rules.length }, (_, at) => [rules.data[at * STRIDE + KIND], words.rule(rules, at, 'standard')] as const);
    const found = new Map(list.map(([, { rule, measures }]) => [textOf(rule), measures]));
    const literals = [...new Map(facts.triples.map(({ object }) => [termKey(object), object])).values()].filter(
      (term) => term.kind === 'literal' && term.type !== 'string',
    );
    const written = (term: Term): string => (term.kind === 'entity' ? term.id : term.type === 'date' ? `"${term.value}"^^date` : String(term.value));
    const parsed = (text: string): Rule => parseRules(text)[0];
    for (const head of ['r(?x, n0)', 'r(?x, n1)', '"is a"(?x, A)'])
      for (const relation of ['size', 'born'])
        for (const type of ['number', 'date']) {
          const alike = facts.triples.filter(({ relation: name, object }) => name === relation && typeOf(object) === type);
          const nodes = new Set(alike.map(({ subject }) => subject));
          const plain = [...nodes].filter((node) => knows(facts, head, node)).length / nodes.size;
          const gain = ({ support, predictions }: { readonly support: number; readonly predictions: number }): number => support - plain * predictions;
          for (const operator of ['>=', '<='] as const) {
            // All values of a kind are no bound.
            const cuts = literals
              .filter((term) => typeOf(term) === type && nodes.size > 1)
              .map((value) => facts.measure(parsed(`${head} :- ${relation}(?x, ?y), ?y ${operator} ${written(value)}.`)))
              .filter(({ support, predictions }) => support > 0 && predictions < nodes.size);
            const own = list.flatMap(([kind, { rule, measures }]) => {
              const [atom, bound, ...more] = rule.body;
              if (kind !== RANGE || more.length > 0 || !('relation' in atom) || !('kind' in bound) || bound.kind !== 'compare') return [];
              const same = textOf({ ...rule, body: [atom] }) === textOf(parsed(`${head} :- ${relation}(?x, ?y).`));
              return same && bound.operator === operator && typeOf(bound.right as Term) === type ? [gain(measures)] : [];
            });
            bounds++;
            const [most, got] = [Math.max(0, ...cuts.map(gain)), Math.max(0, ...own)];
            if ((own.length > 1 || Math.abs(most - got) > 1e-9) && wrong++ < 3)
              t.equal(got, most, `${head} :- ${relation} ${operator} ${type} ${JSON.stringify(facts.triples)}`);
          }
        }
    for (const [base, others] of [
      ['"is a"(?x, A) :- size(?x, ?y)', ['"is a"(?x, B)', '"is a"(?x, C)', 'r(?x, n0)', 'r(?x, n2)', 'born(?x, _)', 'r(_, ?x)', 'r(n1, ?x)']],
      ['r(?x, n0) :- "is a"(?x, A)', ['"is a"(?x, B)', '"is a"(?x, C)', 'born(?x, _)', 'size(?x, _)', 'r(?x, n1)', 'size(?x, 1)']],
    ] as const) {
      const general = facts.measure(parsed(`${base}.`));
      // Exceptions are looked for from rules that stand: a constant in the body makes them surer than a variable.
      if (general.predictions === 0 || !found.has(textOf(parsed(`${base}.`)))) continue;
      let best = wilson(general.support, general.predictions)[0];
      for (const [kind, { rule, measures }] of list)
        if (kind === EXCEPT && textOf({ ...rule, body: rule.body.slice(0, 1) }) === textOf(parsed(`${base}.`)))
          best = Math.max(best, wilson(measures.support, measures.predictions)[0]);
      for (const other of others) {
        const { support, predictions } = facts.measure(parsed(`${base}, not ${other}.`));
        exceptions++;
        const met = general.predictions - general.support - (predictions - support);
        if (support > 0 && met > 0 && wilson(support, predictions)[0] > best + 1e-12 && wrong++ < 3) t.fail(`${base}, not ${other}`);
      }
    }
    t.ok(found.size > 0);
  }
  t.equal(wrong, 0);
  t.ok(bounds > 900 && exceptions > 100, `${bounds} bounds, ${exceptions} exceptions`);
});
/** Does a node have what the head says? */
const knows = (facts: NaiveFacts, head: string, node: string): boolean => {
  const [atom] = parseRules(`${head} :- "is a"(?x, ?y).`)[0].heads;
  return atom.object.kind !== 'variable' && facts.has({ subject: parseEntityId(node), relation: atom.relation, object: atom.object });
};
t.test('rankings by refined rules predict what the rules predict', async (t) => {
  const random = seeded(21);
  let [compared, wrong] = [0, 0];
  for (let i = 0; i < 8; i++) {
    const { facts, words, graph } = world(random);
    const { rules } = run(graph);
    const rows = Array.from({ length: rules.length }, (_, at) => at).filter((at) => [RANGE, EXCEPT].includes(rules.data[at * STRIDE + KIND]));
    const only = rules.pick(Int32Array.from(rows));
    const ranker = new Ranker(graph, only, 5);
    const predicted = rows.map((_, at) => facts.measure(words.rule(only, at, 'standard').rule).predicted);
    for (let at = 0; at < Math.min(10, only.length); at++) {
      const [head, constant] = [only.data[at * STRIDE + HEAD], only.data[at * STRIDE + CONSTANT]];
      for (const [anchor, step] of [...Array.from({ length: graph.nodes }, (_, node) => [node, head] as const), [constant, head ^ 1] as const]) {
        const name = words.relations[step >> 1];
        const key = (node: number): string => {
          const ends = [anchor, node].map((id) => termKey(words.terms.term(id)));
          return (step & 1) === 0 ? `${ends[0]} ${name} ${ends[1]}` : `${ends[1]} ${name} ${ends[0]}`;
        };
        const expected = new Set<number>();
        for (let node = 0; node < graph.nodes; node++) if (predicted.some((set) => set.has(key(node)))) expected.add(node);
        const found = ranker.rank(anchor, step, { limit: 1_000, aggregation: 'noisy_or', edges: 1e9 }).nodes.filter(({ score }) => score > 0);
        compared++;
        if (found.length !== expected.size || !found.every(({ node }) => expected.has(node))) wrong++;
      }
    }
  }
  t.equal(wrong, 0);
  t.ok(compared > 500, `${compared} rankings`);
});

/** Time is no limit here: what is asked for ends by itself. */
const LIMITS = { ms: 3_600_000, rules: 1_000, facts: 100_000 };
const learn = async (graph: KnowledgeGraph, request: Partial<InduceRequest> = {}): Promise<InductionState> =>
  (await graph.induce(BASE, { headCoverage: 0, ...request, limits: LIMITS })).ended();
const relations = (...names: string[]) => names.map(parseRelationName);

t.test('a threshold is learned from ages, with dates and both bounds, and adopted like any rule', async (t) => {
  const { graph } = await open(t);
  await graph.tell(
    BASE,
    Array.from({ length: 40 }, (_, i) => [
      say(`p${i}`, 'is a', 'person'),
      say(`p${i}`, 'age', literal(i * 2)),
      say(`p${i}`, 'born', literal(`${1950 + i}-06-01`, 'date')),
      ...(i * 2 >= 18 ? [say(`p${i}`, 'status', 'adult')] : []),
      ...(i * 2 >= 20 && i * 2 <= 60 ? [say(`p${i}`, 'group', 'worker')] : []),
      ...(i < 12 ? [say(`p${i}`, 'generation', 'boomer')] : []),
      // Trees have ages, too.
      say(`t${i}`, 'is a', 'tree'),
      say(`t${i}`, 'age', literal(i * 2)),
    ]).flat(),
  );
  const without = await learn(graph, { relations: relations('status', 'group', 'generation'), constants: false });
  t.notOk(
    without.rules.some(({ rule }) => rule.text.includes('>=')),
    'only when asked for',
  );
  const state = await learn(graph, { relations: relations('status', 'group', 'generation'), ranges: true, confidence: 0.9 });
  t.match(state, { status: 'completed', complete: true });
  const texts = state.rules.map(({ rule }) => rule.text);
  for (const text of [
    'status(?x, adult) :- person(?x), age(?x, ?y), ?y >= 18.',
    'group(?x, worker) :- person(?x), age(?x, ?y), ?y >= 20, ?y <= 60.',
    'generation(?x, boomer) :- born(?x, ?y), ?y <= "1961-06-01"^^date.',
  ])
    t.ok(texts.includes(text), `${text} in ${texts.join('\n')}`);
  const adult = state.rules.find(({ rule }) => rule.text.startsWith('status(?x, adult) :- person(?x), age'));
  t.match(adult, { measures: { support: 31, predictions: 31, confidence: 1, exact: true }, examples: { length: 3 }, counterExamples: [] });
  await graph.tell(BASE, [say('zoe', 'is a', 'person'), say('zoe', 'age', literal(33))]);
  t.match(await graph.adopt(BASE, state.id, [adult?.rule.id ?? '']), { derived: 1 });
  const { outcome, proof } = await graph.ground(BASE, triple('zoe', 'status', 'adult'));
  t.equal(outcome, 'entailed');
  t.match(proof && (await graph.checkProof(BASE, proof)), { valid: true });
});

t.test('an exception is learned from birds that do not fly, and adopted like any rule', async (t) => {
  const { graph } = await open(t);
  await graph.tell(
    BASE,
    Array.from({ length: 30 }, (_, i) => [
      say(`b${i}`, 'is a', 'bird'),
      ...(i % 5 === 0 ? [say(`b${i}`, 'is a', 'penguin')] : [say(`b${i}`, 'can', 'fly')]),
      ...(i % 10 === 1 ? [say(`b${i}`, 'eats', 'fish')] : []),
    ]).flat(),
  );
  const state = await learn(graph, { relations: relations('can'), exceptions: true, confidence: 0.9 });
  const rule = state.rules.find(({ rule: { text } }) => text === 'can(?x, fly) :- bird(?x), not penguin(?x).');
  t.match(rule, { measures: { support: 24, predictions: 24, confidence: 1 }, counterExamples: [] }, state.rules.map(({ rule: { text } }) => text).join('\n'));
  await graph.tell(BASE, [say('tweety', 'is a', 'bird'), say('pingu', 'is a', 'bird'), say('pingu', 'is a', 'penguin')]);
  await graph.adopt(BASE, state.id, [rule?.rule.id ?? '']);
  t.match(await graph.ground(BASE, triple('tweety', 'can', 'fly')), { outcome: 'entailed' });
  t.match(await graph.ground(BASE, triple('pingu', 'can', 'fly')), { outcome: 'not_entailed' });
});
