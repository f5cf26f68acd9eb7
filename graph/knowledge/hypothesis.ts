// Owns deriving beside the base: what holds when rules and facts are supposed, facts are thought away, or it is another time. In a database of its own, inside a budget.
// Refuses to know the standing closure's upkeep and how answers are read. Nothing here is written.

import { entity, sameTerm } from '../terms.ts';
import type { Statement, Triple, TriplePattern } from '../terms.ts';
import { atomsOf } from '../reason/body.ts';
import { Database, signed, unsigned } from '../reason/database.ts';
import type { Row, SignedRelation } from '../reason/database.ts';
import { Evaluator, runSliced } from '../reason/evaluate.ts';
import type { RunResult } from '../reason/evaluate.ts';
import { FactoredAnswers } from '../reason/factored.ts';
import { adoptRows, derivedFacts, magicProgram, magicRules } from '../reason/magic.ts';
import { Program } from '../reason/program.ts';
import type { Declarations } from '../reason/properties.ts';
import { stratify } from '../reason/strata.ts';
import type { Atom, Budget, Rule } from '../reason/types.ts';
import { neededRelations } from './closure.ts';
import type { FactReader } from './facts.ts';
import type { AbsenceOracle } from './grounds.ts';
import { inForce } from './validity.ts';
import { decisiveRelations } from './world.ts';

export interface Hypothesis {
  /** Standing rules of the base. */
  readonly standing: readonly Rule[];
  /** Rules of this call. */
  readonly rules: readonly Rule[];
  readonly facts: readonly Statement[];
  /** Stored facts that match any of these are thought away. */
  readonly removed: readonly TriplePattern[];
  readonly declarations: Declarations;
  /** Do the standing rules derive this triple already? Used when there is no goal. */
  readonly derivedAlready: (triple: Triple) => boolean;
}
export interface Derived {
  readonly program: Program;
  readonly run: RunResult;
  /** Only what the goals ask for was derived. */
  readonly goalDirected: boolean;
  /** Facts derived. */
  readonly derived: number;
  /** Rows of the goal, where they are made as they are read (with `oneByOne`). */
  readonly answers?: Iterable<Row>;
}
/** What is to be derived: what decides some goals, whole relations, or (with neither) everything. */
export interface Wanted {
  readonly goals?: readonly Atom[];
  readonly relations?: Iterable<SignedRelation>;
  /** Every derivation of each answer is wanted, not just some. */
  readonly allDerivations?: boolean;
  /** The only goal's rows are read from `answers`, where that is present. */
  readonly oneByOne?: boolean;
}

/** Does the triple match? A pattern that does not say so matches positive triples only. */
export const matches = ({ subject, relation, object, negated }: TriplePattern, triple: Triple): boolean =>
  (subject === undefined || subject === triple.subject) &&
  (relation === undefined || relation === triple.relation) &&
  (object === undefined || sameTerm(object, triple.object)) &&
  (negated ?? false) === (triple.negated ?? false);

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

/** Goals whose answers decide about a triple: itself, its negation, and what is declared to exclude it. */
export function decisiveGoals({ subject, relation, object }: Triple, declarations: Declarations): Atom[] {
  const both = decisiveRelations(relation, declarations).flatMap((name): Atom[] =>
    [false, true].map((negated) => ({ relation: name, subject: entity(subject), object, ...(negated ? { negated } : {}) })),
  );
  return declarations.get(relation)?.functional ? [...both, { relation, subject: entity(subject), object: { kind: 'variable', name: 'other' } }] : both;
}

/** Reads the facts in force of these relations into a database, without those thought away. */
export async function load(database: Database, reader: FactReader, relations: Iterable<SignedRelation>, removed: readonly TriplePattern[], signal?: AbortSignal): Promise<void> {
  for (const key of relations) {
    const { relation, negated } = unsigned(key);
    await reader.each(
      { relation, ...(negated ? { negated } : {}) },
      (fact) => {
        if (!removed.some((pattern) => matches(pattern, fact))) database.tell(fact, fact.confidence);
      },
      signal,
    );
  }
}

/** Derives what is wanted from the base with the hypotheses. Throws RuleError, and the signal's reason. */
export async function derive(hypothesis: Hypothesis, wanted: Wanted, budget: Budget, reader: FactReader, now: number, signal?: AbortSignal): Promise<Derived> {
  const began = performance.now();
  const all = [...new Map([...hypothesis.standing, ...hypothesis.rules].map((rule) => [rule.id, rule])).values()];
  const goals = wanted.goals?.map((goal) => signed(goal.relation, goal.negated));
  const relations = goals || wanted.relations ? new Set([...(goals ?? []), ...(wanted.relations ?? [])]) : undefined;
  const rules = relations ? relevantRules(all, relations) : all;
  // A circle in rules that do not matter here is one all the same.
  stratify(all);
  const needed = neededRelations(rules);
  for (const key of relations ?? []) needed.add(key);
  const database = new Database();
  await load(database, reader, needed, hypothesis.removed, signal);
  for (const fact of hypothesis.facts) if (inForce(fact, now)) database.tell(fact, fact.confidence ?? 1, true);
  const left = (): Budget => ({ ...budget, ms: Math.max(0, budget.ms - (performance.now() - began)) });
  const anyDerivation = !wanted.allDerivations && !database.weighted && rules.every(({ confidence = 1 }) => confidence === 1);
  const magic = wanted.goals && !wanted.relations ? magicRules(rules, wanted.goals, { anyDerivation, oneByOne: wanted.oneByOne }) : undefined;
  if (!magic) {
    const program = new Program(rules, database);
    const run = await runSliced(new Evaluator(program, left()).derive(), signal);
    return { program, run, goalDirected: false, derived: database.derived };
  }
  const running = magicProgram(magic, database);
  const run = await runSliced(new Evaluator(running, left()).derive(), signal);
  const program = adoptRows(running, rules, magic.origin);
  const { factored } = magic;
  const answers = factored && wanted.goals ? new FactoredAnswers(running, factored, wanted.goals[0]).rows() : undefined;
  return { program, run, goalDirected: true, derived: derivedFacts(database, factored), ...(answers ? { answers } : {}) };
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
  const knows = (atom: { readonly relation: string; readonly negated?: boolean }): boolean => run.complete && relations.has(signed(atom.relation, atom.negated));
  return {
    absent: (triple) => knows(triple) && program.database.find(triple) === undefined,
    matching: (atom) => (knows(atom) ? program.database.matching(atom) : undefined),
  };
}
