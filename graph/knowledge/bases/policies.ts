// Owns what a base declares about contradictions: which facts speak louder, for all relations or for one, and how that is stored.
// Refuses to know how contradictions are found.

import type { Fact, RelationName } from '../../terms.ts';
import { parseRelationName, TermError } from '../../terms.ts';
import type { Change } from '../../store.ts';
import { instant } from '../../reason/tables/interner.ts';
import { KnowledgeError } from '../common/types.ts';

/**
 * Which side of a contradiction stands when answers are read. Each side is as strong as the weakest stored fact in its proof.
 * - `keep`: all sides stand (the default).
 * - `newest`: the fact recorded last is the strongest.
 * - `confident`: the fact with the greatest confidence is the strongest.
 * - `trusted`: the fact whose source stands first in `sources` is the strongest; sources that are not named come last. A source is its text, or the name of its document.
 * What a policy leaves undecided is decided by confidence, then by time of recording, then by id.
 */
export interface ConflictPolicy {
  readonly policy: 'keep' | 'newest' | 'confident' | 'trusted';
  readonly sources?: readonly string[];
}
export interface ConflictPolicies {
  /** For relations that are not named, and for constraints. */
  readonly default?: ConflictPolicy;
  readonly relations?: Readonly<Record<string, ConflictPolicy>>;
}

/** Id of the document among the stored rules that holds the policies. No rule has such an id. */
export const POLICIES = 'policy:conflicts';
export const policiesChange = (policies: ConflictPolicies): Change => ({ kind: 'rule', id: POLICIES, document: JSON.stringify(policies) });

const NAMES: readonly string[] = ['keep', 'newest', 'confident', 'trusted'] satisfies readonly ConflictPolicy['policy'][];
function checkPolicy(policy: unknown, where: string): ConflictPolicy {
  if (typeof policy !== 'object' || policy === null || !('policy' in policy) || !NAMES.includes(String(policy.policy)))
    throw new KnowledgeError('invalid_request', `the policy ${where} is none; give {"policy": "keep"}, "newest", "confident" or "trusted"`);
  const sources = 'sources' in policy ? policy.sources : undefined;
  const listed = Array.isArray(sources) && sources.every((source) => typeof source === 'string');
  if (policy.policy === 'trusted' ? !listed || sources.length === 0 : sources !== undefined)
    throw new KnowledgeError('invalid_request', `the policy ${where} needs "sources", a list of texts, exactly when it is "trusted"`);
  return policy as ConflictPolicy;
}
/** The policies as they are kept: names of relations in their canonical form. Throws KnowledgeError `invalid_request`. */
export function checkPolicies(policies: ConflictPolicies): ConflictPolicies {
  const relations: Record<string, ConflictPolicy> = {};
  for (const [name, policy] of Object.entries(policies.relations ?? {})) {
    try {
      relations[parseRelationName(name)] = checkPolicy(policy, `of ${JSON.stringify(name.slice(0, 80))}`);
    } catch (error) {
      if (error instanceof TermError) throw new KnowledgeError('invalid_request', error.message, { cause: error });
      throw error;
    }
  }
  return { ...(policies.default === undefined ? {} : { default: checkPolicy(policies.default, 'for all relations') }), relations };
}
export function readPolicies(documents: readonly { readonly id: string; readonly document: string }[]): ConflictPolicies {
  const stored = documents.find(({ id }) => id === POLICIES);
  if (!stored) return {};
  try {
    return checkPolicies(JSON.parse(stored.document) as ConflictPolicies);
  } catch (error) {
    throw new KnowledgeError('corrupt_rule', `the conflict policies cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const KEEP: ConflictPolicy = { policy: 'keep' };
/** The policy for a contradiction between these relations: that of the first of them, by name, which has one; else the base's. */
export function policyFor({ default: base = KEEP, relations = {} }: ConflictPolicies, names: readonly RelationName[]): ConflictPolicy {
  const first = names.toSorted().find((name) => Object.hasOwn(relations, name));
  return first === undefined ? base : relations[first];
}
/** Does any policy decide anything? */
export const decides = ({ default: base = KEEP, relations = {} }: ConflictPolicies): boolean =>
  [base, ...Object.values(relations)].some(({ policy }) => policy !== 'keep');

const rank = ({ source }: Fact, sources: readonly string[]): number => {
  const at = source === undefined ? -1 : sources.indexOf(typeof source === 'string' ? source : source.document);
  return at < 0 ? sources.length : at;
};
/** Below 0 when `a` is stronger than `b`. A total order of facts with different ids. */
export function byStrength({ policy, sources = [] }: ConflictPolicy): (a: Fact, b: Fact) => number {
  const newer = (a: Fact, b: Fact): number => instant(b.recordedAt) - instant(a.recordedAt);
  const surer = (a: Fact, b: Fact): number => b.confidence - a.confidence;
  return (a, b) =>
    (policy === 'newest' ? newer(a, b) : policy === 'trusted' ? rank(a, sources) - rank(b, sources) : 0) || surer(a, b) || newer(a, b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
