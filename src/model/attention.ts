// Owns the border of a decoder graph in the engine's form, and attention over what is remembered and what is new: grouped heads, windows, capped scores.
// Refuses to know where queries, keys and values come from, and what becomes of the result.

import { MS } from './decoder-parts.ts';
import type { GraphBuilder } from './onnx.ts';

export interface AttentionShape {
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; each serves heads / keyValueHeads of the queries. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Keys are values too, and are remembered once (multi-head latent attention). Default: no. */
  readonly shared?: boolean;
  /** What products of queries and keys are multiplied by. Default: 1 / sqrt(headSize). */
  readonly scale?: number;
  /** Scores s become cap * tanh(s / cap) (Gemma 2). */
  readonly cap?: number;
  /** By layer: a token sees itself and so many before it less one; undefined: all before it. */
  readonly windows?: readonly (number | undefined)[];
}
interface Masks {
  /** 0 where a new token is seen, a large negative number elsewhere: [n * group, n]. */
  readonly fresh: string;
  /** With the past in front: [B, 1, n * group, P + n]. */
  readonly whole: string;
}

/**
 * Inputs and outputs for B sequences side by side. Rows are time-major: P is the longest past, and sequence b has `past_lengths[b]` rows of it. Inputs: `input_ids`, `position_ids` int64 [B, n]; per
 * layer `past_key.i`, `past_value.i` float [P, B, keyValueHeads, headSize]; `past_lengths` int64 [B]; `wanted` int64 [B, m], the new tokens after which logits are wanted, counted over all as
 * t * B + b. Outputs: `logits` float [B, m, vocabulary] and only the new rows, `new_key.i`, `new_value.i` [n, B, keyValueHeads, headSize]. Where keys are values too, there is no `value`.
 */
export class Attention {
  /** [n * B] */
  readonly ids: string;
  /** [n * B, 1]: a row is a text of one token to operators that count tokens. */
  readonly positions: string;
  readonly #g: GraphBuilder;
  readonly #shape: AttentionShape;
  readonly #wanted: string;
  readonly #pastKeys: readonly string[];
  readonly #pastValues: readonly string[];
  readonly #hasPast: string;
  readonly #split: string;
  readonly #shapes: Readonly<Record<'key' | 'query' | 'grouped' | 'ungrouped', string>>;
  readonly #maskFor: (window: number | undefined) => Masks;

  constructor(g: GraphBuilder, shape: AttentionShape) {
    const { layers, heads, keyValueHeads, headSize } = shape;
    if (heads % keyValueHeads !== 0) throw new RangeError(`heads (${heads}) must be a multiple of keyValueHeads (${keyValueHeads})`);
    this.#g = g;
    this.#shape = shape;
    const ids = g.input('input_ids', 'int64', ['B', 'n']);
    const positions = g.input('position_ids', 'int64', ['B', 'n']);
    const pasts = (kind: string): string[] =>
      Array.from({ length: layers }, (_, i) => g.input(`past_${kind}.${i}`, 'float', ['P', 'B', keyValueHeads, headSize]));
    this.#pastKeys = pasts('key');
    this.#pastValues = shape.shared ? this.#pastKeys : pasts('value');
    const lengths = g.input('past_lengths', 'int64', ['B']);
    this.#wanted = g.input('wanted', 'int64', ['B', 'm']);

    const list = (...parts: string[]): string => g.op('Concat', parts, { axis: { int: 0 } });
    const size = (x: string, axis: number): string => g.op('Gather', [g.op('Shape', [x]), g.ints([axis])], { axis: { int: 0 } });
    const unsqueeze = (x: string, ...axes: number[]): string => g.op('Unsqueeze', [x, g.ints(axes)]);
    const range = (to: string): string => g.op('Range', [g.ints(0), g.op('Squeeze', [to]), g.ints(1)]);
    const group = heads / keyValueHeads;
    const [batch, n, past] = [size(ids, 0), size(ids, 1), size(this.#pastKeys[0], 0)];
    this.#hasPast = g.op('Greater', [g.op('Squeeze', [past]), g.ints(0)]);
    const flat = (x: string, to: readonly number[]): string => this.#reshape(g.op('Transpose', [x], { perm: [1, 0] }), g.ints(to));
    this.ids = flat(ids, [-1]);
    this.positions = flat(positions, [-1, 1]);
    this.#split = list(past, n);
    const [one, queries] = [g.ints([1]), g.op('Mul', [n, g.ints([group])])];
    // Rows of queries are (token, head of the group).
    const step = unsqueeze(g.op('Div', [range(queries), g.ints(group)]), 1);
    const later = g.op('Greater', [unsqueeze(range(n), 0), step]);
    const held = unsqueeze(g.op('Less', [unsqueeze(range(past), 0), unsqueeze(lengths, 1)]), 1, 2);
    const masks = new Map<number | undefined, Masks>();
    this.#maskFor = (window) => {
      let made = masks.get(window);
      if (!made) {
        let [hidden, seen] = [later, held];
        if (window !== undefined) {
          const apart = g.op('Sub', [step, unsqueeze(range(n), 0)]);
          hidden = g.op('Or', [later, g.op('GreaterOrEqual', [apart, g.ints(window)])]);
          // A query's place in its own sequence, less the key's: [B, 1, n * group, P].
          const behind = g.op('Sub', [g.op('Add', [unsqueeze(lengths, 1, 2, 3), step]), range(past)]);
          seen = g.op('And', [held, g.op('Less', [behind, g.ints(window)])]);
        }
        const fresh = g.op('Where', [hidden, g.scalar(-1e9), g.scalar(0)]);
        const pastMask = g.op('Where', [seen, g.scalar(0), g.scalar(-1e9)]);
        const whole = g.op('Concat', [g.op('Expand', [pastMask, list(batch, one, queries, past)]), g.op('Expand', [fresh, list(batch, one, queries, n)])], {
          axis: { int: 3 },
        });
        made = { fresh, whole };
        masks.set(window, made);
      }
      return made;
    };
    // What all layers take must stand outside their branches.
    for (let i = 0; i < layers; i++) this.#maskFor(shape.windows?.[i]);
    this.#shapes = {
      key: list(g.ints([-1]), batch, g.ints([keyValueHeads, headSize])),
      query: list(g.ints([-1]), batch, g.ints([keyValueHeads, group, headSize])),
      grouped: list(batch, g.ints([keyValueHeads, -1, headSize])),
      ungrouped: list(batch, g.ints([keyValueHeads, -1, group, headSize])),
    };
  }
  #reshape(x: string, shape: string, output?: string): string {
    return this.#g.op('Reshape', [x, shape], {}, output === undefined ? {} : { outputs: [output] });
  }

  /** Rows [n * B, heads * headSize] of queries, [n * B, keyValueHeads * headSize] of keys and of values (none where keys are values too), axes of 1 between or not; returns rows [n * B, heads * headSize]. */
  attend(layer: number, queryRows: string, keyRows: string, valueRows?: string): string {
    const g = this.#g;
    const { heads, keyValueHeads, headSize, cap, windows, scale = 1 / Math.sqrt(headSize) } = this.#shape;
    const { fresh, whole } = this.#maskFor(windows?.[layer]);
    const key = this.#reshape(keyRows, this.#shapes.key, `new_key.${layer}`);
    const value = valueRows === undefined ? key : this.#reshape(valueRows, this.#shapes.key, `new_value.${layer}`);
    // [B, keyValueHeads, n * group, headSize]
    const query = this.#reshape(g.op('Transpose', [this.#reshape(queryRows, this.#shapes.query)], { perm: [1, 2, 0, 3, 4] }), this.#shapes.grouped);
    const scores = (keys: string): string => {
      const products = g.op('FusedMatMul', [query, keys], { alpha: cap === undefined ? scale : scale / cap, transBatchB: { int: 1 }, transB: { int: 1 } }, MS);
      return cap === undefined ? products : g.op('Mul', [g.op('Tanh', [products]), g.scalar(cap)]);
    };
    const mixed = (shares: string, values: string): string => g.op('FusedMatMul', [shares, values], { transBatchB: { int: 1 } }, MS);
    const softmax = (x: string): string => g.op('Softmax', [x], { axis: { int: -1 } });

    const newScores = scores(key);
    const shape = ['B', keyValueHeads, 'queries', headSize] as const;
    const withPast = g.branch('float', shape, () => {
      const all = g.op('Concat', [scores(this.#pastKeys[layer]), newScores], { axis: { int: -1 } });
      const [onPast, onNew] = [g.fresh('on_past'), g.fresh('on_new')];
      g.op('Split', [softmax(g.op('Add', [all, whole])), this.#split], { axis: { int: -1 } }, { outputs: [onPast, onNew] });
      return g.op('Add', [mixed(onPast, this.#pastValues[layer]), mixed(onNew, value)]);
    });
    // A product over zero past rows crashes ONNX Runtime 1.30 (division by zero), so the first call takes its own branch.
    const withoutPast = g.branch('float', shape, () => mixed(softmax(g.op('Add', [newScores, fresh])), value));
    const attended = g.op('If', [this.#hasPast], { then_branch: withPast, else_branch: withoutPast });
    for (const name of new Set([key, value])) g.output(name, 'float', ['n', 'B', keyValueHeads, headSize]);
    return this.#reshape(g.op('Transpose', [this.#reshape(attended, this.#shapes.ungrouped)], { perm: [2, 0, 1, 3, 4] }), g.ints([-1, heads * headSize]));
  }
  /** Of rows [n * B, width] those after which logits are wanted: [B, m, width]. */
  last(rows: string): string {
    return this.#g.op('Gather', [rows, this.#wanted], { axis: { int: 0 } });
  }
  /** Declares the logits, capped as scores are where `cap` says so. */
  logits(values: string, vocabularySize: number, cap?: number): void {
    const g = this.#g;
    const capped = cap === undefined ? values : g.op('Mul', [g.op('Tanh', [g.op('Div', [values, g.scalar(cap)])]), g.scalar(cap)]);
    g.op('Identity', [capped], {}, { outputs: ['logits'] });
    g.output('logits', 'float', ['B', 'm', vocabularySize]);
  }
}
