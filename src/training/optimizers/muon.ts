// Owns Muon: momentum whose matrices are made orthogonal, for the matrices of the layers, with AdamW for all else.
// Refuses to know graphs of models, data, schedules and clipping.

import * as ort from 'onnxruntime-node';

import { GraphBuilder } from '../../model/onnx.ts';
import { AdamW } from './adamw.ts';
import type { Optimizer, Parameter } from './optimizer.ts';

export interface MuonOptions {
  readonly momentum: number;
  readonly weightDecay: number;
  /** AdamW's rate is this times the rate. */
  readonly adamRate: number;
  readonly threads: number;
}
/** Coefficients of the quintic iteration, and how often it is made (Jordan et al. 2024, "Muon"): singular values end between about 0.7 and 1.2. */
const QUINTIC = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;
/** With it, an update has about the root mean square that one of AdamW has, so that both take the same rates (Liu et al. 2025, "Muon is scalable for LLM training", eq. 4). */
const ADAM_SIZE = 0.2;
const MOMENTS = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 } as const;

/**
 * Newton-Schulz iteration as a graph: `x` float [k, m, n], each of the k matrices with norm at most 1, gives `y` of that shape: X becomes a X + (b A + c A²) X with A = X Xᵀ. Tall matrices take the
 * same from the other side (X (b A + c A²), A = Xᵀ X), so that A is always the smaller square. Matrix products, which ONNX Runtime makes about a hundred times faster than a loop in JavaScript (107 against 0.9 GFLOP/s on two cores).
 */
function orthogonalGraph(tall: boolean): Uint8Array {
  const g = new GraphBuilder();
  const [a, b, c] = QUINTIC;
  const product = (left: string, right: string, more: Record<string, number | { readonly int: number }> = {}): string =>
    g.op('FusedMatMul', [left, right], more, { domain: 'com.microsoft' });
  let x = g.input('x', 'float', ['k', 'm', 'n']);
  for (let i = 0; i < ITERATIONS; i++) {
    const square = product(x, x, tall ? { transA: { int: 1 } } : { transB: { int: 1 } });
    const factor = g.op('Add', [g.op('Mul', [square, g.scalar(b)]), product(square, square, { alpha: c })]);
    x = g.op('Add', [g.op('Mul', [x, g.scalar(a)]), tall ? product(x, factor) : product(factor, x)]);
  }
  g.op('Identity', [x], {}, { outputs: ['y'] });
  g.output('y', 'float', ['k', 'm', 'n']);
  return g.finish('newton_schulz');
}

/** Matrices of one shape, made orthogonal in one run. */
interface Group {
  readonly shape: readonly [number, number];
  /** Places in the list of all parameters. */
  readonly members: readonly number[];
  readonly stacked: Float32Array;
  readonly session: ort.InferenceSession;
}

export class Muon implements Optimizer {
  readonly state: readonly Float32Array[];
  step = 0;
  readonly #parameters: readonly Parameter[];
  readonly #options: MuonOptions;
  readonly #groups: readonly Group[];
  readonly #others: readonly number[];
  readonly #adam: AdamW;
  /** Momentum by place in the list of all parameters. */
  readonly #momentum: ReadonlyMap<number, Float32Array>;

  private constructor(parameters: readonly Parameter[], options: MuonOptions, groups: readonly Group[]) {
    this.#parameters = parameters;
    this.#options = options;
    this.#groups = groups;
    const matrices = groups.flatMap(({ members }) => members);
    this.#others = parameters.map((_, i) => i).filter((i) => !matrices.includes(i));
    this.#adam = new AdamW(
      this.#others.map((i) => parameters[i]),
      { ...MOMENTS, weightDecay: options.weightDecay },
    );
    this.#momentum = new Map(matrices.map((i) => [i, new Float32Array(parameters[i].values.length)]));
    this.state = [...this.#momentum.values(), ...this.#adam.state];
  }

  static async open(parameters: readonly Parameter[], options: MuonOptions): Promise<Muon> {
    const byShape = Map.groupBy(
      parameters.keys().filter((i) => parameters[i].hidden && parameters[i].shape.length === 2),
      (i) => parameters[i].shape.join('x'),
    );
    const groups: Group[] = [];
    for (const members of byShape.values()) {
      const [m, n] = parameters[members[0]].shape;
      const session = await ort.InferenceSession.create(orthogonalGraph(m > n), {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
      });
      groups.push({ shape: [m, n], members, stacked: new Float32Array(members.length * m * n), session });
    }
    return new Muon(parameters, options, groups);
  }

  async update(gradients: readonly Float32Array[], rate: number, scale = 1): Promise<void> {
    this.step++;
    this.#adam.step = this.step - 1;
    this.#adam.update(
      this.#others.map((i) => gradients[i]),
      rate * this.#options.adamRate,
      scale,
    );
    for (const group of this.#groups) {
      this.#stack(group, gradients, scale);
      const { y } = await group.session.run({ x: new ort.Tensor('float32', group.stacked, [group.members.length, ...group.shape]) });
      this.#apply(group, y.data as Float32Array, rate);
    }
  }
  /** Momentum with a look ahead (Nesterov), each matrix divided by its norm. */
  #stack({ members, stacked }: Group, gradients: readonly Float32Array[], scale: number): void {
    const { momentum } = this.#options;
    let at = 0;
    for (const member of members) {
      const gradient = gradients[member];
      const buffer = this.#momentum.get(member) as Float32Array;
      let square = 0;
      for (let i = 0; i < gradient.length; i++) {
        const g = gradient[i] * scale;
        buffer[i] = momentum * buffer[i] + g;
        const ahead = g + momentum * buffer[i];
        stacked[at + i] = ahead;
        square += ahead * ahead;
      }
      const inverse = 1 / (Math.sqrt(square) + 1e-7);
      for (let i = at; i < at + gradient.length; i++) stacked[i] *= inverse;
      at += gradient.length;
    }
  }
  #apply({ members, shape }: Group, directions: Float32Array, rate: number): void {
    const size = rate * ADAM_SIZE * Math.sqrt(Math.max(...shape));
    let at = 0;
    for (const member of members) {
      const { values, decay } = this.#parameters[member];
      const shrink = decay ? 1 - rate * this.#options.weightDecay : 1;
      for (let i = 0; i < values.length; i++) values[i] = values[i] * shrink - size * directions[at + i];
      at += values.length;
    }
  }
  async close(): Promise<void> {
    for (const { session } of this.#groups) await session.release();
  }
}
