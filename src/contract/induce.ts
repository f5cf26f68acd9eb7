// Owns the wire form of inductions and of rankings by learned rules.
// Refuses to know how rules are learned and how candidates are ranked.

import { z } from 'zod';
import { base, name, page } from './common.ts';
import { rule, ruleWire } from './rules.ts';
import { term, termOf, termWire } from './triples.ts';
import { parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Triple } from '../../graph/terms.ts';
import type { InduceRequest, InductionEvent, InductionState, MinedRule, RankRequest, RankResult } from '../../graph/knowledge.ts';

/** Rules given out to a request that names no number. */
const RULES = 100;

const share = z.number().min(0).max(1).optional();
const limits = z
  .strictObject({
    ms: z.int().min(1).optional().describe('Of learning.'),
    rules: z.int().min(1).optional().describe(`Rules given out, the surest (default ${RULES}).`),
    facts: z.int().min(1).optional().describe('Facts read.'),
  })
  .optional();
export const induceRequest = z
  .strictObject({
    relations: z
      .array(name('Name of a relation.'))
      .min(1)
      .max(10_000)
      .optional()
      .describe('What the rules shall conclude, as true or (from facts known to be false) as false; all relations when absent.'),
    length: z.int().min(1).max(5).optional().describe('Longest path in a body (default 3).'),
    constants: z.boolean().optional().describe('Rules about certain things, such as `"has color"(?x, white) :- swan(?x)`, too (default true).'),
    ranges: z
      .boolean()
      .optional()
      .describe('Rules that compare a number or date with bounds found in the facts, such as `adult(?x) :- age(?x, ?y), ?y >= 18`, too (default false).'),
    exceptions: z.boolean().optional().describe('Rules with an exception, such as `flies(?x) :- bird(?x), not penguin(?x)`, too (default false).'),
    min_support: z.int().min(1).optional().describe('Known facts that the rule predicts, at least (default 2).'),
    min_confidence: share.describe('Share of its predictions that are known (default 0.5).'),
    min_pca_confidence: share.describe('The same, counting only predictions about things of which the relation is known (default 0).'),
    min_head_coverage: share.describe('Share of the known facts that the rule predicts (default 0.01).'),
    confidence: z.enum(['standard', 'pca']).optional().describe('Which measure a rule carries as its confidence (default standard).'),
    examples: z.int().min(0).max(100).optional().describe('Examples and counter-examples of each rule (default 3).'),
    derived: z.boolean().optional().describe('What stored rules derive counts as known, too (default false).'),
    limits: limits.describe(
      "Of each the lower of this and the server's counts, which also says how long it learns otherwise; `limit` in the reply tells which was reached.",
    ),
    seed: z.int().optional().describe('Facts too rich to be looked at whole are sampled by this seed (default 1).'),
    stream: z.boolean().optional().describe('Rules and progress as events while they come.'),
    background: z
      .boolean()
      .optional()
      .describe('Answer at once; the induction goes on, and GET shows how far it is. Otherwise it ends when the client leaves.'),
    knowledge_base: base,
  })
  .meta({ id: 'InduceRequest', example: { relations: ['has color'], min_support: 2, min_confidence: 0.8 } });

const answerTerm = z.union([z.string(), z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.string() })]);
const plainTriple = z.strictObject({ subject: z.string(), relation: z.string(), object: answerTerm, negated: z.literal(true).optional() });
const measures = z.strictObject({
  support: z.int().describe('Known facts that the rule predicts.'),
  predictions: z.int().describe('All that it predicts.'),
  head_coverage: z.number(),
  confidence: z.number().describe('Support over predictions: what is not known counts as false.'),
  pca_confidence: z
    .number()
    .describe('Only predictions count about whose subject (or object, where the relation is more functional that way) the relation is known.'),
  lift: z.number().describe('How many times surer than without the body: `pca_confidence` over the share of known facts among what it counts predictions about.'),
  interval: z.tuple([z.number(), z.number()]).describe('Wilson interval of the confidence, 95%.'),
  exact: z.boolean().describe('False: extrapolated from a part of the graph.'),
});
const minedRule = z
  .strictObject({
    id: z.string(),
    text: z.string(),
    rule,
    measures,
    examples: z.array(plainTriple).describe('Predicted and known.'),
    counter_examples: z.array(plainTriple).describe('Predicted and not known.'),
  })
  .meta({ id: 'MinedRule' });
const progress = z.strictObject({
  phase: z.enum(['constants', 'ranges', 'exceptions', 'paths']),
  length: z.int().describe('Of the paths at work.'),
  rules: z.int().describe('Rules found, those that are not given out included.'),
  candidates: z.int(),
  measured: z.int(),
  ms: z.number(),
});
const induceLimit = z.enum(['ms', 'rules', 'candidates', 'facts']);
const head = {
  id: z.string(),
  knowledge_base: z.string(),
  version: z.int().describe('Of the knowledge base when its facts were read.'),
  status: z.enum(['running', 'completed', 'cancelled', 'failed']),
  facts: z.int(),
  complete: z.boolean().describe('Nothing within the thresholds was missed, and everything was counted exactly.'),
  limit: induceLimit.optional().describe('The limit that was reached.'),
  progress,
  error: z.string().optional(),
};
export const induction = z
  .strictObject({
    object: z.literal('induction'),
    ...head,
    rules: z.array(minedRule).describe('Surest first when completed.'),
    has_more: z.boolean(),
    cursor: z.string().optional().describe('Present when there are more rules; give it with the next GET.'),
  })
  .meta({ id: 'Induction' });
export const inductionEvent = z
  .union([
    induction,
    z.strictObject({ object: z.literal('induction.progress'), ...head }),
    z.strictObject({ object: z.literal('induction.rule'), rule: minedRule }),
  ])
  .meta({ id: 'InductionEvent' });
export const inductionParams = z.strictObject({ id: z.string().min(1).max(128) });
export const inductionQuery = z.strictObject({ knowledge_base: base, ...page });
export const inductionBase = z.strictObject({ knowledge_base: base });
export const adoptRequest = z
  .strictObject({ rules: z.array(z.string().min(1).max(128)).min(1).max(10_000).describe('Ids of rules that the induction found.'), knowledge_base: base })
  .meta({ id: 'AdoptRules' });

export const rankRequest = z
  .strictObject({
    relation: name('Name of a relation.'),
    subject: name('Name of an entity.').optional(),
    object: term.optional(),
    induction: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('Whose rules rank. Absent: rules for this relation are learned now, and kept while the base stays as it is.'),
    limit: z.int().min(1).max(1000).optional().describe('Candidates wanted (default 10).'),
    aggregation: z
      .enum(['max', 'noisy_or'])
      .optional()
      .describe('max (default): by the surest rule, ties by the next; noisy_or: the five surest rules as independent causes.'),
    known: z.boolean().optional().describe('Candidates that are stored facts already, too (default false).'),
    limits: limits.describe("Of the learning; of each the lower of this and the server's counts."),
    knowledge_base: base,
  })
  .meta({ id: 'RankRequest', example: { relation: 'won', object: 'Nobel Prize in Chemistry' } });
export const rankReply = z
  .strictObject({
    induction: z.string(),
    candidates: z.array(
      z.strictObject({
        triple: plainTriple,
        score: z.number().describe('Of a rule: support / (predictions + 5), so that few observations make it less sure. Of the candidate: that of the surest rule, or the noisy-or of the five surest. 0: no rule predicts it; it only occurs often in this place.'),
        rules: z.array(rule).describe('Rules that predict it, surest first, a few of them.'),
      }),
    ),
    predicted: z.int().describe('Candidates that some rule predicts, as far as looked at.'),
    partial: z.boolean().describe('A limit was reached, or some measures are extrapolated.'),
  })
  .meta({ id: 'Ranking' });

/** What the service allows one induction, and the milliseconds of one that names none. */
export interface InduceMost {
  readonly ms: number;
  readonly defaultMs: number;
  readonly facts: number;
  readonly rules: number;
}
const limitsOf = (given: z.infer<typeof limits>, most: InduceMost): InduceRequest['limits'] => ({
  ms: Math.min(most.ms, given?.ms ?? most.defaultMs),
  rules: Math.min(most.rules, given?.rules ?? RULES),
  facts: Math.min(most.facts, given?.facts ?? most.facts),
});
export const induceRequestOf = (body: z.infer<typeof induceRequest>, most: InduceMost, signal: AbortSignal): InduceRequest => ({
  ...(body.relations === undefined ? {} : { relations: body.relations.map(parseRelationName) }),
  length: body.length,
  constants: body.constants,
  ranges: body.ranges,
  exceptions: body.exceptions,
  support: body.min_support,
  confidence: body.min_confidence,
  pcaConfidence: body.min_pca_confidence,
  headCoverage: body.min_head_coverage,
  confidenceBy: body.confidence,
  examples: body.examples,
  derived: body.derived,
  seed: body.seed,
  limits: limitsOf(body.limits, most),
  signal,
});
const tripleWire = ({ subject, relation, object, negated }: Triple): z.infer<typeof plainTriple> => ({
  subject,
  relation,
  object: termWire(object),
  ...(negated ? { negated: true as const } : {}),
});
export const minedWire = ({ rule: item, measures: of, examples, counterExamples }: MinedRule): z.infer<typeof minedRule> => ({
  id: item.id,
  text: item.text,
  rule: ruleWire(item),
  measures: {
    support: of.support,
    predictions: of.predictions,
    head_coverage: of.headCoverage,
    confidence: of.confidence,
    pca_confidence: of.pcaConfidence,
    lift: of.lift,
    interval: [of.interval[0], of.interval[1]],
    exact: of.exact,
  },
  examples: examples.map(tripleWire),
  counter_examples: counterExamples.map(tripleWire),
});
const headWire = (state: InductionState) => ({
  id: state.id,
  knowledge_base: state.base,
  version: state.version,
  status: state.status,
  facts: state.facts,
  complete: state.complete,
  ...(state.limit === undefined ? {} : { limit: state.limit }),
  progress: { ...state.progress },
  ...(state.error === undefined ? {} : { error: state.error.message }),
});
/** `from` and `most`: the page of rules. */
export const inductionWire = (state: InductionState, from = 0, most = Number.POSITIVE_INFINITY): z.infer<typeof induction> => {
  const rules = state.rules.slice(from, from + most);
  const behind = from + rules.length;
  return {
    object: 'induction',
    ...headWire(state),
    rules: rules.map(minedWire),
    has_more: behind < state.rules.length,
    ...(behind < state.rules.length ? { cursor: String(behind) } : {}),
  };
};
/** The last event holds the whole result. */
export const inductionEventWire = (event: InductionEvent): z.infer<typeof inductionEvent> => {
  if (event.kind === 'rule') return { object: 'induction.rule', rule: minedWire(event.rule) };
  if (event.kind === 'progress') return { object: 'induction.progress', ...headWire(event.state) };
  if (event.state.error) throw event.state.error;
  return inductionWire(event.state);
};
export const rankRequestOf = (body: z.infer<typeof rankRequest>, most: InduceMost, signal: AbortSignal): RankRequest => ({
  relation: parseRelationName(body.relation),
  ...(body.subject === undefined ? {} : { subject: parseEntityId(body.subject) }),
  ...(body.object === undefined ? {} : { object: termOf(body.object) }),
  induction: body.induction,
  limit: body.limit,
  aggregation: body.aggregation,
  known: body.known,
  limits: limitsOf(body.limits, most),
  signal,
});
export const rankWire = ({ induction: id, candidates, predicted, partial }: RankResult): z.infer<typeof rankReply> => ({
  induction: id,
  candidates: candidates.map(({ triple, score, rules }) => ({ triple: tripleWire(triple), score, rules: rules.map(ruleWire) })),
  predicted,
  partial,
});
