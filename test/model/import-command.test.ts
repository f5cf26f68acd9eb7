// Owns the command that brings a checkpoint in: its report, its plan, and what it says to wrong arguments.
// Refuses to know what the graph computes.

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Test } from 'tap';
import { llamaParameters } from '../../src/model/llama.ts';
import { transformerParameters } from '../../src/model/transformer.ts';
import type { TransformerConfig } from '../../src/model/transformer.ts';
import { writeFolder } from './checkpoints.ts';
import { randomWeights, SMALL } from './llama-reference.ts';
import { randomTransformer } from './transformer-reference.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/import-model.ts', import.meta.url));
const CONFIG = { ...SMALL, vocabularySize: 260 };
const KEYS = { model_type: 'llama', vocab_size: 260, hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 6, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 64, rms_norm_eps: 1e-5 };

function run(...given: string[]): { readonly status: number | null; readonly out: string; readonly error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...given], { encoding: 'utf8', timeout: 60_000 });
  return { status, out: stdout, error: stderr };
}
function folderOf(t: Test): string {
  const folder = join(t.testdir(), 'made');
  const weights = randomWeights(CONFIG, 2);
  writeFolder(folder, KEYS, new Map(llamaParameters(CONFIG).map(({ name, shape }) => [name, { shape, values: weights.get(name) ?? new Float32Array() }])), { type: 'BF16', shards: 2 });
  return folder;
}

t.test('a report of each layer, sizes and memory; a second run leaves the model alone', (t) => {
  const folder = folderOf(t);
  const out = join(folder, '../model');
  const { status, out: said, error } = run(folder, '--out', out, '--storage', 'int4', '--block', '16', '--context', '32');
  t.equal(status, 0, error);
  t.match(said, /^layer 0: \d+\.\d KiB, error \d\.\d\d % of the weights, at most \d+\.\d\d % \((self_attn\.qkv|self_attn\.o_proj|mlp\.gate_up|mlp\.down_proj)\)\nlayer 1: /);
  t.match(said, /model\.embed_tokens\.weight: error \d/);
  t.match(said, /lm_head: error \d/);
  t.match(said, /parameters, texts of 32 tokens\n\d+\.\d KiB read, \d+\.\d KiB written in \d+\.\d s, with at most \d+\.\d MiB of memory\n/);
  t.match(said, /is ready: PHAROS_MODELS=/);
  // The checkpoint has 8 significant bits, of which halves keep all but those of the smallest numbers.
  t.match(run(folder, '--out', join(folder, '../half'), '--storage', 'float16').out, /^layer 0: \d+\.\d KiB, error 0\.00\d\d % of the weights, at most 0\.00\d\d % \([a-z_.]+\)\nlayer 1: .*\nmodel\.embed_tokens\.weight: error 0\.00/);
  t.match(run(folder, '--out', out), { status: 2, error: /is there already; remove it or say another folder with --out/ });
  t.end();
});

t.test('an encoder and a decoder are served together, and the command says so', (t) => {
  const folder = join(t.testdir(), 'pair');
  const side = { layers: 1, heads: 4, feedForward: 48 };
  const config: TransformerConfig = { vocabularySize: 260, width: 32, contextLength: 42, encoder: side, decoder: side, normEpsilon: 1e-5, tied: true, logitBias: false, positions: { kind: 'learned' }, norm: 'post', activation: 'gelu', embeddingNorm: true };
  const keys = { model_type: 'bart', vocab_size: 260, d_model: 32, encoder_layers: 1, encoder_attention_heads: 4, encoder_ffn_dim: 48, decoder_layers: 1, decoder_attention_heads: 4, decoder_ffn_dim: 48, max_position_embeddings: 40, activation_function: 'gelu', is_encoder_decoder: true, decoder_start_token_id: 2 };
  const weights = randomTransformer(config, 4);
  // Two rows of positions are in front of those that tokens have.
  writeFolder(folder, keys, new Map(transformerParameters(config).map(({ name, shape }) => [name, { shape, values: weights.get(name) ?? new Float32Array() }])));
  const { status, out, error } = run(folder, '--out', join(folder, '../model'));
  t.equal(status, 0, error);
  t.match(out, /^layer 0: .*\nlayer 1: [^]*is ready: PHAROS_MODELS=\S+model npm start\n$/);
  t.end();
});

t.test('a plan reads the configuration alone', (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(KEYS));
  for (const from of [folder, join(folder, 'config.json')]) t.match(run(from, '--plan'), { status: 0, out: /^llama: [\d,]+ parameters, 2 layers/ });
  t.match(run(folder, '--plan', '--context', '100'), { status: 2, error: /--context 100 is more than the 64 tokens/ });
  t.match(run(folder), { status: 1, error: /has no tokenizer\.json/ });
  t.notOk(existsSync(join('models', 'config')));
  t.end();
});

t.test('wrong arguments are answered with what would be right', (t) => {
  for (const [given, message] of [
    [[], /one folder is needed, got 0[\s\S]*npm run import/],
    [['a', '--sotrage', 'int8'], /sotrage/],
    [['a', '--storage', 'int5'], /--storage must be one of float, float16, int8, int4, got int5/],
    [['a', '--block', '48'], /--block must be a power of two from 16 to 256, got 48/],
    [['a', '--context', '1e3'], /--context must be a whole number from 2 to 16777216, got 1e3/],
    [['no-such-folder'], /no-such-folder is not there/],
  ] as const)
    t.match(run(...given), { status: 2, error: message }, given.join(' '));
  t.match(run('--help'), { status: 0, out: /npm run import -- FOLDER/ });
  t.end();
});
