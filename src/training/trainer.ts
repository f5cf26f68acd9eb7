// Owns one training run: weights, gradients from the ONNX loss graph, updates, checkpoints.
// Refuses to know the data and when to stop.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import * as ort from 'onnxruntime-node';

import { decoderParameters, sizeOf } from '../model/decoder.ts';
import type { DecoderConfig } from '../model/decoder.ts';
import type { Batch } from './batch.ts';
import { buildDecoderLoss } from './decoder-loss.ts';
import { AdamW } from './optimizer.ts';
import type { AdamOptions } from './optimizer.ts';
import { Random } from './random.ts';

export interface StepReport {
  /** Mean cross-entropy of the learned tokens, in nats. */
  readonly loss: number;
  readonly gradientNorm: number;
}

/** A decoder in training. Weights live in typed arrays that the session reads without a copy. */
export class Trainer {
  readonly config: DecoderConfig;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly #optimizer: AdamW;
  readonly #session: ort.InferenceSession;
  readonly #names: readonly string[];
  readonly #shapes: readonly (readonly number[])[];

  private constructor(config: DecoderConfig, weights: ReadonlyMap<string, Float32Array>, session: ort.InferenceSession, adam: AdamOptions) {
    const specs = decoderParameters(config);
    this.config = config;
    this.weights = weights;
    this.#session = session;
    this.#names = specs.map(({ name }) => name);
    this.#shapes = specs.map(({ shape }) => shape);
    this.#optimizer = new AdamW(specs.map((spec) => ({ name: spec.name, decay: spec.decay, values: weights.get(spec.name) as Float32Array })), adam);
  }

  static async create(config: DecoderConfig, adam: AdamOptions, seed: number, threads: number): Promise<Trainer> {
    const random = new Random(seed);
    const weights = new Map<string, Float32Array>();
    for (const { name, shape, init } of decoderParameters(config)) {
      weights.set(name, 'constant' in init ? new Float32Array(sizeOf(shape)).fill(init.constant) : Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * init.normal));
    }
    const session = await ort.InferenceSession.create(buildDecoderLoss(config), { executionProviders: ['cpu'], intraOpNumThreads: threads });
    return new Trainer(config, weights, session, adam);
  }

  get step(): number {
    return this.#optimizer.step;
  }

  #feeds(batch: Batch): Record<string, ort.Tensor> {
    const shape = [batch.steps, batch.rowsCount];
    const feeds: Record<string, ort.Tensor> = {
      input_ids: new ort.Tensor('int64', batch.inputIds, shape),
      positions: new ort.Tensor('int64', batch.positions, shape),
      segments: new ort.Tensor('int64', batch.segments, shape),
      rows: new ort.Tensor('int64', batch.rows, [batch.rows.length]),
      targets: new ort.Tensor('int64', batch.targets, [batch.targets.length]),
      weights: new ort.Tensor('float32', batch.weights, [batch.weights.length]),
    };
    this.#names.forEach((name, i) => {
      feeds[name] = new ort.Tensor('float32', this.weights.get(name) as Float32Array, this.#shapes[i]);
    });
    return feeds;
  }

  /** Loss without an update. */
  async evaluate(batch: Batch): Promise<number> {
    const results = await this.#session.run(this.#feeds(batch), ['loss']);
    return (results['loss'].data as Float32Array)[0];
  }

  /** Forward, backward, update. */
  async train(batch: Batch, learningRate: number): Promise<StepReport> {
    const results = await this.#session.run(this.#feeds(batch));
    const gradients = this.#names.map((name) => results[`gradient.${name}`].data as Float32Array);
    const embedding = gradients[this.#names.indexOf('embedding')];
    const inputs = results['gradient.inputs'].data as Float32Array;
    const { width } = this.config;
    for (let row = 0; row < batch.inputIds.length; row++) {
      const to = Number(batch.inputIds[row]) * width;
      const from = row * width;
      for (let i = 0; i < width; i++) embedding[to + i] += inputs[from + i];
    }
    const gradientNorm = this.#optimizer.update(gradients, learningRate);
    return { loss: (results['loss'].data as Float32Array)[0], gradientNorm };
  }

  /** Weights, moments and step in one file, replaced in one rename: an interrupted save leaves the one before. `extra` is the caller's own state (data position). */
  save(file: string, extra: Readonly<Record<string, number>>): void {
    const header = Buffer.from(JSON.stringify({ config: this.config, step: this.#optimizer.step, extra }));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(header.length);
    const descriptor = openSync(`${file}.part`, 'w');
    writeSync(descriptor, size);
    writeSync(descriptor, header);
    for (const array of [...this.weights.values(), ...this.#optimizer.first, ...this.#optimizer.second]) writeSync(descriptor, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${file}.part`, file);
  }

  /** Continues from a checkpoint; returns its `extra`, or undefined when there is no file. Throws when the file is of another configuration or cut short; nothing is changed then. */
  restore(file: string): Readonly<Record<string, number>> | undefined {
    if (!existsSync(file)) return undefined;
    const bytes = readFileSync(file);
    const headerLength = bytes.readUInt32LE(0);
    const header = JSON.parse(bytes.toString('utf8', 4, 4 + headerLength)) as { config: DecoderConfig; step: number; extra: Record<string, number> };
    if (JSON.stringify(header.config) !== JSON.stringify(this.config)) throw new Error(`checkpoint ${file} is of another model configuration; remove it or train with that configuration`);
    let at = 4 + headerLength;
    const arrays = [...this.weights.values(), ...this.#optimizer.first, ...this.#optimizer.second];
    const size = at + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes.length !== size) throw new Error(`checkpoint ${file} is cut short: it has ${bytes.length} bytes instead of ${size}; remove it or put back a whole one`);
    for (const array of arrays) {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes.subarray(at, at + array.byteLength));
      at += array.byteLength;
    }
    this.#optimizer.step = header.step;
    return header.extra;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** Writes a text or binary file so that an interruption leaves the old one. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.part`, content);
  renameSync(`${file}.part`, file);
}
