// Owns the kind of model that ships as a folder: its config.json, reading it for training, writing it as it is served.
// Refuses to know how it is trained.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { buildDecoder, decoderParameters, LATER_PARAMETERS, parameterCount, sizeOf } from '../../model/decoder.ts';
import type { DecoderConfig } from '../../model/decoder.ts';
import { layerCount } from '../../model/import/architecture.ts';
import { CheckpointError, reasonOf } from '../../model/import/checkpoint.ts';
import { fitsHalves, HALF_LIMIT } from '../../model/onnx.ts';
import { readWeights } from '../../model/onnx-weights.ts';
import { adaptersOf, initialAdapters, withAdapters } from '../graphs/adapters.ts';
import { decoderLoss } from '../graphs/decoder-loss.ts';
import type { TrainableModel } from '../loss-graph.ts';
import type { MethodSpec } from '../spec.ts';
import { replaceFile } from '../trainer.ts';

export const SHIPPED_TYPE = 'pharos-decoder';
const whole = z.int().positive();
const schema = z.looseObject({
  vocab_size: whole,
  hidden_size: whole,
  num_hidden_layers: layerCount,
  num_attention_heads: whole,
  head_dim: whole,
  intermediate_size: whole,
  max_position_embeddings: whole,
  rope_theta: z.number().positive(),
  rotary_dimensions: whole,
  rms_norm_eps: z.number().positive(),
  pointer_width: whole,
  pointer_token_width: whole,
  training_steps: z.int().nonnegative().default(0),
});
/** Files of a folder that training leaves as they are. */
const ALONG = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'pharos.json'] as const;
/** The only file with weights that can be trained: quantised ones have lost them. */
/** The least number of half precision. */
const HALF_LEAST = 2 ** -24;
const WEIGHTS = 'onnx/model.onnx';

const configJson = (config: DecoderConfig, trainingSteps: number): object => ({
  model_type: SHIPPED_TYPE,
  architectures: ['PharosForCausalLM'],
  vocab_size: config.vocabularySize,
  hidden_size: config.width,
  num_hidden_layers: config.layers,
  num_attention_heads: config.heads,
  num_key_value_heads: config.heads,
  head_dim: config.headSize,
  intermediate_size: config.feedForward,
  max_position_embeddings: config.contextLength,
  rope_theta: config.rotaryBase,
  rotary_dimensions: config.rotaryDimensions,
  rms_norm_eps: config.normEpsilon,
  hidden_act: 'relu2',
  key_mix: 'previous-token',
  pointer_width: config.pointerWidth,
  pointer_token_width: config.pointerTokenWidth,
  tie_word_embeddings: true,
  torch_dtype: 'float16',
  num_parameters: parameterCount(config),
  training_steps: trainingSteps,
});

export interface ShippedFolder {
  readonly config: DecoderConfig;
  readonly trainingSteps: number;
  /** By decoderParameters. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Tokenizer and what else goes along, by name. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

/** Writes a folder that is served; each file is replaced in one rename, config.json last. Throws CheckpointError, and writes nothing, for weights that cannot be stored. */
export function writeShipped(folder: string, { config, trainingSteps, weights, files }: ShippedFolder): void {
  for (const [name, values] of weights)
    if (!fitsHalves(values))
      throw new CheckpointError(
        'checkpoint_unsupported',
        `${name} has numbers that half precision, in which models of this kind are stored, cannot hold (${HALF_LIMIT} and more); lower the learning rate`,
      );
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  // What half precision cannot tell from zero is zero, without a sign.
  const stored = new Map(Array.from(weights, ([name, values]) => [name, values.map((value) => (Math.abs(value) <= HALF_LEAST / 2 ? 0 : value))]));
  replaceFile(join(folder, WEIGHTS), buildDecoder(config, stored, { storage: 'float16' }));
  for (const [name, content] of files) replaceFile(join(folder, name), content);
  replaceFile(join(folder, 'config.json'), `${JSON.stringify(configJson(config, trainingSteps), null, 2)}\n`);
}

/** Throws CheckpointError that says what is missing. */
export function readShipped(folder: string, configuration: unknown): ShippedFolder {
  const parsed = schema.safeParse(configuration);
  if (!parsed.success)
    throw new CheckpointError(
      'checkpoint_invalid',
      `${join(folder, 'config.json')}: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
    );
  const keys = parsed.data;
  const config: DecoderConfig = {
    vocabularySize: keys.vocab_size,
    width: keys.hidden_size,
    layers: keys.num_hidden_layers,
    heads: keys.num_attention_heads,
    headSize: keys.head_dim,
    feedForward: keys.intermediate_size,
    contextLength: keys.max_position_embeddings,
    rotaryBase: keys.rope_theta,
    rotaryDimensions: keys.rotary_dimensions,
    normEpsilon: keys.rms_norm_eps,
    pointerWidth: keys.pointer_width,
    pointerTokenWidth: keys.pointer_token_width,
  };
  const file = join(folder, WEIGHTS);
  if (!existsSync(file)) {
    const others = existsSync(join(folder, 'onnx')) ? readdirSync(join(folder, 'onnx')).filter((name) => name.endsWith('.onnx')) : [];
    throw new CheckpointError(
      'checkpoint_invalid',
      `${folder} has no ${WEIGHTS}, whose weights are trained${others.length > 0 ? `; onnx/${others.join(', onnx/')} will not do, for what is quantised has lost them` : ''}`,
    );
  }
  let stored: ReturnType<typeof readWeights>;
  try {
    stored = readWeights(readFileSync(file));
  } catch (error) {
    throw new CheckpointError('checkpoint_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const weights = new Map(
    decoderParameters(config).map(({ name, shape }) => {
      const values = stored.get(name)?.values ?? (LATER_PARAMETERS.has(name) ? new Float32Array(sizeOf(shape)) : undefined);
      if (values?.length !== sizeOf(shape))
        throw new CheckpointError(
          'checkpoint_invalid',
          `${file} has ${values?.length ?? 'no'} numbers of ${name} in whole or half precision, and config.json asks for ${sizeOf(shape)}`,
        );
      return [name, values];
    }),
  );
  return {
    config,
    trainingSteps: keys.training_steps,
    weights,
    files: new Map(ALONG.filter((name) => existsSync(join(folder, name))).map((name) => [name, readFileSync(join(folder, name))])),
  };
}

export function trainShipped(base: ShippedFolder, method: MethodSpec, { dropout, seed }: { readonly dropout: number; readonly seed: number }): TrainableModel {
  const { config, weights } = base;
  const read = (name: string): Float32Array => weights.get(name) ?? new Float32Array(0);
  const adapters = method.kind === 'lora' ? adaptersOf(decoderParameters(config), method, 'in-out') : undefined;
  return {
    graph: decoderLoss(config, { method, dropout, weights: read }),
    initial: () => (adapters ? initialAdapters(adapters, seed) : new Map([...weights].map(([name, values]) => [name, values.slice()]))),
    parameterCount: parameterCount(config),
    contextLength: config.contextLength,
    save: (trained, folder) => {
      const result = withAdapters(read, trained, adapters, 'in-out');
      writeShipped(folder, { ...base, weights: new Map(decoderParameters(config).map(({ name }) => [name, result(name)])) });
    },
  };
}
