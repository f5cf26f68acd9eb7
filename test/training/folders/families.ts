// Owns the small published models that tests of training open: a folder of random weights of each family, and of GPT-2.
// Refuses to know what is tested.

import type { Test } from 'tap';
import { join } from 'node:path';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import type { Gpt2Config } from '../../../src/model/gpt2.ts';
import { llamaParameters } from '../../../src/model/llama.ts';
import type { LlamaConfig } from '../../../src/model/llama.ts';
import { Random } from '../../../src/training/random.ts';
import { writeFolder } from '../../model/checkpoints.ts';
import type { FolderOptions, Tensor } from '../../model/checkpoints.ts';
import { randomWeights, SMALL } from '../../model/llama-reference.ts';

export const VOCABULARY = 300;
export const LLAMA: LlamaConfig = { ...SMALL, vocabularySize: VOCABULARY };
export const KEYS = {
  vocab_size: VOCABULARY,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  torch_dtype: 'bfloat16',
};
const MIXTRAL: readonly (readonly [string, string])[] = [
  ['.mlp.', '.block_sparse_moe.'],
  ['.gate_proj.', '.w1.'],
  ['.down_proj.', '.w2.'],
  ['.up_proj.', '.w3.'],
];
export interface Family {
  readonly label: string;
  readonly keys: object;
  readonly config: Partial<LlamaConfig>;
  readonly folder?: FolderOptions;
  readonly published?: (name: string) => string;
  readonly stored?: (name: string, values: Float32Array) => Float32Array;
}
export const FAMILIES: readonly Family[] = [
  {
    label: 'Llama in half precision and two files',
    keys: { model_type: 'llama', tie_word_embeddings: false },
    config: {},
    folder: { type: 'BF16', shards: 2 },
  },
  { label: 'Qwen 3, tied', keys: { model_type: 'qwen3', tie_word_embeddings: true }, config: { headNorm: true, tied: true } },
  { label: 'Phi-3, fused', keys: { model_type: 'phi3', tie_word_embeddings: false }, config: { fused: true } },
  {
    label: 'Gemma 2, whose norms are stored less one',
    keys: { model_type: 'gemma2', query_pre_attn_scalar: 12, attn_logit_softcapping: 1.5, final_logit_softcapping: 3, sliding_window: 4 },
    config: {
      activation: 'gelu',
      embeddingScale: Math.sqrt(32),
      tied: true,
      postNorms: true,
      scoreScale: 1 / Math.sqrt(12),
      scoreCap: 1.5,
      logitCap: 3,
      windows: [4, undefined],
    },
    stored: (name, values) => (name.endsWith('norm.weight') ? values.map((value) => value - 1) : values),
  },
  {
    label: 'Gemma 3, whose layers with windows have positions of their own',
    keys: { model_type: 'gemma3_text', query_pre_attn_scalar: 12, sliding_window: 4, _sliding_window_pattern: 2, rope_theta: 1000, rope_local_base_freq: 10 },
    config: {
      activation: 'gelu',
      embeddingScale: Math.sqrt(32),
      tied: true,
      postNorms: true,
      headNorm: true,
      scoreScale: 1 / Math.sqrt(12),
      windows: [4, undefined],
      rotary: { base: 1000 },
      local: { rotary: { base: 10 }, layers: [true, false] },
    },
    stored: (name, values) => (name.endsWith('norm.weight') ? values.map((value) => value - 1) : values),
  },
  {
    label: 'DeepSeek-V2, whose attention is latent',
    keys: {
      model_type: 'deepseek_v2',
      num_key_value_heads: 6,
      head_dim: null,
      q_lora_rank: null,
      kv_lora_rank: 10,
      qk_nope_head_dim: 12,
      qk_rope_head_dim: 6,
      v_head_dim: 7,
      moe_intermediate_size: 12,
      first_k_dense_replace: 1,
      n_routed_experts: 4,
      n_shared_experts: 2,
      num_experts_per_tok: 2,
    },
    config: {
      latent: { rank: 10, plainSize: 12, turnedSize: 6, valueSize: 7 },
      headSize: 18,
      pairs: 'neighbours',
      experts: { count: 4, perToken: 2, size: 12, shared: 24, firstLayer: 1, normalised: false, scale: 1 },
    },
  },
  {
    label: 'Mixtral, with names of its own',
    keys: { model_type: 'mixtral', num_local_experts: 3, num_experts_per_tok: 2 },
    config: { experts: { count: 3, perToken: 2, size: 48, shared: 0, firstLayer: 0, normalised: true, scale: 1 } },
    published: (name) => MIXTRAL.reduce((changed, [own, of]) => changed.replace(own, of), name),
  },
];

/** Writes a family's folder; returns its configuration and the values that its element type holds. */
export function writeFamily(
  folder: string,
  { keys, config: more, folder: options, published = (name) => name, stored = (_, values) => values }: Family,
): { readonly config: LlamaConfig; readonly held: Map<string, Float32Array> } {
  const config: LlamaConfig = { ...LLAMA, ...more };
  const drawn = randomWeights(config, 5);
  const tensors = new Map<string, Tensor>(
    llamaParameters(config).map(({ name, shape }) => [published(name), { shape, values: stored(name, drawn.get(name) ?? new Float32Array(0)) }]),
  );
  return { config, held: writeFolder(folder, { ...KEYS, ...keys }, tensors, options) };
}
/** A small Llama in `base` of the test's folder. */
export function llamaFolder(t: Test): string {
  const base = join(t.testdir(), 'base');
  writeFamily(base, { label: 'Llama', keys: { model_type: 'llama' }, config: {} });
  return base;
}

export const GPT2: Gpt2Config = {
  vocabularySize: VOCABULARY,
  width: 32,
  layers: 2,
  heads: 4,
  feedForward: 128,
  contextLength: 64,
  normEpsilon: 1e-5,
  tied: true,
};
/** Matrices of layers are stored the other way round. */
export const isTurned = ({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): boolean => name.startsWith('h.') && shape.length === 2;
export function writeGpt2(folder: string): void {
  const random = new Random(3);
  const tensors = new Map<string, Tensor>(
    gpt2Parameters(GPT2).map((parameter) => [
      `transformer.${parameter.name}`,
      {
        shape: isTurned(parameter) ? parameter.shape.toReversed() : parameter.shape,
        values: Float32Array.from(
          { length: parameter.shape.reduce((a, b) => a * b) },
          () => 0.3 * random.normal() + (/ln_\w+\.weight/.test(parameter.name) ? 1 : 0),
        ),
      },
    ]),
  );
  writeFolder(folder, { model_type: 'gpt2', vocab_size: VOCABULARY, n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64 }, tensors);
}
