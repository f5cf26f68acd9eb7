// Owns the training graph of the decoder: forward, loss and gradients as one ONNX model whose weights are inputs.
// Refuses to know data, optimizer and schedule.

import { decoderParameters, LEAST_PROBABILITY, POINTER_LAGS, rotaryTables, SENTINEL_START } from '../model/decoder.ts';
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
  const { width, heads, headSize, layers, pointerWidth, pointerTokenWidth } = config;
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
  const one = g.ints([1]);
  const allButLast = g.op('Sub', [steps, one]);
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
  // [T, B, 1]: 1 where so many tokens of the segment stand before, else 0
  const follow = (count: number): string => g.op('Cast', [g.op('GreaterOrEqual', [g.op('Unsqueeze', [positions, g.ints([2])]), g.ints(count)])], { to: { int: DataType.float } });
  const follows = follow(1);
  const norm = (x: string): string => tape.rmsNorm(x, ones, config.normEpsilon);
  const sequence = (x: string): string => tape.reshape(x, sequenceShape, flatShape);

  const embedded = g.op('Gather', ['embedding', g.op('Reshape', [ids, g.ints([-1])])], { axis: { int: 0 } });
  const spelt = norm(embedded);
  let x = spelt;
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
  const states = norm(x);
  const zerosLike = (value: string) => (): string => g.op('Expand', [g.scalar(0), g.op('Shape', [value])]);
  const learned = tape.rows(states, rows, zerosLike(states));
  const logits = tape.matmulTransposed(learned, 'embedding');

  // The pointer: row t * B + b of the flat batch is row b * T + t of the scores.
  const pointerShape = concat(steps, batch, g.ints([1, pointerWidth]));
  const pointerFlat = g.ints([-1, pointerWidth]);
  const side = (name: string): string => tape.reshape(tape.matmul(states, name), pointerShape, pointerFlat);
  const byState = tape.products(side('pointer.query'), side('pointer.key'), 1 / Math.sqrt(pointerWidth));
  const tokenZeros = g.op('Expand', [g.scalar(0), concat(one, batch, g.ints([pointerTokenWidth]))]);
  const lags = [tape.reshape(tape.matmul(spelt, 'pointer.token'), concat(steps, batch, g.ints([pointerTokenWidth])), g.ints([-1, pointerTokenWidth]))];
  for (let back = 1; back < POINTER_LAGS; back++) lags.push(tape.gate(tape.delay(lags[back - 1], tokenZeros, allButLast, steps), follow(back)));
  const tokens = tape.beside(lags, pointerTokenWidth);
  const tokenShape = concat(steps, batch, g.ints([1, POINTER_LAGS * pointerTokenWidth]));
  const tokenFlat = concat(steps, batch, g.ints([POINTER_LAGS * pointerTokenWidth]));
  const raised = (value: string): string => tape.reshape(value, tokenShape, tokenFlat);
  const byTokens = tape.products(raised(tape.scaleChannels(tokens, 'pointer.match', 2)), raised(tokens), 1);
  const products = tape.add(byState, byTokens);
  const table = tape.reshape(products, concat(g.ints([-1]), steps), g.op('Shape', [products]));
  const row = g.op('Add', [g.op('Mul', [g.op('Mod', [rows, batch]), steps]), g.op('Div', [rows, batch])]);
  const scores = tape.rows(table, row, zerosLike(table));
  const sentinel = tape.shift(tape.matmul(learned, 'pointer.sentinel'), SENTINEL_START);
  // A position counts when it comes before the last known token, in the same segment; its token is the one after it.
  const before = g.op('Less', [g.op('Unsqueeze', [range, g.ints([0])]), g.op('Unsqueeze', [range, g.ints([1])])]);
  const apart = g.op('Where', [g.op('And', [same, before]), g.scalar(0), g.scalar(-1e9)]);
  const pointerMask = g.op('Gather', [g.op('Reshape', [apart, concat(g.ints([-1]), steps)]), row], { axis: { int: 0 } });
  const follower = g.op('Concat', [g.op('Slice', [ids, g.ints([1]), steps, g.ints([0])]), g.op('Expand', [g.ints(-1), concat(g.ints([1]), batch)])], { axis: { int: 0 } });
  const candidates = g.op('Gather', [g.op('Transpose', [follower], { perm: [1, 0] }), g.op('Mod', [rows, batch])], { axis: { int: 0 } });
  const matches = g.op('Cast', [g.op('Equal', [candidates, g.op('Unsqueeze', [targets, g.ints([1])])])], { to: { int: DataType.float } });
  tape.pointerCrossEntropy({ logits, scores, mask: pointerMask, sentinel, matches, targets, weights }, LEAST_PROBABILITY, 'loss');
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
