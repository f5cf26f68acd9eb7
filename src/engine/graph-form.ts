// Owns which form a decoder graph has: its inputs and outputs by purpose, and the edits that bring graphs exported elsewhere into the one form that is run here.
// Refuses to know sessions, weights and tokens.
//
// The form: what grows with the sequence goes in as rows [P, ...], one for each token seen, and only the rows of new tokens come out. The Node binding copies every output, so that a graph which
// gives its whole cache back pays for the whole context at each token. Others' graphs take and give caches as [batch, heads, tokens, size] or alike: a Transpose is put behind such an input, and
// a Slice and a Transpose behind such an output. What the graph computes stays as it is. Half precision is cast at the border: the binding of ONNX Runtime 1.30 cannot read half-precision
// tensors on a platform that has Float16Array.

import { DataType } from '../model/onnx.ts';
import { OnnxFile } from '../model/onnx-edit.ts';
import type { GraphValue } from '../model/onnx-edit.ts';
import { EngineError } from './port.ts';

export type Whole = 'int64' | 'int32';
/** A pair of input and output that carries what the model remembers. */
export interface Memory {
  readonly past: string;
  readonly fresh: string;
  /** Float32. Growing: one row, without the axis of tokens. Else the whole. */
  readonly shape: readonly number[];
}
export interface WholeInput {
  readonly name: string;
  readonly type: Whole;
}
export interface GraphForm {
  /** The edited file; absent when the file is of this form as it stands. */
  readonly model?: Uint8Array<ArrayBuffer>;
  /** [1, n] each; mask: [1, P + n], all ones. */
  readonly ids: WholeInput;
  readonly positions?: WholeInput;
  readonly mask?: WholeInput;
  /** Zeros, [1, n]. */
  readonly types?: WholeInput;
  /** [P]: the tokens seen. */
  readonly pastIds?: string;
  /** How many logits are wanted: always those of one position. */
  readonly wanted?: WholeInput & { readonly scalar: boolean };
  /** True when something is remembered, [1]. */
  readonly cached?: string;
  readonly growing: readonly Memory[];
  /** What is replaced as a whole at each pass. */
  readonly replaced: readonly Memory[];
  /** Values of the last position, float32, as many as the vocabulary has. */
  readonly logits: string;
  readonly vocabulary: number | undefined;
}
/** Names that a model folder states, with %d for the layer. */
export interface StatedNames {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

const FORM =
  'Pharos runs decoder graphs with input_ids [batch, n], optionally attention_mask, position_ids, token_type_ids, and pairs of past and present tensors of float32 or float16, of which the axis of tokens has a name';
const OLDEST_OPSET = 11;
const LAST = 0x7fffffff;

/** Brings a graph into the form, or says why it cannot be. `file`: its name, for messages. Throws EngineError `model_invalid`. `last`: let the head see the last position alone. */
export function graphForm(bytes: Uint8Array, file: string, stated: StatedNames = { inputs: {}, outputs: {} }, last = true): GraphForm {
  const wrong = (what: string): EngineError => new EngineError('model_invalid', `${file}: ${what}. ${FORM}`);
  let graph: OnnxFile;
  try {
    graph = new OnnxFile(bytes);
  } catch (error) {
    throw new EngineError('model_invalid', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return new Former(graph, stated, wrong, last).form();
}

class Former {
  readonly #graph: OnnxFile;
  readonly #stated: StatedNames;
  readonly #wrong: (what: string) => EngineError;
  readonly #last: boolean;
  #edited = false;
  #count: string | undefined;

  constructor(graph: OnnxFile, stated: StatedNames, wrong: (what: string) => EngineError, last: boolean) {
    this.#graph = graph;
    this.#stated = stated;
    this.#wrong = wrong;
    this.#last = last;
  }

  form(): GraphForm {
    const purposes: { positions?: WholeInput; mask?: WholeInput; types?: WholeInput; pastIds?: string; wanted?: WholeInput & { scalar: boolean }; cached?: string } = {};
    const [growing, replaced]: [Memory[], Memory[]] = [[], []];
    const named = (name: string): string => this.#stated.inputs[name] ?? name;
    const ids = this.#whole(this.#input(named('input_ids')), 2);
    for (const input of Array.from(this.#graph.inputs)) {
      const { name } = input;
      if (name === ids.name) continue;
      if (name === named('position_ids')) purposes.positions = this.#whole(input, 2);
      else if (name === named('attention_mask')) purposes.mask = this.#whole(input, 2);
      else if (name === 'token_type_ids') purposes.types = this.#whole(input, 2);
      else if (name === 'num_logits_to_keep' || name === 'logits_to_keep') purposes.wanted = { ...this.#whole(input), scalar: input.shape?.length === 0 };
      else if (name === 'use_cache_branch') purposes.cached = name;
      else if (name === 'past_ids') purposes.pastIds = name;
      else {
        const output = this.#partner(name);
        if (!output) throw this.#wrong(`the input ${name} is not known here`);
        const { memory, grows } = this.#memory(input, output, ids);
        (grows ? growing : replaced).push(memory);
      }
    }
    if (growing.length + replaced.length === 0) throw this.#wrong('the graph remembers nothing: it has no past inputs, so that each token would cost the whole text anew');
    const logits = this.#logits();
    return { ...(this.#edited ? { model: this.#graph.finish() } : {}), ids, ...purposes, growing, replaced, ...logits };
  }

  #input(name: string): GraphValue {
    const found = this.#graph.inputs.find((input) => input.name === name);
    if (!found) throw this.#wrong(`the graph has no input ${name}`);
    return found;
  }
  #whole({ name, type, shape }: GraphValue, rank?: number): WholeInput {
    const known = type === DataType.int64 ? 'int64' : type === DataType.int32 ? 'int32' : undefined;
    if (!known) throw this.#wrong(`the input ${name} must hold whole numbers (int64 or int32)`);
    if (rank !== undefined && shape && shape.length !== rank) throw this.#wrong(`the input ${name} must have ${rank} dimensions, has ${shape.length}: [${shape.join(', ')}]`);
    return { name, type: known };
  }

  /** The output that gives what an input takes at the next pass. */
  #partner(past: string): GraphValue | undefined {
    const { inputs, outputs } = this.#stated;
    for (const [purpose, template] of Object.entries(inputs)) {
      const [before, after] = template.split('%d');
      if (after === undefined || !past.startsWith(before) || !past.endsWith(after)) continue;
      const layer = past.slice(before.length, past.length - after.length);
      const name = outputs[purpose.replace('past', 'present')]?.replace('%d', layer);
      const found = this.#graph.outputs.find((output) => output.name === name);
      if (found) return found;
    }
    const rest = /^past(?:_key_values|_key_value)?(.*)$/.exec(past)?.[1];
    if (rest === undefined) return undefined;
    const names = [`new${rest}`, `present${rest}`, `present_key_values${rest}`];
    return this.#graph.outputs.find(({ name }) => names.includes(name));
  }

  #memory(input: GraphValue, output: GraphValue, ids: WholeInput): { readonly memory: Memory; readonly grows: boolean } {
    const { name: past, shape } = input;
    if (![DataType.float, DataType.float16].some((type) => input.type === type && output.type === type)) throw this.#wrong(`the input ${past} and the output ${output.name} must both be float32 or both float16`);
    if (!shape) throw this.#wrong(`the graph does not say the shape of ${past}`);
    const half = input.type === DataType.float16;
    const own = output.name.startsWith('new');
    // The axis of tokens is the last one that has a name; the one in front of it, if any, is the batch.
    const open = shape.flatMap((size, i) => (typeof size === 'string' ? [i] : []));
    if (open.length > 2) throw this.#wrong(`the shape of ${past} is not clear: [${shape.join(', ')}] has more than two axes without a size`);
    const sized = shape.map((size) => (typeof size === 'number' ? size : 1));
    if (open.length === 0 || (open.length === 1 && /batch|^[bn]$/i.test(String(shape[open[0]])))) {
      const [given, taken] = [half ? this.#castIn(past, past, sized) : past, half ? this.#castOut(output.name, output.name, sized) : output.name];
      return { memory: { past: given, fresh: taken, shape: sized }, grows: false };
    }
    const time = open[open.length - 1];
    const others = sized.filter((_, i) => i !== time);
    if (own && time === 0 && !half) return { memory: { past, fresh: output.name, shape: others }, grows: true };
    this.#border();
    const graph = this.#graph;
    for (const value of [input, output]) graph.describe(value);
    const places = shape.flatMap((_, i) => (i === time ? [] : [i]));
    const rows = graph.fresh(past);
    const given = half ? this.#castIn(past, rows, ['tokens', ...others]) : `${past}.rows`;
    if (!half) graph.replaceInput(past, { name: given, type: DataType.float, shape: ['tokens', ...others] });
    graph.add('front', 'Transpose', [half ? rows : given], { perm: shape.map((_, i) => (i === time ? 0 : places.indexOf(i) + 1)) }, past);
    const count = (this.#count ??= this.#counted(ids));
    const fresh = graph.add('behind', 'Slice', [output.name, count, graph.ints([LAST]), graph.ints([time])]);
    const turned = graph.add('behind', 'Transpose', [fresh], { perm: [time, ...places] });
    const taken = half ? this.#castOut(output.name, turned, ['new', ...others]) : turned;
    if (!half) graph.replaceOutput(output.name, { name: turned, type: DataType.float, shape: ['new', ...others] });
    return { memory: { past: given, fresh: taken, shape: others }, grows: true };
  }
  /** Takes an input in whole precision, and makes `value` of it. Returns its new name. */
  #castIn(name: string, value: string, shape: readonly (number | string)[]): string {
    this.#border();
    const given = `${name}.float`;
    this.#graph.replaceInput(name, { name: given, type: DataType.float, shape });
    this.#graph.add('front', 'Cast', [given], { to: DataType.float16 }, value);
    return given;
  }
  #castOut(name: string, value: string, shape: readonly (number | string)[]): string {
    this.#border();
    const taken = this.#graph.add('behind', 'Cast', [value], { to: DataType.float });
    this.#graph.replaceOutput(name, { name: taken, type: DataType.float, shape });
    return taken;
  }
  /** Minus the number of new tokens. */
  #counted({ name }: WholeInput): string {
    const graph = this.#graph;
    const shape = graph.add('front', 'Shape', [name]);
    return graph.add('front', 'Neg', [graph.add('front', 'Slice', [shape, graph.ints([1]), graph.ints([2]), graph.ints([0])])]);
  }
  #border(): void {
    if (this.#graph.opset < OLDEST_OPSET) throw this.#wrong(`the graph uses version ${this.#graph.opset} of the ONNX operators; export it with ${OLDEST_OPSET} or later`);
    this.#edited = true;
  }

  #logits(): { readonly logits: string; readonly vocabulary: number | undefined } {
    const graph = this.#graph;
    const name = this.#stated.outputs['logits'] ?? 'logits';
    const output = graph.outputs.find((value) => value.name === name);
    if (!output) throw this.#wrong(`the graph has no output ${name}`);
    const size = output.shape?.[output.shape.length - 1];
    const vocabulary = typeof size === 'number' ? size : undefined;
    if (output.type !== DataType.float && output.type !== DataType.float16) throw this.#wrong(`the output ${name} must be float32 or float16`);
    if (output.shape?.length === 2 && output.type === DataType.float) return { logits: name, vocabulary };
    if (output.shape?.length !== 3) throw this.#wrong(`the output ${name} must be [batch, n, vocabulary]`);
    this.#border();
    const narrowed = this.#last && this.#narrowHead(name);
    let value = name;
    if (!narrowed) value = graph.add('behind', 'Slice', [value, graph.ints([-1]), graph.ints([LAST]), graph.ints([1])]);
    if (output.type === DataType.float16) value = graph.add('behind', 'Cast', [value], { to: DataType.float });
    graph.replaceOutput(name, { name: value, type: DataType.float, shape: [1, 1, vocabulary ?? 'vocabulary'] });
    return { logits: value, vocabulary };
  }
  /** Cuts all positions but the last off before the product with the vocabulary, where the way from there to the logits is a line of element-wise operators. */
  #narrowHead(logits: string): boolean {
    const graph = this.#graph;
    let value = logits;
    for (let steps = 0; steps < 8; steps++) {
      const node = graph.producer(value);
      if (!node) return false;
      if (node.type === 'MatMul' || node.type === 'MatMulNBits') {
        const cut = graph.add({ before: value }, 'Slice', [node.inputs[0], graph.ints([-1]), graph.ints([LAST]), graph.ints([1])]);
        graph.rewire(value, 0, cut);
        return true;
      }
      if (!['Cast', 'Identity', 'Mul', 'Div', 'Tanh', 'Add'].includes(node.type)) return false;
      // The other side must be a weight.
      const made = node.inputs.filter((input) => graph.producer(input)?.type !== undefined && graph.producer(input)?.type !== 'Constant');
      if (made.length !== 1) return false;
      [value] = made;
    }
    return false;
  }
}
