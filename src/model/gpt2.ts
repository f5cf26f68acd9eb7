// Owns the decoder of GPT-2 (Radford et al. 2019) as an inference graph in the engine's form.
// Refuses to know where weights come from and how the graph is run.

import { Attention } from './attention.ts';
import { WeightedGraph } from './decoder-parts.ts';
import type { BuildOptions, Parameter } from './decoder-parts.ts';
import { activated, layerNorm } from './layers.ts';

export interface Gpt2Config {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  /** Products of queries and keys are multiplied by it. Default: 1 / sqrt(width / heads). */
  readonly scoreScale?: number;
  /** The head is the embedding. */
  readonly tied: boolean;
}

/** Names and shapes of the parameters. Matrices are [out, in]; Hugging Face stores those in layers the other way round. */
export function gpt2Parameters({ vocabularySize, width, layers, feedForward, contextLength, tied }: Gpt2Config): readonly Parameter[] {
  const both = (name: string, ...shape: number[]): Parameter[] => [
    { name: `${name}.weight`, shape },
    { name: `${name}.bias`, shape: [shape[0]] },
  ];
  return [
    { name: 'wte.weight', shape: [vocabularySize, width] },
    { name: 'wpe.weight', shape: [contextLength, width] },
    ...Array.from({ length: layers }, (_, i) => [
      ...both(`h.${i}.ln_1`, width),
      ...both(`h.${i}.attn.c_attn`, 3 * width, width),
      ...both(`h.${i}.attn.c_proj`, width, width),
      ...both(`h.${i}.ln_2`, width),
      ...both(`h.${i}.mlp.c_fc`, feedForward, width),
      ...both(`h.${i}.mlp.c_proj`, width, feedForward),
    ]).flat(),
    ...both('ln_f', width),
    ...(tied ? [] : [{ name: 'lm_head.weight', shape: [vocabularySize, width] }]),
  ];
}

/** Pre-norm blocks with LayerNorm, positions that are learned, every head with keys of its own, GELU by its approximation with tanh (Hendrycks and Gimpel 2016). */
export function buildGpt2(config: Gpt2Config, options: BuildOptions): Uint8Array {
  const { vocabularySize, width, layers, heads, feedForward, contextLength } = config;
  const w = new WeightedGraph(gpt2Parameters(config), options);
  const { g } = w;
  const attention = new Attention(g, { layers, heads, keyValueHeads: heads, headSize: width / heads, scale: config.scoreScale });
  const normed = (x: string, name: string): string => layerNorm(g, x, w.vector(`${name}.weight`), w.vector(`${name}.bias`), config.normEpsilon);
  const linear = (x: string, name: string, out: number, inner: number): string =>
    w.biased(w.product(x, name, [`${name}.weight`], out, inner), `${name}.bias`, [`${name}.bias`]);

  const { rows, head } = w.embedding(attention.ids, 'wte.weight', config.tied ? undefined : 'lm_head.weight', vocabularySize, width);
  const places = g.weight('wpe.weight', w.weight('wpe.weight'), [contextLength, width]);
  const flat = g.op('Reshape', [attention.positions, g.ints([-1])]);
  let x = g.op('Add', [rows, g.op('Gather', [places, flat], { axis: { int: 0 } })]);
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `h.${i}.${name}`;
    const [q, k, v] = ['q', 'k', 'v'].map((name) => g.fresh(name));
    g.op(
      'Split',
      [linear(normed(x, of('ln_1')), of('attn.c_attn'), 3 * width, width), g.ints([width, width, width])],
      { axis: { int: -1 } },
      { outputs: [q, k, v] },
    );
    x = g.op('Add', [x, linear(attention.attend(i, q, k, v), of('attn.c_proj'), width, width)]);
    const inner = activated(g, 'gelu-tanh', linear(normed(x, of('ln_2')), of('mlp.c_fc'), feedForward, width));
    x = g.op('Add', [x, linear(inner, of('mlp.c_proj'), width, feedForward)]);
  }
  attention.logits(head(normed(attention.last(x), 'ln_f')), vocabularySize);
  return g.finish('gpt2');
}
