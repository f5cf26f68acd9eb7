// Owns low-rank adapters (Hu et al. 2022, "LoRA"): which matrices get them, their names, shapes, first values, and what merging makes of a matrix.
// Refuses to know graphs and files.

import type { Parameter } from '../../model/decoder-parts.ts';
import { sizeOf } from '../../model/import/checkpoint.ts';
import type { TrainedParameter } from '../loss-graph.ts';
import { Random } from '../random.ts';
import type { MethodSpec } from '../spec.ts';

export type LoraSpec = Extract<MethodSpec, { readonly kind: 'lora' }>;
/** How a model's matrices lie: as Hugging Face stores them, or the other way round. */
export type MatrixLayout = 'out-in' | 'in-out';
/** Of a matrix W: y = x Wᵀ + (alpha / rank) (x Aᵀ) Bᵀ. */
export interface Adapter {
  /** [rank, in], drawn at the start. */
  readonly down: TrainedParameter;
  /** [out, rank], zero at the start. */
  readonly up: TrainedParameter;
  readonly scale: number;
}

/** Last part of a parameter's name, by which targets are said: `q_proj` of `model.layers.0.self_attn.q_proj.weight`. */
const targetOf = (name: string): string =>
  name
    .replace(/\.weight$/, '')
    .split('.')
    .at(-1) ?? name;
export const isInLayer = (name: string): boolean => /(^|\.)(layers?|h)\.\d+\./.test(name);

/** Adapters by the name of the matrix. Throws RangeError for a target that no matrix in a layer has, with a list of those that are there. */
export function adaptersOf(parameters: readonly Parameter[], { rank, alpha, targets }: LoraSpec, layout: MatrixLayout): Map<string, Adapter> {
  const matrices = parameters.filter(({ name, shape }) => shape.length === 2 && isInLayer(name));
  const known = [...new Set(matrices.map(({ name }) => targetOf(name)))];
  const strange = targets?.find((target) => !known.includes(target));
  if (strange !== undefined) throw new RangeError(`there is no matrix ${strange} in this model's layers; targets of adapters are ${known.join(', ')}`);
  const chosen = targets === undefined ? matrices : matrices.filter(({ name }) => targets.includes(targetOf(name)));
  return new Map(
    chosen.map(({ name, shape }) => {
      const [out, inner] = layout === 'out-in' ? shape : shape.toReversed();
      const named = (part: string, of: readonly number[]): TrainedParameter => ({
        name: name.replace(/(\.weight)?$/, `.${part}$1`),
        shape: of,
        decay: true,
        hidden: true,
      });
      return [name, { down: named('lora_A', [rank, inner]), up: named('lora_B', [out, rank]), scale: alpha / rank }];
    }),
  );
}

/** A is uniform within 1 / sqrt(in), as in PEFT; B is zero, so that training begins with the model as it is. */
export function initialAdapters(adapters: ReadonlyMap<string, Adapter>, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  const values = new Map<string, Float32Array>();
  for (const { down, up } of adapters.values()) {
    const bound = 1 / Math.sqrt(down.shape[1]);
    values.set(
      down.name,
      Float32Array.from({ length: sizeOf(down.shape) }, () => bound * (2 * random.next() - 1)),
    );
    values.set(up.name, new Float32Array(sizeOf(up.shape)));
  }
  return values;
}

/** W + scale B A (or its transpose), as a new array. */
function merged(matrix: Float32Array, { down, up, scale }: Adapter, trained: ReadonlyMap<string, Float32Array>, layout: MatrixLayout): Float32Array {
  const [a, b] = [down, up].map(({ name, shape }) => {
    const values = trained.get(name);
    if (values?.length !== sizeOf(shape)) throw new RangeError(`adapter ${name} needs ${sizeOf(shape)} values, got ${values?.length ?? 'none'}`);
    return values;
  });
  const [rank, inner] = down.shape;
  const [out] = up.shape;
  const result = matrix.slice();
  const [rowStep, columnStep] = layout === 'out-in' ? [inner, 1] : [1, out];
  const row = new Float64Array(inner);
  for (let o = 0; o < out; o++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[o * rank + r];
      if (factor !== 0) for (let i = 0; i < inner; i++) row[i] += factor * a[r * inner + i];
    }
    for (let i = 0; i < inner; i++) result[o * rowStep + i * columnStep] += row[i];
  }
  return result;
}

/** Values of a model's parameters after training: those that were trained whole, or, with adapters, the ones that were there, with what the adapters add. */
export const withAdapters =
  (
    frozen: (name: string) => Float32Array,
    trained: ReadonlyMap<string, Float32Array>,
    adapters: ReadonlyMap<string, Adapter> | undefined,
    layout: MatrixLayout,
  ): ((name: string) => Float32Array) =>
  (name) => {
    if (adapters) {
      const adapter = adapters.get(name);
      return adapter ? merged(frozen(name), adapter, trained, layout) : frozen(name);
    }
    const values = trained.get(name);
    if (!values) throw new RangeError(`there are no trained values of ${name}`);
    return values;
  };
