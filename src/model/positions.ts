// Owns how a model tells places apart: sinusoids, learned vectors, or turned queries and keys, all selectable.
// Refuses to know attention and where in a graph places are used.

import type { Parameter, WeightedGraph } from './decoder-parts.ts';
import { MS } from './decoder-parts.ts';
import { rotaryAngles, rotatedSize } from './rotary.ts';
import type { RotaryConfig } from './rotary.ts';

export type Positions =
  /** Vaswani et al. 2017, section 3.5. `alternating`: sines on even numbers, cosines on odd ones, as there; `halves`: all sines first (Marian). */
  | { readonly kind: 'sinusoidal'; readonly layout: 'alternating' | 'halves' }
  | { readonly kind: 'learned' }
  | { readonly kind: 'rotary'; readonly rotary: RotaryConfig };

/** Base of the wavelengths (Vaswani et al. 2017). */
const BASE = 10_000;

/** [count, width]: sin(position / 10000^(2i / width)), and cos of the same. */
export function sinusoids(count: number, width: number, layout: 'alternating' | 'halves'): Float32Array {
  const table = new Float32Array(count * width);
  const half = Math.ceil(width / 2);
  for (let position = 0; position < count; position++)
    for (let i = 0; i < width; i++) {
      const pair = i >> 1;
      const angle = position / BASE ** ((2 * pair) / width);
      const isSine = (i & 1) === 0;
      table[position * width + (layout === 'alternating' ? i : isSine ? pair : half + pair)] = isSine ? Math.sin(angle) : Math.cos(angle);
    }
  return table;
}

export interface PlacedGraph {
  /** Rows x [rows, width] with vectors of their places added, where places are such vectors. */
  readonly add: (x: string) => string;
  /** Rows of `heads` heads turned, where places are angles. */
  readonly turn: (x: string, heads: number) => string;
}
/** Parameters of one stack under `prefix`. */
export const positionParameters = (prefix: string, positions: Positions, contextLength: number, width: number): readonly Parameter[] =>
  positions.kind === 'learned' ? [{ name: `${prefix}.embed_positions.weight`, shape: [contextLength, width] }] : [];

/** `at`: int64 [rows, 1], the place of each row. */
export function placed(
  w: WeightedGraph,
  prefix: string,
  positions: Positions,
  at: string,
  { contextLength, width, headSize }: { readonly contextLength: number; readonly width: number; readonly headSize: number },
): PlacedGraph {
  const { g } = w;
  if (positions.kind === 'rotary') {
    const size = rotatedSize(positions.rotary, headSize);
    const { cos, sin } = rotaryAngles(positions.rotary, headSize, contextLength);
    const tables = [g.weight('rotary.cos', cos, [contextLength, size / 2]), g.weight('rotary.sin', sin, [contextLength, size / 2])];
    const turn = (x: string, heads: number): string =>
      g.op(
        'RotaryEmbedding',
        [g.op('Unsqueeze', [x, g.ints([1])]), at, ...tables],
        { interleaved: { int: 0 }, num_heads: { int: heads }, ...(size === headSize ? {} : { rotary_embedding_dim: { int: size } }) },
        MS,
      );
    return { add: (x) => x, turn };
  }
  const name = `${prefix}.embed_positions.weight`;
  const table = g.weight(name, positions.kind === 'learned' ? w.weight(name) : sinusoids(contextLength, width, positions.layout), [contextLength, width]);
  const rows = g.op('Gather', [table, g.op('Reshape', [at, g.ints([-1])])], { axis: { int: 0 } });
  return { add: (x) => g.op('Add', [x, rows]), turn: (x) => x };
}
