// Owns finding why something does not follow: for each rule that could conclude it, the instance that lacks least, and in it what holds, what is missing and what stands against it.
// Refuses to know stores and proofs: what holds is named by its row.

import { termKey } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import { isDenial } from '../language/denials.ts';
import { groupOf, isAtom, itemVariables, outerVariables, substituteItem } from '../language/body.ts';
import { signed } from '../tables/database.ts';
import type { Row } from '../tables/database.ts';
import { Explainer } from './explain.ts';
import type { Met } from './explain.ts';
import { Late, paced } from '../evaluate/pace.ts';
import type { Program } from '../evaluate/program.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Rule, RuleTerm } from '../types.ts';
import { evaluate, holds } from '../language/values.ts';
import { Steps, TooManySteps } from './ways.ts';

export interface WhyNotLimits {
  /** Missing premises are looked into this many times over. */
  readonly depth: number;
  /** Attempts shown for one goal. */
  readonly attempts: number;
  /** Instances of one rule shown for one goal. */
  readonly instances: number;
  /** Rows looked at for one rule. */
  readonly steps: number;
  /** Rows looked at for everything. */
  readonly total: number;
  /** When it ends, by performance.now(). */
  readonly until: number;
}
/** One condition of an instance of a rule, with the values it has there. */
export type Condition =
  /** It holds: by the row, when it is a fact. */
  | { readonly kind: 'holds'; readonly item: BodyItem; readonly at?: Row }
  | { readonly kind: 'missing'; readonly item: Atom; readonly why?: WhyNot }
  /** It must not hold (`not`, `not exists`), but does, by this row and perhaps others. */
  | { readonly kind: 'blocked'; readonly item: Atom | Aggregate; readonly at: Row }
  /** A comparison or aggregate that comes out otherwise; the values of its sides, where they have some. */
  | { readonly kind: 'fails'; readonly item: Comparison | Aggregate; readonly left?: Term; readonly right?: Term }
  /** What is missing leaves a variable of it without value. */
  | { readonly kind: 'open'; readonly item: BodyItem };
export interface Attempt {
  readonly rule: Rule;
  readonly bindings: Readonly<Record<string, Term>>;
  /** One per condition of the rule, in order. */
  readonly conditions: readonly Condition[];
  /** Conditions that do not hold. */
  readonly lacking: number;
}
export interface WhyNot {
  readonly goal: Atom;
  /** Nearest first: fewest conditions that do not hold, then the order of the rules; those that lack what they are to explain come last. None when no rule could conclude the goal. */
  readonly attempts: readonly Attempt[];
  /** Looking took more steps or time than allowed, or there are more attempts: something nearer may exist. */
  readonly truncated: boolean;
}

type Values = ReadonlyMap<string, Term>;
interface Instance {
  readonly values: Values;
  readonly conditions: readonly Condition[];
}
const record = (values: Values): Record<string, Term> => Object.fromEntries(values);
const wild = (term: RuleTerm): Term | undefined => (term.kind === 'variable' ? undefined : term);

/** Values that a head's variables have for the goal; undefined when it could not conclude it. */
function unify(head: Atom, goal: Atom): ReadonlyMap<string, RuleTerm> | undefined {
  if (head.relation !== goal.relation || !head.negated !== !goal.negated) return undefined;
  const values = new Map<string, RuleTerm>();
  /** Values of the goal's own variables, so that p(?x, ?x) asks for one thing twice. */
  const asked = new Map<string, RuleTerm>();
  const resolve = (term: RuleTerm): RuleTerm => (term.kind === 'variable' ? (values.get(term.name) ?? term) : term);
  const same = (own: RuleTerm, value: RuleTerm): boolean => {
    const known = resolve(own);
    if (known.kind === 'variable') {
      if (value.kind !== 'variable' || value.name !== known.name) values.set(known.name, value);
      return true;
    }
    if (value.kind === 'variable') {
      values.set(value.name, known);
      return true;
    }
    return termKey(known) === termKey(value);
  };
  for (const [own, wanted] of [
    [head.subject, goal.subject],
    [head.object, goal.object],
  ] as const) {
    if (wanted.kind !== 'variable') {
      if (!same(own, wanted)) return undefined;
      continue;
    }
    const before = asked.get(wanted.name);
    if (before === undefined) asked.set(wanted.name, own);
    else if (!same(own, resolve(before))) return undefined;
  }
  return values;
}

class Search {
  readonly #program: Program;
  readonly #explainer: Explainer;
  readonly #limits: WhyNotLimits;
  /** Rows that may still be looked at. */
  #left: number;

  constructor(program: Program, limits: WhyNotLimits) {
    this.#program = program;
    this.#limits = limits;
    this.#left = limits.total;
    this.#explainer = new Explainer(program, { nodes: 1_000_000, height: 10_000 });
  }

  *explain(goal: Atom, depth: number, path: ReadonlySet<string>): Generator<void, WhyNot> {
    const attempts: (Attempt & { readonly circular: boolean })[] = [];
    const within = new Set([...path, keyOf(goal)]);
    let truncated = false;
    for (const rule of this.#program.rules)
      for (const head of rule.heads) {
        const values = unify(head, goal);
        if (!values) continue;
        if (this.#left <= 0 || performance.now() > this.#limits.until) {
          truncated = true;
          continue;
        }
        yield;
        const body = rule.body.map((item) => substituteItem<BodyItem>(item, Object.fromEntries(values)));
        const found: (Instance & { readonly circular: boolean })[] = [];
        const seen = new Set<string>();
        const outer = outerVariables({ heads: [head], body });
        const most = Math.min(this.#limits.steps, this.#left);
        const steps = new Steps(most, this.#limits.until);
        let nearest = 0;
        try {
          for (let lacking = 1; lacking <= body.length && nearest === 0; lacking++)
            for (const instance of this.#instances(body, outer, new Map(), new Map(), lacking, steps)) {
              if (!instance) {
                yield;
                continue;
              }
              const text = JSON.stringify(instance.conditions.map(({ kind, item }) => [kind, item]));
              if (seen.has(text)) continue;
              seen.add(text);
              const circular = instance.conditions.some((condition) => condition.kind === 'missing' && within.has(keyOf(condition.item)));
              if (circular && found.length - nearest >= this.#limits.instances) continue;
              found.push({ ...instance, circular });
              if (!circular && ++nearest >= this.#limits.instances) break;
            }
        } catch (error) {
          if (!(error instanceof TooManySteps || error instanceof Late)) throw error;
          truncated = true;
        }
        this.#left -= most - steps.left;
        for (const { values: own, conditions, circular } of found.toSorted((a, b) => Number(a.circular) - Number(b.circular)).slice(0, this.#limits.instances)) {
          const bindings = record(own);
          for (const [name, value] of values) if (value.kind !== 'variable') bindings[name] = value;
          const bad = conditions.filter(({ kind }) => kind !== 'holds').length;
          attempts.push({ rule, bindings, conditions, lacking: bad, circular });
        }
      }
    const nearest = attempts
      .toSorted((a, b) => Number(a.circular) - Number(b.circular) || a.lacking - b.lacking)
      .slice(0, this.#limits.attempts)
      .map(({ rule, bindings, conditions, lacking }): Attempt => ({ rule, bindings, conditions, lacking }));
    truncated ||= nearest.length < attempts.length;
    if (depth <= 1) return { goal, attempts: nearest, truncated };
    const looked: Attempt[] = [];
    for (const attempt of nearest) {
      const conditions: Condition[] = [];
      for (const condition of attempt.conditions) conditions.push(yield* this.#deepen(condition, depth - 1, within));
      looked.push({ ...attempt, conditions });
    }
    return { goal, attempts: looked, truncated };
  }
  *#deepen(condition: Condition, depth: number, path: ReadonlySet<string>): Generator<void, Condition> {
    if (condition.kind !== 'missing' || path.has(keyOf(condition.item))) return condition;
    const why = yield* this.explain(condition.item, depth, path);
    return why.attempts.length === 0 && !why.truncated ? condition : { ...condition, why };
  }

  /** Instances of a body with at most `left` conditions that do not hold, those that use what holds first. Yields undefined now and then, for other work. */
  *#instances(
    body: readonly BodyItem[],
    outer: ReadonlySet<string>,
    values: Values,
    decided: ReadonlyMap<number, Condition>,
    left: number,
    steps: Steps,
  ): Generator<Instance | undefined> {
    if (steps.count()) yield undefined;
    if (decided.size === body.length) {
      // What was missing before its variables got values is named with them.
      const final = record(values);
      const named = (condition: Condition): Condition => (condition.kind === 'missing' ? { ...condition, item: substituteItem<Atom>(condition.item, final) } : condition);
      const conditions = body.map((_, i) => named(decided.get(i) as Condition));
      // A literal is never a subject: nothing could be told that is missing there.
      if (!conditions.some((condition) => condition.kind === 'missing' && condition.item.subject.kind === 'literal')) yield { values, conditions };
      return;
    }
    const at = this.#next(body, outer, values, decided);
    const go = (condition: Condition, next: Values, cost: 0 | 1) => this.#instances(body, outer, next, new Map(decided).set(at, condition), left - cost, steps);
    const item = substituteItem<BodyItem>(body[at], record(values));
    const ready = this.#isReady(item, body, outer);
    if (isAtom(item) && !item.absent) {
      for (const row of this.#rows(item)) {
        if (steps.count()) yield undefined;
        const { slot } = row;
        const next = new Map(values);
        const [subject, object] = [slot.table.subjects[row.row], slot.table.objects[row.row]].map((id) => this.#program.database.terms.term(id));
        if (item.subject.kind === 'variable') next.set(item.subject.name, subject);
        if (item.object.kind === 'variable') next.set(item.object.name, object);
        yield* go({ kind: 'holds', item: substituteItem<Atom>(item, record(next)), at: row }, next, 0);
      }
      if (left > 0) yield* go({ kind: 'missing', item }, values, 1);
      return;
    }
    if (!ready) {
      if (left > 0) yield* go({ kind: 'open', item }, values, 1);
      return;
    }
    if (isAtom(item)) {
      const [first] = this.#rows(item);
      if (!first) yield* go({ kind: 'holds', item }, values, 0);
      else if (left > 0) yield* go({ kind: 'blocked', item, at: first }, values, 1);
      return;
    }
    const next = item.kind === 'compare' ? this.#compare(item, values) : yield* this.#aggregate(item, values);
    if (next) yield* go({ kind: 'holds', item: substituteItem<BodyItem>(item, record(next)) }, next, 0);
    else if (left > 0) yield* go((yield* this.#blocked(item)) ?? (yield* this.#failure(item)), values, 1);
  }
  *#rows(atom: Atom): Generator<Row> {
    const { database } = this.#program;
    const slot = database.get(signed(atom.relation, atom.negated));
    if (!slot || atom.subject.kind === 'literal') return;
    const same = atom.subject.kind === 'variable' && atom.object.kind === 'variable' && atom.subject.name === atom.object.name;
    for (const row of database.rows(slot.key, wild(atom.subject), wild(atom.object), same)) yield { slot, row };
  }
  /** Condition to decide next: what can be decided at once, then the atom with most values, then what stays open. */
  #next(body: readonly BodyItem[], outer: ReadonlySet<string>, values: Values, decided: ReadonlyMap<number, Condition>): number {
    let [best, most] = [-1, -2];
    body.forEach((each, i) => {
      if (decided.has(i)) return;
      const item = substituteItem<BodyItem>(each, record(values));
      const score = isAtom(item) && !item.absent ? [item.subject, item.object].filter(({ kind }) => kind !== 'variable').length : this.#isReady(item, body, outer) ? 3 : -1;
      if (score > most) [best, most] = [i, score];
    });
    return best;
  }
  /** Every variable that something else gives a value has one. */
  #isReady(item: BodyItem, body: readonly BodyItem[], outer: ReadonlySet<string>): boolean {
    if (isAtom(item)) {
      const given = new Set(body.flatMap((other) => (isAtom(other) && other.absent ? [] : [...itemVariables(other)])));
      return [...itemVariables(item)].every((name) => !given.has(name));
    }
    if (item.kind === 'aggregate') return groupOf(item, outer).length === 0;
    const open = [...itemVariables(item)];
    // An equation may give one variable its value.
    return open.length === 0 || (item.operator === '=' && open.length === 1 && [item.left, item.right].some(({ kind }) => kind === 'variable'));
  }
  #compare(item: Comparison, values: Values): Values | undefined {
    const lookup = (name: string): Term | undefined => values.get(name);
    const [open] = itemVariables(item);
    if (open === undefined) return holds(item, lookup) ? values : undefined;
    const value = evaluate(item.left.kind === 'variable' ? item.right : item.left, lookup);
    return value && new Map(values).set(open, value);
  }
  /** The first way to meet a body. Throws Late. */
  *#first(body: readonly BodyItem[]): Generator<undefined, Met | undefined> {
    const found: Met[] = [];
    for (const _ of this.#explainer.meeting({ body }, 1, found, paced(this.#limits.until))) yield undefined;
    return found[0];
  }
  *#aggregate(item: Aggregate, values: Values): Generator<undefined, Values | undefined> {
    const way = yield* this.#first([item]);
    if (!way) return undefined;
    return item.result.kind === 'variable' ? new Map(values).set(item.result.name, way.bindings[item.result.name]) : values;
  }
  /** By what there is, where there should be nothing of the kind. */
  *#blocked(item: Comparison | Aggregate): Generator<undefined, Condition | undefined> {
    if (item.kind !== 'aggregate' || !isDenial(item)) return undefined;
    const at = (yield* this.#first(item.body))?.rows.find((row) => row !== undefined);
    return at && { kind: 'blocked', item, at };
  }
  *#failure(item: Comparison | Aggregate): Generator<undefined, Condition> {
    if (item.kind === 'aggregate') {
      const counted = (yield* this.#aggregate({ ...item, result: { kind: 'variable', name: '_value' } }, new Map()))?.get('_value');
      return { kind: 'fails', item, ...(counted ? { left: counted } : {}) };
    }
    const [left, right] = [item.left, item.right].map((side) => (side.kind === 'list' ? undefined : evaluate(side, () => undefined)));
    return { kind: 'fails', item, ...(left ? { left } : {}), ...(right ? { right } : {}) };
  }
}
const keyOf = ({ relation, subject, object, negated }: Atom): string => JSON.stringify([relation, !negated, ...[subject, object].map((term) => (term.kind === 'variable' ? '?' : termKey(term)))]);

/** Why the goal, which does not hold, does not follow from what the program derived. Missing premises are looked into as far as `depth` says. Yields now and then, for other work. */
export const whyNot = (program: Program, goal: Atom, limits: WhyNotLimits): Generator<void, WhyNot> => new Search(program, limits).explain(goal, limits.depth, new Set());
