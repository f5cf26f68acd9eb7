// Owns the folder of the encoder that ships: its form, its start, and its files as sentence-transformers lays them out.
// Refuses to know how it is trained.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { sizeOf } from '../../model/import/checkpoint.ts';
import { buildEncoder, transformerParameters } from '../../model/transformer.ts';
import type { TransformerConfig } from '../../model/transformer.ts';
import { Random } from '../random.ts';
import { replaceFile } from '../trainer.ts';

export type EmbedderConfig = TransformerConfig & { readonly encoder: NonNullable<TransformerConfig['encoder']> };
/** Vectors may be cut to so many numbers; the last is the whole width. */
export const DIMENSIONS = [64, 192] as const;
export const EMBEDDER: EmbedderConfig = {
  vocabularySize: 4096,
  width: 192,
  contextLength: 256,
  encoder: { layers: 2, heads: 6, feedForward: 512 },
  positions: { kind: 'rotary', rotary: { base: 10_000 } },
  norm: 'pre',
  activation: 'gelu',
  normEpsilon: 1e-5,
  tied: true,
};

/** Norms are ones, biases zeros; matrices keep the size of rows, and those that add to the stream start small in proportion to their number (Radford et al. 2019, section 2.3). */
export function drawnEncoder(config: EmbedderConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(
    transformerParameters(config).map(({ name, shape }) => {
      const size = sizeOf(shape);
      if (shape.length === 1) return [name, new Float32Array(size).fill(name.endsWith('norm.weight') ? 1 : 0)];
      const spread =
        name === 'model.shared.weight'
          ? 0.1
          : /(out_proj|fc2)\.weight$/.test(name)
            ? 1 / Math.sqrt(2 * config.encoder.layers * shape[1])
            : 1 / Math.sqrt(shape[1]);
      return [name, Float32Array.from({ length: size }, () => spread * random.normal())];
    }),
  );
}

export interface Embedder {
  readonly config: EmbedderConfig;
  /** By transformerParameters. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly trainingSteps: number;
  /** Text of tokenizer.json. */
  readonly tokenizer: string;
  readonly padToken: string;
  readonly padId: number;
}
/** Writes a folder that is served, and that sentence-transformers lays out likewise: half precision, the mean over tokens, length 1. Each file is replaced in one rename, config.json last. */
export function writeEmbedder(folder: string, { config, weights, trainingSteps, tokenizer, padToken, padId }: Embedder): void {
  const { vocabularySize, width, contextLength, encoder, normEpsilon } = config;
  for (const part of ['onnx', '1_Pooling']) mkdirSync(join(folder, part), { recursive: true });
  const read = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  replaceFile(join(folder, 'onnx/model.onnx'), buildEncoder(config, { weights: read, storage: 'float16' }));
  replaceFile(join(folder, 'tokenizer.json'), tokenizer);
  const json = (name: string, value: unknown): void => replaceFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    pad_token: padToken,
    model_max_length: contextLength,
    clean_up_tokenization_spaces: false,
  });
  json('modules.json', [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    { idx: 2, name: '2', path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
  ]);
  json('1_Pooling/config.json', {
    word_embedding_dimension: width,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  });
  json('sentence_bert_config.json', { max_seq_length: contextLength, do_lower_case: false });
  json('config.json', {
    model_type: 'pharos-encoder',
    architectures: ['PharosModel'],
    vocab_size: vocabularySize,
    hidden_size: width,
    num_hidden_layers: encoder.layers,
    num_attention_heads: encoder.heads,
    intermediate_size: encoder.feedForward,
    max_position_embeddings: contextLength,
    rope_theta: config.positions.kind === 'rotary' ? config.positions.rotary.base : undefined,
    layer_norm_eps: normEpsilon,
    hidden_act: 'gelu',
    pad_token_id: padId,
    matryoshka_dimensions: DIMENSIONS,
    torch_dtype: 'float16',
    num_parameters: transformerParameters(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    training_steps: trainingSteps,
  });
}
