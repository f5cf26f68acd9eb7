// Owns the ONNX Runtime session of one model: which device runs it, one forward pass.
// Refuses to know sampling, scheduling and text, and the forms that graphs come in. The only file of the engine that imports onnxruntime-node.

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as ort from 'onnxruntime-node';
import { graphForm } from './graph-form.ts';
import type { GraphForm, StatedNames, WholeInput } from './graph-form.ts';
import { KvCache } from './kv-cache.ts';
import { EngineError } from './port.ts';
import type { Device } from './port.ts';

/** What `auto` tries before the CPU, in this order. WebGPU is left to those who ask for it: it is listed on machines that have no adapter at all. */
const AUTOMATIC = ['cuda', 'dml', 'coreml'] as const;

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
  /** Told when `auto` does not get an accelerator, and why. */
  readonly note?: (message: string) => void;
}

/** What the model remembers of one sequence. */
export interface RunnerState {
  readonly cache: KvCache;
  /** What is replaced at each pass, in the form's order. */
  replaced: ort.Tensor[];
}

// Every failure comes back as an exception; without this, ONNX Runtime also prints the ones that `auto` expects.
ort.env.logLevel = 'fatal';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
const size = (shape: readonly number[]): number => shape.reduce((product, part) => product * part, 1);
/** How far apart logits may be in the trial of a graph, of the greatest of them: half precision and int8 products round coarsely. */
const TOLERANCE = 0.05;

export class Runner {
  /** Execution provider in use. */
  readonly device: string;
  /** Logits that a pass gives: those of the vocabulary, and where a graph was padded, more. */
  readonly logits: number;
  readonly #session: ort.InferenceSession;
  readonly #form: GraphForm;
  readonly #contextLength: number;
  /** Numbers per token of what grows. */
  readonly #widths: readonly number[];
  readonly #cacheOutputs: readonly string[];
  readonly #allOutputs: readonly string[];

  private constructor(session: ort.InferenceSession, form: GraphForm, device: string, { contextLength, vocabularySize }: RunnerOptions) {
    this.#session = session;
    this.#form = form;
    this.device = device;
    this.#contextLength = contextLength;
    this.logits = form.vocabulary ?? vocabularySize;
    this.#widths = form.growing.map(({ shape }) => size(shape));
    this.#cacheOutputs = [...form.growing, ...form.replaced].map(({ fresh }) => fresh);
    this.#allOutputs = [form.logits, ...this.#cacheOutputs];
  }

  /**
   * Loads the graph on a device and tries it with three tokens. `auto` falls back to the CPU and notes why; a device asked for by name that is not there, or fails the
   * trial, is EngineError `device_unavailable`; a graph that cannot be brought into the form of graph-form.ts is `model_invalid`.
   */
  static async open(options: RunnerOptions): Promise<Runner> {
    const { file, names, vocabularySize } = options;
    const bytes = await readFile(file).catch((error: unknown) => {
      throw new EngineError('model_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
    });
    // First with a head that sees the last position alone; graphs in which that place is not what it seems are run without.
    const form = graphForm(bytes, file, names);
    if (form.vocabulary !== undefined && form.vocabulary < vocabularySize) throw new EngineError('model_invalid', `${file}: config.json says a vocabulary of ${vocabularySize}, the logits have ${form.vocabulary}`);
    const listed = new Set(ort.listSupportedBackends().map(({ name }) => name));
    const on = async (device: Exclude<Device, 'auto'>): Promise<Runner> => {
      try {
        return await Runner.#on(device, options, form);
      } catch (error) {
        if (form.model === undefined) throw error;
        const plain = graphForm(bytes, file, names, false);
        return Runner.#on(device, options, plain).catch(() => {
          throw error;
        });
      }
    };
    if (options.device !== 'auto') {
      if (!listed.has(options.device)) throw new EngineError('device_unavailable', `device ${options.device} is not in this build of ONNX Runtime; it has: ${[...listed].join(', ')}`);
      return on(options.device);
    }
    const reasons: string[] = [];
    for (const device of AUTOMATIC) {
      if (!listed.has(device)) continue;
      try {
        return await on(device);
      } catch (error) {
        if (error instanceof EngineError && error.code === 'model_invalid') throw error;
        reasons.push(reasonOf(error));
      }
    }
    options.note?.(reasons.length > 0 ? `running on cpu: ${reasons.join('; ')}` : 'running on cpu: ONNX Runtime lists no accelerator for this machine');
    return on('cpu');
  }

  static async #on(device: Exclude<Device, 'auto'>, options: RunnerOptions, form: GraphForm): Promise<Runner> {
    const unusable = (error: unknown): EngineError =>
      device === 'cpu'
        ? new EngineError('model_invalid', `${options.file} cannot be run: ${reasonOf(error)}`, { cause: error })
        : new EngineError('device_unavailable', `device ${device} cannot run ${options.file}: ${reasonOf(error)}`, { cause: error });
    const settings: ort.InferenceSession.SessionOptions = {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableMemPattern: device !== 'dml',
      logSeverityLevel: 3,
      // A graph that was edited has no place of its own beside which to look for weights.
      ...(form.model ? { extra: { session: { model_external_initializers_file_folder_path: dirname(options.file) } } } : {}),
    };
    let session: ort.InferenceSession;
    try {
      session = await (form.model ? ort.InferenceSession.create(form.model, settings) : ort.InferenceSession.create(options.file, settings));
    } catch (error) {
      throw unusable(error);
    }
    try {
      const runner = new Runner(session, form, device, options);
      await runner.#trial(options.vocabularySize).catch((error: unknown) => {
        throw unusable(error);
      });
      return runner;
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** Three tokens at once, and one after the other: both ways through the graph run, and must come to the same, or what is remembered is not what the graph reads. */
  async #trial(vocabulary: number): Promise<void> {
    const tokens = [0, 1, 0].map((token) => Math.min(token, vocabulary - 1)).slice(0, Math.max(1, this.#contextLength - 1));
    const [whole, parts] = [this.start(), this.start()];
    const logits = await this.forward(whole, tokens, true);
    let last: Float32Array | undefined;
    for (const token of tokens) last = await this.forward(parts, [token], true);
    if (!logits || !last || logits.length < vocabulary) throw new Error(`the graph gave ${logits?.length ?? 'no'} logits for a vocabulary of ${vocabulary}`);
    if (!logits.every(Number.isFinite) || !last.every(Number.isFinite)) throw new Error('a trial run gave logits that are not finite numbers');
    const other = last;
    const greatest = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const apart = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0);
    if (apart > TOLERANCE * Math.max(1, greatest)) throw new Error(`three tokens give other logits at once than one after the other (${apart} apart, the greatest is ${greatest})`);
  }

  start(): RunnerState {
    const replaced = this.#form.replaced.map(({ shape }) => new ort.Tensor('float32', new Float32Array(size(shape)), shape));
    return { cache: new KvCache(this.#widths, this.#contextLength), replaced };
  }

  /** Feeds `tokens` after what `state` has seen and lets `state` see them. Returns the logits [vocabulary] of the last one, if asked for. */
  async forward(state: RunnerState, tokens: readonly number[], wantLogits: boolean): Promise<Float32Array | undefined> {
    const { cache } = state;
    const form = this.#form;
    const [count, past] = [tokens.length, cache.length];
    const feeds: Record<string, ort.Tensor> = { [form.ids.name]: whole(form.ids, count, (i) => tokens[i]) };
    if (form.positions) feeds[form.positions.name] = whole(form.positions, count, (i) => past + i);
    if (form.mask) feeds[form.mask.name] = whole(form.mask, past + count, () => 1);
    if (form.types) feeds[form.types.name] = whole(form.types, count, () => 0);
    if (form.wanted) feeds[form.wanted.name] = whole(form.wanted, 1, () => 1, form.wanted.scalar ? [] : [1]);
    if (form.cached) feeds[form.cached] = new ort.Tensor('bool', [past > 0], [1]);
    if (form.pastIds !== undefined) feeds[form.pastIds] = new ort.Tensor('int64', cache.tokens, [past]);
    form.growing.forEach(({ past: name, shape }, i) => {
      feeds[name] = new ort.Tensor('float32', cache.rows(i), [past, ...shape]);
    });
    form.replaced.forEach(({ past: name }, i) => {
      feeds[name] = state.replaced[i];
    });
    const outputs = await this.#session.run(feeds, wantLogits ? this.#allOutputs : this.#cacheOutputs);
    cache.append(tokens, form.growing.map(({ fresh }) => outputs[fresh].data as Float32Array));
    state.replaced = form.replaced.map(({ fresh }) => outputs[fresh]);
    return wantLogits ? (outputs[form.logits].data as Float32Array) : undefined;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function whole({ type }: Pick<WholeInput, 'type'>, count: number, value: (i: number) => number, shape: readonly number[] = [1, count]): ort.Tensor {
  return type === 'int64' ? new ort.Tensor('int64', BigInt64Array.from({ length: count }, (__, i) => BigInt(value(i))), shape) : new ort.Tensor('int32', Int32Array.from({ length: count }, (__, i) => value(i)), shape);
}
