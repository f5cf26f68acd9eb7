// Owns block-wise quantisation of weight matrices, in the form that ONNX Runtime's MatMulNBits reads.
// Refuses to know what the weights are for.

export interface Quantised {
  /** [rows, blocks, block * bits / 8]; of 4 bits, the lower half of a byte comes first. */
  readonly values: Uint8Array;
  /** [rows, blocks]. */
  readonly scales: Float32Array;
  readonly blocks: number;
  /** Root of the mean square of what is lost, over that of the weights. */
  readonly error: number;
  /** Sum of the squares of the weights. */
  readonly energy: number;
}
export interface Quantisation {
  readonly bits: 4 | 8;
  /** Weights along a row that share a scale; a power of two from 16. */
  readonly block: number;
}

/**
 * Symmetric quantisation of a matrix [rows, columns], row by row in blocks: w = scale * (q - zero), zero = 8 or 128. As llama.cpp's Q4_0 and alike, the weight of greatest magnitude in a block
 * is met exactly and decides the sign of its scale, so that all levels are used. A last block that is not full is padded with zeros. Rows come a few at a time.
 */
export class Quantiser {
  readonly #rows: number;
  readonly #columns: number;
  readonly #bits: 4 | 8;
  readonly #block: number;
  readonly #blocks: number;
  readonly #values: Uint8Array;
  readonly #scales: Float32Array;
  #row = 0;
  #lost = 0;
  #all = 0;

  constructor(rows: number, columns: number, { bits, block }: Quantisation) {
    if (block < 16 || (block & (block - 1)) !== 0) throw new RangeError(`a block must be a power of two of at least 16, got ${block}`);
    [this.#rows, this.#columns, this.#bits, this.#block, this.#blocks] = [rows, columns, bits, block, Math.ceil(columns / block)];
    this.#values = new Uint8Array((rows * this.#blocks * block * bits) / 8).fill(bits === 4 ? 0x88 : 0x80);
    this.#scales = new Float32Array(rows * this.#blocks);
  }
  /** The next rows, whole. */
  add(weights: Float32Array): void {
    const [columns, block, blocks, bits, values, scales] = [this.#columns, this.#block, this.#blocks, this.#bits, this.#values, this.#scales];
    const count = weights.length / columns;
    if (!Number.isInteger(count) || this.#row + count > this.#rows) throw new RangeError(`a matrix of ${this.#rows} by ${columns} needs ${this.#rows * columns} values, got ${this.#row * columns + weights.length}`);
    const zero = 1 << (bits - 1);
    const [most, middle] = [2 * zero - 1, zero + 0.5];
    const bytes = (block * bits) >> 3;
    let [lost, all] = [0, 0];
    for (let row = 0; row < count; row++)
      for (let b = 0; b < blocks; b++) {
        const from = row * columns + b * block;
        const to = Math.min(from + block, (row + 1) * columns);
        let greatest = 0;
        for (let i = from; i < to; i++) if (Math.abs(weights[i]) > Math.abs(greatest)) greatest = weights[i];
        const scale = greatest / -zero;
        const inverse = scale === 0 ? 0 : 1 / scale;
        const place = (this.#row + row) * blocks + b;
        scales[place] = scale;
        let at = place * bytes;
        for (let i = from; i < to; i++) {
          const weight = weights[i];
          // Rounded to nearest: what is below 0 is cut off in any case.
          const level = (weight * inverse + middle) | 0;
          const q = level > most ? most : level < 0 ? 0 : level;
          const rest = weight - scale * (q - zero);
          lost += rest * rest;
          all += weight * weight;
          if (bits === 8) values[at++] = q;
          else if (((i - from) & 1) === 0) values[at] = 0x80 | q;
          else {
            values[at] = (values[at] & 0x0f) | (q << 4);
            at++;
          }
        }
      }
    this.#row += count;
    this.#lost += lost;
    this.#all += all;
  }
  finish(): Quantised {
    if (this.#row !== this.#rows) throw new RangeError(`a matrix of ${this.#rows} by ${this.#columns} needs ${this.#rows * this.#columns} values, got ${this.#row * this.#columns}`);
    return { values: this.#values, scales: this.#scales, blocks: this.#blocks, error: this.#all === 0 ? 0 : Math.sqrt(this.#lost / this.#all), energy: this.#all };
  }
}
/** A whole matrix at once. */
export function quantise(weights: Float32Array, rows: number, columns: number, quantisation: Quantisation): Quantised {
  const quantiser = new Quantiser(rows, columns, quantisation);
  quantiser.add(weights);
  return quantiser.finish();
}
