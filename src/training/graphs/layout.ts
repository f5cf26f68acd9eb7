// Owns operators that only move numbers, and their gradients.
// Refuses to know what the numbers are.

import type { Tape } from './tape.ts';

/** `original`: the shape that x has. */
export function reshape(tape: Tape, x: string, shape: string, original: string): string {
  const g = tape.graph;
  return tape.record(g.op('Reshape', [x, shape]), [x], (dy) => tape.contribute(x, () => g.op('Reshape', [dy, original])));
}
/** x cut along an axis; `sizes` int64 [count]. */
export function split(tape: Tape, x: string, sizes: string, count: number, axis: number): string[] {
  const g = tape.graph;
  const parts = Array.from({ length: count }, () => g.fresh('part'));
  g.op('Split', [x, sizes], { axis: { int: axis } }, { outputs: parts });
  tape.recordAll(parts, [x], (gradients) => tape.contribute(x, () => g.op('Concat', gradients, { axis: { int: axis } })));
  return parts;
}
/** Parts one behind the other along an axis; `sizes`, asked only for the gradient, gives their sizes: int64 [count]. */
export function concat(tape: Tape, parts: readonly string[], sizes: () => string, axis: number): string {
  const g = tape.graph;
  return tape.record(g.op('Concat', parts, { axis: { int: axis } }), parts, (dy) => {
    const gradients = parts.map(() => g.fresh('part'));
    g.op('Split', [dy, sizes()], { axis: { int: axis } }, { outputs: gradients });
    parts.forEach((part, i) => tape.contribute(part, () => gradients[i]));
  });
}
/** The first `count` rows of x [N, ...]; `rest` int64 [1] is N - count. */
export function leading(tape: Tape, x: string, count: string, rest: string): string {
  const g = tape.graph;
  return tape.record(g.op('Slice', [x, g.ints([0]), count, g.ints([0])]), [x], (dy) =>
    tape.contribute(x, () => {
      const zeros = g.op('Expand', [g.scalar(0), g.op('Concat', [rest, g.op('Shape', [x], { start: { int: 1 } })], { axis: { int: 0 } })]);
      return g.op('Concat', [dy, zeros], { axis: { int: 0 } });
    }),
  );
}
/** Rows x [T * B, D], time-major, one step later: `zeros` [B, D] in front; `kept` and `all` int64 [1] are (T - 1) * B and T * B, `batch` is B. */
export function delay(tape: Tape, x: string, zeros: string, { batch, kept, all }: Readonly<Record<'batch' | 'kept' | 'all', string>>): string {
  const g = tape.graph;
  const slice = (value: string, from: string, to: string): string => g.op('Slice', [value, from, to, g.ints([0])]);
  return tape.record(g.op('Concat', [zeros, slice(x, g.ints([0]), kept)], { axis: { int: 0 } }), [x], (dy) =>
    tape.contribute(x, () => g.op('Concat', [slice(dy, batch, all), zeros], { axis: { int: 0 } })),
  );
}
/** Rows `indices` int64 [M] of x [N, D], each at most once. */
export function rows(tape: Tape, x: string, indices: string): string {
  const g = tape.graph;
  return tape.record(g.op('Gather', [x, indices], { axis: { int: 0 } }), [x], (dy) =>
    tape.contribute(x, () => g.op('ScatterND', [tape.zerosLike(x), g.op('Unsqueeze', [indices, g.ints([1])]), dy])),
  );
}
/** Rows `indices` int64 [M] of a table [N, width], as often as they are asked for. */
export function lookUp(tape: Tape, table: string, indices: string, width: number): string {
  const g = tape.graph;
  return tape.record(g.op('Gather', [table, indices], { axis: { int: 0 } }), [table], (dy) =>
    tape.contribute(table, () => {
      const places = g.op('Expand', [g.op('Unsqueeze', [indices, g.ints([1])]), g.ints([1, width])]);
      return g.op('ScatterElements', [tape.zerosLike(table), places, dy], { axis: { int: 0 }, reduction: 'add' });
    }),
  );
}
/** Each row of x [N, width] `count` times, side by side: [N, count * width]. */
export function repeat(tape: Tape, x: string, count: number, width: number): string {
  const g = tape.graph;
  return tape.record(g.op('Tile', [x, g.ints([1, count])]), [x], (dy) =>
    tape.contribute(x, () => g.op('ReduceSum', [g.op('Reshape', [dy, g.ints([-1, count, width])]), g.ints([1])], { keepdims: { int: 0 } })),
  );
}
/** Rows in another order: row i of the result is row order[i] of x. `inverse` is the order that brings them back; with `copies`, each row of x occurs so often, and `inverse` lists its copies together. */
export function reorder(
  tape: Tape,
  x: string,
  { order, inverse, copies, width }: { readonly order: string; readonly inverse: string; readonly copies: number; readonly width: number },
): string {
  const g = tape.graph;
  return tape.record(g.op('Gather', [x, order], { axis: { int: 0 } }), [x], (dy) =>
    tape.contribute(x, () => {
      const back = g.op('Gather', [dy, inverse], { axis: { int: 0 } });
      return copies === 1 ? back : g.op('ReduceSum', [g.op('Reshape', [back, g.ints([-1, copies, width])]), g.ints([1])], { keepdims: { int: 0 } });
    }),
  );
}
