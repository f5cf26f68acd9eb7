// Owns which form a decoder graph has: its inputs and outputs by purpose, and the edits that bring graphs exported elsewhere into the one form that is run here.
// Refuses to know sessions, weights and tokens.
//
// The form: what grows with a sequence goes in as rows [P, B, ...], one for each token seen of each of B sequences, and only the rows of new tokens come out. The Node binding copies every
// output, so that a graph which gives its whole cache back pays for the whole context at each token. Logits come out for the tokens that are named alone. Others' graphs take and give caches as
// [batch, heads, tokens, size] or alike: a Transpose is put behind such an input, and a Slice or a Gather and a Transpose behind such an output. What the graph computes stays as it is. Half
// precision is cast at the border: the binding of ONNX Runtime 1.30 cannot read half-precision tensors on a platform that has Float16Array.

import { DataType } from '../../model/onnx.ts';
import { OnnxFile } from '../../model/onnx-edit.ts';
import type { GraphValue } from '../../model/onnx-edit.ts';
import { EngineError } from '../port.ts';
import { narrowHead, onlyWanted } from './head.ts';

export type Whole = 'int64' | 'int32';
/** A pair of input and output that carries what the model remembers. */
export interface Memory {
  /** Empty where the graph takes the first pass of a text alone. */
  readonly past: string;
  readonly fresh: string;
  /** The output's name before any edit. */
  readonly of: string;
  /** Float32. One row, without the axes of tokens and sequences; of what is replaced: the whole, as it is at first. */
  readonly shape: readonly number[];
}
export interface WholeInput {
  readonly name: string;
  readonly type: Whole;
}
/** What the encoder gives and each pass takes as it is. */
export interface GivenInput {
  readonly name: string;
  /** The encoder's output. */
  readonly of: string;
}
/** Where the rows of new tokens lie in a whole cache, as numbers of its innermost rows: [n, B, ...sizes]. `axes`: of the cache without the innermost one, by size; `B` and `T` are the sequences and all tokens. */
export interface Places {
  readonly name: string;
  readonly axes: readonly (number | 'B' | 'T')[];
}
export interface GraphForm {
  /** The edited file; absent when the file is of this form as it stands. */
  readonly model?: Uint8Array<ArrayBuffer>;
  /** [B, n] each; mask: [B, P + n]. */
  readonly ids: WholeInput;
  readonly positions?: WholeInput;
  readonly mask?: WholeInput;
  /** Tokens of a sequence stand together in a whole cache, and its mask has ones in front alone: GroupQueryAttention. Else the new ones of all stand behind the longest past. */
  readonly grouped: boolean;
  /** Activations are rounded on a scale that is found anew in each pass: what else is in it shows in the logits. */
  readonly rounded: boolean;
  /** Zeros, [B, n]. */
  readonly types?: WholeInput;
  /** [B]: tokens seen. */
  readonly lengths?: string;
  /** [P, B]: the token behind each one seen. */
  readonly followers?: string;
  /** [B, count]: the last tokens seen. */
  readonly recent?: { readonly name: string; readonly count: number };
  /** [B, m]: new tokens of which logits are wanted, counted over all as t * B + b (`time`) or b * n + t. Absent: the graph gives those of the last one alone. */
  readonly wanted?: { readonly name: string; readonly order: 'time' | 'batch' };
  /** How many logits the graph computes, from the end; all are. */
  readonly counted?: WholeInput & { readonly scalar: boolean };
  /** True when something is remembered, [1]. */
  readonly cached?: string;
  readonly places: readonly Places[];
  /** [P, B, ...] in, [n, B, ...] out. */
  readonly growing: readonly Memory[];
  /** The last row in, [B, ...]; a row for each new token out, [n, B, ...]. */
  readonly carried: readonly Memory[];
  /** What is replaced as a whole at each pass. */
  readonly replaced: readonly Memory[];
  /** Of a decoder that looks at what an encoder read: its tokens, as ones, [1, S]. */
  readonly sourceMask?: WholeInput;
  readonly given: readonly GivenInput[];
  /** May sources of several sequences stand side by side? What is given is [S, B, ...] then. */
  readonly joint: boolean;
  /** Keys and values of what the encoder read: they come out of a text's first pass, and go into each later one as they are. `shape`: at first. */
  readonly crossed: readonly Memory[];
  /** May B be more than 1? Else what grows has no axis for it. */
  readonly batched: boolean;
  /** [B, m, vocabulary], float32. */
  readonly logits: string;
  readonly vocabulary: number | undefined;
}
/** What a model folder states: names, with %d for the layer. */
export interface StatedNames {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** Numbers of a head, for graphs that leave the innermost axis of a cache open. */
  readonly headSize?: number;
}

const FORM =
  'Pharos runs decoder graphs with input_ids [batch, n], optionally attention_mask, position_ids, token_type_ids, and pairs of past and present tensors of float32 or float16, of which the axis of tokens has a name';
const OLDEST_OPSET = 11;
const LAST = 0x7fffffff;

export interface FormOptions {
  /** Let the head see the positions alone that are wanted. Default true. */
  readonly narrow?: boolean;
  /** Put what grows together in the graph, so that all of it can stay where the graph runs: it comes out whole and is given back as it is. One sequence at a time then. */
  readonly resident?: boolean;
  /** Outputs of the encoder that the decoder looks at; absent: there is none. */
  readonly encoder?: readonly string[];
  /** The graph takes the first pass of a text alone, and gives what another one, of this form, goes on with. */
  readonly opens?: Pick<GraphForm, 'growing' | 'crossed'>;
}
/** Brings a graph into the form, or says why it cannot be. `file`: its name, for messages. Throws EngineError `model_invalid`. */
export function graphForm(bytes: Uint8Array, file: string, stated: StatedNames = { inputs: {}, outputs: {} }, options: FormOptions = {}): GraphForm {
  const wrong = (what: string): EngineError => new EngineError('model_invalid', `${file}: ${what}. ${FORM}`);
  let graph: OnnxFile;
  try {
    graph = new OnnxFile(bytes);
  } catch (error) {
    throw new EngineError('model_invalid', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return new Former(graph, stated, wrong, options).form();
}

/** What the output is called that goes in as `past` at the next pass; the second is what most exporters call it. */
function presentNames(past: string): readonly string[] {
  const rest = /^past(?:_key_values|_key_value)?(.*)$/.exec(past)?.[1];
  return rest === undefined ? [] : [`new${rest}`, `present${rest}`, `present_key_values${rest}`];
}

type Kind = 'growing' | 'carried' | 'replaced';
type Purposes = { -readonly [Name in 'positions' | 'mask' | 'types' | 'lengths' | 'followers' | 'recent' | 'wanted' | 'counted' | 'cached' | 'sourceMask']?: GraphForm[Name] };
/** Of the encoder's last layer. */
const STATES = { decoder: 'encoder_hidden_states', encoder: 'last_hidden_state' } as const;

class Former {
  readonly #graph: OnnxFile;
  readonly #stated: StatedNames;
  readonly #wrong: (what: string) => EngineError;
  readonly #options: FormOptions;
  readonly #places = new Map<string, Places>();
  #edited = false;
  #batched = true;
  #joint = true;
  #count: string | undefined;

  constructor(graph: OnnxFile, stated: StatedNames, wrong: (what: string) => EngineError, options: FormOptions) {
    this.#graph = graph;
    this.#stated = stated;
    this.#wrong = wrong;
    this.#options = options;
  }

  form(): GraphForm {
    this.#graph.forgetShapes();
    const purposes: Purposes = {};
    const memories: Record<Kind, Memory[]> = { growing: [], carried: [], replaced: [] };
    const [given, crossed]: [GivenInput[], Memory[]] = [[], []];
    const { encoder, opens } = this.#options;
    const named = (name: string): string => this.#stated.inputs[name] ?? name;
    const ids = this.#whole(this.#input(named('input_ids')), 2);
    for (const input of Array.from(this.#graph.inputs)) {
      const { name } = input;
      if (name === ids.name) continue;
      if (name === named('position_ids')) purposes.positions = this.#whole(input, 2);
      else if (name === named('attention_mask')) purposes.mask = this.#whole(input, 2);
      else if (name === 'token_type_ids') purposes.types = this.#whole(input, 2);
      else if (name === 'num_logits_to_keep' || name === 'logits_to_keep') purposes.counted = { ...this.#whole(input), scalar: input.shape?.length === 0 };
      else if (name === 'use_cache_branch') purposes.cached = name;
      else if (name === 'past_lengths') purposes.lengths = name;
      else if (name === 'past_followers') purposes.followers = name;
      else if (name === 'recent_ids') purposes.recent = { name, count: Number(input.shape?.[1] ?? 0) };
      else if (name === 'wanted') purposes.wanted = { name, order: 'time' };
      else if (name === 'encoder_attention_mask' && encoder) purposes.sourceMask = this.#whole(input, 2);
      else if (name === STATES.decoder ? encoder : encoder?.includes(name)) given.push({ name: this.#given(input), of: name === STATES.decoder ? STATES.encoder : name });
      else if (encoder && /^past.*\.encoder\./.test(name)) crossed.push(this.#crossed(input));
      else {
        const output = this.#partner(name);
        if (!output) throw this.#wrong(`the input ${name} is not known here`);
        const { memory, kind } = this.#memory(input, output, ids);
        memories[kind].push(memory);
      }
    }
    if (opens) {
      memories.growing.push(...opens.growing.map((memory) => ({ ...memory, past: '', fresh: this.#rows(this.#output(memory.of), ids).fresh })));
      crossed.push(...opens.crossed.map((memory) => ({ ...memory, past: '', fresh: this.#crossedOut(this.#output(memory.of)) })));
    }
    if (memories.growing.length + memories.replaced.length === 0) throw this.#wrong('the graph remembers nothing: it has no past inputs, so that each token would cost the whole text anew' + (encoder ? '; put decoder_with_past_model.onnx beside it, or take decoder_model_merged.onnx' : ''));
    // Caches are given whole here, also those of layers that see a window: without this mark the operator takes them so.
    if (this.#isGrouped && this.#graph.dropAttribute('GroupQueryAttention', 'sliding_window_cache')) this.#border();
    const logits = this.#logits(purposes);
    if (this.#options.resident) this.#settle(memories);
    const batched = this.#batched && memories.replaced.length === 0;
    return { ...(this.#edited ? { model: this.#graph.finish() } : {}), ids, ...purposes, grouped: this.#isGrouped, rounded: this.#graph.types.has('DynamicQuantizeLinear'), places: [...this.#places.values()], ...memories, given, joint: this.#joint && crossed.length === 0 && given.length > 0, crossed, batched, ...logits };
  }
  /** Makes all that is remembered come out whole. */
  #settle(memories: Record<Kind, Memory[]>): void {
    const graph = this.#graph;
    const one = this.#batched ? [1] : [];
    const whole = ({ past, fresh, of, shape }: Memory, value: string, first: readonly number[], said: readonly (string | number)[]): Memory => {
      graph.replaceOutput(fresh, { name: value, type: DataType.float, shape: [...said, ...shape] });
      return { past, fresh: value, of, shape: [...first, ...shape] };
    };
    this.#border();
    memories.replaced.push(
      ...memories.growing.map((memory) => whole(memory, graph.add('behind', 'Concat', [memory.past, memory.fresh], { axis: 0 }), [0, ...one], ['all', ...one])),
      ...memories.carried.map((memory) => {
        const last = graph.add('behind', 'Slice', [memory.fresh, graph.ints([-1]), graph.ints([LAST]), graph.ints([0])]);
        return whole(memory, graph.add('behind', 'Reshape', [last, graph.ints([1, ...memory.shape])]), [1], [1]);
      }),
    );
    memories.growing = [];
    memories.carried = [];
  }
  get #isGrouped(): boolean {
    return this.#graph.types.has('GroupQueryAttention');
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
    const names = presentNames(past);
    return this.#graph.outputs.find(({ name }) => names.includes(name));
  }
  #output(name: string): GraphValue {
    const found = this.#graph.outputs.find((output) => output.name === name);
    if (!found) throw this.#wrong(`the graph has no output ${name}`);
    return found;
  }
  /** Takes in whole precision what the encoder gives. */
  #given({ name, type, shape }: GraphValue): string {
    this.#joint &&= shape?.length === 4 && shape.every((size, axis) => (typeof size === 'string') === axis < 2);
    if (type !== DataType.float && type !== DataType.float16) throw this.#wrong(`the input ${name} must be float32 or float16`);
    return type === DataType.float ? name : this.#castIn(name, name, shape ?? []);
  }
  #crossed(input: GraphValue): Memory {
    const { name, shape } = input;
    if (shape?.length !== 4) throw this.#wrong(`the input ${name} must be [batch, heads, tokens, size]`);
    const output = this.#partner(name);
    const first = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 1 : 0));
    return { past: this.#given(input), fresh: output ? this.#crossedOut(output) : '', of: output?.name ?? presentNames(name)[1], shape: first };
  }
  #crossedOut({ name, type, shape }: GraphValue): string {
    return type === DataType.float16 ? this.#castOut(name, name, shape ?? []) : name;
  }

  #memory(input: GraphValue, output: GraphValue, ids: WholeInput): { readonly memory: Memory; readonly kind: Kind } {
    const { name: past } = input;
    if (![DataType.float, DataType.float16].some((type) => input.type === type && output.type === type)) throw this.#wrong(`the input ${past} and the output ${output.name} must both be float32 or both float16`);
    if (!input.shape) throw this.#wrong(`the graph does not say the shape of ${past}`);
    const shape = this.#closed(input.shape);
    const half = input.type === DataType.float16;
    const own = output.name.startsWith('new');
    // In the form itself tokens come first, and then the batch.
    const open = shape.flatMap((size, i) => (typeof size === 'string' ? [i] : []));
    if (open.length > 2) throw this.#wrong(`the shape of ${past} is not clear: [${shape.join(', ')}] has more than two axes without a size`);
    const sized = shape.map((size) => (typeof size === 'number' ? size : 1));
    if (own && !half && open.length === 2 && open[1] === 1) return { memory: { past, fresh: output.name, of: output.name, shape: sized.slice(2) }, kind: 'growing' };
    if (own && !half && open.length === 1 && open[0] === 0 && output.shape?.length === shape.length + 1) return { memory: { past, fresh: output.name, of: output.name, shape: sized.slice(1) }, kind: 'carried' };
    if (open.length === 0 || (open.length === 1 && /batch|^[bn]$/i.test(String(shape[open[0]])))) {
      const [given, taken] = [half ? this.#castIn(past, past, sized) : past, half ? this.#castOut(output.name, output.name, sized) : output.name];
      return { memory: { past: given, fresh: taken, of: output.name, shape: sized }, kind: 'replaced' };
    }
    this.#border();
    const graph = this.#graph;
    graph.describe(input);
    const { fresh, order, rowShape } = this.#rows(output, ids, shape);
    if (open.length < 2) this.#batched = false;
    const rows = graph.fresh(past);
    const given = half ? this.#castIn(past, rows, rowShape('tokens')) : `${past}.rows`;
    if (!half) graph.replaceInput(past, { name: given, type: DataType.float, shape: rowShape('tokens') });
    graph.add('front', 'Transpose', [half ? rows : given], { perm: shape.map((_, i) => order.indexOf(i)) }, past);
    return { memory: { past: given, fresh, of: output.name, shape: rowShape('').filter((size) => typeof size === 'number') }, kind: 'growing' };
  }
  /** Makes the rows of new tokens alone come out of a whole cache. `order`: its axes in the order of the rows': tokens, sequences, and the others as they are. */
  #rows(output: GraphValue, ids: WholeInput, shape = output.shape ?? []): { readonly fresh: string; readonly order: readonly number[]; readonly rowShape: (first: string) => (string | number)[] } {
    this.#border();
    const graph = this.#graph;
    graph.describe(output);
    // The axis of tokens is the last one that has a name; the one in front of it, if any, is the batch.
    const open = shape.flatMap((size, i) => (typeof size === 'string' ? [i] : []));
    const time = open[open.length - 1];
    const batch = open.length === 2 ? open[0] : undefined;
    const others = shape.flatMap((_, i) => (i === time || i === batch ? [] : [i]));
    const sizes = others.map((i) => Number(shape[i]));
    const order = [time, ...(batch === undefined ? [] : [batch]), ...others];
    const rowShape = (first: string): (string | number)[] => [first, ...(batch === undefined ? [] : ['sequences']), ...sizes];
    let turned: string;
    if (this.#isGrouped && batch !== undefined && time === shape.length - 2) {
      const places = this.#placesOf(shape.slice(0, -1).map((size, i) => (i === time ? 'T' : i === batch ? 'B' : Number(size))));
      turned = graph.add('behind', 'Gather', [graph.add('behind', 'Reshape', [output.name, graph.ints([-1, Number(shape[shape.length - 1])])]), places], { axis: 0 });
    } else {
      const count = (this.#count ??= this.#counted(ids));
      turned = graph.add('behind', 'Transpose', [graph.add('behind', 'Slice', [output.name, count, graph.ints([LAST]), graph.ints([time])])], { perm: order });
    }
    if (output.type === DataType.float16) return { fresh: this.#castOut(output.name, turned, rowShape('new')), order, rowShape };
    graph.replaceOutput(output.name, { name: turned, type: DataType.float, shape: rowShape('new') });
    return { fresh: turned, order, rowShape };
  }
  /** Newer graphs of ONNX Runtime GenAI name the size of a head as they name batch and tokens; the folder says it. */
  #closed(shape: readonly (number | string)[]): readonly (number | string)[] {
    const { headSize } = this.#stated;
    const open = shape.filter((size) => typeof size === 'string').length;
    return open > 2 && headSize !== undefined && typeof shape.at(-1) === 'string' ? [...shape.slice(0, -1), headSize] : shape;
  }
  /** An input that says where new rows lie in caches with these axes. */
  #placesOf(axes: Places['axes']): string {
    const key = axes.join();
    const known = this.#places.get(key);
    if (known) return known.name;
    const name = this.#graph.fresh('places');
    const sizes = axes.filter((axis): axis is number => typeof axis === 'number');
    this.#graph.inputs.push({ name, type: DataType.int64, shape: ['new', 'sequences', ...sizes] });
    this.#places.set(key, { name, axes });
    return name;
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

  #logits(purposes: Purposes): { readonly logits: string; readonly vocabulary: number | undefined } {
    const graph = this.#graph;
    const name = this.#stated.outputs['logits'] ?? 'logits';
    const output = graph.outputs.find((value) => value.name === name);
    if (!output) throw this.#wrong(`the graph has no output ${name}`);
    const size = output.shape?.[output.shape.length - 1];
    const vocabulary = typeof size === 'number' ? size : undefined;
    if (output.type !== DataType.float && output.type !== DataType.float16) throw this.#wrong(`the output ${name} must be float32 or float16`);
    if (output.type === DataType.float && (output.shape?.length === 2 || (output.shape?.length === 3 && purposes.wanted))) return { logits: name, vocabulary };
    // The head sees the last token alone: GenAI's builder with prune_lm_head.
    if (output.shape?.length === 3 && output.shape[1] === 1 && !purposes.wanted)
      return { logits: output.type === DataType.float ? name : this.#castOut(name, name, output.shape), vocabulary };
    if (output.shape?.length !== 3 || purposes.wanted) throw this.#wrong(`the output ${name} must be [batch, n, vocabulary]`);
    this.#border();
    const wanted = graph.fresh('wanted');
    graph.inputs.push({ name: wanted, type: DataType.int64, shape: ['sequences', 'wanted'] });
    purposes.wanted = { name: wanted, order: 'batch' };
    let value = name;
    if (this.#options.narrow === false || !narrowHead(graph, name, wanted)) value = onlyWanted(graph, 'behind', value, wanted);
    if (output.type === DataType.float16) value = graph.add('behind', 'Cast', [value], { to: DataType.float });
    graph.replaceOutput(name, { name: value, type: DataType.float, shape: ['sequences', 'wanted', vocabulary ?? 'vocabulary'] });
    return { logits: value, vocabulary };
  }
}
