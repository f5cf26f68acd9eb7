// Owns reading a model folder in Hugging Face layout: which files, what must be in them, one validated description.
// Refuses to know how the model runs.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { findWeights, isFile } from './find-weights.ts';
import { invalid, readJson } from './json-files.ts';
import { ids, readTextFiles, tokenIds } from './text-files.ts';
import { isEncoderDecoder, readEncoderDecoder } from '../encoder-decoder/files.ts';
import type { EncoderDecoderFiles } from '../encoder-decoder/files.ts';
import type { StatedNames } from '../decoder/graph-form.ts';
import type { GroundedFormat, Task } from '../port.ts';
import type { TokenizerFile } from '../text/tokenizer.ts';
import type { StatedReplies } from '../replies/format.ts';

export { findWeights, weightNames } from './find-weights.ts';

const length = z.int().min(2).optional();
/** What is read of config.json. Architectures call the longest text differently. */
const decoderConfig = z.looseObject({
  vocab_size: z.int().positive().optional(),
  max_position_embeddings: length,
  n_positions: length,
  n_ctx: length,
  max_sequence_length: length,
  max_seq_len: length,
  seq_length: length,
  num_parameters: z.int().positive().optional(),
  eos_token_id: ids,
  sliding_window: z.number().nullish(),
  use_sliding_window: z.boolean().nullish(),
  layer_types: z.array(z.string()).nullish(),
  attention_chunk_size: z.number().nullish(),
  attention_layers: z.array(z.string()).nullish(),
  window_size: z.unknown().optional(),
});
const configSchema = decoderConfig.extend({ text_config: decoderConfig.optional(), is_encoder_decoder: z.boolean().nullish(), model_type: z.string().nullish() });
/** Tokens of the longest text of a model that counts places from each other and does not state it, on either side, unless its tokenizer does. */
const UNSTATED_LENGTH = 512;
/** Tokenizers that state no longest text state a number that is none. */
const LONGEST_STATED = 1_000_000;
/** What is read of genai_config.json, in which ONNX Runtime GenAI describes a folder. */
const genaiSchema = z.looseObject({
  model: z.looseObject({
    vocab_size: z.int().positive(),
    context_length: z.int().min(2),
    eos_token_id: ids,
    decoder: z.looseObject({
      filename: z.string().min(1),
      head_size: z.int().positive().optional(),
      inputs: z.record(z.string(), z.string()).default({}),
      outputs: z.record(z.string(), z.string()).default({}),
    }),
  }),
});
const groundedSchema = z.looseObject({
  format: z.literal('evidence-2'),
  nameOpen: z.string().min(1),
  nameClose: z.string().min(1),
  lexicon: z.object({ en: z.array(z.string()), zh: z.array(z.string()) }),
});

export interface ModelFiles {
  /** Name of the folder; behind it `#` and the variant, where one was asked for. */
  readonly id: string;
  readonly onnx: string;
  /** Where an encoder reads what the decoder's graph writes of. */
  readonly source?: EncoderDecoderFiles;
  /** Unix seconds: when the weights were written. */
  readonly created: number;
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** How many tokens back some layer sees, where that is less than the whole text. */
  readonly window?: number;
  /** Names of the graph's inputs and outputs, where the folder states them. */
  readonly names?: StatedNames;
  readonly parameters?: number;
  readonly endTokens: readonly number[];
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: object;
  /** Absent: the model completes text only. */
  readonly chatTemplate?: string;
  /** `bos_token` and its like, as chat templates name them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly grounded?: GroundedFormat;
  /** How replies are written, as far as `pharos.json` states it. */
  readonly replies?: StatedReplies;
}


const lengthOf = (stated: unknown): number => (typeof stated === 'number' && stated >= 2 && stated <= LONGEST_STATED ? Math.floor(stated) : UNSTATED_LENGTH);

/** The tokens that a layer sees where not all layers see all. Architectures say it differently. */
function windowOf(text: z.infer<typeof decoderConfig>): number | undefined {
  if (typeof text.attention_chunk_size === 'number') return text.attention_chunk_size;
  // GPT-Neo.
  if (text.attention_layers?.includes('local')) return typeof text.window_size === 'number' ? text.window_size : undefined;
  if (text.use_sliding_window === false || (text.layer_types && !text.layer_types.includes('sliding_attention'))) return undefined;
  return typeof text.sliding_window === 'number' && text.sliding_window > 0 ? text.sliding_window : undefined;
}

/** A path, and the variant of weights that `#` behind it asks for. */
export function splitVariant(given: string): { readonly folder: string; readonly variant: string | undefined } {
  const [, folder, variant] = /^(.*?)(?:#(\w+))?$/s.exec(given) as unknown as [string, string, string | undefined];
  return { folder, variant };
}

const FINE_TUNED = 'ft:';
/** Folder name of a fine-tuned model: its own name has signs that not every file system takes. */
export const fineTunedFolder = (name: string): string => encodeURIComponent(name);
export const isFineTuned = (name: string): boolean => name.startsWith(FINE_TUNED);
function ownName(folder: string): string {
  const name = basename(folder);
  if (!name.startsWith(fineTunedFolder(FINE_TUNED))) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A snapshot in the cache of the hub has its repository's name; a fine-tuned model the one that its folder's name stands for; another folder its own. Behind it `#` and the variant. */
export function modelName(folder: string, variant: string | undefined): string {
  const path = resolve(folder);
  const [, owner, name] = /models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(path) ?? [];
  return (owner === undefined ? ownName(path) : `${owner}/${name}`) + (variant === undefined ? '' : `#${variant}`);
}

/** Bytes of a graph and of the weights that lie beside it in files of their own. */
export async function weightBytes(onnx: string): Promise<number> {
  const [folder, name] = [dirname(onnx), basename(onnx)];
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.filter((each) => each === name || each.startsWith(`${name}_data`) || each.startsWith(`${name}.data`)).map(async (each) => (await stat(join(folder, each))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const kindSchema = z.looseObject({ architectures: z.array(z.string()).nullish(), model_type: z.string().nullish() });
/** Without `architectures`, these say what a model is. */
const ENCODERS = /^(bert|roberta|xlm-roberta|camembert|distilbert|mpnet|electra|albert|deberta|deberta-v2|nomic_bert|modernbert|new|gte|jina)/;
/** What a folder is for. Throws EngineError `model_invalid` for models that none of it is. */
export async function taskOf(given: string): Promise<Task> {
  const { folder } = splitVariant(given);
  if (await isFile(join(folder, 'genai_config.json'))) return 'generate';
  const { architectures, model_type: type } = (await readJson(join(folder, 'config.json'), kindSchema, true)) ?? {};
  const architecture = architectures?.[0] ?? '';
  if (architecture.endsWith('ForSequenceClassification')) return 'score';
  // Marian.
  if (architecture.endsWith('MTModel')) return 'generate';
  for (const name of ['modules.json', '1_Pooling/config.json']) if (await isFile(join(folder, name))) return 'embed';
  if (/For(QuestionAnswering|TokenClassification|MultipleChoice|ImageClassification|CTC)$/.test(architecture))
    throw invalid(`${join(folder, 'config.json')}: ${architecture} is no model that Pharos runs; it runs those that write text, make embeddings, or rank by one label (ForSequenceClassification)`);
  if (/(?<!LMHead)Model$|EncoderModel$|ForMaskedLM$/.test(architecture)) return 'embed';
  return architecture === '' && ENCODERS.test(type ?? '') ? 'embed' : 'generate';
}

/**
 * Reads a folder in the layout of Hugging Face or of ONNX Runtime GenAI. `given`: its path, behind which `#q4` or alike may say which weights are meant where there are several.
 * Throws EngineError `model_invalid` that names the file and what it lacks.
 */
export async function readModelFiles(given: string): Promise<ModelFiles> {
  const { folder, variant } = splitVariant(given);
  const at = (name: string): string => join(folder, name);
  const genai = (await readJson(at('genai_config.json'), genaiSchema, false))?.model;
  const config = (await readJson(at('config.json'), configSchema, genai === undefined)) ?? {};
  const { tokenizer, tokenizerConfig, chatTemplate, namedTokens, stated, ends } = await readTextFiles(folder);
  // Of models that word no evidence, the file states their replies alone.
  const grounded = stated?.replies && stated.format === undefined ? undefined : await readJson(at('pharos.json'), groundedSchema, false);

  const parts = genai === undefined && isEncoderDecoder(config) ? await readEncoderDecoder(folder, variant) : undefined;
  let onnx: { readonly path: string; readonly created: number };
  if (genai && variant === undefined) {
    const path = at(genai.decoder.filename);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) throw invalid(`${at('genai_config.json')} names the file ${genai.decoder.filename}, which is not there`);
    onnx = { path, created: Math.floor(found.mtimeMs / 1000) };
  } else onnx = parts?.onnx ?? (await findWeights(folder, variant));

  const text = { ...config, ...config.text_config };
  const vocabularySize = genai?.vocab_size ?? text.vocab_size;
  if (vocabularySize === undefined) throw invalid(`${at('config.json')}: vocab_size is missing`);
  const contextLength = genai?.context_length ?? text.max_position_embeddings ?? text.n_positions ?? text.n_ctx ?? text.max_sequence_length ?? text.max_seq_len ?? text.seq_length ?? (parts && lengthOf(tokenizerConfig.model_max_length));
  if (contextLength === undefined) throw invalid(`${at('config.json')}: max_position_embeddings is missing, the tokens of the longest text`);

  const endTokens = [ends.generation, tokenIds(genai?.eos_token_id), tokenIds(text.eos_token_id), ends.tokenizer].find((found) => found.length > 0);
  if (!endTokens) throw invalid(`${folder} names no end token; put eos_token_id into generation_config.json or config.json`);
  const beyond = endTokens.find((id) => id >= vocabularySize);
  if (beyond !== undefined) throw invalid(`${folder}: end token ${beyond} is outside the vocabulary of ${vocabularySize}`);

  return {
    id: modelName(folder, variant),
    onnx: onnx.path,
    ...(parts ? { source: parts } : {}),
    created: onnx.created,
    contextLength,
    vocabularySize,
    window: windowOf(text),
    names: genai && { inputs: genai.decoder.inputs, outputs: genai.decoder.outputs, headSize: genai.decoder.head_size },
    parameters: config.num_parameters,
    endTokens,
    tokenizer,
    tokenizerConfig,
    // What an encoder reads is a text, and no conversation.
    chatTemplate: parts ? undefined : chatTemplate,
    namedTokens,
    grounded,
    replies: stated?.replies,
  };
}

/** Model folders in `folder`: itself if it is one, else those directly in it, by name; those that write text come first, for clients take the first of a list to be one that answers. */
export async function findModels(folder: string): Promise<string[]> {
  const isModel = async (path: string): Promise<boolean> => {
    for (const name of ['config.json', 'genai_config.json']) if (await isFile(join(path, name))) return true;
    return false;
  };
  if (await isModel(folder.replace(/#\w+$/, ''))) return [folder];
  const names = await readdir(folder).catch((error: unknown) => {
    throw invalid(`the model folder ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  const [writing, others]: [string[], string[]] = [[], []];
  for (const name of names.toSorted()) {
    const path = join(folder, name);
    // What is wrong with a folder is said where it is read.
    if (await isModel(path)) ((await taskOf(path).catch(() => 'generate')) === 'generate' ? writing : others).push(path);
  }
  return [...writing, ...others];
}
