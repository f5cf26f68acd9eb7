// Owns the ONNX Runtime session of one encoder: which inputs and outputs its graph has, which device runs it, one pass over a batch.
// Refuses to know texts, pooling and scheduling. Decoders that generate are run by runner.ts.

import { DataType } from '../../model/onnx.ts';
import { OnnxFile } from '../../model/onnx-edit.ts';
import type { GraphValue } from '../../model/onnx-edit.ts';
import { graphOf, onDevice, openSession, reasonOf, Tensor } from '../onnx-session.ts';
import type { InferenceSession } from '../onnx-session.ts';
import { EngineError } from '../port.ts';
import type { Device } from '../port.ts';
import type { Row } from './tokens.ts';

/** How far apart numbers may be between a row alone and the same row in a batch, of the greatest: int8 products round by what is in the batch. */
const TOLERANCE = 0.05;

export interface EncoderSessionOptions {
  /** Path of the ONNX file. Weights in files of their own lie beside it. */
  readonly file: string;
  readonly device: Device;
  /** Threads of one pass on the CPU. */
  readonly threads: number;
  readonly vocabularySize: number;
  readonly padId: number;
  readonly firstPosition: number;
  /** Outputs that would serve, the best first. */
  readonly outputs: readonly string[];
  readonly note?: (message: string) => void;
}
/** What a pass gives: [rows, width], or [rows, longest, width] with a vector for each token. */
export interface Outputs {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly longest: number;
}
type Whole = 'int64' | 'int32';
interface Form {
  readonly model?: Uint8Array;
  /** Input names by purpose. */
  readonly inputs: ReadonlyMap<Purpose, { readonly name: string; readonly type: Whole }>;
  /** Caches of a decoder, which stay empty: [batch, heads, 0, size]. */
  readonly pasts: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  /** An input that says whether the caches are used. */
  readonly cached?: string;
  readonly output: string;
  readonly perToken: boolean;
}
type Purpose = 'ids' | 'mask' | 'segments' | 'positions';
const PURPOSES: Readonly<Record<string, Purpose>> = { input_ids: 'ids', attention_mask: 'mask', token_type_ids: 'segments', position_ids: 'positions' };


/** Reads what the graph takes and gives; half precision is cast at its border, because the Node binding cannot carry it. Throws EngineError `model_invalid`. */
function formOf(bytes: Uint8Array, file: string, wanted: readonly string[]): Form {
  const wrong = (what: string): EngineError => new EngineError('model_invalid', `${file}: ${what}. Pharos runs encoder graphs with input_ids [batch, n], optionally attention_mask, token_type_ids, position_ids, and one of the outputs ${wanted.join(', ')}`);
  let graph: OnnxFile;
  try {
    graph = new OnnxFile(bytes);
  } catch (error) {
    throw new EngineError('model_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const inputs = new Map<Purpose, { name: string; type: Whole }>();
  const pasts: { name: string; shape: readonly (number | string)[] }[] = [];
  let [cached, edited]: [string | undefined, boolean] = [undefined, false];
  for (const { name, type, shape } of Array.from(graph.inputs)) {
    const purpose = PURPOSES[name];
    if (purpose) {
      if (type !== DataType.int64 && type !== DataType.int32) throw wrong(`the input ${name} must be int64 or int32`);
      inputs.set(purpose, { name, type: type === DataType.int64 ? 'int64' : 'int32' });
    } else if (name === 'use_cache_branch' && type === DataType.bool) cached = name;
    else if (name.startsWith('past_') && shape?.length === 4 && (type === DataType.float || type === DataType.float16)) {
      if (type === DataType.float16) {
        graph.replaceInput(name, { name: `${name}.float`, type: DataType.float, shape });
        graph.add('front', 'Cast', [`${name}.float`], { to: DataType.float16 }, name);
        edited = true;
      }
      pasts.push({ name: type === DataType.float16 ? `${name}.float` : name, shape });
    } else throw wrong(`the input ${name} is not known`);
  }
  if (!inputs.has('ids')) throw wrong('the graph has no input input_ids');
  const serves = ({ type, shape }: GraphValue): boolean => (type === DataType.float || type === DataType.float16) && (shape === undefined || shape.length === 2 || shape.length === 3);
  const found = wanted.map((name) => graph.outputs.find((output) => output.name === name)).find((output) => output && serves(output));
  if (!found) throw wrong(`the graph gives ${graph.outputs.slice(0, 8).map(({ name }) => name).join(', ')}`);
  let output = found.name;
  if (found.type === DataType.float16) {
    output = graph.add('behind', 'Cast', [found.name], { to: DataType.float });
    graph.replaceOutput(found.name, { name: output, type: DataType.float, shape: found.shape });
    edited = true;
  }
  return { ...(edited ? { model: graph.finish() } : {}), inputs, pasts, cached, output, perToken: found.shape?.length === 3 };
}

export class EncoderSession {
  /** Execution provider in use. */
  readonly device: string;
  /** Name of the output that is read. */
  readonly output: string;
  readonly #session: InferenceSession;
  readonly #form: Form;
  readonly #options: EncoderSessionOptions;
  #alone = false;
  #width = 0;

  private constructor(session: InferenceSession, form: Form, device: string, options: EncoderSessionOptions) {
    this.#session = session;
    this.#form = form;
    this.#options = options;
    this.device = device;
    this.output = form.output;
  }
  /** Numbers of one vector. */
  get width(): number {
    return this.#width;
  }
  /** It gives a vector for each token. */
  get perToken(): boolean {
    return this.#form.perToken;
  }
  /** The graph takes one text at a time, or gives other numbers when there are several. */
  get alone(): boolean {
    return this.#alone;
  }

  /**
   * Loads the graph on a device and tries it with rows of two lengths. `auto` falls back to the CPU and notes why; a device asked for by name that is not there, or fails the trial, is
   * EngineError `device_unavailable`; a graph of another form is `model_invalid`.
   */
  static async open(options: EncoderSessionOptions): Promise<EncoderSession> {
    const { bytes, whole } = graphOf(options.file);
    const form = formOf(bytes, options.file, options.outputs);
    return onDevice(options, (device) =>
      openSession(device, { file: options.file, model: form.model ?? (whole ? undefined : bytes), threads: options.threads }, { enableMemPattern: false, logSeverityLevel: 3 }, async (session) => {
        const encoder = new EncoderSession(session, form, device, options);
        await encoder.#trial();
        return encoder;
      }),
    );
  }

  /** A row alone, and the same row padded beside a longer one, must come to the same; where they do not, rows go alone. */
  async #trial(): Promise<void> {
    const row = (length: number): Row => {
      const ids = Array.from({ length }, (_, i) => Math.min(i + 1, this.#options.vocabularySize - 1));
      return { ids, segments: ids.map(() => 0), skip: 0 };
    };
    const single = await this.run([row(3)]);
    const width = single.shape[single.shape.length - 1];
    if (single.shape.length !== (this.perToken ? 3 : 2) || single.shape[0] !== 1 || single.data.length !== width * (this.perToken ? 3 : 1)) throw new Error(`the output ${this.output} has the shape [${single.shape.join(', ')}] for one text of 3 tokens`);
    if (!single.data.every(Number.isFinite)) throw new Error('a trial run gave numbers that are not finite');
    this.#width = width;
    const both = await this.run([row(3), row(5)]).catch(() => undefined);
    const greatest = single.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const apart = both ? single.data.reduce((most, value, i) => Math.max(most, Math.abs(value - both.data[i])), 0) : Infinity;
    if (!(apart <= TOLERANCE * Math.max(1e-6, greatest))) {
      this.#alone = true;
      this.#options.note?.(both ? 'texts go through the model one at a time, because its graph gives other numbers for padded ones' : 'texts go through the model one at a time, because its graph takes no several');
    }
  }

  /** One pass over rows of at least one token each; the shorter ones are padded behind. */
  async run(rows: readonly Row[]): Promise<Outputs> {
    const { inputs, pasts, cached, output } = this.#form;
    const { padId, firstPosition } = this.#options;
    const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    const values: Readonly<Record<Purpose, (row: Row, i: number) => number>> = {
      ids: ({ ids }, i) => ids[i] ?? padId,
      mask: ({ ids }, i) => (i < ids.length ? 1 : 0),
      segments: ({ segments }, i) => segments[i] ?? 0,
      positions: ({ ids }, i) => (i < ids.length ? firstPosition + i : Math.max(0, firstPosition - 1)),
    };
    const feeds: Record<string, Tensor> = {};
    for (const [purpose, { name, type }] of inputs) feeds[name] = whole(type, rows, longest, values[purpose]);
    for (const { name, shape } of pasts) {
      const sizes = shape.map((size, i) => (typeof size === 'number' ? size : i === 0 ? rows.length : 0));
      feeds[name] = new Tensor('float32', new Float32Array(0), sizes);
    }
    if (cached !== undefined) feeds[cached] = new Tensor('bool', [false], [1]);
    const result = (await this.#session.run(feeds, [output]))[output];
    return { data: result.data as Float32Array, shape: result.dims, longest };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function whole(type: Whole, rows: readonly Row[], longest: number, value: (row: Row, i: number) => number): Tensor {
  const shape = [rows.length, longest];
  if (type === 'int32') {
    const data = new Int32Array(rows.length * longest);
    for (const [r, row] of rows.entries()) for (let i = 0; i < longest; i++) data[r * longest + i] = value(row, i);
    return new Tensor('int32', data, shape);
  }
  const data = new BigInt64Array(rows.length * longest);
  for (const [r, row] of rows.entries()) for (let i = 0; i < longest; i++) data[r * longest + i] = BigInt(value(row, i));
  return new Tensor('int64', data, shape);
}
