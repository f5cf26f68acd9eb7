// Owns reading graphs without their weights: what stays in the graph, what it points to, and that ONNX Runtime computes the same.
// Refuses to know what the graphs are for.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import t from 'tap';
import { readGraphFile } from '../../src/model/graph-file.ts';
import { GraphBuilder } from '../../src/model/onnx.ts';
import { OnnxFile } from '../../src/model/onnx-edit.ts';

const folder = mkdtempSync(join(tmpdir(), 'pharos-graph-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const WIDTH = 192;
/** x [1, WIDTH] times a matrix of floats, and bytes picked from a table: weights of two kinds, the floats at any place. `pad` moves them. */
function model(pad: number): { readonly bytes: Uint8Array; readonly matrix: Float32Array } {
  const g = new GraphBuilder();
  const x = g.input('x', 'float', [1, WIDTH]);
  const matrix = Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => ((i * 7) % 23) - 11);
  const table = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
  g.weight('p'.repeat(pad), Float32Array.of(1), [1]);
  g.op('MatMul', [x, g.weight('matrix', matrix, [WIDTH, WIDTH])], {}, { outputs: ['y'] });
  g.op('Cast', [g.op('Gather', [g.packed('table', table, [70_000]), g.ints([69_999])])], { to: { int: 1 } }, { outputs: ['last'] });
  g.output('y', 'float', [1, WIDTH]);
  g.output('last', 'float', [1]);
  return { bytes: g.finish('test'), matrix };
}

t.test('large weights stay in the file, and the graph that points to them computes the same wherever they lie', async (t) => {
  for (const pad of [1, 2, 3, 4, 5]) {
    const { bytes, matrix } = model(pad);
    const file = join(folder, `model-${pad}.onnx`);
    writeFileSync(file, bytes);
    const graph = readGraphFile(file);
    t.equal(graph.whole, false);
    t.ok(graph.bytes.length < 4096, `${graph.bytes.length} of ${bytes.length} bytes are read`);
    t.same(new OnnxFile(graph.bytes).inputs, new OnnxFile(bytes).inputs);
    const session = await ort.InferenceSession.create(graph.bytes, { extra: { session: { model_external_initializers_file_folder_path: dirname(file) } } });
    const x = Float32Array.from({ length: WIDTH }, (_, i) => i % 5);
    const { y, last } = await session.run({ x: new ort.Tensor('float32', x, [1, WIDTH]) });
    const expected = Array.from({ length: WIDTH }, (_, column) => x.reduce((sum, value, row) => sum + value * matrix[row * WIDTH + column], 0));
    t.same([...(y.data as Float32Array)], expected);
    t.same([...(last.data as Float32Array)], [69_999 % 251]);
    await session.release();
  }
});

t.test('a file of small weights is read as it stands', (t) => {
  const g = new GraphBuilder();
  g.op('Mul', [g.input('x', 'float', [2]), g.weight('w', Float32Array.of(2, 3), [2])], {}, { outputs: ['y'] });
  g.output('y', 'float', [2]);
  const file = join(folder, 'small.onnx');
  const bytes = g.finish('small');
  writeFileSync(file, bytes);
  const graph = readGraphFile(file);
  t.equal(graph.whole, true);
  t.same(new OnnxFile(graph.bytes).outputs, new OnnxFile(bytes).outputs);
  t.end();
});

t.test('a graph larger than the window is read whole', (t) => {
  const g = new GraphBuilder();
  let x = g.input('x', 'float', [1]);
  for (let i = 0; i < 40_000; i++) x = g.op('Neg', [x]);
  g.output(x, 'float', [1]);
  const file = join(folder, 'long.onnx');
  const bytes = g.finish('long');
  t.ok(bytes.length > 1.2 * 2 ** 20, `${bytes.length} bytes`);
  writeFileSync(file, bytes);
  t.same(new OnnxFile(readGraphFile(file).bytes).producer(x), new OnnxFile(bytes).producer(x));
  t.end();
});

t.test('a file that is cut short or no ONNX file is refused', (t) => {
  const { bytes } = model(1);
  const file = join(folder, 'cut.onnx');
  writeFileSync(file, bytes);
  for (const length of [bytes.length - 1, Math.floor(bytes.length / 2), 100]) {
    truncateSync(file, length);
    t.throws(() => readGraphFile(file), RangeError, `${length} bytes`);
  }
  writeFileSync(file, 'not an ONNX file at all');
  t.throws(() => readGraphFile(file), RangeError);
  t.throws(() => readGraphFile(join(folder, 'none.onnx')), { code: 'ENOENT' });
  t.end();
});
