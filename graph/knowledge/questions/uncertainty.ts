// Owns confidences other than the best proof's: noisy-or, possibility, exact probability, for answers that were derived.
// Refuses to know how answers are found and how functions of facts are counted.

import { atomsOf } from '../../reason/language/body.ts';
import { signed } from '../../reason/tables/database.ts';
import type { Row, SignedRelation } from '../../reason/tables/database.ts';
import { runSliced } from '../../reason/evaluate/evaluate.ts';
import { impliedRules } from '../../reason/rulesets/known-false.ts';
import { Lineage, LINEAGE_LIMITS, LineageTooLarge } from '../../reason/proofs/lineage.ts';
import type { Several } from '../../reason/proofs/lineage.ts';
import { relaxed, ValueNeeded } from '../../reason/proofs/tallies.ts';
import type { Atom, Budget, Rule } from '../../reason/types.ts';
import { termKey, tripleKey } from '../../terms.ts';
import type { DeduceContext } from '../worlds/context.ts';
import { goalBindings, goalRows } from '../worlds/goals.ts';
import { derive, relevantRules } from '../worlds/hypothesis.ts';
import type { Derived, Hypothesis } from '../worlds/hypothesis.ts';
import { KnowledgeError } from '../common/types.ts';
import type { DeduceAnswer } from '../common/types.ts';

async function sized<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ValueNeeded)
      throw new KnowledgeError(
        'invalid_request',
        `${error.message}; compare it inside the rule, or ask for the semantics "best", "noisy_or" or "possibility"`,
        {
          field: 'semantics',
          cause: error,
        },
      );
    if (!(error instanceof LineageTooLarge)) throw error;
    throw new KnowledgeError('too_large', `${error.message}; ask for fewer answers, a narrower goal, or the semantics "best"`, { cause: error });
  }
}

/** What the rows rest on, where each fact that tells one of them counts by itself. */
async function lineageOf(
  { program, tellings }: Pick<Derived, 'program' | 'tellings'>,
  rows: readonly Row[],
  budget: Budget,
  signal?: AbortSignal,
  original?: readonly Rule[],
  variables = LINEAGE_LIMITS.variables,
): Promise<Lineage> {
  const limits = { ...LINEAGE_LIMITS, variables, ms: budget.ms };
  const lineage = await runSliced(Lineage.of(program, rows, limits, original), signal);
  const several = new Map<string, readonly number[]>();
  for (const { slot, row } of lineage.told()) {
    const triple = program.database.triple(slot, row);
    if (tellings.isRepeated(triple))
      several.set(
        tripleKey(triple),
        (await tellings.of(triple)).map(({ confidence }) => confidence),
      );
  }
  if (several.size === 0) return lineage;
  const of: Several = ({ slot, row }) => several.get(tripleKey(program.database.triple(slot, row)));
  return runSliced(Lineage.of(program, rows, limits, original, of), signal);
}

/** Weighs all rows together, and each by itself where together they rest on too much. Throws LineageTooLarge. */
async function apart(rows: readonly Row[], budget: Budget, weighed: (rows: readonly Row[], budget: Budget) => Promise<number[]>): Promise<number[]> {
  const until = performance.now() + budget.ms;
  const left = (): Budget => ({ ...budget, ms: Math.max(0, until - performance.now()) });
  try {
    return await weighed(rows, budget);
  } catch (error) {
    if (!(error instanceof LineageTooLarge) || rows.length === 1 || left().ms === 0) throw error;
  }
  const found: number[] = [];
  for (const row of rows)
    try {
      found.push(...(await weighed([row], left())));
    } catch (error) {
      if (error instanceof LineageTooLarge && left().ms === 0)
        throw new LineageTooLarge(`what the answers rest on cannot be computed within ${Math.round(budget.ms)} ms`);
      throw error;
    }
  return found;
}

/** Confidences of rows of one derivation, in order. Throws KnowledgeError `too_large`. */
export const weigh = (
  derived: Pick<Derived, 'program' | 'tellings'>,
  rows: readonly Row[],
  semantics: 'noisy_or' | 'possibility',
  budget: Budget,
  signal?: AbortSignal,
): Promise<number[]> =>
  sized(async () => {
    // Least and greatest are found without a function of the facts, however many there are.
    if (semantics === 'possibility') {
      const lineage = await lineageOf(derived, rows, budget, signal, undefined, Number.POSITIVE_INFINITY);
      return runSliced(lineage.possibilities(rows), signal);
    }
    return apart(rows, budget, async (some, within) => runSliced((await lineageOf(derived, some, within, signal)).noisyOr(some), signal));
  });

/** Rules that may decide about the goal: of those about one class only those about classes that it leads to. */
function decidingRules(rules: readonly Rule[], goal: Atom): Rule[] {
  const relevant = relevantRules(rules, [signed(goal.relation, goal.negated)]);
  const objectOf = ({ object }: Atom): string | undefined => (object.kind === 'variable' ? undefined : termKey(object));
  /** By relation and object of the head; an object that is undefined is any. */
  const byHead = new Map<SignedRelation, Map<string | undefined, Rule[]>>();
  for (const rule of relevant)
    for (const head of rule.heads) {
      const key = signed(head.relation, head.negated);
      let objects = byHead.get(key);
      if (!objects) byHead.set(key, (objects = new Map()));
      const list = objects.get(objectOf(head));
      if (list) list.push(rule);
      else objects.set(objectOf(head), [rule]);
    }
  /** What is asked of each relation, in the same way. */
  const asked = new Map<SignedRelation, Set<string | undefined>>();
  const found = new Set<Rule>();
  const open: Atom[] = [goal];
  for (let atom = open.pop(); atom; atom = open.pop()) {
    const key = signed(atom.relation, atom.negated);
    const object = objectOf(atom);
    let objects = asked.get(key);
    if (!objects) asked.set(key, (objects = new Set()));
    if (objects.has(undefined) || objects.has(object)) continue;
    objects.add(object);
    const heads = byHead.get(key);
    for (const rule of object === undefined ? [...(heads?.values() ?? [])].flat() : [...(heads?.get(object) ?? []), ...(heads?.get(undefined) ?? [])]) {
      if (found.has(rule)) continue;
      found.add(rule);
      open.push(...Array.from(atomsOf(rule.body), (placed) => placed.atom));
    }
  }
  return relevant.filter((rule) => found.has(rule));
}

/** The answers with their exact probabilities, and those that hold only in worlds where some fact is missing. Throws KnowledgeError `too_large`, and `invalid_request` where it is not known how. */
export const probabilities = (
  goal: Atom,
  hypothesis: Hypothesis,
  answers: readonly DeduceAnswer[],
  budget: Budget,
  { reader, now }: DeduceContext,
  signal?: AbortSignal,
): Promise<DeduceAnswer[]> =>
  sized(async () => {
    const given = [...hypothesis.standing, ...hypothesis.rules];
    const all = [...given, ...impliedRules(given, [goal], hypothesis)];
    const rules = new Map(decidingRules(all, goal).map((rule) => [rule.id, rule]));
    const relations = new Set<SignedRelation>([signed(goal.relation, goal.negated)]);
    for (const { heads, body } of rules.values()) {
      for (const head of heads) relations.add(signed(head.relation, head.negated));
      for (const { atom } of atomsOf(body)) relations.add(signed(atom.relation, atom.negated));
    }
    const loose: Hypothesis = { ...hypothesis, standing: relaxed([...rules.values()]), rules: [], declarations: new Map(), constraints: [], known: undefined };
    const { program, run, tellings } = await derive(loose, { relations, allDerivations: true }, budget, reader, now, signal);
    if (!run.complete) throw new LineageTooLarge(`what may hold in some world reached the limit ${run.limit}`);
    const rows: Row[] = [];
    for (const at of goalRows(goal, program.database)) {
      if (rows.length >= budget.answers) throw new LineageTooLarge(`there are more than ${budget.answers} possible answers`);
      rows.push(at);
    }
    const original = program.rules.map(({ id }) => rules.get(id) as Rule);
    const found = await apart(rows, budget, async (some, within) =>
      runSliced((await lineageOf({ program, tellings }, some, within, signal, original)).probabilities(some), signal),
    );
    const byTriple = new Map(answers.map((answer) => [tripleKey(answer.triple), answer]));
    return rows.flatMap(({ slot, row }, i): DeduceAnswer[] => {
      if (found[i] === 0) return [];
      const triple = program.database.triple(slot, row);
      const known = byTriple.get(tripleKey(triple));
      return [known ? { ...known, confidence: found[i] } : { bindings: goalBindings(goal, triple), triple, confidence: found[i] }];
    });
  });
