// Owns the state of a training run and what one step does to it: weights, gradients, clipping, update, and the checkpoint of all that.
// Refuses to know the data, the schedule and when to stop.

import { renameSync, rmSync, writeFileSync } from 'node:fs';

import type { Batch } from './batch.ts';
import type { LossGraph } from './loss-graph.ts';
import { openOptimizer } from './optimizers/open-optimizer.ts';
import { gradientNorm } from './optimizers/optimizer.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import { RunError } from './run/errors.ts';
import { readCheckpoint, writeCheckpoint } from './run/checkpoint.ts';
import { openGradients, valuesOf } from './run/gradients.ts';
import type { Gradients, GradientsOptions, Predicted } from './run/gradients.ts';
import { sharedCopy } from './shared-memory.ts';
import type { OptimizerSpec } from './spec.ts';

export interface StepReport extends Predicted {
  /** Before clipping. */
  readonly gradientNorm: number;
}
export interface TrainerOptions {
  readonly optimizer: OptimizerSpec;
  /** Gradients are scaled down to this Euclidean norm over all parameters. */
  readonly clip: number;
  readonly threads: number;
  /** Opens what makes the gradients. Default: one session in this process. */
  readonly gradients?: (options: GradientsOptions) => Promise<Gradients>;
}
interface Header<Extra> {
  readonly parameters: readonly (readonly [name: string, size: number])[];
  readonly state: readonly number[];
  readonly step: number;
  readonly extra: Extra;
}

/** A model in training. `Extra` is what the caller keeps beside it in checkpoints, as JSON. */
export class Trainer<Extra extends object = object> {
  /** By name, in shared memory, which sessions and workers read without a copy. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly #gradients: Gradients;
  readonly #optimizer: Optimizer;
  readonly #clip: number;

  private constructor(weights: ReadonlyMap<string, Float32Array>, gradients: Gradients, optimizer: Optimizer, clip: number) {
    this.weights = weights;
    this.#gradients = gradients;
    this.#optimizer = optimizer;
    this.#clip = clip;
  }

  /** Starts from a copy of `initial`, which holds the values of every parameter of the graph. */
  static async open<Extra extends object = object>(
    graph: LossGraph,
    initial: ReadonlyMap<string, Float32Array>,
    options: TrainerOptions,
  ): Promise<Trainer<Extra>> {
    const { optimizer, clip, threads, gradients = openGradients } = options;
    const weights = new Map(graph.parameters.map(({ name }) => [name, sharedCopy(valuesOf(initial, name))]));
    const updates = await openOptimizer(
      optimizer,
      graph.parameters.map((parameter) => ({ ...parameter, values: valuesOf(weights, parameter.name) })),
      threads,
    );
    return new Trainer<Extra>(weights, await gradients({ graph, weights, threads }), updates, clip);
  }

  get step(): number {
    return this.#optimizer.step;
  }

  /** Without an update and without dropout. */
  async predict(batches: readonly Batch[]): Promise<Predicted> {
    return this.#gradients.evaluate(batches);
  }
  /** The loss of that. */
  async evaluate(batches: readonly Batch[]): Promise<number> {
    return (await this.predict(batches)).loss;
  }

  /** One update by the gradients of all batches together. `seed` draws the dropout. Throws RunError `diverged` when loss or gradients are not finite; nothing is changed then. */
  async train(batches: readonly Batch[], rate: number, seed = 0): Promise<StepReport> {
    const { loss, accuracy, gradients } = await this.#gradients.compute(batches, seed);
    const norm = gradientNorm(gradients);
    if (!Number.isFinite(norm) || !Number.isFinite(loss))
      throw new RunError('diverged', `step ${this.step + 1}: loss ${loss}, gradient norm ${norm}; lower the learning rate`);
    await this.#optimizer.update(gradients, rate, norm > this.#clip ? this.#clip / norm : 1);
    return { loss, ...(accuracy === undefined ? {} : { accuracy }), gradientNorm: norm };
  }

  /** Weights, the optimizer's memory, its step and `extra` in one file. */
  save(file: string, extra: Extra): void {
    writeCheckpoint(file, { ...this.#layout(), step: this.step, extra } satisfies Header<Extra>, [...this.weights.values(), ...this.#optimizer.state]);
  }

  /**
   * Goes on from a checkpoint and returns its `extra`; undefined when there is no file. `check` may refuse it by what it says in `extra`. Throws RunError `other_run` when it is of another model or
   * optimizer, `damaged_checkpoint` when it is not whole: the trainer is of no use then.
   */
  restore(file: string, check?: (extra: Extra) => void): Extra | undefined {
    const header = readCheckpoint<Header<Extra>>(file, ({ parameters, state, extra }) => {
      check?.(extra);
      if (JSON.stringify({ parameters, state }) !== JSON.stringify(this.#layout())) {
        throw new RunError(
          'other_run',
          `checkpoint ${file} is of another model, training method or optimizer; remove it, or train with those that it was made with`,
        );
      }
      return [...this.weights.values(), ...this.#optimizer.state];
    });
    if (!header) return undefined;
    this.#optimizer.step = header.step;
    return header.extra;
  }
  #layout(): Pick<Header<Extra>, 'parameters' | 'state'> {
    return { parameters: Array.from(this.weights, ([name, values]) => [name, values.length]), state: this.#optimizer.state.map(({ length }) => length) };
  }

  async close(): Promise<void> {
    await Promise.all([this.#gradients.close(), this.#optimizer.close()]);
  }
}

/** Writes a text or binary file so that an interruption leaves the old one, and a failure nothing beside it. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(`${file}.part`, content);
    renameSync(`${file}.part`, file);
  } catch (error) {
    rmSync(`${file}.part`, { force: true });
    throw error;
  }
}
