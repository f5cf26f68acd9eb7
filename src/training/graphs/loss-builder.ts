// Owns what all loss graphs share: parameters that are trained, frozen or adapted, products with them, dropout, the outputs.
// Refuses to know architectures, and where weights come from.

import type { Parameter } from '../../model/decoder-parts.ts';
import { sizeOf } from '../../model/import/checkpoint.ts';
import type { FrozenParameter, LossGraph, TrainedParameter } from '../loss-graph.ts';
import { sharedCopy } from '../shared-memory.ts';
import type { MethodSpec } from '../spec.ts';
import { adaptersOf, isInLayer } from './adapters.ts';
import type { Adapter, MatrixLayout } from './adapters.ts';
import { Dropout } from './dropout.ts';
import { lookUp } from './layout.ts';
import { product } from './linear.ts';
import { Sequences } from './sequences.ts';
import { Tape } from './tape.ts';

export interface LossOptions {
  readonly method: MethodSpec;
  /** Share of numbers that are dropped from the embedding's rows and from what each block adds; 0: none, and no input for a seed. */
  readonly dropout: number;
  /** Values of a parameter by name; asked only for what is frozen, which `lora` needs. */
  readonly weights?: (name: string) => Float32Array;
}

export class LossBuilder {
  readonly tape = new Tape();
  readonly sequences: Sequences;
  readonly #parameters: readonly TrainedParameter[];
  readonly #frozen: readonly FrozenParameter[];
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #adapters: ReadonlyMap<string, Adapter>;
  readonly #layout: MatrixLayout;
  readonly #dropout: Dropout | undefined;
  #embedded: { readonly rows: string; readonly name: string; readonly width: number } | undefined;

  /** `parameters`: all of the model. Throws RangeError for adapters that cannot be, or frozen weights that are missing. */
  constructor(
    parameters: readonly (Parameter & Pick<TrainedParameter, 'decay' | 'hidden'>)[],
    { method, dropout, weights }: LossOptions,
    layout: MatrixLayout,
  ) {
    const g = this.tape.graph;
    this.sequences = new Sequences(g);
    this.#shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
    this.#layout = layout;
    this.#adapters = method.kind === 'lora' ? adaptersOf(parameters, method, layout) : new Map<string, Adapter>();
    this.#parameters = method.kind === 'full' ? parameters : [...this.#adapters.values()].flatMap(({ down, up }) => [down, up]);
    for (const { name, shape } of this.#parameters) this.tape.variable(g.input(name, 'float', shape));
    this.#frozen = method.kind === 'lora' ? parameters.map((parameter) => frozen(parameter, weights)) : [];
    for (const { name, shape } of this.#frozen) g.input(name, 'float', shape);
    this.#dropout = dropout > 0 ? new Dropout(this.tape, dropout) : undefined;
  }
  shapeOf(name: string): readonly number[] {
    const shape = this.#shapes.get(name);
    if (!shape) throw new RangeError(`${name} is no parameter of this model`);
    return shape;
  }
  /** Rows x [N, in] times a matrix, its adapter and its bias with it: [N, out]. */
  linear(x: string, name: string, bias?: string): string {
    const turned = this.#layout === 'out-in';
    const y = product(this.tape, x, name, { turned, ...(bias === undefined ? {} : { plus: { value: bias, kind: 'bias' } }) });
    const adapter = this.#adapters.get(name);
    if (!adapter) return y;
    const low = product(this.tape, x, adapter.down.name, { turned: true });
    return product(this.tape, low, adapter.up.name, { turned: true, scale: adapter.scale, plus: { value: y, kind: 'rows' } });
  }
  /** Rows [T * B, width] of the embedding for the batch's tokens. Their gradient is an output of its own: adding it row by row outside is much faster than a scatter in the graph. */
  embedding(name: string): string {
    const width = this.shapeOf(name)[1];
    const rows = this.tape.graph.op('Gather', [name, this.sequences.flatIds], { axis: { int: 0 } });
    if (this.tape.depends(name)) {
      this.tape.variable(rows);
      this.#embedded = { rows, name, width };
    }
    return rows;
  }
  /** Rows [T * B, width] of a table of learned positions. */
  positions(name: string): string {
    return lookUp(this.tape, name, this.sequences.flatPositions, this.shapeOf(name)[1]);
  }
  dropped(x: string, width: number): string {
    return this.#dropout ? this.#dropout.dropped(x, width) : x;
  }
  /** Emits the backward program and the outputs; `accuracy`: where there is one. */
  finish(loss: string, graphName: string, accuracy?: string): LossGraph {
    const { tape } = this;
    const g = tape.graph;
    g.output(loss, 'float', []);
    if (accuracy !== undefined) g.output(accuracy, 'float', []);
    tape.run();
    const emit = (name: string, value: string, shape: readonly (number | string)[]): void => {
      g.op('Identity', [tape.gradient(value) ?? tape.zerosLike(value)], {}, { outputs: [name] });
      g.output(name, 'float', shape);
    };
    for (const { name, shape } of this.#parameters) emit(`gradient.${name}`, name, shape);
    if (this.#embedded) emit('gradient.inputs', this.#embedded.rows, ['TB', this.#embedded.width]);
    return {
      model: g.finish(graphName),
      parameters: this.#parameters.map(({ name, shape, decay, hidden }) => ({ name, shape, decay, hidden })),
      ...(this.#frozen.length > 0 ? { frozen: this.#frozen } : {}),
      ...(this.#embedded ? { embedding: { name: this.#embedded.name, width: this.#embedded.width } } : {}),
      dropout: this.#dropout !== undefined,
      ...(accuracy === undefined ? {} : { accuracy: true }),
    };
  }
}
function frozen({ name, shape }: Parameter, weights: LossOptions['weights']): FrozenParameter {
  const given = weights?.(name);
  if (given?.length !== sizeOf(shape)) throw new RangeError(`frozen parameter ${name} needs ${sizeOf(shape)} values, got ${given?.length ?? 'none'}`);
  return { name, shape, values: sharedCopy(given) };
}
/** What training asks of parameters by Hugging Face's names: matrices decay, and those of layers are hidden. */
export const trainedLike = (parameters: readonly Parameter[]): (Parameter & Pick<TrainedParameter, 'decay' | 'hidden'>)[] =>
  parameters.map(({ name, shape }) => ({ name, shape, decay: shape.length > 1, hidden: shape.length > 1 && isInLayer(name) }));
