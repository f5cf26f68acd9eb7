// Owns the fields by which a request says what its text must be, in all their names, and that no two of them say different things.
// Refuses to know how a form is kept.

import { z } from 'zod';
import { baseName, baseOf, text } from './common.ts';
import { parseExactly, roundedIn, roundedReason } from './exact-json.ts';
import type { PathsAsked } from '../answers/port.ts';
import type { ConstraintSpec } from '../engine/port.ts';

const schemaText = z.union([z.record(z.string(), z.unknown()), z.boolean()]);
/** Larger ones are refused before they are read. */
const SCHEMA_CHARACTERS = 256 * 1024;
const smallSchema = schemaText.refine((schema) => JSON.stringify(schema).length <= SCHEMA_CHARACTERS, `must have at most ${SCHEMA_CHARACTERS} characters`);
/** A schema may be the text of one, as in vLLM. */
const writtenSchema = z.union([
  z
    .string()
    .max(SCHEMA_CHARACTERS)
    .transform((given, context): z.infer<typeof schemaText> => {
      try {
        const rounded = roundedIn(parseExactly(given));
        if (rounded) context.addIssue({ code: 'custom', path: [...rounded.path], message: roundedReason(rounded) });
        return schemaText.parse(JSON.parse(given));
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a JSON Schema, or the text of one' });
        return z.NEVER;
      }
    }),
  smallSchema,
]);
const pattern = text(16_384).min(1);
const gbnf = text(262_144).min(1);
const choices = z.array(text(10_000).min(1)).min(1).max(10_000);
const responseFormat = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object'), schema: smallSchema.optional().describe('As `json_schema.schema`. (As in llama.cpp.)') }),
    z.strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject({ name: z.string().max(64).optional(), description: z.string().max(10_000).optional(), schema: smallSchema, strict: z.boolean().nullish() }),
    }),
    z.strictObject({ type: z.literal('regex'), pattern }),
    z.strictObject({ type: z.literal('grammar'), grammar: gbnf }),
    z.strictObject({
      type: z.literal('relation_path'),
      start: z.array(text(1024).min(1)).min(1).max(16).describe('Names or aliases of the entities from which the path leads.'),
      hops: z.int().min(1).max(3).optional().describe('Steps at most (default 2).'),
      inverse: z.boolean().optional().describe('Facts may be walked from object to subject, too (default false).'),
      form: z.enum(['names', 'relations']).optional().describe('`names` (default): `Ulm -[located in]-> Germany`, and `Ulm <-[born in]- Albert Einstein` for an inverse step. `relations`: a property path such as `born in/^located in`.'),
      base: baseName.optional(),
    }),
  ])
  .meta({
    id: 'ResponseFormat',
    description:
      'What the text must be, by construction: a JSON object, JSON valid by a schema (always strictly), a match of a regular expression, a text of a grammar (GBNF), or a relation path that a knowledge base holds, stored or derived; `grounding` has its proof. The last three are not in OpenAI, and a relation path is for chats only.',
  });
/** As vLLM names the same. */
const structuredOutputs = z
  .strictObject({ json: writtenSchema, regex: pattern, grammar: gbnf, choice: choices, json_object: z.literal(true) })
  .partial()
  .refine((given) => Object.values(given).filter((value) => value !== undefined).length === 1, 'must have one of json, regex, grammar, choice, json_object')
  .meta({ id: 'StructuredOutputs', description: 'The same as `response_format`, and choices. (As in vLLM.)' });

export const forms = {
  response_format: responseFormat.nullish(),
  structured_outputs: structuredOutputs.nullish(),
  guided_json: writtenSchema.nullish().describe('As `structured_outputs.json`. (As in earlier versions of vLLM.)'),
  guided_regex: pattern.nullish().describe('As `structured_outputs.regex`. (As in earlier versions of vLLM.)'),
  guided_choice: choices.nullish().describe('As `structured_outputs.choice`. (As in earlier versions of vLLM.)'),
  guided_grammar: gbnf.nullish().describe('As `structured_outputs.grammar`. (As in earlier versions of vLLM.)'),
  grammar: text(262_144).nullish().describe('A grammar (GBNF) whose `root` the text is; empty: none. (As in llama.cpp.)'),
  json_schema: smallSchema.nullish().describe('A JSON Schema by which the text is valid. (As in llama.cpp.)'),
};
type Given = { readonly [Name in keyof typeof forms]?: z.infer<(typeof forms)[Name]> };
type Form = ConstraintSpec | { readonly kind: 'path'; readonly asked: Omit<PathsAsked, 'base'> & { readonly base?: string } };

function formatOf(format: Given['response_format']): Form | undefined {
  switch (format?.type) {
    case 'json_object':
      return format.schema === undefined ? { kind: 'json' } : { kind: 'schema', schema: format.schema };
    case 'json_schema':
      return { kind: 'schema', schema: format.json_schema.schema };
    case 'regex':
      return { kind: 'regex', pattern: format.pattern };
    case 'grammar':
      return { kind: 'grammar', grammar: format.grammar };
    case 'relation_path':
      return { kind: 'path', asked: { start: format.start, hops: format.hops ?? 2, inverse: format.inverse ?? false, form: format.form ?? 'names', ...(format.base === undefined ? {} : { base: format.base }) } };
    default:
      return undefined;
  }
}
const schemaOf = (schema: unknown): Form | undefined => (schema === undefined || schema === null ? undefined : { kind: 'schema', schema });
const regexOf = (given: string | null | undefined): Form | undefined => (given ? { kind: 'regex', pattern: given } : undefined);
const grammarOf = (grammar: string | null | undefined): Form | undefined => (grammar ? { kind: 'grammar', grammar } : undefined);
const choiceOf = (given: readonly string[] | null | undefined): Form | undefined => (given ? { kind: 'choice', choices: given } : undefined);
/** The forms that a request asks for, each with its field. */
function formsOf(given: Given): readonly { readonly field: keyof Given; readonly form: Form }[] {
  const { structured_outputs: outputs } = given;
  const asked: Readonly<Record<keyof Given, Form | undefined>> = {
    response_format: formatOf(given.response_format),
    structured_outputs: schemaOf(outputs?.json) ?? regexOf(outputs?.regex) ?? grammarOf(outputs?.grammar) ?? choiceOf(outputs?.choice) ?? (outputs?.json_object === true ? { kind: 'json' } : undefined),
    guided_json: schemaOf(given.guided_json),
    guided_regex: regexOf(given.guided_regex),
    guided_choice: choiceOf(given.guided_choice),
    guided_grammar: grammarOf(given.guided_grammar),
    grammar: grammarOf(given.grammar),
    json_schema: schemaOf(given.json_schema),
  };
  return (Object.keys(asked) as (keyof Given)[]).flatMap((field) => {
    const form = asked[field];
    return form ? [{ field, form }] : [];
  });
}
/** No two fields ask for different forms. */
export function checkForms(given: Given, context: z.RefinementCtx): void {
  const [first, ...others] = formsOf(given);
  const other = others.find(({ form }) => JSON.stringify(form) !== JSON.stringify(first.form));
  if (other) context.addIssue({ code: 'custom', path: [other.field], message: `asks for another form of the text than ${first.field} does; leave one of them out` });
}
/** The constraint that a request asks for; undefined: free text. */
export function constraintOf(given: Given): ConstraintSpec | undefined {
  const form = formsOf(given).at(0)?.form;
  return form?.kind === 'path' ? undefined : form;
}
/** The field by which a request asks for a form of its text; undefined: none does. */
export const formFieldOf = (given: Given): keyof Given | undefined => formsOf(given).at(0)?.field;
/** The relation path that the text is to be, in `base` where it names no other; undefined: none. */
export function pathsOf(given: Given, base?: string): PathsAsked | undefined {
  const form = formsOf(given).at(0)?.form;
  return form?.kind === 'path' ? { ...form.asked, base: baseOf(form.asked.base ?? base) } : undefined;
}
