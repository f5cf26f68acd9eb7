// Owns rules that count or deny, over all worlds at once: what they could derive in some world, and in which worlds an aggregate has a value that lets them.
// Refuses to know which facts are uncertain: whether a row holds is a function that is given.

import { termKey } from '../../terms.ts';
import type { Term } from '../../terms.ts';
import { FALSE, TRUE } from './bdd.ts';
import type { Bdd, Diagrams } from './bdd.ts';
import { bindingOrder, groupOf, isAggregate, isAtom, itemVariables, outerVariables, sidesOf, substituteItem, variablesOf } from '../language/body.ts';
import type { Row } from '../tables/database.ts';
import { valueOfAll } from '../evaluate/join.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Rule } from '../types.ts';
import { evaluate, holds } from '../language/values.ts';

/** A rule needs the value of an aggregate for more than comparing it: for its head, in another group, or under `not`. */
export class ValueNeeded extends Error {
  readonly rule: Rule;
  constructor(rule: Rule) {
    super(`rule ${rule.text} concludes from the number itself that it counts or adds up, of which no exact probability is known`);
    this.name = 'ValueNeeded';
    this.rule = rule;
  }
}
/** More ways or values than allowed. */
export class TooManyValues extends Error {}

const unbound = (names: Iterable<string>, bound: ReadonlySet<string>): boolean => [...names].some((name) => !bound.has(name));

/**
 * The rules without what stands under `not` and without aggregates, and without the comparisons of these: they derive everything that holds in any world. Numbers of rules stay.
 * Throws ValueNeeded.
 */
export const relaxed = (rules: readonly Rule[]): Rule[] => rules.map(loosened);
function loosened(rule: Rule): Rule {
  const certain = rule.body.filter((item) => (isAtom(item) ? !item.absent : !isAggregate(item)));
  if (certain.length === rule.body.length) return rule;
  const bound = boundWithout(rule);
  const body = certain.filter((item) => isAtom(item) || !unbound(itemVariables(item), bound));
  if (!rule.body.some(isAggregate)) return { ...rule, id: rule.id, body };
  const outer = outerVariables(rule);
  const late = bindingOrder(rule.body, new Set(), outer).difference(bound);
  const needs = (names: Iterable<string>): boolean => [...names].some((name) => late.has(name));
  if (
    rule.heads.some((head) => needs(itemVariables(head))) ||
    rule.body.some((item) => (isAtom(item) ? needs(itemVariables(item)) : isAggregate(item) && needs(groupOf(item, outer))))
  )
    throw new ValueNeeded(rule);
  return { ...rule, id: rule.id, body };
}
/** Variables that have values without the aggregates. */
const boundWithout = (rule: Rule): Set<string> =>
  bindingOrder(
    rule.body.filter((item) => !isAggregate(item)),
    new Set(),
    outerVariables(rule),
  );

/** Rows by which something holds: all of `rows` and none of `absent`, by number. */
interface Conjunction {
  readonly rows: readonly number[];
  readonly absent: readonly number[];
}
/** A value that may be among those of an aggregate, with the ways in which it is. */
interface Member {
  readonly value: Term;
  readonly ways: Conjunction[];
}
/** What the aggregates of a rule need for one way to meet its other conditions. */
export interface Tally {
  readonly aggregates: readonly { readonly item: Aggregate; readonly members: readonly Member[] }[];
  /** Comparisons that wait for their values. */
  readonly tests: readonly Comparison[];
}
/** Rows of the loose world. */
export interface LooseWorld {
  /** Ways to meet a body, at most `limit`. Yields now and then, for other work. */
  meet(body: readonly BodyItem[], limit: number): Generator<void, readonly { readonly bindings: Readonly<Record<string, Term>>; readonly rows: readonly (Row | undefined)[] }[]>;
  number(at: Row): number;
  /** Rows that match an atom. */
  matching(atom: Atom): readonly number[];
}

/** What the aggregates of the rule range over when its other conditions are met by these values. Yields now and then, for other work. Throws TooManyValues. */
export function* tallyOf(rule: Rule, bindings: Readonly<Record<string, Term>>, world: LooseWorld, most: number): Generator<void, Tally> {
  const bound = boundWithout(rule);
  const tests = rule.body.filter((item): item is Comparison => !isAtom(item) && item.kind === 'compare' && unbound(itemVariables(item), bound));
  const aggregates: Tally['aggregates'][number][] = [];
  for (const whole of rule.body.filter(isAggregate)) {
    const item = substituteItem<Aggregate>(whole, bindings);
    const counted = new Set(item.of.flatMap((term) => [...variablesOf(term)]));
    const members = new Map<string, Member>();
    const positive = item.body.filter((inner) => !isAtom(inner) || !inner.absent);
    const ways = yield* world.meet(positive, most + 1);
    if (ways.length > most) throw new TooManyValues(`an aggregate ranges over more than ${most} cases`);
    for (const way of ways) {
      const of = item.of.map((term) => (term.kind === 'variable' ? way.bindings[term.name] : term));
      const names = Object.keys(way.bindings).filter((name) => counted.has(name) || (item.function !== 'count' && !name.startsWith('_')));
      const key = JSON.stringify(names.toSorted().map((name) => termKey(way.bindings[name])));
      let member = members.get(key);
      if (!member) members.set(key, (member = { value: of[0], ways: [] }));
      member.ways.push({
        rows: way.rows.flatMap((row) => (row ? [world.number(row)] : [])),
        absent: item.body.flatMap((inner) => (isAtom(inner) && inner.absent ? world.matching(substituteItem<Atom>(inner, way.bindings)) : [])),
      });
    }
    aggregates.push({ item, members: [...members.values()] });
  }
  return { aggregates, tests: tests.map((test) => substituteItem<Comparison>(test, bindings)) };
}

/** The worlds in which all aggregates have values that pass the comparisons. Throws TooManyValues. */
export function worldsOf({ aggregates, tests }: Tally, diagrams: Diagrams, of: (row: number) => Bdd, most: number): Bdd {
  const conjunction = ({ rows, absent }: Conjunction): Bdd =>
    absent.reduce<Bdd>(
      (all, row) => diagrams.and(all, diagrams.not(of(row))),
      rows.reduce<Bdd>((all, row) => diagrams.and(all, of(row)), TRUE),
    );
  let open: { readonly values: ReadonlyMap<string, Term>; readonly worlds: Bdd }[] = [{ values: new Map(), worlds: TRUE }];
  for (const { item, members } of aggregates) {
    const there = members.map(({ value, ways }) => ({ value, worlds: ways.reduce<Bdd>((any, way) => diagrams.or(any, conjunction(way)), FALSE) }));
    const next: typeof open = [];
    for (const [value, worlds] of distribution(item, there, diagrams, most))
      for (const each of open) {
        const both = diagrams.and(each.worlds, worlds);
        const { result } = item;
        if (both === FALSE) continue;
        const known = result.kind === 'variable' ? each.values.get(result.name) : result;
        if (known && termKey(known) !== termKey(value)) continue;
        next.push({ values: result.kind === 'variable' ? new Map(each.values).set(result.name, value) : each.values, worlds: both });
        if (next.length > most) throw new TooManyValues(`the aggregates of a rule have more than ${most} values together`);
      }
    open = next;
  }
  return diagrams.any(open.flatMap(({ values, worlds }) => (passes(tests, values) ? [worlds] : [])));
}

/** The values that an aggregate may have, each with the worlds in which it has it. */
function distribution(
  { function: name }: Aggregate,
  members: readonly { readonly value: Term; readonly worlds: Bdd }[],
  diagrams: Diagrams,
  most: number,
): readonly (readonly [Term, Bdd])[] {
  type State = { readonly values: readonly Term[]; worlds: Bdd };
  let states: Map<string | number, State> = new Map([['', { values: [], worlds: TRUE }]]);
  // The deepest variables come first: what is known of them is then not built anew when another comes above.
  for (const { value, worlds } of members.toSorted((a, b) => diagrams.top(b.worlds) - diagrams.top(a.worlds))) {
    if (worlds === FALSE) continue;
    const next = new Map<string | number, State>();
    const put = (values: readonly Term[], where: Bdd): void => {
      if (where === FALSE) return;
      const key = name === 'count' ? values.length : JSON.stringify(values.map(termKey));
      const state = next.get(key);
      if (state) state.worlds = diagrams.or(state.worlds, where);
      else next.set(key, { values, worlds: where });
      if (next.size > most) throw new TooManyValues(`an aggregate has more than ${most} values`);
    };
    for (const state of states.values()) {
      put(state.values, diagrams.and(state.worlds, diagrams.not(worlds)));
      put(joined(name, state.values, value), diagrams.and(state.worlds, worlds));
    }
    states = next;
  }
  return [...states.values()].flatMap(({ values, worlds }) => {
    const value = valueOfAll(name, values);
    return value ? [[value, worlds] as const] : [];
  });
}
/** What has to be remembered of the values met. Values that have no least or greatest stay side by side. */
function joined(name: Aggregate['function'], values: readonly Term[], value: Term): readonly Term[] {
  const all = [...values, value];
  if (name === 'count') return all;
  const best = name === 'min' || name === 'max' ? valueOfAll(name, all) : undefined;
  return best ? [best] : all.toSorted((a, b) => (termKey(a) < termKey(b) ? -1 : 1));
}
function passes(tests: readonly Comparison[], given: ReadonlyMap<string, Term>): boolean {
  const values = new Map(given);
  const lookup = (name: string): Term | undefined => values.get(name);
  const known = (item: Comparison): boolean => [...itemVariables(item)].every((name) => values.has(name));
  const left = new Set(tests);
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const test of left) {
      if (known(test)) {
        if (!holds(test, lookup)) return false;
      } else {
        const side = sidesOf(test).find(
          ([one, other]) => one.kind === 'variable' && !values.has(one.name) && [...variablesOf(other)].every((name) => values.has(name)),
        );
        const value = side && evaluate(side[1], lookup);
        if (side && !value) return false;
        if (!side || side[0].kind !== 'variable' || !value) continue;
        values.set(side[0].name, value);
      }
      left.delete(test);
    }
  }
  return left.size === 0;
}
