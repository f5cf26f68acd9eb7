// Owns the wire form of taking triples out of text.
// Refuses to know models and stores.

import { z } from 'zod';
import { base, name, partial, text } from './common.ts';
import { harmless } from './generation.ts';
import { source, triple } from './triples.ts';
import type { Extraction } from '../extraction/extract.ts';
import type { TellResult } from '../../graph/knowledge.ts';

/** Longer texts are refused before they are looked at; how many passages there may be is configured (PHAROS_EXTRACT_PASSAGES). */
const MOST_CHARACTERS = 8_000_000;

export const extractRequest = z
  .strictObject({
    ...harmless,
    model: z.string().min(1).max(256).optional().describe('A name from `GET /v1/models` that generates; the default model when absent.'),
    text: text(MOST_CHARACTERS).min(1),
    knowledge_base: base,
    relations: z
      .array(name('Name of a relation; it need not be in the knowledge base.'))
      .min(1)
      .max(10_000)
      .optional()
      .describe('What to look for. When absent: the relations of the knowledge base, which are also known by their aliases.'),
    store: z.boolean().optional().describe('Add what is found to the knowledge base, as one transaction.'),
    source: source.optional().describe('Where the text is from; kept with each triple that is stored. When absent: the passage itself.'),
  })
  .meta({ id: 'ExtractRequest', example: { text: 'Albert Einstein was born in Ulm. Ulm is located in Germany.', relations: ['born in', 'located in'] } });
export type ExtractRequest = z.infer<typeof extractRequest>;

export const extractReply = z
  .strictObject({
    object: z.literal('extraction'),
    model: z.string(),
    triples: z.array(triple).describe('As `POST /v1/triples` takes them, each once, in the order of the text; `source` is what was given, or the passage.'),
    left_out: z.int().describe('Triples that the model wrote with a name that does not stand in its passage, or that can be none ("several prizes"). They are not in `triples`.'),
    denied: z.int().describe('Clauses and sentences that deny, suppose or ask something ("Alice is not married to Carl.", "If Bob were born in Rome, ..."), or only report what somebody says ("Livy said that ..."). Nothing is taken from them. A model that was not trained for Pharos reads every sentence itself; of these none are counted.'),
    cut: z.int().describe('Passages that tell more than the model had room to write.'),
    usage: z.strictObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }),
    stored: z
      .strictObject({ added: z.int(), known: z.int(), derived: z.int(), version: z.int(), partial: partial.optional() })
      .optional()
      .describe('With `store`: what became of them, as `POST /v1/triples` says it.'),
  })
  .meta({ id: 'ExtractReply' });

const SOURCE_CHARACTERS = 4096;
/** No half of a surrogate pair at the cut. */
const beginning = (passage: string): string => passage.slice(0, SOURCE_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
export function extractWire(model: string, { triples, invented, denied, cut, usage }: Extraction, given: ExtractRequest['source']): z.infer<typeof extractReply> {
  return {
    object: 'extraction',
    model,
    triples: triples.map(({ subject, relation, object, passage }) => ({ subject, relation, object, source: given ?? beginning(passage) })),
    left_out: invented,
    denied,
    cut,
    usage: { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens, total_tokens: usage.promptTokens + usage.completionTokens },
  };
}
export const storedWire = ({ added, known, derived, version, partial }: TellResult): NonNullable<z.infer<typeof extractReply>['stored']> => ({
  added: added.length,
  known,
  derived,
  version,
  ...(partial === undefined ? {} : { partial }),
});
