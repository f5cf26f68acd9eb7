// Owns embeddings and reranking as a server with OpenAI's, Cohere's or vLLM's API takes and gives them: bodies, and reading what comes back.
// Refuses to know how they are sent.

import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { Embeddings, EmbedRequest, ScoreRequest, Scores } from '../port.ts';

const usage = z.looseObject({ prompt_tokens: z.int().nullish(), total_tokens: z.int().nullish() }).nullish();
const embeddingsSchema = z.looseObject({ data: z.array(z.looseObject({ index: z.int().nonnegative(), embedding: z.union([z.array(z.number()), z.string()]) })), usage });
const rerankSchema = z.looseObject({ results: z.array(z.looseObject({ index: z.int().nonnegative(), relevance_score: z.number() })), usage });

/** As Pharos and others, and as vLLM, call it. */
const CUT = { truncate: true, truncate_prompt_tokens: -1 } as const;
/** What is not in OpenAI's API is sent only where it asks for something. */
export const embeddingsBody = ({ model, inputs, dimensions, prompt, inputType, truncate }: EmbedRequest): Readonly<Record<string, unknown>> => ({
  model,
  input: inputs,
  encoding_format: 'base64',
  ...(dimensions === undefined ? {} : { dimensions }),
  ...(prompt === undefined ? {} : { prompt_name: prompt }),
  ...(inputType === undefined ? {} : { input_type: inputType }),
  ...(truncate === true ? CUT : {}),
});
export const rerankBody = ({ model, query, documents, truncate }: ScoreRequest): Readonly<Record<string, unknown>> => ({ model, query, documents, ...(truncate === true ? CUT : {}) });

const strange = (what: string): EngineError => new EngineError('upstream_failed', `the engine elsewhere answered ${what}`);
/** Items by their index, each there once. */
function ordered<T extends { readonly index: number }>(items: readonly T[], count: number, what: string): readonly T[] {
  const byIndex = new Map(items.map((item) => [item.index, item]));
  const all = Array.from({ length: count }, (_, i) => byIndex.get(i)).filter((item) => item !== undefined);
  if (items.length !== count || all.length !== count) throw strange(`${items.length} ${what} for ${count} texts`);
  return all;
}

/** Little-endian 32-bit floats. */
function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer passes over what is no base64.
  if (bytes.length % 4 !== 0 || bytes.length !== Math.floor((base64.replace(/=+$/, '').length * 3) / 4)) throw strange('an embedding that is no base64 of 32-bit floats');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
/** Throws EngineError `upstream_failed` for what is no vector for each text, all of one length and of finite numbers. */
export function readEmbeddings(body: unknown, { inputs, dimensions }: Pick<EmbedRequest, 'inputs' | 'dimensions'>): Embeddings {
  const read = embeddingsSchema.safeParse(body);
  if (!read.success) throw strange('what is no list of embeddings in the form of OpenAI');
  const vectors = ordered(read.data.data, inputs.length, 'embeddings').map(({ embedding }) => (typeof embedding === 'string' ? floatsOf(embedding) : Float32Array.from(embedding)));
  const length = dimensions ?? vectors[0]?.length ?? 0;
  const odd = vectors.find((vector) => vector.length !== length || length === 0);
  if (odd) throw strange(`an embedding of ${odd.length} numbers where ${length === 0 ? 'some' : length} were to be`);
  if (!vectors.every((vector) => vector.every(Number.isFinite))) throw strange('an embedding with numbers that are not finite');
  return { vectors, promptTokens: read.data.usage?.prompt_tokens ?? read.data.usage?.total_tokens ?? 0 };
}
export function readScores(body: unknown, count: number): Scores {
  const read = rerankSchema.safeParse(body);
  if (!read.success) throw strange('what is no list of results in the form of Cohere');
  return { scores: ordered(read.data.results, count, 'results').map((result) => result.relevance_score), promptTokens: read.data.usage?.prompt_tokens ?? read.data.usage?.total_tokens ?? 0 };
}
