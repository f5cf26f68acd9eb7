// Owns the wire form of a deduction.
// Refuses to know how it runs.

import { z } from 'zod';
import { base, partial } from './common.ts';
import { ruleInput } from './rules.ts';
import { statementOf, termWire, triple } from './triples.ts';
import type { Budget } from '../../graph/reason/types.ts';
import type { DeduceRequest, DeduceResult } from '../../graph/knowledge.ts';

export const deduceRequest = z
  .strictObject({
    goal: z.string().min(1).max(65_536).optional().describe('One atom, such as `ancestor(alice, ?x)`. Absent: what the given rules derive.'),
    rules: ruleInput.optional().describe('Rules that hold for this request only.'),
    facts: z.array(triple).max(100_000).optional().describe('Facts that hold for this request only.'),
    limits: z
      .strictObject({ answers: z.int().min(1).optional(), facts: z.int().min(1).optional(), ms: z.int().min(1).optional(), depth: z.int().min(1).optional() })
      .optional()
      .describe("Lower than the server's."),
    knowledge_base: base,
  })
  .meta({
    id: 'DeduceRequest',
    example: { goal: 'mortal(?who)', rules: 'mortal(?x) :- man(?x).', facts: [{ subject: 'Socrates', relation: 'is a', object: 'man' }] },
  });
const answerTerm = z.union([z.string(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.string() })]);
export const deduceReply = z
  .strictObject({
    outcome: z.enum(['entailed', 'refuted', 'not_entailed']),
    answers: z.array(
      z.strictObject({
        bindings: z.record(z.string(), answerTerm).describe("Values of the goal's variables."),
        triple: z.strictObject({ subject: z.string(), relation: z.string(), object: answerTerm, negated: z.literal(true).optional() }),
        confidence: z.number(),
        proof_id: z.string().optional().describe('Absent when the proof is larger than the limits allow.'),
      }),
    ),
    refutation: z.strictObject({ confidence: z.number(), proof_id: z.string().optional() }).optional(),
    complete: z.boolean(),
    limit: partial.optional().describe('The limit that was reached.'),
    statistics: z.strictObject({ derived: z.int(), rounds: z.int(), ms: z.number() }),
  })
  .meta({ id: 'DeduceResult' });

export const deduceRequestOf = ({ goal, rules, facts, limits }: z.infer<typeof deduceRequest>, most: Budget, signal: AbortSignal): DeduceRequest => ({
  ...(goal === undefined ? {} : { goal }),
  ...(rules === undefined ? {} : { rules }),
  ...(facts === undefined ? {} : { facts: facts.map(statementOf) }),
  budget: {
    answers: Math.min(most.answers, limits?.answers ?? most.answers),
    facts: Math.min(most.facts, limits?.facts ?? most.facts),
    ms: Math.min(most.ms, limits?.ms ?? most.ms),
    depth: Math.min(most.depth, limits?.depth ?? most.depth),
  },
  signal,
});
export const deduceWire = (result: DeduceResult): z.infer<typeof deduceReply> => ({
  outcome: result.outcome,
  answers: result.answers.map(({ bindings, triple: { subject, relation, object, negated }, confidence, proofId }) => ({
    bindings: Object.fromEntries(Object.entries(bindings).map(([variable, value]) => [variable, termWire(value)])),
    triple: { subject, relation, object: termWire(object), ...(negated ? { negated: true as const } : {}) },
    confidence,
    ...(proofId === undefined ? {} : { proof_id: proofId }),
  })),
  ...(result.refutation
    ? { refutation: { confidence: result.refutation.confidence, ...(result.refutation.proofId === undefined ? {} : { proof_id: result.refutation.proofId }) } }
    : {}),
  complete: result.complete,
  ...(result.limit === undefined ? {} : { limit: result.limit }),
  statistics: { ...result.statistics },
});
