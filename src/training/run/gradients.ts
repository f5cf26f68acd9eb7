// Owns loss and gradients of a step's batches: the contract, and its single-process form over one ONNX Runtime session.
// Refuses to know what the model is, where batches come from and what an update does.

import * as ort from 'onnxruntime-node';

import type { Batch } from '../batch.ts';
import type { LossGraph } from '../loss-graph.ts';
import { forwardGraph } from './forward-graph.ts';

/** How well learned tokens are predicted. */
export interface Predicted {
  /** Mean cross-entropy of all learned tokens of the batches together, in nats. */
  readonly loss: number;
  /** Share of them that the model held for the most probable. Absent where the graph does not say it. */
  readonly accuracy?: number;
}
export interface Computed extends Predicted {
  /** In the order of the graph's parameters: as of one batch that held all the others. The arrays may be overwritten by the next call. */
  readonly gradients: readonly Float32Array[];
}
/** Loss and gradients at the weights as they stand when a call begins. One call at a time. */
export interface Gradients {
  /** `seed` draws the dropout (batch i: seed + i). */
  compute(batches: readonly Batch[], seed: number): Promise<Computed>;
  /** Without gradients and dropout. */
  evaluate(batches: readonly Batch[]): Promise<Predicted>;
  close(): Promise<void>;
}
/** `weights`: by the names of the graph's parameters; they are read, not written, and stay the caller's. Those of a run lie in shared memory. */
export interface GradientsOptions {
  readonly graph: LossGraph;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly threads: number;
}

/** The seed that turns dropout off. */
const NO_DROPOUT = -1;

export async function openGradients({ graph, weights, threads }: GradientsOptions): Promise<Gradients> {
  const parameters: Record<string, ort.Tensor> = {};
  for (const { name, shape } of graph.parameters) parameters[name] = new ort.Tensor('float32', valuesOf(weights, name), shape);
  for (const { name, shape, values } of graph.frozen ?? []) parameters[name] = new ort.Tensor('float32', values, shape);
  const open = (model: Uint8Array): Promise<ort.InferenceSession> =>
    ort.InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 });
  const session = await open(graph.model);
  let forward: ort.InferenceSession | undefined;
  const feedsOf = (batch: Batch, share: number, seed: number): Record<string, ort.Tensor> => ({
    ...parameters,
    ...batchTensors(batch, share),
    ...(graph.dropout ? { dropout_seed: new ort.Tensor('int64', BigInt64Array.of(BigInt(seed)), [1]) } : {}),
  });
  const outputs = graph.accuracy ? ['loss', 'accuracy'] : ['loss'];
  return {
    compute: async (batches, seed) => {
      const said: Predicted[] = [];
      let sums: readonly Float32Array[] | undefined;
      const shares = sharesOf(batches);
      for (const [i, batch] of batches.entries()) {
        const results = await session.run(feedsOf(batch, shares[i], seed + i));
        said.push(predicted(results));
        const gradients = gradientsOf(graph, batch, results);
        if (sums) sums.forEach((sum, p) => addTo(sum, gradients[p]));
        else sums = gradients;
      }
      if (!sums) throw new RangeError('a step needs at least one batch');
      return { ...summed(said), gradients: sums };
    },
    evaluate: async (batches) => {
      forward ??= await open(forwardGraph(graph.model, outputs));
      const shares = sharesOf(batches);
      const said: Predicted[] = [];
      for (const [i, batch] of batches.entries()) said.push(predicted(await forward.run(feedsOf(batch, shares[i], NO_DROPOUT), outputs)));
      return summed(said);
    },
    close: async () => {
      await forward?.release();
      await session.release();
    },
  };
}

function predicted(results: ort.InferenceSession.OnnxValueMapType): Predicted {
  const [loss, accuracy] = ['loss', 'accuracy'].map((name) => (results[name]?.data as Float32Array | undefined)?.[0]);
  return { loss: loss ?? Number.NaN, ...(accuracy === undefined ? {} : { accuracy }) };
}
/** What parts say whose weights sum to 1 together. */
export function summed(parts: readonly Predicted[]): Predicted {
  const loss = parts.reduce((sum, part) => sum + part.loss, 0);
  const accuracy = parts.reduce<number | undefined>((sum, part) => (sum === undefined || part.accuracy === undefined ? undefined : sum + part.accuracy), 0);
  return { loss, ...(accuracy === undefined ? {} : { accuracy }) };
}
export const scaled = ({ loss, accuracy }: Predicted, share: number): Predicted => ({
  loss: loss * share,
  ...(accuracy === undefined ? {} : { accuracy: accuracy * share }),
});

/** What each batch counts in the mean over all learned tokens: its share of them. */
export function sharesOf(batches: readonly Batch[]): readonly number[] {
  const total = batches.reduce((sum, { rows }) => sum + rows.length, 0);
  return batches.map(({ rows }) => rows.length / total);
}

/** The inputs of a loss graph that a batch fills, its loss multiplied by `share`. */
export function batchTensors(batch: Batch, share: number): Record<string, ort.Tensor> {
  const shape = [batch.steps, batch.rowsCount];
  return {
    input_ids: new ort.Tensor('int64', batch.inputIds, shape),
    positions: new ort.Tensor('int64', batch.positions, shape),
    segments: new ort.Tensor('int64', batch.segments, shape),
    rows: new ort.Tensor('int64', batch.rows, [batch.rows.length]),
    targets: new ort.Tensor('int64', batch.targets, [batch.targets.length]),
    weights: new ort.Tensor('float32', share === 1 ? batch.weights : batch.weights.map((weight) => weight * share), [batch.weights.length]),
  };
}

/** The gradients in the order of the parameters; what reaches the embedding by its input side is added to it, row by row. */
export function gradientsOf(graph: LossGraph, batch: Batch, results: ort.InferenceSession.OnnxValueMapType): readonly Float32Array[] {
  const gradients = graph.parameters.map(({ name }) => results[`gradient.${name}`].data as Float32Array);
  const { embedding } = graph;
  if (!embedding) return gradients;
  const { name, width } = embedding;
  const rows = gradients[graph.parameters.findIndex((parameter) => parameter.name === name)];
  const inputs = results['gradient.inputs'].data as Float32Array;
  for (let row = 0; row < batch.inputIds.length; row++) {
    const to = Number(batch.inputIds[row]) * width;
    const from = row * width;
    for (let i = 0; i < width; i++) rows[to + i] += inputs[from + i];
  }
  return gradients;
}

function addTo(sum: Float32Array, gradient: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += gradient[i];
}

export function valuesOf(weights: ReadonlyMap<string, Float32Array>, name: string): Float32Array {
  const values = weights.get(name);
  if (!values) throw new RangeError(`the loss graph has a parameter ${name} for which there are no weights`);
  return values;
}
