// Owns running an encoder's graph over several sources at once, and opening a decoder's graph on what it gives.
// Refuses to know what the graphs compute.

import * as ort from 'onnxruntime-node';
import type { Test } from 'tap';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { openGraph } from './graph.ts';
import type { Graph } from './graph.ts';

export interface Encoded {
  readonly states: readonly (readonly Float32Array[])[];
  /** As the decoder takes it. */
  readonly given: Readonly<Record<string, ort.Tensor>>;
}
/** All sources in one batch, filled up with a token that must not be seen. */
export async function encode(t: Test, file: Uint8Array | string, sources: readonly (readonly number[])[], width: number): Promise<Encoded> {
  const session = await ort.InferenceSession.create(file as string, { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  t.teardown(async () => session.release());
  const [B, S] = [sources.length, Math.max(...sources.map(({ length }) => length))];
  const whole = (value: (source: readonly number[], i: number) => number): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(sources.flatMap((source) => Array.from({ length: S }, (_, i) => BigInt(value(source, i))))), [B, S]);
  const mask = whole(({ length }, i) => (i < length ? 1 : 0));
  const { last_hidden_state: states, ...cross } = await session.run({ input_ids: whole((source, i) => source[i] ?? 13), attention_mask: mask });
  const values = states.data as Float32Array;
  return {
    states: sources.map((source, b) => source.map((_, i) => values.slice((b * S + i) * width, (b * S + i + 1) * width))),
    given: { ...cross, encoder_attention_mask: mask },
  };
}
/** With what goes in at every pass. */
export async function decoderOf(
  t: Test,
  file: Uint8Array | string,
  { decoder = { layers: 0, heads: 1 }, width }: Pick<TransformerConfig, 'width'> & { readonly decoder?: { readonly layers: number; readonly heads: number } },
  given: Encoded['given'],
): Promise<Graph> {
  const row = [decoder.heads, width / decoder.heads];
  return openGraph(t, file, {
    growing: Object.fromEntries(
      Array.from({ length: decoder.layers }, (_, i) => [
        [`key.${i}`, row],
        [`value.${i}`, row],
      ]).flat(),
    ),
    given,
  });
}
