// Owns the training graph of the Llama family: forward, loss and gradients, of every variant that src/model/llama.ts infers with.
// Refuses to know data, optimizer and files.

import { hasExperts, llamaParameters, normsOf, rotaryTable, rotaryTables } from '../../model/llama.ts';
import type { LlamaConfig } from '../../model/llama.ts';
import { rotaryAngles, rotatedSize } from '../../model/rotary.ts';
import type { LossGraph } from '../loss-graph.ts';
import { causalAttention, rotary } from './attention.ts';
import type { CausalHeads } from './attention.ts';
import { routed } from './experts.ts';
import { latentAttention } from './latent.ts';
import { reshape, rows, split } from './layout.ts';
import { accuracy, crossEntropy } from './losses.ts';
import { LossBuilder, trainedLike } from './loss-builder.ts';
import type { LossOptions } from './loss-builder.ts';
import { rmsNorm } from './norms.ts';
import { add, capped, gelu, multiply, scale, silu } from './pointwise.ts';

/**
 * The loss of src/training/loss-graph.ts for parameters of `llamaParameters`, with its names and shapes. It differs from the inference graph where speed asks for it: rows of a batch are packed sequences
 * under a document mask, there is no cache, products take matrices as Hugging Face stores them (inference lays queries, keys and values into one), and only rows that are learned are normed at the
 * end and compared with the vocabulary.
 */
export function llamaLoss(config: LlamaConfig, options: LossOptions): LossGraph {
  const { width, heads, keyValueHeads, headSize, layers, feedForward, latent } = config;
  const builder = new LossBuilder(trainedLike(llamaParameters(config)), options, 'out-in');
  const { tape, sequences } = builder;
  const g = tape.graph;
  const turnedSize = latent?.turnedSize ?? headSize;
  const rotated = rotatedSize(config.rotary, turnedSize);
  const tables = Object.fromEntries(
    rotaryTables(config).map(([table, by]) => {
      const angles = rotaryAngles(by, turnedSize, config.contextLength);
      const [cos, sin] = (['cos', 'sin'] as const).map((kind) => g.weight(`${table}.${kind}`, angles[kind], [config.contextLength, rotated / 2]));
      return [table, { cos, sin, negativeSin: g.op('Neg', [sin]) }];
    }),
  );
  const positions = g.op('Unsqueeze', [sequences.flatPositions, g.ints([1])]);

  const normed = (x: string, gain: string): string => rmsNorm(tape, x, gain, config.normEpsilon);
  const linear = (x: string, name: string, bias = false): string => builder.linear(x, `${name}.weight`, bias ? `${name}.bias` : undefined);
  const headNormed = (x: string, gain: string, count: number): string => {
    if (!config.headNorm) return x;
    const [one, all] = [g.ints([-1, headSize]), g.ints([-1, count * headSize])];
    return reshape(tape, normed(reshape(tape, x, one, all), gain), all, one);
  };
  const turned = (x: string, count: number, table = 'rotary'): string =>
    rotary(tape, x, { positions, ...tables[table], heads: count, headSize: turnedSize, rotated, pairs: config.pairs ?? 'halves' });
  const active = (x: string): string => (config.activation === 'gelu' ? gelu(tape, x, 'tanh') : silu(tape, x));
  const gated = (x: string, name: string, size: number, bias?: boolean): string => {
    const [gate, up] = config.fused
      ? split(tape, linear(x, `${name}.gate_up_proj`, bias), g.ints([size, size]), 2, 1)
      : ['gate', 'up'].map((part) => linear(x, `${name}.${part}_proj`, bias));
    return linear(multiply(tape, active(gate), up), `${name}.down_proj`, bias);
  };
  const { between, behind } = normsOf(config);
  const sizes = [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize);

  const attended = (h: string, of: (name: string) => string, scores: Pick<CausalHeads, 'heads' | 'scale' | 'cap' | 'window'>, table: string): string => {
    const [q, k, v] = config.fused
      ? split(tape, linear(h, of('self_attn.qkv_proj'), config.attentionBias), g.ints(sizes), 3, 1)
      : ['q', 'k', 'v'].map((name) => linear(h, of(`self_attn.${name}_proj`), config.attentionBias));
    const query = turned(headNormed(q, of('self_attn.q_norm.weight'), heads), heads, table);
    const key = turned(headNormed(k, of('self_attn.k_norm.weight'), keyValueHeads), keyValueHeads, table);
    return causalAttention(tape, query, key, v, sequences, { ...scores, keyValueHeads, headSize });
  };

  let x = builder.dropped(scale(tape, builder.embedding('model.embed_tokens.weight'), config.embeddingScale ?? 1), width);
  for (let i = 0; i < layers; i++) {
    const of = (name: string): string => `model.layers.${i}.${name}`;
    const added = (value: string, which: number): string =>
      add(tape, x, builder.dropped(behind.length > 0 ? normed(value, of(`${behind[which]}.weight`)) : value, width));
    const h = normed(x, of('input_layernorm.weight'));
    const scores = { heads, scale: config.scoreScale ?? 1 / Math.sqrt(headSize), cap: config.scoreCap, window: config.windows?.[i] };
    const mixed = latent ? latentAttention(builder, h, { ...scores, of, config: latent, turned }) : attended(h, of, scores, rotaryTable(config, i));
    x = added(linear(mixed, of('self_attn.o_proj'), config.outputBias), 0);
    const m = normed(x, of(`${between}.weight`));
    x = added(
      config.experts && hasExperts(config, i)
        ? routed(builder, m, of('mlp'), width, config.experts, gated)
        : gated(m, of('mlp'), feedForward, config.feedForwardBias),
      1,
    );
  }
  const learned = normed(rows(tape, x, sequences.rows), 'model.norm.weight');
  const products = builder.linear(learned, config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
  const logits = config.logitCap === undefined ? products : capped(tape, products, config.logitCap);
  const { targets, weights } = sequences;
  return builder.finish(crossEntropy(tape, logits, targets, weights, 'loss'), 'llama_loss', accuracy(tape, logits, targets, weights, 'accuracy'));
}
