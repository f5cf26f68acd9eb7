// Owns the training graph of the decoder that ships: forward, loss and gradients.
// Refuses to know data, optimizer and schedule.

import { decoderParameters, LEAST_PROBABILITY, POINTER_LAGS, rotaryTables, RUN_SCALE, SENTINEL_START } from '../../model/decoder.ts';
import { DataType } from '../../model/onnx.ts';
import type { DecoderConfig } from '../../model/decoder.ts';
import type { LossGraph } from '../loss-graph.ts';
import { isInLayer } from './adapters.ts';
import { causalAttention, products, rotary } from './attention.ts';
import { concat, delay, reshape, rows } from './layout.ts';
import { accuracy, pointerCrossEntropy } from './losses.ts';
import { LossBuilder } from './loss-builder.ts';
import type { LossOptions } from './loss-builder.ts';
import { plainNorm } from './norms.ts';
import { product } from './linear.ts';
import { add, gate, scaleChannels, shift, squaredRelu, weighedSum } from './pointwise.ts';

/** The loss of src/training/loss-graph.ts for parameters of `decoderParameters`; matrices are [in, out]. */
export function decoderLoss(config: DecoderConfig, options: LossOptions): LossGraph {
  const { width, heads, headSize, layers, pointerWidth, pointerTokenWidth } = config;
  const parameters = decoderParameters(config).map(({ name, shape, decay }) => ({ name, shape, decay, hidden: shape.length > 1 && isInLayer(name) }));
  const builder = new LossBuilder(parameters, options, 'in-out');
  const { tape, sequences } = builder;
  const g = tape.graph;
  const { steps, batch } = sequences;
  const tables = rotaryTables(config);
  const [cos, sin] = (['cos', 'sin'] as const).map((kind) => g.weight(`rotary.${kind}`, tables[kind], tables.shape));
  const negativeSin = g.op('Neg', [sin]);
  const positions = g.op('Unsqueeze', [sequences.flatPositions, g.ints([1])]);
  const ones = g.weight('norm.gain', new Float32Array(width).fill(1), [width]);
  const norm = (x: string): string => plainNorm(tape, x, ones, config.normEpsilon);
  const turned = (x: string): string => rotary(tape, x, { positions, cos, sin, negativeSin, heads, headSize, rotated: headSize, pairs: 'halves' });
  const all = g.op('Mul', [steps, batch]);
  const kept = g.op('Sub', [all, batch]);
  /** What stood `back` tokens before, given what stood one less before; zeros before the first of a segment. */
  const before = (x: string, size: number, back: number): string =>
    gate(tape, delay(tape, x, g.op('Expand', [g.scalar(0), sequences.batched(size)]), { batch, kept, all }), sequences.follows(back));

  const spelt = norm(builder.embedding('embedding'));
  let x = builder.dropped(spelt, width);
  const added = (value: string): string => add(tape, x, builder.dropped(value, width));
  const shape = {
    heads,
    keyValueHeads: heads,
    headSize,
    scale: 1 / Math.sqrt(headSize),
  };
  for (let i = 0; i < layers; i++) {
    const of = (h: string, name: string): string => builder.linear(h, `layer.${i}.${name}`);
    const h = norm(x);
    const raw = of(h, 'key');
    const key = add(tape, raw, scaleChannels(tape, before(raw, width, 1), `layer.${i}.mix`));
    x = added(of(causalAttention(tape, turned(of(h, 'query')), turned(key), of(h, 'value'), sequences, shape), 'out'));
    x = added(of(squaredRelu(tape, of(norm(x), 'up')), 'down'));
  }
  const states = norm(x);
  const learned = rows(tape, states, sequences.rows);
  const logits = product(tape, learned, 'embedding', { turned: true });

  // The pointer: row t * B + b of the batch is row b * T + t of the scores.
  const byState = products(
    tape,
    builder.linear(states, 'pointer.query'),
    builder.linear(states, 'pointer.key'),
    pointerWidth,
    1 / Math.sqrt(pointerWidth),
    sequences.shape,
  );
  const lags = [builder.linear(spelt, 'pointer.token')];
  for (let back = 1; back < POINTER_LAGS; back++) lags.push(before(lags[back - 1], pointerTokenWidth, back));
  const tokens = concat(tape, lags, () => g.ints(lags.map(() => pointerTokenWidth)), 1);
  const byTokens = products(tape, scaleChannels(tape, tokens, 'pointer.match'), tokens, POINTER_LAGS * pointerTokenWidth, 1, sequences.shape);
  const compared = add(tape, byState, byTokens);
  const rowShape = sequences.list(g.ints([-1]), steps);
  const which = g.op('Mod', [sequences.rows, batch]);
  const row = g.op('Add', [g.op('Mul', [which, steps]), g.op('Div', [sequences.rows, batch])]);
  const scores = add(tape, rows(tape, reshape(tape, compared, rowShape, g.op('Shape', [compared])), row), equalRuns());
  const sentinel = shift(tape, builder.linear(learned, 'pointer.sentinel'), SENTINEL_START);
  // A position counts when it comes before the last known token, in the same segment; its token is the one after it.
  const mask = g.op('Gather', [g.op('Reshape', [sequences.maskBefore(), rowShape]), row], { axis: { int: 0 } });
  const none = g.op('Expand', [g.ints(-1), sequences.list(g.ints([1]), batch)]);
  const followers = sequences.list(g.op('Slice', [sequences.ids, g.ints([1]), steps, g.ints([0])]), none);
  const candidates = g.op('Gather', [g.op('Transpose', [followers], { perm: [1, 0] }), which], { axis: { int: 0 } });
  /** What runs of equal tokens add to the scores: a weight for each token more. A text's first token is like none, so that no run reaches beyond it. */
  function equalRuns(): string {
    const seen = g.op('Where', [g.op('Greater', [sequences.positions, g.ints(0)]), sequences.ids, g.ints(-1)]);
    const runs: string[] = [];
    for (let back = 0; back < POINTER_LAGS; back++) {
      const missing = g.op('Expand', [g.ints(-1), sequences.list(g.ints([back]), batch)]);
      const delayed = sequences.list(missing, g.op('Slice', [seen, g.ints([0]), g.op('Sub', [steps, g.ints([back])]), g.ints([0])]));
      const there = g.op('Gather', [g.op('Transpose', [delayed], { perm: [1, 0] }), which], { axis: { int: 0 } });
      const at = g.op('Max', [g.op('Sub', [sequences.rows, g.op('Mul', [batch, g.ints(back)])]), g.ints(0)]);
      const equal = g.op('Equal', [there, g.op('Unsqueeze', [g.op('Gather', [sequences.flatIds, at], { axis: { int: 0 } }), g.ints([1])])]);
      const same = g.op('Cast', [equal], { to: { int: DataType.float } });
      runs.push(back === 0 ? same : g.op('Mul', [runs[back - 1], same]));
    }
    return weighedSum(tape, runs, 'pointer.run', RUN_SCALE);
  }
  const { targets, weights } = sequences;
  const mixed = pointerCrossEntropy(tape, { logits, scores, mask, sentinel, candidates, targets, weights }, LEAST_PROBABILITY, 'loss');
  return builder.finish('loss', 'pharos_decoder_loss', accuracy(tape, mixed, targets, weights, 'accuracy'));
}
