// Owns reading a model folder in Hugging Face layout: which files, what must be in them, one validated description.
// Refuses to know how the model runs.

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { EngineError } from './port.ts';
import type { GroundedFormat } from './port.ts';
import { tokenizerSchema } from './tokenizer.ts';
import type { TokenizerFile } from './tokenizer.ts';

const ids = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();
const configSchema = z.looseObject({
  vocab_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  max_position_embeddings: z.int().min(2),
  num_parameters: z.int().positive().optional(),
  eos_token_id: ids,
});
const generationSchema = z.looseObject({ eos_token_id: ids });
const namedToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish();
const tokenizerConfigSchema = z.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  pad_token: namedToken,
  unk_token: namedToken,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});
const groundedSchema = z.looseObject({
  format: z.literal('evidence-1'),
  nameOpen: z.string().min(1),
  nameClose: z.string().min(1),
  lexicon: z.object({ en: z.array(z.string()), zh: z.array(z.string()) }),
});

export interface ModelFiles {
  /** Name of the folder. */
  readonly id: string;
  readonly onnx: string;
  /** Unix seconds: when the weights were written. */
  readonly created: number;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly parameters?: number;
  readonly endTokens: readonly number[];
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: object;
  /** Absent: the model completes text only. */
  readonly chatTemplate?: string;
  /** `bos_token` and its like, as chat templates name them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly grounded?: GroundedFormat;
}

/** In order of preference: whole precision first, because the half-precision forms are slower on a CPU. */
const WEIGHTS = ['onnx/model.onnx', 'onnx/model_q4.onnx', 'onnx/model_int8.onnx', 'onnx/model_quantized.onnx', 'onnx/model_fp16.onnx', 'model.onnx'];

const invalid = (message: string, cause?: unknown): EngineError => new EngineError('model_invalid', message, { cause });
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw invalid(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
async function readJson<T>(path: string, schema: z.ZodType<T>, needed: boolean): Promise<T | undefined> {
  const text = await readOptional(path);
  if (text === undefined) {
    if (needed) throw invalid(`${path} is missing; a model folder needs config.json, tokenizer.json and onnx/model.onnx`);
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(`${path}: ${result.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the whole file'}: ${message}`).join('; ')}`, result.error);
  return result.data;
}

const list = (value: z.infer<typeof ids>): readonly number[] => (value === null || value === undefined ? [] : typeof value === 'number' ? [value] : value);

/** Throws EngineError `model_invalid` that names the file and what it lacks. */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const at = (name: string): string => join(folder, name);
  const config = (await readJson(at('config.json'), configSchema, true)) as z.infer<typeof configSchema>;
  const tokenizer = (await readJson(at('tokenizer.json'), tokenizerSchema, true)) as TokenizerFile;
  const generation = await readJson(at('generation_config.json'), generationSchema, false);
  const tokenizerConfig = (await readJson(at('tokenizer_config.json'), tokenizerConfigSchema, false)) ?? {};
  const grounded = await readJson(at('pharos.json'), groundedSchema, false);

  let onnx: { readonly path: string; readonly created: number } | undefined;
  for (const name of WEIGHTS) {
    const found = await stat(at(name)).catch(() => undefined);
    if (found?.isFile()) {
      onnx = { path: at(name), created: Math.floor(found.mtimeMs / 1000) };
      break;
    }
  }
  if (!onnx) throw invalid(`${folder} has no weights; Pharos looks for ${WEIGHTS.join(', ')}`);

  const ofTokenizer = tokenizer.added_tokens.find(({ content }) => content === tokenizerConfig.eos_token)?.id;
  const endTokens = [generation?.eos_token_id, config.eos_token_id, ofTokenizer].map(list).find((found) => found.length > 0);
  if (!endTokens) throw invalid(`${folder} names no end token; put eos_token_id into generation_config.json or config.json`);
  const beyond = endTokens.find((id) => id >= config.vocab_size);
  if (beyond !== undefined) throw invalid(`${folder}: end token ${beyond} is outside the vocabulary of ${config.vocab_size}`);

  const own = tokenizerConfig.chat_template;
  const listed = Array.isArray(own) ? (own.find(({ name }) => name === 'default') ?? own[0])?.template : own;
  const chatTemplate = (await readOptional(at('chat_template.jinja'))) ?? listed ?? undefined;
  const namedTokens: Record<string, string> = {};
  for (const name of ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const) {
    const content = tokenizerConfig[name];
    if (typeof content === 'string') namedTokens[name] = content;
  }
  return {
    id: basename(resolve(folder)),
    onnx: onnx.path,
    created: onnx.created,
    contextLength: config.max_position_embeddings,
    vocabularySize: config.vocab_size,
    layers: config.num_hidden_layers,
    parameters: config.num_parameters,
    endTokens,
    tokenizer,
    tokenizerConfig,
    chatTemplate,
    namedTokens,
    grounded,
  };
}

/** Model folders in `folder`, by name: itself if it is one, else those directly in it. */
export async function findModels(folder: string): Promise<string[]> {
  const isModel = async (path: string): Promise<boolean> => (await stat(join(path, 'config.json')).catch(() => undefined))?.isFile() === true;
  if (await isModel(folder)) return [folder];
  const names = await readdir(folder).catch((error: unknown) => {
    throw invalid(`the model folder ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  const found: string[] = [];
  for (const name of names.toSorted()) if (await isModel(join(folder, name))) found.push(join(folder, name));
  return found;
}
