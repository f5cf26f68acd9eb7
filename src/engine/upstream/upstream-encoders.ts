// Owns embeddings and reranking as a server with OpenAI's, Cohere's or vLLM's API takes and gives them: bodies, and reading what comes back.
// Refuses to know how they are sent.

import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { Embeddings, EmbedRequest, ScoreRequest, Scores } from '../port.ts';

const usage = z.looseObject({ prompt_tokens: z.int().nullish(), total_tokens: z.int().nullish() }).nullish();
const embeddingsSchema = z.looseObject({ data: z.array(z.looseObject({ index: z.int().nonnegative(), embedding: z.union([z.array(z.number()), z.string()]) })), usage });
const rerankSchema = z.looseObject({ results: z.array(z.looseObject({ index: z.int().nonnegative(), relevance_score: z.number() })), usage });

/** What is not in OpenAI's API is sent only where it asks for something. */
export const embeddingsBody = ({ model, inputs, dimensions, prompt, inputType, truncate }: EmbedRequest): Readonly<Record<string, unknown>> => ({
  model,
  input: inputs,
  encoding_format: 'base64',
  ...(dimensions === undefined ? {} : { dimensions }),
  ...(prompt === undefined ? {} : { prompt_name: prompt }),
  ...(inputType === undefined ? {} : { input_type: inputType }),
  ...(truncate === true ? { truncate } : {}),
});
export const rerankBody = ({ model, query, documents, truncate }: ScoreRequest): Readonly<Record<string, unknown>> => ({ model, query, documents, ...(truncate === true ? { truncate } : {}) });

const strange = (what: string): EngineError => new EngineError('upstream_failed', `the engine elsewhere answered ${what}`);
/** Items by their index, each there once. */
function ordered<T extends { readonly index: number }>(items: readonly T[], count: number, what: string): readonly T[] {
  const byIndex = new Map(items.map((item) => [item.index, item]));
  const all = Array.from({ length: count }, (_, i) => byIndex.get(i)).filter((item) => item !== undefined);
  if (items.length !== count || all.length !== count) throw strange(`${items.length} ${what} for ${count} texts`);
  return all;
}

export function readEmbeddings(body: unknown, count: number): Embeddings {
  const read = embeddingsSchema.safeParse(body);
  if (!read.success) throw strange('what is no list of embeddings in the form of OpenAI');
  const vectors = ordered(read.data.data, count, 'embeddings').map(({ embedding }) => {
    if (typeof embedding !== 'string') return Float32Array.from(embedding);
    const bytes = Buffer.from(embedding, 'base64');
    return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readFloatLE(4 * i));
  });
  return { vectors, promptTokens: read.data.usage?.prompt_tokens ?? read.data.usage?.total_tokens ?? 0 };
}
export function readScores(body: unknown, count: number): Scores {
  const read = rerankSchema.safeParse(body);
  if (!read.success) throw strange('what is no list of results in the form of Cohere');
  return { scores: ordered(read.data.results, count, 'results').map((result) => result.relevance_score), promptTokens: read.data.usage?.prompt_tokens ?? read.data.usage?.total_tokens ?? 0 };
}
