// Owns the wire form of a deduction.
// Refuses to know how it runs.

import { z } from 'zod';
import { base, instant, name, partial } from './common.ts';
import { ruleInput } from './rules.ts';
import { statementOf, term, termOf, termWire, triple } from './triples.ts';
import type { Budget } from '../../graph/reason/types.ts';
import { parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Triple, TriplePattern } from '../../graph/terms.ts';
import type { DeduceRequest, DeduceResult } from '../../graph/knowledge.ts';

/** Stored facts that a request thinks away. */
export const removal = z
  .strictObject({
    subject: name('Name of an entity.').optional(),
    relation: name('Name of a relation.').optional(),
    object: term.optional(),
    negated: z.boolean().optional().describe('true: triples known to be false.'),
  })
  .refine(({ subject, relation, object }) => subject !== undefined || relation !== undefined || object !== undefined, {
    error: 'is empty; give a subject, relation or object',
  })
  .meta({ id: 'TriplePattern', description: 'Triples that agree with everything given.', example: { subject: 'Albert Einstein', relation: 'born in' } });
export const removalOf = (wire: z.infer<typeof removal>): TriplePattern => ({
  ...(wire.subject === undefined ? {} : { subject: parseEntityId(wire.subject) }),
  ...(wire.relation === undefined ? {} : { relation: parseRelationName(wire.relation) }),
  ...(wire.object === undefined ? {} : { object: termOf(wire.object) }),
  ...(wire.negated ? { negated: true } : {}),
});
export const goal = z.string().min(1).max(65_536);
export const limits = z
  .strictObject({ answers: z.int().min(1).optional(), facts: z.int().min(1).optional(), ms: z.int().min(1).optional(), depth: z.int().min(1).optional() })
  .optional()
  .describe("Lower than the server's.");
export const budgetOf = (given: z.infer<typeof limits>, most: Budget): Budget => ({
  answers: Math.min(most.answers, given?.answers ?? most.answers),
  facts: Math.min(most.facts, given?.facts ?? most.facts),
  ms: Math.min(most.ms, given?.ms ?? most.ms),
  depth: Math.min(most.depth, given?.depth ?? most.depth),
});
export const hypotheses = {
  rules: ruleInput.optional().describe('Rules that hold for this request only.'),
  facts: z.array(triple).max(100_000).optional().describe('Facts that hold for this request only.'),
  remove: z.array(removal).max(1_000).optional().describe('Stored facts that are thought away for this request.'),
};

export const deduceRequest = z
  .strictObject({
    goal: goal.optional().describe('One atom, such as `ancestor(alice, ?x)`. Absent: what the given rules derive.'),
    ...hypotheses,
    semantics: z
      .enum(['best', 'noisy_or', 'exact', 'possibility'])
      .optional()
      .describe(
        "What an answer's confidence means. best (default): the greatest product over its proofs, in which a stored fact has the confidence it was told with, whatever rules give it as well. possibility: the greatest least confidence. noisy_or: of the minimal sets of uncertain facts and steps that prove it, taken to be independent; too high where they share some. exact: the probability over all worlds in which each uncertain fact and step is there or not, `not` read and counted in each world; an answer is what holds in some world.",
      ),
    proofs: z.int().min(1).max(100).optional().describe('Proofs of each answer at most, distinct, lowest first (default 1).'),
    valid_at: instant.optional().describe('Facts in force at this instant; now when absent.'),
    limits,
    knowledge_base: base,
  })
  .meta({
    id: 'DeduceRequest',
    example: { goal: 'mortal(?who)', rules: 'mortal(?x) :- man(?x).', facts: [{ subject: 'Socrates', relation: 'is a', object: 'man' }] },
  });
export const answerTerm = z.union([z.string(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.string() })]);
export const plainTriple = z.strictObject({ subject: z.string(), relation: z.string(), object: answerTerm, negated: z.literal(true).optional() });
export const plainTripleWire = ({ subject, relation, object, negated }: Triple): z.infer<typeof plainTriple> => ({
  subject,
  relation,
  object: termWire(object),
  ...(negated ? { negated: true as const } : {}),
});
export const proofId = z.string().optional().describe('Absent when the proof is larger than the limits allow, or was not found in time.');

export const deduceReply = z
  .strictObject({
    outcome: z.enum(['entailed', 'refuted', 'not_entailed']),
    answers: z.array(
      z.strictObject({
        bindings: z.record(z.string(), answerTerm).describe("Values of the goal's variables."),
        triple: plainTriple,
        confidence: z.number(),
        proof_id: proofId,
        proof_ids: z.array(z.string()).optional().describe('Present when several proofs were asked for.'),
        valid_from: z.string().optional().describe('All facts of the proof are in force from this instant.'),
        valid_to: z.string().optional().describe('All facts of the proof are in force until this instant.'),
      }),
    ),
    refutation: z.strictObject({ confidence: z.number(), proof_id: z.string().optional() }).optional(),
    complete: z.boolean(),
    limit: partial.optional().describe('The limit that was reached.'),
    statistics: z.strictObject({
      derived: z.int().describe('Facts derived for this request.'),
      rounds: z.int(),
      ms: z.number(),
      goal_directed: z.literal(true).optional().describe('Only what the goal asks for was derived; relations under `not` and inside aggregates, and what they rest on, whole.'),
    }),
  })
  .meta({ id: 'DeduceResult' });

/** Hypotheses of a request. Throws TermError for a name or value that no triple may carry. */
export const hypothesesOf = (body: {
  readonly rules?: unknown;
  readonly facts?: readonly z.infer<typeof triple>[];
  readonly remove?: readonly z.infer<typeof removal>[];
}): Pick<DeduceRequest, 'rules' | 'facts' | 'removed'> => ({
  ...(body.rules === undefined ? {} : { rules: body.rules }),
  ...(body.facts === undefined ? {} : { facts: body.facts.map(statementOf) }),
  ...(body.remove === undefined ? {} : { removed: body.remove.map(removalOf) }),
});
export const deduceRequestOf = (body: z.infer<typeof deduceRequest>, most: Budget, signal: AbortSignal): DeduceRequest => ({
  ...(body.goal === undefined ? {} : { goal: body.goal }),
  ...hypothesesOf(body),
  ...(body.semantics === undefined ? {} : { semantics: body.semantics }),
  ...(body.proofs === undefined ? {} : { proofs: body.proofs }),
  ...(body.valid_at === undefined ? {} : { validAt: body.valid_at }),
  budget: budgetOf(body.limits, most),
  signal,
});
export const deduceWire = (result: DeduceResult): z.infer<typeof deduceReply> => ({
  outcome: result.outcome,
  answers: result.answers.map(({ bindings, triple: answer, confidence, proofId: id, proofIds, validFrom, validTo }) => ({
    bindings: Object.fromEntries(Object.entries(bindings).map(([variable, value]) => [variable, termWire(value)])),
    triple: plainTripleWire(answer),
    confidence,
    ...(id === undefined ? {} : { proof_id: id }),
    ...(proofIds === undefined ? {} : { proof_ids: [...proofIds] }),
    ...(validFrom === undefined ? {} : { valid_from: validFrom }),
    ...(validTo === undefined ? {} : { valid_to: validTo }),
  })),
  ...(result.refutation
    ? { refutation: { confidence: result.refutation.confidence, ...(result.refutation.proofId === undefined ? {} : { proof_id: result.refutation.proofId }) } }
    : {}),
  complete: result.complete,
  ...(result.limit === undefined ? {} : { limit: result.limit }),
  statistics: {
    derived: result.statistics.derived,
    rounds: result.statistics.rounds,
    ms: result.statistics.ms,
    ...(result.statistics.goalDirected ? { goal_directed: true as const } : {}),
  },
});
