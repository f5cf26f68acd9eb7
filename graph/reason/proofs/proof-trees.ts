// Owns derivations written out as proof trees, and what stands at their leaves.
// Refuses to know how derivations are found, and stores: leaves are looked up by somebody else.

import type { Fact, Term, Triple } from '../../terms.ts';
import { isAtom, substituteItem } from '../language/body.ts';
import type { Database } from '../tables/database.ts';
import type { Derivation, Group } from './explain.ts';
import { GIVEN } from '../tables/table.ts';
import type { Aggregate, Atom, Comparison, Member, Proof, Rule } from '../types.ts';

/** Derivations of what groups rest on. */
export const groupDerivations = (groups: ReadonlyMap<number, Group> | undefined): (Derivation | undefined)[] =>
  [...(groups?.values() ?? [])].flatMap(({ members, others }) => [...members.flatMap(({ premises }) => premises), ...others]);

/** Derivations without premises below these, each once. `seen`: what was looked at before is left out. */
function* leavesBelow(derivations: Iterable<Derivation | undefined>, seen = new Set<Derivation>()): Generator<Derivation> {
  const open = [...derivations].toReversed();
  while (open.length > 0) {
    const node = open.pop();
    if (!node || seen.has(node)) continue;
    seen.add(node);
    if (!node.premises) yield node;
    for (const below of [...groupDerivations(node.groups), ...(node.premises ?? [])].toReversed()) open.push(below);
  }
}

/** Told rows at the leaves that are not hypotheses, each once. `seen`: what was looked at before is left out. */
export function storedLeaves(derivations: Iterable<Derivation | undefined>, database: Database, seen = new Set<Derivation>()): Triple[] {
  const leaves: Triple[] = [];
  for (const { at } of leavesBelow(derivations, seen)) if (at.slot.table.rules[at.row] !== GIVEN) leaves.push(database.triple(at.slot, at.row));
  return leaves;
}

/** What stands at the leaves of a proof. */
export interface Leaves {
  /** The stored fact of a told row; undefined where it is no longer stored. */
  fact(triple: Triple): Fact | undefined;
  /** The hypothesis of a told row. Without it none has a validity. */
  given?(triple: Triple, confidence: number): Proof;
}
/** The proof as a tree. Parts in `built` are taken from there, and new ones put there. */
export function toProof(derivation: Derivation, database: Database, leaves: Leaves, built = new Map<Derivation, Proof>()): Proof | undefined {
  const build = (node: Derivation): Proof | undefined => {
    const known = built.get(node);
    if (known) return known;
    const { slot, row } = node.at;
    const conclusion = database.triple(slot, row);
    const confidence = slot.table.confidence(row);
    let proof: Proof;
    if (!node.rule) {
      const fact = slot.table.rules[row] === GIVEN ? undefined : leaves.fact(conclusion);
      if (!fact && slot.table.rules[row] !== GIVEN) return undefined;
      proof = fact
        ? { kind: 'fact', conclusion, confidence: fact.confidence, fact }
        : (leaves.given?.(conclusion, confidence) ?? { kind: 'given', conclusion, confidence });
    } else {
      const premises = premisesOf(node.rule, node.bindings ?? {}, node.premises ?? [], build, node.groups);
      if (!premises) return undefined;
      proof = { kind: 'rule', conclusion, confidence, rule: node.rule, bindings: node.bindings ?? {}, premises };
    }
    built.set(node, proof);
    return proof;
  };
  return build(derivation);
}

/** Proofs of the conditions of a body, in order. `groups`: of its aggregates. */
function premisesOf(
  rule: Pick<Rule, 'body'>,
  bindings: Readonly<Record<string, Term>>,
  derivations: readonly (Derivation | undefined)[],
  build: (node: Derivation) => Proof | undefined,
  groups?: ReadonlyMap<number, Group>,
): Proof[] | undefined {
  const premises: Proof[] = [];
  for (let i = 0; i < rule.body.length; i++) {
    const item = rule.body[i];
    const derivation = derivations[i];
    if (isAtom(item)) {
      const premise: Proof | undefined =
        derivation === undefined ? { kind: 'absent', conclusion: substituteItem<Atom>(item, bindings), confidence: 1 } : build(derivation);
      if (!premise) return undefined;
      premises.push(premise);
    } else if (item.kind === 'compare') premises.push({ kind: 'compare', conclusion: substituteItem<Comparison>(item, bindings), confidence: 1 });
    else {
      const { members, total, others } = groups?.get(i) ?? { members: [], total: 0, others: [] };
      const shown: Member[] = [];
      for (const member of members) {
        const inner = premisesOf({ body: item.body }, { ...bindings, ...member.bindings }, member.premises, build);
        if (!inner) return undefined;
        shown.push({ bindings: member.bindings, premises: inner });
      }
      const further: Proof[] = [];
      for (const leaf of leavesBelow(others)) {
        const fact = build(leaf);
        if (!fact) return undefined;
        further.push(fact);
      }
      premises.push({ kind: 'aggregate', conclusion: substituteItem<Aggregate>(item, bindings), confidence: 1, members: shown, total, ...(further.length > 0 ? { others: further } : {}) });
    }
  }
  return premises;
}
