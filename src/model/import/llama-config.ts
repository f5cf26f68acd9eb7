// Owns what config.json says of models of the Llama family: which of the graph's variants a published model is.
// Refuses to know weights, and what rotary keys mean.

import { z } from 'zod';
import { buildLlama, llamaParameters } from '../llama.ts';
import type { LlamaConfig } from '../llama.ts';
import { contextOf, readKeys, refuse, whole } from './architecture.ts';
import type { Architecture, Asked } from './architecture.ts';
import { CheckpointError } from './checkpoint.ts';
import { ropeKeys, rotaryOf } from './rope-config.ts';

export const LLAMA_FAMILY = ['llama', 'mistral', 'qwen2', 'qwen3', 'phi3', 'gemma', 'gemma2', 'deepseek', 'qwen3_moe', 'mixtral'] as const;
export type LlamaKind = (typeof LLAMA_FAMILY)[number];

const schema = z.object({
  vocab_size: whole,
  hidden_size: whole,
  intermediate_size: whole,
  num_hidden_layers: whole,
  num_attention_heads: whole,
  num_key_value_heads: whole.nullish(),
  head_dim: whole.nullish(),
  hidden_act: z.string().nullish(),
  hidden_activation: z.string().nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: whole.nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
  query_pre_attn_scalar: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  n_routed_experts: whole.nullish(),
  num_experts: whole.nullish(),
  num_local_experts: whole.nullish(),
  decoder_sparse_step: whole.nullish(),
  mlp_only_layers: z.array(z.int()).nullish(),
  n_shared_experts: z.int().nonnegative().nullish(),
  num_experts_per_tok: whole.nullish(),
  moe_intermediate_size: whole.nullish(),
  moe_layer_freq: whole.nullish(),
  first_k_dense_replace: z.int().nonnegative().nullish(),
  norm_topk_prob: z.boolean().nullish(),
  scoring_func: z.string().nullish(),
  ...ropeKeys,
});
type Keys = z.infer<typeof schema>;
type NumberKey = { [Key in keyof Keys]-?: NonNullable<Keys[Key]> extends number ? Key : never }[keyof Keys];
/** A key's number, or the error that says that it is missing. */
type Need = (key: NumberKey) => number;
/** Keys that only some kinds have, and refuse where they say something. */
const ONLY: Partial<Record<keyof Keys, readonly LlamaKind[]>> = {
  attention_bias: ['llama', 'qwen3', 'qwen3_moe', 'gemma', 'gemma2', 'deepseek'],
  mlp_bias: ['llama'],
  sliding_window: ['mistral', 'mixtral', 'qwen2', 'qwen3', 'qwen3_moe', 'phi3', 'gemma2'],
  query_pre_attn_scalar: ['gemma2'],
  attn_logit_softcapping: ['gemma2'],
  final_logit_softcapping: ['gemma2'],
  n_routed_experts: ['deepseek'],
  num_experts: ['qwen3_moe'],
  num_local_experts: ['mixtral'],
  use_bidirectional_attention: [],
};

export function llamaArchitecture(kind: LlamaKind, value: unknown, asked: Asked): Architecture {
  const config = llamaConfig(kind, readKeys(value, schema, asked), asked);
  const isGemma = kind === 'gemma' || kind === 'gemma2';
  return {
    type: kind,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
    layers: config.layers,
    remembered: 2 * config.layers * config.keyValueHeads * config.headSize,
    parameters: llamaParameters(config),
    isStored: ({ name, shape }) => shape.length === 2 && !name.endsWith('.mlp.gate.weight'),
    layerOf: (name) => {
      const layer = /^model\.layers\.(\d+)\./.exec(name)?.[1];
      return layer === undefined ? undefined : Number(layer);
    },
    source: ({ name, shape }) => ({ name: kind === 'mixtral' ? MIXTRAL.reduce((changed, [own, published]) => changed.replace(own, published), name) : name, shape }),
    // Gemma's norms multiply by 1 + w.
    ...(isGemma ? { adjust: ({ name }) => (name.endsWith('norm.weight') ? (values) => values.map((gain) => 1 + gain) : undefined) } : {}),
    isNeedless: (name) => name.endsWith('.rotary_emb.inv_freq') || (config.tied && name === 'lm_head.weight'),
    build: ({ weights, storage, lost, ...more }) => buildLlama(config, weights, storage, lost, more),
  };
}

function llamaConfig(kind: LlamaKind, keys: Keys, asked: Asked): LlamaConfig {
  const isGemma = kind === 'gemma' || kind === 'gemma2';
  const isQwen3 = kind === 'qwen3' || kind === 'qwen3_moe';
  for (const [key, kinds] of Object.entries(ONLY)) {
    const given = keys[key as keyof Keys];
    if (given !== undefined && given !== null && given !== false && !kinds.includes(kind)) refuse(asked, key, given, `a model of type ${kind} is not known to have it`);
  }
  const need: Need = (key) => {
    const given = keys[key];
    if (given === undefined || given === null) throw new CheckpointError('checkpoint_invalid', `${asked.file}: ${key} is missing, which a model of type ${kind} has`);
    return given;
  };
  const activation = isGemma ? (keys.hidden_activation ?? 'gelu_pytorch_tanh') : (keys.hidden_act ?? 'silu');
  if (activation !== (isGemma ? 'gelu_pytorch_tanh' : 'silu')) refuse(asked, isGemma ? 'hidden_activation' : 'hidden_act', activation, `of a model of type ${kind}, ${isGemma ? 'gelu_pytorch_tanh' : 'silu'} is computed here`);
  const { hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads } = keys;
  const keyValueHeads = keys.num_key_value_heads ?? (kind === 'llama' || kind === 'phi3' || kind === 'deepseek' ? heads : need('num_key_value_heads'));
  if (heads % keyValueHeads !== 0) refuse(asked, 'num_key_value_heads', keyValueHeads, `it must divide num_attention_heads, ${heads}`);
  // These two are not made of hidden_size where they say nothing.
  const headSize = keys.head_dim ?? (isGemma || isQwen3 ? need('head_dim') : width / heads);
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) refuse(asked, 'num_attention_heads', heads, `heads of ${headSize} numbers cannot be turned in pairs`);
  const { rotary, most } = rotaryOf(keys, headSize, asked);
  const contextLength = contextOf(asked, most);
  const bias = keys.attention_bias ?? false;
  const experts = expertsOf(kind, keys, need, asked);
  return {
    vocabularySize: keys.vocab_size, width, layers, heads, keyValueHeads, headSize, feedForward: keys.intermediate_size, contextLength, rotary, normEpsilon: keys.rms_norm_eps,
    attentionBias: kind === 'qwen2' || bias,
    outputBias: bias,
    feedForwardBias: keys.mlp_bias ?? false,
    headNorm: isQwen3,
    tied: keys.tie_word_embeddings ?? isGemma,
    fused: kind === 'phi3',
    activation: isGemma ? 'gelu' : 'silu',
    ...(isGemma ? { embeddingScale: Math.sqrt(width) } : {}),
    ...(kind === 'gemma2' ? { postNorms: true, scoreScale: 1 / Math.sqrt(need('query_pre_attn_scalar')), scoreCap: keys.attn_logit_softcapping ?? undefined, logitCap: keys.final_logit_softcapping ?? undefined } : {}),
    windows: windowsOf(kind, keys, contextLength, asked),
    experts,
  };
}

/** How far back each layer sees, where that is less than the context. */
function windowsOf(kind: LlamaKind, keys: Keys, contextLength: number, asked: Asked): LlamaConfig['windows'] {
  const { sliding_window: window, layer_types: types, num_hidden_layers: layers } = keys;
  const strange = types?.find((type) => type !== 'full_attention' && type !== 'sliding_attention');
  if (strange !== undefined) refuse(asked, 'layer_types', strange, 'full_attention and sliding_attention are computed here');
  if (types && types.length !== layers) refuse(asked, 'layer_types', types, `one is needed for each of the ${layers} layers`);
  const switched = kind.startsWith('qwen');
  if (!window || window >= contextLength || (switched && !keys.use_sliding_window)) return undefined;
  const slides = (layer: number): boolean => (types ? types[layer] === 'sliding_attention' : switched ? layer >= (keys.max_window_layers ?? layers) : kind === 'gemma2' ? layer % 2 === 0 : kind === 'mistral' || kind === 'mixtral' || kind === 'phi3');
  const windows = Array.from({ length: layers }, (_, layer) => (slides(layer) ? window : undefined));
  return windows.every((each) => each === undefined) ? undefined : windows;
}

function expertsOf(kind: LlamaKind, keys: Keys, need: Need, asked: Asked): LlamaConfig['experts'] {
  const isDeepSeek = kind === 'deepseek' && typeof keys.n_routed_experts === 'number';
  if (!isDeepSeek && kind !== 'qwen3_moe' && kind !== 'mixtral') return undefined;
  const count = need(isDeepSeek ? 'n_routed_experts' : kind === 'mixtral' ? 'num_local_experts' : 'num_experts');
  const [perToken, size] = [need('num_experts_per_tok'), kind === 'mixtral' ? keys.intermediate_size : need('moe_intermediate_size')];
  if (perToken > count) refuse(asked, 'num_experts_per_tok', perToken, `there are ${count} experts`);
  for (const key of ['moe_layer_freq', 'decoder_sparse_step'] as const) if ((keys[key] ?? 1) !== 1) refuse(asked, key, keys[key], 'every layer from the first with experts on must have them');
  if ((keys.mlp_only_layers ?? []).length > 0) refuse(asked, 'mlp_only_layers', keys.mlp_only_layers, 'every layer must have experts');
  if ((keys.scoring_func ?? 'softmax') !== 'softmax') refuse(asked, 'scoring_func', keys.scoring_func, 'softmax is computed here');
  const shared = isDeepSeek ? (keys.n_shared_experts ?? 0) * size : 0;
  // Mixtral takes the softmax over the chosen ones alone, which comes to the same as making their shares sum to 1.
  return { count, perToken, size, shared, firstLayer: isDeepSeek ? (keys.first_k_dense_replace ?? 0) : 0, normalised: kind === 'mixtral' || (perToken > 1 && (keys.norm_topk_prob ?? false)), scale: 1 };
}
/** As Mixtral's checkpoints name them. */
const MIXTRAL: readonly (readonly [string, string])[] = [['.mlp.', '.block_sparse_moe.'], ['.gate_proj.', '.w1.'], ['.down_proj.', '.w2.'], ['.up_proj.', '.w3.']];
