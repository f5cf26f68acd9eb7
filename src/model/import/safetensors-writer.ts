// Owns writing safetensors files: the header, then one tensor at a time as float32.
// Refuses to know what the tensors are for, and to hold more than the one that is being written.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { sizeOf } from './checkpoint.ts';

export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Called when its turn comes. */
  readonly values: () => Float32Array;
}
/** Bytes that are written at once: Linux takes no more than 2 GiB. */
const MOST = 2 ** 30;

/** Layout: length of the header (uint64, little-endian), header (JSON, padded with spaces to a multiple of 8 bytes), the tensors. What was written is on the disk afterwards. Throws RangeError for a tensor of another size than its shape. */
export function writeSafetensors(path: string, tensors: readonly WrittenTensor[]): void {
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape } of tensors) {
    const start = end;
    end += 4 * sizeOf(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [start, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const first = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  first.writeBigUInt64LE(BigInt(first.length - 8));
  text.copy(first, 8);
  const descriptor = openSync(path, 'w');
  try {
    const append = (bytes: Uint8Array): void => {
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, Math.min(MOST, bytes.length - done));
    };
    append(first);
    for (const { name, shape, values } of tensors) {
      const { buffer, byteOffset, byteLength, length } = values();
      if (length !== sizeOf(shape)) throw new RangeError(`${name} has ${length} numbers, and its shape [${shape.join(', ')}] needs ${sizeOf(shape)}`);
      append(new Uint8Array(buffer, byteOffset, byteLength));
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
