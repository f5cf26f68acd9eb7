// Owns multi-head latent attention (DeepSeek-V2, section 2.1): one narrow vector of a token from which the keys and values of all heads are made.
// Refuses to know how vectors are turned by their place, and the product behind attention.
//
// The vector is what is remembered, as it is, with the part of the key that is turned: one head of rank + turnedSize numbers for all, and no values beside it. What makes keys of it is taken over
// to the query, and what makes values of it comes behind the sum over tokens (the absorbed form of section 2.1.2): q (W c) = (W' q) c. For DeepSeek-V3 that is 576 numbers of a token in a layer
// instead of 40,960, and no pass makes keys and values of the past anew. The price is scores over 576 numbers instead of 192.

import type { Attention } from './attention.ts';
import { MS } from './decoder-parts.ts';
import type { Parameter, WeightedGraph } from './decoder-parts.ts';
import { rmsNorm } from './layers.ts';

export interface LatentConfig {
  /** Numbers that a query is made of; absent: of the token's state itself. */
  readonly queryRank?: number;
  /** Numbers that keys and values are made of. */
  readonly rank: number;
  /** Numbers of a head's query and key that do not know their place. */
  readonly plainSize: number;
  /** Those that are turned by it; of keys, the same ones for all heads. */
  readonly turnedSize: number;
  readonly valueSize: number;
}
/** Of the two norms inside; no configuration says another. */
export const EPSILON = 1e-6;
const KEYS_DOWN = 'self_attn.kv_a_proj_with_mqa';

/** Numbers of a token that are remembered in a layer. */
export const latentSize = ({ rank, turnedSize }: LatentConfig): number => rank + turnedSize;

/** Names in a layer and shapes, as Hugging Face stores them, without the product behind attention. */
export function latentParameters({ queryRank, rank, plainSize, turnedSize, valueSize }: LatentConfig, width: number, heads: number): readonly Parameter[] {
  const size = heads * (plainSize + turnedSize);
  return [
    ...(queryRank === undefined
      ? [{ name: 'self_attn.q_proj.weight', shape: [size, width] }]
      : [
          { name: 'self_attn.q_a_proj.weight', shape: [queryRank, width] },
          { name: 'self_attn.q_a_layernorm.weight', shape: [queryRank] },
          { name: 'self_attn.q_b_proj.weight', shape: [size, queryRank] },
        ]),
    { name: `${KEYS_DOWN}.weight`, shape: [rank + turnedSize, width] },
    { name: 'self_attn.kv_a_layernorm.weight', shape: [rank] },
    { name: 'self_attn.kv_b_proj.weight', shape: [heads * (plainSize + valueSize), rank] },
  ];
}
/** Stays whole however the rest is stored: it is multiplied head by head, which has no form for packed weights. It is about 1 % of a model. */
export const isMultipliedByHead = (name: string): boolean => name.endsWith('.self_attn.kv_b_proj.weight');

export interface LatentLayer {
  readonly layer: number;
  /** Begins the names of the layer's parameters. */
  readonly prefix: string;
  readonly width: number;
  readonly heads: number;
  readonly config: LatentConfig;
  /** Turns rows of `count` heads of turnedSize. */
  readonly rotate: (rows: string, count: number) => string;
}
/** Rows h [rows, width] of normed states; returns rows [rows, heads * valueSize]. `attention` has one head of keys of `latentSize` that are values too. */
export function latentAttention(w: WeightedGraph, attention: Attention, h: string, { layer, prefix, width, heads, config, rotate }: LatentLayer): string {
  const { g } = w;
  const { queryRank, rank, plainSize, turnedSize, valueSize } = config;
  const of = (name: string): string => `${prefix}${name}`;
  const reshape = (x: string, ...shape: number[]): string => g.op('Reshape', [x, g.ints(shape)]);
  const swapped = (x: string): string => g.op('Transpose', [x], { perm: [1, 0, 2] });
  const split = (x: string, ...sizes: number[]): string[] => {
    const outputs = sizes.map(() => g.fresh('part'));
    g.op('Split', [x, g.ints(sizes)], { axis: { int: -1 } }, { outputs });
    return outputs;
  };
  const size = heads * (plainSize + turnedSize);
  const first = queryRank ?? size;
  // What is made of the same states is one product.
  const [forQuery, forKeys, place] = split(
    w.product(
      h,
      of('self_attn.down'),
      [of(queryRank === undefined ? 'self_attn.q_proj.weight' : 'self_attn.q_a_proj.weight'), of(`${KEYS_DOWN}.weight`)],
      first + rank + turnedSize,
      width,
    ),
    first,
    rank,
    turnedSize,
  );
  const query =
    queryRank === undefined
      ? forQuery
      : w.product(
          rmsNorm(g, forQuery, w.vector(of('self_attn.q_a_layernorm.weight')), EPSILON),
          of('self_attn.q_b_proj'),
          [of('self_attn.q_b_proj.weight')],
          size,
          queryRank,
        );
  const latent = rmsNorm(g, forKeys, w.vector(of('self_attn.kv_a_layernorm.weight')), EPSILON);
  const key = g.op('Concat', [latent, reshape(rotate(place, 1), -1, turnedSize)], { axis: { int: -1 } });

  const { toKeys, toValues } = byHead(w.weight(of('self_attn.kv_b_proj.weight')), heads, config);
  const [plain, turned] = split(reshape(query, -1, heads, plainSize + turnedSize), plainSize, turnedSize);
  const absorbed = swapped(g.op('FusedMatMul', [plain, g.weight(of('self_attn.to_keys'), toKeys, [heads, plainSize, rank])], { transBatchA: { int: 1 } }, MS));
  const places = reshape(rotate(reshape(turned, -1, heads * turnedSize), heads), -1, heads, turnedSize);
  const queries = reshape(g.op('Concat', [absorbed, places], { axis: { int: -1 } }), -1, heads * (rank + turnedSize));

  const attended = reshape(attention.attend(layer, queries, key), -1, heads, rank + turnedSize);
  const [mixed] = split(attended, rank, turnedSize);
  const values = g.op(
    'FusedMatMul',
    [mixed, g.weight(of('self_attn.to_values'), toValues, [heads, valueSize, rank])],
    { transBatchA: { int: 1 }, transB: { int: 1 } },
    MS,
  );
  return reshape(swapped(values), -1, heads * valueSize);
}

/** Of [heads, plainSize + valueSize, rank] what makes keys, [heads, plainSize, rank], and what makes values, [heads, valueSize, rank]. */
function byHead(
  both: Float32Array,
  heads: number,
  { rank, plainSize, valueSize }: LatentConfig,
): { readonly toKeys: Float32Array; readonly toValues: Float32Array } {
  const [toKeys, toValues] = [new Float32Array(heads * plainSize * rank), new Float32Array(heads * valueSize * rank)];
  const [keys, values] = [plainSize * rank, valueSize * rank];
  for (let head = 0; head < heads; head++) {
    const from = head * (keys + values);
    toKeys.set(both.subarray(from, from + keys), head * keys);
    toValues.set(both.subarray(from + keys, from + keys + values), head * values);
  }
  return { toKeys, toValues };
}
