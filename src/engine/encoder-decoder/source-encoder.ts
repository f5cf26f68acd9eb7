// Owns the session of the encoder beside a decoder: what its graph takes and gives, and the reading of one text.
// Refuses to know what the decoder makes of it, and who asks.

import { DataType } from '../../model/onnx.ts';
import { OnnxFile } from '../../model/onnx-edit.ts';
import type { Whole, WholeInput } from '../decoder/graph-form.ts';
import { graphOf, openSession, reasonOf, Tensor } from '../onnx-session.ts';
import type { InferenceSession, OneDevice } from '../onnx-session.ts';
import { EngineError } from '../port.ts';

/** Graph of an encoder, read and not yet opened. */
export interface SourceGraph {
  readonly file: string;
  /** Absent: the file is opened as it stands. */
  readonly model: Uint8Array | undefined;
  readonly ids: WholeInput;
  readonly mask: WholeInput | undefined;
  /** What it gives, as the session calls it, by the names that the graph had. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** Reads what the graph takes and gives; half precision is cast at its border, because the Node binding cannot carry it. Throws EngineError `model_invalid`. */
export function sourceGraph(file: string): SourceGraph {
  const wrong = (what: string): EngineError =>
    new EngineError(
      'model_invalid',
      `${file}: ${what}. Pharos runs encoders of text, with input_ids [batch, n] and optionally attention_mask, beside their decoders`,
    );
  const { bytes, whole } = graphOf(file);
  let graph: OnnxFile;
  try {
    graph = new OnnxFile(bytes);
  } catch (error) {
    throw new EngineError('model_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const inputs = new Map<string, WholeInput>();
  for (const { name, type } of graph.inputs) {
    if (name !== 'input_ids' && name !== 'attention_mask') throw wrong(`the input ${name} is not known here`);
    const known: Whole | undefined = type === DataType.int64 ? 'int64' : type === DataType.int32 ? 'int32' : undefined;
    if (!known) throw wrong(`the input ${name} must hold whole numbers (int64 or int32)`);
    inputs.set(name, { name, type: known });
  }
  const ids = inputs.get('input_ids');
  if (!ids) throw wrong('the graph has no input input_ids');
  const outputs = new Map<string, string>();
  for (const { name, type, shape } of Array.from(graph.outputs)) {
    if (type === DataType.float16) {
      const cast = graph.add('behind', 'Cast', [name], { to: DataType.float });
      graph.replaceOutput(name, { name: cast, type: DataType.float, shape });
      outputs.set(name, cast);
    } else if (type === DataType.float) outputs.set(name, name);
  }
  const edited = [...outputs].some(([name, given]) => name !== given);
  return { file, model: edited ? graph.finish() : whole ? undefined : bytes, ids, mask: inputs.get('attention_mask'), outputs };
}

export class SourceEncoder {
  readonly #session: InferenceSession;
  readonly #graph: SourceGraph;
  readonly #wanted: readonly string[];

  private constructor(session: InferenceSession, graph: SourceGraph, wanted: readonly string[]) {
    this.#session = session;
    this.#graph = graph;
    this.#wanted = wanted;
  }
  /** `wanted`: outputs that are read, of those that the graph has. `trial`: a text with which it is tried. Throws EngineError `model_invalid` or `device_unavailable`. */
  static async open(device: OneDevice, graph: SourceGraph, wanted: readonly string[], threads: number, trial: readonly number[]): Promise<SourceEncoder> {
    return openSession(device, { file: graph.file, model: graph.model, threads }, { enableMemPattern: false, logSeverityLevel: 4 }, async (session) => {
      const encoder = new SourceEncoder(session, graph, wanted);
      for (const [name, { data }] of Object.entries(await encoder.read(trial)))
        if (!(data as Float32Array).every(Number.isFinite)) throw new Error(`a trial run gave numbers in ${name} that are not finite`);
      return encoder;
    });
  }

  /** One pass over a text of at least one token. The outputs that are wanted, by the graph's own names. */
  async read(ids: readonly number[]): Promise<Readonly<Record<string, Tensor>>> {
    const { ids: input, mask, outputs } = this.#graph;
    const feeds: Record<string, Tensor> = { [input.name]: row(input, ids) };
    if (mask) feeds[mask.name] = ones(mask, ids.length);
    const names = this.#wanted.map((name) => outputs.get(name) ?? name);
    const given = await this.#session.run(feeds, names);
    return Object.fromEntries(this.#wanted.map((name, i) => [name, given[names[i]]]));
  }
  async close(): Promise<void> {
    await this.#session.release();
  }
}

const row = ({ type }: WholeInput, ids: readonly number[]): Tensor =>
  type === 'int64' ? new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]) : new Tensor('int32', Int32Array.from(ids), [1, ids.length]);
/** Every token of a text is seen: [1, length]. */
export const ones = (input: WholeInput, length: number): Tensor =>
  row(
    input,
    Array.from({ length }, () => 1),
  );
