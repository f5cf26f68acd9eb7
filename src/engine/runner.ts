// Owns the ONNX Runtime session of one model: which device runs it, what its graph must look like, one forward pass.
// Refuses to know sampling, scheduling and text. The only file of the engine that imports onnxruntime-node.

import * as ort from 'onnxruntime-node';
import { KvCache } from './kv-cache.ts';
import { EngineError } from './port.ts';
import type { Device } from './port.ts';

/** What `auto` tries before the CPU, in this order. WebGPU is left to those who ask for it: it is listed on machines that have no adapter at all. */
const AUTOMATIC = ['cuda', 'dml', 'coreml'] as const;

export interface RunnerOptions {
  /** Path of the ONNX file. */
  readonly file: string;
  readonly device: Device;
  /** Threads of one forward pass on the CPU. */
  readonly threads: number;
  /** Tokens of the longest sequence. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly layers: number;
  /** Told when `auto` does not get an accelerator, and why. */
  readonly note?: (message: string) => void;
}

/** What the model remembers of one sequence. */
export interface RunnerState {
  readonly cache: KvCache;
  /** `past_shift.i` of the next pass, [1, width] each. */
  shifts: ort.Tensor[];
}

interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly width: number;
  /** Width of `past_pointer`; absent in graphs without a pointer. */
  readonly pointer?: number;
}

// Every failure comes back as an exception; without this, ONNX Runtime also prints the ones that `auto` expects.
ort.env.logLevel = 'fatal';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];

/** Reads the graph's form from the session's own description. Throws EngineError `model_invalid` that says which input or output is not as it must be. */
function readShape(session: ort.InferenceSession, options: RunnerOptions): Shape {
  const wrong = (what: string): never => {
    throw new EngineError(
      'model_invalid',
      `${options.file}: ${what}. Pharos runs decoder graphs with inputs input_ids int64 [1, n] and per layer past_key.i, past_value.i float32 [P, heads, head_dim], past_shift.i float32 [1, width], ` +
        'and outputs logits [1, vocabulary], new_key.i, new_value.i, new_shift.i; those that point at tokens also have past_pointer float32 [P, size], past_ids int64 [P] and new_pointer',
    );
  };
  const describe = (list: readonly ort.InferenceSession.ValueMetadata[], kind: string, name: string, type: string, rank: number): readonly (number | string)[] => {
    const found = list.find((item) => item.name === name);
    if (!found) return wrong(`the graph has no ${kind} ${name}`);
    if (!found.isTensor || found.type !== type || found.shape.length !== rank)
      return wrong(`${kind} ${name} must be ${type} with ${rank} dimensions, is ${found.isTensor ? `${found.type} [${found.shape.join(', ')}]` : 'no tensor'}`);
    return found.shape;
  };
  const fixed = (value: number | string, what: string): number => (typeof value === 'number' && value > 0 ? value : wrong(`${what} must be a fixed number, is ${value}`));

  describe(session.inputMetadata, 'input', 'input_ids', 'int64', 2);
  const [, heads, headSize] = describe(session.inputMetadata, 'input', 'past_key.0', 'float32', 3);
  const [, width] = describe(session.inputMetadata, 'input', 'past_shift.0', 'float32', 2);
  const points = session.inputNames.includes('past_pointer');
  const pointer = points ? fixed(describe(session.inputMetadata, 'input', 'past_pointer', 'float32', 2)[1], 'the width of past_pointer') : undefined;
  if (points) {
    describe(session.inputMetadata, 'input', 'past_ids', 'int64', 1);
    const size = describe(session.outputMetadata, 'output', 'new_pointer', 'float32', 2)[1];
    if (size !== pointer) wrong(`past_pointer and new_pointer must be of one width, are ${pointer} and ${size} wide`);
  }
  const shape: Shape = { layers: options.layers, heads: fixed(heads, 'the number of heads'), headSize: fixed(headSize, 'the head size'), width: fixed(width, 'the width of past_shift'), pointer };
  for (let i = 0; i < shape.layers; i++) {
    for (const [kind, list, names] of [
      ['input', session.inputMetadata, [`past_key.${i}`, `past_value.${i}`]],
      ['output', session.outputMetadata, [`new_key.${i}`, `new_value.${i}`]],
    ] as const) {
      for (const name of names) {
        const [, itsHeads, itsSize] = describe(list, kind, name, 'float32', 3);
        if (itsHeads !== shape.heads || itsSize !== shape.headSize) wrong(`${kind} ${name} must have ${shape.heads} heads of ${shape.headSize}, has ${itsHeads} of ${itsSize}`);
      }
    }
    const shifts = [describe(session.inputMetadata, 'input', `past_shift.${i}`, 'float32', 2)[1], describe(session.outputMetadata, 'output', `new_shift.${i}`, 'float32', 2)[1]];
    if (shifts.some((size) => size !== shape.width)) wrong(`past_shift.${i} and new_shift.${i} must be ${shape.width} wide, are ${shifts.join(' and ')}`);
  }
  const inputs = 1 + 3 * shape.layers + (points ? 2 : 0);
  if (session.inputNames.length !== inputs) wrong(`config.json says ${shape.layers} layers (${inputs} inputs), the graph has ${session.inputNames.length} inputs`);
  const vocabulary = describe(session.outputMetadata, 'output', 'logits', 'float32', 2)[1];
  if (vocabulary !== options.vocabularySize) wrong(`config.json says a vocabulary of ${options.vocabularySize}, logits has ${vocabulary}`);
  return shape;
}

export class Runner {
  /** Execution provider in use. */
  readonly device: string;
  readonly #session: ort.InferenceSession;
  readonly #shape: Shape;
  readonly #contextLength: number;
  /** What grows by a row a token: its part of the names, `past_` or `new_` before it, and the shape of a row. */
  readonly #growing: readonly { readonly name: string; readonly row: readonly number[] }[];
  readonly #cacheOutputs: readonly string[];
  readonly #allOutputs: readonly string[];

  private constructor(session: ort.InferenceSession, shape: Shape, device: string, contextLength: number) {
    this.#session = session;
    this.#shape = shape;
    this.device = device;
    this.#contextLength = contextLength;
    const layers = Array.from({ length: shape.layers }, (_, i) => i);
    this.#growing = [
      ...layers.flatMap((i) => [`key.${i}`, `value.${i}`].map((name) => ({ name, row: [shape.heads, shape.headSize] }))),
      ...(shape.pointer === undefined ? [] : [{ name: 'pointer', row: [shape.pointer] }]),
    ];
    this.#cacheOutputs = [...this.#growing.map(({ name }) => `new_${name}`), ...layers.map((i) => `new_shift.${i}`)];
    this.#allOutputs = ['logits', ...this.#cacheOutputs];
  }

  /**
   * Loads the graph on a device and tries it with three tokens. `auto` falls back to the CPU and notes why; a device asked for by name that is not there, or fails the
   * trial, is EngineError `device_unavailable`; a graph of another form is `model_invalid`.
   */
  static async open(options: RunnerOptions): Promise<Runner> {
    const listed = new Set(ort.listSupportedBackends().map(({ name }) => name));
    if (options.device !== 'auto') {
      if (!listed.has(options.device)) throw new EngineError('device_unavailable', `device ${options.device} is not in this build of ONNX Runtime; it has: ${[...listed].join(', ')}`);
      return Runner.#on(options.device, options);
    }
    const reasons: string[] = [];
    for (const device of AUTOMATIC) {
      if (!listed.has(device)) continue;
      try {
        return await Runner.#on(device, options);
      } catch (error) {
        if (error instanceof EngineError && error.code === 'model_invalid') throw error;
        reasons.push(reasonOf(error));
      }
    }
    options.note?.(reasons.length > 0 ? `running on cpu: ${reasons.join('; ')}` : 'running on cpu: ONNX Runtime lists no accelerator for this machine');
    return Runner.#on('cpu', options);
  }

  static async #on(device: Exclude<Device, 'auto'>, options: RunnerOptions): Promise<Runner> {
    const unusable = (error: unknown): EngineError =>
      device === 'cpu'
        ? new EngineError('model_invalid', `${options.file} cannot be run: ${reasonOf(error)}`, { cause: error })
        : new EngineError('device_unavailable', `device ${device} cannot run ${options.file}: ${reasonOf(error)}`, { cause: error });
    let session: ort.InferenceSession;
    try {
      session = await ort.InferenceSession.create(options.file, {
        executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        enableMemPattern: device !== 'dml',
        logSeverityLevel: 3,
      });
    } catch (error) {
      throw unusable(error);
    }
    try {
      const runner = new Runner(session, readShape(session, options), device, options.contextLength);
      await runner.#trial().catch((error: unknown) => {
        throw unusable(error);
      });
      return runner;
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** Two tokens at once and one more, so that both ways through the graph have run. */
  async #trial(): Promise<void> {
    const state = this.start();
    for (const tokens of [[0, 0], [0]].slice(0, Math.max(1, Math.min(2, this.#contextLength - 1)))) {
      const logits = await this.forward(state, tokens, true);
      if (!logits?.every(Number.isFinite)) throw new Error('a trial run gave logits that are not finite numbers');
    }
  }

  start(): RunnerState {
    const { layers, width } = this.#shape;
    const widths = this.#growing.map(({ row }) => row.reduce((size, part) => size * part, 1));
    return { cache: new KvCache(widths, this.#contextLength), shifts: Array.from({ length: layers }, () => new ort.Tensor('float32', new Float32Array(width), [1, width])) };
  }

  /** Feeds `tokens` after what `state` has seen and lets `state` see them. Returns the logits [vocabulary] of the last one, if asked for. */
  async forward(state: RunnerState, tokens: readonly number[], wantLogits: boolean): Promise<Float32Array | undefined> {
    const { cache } = state;
    const feeds: Record<string, ort.Tensor> = { input_ids: new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]) };
    this.#growing.forEach(({ name, row }, i) => {
      feeds[`past_${name}`] = new ort.Tensor('float32', cache.rows(i), [cache.length, ...row]);
    });
    state.shifts.forEach((shift, i) => {
      feeds[`past_shift.${i}`] = shift;
    });
    if (this.#shape.pointer !== undefined) feeds['past_ids'] = new ort.Tensor('int64', cache.tokens, [cache.length]);
    const outputs = await this.#session.run(feeds, wantLogits ? this.#allOutputs : this.#cacheOutputs);
    cache.append(tokens, this.#growing.map(({ name }) => outputs[`new_${name}`].data as Float32Array));
    state.shifts = state.shifts.map((_, i) => outputs[`new_shift.${i}`]);
    return wantLogits ? (outputs['logits'].data as Float32Array) : undefined;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
