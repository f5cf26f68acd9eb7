// Owns reading the folder of an encoder, as Hugging Face and sentence-transformers lay it out: what it is for, how it pools, its prompts, its longest text.
// Refuses to know how it runs.

import { join } from 'node:path';
import { z } from 'zod';
import { invalid, readJson } from '../models/json-files.ts';
import { findWeights, modelName, splitVariant, weightBytes } from '../models/model-files.ts';
import { EngineError } from '../port.ts';
import { POOLINGS } from './pooling.ts';
import type { Pooling } from './pooling.ts';
import { encoderTokenizerSchema } from './tokens.ts';
import type { EncoderTokenizerFile } from './tokens.ts';

const size = z.int().positive().nullish();
const configSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  vocab_size: size,
  hidden_size: size,
  dim: size,
  d_model: size,
  max_position_embeddings: size,
  n_positions: size,
  max_trained_positions: size,
  pad_token_id: z.int().nullish(),
  num_labels: size,
  id2label: z.record(z.string(), z.string()).nullish(),
});
const modulesSchema = z.array(z.looseObject({ path: z.string(), type: z.string() }));
const poolingSchema = z.looseObject({
  word_embedding_dimension: size,
  embedding_dimension: size,
  pooling_mode: z.union([z.string(), z.array(z.string())]).nullish(),
  include_prompt: z.boolean().default(true),
});
const sentenceSchema = z.looseObject({ max_seq_length: size, do_lower_case: z.boolean().default(false) });
const promptsSchema = z.looseObject({ prompts: z.record(z.string(), z.string()).nullish(), default_prompt_name: z.string().nullish() });
const tokenizerConfigSchema = z.looseObject({ model_max_length: z.number().nullish() });

export interface EncoderFiles {
  /** Name of the folder; behind it `#` and the variant, where one was asked for. */
  readonly id: string;
  readonly task: 'embed' | 'score';
  readonly onnx: string;
  /** Bytes of the weights. */
  readonly bytes: number;
  /** Unix seconds: when the weights were written. */
  readonly created: number;
  /** Tokens of the longest text, special ones included. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** Numbers of a vector, where the folder says so and no dense layer makes others of them. */
  readonly dimensions: number | undefined;
  /** Undefined: the folder does not say. */
  readonly poolings: readonly Pooling[] | undefined;
  /** What is used where the folder says nothing. */
  readonly presumed: Pooling;
  /** Tokens of a prompt count when the vector is made. */
  readonly poolsPrompt: boolean;
  readonly normalise: boolean;
  /** Folders of dense layers behind pooling, for graphs that do not have them. */
  readonly dense: readonly string[];
  /** Steps behind pooling that only the graph itself can do. */
  readonly further: readonly string[];
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPrompt: string | undefined;
  readonly tokenizer: EncoderTokenizerFile;
  readonly tokenizerConfig: object;
  readonly lowerCase: boolean;
  readonly padId: number | undefined;
  /** Number of the first position: RoBERTa and those after it count from behind the padding id. */
  readonly firstPosition: number;
}

/** Their positions begin behind the padding id, and that many fewer tokens fit. */
const OFFSET = /^(roberta|xlm-roberta|xlm-roberta-xl|camembert|mpnet|longformer|data2vec-text|xmod|ibert)$/;

function poolingsOf(config: z.infer<typeof poolingSchema>, path: string): Pooling[] {
  const { pooling_mode: mode } = config;
  const known: Readonly<Record<string, Pooling>> = {
    pooling_mode_cls_token: 'cls',
    pooling_mode_max_tokens: 'max',
    pooling_mode_mean_tokens: 'mean',
    pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len',
    pooling_mode_weightedmean_tokens: 'weightedmean',
    pooling_mode_lasttoken: 'lasttoken',
  };
  const stated = mode === null || mode === undefined ? [] : [mode].flat();
  const strange = stated.find((name) => !POOLINGS.some((each) => each === name));
  if (strange !== undefined) throw invalid(`${path}: pooling_mode ${strange} is not known; Pharos pools by ${POOLINGS.join(', ')}`);
  const chosen = new Set(stated.length > 0 ? stated : Object.entries(known).flatMap(([name, pooling]) => (config[name] === true ? [pooling] : [])));
  if (chosen.size === 0) throw invalid(`${path} chooses no pooling; set one of ${Object.keys(known).join(', ')} to true`);
  return POOLINGS.filter((pooling) => chosen.has(pooling));
}

/** Throws EngineError `model_invalid` that names the file and what it lacks. `task`: what the folder is for. */
export async function readEncoderFiles(given: string, task: 'embed' | 'score'): Promise<EncoderFiles> {
  const { folder, variant } = splitVariant(given);
  const at = (name: string): string => join(folder, name);
  const config = (await readJson(at('config.json'), configSchema, true)) ?? {};
  const tokenizer = (await readJson(at('tokenizer.json'), encoderTokenizerSchema, true)) as EncoderTokenizerFile;
  const tokenizerConfig = (await readJson(at('tokenizer_config.json'), tokenizerConfigSchema, false)) ?? {};
  const sentence = await readJson(at('sentence_bert_config.json'), sentenceSchema, false);
  const own = await readJson(at('config_sentence_transformers.json'), promptsSchema, false);
  const modules = task === 'embed' ? await readJson(at('modules.json'), modulesSchema, false) : undefined;
  const { path: onnx, created } = await findWeights(folder, variant, ['onnx/model', 'model']);

  const kinds = (modules ?? []).map(({ path, type }) => ({ path, kind: type.split('.').at(-1) ?? '' }));
  const poolingPath = join(kinds.find(({ kind }) => kind === 'Pooling')?.path ?? '1_Pooling', 'config.json');
  const pooling = task === 'embed' ? await readJson(at(poolingPath), poolingSchema, false) : undefined;

  const labels = config.num_labels ?? (config.id2label ? Object.keys(config.id2label).length : undefined);
  if (task === 'score' && labels !== undefined && labels !== 1) throw invalid(`${at('config.json')}: the classifier has ${labels} labels; Pharos ranks with those that have one`);
  const vocabularySize = config.vocab_size;
  if (!vocabularySize) throw invalid(`${at('config.json')}: vocab_size is missing`);
  const positions = config.max_position_embeddings ?? config.n_positions ?? config.max_trained_positions ?? undefined;
  const padId = config.pad_token_id ?? undefined;
  const firstPosition = OFFSET.test(config.model_type ?? '') ? (padId ?? 1) + 1 : 0;
  // Tokenizers without a limit state a number of 30 digits.
  const stated = [sentence?.max_seq_length, tokenizerConfig.model_max_length, positions && positions - firstPosition].filter((length) => typeof length === 'number' && length < 1e9);
  if (stated.length === 0) throw invalid(`${folder} does not say how long a text may be; put max_seq_length into sentence_bert_config.json or max_position_embeddings into config.json`);
  const contextLength = Math.min(...stated.map(Number));
  if (contextLength < 4) throw invalid(`${folder}: a longest text of ${contextLength} tokens is too short`);

  const poolings = pooling && poolingsOf(pooling, at(poolingPath));
  const dense = kinds.filter(({ kind }) => kind === 'Dense').map(({ path }) => at(path));
  const width = pooling?.word_embedding_dimension ?? pooling?.embedding_dimension ?? config.hidden_size ?? config.dim ?? config.d_model ?? undefined;
  const prompts = own?.prompts ?? {};
  const defaultPrompt = own?.default_prompt_name ?? undefined;
  if (defaultPrompt !== undefined && !Object.hasOwn(prompts, defaultPrompt)) throw invalid(`${at('config_sentence_transformers.json')}: default_prompt_name is ${defaultPrompt}, which is not among its prompts`);
  return {
    id: modelName(folder, variant),
    task,
    onnx,
    bytes: await weightBytes(onnx),
    created,
    contextLength,
    vocabularySize,
    dimensions: task === 'score' || dense.length > 0 || width === undefined ? undefined : width * (poolings?.length ?? 1),
    poolings,
    presumed: /For(CausalLM|ConditionalGeneration)$/.test(config.architectures?.[0] ?? '') ? 'lasttoken' : 'mean',
    poolsPrompt: pooling?.include_prompt ?? true,
    // Without modules.json the vectors get length 1, as clients of OpenAI's expect them.
    normalise: modules === undefined || kinds.some(({ kind }) => kind === 'Normalize'),
    dense,
    further: kinds.map(({ kind }) => kind).filter((kind) => !['Transformer', 'Pooling', 'Dense', 'Normalize', 'Dropout'].includes(kind)),
    prompts,
    defaultPrompt,
    tokenizer,
    tokenizerConfig,
    lowerCase: sentence?.do_lower_case ?? false,
    padId,
    firstPosition,
  };
}

/** Prompts by what a text is for, in order of preference. */
const NAMES = {
  query: ['query', 'search_query', 'retrieval.query', 'retrieval_query', 's2p_query', 'Retrieval-query'],
  document: ['document', 'passage', 'search_document', 'corpus', 'retrieval.passage', 'retrieval_document', 'Retrieval-document'],
} as const;
export type InputType = keyof typeof NAMES;

/** The prompt of that name, or of that kind of text where the model has one. Throws EngineError `unknown_prompt` for a name that it does not have. */
export function promptOf({ id, prompts, defaultPrompt }: Pick<EncoderFiles, 'id' | 'prompts' | 'defaultPrompt'>, { name, type }: { readonly name?: string; readonly type?: InputType }): string {
  if (name !== undefined) {
    if (Object.hasOwn(prompts, name)) return prompts[name];
    const known = Object.keys(prompts);
    throw new EngineError('unknown_prompt', `model ${id} has no prompt ${JSON.stringify(name)}; ${known.length > 0 ? `it has: ${known.join(', ')}` : 'it has none'}`);
  }
  const ofType = type && NAMES[type].find((each) => Object.hasOwn(prompts, each));
  return prompts[ofType ?? defaultPrompt ?? ''] ?? '';
}
