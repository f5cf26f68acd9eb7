// Owns reading the vocabulary out of a GGUF file: its metadata, which stand in front of the tensors.
// Refuses to know tensors, and what a tokenizer makes of the vocabulary.

/** Arrays of strings and numbers, single strings, numbers and booleans, by key. */
export type Metadata = ReadonlyMap<string, unknown>;

const WIDTHS = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;

/** The format is described in ggml's docs/gguf.md; numbers are little-endian. Throws RangeError for a file that is cut off. */
export function metadataOf(bytes: Uint8Array): Metadata {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== 'GGUF') throw new Error('no GGUF file');
  const version = view.getUint32(4, true);
  if (version < 2 || version > 3) throw new Error(`GGUF of version ${version}; 2 and 3 are read here`);
  let at = 16;
  const long = (): number => {
    const value = Number(view.getBigUint64(at, true));
    at += 8;
    return value;
  };
  const text = (): string => {
    const length = long();
    const value = Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
    at += length;
    return value;
  };
  const one = (type: number): unknown => {
    if (type === 8) return text();
    if (type === 9) {
      const inner = view.getUint32(at, true);
      at += 4;
      const count = long();
      return Array.from({ length: count }, () => one(inner));
    }
    const here = at;
    if (!(type in WIDTHS)) throw new Error(`GGUF value of type ${type}`);
    at += WIDTHS[type];
    switch (type) {
      case 0:
        return view.getUint8(here);
      case 1:
        return view.getInt8(here);
      case 2:
        return view.getUint16(here, true);
      case 3:
        return view.getInt16(here, true);
      case 4:
        return view.getUint32(here, true);
      case 5:
        return view.getInt32(here, true);
      case 6:
        return view.getFloat32(here, true);
      case 7:
        return view.getUint8(here) !== 0;
      case 10:
        return Number(view.getBigUint64(here, true));
      case 11:
        return Number(view.getBigInt64(here, true));
      default:
        return view.getFloat64(here, true);
    }
  };
  const count = long();
  const found = new Map<string, unknown>();
  for (let i = 0; i < count; i++) {
    const key = text();
    const type = view.getUint32(at, true);
    at += 4;
    found.set(key, one(type));
  }
  return found;
}
