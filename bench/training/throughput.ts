// Owns the measurement of training: tokens a second of whole steps (forward, backward, clipping, AdamW) of Llama models on the CPU, beside PyTorch in the same run.
// Refuses to know data files and runs. Usage: npm run training -- [--sizes 1,5,15] [--threads 2] [--rounds 7] [--clock wall|cpu] [--python python3]; needs `pip install torch` there, and a C++ compiler for torch.compile.
// `--clock cpu --threads 1` counts the processor's time alone: for a machine that others use as well.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { llamaParameters } from '../../src/model/llama.ts';
import type { LlamaConfig } from '../../src/model/llama.ts';
import { packBatch } from '../../src/training/data/packing.ts';
import { llamaLoss } from '../../src/training/graphs/llama-loss.ts';
import { Random } from '../../src/training/random.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { sizes, threads, rounds, clock, rows, context, python } = options({
  sizes: '1,5,15',
  threads: 2,
  rounds: 7,
  clock: 'wall',
  rows: 8,
  context: 256,
  python: 'python3',
});
const RATE = 1e-3;
/** Seconds of the clock. */
const now = (): number => {
  const { user, system } = process.cpuUsage();
  return clock === 'cpu' ? (user + system) / 1e6 : performance.now() / 1000;
};
/** By millions of parameters. */
const SHAPES: Readonly<Record<string, Pick<LlamaConfig, 'width' | 'layers' | 'heads' | 'feedForward' | 'vocabularySize'>>> = {
  1: { width: 128, layers: 4, heads: 4, feedForward: 352, vocabularySize: 2048 },
  5: { width: 256, layers: 6, heads: 8, feedForward: 704, vocabularySize: 2048 },
  15: { width: 384, layers: 8, heads: 12, feedForward: 1024, vocabularySize: 4096 },
};

interface Peer {
  readonly version: string;
  /** Makes a step. */
  step(): Promise<{ readonly loss: number; readonly seconds: number }>;
  close(): void;
}
async function openPeer(file: string): Promise<Peer> {
  const child = spawn(python, [fileURLToPath(new URL('throughput.py', import.meta.url)), file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the peer ended; what it said stands above');
    return value;
  };
  return {
    version: await line(),
    step: async () => {
      child.stdin.write('\n');
      const [loss, seconds] = (await line()).split(' ').map(Number);
      return { loss, seconds };
    },
    close: () => child.stdin.end(),
  };
}

if (spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status !== 0) {
  console.error(`${python} has no torch; after python3 -m venv DIR && DIR/bin/pip install torch, say --python DIR/bin/python`);
  process.exit(2);
}
await printMachine(['onnxruntime-node']);
const folder = mkdtempSync(join(tmpdir(), 'pharos-throughput-'));
const table: (string | number)[][] = [];
let version = '';
for (const size of sizes.split(',')) {
  const shape = SHAPES[size];
  if (!shape) throw new RangeError(`--sizes takes ${Object.keys(SHAPES).join(', ')}, not ${size}`);
  const headSize = 32;
  const config: LlamaConfig = {
    ...shape,
    keyValueHeads: shape.heads,
    headSize,
    contextLength: context,
    rotary: { base: 10_000 },
    normEpsilon: 1e-5,
    attentionBias: false,
    headNorm: false,
    tied: true,
  };
  const random = new Random(3);
  const parameters = llamaParameters(config);
  const weights = new Map(
    parameters.map(({ name, shape: of }) => [
      name,
      Float32Array.from({ length: of.reduce((a, b) => a * b) }, () => (of.length === 1 ? 1 : random.normal() * 0.05)),
    ]),
  );
  const tokens = Array.from({ length: rows }, () => Array.from({ length: context }, () => random.int(0, config.vocabularySize - 1)));
  let next = 0;
  const batch = packBatch(() => ({ tokens: tokens[next++ % rows], learned: Array.from({ length: context }, () => true) }), rows, context);

  const count = parameters.reduce((sum, { name }) => sum + (weights.get(name)?.length ?? 0), 0);
  const file = (name: string): string => join(folder, `${size}-${name}`);
  writeFileSync(file('weights'), new Uint8Array(Float32Array.from(parameters.flatMap(({ name }) => [...(weights.get(name) ?? [])])).buffer));
  const described = {
    ...shape,
    vocabulary: shape.vocabularySize,
    headSize,
    base: 10_000,
    epsilon: config.normEpsilon,
    threads,
    clock,
    rate: RATE,
    tokens,
    weights: file('weights'),
    names: parameters.map(({ name }) => [name, weights.get(name)?.length]),
  };
  const peers: Peer[] = [];
  for (const compile of [false, true]) {
    writeFileSync(file(`${compile}.json`), JSON.stringify({ ...described, compile }));
    peers.push(await openPeer(file(`${compile}.json`)));
  }
  ({ version } = peers[0]);
  const trainer = await Trainer.open(llamaLoss(config, { method: { kind: 'full' }, dropout: 0 }), weights, {
    optimizer: { kind: 'adamw', beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 },
    clip: 1,
    threads,
  });
  const own = async (): Promise<{ readonly loss: number; readonly seconds: number }> => {
    const start = now();
    const { loss } = await trainer.train([batch], RATE);
    return { loss, seconds: now() - start };
  };
  const forms = [own, ...peers.map((peer) => () => peer.step())];
  const seconds: number[][] = forms.map(() => []);
  const losses: number[][] = forms.map(() => []);
  // By turns, so that all have the same share of a machine's good and bad moments. The first two steps of each plan memory and compile.
  for (let round = -2; round < rounds; round++) {
    for (const [i, form] of forms.entries()) {
      const step = await form();
      losses[i].push(step.loss);
      if (round >= 0) seconds[i].push(step.seconds);
    }
  }
  const apart = Math.max(...losses[0].flatMap((loss, step) => losses.slice(1).map((other) => Math.abs(other[step] - loss))));
  const rates = seconds.map((sample) => (rows * context) / quantile(sample, 0.5));
  table.push([`${(count / 1e6).toFixed(1)} M`, ...rates, rates[0] / rates[1], rates[0] / rates[2], apart.toExponential(1)]);
  for (const peer of peers) peer.close();
  await trainer.close();
}
rmSync(folder, { recursive: true });
console.log(
  `Steps of ${rows} rows of ${context} tokens, all learned, on ${threads} ${threads === 1 ? 'thread' : 'threads'}, float32: medians of ${rounds} by the ${clock} clock, all forms by turns. PyTorch ${version} with AdamW(fused=True) and scaled_dot_product_attention.\n`,
);
printTable(['parameters', 'Pharos, tokens/s', 'PyTorch eager, tokens/s', 'torch.compile, tokens/s', 'to eager', 'to compiled', 'losses apart by'], table);
