// Owns the wire form of contradictions and of the policies that decide them.
// Refuses to know how contradictions are found and decided.

import { z } from 'zod';
import { asList, base, instant, listOf, name, page, partial, text } from './common.ts';
import { plainTriple, plainTripleWire, proofId } from './deduce.ts';
import type { ConflictPolicies, ContradictionPage } from '../../graph/knowledge.ts';

const policyName = z
  .enum(['keep', 'newest', 'confident', 'trusted'])
  .describe(
    'Which side stands when questions are answered. A side is as strong as the weakest stored fact of its proof. keep (default): all stand. newest: recorded last. confident: greatest confidence. trusted: its source stands first in `sources`.',
  );
export const conflict = z
  .strictObject({
    kind: z
      .enum(['functional', 'disjoint', 'negation', 'constraint'])
      .describe('Several objects of a functional relation; relations that exclude each other; what is known to be false holds; the body of a rule without head is met.'),
    rule: z.strictObject({ id: z.string(), name: z.string().optional(), text: z.string() }).optional().describe('Of a constraint.'),
    sides: z.array(
      z.strictObject({
        triple: plainTriple,
        confidence: z.number(),
        proof_id: proofId,
        stands: z.boolean().describe('It stands, by the policy, when questions are answered. Stored facts stay stored.'),
      }),
    ),
    policy: policyName,
  })
  .meta({ id: 'Conflict' });
export const conflictList = listOf(conflict).extend({
  complete: z.boolean(),
  limit: partial.optional().describe('The limit that was reached: there may be more.'),
});
export const conflictsQuery = z.strictObject({ knowledge_base: base, valid_at: instant.optional().describe('World time: contradictions among what holds at this instant (default now).'), ...page });

const policy = z.strictObject({
  policy: policyName,
  sources: z.array(text(4096).min(1)).min(1).max(1_000).optional().describe('For `trusted`, exactly: most trusted first; the text of a source, or the name of its document. Others come last.'),
});
export const policies = z
  .strictObject({
    default: policy.optional().describe('For relations that are not named, and for constraints.'),
    relations: z.record(name('Name of a relation.'), policy).optional(),
  })
  .meta({ id: 'ConflictPolicies', example: { default: { policy: 'newest' }, relations: { 'born in': { policy: 'trusted', sources: ['register', 'web.html'] } } } });
export const putPolicies = policies.extend({ knowledge_base: base }).meta({
  id: 'PutConflictPolicies',
  description: 'Replaces all policies of the knowledge base.',
  example: { default: { policy: 'newest' }, relations: { 'born in': { policy: 'trusted', sources: ['register', 'web.html'] } } },
});

export const conflictsWire = (found: ContradictionPage, cursor: string | undefined): z.infer<typeof conflictList> => ({
  ...asList(
    found.contradictions.map(({ kind, rule, sides, policy: decided }) => ({
      kind,
      ...(rule ? { rule: { id: rule.id, ...(rule.name === undefined ? {} : { name: rule.name }), text: rule.text } } : {}),
      sides: sides.map(({ triple, confidence, proofId: id, stands }) => ({ triple: plainTripleWire(triple), confidence, ...(id === undefined ? {} : { proof_id: id }), stands })),
      policy: decided,
    })),
    cursor,
  ),
  complete: found.complete,
  ...(found.limit === undefined ? {} : { limit: found.limit }),
});
const policyWire = (given: NonNullable<ConflictPolicies['default']>): z.infer<typeof policy> => ({
  policy: given.policy,
  ...(given.sources === undefined ? {} : { sources: [...given.sources] }),
});
export const policiesWire = (given: ConflictPolicies): z.infer<typeof policies> => ({
  ...(given.default ? { default: policyWire(given.default) } : {}),
  relations: Object.fromEntries(Object.entries(given.relations ?? {}).map(([relation, each]) => [relation, policyWire(each)])),
});
export const policiesOf = (body: z.infer<typeof putPolicies>): ConflictPolicies => ({
  ...(body.default ? { default: body.default } : {}),
  ...(body.relations ? { relations: body.relations } : {}),
});
