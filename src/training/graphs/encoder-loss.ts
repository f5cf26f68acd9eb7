// Owns the training graph of a text encoder: forward, the contrastive loss of its vectors, and gradients.
// Refuses to know data, optimizer and files.

import { rotaryAngles } from '../../model/rotary.ts';
import { transformerParameters } from '../../model/transformer.ts';
import type { TransformerConfig } from '../../model/transformer.ts';
import type { LossGraph } from '../loss-graph.ts';
import { attention, rotary } from './attention.ts';
import { nestedContrast, pooledRows } from './contrastive.ts';
import { rows } from './layout.ts';
import { LossBuilder, trainedLike } from './loss-builder.ts';
import { layerNorm } from './norms.ts';
import { add, gelu } from './pointwise.ts';

export interface ContrastOptions {
  /** Documents that do not answer, of each question. */
  readonly negatives: number;
  readonly temperature: number;
  /** Vectors are compared by so many of their first numbers, each in turn; the last is the whole width. */
  readonly dimensions: readonly number[];
  /** Share of numbers that are dropped from the embedding's rows and from what each block adds. */
  readonly dropout: number;
}

/**
 * Loss of `transformerParameters` of an encoder with norms in front, turned queries and keys, and GELU: the forms that src/model/transformer.ts infers with by `buildEncoder`. Inputs are those of
 * src/training/loss-graph.ts with another meaning of three: `rows` are the tokens of texts, `targets` which text each is of, `weights` what it counts in the mean (1 over the text's tokens). Texts are
 * numbered: questions, their documents in the same order, then `negatives` for each question; each is a segment of its own and sees the whole of itself. The loss is that of `nestedContrast`.
 * Throws RangeError for a configuration of another form.
 */
export function encoderLoss(config: TransformerConfig, { negatives, temperature, dimensions, dropout }: ContrastOptions): LossGraph {
  const { width, encoder, positions, contextLength, normEpsilon } = config;
  if (
    !encoder ||
    config.decoder ||
    positions.kind !== 'rotary' ||
    config.norm !== 'pre' ||
    config.activation !== 'gelu' ||
    config.embeddingNorm ||
    config.embeddingScale !== undefined
  )
    throw new RangeError(
      'an encoder is trained in one form: no decoder, rotary positions, norm `pre`, activation `gelu`, an embedding neither normed nor scaled',
    );
  const { layers, heads } = encoder;
  const headSize = width / heads;
  const builder = new LossBuilder(trainedLike(transformerParameters(config)), { method: { kind: 'full' }, dropout }, 'out-in');
  const { tape, sequences } = builder;
  const g = tape.graph;
  const angles = rotaryAngles(positions.rotary, headSize, contextLength);
  const [cos, sin] = (['cos', 'sin'] as const).map((kind) => g.weight(`rotary.${kind}`, angles[kind], [contextLength, headSize / 2]));
  const turn = {
    positions: g.op('Unsqueeze', [sequences.flatPositions, g.ints([1])]),
    cos,
    sin,
    negativeSin: g.op('Neg', [sin]),
    heads,
    headSize,
    rotated: headSize,
    pairs: 'halves',
  } as const;
  const segments = g.op('Transpose', ['segments'], { perm: [1, 0] });
  const same = g.op('Equal', [g.op('Unsqueeze', [segments, g.ints([1, 3])]), g.op('Unsqueeze', [segments, g.ints([1, 2])])]);
  const mask = g.op('Where', [same, g.scalar(0), g.scalar(-1e9)]);
  const shape = { heads, keyValueHeads: heads, headSize, scale: 1 / Math.sqrt(headSize), mask, shape: sequences.shape, batched: sequences.batched };

  const linear = (x: string, name: string): string => builder.linear(x, `${name}.weight`, `${name}.bias`);
  const normed = (x: string, name: string): string => layerNorm(tape, x, `${name}.weight`, `${name}.bias`, normEpsilon);
  let x = builder.dropped(builder.embedding('model.shared.weight'), width);
  const added = (value: string): string => add(tape, x, builder.dropped(value, width));
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `model.encoder.layers.${i}.${name}`;
    const h = normed(x, of('self_attn_layer_norm'));
    const [query, key] = ['q', 'k'].map((part) => rotary(tape, linear(h, of(`self_attn.${part}_proj`)), turn));
    x = added(linear(attention(tape, query, key, linear(h, of('self_attn.v_proj')), shape), of('self_attn.out_proj')));
    x = added(linear(gelu(tape, linear(normed(x, of('final_layer_norm')), of('fc1')), 'none'), of('fc2')));
  }
  const states = rows(tape, normed(x, 'model.encoder.layer_norm'), sequences.rows);
  const texts = g.op('Add', [g.op('ReduceMax', [sequences.targets], { keepdims: { int: 1 } }), g.ints([1])]);
  const vectors = pooledRows(tape, states, sequences.targets, sequences.weights, texts);
  nestedContrast(tape, vectors, width, dimensions, { pairs: g.op('Div', [texts, g.ints([2 + negatives])]), negatives, temperature }, 'loss');
  return builder.finish('loss', 'encoder_loss');
}
