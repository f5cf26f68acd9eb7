// Owns running one block of a model alone in a graph, and saying how far it is from what it should be.
// Refuses to know what blocks compute.

import * as ort from 'onnxruntime-node';
import type { Test } from 'tap';
import { WeightedGraph } from '../../src/model/decoder-parts.ts';
import type { Parameter, Storage } from '../../src/model/decoder-parts.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { Random } from '../../src/training/random.ts';
import { relativeError } from './reference.ts';

export const random = new Random(17);
export const normals = (count: number, spread = 1): Float32Array => Float32Array.from({ length: count }, () => spread * random.normal());
export const rowsOf = (values: ArrayLike<number>, width: number): Float64Array[] =>
  Array.from({ length: values.length / width }, (_, i) => Float64Array.from({ length: width }, (__, k) => values[i * width + k]));
export const flat = (rows: readonly Float64Array[]): number[] => rows.flatMap((row) => [...row]);
export const float = (values: Float32Array, ...shape: number[]): ort.Tensor => new ort.Tensor('float32', values, shape);
export const whole = (values: readonly number[], ...shape: number[]): ort.Tensor => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);

export async function run(t: Test, file: Uint8Array, feeds: Readonly<Record<string, ort.Tensor>>, output = 'out'): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(file, { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  t.teardown(async () => session.release());
  return (await session.run(feeds))[output].data as Float32Array;
}
/** One graph from `x` [rows, width] to `out`. */
export function graphOf(g: GraphBuilder, width: number, body: (x: string) => string, out = width): Uint8Array {
  g.op('Identity', [body(g.input('x', 'float', ['rows', width]))], {}, { outputs: ['out'] });
  g.output('out', 'float', ['rows', out]);
  return g.finish('block');
}
export function near(t: Test, label: string, given: ArrayLike<number>, right: ArrayLike<number>, bound = 2e-6): void {
  const error = relativeError(given, right);
  t.ok(given.length === right.length && error < bound, `${label}: relative error ${error.toExponential(1)}`);
  t.comment(`${label}: relative error ${error.toExponential(1)}`);
}
export function weighted(
  parameters: readonly Parameter[],
  storage: Storage = 'float',
): { readonly w: WeightedGraph; readonly values: ReadonlyMap<string, Float32Array> } {
  const values = new Map(
    parameters.map(({ name, shape }) => [
      name,
      normals(
        shape.reduce((a, b) => a * b, 1),
        shape.length === 2 ? 1 / Math.sqrt(shape[1]) : 0.5,
      ),
    ]),
  );
  return { w: new WeightedGraph(parameters, { weights: (name) => values.get(name) ?? new Float32Array(0), storage }), values };
}
