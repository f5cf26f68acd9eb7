// Owns running a decoder graph by itself, with what it remembers kept as plain arrays.
// Refuses to know what the graph computes. Whatever fills a place that holds nothing is wild, or a graph that looks there would not show.

import * as ort from 'onnxruntime-node';
import type { Test } from 'tap';

export interface Past {
  readonly length: number;
  /** Of each cache: a row for each token seen. */
  readonly rows: ReadonlyMap<string, readonly Float32Array[]>;
  readonly ids: readonly number[];
}
export interface Fed {
  /** After each of the new tokens. */
  readonly logits: readonly Float32Array[];
  readonly past: Past;
}
export interface Graph {
  readonly start: Past;
  /** Several sequences side by side, with as many new tokens as each has. */
  feedAll(pasts: readonly Past[], tokens: readonly (readonly number[])[]): Promise<Fed[]>;
  feed(past: Past, tokens: readonly number[]): Promise<{ readonly logits: Float32Array; readonly past: Past }>;
}
export interface Caches {
  /** Shape of a row by name: of `past_NAME` and `new_NAME`. */
  readonly growing: Readonly<Record<string, readonly number[]>>;
  /** Only the last row goes in. */
  readonly carried?: Readonly<Record<string, readonly number[]>>;
  /** Tokens seen last that go in, and the token behind each; absent: neither. */
  readonly recent?: number;
  /** What goes in as it is at every pass, for as many sequences as are fed. */
  readonly given?: Readonly<Record<string, ort.Tensor>>;
}

/** `file`: its bytes, or its path where weights lie beside it. */
export async function openGraph(t: Test, file: Uint8Array | string, { growing, carried = {}, recent, given = {} }: Caches): Promise<Graph> {
  const session = await ort.InferenceSession.create(file as string, { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  t.teardown(async () => session.release());
  const shapes: Readonly<Record<string, readonly number[]>> = { ...growing, ...carried };
  const names = Object.keys(shapes);
  const widthOf = (name: string): number => shapes[name].reduce((a, b) => a * b, 1);
  const start: Past = { length: 0, rows: new Map(names.map((name) => [name, []])), ids: [] };
  const feedAll: Graph['feedAll'] = async (pasts, tokens) => {
    const [B, n, P] = [pasts.length, Math.max(...tokens.map(({ length }) => length)), Math.max(...pasts.map(({ length }) => length))];
    const whole = (shape: number[], value: (...at: number[]) => number): ort.Tensor => {
      const values = new BigInt64Array(shape.reduce((a, b) => a * b, 1));
      for (let i = 0; i < values.length; i++) values[i] = BigInt(value(Math.floor(i / shape[shape.length - 1]), i % shape[shape.length - 1]));
      return new ort.Tensor('int64', values, shape);
    };
    const feeds: Record<string, ort.Tensor> = {
      ...given,
      input_ids: whole([B, n], (b, t) => tokens[b][t] ?? 1),
      position_ids: whole([B, n], (b, t) => pasts[b].length + Math.min(t, tokens[b].length - 1)),
      past_lengths: new ort.Tensor(
        'int64',
        BigInt64Array.from(pasts, ({ length }) => BigInt(length)),
        [B],
      ),
      wanted: whole([B, n], (b, t) => Math.min(t, tokens[b].length - 1) * B + b),
    };
    if (recent !== undefined) {
      feeds['past_followers'] = whole([P, B], (p, b) => pasts[b].ids[p + 1] ?? (p + 1 === pasts[b].length ? tokens[b][0] : 3));
      feeds['recent_ids'] = whole([B, recent], (b, i) => pasts[b].ids[pasts[b].length - recent + i] ?? 2);
    }
    for (const name of names) {
      const width = widthOf(name);
      const last = name in carried;
      const rows = (b: number, p: number): Float32Array | undefined => (last ? pasts[b].rows.get(name)?.at(-1) : pasts[b].rows.get(name)?.[p]);
      const values = Float32Array.from(
        { length: (last ? 1 : P) * B * width },
        (_, i) => rows(Math.floor(i / width) % B, Math.floor(i / width / B))?.[i % width] ?? (last ? 0 : 77),
      );
      feeds[`past_${name}`] = new ort.Tensor('float32', values, [...(last ? [] : [P]), B, ...shapes[name]]);
    }
    const outputs = await session.run(feeds);
    const logits = outputs['logits'].data as Float32Array;
    const V = logits.length / (B * n);
    return pasts.map((past, b) => {
      const rows = new Map(
        names.map((name) => {
          const [fresh, width] = [outputs[`new_${name}`].data as Float32Array, widthOf(name)];
          return [name, [...(past.rows.get(name) ?? []), ...tokens[b].map((_, t) => fresh.slice((t * B + b) * width, (t * B + b + 1) * width))]];
        }),
      );
      return {
        logits: tokens[b].map((_, t) => logits.slice((b * n + t) * V, (b * n + t + 1) * V)),
        past: { length: past.length + tokens[b].length, rows, ids: [...past.ids, ...tokens[b]] },
      };
    });
  };
  return {
    start,
    feedAll,
    feed: async (past, tokens) => {
      const [{ logits, past: now }] = await feedAll([past], [tokens]);
      return { logits: logits[tokens.length - 1], past: now };
    },
  };
}

/** Feeds texts side by side in pieces: the first of each alone (none of 0), then one of each in every round. Calls `look` with the logits after each token. */
export async function feedInPieces(
  graph: Graph,
  texts: readonly (readonly number[])[],
  pieces: readonly (readonly number[])[],
  look: (text: number, place: number, logits: Float32Array) => void,
): Promise<void> {
  const pasts: Past[] = [];
  for (const [b, tokens] of texts.entries()) {
    const [first] = pieces[b];
    if (first === 0) pasts.push(graph.start);
    else {
      const [{ logits, past }] = await graph.feedAll([graph.start], [tokens.slice(0, first)]);
      logits.forEach((row, i) => look(b, i, row));
      pasts.push(past);
    }
  }
  for (let round = 1; round < pieces[0].length; round++) {
    const from = pasts.map(({ length }) => length);
    const fed = await graph.feedAll(
      pasts,
      texts.map((tokens, b) => tokens.slice(from[b], from[b] + pieces[b][round])),
    );
    fed.forEach(({ logits, past }, b) => {
      logits.forEach((row, i) => look(b, from[b] + i, row));
      pasts[b] = past;
    });
  }
}
