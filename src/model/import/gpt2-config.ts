// Owns what config.json says of GPT-2, and how its checkpoints name and lay out the weights.
// Refuses to know how the graph is made.

import { z } from 'zod';
import { transposed } from '../decoder-parts.ts';
import type { Parameter } from '../decoder-parts.ts';
import { buildGpt2, gpt2Parameters } from '../gpt2.ts';
import type { Gpt2Config } from '../gpt2.ts';
import { contextOf, layerCount, readKeys, refuse, whole } from './architecture.ts';
import type { Architecture, Asked } from './architecture.ts';

const schema = z.object({
  vocab_size: whole,
  n_embd: whole,
  n_layer: layerCount,
  n_head: whole,
  n_inner: whole.nullish(),
  n_positions: whole,
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.string().default('gelu_new'),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
  tie_word_embeddings: z.boolean().nullish(),
});

/** Of the graph, by config.json. */
export const readGpt2Config = (value: unknown, asked: Asked): Gpt2Config => gpt2Config(readKeys(value, schema, asked), asked);

function gpt2Config(keys: z.infer<typeof schema>, asked: Asked): Gpt2Config {
  if (!['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast'].includes(keys.activation_function))
    refuse(asked, 'activation_function', keys.activation_function, 'gelu_new is computed here');
  if (keys.scale_attn_by_inverse_layer_idx) refuse(asked, 'scale_attn_by_inverse_layer_idx', true, 'all layers must scale their scores alike');
  if (keys.add_cross_attention) refuse(asked, 'add_cross_attention', true, 'decoders alone are computed here');
  if (keys.n_embd % keys.n_head !== 0) refuse(asked, 'n_head', keys.n_head, `it must divide n_embd, ${keys.n_embd}`);
  return {
    vocabularySize: keys.vocab_size,
    width: keys.n_embd,
    layers: keys.n_layer,
    heads: keys.n_head,
    feedForward: keys.n_inner ?? 4 * keys.n_embd,
    contextLength: contextOf(asked, keys.n_positions),
    normEpsilon: keys.layer_norm_epsilon,
    tied: keys.tie_word_embeddings ?? true,
    ...(keys.scale_attn_weights ? {} : { scoreScale: 1 }),
  };
}

/** `has`: does the checkpoint have a tensor of this name? Some have the model inside of another, some alone. */
export function gpt2Architecture(value: unknown, asked: Asked, has: (tensor: string) => boolean): Architecture {
  const keys = readKeys(value, schema, asked);
  const config = gpt2Config(keys, asked);
  const prefix = has('transformer.wte.weight') ? 'transformer.' : '';
  // Conv1D stores [in, out].
  const isTurned = ({ name, shape }: Parameter): boolean => name.startsWith('h.') && shape.length === 2;
  return {
    type: 'gpt2',
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
    layers: config.layers,
    remembered: 2 * config.layers * config.width,
    parameters: gpt2Parameters(config),
    isStored: ({ name, shape }) => shape.length === 2 && name !== 'wpe.weight',
    layerOf: (name) => {
      const layer = /^h\.(\d+)\./.exec(name)?.[1];
      return layer === undefined ? undefined : Number(layer);
    },
    source: (parameter) => {
      const { name, shape } = parameter;
      if (name === 'wpe.weight') return { name: prefix + name, shape: [keys.n_positions, keys.n_embd] };
      return { name: name === 'lm_head.weight' ? name : prefix + name, shape: isTurned(parameter) ? shape.toReversed() : shape };
    },
    adjust: (parameter) => {
      if (parameter.name === 'wpe.weight') return (values) => values.subarray(0, config.contextLength * config.width);
      return isTurned(parameter) ? (values) => transposed(values, parameter.shape[1], parameter.shape[0]) : undefined;
    },
    restore: (parameter) => (isTurned(parameter) ? (values) => transposed(values, parameter.shape[0], parameter.shape[1]) : undefined),
    // Buffers of the causal mask.
    isNeedless: (name) => /\.attn\.(bias|masked_bias)$/.test(name) || (config.tied && name === 'lm_head.weight'),
    graphs: [{ name: 'model', build: (options) => buildGpt2(config, options) }],
  };
}
