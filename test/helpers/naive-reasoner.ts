// Owns the naive meaning of a program: every rule tried on every combination of facts, again and again, until nothing changes.
// Refuses speed; it shares with the engine only the types and the keys of terms. It is what the engine is compared with.

import { entity, literal, termKey, tripleKey } from '../../graph/terms.ts';
import type { Term, Triple } from '../../graph/terms.ts';
import type { Aggregate, Atom, BodyItem, Comparison, Expression, Rule, RuleTerm } from '../../graph/reason/types.ts';

export interface Known {
  readonly triple: Triple;
  readonly confidence: number;
  readonly told: boolean;
}
type World = Map<string, Known>;

const signedName = ({ relation, negated }: Atom): string => (negated ? '-' : '+') + relation;
type Bindings = ReadonlyMap<string, Term>;
const isAtom = (item: BodyItem): item is Atom => !('kind' in item);
/** Atoms of a body with what they need to be complete: those under `not` and inside aggregates. */
const atoms = (rule: Rule): { atom: Atom; closed: boolean }[] =>
  rule.body.flatMap((item) =>
    isAtom(item)
      ? [{ atom: item, closed: item.absent === true }]
      : item.kind === 'aggregate'
        ? item.body.filter(isAtom).map((atom) => ({ atom, closed: true }))
        : [],
  );

/** Could the two atoms be about one fact, as far as relation and object tell? */
const meets = (a: Atom, b: Atom): boolean =>
  signedName(a) === signedName(b) && (a.object.kind === 'variable' || b.object.kind === 'variable' || termKey(a.object) === termKey(b.object));

/** Stratum of each head; undefined when negation runs in a circle. Found by raising numbers until they fit (at most as many as there are heads). */
export function naiveStrata(rules: readonly Rule[]): Map<Atom, number> | undefined {
  const strata = new Map<Atom, number>();
  for (const rule of rules) for (const head of rule.heads) strata.set(head, 0);
  for (let changed = true; changed;) {
    changed = false;
    for (const rule of rules)
      for (const head of rule.heads)
        for (const { atom, closed } of atoms(rule))
          for (const [other, stratum] of strata) {
            const least = stratum + (closed ? 1 : 0);
            if (!meets(atom, other) || (strata.get(head) as number) >= least) continue;
            if (least > strata.size) return undefined;
            strata.set(head, least);
            changed = true;
          }
  }
  return strata;
}

export const value = (term: RuleTerm, bindings: Bindings): Term | undefined => (term.kind === 'variable' ? bindings.get(term.name) : term);
/** The bindings with which a triple meets a condition that is no `not`; undefined when it does not. */
export function meeting(atom: Atom, triple: Triple, bindings: Bindings): Bindings | undefined {
  if (triple.relation !== atom.relation || (triple.negated ?? false) !== (atom.negated ?? false)) return undefined;
  const next = new Map(bindings);
  const ends: [RuleTerm, Term][] = [
    [atom.subject, entity(triple.subject)],
    [atom.object, triple.object],
  ];
  const fits = ends.every(([term, found]) => {
    const known = value(term, next);
    if (known) return termKey(known) === termKey(found);
    if (term.kind === 'variable') next.set(term.name, found);
    return true;
  });
  return fits ? next : undefined;
}

const short = (text: string): Term | undefined => (text.length > 65_536 ? undefined : literal(text));
/** Value of an expression; this reasoner reckons with numbers and texts, which is enough to compare. */
function reckon(expression: Expression, bindings: Bindings): Term | undefined {
  if (expression.kind === 'list') return undefined;
  if (expression.kind !== 'call') return value(expression, bindings);
  const values = expression.arguments.map((argument) => reckon(argument, bindings));
  const numbers = values.flatMap((term) => (term?.kind === 'literal' && term.type === 'number' ? [term.value] : []));
  const texts = values.flatMap((term) =>
    term === undefined || (term.kind === 'literal' && term.type !== 'string') ? [] : [term.kind === 'entity' ? term.id : term.value],
  );
  if (values.includes(undefined)) return undefined;
  const [a, b] = numbers;
  const number = (result: number): Term | undefined => (numbers.length === values.length && Number.isFinite(result) ? literal(result) : undefined);
  const text = (result: string | number | boolean): Term | undefined => (texts.length === values.length ? literal(result) : undefined);
  switch (expression.function) {
    case '+':
      return number(a + b);
    case '-':
      return number(a - b);
    case '*':
      return number(a * b);
    case '/':
      return number(a / b);
    case 'length':
      return text([...(texts[0] ?? '')].length);
    case 'upper':
      return text(texts[0]?.toUpperCase() ?? '');
    case 'contains':
      return text(texts[0]?.includes(texts[1] ?? '') ?? false);
    case 'concat':
      // A text longer than a literal may be has no value.
      return short(values.map((term) => (term?.kind === 'entity' ? term.id : String(term?.value))).join(''));
    default:
      throw new RangeError(`the naive reasoner does not know ${expression.function}`);
  }
}

function compares({ operator, left, right }: Comparison, bindings: Bindings): boolean {
  const a = reckon(left, bindings);
  if (!a) return false;
  if (right.kind === 'list') return right.items.map(termKey).includes(termKey(a)) === (operator === 'in');
  const b = reckon(right, bindings);
  if (!b) return false;
  const same = termKey(a) === termKey(b);
  if (operator === '=' || operator === '!=') return same === (operator === '=');
  if (a.kind === 'entity' || b.kind === 'entity' || a.type !== b.type || a.type === 'boolean') return false;
  const [x, y] = a.type === 'date' ? [Date.parse(a.value), Date.parse(b.value as string)] : [a.value, b.value as typeof a.value];
  return operator === '<' ? x < y : operator === '<=' ? x <= y : operator === '>' ? x > y : x >= y;
}

const named = (expression: Expression): string[] =>
  expression.kind === 'variable' ? [expression.name] : expression.kind === 'call' ? expression.arguments.flatMap(named) : [];
const inside = (item: Aggregate): string[] => [
  ...item.of.flatMap(named),
  ...item.body.flatMap((each) => (isAtom(each) ? [...named(each.subject), ...named(each.object)] : [...named(each.left), ...named(each.right)])),
];

function aggregate(item: Aggregate, bindings: Bindings, world: World): Term | undefined {
  const taken = new Set(item.of.flatMap(named));
  const own = [...new Set(inside(item))].filter((name) => !bindings.has(name) && (taken.has(name) || (item.function !== 'count' && !name.startsWith('_'))));
  const cases = new Map<string, Bindings>();
  for (const { bindings: way } of meet(item.body, world, bindings, 1)) cases.set(own.map((name) => termKey(way.get(name) as Term)).join('|'), way);
  if (item.function === 'count') return literal(cases.size);
  const values = Array.from(cases.values(), (way) => value(item.of[0], way) as Term);
  if (item.function === 'min' || item.function === 'max') {
    if (values.some((term) => term.kind === 'entity' || term.type === 'boolean' || term.type !== (values[0] as { type?: string }).type)) return undefined;
    const better = item.function === 'min' ? '<' : '>';
    return values.find((term) =>
      values.every((other) => termKey(other) === termKey(term) || compares({ kind: 'compare', operator: better, left: term, right: other }, new Map())),
    );
  }
  let sum = 0;
  for (const term of values) {
    if (term.kind !== 'literal' || term.type !== 'number') return undefined;
    sum += term.value;
  }
  return item.function === 'sum' ? literal(sum) : values.length === 0 ? undefined : literal(sum / values.length);
}

/** Every way to meet the body, with the product of the confidences of its facts in the order in which they stand there. */
function* meet(body: readonly BodyItem[], world: World, given: Bindings, weight: number): Generator<{ bindings: Bindings; confidence: number }> {
  const positive = body.filter((item): item is Atom => isAtom(item) && !item.absent);
  const rest = body.filter((item) => !isAtom(item) || item.absent);
  /** Conditions that are no facts, in any order in which they can be decided. */
  function* decide(open: readonly BodyItem[], bindings: Bindings): Generator<Bindings> {
    if (open.length === 0) {
      yield bindings;
      return;
    }
    for (const item of open) {
      const others = open.filter((other) => other !== item);
      const has = (names: readonly string[]): boolean => names.every((name) => bindings.has(name));
      if (isAtom(item)) {
        if (!has([...named(item.subject), ...named(item.object)])) continue;
        const subject = value(item.subject, bindings) as Term;
        const object = value(item.object, bindings) as Term;
        if (subject.kind === 'entity' && world.has(tripleKey({ subject: subject.id, relation: item.relation, object, negated: item.negated }))) return;
        yield* decide(others, bindings);
        return;
      }
      if (item.kind === 'aggregate') {
        // The group is what the rest of the rule shares with it; that must be known first.
        const outside = new Set([
          ...sharedNames,
          ...body.flatMap((other) =>
            other === item || isAtom(other) ? [] : other.kind === 'compare' ? [...named(other.left), ...named(other.right)] : named(other.result),
          ),
        ]);
        for (const other of body) if (isAtom(other)) for (const name of [...named(other.subject), ...named(other.object)]) outside.add(name);
        for (const name of named(item.result)) outside.add(name);
        const group = inside(item).filter((name) => outside.has(name));
        if (!has(group)) continue;
        const found = aggregate(item, new Map([...bindings].filter(([name]) => group.includes(name))), world);
        if (!found) return;
        const result = value(item.result, bindings);
        if (result && termKey(result) !== termKey(found)) return;
        yield* decide(others, item.result.kind === 'variable' ? new Map(bindings).set(item.result.name, found) : bindings);
        return;
      }
      if (has([...named(item.left), ...named(item.right)])) {
        if (!compares(item, bindings)) return;
        yield* decide(others, bindings);
        return;
      }
      if (item.operator !== '=') continue;
      for (const [side, other] of [
        [item.left, item.right],
        [item.right, item.left],
      ])
        if (side.kind === 'variable' && has(named(other))) {
          const found = reckon(other, bindings);
          if (found) yield* decide(others, new Map(bindings).set(side.name, found));
          return;
        }
    }
    throw new RangeError('the rule is not safe');
  }
  function* go(i: number, bindings: Bindings, confidence: number): Generator<{ bindings: Bindings; confidence: number }> {
    if (i < positive.length) {
      const atom = positive[i];
      for (const { triple, confidence: own } of world.values()) {
        const next = meeting(atom, triple, bindings);
        if (next) yield* go(i + 1, next, confidence * own);
      }
      return;
    }
    for (const decided of decide(rest, bindings)) yield { bindings: decided, confidence };
  }
  yield* go(0, given, weight);
}
/** Names in the heads of the rule being tried: an aggregate that has them has them from outside. */
let sharedNames: readonly string[] = [];
function ways(rule: Rule, world: World): { bindings: Bindings; confidence: number }[] {
  sharedNames = rule.heads.flatMap((head) => [...named(head.subject), ...named(head.object)]);
  return Array.from(meet(rule.body, world, new Map(), rule.confidence ?? 1));
}

/** All that holds. A told fact keeps the confidence told; a derived one has the greatest product over all its proofs. Throws when negation runs in a circle. */
export function naiveModel(rules: readonly Rule[], told: readonly { readonly triple: Triple; readonly confidence: number }[]): World {
  const strata = naiveStrata(rules);
  if (!strata) throw new RangeError('negation runs in a circle');
  const world: World = new Map();
  for (const { triple, confidence } of told) {
    const key = tripleKey(triple);
    world.set(key, { triple, told: true, confidence: Math.max(confidence, world.get(key)?.confidence ?? 0) });
  }
  for (const stratum of [...new Set(strata.values())].toSorted((a, b) => a - b))
    for (let changed = true; changed;) {
      changed = false;
      for (const rule of rules)
        for (const head of rule.heads) {
          if (strata.get(head) !== stratum) continue;
          for (const { bindings, confidence } of ways(rule, world)) {
            const subject = value(head.subject, bindings) as Term;
            if (subject.kind !== 'entity') continue;
            const triple: Triple = {
              subject: subject.id,
              relation: head.relation,
              object: value(head.object, bindings) as Term,
              ...(head.negated ? { negated: true } : {}),
            };
            const known = world.get(tripleKey(triple));
            if (known && (known.told || known.confidence >= confidence)) continue;
            world.set(tripleKey(triple), { triple, confidence, told: false });
            changed = true;
          }
        }
    }
  return world;
}
