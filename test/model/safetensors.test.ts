// Owns reading safetensors: each element type, several files, and that no damaged file is taken for a whole one.
// Refuses to know models.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { CheckpointError } from '../../src/model/import/checkpoint.ts';
import { SafetensorsFile } from '../../src/model/import/safetensors.ts';
import { openShards } from '../../src/model/import/shards.ts';
import { Random } from '../../src/training/random.ts';
import { rounded, safetensors } from './checkpoints.ts';
import type { Tensor } from './checkpoints.ts';

function tensorsOf(shapes: readonly (readonly number[])[], seed = 3): Map<string, Tensor> {
  const random = new Random(seed);
  return new Map(
    shapes.map((shape, i) => [
      `tensor.${i}`,
      { shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * 10 ** random.int(-6, 3)) },
    ]),
  );
}
function open(t: Test, bytes: Uint8Array): SafetensorsFile {
  const path = join(t.testdir(), 'some.safetensors');
  writeFileSync(path, bytes);
  const file = new SafetensorsFile(path);
  t.teardown(() => file.close());
  return file;
}

t.test('tensors of each element type come back as what it holds', (t) => {
  const tensors = tensorsOf([[3, 5], [1], [], [2, 3, 4], [0, 7], [257, 3]]);
  for (const type of ['F32', 'F16', 'BF16', 'F8_E4M3'] as const)
    t.test(type, (t) => {
      const file = open(t, safetensors(tensors, type));
      t.same(file.names, [...tensors.keys()]);
      for (const [name, { shape, values }] of tensors) {
        t.same(file.shapeOf(name), shape);
        t.same(file.read(name), rounded(values, type).values, name);
      }
      t.equal(file.shapeOf('else'), undefined);
      t.throws(() => file.read('else'), { code: 'checkpoint_invalid', message: /has no tensor else/ });
      t.end();
    });
  t.end();
});

t.test('a tensor larger than the piece that is read at once is whole', (t) => {
  const length = 5 * 2 ** 20;
  const values = Float32Array.from({ length }, (_, i) => i % 251);
  for (const type of ['F32', 'BF16'] as const) {
    const read = open(
      t,
      safetensors(
        new Map([
          ['first', { shape: [1], values: Float32Array.of(7) }],
          ['large', { shape: [length], values }],
        ]),
        type,
      ),
    ).read('large');
    t.ok(read.length === length && read.every((value, i) => value === i % 251), type);
  }
  t.end();
});

t.test('half precision is read with infinities, the smallest numbers and both zeros', (t) => {
  const values = Float32Array.of(Infinity, -Infinity, 2 ** -24, -(2 ** -24), 65_504, 0, -0);
  t.same(open(t, safetensors(new Map([['edge', { shape: [7], values }]]), 'F16')).read('edge'), values);
  t.end();
});

t.test('what is wrong with a file is said', (t) => {
  const good = Buffer.from(safetensors(tensorsOf([[3, 5], [4]]), 'F32'));
  const refused = (bytes: Uint8Array, message: RegExp): void =>
    void t.throws(() => open(t, bytes), { name: 'CheckpointError', code: 'checkpoint_invalid', message }, String(message));
  const withHeader = (header: unknown): Uint8Array => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text, Buffer.alloc(16)]);
  };
  refused(Buffer.alloc(3), /has 3 bytes/);
  refused(good.subarray(0, 40), /header of \d+ bytes and has 40/);
  refused(good.subarray(0, good.length - 1), /puts tensor\.1 at bytes 60 to 76 of 75/);
  refused(Buffer.alloc(64, 0xff), /header of/);
  refused(withHeader('{"a": '), /no JSON object/);
  refused(withHeader([1]), /has a header that is JSON, and no object$/);
  refused(withHeader({ a: { dtype: 'F32', shape: [2, -2], data_offsets: [0, 16] } }), /describes a wrongly: shape\.1/);
  refused(withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 16] } }), /gives a 16 bytes, and F32 of \[2\] needs 8/);
  refused(withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [12, 4] } }), /bytes 12 to 4/);
  const pair = (first: readonly [number, number], second: readonly [number, number]): Uint8Array =>
    withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: first }, b: { dtype: 'F32', shape: [2], data_offsets: second } });
  t.same(open(t, pair([8, 16], [0, 8])).names, ['a', 'b'], 'in any order');
  refused(pair([0, 8], [0, 8]), /puts b at byte 0, and what lies before it ends at 8; tensors follow each other without overlaps and gaps/);
  refused(pair([0, 8], [4, 12]), /puts b at byte 4, and what lies before it ends at 8/);
  refused(withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [8, 16] } }), /puts a at byte 8, and what lies before it ends at 0/);
  refused(withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }), /has 8 bytes behind its last tensor/);
  t.throws(() => open(t, withHeader({ a: { dtype: 'toString', shape: [4], data_offsets: [0, 16] } })).read('a'), {
    code: 'checkpoint_unsupported',
    message: /a holds toString; F32/,
  });
  const strange = open(t, withHeader({ a: { dtype: 'F8_E5M2', shape: [16], data_offsets: [0, 16] } }));
  t.throws(() => strange.read('a'), { code: 'checkpoint_unsupported', message: /a holds F8_E5M2; F32, F16, BF16, F8_E4M3/ });
  t.throws(() => new SafetensorsFile(t.testdir()), { code: 'checkpoint_invalid', message: /cannot be read: it is no file/ });
  t.throws(() => new SafetensorsFile(join(t.testdir(), 'none')), { code: 'checkpoint_invalid', message: /cannot be read: ENOENT/ });
  t.end();
});

t.test('no cut through a file and no changed byte of its header makes anything but a refusal or the same shapes', (t) => {
  const good = Buffer.from(safetensors(tensorsOf([[3, 5], [4]]), 'BF16'));
  const random = new Random(9);
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(good);
    const cut = random.chance(0.5) ? random.int(0, good.length - 1) : good.length;
    if (cut === good.length) bytes[random.int(0, 150)] = random.int(0, 255);
    try {
      const file = open(t, bytes.subarray(0, cut));
      for (const name of file.names) file.read(name);
      t.equal(cut, good.length, 'a shorter file is refused');
    } catch (error) {
      t.ok(error instanceof CheckpointError, String(error));
    }
  }
  t.end();
});

t.test('an index puts tensors into files, and says which ones are missing', (t) => {
  const tensors = tensorsOf([[2], [3], [4]]);
  const [first, second, third] = [...tensors.keys()];
  const folder = t.testdir();
  const write = (name: string, names: readonly string[]): void =>
    writeFileSync(
      join(folder, name),
      safetensors(new Map(names.map((each) => [each, tensors.get(each) ?? { shape: [0], values: new Float32Array() }])), 'F32'),
    );
  const index = (map: unknown): void => writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  t.throws(() => openShards(folder), { code: 'checkpoint_invalid', message: /neither model\.safetensors nor/ });
  writeFileSync(join(folder, 'pytorch_model.bin'), '');
  t.throws(() => openShards(folder), { message: /but pytorch_model\.bin; weights are read from safetensors/ });
  write('a.safetensors', [first, second]);
  write('b.safetensors', [third]);
  index({ [first]: 'a.safetensors', [second]: 'a.safetensors', [third]: 'b.safetensors' });
  const checkpoint = openShards(folder);
  t.same(checkpoint.names, [first, second, third]);
  t.equal(checkpoint.bytes, 36);
  for (const [name, { values }] of tensors) t.same(checkpoint.read(name), values);
  checkpoint.close();
  index({ [first]: 'a.safetensors', [third]: 'b.safetensors' });
  const partly = openShards(folder);
  t.same(partly.names, [first, second, third], 'what the index does not name is there all the same, so that it is missed if it has no place');
  t.same(partly.read(second), tensors.get(second)?.values);
  partly.close();
  index({ [first]: 'b.safetensors' });
  t.throws(() => openShards(folder), { code: 'checkpoint_invalid', message: /puts tensor\.0 into b\.safetensors, which does not have it/ });
  index({ [first]: 'c.safetensors' });
  t.throws(() => openShards(folder), { code: 'checkpoint_invalid', message: /c\.safetensors cannot be read/ });
  for (const outside of ['../a.safetensors', '/etc/passwd', '..']) {
    index({ [first]: outside });
    t.throws(() => openShards(folder), { code: 'checkpoint_invalid', message: /not in the folder itself/ });
  }
  index(3);
  t.throws(() => openShards(folder), {
    code: 'checkpoint_invalid',
    message: /is no index of safetensors files: weight_map: Invalid input: expected record, received number$/,
  });
  writeFileSync(join(folder, 'model.safetensors.index.json'), '{');
  t.throws(() => openShards(folder), { code: 'checkpoint_invalid', message: /is no index of safetensors files: Expected property name/ });
  t.end();
});
