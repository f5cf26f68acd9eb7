// Owns the ONNX Runtime session of one model: which device runs it, one forward pass.
// Refuses to know sampling, scheduling and text, and the forms that graphs come in.

import { feedsOf, joinSources, rowsOf, sizeOf } from './feeds.ts';
import type { Fed, JointSources } from './feeds.ts';
import type { GraphForm } from './graph-form.ts';
import { KvCache } from './kv-cache.ts';
import { readGraphs } from './model-graphs.ts';
import type { GraphFiles, ModelGraphs } from './model-graphs.ts';
import { onDevice, openSession, Tensor, timedRun } from '../onnx-session.ts';
import type { InferenceSession, OneDevice } from '../onnx-session.ts';
import { SourceEncoder } from '../encoder-decoder/source-encoder.ts';
import { sourceOf } from '../encoder-decoder/source.ts';
import type { Source } from '../encoder-decoder/source.ts';
import { EngineError } from '../port.ts';
import type { Device } from '../port.ts';

/** Weights in files of their own lie beside the graphs. */
export interface RunnerOptions extends GraphFiles {
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

/** What the model remembers of one sequence. */
export interface RunnerState {
  readonly cache: KvCache;
  /** What is replaced at each pass, in the form's order. */
  replaced: Tensor[];
  /** What an encoder reads for it. */
  readonly source?: Source;
}
interface Passed {
  readonly outputs: InferenceSession.OnnxValueMapType;
  readonly logits: Float32Array | undefined;
}
/** A graph that runs. */
interface Part {
  readonly session: InferenceSession;
  readonly form: GraphForm;
}
/** What runs beside the decoder's own graph. */
interface Side {
  readonly encoder: SourceEncoder;
  readonly opening?: Part;
}

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
  readonly #main: Part;
  readonly #form: GraphForm;
  /** Absent: the model is a decoder alone. */
  readonly #side: Side | undefined;
  readonly #contextLength: number;
  readonly #vocabulary: number;
  readonly #window: number;
  /** Numbers per token of what grows, and of what is carried from token to token. */
  readonly #widths: readonly number[];
  #together = 0;
  /** The graph takes several tokens at the beginning of a text alone; behind others, one at a time. */
  #stepwise = false;
  #overhead = 0;
  #computedMs = 0;

  private constructor(main: Part, side: Side | undefined, device: string, { contextLength, vocabularySize, window }: RunnerOptions) {
    const { form } = main;
    this.#main = main;
    this.#form = form;
    this.#side = side;
    this.device = device;
    this.#contextLength = contextLength;
    this.#vocabulary = vocabularySize;
    this.#window = window ?? Number.POSITIVE_INFINITY;
    this.logits = form.vocabulary ?? vocabularySize;
    this.#widths = [...form.growing, ...form.carried].map(({ shape }) => sizeOf(shape));
  }

  /**
   * Loads the graph on a device and tries it with a few tokens. `auto` falls back to the CPU and notes why; a device asked for by name that is not there, or fails the
   * trial, is EngineError `device_unavailable`; a graph that cannot be brought into the form of graph-form.ts is `model_invalid`.
   */
  static async open(options: RunnerOptions): Promise<Runner> {
    const { file, vocabularySize } = options;
    // What an encoder read is given anew at each pass, and a text's first pass may be another graph's.
    const graphs = readGraphs(options, options.source === undefined && (options.resident ?? options.device === 'webgpu'));
    // First with a head that sees the last position alone; graphs in which that place is not what it seems are run without.
    const narrow = graphs(true);
    const { vocabulary, model } = narrow.main.form;
    if (vocabulary !== undefined && vocabulary < vocabularySize) throw new EngineError('model_invalid', `${file}: config.json says a vocabulary of ${vocabularySize}, the logits have ${vocabulary}`);
    return onDevice(options, async (device) => {
      try {
        return await Runner.#on(device, options, narrow);
      } catch (error) {
        if (model === undefined) throw error;
        return Runner.#on(device, options, graphs(false)).catch(() => {
          throw error;
        });
      }
    });
  }

  static async #on(device: OneDevice, options: RunnerOptions, graphs: ModelGraphs): Promise<Runner> {
    const { file, model, form } = graphs.main;
    const settings: InferenceSession.SessionOptions = {
      enableMemPattern: device !== 'dml',
      logSeverityLevel: 4,
      // The copy of a device's memory is spared: what comes out there goes in again as it is.
      ...(device === 'webgpu' ? { preferredOutputLocation: Object.fromEntries([[form.logits, 'cpu'], ...form.replaced.map(({ fresh }) => [fresh, 'gpu-buffer'])]) as Record<string, Tensor.DataLocation> } : {}),
    };
    const side = await openSide(device, options, graphs);
    try {
      return await openSession(device, { file, model, threads: options.threads }, settings, async (session) => {
        const runner = new Runner({ session, form }, side, device, options);
        await runner.#trial(trialTokens(options));
        return runner;
      });
    } catch (error) {
      await closeSide(side);
      throw error;
    }
  }

  /** Passes that show what the graph can do: all three must come to the same, or what is remembered is not what the graph reads. Batches that come to something else are done without. */
  async #trial(few: readonly number[]): Promise<void> {
    const source = this.#side && sourceOf(few);
    const tokens = few.slice(0, Math.max(1, this.#contextLength - 1));
    const [whole, parts] = [this.start(source), this.start(source)];
    const atOnce = await this.forward(whole, tokens, this.canRewind ? tokens.length : 1);
    const byOne: Float32Array[] = [];
    for (const token of tokens) byOne.push(...(await this.forward(parts, [token], 1)));
    const logits = atOnce.at(-1);
    if (!logits || logits.length < this.#vocabulary) throw new Error(`the graph gave ${logits?.length ?? 'no'} logits for a vocabulary of ${this.#vocabulary}`);
    if (![...atOnce, ...byOne].every((row) => row.every(Number.isFinite))) throw new Error('a trial run gave logits that are not finite numbers');
    const apart = Math.max(...atOnce.map((row, i) => distance(row, byOne[byOne.length - atOnce.length + i])));
    if (apart > (this.#form.rounded ? ROUNDED_TOLERANCE : TOLERANCE)) throw new Error(`${tokens.length} tokens give other logits at once than one after the other (${apart} apart of the greatest)`);
    this.#stepwise = !(await this.#takesMore(tokens, atOnce[atOnce.length - 1], source).catch(() => false));
    await this.#measure(tokens[0], source);
    if (!this.#mayBatch || tokens.length < 4) return;
    for (const count of [1, 2]) if (await this.#trialBatch(tokens, count).catch(() => false)) this.#together = count === 1 ? 1 : Number.POSITIVE_INFINITY;
  }
  /** Do several tokens behind the first one give the same as all at once? Some exporters count on one. */
  async #takesMore(tokens: readonly number[], expected: Float32Array, source: Source | undefined): Promise<boolean> {
    const state = this.start(source);
    await this.forward(state, tokens.slice(0, 1), 0);
    const rows = tokens.length > 2 ? await this.forward(state, tokens.slice(1), 1) : [expected];
    freeTensors(state);
    return distance(rows[0], expected) <= (this.#form.rounded ? ROUNDED_TOLERANCE : TOLERANCE);
  }
  /** Times passes of one token and of several. */
  async #measure(token: number, source: Source | undefined): Promise<void> {
    const count = Math.min(MEASURED, this.#contextLength - 2);
    if (count < 2 || !this.canRewind) return;
    const state = this.start(source);
    await this.forward(state, [token], 0);
    const time = async (tokens: readonly number[]): Promise<number> => {
      let least = Number.POSITIVE_INFINITY;
      const late = performance.now() + MEASURE_MS;
      for (let i = 0; i < 3 && (i === 0 || performance.now() < late); i++) {
        const before = this.#computedMs;
        await this.forward(state, tokens, tokens.length);
        least = Math.min(least, this.#computedMs - before);
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
    const { batched, joint, rounded, grouped } = this.#form;
    return batched && (!this.#side || joint) && !rounded && (grouped || this.#window >= this.#contextLength);
  }
  /** Do three sequences of different lengths, the last of one token and the first of `count` more, give the same side by side as each alone? */
  async #trialBatch(tokens: readonly number[], count: number): Promise<boolean> {
    const texts = [tokens.slice(0, 2), tokens.slice(0, 3), tokens.slice(0, 1)];
    const more = texts.map((text, i) => tokens.slice(text.length, text.length + (i === 0 ? count : 1)));
    // Of other lengths than the texts.
    const sources = texts.map((text) => (this.#side ? sourceOf(tokens.slice(0, 1 + (text.length % 3))) : undefined));
    const batch = this.batch(4);
    const alone: Float32Array[] = [];
    for (const [i, text] of texts.entries()) {
      const state = this.start(sources[i]);
      await this.forward(state, text, 0);
      batch.put(state.cache, i);
      alone.push(...(await this.forward(state, more[i], 1)));
    }
    const length = Math.min(LONG, this.#contextLength - count);
    const long = this.batch(1);
    long.feed(Array.from({ length }, () => tokens[0]));
    long.append([length], this.#widths.map((width) => new Float32Array(length * width)));
    batch.put(long, 3);
    const together = await this.forwardAll(batch, more.map((each) => ({ tokens: each, wanted: 1 })), this.#side && this.join([...sources, undefined]));
    return alone.every((row, i) => distance(together[i][0], row) <= TOLERANCE);
  }

  /** `source`: what the encoder reads, where there is one. It reads it at the first pass, once for all that share it. */
  start(source?: Source): RunnerState {
    const replaced = this.#form.replaced.map(({ shape }) => new Tensor('float32', new Float32Array(sizeOf(shape)), shape));
    return { cache: this.batch(1), replaced, ...(source ? { source } : {}) };
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
  /** Milliseconds that its passes have computed so far, without what other models computed between them. */
  get computedMs(): number {
    return this.#computedMs;
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
    const { source } = state;
    if (this.#side && source) source.given ??= await this.#side.encoder.read(source.ids);
    const { outputs, logits } = await this.#run(state.cache, [{ tokens, wanted }], state.replaced, source);
    freeTensors(state);
    state.replaced = this.#form.replaced.map(({ fresh }) => outputs[fresh]);
    return wanted > 0 ? rowsOf(logits, 1, [{ tokens, wanted }])[0] : [];
  }
  /** The same for several sequences in one pass, by column; columns of which nothing is given are empty. `joint`: of what an encoder read for each, all of which had a pass of their own. */
  async forwardAll(cache: KvCache, fed: readonly (Fed | undefined)[], joint?: JointSources): Promise<Float32Array[][]> {
    const columns = Array.from({ length: cache.columns }, (_, i) => fed[i]);
    return rowsOf((await this.#run(cache, columns, [], joint)).logits, cache.columns, columns);
  }
  /** What several sequences take of their sources side by side, by column. */
  join(sources: readonly (Source | undefined)[]): JointSources {
    return joinSources(this.#form, sources);
  }

  async #run(cache: KvCache, fed: readonly (Fed | undefined)[], replaced: readonly Tensor[], from?: Source | JointSources): Promise<Passed> {
    const { session, form } = cache.longest === 0 ? (this.#side?.opening ?? this.#main) : this.#main;
    const first = cache.longest === 0;
    fed.forEach((each, column) => each && cache.feed(each.tokens, column));
    const source = from && 'ids' in from ? from : undefined;
    const feeds = feedsOf(form, cache, fed, replaced, from);
    const crossed = source && first && !source.crossed ? form.crossed : [];
    const memories = [...form.growing, ...form.carried, ...form.replaced, ...crossed].map(({ fresh }) => fresh);
    // Where places of outputs are stated, the binding wants all of them.
    const { outputs, ms } = await timedRun(session, feeds, this.resident || fed.some((each) => each && each.wanted > 0) ? [form.logits, ...memories] : memories);
    this.#computedMs += ms;
    cache.append(fed.map((each) => each?.tokens.length ?? 0), [...form.growing, ...form.carried].map(({ fresh }) => outputs[fresh].data as Float32Array));
    if (source && first) source.crossed ??= crossed.map(({ fresh }) => outputs[fresh]);
    return { outputs, logits: outputs[form.logits]?.data as Float32Array | undefined };
  }

  async close(): Promise<void> {
    await this.#main.session.release();
    await closeSide(this.#side);
  }
}
async function openSide(device: OneDevice, { threads, vocabularySize, source }: RunnerOptions, { encoder: graph, opening: first, wanted }: ModelGraphs): Promise<Side | undefined> {
  if (!graph) return undefined;
  const encoder = await SourceEncoder.open(device, graph, wanted, threads, trialTokens({ vocabularySize, source }));
  if (!first) return { encoder };
  try {
    // It is tried together with the other one.
    return { encoder, opening: await openSession(device, { file: first.file, model: first.model, threads }, { enableMemPattern: device !== 'dml', logSeverityLevel: 4 }, async (session) => ({ session, form: first.form })) };
  } catch (error) {
    await encoder.close();
    throw error;
  }
}
async function closeSide(side: Side | undefined): Promise<void> {
  await side?.encoder.close();
  await side?.opening?.session.release();
}
/** Two tokens in turns; what fills places would not be seen. */
function trialTokens({ vocabularySize, source }: Pick<RunnerOptions, 'vocabularySize' | 'source'>): readonly number[] {
  const [one, other = one] = [0, 1, 2].filter((token) => token < vocabularySize && token !== source?.padId);
  return [one, other, one, other];
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
/** Largest difference, over the largest magnitude of the second (at least 1). */
function distance(row: Float32Array, other: Float32Array): number {
  let [apart, greatest] = [0, 1];
  for (let i = 0; i < other.length; i++) {
    apart = Math.max(apart, Math.abs(row[i] - other[i]));
    greatest = Math.max(greatest, Math.abs(other[i]));
  }
  return apart / greatest;
}
