// Owns a feed-forward part of many experts, of which each token goes through few (DeepSeekMoE; Dai et al. 2024): the router, the rows of each expert, their sum.
// Refuses to know what an expert computes.

import type { WeightedGraph } from './decoder-parts.ts';

export interface ExpertsConfig {
  readonly count: number;
  readonly perToken: number;
  /** Width inside an expert. */
  readonly size: number;
  /** Width inside those that every token goes through, together; 0: there are none. */
  readonly shared: number;
  /** Layers before this one have one feed-forward part. */
  readonly firstLayer: number;
  /** The shares of the chosen experts are made to sum to 1. */
  readonly normalised: boolean;
  /** What the chosen experts' sum is multiplied by. */
  readonly scale: number;
}

/** Rows h [rows, width] through the shared experts and those that the router chooses: softmax over all, of which the greatest count (eq. 3 to 5). `expert` makes what an expert computes. */
export function routed(w: WeightedGraph, h: string, name: string, width: number, config: ExpertsConfig, expert: (h: string, name: string, size: number) => string): string {
  const { g } = w;
  const { count, perToken, size, shared, normalised, scale } = config;
  // The router is small and decides: it stays whole, however the rest is stored.
  const gains = g.weight(`${name}.gate`, w.weight(`${name}.gate.weight`), [count, width]);
  const shares = g.op('Softmax', [g.op('Gemm', [h, gains], { transB: { int: 1 } })], { axis: { int: -1 } });
  const [values, places] = [g.fresh('shares'), g.fresh('experts')];
  g.op('TopK', [shares, g.ints([perToken])], { axis: { int: -1 } }, { outputs: [values, places] });
  const kept = normalised ? g.op('Div', [values, g.op('ReduceSum', [values, g.ints([-1])], { keepdims: { int: 1 } })]) : values;
  let sum = g.op('Mul', [h, g.scalar(0)]);
  for (let e = 0; e < count; e++) {
    // Which rows chose this expert, and in which place: [2, hits].
    const hits = g.op('NonZero', [g.op('Equal', [places, g.ints([e])])]);
    const some = g.op('Greater', [g.op('Squeeze', [g.op('Gather', [g.op('Shape', [hits]), g.ints([1])], { axis: { int: 0 } })]), g.ints(0)]);
    const before = sum;
    const chosen = g.branch('float', ['rows', width], () => {
      const rows = g.op('Gather', [hits, g.ints(0)], { axis: { int: 0 } });
      const share = g.op('GatherND', [kept, g.op('Transpose', [hits], { perm: [1, 0] })]);
      const given = expert(g.op('Gather', [h, rows], { axis: { int: 0 } }), `${name}.experts.${e}`, size);
      const weighed = g.op('Mul', [given, g.op('Unsqueeze', [share, g.ints([-1])])]);
      // A row chooses an expert at most once, so that no place is added to twice.
      return g.op('ScatterND', [before, g.op('Unsqueeze', [rows, g.ints([-1])]), weighed], { reduction: 'add' });
    });
    const none = g.branch('float', ['rows', width], () => before);
    sum = g.op('If', [some], { then_branch: chosen, else_branch: none });
  }
  const scaled = scale === 1 ? sum : g.op('Mul', [sum, g.scalar(scale)]);
  return shared > 0 ? g.op('Add', [scaled, expert(h, `${name}.shared_experts`, shared)]) : scaled;
}
