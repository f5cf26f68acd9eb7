// Owns reading the weights of an ONNX file back: initializers by name, as float32, out of the file itself or of the one beside it.
// Refuses to know what the graph computes.

import { closeSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';

import { readGraphFile, weightsFolder } from './graph-file.ts';
import { DataType } from './onnx.ts';
import { readFields } from './protobuf.ts';

/** Value of IEEE 754 half-precision bits. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
let halves: Float32Array | undefined;
/** Value of every half-precision number, by its bits. */
export const halfTable = (): Float32Array => (halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => fromFloat16(bits)));

/** Fields of ModelProto, GraphProto, TensorProto and StringStringEntryProto (onnx/onnx.proto). */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13 } as const;
/** What GraphBuilder.weight puts behind the names of weights in half precision. */
const HALF_SUFFIX = /\.f16$/;
/** Bytes that are read at once: Linux takes no more than 2 GiB. */
const PIECE = 2 ** 28;

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType. */
  readonly type: number;
  /** In the file itself; of others, what says where they lie. */
  readonly raw: Uint8Array | undefined;
  readonly external: ReadonlyMap<string, string>;
}
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

function tensorOf(bytes: Uint8Array): Tensor {
  const shape: number[] = [];
  const external = new Map<string, string>();
  let [type, name] = [0, ''];
  let raw: Uint8Array | undefined;
  readFields(bytes, (field, value) => {
    if (typeof value === 'number') {
      if (field === TENSOR.dims) shape.push(value);
      else if (field === TENSOR.type) type = value;
    } else if (field === TENSOR.name) name = text(value);
    else if (field === TENSOR.raw) raw = value;
    else if (field === TENSOR.external) {
      const entry = ['', ''];
      readFields(value, (part, given) => void (typeof given === 'number' || (entry[part - 1] = text(given))));
      external.set(entry[0], entry[1]);
    }
  });
  return { name: type === DataType.float16 ? name.replace(HALF_SUFFIX, '') : name, shape, type, raw, external };
}
/** Initializers of the main graph. */
function tensorsOf(model: Uint8Array): Tensor[] {
  const tensors: Tensor[] = [];
  readFields(model, (field, graph) => {
    if (field !== MODEL_GRAPH || typeof graph === 'number') return;
    readFields(graph, (part, value) => {
      if (part === GRAPH_INITIALIZER && typeof value !== 'number') tensors.push(tensorOf(value));
    });
  });
  return tensors;
}
const isFloat = ({ type }: Tensor): boolean => type === DataType.float || type === DataType.float16;
/** Fills float32 of a tensor by its bytes: `fill` writes them where it is told. */
function floats({ type, shape }: Tensor, fill: (into: Uint8Array) => void): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (type === DataType.float) {
    fill(new Uint8Array(values.buffer));
    return values;
  }
  const patterns = new Uint16Array(values.length);
  fill(new Uint8Array(patterns.buffer));
  const table = halfTable();
  for (let i = 0; i < patterns.length; i++) values[i] = table[patterns[i]];
  return values;
}
function copied(tensor: Tensor, raw: Uint8Array): Float32Array {
  return floats(tensor, (into) => {
    if (raw.length !== into.length)
      throw new RangeError(`${tensor.name} has ${raw.length} bytes, and its shape [${tensor.shape.join(', ')}] needs ${into.length}`);
    into.set(raw);
  });
}

/**
 * Initializers of the main graph that GraphBuilder.weight stored, whole or half precision (the suffix `.f16` is taken off); integers are left out. Throws RangeError for a file
 * that cannot be read.
 */
export function readWeights(file: Uint8Array): Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }> {
  const weights = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const tensor of tensorsOf(file))
    if (isFloat(tensor) && tensor.raw) weights.set(tensor.name, { shape: tensor.shape, values: copied(tensor, tensor.raw) });
  return weights;
}

export interface StoredWeights {
  /** Of all initializers, `.f16` taken off; also of those that hold no floats. */
  readonly names: readonly string[];
  /** Of one in whole or half precision; undefined for others. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Throws RangeError for what is not there, or not in whole or half precision. */
  read(name: string): Float32Array;
}
/** The same of a file on the disk, of which nothing is held: a tensor is read when it is asked for. Throws RangeError for what is no ONNX file, and what `node:fs` throws. */
export function openWeights(path: string): StoredWeights {
  const tensors = new Map(tensorsOf(readGraphFile(path).bytes).map((tensor) => [tensor.name, tensor]));
  const found = (name: string): Tensor | undefined => {
    const tensor = tensors.get(name);
    return tensor && isFloat(tensor) ? tensor : undefined;
  };
  return {
    names: [...tensors.keys()],
    shapeOf: (name) => found(name)?.shape,
    read: (name) => {
      const tensor = found(name);
      if (!tensor) throw new RangeError(`${path} has no weights ${name} in whole or half precision`);
      return tensor.raw ? copied(tensor, tensor.raw) : beside(path, tensor);
    },
  };
}

/** What lies in a file beside the graph (onnx.proto: TensorProto.external_data), or further on in it. */
function beside(path: string, tensor: Tensor): Float32Array {
  const { name, external } = tensor;
  const location = external.get('location') ?? '';
  if (location === '' || location === '..' || location !== basename(location))
    throw new RangeError(`${path} says that ${name} lies in ${JSON.stringify(location)}, which is no file beside it`);
  const descriptor = openSync(join(weightsFolder(path), location), 'r');
  try {
    const start = Number(external.get('offset') ?? 0);
    return floats(tensor, (into) => {
      for (let done = 0; done < into.length;) {
        const count = readSync(descriptor, into, done, Math.min(PIECE, into.length - done), start + done);
        if (count === 0) throw new RangeError(`${location} ends within ${name}; it is cut short`);
        done += count;
      }
    });
  } finally {
    closeSync(descriptor);
  }
}
