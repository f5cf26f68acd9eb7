// Owns attention in which every row sees all of a text: of an encoder over its own, and of a decoder over the encoder's (cross-attention).
// Refuses to know caches, and where queries, keys and values come from.

import { MS } from './decoder-parts.ts';
import { DataType } from './onnx.ts';
import type { GraphBuilder } from './onnx.ts';

export class FullAttention {
  readonly #g: GraphBuilder;
  readonly #headSize: number;
  readonly #rows: string;
  readonly #joined: string;
  /** 0 where a token is seen, a large negative number where it fills a place: [B, 1, 1, S]. */
  readonly #mask: string;

  /** `batch`: int64 [1], the number of texts B; `mask`: int64 [B, S], 1 for tokens and 0 for what fills places. */
  constructor(g: GraphBuilder, heads: number, headSize: number, batch: string, mask: string) {
    this.#g = g;
    this.#headSize = headSize;
    this.#rows = g.op('Concat', [g.ints([-1]), batch, g.ints([heads, headSize])], { axis: { int: 0 } });
    this.#joined = g.ints([-1, heads * headSize]);
    this.#mask = g.op('Unsqueeze', [g.op('Where', [g.op('Cast', [mask], { to: { int: DataType.bool } }), g.scalar(0), g.scalar(-1e9)]), g.ints([1, 2])]);
  }
  /** Rows [S * B, heads * headSize], by time, as [S, B, heads, headSize]. */
  heads(rows: string, output?: string): string {
    return this.#g.op('Reshape', [rows, this.#rows], {}, output === undefined ? {} : { outputs: [output] });
  }
  /** Rows [n * B, heads * headSize] of queries; keys and values [S, B, heads, headSize]. Returns rows [n * B, heads * headSize]: softmax(q k^T / sqrt(headSize) + mask) v (Vaswani et al. 2017, eq. 1). */
  attend(queryRows: string, keys: string, values: string): string {
    const g = this.#g;
    // [B, heads, n, headSize]
    const query = g.op('Transpose', [this.heads(queryRows)], { perm: [1, 2, 0, 3] });
    const scores = g.op('FusedMatMul', [query, keys], { alpha: 1 / Math.sqrt(this.#headSize), transBatchB: { int: 1 }, transB: { int: 1 } }, MS);
    const shares = g.op('Softmax', [g.op('Add', [scores, this.#mask])], { axis: { int: -1 } });
    const mixed = g.op('FusedMatMul', [shares, values], { transBatchB: { int: 1 } }, MS);
    return g.op('Reshape', [g.op('Transpose', [mixed], { perm: [2, 0, 1, 3] }), this.#joined]);
  }
}
