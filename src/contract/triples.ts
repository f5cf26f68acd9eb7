// Owns the wire form of triples: what is told, matched, withdrawn, imported and exported.
// Refuses to know where they are stored.

import { z } from 'zod';
import { base, confidence, instant, listOf, name, page, partial, queryFlag, queryFraction, text } from './common.ts';
import { entity, literal, parseEntityId, parseNumber, parseRelationName, TermError } from '../../graph/terms.ts';
import type { Fact, Source, Statement, Term, TriplePattern } from '../../graph/terms.ts';
import type { KnownFact } from '../../graph/knowledge.ts';

const literalWire = z.strictObject({
  value: z.union([text(65_536), z.number(), z.boolean()]),
  type: z.enum(['string', 'number', 'date', 'boolean']).optional().describe('As the value is when absent; a date is ISO 8601. A whole number that a double cannot hold is refused: give it as a string.'),
});
/** Name of an entity, or a literal. */
export const term = z
  .union([name('Name of an entity.'), literalWire], { error: 'expected the name of an entity, or a literal such as {"value": 5, "type": "number"}' })
  .meta({ id: 'Term', examples: ['Germany', { value: 1879, type: 'number' }, { value: '1879-03-14', type: 'date' }] });
export const source = z
  .union([
    text(4096).min(1),
    z
      .strictObject({ document: text(4096).min(1), page: z.int().min(1).optional(), start: z.int().min(0).optional(), end: z.int().min(0).optional() })
      .refine(({ start, end }) => start === undefined || end === undefined || start <= end, { error: 'must not lie before start', path: ['end'] }),
  ])
  .meta({ id: 'Source', description: 'Where it was read: free text, or a place in a document (page from 1, characters from `start` to `end`).' });
const tripleFields = {
  subject: name('Name of an entity.'),
  relation: name('Name of a relation.'),
  object: term,
  negated: z.boolean().optional().describe('The triple is known to be false.'),
};
export const triple = z
  .strictObject({
    ...tripleFields,
    confidence: confidence.optional().describe('Above 0, at most 1 (default 1).'),
    source: source.optional(),
    valid_from: instant.optional().describe('True from this instant.'),
    valid_to: instant.optional().describe('True until this instant.'),
  })
  .meta({
    id: 'Triple',
    examples: [
      { subject: 'Albert Einstein', relation: 'born in', object: 'Ulm' },
      { subject: 'Albert Einstein', relation: 'birth year', object: { value: 1879, type: 'number' } },
    ],
  });
export type TripleRequest = z.infer<typeof triple>;
export const fact = z
  .strictObject({
    id: z.string(),
    ...tripleFields,
    object: z.union([
      z.string(),
      z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]), type: z.enum(['string', 'number', 'date', 'boolean']) }),
    ]),
    confidence: z.number(),
    source: source.optional(),
    valid_from: z.string().optional(),
    valid_to: z.string().optional(),
    recorded_at: z.string(),
    retracted_at: z.string().optional().describe('Present when it was withdrawn.'),
    derived: z.boolean().describe('It follows by rules and is not itself stored.'),
  })
  .meta({ id: 'Fact' });
export const factList = listOf(fact);

export const addRequest = z
  .strictObject({ triples: z.array(triple).min(1), knowledge_base: base })
  .meta({ id: 'AddTriples', example: { triples: [{ subject: 'Albert Einstein', relation: 'born in', object: 'Ulm', source: 'by hand' }] } });
export const addReply = z
  .strictObject({
    added: z.int(),
    known: z.int().describe('Were stored already.'),
    derived: z.int().describe('Triples that follow now and did not before.'),
    version: z.int().describe('Of the knowledge base after this write.'),
    partial: partial.optional(),
  })
  .meta({ id: 'AddTriplesResult', example: { added: 1, known: 0, derived: 2, version: 7 } });
export const bulkLine = z
  .strictObject({
    object: z.enum(['triples.progress', 'triples.result']),
    lines: z.int().describe('Lines of the body that are stored for good, empty ones included.'),
    added: z.int(),
    known: z.int(),
    derived: z.int(),
    version: z.int(),
    partial: partial.optional(),
  })
  .meta({
    id: 'ImportProgress',
    description:
      'One line for each transaction, counted from the beginning; the last line has the totals (`triples.result`), or holds an Error whose `line` is the malformed line and whose `acknowledged_lines` are stored for good.',
  });
export type BulkLine = z.infer<typeof bulkLine>;

const pattern = {
  knowledge_base: base,
  subject: name('Name of an entity.').optional(),
  relation: name('Name of a relation.').optional(),
  object: name('Name of an entity.').optional(),
  object_value: text(65_536).optional().describe('Literal in place of `object`; see `object_type`.'),
  object_type: z.enum(['string', 'number', 'date', 'boolean']).optional().describe('Type of `object_value` (default string).'),
  negated: queryFlag.optional().describe('true: triples known to be false.'),
};
const oneObject = { error: 'give either object (an entity) or object_value (a literal)', path: ['object_value'] };
const hasOneObject = (query: { readonly object?: string; readonly object_value?: string; readonly object_type?: string }): boolean =>
  query.object_value === undefined ? query.object_type === undefined : query.object === undefined;
export const matchQuery = z
  .strictObject({
    ...pattern,
    as_of: instant.optional().describe('As recorded at this instant, withdrawn facts included.'),
    valid_at: instant.optional().describe('Only facts that were true at this instant, and what followed from them.'),
    min_confidence: queryFraction.optional(),
    derived: z.enum(['include', 'exclude', 'only']).optional().describe('Facts that follow by rules (default include); with `as_of` there are none.'),
    ...page,
  })
  .refine(hasOneObject, oneObject);
export const withdrawQuery = z
  .strictObject({
    ...pattern,
    source: text(4096).min(1).optional().describe('Only facts of this source (the text, or the name of the document).'),
    all: queryFlag.optional().describe('Must be true when nothing else narrows what is withdrawn.'),
  })
  .refine(hasOneObject, oneObject);
export const withdrawReply = z
  .strictObject({ withdrawn: z.int(), no_longer_derived: z.int(), version: z.int(), partial: partial.optional() })
  .meta({ id: 'WithdrawResult', example: { withdrawn: 1, no_longer_derived: 2, version: 8 } });
export const exportQuery = z.strictObject({
  knowledge_base: base,
  derived: z.enum(['include', 'exclude']).optional().describe('Facts that follow by rules (default exclude).'),
});
export const importQuery = z.strictObject({ knowledge_base: base });

export const termOf = (wire: z.infer<typeof term>): Term => (typeof wire === 'string' ? entity(parseEntityId(wire)) : literal(wire.value, wire.type));
export const termWire = (item: Term): string | { value: string | number | boolean; type: 'string' | 'number' | 'date' | 'boolean' } =>
  item.kind === 'entity' ? item.id : { value: item.value, type: item.type };
export const sourceWire = (item: Source): z.infer<typeof source> => (typeof item === 'string' ? item : { ...item });
/** Throws TermError for a name or value that no triple may carry. */
export const statementOf = (wire: TripleRequest): Statement => ({
  subject: parseEntityId(wire.subject),
  relation: parseRelationName(wire.relation),
  object: termOf(wire.object),
  ...(wire.negated ? { negated: true } : {}),
  ...(wire.confidence === undefined ? {} : { confidence: wire.confidence }),
  ...(wire.source === undefined ? {} : { source: wire.source }),
  ...(wire.valid_from === undefined ? {} : { validFrom: wire.valid_from }),
  ...(wire.valid_to === undefined ? {} : { validTo: wire.valid_to }),
});
/** The statement alone, as an import takes it. */
export const statementWire = (item: Fact): TripleRequest => ({
  subject: item.subject,
  relation: item.relation,
  object: termWire(item.object),
  ...(item.negated ? { negated: true } : {}),
  ...(item.confidence === 1 ? {} : { confidence: item.confidence }),
  ...(item.source === undefined ? {} : { source: sourceWire(item.source) }),
  ...(item.validFrom === undefined ? {} : { valid_from: item.validFrom }),
  ...(item.validTo === undefined ? {} : { valid_to: item.validTo }),
});
export const factWire = (item: KnownFact): z.infer<typeof fact> => ({
  id: item.id,
  ...statementWire(item),
  object: termWire(item.object),
  confidence: item.confidence,
  recorded_at: item.recordedAt,
  ...(item.retractedAt === undefined ? {} : { retracted_at: item.retractedAt }),
  derived: item.derived,
});

function numberOf(text: string): number {
  try {
    return text === '' ? Number.NaN : parseNumber(text);
  } catch (error) {
    throw error instanceof TermError ? new TermError(error.code, `object_value: ${error.message}`, 'object_value') : error;
  }
}
function literalOf(value: string, type: 'string' | 'number' | 'date' | 'boolean' = 'string'): Term {
  if (type === 'number') return literal(numberOf(value.trim()), type);
  if (type === 'boolean') return literal(value === 'true' ? true : value === 'false' ? false : value, type);
  return literal(value, type);
}
/** Throws TermError for a name or value that no triple may carry. */
export const patternOf = (query: Pick<z.infer<typeof matchQuery>, keyof typeof pattern>): TriplePattern => ({
  ...(query.subject === undefined ? {} : { subject: parseEntityId(query.subject) }),
  ...(query.relation === undefined ? {} : { relation: parseRelationName(query.relation) }),
  ...(query.object === undefined ? {} : { object: entity(parseEntityId(query.object)) }),
  ...(query.object_value === undefined ? {} : { object: literalOf(query.object_value, query.object_type) }),
  ...(query.negated ? { negated: true } : {}),
});
