// Owns the dense layers that sentence-transformers puts behind pooling: their files, and what they compute.
// Refuses to know where the vectors come from.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fromFloat16 } from '../../model/onnx-weights.ts';
import { invalid, readJson } from '../models/json-files.ts';

const configSchema = z.looseObject({ in_features: z.int().positive().max(65_536), out_features: z.int().positive().max(65_536), bias: z.boolean().default(true), activation_function: z.string() });
const tensorSchema = z.looseObject({ dtype: z.string(), shape: z.array(z.int().nonnegative()), data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]) });
const ACTIVATIONS: Readonly<Record<string, (value: number) => number>> = {
  Identity: (value) => value,
  Tanh: Math.tanh,
  ReLU: (value) => Math.max(0, value),
  Sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

export interface DenseLayer {
  readonly from: number;
  readonly to: number;
  /** Row by row: the weights of each number that comes out. */
  readonly weights: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: (value: number) => number;
}

/** Tensors of a safetensors file, as 32-bit floats. Throws EngineError `model_invalid`. */
async function readTensors(path: string): Promise<ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw invalid(`${path} cannot be read, and it holds the weights of a dense layer (pytorch_model.bin is not read): ${error instanceof Error ? error.message : String(error)}`, error);
  });
  const broken = (what: string): Error => invalid(`${path} is no safetensors file: ${what}`);
  const length = bytes.length < 8 ? Infinity : Number(bytes.readBigUInt64LE(0));
  if (length > bytes.length - 8) throw broken('its header is longer than the file');
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  } catch {
    throw broken('its header is not JSON');
  }
  const data = new DataView(bytes.buffer, bytes.byteOffset + 8 + length, bytes.length - 8 - length);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const [name, entry] of Object.entries(z.record(z.string(), z.unknown()).catch({}).parse(header))) {
    const read = tensorSchema.safeParse(entry);
    if (!read.success) continue;
    const { dtype, shape, data_offsets: [from, to] } = read.data;
    const [size, at]: [number, (place: number) => number] =
      dtype === 'F32' ? [4, (place) => data.getFloat32(place, true)] : dtype === 'F16' ? [2, (place) => fromFloat16(data.getUint16(place, true))] : dtype === 'BF16' ? [2, (place) => bfloat(data.getUint16(place, true))] : [0, Number];
    const count = shape.reduce((product, part) => product * part, 1);
    if (size === 0) throw broken(`${name} is ${dtype}; Pharos reads F32, F16 and BF16`);
    if (to > data.byteLength || to - from !== count * size) throw broken(`${name} has no ${count} numbers`);
    tensors.set(name, { shape, values: Float32Array.from({ length: count }, (_, i) => at(from + size * i)) });
  }
  return tensors;
}
function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

/** Reads the folder of a dense layer: config.json and model.safetensors. Throws EngineError `model_invalid`. */
export async function readDense(folder: string): Promise<DenseLayer> {
  const config = await readJson(join(folder, 'config.json'), configSchema, true);
  if (!config) throw invalid(`${join(folder, 'config.json')} is missing`);
  const { in_features: from, out_features: to, bias: biased, activation_function: named } = config;
  const activation = ACTIVATIONS[named.split('.').at(-1) ?? ''];
  if (!activation) throw invalid(`${join(folder, 'config.json')}: activation_function ${named} is not known; Pharos has ${Object.keys(ACTIVATIONS).join(', ')}`);
  const path = join(folder, 'model.safetensors');
  const tensors = await readTensors(path);
  const weights = tensors.get('linear.weight');
  const bias = tensors.get('linear.bias');
  if (weights?.shape[0] !== to || weights.shape[1] !== from || weights.shape.length !== 2) throw invalid(`${path}: linear.weight must be [${to}, ${from}]`);
  if (biased && bias?.values.length !== to) throw invalid(`${path}: linear.bias must be [${to}]`);
  return { from, to, weights: weights.values, bias: biased ? bias?.values : undefined, activation };
}

export function dense({ from, to, weights, bias, activation }: DenseLayer, vector: Float32Array): Float32Array {
  const result = new Float32Array(to);
  for (let row = 0; row < to; row++) {
    let sum = bias?.[row] ?? 0;
    for (let i = 0; i < from; i++) sum += weights[row * from + i] * vector[i];
    result[row] = activation(sum);
  }
  return result;
}
