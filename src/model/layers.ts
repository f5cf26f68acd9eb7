// Owns the functions between the products of a model as ONNX operators: norms and activations.
// Refuses to know architectures, weights and where in a model they stand.

import { MS } from './decoder-parts.ts';
import type { GraphBuilder } from './onnx.ts';

/** x / sqrt(mean(x^2) + epsilon) * gain along the innermost axis (Zhang and Sennrich 2019). */
export const rmsNorm = (g: GraphBuilder, x: string, gain: string, epsilon: number): string =>
  g.op('SimplifiedLayerNormalization', [x, gain], { axis: { int: -1 }, epsilon });
/** (x - mean) / sqrt(variance + epsilon) * gain + bias along the innermost axis (Ba et al. 2016). */
export const layerNorm = (g: GraphBuilder, x: string, gain: string, bias: string, epsilon: number): string =>
  g.op('LayerNormalization', [x, gain, bias], { axis: { int: -1 }, epsilon });

/** `gelu`: x * Phi(x) with the error function (Hendrycks and Gimpel 2016); `gelu-tanh`: its approximation there. `silu`: x * sigmoid(x). */
export type Activation = 'relu' | 'gelu' | 'gelu-tanh' | 'silu';
export function activated(g: GraphBuilder, kind: Activation, x: string): string {
  switch (kind) {
    case 'relu':
      return g.op('Relu', [x]);
    case 'gelu':
      return g.op('Gelu', [x]);
    case 'gelu-tanh':
      return g.op('Gelu', [x], { approximate: 'tanh' });
    case 'silu':
      return g.op('QuickGelu', [x], { alpha: 1 }, MS);
    default:
      return kind satisfies never;
  }
}
