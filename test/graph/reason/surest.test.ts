// Owns uncertain facts in programs of many proofs: confidences are the greatest products bit by bit in whatever order rows are taken, upkeep equals deriving anew, and the work is that of certain facts.
// Refuses to know stores.

import t from 'tap';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { checkProof } from '../../../graph/reason/proofs/checker.ts';
import { Explainer } from '../../../graph/reason/proofs/explain.ts';
import { toProof } from '../../../graph/reason/proofs/proof-trees.ts';
import { Database } from '../../../graph/reason/tables/database.ts';
import { Upkeep } from '../../../graph/reason/upkeep/upkeep.ts';
import type { Edit } from '../../../graph/reason/upkeep/upkeep.ts';
import type { Budget, Proof } from '../../../graph/reason/types.ts';
import { entity, parseEntityId, parseRelationName, tripleKey } from '../../../graph/terms.ts';
import type { Triple } from '../../../graph/terms.ts';
import { AMPLE, contents, factOf, listed } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { seeded } from '../../helpers/random-programs.ts';
import type { Random } from '../../helpers/random-programs.ts';

const edge = (from: number, to: number): Triple => ({ subject: parseEntityId(`n${from}`), relation: parseRelationName('edge'), object: entity(parseEntityId(`n${to}`)) });
function derived(rules: string, told: readonly Told[], budget: Budget = AMPLE) {
  const database = new Database();
  for (const { triple, confidence } of told) database.tell(triple, confidence);
  const program = new Program(parseRules(rules), database);
  const evaluator = new Evaluator(program, budget);
  return { database, program, evaluator, result: runNow(evaluator.derive()) };
}

const LINE = 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).';
const HALVES = 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), path(?y, ?z).';
const WEAKER = 'path(?x, ?y) :- edge(?x, ?y). @confidence(0.97) path(?x, ?z) :- path(?x, ?y), path(?y, ?z).';
const RULES = { LINE, HALVES, WEAKER };

/** Greatest products over all paths, as the rules multiply: again and again until nothing changes. */
function products(name: keyof typeof RULES, nodes: number, edges: ReadonlyMap<string, number>): Map<string, number> {
  const direct = (x: number, y: number): number => edges.get(`${x} ${y}`) ?? 0;
  const path = Array.from({ length: nodes }, (_, x) => Array.from({ length: nodes }, (_unused, y) => direct(x, y)));
  for (let changed = true; changed; ) {
    changed = false;
    for (let x = 0; x < nodes; x++)
      for (let y = 0; y < nodes; y++)
        for (let z = 0; z < nodes; z++) {
          const product = (name === 'WEAKER' ? 0.97 : 1) * path[x][y] * (name === 'LINE' ? direct(y, z) : path[y][z]);
          if (product > path[x][z]) [path[x][z], changed] = [product, true];
        }
  }
  return new Map(path.flatMap((row, x) => row.flatMap((confidence, y) => (confidence > 0 ? [[tripleKey({ ...edge(x, y), relation: parseRelationName('path') }), confidence] as const] : []))));
}
const sure = (random: Random): number => (random.next() < 0.1 ? 1 : 0.5 + random.below(50) / 100);

for (const name of ['LINE', 'HALVES', 'WEAKER'] as const)
  t.test(`${name}: random graphs have the greatest products bit by bit, anew and after every edit, and the proofs say so`, async (t) => {
    let [rises, checked] = [0, 0];
    for (let seed = 1; seed <= 4; seed++) {
      const random = seeded(seed * 31 + name.length);
      const nodes = 40;
      const edges = new Map<string, number>();
      while (edges.size < 3 * nodes) edges.set(`${random.below(nodes)} ${random.below(nodes)}`, sure(random));
      const told = (): Told[] => [...edges].map(([key, confidence]) => ({ triple: edge(...(key.split(' ').map(Number) as [number, number])), confidence }));
      const { database, program, evaluator } = derived(RULES[name], told());
      const upkeep = new Upkeep(program, evaluator);
      for (let step = 0; step < 12; step++) {
        const expected = products(name, nodes, edges);
        const found = new Map([...contents(program)].flatMap(([key, { confidence, triple }]) => (triple.relation === 'path' ? [[key, confidence]] : [])));
        const wrong = [...expected].filter(([key, confidence]) => found.get(key) !== confidence);
        if (!t.ok(wrong.length === 0 && found.size === expected.size, `seed ${seed}, step ${step}: ${found.size} of ${expected.size} paths, ${wrong.length} of another confidence`)) return;
        const edits: Edit[] = [];
        for (let i = 0; i < 3; i++) {
          const key = random.next() < 0.7 ? random.pick([...edges.keys()]) : `${random.below(nodes)} ${random.below(nodes)}`;
          const triple = edge(...(key.split(' ').map(Number) as [number, number]));
          const confidence = edges.has(key) && random.next() < 0.4 ? undefined : sure(random);
          const [subject, object] = [database.terms.intern(entity(triple.subject)), database.terms.intern(triple.object)];
          if (edits.some((other) => other.subject === subject && other.object === object)) continue;
          edits.push({ slot: database.slot('+edge'), subject, object, confidence });
          if (confidence === undefined) edges.delete(key);
          else edges.set(key, confidence);
        }
        t.ok(runNow(upkeep.run(edits, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))?.complete);
        for (const raised of evaluator.raised.values()) rises += raised.size;
      }
      const anew = derived(RULES[name], told());
      t.same(listed(contents(program)), listed(contents(anew.program)));
      const explainer = new Explainer(program, { nodes: 10_000, height: 1_000 });
      const { table } = database.slot('+path');
      const byKey = new Map(told().map((one) => [tripleKey(one.triple), factOf(one)]));
      for (let row = seed; row < table.count; row += 50) {
        const proof = toProof(explainer.explain({ slot: database.slot('+path'), row }), database, { fact: (triple) => byKey.get(tripleKey(triple)) }) as Proof;
        const result = await checkProof(proof, {
          fact: (fact) => byKey.get(tripleKey(fact))?.confidence === fact.confidence,
          rule: ({ id }) => program.rules.find((rule) => rule.id === id),
          absent: () => false,
          given: () => false,
        });
        t.ok(result.valid && proof.confidence === table.confidence(row), JSON.stringify(result));
        checked++;
      }
    }
    t.ok(rises > 1_000 && checked > 50, `${rises} rises, ${checked} proofs`);
  });

/** A tree about 75 levels deep: every path has one way to go, and as many products as it has edges. */
function tree(nodes: number, confidence: (random: Random) => number): Told[] {
  const [random, other] = [seeded(5), seeded(6)];
  return Array.from({ length: nodes - 1 }, (_, i) => ({ triple: edge(i + 1, Math.max(0, i - random.below(40))), confidence: confidence(other) }));
}
t.test('all paths of a deep tree of uncertain facts take no more work than those of certain ones', (t) => {
  const certain = derived(HALVES, tree(1_500, () => 1));
  for (const confidence of [() => 0.9, sure, () => 0.999_999]) {
    const { evaluator, database } = derived(HALVES, tree(1_500, confidence));
    t.equal(database.derived, certain.database.derived);
    t.ok(evaluator.meter.work < certain.evaluator.meter.work * 1.5, `${evaluator.meter.work} rows looked at, ${certain.evaluator.meter.work} of certain facts`);
  }
  t.end();
});

t.test('what was derived when a limit is reached stays, and is as many facts as are allowed', (t) => {
  const told = tree(600, sure);
  const whole = contents(derived(HALVES, told).program);
  for (const facts of [50, 1_000, 4_000, 8_000]) {
    const { database, program, result } = derived(HALVES, told, { ...AMPLE, facts });
    t.match(result, { complete: false, limit: 'facts' });
    t.equal(database.derived, facts);
    t.ok(
      [...contents(program)].every(([key, { confidence }]) => confidence <= (whole.get(key)?.confidence ?? 0)),
      'each follows, and is no surer than in the end',
    );
  }
  t.end();
});
