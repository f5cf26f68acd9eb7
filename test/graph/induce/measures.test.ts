// Owns the miner's measures and completeness, compared with a naive count on thousands of small random graphs.
// Refuses to know threads, stores and rankings' use.

import t from 'tap';
import { FactGraph } from '../../../graph/induce/graph.ts';
import { PathMeter, wilson } from '../../../graph/induce/measure.ts';
import type { Measures } from '../../../graph/induce/measure.ts';
import type { MineOptions, MineResult } from '../../../graph/induce/miner.ts';
import { Ranker } from '../../../graph/induce/ranker.ts';
import { BODY, BOUND, CONSTANT, COVER, HEAD, KIND, LENGTH, mustDiffer, PATH, STRIDE, SUPPORT } from '../../../graph/induce/shape.ts';
import { Words } from '../../../graph/induce/words.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { entity, literal, parseEntityId, parseRelationName, termKey } from '../../../graph/terms.ts';
import type { Triple } from '../../../graph/terms.ts';
import { mineAll, minedWorld } from '../../helpers/mining.ts';
import type { MinedWorld } from '../../helpers/mining.ts';
import { seeded } from '../../helpers/random-programs.ts';

const run = (graph: FactGraph, options: Partial<MineOptions> = {}): MineResult => mineAll(graph, { length: 3, ...options });
type Random = ReturnType<typeof seeded>;
function world(random: Random, { nodes = 4, relations = 2, facts = 8, literals = false } = {}): MinedWorld {
  const whole = (bound: number): number => random.below(bound);
  const triples = Array.from({ length: 1 + whole(facts) }, (): Triple => ({
    subject: parseEntityId(`n${whole(nodes)}`),
    relation: parseRelationName(`r${whole(relations)}`),
    object: literals && whole(4) === 0 ? literal(whole(2)) : entity(parseEntityId(`n${whole(nodes)}`)),
  }));
  return minedWorld(triples);
}

t.test('the measures of every rule are those of a naive count, and no rule rests on a fact that it predicts', async (t) => {
  const random = seeded(11);
  let [rules, wrong] = [0, 0];
  for (let i = 0; i < 2_000; i++) {
    const { facts, words, graph } = world(random, { literals: i % 3 === 0, relations: 1 + (i % 3), facts: 5 + (i % 8) });
    const result = run(graph, { length: 1 + (i % 3) });
    if (!result.complete) wrong++;
    for (let at = 0; at < result.rules.length; at++) {
      const { rule, measures } = words.rule(result.rules, at, 'standard');
      const naive = facts.measure(rule);
      rules++;
      const path = result.rules.data[at * STRIDE + KIND] === PATH;
      const same =
        measures.exact &&
        measures.support === naive.support &&
        measures.predictions === naive.predictions &&
        measures.headCoverage === naive.support / naive.headFacts &&
        measures.confidence === naive.support / naive.predictions &&
        measures.pcaConfidence === (naive.pca === 0 ? 0 : naive.support / naive.pca);
      if (same && !(path && naive.circular)) continue;
      if (wrong++ < 3)
        t.match({ ...measures, circular: false }, { support: naive.support, predictions: naive.predictions, circular: naive.circular }, rule.text);
    }
  }
  t.equal(wrong, 0);
  t.ok(rules > 20_000, `${rules} rules`);
});

t.test('a rule reads back from its text', async (t) => {
  const { words, graph } = world(seeded(5), { facts: 40, nodes: 6, literals: true });
  const { rules } = run(graph);
  for (let at = 0; at < rules.length; at++) {
    const { rule } = words.rule(rules, at, 'pca');
    if (parseRules(rule.text)[0].id !== rule.id) t.fail(rule.text);
  }
  t.ok(rules.length > 100);
});

t.test('no closed path is missed', async (t) => {
  const random = seeded(23);
  let [bodies, missed] = [0, 0];
  for (let i = 0; i < 300; i++) {
    const { facts, graph, words } = world(random, { facts: 10, nodes: 4 });
    const { rules } = run(graph, { constants: false });
    const found = new Set<string>();
    for (let at = 0; at < rules.length; at++) {
      const row = rules.data.subarray(at * STRIDE, (at + 1) * STRIDE);
      found.add([row[HEAD] >> 1, ...row.subarray(BODY, BODY + row[LENGTH])].join(' '));
    }
    for (let relation = 0; relation < graph.relations; relation++)
      for (let length = 1; length <= 3; length++)
        for (let code = 0; code < graph.steps ** length; code++) {
          const steps = Array.from({ length }, (_, j) => Math.floor(code / graph.steps ** j) % graph.steps);
          const differ = mustDiffer(graph, relation, steps, length);
          if (differ < 0 || steps.some((step) => graph.alias[step] !== step)) continue;
          const atoms = steps.map((step, j) => `${words.relations[step >> 1]}(${(step & 1) === 0 ? `?v${j}, ?v${j + 1}` : `?v${j + 1}, ?v${j}`})`);
          for (let a = 0; a < length; a++) for (let b = a + 1; b <= length; b++) if ((differ & (1 << (a * 6 + b))) !== 0) atoms.push(`?v${a} != ?v${b}`);
          const [rule] = parseRules(`${words.relations[relation]}(?v0, ?v${length}) :- ${atoms.join(', ')}.`);
          const { support } = facts.measure(rule);
          bodies++;
          if (support > 0 !== found.has([relation, ...steps].join(' '))) missed++;
        }
  }
  t.equal(missed, 0);
  t.ok(bodies > 10_000, `${bodies} bodies`);
});

t.test('rules with constants are complete, and one with a constant body is surer than the same with a variable', async (t) => {
  const random = seeded(31);
  let [checked, wrong] = [0, 0];
  for (let i = 0; i < 300; i++) {
    const { facts, words, graph } = world(random, { facts: 10, nodes: 4 });
    const { rules } = run(graph, { length: 1 });
    const texts = new Map(
      Array.from({ length: rules.length }, (_, at) => [words.rule(rules, at, 'standard').rule, at] as const).map(([{ heads, body }, at]) => [
        JSON.stringify([heads, body]),
        at,
      ]),
    );
    const copies = new Map<string, number>();
    for (let row = 0; row < rules.length * STRIDE; row += STRIDE)
      if (rules.data[row + KIND] === PATH)
        copies.set(`${rules.data[row + HEAD]} ${rules.data[row + BODY]}`, rules.data[row + SUPPORT] / rules.data[row + COVER]);
    for (const head of words.relations)
      for (const body of words.relations)
        for (const c of ['n0', 'n1', 'n2', 'n3'])
          for (const end of ['?y', 'n0', 'n1', 'n2', 'n3']) {
            if (head === body && (end === c || end === '?y')) continue;
            const step = words.relations.indexOf(body) * 2;
            if (graph.alias[step] !== step || graph.alias[words.relations.indexOf(head) * 2] === step) continue;
            const [rule] = parseRules(`${head}(?x, ${c}) :- ${body}(?x, ${end}).`);
            const measures = facts.measure(rule);
            // The same for any end: h(?x, ?y) :- b(?x, ?y).
            const copy = copies.get(`${words.relations.indexOf(head) * 2} ${step}`) ?? 0;
            const general = facts.measure(parseRules(`${head}(?x, ${c}) :- ${body}(?x, ?y).`)[0]);
            const expected =
              measures.support > 0 &&
              (end === '?y' || measures.support / measures.predictions > general.support / general.predictions) &&
              (end !== c || measures.support / measures.predictions > copy);
            checked++;
            if (texts.has(JSON.stringify([rule.heads, rule.body])) !== expected) wrong++;
          }
  }
  t.equal(wrong, 0);
  t.ok(checked > 5_000, `${checked} rules`);
});

t.test('thresholds keep exactly the rules that reach them', async (t) => {
  const random = seeded(41);
  for (let i = 0; i < 200; i++) {
    const { words, graph } = world(random, { facts: 14, nodes: 5 });
    const thresholds = { support: 1 + (i % 3), confidence: (i % 5) / 5, pcaConfidence: (i % 4) / 4, headCoverage: (i % 7) / 14 };
    const reach = (m: Measures): boolean =>
      m.support >= thresholds.support &&
      m.confidence >= thresholds.confidence &&
      m.pcaConfidence >= thresholds.pcaConfidence &&
      m.headCoverage >= thresholds.headCoverage;
    const texts = (options: Partial<MineOptions>): string[] => {
      const { rules } = run(graph, options);
      // h(?x, c) :- b(?x, c) falls only beside h(?x, ?y) :- b(?x, ?y), which a threshold may have taken away.
      const own = (at: number): boolean =>
        rules.data[at * STRIDE + KIND] !== BOUND || rules.data[at * STRIDE + CONSTANT] !== rules.data[at * STRIDE + BODY + 1];
      const list = Array.from({ length: rules.length }, (_, at) => at).filter(own);
      return list
        .map((at) => words.rule(rules, at, 'standard'))
        .filter(({ measures }) => reach(measures))
        .map(({ rule }) => rule.text)
        .toSorted();
    };
    t.same(texts({ thresholds }), texts({}));
  }
});

t.test('a path too costly to count whole is extrapolated and says so', async (t) => {
  const words = new Words();
  for (let i = 0; i < 400; i++) {
    words.add({ subject: parseEntityId(`p${i}`), relation: parseRelationName('lives in'), object: entity(parseEntityId(`c${i % 20}`)) });
    if (i % 4 !== 0) words.add({ subject: parseEntityId(`p${i}`), relation: parseRelationName('votes in'), object: entity(parseEntityId(`c${i % 20}`)) });
  }
  const graph = new FactGraph(words.columns());
  const none = { support: 1, confidence: 0, pcaConfidence: 0, headCoverage: 0 };
  const steps = Int32Array.of(0);
  const exact = new PathMeter(graph, 1_000, none);
  t.ok(exact.measure(1, steps, 0, 1, 0));
  t.match(exact.counts, { support: 300, cover: 400, exact: true });
  const part = new PathMeter(graph, 100, none);
  t.ok(part.measure(1, steps, 0, 1, 0));
  t.equal(part.counts.exact, false);
  t.ok(Math.abs(part.counts.cover - 400) <= 8 && Math.abs(part.counts.support - 300) < 40, JSON.stringify(part.counts));
});

t.test('the interval is that of Wilson', async (t) => {
  // Newcombe 1998, table 1: 81 of 263 and 15 of 148.
  for (const [hits, trials, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [29, 29, 0.883, 1],
  ]) {
    const [from, to] = wilson(hits, trials);
    t.ok(Math.abs(from - low) < 1e-4 && Math.abs(to - high) < 1e-4, `${hits} of ${trials}: ${from} to ${to}`);
  }
  t.same(wilson(0, 0), [0, 1]);
});

t.test('budgets end the mining with what was found', async (t) => {
  const { graph } = world(seeded(3), { facts: 400, nodes: 30, relations: 5 });
  const whole = run(graph);
  let now = 0;
  const late = run(graph, { ms: 40, clock: () => now++ });
  t.match({ limit: late.limit, complete: late.complete }, { limit: 'ms', complete: false });
  t.ok(late.rules.length > 0 && late.rules.length < whole.rules.length);
  const few = run(graph, { rules: 100 });
  t.match({ limit: few.limit, complete: few.complete }, { limit: 'rules', complete: false });
  const narrow = run(graph, { candidates: 50 });
  t.match({ limit: narrow.limit, complete: narrow.complete }, { limit: 'candidates', complete: false });
  const sampled = run(graph, { pairs: 20 });
  t.equal(sampled.complete, false, 'what was sampled is not called complete');
  t.same([...run(graph, { pairs: 20 }).rules.data], [...sampled.rules.data], 'the same seed finds the same');
});

t.test('longer paths are counted exactly, too', async (t) => {
  const random = seeded(59);
  const compared = new Map<number, number>();
  for (let i = 0; i < 150; i++) {
    const { facts, words, graph } = world(random, { facts: 9, nodes: 5, relations: 1 + (i % 2) });
    const { rules } = run(graph, { length: 5, constants: false });
    const lengthOf = (at: number): number => rules.data[at * STRIDE + LENGTH];
    const long = Array.from({ length: rules.length }, (_, at) => at).filter((at) => lengthOf(at) > 3);
    for (const at of long.filter((_, place) => place % Math.ceil(long.length / 60) === 0)) {
      const { rule, measures } = words.rule(rules, at, 'standard');
      const naive = facts.measure(rule);
      compared.set(lengthOf(at), (compared.get(lengthOf(at)) ?? 0) + 1);
      if (measures.support !== naive.support || measures.predictions !== naive.predictions || naive.circular) t.fail(rule.text);
    }
  }
  t.ok(
    [4, 5].every((length) => (compared.get(length) ?? 0) > 100),
    `rules compared, by length: ${JSON.stringify([...compared])}`,
  );
});

t.test('rankings: max+ orders by the surest rules that tell candidates apart, noisy-or multiplies doubts', async (t) => {
  const random = seeded(77);
  let [questions, wrong] = [0, 0];
  for (let i = 0; i < 60; i++) {
    const { facts, words, graph } = world(random, { facts: 14, nodes: 6 });
    const { rules } = run(graph, { length: 2 });
    const ranker = new Ranker(graph, rules, 5);
    const order = Array.from({ length: rules.length }, (_, at) => at).sort((a, b) => {
      const [x, y] = [words.rule(rules, a, 'standard').measures, words.rule(rules, b, 'standard').measures];
      return ranker.weights[b] - ranker.weights[a] || y.support - x.support || a - b;
    });
    const predicted = order.map((at) => facts.measure(words.rule(rules, at, 'standard').rule).predicted);
    for (const [relation, anchor, forwards] of [
      [0, 0, true],
      [0, 1, false],
      [1, 2, true],
    ] as const) {
      const name = words.relations[relation];
      if (name === undefined || anchor >= graph.nodes) continue;
      const anchorKey = termKey(words.terms.term(anchor));
      const key = (node: number): string => {
        const other = termKey(words.terms.term(node));
        return forwards ? `${anchorKey} ${name} ${other}` : `${other} ${name} ${anchorKey}`;
      };
      const exclude = Array.from({ length: graph.nodes }, (_, node) => node).filter((node) => graph.has(anchor, relation * 2 + (forwards ? 0 : 1), node));
      const profile = new Map<number, string>();
      for (let node = 0; node < graph.nodes; node++) {
        if (exclude.includes(node)) continue;
        const hits = predicted
          .map((set, at) => (set.has(key(node)) && words.relations[rules.data[order[at] * STRIDE + HEAD] >> 1] === name ? '1' : '0'))
          .join('');
        if (hits.includes('1')) profile.set(node, hits);
      }
      for (const aggregation of ['max', 'noisy_or'] as const) {
        const ranking = ranker.rank(anchor, relation * 2 + (forwards ? 0 : 1), { limit: 100, aggregation, exclude, edges: 1e9 });
        questions++;
        const listed = ranking.nodes.filter(({ score }) => score > 0);
        const scoreOf = (node: number): number => {
          const weights = [...(profile.get(node) ?? '')].flatMap((hit, at) => (hit === '1' ? [ranker.weights[order[at]]] : []));
          return aggregation === 'max' ? Math.max(...weights) : 1 - weights.reduce((doubt, weight) => doubt * (1 - weight), 1);
        };
        const sorted = listed.every(({ node }, at) => {
          if (at === 0) return true;
          const before = listed[at - 1].node;
          return aggregation === 'max' ? (profile.get(before) as string) >= (profile.get(node) as string) : scoreOf(before) >= scoreOf(node) - 1e-9;
        });
        const fits = listed.length === profile.size && listed.every(({ node, score }) => Math.abs(score - scoreOf(node)) < 1e-9);
        if (!sorted || !fits) wrong++;
      }
    }
  }
  t.equal(wrong, 0);
  t.ok(questions > 200);
});
