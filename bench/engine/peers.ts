// Owns the comparison with other engines that serve a transformer from Node: the same made weights, shapes and precision, the same prompts, one process after the other.
// Refuses to know how engines work. Peers are installed beside it by `npm ci` in engine/peers; one that is not installed is left out and said to be.

import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readBandwidth } from '../common/bandwidth.ts';
import { options, printMachine, printTable } from '../common/machine.ts';
import { HALF_BILLION, writeExport, writeGguf, writePharos } from './made.ts';

const { models, bits, engines, threads, contexts, streams, decode, seconds } = options({
  models: fileURLToPath(new URL('../data/made', import.meta.url)), bits: '4,8', engines: 'pharos,pharos-guessing,llama,transformers', threads: 2, contexts: '128,1024,4096', streams: '2,4,8,32', decode: 64, seconds: 900,
});
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
await printMachine(['onnxruntime-node']);

interface Job {
  readonly prompt: number;
  readonly decode: number;
  readonly streams: number;
}
interface Result extends Job {
  /** Until every stream has its first token. */
  readonly firstMs: number | null;
  readonly decodeSeconds: number;
  readonly seconds: number;
  readonly total: number;
  readonly megabytes: number;
}
interface Peer {
  readonly name: string;
  readonly program: string;
  readonly installed: boolean;
  /** Makes the model where it is not there yet, and gives what the program is told. */
  prepare(bits: 4 | 8): Promise<Readonly<Record<string, unknown>>>;
}
async function made(path: string, write: () => Promise<void>): Promise<void> {
  if (!existsSync(path)) await write();
}
const installed = (name: string): boolean => existsSync(here(`peers/node_modules/${name}/package.json`));
async function ownModel(bits: 4 | 8): Promise<string> {
  const model = join(models, `pharos-q${bits}`);
  await made(join(model, 'onnx/model.onnx'), () => writePharos(model, HALF_BILLION, bits));
  return model;
}
const PEERS: readonly Peer[] = [
  { name: 'pharos', program: 'peers/pharos.mjs', installed: true, prepare: async (bits) => ({ model: await ownModel(bits) }) },
  // What such weights write greedily goes round in circles: an ideal case.
  { name: 'pharos-guessing', program: 'peers/pharos.mjs', installed: true, prepare: async (bits) => ({ model: await ownModel(bits), guesses: 8 }) },
  {
    name: 'llama',
    program: 'peers/llama.mjs',
    installed: installed('node-llama-cpp'),
    async prepare(bits) {
      const model = join(models, `made-q${bits}.gguf`);
      await made(model, () => writeGguf(model, HALF_BILLION, bits));
      return { model };
    },
  },
  {
    name: 'transformers',
    program: 'peers/transformers.mjs',
    installed: installed('@huggingface/transformers'),
    async prepare(bits) {
      const model = join(models, `export-q${bits}`);
      const dtype = bits === 4 ? 'q4' : 'q8';
      await made(join(model, `onnx/model_${bits === 4 ? 'q4' : 'quantized'}.onnx`), () => writeExport(model, HALF_BILLION, bits));
      return { model, dtype };
    },
  },
];

/** One process with all jobs in turn; what it did before it was stopped counts. */
async function run(peer: Peer, setup: object, jobs: readonly Job[]): Promise<Result[]> {
  const child = spawn(process.execPath, [here(peer.program), JSON.stringify({ ...setup, threads, context: HALF_BILLION.contextLength, jobs })], { cwd: here('peers'), stdio: ['ignore', 'pipe', 'inherit'] });
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGKILL'));
  const results: Result[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('{')) results.push(JSON.parse(line) as Result);
  clearTimeout(late);
  return results;
}

const single = contexts.split(',').map((prompt) => ({ prompt: Number(prompt), decode, streams: 1 }));
const crowds = streams.split(',').map((count) => ({ prompt: 128, decode, streams: Number(count) }));
for (const width of bits.split(',').map(Number)) {
  if (width !== 4 && width !== 8) throw new RangeError(`bits must be 4 or 8, got ${width}`);
  const [alone, together]: (string | number)[][][] = [[], []];
  const bandwidth = await readBandwidth(threads);
  const limit = bandwidth / statSync(join(await ownModel(width), 'onnx/model.onnx')).size;
  for (const name of engines.split(',')) {
    const peer = PEERS.find((each) => each.name === name);
    if (!peer) throw new RangeError(`unknown engine ${name}; use ${PEERS.map((each) => each.name).join(', ')}`);
    if (!peer.installed) {
      alone.push([name, 'not installed: npm ci in bench/engine/peers', '', '', '', '', '']);
      continue;
    }
    // The first is for warming up.
    const results = (await run(peer, await peer.prepare(width), [{ prompt: 32, decode: 8, streams: 1 }, ...single, ...crowds])).slice(1);
    for (const result of results) {
      console.error(name, JSON.stringify(result));
      const first = result.firstMs ?? Number.NaN;
      if (result.streams === 1) alone.push([name, String(result.prompt), first, result.prompt / (first / 1000), (result.total - 1) / result.decodeSeconds, (100 * (result.total - 1)) / result.decodeSeconds / limit, result.megabytes]);
      else together.push([name, String(result.streams), result.total / result.seconds, first, result.megabytes]);
    }
  }
  console.log(`${width} bits in blocks of 32, Qwen2.5-0.5B's shape, ${threads} threads, greedy, ${decode} tokens written. The limit: ${limit.toFixed(0)} tokens/s, at which the weights are read at ${(bandwidth / 1e9).toFixed(1)} GB/s.\n`);
  printTable(['engine', 'prompt', 'first token ms', 'prefill tokens/s', 'decode tokens/s', '% of the limit', 'resident MiB'], alone);
  console.log('Streams at once, prompts of 128 tokens: tokens written a second, all together and prompts included.\n');
  printTable(['engine', 'streams', 'tokens/s', 'all begun after ms', 'resident MiB'], together);
}
