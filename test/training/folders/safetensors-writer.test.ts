// Owns that written safetensors files are read back as they were, and laid out as the format says.
// Refuses to know models.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SafetensorsFile } from '../../../src/model/import/safetensors.ts';
import { writeSafetensors } from '../../../src/model/import/safetensors-writer.ts';

t.test('tensors are read back as they were written, each asked for when its turn comes', (t) => {
  const path = join(t.testdir(), 'model.safetensors');
  const matrix = Float32Array.of(1, -2, 3.5, Number.MIN_VALUE, 1e30, 0);
  const asked: string[] = [];
  const tensor = (name: string, shape: readonly number[], values: Float32Array) => ({ name, shape, values: (): Float32Array => (asked.push(name), values) });
  writeSafetensors(path, [
    tensor('a.weight', [2, 3], matrix),
    tensor('b', [], Float32Array.of(7)),
    tensor('none', [0, 4], new Float32Array(0)),
    tensor('part', [2], matrix.subarray(1, 3)),
  ]);
  t.same(asked, ['a.weight', 'b', 'none', 'part']);
  const file = new SafetensorsFile(path);
  t.same(file.names, asked);
  t.same(
    ['a.weight', 'b', 'none', 'part'].map((name) => file.shapeOf(name)),
    [[2, 3], [], [0, 4], [2]],
  );
  t.same(
    ['a.weight', 'b', 'none', 'part'].map((name) => file.read(name)),
    [matrix, Float32Array.of(7), new Float32Array(0), Float32Array.of(-2, 3.5)],
  );
  file.close();
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE());
  t.equal(length % 8, 0, 'numbers begin on a border of eight bytes');
  t.equal(bytes.length, 8 + length + 4 * 9);
  t.end();
});

t.test('a tensor of another size than its shape is refused by its name', (t) => {
  const path = join(t.testdir(), 'model.safetensors');
  t.throws(() => writeSafetensors(path, [{ name: 'a', shape: [2, 2], values: () => new Float32Array(3) }]), /a has 3 numbers, and its shape \[2, 2\] needs 4/);
  t.end();
});
