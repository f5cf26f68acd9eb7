// Owns the comparison of goal-directed evaluation with the naive meaning of whole programs, and how little it derives.
// Refuses to know stores.

import t from 'tap';
import { Database, signed } from '../../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { Explainer } from '../../../graph/reason/proofs/explain.ts';
import { FactoredAnswers } from '../../../graph/reason/proofs/factored.ts';
import { adoptRows, magicProgram, magicRules } from '../../../graph/reason/evaluate/magic.ts';
import type { MagicOptions } from '../../../graph/reason/evaluate/magic.ts';
import { parseGoal, parseRules } from '../../../graph/reason/language/parse.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import type { Atom, Rule } from '../../../graph/reason/types.ts';
import { entity, parseEntityId, parseRelationName, tripleKey } from '../../../graph/terms.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { AMPLE } from '../../helpers/proofs.ts';
import type { Told } from '../../helpers/proofs.ts';
import { ENTITIES, LITERALS, randomConfidence, randomRule, randomTriple, RELATIONS, seeded } from '../../helpers/random-programs.ts';

/** Answers a goal by rewritten rules; undefined when nothing was rewritten. `derived`: facts and magic rows. */
function ask(rules: readonly Rule[], told: readonly Told[], goal: Atom, options: MagicOptions = {}): { answers: string[]; derived: number; factored: boolean } | undefined {
  const rewritten = magicRules(rules, [goal], options);
  if (!rewritten) return undefined;
  const database = new Database();
  for (const { triple, confidence } of told) database.tell(triple, confidence);
  const running = magicProgram(rewritten, database);
  runNow(new Evaluator(running, AMPLE).derive());
  const { derived } = database;
  const program = adoptRows(running, rules, rewritten.origin);
  const key = signed(goal.relation, goal.negated);
  const fixed = (term: Atom['subject']) => (term.kind === 'variable' ? undefined : term);
  const slot = database.slot(key);
  const read = rewritten.factored && new FactoredAnswers(running, rewritten.factored, goal);
  if (read) for (const { triple } of read) if (!read.has(triple)) throw new Error(`${tripleKey(triple)} is an answer and is not`);
  const rows = read
    ? Array.from(read, ({ triple, writing }) => {
        const { row } = runNow(writing(() => true));
        if (tripleKey(database.triple(slot, row)) !== tripleKey(triple)) throw new Error(`${tripleKey(triple)} is another in its row`);
        return row;
      })
    : [...database.rows(key, fixed(goal.subject), fixed(goal.object))];
  const explainer = new Explainer(program, { nodes: 100_000, height: 10_000 });
  const answers = rows.map((row) => {
    explainer.explain({ slot, row });
    return `${tripleKey(database.triple(slot, row))} ${slot.table.confidence(row)}`;
  });
  return { answers: answers.toSorted(), derived, factored: rewritten.factored !== undefined };
}
/** Rules that chain a relation with itself, or pass a position on. */
const LINEAR = parseRules(
  `p(?x, ?z) :- p(?x, ?y), p(?y, ?z). p(?x, ?z) :- p(?y, ?z), p(?x, ?y). q(?x, ?z) :- p(?x, ?y), q(?y, ?z). q(?x, ?z) :- q(?x, ?y), p(?y, ?z). q(?x, ?y) :- "born in"(?x, ?y).
   q(?x, ?z) :- p(?x, ?y), q(?y, ?z), not "is a"(?x, ?y). p(?y, ?x) :- p(?x, ?y). p(?x, ?y) :- q(?x, ?y). q(?x, ?y) :- p(?x, ?y). -p(?x, ?z) :- -p(?x, ?y), -p(?y, ?z).`,
);
const PASSING = parseRules(
  `q(?x, ?z) :- p(?x, ?y), q(?y, ?z). q(?x, ?z) :- q(?x, ?y), p(?y, ?z). q(?x, ?y) :- "born in"(?x, ?y). q(a, ?z) :- p(b, ?y), q(?y, ?z), ?y != c.
   q(?x, ?z) :- p(?y, ?x), "is a"(?x, ?w), q(?y, ?z), not "is a"(?x, ?y). q(?x, ?z) :- q(?x, ?y), "born in"(?z, ?y). p(?y, ?x) :- p(?x, ?y). p(?x, ?z) :- p(?x, ?y), p(?y, ?z). q(?x, b) :- p(?x, ?y).`,
);

t.test('4,000 goals of random programs have the answers of naive evaluation, with the same confidences, and each answer has a proof by the given rules', async (t) => {
  let [compared, rewritten, factored, differ] = [0, 0, 0, 0];
  for (let seed = 1; compared < 4_000; seed++) {
    const random = seeded(seed);
    const passing = random.next() < 0.3;
    const weighted = !passing && random.next() < 0.4;
    const drawn = passing ? [] : Array.from({ length: 1 + random.below(random.next() < 0.5 ? 6 : 2) }, () => randomRule(random, weighted));
    const linear = Array.from({ length: passing || random.next() < 0.5 ? 1 + random.below(3) : 0 }, () => random.pick(passing ? PASSING : LINEAR));
    const rules = [...new Map([...drawn, ...linear].map((rule) => [rule.id, rule])).values()];
    const told = Array.from({ length: 10 + random.below(25) }, (): Told => ({ triple: randomTriple(random), confidence: weighted ? randomConfidence(random) : 1 }));
    if (!naiveStrata(rules)) continue;
    const model = naiveModel(rules, told);
    for (let i = 0; i < 6; i++) {
      const subject = random.next() < 0.5 ? random.pick(ENTITIES) : ({ kind: 'variable', name: 'v' } as const);
      const object = random.next() < 0.5 ? (random.next() < 0.8 ? random.pick(ENTITIES) : random.pick(LITERALS)) : ({ kind: 'variable', name: 'w' } as const);
      const goal: Atom = { relation: passing ? RELATIONS[1] : random.pick(RELATIONS), subject, object, ...(random.next() < 0.15 ? { negated: true } : {}) };
      compared++;
      // One derivation of each answer is enough only where nothing is weighed.
      const found = ask(rules, told, goal, weighted ? {} : { anyDerivation: random.next() < 0.8, oneByOne: passing || random.next() < 0.7 });
      if (!found) continue;
      rewritten++;
      if (found.factored) factored++;
      const expected = [...model.values()]
        .filter(({ triple }) => triple.relation === goal.relation && (triple.negated ?? false) === (goal.negated ?? false))
        .filter(({ triple }) => subject.kind === 'variable' || subject.id === triple.subject)
        .filter(({ triple }) => object.kind === 'variable' || JSON.stringify(object) === JSON.stringify(triple.object))
        .map(({ triple, confidence }) => `${tripleKey(triple)} ${confidence}`)
        .toSorted();
      if (JSON.stringify(found.answers) === JSON.stringify(expected)) continue;
      t.same(found.answers, expected, `seed ${seed}, ${JSON.stringify(goal)}: ${rules.map(({ text }) => text).join(' ')}`);
      if (++differ > 3) return;
    }
  }
  t.equal(differ, 0);
  t.ok(rewritten > 1_000 && factored > 50, `${rewritten} of ${compared} goals were rewritten, the answers of ${factored} factored`);
});

const person = (family: number, i: number) => entity(parseEntityId(`p${family}_${i}`));
t.test('asking about one entity of many families derives what concerns its family', (t) => {
  const rules = parseRules(
    `ancestor(?x, ?y) :- parent(?x, ?y). ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).
     related(?x, ?y) :- ancestor(?a, ?x), ancestor(?a, ?y), ?x != ?y, not foe(?x, ?y).
     foe(?x, ?y) :- hates(?x, ?y). foe(?x, ?y) :- foe(?y, ?x).`,
  );
  const parent = parseRelationName('parent');
  const told: Told[] = [];
  for (let family = 0; family < 500; family++)
    for (let i = 1; i < 20; i++) told.push({ triple: { subject: person(family, i >> 1).id, relation: parent, object: person(family, i) }, confidence: 1 });
  told.push({ triple: { subject: person(7, 3).id, relation: parseRelationName('hates'), object: person(7, 2) }, confidence: 1 });
  const database = new Database();
  for (const { triple } of told) database.tell(triple, 1);
  runNow(new Evaluator(new Program(rules, database), AMPLE).derive());
  const all = database.derived;
  for (const [goal, answers, most] of [
    ['ancestor(p7_3, ?x)', 6, 20],
    ['ancestor(?x, p7_19)', 5, 100],
    ['ancestor(p7_1, p7_19)', 1, 40],
    ['related(p7_2, ?x)', 17, 700],
    ['related(p7_2, p7_3)', 0, 200],
  ] as const) {
    const found = ask(rules, told, parseGoal(goal));
    t.equal(found?.answers.length, answers, goal);
    t.ok(found && found.derived <= most && found.derived * 20 < all, `${goal}: ${found?.derived} of ${all} derived`);
  }
  t.equal(magicRules(rules, [parseGoal('ancestor(?x, ?y)')]), undefined, 'a goal without constants asks for everything');
  t.equal(magicRules(rules, [parseGoal('foe(p7_3, ?y)')]), undefined, 'what stands under "not" is derived in full');
  t.equal(magicRules(rules, [parseGoal('parent(p7_3, ?y)')]), undefined, 'a stored relation needs no rules');
  t.end();
});

t.test('along one long chain, and in one large circle, a goal derives in proportion to its answers, whichever way the rules recur', async (t) => {
  const n = 400;
  const edge = parseRelationName('edge');
  const at = (i: number) => entity(parseEntityId(`n${i}`));
  for (const [shape, length] of [
    ['chain', n - 1],
    ['circle', n],
  ] as const) {
    const told: Told[] = Array.from({ length }, (_, i) => ({ triple: { subject: at(i).id, relation: edge, object: at((i + 1) % n) }, confidence: 1 }));
    for (const rules of [
      'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- edge(?x, ?y), path(?y, ?z).',
      'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).',
      'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), path(?y, ?z).',
    ])
      for (const [goal, count] of [
        ['path(n0, ?x)', length],
        ['path(?x, n5)', shape === 'chain' ? 5 : n],
        ['path(n3, n390)', 1],
      ] as const) {
        const found = ask(parseRules(rules), told, parseGoal(goal), { anyDerivation: true, oneByOne: true });
        t.equal(found?.answers.length, count, `${goal} in a ${shape}`);
        t.ok(found && found.derived < 5 * n, `${goal} in a ${shape}: ${found?.derived} derived; ${rules}`);
      }
  }
});
