// Owns a feed-forward part of many experts, of which each token goes through few (DeepSeekMoE; Dai et al. 2024): the router in its variants, the rows of each expert, their sum.
// Refuses to know what an expert computes.

import type { Parameter, WeightedGraph } from './decoder-parts.ts';
import { DataType } from './onnx.ts';
import type { GraphBuilder } from './onnx.ts';

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
  /** What makes shares of the router's products: all of them together, or each by itself (DeepSeek-V3, eq. 15). Default: softmax. */
  readonly gate?: 'softmax' | 'sigmoid';
  /** Experts are chosen by their shares plus a bias each that balances their loads (DeepSeek-V3, eq. 16). Default: no. */
  readonly balanced?: boolean;
  /**
   * Experts stand in groups of the same size, and are chosen out of `kept` of these (DeepSeek-V2, section 2.2.2): those with the greatest expert, or with the greatest sum of their two greatest (V3).
   * Default: out of all.
   */
  readonly groups?: { readonly count: number; readonly kept: number; readonly by: 'one' | 'two' };
}

/** Names in a feed-forward part and shapes of the router's parameters. */
export const routerParameters = ({ count, balanced }: ExpertsConfig, width: number): readonly Parameter[] => [
  { name: 'gate.weight', shape: [count, width] },
  ...(balanced ? [{ name: 'gate.e_score_correction_bias', shape: [count] }] : []),
];
/** The router is small and decides: it stays whole, however the rest is stored. */
export const isOfRouter = (name: string): boolean => name.endsWith('.mlp.gate.weight');
/** What an expert that is not in question scores: less than any that is. */
const NEVER = -1e30;

/** Of shares [rows, count] the experts that each row goes through, [rows, perToken]; `bias` [count] where loads are balanced. `values` is what they were chosen by. */
export function bestExperts(
  g: GraphBuilder,
  shares: string,
  bias: string | undefined,
  { count, perToken, groups }: ExpertsConfig,
): { readonly values: string; readonly places: string } {
  const greatest = (x: string, most: number): { readonly values: string; readonly places: string } => {
    const [values, places] = [g.fresh('values'), g.fresh('places')];
    g.op('TopK', [x, g.ints([most])], { axis: { int: -1 } }, { outputs: [values, places] });
    return { values, places };
  };
  let by = bias === undefined ? shares : g.op('Add', [shares, bias]);
  if (groups) {
    const grouped = g.op('Reshape', [by, g.ints([-1, groups.count, count / groups.count])]);
    const scores = g.op('ReduceSum', [greatest(grouped, groups.by === 'two' ? 2 : 1).values, g.ints([-1])], { keepdims: { int: 0 } });
    const kept = g.op('OneHot', [greatest(scores, groups.kept).places, g.ints(groups.count), g.ints([0, 1])], { axis: { int: -1 } });
    const isKept = g.op('Cast', [g.op('ReduceSum', [kept, g.ints([1])], { keepdims: { int: 0 } })], { to: { int: DataType.bool } });
    by = g.op('Reshape', [g.op('Where', [g.op('Unsqueeze', [isKept, g.ints([-1])]), grouped, g.scalar(NEVER)]), g.ints([-1, count])]);
  }
  return greatest(by, perToken);
}

/** The experts that each row goes through and their shares, [rows, perToken] each. */
function chosen(w: WeightedGraph, h: string, name: string, width: number, config: ExpertsConfig): { readonly shares: string; readonly places: string } {
  const { g } = w;
  const { count, normalised, gate, balanced, groups } = config;
  const products = g.op('Gemm', [h, g.weight(`${name}.gate`, w.weight(`${name}.gate.weight`), [count, width])], { transB: { int: 1 } });
  const all = gate === 'sigmoid' ? g.op('Sigmoid', [products]) : g.op('Softmax', [products], { axis: { int: -1 } });
  const { values, places } = bestExperts(g, all, balanced ? w.vector(`${name}.gate.e_score_correction_bias`) : undefined, config);
  const shares = balanced || groups ? g.op('GatherElements', [all, places], { axis: { int: -1 } }) : values;
  return { shares: normalised ? g.op('Div', [shares, g.op('ReduceSum', [shares, g.ints([-1])], { keepdims: { int: 1 } })]) : shares, places };
}

/** Of experts int64 [N], the places 0 to N - 1 in the order of their experts, those of one expert as they stood; and where each went. */
export function orderByExpert(g: GraphBuilder, experts: string): { readonly order: string; readonly inverse: string } {
  const total = g.op('Shape', [experts]);
  const ascending = (x: string): string => {
    const indices = g.fresh('order');
    g.op('TopK', [x, total], { axis: { int: 0 }, largest: { int: 0 } }, { outputs: [g.fresh('sorted'), indices] });
    return indices;
  };
  // No two keys are alike.
  const order = ascending(g.op('Add', [g.op('Mul', [experts, total]), g.op('Range', [g.ints(0), g.op('Squeeze', [total]), g.ints(1)])]));
  return { order, inverse: ascending(order) };
}

/** Rows h [rows, width] through the shared experts and those that the router chooses: of the shares of all the greatest count (eq. 3 to 5). `expert` makes what an expert computes. */
export function routed(
  w: WeightedGraph,
  h: string,
  name: string,
  width: number,
  config: ExpertsConfig,
  expert: (h: string, name: string, size: number) => string,
): string {
  const { g } = w;
  const { count, perToken, size, shared, scale } = config;
  const { shares, places } = chosen(w, h, name, width, config);
  // A graph may have thousands of experts: what can be done for all of them at once is. Rows are put in the order of their experts, and back behind them.
  const flat = g.op('Reshape', [places, g.ints([-1])]);
  const { order, inverse } = orderByExpert(g, flat);
  const counts = g.op('ReduceSum', [g.op('OneHot', [flat, g.ints(count), g.ints([0, 1])], { axis: { int: -1 } }), g.ints([0])], { keepdims: { int: 0 } });
  const [isChosen, parts] = ['chosen', 'part'].map((hint) => Array.from({ length: count }, () => g.fresh(hint)));
  g.op('Split', [g.op('Cast', [counts], { to: { int: DataType.bool } })], { axis: { int: 0 }, num_outputs: { int: count } }, { outputs: isChosen });
  g.op('Split', [g.op('Gather', [h, g.op('Div', [order, g.ints(perToken)])], { axis: { int: 0 } }), counts], { axis: { int: 0 } }, { outputs: parts });
  const given = parts.map((part, e) => {
    // Each has its own number of rows, which must not be taken for another's.
    const shape = [g.fresh('hits'), width];
    const through = g.branch('float', shape, () => expert(part, `${name}.experts.${e}`, size));
    const none = g.branch('float', shape, () => part);
    return g.op('If', [isChosen[e]], { then_branch: through, else_branch: none });
  });
  const back = g.op('Gather', [g.op('Concat', given, { axis: { int: 0 } }), inverse], { axis: { int: 0 } });
  const weighed = g.op('Mul', [g.op('Reshape', [back, g.ints([-1, perToken, width])]), g.op('Unsqueeze', [shares, g.ints([-1])])]);
  const sum = g.op('ReduceSum', [weighed, g.ints([1])], { keepdims: { int: 0 } });
  const scaled = scale === 1 ? sum : g.op('Mul', [sum, g.scalar(scale)]);
  return shared > 0 ? g.op('Add', [scaled, expert(h, `${name}.shared_experts`, shared)]) : scaled;
}
