// Owns the wire form of proofs and of their verification.
// Refuses to know how proofs are found, rendered or checked.

import { z } from 'zod';
import { base, instant } from './common.ts';
import { removal } from './deduce.ts';
import { ruleInput } from './rules.ts';
import { source, triple } from './triples.ts';
import type { CheckResult } from '../../graph/knowledge.ts';
import type { ProofWire } from '../../graph/reason/proofs/render.ts';

const term = z.union([z.string(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.string() })]);
const side = z.union([term, z.strictObject({ expression: z.string(), value: term.optional() })]);
const node = {
  kind: z
    .enum(['fact', 'given', 'rule', 'absent', 'compare', 'aggregate'])
    .describe(
      'Stored fact, assumption, step by a rule, what cannot be derived, comparison, count or other value of many cases (some of which stand in `premises`).',
    ),
  conclusion: z.union([
    z.strictObject({ subject: z.string(), relation: z.string(), object: term, negated: z.literal(true).optional(), absent: z.literal(true).optional() }),
    z.strictObject({ compare: z.string(), left: side, right: side }),
    z.strictObject({ aggregate: z.string(), result: term, members: z.int(), text: z.string() }),
  ]),
  confidence: z.number(),
  rule: z.strictObject({ id: z.string(), name: z.string().optional(), text: z.string(), confidence: z.number() }).optional(),
  explanation: z.string().optional().describe("The rule's sentence with its places filled."),
  bindings: z.record(z.string(), term).optional(),
  fact: z
    .strictObject({ id: z.string(), source: source.optional(), valid_from: z.string().optional(), valid_to: z.string().optional(), recorded_at: z.string() })
    .optional(),
};
export const proof: z.ZodType<ProofWire> = z.strictObject({
  ...node,
  valid_from: z.string().optional().describe('Of an assumption: true from this instant.'),
  valid_to: z.string().optional().describe('Of an assumption: true until this instant.'),
  get premises() {
    return z.array(proof);
  },
});
proof.register(z.globalRegistry, {
  id: 'Proof',
  description: 'A tree: the conclusion, the rule that gives it, and a proof of each of its premises, down to stored facts.',
});
export const proofParams = z.strictObject({ id: z.string().min(1).max(128).describe('`proof_id` of a claim or an answer.') });
export const proofQuery = z.strictObject({
  format: z.enum(['json', 'markdown', 'mermaid']).optional().describe('default json'),
  language: z.enum(['en', 'zh']).optional().describe('Of Markdown and Mermaid (default en).'),
  knowledge_base: base.describe('Where the proof was given out; every knowledge base is searched when absent.'),
});
export const checkRequest = z
  .strictObject({
    rules: ruleInput.optional(),
    facts: z.array(triple).max(100_000).optional(),
    remove: z.array(removal).max(1_000).optional(),
    valid_at: instant.optional(),
    knowledge_base: base,
  })
  .optional()
  .nullable()
  .meta({
    id: 'CheckProof',
    description: 'What the proof may assume besides the knowledge base: rules, facts, facts thought away and instant of the deduction that gave it.',
  });
export const checkReply = z
  .strictObject({
    valid: z.boolean(),
    nodes: z.int().optional().describe('Steps that were verified.'),
    path: z.array(z.int()).optional().describe('Way to the first step that does not hold: numbers of premises, from 0.'),
    reason: z.string().optional(),
  })
  .meta({
    id: 'ProofCheck',
    examples: [
      { valid: true, nodes: 3 },
      { valid: false, path: [0], reason: 'fact f_17 is not stored, not in force, or not as the proof tells it' },
    ],
  });
export const checkWire = (result: CheckResult): z.infer<typeof checkReply> =>
  result.valid ? { valid: true, nodes: result.nodes } : { valid: false, path: [...result.path], reason: result.reason };
