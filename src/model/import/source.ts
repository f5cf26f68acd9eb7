// Owns finding out what a path holds - a folder of Hugging Face or a checkpoint of llama2.c - and bringing both into one shape.
// Refuses to know how graphs are built and where they go.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Architecture, Asked } from './architecture.ts';
import { blockOf, withBlockScales } from './block-scales.ts';
import { CheckpointError, reasonOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { gpt2Architecture } from './gpt2-config.ts';
import { llamaArchitecture } from './llama-config.ts';
import { LLAMA_FAMILY } from './llama-family.ts';
import type { LlamaKind } from './llama-family.ts';
import { llama2cConfig, openLlama2c } from './llama2c.ts';
import { llama2cTokenizer } from './llama2c-tokenizer.ts';
import { publishedConfig } from './served-config.ts';
import { openShards } from './shards.ts';
import { ENCODER_DECODERS, transformerArchitecture } from './transformer-config.ts';
import type { EncoderDecoder } from './transformer-config.ts';

export interface Source {
  readonly architecture: Architecture;
  /** Undefined where no weights were asked for. */
  readonly checkpoint: Checkpoint | undefined;
  /** As published. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Tokens of the longest text, where a folder that was brought in says another number than the model was published with. */
  readonly context?: number;
  /** Small files that go along: their names and what is in them. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}
export interface SourceOptions {
  readonly context?: number;
  readonly ignore?: readonly string[];
  /** Read the configuration alone. */
  readonly planned?: boolean;
  /** Read no weights: they are in the graph of a model that was brought in (graph-weights.ts). */
  readonly weightless?: boolean;
}

const ALONG = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja', 'generation_config.json', 'pharos.json'] as const;
const isLlamaKind = (type: string): type is LlamaKind => LLAMA_FAMILY.some((kind) => kind === type);
const isEncoderDecoder = (type: string): type is EncoderDecoder => ENCODER_DECODERS.some((kind) => kind === type);
const FAMILIES = [...LLAMA_FAMILY, 'gpt2', ...ENCODER_DECODERS];

/** Throws CheckpointError. The caller closes the checkpoint. */
export function openSource(path: string, options: SourceOptions = {}): Source {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found)
    throw new CheckpointError('arguments_invalid', `${path} is not there; give a folder with config.json and safetensors, or a checkpoint of llama2.c`);
  if (found.isFile()) {
    if (path.endsWith('.json')) return fromFolder(dirname(path), path, options);
    if (path.endsWith('.bin')) return fromLlama2c(path, options);
    throw new CheckpointError(
      'arguments_invalid',
      `${path} is neither config.json nor a checkpoint of llama2.c (.bin); give the folder with config.json and safetensors`,
    );
  }
  if (existsSync(join(path, 'config.json'))) return fromFolder(path, join(path, 'config.json'), options);
  const binaries = readdirSync(path).filter((name) => name.endsWith('.bin') && !name.startsWith('tok'));
  if (binaries.length === 1) return fromLlama2c(join(path, binaries[0]), options);
  throw new CheckpointError(
    'arguments_invalid',
    `${path} has no config.json, and ${binaries.length === 0 ? 'no' : 'more than one'} checkpoint of llama2.c (.bin); give a folder of Hugging Face or the .bin file itself`,
  );
}

function readConfig(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no object');
    return { ...value };
  } catch (error) {
    throw new CheckpointError('checkpoint_invalid', `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

function fromFolder(folder: string, file: string, { context: wanted, ignore, planned = false, weightless = false }: SourceOptions): Source {
  const { quantization_config: stored, ...given } = readConfig(file);
  const { config, context } = publishedConfig(given);
  const asked: Asked = { file, context: wanted ?? context, ignore };
  const block = blockOf(stored, asked);
  const type = config['model_type'];
  if (typeof type !== 'string') throw new CheckpointError('checkpoint_invalid', `${file}: model_type is missing`);
  const architectureWith = (has: (tensor: string) => boolean): Architecture => {
    if (isLlamaKind(type)) return llamaArchitecture(type, config, asked);
    if (isEncoderDecoder(type)) return transformerArchitecture(type, config, asked, has);
    if (type === 'gpt2') return gpt2Architecture(config, asked, has);
    throw new CheckpointError('checkpoint_unsupported', `${file}: model_type is ${type}; ${FAMILIES.join(', ')} are built here`);
  };
  // What the configuration asks for is looked at first: a checkpoint may be large, and only partly there.
  const planOnly = architectureWith(() => false);
  const files = new Map<string, Uint8Array>();
  if (!planned) {
    for (const name of ALONG) if (existsSync(join(folder, name))) files.set(name, readFileSync(join(folder, name)));
    if (!files.has('tokenizer.json'))
      throw new CheckpointError(
        'checkpoint_invalid',
        `${folder} has no tokenizer.json, without which no text is read${existsSync(join(folder, 'tokenizer.model')) ? '; tokenizer.model is not read here: save the tokenizer anew with a fast one of transformers' : ''}`,
      );
  }
  const source = { config, files, ...(context === undefined ? {} : { context }) };
  if (planned || weightless) return { architecture: planOnly, checkpoint: undefined, ...source };
  const checkpoint = openWeights(folder, block);
  return { architecture: architectureWith((tensor) => checkpoint.shapeOf(tensor) !== undefined), checkpoint, ...source };
}

function openWeights(folder: string, block: ReturnType<typeof blockOf>): Checkpoint {
  const shards = openShards(folder);
  try {
    return block ? withBlockScales(shards, block) : shards;
  } catch (error) {
    shards.close();
    throw error;
  }
}

function fromLlama2c(path: string, { context, ignore, planned = false }: SourceOptions): Source {
  const checkpoint = openLlama2c(path);
  let kept = false;
  try {
    const config = llama2cConfig(checkpoint.header);
    const architecture = llamaArchitecture('llama', config, { file: path, context, ignore });
    if (planned) return { architecture, checkpoint: undefined, config, files: new Map() };
    const folder = dirname(path);
    const tokenizers = readdirSync(folder).filter((name) => /^tok.*\.bin$/.test(name) && name !== basename(path));
    if (tokenizers.length !== 1)
      throw new CheckpointError(
        'checkpoint_invalid',
        `${folder} must have one tokenizer of llama2.c (tokenizer.bin, tok512.bin or alike) beside ${basename(path)}; it has ${tokenizers.length === 0 ? 'none' : tokenizers.join(', ')}`,
      );
    const { tokenizer, tokenizerConfig } = llama2cTokenizer(join(folder, tokenizers[0]), checkpoint.header.vocabularySize);
    kept = true;
    return {
      architecture,
      checkpoint,
      config,
      files: new Map([
        ['tokenizer.json', JSON.stringify(tokenizer)],
        ['tokenizer_config.json', JSON.stringify(tokenizerConfig)],
      ]),
    };
  } finally {
    if (!kept) checkpoint.close();
  }
}
