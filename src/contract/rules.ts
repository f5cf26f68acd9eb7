// Owns the wire form of rules: as text, as JSON, as they are stored, and what is wrong with them.
// Refuses to know what they derive.

import { z } from 'zod';
import { base, listOf, page, partial } from './common.ts';
import { ruleToJson } from '../../graph/reason/json.ts';
import type { Rule } from '../../graph/reason/types.ts';
import type { RuleError } from '../../graph/knowledge.ts';

/** The rule language's own reader checks what is inside, and says where. */
export const ruleInput = z
  .union([z.string().min(1), z.array(z.unknown()).min(1), z.looseObject({})])
  .meta({
    id: 'RulesDocument',
    description:
      'Text such as `ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).`, or the JSON form: one rule or an array of rules, each with `heads` and `body`.',
  });
const ruleTerm = z.union([z.string(), z.looseObject({})]).describe('`?x` (variable), the name of an entity, {"entity": ...}, or {"value": ..., "type": ...}.');
const atom = z.strictObject({
  relation: z.string(),
  subject: ruleTerm,
  object: ruleTerm,
  negated: z.literal(true).optional(),
  absent: z.literal(true).optional(),
});
const comparison = z.strictObject({ compare: z.enum(['=', '!=', '<', '<=', '>', '>=']), left: ruleTerm, right: ruleTerm });
export const rule = z
  .strictObject({
    id: z.string(),
    text: z.string(),
    name: z.string().optional(),
    confidence: z.number().optional(),
    say: z.string().optional(),
    heads: z.array(atom),
    body: z.array(z.union([atom, comparison])),
  })
  .meta({ id: 'Rule' });
export const ruleList = listOf(rule);
export const listQuery = z.strictObject({ knowledge_base: base, ...page });
export const addRules = z.strictObject({ rules: ruleInput, knowledge_base: base }).meta({
  id: 'AddRules',
  examples: [
    { rules: '@name("men are mortal") @say("{x} is mortal because {x} is a man") mortal(?x) :- man(?x).' },
    { rules: [{ heads: [{ relation: 'ancestor', subject: '?x', object: '?y' }], body: [{ relation: 'parent', subject: '?x', object: '?y' }] }] },
  ],
});
export const addReply = z
  .strictObject({ rules: z.array(rule), derived: z.int(), version: z.int(), partial: partial.optional() })
  .meta({ id: 'AddRulesResult' });
const mistake = z.strictObject({
  message: z.string(),
  code: z.string(),
  line: z.int(),
  column: z.int(),
  expected: z.array(z.string()),
  rule: z.string().optional(),
  path: z.string().optional().describe('Place in the JSON form.'),
});
export const checkReply = z.strictObject({ valid: z.boolean(), rules: z.array(rule), errors: z.array(mistake) }).meta({ id: 'RulesCheck' });
export const idParams = z.strictObject({ id: z.string().min(1).max(128) });
export const baseQuery = z.strictObject({ knowledge_base: base });
export const removeReply = z
  .strictObject({ removed: rule, no_longer_derived: z.int(), version: z.int(), partial: partial.optional() })
  .meta({ id: 'RemoveRuleResult' });

export const ruleWire = (item: Rule): z.infer<typeof rule> => {
  const { heads, body, ...rest } = ruleToJson(item);
  return { id: item.id, text: item.text, ...rest, heads: heads.map((head) => ({ ...head })), body: body.map((part) => ({ ...part })) };
};
export const mistakeWire = (error: RuleError): z.infer<typeof mistake> => ({
  message: error.message,
  code: `rule_${error.code}`,
  line: error.line,
  column: error.column,
  expected: [...error.expected],
  ...(error.rule === undefined ? {} : { rule: error.rule }),
  ...(error.path === undefined ? {} : { path: error.path }),
});
