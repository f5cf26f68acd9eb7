// Owns reading an ONNX file without its weights: they stay where they are, and the graph points to them.
// Refuses to know what the graph computes.

import { closeSync, existsSync, fstatSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ProtoWriter } from './protobuf.ts';

/** Fields of ModelProto, GraphProto and TensorProto (onnx/onnx.proto). */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { type: 2, raw: 9, external: 13, location: 14 } as const;
const EXTERNAL = 1;
/** Smaller ones are kept in the graph. */
const LEAST_BYTES = 64 * 1024;
const WINDOW = 1024 * 1024;
/** Bytes of an element, by TensorProto.DataType; those that are not here are kept in the graph. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2, 17: 1, 18: 1, 19: 1, 20: 1, 21: 1, 22: 1 };
/** Processors that read numbers wherever they lie. On others, mapped memory must be aligned as the elements are. */
const UNALIGNED = process.arch === 'x64' || process.arch === 'arm64';

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Where the field, what it holds, and the next field begin. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
  /** Of a field that is a number. */
  readonly value: number;
}

/** A file, of which a window is in memory. */
class Reader {
  readonly #descriptor: number;
  readonly size: number;
  #window = Buffer.alloc(0);
  #from = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.size = fstatSync(descriptor).size;
  }
  /** The bytes from `at` to `end`. */
  bytes(at: number, end: number): Uint8Array {
    if (at < this.#from || end > this.#from + this.#window.length) {
      const window = Buffer.alloc(Math.min(Math.max(WINDOW, end - at), this.size - at));
      let length = 0;
      while (length < window.length) {
        const count = readSync(this.#descriptor, window, length, window.length - length, at + length);
        if (count === 0) throw new RangeError(`the ONNX file became shorter while it was read`);
        length += count;
      }
      [this.#window, this.#from] = [window, at];
    }
    return this.#window.subarray(at - this.#from, end - this.#from);
  }
  #varint(at: number, end: number): readonly [value: number, next: number] {
    let [value, scale, next] = [0, 1, at];
    for (;;) {
      if (next >= end) throw new RangeError('the ONNX file ends within a number; it is cut short or no ONNX file');
      const [byte] = this.bytes(next, next + 1);
      next++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return [value, next];
      scale *= 128;
    }
  }
  /** Fields of the message from `at` to `end`. */
  *fields(at: number, end: number): Generator<Field> {
    while (at < end) {
      const [key, behind] = this.#varint(at, end);
      const wire = key % 8;
      let [value, content, length] = [0, behind, 0];
      if (wire === 0) [value, content] = this.#varint(behind, end);
      else if (wire === 2) [length, content] = this.#varint(behind, end);
      else length = wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN;
      const next = content + length;
      if (!(next <= end)) throw new RangeError(`the ONNX file is damaged at byte ${content} of ${this.size}`);
      yield { number: Math.floor(key / 8), wire, start: at, content, end: next, value };
      at = next;
    }
  }
}

/** The tensor without its bytes, which lie in `file`; undefined where they are few, or cannot be read where they lie. */
function pointing(reader: Reader, tensor: Field, file: string): ProtoWriter | undefined {
  let [raw, type]: [Field | undefined, number] = [undefined, 0];
  const others: Field[] = [];
  for (const field of reader.fields(tensor.content, tensor.end))
    if (field.number === TENSOR.raw && field.wire === 2) raw = field;
    else {
      if (field.number === TENSOR.type) type = field.value;
      if (field.number === TENSOR.external || field.number === TENSOR.location) return undefined;
      others.push(field);
    }
  const size = ELEMENT_BYTES[type];
  if (!raw || raw.end - raw.content < LEAST_BYTES || size === undefined || (!UNALIGNED && raw.content % size !== 0)) return undefined;
  const kept = new ProtoWriter();
  for (const { start, end } of others) kept.raw(reader.bytes(start, end).slice());
  const entry = (key: string, value: string): ProtoWriter => new ProtoWriter().text(1, key).text(2, value);
  kept.message(TENSOR.external, entry('location', file)).message(TENSOR.external, entry('offset', String(raw.content))).message(TENSOR.external, entry('length', String(raw.end - raw.content)));
  return kept.int(TENSOR.location, EXTERNAL);
}

/** A graph, and whether it is the file as it stands: then all its weights are in it, or in files beside it. */
export interface GraphBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly whole: boolean;
}
const hasWeightsBeside = (path: string): boolean => [`${path}_data`, `${path}.data`].some(existsSync);
/** The folder in which ONNX Runtime has to look for the weights of a graph: the file's own. A link that has no weights beside it, as those of the hub's cache, stands for the file that it leads to. */
export const weightsFolder = (path: string): string => dirname(lstatSync(path).isSymbolicLink() && !hasWeightsBeside(path) ? realpathSync(path) : path);
/** How the weights' own file is called there; undefined where a link leads out of that folder, so that they cannot be read where they lie. */
function nameIn(path: string): string | undefined {
  if (!lstatSync(path).isSymbolicLink()) return basename(path);
  return hasWeightsBeside(path) ? undefined : basename(realpathSync(path));
}
/**
 * The ONNX file, in which large weights are replaced by where they lie in it (TensorProto.external_data), as if the file were one of weights. ONNX Runtime maps them into memory then: they are never
 * copied, and what it packs anew for its products need not be held twice. The names of the files are relative to `weightsFolder`. Throws RangeError for what is no ONNX file, and what `node:fs` throws.
 */
export function readGraphFile(path: string): GraphBytes {
  const file = nameIn(path);
  const descriptor = openSync(path, 'r');
  try {
    const reader = new Reader(descriptor);
    const model = new ProtoWriter();
    let whole = true;
    for (const field of reader.fields(0, reader.size)) {
      if (field.number !== MODEL_GRAPH || field.wire !== 2) {
        model.raw(reader.bytes(field.start, field.end).slice());
        continue;
      }
      const graph = new ProtoWriter();
      for (const part of reader.fields(field.content, field.end)) {
        const pointed = file !== undefined && part.number === GRAPH_INITIALIZER && part.wire === 2 && part.end - part.content >= LEAST_BYTES ? pointing(reader, part, file) : undefined;
        if (pointed) {
          graph.message(GRAPH_INITIALIZER, pointed);
          whole = false;
        } else graph.raw(reader.bytes(part.start, part.end).slice());
      }
      model.message(MODEL_GRAPH, graph);
    }
    return { bytes: model.finish(), whole };
  } finally {
    closeSync(descriptor);
  }
}
