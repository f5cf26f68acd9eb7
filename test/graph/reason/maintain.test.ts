// Owns the promise that upkeep equals deriving anew, whatever is told, told no longer or told with another confidence; that what stays has proofs; and that what is given up can be undone.
// Refuses to know stores.

import t from 'tap';
import { checkProof } from '../../../graph/reason/proofs/checker.ts';
import { Database, signed } from '../../../graph/reason/tables/database.ts';
import { Evaluator, runNow } from '../../../graph/reason/evaluate/evaluate.ts';
import { parseRules } from '../../../graph/reason/language/parse.ts';
import { Program } from '../../../graph/reason/evaluate/program.ts';
import { Supports } from '../../../graph/reason/evaluate/supports.ts';
import type { Rule } from '../../../graph/reason/types.ts';
import { Upkeep } from '../../../graph/reason/upkeep/upkeep.ts';
import type { Edit } from '../../../graph/reason/upkeep/upkeep.ts';
import { entity, parseEntityId, parseRelationName, tripleKey } from '../../../graph/terms.ts';
import type { Triple } from '../../../graph/terms.ts';
import { naiveModel, naiveStrata } from '../../helpers/naive-reasoner.ts';
import { AMPLE, contents, grounds, listed, proofs, run } from '../../helpers/proofs.ts';
import { randomConfidence, randomRichRule, randomRule, randomTriple, seeded } from '../../helpers/random-programs.ts';
import type { Random } from '../../helpers/random-programs.ts';

/** A program that is kept up to date beside a map of what is told. */
class Kept {
  readonly rules: readonly Rule[];
  readonly told = new Map<string, { readonly triple: Triple; readonly confidence: number }>();
  readonly program: Program;
  readonly evaluator: Evaluator;
  readonly upkeep: Upkeep;
  constructor(rules: readonly Rule[], told: readonly { readonly triple: Triple; readonly confidence: number }[]) {
    this.rules = rules;
    const database = new Database();
    for (const fact of told) {
      this.told.set(tripleKey(fact.triple), fact);
      database.tell(fact.triple, fact.confidence);
    }
    for (const [key, { triple }] of this.told) {
      const at = database.find(triple);
      if (at) this.told.set(key, { triple, confidence: at.slot.table.confidence(at.row) });
    }
    this.program = new Program(rules, database);
    this.evaluator = new Evaluator(this.program, AMPLE);
    runNow(this.evaluator.derive());
    this.upkeep = new Upkeep(this.program, this.evaluator);
  }
  /** Tells some facts otherwise. False when that was given up, and undone. */
  change(facts: ReadonlyMap<string, { readonly triple: Triple; readonly confidence: number | undefined }>, most = Number.POSITIVE_INFINITY): boolean {
    const { database } = this.program;
    const edits: Edit[] = [];
    for (const { triple, confidence } of facts.values()) {
      if (confidence !== undefined && confidence < 1) database.weigh();
      const at = database.find(triple);
      if (confidence === undefined && (!at || at.slot.table.rules[at.row] >= 0)) continue;
      const slot = database.slot(signed(triple.relation, triple.negated));
      edits.push({ slot, subject: database.terms.intern(entity(triple.subject)), object: database.terms.intern(triple.object), confidence });
    }
    const result = runNow(this.upkeep.run(edits, most, most / 8));
    if (!result) {
      this.upkeep.undo();
      return false;
    }
    for (const [key, { triple, confidence }] of facts)
      if (confidence === undefined) this.told.delete(key);
      else this.told.set(key, { triple, confidence });
    return true;
  }
  /** What is wrong with it, if anything is. */
  fault(naive: boolean): { found: string[]; expected: string[] } | undefined {
    const told = [...this.told.values()];
    const found = listed(contents(this.program));
    const expected = listed(naive ? naiveModel(this.rules, told) : contents(run(this.rules, told).program));
    if (JSON.stringify(found) !== JSON.stringify(expected)) return { found, expected };
    const { database, strata } = this.program;
    this.evaluator.groups.forget();
    const supports = new Supports(this.program, this.evaluator.meter, this.evaluator.groups);
    for (const slot of database.slots())
      for (let row = 0; row < slot.table.count; row++) {
        const rule = slot.table.rules[row];
        if (rule >= 0 && (!(supports.attempt(slot, row, strata.length) ?? runNow(supports.rest())) || slot.table.rules[row] !== rule))
          return { found: [`${JSON.stringify(database.triple(slot, row))} rests on nothing of smaller stamps`], expected: [] };
      }
    return undefined;
  }
}

const randomRules = (random: Random, weighted: boolean): Rule[] => {
  for (;;) {
    const rules = Array.from({ length: 1 + random.below(7) }, () => (random.next() < 0.4 ? randomRichRule(random, weighted) : randomRule(random, weighted)));
    if (naiveStrata(rules)) return rules;
  }
};
type State = { readonly triple: Triple; readonly confidence: number | undefined };
function randomEdits(random: Random, weighted: boolean, told: Kept['told']): Map<string, State> {
  const edits = new Map<string, State>();
  const put = (state: State): void => void edits.set(tripleKey(state.triple), state);
  for (let i = 1 + random.below(4); i > 0; i--) {
    const known = [...told.values()];
    if (known.length > 0 && random.next() < 0.55) {
      const { triple } = random.pick(known);
      put({ triple, confidence: weighted && random.next() < 0.3 ? randomConfidence(random) : undefined });
    } else put({ triple: randomTriple(random), confidence: weighted ? randomConfidence(random) : 1 });
  }
  return edits;
}

for (const weighted of [false, true])
  t.test(`random programs after random edits equal what is derived anew${weighted ? ', confidences too' : ''}; what is given up leaves no trace`, async (t) => {
    let [steps, undone, fell, back, checked] = [0, 0, 0, 0, 0];
    for (let seed = 1; seed <= 500 && t.passing(); seed++) {
      const random = seeded(seed * 7 + (weighted ? 3 : 0));
      const rules = randomRules(random, weighted);
      const facts = Array.from({ length: random.below(25) }, () => ({ triple: randomTriple(random), confidence: weighted ? randomConfidence(random) : 1 }));
      let kept = new Kept(rules, facts);
      for (let step = 0; step < 12; step++) {
        const edits = randomEdits(random, weighted, kept.told);
        if (random.next() < 0.25) {
          const before = listed(contents(kept.program));
          const done = kept.change(edits, random.below(40));
          if (!done) {
            undone++;
            const after = listed(contents(kept.program));
            // A fact that was derived and is told now stays told.
            const left = (all: string[]): string[] => all.filter((line) => ![...edits.keys()].some((key) => line.includes(key)));
            if (JSON.stringify(left(after)) !== JSON.stringify(left(before))) t.same(after, before, `seed ${seed}, step ${step}: undone`);
            // Whoever gives up derives anew, and goes on from there.
            const told = new Map(kept.told);
            for (const [key, { triple, confidence }] of edits)
              if (confidence === undefined) told.delete(key);
              else told.set(key, { triple, confidence });
            kept = new Kept(rules, [...told.values()]);
          }
        } else kept.change(edits);
        steps++;
        for (const [slot, gone] of [...kept.upkeep.gone, ...kept.upkeep.shaken])
          for (let row = 0; row < gone.count; row++) {
            fell++;
            if (slot.table.find(gone.subjects[row], gone.objects[row]) >= 0) back++;
          }
        const fault = kept.fault(step % 4 === 3);
        if (fault) {
          t.same(fault.found, fault.expected, `seed ${seed}, step ${step}: ${rules.map(({ text }) => text).join(' ')} ${JSON.stringify([...edits.values()])}`);
          break;
        }
        if (step !== 11 || seed % 4 !== 0) continue;
        const ground = grounds(rules, naiveModel(rules, [...kept.told.values()]));
        for (const proof of proofs(kept.program)) {
          checked++;
          const result = await checkProof(proof, ground);
          if (!result.valid) t.fail(`seed ${seed}: ${result.reason}`);
        }
      }
    }
    t.ok(
      steps > 5_900 && undone > 150 && fell > 2_000 && back > 80 && checked > 600,
      `${steps} edits, ${undone} undone, ${fell} rows fell, ${back} came back, ${checked} proofs`,
    );
  });

/** Programs over graphs: what hangs on an edge may be much, and much of it may still follow. */
const GRAPHS: readonly (readonly [name: string, rules: string])[] = [
  ['closure', 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z).'],
  ['closure by halves', 'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), path(?y, ?z).'],
  ['told and derived in one relation', 'edge(?x, ?z) :- edge(?x, ?y), edge(?y, ?z). edge(?y, ?x) :- edge(?x, ?y), both(?x, ?y).'],
  [
    'what is not reached, and what does not reach that',
    'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z). apart(?x, ?y) :- mark(?x, ?a), mark(?y, ?b), not path(?x, ?y).' +
      'far(?x, ?z) :- apart(?x, ?y), edge(?y, ?z), not path(?z, ?x). alone(?x) :- mark(?x, ?a), not path(?x, ?x).',
  ],
  [
    'how much is reached, and who reaches most',
    'path(?x, ?y) :- edge(?x, ?y). path(?x, ?z) :- path(?x, ?y), edge(?y, ?z). size(?x, ?n) :- mark(?x, ?a), ?n = count { ?y : path(?x, ?y) }.' +
      'least(?x, ?m) :- mark(?x, ?a), ?m = min { ?n : path(?x, ?y), size(?y, ?n) }. large(?x) :- size(?x, ?n), ?n > 4. more(?x, ?y) :- size(?x, ?n), size(?y, ?m), ?n > ?m, edge(?x, ?y).' +
      'total(graph, ?s) :- ?s = sum { ?n : size(?x, ?n) }.',
  ],
  ['same generation', 'same(?x, ?y) :- edge(?p, ?x), edge(?p, ?y). same(?x, ?y) :- edge(?p, ?x), same(?p, ?q), edge(?q, ?y).'],
  [
    'equality',
    'like(?y, ?x) :- like(?x, ?y). like(?x, ?z) :- like(?x, ?y), like(?y, ?z). like(?x, ?y) :- edge(?z, ?x), edge(?z, ?y), both(?x, ?y). edge(?x, ?b) :- edge(?x, ?a), like(?a, ?b).',
  ],
  [
    'classes',
    'odd(?y) :- edge(?x, ?y), even(?x). even(?y) :- edge(?x, ?y), odd(?x). even(?x) :- mark(?x, n0). lost(?x) :- mark(?x, ?a), not even(?x), not odd(?x).',
  ],
];
for (const weighted of [false, true])
  t.test(`programs over graphs after every edit equal what is derived anew${weighted ? ', confidences too' : ''}`, async (t) => {
    for (const [name, text] of GRAPHS) {
      const rules = parseRules(text);
      let [rows, fell] = [0, 0];
      for (let seed = 1; seed <= 6; seed++) {
        const random = seeded(seed * 613 + (weighted ? 1 : 0));
        const nodes = 5 + 2 * seed;
        const node = (): string => `n${random.below(nodes)}`;
        const fact = (): Triple => {
          const roll = random.next();
          const relation = roll < 0.75 ? 'edge' : roll < 0.9 ? 'mark' : 'both';
          return { subject: parseEntityId(node()), relation: parseRelationName(relation), object: entity(parseEntityId(node())) };
        };
        const sure = (): number => (weighted ? randomConfidence(random) : 1);
        const kept = new Kept(
          rules,
          Array.from({ length: nodes * 2 }, () => ({ triple: fact(), confidence: sure() })),
        );
        for (let step = 0; step < 25; step++) {
          const gone = random.pick([...kept.told.values()]).triple;
          const edits = new Map<string, State>();
          if (random.next() < 0.6) edits.set(tripleKey(gone), { triple: gone, confidence: weighted && random.next() < 0.4 ? sure() : undefined });
          if (edits.size === 0 || random.next() < 0.3) for (const triple of [fact(), fact()]) edits.set(tripleKey(triple), { triple, confidence: sure() });
          kept.change(edits);
          for (const { count } of [...kept.upkeep.gone.values(), ...kept.upkeep.shaken.values()]) fell += count;
          const fault = kept.fault(false);
          if (fault) t.same(fault.found, fault.expected, `${name}, seed ${seed}, step ${step}: ${JSON.stringify([...edits.values()])}`);
        }
        rows += kept.program.database.derived;
      }
      t.ok(rows > 30 && fell > 100, `${name}: ${rows} rows, ${fell} fell`);
    }
  });
