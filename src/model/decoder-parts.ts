// Owns what the decoders built here share: the weights of a graph in each way of storing them, products with them, the embedding and the head.
// Refuses to know architectures, attention, and where weights come from.

import { fitsHalves, GraphBuilder, HALF_LIMIT, toFloat16 } from './onnx.ts';
import type { WeightSink } from './onnx.ts';
import { Quantiser } from './quantise.ts';
import type { Quantisation } from './quantise.ts';

/** `products`: of activations rounded to 8 bits (the default; faster), or as they are. */
export type Storage = 'float' | 'float16' | (Quantisation & { readonly products?: 'int8' | 'float' });
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}
/** Values of a parameter: all of them, or those from one number on and before another, where that is less. Whoever gives them may give all in any case. */
export type Weights = (name: string, from: number, to: number) => Float32Array;
export interface BuildOptions {
  /** Gives a parameter by name, when it is needed. */
  readonly weights: Weights;
  readonly storage: Storage;
  /** Told what rounding to halves or to few bits takes of a matrix: the root mean square of the error over that of the weights, and the sum of the squares of these. */
  readonly lost?: (name: string, error: number, energy: number) => void;
  /** Where large weights go instead of the file itself. */
  readonly sink?: WeightSink;
  /** Numbers of a matrix that are held as float32 at once, where it is stored in another form. Default: 8 Mi. */
  readonly piece?: number;
}

export const MS = { domain: 'com.microsoft' } as const;
const PIECE = 8 * 2 ** 20;
/** `accuracy_level` of MatMulNBits. */
const INT8_PRODUCTS = 4;

type Product = [operator: string, inputs: string[], attributes: Record<string, number | { int: number }>];

/** A graph under construction with its weights. */
export class WeightedGraph {
  readonly g: GraphBuilder;
  readonly #options: BuildOptions;
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(parameters: readonly Parameter[], options: BuildOptions) {
    this.g = new GraphBuilder(options.sink);
    this.#options = options;
    this.#sizes = new Map(parameters.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  }
  /** Throws RangeError for a parameter of another size. */
  weight(name: string): Float32Array {
    const size = this.#sizes.get(name) ?? Number.NaN;
    return this.#part(name, 0, size);
  }
  #part(name: string, from: number, to: number): Float32Array {
    const size = this.#sizes.get(name);
    const values = this.#options.weights(name, from, to);
    if (values.length === to - from) return values;
    if (values.length !== size) throw new RangeError(`parameter ${name} needs ${size} values, got ${values.length}`);
    return values.subarray(from, to);
  }
  /** Rows of a matrix, of which `parts` are stacked, a few at a time. */
  *#rows(parts: readonly string[], columns: number): Iterable<{ readonly values: Float32Array; readonly row: number; readonly count: number }> {
    const step = Math.max(1, Math.floor((this.#options.piece ?? PIECE) / columns)) * columns;
    let row = 0;
    for (const name of parts) {
      const size = this.#sizes.get(name) ?? 0;
      for (let from = 0; from < size; from += step) {
        const values = this.#part(name, from, Math.min(size, from + step));
        yield { values, row, count: values.length / columns };
        row += values.length / columns;
      }
    }
  }
  vector(name: string): string {
    const values = this.weight(name);
    return this.g.weight(name, values, [values.length]);
  }
  /** x [.., columns] times the transpose of [rows, columns], of which `parts` are stacked. */
  product(x: string, name: string, parts: readonly string[], rows: number, columns: number): string {
    return this.g.op(...this.#multiplied(x, name, parts, rows, columns), MS);
  }
  /** x [.., rows] and biases, of which `parts` are stacked. */
  biased(x: string, name: string, parts: readonly string[]): string {
    const values = Float32Array.from(parts.flatMap((part) => Array.from(this.weight(part))));
    return this.g.op('Add', [x, this.g.weight(name, values, [values.length])]);
  }
  /** Rows of the embedding for ids [..], and the product with the vocabulary: of a tied model (no `head`), both from the same weights. */
  embedding(ids: string, table: string, head: string | undefined, vocabularySize: number, width: number): { readonly rows: string; readonly head: (states: string) => string } {
    const { g } = this;
    const { storage } = this.#options;
    const untied = head === undefined ? undefined : (states: string): string => this.product(states, head.replace(/\.weight$/, ''), [head], vocabularySize, width);
    if (typeof storage !== 'string') {
      const packed = this.#packedRows(ids, table, vocabularySize, width, storage);
      return { rows: packed.rows, head: untied ?? packed.head };
    }
    const whole = storage === 'float' ? g.weight(table, this.weight(table), [vocabularySize, width]) : g.halves(table, this.#halves(table, [table], vocabularySize, width, false), [vocabularySize, width]);
    return { rows: g.op('Gather', [whole, ids], { axis: { int: 0 } }), head: untied ?? ((states) => g.op('FusedMatMul', [states, whole], { transB: { int: 1 } }, MS)) };
  }

  #multiplied(x: string, name: string, parts: readonly string[], rows: number, columns: number): Product {
    const { g } = this;
    const { storage, lost } = this.#options;
    if (storage === 'float16') return ['FusedMatMul', [x, g.halves(name, this.#halves(name, parts, rows, columns, true), [columns, rows])], {}];
    if (storage === 'float') {
      const turned = new Float32Array(rows * columns);
      for (const { values, row, count } of this.#rows(parts, columns)) turnInto(turned, values, rows, columns, row, count);
      return ['FusedMatMul', [x, g.weight(name, turned, [columns, rows])], {}];
    }
    const { bits, block } = storage;
    const quantiser = new Quantiser(rows, columns, storage);
    for (const { values } of this.#rows(parts, columns)) quantiser.add(values);
    const { values: packed, scales, blocks, error, energy } = quantiser.finish();
    lost?.(name, error, energy);
    const inputs = [x, g.packed(`${name}.q`, packed, [rows, blocks, (block * bits) >> 3]), g.weight(`${name}.scales`, scales, [rows * blocks])];
    return ['MatMulNBits', inputs, { K: { int: columns }, N: { int: rows }, bits: { int: bits }, block_size: { int: block }, accuracy_level: { int: storage.products === 'float' ? 0 : INT8_PRODUCTS } }];
  }
  /** A matrix in half precision, as it is or the other way round. */
  #halves(name: string, parts: readonly string[], rows: number, columns: number, turned: boolean): Uint16Array {
    const all = new Uint16Array(rows * columns);
    let [error, energy] = [0, 0];
    for (const { values, row, count } of this.#rows(parts, columns)) {
      if (!fitsHalves(values)) throw new RangeError(`${parts.join(', ')} has numbers that half precision cannot hold (${HALF_LIMIT} and more); store it whole or in blocks`);
      const halves = toFloat16(values);
      const rounded = new Float16Array(halves.buffer);
      for (let i = 0; i < values.length; i++) {
        error += (values[i] - rounded[i]) ** 2;
        energy += values[i] ** 2;
      }
      if (turned) turnInto(all, halves, rows, columns, row, count);
      else all.set(halves, row * columns);
    }
    this.#options.lost?.(name, energy === 0 ? 0 : Math.sqrt(error / energy), energy);
    return all;
  }
  /** Rows are unpacked where they are read: nothing is kept twice. */
  #packedRows(ids: string, name: string, vocabularySize: number, width: number, { bits, block }: Exclude<Storage, string>): { readonly rows: string; readonly head: (states: string) => string } {
    const { g } = this;
    const [, [, packed, scales], attributes] = this.#multiplied('', name, [name], vocabularySize, width);
    const blocks = Math.ceil(width / block);
    const gather = (table: string): string => g.op('Gather', [table, ids], { axis: { int: 0 } });
    let whole = g.op('Cast', [gather(packed)], { to: { int: 1 } });
    if (bits === 4) {
      const sixteen = g.scalar(16);
      const high = g.op('Floor', [g.op('Div', [whole, sixteen])]);
      const low = g.op('Sub', [whole, g.op('Mul', [high, sixteen])]);
      whole = g.op('Concat', [low, high].map((half) => g.op('Unsqueeze', [half, g.ints([-1])])), { axis: { int: -1 } });
    }
    const centred = g.op('Sub', [g.op('Reshape', [whole, g.ints([-1, blocks, block])]), g.scalar(1 << (bits - 1))]);
    const scale = g.op('Unsqueeze', [gather(g.op('Reshape', [scales, g.ints([vocabularySize, blocks])])), g.ints([-1])]);
    const full = g.op('Reshape', [g.op('Mul', [centred, scale]), g.ints([-1, blocks * block])]);
    const rows = blocks * block === width ? full : g.op('Slice', [full, g.ints([0]), g.ints([width]), g.ints([1])]);
    return { rows, head: (states) => g.op('MatMulNBits', [states, packed, scales], attributes, MS) };
  }
}

/** Puts `count` rows from number `row` on of a matrix [rows, columns] into its transpose, in squares that stay in the processor's cache. */
function turnInto(turned: Float32Array | Uint16Array, values: Float32Array | Uint16Array, rows: number, columns: number, row: number, count: number): void {
  const SQUARE = 32;
  for (let top = 0; top < count; top += SQUARE)
    for (let left = 0; left < columns; left += SQUARE) {
      const [bottom, right] = [Math.min(count, top + SQUARE), Math.min(columns, left + SQUARE)];
      for (let r = top; r < bottom; r++) for (let c = left; c < right; c++) turned[c * rows + row + r] = values[r * columns + c];
    }
}
/** [rows, columns] the other way round. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  turnInto(turned, values, rows, columns, 0, rows);
  return turned;
}
