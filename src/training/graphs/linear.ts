// Owns products with matrices and their gradients.
// Refuses to know which matrices are trained.

import type { Tape } from './tape.ts';

const TRANSPOSED = { int: 1 } as const;

export interface ProductOptions {
  /** The matrix is [out, in], as Hugging Face stores it; else [in, out]. */
  readonly turned: boolean;
  /** What the product is multiplied by. Default: 1. */
  readonly scale?: number;
  /** Added to it: a bias [out], or rows [N, out]. */
  readonly plus?: { readonly value: string; readonly kind: 'bias' | 'rows' };
}

/**
 * scale * x w (+ plus) for rows x [N, in]: [N, out]. With y = x wᵀ: dx = dy w, dw = (xᵀ dy)ᵀ. Gemm transposes while it reads, which a Transpose before a MatMul does not.
 */
export function product(tape: Tape, x: string, w: string, { turned, scale = 1, plus }: ProductOptions): string {
  const g = tape.graph;
  const alpha: Record<string, number> = scale === 1 ? {} : { alpha: scale };
  const plain = !turned && scale === 1 && !plus;
  const y = plain ? g.op('MatMul', [x, w]) : g.op('Gemm', plus ? [x, w, plus.value] : [x, w], { ...(turned ? { transB: TRANSPOSED } : {}), ...alpha });
  return tape.record(y, plus ? [x, w, plus.value] : [x, w], (dy) => {
    tape.contribute(x, () =>
      turned && scale === 1 ? g.op('MatMul', [dy, w]) : g.op('Gemm', [dy, w], { ...(turned ? {} : { transB: TRANSPOSED }), ...alpha }),
    );
    // xᵀ dy turned afterwards is a little faster than dyᵀ x.
    tape.contribute(w, () => {
      const slope = g.op('Gemm', [x, dy], { transA: TRANSPOSED, ...alpha });
      return turned ? g.op('Transpose', [slope], { perm: [1, 0] }) : slope;
    });
    if (plus) tape.contribute(plus.value, () => (plus.kind === 'rows' ? dy : g.op('ReduceSum', [dy, g.ints([0])], { keepdims: { int: 0 } })));
  });
}
