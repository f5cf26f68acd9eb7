// Owns the naive meaning of an explanation: every set of assumptions is tried in the naive model, smaller ones first.
// Refuses speed; it shares with the engine only the types and the keys of terms. It is what the engine is compared with.

import { termKey, tripleKey } from '../../graph/terms.ts';
import type { RelationName, Term, Triple } from '../../graph/terms.ts';
import type { Atom, BodyItem, Rule, RuleTerm } from '../../graph/reason/types.ts';
import { meeting, naiveModel, value } from './naive-reasoner.ts';

export interface NaiveTask {
  readonly rules: readonly Rule[];
  readonly told: readonly Triple[];
  readonly observations: readonly Atom[];
  readonly assumable: readonly Triple[];
  readonly functional?: ReadonlySet<RelationName>;
  readonly disjoint?: readonly (readonly [RelationName, RelationName])[];
  /** Assumptions at most. */
  readonly size: number;
}
type Model = ReturnType<typeof naiveModel>;

/** Ways to meet a body whose comparisons are `=` and `!=` alone. */
function* ways(body: readonly BodyItem[], model: Model, bindings: ReadonlyMap<string, Term> = new Map()): Generator<ReadonlyMap<string, Term>> {
  const next = body.find((item): item is Atom => !('kind' in item) && !item.absent);
  if (next) {
    const rest = body.filter((item) => item !== next);
    for (const { triple } of model.values()) {
      const found = meeting(next, triple, bindings);
      if (found) yield* ways(rest, model, found);
    }
    return;
  }
  for (const item of body) {
    if (!('kind' in item)) {
      const [subject, object] = [value(item.subject, bindings) as Term, value(item.object, bindings) as Term];
      if (subject.kind === 'entity' && model.has(tripleKey({ subject: subject.id, relation: item.relation, object, negated: item.negated }))) return;
    } else {
      if (item.kind !== 'compare') throw new TypeError('only comparisons are known here');
      const [left, right] = [value(item.left as RuleTerm, bindings) as Term, value(item.right as RuleTerm, bindings) as Term];
      if ((termKey(left) === termKey(right)) !== (item.operator === '=')) return;
    }
  }
  yield bindings;
}
/** Every way in which a constraint is broken. */
function breaches({ rules, functional = new Set(), disjoint = [] }: NaiveTask, model: Model): Set<string> {
  const found = new Set<string>();
  for (const rule of rules)
    if (rule.heads.length === 0)
      for (const bindings of ways(rule.body, model)) found.add(`${rule.id} ${JSON.stringify([...bindings].toSorted(([a], [b]) => (a < b ? -1 : 1)))}`);
  for (const { triple } of model.values()) {
    if (triple.negated) {
      if (model.has(tripleKey({ ...triple, negated: false }))) found.add(`both ${tripleKey(triple)}`);
      continue;
    }
    for (const [one, other] of disjoint)
      if (triple.relation === one && model.has(tripleKey({ ...triple, relation: other }))) found.add(`disjoint ${other} ${tripleKey(triple)}`);
    if (functional.has(triple.relation))
      for (const { triple: second } of model.values())
        if (!second.negated && second.relation === triple.relation && second.subject === triple.subject && tripleKey(second) !== tripleKey(triple))
          found.add(`functional ${tripleKey(triple)} ${tripleKey(second)}`);
  }
  return found;
}

/** Every explanation that none of its parts is: each as the keys of its triples in order, joined. */
export function naiveExplanations(task: NaiveTask): string[] {
  const { rules, told, observations, assumable, size } = task;
  const deriving = rules.filter(({ heads }) => heads.length > 0);
  const world = (more: readonly Triple[]): Model =>
    naiveModel(
      deriving,
      [...told, ...more].map((triple) => ({ triple, confidence: 1 })),
    );
  const before = breaches(task, world([]));
  const explanations: number[] = [];
  const count = (set: number): number => (set === 0 ? 0 : (set & 1) + count(set >> 1));
  const sets = Array.from({ length: 1 << assumable.length }, (_, set) => set).filter((set) => count(set) <= size);
  for (const set of sets.toSorted((a, b) => count(a) - count(b))) {
    if (explanations.some((smaller) => (smaller & set) === smaller)) continue;
    const model = world(assumable.filter((_, i) => (set >> i) & 1));
    if (ways(observations, model).next().done) continue;
    if ([...breaches(task, model)].every((breach) => before.has(breach))) explanations.push(set);
  }
  return explanations.map((set) => explained(assumable.filter((_, i) => (set >> i) & 1))).toSorted();
}
export const explained = (triples: readonly Triple[]): string => triples.map(tripleKey).toSorted().join(' ');
