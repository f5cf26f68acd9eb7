// Owns what a proof may rest on in one base: its facts in force, its rules and declarations, what is absent, and hypotheses that are named.
// Refuses to check proofs; that is the checker's.

import { sameTerm, tripleKey } from '../../terms.ts';
import type { Fact, Triple } from '../../terms.ts';
import type { GraphStore } from '../../store.ts';
import type { Grounds } from '../../reason/proofs/checker.ts';
import { atomsOf } from '../../reason/language/body.ts';
import { signed } from '../../reason/tables/database.ts';
import type { SignedRelation } from '../../reason/tables/database.ts';
import { readRules } from '../../reason/language/parse.ts';
import { isPathDefinition } from '../../reason/rulesets/properties.ts';
import { refutationRule } from '../../reason/rulesets/refutation.ts';
import type { Atom, Proof, Rule } from '../../reason/types.ts';
import { matches } from '../facts/assumptions.ts';
import type { AbsenceOracle } from '../facts/assumptions.ts';
import type { BaseState } from '../bases/base.ts';
import { bareTriple } from '../facts/facts.ts';
import { patternOf } from '../worlds/goals.ts';
import type { Hypothesis } from '../worlds/hypothesis.ts';
import { inForce } from '../facts/validity.ts';

const sameSource = (a: Fact['source'], b: Fact['source']): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.document === b.document && a.page === b.page && a.start === b.start && a.end === b.end;
};
const sameFact = (a: Fact, b: Fact): boolean =>
  a.id === b.id &&
  a.subject === b.subject &&
  a.relation === b.relation &&
  sameTerm(a.object, b.object) &&
  !a.negated === !b.negated &&
  a.confidence === b.confidence &&
  a.recordedAt === b.recordedAt &&
  a.validFrom === b.validFrom &&
  a.validTo === b.validTo &&
  sameSource(a.source, b.source);

/** The absence of a triple in the base as it stands. Where the standing rules reached a limit, no absence of what they derive is known. */
export const standingAbsence = (state: BaseState): AbsenceOracle => ({
  async absent(triple) {
    const { closure, reader } = state;
    if (!closure.needs(triple)) return (await reader.of(triple)) === undefined;
    const slot = closure.database.get(signed(triple.relation, triple.negated));
    if (closure.partial !== undefined && slot && closure.program.derived.has(slot)) return false;
    return closure.database.find(triple) === undefined;
  },
  async matching(atom) {
    const { closure, reader } = state;
    if (closure.needs(atom)) {
      const slot = closure.database.get(signed(atom.relation, atom.negated));
      return closure.partial !== undefined && slot && closure.program.derived.has(slot) ? undefined : closure.database.matching(atom);
    }
    const triples = new Map<string, Triple>();
    await reader.each(patternOf(atom), (fact) => void triples.set(tripleKey(fact), bareTriple(fact)));
    return triples.values();
  },
});

/** A path's definition says only what its head's name means; it is let pass where that name means nothing else. */
function definesPath(rule: Rule, state: BaseState): boolean {
  if (!isPathDefinition(rule)) return false;
  const { relation } = rule.heads[0];
  if (rule.id !== `path:${relation}` || rule.name !== 'path' || rule.say !== undefined) return false;
  if (state.relationNames.has(relation) || state.closure.needs({ relation }) || state.closure.needs({ relation, negated: true })) return false;
  const { rules, errors } = readRules(rule.text);
  return errors.length === 0 && rules.length === 1 && shape(rules[0]) === shape(rule);
}
const shape = ({ heads, body }: Rule): string =>
  JSON.stringify(
    [heads, body].map((atoms) =>
      atoms.map((item) =>
        'kind' in item
          ? [item.kind]
          : [item.relation, item.subject, item.object].map((part) => (typeof part === 'string' || part.kind !== 'variable' ? part : part.name)),
      ),
    ),
  );

/** `assumed`: the world of the proof, whose rules and constraints may be others than those of the base. */
export function groundsOf(store: GraphStore, state: BaseState, now: number, oracle: AbsenceOracle, assumed: Hypothesis): Grounds {
  const rules = new Map([...assumed.standing, ...assumed.rules].map((rule) => [rule.id, rule]));
  const supposed = Map.groupBy(
    assumed.facts.filter((fact) => inForce(fact, now)),
    tripleKey,
  );
  const thoughtAway = (fact: Fact): boolean => assumed.removed.some((pattern) => matches(pattern, fact));
  return {
    async fact(fact) {
      const [stored] = await store.facts(state.base, [fact.id]);
      return (
        stored !== undefined &&
        stored.retractedAt === undefined &&
        fact.retractedAt === undefined &&
        sameFact(stored, fact) &&
        inForce(stored, now) &&
        !thoughtAway(stored)
      );
    },
    rule: (rule) => rules.get(rule.id) ?? refutationRule(rule, assumed) ?? (definesPath(rule, state) ? rule : undefined),
    absent(atom: Atom) {
      const { subject, relation, object, negated } = atom;
      // A literal is never a subject.
      if (subject.kind === 'literal') return true;
      if (subject.kind === 'variable' || object.kind === 'variable') return false;
      return oracle.absent({ subject: subject.id, relation, object, ...(negated ? { negated } : {}) });
    },
    matching: (atom) => oracle.matching?.(atom),
    given: (triple, { confidence, validFrom, validTo }) =>
      supposed.get(tripleKey(triple))?.some((fact) => (fact.confidence ?? 1) === confidence && fact.validFrom === validFrom && fact.validTo === validTo) ===
      true,
  };
}

/** Signed relations of the absences that a proof names, and of what its aggregates range over; at most `limit` nodes are looked at. */
export function absences(proof: Proof, limit: number): Set<SignedRelation> {
  const found = new Set<SignedRelation>();
  const open: Proof[] = [proof];
  let left = limit;
  for (let node = open.pop(); node !== undefined && left-- > 0; node = open.pop())
    if (node.kind === 'absent') found.add(signed(node.conclusion.relation, node.conclusion.negated));
    else if (node.kind === 'rule' && Array.isArray(node.premises)) open.push(...(node.premises as readonly Proof[]));
    else if (node.kind === 'aggregate') {
      for (const { atom } of atomsOf([node.conclusion])) found.add(signed(atom.relation, atom.negated));
      open.push(...node.members.flatMap(({ premises }) => premises));
    }
  return found;
}
