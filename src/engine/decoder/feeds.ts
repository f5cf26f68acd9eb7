// Owns what goes into a graph at a pass, and which of the logits that come out are whose.
// Refuses to know sessions, and what is done with either.

import { Tensor } from '../onnx-session.ts';
import { ones } from '../encoder-decoder/source-encoder.ts';
import type { Source } from '../encoder-decoder/source.ts';
import type { GraphForm, WholeInput } from './graph-form.ts';
import type { KvCache } from './kv-cache.ts';

/** New tokens of a sequence, and the number of the last of them after which logits are wanted. */
export interface Fed {
  readonly tokens: readonly number[];
  readonly wanted: number;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, part) => product * part, 1);
/** Tokens of an empty column. */
const EMPTY: readonly number[] = [0];

/** What several sequences take, by column; the cache knows already which tokens they are fed. `replaced`: in the form's order. */
export function feedsOf(
  form: GraphForm,
  cache: KvCache,
  fed: readonly (Fed | undefined)[],
  replaced: readonly Tensor[],
  from?: Source | JointSources,
): Record<string, Tensor> {
  const B = fed.length;
  const tokens = fed.map((each) => each?.tokens ?? EMPTY);
  const n = Math.max(...tokens.map(({ length }) => length));
  const past = cache.longest;
  const grid = (input: WholeInput, width: number, value: (b: number, t: number) => number): Tensor => whole(input.type, [B, width], value);
  const feeds: Record<string, Tensor> = { [form.ids.name]: grid(form.ids, n, (b, t) => tokens[b][Math.min(t, tokens[b].length - 1)]) };
  // What pads a shorter sequence stands behind it and sees its last place.
  if (form.positions) feeds[form.positions.name] = grid(form.positions, n, (b, t) => cache.length(b) + Math.min(t, tokens[b].length - 1));
  if (form.mask)
    feeds[form.mask.name] = grid(form.mask, past + n, (b, j) => {
      const [length, count] = [cache.length(b), tokens[b].length];
      return form.grouped ? Number(j < length + count) : Number(j < length || (j >= past && j < past + count));
    });
  if (form.types) feeds[form.types.name] = grid(form.types, n, () => 0);
  if (form.lengths !== undefined)
    feeds[form.lengths] = new Tensor(
      'int64',
      BigInt64Array.from(fed, (_, b) => BigInt(cache.length(b))),
      [B],
    );
  if (form.followers !== undefined) feeds[form.followers] = new Tensor('int64', cache.followers, [past, B]);
  if (form.recent) {
    const { name, count } = form.recent;
    const place = (b: number, i: number): number => cache.length(b) - count + i;
    feeds[name] = whole('int64', [B, count], (b, i) => (place(b, i) < 0 ? 0 : Number(cache.token(place(b, i), b))));
  }
  if (form.wanted) {
    const { name, order } = form.wanted;
    const most = Math.max(1, ...fed.map((each) => each?.wanted ?? 0));
    feeds[name] = whole('int64', [B, most], (b, i) => {
      const count = tokens[b].length;
      const t = Math.min(count - 1, Math.max(0, count - (fed[b]?.wanted ?? 0)) + i);
      return order === 'time' ? t * B + b : b * n + t;
    });
  }
  if (form.counted) feeds[form.counted.name] = whole(form.counted.type, form.counted.scalar ? [] : [1], () => (form.wanted ? n : 1));
  if (form.cached !== undefined) feeds[form.cached] = new Tensor('bool', [past > 0], [1]);
  for (const { name, axes } of form.places) feeds[name] = placesOf(axes, B, n, past + n, (b) => cache.length(b));
  const inner = form.batched ? [B] : [];
  form.growing.forEach(({ past: name, shape }, i) => {
    if (name !== '') feeds[name] = new Tensor('float32', cache.rows(i), [past, ...inner, ...shape]);
  });
  form.carried.forEach(({ past: name, shape }, i) => {
    feeds[name] = new Tensor('float32', cache.last(form.growing.length + i), [B, ...shape]);
  });
  form.replaced.forEach(({ past: name }, i) => {
    feeds[name] = replaced[i];
  });
  if (from) Object.assign(feeds, 'ids' in from ? sourceFeeds(form, from, past === 0) : from.feeds);
  return feeds;
}
/** What a pass takes of the source: nothing of it is copied. A first pass takes no keys and values of it, and gives them. */
function sourceFeeds(form: GraphForm, { ids, given = {}, crossed = [] }: Source, first: boolean): Readonly<Record<string, Tensor>> {
  return {
    ...(form.sourceMask ? { [form.sourceMask.name]: ones(form.sourceMask, ids.length) } : {}),
    ...Object.fromEntries(form.given.map(({ name, of }) => [name, given[of]])),
    ...Object.fromEntries(
      form.crossed
        .filter(({ past }) => past !== '')
        .map(({ past, shape }, i) => [past, first ? new Tensor('float32', new Float32Array(sizeOf(shape)), shape) : crossed[i]]),
    ),
  };
}
/** What several sequences take of their sources, for as long as the same ones stand side by side. */
export interface JointSources {
  readonly sources: readonly (Source | undefined)[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly bytes: number;
}
/** Copies what was given of each source into one tensor, [S, B, ...], by column; shorter ones are filled up with zeros that the mask hides. Only for forms that are `joint`. */
export function joinSources(form: GraphForm, sources: readonly (Source | undefined)[]): JointSources {
  const lengths = sources.map((source) => source?.ids.length ?? 0);
  const [S, B] = [Math.max(1, ...lengths), sources.length];
  const feeds: Record<string, Tensor> = {};
  let bytes = 0;
  if (form.sourceMask) feeds[form.sourceMask.name] = whole(form.sourceMask.type, [B, S], (b, s) => Number(s < lengths[b]));
  for (const { name, of } of form.given) {
    const sizes = sources.find((source) => source?.given)?.given?.[of].dims.slice(2) ?? [];
    const width = sizeOf(sizes);
    const all = new Float32Array(S * B * width);
    for (const [b, source] of sources.entries()) {
      if (!source?.given) continue;
      const own = source.given[of].data as Float32Array;
      for (let s = 0; s < lengths[b]; s++) all.set(own.subarray(s * width, (s + 1) * width), (s * B + b) * width);
    }
    feeds[name] = new Tensor('float32', all, [S, B, ...sizes]);
    bytes += all.byteLength;
  }
  return { sources, feeds, bytes };
}
/** Of each sequence, the logits after each of the tokens that it wanted. */
export function rowsOf(logits: Float32Array | undefined, columns: number, fed: readonly (Fed | undefined)[]): Float32Array[][] {
  if (!logits) return fed.map(() => []);
  const most = Math.max(1, ...fed.map((each) => each?.wanted ?? 0));
  const width = logits.length / (columns * most);
  return fed.map((each, b) =>
    Array.from({ length: Math.min(each?.wanted ?? 0, each?.tokens.length ?? 0) }, (_, i) =>
      logits.subarray((b * most + i) * width, (b * most + i + 1) * width),
    ),
  );
}

function whole(type: WholeInput['type'], shape: readonly number[], value: (row: number, column: number) => number): Tensor {
  const width = shape.at(-1) ?? 1;
  const length = sizeOf(shape);
  const at = (i: number): number => value(Math.floor(i / width), i % width);
  if (type === 'int32')
    return new Tensor(
      'int32',
      Int32Array.from({ length }, (_, i) => at(i)),
      shape,
    );
  const values = new BigInt64Array(length);
  for (let i = 0; i < length; i++) values[i] = BigInt(at(i));
  return new Tensor('int64', values, shape);
}
/** Numbers of innermost rows in caches with these axes: of the new tokens (n) of all sequences (B), whose caches hold T tokens. */
function placesOf(axes: readonly (number | 'B' | 'T')[], B: number, n: number, T: number, lengthOf: (b: number) => number): Tensor {
  const sizes = axes.filter((axis): axis is number => typeof axis === 'number');
  const values = new BigInt64Array(n * B * sizeOf(sizes));
  let next = 0;
  // Over tokens, sequences and the other axes in their order, as the rows have them.
  const inner = (axis: number, number: number, t: number, b: number): void => {
    if (axis === axes.length) values[next++] = BigInt(number);
    else if (axes[axis] === 'T') inner(axis + 1, number * T + Math.min(lengthOf(b) + t, T - 1), t, b);
    else if (axes[axis] === 'B') inner(axis + 1, number * B + b, t, b);
    else for (let i = 0; i < axes[axis]; i++) inner(axis + 1, number * axes[axis] + i, t, b);
  };
  for (let t = 0; t < n; t++) for (let b = 0; b < B; b++) inner(0, 0, t, b);
  return new Tensor('int64', values, [n, B, ...sizes]);
}
