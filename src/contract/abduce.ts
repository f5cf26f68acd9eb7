// Owns the wire form of an abduction.
// Refuses to know how explanations are found.

import { z } from 'zod';
import { base } from './common.ts';
import { ruleInput } from './rules.ts';
import { statementOf, term, termOf, termWire, triple } from './triples.ts';
import type { AbduceRequest, AbduceResult } from '../../graph/knowledge.ts';
import { entity } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';

/** Limits of a request that names none, where the service allows as much. */
const DEFAULTS = { explanations: 20, size: 4, nodes: 1_000_000 } as const;

const observed = z.union([z.string().min(1).max(65_536), triple]);
const price = {
  cost: z.number().min(0).optional().describe('Of each such fact (default 1, or -ln(probability)).'),
  probability: z.number().gt(0).lte(1).optional().describe('Of each such fact by itself; facts are taken for independent of each other.'),
};
const assumable = z.union([
  z.string().min(1).max(4096).describe('An atom when it holds a parenthesis, a name otherwise.'),
  z.strictObject({ relation: z.string().min(1).max(256).describe('Name of a relation, or of a class.'), ...price }),
  z.strictObject({ atom: z.string().min(1).max(4096).describe('Such as `rained(?when)`; its values must be met.'), ...price }),
]);
const limit = z.int().min(1).optional();
export const abduceRequest = z
  .strictObject({
    observation: z
      .union([observed, z.array(observed).min(1).max(64)])
      .describe('What is to be explained: one atom such as `wet(grass)`, one triple, or several of them together. A variable stands for some thing.'),
    assumable: z
      .array(assumable)
      .max(1000)
      .optional()
      .describe(
        'What may be assumed: names of relations or classes, or atoms such as `rained(?when)` in which values must be met; of several that match, the most exact counts. Absent: any fact but the observation itself and those of closed relations, which asks what is missing.',
      ),
    values: z
      .array(term)
      .max(10_000)
      .optional()
      .describe(
        'Values for places that rules leave open. Absent: what stands, in facts that are known or in a rule, in that place of the relation (of the class) or in places that share a variable with it in a rule that the observation depends on; and what the request names.',
      ),
    minimal: z.enum(['subset', 'cost']).optional().describe('subset (default): every explanation of which no part is one; cost: those of the least cost.'),
    rules: ruleInput.optional().describe('Rules that hold for this request only.'),
    facts: z.array(triple).max(100_000).optional().describe('Facts that hold for this request only.'),
    limits: z
      .strictObject({
        explanations: limit.describe(`Default ${DEFAULTS.explanations}.`),
        size: limit.describe(`Assumptions in one explanation (default ${DEFAULTS.size}; 1 when nothing is said to be assumable).`),
        nodes: limit.describe(`Steps of the search (default ${DEFAULTS.nodes}).`),
        facts: limit,
        ms: limit,
        depth: limit,
      })
      .optional()
      .describe(
        "Of each the lower of this and the server's counts, and `limit` in the reply tells which was reached; a `size` above the server's, which nothing would tell, is refused.",
      ),
    knowledge_base: base,
  })
  .meta({
    id: 'AbduceRequest',
    example: {
      observation: 'wet(grass)',
      assumable: ['rained(?when)', { relation: 'sprinkler', cost: 2 }],
      rules: 'wet(grass) :- rained(tonight). wet(grass) :- sprinkler(garden).',
    },
  });
const answerTerm = z.union([z.string(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.string() })]);
const plainTriple = z.strictObject({ subject: z.string(), relation: z.string(), object: answerTerm, negated: z.literal(true).optional() });
const proofId = z.string().optional().describe('Absent when the proof is larger than the limits allow. To verify it, give the assumptions as facts.');
export const abduceReply = z
  .strictObject({
    explanations: z
      .array(
        z.strictObject({
          assume: z.array(plainTriple).describe('Empty when the observation holds already. No part of it would do.'),
          cost: z.number(),
          confidence: z.number().describe('Of the proofs, when the assumptions are certain.'),
          probability: z.number().optional().describe('Product of the assumptions and the confidence; absent when some assumption has no probability.'),
          bindings: z.record(z.string(), answerTerm).describe("Values of the observation's variables."),
          proof_id: proofId,
          proofs: z.array(z.strictObject({ triple: plainTriple, proof_id: proofId })).describe('One for each observation.'),
        }),
      )
      .describe('Most probable first when all have a probability, cheapest first otherwise; then by confidence, and by the size of the proof.'),
    complete: z.boolean().describe('Every explanation of at most `limits.size` assumptions by these `values` is here.'),
    limit: z
      .enum(['explanations', 'nodes', 'ms', 'facts', 'depth', 'aggregates'])
      .optional()
      .describe('The limit that was reached; `aggregates`: a rule that counts or adds up what may be assumed was followed only as far as facts go.'),
    exhausted: z.boolean().describe('There is no larger explanation either.'),
    statistics: z.strictObject({
      nodes: z.int().describe('Steps searched.'),
      tried: z.int().describe('Sets of assumptions tried.'),
      inconsistent: z.int().describe('Those that broke a constraint.'),
      derived: z.int().describe('Facts derived before anything was assumed.'),
      ms: z.number(),
    }),
  })
  .meta({ id: 'AbduceResult' });

const asAtom = (item: z.infer<typeof observed>): AbduceRequest['observations'][number] => {
  if (typeof item === 'string') return item;
  const { subject, relation, object, negated } = statementOf(item);
  return { subject: entity(subject), relation, object, ...(negated ? { negated } : {}) };
};
/** Throws TermError for a name or value that no triple may carry. */
export const abduceRequestOf = (body: z.infer<typeof abduceRequest>, most: AbduceRequest['budget'], signal: AbortSignal): AbduceRequest => ({
  observations: (Array.isArray(body.observation) ? body.observation : [body.observation]).map(asAtom),
  ...(body.assumable === undefined ? {} : { assumable: body.assumable }),
  ...(body.values === undefined ? {} : { values: body.values.map(termOf) }),
  ...(body.minimal === undefined ? {} : { minimal: body.minimal }),
  ...(body.rules === undefined ? {} : { rules: body.rules }),
  ...(body.facts === undefined ? {} : { facts: body.facts.map(statementOf) }),
  budget: {
    explanations: Math.min(most.explanations, body.limits?.explanations ?? DEFAULTS.explanations),
    size: Math.min(most.size, body.limits?.size ?? (body.assumable === undefined ? 1 : DEFAULTS.size)),
    nodes: Math.min(most.nodes, body.limits?.nodes ?? DEFAULTS.nodes),
    facts: Math.min(most.facts, body.limits?.facts ?? most.facts),
    ms: Math.min(most.ms, body.limits?.ms ?? most.ms),
    depth: Math.min(most.depth, body.limits?.depth ?? most.depth),
  },
  signal,
});
const tripleWire = ({ subject, relation, object, negated }: Triple): z.infer<typeof plainTriple> => ({
  subject,
  relation,
  object: termWire(object),
  ...(negated ? { negated: true as const } : {}),
});
const proofWire = (id: string | undefined): { proof_id?: string } => (id === undefined ? {} : { proof_id: id });
export const abduceWire = (result: AbduceResult): z.infer<typeof abduceReply> => ({
  explanations: result.explanations.map(({ assume, cost, confidence, probability, bindings, proofs }) => ({
    assume: assume.map(tripleWire),
    cost,
    confidence,
    ...(probability === undefined ? {} : { probability }),
    bindings: Object.fromEntries(Object.entries(bindings).map(([variable, value]) => [variable, termWire(value)])),
    ...proofWire(proofs[0]?.proofId),
    proofs: proofs.map((proof) => ({ triple: tripleWire(proof.triple), ...proofWire(proof.proofId) })),
  })),
  complete: result.complete,
  ...(result.limit === undefined ? {} : { limit: result.limit }),
  exhausted: result.exhausted,
  statistics: { ...result.statistics },
});
