// Owns the wire form of embeddings: OpenAI's, with what other servers add for prompts and cutting.
// Refuses to know how vectors are made.

import { z } from 'zod';
import { text } from './common.ts';
import { harmless } from './generation.ts';
import type { Embeddings, EmbedRequest } from '../engine/port.ts';

const MOST_CHARACTERS = 1_000_000;
/** More are refused before they are looked at; how many there may be is configured (PHAROS_EMBED_INPUTS). */
const MOST_INPUTS = 100_000;
const one = text(MOST_CHARACTERS).min(1);
const ids = z.array(z.int().nonnegative().max(2 ** 31)).min(1).max(MOST_CHARACTERS);
export const INPUT_TYPES = { query: 'query', search_query: 'query', document: 'document', passage: 'document', search_document: 'document' } as const;

export const embeddingRequest = z
  .strictObject({
    model: z.string().min(1).max(256).optional().describe('A name from `GET /v1/models` that can `embed`; the first of them when absent.'),
    input: z.union([one, ids, z.array(one).min(1).max(MOST_INPUTS), z.array(ids).min(1).max(MOST_INPUTS)]).describe('A text, or its token ids, which are taken as they are; or several of them.'),
    encoding_format: z.enum(['float', 'base64']).nullish().describe('`base64`: little-endian 32-bit floats. Default `float`.'),
    dimensions: z.int().min(1).nullish().describe('First numbers of each vector only, brought to length 1 again, for models that were trained for it (Matryoshka). Not more than the model has.'),
    input_type: z
      .enum(Object.keys(INPUT_TYPES) as (keyof typeof INPUT_TYPES)[])
      .nullish()
      .describe("What the texts are for: the model's prompt for it is put in front of each, where its folder has one (config_sentence_transformers.json). Not in OpenAI."),
    prompt_name: z.string().min(1).max(256).nullish().describe("One of the model's prompts by its name, put in front of each text. Not in OpenAI."),
    truncate: z.boolean().nullish().describe('Cut texts that are too long for the model; otherwise they are an error. Not in OpenAI.'),
    truncate_prompt_tokens: z.literal(-1).nullish().describe('-1: as `truncate`, as vLLM has it.'),
    ...harmless,
  })
  .refine(({ input_type: type, prompt_name: name }) => !type || !name, { error: 'cannot be given together with input_type', path: ['prompt_name'] })
  .meta({ id: 'EmbeddingRequest', example: { model: 'pharos-embed', input: ['Albert Einstein was born in Ulm.', 'Ulm lies on the Danube.'] } });
export type EmbeddingRequest = z.infer<typeof embeddingRequest>;

export const embeddingReply = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(z.strictObject({ object: z.literal('embedding'), index: z.int(), embedding: z.union([z.array(z.number()), z.string()]).describe('Numbers, or base64 of little-endian 32-bit floats.') })),
    model: z.string(),
    usage: z.strictObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: 'EmbeddingReply' });

function inputsOf(given: EmbeddingRequest['input']): EmbedRequest['inputs'] {
  if (typeof given === 'string') return [given];
  return typeof given[0] === 'number' ? [given as number[]] : (given as readonly (string | number[])[]);
}
export const embedRequestOf = ({ input, dimensions, input_type: type, prompt_name: prompt, truncate, truncate_prompt_tokens: cut }: EmbeddingRequest, model: string): EmbedRequest => ({
  model,
  inputs: inputsOf(input),
  ...(typeof dimensions === 'number' ? { dimensions } : {}),
  ...(type ? { inputType: INPUT_TYPES[type] } : {}),
  ...(typeof prompt === 'string' ? { prompt } : {}),
  ...(truncate === true || cut === -1 ? { truncate: true } : {}),
});

function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString('base64');
}
/** Nine digits tell every 32-bit float from its neighbours, and are half as long as what JavaScript writes. */
const short = (value: number): number => Number(value.toPrecision(9));

export const embeddingWire = ({ vectors, promptTokens }: Embeddings, model: string, format: EmbeddingRequest['encoding_format']): z.infer<typeof embeddingReply> => ({
  object: 'list',
  data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: format === 'base64' ? base64(vector) : Array.from(vector, short) })),
  model,
  usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
});
