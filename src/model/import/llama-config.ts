// Owns what config.json says of models of the Llama family: which of the graph's variants a published model is.
// Refuses to know weights, and what rotary keys mean.

import { z } from 'zod';
import { isOfRouter } from '../experts.ts';
import { isMultipliedByHead, latentSize } from '../latent-attention.ts';
import { buildLlama, llamaParameters, rotaryTables } from '../llama.ts';
import type { LlamaConfig } from '../llama.ts';
import { rotaryAngles } from '../rotary.ts';
import { contextOf, layerCount, readKeys, refuse, whole } from './architecture.ts';
import type { LlamaKind } from './llama-family.ts';
import type { Architecture, Asked } from './architecture.ts';
import { CheckpointError } from './checkpoint.ts';
import { expertKeys, expertsOf } from './experts-config.ts';
import { latentKeys, latentOf } from './latent-config.ts';
import { layeredRope, ropeKeys, rotaryOf } from './rope-config.ts';

const schema = z.object({
  vocab_size: whole,
  hidden_size: whole,
  intermediate_size: whole,
  num_hidden_layers: layerCount,
  num_attention_heads: whole,
  num_key_value_heads: whole.nullish(),
  head_dim: whole.nullish(),
  hidden_act: z.string().nullish(),
  hidden_activation: z.string().nullish(),
  rms_norm_eps: z.number().positive().nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  sliding_window: whole.nullish(),
  use_sliding_window: z.boolean().nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
  sliding_window_pattern: whole.nullish(),
  _sliding_window_pattern: whole.nullish(),
  query_pre_attn_scalar: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  ...expertKeys,
  ...latentKeys,
  ...ropeKeys,
});
type Keys = z.infer<typeof schema>;
type NumberKey = { [Key in keyof Keys]-?: NonNullable<Keys[Key]> extends number ? Key : never }[keyof Keys];
/** A key's number, or the error that says that it is missing. */
type Need = (key: NumberKey) => number;
const GEMMAS: readonly LlamaKind[] = ['gemma', 'gemma2', 'gemma3_text'];
/** Keys that only some kinds have, and refuse where they say something. */
const ONLY: Partial<Record<keyof Keys, readonly LlamaKind[]>> = {
  attention_bias: ['llama', 'qwen3', 'qwen3_moe', 'gemma', 'gemma2', 'gemma3_text', 'deepseek'],
  mlp_bias: ['llama'],
  sliding_window: ['mistral', 'mixtral', 'qwen2', 'qwen3', 'qwen3_moe', 'phi3', 'gemma2', 'gemma3_text'],
  sliding_window_pattern: ['gemma3_text'],
  _sliding_window_pattern: ['gemma3_text'],
  rope_local_base_freq: ['gemma3_text'],
  query_pre_attn_scalar: ['gemma2', 'gemma3_text'],
  attn_logit_softcapping: ['gemma2', 'gemma3_text'],
  final_logit_softcapping: ['gemma2', 'gemma3_text'],
  n_routed_experts: ['deepseek', 'deepseek_v2', 'deepseek_v3'],
  num_experts: ['qwen3_moe'],
  num_local_experts: ['mixtral', 'qwen3_moe'],
  kv_lora_rank: ['deepseek_v2', 'deepseek_v3'],
  num_nextn_predict_layers: ['deepseek_v3'],
  use_bidirectional_attention: [],
};

/** What the configuration classes of transformers take where a key is not there and that changes what is computed. */
const UNSAID: Partial<Record<LlamaKind, Partial<Keys>>> = {
  mistral: { sliding_window: 4096 },
  mixtral: { rms_norm_eps: 1e-5, rope_theta: 1e6 },
  qwen2: { sliding_window: 4096, max_window_layers: 28 },
  qwen3: { sliding_window: 4096, max_window_layers: 28 },
  qwen3_moe: { sliding_window: 4096 },
  phi3: { rms_norm_eps: 1e-5 },
  gemma2: { sliding_window: 4096, query_pre_attn_scalar: 256, attn_logit_softcapping: 50, final_logit_softcapping: 30 },
  gemma3_text: { sliding_window: 4096, query_pre_attn_scalar: 256, rope_theta: 1e6, rope_local_base_freq: 1e4 },
  deepseek_v3: { first_k_dense_replace: 3, n_shared_experts: 1, n_group: 8, topk_group: 4, norm_topk_prob: true, routed_scaling_factor: 2.5 },
};
const keysOf = (kind: LlamaKind, value: unknown, asked: Asked): Keys => ({ ...UNSAID[kind], ...readKeys(value, schema, asked) });

/** Of the graph, by config.json. */
export const readLlamaConfig = (kind: LlamaKind, value: unknown, asked: Asked): LlamaConfig => llamaConfig(kind, keysOf(kind, value, asked), asked);

export function llamaArchitecture(kind: LlamaKind, value: unknown, asked: Asked): Architecture {
  const keys = keysOf(kind, value, asked);
  const config = llamaConfig(kind, keys, asked);
  const guessing = keys.num_nextn_predict_layers ?? 0;
  const isGuessing = (tensor: string): boolean => guessing > 0 && Number(/^model\.layers\.(\d+)\./.exec(tensor)?.[1] ?? -1) >= config.layers;
  const isGemma = GEMMAS.includes(kind);
  const plus =
    (by: number) =>
    ({ name }: { readonly name: string }) =>
      name.endsWith('norm.weight') ? (values: Float32Array): Float32Array => values.map((gain) => gain + by) : undefined;
  return {
    type: kind,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
    layers: config.layers,
    remembered: config.layers * (config.latent ? latentSize(config.latent) : 2 * config.keyValueHeads * config.headSize),
    parameters: llamaParameters(config),
    isStored: ({ name, shape }) => shape.length === 2 && !isOfRouter(name) && !isMultipliedByHead(name),
    layerOf: (name) => {
      const layer = /^model\.layers\.(\d+)\./.exec(name)?.[1];
      return layer === undefined ? undefined : Number(layer);
    },
    source: ({ name, shape }) => ({
      name: kind === 'mixtral' ? MIXTRAL.reduce((changed, [own, published]) => changed.replace(own, published), name) : name,
      shape,
    }),
    tables: () =>
      new Map(
        rotaryTables(config).flatMap(([table, rotary]) => {
          const { cos, sin } = rotaryAngles(rotary, config.latent?.turnedSize ?? config.headSize, config.contextLength);
          return [
            [`${table}.cos`, cos],
            [`${table}.sin`, sin],
          ];
        }),
      ),
    // Gemma's norms multiply by 1 + w.
    ...(isGemma ? { adjust: plus(1), restore: plus(-1) } : {}),
    isNeedless: (name) => name.endsWith('.rotary_emb.inv_freq') || (config.tied && name === 'lm_head.weight') || isGuessing(name),
    ...(guessing > 0
      ? {
          notes: [
            `num_nextn_predict_layers is ${guessing}: what guesses tokens beyond the next one (model.layers.${config.layers} and on) is left out; the next token does not depend on it`,
          ],
        }
      : {}),
    graphs: [{ name: 'model', build: ({ weights, storage, lost, ...more }) => buildLlama(config, weights, storage, lost, more) }],
  };
}

function llamaConfig(kind: LlamaKind, keys: Keys, asked: Asked): LlamaConfig {
  const isGemma = GEMMAS.includes(kind);
  const isQwen3 = kind === 'qwen3' || kind === 'qwen3_moe';
  for (const [key, kinds] of Object.entries(ONLY)) {
    const given = keys[key as keyof Keys];
    if (given !== undefined && given !== null && given !== false && !kinds.includes(kind))
      refuse(asked, key, given, `a model of type ${kind} is not known to have it`);
  }
  const need: Need = (key) => {
    const given = keys[key];
    if (given === undefined || given === null)
      throw new CheckpointError('checkpoint_invalid', `${asked.file}: ${key} is missing, which a model of type ${kind} has`);
    return given;
  };
  // The first configurations of Gemma 1 say gelu and mean its approximation.
  const ofGemma = kind === 'gemma' && keys.hidden_act !== 'gelu' ? (keys.hidden_act ?? undefined) : undefined;
  const activation = isGemma ? (keys.hidden_activation ?? ofGemma ?? 'gelu_pytorch_tanh') : (keys.hidden_act ?? 'silu');
  if (activation !== (isGemma ? 'gelu_pytorch_tanh' : 'silu'))
    refuse(
      asked,
      isGemma && ofGemma === undefined ? 'hidden_activation' : 'hidden_act',
      activation,
      `of a model of type ${kind}, ${isGemma ? 'gelu_pytorch_tanh' : 'silu'} is computed here`,
    );
  const { hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads } = keys;
  const keyValueHeads =
    keys.num_key_value_heads ?? (['llama', 'phi3', 'deepseek', 'deepseek_v2', 'deepseek_v3'].includes(kind) ? heads : need('num_key_value_heads'));
  if (heads % keyValueHeads !== 0) refuse(asked, 'num_key_value_heads', keyValueHeads, `it must divide num_attention_heads, ${heads}`);
  // These two are not made of hidden_size where they say nothing.
  const latent = kind === 'deepseek_v2' || kind === 'deepseek_v3' ? latentOf(keys.q_lora_rank, need) : undefined;
  const headSize = latent ? latent.plainSize + latent.turnedSize : (keys.head_dim ?? (isGemma || isQwen3 ? need('head_dim') : width / heads));
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) refuse(asked, 'num_attention_heads', heads, `heads of ${headSize} numbers cannot be turned in pairs`);
  const [full, near] = kind === 'gemma3_text' ? layeredRope(keys) : [keys];
  const { rotary, most, spread = 1 } = rotaryOf(full, latent?.turnedSize ?? headSize, asked);
  if (rotary.dimensions !== undefined && kind !== 'phi3')
    refuse(asked, 'partial_rotary_factor', rotary.dimensions / headSize, `a model of type ${kind} is not known to have it`);
  const contextLength = contextOf(asked, most);
  const sliding = slidingOf(kind, keys, contextLength, asked);
  const bias = keys.attention_bias ?? false;
  const experts = expertsOf(kind, keys, keys.intermediate_size, need, asked);
  return {
    vocabularySize: keys.vocab_size,
    width,
    layers,
    heads,
    keyValueHeads,
    headSize,
    feedForward: keys.intermediate_size,
    contextLength,
    rotary,
    normEpsilon: keys.rms_norm_eps ?? 1e-6,
    attentionBias: kind === 'qwen2' || bias,
    outputBias: bias,
    feedForwardBias: keys.mlp_bias ?? false,
    headNorm: isQwen3 || kind === 'gemma3_text',
    tied: keys.tie_word_embeddings ?? isGemma,
    fused: kind === 'phi3',
    activation: isGemma ? 'gelu' : 'silu',
    ...(isGemma ? { embeddingScale: Math.sqrt(width) } : {}),
    ...(kind === 'gemma2' || kind === 'gemma3_text'
      ? {
          postNorms: true,
          scoreScale: 1 / Math.sqrt(need('query_pre_attn_scalar')),
          scoreCap: keys.attn_logit_softcapping ?? undefined,
          logitCap: keys.final_logit_softcapping ?? undefined,
        }
      : {}),
    windows: windowsOf(sliding, keys, contextLength),
    ...(near ? { local: { rotary: rotaryOf(near, headSize, asked).rotary, layers: sliding } } : {}),
    experts,
    ...(latent ? { latent, scoreScale: spread ** 2 / Math.sqrt(headSize), pairs: keys.rope_interleave === false ? 'halves' : 'neighbours' } : {}),
  };
}

/** By layer, whether it sees no further back than a window. */
function slidingOf(kind: LlamaKind, keys: Keys, contextLength: number, asked: Asked): readonly boolean[] {
  const { sliding_window: window, layer_types: types, num_hidden_layers: layers, sliding_window_pattern: every, _sliding_window_pattern: later } = keys;
  const strange = types?.find((type) => type !== 'full_attention' && type !== 'sliding_attention');
  if (strange !== undefined) refuse(asked, 'layer_types', strange, 'full_attention and sliding_attention are computed here');
  if (types && types.length !== layers) refuse(asked, 'layer_types', types, `one is needed for each of the ${layers} layers`);
  const switched = kind.startsWith('qwen');
  const off = !window || (switched && !keys.use_sliding_window);
  // transformers 5 lets all layers of Qwen 3 with experts slide and writes no number; before, those from the number on did.
  const first = keys.max_window_layers ?? 0;
  if (kind === 'qwen3_moe' && !off && window < contextLength && first > 0 && !types)
    refuse(asked, 'max_window_layers', first, 'releases of transformers differ in which layers of a model of type qwen3_moe have windows then; 0 lets all of them have one');
  const pattern = kind === 'gemma2' ? 2 : (every ?? later ?? 6);
  const slides = (layer: number): boolean => {
    if (off) return false;
    if (types) return types[layer] === 'sliding_attention';
    if (switched) return layer >= first;
    return kind === 'gemma2' || kind === 'gemma3_text' ? (layer + 1) % pattern !== 0 : kind === 'mistral' || kind === 'mixtral' || kind === 'phi3';
  };
  return Array.from({ length: layers }, (_, layer) => slides(layer));
}
/** How far back each layer sees, where that is less than the context. */
function windowsOf(sliding: readonly boolean[], { sliding_window: window }: Keys, contextLength: number): LlamaConfig['windows'] {
  return window && window < contextLength && sliding.includes(true) ? sliding.map((slides) => (slides ? window : undefined)) : undefined;
}

/** As Mixtral's checkpoints name them. */
const MIXTRAL: readonly (readonly [string, string])[] = [
  ['.mlp.', '.block_sparse_moe.'],
  ['.gate_proj.', '.w1.'],
  ['.down_proj.', '.w2.'],
  ['.up_proj.', '.w3.'],
];
