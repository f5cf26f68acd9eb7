// Owns dropout whose choices are a function of a seed and of the place: a hash in ordinary operators, since ONNX Runtime's own cannot be seeded by an input.
// Refuses to know what is dropped.

import { DataType } from '../../model/onnx.ts';
import type { GraphBuilder } from '../../model/onnx.ts';
import { gate } from './pointwise.ts';
import type { Tape } from './tape.ts';

/** Multipliers of `lowbias32` (Wellons 2018, "Prospecting for hash functions"). */
const [FIRST, SECOND] = [0x7feb352d, 0x846ca68b];
/** Knuth's multiplier (The Art of Computer Programming, section 6.4): sets sites, rows and columns apart. */
const APART = 0x9e3779b1;
const LOW = 0xffffffff;

/** Of numbers spread evenly over int32, a share of `rate` lies below. */
const thresholdOf = (rate: number): number => Math.floor(rate * 2 ** 32) - 2 ** 31;

/** Dropout (Srivastava et al. 2014) of rows in a graph. Each site drops other numbers; what is kept is divided by 1 - rate. With a negative seed nothing is dropped. */
export class Dropout {
  readonly #tape: Tape;
  readonly #seed: string;
  readonly #threshold: string;
  readonly #gain: string;
  #sites = 0;

  /** Declares the input `dropout_seed` int64 [1]. */
  constructor(tape: Tape, rate: number) {
    if (!(rate > 0 && rate < 1)) throw new RangeError(`dropout must lie between 0 and 1, got ${rate}`);
    const g = tape.graph;
    this.#tape = tape;
    const seed = g.input('dropout_seed', 'int64', [1]);
    const off = g.op('Less', [seed, g.ints([0])]);
    this.#seed = g.op('BitwiseAnd', [seed, g.ints([LOW])]);
    this.#threshold = this.#int32(g.op('Where', [off, g.ints([-(2 ** 31)]), g.ints([thresholdOf(rate)])]));
    this.#gain = g.op('Where', [off, g.scalar(1), g.scalar(1 / (1 - rate))]);
  }
  /** Rows x [N, width]. */
  dropped(x: string, width: number): string {
    const g = this.#tape.graph;
    const own = hashed(g, g.op('BitwiseXor', [this.#seed, g.ints([Math.imul(++this.#sites, APART) >>> 0])]));
    const count = g.op('Squeeze', [g.op('Shape', [x], { start: { int: 0 }, end: { int: 1 } })]);
    const range = (to: string): string => g.op('Range', [g.ints(0), to, g.ints(1)]);
    const rows = hashed(g, g.op('BitwiseAnd', [g.op('Add', [range(count), own]), g.ints([LOW])]));
    const columns = hashed(g, g.op('BitwiseXor', [range(g.ints(width)), own]));
    // Only these are of the size of x: the two hashes are mixed by one product of 32 bits.
    const mixed = g.op('Mul', [
      g.op('BitwiseXor', [g.op('Unsqueeze', [this.#signed(rows), g.ints([1])]), g.op('Unsqueeze', [this.#signed(columns), g.ints([0])])]),
      this.#int32(g.ints([FIRST])),
    ]);
    return gate(this.#tape, x, g.op('Where', [g.op('GreaterOrEqual', [mixed, this.#threshold]), this.#gain, g.scalar(0)]));
  }
  #int32(value: string): string {
    return this.#tape.graph.op('Cast', [value], { to: { int: DataType.int32 } });
  }
  /** Numbers in [0, 2^32) as the int32 of the same bits. */
  #signed(value: string): string {
    const g = this.#tape.graph;
    const above = g.op('GreaterOrEqual', [value, g.ints([2 ** 31])]);
    return this.#int32(g.op('Where', [above, g.op('Sub', [value, g.ints([2 ** 32])]), value]));
  }
}
/** lowbias32 of int64 numbers in [0, 2^32): x ^= x >> 16, x *= FIRST, x ^= x >> 15, x *= SECOND, x ^= x >> 16. Products are cut to their low half, so that what overflows is lost in any case. */
function hashed(g: GraphBuilder, value: string): string {
  const folded = (x: string, bits: number): string => g.op('BitwiseXor', [x, g.op('Div', [x, g.ints([2 ** bits])])]);
  const times = (x: string, factor: number): string => g.op('BitwiseAnd', [g.op('Mul', [x, g.ints([factor])]), g.ints([LOW])]);
  return folded(times(folded(times(folded(value, 16), FIRST), 15), SECOND), 16);
}
