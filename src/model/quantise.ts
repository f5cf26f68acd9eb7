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
}
export interface Quantisation {
  readonly bits: 4 | 8;
  /** Weights along a row that share a scale; a power of two from 16. */
  readonly block: number;
}

/**
 * Symmetric quantisation of a matrix [rows, columns], row by row in blocks: w = scale * (q - zero), zero = 8 or 128. As llama.cpp's Q4_0 and alike, the weight of greatest magnitude in a block
 * is met exactly and decides the sign of its scale, so that all levels are used. A last block that is not full is padded with zeros.
 */
export function quantise(weights: Float32Array, rows: number, columns: number, { bits, block }: Quantisation): Quantised {
  if (weights.length !== rows * columns) throw new RangeError(`a matrix of ${rows} by ${columns} needs ${rows * columns} values, got ${weights.length}`);
  if (block < 16 || (block & (block - 1)) !== 0) throw new RangeError(`a block must be a power of two of at least 16, got ${block}`);
  const blocks = Math.ceil(columns / block);
  const zero = 1 << (bits - 1);
  const bytes = (block * bits) >> 3;
  const values = new Uint8Array(rows * blocks * bytes).fill(bits === 4 ? 0x88 : 0x80);
  const scales = new Float32Array(rows * blocks);
  let [lost, all] = [0, 0];
  for (let row = 0; row < rows; row++)
    for (let b = 0; b < blocks; b++) {
      const from = row * columns + b * block;
      const to = Math.min(from + block, (row + 1) * columns);
      let greatest = 0;
      for (let i = from; i < to; i++) if (Math.abs(weights[i]) > Math.abs(greatest)) greatest = weights[i];
      const scale = greatest / -zero;
      const inverse = scale === 0 ? 0 : 1 / scale;
      scales[row * blocks + b] = scale;
      const at = (row * blocks + b) * bytes;
      for (let i = from; i < to; i++) {
        const q = Math.min(2 * zero - 1, Math.max(0, Math.round(weights[i] * inverse) + zero));
        lost += (weights[i] - scale * (q - zero)) ** 2;
        all += weights[i] ** 2;
        const k = i - from;
        if (bits === 8) values[at + k] = q;
        else values[at + (k >> 1)] = (k & 1) === 0 ? (values[at + (k >> 1)] & 0xf0) | q : (values[at + (k >> 1)] & 0x0f) | (q << 4);
      }
    }
  return { values, scales, blocks, error: all === 0 ? 0 : Math.sqrt(lost / all) };
}
