// Owns training of models as Hugging Face publishes them: which graph a checkpoint gets, its first weights, the folder of the result.
// Refuses to know how the graphs are made and how training goes.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Parameter, Storage } from '../../model/decoder-parts.ts';
import type { Architecture } from '../../model/import/architecture.ts';
import { CheckpointError } from '../../model/import/checkpoint.ts';
import { readGpt2Config } from '../../model/import/gpt2-config.ts';
import { hasGraphsAlone, openGraphWeights } from '../../model/import/graph-weights.ts';
import { checkTensors, importModel } from '../../model/import/import-model.ts';
import { readLlamaConfig } from '../../model/import/llama-config.ts';
import { LLAMA_FAMILY } from '../../model/import/llama-family.ts';
import { parameterCount } from '../../model/import/plan.ts';
import { writeSafetensors } from '../../model/import/safetensors-writer.ts';
import { withContext } from '../../model/import/served-config.ts';
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

/** What training begins with. It is open only while it is read: training may take days. */
interface Base {
  readonly architecture: Architecture;
  readonly config: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Tokens of the longest text, where another number than that of the configuration was asked for. */
  readonly context?: number;
  /** Values of a parameter as the graph takes them. */
  readonly values: (name: string) => Float32Array;
  readonly close: () => void;
}

/** Throws CheckpointError that says what is missing, or what would be right. */
export function trainPublished(base: string, method: MethodSpec, { dropout, seed, storage = 'float' }: PublishedOptions): TrainableModel {
  const reading = <T>(work: (source: Base) => T): T => {
    const source = hasGraphsAlone(base) ? openServed(base) : openPublished(base);
    try {
      return work(source);
    } finally {
      source.close();
    }
  };
  return reading(({ architecture, config, values }) => {
    const { parameters, contextLength } = architecture;
    const adapters = method.kind === 'lora' ? adaptersOf(parameters, method, 'out-in') : undefined;
    const graph = lossOf(architecture.type, config, { file: join(base, 'config.json'), context: contextLength }, { method, dropout, weights: values });
    return {
      graph,
      initial: () => (adapters ? initialAdapters(adapters, seed) : reading((source) => new Map(parameters.map(({ name }) => [name, source.values(name)])))),
      parameterCount: parameterCount(architecture),
      contextLength,
      save: (trained, folder) => {
        if (resolve(folder) === resolve(base))
          throw new CheckpointError('arguments_invalid', `the result cannot go to ${folder}, from which training starts; say another folder`);
        reading((source) => write(folder, source, withAdapters(source.values, trained, adapters, 'out-in'), storage));
      },
    };
  });
}

/** Safetensors, or a checkpoint of llama2.c. */
function openPublished(folder: string): Base {
  const { checkpoint, ...source } = openSource(folder);
  if (!checkpoint) throw new CheckpointError('checkpoint_invalid', `${folder} has no weights`);
  const { architecture } = source;
  const byName = new Map(architecture.parameters.map((parameter) => [parameter.name, parameter]));
  try {
    checkTensors(architecture, checkpoint, folder, []);
  } catch (error) {
    checkpoint.close();
    throw error;
  }
  return {
    ...source,
    values: (name) => {
      const parameter = byName.get(name);
      if (!parameter) throw new RangeError(`${name} is no parameter of this model`);
      const values = checkpoint.read(architecture.source(parameter).name);
      return architecture.adjust?.(parameter)?.(values) ?? values;
    },
    close: () => checkpoint.close(),
  };
}
/** A folder that was brought in: its weights are in its graph. */
function openServed(folder: string): Base {
  const { checkpoint: _, ...source } = openSource(folder, { weightless: true });
  return { ...source, values: openGraphWeights(folder, source.architecture), close: () => undefined };
}

function lossOf(type: string, config: unknown, asked: Parameters<typeof readGpt2Config>[1], options: LossOptions): LossGraph {
  if (type === 'gpt2') return gpt2Loss(readGpt2Config(config, asked), options);
  const kind = LLAMA_FAMILY.find((each) => each === type);
  if (!kind)
    throw new CheckpointError('checkpoint_unsupported', `${asked.file}: models of type ${type} cannot be trained here; ${PUBLISHED_TYPES.join(', ')} can`);
  return llamaLoss(readLlamaConfig(kind, config, asked), options);
}

/** The checkpoint is written to a folder within and brought in as any other, which looks at each of its tensors; then all files move to their places, config.json last. */
function write(folder: string, { architecture, config, files, context }: Base, values: (name: string) => Float32Array, storage: Storage): void {
  const aside = join(folder, ASIDE);
  const [checkpoint, served] = [join(aside, 'checkpoint'), join(aside, 'served')];
  const kind = 'dtype' in config ? 'dtype' : 'torch_dtype';
  const told = context === undefined ? config : withContext(config, context);
  const configuration = `${JSON.stringify({ ...told, [kind]: 'float32', num_parameters: parameterCount(architecture) }, null, 2)}\n`;
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
