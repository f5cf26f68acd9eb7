// Owns multi-head latent attention in training (DeepSeek-V2, section 2.1): keys and values of every head are made in full of the narrow vector.
// Refuses to know how vectors are turned by their place, and the product behind attention.

import { EPSILON } from '../../model/latent-attention.ts';
import type { LatentConfig } from '../../model/latent-attention.ts';
import { causalAttention } from './attention.ts';
import type { CausalHeads } from './attention.ts';
import { concat, repeat, reshape, split } from './layout.ts';
import type { LossBuilder } from './loss-builder.ts';
import { rmsNorm } from './norms.ts';

export interface LatentOptions extends Pick<CausalHeads, 'heads' | 'scale' | 'cap' | 'window'> {
  /** Name of a parameter of the layer. */
  readonly of: (name: string) => string;
  readonly config: LatentConfig;
  /** Turns rows of `count` heads of turnedSize. */
  readonly turned: (rows: string, count: number) => string;
}

/**
 * Rows h [N, width] of normed states; returns rows [N, heads * valueSize]. Eq. 9 to 12 and 14 to 19 as they stand: the inference graph takes the absorbed form, which remembers less but has scores over
 * more numbers, and here nothing is remembered.
 */
export function latentAttention(builder: LossBuilder, h: string, { of, heads, config, turned, ...more }: LatentOptions): string {
  const { queryRank, rank, plainSize, turnedSize, valueSize } = config;
  const { tape, sequences } = builder;
  const g = tape.graph;
  const linear = (x: string, name: string): string => builder.linear(x, of(`self_attn.${name}.weight`));
  const normed = (x: string, name: string): string => rmsNorm(tape, x, of(`self_attn.${name}.weight`), EPSILON);
  const rowsOf = (x: string, size: number, from: number): string => reshape(tape, x, g.ints([-1, size]), g.ints([-1, from]));
  /** Rows of all heads side by side, each head cut in two. */
  const cut = (x: string, first: number, second: number): string[] =>
    split(tape, rowsOf(x, first + second, heads * (first + second)), g.ints([first, second]), 2, 1).map((part, i) =>
      rowsOf(part, heads * [first, second][i], [first, second][i]),
    );
  const joined = (plain: string, place: string): string => {
    const parts = [rowsOf(plain, plainSize, heads * plainSize), rowsOf(place, turnedSize, heads * turnedSize)];
    return rowsOf(
      concat(tape, parts, () => g.ints([plainSize, turnedSize]), 1),
      heads * (plainSize + turnedSize),
      plainSize + turnedSize,
    );
  };
  const queries = queryRank === undefined ? linear(h, 'q_proj') : linear(normed(linear(h, 'q_a_proj'), 'q_a_layernorm'), 'q_b_proj');
  const [narrow, place] = split(tape, linear(h, 'kv_a_proj_with_mqa'), g.ints([rank, turnedSize]), 2, 1);
  const [queryPlain, queryPlace] = cut(queries, plainSize, turnedSize);
  const [keyPlain, values] = cut(linear(normed(narrow, 'kv_a_layernorm'), 'kv_b_proj'), plainSize, valueSize);
  // The turned part of a key is the same for all heads.
  const keys = joined(keyPlain, repeat(tape, turned(place, 1), heads, turnedSize));
  return causalAttention(tape, joined(queryPlain, turned(queryPlace, heads)), keys, values, sequences, {
    ...more,
    heads,
    keyValueHeads: heads,
    headSize: plainSize + turnedSize,
    valueSize,
  });
}
