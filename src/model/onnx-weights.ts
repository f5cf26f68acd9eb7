// Owns reading the weights of an ONNX file back: initializers by name, as float32.
// Refuses to know what the graph computes.

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

/**
 * Initializers of the main graph that GraphBuilder.weight stored, whole or half precision (the suffix `.f16` is taken off); integers are left out. Throws RangeError for a file
 * that cannot be read.
 */
export function readWeights(file: Uint8Array): Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }> {
  const weights = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const tensor = (bytes: Uint8Array): void => {
    const shape: number[] = [];
    let [type, name] = [0, ''];
    let raw: Uint8Array | undefined;
    readFields(bytes, (number, value) => {
      if (number === 1 && typeof value === 'number') shape.push(value);
      else if (number === 2 && typeof value === 'number') type = value;
      else if (number === 8 && typeof value !== 'number') name = new TextDecoder().decode(value);
      else if (number === 9 && typeof value !== 'number') raw = value;
    });
    if (!raw) return;
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    if (type === DataType.float) weights.set(name, { shape, values: Float32Array.from({ length: raw.length / 4 }, (_, i) => view.getFloat32(4 * i, true)) });
    else if (type === DataType.float16) weights.set(name.replace(/\.f16$/, ''), { shape, values: Float32Array.from({ length: raw.length / 2 }, (_, i) => fromFloat16(view.getUint16(2 * i, true))) });
  };
  readFields(file, (number, value) => {
    if (number !== 7 || typeof value === 'number') return;
    readFields(value, (inner, part) => {
      if (inner === 5 && typeof part !== 'number') tensor(part);
    });
  });
  return weights;
}
