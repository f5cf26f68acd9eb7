// Owns the wire form of rules: as text, as JSON, as they are stored, and what is wrong with them.
// Refuses to know what they derive.

import { z } from 'zod';
import { base, listOf, page, partial, queryWhole } from './common.ts';
import { ruleToJson } from '../../graph/reason/language/json.ts';
import type { Rule } from '../../graph/reason/types.ts';
import { RULE_FORMATS, RULE_SETS } from '../../graph/knowledge.ts';
import type { RuleBook, RuleError, RuleVersion } from '../../graph/knowledge.ts';

/** The rule language's own reader checks what is inside, and says where. */
export const ruleInput = z.union([z.string().min(1), z.array(z.unknown()).min(1), z.looseObject({})]).meta({
  id: 'RulesDocument',
  description:
    'Datalog text such as `ancestor(?x, ?z) :- parent(?x, ?y), ancestor(?y, ?z).`, or the JSON form: one rule or an array of rules, each with `heads` and `body`. N3, Jena, RDFox and Soufflé rules are text whose `format` is given. Conditions may negate (`not p(?x, ?y)`, `-p(?x, ?y)`), compare and compute (`?z = ?x + 2 * ?y`, `contains(?n, "a")`, `year(?d) in [1999, 2000]`), and aggregate (`?n = count { ?f : directed(?d, ?f) }`).',
});
const ruleTerm = z.union([z.string(), z.looseObject({})]).describe('`?x` (variable), `_` (anything, in conditions), the name of an entity, {"entity": ...}, or {"value": ..., "type": ...}.');
const atom = z.strictObject({
  relation: z.string(),
  subject: ruleTerm,
  object: ruleTerm,
  negated: z.literal(true).optional(),
  absent: z.literal(true).optional(),
});
const ruleValue = z.union([z.string(), z.looseObject({})]).describe('A term, {"call": "+", "arguments": [...]}, or {"list": [...]} behind "in".');
const comparison = z.strictObject({ compare: z.enum(['=', '!=', '<', '<=', '>', '>=', 'in', 'not in']), left: ruleValue, right: ruleValue });
const test = z.strictObject({ call: z.string(), arguments: z.array(ruleValue).readonly(), absent: z.literal(true).optional() });
const aggregate = z.strictObject({
  aggregate: z.enum(['count', 'sum', 'min', 'max', 'avg']),
  result: ruleTerm,
  of: z.array(ruleTerm).readonly(),
  body: z.array(z.union([atom, comparison, test])).readonly(),
});
export const rule = z
  .strictObject({
    id: z.string(),
    text: z.string(),
    name: z.string().optional(),
    confidence: z.number().optional(),
    say: z.string().optional(),
    heads: z.array(atom),
    body: z.array(z.union([atom, comparison, test, aggregate])),
  })
  .meta({ id: 'Rule' });
export const ruleSetName = z.enum(RULE_SETS).meta({
  id: 'RuleSetName',
  description:
    'A built-in rule set, read from the schema that is stored: "subclass of", "subproperty of", domain, range, and for OWL 2 RL "inverse of", "same as", membership in "transitive property", "symmetric property", "functional property" and so on.',
});
export const ruleList = listOf(rule).extend({
  version: z.int().describe('Version of the knowledge base that these rules belong to; it grows with every write.'),
  rule_sets: z
    .array(z.strictObject({ name: ruleSetName, rules: z.int().optional().describe('Rules that all rule sets together stand for now; absent of an earlier version.') }))
    .describe('Built-in rule sets in use.'),
});
const version = queryWhole(0, Number.MAX_SAFE_INTEGER);
export const listQuery = z.strictObject({
  knowledge_base: base,
  version: version.optional().describe('Rules as they were in this version of the knowledge base, as far back as /v1/rules/versions goes; the present ones when absent.'),
  ...page,
});
const ruleVersion = z
  .strictObject({
    version: z.int(),
    at: z.string().optional().describe('When it was written; absent of the earliest version that is known when earlier ones are forgotten.'),
    added: z.int(),
    removed: z.int(),
    rules: z.int().describe('Rules that there were then.'),
    rule_sets: z.array(ruleSetName),
  })
  .meta({ id: 'RuleVersion' });
export const versionList = listOf(ruleVersion);
export const versionsQuery = z.strictObject({ knowledge_base: base, ...page });
export const restoreRules = z
  .strictObject({ version: z.int().min(0).describe('A version of the knowledge base; 0: before anything was stored.'), knowledge_base: base })
  .meta({ id: 'RestoreRules', example: { version: 1 } });
export const restoreReply = z
  .strictObject({
    restored: z.int(),
    added: z.array(rule),
    removed: z.array(rule),
    rule_sets: z.array(ruleSetName).describe('Rule sets in use now.'),
    derived: z.int(),
    no_longer_derived: z.int(),
    version: z.int().describe('Version of the knowledge base now; restoring an earlier one makes a new one.'),
    partial: partial.optional(),
  })
  .meta({ id: 'RestoreRulesResult' });
export const ruleFormat = z.enum(RULE_FORMATS).describe('How `rules` are written; Datalog and JSON are told apart without it.');
const written = {
  rules: ruleInput,
  format: ruleFormat.optional(),
  names: z.enum(['local', 'iri']).optional().describe('What IRIs of N3, Jena and RDFox rules are called: their last part (default), or all of them.'),
  knowledge_base: base,
};
export const checkRules = z.strictObject(written).meta({ id: 'CheckRules' });
export const addRules = z
  .strictObject({ ...written, rules: ruleInput.optional(), rule_set: ruleSetName.optional() })
  .refine((body) => (body.rules === undefined) !== (body.rule_set === undefined), {
    path: ['rules'],
    error: 'give either rules or rule_set',
  })
  .meta({
    id: 'AddRules',
    examples: [
      { rules: '@name("men are mortal") @say("{x} is mortal because {x} is a man") mortal(?x) :- man(?x).' },
      { rules: '{ ?x :parent ?y . ?y :parent ?z } => { ?x :grandparent ?z } .', format: 'n3' },
      { rules: 'PREFIX : <http://example.org/> [?x, :uncle, ?z] :- [?x, :parent, ?y], [?y, :brother, ?z], NOT [?z, a, :Ghost] .', format: 'rdfox' },
      { rules: '.decl path(x: symbol, y: symbol)\npath(x, y) :- edge(x, y).\npath(x, z) :- edge(x, y), path(y, z).', format: 'souffle' },
      { rule_set: 'rdfs' },
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
export const removeSetQuery = z.strictObject({ rule_set: ruleSetName, knowledge_base: base });
export const removeSetReply = z
  .strictObject({ removed: ruleSetName, no_longer_derived: z.int(), version: z.int(), partial: partial.optional() })
  .meta({ id: 'RemoveRuleSetResult' });
export const removeReply = z
  .strictObject({ removed: rule, no_longer_derived: z.int(), version: z.int(), partial: partial.optional() })
  .meta({ id: 'RemoveRuleResult' });

export const ruleWire = (item: Rule): z.infer<typeof rule> => {
  const { heads, body, ...rest } = ruleToJson(item);
  return { id: item.id, text: item.text, ...rest, heads: heads.map((head) => ({ ...head })), body: body.map((part) => ({ ...part })) };
};
export const ruleSetsWire = ({ ruleSets, setRules, past }: RuleBook): z.infer<typeof ruleList>['rule_sets'] =>
  ruleSets.map((name) => ({ name, ...(past ? {} : { rules: setRules.length }) }));
export const versionWire = ({ ruleSets, ...version }: RuleVersion): z.infer<typeof ruleVersion> => ({ ...version, rule_sets: [...ruleSets] });
export const mistakeWire = (error: RuleError): z.infer<typeof mistake> => ({
  message: error.message,
  code: `rule_${error.code}`,
  line: error.line,
  column: error.column,
  expected: [...error.expected],
  ...(error.rule === undefined ? {} : { rule: error.rule }),
  ...(error.path === undefined ? {} : { path: error.path }),
});
