// Owns the wire forms of what would be and of why something does not follow.
// Refuses to know how either is found.

import { z } from 'zod';
import { base, partial } from './common.ts';
import { answerTerm, budgetOf, goal, hypotheses, hypothesesOf, limits, plainTriple, plainTripleWire, proofId, removal, removalOf } from './deduce.ts';
import { ruleInput } from './rules.ts';
import { statementOf, triple } from './triples.ts';
import type { WhatIfRequest, WhatIfResult, WhyNotRequest } from '../../graph/knowledge.ts';
import type { ReasonsWire } from '../../graph/knowledge/questions/render-whynot.ts';
import type { Budget } from '../../graph/reason/types.ts';

const outcome = z.enum(['entailed', 'refuted', 'not_entailed']);
export const whatIfRequest = z
  .strictObject({
    add: z.array(triple).max(100_000).optional().describe('Facts supposed to hold.'),
    remove: z.array(removal).max(1_000).optional().describe('Stored facts supposed not to hold.'),
    rules: ruleInput.optional().describe('Rules supposed to hold as well.'),
    goal: goal.optional().describe('Tell only of what matches, such as `ancestor(alice, ?x)`. Absent: of everything.'),
    limits,
    cursor: z.string().min(1).max(64).optional().describe('Where to go on: `cursor` of the page before, with the same request. Good while the knowledge base does not change.'),
    knowledge_base: base,
  })
  .meta({ id: 'WhatIfRequest', example: { remove: [{ subject: 'alice', relation: 'parent', object: 'bob' }], goal: 'ancestor(alice, ?x)' } });
export const whatIfReply = z
  .strictObject({
    outcome: z.strictObject({ before: outcome, after: outcome }).optional().describe('Of a goal without variables.'),
    consequences: z.array(
      z.strictObject({
        change: z.enum(['gained', 'lost', 'altered']).describe('It follows newly, follows no longer, or follows with another confidence.'),
        triple: plainTriple,
        confidence: z.number().describe('In the world it holds in; when altered, in the supposed one.'),
        before: z.number().optional().describe('When altered: the confidence it has.'),
        proof_id: proofId,
      }),
    ),
    counts: z.strictObject({ gained: z.int(), lost: z.int(), altered: z.int() }).describe('Over all pages.'),
    complete: z.boolean(),
    limit: partial.optional().describe('The limit that was reached.'),
    has_more: z.boolean(),
    cursor: z.string().optional().describe('Present when there is more; give it with the next request.'),
    statistics: z.strictObject({ derived: z.int(), ms: z.number() }),
  })
  .meta({ id: 'WhatIfResult' });
export const whatIfRequestOf = (body: z.infer<typeof whatIfRequest>, most: Budget, signal: AbortSignal): WhatIfRequest => ({
  ...(body.add === undefined ? {} : { add: body.add.map(statementOf) }),
  ...(body.remove === undefined ? {} : { remove: body.remove.map(removalOf) }),
  ...(body.rules === undefined ? {} : { rules: body.rules }),
  ...(body.goal === undefined ? {} : { goal: body.goal }),
  ...(body.cursor === undefined ? {} : { cursor: body.cursor }),
  budget: budgetOf(body.limits, most),
  signal,
});
export const whatIfWire = (result: WhatIfResult): z.infer<typeof whatIfReply> => ({
  ...(result.outcome ? { outcome: { ...result.outcome } } : {}),
  consequences: result.consequences.map(({ change, triple: item, confidence, before, proofId: id }) => ({
    change,
    triple: plainTripleWire(item),
    confidence,
    ...(before === undefined ? {} : { before }),
    ...(id === undefined ? {} : { proof_id: id }),
  })),
  counts: { ...result.counts },
  complete: result.complete,
  ...(result.limit === undefined ? {} : { limit: result.limit }),
  has_more: result.cursor !== undefined,
  ...(result.cursor === undefined ? {} : { cursor: result.cursor }),
  statistics: { ...result.statistics },
});

export const whyNotRequest = z
  .strictObject({
    goal: goal.describe('One atom, such as `ancestor(alice, bob)`.'),
    ...hypotheses,
    depth: z.int().min(1).max(16).optional().describe('How far missing premises are looked into (default 3).'),
    attempts: z.int().min(1).max(100).optional().describe('Instances of rules shown for one goal (default 10).'),
    limits,
    knowledge_base: base,
  })
  .meta({ id: 'WhyNotRequest', example: { goal: 'ancestor(alice, dan)' } });
export const whyNotQuery = z.strictObject({
  format: z.enum(['json', 'markdown']).optional().describe('default json'),
  language: z.enum(['en', 'zh']).optional().describe('Of Markdown (default en).'),
});
export const reasons: z.ZodType<ReasonsWire> = z.strictObject({
  goal: z.string().describe('In the rule language.'),
  get attempts() {
    return z
      .array(
        z.strictObject({
          rule: z.strictObject({ id: z.string(), name: z.string().optional(), text: z.string() }),
          bindings: z.record(z.string(), answerTerm),
          lacking: z.int().describe('Conditions that do not hold.'),
          conditions: z.array(
            z.strictObject({
              kind: z
                .enum(['holds', 'missing', 'blocked', 'fails', 'open'])
                .describe(
                  'holds; missing: neither stored nor derived; blocked: it stands under `not`, but holds; fails: a comparison or count comes out otherwise; open: what is missing leaves it undecided.',
                ),
              condition: z.string().describe('In the rule language, with the values it has.'),
              confidence: z.number().optional(),
              proof_id: proofId.describe('Of what holds, or of what blocks.'),
              left: answerTerm.optional().describe('Value of the left side (of a count: the value it has).'),
              right: answerTerm.optional(),
              why: reasons.optional().describe('Why the missing premise does not follow.'),
            }),
          ),
        }),
      )
      .describe('Nearest first; none when no rule could conclude the goal.');
  },
  truncated: z.boolean().describe('There are more attempts, or nearer ones that were not found within the limits.'),
});
reasons.register(z.globalRegistry, { id: 'WhyNotReasons', description: 'For each rule that could conclude the goal, its instance that lacks least.' });
export const whyNotReply = z
  .strictObject({
    outcome,
    proof_id: proofId.describe('Of the goal when it is entailed, of its negation when it is refuted.'),
    reasons: reasons.optional().describe('Absent when the goal is entailed.'),
    complete: z.boolean(),
    limit: partial.optional().describe('The limit that was reached: what is called missing may follow after all.'),
  })
  .meta({ id: 'WhyNotResult' });
export const whyNotRequestOf = (body: z.infer<typeof whyNotRequest>, most: Budget, signal: AbortSignal): WhyNotRequest => ({
  goal: body.goal,
  ...hypothesesOf(body),
  ...(body.depth === undefined ? {} : { depth: body.depth }),
  ...(body.attempts === undefined ? {} : { attempts: body.attempts }),
  budget: budgetOf(body.limits, most),
  signal,
});
