// Owns time and memory of bringing in a checkpoint of Llama 3.2 1B's shape with made weights, in each way of storing.
// Refuses to know what is done inside: each import is a process of its own, whose report is read.

import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { llamaArchitecture } from '../../src/model/import/llama-config.ts';
import { sizeOf } from '../../src/model/import/checkpoint.ts';
import { Random } from '../../src/training/random.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { layers, storages } = options({ layers: 16, storages: 'int4,int8,float16' });
const config = {
  model_type: 'llama',
  vocab_size: 128_256,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: layers,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  rope_theta: 500_000,
  tie_word_embeddings: true,
};
const folder = mkdtempSync(join(tmpdir(), 'import-'));
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Numbers that are drawn once and written again and again. */
const DRAWN = 2 ** 22;

/** bfloat16 in one file of safetensors. */
function writeWeights(): number {
  const { parameters } = llamaArchitecture('llama', config, { file: 'config.json' });
  const header: Record<string, object> = {};
  let end = 0;
  for (const { name, shape } of parameters) header[name] = { dtype: 'BF16', shape, data_offsets: [end, (end += 2 * sizeOf(shape))] };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const random = new Random(1);
  const patterns = new Uint32Array(Float32Array.from({ length: DRAWN }, () => 0.02 * random.normal()).buffer);
  const drawn = new Uint8Array(Uint16Array.from(patterns, (bits) => bits >>> 16).buffer);
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, Buffer.concat([length, text]));
  for (let at = 0; at < end; at += drawn.length) writeSync(file, drawn, 0, Math.min(drawn.length, end - at));
  closeSync(file);
  return end;
}

try {
  await printMachine(['onnxruntime-node']);
  console.log(`${(writeWeights() / 2e9).toFixed(2)} B parameters in bfloat16\n`);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) copyFileSync(path(`../../models/pharos-mini/${name}`), join(folder, name));
  const rows = storages.split(',').map((storage) => {
    const out = join(folder, storage);
    const { status, stdout, stderr } = spawnSync(process.execPath, [path('../../scripts/import-model.ts'), folder, '--out', out, '--storage', storage], {
      encoding: 'utf8',
    });
    rmSync(out, { recursive: true, force: true });
    const report = /written in ([\d.]+ s), with at most (.+) of memory/.exec(stdout);
    if (status !== 0 || !report) throw new Error(`${storage}: ${stderr || stdout}`);
    return [storage, report[2], report[1], /([\d.]+ \w+) written/.exec(stdout)?.[1] ?? ''];
  });
  printTable(['storage', 'peak resident', 'time', 'written'], rows);
} finally {
  rmSync(folder, { recursive: true });
}
