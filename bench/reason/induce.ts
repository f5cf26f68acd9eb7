// Owns the measurement of induction on public link-prediction sets: learning time, rules, and filtered ranks of held-out facts, beside naive references.
// Refuses to know how rules are learned.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { options, printMachine, printTable } from '../common/machine.ts';
import { Induction } from '../../graph/induce/induction.ts';
import { Words } from '../../graph/induce/words.ts';
import { entity, parseBaseName, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';
import { shaped } from './shapes.ts';
import type { Row } from './shapes.ts';
import { wordnetSet } from './wordnet.ts';

const outside = process.env.PHAROS_OUTSIDE;
const {
  data,
  sets,
  rows: made,
  wordnet,
  seconds,
  length,
  confidence,
  threads,
  edges,
  queries,
  naive,
  aggregations,
} = options({
  data: outside === undefined ? '' : join(outside, 'data/link-prediction'),
  sets: 'umls,kinships,codex-s',
  /** Made graphs instead of files: wn18rr, fb15k-237, both with a comma; they have the shape of those sets, not their facts. */
  rows: '',
  /** Folder of WordNet 3.0's data files (Debian: wordnet-base, /usr/share/wordnet): a set made of it as WN18RR was. */
  wordnet: '',
  seconds: 60,
  length: 3,
  confidence: 0.005,
  threads: 2,
  /** Edges looked at to count one rule; with more it is extrapolated. */
  edges: 100_000,
  /** Facts ranked, evenly spread over the file; 0 = all. */
  queries: 0,
  /** Longest paths of the naive reference; 0 = leave it out. */
  naive: 2,
  aggregations: 'max,noisy_or',
});
if (data === '' && made === '' && wordnet === '') {
  console.error('give the folder that holds SET/train.txt and SET/valid.txt: --data FOLDER, or PHAROS_OUTSIDE; or --rows wn18rr, or --wordnet FOLDER');
  process.exit(2);
}
await printMachine([]);
console.log(
  'Published, on test parts (ours are validation parts, filtered by all parts that are at hand: without SET/test.txt its true facts count as wrong candidates):',
);
console.log('  CoDEx-S: ComplEx 37.2 / 64.6 / MRR 46.5, ConvE 34.3 / 63.5 / 44.4, TransE 21.9 / 63.4 / 35.4 (Safavi and Koutra 2020)');
console.log(
  '  AnyBURL, 1,000 s: WN18RR 45.7 / 57.7, FB15k-237 27.3 / 52.2 on 22 cores (Meilicke et al. 2020); 44.6 / 55.5, 23.0 / 47.9 on a laptop thread (2019)\n',
);

async function read(set: string, part: string): Promise<Row[]> {
  const lines = (await readFile(join(data, set, `${part}.txt`), 'utf8')).split(/\r?\n/).filter((line) => line.includes('\t'));
  return lines.map((line) => line.split('\t') as unknown as Row);
}
/** The facts of the test part, where there is one, are never asked for: they are true candidates that are passed over, as in the published figures. */
async function rowsOf(set: string): Promise<{ readonly train: readonly Row[]; readonly valid: readonly Row[]; readonly test?: readonly Row[] }> {
  if (wordnet !== '') return wordnetSet(wordnet);
  const ofShape = made === '' ? undefined : shaped(set);
  if (ofShape) return ofShape;
  return { train: await read(set, 'train'), valid: await read(set, 'valid'), test: existsSync(join(data, set, 'test.txt')) ? await read(set, 'test') : [] };
}
const tripleOf = ([subject, relation, object]: Row): Triple => ({
  subject: parseEntityId(subject),
  relation: parseRelationName(relation),
  object: entity(parseEntityId(object)),
});

/** One question: an end of a fact is missing. Its filter holds all known answers but the one sought. */
interface Query {
  readonly anchor: number;
  readonly step: number;
  readonly answer: number;
  readonly exclude: readonly number[];
}
/** Mean rank among ties; 0 when the answer cannot be ranked. */
type RankOf = (query: Query) => Promise<number> | number;
async function judge(list: readonly Query[], rankOf: RankOf): Promise<[number, number, number, number]> {
  let [first, ten, reciprocal] = [0, 0, 0];
  const start = performance.now();
  for (const query of list) {
    const rank = await rankOf(query);
    if (rank === 0) continue;
    if (rank <= 1) first++;
    if (rank <= 10) ten++;
    reciprocal += 1 / rank;
  }
  const share = 100 / list.length;
  return [first * share, ten * share, reciprocal * share, (performance.now() - start) / list.length];
}

/** Every path up to a length as a set of pairs, counted with Maps and Sets; candidates by the surest path alone. */
function naiveReference(train: readonly (readonly [number, number, number])[], relations: number, longest: number, ms: number) {
  const start = performance.now();
  const steps = Array.from({ length: relations * 2 }, () => new Map<number, Set<number>>());
  const put = (map: Map<number, Set<number>>, a: number, b: number): void => void (map.get(a) ?? map.set(a, new Set()).get(a))?.add(b);
  for (const [s, p, o] of train) {
    put(steps[2 * p], s, o);
    put(steps[2 * p + 1], o, s);
  }
  const rules = Array.from({ length: relations }, () => [] as { readonly path: readonly number[]; readonly confidence: number }[]);
  let cut = false;
  const count = (path: readonly number[], pairs: ReadonlyMap<number, ReadonlySet<number>>): void => {
    const support = new Float64Array(relations);
    let all = 0;
    for (const [x, ys] of pairs) {
      all += ys.size;
      for (let r = 0; r < relations; r++) {
        const heads = steps[2 * r].get(x);
        if (heads) for (const y of heads) if (ys.has(y)) support[r]++;
      }
    }
    for (let r = 0; r < relations; r++)
      if (support[r] > 1 && !(path.length === 1 && path[0] === 2 * r)) rules[r].push({ path, confidence: support[r] / (all + 5) });
  };
  const grow = (path: readonly number[], pairs: ReadonlyMap<number, ReadonlySet<number>>): void => {
    if (performance.now() - start > ms) {
      cut = true;
      return;
    }
    count(path, pairs);
    if (path.length === longest) return;
    for (let s = 0; s < steps.length; s++) {
      // Back and forth by the same relation proves nothing.
      if (s === (path[path.length - 1] ^ 1)) continue;
      const longer = new Map<number, Set<number>>();
      for (const [x, ys] of pairs) for (const y of ys) for (const z of steps[s].get(y) ?? []) put(longer, x, z);
      if (longer.size > 0) grow([...path, s], longer);
    }
  };
  for (let s = 0; s < steps.length; s++) grow([s], steps[s]);
  for (const list of rules) list.sort((a, b) => b.confidence - a.confidence);
  const rank: RankOf = ({ anchor, step, answer, exclude }) => {
    const left = new Set(exclude);
    const score = new Map<number, number>();
    for (const { path, confidence: sure } of rules[step >> 1].slice(0, 500)) {
      const walked = (step & 1) === 0 ? path : path.toReversed().map((each) => each ^ 1);
      let ends = new Set([anchor]);
      for (const each of walked) {
        const next = new Set<number>();
        for (const node of ends) for (const end of steps[each].get(node) ?? []) next.add(end);
        ends = next;
      }
      for (const end of ends) if (!left.has(end) && !score.has(end)) score.set(end, sure);
    }
    const own = score.get(answer);
    if (own === undefined) return 0;
    let [better, same] = [0, 0];
    for (const value of score.values()) {
      if (value > own) better++;
      else if (value === own) same++;
    }
    return better + (same + 1) / 2;
  };
  return { rank, seconds: (performance.now() - start) / 1000, rules: rules.reduce((sum, list) => sum + list.length, 0), cut };
}

const rows: (string | number)[][] = [];
for (const set of (wordnet === '' ? made || sets : 'wordnet').split(',')) {
  const { train, valid, test = [] } = await rowsOf(set);
  const words = new Words();
  for (const row of train) words.add(tripleOf(row));
  const node = (name: string): number => words.terms.find(entity(parseEntityId(name)));
  const numbered = (list: readonly Row[]): [number, number, number][] =>
    list.map(([s, p, o]): [number, number, number] => [node(s), words.relation(parseRelationName(p)) ?? -1, node(o)]);
  const [known, asked, beside] = [numbered(train), numbered(valid), numbered(test)];
  const answers = new Map<string, number[]>();
  for (const [s, p, o] of [...known, ...asked, ...beside])
    for (const [key, end] of [
      [`${s} ${2 * p}`, o],
      [`${o} ${2 * p + 1}`, s],
    ] as const)
      (answers.get(key) ?? answers.set(key, []).get(key))?.push(end);
  const every = queries === 0 ? 1 : Math.max(1, Math.ceil(asked.length / queries));
  const list = asked
    .filter((_, i) => i % every === 0)
    .flatMap(([s, p, o]) => [[s, 2 * p, o] as const, [o, 2 * p + 1, s] as const])
    .map(([anchor, step, answer]): Query => ({
      anchor,
      step,
      answer,
      exclude: (answers.get(`${anchor} ${step}`) ?? []).filter((end) => end >= 0 && end !== answer),
    }));

  const start = performance.now();
  const induction = new Induction(words, {
    base: parseBaseName('bench'),
    version: 0,
    cut: false,
    relations: words.relations.map((_, i) => i),
    threads,
    given: 1,
    examples: 0,
    confidenceBy: 'standard',
    options: {
      length,
      constants: true,
      vacuous: words.vacuous(),
      thresholds: { support: 2, confidence, pcaConfidence: 0, headCoverage: 0 },
      ms: seconds * 1000,
      rules: 3_000_000,
      candidates: 4_000_000,
      pairs: 500,
      edges,
      passes: 100,
      seed: 1,
    },
  });
  const state = await induction.ended();
  if (state.error) throw state.error;
  const took = (performance.now() - start) / 1000;
  const rankable = ({ anchor, step, answer }: Query): boolean => anchor >= 0 && answer >= 0 && step >= 0;
  for (const aggregation of aggregations.split(',') as ('max' | 'noisy_or')[]) {
    const result = await judge(list, async (query) => {
      if (!rankable(query)) return 0;
      const { candidates } = await induction.rank({ ...query, limit: 100, aggregation, edges: 1_000_000 });
      const own = candidates.find((each) => each.node === query.answer);
      return own ? own.before + (own.tied + 1) / 2 : 0;
    });
    rows.push([set, `Pharos ${aggregation}`, took, state.progress.rules, ...result, induction.exhaustive ? 'complete' : (state.limit ?? 'sampled')]);
  }
  induction.cancel();
  const most: RankOf = (query) => {
    // How often a node stands at this end, whatever the anchor is.
    const frequency = new Map<number, number>();
    const end = (query.step & 1) === 0 ? 2 : 0;
    for (const fact of known) if (fact[1] === query.step >> 1) frequency.set(fact[end], (frequency.get(fact[end]) ?? 0) + 1);
    for (const each of query.exclude) frequency.delete(each);
    const own = frequency.get(query.answer);
    if (own === undefined) return 0;
    const others = [...frequency.values()];
    return others.filter((value) => value > own).length + (others.filter((value) => value === own).length + 1) / 2;
  };
  rows.push([set, 'by frequency', 0, 0, ...(await judge(list, most)), '']);
  if (naive > 0) {
    const reference = naiveReference(known, words.relations.length, naive, seconds * 1000);
    rows.push([
      set,
      `all paths to ${naive}`,
      reference.seconds,
      reference.rules,
      ...(await judge(list, (query) => (rankable(query) ? reference.rank(query) : 0))),
      reference.cut ? 'ms' : 'complete',
    ]);
  }
  console.log(
    `${made === '' ? '' : 'made, in the shape of '}${set}: ${words.facts} facts, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB, ${words.terms.size} entities, ${words.relations.length} relations; ${list.length} questions done`,
  );
}
console.log();
printTable(['set', 'method', 'learning s', 'rules', 'Hits@1 %', 'Hits@10 %', 'MRR %', 'ms a question', 'ended by'], rows);
