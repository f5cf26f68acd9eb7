// Owns the training graph of GPT-2: forward, loss and gradients.
// Refuses to know data, optimizer and files.

import { gpt2Parameters } from '../../model/gpt2.ts';
import type { Gpt2Config } from '../../model/gpt2.ts';
import type { LossGraph } from '../loss-graph.ts';
import { causalAttention } from './attention.ts';
import { rows, split } from './layout.ts';
import { accuracy, crossEntropy } from './losses.ts';
import { LossBuilder, trainedLike } from './loss-builder.ts';
import type { LossOptions } from './loss-builder.ts';
import { layerNorm } from './norms.ts';
import { add, gelu } from './pointwise.ts';

/** The loss of src/training/loss-graph.ts for parameters of `gpt2Parameters`, with its names and shapes: matrices are [out, in]. */
export function gpt2Loss(config: Gpt2Config, options: LossOptions): LossGraph {
  const { width, layers, heads } = config;
  const builder = new LossBuilder(trainedLike(gpt2Parameters(config)), options, 'out-in');
  const { tape, sequences } = builder;
  const headSize = width / heads;
  const shape = {
    heads,
    keyValueHeads: heads,
    headSize,
    scale: config.scoreScale ?? 1 / Math.sqrt(headSize),
  };
  const thirds = tape.graph.ints([width, width, width]);
  const normed = (x: string, name: string): string => layerNorm(tape, x, `${name}.weight`, `${name}.bias`, config.normEpsilon);
  const linear = (x: string, name: string): string => builder.linear(x, `${name}.weight`, `${name}.bias`);

  let x = builder.dropped(add(tape, builder.embedding('wte.weight'), builder.positions('wpe.weight')), width);
  const added = (value: string): string => add(tape, x, builder.dropped(value, width));
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `h.${i}.${name}`;
    const [q, k, v] = split(tape, linear(normed(x, of('ln_1')), of('attn.c_attn')), thirds, 3, 1);
    x = added(linear(causalAttention(tape, q, k, v, sequences, shape), of('attn.c_proj')));
    x = added(linear(gelu(tape, linear(normed(x, of('ln_2')), of('mlp.c_fc')), 'tanh'), of('mlp.c_proj')));
  }
  const learned = normed(rows(tape, x, sequences.rows), 'ln_f');
  const { targets, weights } = sequences;
  const logits = builder.linear(learned, config.tied ? 'wte.weight' : 'lm_head.weight');
  return builder.finish(crossEntropy(tape, logits, targets, weights, 'loss'), 'gpt2_loss', accuracy(tape, logits, targets, weights, 'accuracy'));
}
