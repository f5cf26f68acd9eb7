// Owns editing ONNX files that others made, at the borders of their graph: inputs and outputs renamed or replaced, nodes put in front and behind.
// Refuses to know what the graph computes. Weights and everything else that is not edited stay byte for byte as they were.

import { DataType } from './onnx.ts';
import { ProtoWriter, readFields } from './protobuf.ts';

/** A tensor that a graph takes in or gives out. */
export interface GraphValue {
  readonly name: string;
  /** ONNX TensorProto.DataType. */
  readonly type: number;
  /** A size, a name, or '' where nothing is said. Undefined: not even the number of dimensions is said. */
  readonly shape: readonly (number | string)[] | undefined;
}
export interface GraphNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const decoder = new TextDecoder();
const text = (value: number | Uint8Array): string => (typeof value === 'number' ? '' : decoder.decode(value));

/** Fields of GraphProto and ModelProto (onnx/onnx.proto). */
const GRAPH = { node: 1, input: 11, output: 12, value: 13 } as const;
const MODEL = { graph: 7, opset: 8 } as const;

function readValue(bytes: Uint8Array): GraphValue {
  let [name, type] = ['', 0];
  let shape: (number | string)[] | undefined;
  readFields(bytes, (field, value) => {
    if (field === 1) name = text(value);
    else if (field === 2 && typeof value !== 'number')
      readFields(value, (kind, tensor) => {
        if (kind !== 1 || typeof tensor === 'number') return;
        readFields(tensor, (part, inner) => {
          if (part === 1 && typeof inner === 'number') type = inner;
          else if (part === 2 && typeof inner !== 'number') {
            shape = [];
            const dimensions = shape;
            readFields(inner, (_, dimension) => {
              let size: number | string = '';
              if (typeof dimension !== 'number') readFields(dimension, (which, given) => void (size = which === 1 ? (given as number) : text(given)));
              dimensions.push(size);
            });
          }
        });
      });
  });
  return { name, type, shape };
}
function writeValue({ name, type, shape }: GraphValue): ProtoWriter {
  const tensor = new ProtoWriter().int(1, type);
  if (shape) {
    const dims = new ProtoWriter();
    for (const size of shape) dims.message(1, typeof size === 'number' ? new ProtoWriter().int(1, size) : new ProtoWriter().text(2, size));
    tensor.message(2, dims);
  }
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensor));
}
function readNode(bytes: Uint8Array): GraphNode {
  const [inputs, outputs]: [string[], string[]] = [[], []];
  let [type, domain] = ['', ''];
  readFields(bytes, (field, value) => {
    if (field === 1) inputs.push(text(value));
    else if (field === 2) outputs.push(text(value));
    else if (field === 4) type = text(value);
    else if (field === 7) domain = text(value);
  });
  return { type, domain, inputs, outputs };
}

/** Adds the operator of a node, and those of the graphs that its attributes hold (AttributeProto.g). */
function gatherTypes(bytes: Uint8Array, types: Set<string>): void {
  readFields(bytes, (field, value) => {
    if (field === 4) types.add(text(value));
    if (field !== 5 || typeof value === 'number') return;
    readFields(value, (part, graph) => {
      if (part !== 6 || typeof graph === 'number') return;
      readFields(graph, (which, node) => {
        if (which === GRAPH.node && typeof node !== 'number') gatherTypes(node, types);
      });
    });
  });
}

/** A node's attribute: whole numbers, one or a list. */
type IntAttribute = number | readonly number[];

export class OnnxFile {
  readonly inputs: GraphValue[] = [];
  readonly outputs: GraphValue[] = [];
  /** Version of the standard operators. */
  readonly opset: number;
  /** Fields of the model besides the graph, and of the graph besides nodes and borders. */
  readonly #model: Uint8Array[] = [];
  readonly #graph: Uint8Array[] = [];
  readonly #nodes: Uint8Array[] = [];
  readonly #front: ProtoWriter[] = [];
  readonly #behind: ProtoWriter[] = [];
  #producers: Map<string, number> | undefined;
  #types: ReadonlySet<string> | undefined;
  #next = 0;

  /** Throws RangeError for bytes that are no ONNX model. */
  constructor(bytes: Uint8Array) {
    let [opset, found] = [0, false];
    readFields(bytes, (field, value, whole) => {
      if (field !== MODEL.graph || typeof value === 'number') {
        this.#model.push(whole);
        if (field === MODEL.opset && typeof value !== 'number') {
          let [domain, version] = ['', 0];
          readFields(value, (part, given) => {
            if (part === 1) domain = text(given);
            else if (part === 2 && typeof given === 'number') version = given;
          });
          if (domain === '' || domain === 'ai.onnx') opset = version;
        }
        return;
      }
      found = true;
      readFields(value, (part, inner, all) => {
        if (typeof inner === 'number') this.#graph.push(all);
        else if (part === GRAPH.node) this.#nodes.push(inner);
        else if (part === GRAPH.input) this.inputs.push(readValue(inner));
        else if (part === GRAPH.output) this.outputs.push(readValue(inner));
        else this.#graph.push(all);
      });
    });
    if (!found || this.#nodes.length === 0) throw new RangeError('the file holds no ONNX graph');
    this.opset = opset;
  }

  /** Operators that occur in the graph and in its branches. */
  get types(): ReadonlySet<string> {
    if (this.#types) return this.#types;
    const types = new Set<string>();
    for (const node of this.#nodes) gatherTypes(node, types);
    return (this.#types = types);
  }
  /** The node that makes a value; undefined for inputs and weights. */
  producer(value: string): GraphNode | undefined {
    const at = this.#producer(value);
    return at === undefined ? undefined : readNode(this.#nodes[at]);
  }
  #producer(value: string): number | undefined {
    if (!this.#producers) {
      this.#producers = new Map();
      for (const [i, node] of this.#nodes.entries()) for (const name of readNode(node).outputs) this.#producers.set(name, i);
    }
    return this.#producers.get(value);
  }

  /** A name that no value has. */
  fresh(hint: string): string {
    return `pharos.${hint}.${this.#next++}`;
  }
  /** A node before or after all others, or in front of the one that makes a value. Returns its output. */
  add(place: 'front' | 'behind' | { readonly before: string }, type: string, inputs: readonly string[], attributes: Readonly<Record<string, IntAttribute>> = {}, output = this.fresh(type)): string {
    const node = new ProtoWriter();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, this.fresh(type)).text(4, type);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new ProtoWriter().text(1, name);
      if (typeof value === 'number') attribute.int(3, value).int(20, 2);
      else {
        for (const item of value) attribute.int(8, item);
        attribute.int(20, 7);
      }
      node.message(5, attribute);
    }
    if (typeof place !== 'string') {
      const at = this.#producer(place.before);
      if (at === undefined) throw new RangeError(`no node makes ${place.before}`);
      this.#nodes.splice(at, 0, node.finish());
      this.#producers = undefined;
    } else (place === 'front' ? this.#front : this.#behind).push(node);
    return output;
  }
  /** A constant int64 vector, as an initializer. */
  ints(values: readonly number[]): string {
    const name = this.fresh('ints');
    const tensor = new ProtoWriter().int(1, values.length).int(2, DataType.int64).text(8, name).bytes(9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
    this.#graph.push(new ProtoWriter().message(5, tensor).finish());
    return name;
  }
  /** Makes the node that makes `value` read another value in the place of its input `index`. */
  rewire(value: string, index: number, input: string): void {
    const at = this.#producer(value);
    if (at === undefined) throw new RangeError(`no node makes ${value}`);
    const node = new ProtoWriter();
    let seen = 0;
    readFields(this.#nodes[at], (field, _, whole) => {
      if (field === 1 && seen++ === index) node.text(1, input);
      else node.raw(whole);
    });
    this.#nodes[at] = node.finish();
  }
  /** Takes an attribute away from all nodes of a type. Returns whether any had it. */
  dropAttribute(type: string, attribute: string): boolean {
    let found = false;
    for (const [i, bytes] of this.#nodes.entries()) {
      if (readNode(bytes).type !== type) continue;
      const node = new ProtoWriter();
      readFields(bytes, (field, value, whole) => {
        let name = '';
        if (field === 5 && typeof value !== 'number') readFields(value, (part, given) => void (name = part === 1 ? text(given) : name));
        if (name === attribute) found = true;
        else node.raw(whole);
      });
      this.#nodes[i] = node.finish();
    }
    return found;
  }
  /** Forgets what the file says about the shapes of values inside the graph: exporters get some wrong, ONNX Runtime shares memory by them, and infers them itself where nothing is said. */
  forgetShapes(): void {
    const kept = this.#graph.filter((field) => {
      let number = 0;
      readFields(field, (part) => void (number = part));
      return number !== GRAPH.value;
    });
    this.#graph.splice(0, this.#graph.length, ...kept);
  }
  /** Says the shape of a value inside the graph, as a border said it before: ONNX Runtime plans its memory by that. */
  describe(value: GraphValue): void {
    this.#graph.push(new ProtoWriter().message(GRAPH.value, writeValue(value)).finish());
  }
  replaceInput(name: string, value: GraphValue): void {
    this.inputs[this.inputs.findIndex((input) => input.name === name)] = value;
  }
  replaceOutput(name: string, value: GraphValue): void {
    this.outputs[this.outputs.findIndex((output) => output.name === name)] = value;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const graph = new ProtoWriter();
    for (const node of this.#front) graph.message(1, node);
    for (const node of this.#nodes) graph.bytes(1, node);
    for (const node of this.#behind) graph.message(1, node);
    for (const field of this.#graph) graph.raw(field);
    for (const input of this.inputs) graph.message(GRAPH.input, writeValue(input));
    for (const output of this.outputs) graph.message(GRAPH.output, writeValue(output));
    const model = new ProtoWriter();
    for (const field of this.#model) model.raw(field);
    return model.message(MODEL.graph, graph).finish();
  }
}
