// Owns the wire form of reranking, as Cohere, Jina and vLLM have it.
// Refuses to know how texts are compared.

import { z } from 'zod';
import { text } from './common.ts';
import { harmless } from './generation.ts';
import type { ScoreRequest, Scores } from '../engine/port.ts';

const one = text(1_000_000).min(1);
/** More are refused before they are looked at; how many there may be is configured (PHAROS_RERANK_DOCUMENTS). */
const MOST_DOCUMENTS = 100_000;

export const rerankRequest = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('A name from `GET /v1/models` that can `score`. When absent: the first cross-encoder; where there is none, the first embedding model.'),
    query: one,
    documents: z.array(z.union([one, z.strictObject({ text: one })])).min(1).max(MOST_DOCUMENTS),
    top_n: z.int().min(1).nullish().describe('Results at most; all when absent.'),
    return_documents: z.boolean().nullish().describe('Give each document back with its score.'),
    truncate: z.boolean().nullish().describe('Cut texts that are too long for the model; otherwise they are an error.'),
    truncate_prompt_tokens: z.literal(-1).nullish().describe('-1: as `truncate`, as vLLM has it.'),
    ...harmless,
  })
  .meta({ id: 'RerankRequest', example: { query: 'Where was Albert Einstein born?', documents: ['Ulm lies on the Danube.', 'Albert Einstein was born in Ulm.'], top_n: 1 } });
export type RerankRequest = z.infer<typeof rerankRequest>;

export const rerankReply = z
  .strictObject({
    id: z.string(),
    model: z.string(),
    usage: z.strictObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
    results: z
      .array(
        z.strictObject({
          index: z.int().describe('Place in `documents`.'),
          relevance_score: z.number().describe('Higher is nearer. Of a cross-encoder in (0, 1): its logit through the logistic function. Of an embedding model the cosine, in [-1, 1].'),
          document: z.strictObject({ text: z.string() }).optional(),
        }),
      )
      .describe('The nearest first.'),
  })
  .meta({ id: 'RerankReply' });

const textOf = (document: RerankRequest['documents'][number]): string => (typeof document === 'string' ? document : document.text);
export const scoreRequestOf = ({ query, documents, truncate, truncate_prompt_tokens: cut }: RerankRequest, model: string): ScoreRequest => ({
  model,
  query,
  documents: documents.map(textOf),
  ...(truncate === true || cut === -1 ? { truncate: true } : {}),
});

export function rerankWire({ scores, promptTokens }: Scores, { documents, top_n: most, return_documents: give }: RerankRequest, id: string, model: string): z.infer<typeof rerankReply> {
  const order = scores.map((_, i) => i).toSorted((a, b) => scores[b] - scores[a] || a - b);
  return {
    id,
    model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    results: order.slice(0, most ?? order.length).map((index) => ({ index, relevance_score: scores[index], ...(give === true ? { document: { text: textOf(documents[index]) } } : {}) })),
  };
}
