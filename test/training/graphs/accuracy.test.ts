// Owns the share of learned tokens that loss graphs say is predicted right: that of independent float64 decoders, each sequence seen alone.
// Refuses to know losses and gradients.

import t from 'tap';
import { transposed } from '../../../src/model/decoder-parts.ts';
import { decoderParameters, sizeOf } from '../../../src/model/decoder.ts';
import { gpt2Parameters } from '../../../src/model/gpt2.ts';
import type { Gpt2Config } from '../../../src/model/gpt2.ts';
import { packBatch } from '../../../src/training/data/packing.ts';
import type { Batch, Sequence } from '../../../src/training/batch.ts';
import { decoderLoss } from '../../../src/training/graphs/decoder-loss.ts';
import { gpt2Loss } from '../../../src/training/graphs/gpt2-loss.ts';
import { llamaLoss } from '../../../src/training/graphs/llama-loss.ts';
import type { LossGraph } from '../../../src/training/loss-graph.ts';
import { Random } from '../../../src/training/random.ts';
import { gpt2Logits } from '../../model/gpt2-reference.ts';
import { llamaLogits, randomWeights, SMALL } from '../../model/llama-reference.ts';
import { referenceLogits } from '../../model/reference.ts';
import { CONFIG } from '../tiny.ts';
import { openLoss, shareRight } from './losses.ts';

const FULL = { method: { kind: 'full' }, dropout: 0 } as const;
const GPT2: Gpt2Config = { vocabularySize: 31, width: 24, layers: 2, heads: 3, feedForward: 40, contextLength: 32, normEpsilon: 1e-5, tied: true };
const CAPPED = { ...SMALL, logitCap: 3 };
type Logits = (tokens: readonly number[]) => readonly ArrayLike<number>[];
interface Kind {
  readonly label: string;
  readonly graph: LossGraph;
  readonly weights: Map<string, Float32Array>;
  readonly logits: Logits;
  readonly vocabularySize: number;
}

function drawn(shapes: readonly { readonly name: string; readonly shape: readonly number[] }[]): Map<string, Float32Array> {
  const random = new Random(5);
  return new Map(
    shapes.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => (random.normal() * (name === 'pointer.sentinel' ? 8 : 1.5)) / Math.sqrt(shape.at(-1) ?? 1)),
    ]),
  );
}
/** Sequences of which every second token is about what the model says, as far as it knows it there; the others are drawn. */
function halfRight(logitsOf: Logits, vocabularySize: number): readonly Sequence[] {
  const random = new Random(2);
  return Array.from({ length: 6 }, () => {
    const tokens = [random.int(0, vocabularySize - 1), random.int(0, vocabularySize - 1)];
    while (tokens.length < 12) {
      const row = Array.from(logitsOf(tokens)[tokens.length - 1]);
      tokens.push(random.chance(0.5) ? row.indexOf(Math.max(...row)) : random.int(0, vocabularySize - 1));
    }
    return { tokens, learned: tokens.map((_, i) => i > 0 && random.chance(0.8)) };
  });
}
function batchOf(sequences: readonly Sequence[]): Batch {
  let next = 0;
  return packBatch(() => sequences[next++ % sequences.length], sequences.length / 2, 24);
}

const [llama, capped, gpt2, decoder] = [randomWeights(SMALL, 7), randomWeights(CAPPED, 7), drawn(gpt2Parameters(GPT2)), drawn(decoderParameters(CONFIG))];
/** As Hugging Face stores them. */
const published = new Map(
  gpt2Parameters(GPT2).map(({ name, shape }) => {
    const values = gpt2.get(name) ?? new Float32Array(0);
    return [name, name.startsWith('h.') && shape.length === 2 ? transposed(values, shape[0], shape[1]) : values];
  }),
);
const { vocabularySize } = SMALL;
const KINDS: readonly Kind[] = [
  { label: 'Llama', graph: llamaLoss(SMALL, FULL), weights: llama, logits: (tokens) => llamaLogits(SMALL, llama, tokens), vocabularySize },
  {
    label: 'Llama, its logits capped',
    graph: llamaLoss(CAPPED, FULL),
    weights: capped,
    logits: (tokens) => llamaLogits(CAPPED, capped, tokens),
    vocabularySize,
  },
  { label: 'GPT-2', graph: gpt2Loss(GPT2, FULL), weights: gpt2, logits: (tokens) => gpt2Logits(GPT2, published, tokens), vocabularySize: GPT2.vocabularySize },
  {
    label: 'the decoder that ships, which copies',
    graph: decoderLoss(CONFIG, FULL),
    weights: decoder,
    logits: (tokens) => referenceLogits(CONFIG, decoder, tokens),
    vocabularySize: CONFIG.vocabularySize,
  },
];
for (const { label, graph, weights, logits, vocabularySize: size } of KINDS)
  t.test(`${label}: the share of learned tokens that are the most probable ones, with gradients and without`, async (t) => {
    const sequences = halfRight(logits, size);
    const right = shareRight(logits, sequences);
    t.ok(right > 0.3 && right < 0.8, `${right} are right`);
    const { compute, predict } = await openLoss(t, graph);
    const batch = batchOf(sequences);
    for (const { accuracy = Number.NaN } of [await compute(weights, batch), await predict(weights, batch)])
      t.ok(Math.abs(accuracy - right) < 1e-6, `${accuracy} for ${right}`);
  });
