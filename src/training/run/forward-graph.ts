// Owns cutting a loss graph down to its loss and what is said besides: an evaluation then makes a third of the work, since ONNX Runtime runs all that a graph has, whatever is fetched.
// Refuses to know what the graph computes.

import { ProtoWriter, readFields } from '../../model/protobuf.ts';

/** Fields of ModelProto, GraphProto, NodeProto, TensorProto and ValueInfoProto (onnx/onnx.proto). */
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5, output: 12 } as const;
const NODE = { input: 1, output: 2 } as const;
const NAME = { [GRAPH.initializer]: 8, [GRAPH.output]: 1 } as const;

const decoder = new TextDecoder();
function texts(bytes: Uint8Array, wanted: number): readonly string[] {
  const found: string[] = [];
  readFields(bytes, (field, value) => {
    if (field === wanted && typeof value !== 'number') found.push(decoder.decode(value));
  });
  return found;
}

/** The same model with `outputs` as its only ones, and nothing that it does not need. Its nodes stand in their order, and have no graphs of their own in them, as a loss graph's do. */
export function forwardGraph(model: Uint8Array, outputs: readonly string[]): Uint8Array {
  const edited = new ProtoWriter();
  readFields(model, (field, value, whole) => {
    if (field === MODEL_GRAPH && typeof value !== 'number') edited.bytes(MODEL_GRAPH, cut(value, outputs));
    else edited.raw(whole);
  });
  return edited.finish();
}

function cut(graph: Uint8Array, outputs: readonly string[]): Uint8Array {
  const nodes: Uint8Array[] = [];
  readFields(graph, (field, value) => {
    if (field === GRAPH.node && typeof value !== 'number') nodes.push(value);
  });
  const needed = new Set(outputs);
  const kept = new Set<Uint8Array>();
  // Each node stands behind those that it reads from.
  for (const node of nodes.toReversed()) {
    if (!texts(node, NODE.output).some((name) => needed.has(name))) continue;
    kept.add(node);
    for (const name of texts(node, NODE.input)) needed.add(name);
  }
  const edited = new ProtoWriter();
  for (const node of nodes) if (kept.has(node)) edited.bytes(GRAPH.node, node);
  readFields(graph, (field, value, whole) => {
    if (field === GRAPH.node) return;
    const named = (field === GRAPH.initializer || field === GRAPH.output) && typeof value !== 'number';
    if (!named || needed.has(texts(value, NAME[field])[0])) edited.raw(whole);
  });
  return edited.finish();
}
