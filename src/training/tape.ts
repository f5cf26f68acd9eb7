// Owns reverse-mode differentiation over ONNX operators: each forward operator records how to emit its gradient nodes.
// Refuses to know the model, the loss's meaning, and the optimizer. Method: Griewank and Walther, "Evaluating Derivatives", 2nd ed., section 3.2.

import { GraphBuilder } from '../model/onnx.ts';

const MS = { domain: 'com.microsoft' } as const;

/** A graph under construction in which every value can receive a gradient. Values are names in `graph`. */
export class Tape {
  readonly graph = new GraphBuilder();
  #backward: (() => void)[] = [];
  #gradients = new Map<string, string[]>();

  /** Adds a contribution to the gradient of `value`. */
  contribute(value: string, gradient: string): void {
    const list = this.#gradients.get(value);
    if (list) list.push(gradient);
    else this.#gradients.set(value, [gradient]);
  }
  /** The summed gradient of `value` (same shape), or undefined when nothing that was differentiated depends on it. */
  gradient(value: string): string | undefined {
    const list = this.#gradients.get(value);
    if (!list) return undefined;
    if (list.length > 1) this.#gradients.set(value, [this.graph.op('Sum', list)]);
    return this.#gradients.get(value)?.[0];
  }
  #record(output: string, emit: (gradient: string) => void): string {
    this.#backward.push(() => {
      const gradient = this.gradient(output);
      if (gradient !== undefined) emit(gradient);
    });
    return output;
  }
  /** Emits all gradient nodes, last operator first. Seed gradients with `contribute` before. */
  run(): void {
    for (const emit of this.#backward.toReversed()) emit();
    this.#backward = [];
  }

  /** x [N, I] times w [I, O]. */
  matmul(x: string, w: string): string {
    const g = this.graph;
    return this.#record(g.op('MatMul', [x, w]), (dy) => {
      this.contribute(x, g.op('Gemm', [dy, w], { transB: { int: 1 } }));
      this.contribute(w, g.op('Gemm', [x, dy], { transA: { int: 1 } }));
    });
  }
  /** x [N, D] times the transpose of w [V, D]. */
  matmulTransposed(x: string, w: string): string {
    const g = this.graph;
    return this.#record(g.op('Gemm', [x, w], { transB: { int: 1 } }), (dy) => {
      this.contribute(x, g.op('MatMul', [dy, w]));
      this.contribute(w, g.op('Gemm', [dy, x], { transA: { int: 1 } }));
    });
  }
  /** a + b of one shape. */
  add(a: string, b: string): string {
    return this.#record(this.graph.op('Add', [a, b]), (dy) => {
      this.contribute(a, dy);
      this.contribute(b, dy);
    });
  }
  /** x [..., D] times a vector [D]; `rows` is the number of leading axes of x. */
  scaleChannels(x: string, vector: string, rows: number): string {
    const g = this.graph;
    return this.#record(g.op('Mul', [x, vector]), (dy) => {
      this.contribute(x, g.op('Mul', [dy, vector]));
      const axes = g.ints(Array.from({ length: rows }, (_, i) => i));
      this.contribute(vector, g.op('ReduceSum', [g.op('Mul', [dy, x]), axes], { keepdims: { int: 0 } }));
    });
  }
  /** Parts [..., size], side by side along the last axis. */
  beside(parts: readonly string[], size: number): string {
    const g = this.graph;
    return this.#record(g.op('Concat', parts, { axis: { int: -1 } }), (dy) => {
      const slices = parts.map((_, i) => g.op('Slice', [dy, g.ints([i * size]), g.ints([(i + 1) * size]), g.ints([-1])]));
      parts.forEach((part, i) => this.contribute(part, slices[i]));
    });
  }
  /** x plus a constant. */
  shift(x: string, constant: number): string {
    return this.#record(this.graph.op('Add', [x, this.graph.scalar(constant)]), (dy) => this.contribute(x, dy));
  }
  /** x times a constant that broadcasts over it, such as a mask of zeros and ones. */
  gate(x: string, constant: string): string {
    const g = this.graph;
    return this.#record(g.op('Mul', [x, constant]), (dy) => this.contribute(x, g.op('Mul', [dy, constant])));
  }
  /** relu(x)^2 (So et al. 2021). */
  squaredRelu(x: string): string {
    const g = this.graph;
    const positive = g.op('Relu', [x]);
    return this.#record(g.op('Mul', [positive, positive]), (dy) => {
      this.contribute(x, g.op('Mul', [dy, g.op('Add', [positive, positive])]));
    });
  }
  /** x / rms(x) over the last axis (Zhang and Sennrich 2019), without a gain; `ones` is a vector of ones. dx = r (dy - y mean(dy y)), r = 1 / rms. */
  rmsNorm(x: string, ones: string, epsilon: number): string {
    const g = this.graph;
    const y = g.fresh('norm');
    const inverse = g.fresh('norm_inverse');
    g.op('SimplifiedLayerNormalization', [x, ones], { axis: { int: -1 }, epsilon }, { outputs: [y, inverse] });
    return this.#record(y, (dy) => {
      const mean = g.op('ReduceMean', [g.op('Mul', [dy, y]), g.ints([-1])], { keepdims: { int: 1 } });
      this.contribute(x, g.op('Mul', [g.op('Sub', [dy, g.op('Mul', [y, mean])]), inverse]));
    });
  }
  reshape(x: string, shape: string, original: string): string {
    const g = this.graph;
    return this.#record(g.op('Reshape', [x, shape]), (dy) => this.contribute(x, g.op('Reshape', [dy, original])));
  }
  /** x [T, ...] moved one step later along the first axis, `zero` [1, ...] in front; `allButLast` and `steps` are [1] tensors holding T - 1 and T. */
  delay(x: string, zero: string, allButLast: string, steps: string): string {
    const g = this.graph;
    const kept = g.op('Slice', [x, g.ints([0]), allButLast, g.ints([0])]);
    return this.#record(g.op('Concat', [zero, kept], { axis: { int: 0 } }), (dy) => {
      const moved = g.op('Slice', [dy, g.ints([1]), steps, g.ints([0])]);
      this.contribute(x, g.op('Concat', [moved, zero], { axis: { int: 0 } }));
    });
  }
  /** Rotary embedding of x [T, B, heads * size]; `positions` int64 [T, B]. The gradient turns by the opposite angle (`negativeSin`). */
  rotary(x: string, positions: string, cos: string, sin: string, negativeSin: string, heads: number): string {
    const g = this.graph;
    const attributes = { interleaved: { int: 0 }, num_heads: { int: heads } };
    return this.#record(g.op('RotaryEmbedding', [x, positions, cos, sin], attributes, MS), (dy) => {
      this.contribute(x, g.op('RotaryEmbedding', [dy, positions, cos, negativeSin], attributes, MS));
    });
  }
  /**
   * softmax(q kᵀ scale + mask) v (Vaswani et al. 2017, eq. 1) for q, k, v [T, B, heads, size] (time-major); mask [B, 1, T, T] is added to every head's scores.
   * FusedMatMul's transBatch reads [T, B, heads, size] as [B, heads, T, size] without a transpose.
   */
  attention(q: string, k: string, v: string, mask: string, scale: number): string {
    const g = this.graph;
    const one = { int: 1 };
    const back = (x: string): string => g.op('Transpose', [x], { perm: [2, 0, 1, 3] });
    const scores = g.op('FusedMatMul', [q, k], { alpha: scale, transBatchA: one, transBatchB: one, transB: one }, MS);
    const p = g.op('Softmax', [g.op('Add', [scores, mask])], { axis: { int: -1 } });
    const y = back(g.op('FusedMatMul', [p, v], { transBatchB: one }, MS));
    return this.#record(y, (dy) => {
      const dp = g.op('FusedMatMul', [dy, v], { transBatchA: one, transBatchB: one, transB: one }, MS);
      this.contribute(v, back(g.op('FusedMatMul', [p, dy], { transA: one, transBatchB: one }, MS)));
      const inner = g.op('Mul', [dp, p]);
      const total = g.op('ReduceSum', [inner, g.ints([-1])], { keepdims: one });
      const ds = g.op('Sub', [inner, g.op('Mul', [p, total])]);
      this.contribute(q, back(g.op('FusedMatMul', [ds, k], { alpha: scale, transBatchB: one }, MS)));
      this.contribute(k, back(g.op('FusedMatMul', [ds, q], { alpha: scale, transA: one, transBatchB: one }, MS)));
    });
  }
  /** q kᵀ scale for q, k [T, B, 1, size] (time-major): [B, 1, T, T]. */
  products(q: string, k: string, scale: number): string {
    const g = this.graph;
    const one = { int: 1 };
    const back = (x: string): string => g.op('Transpose', [x], { perm: [2, 0, 1, 3] });
    return this.#record(g.op('FusedMatMul', [q, k], { alpha: scale, transBatchA: one, transBatchB: one, transB: one }, MS), (dy) => {
      this.contribute(q, back(g.op('FusedMatMul', [dy, k], { alpha: scale, transBatchB: one }, MS)));
      this.contribute(k, back(g.op('FusedMatMul', [dy, q], { alpha: scale, transA: one, transBatchB: one }, MS)));
    });
  }
  /** Rows `indices` int64 [M] of x [N, D], each at most once; `zeros` [N, D]. */
  rows(x: string, indices: string, zeros: () => string): string {
    const g = this.graph;
    return this.#record(g.op('Gather', [x, indices], { axis: { int: 0 } }), (dy) => {
      this.contribute(x, g.op('ScatterND', [zeros(), g.op('Unsqueeze', [indices, g.ints([1])]), dy]));
    });
  }
  /**
   * Sum over rows of weight * -log P[target], where P = share of the sentinel * softmax(logits) + what positions give to their tokens (Merity et al. 2017, eq. 4 to 6).
   * logits [M, V], scores [M, T] with `mask` [M, T] to be added, sentinel [M, 1], `matches` [M, T]: 1 where the position's token is the target, else 0; targets int64 [M], weights [M].
   * Also seeds the gradients: with u the target's probability by each part, that of part k's score is share[k] (1 - u[k] / P).
   */
  pointerCrossEntropy(parts: Readonly<Record<'logits' | 'scores' | 'mask' | 'sentinel' | 'matches' | 'targets' | 'weights', string>>, least: number, lossName: string): string {
    const { logits, scores, mask, sentinel, matches, targets, weights } = parts;
    const g = this.graph;
    const column = g.op('Unsqueeze', [targets, g.ints([1])]);
    const weightColumn = g.op('Unsqueeze', [weights, g.ints([1])]);
    const beside = (left: string, right: string): string => g.op('Concat', [left, right], { axis: { int: 1 } });
    const left = (x: string): string => g.op('Slice', [x, g.ints([0]), g.ints([-1]), g.ints([1])]);
    const right = (x: string): string => g.op('Slice', [x, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])]);
    const shares = g.op('Softmax', [beside(g.op('Add', [scores, mask]), sentinel)], { axis: { int: -1 } });
    const byVocabulary = g.op('Softmax', [logits], { axis: { int: -1 } });
    const target = g.op('GatherElements', [byVocabulary, column], { axis: { int: 1 } });
    const each = beside(matches, target);
    const total = g.op('Add', [g.op('ReduceSum', [g.op('Mul', [shares, each]), g.ints([1])], { keepdims: { int: 1 } }), g.scalar(least)]);
    g.op('Neg', [g.op('ReduceSum', [g.op('Mul', [g.op('Log', [total]), weightColumn])], { keepdims: { int: 0 } })], {}, { outputs: [lossName] });
    const ofScores = g.op('Mul', [g.op('Mul', [shares, weightColumn]), g.op('Sub', [g.scalar(1), g.op('Div', [each, total])])]);
    this.contribute(scores, left(ofScores));
    this.contribute(sentinel, right(ofScores));
    const blame = g.op('Mul', [weightColumn, g.op('Div', [g.op('Mul', [right(shares), target]), total])]);
    this.contribute(logits, g.op('ScatterElements', [g.op('Mul', [byVocabulary, blame]), column, g.op('Neg', [blame])], { axis: { int: 1 }, reduction: 'add' }));
    return lossName;
  }
}
