// Owns turning a checkpoint into a model folder, a tensor at a time: what is asked of the checkpoint, the graph with its weights beside it, the files that go along.
// Refuses to know families, file formats and terminals.

import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Storage } from '../decoder-parts.ts';
import type { Architecture } from './architecture.ts';
import { CheckpointError, sizeOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ExternalData } from './external-data.ts';
import { bytesOf, parameterCount } from './plan.ts';
import { openSource } from './source.ts';
import type { SourceOptions } from './source.ts';

export interface ImportOptions extends SourceOptions {
  /** A folder of Hugging Face, or a checkpoint of llama2.c. */
  readonly from: string;
  /** A folder that is not there yet. */
  readonly out: string;
  readonly storage: Storage;
  /** Called when a layer is written. */
  readonly onLayer?: (layer: LayerReport, layers: number) => void;
}
export interface LayerReport {
  readonly layer: number;
  /** Of its weights, as they are stored. */
  readonly bytes: number;
  /** What quantisation took of its matrices: the root mean square of the error over that of the weights; of all of them together, and of the worst. Undefined where nothing was quantised. */
  readonly lost?: { readonly all: number; readonly worst: number; readonly name: string };
}
export interface ImportReport {
  readonly parameters: number;
  readonly contextLength: number;
  readonly layers: readonly LayerReport[];
  /** The same of embedding and head. */
  readonly outside: readonly { readonly name: string; readonly lost: number }[];
  readonly read: number;
  readonly written: number;
  /** Most memory that the process had at any time, in bytes. */
  readonly peak: number;
  readonly seconds: number;
}

/** Throws CheckpointError; nothing is left in `out` then. */
export function importModel(options: ImportOptions): ImportReport {
  const { from, storage } = options;
  // Without a slash at its end.
  const out = resolve(options.out);
  const started = performance.now();
  if (existsSync(out)) throw new CheckpointError('arguments_invalid', `${options.out} is there already; remove it or say another folder with --out`);
  const { architecture, checkpoint, config, files } = openSource(from, options);
  if (!checkpoint) throw new CheckpointError('arguments_invalid', 'a plan has no weights to import');
  const partial = `${out}.partial`;
  try {
    checkTensors(architecture, checkpoint, from, options.ignore ?? []);
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(join(partial, 'onnx'), { recursive: true });
    const built = write(join(partial, 'onnx'), architecture, checkpoint, storage, options.onLayer);
    for (const [name, content] of files) writeFileSync(join(partial, name), content);
    const parameters = parameterCount(architecture);
    const { n_positions: _, n_ctx: __, quantization_config: ___, ...kept } = config;
    writeFileSync(join(partial, 'config.json'), `${JSON.stringify({ ...kept, max_position_embeddings: architecture.contextLength, num_parameters: parameters }, null, 2)}\n`);
    const written = ['model.onnx', 'model.onnx_data'].reduce((sum, name) => sum + statSync(join(partial, 'onnx', name)).size, 0);
    renameSync(partial, out);
    return { ...built, parameters, contextLength: architecture.contextLength, read: checkpoint.bytes, written, peak: process.resourceUsage().maxRSS * 1024, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  } finally {
    checkpoint.close();
  }
}

/** Every parameter must be there in its shape, and nothing must be left over: what is not read would be missing from the sum. */
function checkTensors(architecture: Architecture, checkpoint: Checkpoint, from: string, ignore: readonly string[]): void {
  const expected = new Set<string>();
  for (const parameter of architecture.parameters) {
    const { name, shape } = architecture.source(parameter);
    expected.add(name);
    const found = checkpoint.shapeOf(name);
    if (!found) throw new CheckpointError('checkpoint_invalid', `${from} has no tensor ${name}, which its configuration asks for with the shape [${shape.join(', ')}]`);
    if (sizeOf(found) !== sizeOf(shape) || found.join() !== shape.join()) throw new CheckpointError('checkpoint_invalid', `${from}: ${name} has the shape [${found.join(', ')}], and its configuration asks for [${shape.join(', ')}]`);
  }
  const left = checkpoint.names.filter((name) => !expected.has(name) && !architecture.isNeedless(name) && !ignore.includes(name));
  if (left.length > 0) throw new CheckpointError('checkpoint_unsupported', `${from}: the tensors ${left.slice(0, 4).join(', ')}${left.length > 4 ? ` and ${left.length - 4} more` : ''} have no place in a model of type ${architecture.type}; leave them out with --ignore NAME if they are not needed`);
}

function write(folder: string, architecture: Architecture, checkpoint: Checkpoint, storage: Storage, onLayer: ImportOptions['onLayer']): Pick<ImportReport, 'layers' | 'outside'> {
  const data = new ExternalData(join(folder, 'model.onnx_data'));
  const byName = new Map(architecture.parameters.map((parameter) => [parameter.name, parameter]));
  const layers: LayerReport[] = [];
  const outside: { name: string; lost: number }[] = [];
  let current: number | undefined;
  let losses: { name: string; error: number }[] = [];
  /** Parameters are asked for layer by layer: the first of another one says that a layer is done. */
  const enter = (layer: number | undefined): void => {
    if (layer === current) return;
    if (current !== undefined) {
      const worst = losses.reduce((a, b) => (b.error > a.error ? b : a), { name: '', error: -1 });
      const all = Math.sqrt(losses.reduce((sum, { error }) => sum + error ** 2, 0) / losses.length);
      const own = architecture.parameters.filter(({ name }) => architecture.layerOf(name) === current);
      const report = { layer: current, bytes: own.reduce((sum, parameter) => sum + bytesOf(architecture, parameter, storage), 0), ...(losses.length > 0 ? { lost: { all, worst: worst.error, name: worst.name } } : {}) };
      layers.push(report);
      onLayer?.(report, architecture.layers);
    }
    [current, losses] = [layer, []];
  };
  try {
    const model = architecture.build({
      weights: (name, from, to) => {
        const parameter = byName.get(name);
        if (!parameter) throw new RangeError(`${name} is no parameter of this model`);
        enter(architecture.layerOf(name));
        // What is adjusted must be there as a whole.
        const adjust = architecture.adjust?.(parameter);
        const values = adjust ? checkpoint.read(architecture.source(parameter).name) : checkpoint.read(architecture.source(parameter).name, from, to);
        if (!allFinite(values)) throw new CheckpointError('checkpoint_invalid', `${name} holds numbers that are not finite`);
        return adjust ? adjust(values).subarray(from, to) : values;
      },
      storage,
      lost: (name, error) => {
        if (architecture.layerOf(`${name}.`) === undefined) outside.push({ name, lost: error });
        else losses.push({ name, error });
      },
      sink: data,
    });
    enter(undefined);
    writeFileSync(join(folder, 'model.onnx'), model);
  } catch (error) {
    if (error instanceof RangeError) throw new CheckpointError('checkpoint_unsupported', error.message, { cause: error });
    throw error;
  } finally {
    data.close();
  }
  return { layers, outside };
}

/** A sum of magnitudes is not finite if one of them is not, and otherwise float64 has room for it. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]);
  return Number.isFinite(sum);
}
