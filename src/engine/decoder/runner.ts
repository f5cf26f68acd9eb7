// Owns the ONNX Runtime session of one model: which device runs it, one forward pass.
// Refuses to know sampling, scheduling and text, and the forms that graphs come in.

import * as ort from 'onnxruntime-node';
import { graphForm } from './graph-form.ts';
import type { GraphForm, StatedNames, WholeInput } from './graph-form.ts';
import { KvCache } from './kv-cache.ts';
import { graphOf, onDevice, openSession } from '../onnx-session.ts';
import type { OneDevice } from '../onnx-session.ts';
import { EngineError } from '../port.ts';
import type { Device } from '../port.ts';

export interface RunnerOptions {
  /** Path of the ONNX file. Weights in files of their own lie beside it. */
  readonly file: string;
  /** Names that the folder states for inputs and outputs. */
  readonly names?: StatedNames;
  readonly device: Device;
  /** Threads of one forward pass on the CPU. */
  readonly threads: number;
  /** Tokens of the longest sequence. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** How many tokens back some layer sees, where that is less than the whole text. */
  readonly window?: number;
  /** Keep what is remembered where the graph runs, and let each sequence have passes of its own. Default: on WebGPU; the Node binding brings what other devices give out to the processor's memory. */
  readonly resident?: boolean;
  /** Told when `auto` does not get an accelerator, and why. */
  readonly note?: (message: string) => void;
}

/** New tokens of a sequence, and the number of the last of them after which logits are wanted. */
export interface Fed {
  readonly tokens: readonly number[];
  readonly wanted: number;
}
/** What the model remembers of one sequence. */
export interface RunnerState {
  readonly cache: KvCache;
  /** What is replaced at each pass, in the form's order. */
  replaced: ort.Tensor[];
}

const size = (shape: readonly number[]): number => shape.reduce((product, part) => product * part, 1);
/** How far apart logits may be in the trial of a graph, as a part of the greatest of them: half precision and int8 products round coarsely, and coarser still on a scale of the whole pass. */
const TOLERANCE = 0.05;
const ROUNDED_TOLERANCE = 0.25;
/** Tokens of the longest of the texts that are tried side by side: what a graph takes for the distance to a token shows there. */
const LONG = 48;

export class Runner {
  /** Execution provider in use. */
  readonly device: string;
  /** Logits that a pass gives: those of the vocabulary, and where a graph was padded, more. */
  readonly logits: number;
  readonly #session: ort.InferenceSession;
  readonly #form: GraphForm;
  readonly #contextLength: number;
  readonly #window: number;
  /** Numbers per token of what grows, and of what is carried from token to token. */
  readonly #widths: readonly number[];
  #together = 0;
  /** The graph takes several tokens at the beginning of a text alone; behind others, one at a time. */
  #stepwise = false;
  #overhead = 0;
  readonly #cacheOutputs: readonly string[];
  readonly #allOutputs: readonly string[];

  private constructor(session: ort.InferenceSession, form: GraphForm, device: string, { contextLength, vocabularySize, window }: RunnerOptions) {
    this.#session = session;
    this.#form = form;
    this.device = device;
    this.#contextLength = contextLength;
    this.#window = window ?? Number.POSITIVE_INFINITY;
    this.logits = form.vocabulary ?? vocabularySize;
    this.#widths = [...form.growing, ...form.carried].map(({ shape }) => size(shape));
    this.#cacheOutputs = [...form.growing, ...form.carried, ...form.replaced].map(({ fresh }) => fresh);
    this.#allOutputs = [form.logits, ...this.#cacheOutputs];
  }

  /**
   * Loads the graph on a device and tries it with a few tokens. `auto` falls back to the CPU and notes why; a device asked for by name that is not there, or fails the
   * trial, is EngineError `device_unavailable`; a graph that cannot be brought into the form of graph-form.ts is `model_invalid`.
   */
  static async open(options: RunnerOptions): Promise<Runner> {
    const { file, names, vocabularySize } = options;
    const { bytes, whole } = graphOf(file);
    // First with a head that sees the last position alone; graphs in which that place is not what it seems are run without.
    const resident = options.resident ?? options.device === 'webgpu';
    const form = graphForm(bytes, file, names, { resident });
    if (form.vocabulary !== undefined && form.vocabulary < vocabularySize) throw new EngineError('model_invalid', `${file}: config.json says a vocabulary of ${vocabularySize}, the logits have ${form.vocabulary}`);
    return onDevice(options, async (device) => {
      try {
        return await Runner.#on(device, options, form.model ?? (whole ? undefined : bytes), form);
      } catch (error) {
        if (form.model === undefined) throw error;
        const plain = graphForm(bytes, file, names, { resident, narrow: false });
        return Runner.#on(device, options, plain.model ?? (whole ? undefined : bytes), plain).catch(() => {
          throw error;
        });
      }
    });
  }

  static async #on(device: OneDevice, options: RunnerOptions, model: Uint8Array | undefined, form: GraphForm): Promise<Runner> {
    const settings: ort.InferenceSession.SessionOptions = {
      enableMemPattern: device !== 'dml',
      logSeverityLevel: 4,
      // The copy of a device's memory is spared: what comes out there goes in again as it is.
      ...(device === 'webgpu' ? { preferredOutputLocation: Object.fromEntries([[form.logits, 'cpu'], ...form.replaced.map(({ fresh }) => [fresh, 'gpu-buffer'])]) as Record<string, ort.Tensor.DataLocation> } : {}),
    };
    return openSession(device, { file: options.file, model, threads: options.threads }, settings, async (session) => {
      const runner = new Runner(session, form, device, options);
      await runner.#trial(options.vocabularySize);
      return runner;
    });
  }

  /** Passes that show what the graph can do: all three must come to the same, or what is remembered is not what the graph reads. Batches that come to something else are done without. */
  async #trial(vocabulary: number): Promise<void> {
    const tokens = [0, 1, 0, 1].map((token) => Math.min(token, vocabulary - 1)).slice(0, Math.max(1, this.#contextLength - 1));
    const [whole, parts] = [this.start(), this.start()];
    const atOnce = await this.forward(whole, tokens, this.canRewind ? tokens.length : 1);
    const byOne: Float32Array[] = [];
    for (const token of tokens) byOne.push(...(await this.forward(parts, [token], 1)));
    const logits = atOnce.at(-1);
    if (!logits || logits.length < vocabulary) throw new Error(`the graph gave ${logits?.length ?? 'no'} logits for a vocabulary of ${vocabulary}`);
    if (![...atOnce, ...byOne].every((row) => row.every(Number.isFinite))) throw new Error('a trial run gave logits that are not finite numbers');
    const apart = Math.max(...atOnce.map((row, i) => distance(row, byOne[byOne.length - atOnce.length + i])));
    if (apart > (this.#form.rounded ? ROUNDED_TOLERANCE : TOLERANCE)) throw new Error(`${tokens.length} tokens give other logits at once than one after the other (${apart} apart of the greatest)`);
    this.#stepwise = !(await this.#takesMore(tokens, atOnce[atOnce.length - 1]).catch(() => false));
    await this.#measure(tokens[0]);
    if (!this.#mayBatch || tokens.length < 4) return;
    for (const count of [1, 2]) if (await this.#trialBatch(tokens, count).catch(() => false)) this.#together = count === 1 ? 1 : Number.POSITIVE_INFINITY;
  }
  /** Do several tokens behind the first one give the same as all at once? Some exporters count on one. */
  async #takesMore(tokens: readonly number[], expected: Float32Array): Promise<boolean> {
    const state = this.start();
    await this.forward(state, tokens.slice(0, 1), 0);
    const rows = tokens.length > 2 ? await this.forward(state, tokens.slice(1), 1) : [expected];
    freeTensors(state);
    return distance(rows[0], expected) <= (this.#form.rounded ? ROUNDED_TOLERANCE : TOLERANCE);
  }
  /** Times passes of one token and of several. */
  async #measure(token: number): Promise<void> {
    const count = Math.min(MEASURED, this.#contextLength - 2);
    if (count < 2 || !this.canRewind) return;
    const state = this.start();
    await this.forward(state, [token], 0);
    const time = async (tokens: readonly number[]): Promise<number> => {
      let least = Number.POSITIVE_INFINITY;
      const late = performance.now() + MEASURE_MS;
      for (let i = 0; i < 3 && (i === 0 || performance.now() < late); i++) {
        const start = performance.now();
        await this.forward(state, tokens, tokens.length);
        least = Math.min(least, performance.now() - start);
        state.cache.truncate(1);
      }
      return least;
    };
    const [one, several] = [await time([token]), await time(Array.from({ length: count }, () => token))];
    const each = (several - one) / (count - 1);
    this.#overhead = each > 0 ? Math.min(MOST_OVERHEAD, Math.max(0, one / each - 1)) : MOST_OVERHEAD;
  }
  /**
   * Texts side by side must not show in each other's logits, as they would on a common scale. And where new tokens stand behind the longest text, a shorter one has a gap in front of
   * them: a layer that counts back over it would not see far enough.
   */
  get #mayBatch(): boolean {
    const { batched, rounded, grouped } = this.#form;
    return batched && !rounded && (grouped || this.#window >= this.#contextLength);
  }
  /** Do three sequences of different lengths, the last of one token and the first of `count` more, give the same side by side as each alone? */
  async #trialBatch(tokens: readonly number[], count: number): Promise<boolean> {
    const texts = [tokens.slice(0, 2), tokens.slice(0, 3), tokens.slice(0, 1)];
    const more = texts.map((text, i) => tokens.slice(text.length, text.length + (i === 0 ? count : 1)));
    const batch = this.batch(4);
    const alone: Float32Array[] = [];
    for (const [i, text] of texts.entries()) {
      const state = this.start();
      await this.forward(state, text, 0);
      batch.put(state.cache, i);
      alone.push(...(await this.forward(state, more[i], 1)));
    }
    const length = Math.min(LONG, this.#contextLength - count);
    const long = this.batch(1);
    long.feed(Array.from({ length }, () => tokens[0]));
    long.append([length], this.#widths.map((width) => new Float32Array(length * width)));
    batch.put(long, 3);
    const together = await this.forwardAll(batch, more.map((each) => ({ tokens: each, wanted: 1 })));
    return alone.every((row, i) => distance(together[i][0], row) <= TOLERANCE);
  }

  start(): RunnerState {
    const replaced = this.#form.replaced.map(({ shape }) => new ort.Tensor('float32', new Float32Array(size(shape)), shape));
    return { cache: this.batch(1), replaced };
  }
  /** What is remembered of several sequences side by side. Only with as many new tokens for each in a pass as `together` says. */
  batch(columns: number): KvCache {
    return new KvCache(this.#widths, this.#contextLength, columns);
  }
  /** New tokens of each sequence that a pass over several may have; 0: each has to have a pass of its own. */
  get together(): number {
    return this.#together;
  }
  /** Is what is remembered kept on a device, where it cannot be copied? */
  get resident(): boolean {
    return this.device === 'webgpu' && this.#form.replaced.length > 0;
  }
  /** What a pass costs besides its tokens, in tokens, as a trial measured it. */
  get overhead(): number {
    return this.#overhead;
  }
  /** Can what a sequence saw last be taken back, and are logits there for more than the last token? */
  get canRewind(): boolean {
    return this.#form.replaced.length === 0 && this.#form.wanted !== undefined;
  }

  /** Feeds `tokens` after what `state` has seen and lets `state` see them. Returns the logits [vocabulary] after each of the last `wanted`. */
  async forward(state: RunnerState, tokens: readonly number[], wanted: number): Promise<Float32Array[]> {
    if (this.#stepwise && tokens.length > 1 && state.cache.length() > 0) {
      const rows: Float32Array[] = [];
      for (const [i, token] of tokens.entries()) rows.push(...(await this.forward(state, [token], i >= tokens.length - wanted ? 1 : 0)));
      return rows;
    }
    const outputs = await this.#run(state.cache, [{ tokens, wanted }], state.replaced);
    freeTensors(state);
    state.replaced = this.#form.replaced.map(({ fresh }) => outputs[fresh]);
    return wanted > 0 ? this.#rowsOf(outputs, 1, [{ tokens, wanted }])[0] : [];
  }
  /** The same for several sequences in one pass, by column; columns of which nothing is given are empty. */
  async forwardAll(cache: KvCache, fed: readonly (Fed | undefined)[]): Promise<Float32Array[][]> {
    const columns = Array.from({ length: cache.columns }, (_, i) => fed[i]);
    return this.#rowsOf(await this.#run(cache, columns, []), cache.columns, columns);
  }

  async #run(cache: KvCache, fed: readonly (Fed | undefined)[], replaced: readonly ort.Tensor[]): Promise<ort.InferenceSession.OnnxValueMapType> {
    const form = this.#form;
    const B = fed.length;
    const tokens = fed.map((each) => each?.tokens ?? EMPTY);
    const n = Math.max(...tokens.map(({ length }) => length));
    const past = cache.longest;
    fed.forEach((each, column) => each && cache.feed(each.tokens, column));
    const grid = (input: WholeInput, width: number, value: (b: number, t: number) => number): ort.Tensor => whole(input.type, [B, width], value);
    const feeds: Record<string, ort.Tensor> = { [form.ids.name]: grid(form.ids, n, (b, t) => tokens[b][Math.min(t, tokens[b].length - 1)]) };
    // What pads a shorter sequence stands behind it and sees its last place.
    if (form.positions) feeds[form.positions.name] = grid(form.positions, n, (b, t) => cache.length(b) + Math.min(t, tokens[b].length - 1));
    if (form.mask)
      feeds[form.mask.name] = grid(form.mask, past + n, (b, j) => {
        const [length, count] = [cache.length(b), tokens[b].length];
        return form.grouped ? Number(j < length + count) : Number(j < length || (j >= past && j < past + count));
      });
    if (form.types) feeds[form.types.name] = grid(form.types, n, () => 0);
    if (form.lengths !== undefined) feeds[form.lengths] = new ort.Tensor('int64', BigInt64Array.from(fed, (_, b) => BigInt(cache.length(b))), [B]);
    if (form.followers !== undefined) feeds[form.followers] = new ort.Tensor('int64', cache.followers, [past, B]);
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
    if (form.cached !== undefined) feeds[form.cached] = new ort.Tensor('bool', [past > 0], [1]);
    for (const { name, axes } of form.places) feeds[name] = placesOf(axes, B, n, past + n, (b) => cache.length(b));
    const inner = form.batched ? [B] : [];
    form.growing.forEach(({ past: name, shape }, i) => {
      feeds[name] = new ort.Tensor('float32', cache.rows(i), [past, ...inner, ...shape]);
    });
    form.carried.forEach(({ past: name, shape }, i) => {
      feeds[name] = new ort.Tensor('float32', cache.last(form.growing.length + i), [B, ...shape]);
    });
    form.replaced.forEach(({ past: name }, i) => {
      feeds[name] = replaced[i];
    });
    // Where places of outputs are stated, the binding wants all of them.
    const outputs = await this.#session.run(feeds, this.resident || fed.some((each) => each && each.wanted > 0) ? this.#allOutputs : this.#cacheOutputs);
    cache.append(fed.map((each) => each?.tokens.length ?? 0), [...form.growing, ...form.carried].map(({ fresh }) => outputs[fresh].data as Float32Array));
    return outputs;
  }
  /** Of each sequence, the logits after each of the tokens that it wanted. */
  #rowsOf(outputs: ort.InferenceSession.OnnxValueMapType, columns: number, fed: readonly (Fed | undefined)[]): Float32Array[][] {
    const most = Math.max(1, ...fed.map((each) => each?.wanted ?? 0));
    const logits = outputs[this.#form.logits]?.data as Float32Array | undefined;
    if (!logits) return fed.map(() => []);
    const width = logits.length / (columns * most);
    return fed.map((each, b) => Array.from({ length: Math.min(each?.wanted ?? 0, each?.tokens.length ?? 0) }, (_, i) => logits.subarray((b * most + i) * width, (b * most + i + 1) * width)));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** Gives device memory back. */
export function freeTensors({ replaced }: RunnerState): void {
  for (const tensor of replaced) if (tensor.location === 'gpu-buffer') tensor.dispose();
}
/** Tokens of the longer pass that is timed when a model is loaded. */
const MEASURED = 8;
const MEASURE_MS = 200;
/** More is taken for a measurement that went wrong. */
const MOST_OVERHEAD = 32;
/** Tokens of an empty column. */
const EMPTY: readonly number[] = [0];
/** Largest difference, over the largest magnitude of the second (at least 1). */
function distance(row: Float32Array, other: Float32Array): number {
  let [apart, greatest] = [0, 1];
  for (let i = 0; i < other.length; i++) {
    apart = Math.max(apart, Math.abs(row[i] - other[i]));
    greatest = Math.max(greatest, Math.abs(other[i]));
  }
  return apart / greatest;
}
function whole(type: WholeInput['type'], shape: readonly number[], value: (row: number, column: number) => number): ort.Tensor {
  const width = shape.at(-1) ?? 1;
  const length = size(shape);
  const at = (i: number): number => value(Math.floor(i / width), i % width);
  if (type === 'int32') return new ort.Tensor('int32', Int32Array.from({ length }, (_, i) => at(i)), shape);
  const values = new BigInt64Array(length);
  for (let i = 0; i < length; i++) values[i] = BigInt(at(i));
  return new ort.Tensor('int64', values, shape);
}
/** Numbers of innermost rows in caches with these axes: of the new tokens (n) of all sequences (B), whose caches hold T tokens. */
function placesOf(axes: readonly (number | 'B' | 'T')[], B: number, n: number, T: number, lengthOf: (b: number) => number): ort.Tensor {
  const sizes = axes.filter((axis): axis is number => typeof axis === 'number');
  const values = new BigInt64Array(n * B * size(sizes));
  let next = 0;
  // Over tokens, sequences and the other axes in their order, as the rows have them.
  const inner = (axis: number, number: number, t: number, b: number): void => {
    if (axis === axes.length) values[next++] = BigInt(number);
    else if (axes[axis] === 'T') inner(axis + 1, number * T + Math.min(lengthOf(b) + t, T - 1), t, b);
    else if (axes[axis] === 'B') inner(axis + 1, number * B + b, t, b);
    else for (let i = 0; i < axes[axis]; i++) inner(axis + 1, number * axes[axis] + i, t, b);
  };
  for (let t = 0; t < n; t++) for (let b = 0; b < B; b++) inner(0, 0, t, b);
  return new ort.Tensor('int64', values, [n, B, ...sizes]);
}
