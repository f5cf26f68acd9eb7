// Owns the naive meaning of a program: every rule tried on every combination of facts, again and again, until nothing changes.
// Refuses speed; it shares with the engine only the types and the keys of terms. It is what the engine is compared with.

import { entity, termKey, tripleKey } from '../../graph/terms.ts';
import type { Term, Triple } from '../../graph/terms.ts';
import type { Atom, Comparison, Rule, RuleTerm } from '../../graph/reason/types.ts';

export interface Known {
  readonly triple: Triple;
  readonly confidence: number;
  readonly told: boolean;
}
type World = Map<string, Known>;

const signedName = ({ relation, negated }: Atom): string => (negated ? '-' : '+') + relation;
const atoms = (rule: Rule): Atom[] => rule.body.filter((item): item is Atom => !('kind' in item));

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
        for (const atom of atoms(rule))
          for (const [other, stratum] of strata) {
            const least = stratum + (atom.absent ? 1 : 0);
            if (!meets(atom, other) || (strata.get(head) as number) >= least) continue;
            if (least > strata.size) return undefined;
            strata.set(head, least);
            changed = true;
          }
  }
  return strata;
}

const value = (term: RuleTerm, bindings: ReadonlyMap<string, Term>): Term | undefined => (term.kind === 'variable' ? bindings.get(term.name) : term);

function compares({ operator, left, right }: Comparison, bindings: ReadonlyMap<string, Term>): boolean {
  const [a, b] = [value(left, bindings) as Term, value(right, bindings) as Term];
  const same = termKey(a) === termKey(b);
  if (operator === '=' || operator === '!=') return same === (operator === '=');
  if (a.kind === 'entity' || b.kind === 'entity' || a.type !== b.type || a.type === 'boolean') return false;
  const [x, y] = a.type === 'date' ? [Date.parse(a.value), Date.parse(b.value as string)] : [a.value, b.value as typeof a.value];
  return operator === '<' ? x < y : operator === '<=' ? x <= y : operator === '>' ? x > y : x >= y;
}

/** Every way to meet the body, with the product of the confidences of its facts in the order in which they stand there. */
function* ways(rule: Rule, world: World): Generator<{ bindings: ReadonlyMap<string, Term>; confidence: number }> {
  const positive = atoms(rule).filter(({ absent }) => !absent);
  const rest = rule.body.filter((item) => 'kind' in item || item.absent);
  function* go(i: number, bindings: ReadonlyMap<string, Term>, confidence: number): Generator<{ bindings: ReadonlyMap<string, Term>; confidence: number }> {
    if (i < positive.length) {
      const atom = positive[i];
      for (const { triple, confidence: own } of world.values()) {
        if (triple.relation !== atom.relation || (triple.negated ?? false) !== (atom.negated ?? false)) continue;
        const next = new Map(bindings);
        const fits = (
          [
            [atom.subject, entity(triple.subject)],
            [atom.object, triple.object],
          ] as [RuleTerm, Term][]
        ).every(([term, found]) => {
          const known = value(term, next);
          if (known) return termKey(known) === termKey(found);
          if (term.kind === 'variable') next.set(term.name, found);
          return true;
        });
        if (fits) yield* go(i + 1, next, confidence * own);
      }
      return;
    }
    for (const item of rest) {
      if ('kind' in item) {
        if (!compares(item, bindings)) return;
        continue;
      }
      const subject = value(item.subject, bindings) as Term;
      const object = value(item.object, bindings) as Term;
      if (subject.kind === 'entity' && world.has(tripleKey({ subject: subject.id, relation: item.relation, object, negated: item.negated }))) return;
    }
    yield { bindings, confidence };
  }
  yield* go(0, new Map(), rule.confidence ?? 1);
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
          for (const { bindings, confidence } of Array.from(ways(rule, world))) {
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
