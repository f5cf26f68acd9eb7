// Owns reading safetensors files: the header, and one tensor at a time as float32.
// Refuses to know what the tensors are for, and to hold more of a file than the piece that is being converted.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { z } from 'zod';
import { halfTable } from '../onnx-weights.ts';
import { CheckpointError, reasonOf, sizeOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';

/** What the reference implementation takes at most (safetensors, MAX_HEADER_SIZE). */
const LONGEST_HEADER = 100_000_000;
/** Bytes that are read and converted at once. */
const PIECE = 8 * 2 ** 20;
const WIDTHS = { F32: 4, F16: 2, BF16: 2, F8_E4M3: 1 } as const;
type ElementType = keyof typeof WIDTHS;
const isElementType = (type: string): type is ElementType => Object.hasOwn(WIDTHS, type);

const tensorSchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

interface Tensor {
  readonly type: string;
  readonly shape: readonly number[];
  /** In the file. */
  readonly from: number;
  readonly length: number;
}

export class SafetensorsFile implements Checkpoint {
  readonly path: string;
  readonly bytes: number;
  readonly #descriptor: number;
  readonly #tensors: ReadonlyMap<string, Tensor>;

  /** Throws CheckpointError `checkpoint_invalid` that names the file and what is wrong with it. */
  constructor(path: string) {
    this.path = path;
    let size: number;
    try {
      const found = statSync(path);
      if (!found.isFile()) throw new Error('it is no file');
      size = found.size;
      this.#descriptor = openSync(path, 'r');
    } catch (error) {
      throw new CheckpointError('checkpoint_invalid', `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
    }
    try {
      this.#tensors = this.#header(size);
    } catch (error) {
      this.close();
      throw error;
    }
    this.bytes = [...this.#tensors.values()].reduce((sum, { length }) => sum + length, 0);
  }

  get names(): string[] {
    return [...this.#tensors.keys()];
  }
  shapeOf(name: string): readonly number[] | undefined {
    return this.#tensors.get(name)?.shape;
  }
  isInEightBits(name: string): boolean {
    return this.#tensors.get(name)?.type === 'F8_E4M3';
  }
  read(name: string, first = 0, end?: number): Float32Array {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw this.#wrong(`has no tensor ${name}`);
    const { type, shape } = tensor;
    if (!isElementType(type))
      throw new CheckpointError('checkpoint_unsupported', `${this.path}: ${name} holds ${type}; ${Object.keys(WIDTHS).join(', ')} are read here`);
    const values = new Float32Array((end ?? sizeOf(shape)) - first);
    const [from, length] = [tensor.from + first * WIDTHS[type], values.length * WIDTHS[type]];
    if (from + length > tensor.from + tensor.length) throw new RangeError(`${name} has ${sizeOf(shape)} numbers, asked for ${end}`);
    if (type === 'F32') {
      const whole = new Uint8Array(values.buffer);
      for (let at = 0; at < length; at += PIECE) this.#readAt(whole.subarray(at, Math.min(length, at + PIECE)), from + at);
      return values;
    }
    const piece = new Uint8Array(Math.min(length, PIECE));
    const numbers = type === 'F8_E4M3' ? piece : new Uint16Array(piece.buffer, 0, piece.length >> 1);
    const patterns = new Uint32Array(values.buffer);
    const table = type === 'F16' ? halfTable() : type === 'F8_E4M3' ? EIGHT_BITS : undefined;
    for (let at = 0; at < length; at += PIECE) {
      const bytes = Math.min(length - at, PIECE);
      this.#readAt(piece.subarray(0, bytes), from + at);
      const [done, count] = [at / WIDTHS[type], bytes / WIDTHS[type]];
      if (table) for (let i = 0; i < count; i++) values[done + i] = table[numbers[i]];
      // bfloat16 is the upper half of a float32.
      else for (let i = 0; i < count; i++) patterns[done + i] = numbers[i] << 16;
    }
    return values;
  }
  close(): void {
    closeSync(this.#descriptor);
  }

  #wrong(what: string, cause?: unknown): CheckpointError {
    return new CheckpointError('checkpoint_invalid', `${this.path} ${what}`, { cause });
  }
  #readAt(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length;) {
      const read = readSync(this.#descriptor, into, done, into.length - done, position + done);
      if (read === 0) throw this.#wrong(`ends at byte ${position + done}, within a tensor; it is cut short`);
      done += read;
    }
  }
  #header(size: number): Map<string, Tensor> {
    if (size < 8) throw this.#wrong(`has ${size} bytes; a safetensors file begins with 8 that say how long its header is`);
    const first = new Uint8Array(8);
    this.#readAt(first, 0);
    const length = Number(new DataView(first.buffer).getBigUint64(0, true));
    if (length > LONGEST_HEADER || 8 + length > size)
      throw this.#wrong(`says a header of ${length} bytes and has ${size} in all; it is cut short or no safetensors file`);
    const text = new Uint8Array(length);
    this.#readAt(text, 8);
    let header: unknown;
    try {
      header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    } catch (error) {
      throw this.#wrong(`has a header that is no JSON object: ${reasonOf(error)}`, error);
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header)) throw this.#wrong('has a header that is JSON, and no object');
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const parsed = tensorSchema.safeParse(value);
      if (!parsed.success)
        throw this.#wrong(`describes ${name} wrongly: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
      const {
        dtype,
        shape,
        data_offsets: [from, to],
      } = parsed.data;
      const end = 8 + length + to;
      if (to < from || end > size) throw this.#wrong(`puts ${name} at bytes ${from} to ${to} of ${size - 8 - length}; it is cut short or damaged`);
      if (isElementType(dtype) && sizeOf(shape) * WIDTHS[dtype] !== to - from)
        throw this.#wrong(`gives ${name} ${to - from} bytes, and ${dtype} of [${shape.join(', ')}] needs ${sizeOf(shape) * WIDTHS[dtype]}`);
      tensors.set(name, { type: dtype, shape, from: 8 + length + from, length: to - from });
    }
    this.#refuseGaps(tensors, 8 + length, size);
    return tensors;
  }
  /** The format has every byte behind the header belong to one tensor: with an offset that is off, a tensor would be read out of its neighbour. */
  #refuseGaps(tensors: ReadonlyMap<string, Tensor>, start: number, size: number): void {
    let end = start;
    for (const [name, { from, length }] of [...tensors].toSorted(([, a], [, b]) => a.from - b.from || a.length - b.length)) {
      if (from !== end)
        throw this.#wrong(`puts ${name} at byte ${from - start}, and what lies before it ends at ${end - start}; tensors follow each other without overlaps and gaps`);
      end = from + length;
    }
    if (end !== size) throw this.#wrong(`has ${size - end} bytes behind its last tensor; it is damaged or was written over a longer file`);
  }
}

/** Value of every number of eight bits with 4 of exponent and 3 of fraction (Micikevicius et al. 2022, E4M3: no infinities). */
const EIGHT_BITS = Float32Array.from({ length: 256 }, (_, bits) => {
  const [sign, exponent, fraction] = [bits & 0x80 ? -1 : 1, (bits >> 3) & 15, bits & 7];
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (1 + fraction / 8) * 2 ** (exponent - 7));
});
