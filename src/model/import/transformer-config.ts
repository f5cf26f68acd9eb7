// Owns what config.json says of encoder-decoders of the original form (BART, mBART, Marian), and how their checkpoints name the weights.
// Refuses to know how the graphs are made.

import { z } from 'zod';
import type { Parameter } from '../decoder-parts.ts';
import type { Activation } from '../layers.ts';
import { buildDecoder, buildEncoder, transformerParameters } from '../transformer.ts';
import type { StackConfig, TransformerConfig } from '../transformer.ts';
import { contextOf, layerCount, readKeys, refuse, whole } from './architecture.ts';
import type { Architecture, Asked } from './architecture.ts';

export const ENCODER_DECODERS = ['bart', 'mbart', 'marian'] as const;
export type EncoderDecoder = (typeof ENCODER_DECODERS)[number];

const flag = z.boolean().nullish();
const schema = z.object({
  vocab_size: whole,
  decoder_vocab_size: whole.nullish(),
  d_model: whole,
  encoder_layers: layerCount,
  encoder_attention_heads: whole,
  encoder_ffn_dim: whole,
  decoder_layers: layerCount,
  decoder_attention_heads: whole,
  decoder_ffn_dim: whole,
  num_hidden_layers: whole.nullish(),
  max_position_embeddings: whole,
  activation_function: z.string(),
  scale_embedding: flag,
  tie_word_embeddings: flag,
  share_encoder_decoder_embeddings: flag,
  normalize_before: flag,
  normalize_embedding: flag,
  add_final_layer_norm: flag,
  add_bias_logits: flag,
  static_position_embeddings: flag,
  extra_pos_embeddings: z.int().nullish(),
});
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  swish: 'silu',
  silu: 'silu',
};
/** Rows in front of learned positions that no token has. */
const SKIPPED = 2;
/** Of PyTorch's LayerNorm; no configuration says another. */
const EPSILON = 1e-5;

/** One for both sides, under any of these names. */
const EMBEDDINGS = /^model\.(?:shared|(?:encoder|decoder)\.embed_tokens)\.weight$/;

/** `has`: does the checkpoint have a tensor of this name? */
export function transformerArchitecture(kind: EncoderDecoder, value: unknown, asked: Asked, has: (tensor: string) => boolean): Architecture {
  const keys = readKeys(value, schema, asked);
  const isMarian = kind === 'marian';
  const norm = kind === 'mbart' ? 'pre' : 'post';
  const activation =
    ACTIVATIONS[keys.activation_function] ??
    refuse(asked, 'activation_function', keys.activation_function, `${Object.keys(ACTIVATIONS).join(', ')} are computed here`);
  const fixed: readonly (readonly [
    'normalize_before' | 'normalize_embedding' | 'add_final_layer_norm' | 'static_position_embeddings' | 'share_encoder_decoder_embeddings',
    boolean,
  ])[] = [
    ['normalize_before', norm === 'pre'],
    ['normalize_embedding', !isMarian],
    ['add_final_layer_norm', norm === 'pre'],
    ['static_position_embeddings', isMarian],
    ['share_encoder_decoder_embeddings', true],
  ];
  for (const [key, right] of fixed) if ((keys[key] ?? right) !== right) refuse(asked, key, keys[key], `of a model of type ${kind}, ${right} is computed here`);
  if ((keys.decoder_vocab_size ?? keys.vocab_size) !== keys.vocab_size)
    refuse(asked, 'decoder_vocab_size', keys.decoder_vocab_size, `both sides must have the vocabulary of ${keys.vocab_size}`);
  const stack = (side: 'encoder' | 'decoder'): StackConfig => {
    const heads = keys[`${side}_attention_heads`];
    if (keys.d_model % heads !== 0) refuse(asked, `${side}_attention_heads`, heads, `it must divide d_model, ${keys.d_model}`);
    return { layers: keys[`${side}_layers`], heads, feedForward: keys[`${side}_ffn_dim`] };
  };
  const [encoder, decoder] = [stack('encoder'), stack('decoder')];
  const config: TransformerConfig = {
    vocabularySize: keys.vocab_size,
    width: keys.d_model,
    contextLength: contextOf(asked, keys.max_position_embeddings),
    encoder,
    decoder,
    norm,
    activation,
    normEpsilon: EPSILON,
    positions: isMarian ? { kind: 'sinusoidal', layout: 'halves' } : { kind: 'learned' },
    embeddingNorm: !isMarian,
    tied: keys.tie_word_embeddings ?? true,
    logitBias: has('final_logits_bias'),
    ...(keys.scale_embedding ? { embeddingScale: Math.sqrt(keys.d_model) } : {}),
  };
  const isPlaces = ({ name }: Parameter): boolean => name.endsWith('.embed_positions.weight');
  const embedding = has('model.shared.weight') || !has('model.decoder.embed_tokens.weight') ? 'model.shared.weight' : 'model.decoder.embed_tokens.weight';
  return {
    type: kind,
    contextLength: config.contextLength,
    vocabularySize: config.vocabularySize,
    layers: encoder.layers + decoder.layers,
    // Of the decoder; what it compares with at the other side has as many for each token there.
    remembered: 2 * decoder.layers * config.width,
    parameters: transformerParameters(config),
    isStored: (parameter) => parameter.shape.length === 2 && !isPlaces(parameter),
    layerOf: (name) => {
      const [, side, layer] = /^model\.(encoder|decoder)\.layers\.(\d+)\./.exec(name) ?? [];
      return layer === undefined ? undefined : Number(layer) + (side === 'decoder' ? encoder.layers : 0);
    },
    source: (parameter) => {
      const { name, shape } = parameter;
      if (name === 'model.shared.weight') return { name: embedding, shape };
      if (name === 'final_logits_bias') return { name, shape: [1, ...shape] };
      return { name, shape: isPlaces(parameter) ? [keys.max_position_embeddings + SKIPPED, config.width] : shape };
    },
    adjust: (parameter) =>
      isPlaces(parameter) ? (values) => values.subarray(SKIPPED * config.width, (SKIPPED + config.contextLength) * config.width) : undefined,
    copyOf: (name) => (EMBEDDINGS.test(name) ? embedding : undefined),
    isNeedless: (name) =>
      EMBEDDINGS.test(name) ||
      (isMarian && name.endsWith('.embed_positions.weight')) ||
      (config.tied && name === 'lm_head.weight'),
    graphs: [
      { name: 'encoder_model', build: (options) => buildEncoder(config, options) },
      { name: 'decoder_model', build: (options) => buildDecoder(config, options) },
    ],
  };
}
