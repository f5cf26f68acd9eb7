// Owns reading the parameters of a model that was brought in back out of its graph: which weights of the graph hold each, turned and stacked as the graph's builders laid them.
// Refuses to know how ONNX files are encoded, and what parameters are for.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { transposed } from '../decoder-parts.ts';
import type { Parameter } from '../decoder-parts.ts';
import { isOfRouter } from '../experts.ts';
import { isMultipliedByHead } from '../latent-attention.ts';
import { openWeights } from '../onnx-weights.ts';
import type { StoredWeights } from '../onnx-weights.ts';
import type { Architecture } from './architecture.ts';
import { CheckpointError, reasonOf, sizeOf } from './checkpoint.ts';

const GRAPH = 'onnx/model.onnx';
/** Products of the same rows are one in the graph: a product's name there, by that of its first part. Whichever the graph has is the one. */
const STACKS: readonly (readonly [part: RegExp, stacks: readonly string[]])[] = [
  [/self_attn\.(q|k|v|qkv)_proj$/, ['self_attn.qkv', 'self_attn.down']],
  [/self_attn\.(q_a_proj|kv_a_proj_with_mqa)$/, ['self_attn.down']],
  [/(gate|up|gate_up)_proj$/, ['gate_up']],
];
/** Whatever libraries of mathematics give for the cosine of a large angle; other positions differ by far more. */
const NEAR = 1e-3;

/** How the values of a parameter come out of the graph's weights. */
type Place =
  | { readonly kind: 'same'; readonly from: string }
  /** Rows of a matrix [rows, columns], of which the transpose is stored. */
  | { readonly kind: 'rows'; readonly from: string; readonly first: number }
  /** Numbers of a vector. */
  | { readonly kind: 'part'; readonly from: string; readonly first: number }
  /** Of each head, rows of one and then of the other. */
  | { readonly kind: 'heads'; readonly keys: string; readonly values: string };

/** Whether the only weights of a folder are in graphs. */
export const hasGraphsAlone = (folder: string): boolean => graphsOf(folder).length > 0 && !listed(folder, '.').some((name) => name.endsWith('.safetensors'));
const listed = (folder: string, within: string): string[] =>
  statSync(join(folder, within), { throwIfNoEntry: false })?.isDirectory() ? readdirSync(join(folder, within)).map((name) => join(within, name)) : [];
const graphsOf = (folder: string): string[] => [...listed(folder, 'onnx'), ...listed(folder, '.')].filter((name) => name.endsWith('.onnx'));

/** Gives the values of a parameter as the graph takes them: [out, in], not yet turned. A stack is read once for the parts that are asked for one after the other. Throws CheckpointError for weights that are rounded to few bits, and for a graph that was made by others. */
export function openGraphWeights(folder: string, architecture: Architecture): (name: string) => Float32Array {
  const file = join(folder, GRAPH);
  if (!existsSync(file))
    throw new CheckpointError(
      'checkpoint_invalid',
      `${folder} has its weights in ${graphsOf(folder).slice(0, 3).join(', ')} alone, which cannot be trained; give the folder of safetensors that it was made from, or bring that in again with --storage float`,
    );
  const stored = reading(file, () => openWeights(file));
  refuseRounded(file, stored);
  const places = placesOf(file, architecture, stored);
  checkTables(file, architecture, stored);
  const shapes = new Map(architecture.parameters.map(({ name, shape }) => [name, shape]));
  let last: { readonly name: string; readonly values: Float32Array } | undefined;
  /** A matrix the way that its parts lie in a checkpoint. */
  const turned = (name: string): Float32Array => {
    if (last?.name !== name) {
      const [columns, rows] = stored.shapeOf(name) ?? [0, 0];
      last = { name, values: transposed(stored.read(name), columns, rows) };
    }
    return last.values;
  };
  return (name) => {
    const place = places.get(name);
    if (!place) throw new RangeError(`${name} is no parameter of this model`);
    const size = sizeOf(shapes.get(name) ?? []);
    return reading(file, () => {
      switch (place.kind) {
        case 'same':
          return stored.read(place.from);
        case 'rows':
        case 'part': {
          const values = place.kind === 'rows' ? turned(place.from) : stored.read(place.from);
          return values.slice(place.first, place.first + size);
        }
        case 'heads':
          return byTurns(stored, place.keys, place.values);
        default:
          return place satisfies never;
      }
    });
  };
}

function reading<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new CheckpointError('checkpoint_invalid', `${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
function refuseRounded(file: string, { names }: StoredWeights): void {
  const rounded = names.find((name) => name.endsWith('.scales'));
  if (rounded !== undefined)
    throw new CheckpointError(
      'checkpoint_unsupported',
      `${file} has its weights in blocks of 8 or 4 bits (${rounded.replace(/\.scales$/, '')}), which have lost what training needs; bring the model in again with --storage float or float16, or give the folder of safetensors that it was made from`,
    );
}

/** Parts of a stack come in the order of the parameters. */
function placesOf(file: string, { parameters }: Architecture, stored: StoredWeights): ReadonlyMap<string, Place> {
  /** Numbers that the parts so far have, by the name of the stack. */
  const taken = new Map<string, number>();
  const places = new Map<string, Place>();
  for (const parameter of parameters) {
    const { name, shape } = parameter;
    const place = placeOf(parameter, stored, (stack) => taken.get(stack) ?? 0);
    if (!place) throw missing(file, `no weights of ${name} [${shape.join(', ')}]`);
    if (place.kind === 'rows' || place.kind === 'part') taken.set(place.from, place.first + sizeOf(shape));
    places.set(name, place);
  }
  for (const [stack, size] of taken)
    if (sizeOf(stored.shapeOf(stack) ?? []) !== size)
      throw missing(file, `weights ${stack} [${stored.shapeOf(stack)?.join(', ')}] and config.json asks for ${size} numbers there`);
  return places;
}
const missing = (file: string, what: string): CheckpointError =>
  new CheckpointError(
    'checkpoint_invalid',
    `${file} has ${what}: it was not made by npm run import, or of another model; give the folder of safetensors that it was made from, or bring that in again with --storage float`,
  );

function placeOf(parameter: Parameter, stored: StoredWeights, taken: (stack: string) => number): Place | undefined {
  const { name, shape } = parameter;
  const has = (stack: string, ...of: readonly number[]): boolean => stored.shapeOf(stack)?.join() === of.join();
  if (has(name, ...shape)) return { kind: 'same', from: name };
  const [, base, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const stacks = STACKS.flatMap(([part, of]) => (part.test(base) ? of.map((stack) => base.replace(part, stack)) : []));
  if (kind === 'bias') {
    const from = stacks.map((stack) => `${stack}.bias`).find((stack) => stored.shapeOf(stack)?.length === 1);
    return from === undefined ? undefined : { kind: 'part', from, first: taken(from) };
  }
  if (isOfRouter(name)) return has(base, ...shape) ? { kind: 'same', from: base } : undefined;
  if (isMultipliedByHead(name)) return headsOf(base, shape, stored);
  const from = [base, ...stacks].find((stack) => stored.shapeOf(stack)?.length === 2 && stored.shapeOf(stack)?.[0] === shape[1]);
  return from === undefined ? undefined : { kind: 'rows', from, first: taken(from) };
}
/** What makes keys [heads, plainSize, rank] and what makes values [heads, valueSize, rank] of latent attention. */
function headsOf(base: string, shape: readonly number[], stored: StoredWeights): Place | undefined {
  const [keys, values] = ['to_keys', 'to_values'].map((name) => base.replace(/kv_b_proj$/, name));
  const [size, other] = [keys, values].map((name) => sizeOf(stored.shapeOf(name) ?? [0]));
  return size > 0 && other > 0 && size + other === sizeOf(shape) ? { kind: 'heads', keys, values } : undefined;
}
function byTurns(stored: StoredWeights, keys: string, values: string): Float32Array {
  const [first, second] = [stored.read(keys), stored.read(values)];
  const [heads] = stored.shapeOf(keys) ?? [1];
  const [high, low] = [first.length / heads, second.length / heads];
  const both = new Float32Array(first.length + second.length);
  for (let head = 0; head < heads; head++) {
    both.set(first.subarray(head * high, (head + 1) * high), head * (high + low));
    both.set(second.subarray(head * low, (head + 1) * low), head * (high + low) + high);
  }
  return both;
}

/** A configuration that says other positions than the graph was made with would train another model. */
function checkTables(file: string, { tables }: Architecture, stored: StoredWeights): void {
  for (const [name, right] of tables?.() ?? []) {
    const given = reading(file, () => stored.read(name));
    if (given.length !== right.length || given.some((value, i) => !(Math.abs(value - right[i]) <= NEAR)))
      throw new CheckpointError(
        'checkpoint_invalid',
        `${file} was made with other rotary positions than config.json beside it says (${name} differs); give the folder of safetensors that it was made from, or bring that in again with --storage float`,
      );
  }
}
