// Owns attention and rotary positions with their gradients, over rows that are time-major.
// Refuses to know where queries, keys and values come from.

import { MS } from '../../model/decoder-parts.ts';
import { concat, leading, split } from './layout.ts';
import type { Sequences } from './sequences.ts';
import type { Tape } from './tape.ts';

const one = { int: 1 } as const;

export interface Turn {
  /** int64 [N, 1] */
  readonly positions: string;
  readonly cos: string;
  readonly sin: string;
  readonly negativeSin: string;
  readonly heads: number;
  readonly headSize: number;
  /** Dimensions of a head that are turned, the first ones. */
  readonly rotated: number;
  /** What is turned together: numbers half of a head apart, or neighbours. */
  readonly pairs: 'halves' | 'neighbours';
}
/** Rotary positions (Su et al. 2021) of rows x [N, heads * headSize]. The gradient turns by the opposite angle; what angles are multiplied by stays. */
export function rotary(tape: Tape, x: string, { positions, cos, sin, negativeSin, heads, headSize, rotated, pairs }: Turn): string {
  const g = tape.graph;
  const attributes = {
    interleaved: { int: pairs === 'neighbours' ? 1 : 0 },
    num_heads: { int: heads },
    ...(rotated === headSize ? {} : { rotary_embedding_dim: { int: rotated } }),
  };
  // Each row is a batch of its own: the operator refuses sequences longer than the table, wherever their positions are.
  const turned = (value: string, sines: string): string => {
    const apart = g.op('Reshape', [value, g.ints([-1, 1, heads * headSize])]);
    return g.op('Reshape', [g.op('RotaryEmbedding', [apart, positions, cos, sines], attributes, MS), g.ints([-1, heads * headSize])]);
  };
  return tape.record(turned(x, sin), [x], (dy) => tape.contribute(x, () => turned(dy, negativeSin)));
}

export interface Heads {
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyValueHeads of the queries. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Numbers of a head of values. Default: headSize. */
  readonly valueSize?: number;
  /** What products of queries and keys are multiplied by. */
  readonly scale: number;
  /** Scores s become cap * tanh(s / cap). */
  readonly cap?: number;
  /** Added to the scores: [B, 1, T, T]. */
  readonly mask: string;
  /** Shape of rows as [T, B, ...sizes], whatever T is. */
  readonly shape: (...sizes: readonly number[]) => string;
  /** Shape [B, ...sizes], with -1 where it is T or what goes with T. */
  readonly batched: (...sizes: readonly number[]) => string;
}
/**
 * softmax(q kᵀ scale + mask) v (Vaswani et al. 2017, eq. 1) for rows of queries [T * B, heads * headSize], of keys [T * B, keyValueHeads * headSize] and of values [T * B, keyValueHeads *
 * valueSize] (Ainslie et al. 2023): rows [T * B, heads * valueSize]. FusedMatMul's transBatch reads [T, B, heads, size] as [B, heads, T, size] without a transpose; grouped queries are brought into [B, keyValueHeads, T * group, size].
 */
export function attention(tape: Tape, q: string, k: string, v: string, options: Heads): string {
  const { heads, keyValueHeads, headSize, valueSize = headSize, scale, cap, mask, shape, batched } = options;
  if (heads % keyValueHeads !== 0) throw new RangeError(`heads (${heads}) must be a multiple of keyValueHeads (${keyValueHeads})`);
  const g = tape.graph;
  const group = heads / keyValueHeads;
  const reshape = (x: string, to: string): string => g.op('Reshape', [x, to]);
  const product = (a: string, b: string, attributes: Record<string, number | typeof one>): string => g.op('FusedMatMul', [a, b], attributes, MS);
  // How the side of the queries is read.
  const first: Record<string, typeof one> = group === 1 ? { transBatchA: one } : {};
  const grouped = (rows: string, size: number): string => {
    if (group === 1) return reshape(rows, shape(heads, size));
    return reshape(g.op('Transpose', [reshape(rows, shape(keyValueHeads, group, size))], { perm: [1, 2, 0, 3, 4] }), batched(keyValueHeads, -1, size));
  };
  /** Of [B, heads, T, size] or [B, keyValueHeads, T * group, size]. */
  const queryRows = (x: string, size: number): string => {
    const apart =
      group === 1
        ? g.op('Transpose', [x], { perm: [2, 0, 1, 3] })
        : g.op('Transpose', [reshape(x, batched(keyValueHeads, -1, group, size))], { perm: [2, 0, 1, 3, 4] });
    return reshape(apart, g.ints([-1, heads * size]));
  };
  /** Of [B, keyValueHeads, size, T]: products come out faster on this side. */
  const keyRows = (x: string, size: number): string => reshape(g.op('Transpose', [x], { perm: [3, 0, 1, 2] }), g.ints([-1, keyValueHeads * size]));
  const masked = (scores: string): string => {
    if (group === 1) return g.op('Add', [scores, mask]);
    return reshape(
      g.op('Add', [
        reshape(scores, g.op('Concat', [batched(keyValueHeads, -1, group), g.op('Shape', [mask], { start: { int: 3 } })], { axis: { int: 0 } })),
        g.op('Unsqueeze', [mask, g.ints([3])]),
      ]),
      g.op('Shape', [scores]),
    );
  };

  const [query, key, value] = [grouped(q, headSize), reshape(k, shape(keyValueHeads, headSize)), reshape(v, shape(keyValueHeads, valueSize))];
  const raw = product(query, key, { alpha: cap === undefined ? scale : scale / cap, ...first, transBatchB: one, transB: one });
  const bent = cap === undefined ? undefined : g.op('Tanh', [raw]);
  const p = g.op('Softmax', [masked(bent === undefined ? raw : g.op('Mul', [bent, g.scalar(cap ?? 1)]))], { axis: { int: -1 } });
  const mixed = product(p, value, { transBatchB: one });
  const y = queryRows(mixed, valueSize);
  return tape.record(y, [q, k, v], (dy) => {
    const given = grouped(dy, valueSize);
    tape.contribute(v, () => keyRows(product(given, p, { transA: one, ...first }), valueSize));
    if (!tape.depends(q) && !tape.depends(k)) return;
    // sum(dp p) = sum(dy y), which has no axis of T keys (Dao et al. 2022, appendix B.2).
    const sums = (a: string): string => g.op('ReduceSum', [g.op('Mul', [a, given]), g.ints([-1])], { keepdims: one });
    const total = group === 1 ? g.op('Transpose', [sums(reshape(y, shape(heads, valueSize)))], { perm: [1, 2, 0, 3] }) : sums(mixed);
    let ds = g.op('Mul', [p, g.op('Sub', [product(given, value, { ...first, transBatchB: one, transB: one }), total])]);
    // d(cap tanh(s scale / cap)) / ds = scale (1 - tanh^2)
    if (bent !== undefined) ds = g.op('Mul', [ds, g.op('Sub', [g.scalar(1), g.op('Mul', [bent, bent])])]);
    tape.contribute(q, () => queryRows(product(ds, key, { alpha: scale, transBatchB: one }), headSize));
    tape.contribute(k, () => keyRows(product(query, ds, { alpha: scale, transA: one, ...first }), headSize));
  });
}
export interface CausalHeads extends Omit<Heads, 'mask' | 'shape' | 'batched'> {
  /** A token sees itself and those before, of these the last `window` with itself. */
  readonly window?: number;
}
/** The same where no token sees a later one: each stretch of queries is compared with the keys up to its end alone. */
export function causalAttention(tape: Tape, q: string, k: string, v: string, sequences: Sequences, { window, ...heads }: CausalHeads): string {
  const { stretches, shape, batched } = sequences;
  const sizes = sequences.list(...stretches.map(({ rows }) => rows));
  const queries = split(tape, q, sizes, stretches.length, 0);
  const mixed = stretches.map(({ mask, rowsUpTo, rowsBehind }, i) => {
    const [keys, values] = [k, v].map((x) => (i === stretches.length - 1 ? x : leading(tape, x, rowsUpTo, rowsBehind)));
    return attention(tape, queries[i], keys, values, { ...heads, mask: mask(window), shape, batched });
  });
  return concat(tape, mixed, () => sizes, 0);
}
/** q kᵀ scale for rows of q and k [T * B, size] of each sequence: [B, 1, T, T]. */
export function products(tape: Tape, q: string, k: string, size: number, scale: number, shape: Heads['shape']): string {
  const g = tape.graph;
  const [query, key] = [q, k].map((rows) => g.op('Reshape', [rows, shape(1, size)]));
  const rows = (x: string): string => g.op('Reshape', [g.op('Transpose', [x], { perm: [2, 0, 1, 3] }), g.ints([-1, size])]);
  return tape.record(g.op('FusedMatMul', [query, key], { alpha: scale, transBatchA: one, transBatchB: one, transB: one }, MS), [q, k], (dy) => {
    tape.contribute(q, () => rows(g.op('FusedMatMul', [dy, key], { alpha: scale, transBatchB: one }, MS)));
    tape.contribute(k, () => rows(g.op('FusedMatMul', [dy, query], { alpha: scale, transA: one, transBatchB: one }, MS)));
  });
}
