// Owns training of models as Hugging Face publishes them: which graph a checkpoint gets, its first weights, the folder of the result.
// Refuses to know how the graphs are made and how training goes.

import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Parameter, Storage } from '../../model/decoder-parts.ts';
import type { Architecture } from '../../model/import/architecture.ts';
import { CheckpointError } from '../../model/import/checkpoint.ts';
import type { Checkpoint } from '../../model/import/checkpoint.ts';
import { readGpt2Config } from '../../model/import/gpt2-config.ts';
import { checkTensors, importModel } from '../../model/import/import-model.ts';
import { readLlamaConfig } from '../../model/import/llama-config.ts';
import { LLAMA_FAMILY } from '../../model/import/llama-family.ts';
import { parameterCount } from '../../model/import/plan.ts';
import { writeSafetensors } from '../../model/import/safetensors-writer.ts';
import { openSource } from '../../model/import/source.ts';
import { adaptersOf, initialAdapters, withAdapters } from '../graphs/adapters.ts';
import { gpt2Loss } from '../graphs/gpt2-loss.ts';
import { llamaLoss } from '../graphs/llama-loss.ts';
import type { LossOptions } from '../graphs/loss-builder.ts';
import type { LossGraph, TrainableModel } from '../loss-graph.ts';
import type { MethodSpec } from '../spec.ts';

export interface PublishedOptions {
  readonly dropout: number;
  readonly seed: number;
  /** How weights lie in the ONNX file of the result. Default: whole. */
  readonly storage?: Storage;
}
const SAFETENSORS = 'model.safetensors';
/** Where a result is written before it takes its place: within its folder, so that nobody finds half a model beside the others. */
const ASIDE = '.saving';
/** Model types of config.json whose gradients are made here. */
export const PUBLISHED_TYPES: readonly string[] = [...LLAMA_FAMILY, 'gpt2'];

/** Throws CheckpointError that says what is missing, or what would be right. */
export function trainPublished(base: string, method: MethodSpec, { dropout, seed, storage = 'float' }: PublishedOptions): TrainableModel {
  /** The checkpoint is open only while it is read: training may take days. */
  const reading = <T>(
    work: (source: {
      readonly architecture: Architecture;
      readonly checkpoint: Checkpoint;
      readonly config: Readonly<Record<string, unknown>>;
      readonly files: ReadonlyMap<string, string | Uint8Array>;
    }) => T,
  ): T => {
    const { checkpoint, ...source } = openSource(base);
    if (!checkpoint) throw new CheckpointError('checkpoint_invalid', `${base} has no weights`);
    try {
      return work({ ...source, checkpoint });
    } finally {
      checkpoint.close();
    }
  };
  refuseGraphsAlone(base);
  return reading(({ architecture, checkpoint, config }) => {
    checkTensors(architecture, checkpoint, base, []);
    const { parameters } = architecture;
    const adapters = method.kind === 'lora' ? adaptersOf(parameters, method, 'out-in') : undefined;
    const graph = lossOf(architecture.type, config, { file: join(base, 'config.json') }, { method, dropout, weights: reader(architecture, checkpoint) });
    return {
      graph,
      initial: () =>
        adapters
          ? initialAdapters(adapters, seed)
          : reading((source) => new Map(parameters.map(({ name }) => [name, reader(source.architecture, source.checkpoint)(name)]))),
      parameterCount: parameterCount(architecture),
      contextLength: architecture.contextLength,
      save: (trained, folder) => {
        if (resolve(folder) === resolve(base))
          throw new CheckpointError('arguments_invalid', `the result cannot go to ${folder}, from which training starts; say another folder`);
        reading(({ checkpoint: now, files }) => {
          const values = withAdapters(reader(architecture, now), trained, adapters, 'out-in');
          write(folder, architecture, values, { config, files, storage });
        });
      },
    };
  });
}

/** Values of a parameter as the graph takes them. */
function reader(architecture: Architecture, checkpoint: Checkpoint): (name: string) => Float32Array {
  const byName = new Map(architecture.parameters.map((parameter) => [parameter.name, parameter]));
  return (name) => {
    const parameter = byName.get(name);
    if (!parameter) throw new RangeError(`${name} is no parameter of this model`);
    const values = checkpoint.read(architecture.source(parameter).name);
    return architecture.adjust?.(parameter)?.(values) ?? values;
  };
}

function lossOf(type: string, config: unknown, asked: Parameters<typeof readGpt2Config>[1], options: LossOptions): LossGraph {
  if (type === 'gpt2') return gpt2Loss(readGpt2Config(config, asked), options);
  const kind = LLAMA_FAMILY.find((each) => each === type);
  if (!kind)
    throw new CheckpointError('checkpoint_unsupported', `${asked.file}: models of type ${type} cannot be trained here; ${PUBLISHED_TYPES.join(', ')} can`);
  return llamaLoss(readLlamaConfig(kind, config, asked), options);
}

/** A folder that is served has a graph; it can be trained only where the weights that it was made of are there as well. */
function refuseGraphsAlone(folder: string): void {
  const listed = (within: string): string[] =>
    statSync(join(folder, within), { throwIfNoEntry: false })?.isDirectory() ? readdirSync(join(folder, within)).map((name) => join(within, name)) : [];
  const graphs = [...listed('onnx'), ...listed('.')].filter((name) => name.endsWith('.onnx'));
  if (graphs.length > 0 && !listed('.').some((name) => name.endsWith('.safetensors')))
    throw new CheckpointError(
      'checkpoint_invalid',
      `${folder} has its weights in ${graphs.slice(0, 3).join(', ')} alone, which cannot be trained; give the folder of safetensors that it was made from`,
    );
}

interface Written {
  readonly config: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly storage: Storage;
}
/** The checkpoint is written to a folder within and brought in as any other, which looks at each of its tensors; then all files move to their places, config.json last. */
function write(folder: string, architecture: Architecture, values: (name: string) => Float32Array, { config, files, storage }: Written): void {
  const aside = join(folder, ASIDE);
  const [checkpoint, served] = [join(aside, 'checkpoint'), join(aside, 'served')];
  const kind = 'dtype' in config ? 'dtype' : 'torch_dtype';
  const configuration = `${JSON.stringify({ ...config, [kind]: 'float32', num_parameters: parameterCount(architecture) }, null, 2)}\n`;
  rmSync(aside, { recursive: true, force: true });
  try {
    mkdirSync(checkpoint, { recursive: true });
    writeSafetensors(
      join(checkpoint, SAFETENSORS),
      architecture.parameters.map((parameter) => ({
        ...architecture.source(parameter),
        values: () => restored(architecture, parameter, values(parameter.name)),
      })),
    );
    for (const [name, content] of files) writeFileSync(join(checkpoint, name), content);
    writeFileSync(join(checkpoint, 'config.json'), configuration);
    importModel({ from: checkpoint, out: served, storage });
    mkdirSync(join(folder, 'onnx'), { recursive: true });
    for (const name of ['model.onnx_data', 'model.onnx']) renameSync(join(served, 'onnx', name), join(folder, 'onnx', name));
    // Of an earlier checkpoint in several files; it would be read instead.
    rmSync(join(folder, `${SAFETENSORS}.index.json`), { force: true });
    for (const name of [SAFETENSORS, ...files.keys(), 'config.json']) renameSync(join(checkpoint, name), join(folder, name));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
const restored = (architecture: Architecture, parameter: Parameter, values: Float32Array): Float32Array =>
  architecture.restore?.(parameter)?.(values) ?? values;
