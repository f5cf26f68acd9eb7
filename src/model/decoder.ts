// Owns the decoder-only transformer: its configuration, its parameters and its inference graph with the KV cache as an input only.
// Refuses to know how weights are trained and how the graph is run.

import { DataType, GraphBuilder } from './onnx.ts';

export interface DecoderConfig {
  readonly vocabularySize: number;
  /** Width of the residual stream. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** width / heads must equal it. */
  readonly headSize: number;
  readonly feedForward: number;
  /** Longest sequence, in tokens: the size of the rotary tables. */
  readonly contextLength: number;
  readonly rotaryBase: number;
  /** Dimensions of each head that are rotated (even); the others carry no position, which lets copying generalise to longer prompts. */
  readonly rotaryDimensions: number;
  readonly normEpsilon: number;
  /** Width of the queries and keys by which the output points at tokens of the text before, and of each token's features in them. */
  readonly pointerWidth: number;
  readonly pointerTokenWidth: number;
}

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly [number] | readonly [number, number];
  /** Standard deviation of the initial normal distribution, or a constant. */
  readonly init: { readonly normal: number } | { readonly constant: number };
  /** Weight decay applies. */
  readonly decay: boolean;
}

/**
 * The parameters in storage order. Pre-norm blocks without norm gains, tied embedding, squared-ReLU feed-forward (So et al. 2021, "Primer"), and on each layer a learned
 * per-channel mix of the previous token's key into the current one (`k[t] + mix * k[t-1]`), which makes copying from the prompt learnable early. The output is a pointer sentinel
 * mixture (Merity et al. 2017, eq. 3 to 6): one softmax over the earlier positions and a sentinel, whose share goes to the vocabulary's softmax. As in the continuous cache of
 * Grave et al. 2017 (eq. 2), position t is compared with each position i before it, and what i gets goes to the token at i + 1, which followed it. Compared are the states and
 * the last POINTER_LAGS tokens, one by one, through features that both sides share: a name goes on as it did where the same tokens stood before. And the more of the last tokens are the
 * very same without a break, the more it counts, by a weight for each more: what was just written tells which of several places with one word is meant.
 */
export function decoderParameters(config: DecoderConfig): readonly ParameterSpec[] {
  const { width, feedForward, layers, pointerWidth, pointerTokenWidth } = config;
  const inner = 1 / Math.sqrt(width);
  const residual = 1 / Math.sqrt(2 * layers);
  const specs: ParameterSpec[] = [{ name: 'embedding', shape: [config.vocabularySize, width], init: { normal: 0.05 }, decay: false }];
  for (let i = 0; i < layers; i++) {
    specs.push(
      { name: `layer.${i}.query`, shape: [width, width], init: { normal: inner }, decay: true },
      { name: `layer.${i}.key`, shape: [width, width], init: { normal: inner }, decay: true },
      { name: `layer.${i}.value`, shape: [width, width], init: { normal: inner }, decay: true },
      { name: `layer.${i}.mix`, shape: [width], init: { constant: 0.5 }, decay: false },
      { name: `layer.${i}.out`, shape: [width, width], init: { normal: inner * residual }, decay: true },
      { name: `layer.${i}.up`, shape: [width, feedForward], init: { normal: inner }, decay: true },
      { name: `layer.${i}.down`, shape: [feedForward, width], init: { normal: residual / Math.sqrt(feedForward) }, decay: true },
    );
  }
  specs.push(
    { name: 'pointer.query', shape: [width, pointerWidth], init: { normal: inner }, decay: true },
    { name: 'pointer.key', shape: [width, pointerWidth], init: { normal: inner }, decay: true },
    { name: 'pointer.token', shape: [width, pointerTokenWidth], init: { normal: inner }, decay: true },
    { name: 'pointer.match', shape: [POINTER_LAGS * pointerTokenWidth], init: { constant: MATCH_START / pointerTokenWidth }, decay: false },
    { name: 'pointer.run', shape: [POINTER_LAGS], init: { constant: 0 }, decay: false },
    { name: 'pointer.sentinel', shape: [width, 1], init: { constant: 0 }, decay: false },
  );
  return specs;
}
/** Parameters that models made before them lack: zeros are the same as none. */
export const LATER_PARAMETERS: ReadonlySet<string> = new Set(['pointer.run']);
/** Tokens that are compared when pointing. */
export const POINTER_LAGS = 8;
/** Before anything is learnt, an equal token adds about this to a position's score, and the sentinel has the score of two: so more than two in a row are followed. */
const MATCH_START = 4;
export const SENTINEL_START = 8;
/** What each weight of `pointer.run` is multiplied by, so that the few of them learn as fast as many would. */
export const RUN_SCALE = 10;
/** Added to a probability before its logarithm is taken. */
export const LEAST_PROBABILITY = 1e-20;

/** Numbers that a position keeps to be pointed at. */
export const pointerRow = ({ pointerWidth, pointerTokenWidth }: DecoderConfig): number => pointerWidth + POINTER_LAGS * pointerTokenWidth;
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const parameterCount = (config: DecoderConfig): number => decoderParameters(config).reduce((sum, spec) => sum + sizeOf(spec.shape), 0);

/**
 * Cosine and sine tables [contextLength, headSize / 2] of rotary position embedding (Su et al. 2021, RoFormer, eq. 15): angle = position * base^(-2i / rotaryDimensions).
 * Pairs beyond `rotaryDimensions` have angle 0: they pass unrotated.
 */
export function rotaryTables(config: DecoderConfig): { readonly cos: Float32Array; readonly sin: Float32Array; readonly shape: readonly [number, number] } {
  const half = config.headSize / 2;
  const cos = new Float32Array(config.contextLength * half);
  const sin = new Float32Array(config.contextLength * half);
  for (let position = 0; position < config.contextLength; position++) {
    for (let i = 0; i < half; i++) {
      const angle = 2 * i < config.rotaryDimensions ? position * config.rotaryBase ** ((-2 * i) / config.rotaryDimensions) : 0;
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin, shape: [config.contextLength, half] };
}

const MS = { domain: 'com.microsoft' } as const;

/**
 * Inference graph for B sequences side by side, of which each may be of another length. Rows are time-major: P is the longest past, and sequence b has `past_lengths[b]` rows of it.
 * Inputs: `input_ids` and `position_ids` int64 [B, n] (what pads a shorter sequence stands at the end); per layer `past_key.i`, `past_value.i` float [P, B, heads, headSize] and `past_shift.i`
 * float [B, width], the raw key row of the token before (zeros at the start); `past_pointer` float [P, B, pointerRow]; `past_followers` int64 [P, B], the token behind each one seen;
 * `past_lengths` int64 [B]; `recent_ids` int64 [B, POINTER_LAGS - 1], the last tokens seen (anything where there are none); `wanted` int64 [B, m], the new tokens after which logits are
 * wanted, counted over all as t * B + b. Outputs: `logits` float [B, m, vocabulary], the logarithms of the probabilities, and only the new rows: `new_key.i`, `new_value.i`
 * [n, B, heads, headSize], `new_shift.i` [n, B, width], `new_pointer` [n, B, pointerRow]. P may be 0; no position may pass contextLength.
 * `weights` holds one array per parameter of decoderParameters, by name.
 */
export function buildDecoder(config: DecoderConfig, weights: ReadonlyMap<string, Float32Array>, options: { readonly storage?: 'float' | 'float16' } = {}): Uint8Array {
  const { width, heads, headSize, layers, pointerWidth } = config;
  if (heads * headSize !== width) throw new RangeError(`heads (${heads}) times headSize (${headSize}) must equal width (${width})`);
  const g = new GraphBuilder();
  const storage = options.storage ?? 'float';
  for (const spec of decoderParameters(config)) {
    const values = weights.get(spec.name);
    if (values?.length !== sizeOf(spec.shape)) throw new RangeError(`parameter ${spec.name} needs ${sizeOf(spec.shape)} values, got ${values?.length ?? 'none'}`);
    g.weight(spec.name, values, spec.shape, storage);
  }
  const tables = rotaryTables(config);
  g.weight('rotary.cos', tables.cos, tables.shape);
  g.weight('rotary.sin', tables.sin, tables.shape);
  g.weight('norm.gain', new Float32Array(width).fill(1), [width]);
  const lags = POINTER_LAGS - 1;
  const ids = g.input('input_ids', 'int64', ['B', 'n']);
  const positions = g.input('position_ids', 'int64', ['B', 'n']);
  const rows = (name: string): string => g.input(name, 'float', ['P', 'B', heads, headSize]);
  const pastKeys = Array.from({ length: layers }, (_, i) => rows(`past_key.${i}`));
  const pastValues = Array.from({ length: layers }, (_, i) => rows(`past_value.${i}`));
  const pastShifts = Array.from({ length: layers }, (_, i) => g.input(`past_shift.${i}`, 'float', ['B', width]));
  const pastPointer = g.input('past_pointer', 'float', ['P', 'B', pointerRow(config)]);
  const pastFollowers = g.input('past_followers', 'int64', ['P', 'B']);
  const lengths = g.input('past_lengths', 'int64', ['B']);
  const recent = g.input('recent_ids', 'int64', ['B', lags]);
  const wanted = g.input('wanted', 'int64', ['B', 'm']);

  const LAST = 2 ** 31;
  const [zero, one] = [g.ints([0]), g.ints([1])];
  const list = (...parts: string[]): string => g.op('Concat', parts, { axis: { int: 0 } });
  const size = (x: string, axis: number): string => g.op('Gather', [g.op('Shape', [x]), g.ints([axis])], { axis: { int: 0 } });
  const unsqueeze = (x: string, ...axes: number[]): string => g.op('Unsqueeze', [x, g.ints(axes)]);
  const reshape = (x: string, shape: string, output?: string): string => g.op('Reshape', [x, shape], {}, output === undefined ? {} : { outputs: [output] });
  const slice = (x: string, from: string, to: string, axis: number): string => g.op('Slice', [x, from, to, g.ints([axis])]);
  const swap = (x: string): string => g.op('Transpose', [x], { perm: [1, 0] });
  const range = (to: string): string => g.op('Range', [g.ints(0), g.op('Squeeze', [to]), g.ints(1)]);
  const norm = (x: string): string => g.op('SimplifiedLayerNormalization', [x, 'norm.gain'], { axis: { int: -1 }, epsilon: config.normEpsilon });

  const [batch, n, past] = [size(ids, 0), size(ids, 1), size(pastKeys[0], 0)];
  const hasPast = g.op('Greater', [g.op('Squeeze', [past]), g.ints(0)]);
  // Each row is a text of its own to the operator, which takes none that is longer than the context.
  const rowPositions = reshape(swap(positions), g.ints([-1, 1]));
  const steps = range(n);
  // [n, n]: 0 where the key is not later than the query, a large negative number elsewhere
  const later = g.op('Greater', [unsqueeze(steps, 0), unsqueeze(steps, 1)]);
  const mask = g.op('Where', [later, g.scalar(-1e9), g.scalar(0)]);
  // [B, 1, P]: rows that the sequence has
  const held = unsqueeze(g.op('Less', [unsqueeze(range(past), 0), unsqueeze(lengths, 1)]), 1);
  const pastMask = unsqueeze(g.op('Where', [held, g.scalar(0), g.scalar(-1e9)]), 1);
  // [B, 1, n, P + n]
  const wholeMask = g.op('Concat', [g.op('Expand', [pastMask, list(batch, one, n, past)]), g.op('Expand', [mask, list(batch, one, n, n)])], { axis: { int: 3 } });
  const split = list(past, n);
  const allButLast = g.op('Mul', [g.op('Sub', [n, one]), batch]);
  const headShape = list(g.ints([-1]), batch, g.ints([heads, headSize]));
  const rowShape = (length: number): string => list(g.ints([-1]), batch, g.ints([length]));
  const flatShape = g.ints([-1, width]);
  const rotate = (x: string): string => g.op('RotaryEmbedding', [unsqueeze(x, 1), rowPositions, 'rotary.cos', 'rotary.sin'], { interleaved: { int: 0 }, num_heads: { int: heads } }, MS);
  const scale = 1 / Math.sqrt(headSize);

  // Everything but attention is done on rows [n * B, width].
  const idRows = swap(ids);
  let x = norm(g.op('Gather', ['embedding', reshape(idRows, g.ints([-1]))], { axis: { int: 0 } }));
  for (let i = 0; i < layers; i++) {
    const h = norm(x);
    const rawKey = g.op('MatMul', [h, `layer.${i}.key`]);
    const before = g.op('Concat', [pastShifts[i], slice(rawKey, zero, allButLast, 0)], { axis: { int: 0 } });
    const mixed = g.op('Add', [rawKey, g.op('Mul', [before, `layer.${i}.mix`])]);
    const key = reshape(rotate(mixed), headShape, `new_key.${i}`);
    const query = reshape(rotate(g.op('MatMul', [h, `layer.${i}.query`])), headShape);
    const value = reshape(g.op('MatMul', [h, `layer.${i}.value`]), headShape, `new_value.${i}`);
    reshape(rawKey, rowShape(width), `new_shift.${i}`);

    const scoreAttributes = { alpha: scale, transBatchA: { int: 1 }, transBatchB: { int: 1 }, transB: { int: 1 } };
    const newScores = g.op('FusedMatMul', [query, key], scoreAttributes, MS);
    const shape = ['B', heads, 'n', headSize] as const;
    const withPast = g.branch('float', shape, () => {
      const pastScores = g.op('FusedMatMul', [query, pastKeys[i]], scoreAttributes, MS);
      const scores = g.op('Add', [g.op('Concat', [pastScores, newScores], { axis: { int: -1 } }), wholeMask]);
      const probabilities = g.op('Softmax', [scores], { axis: { int: -1 } });
      const onPast = g.fresh('on_past');
      const onNew = g.fresh('on_new');
      g.op('Split', [probabilities, split], { axis: { int: -1 } }, { outputs: [onPast, onNew] });
      return g.op('Add', [
        g.op('FusedMatMul', [onPast, pastValues[i]], { transBatchB: { int: 1 } }, MS),
        g.op('FusedMatMul', [onNew, value], { transBatchB: { int: 1 } }, MS),
      ]);
    });
    // A product over zero past rows crashes ONNX Runtime 1.30 (division by zero), so the first call takes its own branch.
    const withoutPast = g.branch('float', shape, () =>
      g.op('FusedMatMul', [g.op('Softmax', [g.op('Add', [newScores, mask])], { axis: { int: -1 } }), value], { transBatchB: { int: 1 } }, MS),
    );
    const attended = g.op('If', [hasPast], { then_branch: withPast, else_branch: withoutPast });
    const joined = reshape(g.op('Transpose', [attended], { perm: [2, 0, 1, 3] }), flatShape);
    x = g.op('Add', [x, g.op('MatMul', [joined, `layer.${i}.out`])]);
    const up = g.op('Relu', [g.op('MatMul', [norm(x), `layer.${i}.up`])]);
    x = g.op('Add', [x, g.op('MatMul', [g.op('Mul', [up, up]), `layer.${i}.down`])]);
    g.output(`new_key.${i}`, 'float', ['n', 'B', heads, headSize]);
    g.output(`new_value.${i}`, 'float', ['n', 'B', heads, headSize]);
    g.output(`new_shift.${i}`, 'float', ['n', 'B', width]);
  }
  const states = norm(x);
  // Features of the last tokens before the new ones and of these; zeros before the first one of a text.
  const window = g.op('Concat', [swap(recent), idRows], { axis: { int: 0 } });
  const windowLength = g.op('Add', [n, g.ints([lags])]);
  const places = g.op('Add', [unsqueeze(g.op('Sub', [range(windowLength), g.ints(lags)]), 1), unsqueeze(lengths, 0)]);
  const there = reshape(g.op('Cast', [g.op('GreaterOrEqual', [places, g.ints(0)])], { to: { int: DataType.float } }), g.ints([-1, 1]));
  const spelt = norm(g.op('Gather', ['embedding', reshape(window, g.ints([-1]))], { axis: { int: 0 } }));
  const features = g.op('Mul', [g.op('MatMul', [spelt, 'pointer.token']), there]);
  const lag = (back: number): string =>
    slice(features, g.op('Mul', [g.ints([lags - back]), batch]), g.op('Mul', [g.op('Sub', [windowLength, g.ints([back])]), batch]), 0);
  const tokens = g.op('Concat', Array.from({ length: POINTER_LAGS }, (_, back) => lag(back)), { axis: { int: 1 } });
  const pointerKeys = g.op('Concat', [g.op('MatMul', [states, 'pointer.key']), tokens], { axis: { int: 1 } });
  reshape(pointerKeys, rowShape(pointerRow(config)), 'new_pointer');
  g.output('new_pointer', 'float', ['n', 'B', pointerRow(config)]);

  /** What runs add, [B, m, P + n]: how many of the last tokens are the same there is told by the first that is not, at the latest the one behind the last lag. A text's first token is like none. */
  function equalRuns(): string {
    const back = g.ints(Array.from({ length: POINTER_LAGS + 1 }, (_, j) => j));
    const none = (rows: number): string => g.op('Expand', [g.ints([-1]), list(g.ints([rows]), batch)]);
    /** [rows, lags, B]: the tokens at each position and before it, position 0 being at row `first`. */
    const lagged = (tokens: string, rows: string, first: number): string =>
      g.op('Gather', [tokens, g.op('Add', [g.op('Sub', [unsqueeze(range(rows), 1), back]), g.ints(first)])], { axis: { int: 0 } });
    // What stands at a position of the past is the follower of the one before.
    const ofPast = lagged(list(none(POINTER_LAGS + 1), pastFollowers), past, POINTER_LAGS);
    const ofNew = lagged(list(none(1), g.op('Where', [g.op('Greater', [places, g.ints(0)]), window, g.ints(-1)])), n, POINTER_LAGS);
    const there = unsqueeze(g.op('Transpose', [list(ofPast, ofNew)], { perm: [2, 0, 1] }), 1);
    const rowsBack = g.op('Mul', [g.ints(Array.from({ length: POINTER_LAGS }, (_, j) => lags - j)), batch]);
    const here = g.op('Gather', [reshape(window, g.ints([-1])), g.op('Add', [unsqueeze(wanted, 2), rowsBack])], { axis: { int: 0 } });
    const behind = g.op('Expand', [g.ints([-2]), list(batch, size(wanted, 1), one)]);
    const asked = unsqueeze(g.op('Concat', [here, behind], { axis: { int: 2 } }), 2);
    const unlike = g.op('Cast', [g.op('Not', [g.op('Equal', [asked, there])])], { to: { int: DataType.float } });
    // What a run of so many adds: [POINTER_LAGS + 1].
    const sums = g.op('CumSum', [g.op('Mul', ['pointer.run', g.scalar(RUN_SCALE)]), g.ints(0)]);
    const runs = list(unsqueeze(g.scalar(0), 0), sums);
    return g.op('Gather', [runs, g.op('ArgMax', [unlike], { axis: { int: -1 }, keepdims: { int: 0 } })], { axis: { int: 0 } });
  }

  // [B, m, ..]: what is wanted.
  const wantedOf = (x: string): string => g.op('Gather', [x, wanted], { axis: { int: 0 } });
  const last = wantedOf(states);
  const query = g.op(
    'Concat',
    [g.op('Mul', [g.op('MatMul', [last, 'pointer.query']), g.scalar(1 / Math.sqrt(pointerWidth))]), g.op('Mul', [wantedOf(tokens), 'pointer.match'])],
    { axis: { int: 2 } },
  );
  const all = g.op('Concat', [pastPointer, 'new_pointer'], { axis: { int: 0 } });
  const pointed = g.op('Add', [g.op('FusedMatMul', [query, all], { transBatchB: { int: 1 }, transB: { int: 1 } }, MS), equalRuns()]);
  // Only positions before: of the past those that the sequence has, of the new ones the earlier.
  const step = unsqueeze(g.op('Div', [wanted, batch]), 2);
  const known = g.op(
    'Concat',
    [g.op('Expand', [held, list(batch, size(wanted, 1), past)]), g.op('Less', [unsqueeze(steps, 0, 1), step])],
    { axis: { int: 2 } },
  );
  const scores = g.op('Where', [known, pointed, g.scalar(-1e9)]);
  const sentinel = g.op('Add', [g.op('MatMul', [last, 'pointer.sentinel']), g.scalar(SENTINEL_START)]);
  const shares = g.op('Softmax', [g.op('Concat', [scores, sentinel], { axis: { int: 2 } })], { axis: { int: -1 } });
  const toVocabulary = slice(shares, g.ints([-1]), g.ints([LAST]), 2);
  const toTokens = slice(shares, zero, g.ints([-1]), 2);
  // Behind the last new token there is none yet; it has no share.
  const newFollowers = g.op('Concat', [slice(ids, one, g.ints([LAST]), 1), g.op('Expand', [g.ints([0]), list(batch, one)])], { axis: { int: 1 } });
  const followers = g.op('Expand', [unsqueeze(g.op('Concat', [swap(pastFollowers), newFollowers], { axis: { int: 1 } }), 1), g.op('Shape', [toTokens])]);
  const byVocabulary = g.op('Softmax', [g.op('FusedMatMul', [last, 'embedding'], { transB: { int: 1 } }, MS)], { axis: { int: -1 } });
  const mixed = g.op('ScatterElements', [g.op('Mul', [byVocabulary, toVocabulary]), followers, toTokens], { axis: { int: 2 }, reduction: 'add' });
  g.op('Log', [g.op('Add', [mixed, g.scalar(LEAST_PROBABILITY)])], {}, { outputs: ['logits'] });
  g.output('logits', 'float', ['B', 'm', config.vocabularySize]);
  return g.finish('pharos_decoder');
}
