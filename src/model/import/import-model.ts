// Owns turning a checkpoint into a model folder, a tensor at a time: what is asked of the checkpoint, the graph with its weights beside it, the files that go along.
// Refuses to know families, file formats and terminals.

import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Storage } from '../decoder-parts.ts';
import type { Architecture } from './architecture.ts';
import { CheckpointError, sizeOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ExternalData } from './external-data.ts';
import { LayerProgress } from './layer-progress.ts';
import type { LayerReport } from './layer-progress.ts';
import { parameterCount } from './plan.ts';
import { servedConfig } from './served-config.ts';
import { openSource } from './source.ts';
import type { SourceOptions } from './source.ts';

export type { LayerReport } from './layer-progress.ts';
export interface ImportOptions extends SourceOptions {
  /** A folder of Hugging Face, or a checkpoint of llama2.c. */
  readonly from: string;
  /** A folder that is not there yet. */
  readonly out: string;
  readonly storage: Storage;
  /** Called when a layer is written. */
  readonly onLayer?: (layer: LayerReport, layers: number) => void;
}
export interface ImportReport {
  readonly parameters: number;
  readonly contextLength: number;
  /** What whoever brings the model in should know. */
  readonly notes: readonly string[];
  /** Files of the graphs, in the folder of the model. */
  readonly graphs: readonly string[];
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
    // Whoever reads the folder again need not be told again what says nothing.
    const kept = Object.fromEntries(Object.entries(config).filter(([key]) => !options.ignore?.includes(key)));
    writeFileSync(join(partial, 'config.json'), `${JSON.stringify(servedConfig(kept, architecture.contextLength, parameters), null, 2)}\n`);
    const graphs = architecture.graphs.map(({ name }) => `onnx/${name}.onnx`);
    const written = graphs.flatMap((name) => [name, `${name}_data`]).reduce((sum, name) => sum + statSync(join(partial, name)).size, 0);
    renameSync(partial, out);
    return {
      layers: built.layers,
      outside: built.outside,
      graphs,
      parameters,
      contextLength: architecture.contextLength,
      notes: architecture.notes ?? [],
      read: checkpoint.bytes,
      written,
      peak: process.resourceUsage().maxRSS * 1024,
      seconds: (performance.now() - started) / 1000,
    };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  } finally {
    checkpoint.close();
  }
}

/** Every parameter must be there in its shape, and nothing must be left over: what is not read would be missing from the sum. */
export function checkTensors(architecture: Architecture, checkpoint: Checkpoint, from: string, ignore: readonly string[]): void {
  const expected = new Set<string>();
  for (const parameter of architecture.parameters) {
    const { name, shape } = architecture.source(parameter);
    expected.add(name);
    const found = checkpoint.shapeOf(name);
    if (!found)
      throw new CheckpointError('checkpoint_invalid', `${from} has no tensor ${name}, which its configuration asks for with the shape [${shape.join(', ')}]`);
    if (sizeOf(found) !== sizeOf(shape) || found.join() !== shape.join())
      throw new CheckpointError(
        'checkpoint_invalid',
        `${from}: ${name} has the shape [${found.join(', ')}], and its configuration asks for [${shape.join(', ')}]`,
      );
  }
  const left = checkpoint.names.filter((name) => !expected.has(name) && !architecture.isNeedless(name) && !ignore.includes(name));
  if (left.length > 0)
    throw new CheckpointError(
      'checkpoint_unsupported',
      `${from}: the tensors ${left.slice(0, 4).join(', ')}${left.length > 4 ? ` and ${left.length - 4} more` : ''} have no place in a model of type ${architecture.type}; leave them out with --ignore NAME if they are not needed`,
    );
  for (const name of checkpoint.names) {
    const other = architecture.copyOf?.(name);
    if (other !== undefined && other !== name && !ignore.includes(name) && !areSame(checkpoint, name, other))
      throw new CheckpointError(
        'checkpoint_unsupported',
        `${from}: ${name} differs from ${other}, and a model of type ${architecture.type} is built here with one for both; leave it out with --ignore ${name} if it is not needed`,
      );
  }
}

/** Numbers that are compared at once. */
const COMPARED = 2 ** 22;
function areSame(checkpoint: Checkpoint, name: string, other: string): boolean {
  const [shape, wanted] = [name, other].map((each) => checkpoint.shapeOf(each));
  if (!shape || shape.join() !== wanted?.join()) return false;
  const size = sizeOf(shape);
  for (let from = 0; from < size; from += COMPARED) {
    const [values, others] = [name, other].map((each) => checkpoint.read(each, from, Math.min(size, from + COMPARED)));
    if (values.some((value, i) => value !== others[i])) return false;
  }
  return true;
}

function write(
  folder: string,
  architecture: Architecture,
  checkpoint: Checkpoint,
  storage: Storage,
  onLayer: ImportOptions['onLayer'],
): Pick<ImportReport, 'layers' | 'outside'> {
  const byName = new Map(architecture.parameters.map((parameter) => [parameter.name, parameter]));
  const progress = new LayerProgress(architecture, storage, onLayer);
  const weights = (name: string, from: number, to: number): Float32Array => {
    const parameter = byName.get(name);
    if (!parameter) throw new RangeError(`${name} is no parameter of this model`);
    progress.enter(name);
    // What is adjusted must be there as a whole.
    const adjust = architecture.adjust?.(parameter);
    const values = adjust ? checkpoint.read(architecture.source(parameter).name) : checkpoint.read(architecture.source(parameter).name, from, to);
    if (!allFinite(values)) throw new CheckpointError('checkpoint_invalid', `${name} holds numbers that are not finite`);
    return adjust ? adjust(values).subarray(from, to) : values;
  };
  try {
    for (const { name, build } of architecture.graphs) {
      const data = new ExternalData(join(folder, `${name}.onnx_data`));
      try {
        writeFileSync(
          join(folder, `${name}.onnx`),
          build({ weights, storage, lost: (matrix, error, energy) => progress.lost(matrix, error, energy), sink: data }),
        );
      } finally {
        data.close();
      }
      progress.enter(undefined);
    }
  } catch (error) {
    if (error instanceof RangeError) throw new CheckpointError('checkpoint_unsupported', error.message, { cause: error });
    throw error;
  }
  return progress;
}

/** A sum of magnitudes is not finite if one of them is not, and otherwise float64 has room for it. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]);
  return Number.isFinite(sum);
}
