// Owns deriving beside the base: what holds when rules and facts are supposed, facts are thought away, or it is another time. In a database of its own, inside a budget.
// Refuses to know the standing closure's upkeep and how answers are read. Nothing here is written.

import type { Statement, Triple, TriplePattern } from '../../terms.ts';
import { atomsOf } from '../../reason/language/body.ts';
import { Database, signed, unsigned } from '../../reason/tables/database.ts';
import type { SignedRelation } from '../../reason/tables/database.ts';
import { Evaluator, runSliced } from '../../reason/evaluate/evaluate.ts';
import type { RunResult } from '../../reason/evaluate/evaluate.ts';
import { FactoredAnswers } from '../../reason/proofs/factored.ts';
import { impliedRules } from '../../reason/rulesets/known-false.ts';
import { adoptRows, derivedFacts, magicProgram, magicRules } from '../../reason/evaluate/magic.ts';
import { Program } from '../../reason/evaluate/program.ts';
import type { Declarations } from '../../reason/rulesets/properties.ts';
import type { Place } from '../../reason/errors.ts';
import { stratifying } from '../../reason/evaluate/strata.ts';
import type { Atom, Budget, BudgetLimit, Rule } from '../../reason/types.ts';
import { matches } from '../facts/assumptions.ts';
import type { AbsenceOracle } from '../facts/assumptions.ts';
import { neededRelations } from '../bases/closure.ts';
import { groundGoal } from './goals.ts';
import type { FactReader } from '../facts/facts.ts';
import { reusable, takeOver } from './reuse.ts';
import type { Known } from './reuse.ts';
import { Tellings } from '../facts/tellings.ts';

export interface Hypothesis {
  /** Standing rules of the base, with what conditions mean by what is declared beside the rules of this call. */
  readonly standing: readonly Rule[];
  /** Rules of this call. */
  readonly rules: readonly Rule[];
  /** Where these stand in what was sent, by id. */
  readonly places?: ReadonlyMap<string, Place>;
  readonly facts: readonly Statement[];
  /** Stored facts that match any of these are thought away. */
  readonly removed: readonly TriplePattern[];
  readonly declarations: Declarations;
  /** Constraints of rule sets that refute. */
  readonly constraints: readonly Rule[];
  /** Do the standing rules derive this triple already? Used when there is no goal. */
  readonly derivedAlready: (triple: Triple) => boolean;
  /** What follows from the base as it stands, where all of it is known. */
  readonly known?: Known;
  /** Deciding by the conflict policies reached this limit: some of what they would think away may be there. */
  readonly undecided?: BudgetLimit;
}
export interface Derived {
  readonly program: Program;
  readonly run: RunResult;
  /** Only what the goals ask for was derived. */
  readonly goalDirected: boolean;
  /** Facts derived. */
  readonly derived: number;
  /** Who told the facts; those of a triple told more than once are noted where every derivation is wanted. */
  readonly tellings: Tellings;
  /** Answers to the goal, where their rows are made as they are asked for (with `oneByOne`). */
  readonly answers?: FactoredAnswers;
}
/** What is to be derived: what decides some goals, whole relations, or (with neither) everything. */
export interface Wanted {
  readonly goals?: readonly Atom[];
  readonly relations?: Iterable<SignedRelation>;
  /** Goals with variables among what is asked of the relations: what excludes them counts. */
  readonly open?: readonly Atom[];
  /** Every derivation of each answer is wanted, not just some. */
  readonly allDerivations?: boolean;
  /** The only goal's answers are read from `answers`, where that is present. */
  readonly oneByOne?: boolean;
}

/** Rules that may contribute to any of these relations. */
export function relevantRules(rules: readonly Rule[], wanted: Iterable<SignedRelation>): Rule[] {
  const byHead = new Map<SignedRelation, Rule[]>();
  for (const rule of rules)
    for (const head of rule.heads) {
      const key = signed(head.relation, head.negated);
      const list = byHead.get(key);
      if (list) list.push(rule);
      else byHead.set(key, [rule]);
    }
  const relevant = new Set<Rule>();
  const seen = new Set(wanted);
  for (const key of seen)
    for (const rule of byHead.get(key) ?? []) {
      if (relevant.has(rule)) continue;
      relevant.add(rule);
      for (const { atom } of atomsOf(rule.body)) seen.add(signed(atom.relation, atom.negated));
    }
  return rules.filter((rule) => relevant.has(rule));
}

/** Reads the facts in force of these relations into a database, without those thought away. `again` is told of each triple that was told before. */
export async function load(
  database: Database,
  reader: FactReader,
  relations: Iterable<SignedRelation>,
  removed: readonly TriplePattern[],
  signal?: AbortSignal,
  again?: (triple: Triple) => void,
): Promise<void> {
  for (const key of relations) {
    const { relation, negated } = unsigned(key);
    await reader.each(
      { relation, ...(negated ? { negated } : {}) },
      (fact) => {
        if (!removed.some((pattern) => matches(pattern, fact)) && database.tell(fact, fact.confidence) !== 'added') again?.(fact);
      },
      signal,
    );
  }
}

/** Derives what is wanted from the base with the hypotheses. Throws RuleError, and the signal's reason. */
export async function derive(hypothesis: Hypothesis, wanted: Wanted, budget: Budget, reader: FactReader, now: number, signal?: AbortSignal): Promise<Derived> {
  const began = performance.now();
  const found = await deriveFor(hypothesis, wanted, budget, reader, now, signal);
  if (!found.goalDirected || found.run.limit !== 'depth') return found;
  // The steps that ask took of the depth what was left for proofs. Without them all that has a proof as high as that is found, where there is not too much of it.
  const left = Math.max(0, budget.ms - (performance.now() - began));
  const whole = await deriveFor(hypothesis, wanted, { ...budget, ms: left / 2 }, reader, now, signal, false);
  return whole.run.complete || whole.run.limit === 'depth' ? whole : found;
}
async function deriveFor(hypothesis: Hypothesis, wanted: Wanted, budget: Budget, reader: FactReader, now: number, signal?: AbortSignal, goalDirected = true): Promise<Derived> {
  const began = performance.now();
  const given = [...new Map([...hypothesis.standing, ...hypothesis.rules].map((rule) => [rule.id, rule])).values()];
  const open = [...(wanted.goals ?? []), ...(wanted.open ?? [])].filter((goal) => !groundGoal(goal));
  const implied = impliedRules(given, open, hypothesis);
  const all = implied.length === 0 ? given : [...new Map([...given, ...implied].map((rule) => [rule.id, rule])).values()];
  const goals = wanted.goals?.map((goal) => signed(goal.relation, goal.negated));
  const relations = goals || wanted.relations ? new Set([...(goals ?? []), ...(wanted.relations ?? [])]) : undefined;
  const rules = relations ? relevantRules(all, relations) : all;
  // A circle in rules that do not matter here is one all the same.
  await runSliced(stratifying(all, (rule) => hypothesis.places?.get(rule.id) ?? {}), signal);
  const needed = neededRelations(rules);
  for (const key of relations ?? []) needed.add(key);
  const database = new Database();
  const tellings = new Tellings(reader, now, hypothesis.facts, hypothesis.removed);
  const again = wanted.allDerivations ? (triple: Triple): void => tellings.repeat(triple) : undefined;
  await load(database, reader, needed, hypothesis.removed, signal, again);
  for (const fact of tellings.supposed()) if (database.tell(fact, fact.confidence ?? 1, true) !== 'added') again?.(fact);
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const { known } = hypothesis;
  const reuse = known ? await reusable(known, rules, database, wanted.relations ? undefined : goals, left(), signal) : [];
  const reused = new Set(reuse.flatMap(({ keys }) => [...keys]));
  const name = reused.size > 0 ? await takeOver(reuse, rules, database, signal) : undefined;
  // Rules that are still to run, by their numbers.
  const numbers = [...rules.keys()].filter((i) => !name || !rules[i].heads.every((head) => reused.has(signed(head.relation, head.negated))));
  const active = name ? numbers.map((i) => rules[i]) : rules;
  const anyDerivation = !wanted.allDerivations && !database.weighted && active.every(({ confidence = 1 }) => confidence === 1);
  const magic = goalDirected && wanted.goals && !wanted.relations ? magicRules(active, wanted.goals, { anyDerivation, oneByOne: wanted.oneByOne }) : undefined;
  if (!magic) {
    const running = await runSliced(Program.making(active, database), signal);
    const run = await runSliced(new Evaluator(running, left()).derive(), signal);
    const { derived } = database;
    const program = name ? adoptRows(running, rules, numbers) : running;
    name?.();
    return { program, run, goalDirected: false, derived, tellings };
  }
  const running = magicProgram(magic, database);
  const run = await runSliced(new Evaluator(running, left()).derive(), signal);
  const program = adoptRows(running, rules, magic.origin.map((number) => numbers[number] ?? -1));
  // Which rule a rewritten one came from was told by its number among the active ones.
  const factored = magic.factored && { ...magic.factored, via: new Map([...magic.factored.via].map(([from, number]) => [from, numbers[number]])) };
  const derived = derivedFacts(database, factored);
  name?.();
  const answers = factored && wanted.goals ? new FactoredAnswers(running, factored, wanted.goals[0]) : undefined;
  return { program, run, goalDirected: true, derived, tellings, ...(answers ? { answers } : {}) };
}

/** What is absent from the base with the hypotheses, for the relations named. Nothing is known to be absent when the budget did not suffice. */
export async function hypotheticalAbsence(
  hypothesis: Hypothesis,
  relations: ReadonlySet<SignedRelation>,
  budget: Budget,
  reader: FactReader,
  now: number,
): Promise<AbsenceOracle> {
  const { program, run } = await derive(hypothesis, { relations }, budget, reader, now);
  const knows = (atom: { readonly relation: string; readonly negated?: boolean }): boolean =>
    run.complete && relations.has(signed(atom.relation, atom.negated));
  return {
    absent: (triple) => knows(triple) && program.database.find(triple) === undefined,
    matching: (atom) => (knows(atom) ? program.database.matching(atom) : undefined),
  };
}
