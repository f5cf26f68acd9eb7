// Owns the task of taking triples out of sentences: what a model is sent, and precision, recall and F1.
// Refuses to know how the texts are made and which model it is.

import { messagesOf } from '../../answers/words/compose.ts';
import type { Engine, ModelInfo } from '../../engine/port.ts';
import { makeExtraction } from '../grounded/extraction.ts';
import type { ExtractionSample } from '../grounded/extraction.ts';
import { readRows, rowsGrammar } from '../../extraction/rows.ts';
import type { Row } from '../../extraction/rows.ts';
import type { Random } from '../random.ts';
import { replyOf, share, sideBySide } from './asking.ts';
import type { Asked } from './asking.ts';
import type { Group } from './groups.ts';

/** Triples of one text at most. */
const MOST = 12;
const schemaOf = (relations: readonly string[]): object => ({
  type: 'array',
  maxItems: MOST,
  items: {
    type: 'object',
    properties: { subject: { type: 'string' }, relation: { enum: relations }, object: { type: 'string' } },
    required: ['subject', 'relation', 'object'],
    additionalProperties: false,
  },
});
const key = (triple: Row): string => triple.map((part) => part.trim().toLowerCase()).join('\u0000');
function read(text: string): readonly Row[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed)
      ? parsed.map(({ subject, relation, object }: Readonly<Record<string, unknown>>): Row => [String(subject), String(relation), String(object)])
      : [];
  } catch {
    return [];
  }
}

/** A model that was trained for it is asked in its own format. */
function asked({ grounded }: ModelInfo, { language, system, user, text, relations }: ExtractionSample, maxTokens: number, constrained: boolean): Asked {
  if (grounded)
    return {
      messages: messagesOf({ system, user }),
      maxTokens,
      ...(constrained ? { constraint: { kind: 'grammar' as const, grammar: rowsGrammar(relations, MOST, language, text) } } : {}),
    };
  const instruction = `Write the facts of the text as a JSON array of objects with subject, relation and object. Names stand as they stand in the text. Relations: ${relations.join('; ')}.`;
  return {
    messages: [
      { role: 'system', content: instruction },
      { role: 'user', content: text },
    ],
    maxTokens,
    ...(constrained ? { constraint: { kind: 'schema' as const, schema: schemaOf(relations) } } : {}),
  };
}

export const EXTRACTION_HEAD = ['set', 'precision', 'recall', 'F1', 'texts without a mistake'];
/** The figures of so many texts of a group. The relations are given, as a knowledge base gives them; under the constraint the form is given: a JSON Schema, for a model that was trained for it rows. */
export async function extractionRow(
  engine: Engine,
  info: ModelInfo,
  { title, options }: Group,
  random: Random,
  count: number,
  atOnce: number,
  constrained: boolean,
): Promise<string[]> {
  const cases = Array.from({ length: count }, () => makeExtraction(random, options));
  const scored = await sideBySide(cases, atOnce, async (sample) => {
    const maxTokens = 2 * (await engine.countTokens(info.id, sample.assistant)) + 64 * (info.grounded ? 1 : 2);
    const reply = await replyOf(engine, info.id, asked(info, sample, maxTokens, constrained));
    const found = new Set((info.grounded ? readRows(reply) : read(reply)).map(key));
    const wanted = new Set(sample.triples.map(key));
    return { found: found.size, wanted: wanted.size, right: found.intersection(wanted).size };
  });
  const total = (part: 'found' | 'wanted' | 'right'): number => scored.reduce((sum, each) => sum + each[part], 0);
  const [found, wanted, right] = [total('found'), total('wanted'), total('right')];
  const f1 = found + wanted === 0 ? 0 : (2 * right) / (found + wanted);
  return [
    title,
    share(right, found),
    share(right, wanted),
    f1.toFixed(3),
    share(scored.filter((each) => each.right === each.wanted && each.found === each.wanted).length, count),
  ];
}
