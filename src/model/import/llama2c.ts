// Owns the checkpoints of llama2.c (karpathy/llama2.c, export.py): the header of version 0 and of version 1, the order of the weights, and how its heads are turned.
// Refuses to know graphs and tokenizers.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { llamaParameters } from '../llama.ts';
import type { Parameter } from '../decoder-parts.ts';
import { CheckpointError, reasonOf, sizeOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';

export interface Llama2cHeader {
  readonly version: 0 | 1;
  readonly width: number;
  readonly feedForward: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly tied: boolean;
}
/** "ak42". */
const MAGIC = 0x616b3432;
const HEADER = { 0: 28, 1: 256 } as const;
/** What llama2.c takes for all models. */
const NORM_EPSILON = 1e-5;
const ROTARY_BASE = 10_000;

/** The same model as config.json of Hugging Face says it. Both ends stop a text: stories are set apart by the token that begins one. */
export const llama2cConfig = (header: Llama2cHeader): Record<string, unknown> => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: header.vocabularySize,
  hidden_size: header.width,
  intermediate_size: header.feedForward,
  num_hidden_layers: header.layers,
  num_attention_heads: header.heads,
  num_key_value_heads: header.keyValueHeads,
  max_position_embeddings: header.contextLength,
  rms_norm_eps: NORM_EPSILON,
  rope_theta: ROTARY_BASE,
  tie_word_embeddings: header.tied,
  bos_token_id: 1,
  eos_token_id: [2, 1],
});

/** Parts of a file in their order: the same tensor of all layers together. */
function partsOf(header: Llama2cHeader): { readonly name: string; readonly perLayer: boolean; readonly needless?: number }[] {
  const each = (name: string): { name: string; perLayer: boolean } => ({ name, perLayer: true });
  const once = (name: string): { name: string; perLayer: boolean } => ({ name, perLayer: false });
  const attention = ['q', 'k', 'v', 'o'].map((part) => each(`self_attn.${part}_proj.weight`));
  const [first, second] = [each('input_layernorm.weight'), each('post_attention_layernorm.weight')];
  const feedForward = ['gate', 'down', 'up'].map((part) => each(`mlp.${part}_proj.weight`));
  const [embedding, last, head] = [once('model.embed_tokens.weight'), once('model.norm.weight'), header.tied ? [] : [once('lm_head.weight')]];
  if (header.version === 1) return [first, second, last, embedding, ...attention, ...feedForward, ...head];
  // Cosines and sines, which follow from the rest.
  const angles = { name: 'angles', perLayer: false, needless: (header.contextLength * header.width) / header.heads };
  return [embedding, first, ...attention, second, ...feedForward, last, angles, ...head];
}

export function openLlama2c(path: string): Checkpoint & { readonly header: Llama2cHeader } {
  const wrong = (what: string, cause?: unknown): CheckpointError => new CheckpointError('checkpoint_invalid', `${path} ${what}`, { cause });
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw wrong(`cannot be read: ${reasonOf(error)}`, error);
  }
  try {
    const size = fstatSync(descriptor).size;
    const bytes = new Uint8Array(HEADER[1]);
    readSync(descriptor, bytes, 0, HEADER[1], 0);
    const header = readHeader(new DataView(bytes.buffer), path);
    const { layers, heads, keyValueHeads, width, feedForward, vocabularySize, contextLength, tied, version } = header;
    const parameters = llamaParameters({ vocabularySize, width, layers, heads, keyValueHeads, headSize: width / heads, feedForward, contextLength, rotary: { base: ROTARY_BASE }, normEpsilon: NORM_EPSILON, attentionBias: false, headNorm: false, tied });
    const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
    const places = new Map<string, { readonly parameter: Parameter; readonly at: number }>();
    let at: number = HEADER[version];
    for (const { name, perLayer, needless } of partsOf(header)) {
      for (const full of perLayer ? Array.from({ length: layers }, (_, i) => `model.layers.${i}.${name}`) : [name]) {
        const parameter = byName.get(full);
        if (parameter) places.set(full, { parameter, at });
        at += 4 * (parameter ? sizeOf(parameter.shape) : (needless ?? 0));
      }
    }
    if (at !== size) throw wrong(`has ${size} bytes, and its header of version ${version} (${JSON.stringify(header)}) asks for ${at}; it is cut short or no checkpoint of llama2.c`);
    return {
      header,
      names: [...places.keys()],
      bytes: size - HEADER[version],
      shapeOf: (name) => places.get(name)?.parameter.shape,
      isInEightBits: () => false,
      read: (name, from, to) => {
        const place = places.get(name);
        if (!place) throw wrong(`has no tensor ${name}`);
        const values = new Float32Array(sizeOf(place.parameter.shape));
        if (readSync(descriptor, new Uint8Array(values.buffer), 0, values.byteLength, place.at) !== values.byteLength) throw wrong(`ends within ${name}`);
        return (/\.[qk]_proj\./.test(name) ? halfSplit(values, width / heads, width) : values).subarray(from, to);
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function readHeader(view: DataView, path: string): Llama2cHeader {
  const marked = view.getUint32(0, true) === MAGIC;
  const version = marked ? view.getInt32(4, true) : 0;
  if (version !== 0 && version !== 1) throw new CheckpointError('checkpoint_unsupported', `${path}: version ${version} of llama2.c's checkpoints is not read here; 0 and 1 are, which hold float32`);
  const [width, feedForward, layers, heads, keyValueHeads, vocabulary, contextLength] = Array.from({ length: 7 }, (_, i) => view.getInt32((marked ? 8 : 0) + 4 * i, true));
  // Version 0 says by the sign of the vocabulary whether the head is the embedding.
  const tied = marked ? view.getUint8(36) === 1 : vocabulary > 0;
  const header = { version, width, feedForward, layers, heads, keyValueHeads, vocabularySize: Math.abs(vocabulary), contextLength, tied } as const;
  const numbers = [width, feedForward, layers, heads, keyValueHeads, header.vocabularySize, contextLength];
  if (numbers.some((each) => each < 1 || each > 2 ** 24) || layers > 1024 || width % heads !== 0 || (width / heads) % 2 !== 0 || heads % keyValueHeads !== 0) throw new CheckpointError('checkpoint_invalid', `${path} begins with ${numbers.join(', ')}, which is no header of llama2.c's checkpoints`);
  return header;
}

/**
 * Rows of queries or keys [heads * headSize, columns] in another order. llama2.c turns the neighbours 2i and 2i + 1 of a head by an angle, the graph here the pair i and i + headSize / 2. Where the
 * same rows stand in those places in queries and in keys, their product is the same.
 */
function halfSplit(values: Float32Array, headSize: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row * columns < values.length; row++) {
    const within = row % headSize;
    const to = row - within + Math.floor(within / 2) + (within % 2) * (headSize / 2);
    turned.set(values.subarray(row * columns, (row + 1) * columns), to * columns);
  }
  return turned;
}
