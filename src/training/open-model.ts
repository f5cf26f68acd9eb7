// Owns opening a model folder for training: which kind it is, and errors of what cannot be trained.
// Refuses to know the kinds themselves, and how training goes.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { Storage } from '../model/decoder-parts.ts';
import { CheckpointError, reasonOf } from '../model/import/checkpoint.ts';
import type { TrainableModel } from './loss-graph.ts';
import { PUBLISHED_TYPES, trainPublished } from './folders/published.ts';
import { readShipped, SHIPPED_TYPE, trainShipped } from './folders/shipped.ts';
import type { MethodSpec } from './spec.ts';

export interface TrainableOptions {
  /** Share of numbers that are dropped from the embedding's rows and from what each block adds. Default: 0. */
  readonly dropout?: number;
  /** Draws the adapters. Default: 1. */
  readonly seed?: number;
  /** How `save` stores the weights of a published model in its ONNX file. Default: whole. Those of the kind that ships are in half precision. */
  readonly storage?: Storage;
}

/**
 * Opens a folder of the kind that ships with Pharos (weights from onnx/model.onnx), or one of Hugging Face with config.json and safetensors (the Llama family, GPT-2), or a checkpoint of llama2.c, or
 * what any of them was brought in as, with its weights in the graph, whole or in half precision.
 * `save` writes the result in the same layout with an ONNX file beside it, so that it is served and can be opened again. Throws CheckpointError for a folder that is not whole, a model that cannot be
 * trained, and adapters for what is not there.
 */
export function openTrainable(folder: string, method: MethodSpec, { dropout = 0, seed = 1, ...more }: TrainableOptions = {}): TrainableModel {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) throw new CheckpointError('arguments_invalid', `${folder} is not there; give the folder of a model`);
  try {
    const config = existsSync(join(folder, 'config.json')) ? readConfig(join(folder, 'config.json')) : undefined;
    if (config?.model_type === SHIPPED_TYPE) return trainShipped(readShipped(folder, config), method, { dropout, seed });
    if (config && !PUBLISHED_TYPES.includes(String(config.model_type)))
      throw new CheckpointError(
        'checkpoint_unsupported',
        `${join(folder, 'config.json')}: models of type ${String(config.model_type)} cannot be trained here; ${[SHIPPED_TYPE, ...PUBLISHED_TYPES].join(', ')} can`,
      );
    return trainPublished(folder, method, { dropout, seed, ...more });
  } catch (error) {
    if (error instanceof RangeError) throw new CheckpointError('arguments_invalid', error.message, { cause: error });
    throw error;
  }
}

function readConfig(path: string): { readonly model_type?: unknown } {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) throw new Error('it is no object');
    return value;
  } catch (error) {
    throw new CheckpointError('checkpoint_invalid', `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
