// Owns writing ONNX files: a graph builder and the encoding of ModelProto.
// Refuses to know what the graphs compute and which runtime reads them.

import { ProtoWriter } from './protobuf.ts';

/** ONNX TensorProto.DataType values used here. */
export const DataType = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type ElementType = keyof typeof DataType;
export type Attribute = number | { readonly int: number } | string | readonly number[] | Branch;
/** A subgraph of a control-flow node, made by GraphBuilder.branch. */
export class Branch {
  readonly encoded: Uint8Array;
  constructor(encoded: Uint8Array) {
    this.encoded = encoded;
  }
}
/** A file beside the model in which large weights lie. ONNX Runtime maps it: offsets are multiples of WEIGHT_ALIGNMENT. */
export interface WeightSink {
  /** Name of that file, in the folder of the model. */
  readonly location: string;
  /** Appends and returns the offset. */
  write(raw: Uint8Array): number;
}
/** A page of memory (onnx.proto on `external_data`). */
export const WEIGHT_ALIGNMENT = 4096;
/** Bytes from which on a weight goes to the sink. */
const LARGE = 4096;
/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** A dimension is a size, or a name for one that is known only when the graph runs. */
export type Dimension = number | string;

/** From here on numbers are infinite in half precision. */
export const HALF_LIMIT = 65_520;
export const fitsHalves = (values: Float32Array): boolean => values.every((value) => Math.abs(value) < HALF_LIMIT);
/** Nearest-even conversion of float32 values to IEEE 754 half-precision bit patterns (values beyond 65,504 become infinities). */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const half = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const f = bits[i];
    const sign = (f >>> 16) & 0x8000;
    const exponent = (f >>> 23) & 0xff;
    let mantissa = f & 0x7fffff;
    if (exponent >= 143) {
      half[i] = sign | 0x7c00 | (exponent === 255 && mantissa ? 0x200 : 0);
      continue;
    }
    if (exponent < 102) {
      half[i] = sign;
      continue;
    }
    let shift = 13;
    let result = 0;
    if (exponent < 113) {
      mantissa |= 0x800000;
      shift = 126 - exponent;
      result = mantissa >>> shift;
    } else {
      result = ((exponent - 112) << 10) | (mantissa >>> 13);
    }
    const rest = mantissa & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    if (rest > middle || (rest === middle && (result & 1) === 1)) result++;
    half[i] = sign | result;
  }
  return half;
}

function attributeProto(name: string, value: Attribute): ProtoWriter {
  const proto = new ProtoWriter().text(1, name);
  if (typeof value === 'number') return proto.float(2, value).int(20, 1);
  if (typeof value === 'string') return proto.text(4, value).int(20, 3);
  if (value instanceof Branch) return proto.bytes(6, value.encoded).int(20, 5);
  if ('int' in value) return proto.int(3, value.int).int(20, 2);
  for (const item of value) proto.int(8, item);
  return proto.int(20, 7);
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ProtoWriter {
  const dims = new ProtoWriter();
  for (const size of shape) dims.message(1, typeof size === 'number' ? new ProtoWriter().int(1, size) : new ProtoWriter().text(2, size));
  const tensor = new ProtoWriter().int(1, DataType[type]).message(2, dims);
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensor));
}

/**
 * Collects nodes, inputs, outputs and weights, and encodes them as one ONNX model (IR version 10, opset 21, plus com.microsoft operators).
 * Values are named by strings; `op` returns the name of a node's first output.
 */
export class GraphBuilder {
  #nodes: ProtoWriter[] = [];
  #initializers: ProtoWriter[] = [];
  #inputs: ProtoWriter[] = [];
  #outputs: ProtoWriter[] = [];
  #constants = new Map<string, string>();
  #next = 0;
  readonly #sink: WeightSink | undefined;

  /** `sink`: where weights of some size go; without it, all are in the model. */
  constructor(sink?: WeightSink) {
    this.#sink = sink;
  }
  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }
  /** Declares `value` an output under its own name. */
  output(value: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(value, type, shape));
  }
  fresh(hint: string): string {
    return `${hint}_${this.#next++}`;
  }
  /** Adds a node. `domain` is `com.microsoft` for operators outside ONNX; `outputs` lists names to give (default: one fresh name). */
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, options: { readonly domain?: string; readonly outputs?: readonly string[] } = {}): string {
    const outputs = options.outputs ?? [this.fresh(type)];
    const node = new ProtoWriter();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, `n${this.#nodes.length}_${type}`).text(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attributeProto(name, value));
    if (options.domain) node.text(7, options.domain);
    this.#nodes.push(node);
    return outputs[0];
  }
  /** Weights stored as float32, or as float16 with a Cast that the runtime folds away at load (half the file, computed in float32). */
  weight(name: string, values: Float32Array, shape: readonly number[], storage: 'float' | 'float16' = 'float'): string {
    if (storage === 'float16') return this.halves(name, toFloat16(values), shape);
    this.#tensor(name, storage, shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return name;
  }
  /** Weights in half precision, as `weight` stores them. */
  halves(name: string, values: Uint16Array, shape: readonly number[]): string {
    this.#tensor(`${name}.f16`, 'float16', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return this.op('Cast', [`${name}.f16`], { to: { int: DataType.float } }, { outputs: [name] });
  }
  /** Packed weights as they stand. */
  packed(name: string, values: Uint8Array, shape: readonly number[]): string {
    this.#tensor(name, 'uint8', shape, values);
    return name;
  }
  /** A constant int64 vector (or scalar when `values` is a number); equal constants are shared. */
  ints(values: readonly number[] | number): string {
    const scalar = typeof values === 'number';
    const list = scalar ? [values] : values;
    return this.#constant(`i${scalar ? 's' : 'v'}:${list.join(',')}`, 'int64', scalar ? [] : [list.length], new Uint8Array(BigInt64Array.from(list, BigInt).buffer));
  }
  /** A constant float scalar; equal constants are shared. */
  scalar(value: number): string {
    return this.#constant(`f:${value}`, 'float', [], new Uint8Array(new Float32Array([value]).buffer));
  }
  /** A subgraph for If: `body` adds nodes (it may use every value of the graph so far) and returns the name of its one result. */
  branch(type: ElementType, shape: readonly Dimension[], body: () => string): Branch {
    const outer = this.#nodes;
    this.#nodes = [];
    const result = this.op('Identity', [body()]);
    const graph = new ProtoWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, this.fresh('branch')).message(12, valueInfo(result, type, shape));
    this.#nodes = outer;
    return new Branch(graph.finish());
  }
  #constant(key: string, type: ElementType, shape: readonly number[], raw: Uint8Array): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.fresh('const');
      this.#tensor(name, type, shape, raw);
      this.#constants.set(key, name);
    }
    return name;
  }
  #tensor(name: string, type: ElementType, shape: readonly number[], raw: Uint8Array): void {
    const proto = new ProtoWriter();
    for (const size of shape) proto.int(1, size);
    proto.int(2, DataType[type]).text(8, name);
    if (this.#sink && raw.length >= LARGE) {
      const offset = this.#sink.write(raw);
      const entries = { location: this.#sink.location, offset: String(offset), length: String(raw.length) };
      for (const [key, value] of Object.entries(entries)) proto.message(13, new ProtoWriter().text(1, key).text(2, value));
      proto.int(14, EXTERNAL);
    } else proto.bytes(9, raw);
    this.#initializers.push(proto);
  }
  finish(graphName: string): Uint8Array {
    const graph = new ProtoWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, graphName);
    for (const tensor of this.#initializers) graph.message(5, tensor);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    return new ProtoWriter()
      .int(1, 10)
      .text(2, 'pharos')
      .message(7, graph)
      .message(8, new ProtoWriter().text(1, '').int(2, 21))
      .message(8, new ProtoWriter().text(1, 'com.microsoft').int(2, 1))
      .finish();
  }
}
