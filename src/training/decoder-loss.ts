// Owns the training graph of the decoder: forward, loss and gradients as one ONNX model whose weights are inputs.
// Refuses to know data, optimizer and schedule.

import { decoderParameters, rotaryTables } from '../model/decoder.ts';
import type { DecoderConfig } from '../model/decoder.ts';
import { DataType } from '../model/onnx.ts';
import { Tape } from './tape.ts';

/**
 * Inputs: every parameter of decoderParameters by name; `input_ids` int64 [T, B] (time-major); `positions` int64 [T, B], from 0 in each segment; `segments` int64 [T, B]: tokens
 * attend only within their segment (document mask of packed rows); `rows` int64 [M]: flat positions t * B + b whose next
 * token is learned; `targets` int64 [M]; `weights` float [M]. Outputs: `loss` (weighted sum), `gradient.<parameter>` for every parameter; for the embedding only the
 * output side, its input side is `gradient.inputs` [T * B, width], to be added row by row to the embedding's gradient at the token ids.
 */
export function buildDecoderLoss(config: DecoderConfig): Uint8Array {
  const { width, heads, headSize, layers } = config;
  const tape = new Tape();
  const g = tape.graph;
  for (const spec of decoderParameters(config)) g.input(spec.name, 'float', spec.shape);
  const ids = g.input('input_ids', 'int64', ['T', 'B']);
  const positions = g.input('positions', 'int64', ['T', 'B']);
  const segments = g.input('segments', 'int64', ['T', 'B']);
  const rows = g.input('rows', 'int64', ['M']);
  const targets = g.input('targets', 'int64', ['M']);
  const weights = g.input('weights', 'float', ['M']);
  const tables = rotaryTables(config);
  const cos = g.weight('rotary.cos', tables.cos, tables.shape);
  const sin = g.weight('rotary.sin', tables.sin, tables.shape);
  const negativeSin = g.weight('rotary.negative_sin', tables.sin.map((value) => -value), tables.shape);
  const ones = g.weight('norm.gain', new Float32Array(width).fill(1), [width]);

  const shape = g.op('Shape', [ids]);
  const at = (index: number): string => g.op('Slice', [shape, g.ints([index]), g.ints([index + 1]), g.ints([0])]);
  const steps = at(0);
  const batch = at(1);
  const allButLast = g.op('Sub', [steps, g.ints([1])]);
  const concat = (...parts: string[]): string => g.op('Concat', parts, { axis: { int: 0 } });
  const flatShape = g.ints([-1, width]);
  const sequenceShape = concat(steps, batch, g.ints([width]));
  const headShape = concat(steps, batch, g.ints([heads, headSize]));
  const range = g.op('Range', [g.ints(0), g.op('Squeeze', [steps]), g.ints(1)]);
  const later = g.op('Greater', [g.op('Unsqueeze', [range, g.ints([0])]), g.op('Unsqueeze', [range, g.ints([1])])]);
  const segmentRows = g.op('Transpose', [segments], { perm: [1, 0] });
  const same = g.op('Equal', [g.op('Unsqueeze', [segmentRows, g.ints([1, 3])]), g.op('Unsqueeze', [segmentRows, g.ints([1, 2])])]);
  // [B, 1, T, T]
  const mask = g.op('Where', [g.op('And', [same, g.op('Not', [later])]), g.scalar(0), g.scalar(-1e9)]);
  const zeroRow = g.op('Expand', [g.scalar(0), concat(g.ints([1]), batch, g.ints([width]))]);
  // [T, B, 1]: 0 for the first token of a segment, which has none before it, 1 for the others
  const follows = g.op('Cast', [g.op('Greater', [g.op('Unsqueeze', [positions, g.ints([2])]), g.ints(0)])], { to: { int: DataType.float } });
  const norm = (x: string): string => tape.rmsNorm(x, ones, config.normEpsilon);
  const sequence = (x: string): string => tape.reshape(x, sequenceShape, flatShape);

  const embedded = g.op('Gather', ['embedding', g.op('Reshape', [ids, g.ints([-1])])], { axis: { int: 0 } });
  let x = norm(embedded);
  for (let i = 0; i < layers; i++) {
    const h = norm(x);
    const rawKey = sequence(tape.matmul(h, `layer.${i}.key`));
    const before = tape.gate(tape.delay(rawKey, zeroRow, allButLast, steps), follows);
    const mixed = tape.add(rawKey, tape.scaleChannels(before, `layer.${i}.mix`, 2));
    const turn = (value: string): string => tape.reshape(tape.rotary(value, positions, cos, sin, negativeSin, heads), headShape, sequenceShape);
    const query = turn(sequence(tape.matmul(h, `layer.${i}.query`)));
    const value = tape.reshape(tape.matmul(h, `layer.${i}.value`), headShape, flatShape);
    const attended = tape.attention(query, turn(mixed), value, mask, 1 / Math.sqrt(headSize));
    x = tape.add(x, tape.matmul(tape.reshape(attended, flatShape, headShape), `layer.${i}.out`));
    x = tape.add(x, tape.matmul(tape.squaredRelu(tape.matmul(norm(x), `layer.${i}.up`)), `layer.${i}.down`));
  }
  const zeros = (): string => g.op('Expand', [g.scalar(0), g.op('Shape', [x])]);
  const logits = tape.matmulTransposed(norm(tape.rows(x, rows, zeros)), 'embedding');
  tape.crossEntropy(logits, targets, weights, 'loss');
  g.output('loss', 'float', []);
  tape.run();
  const emit = (name: string, value: string, valueShape: readonly (number | string)[]): void => {
    const gradient = tape.gradient(value);
    if (gradient === undefined) throw new Error(`no gradient reaches ${value}`);
    g.op('Identity', [gradient], {}, { outputs: [name] });
    g.output(name, 'float', valueShape);
  };
  for (const spec of decoderParameters(config)) emit(`gradient.${spec.name}`, spec.name, spec.shape);
  emit('gradient.inputs', embedded, ['TB', width]);
  return g.finish('pharos_decoder_loss');
}
