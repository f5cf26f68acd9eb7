// Owns leaving out positions of which no logits are wanted, before the product with the vocabulary where it can be.
// Refuses to know the rest of the graph.

import type { OnnxFile } from '../../model/onnx-edit.ts';

/** Operators between that product and the logits that treat each position by itself. */
const ELEMENTWISE = ['Cast', 'Identity', 'Mul', 'Div', 'Tanh', 'Add'];
const MOST_STEPS = 8;

/** Of [B, n, size] those rows that are wanted, [B, m, size]. */
export function onlyWanted(graph: OnnxFile, place: Parameters<OnnxFile['add']>[0], value: string, wanted: string): string {
  return graph.add(place, 'Gather', [graph.add(place, 'Flatten', [value], { axis: 2 }), wanted], { axis: 0 });
}
/** Leaves only wanted positions before the product with the vocabulary, where the way from there to the logits is a line of element-wise operators. Returns whether it is. */
export function narrowHead(graph: OnnxFile, logits: string, wanted: string): boolean {
  let value = logits;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const node = graph.producer(value);
    if (!node) return false;
    if (node.type === 'MatMul' || node.type === 'MatMulNBits') {
      graph.rewire(value, 0, onlyWanted(graph, { before: value }, node.inputs[0], wanted));
      return true;
    }
    if (!ELEMENTWISE.includes(node.type)) return false;
    // The other side must be a weight.
    const made = node.inputs.filter((input) => graph.producer(input)?.type !== undefined && graph.producer(input)?.type !== 'Constant');
    if (made.length !== 1) return false;
    [value] = made;
  }
  return false;
}
