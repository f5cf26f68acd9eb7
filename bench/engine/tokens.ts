// Owns the measurement of generation: tokens a second of prefill and decode, by context length and by number of streams at once.
// Refuses to know how tokens are made; it uses the engine port alone, with the models in models/ or the folder given by --models.

import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine/engine.ts';
import type { Engine, GenerateRequest } from '../../src/engine/port.ts';
import { options, printMachine, printTable, quantile } from '../common/machine.ts';

const { models, model: wanted, device, contexts, decode, repeats, streams } = options({
  models: fileURLToPath(new URL('../../models', import.meta.url)), model: '', device: 'cpu', contexts: '16,64,256,1024,4096', decode: 256, repeats: 5, streams: '1,4,16',
});
await printMachine(['onnxruntime-node']);

interface Run {
  readonly prompt: number;
  readonly made: number;
  /** Milliseconds to the first event and from it to the end. */
  readonly first: number;
  readonly rest: number;
}
async function run(engine: Engine, model: string, text: string, maxTokens: number, seed: number): Promise<Run> {
  const request: GenerateRequest = { model, prompt: { kind: 'text', text }, sampling: { temperature: 1, topP: 1, seed }, maxTokens, stop: [] };
  const start = performance.now();
  let first = Number.NaN;
  for await (const event of engine.generate(request)) {
    if (Number.isNaN(first)) first = performance.now() - start;
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'finish') return { prompt: event.usage.promptTokens, made: event.usage.completionTokens, first, rest: performance.now() - start - first };
  }
  throw new Error('the generation ended without a finish event');
}
/** Different text for each seed, so that no part of a prompt has been seen before; as near below `tokens` as words allow. */
async function promptOf(engine: Engine, model: string, tokens: number, seed: number): Promise<string> {
  const word = (i: number): string => ['the', 'river', 'born', 'in', 'city', 'and', 'who', 'wrote', 'blue', 'stone'][(seed * 31 + i * i * 7 + i) % 10];
  let [low, high] = [1, tokens];
  const text = (count: number): string => Array.from({ length: count }, (_, i) => word(i)).join(' ');
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((await engine.countTokens(model, text(middle))) <= tokens) low = middle;
    else high = middle - 1;
  }
  return text(low);
}

const engine = await createEngine({ folders: [models], device });
try {
  const info = engine.models().find(({ id }) => wanted === '' || id === wanted);
  if (!info) throw new Error(`${models} has no model ${wanted}; it has: ${engine.models().map(({ id }) => id).join(', ') || 'none'}`);
  const longest = info.contextLength ?? 0;
  console.log(`model ${info.id}${info.parameters === undefined ? '' : `, ${(info.parameters / 1e6).toFixed(2)} M parameters`}, context ${longest}, vocabulary ${info.vocabularySize}, on ${info.device}\n`);
  await run(engine, info.id, 'warm up', 8, 1);

  const rows: (string | number)[][] = [];
  for (const context of contexts.split(',').map(Number)) {
    if (context + 8 > longest) continue;
    const [firsts, prompts]: [number[], number[]] = [[], []];
    let [made, spent] = [0, 0];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const result = await run(engine, info.id, await promptOf(engine, info.id, context, context + repeat), Math.min(decode, longest - context - 1), repeat);
      firsts.push(result.first);
      prompts.push(result.prompt);
      made += Math.max(0, result.made - 1);
      spent += result.rest;
    }
    rows.push([Math.round(quantile(prompts, 0.5)), quantile(firsts, 0.5), quantile(prompts, 0.5) / (quantile(firsts, 0.5) / 1000), made, made / (spent / 1000)]);
  }
  console.log(`One stream. First token: the whole prompt and one step. Decode: tokens after the first, all ${repeats} repeats together.\n`);
  printTable(['prompt tokens', 'first token ms', 'prefill tokens/s', 'decoded', 'decode tokens/s'], rows);

  const crowd: (string | number)[][] = [];
  for (const count of streams.split(',').map(Number)) {
    const prompts = await Promise.all(Array.from({ length: count }, (_, i) => promptOf(engine, info.id, Math.min(64, longest >> 1), i)));
    const start = performance.now();
    const results = await Promise.all(prompts.map((prompt, i) => run(engine, info.id, prompt, Math.min(decode, longest >> 1), i)));
    const seconds = (performance.now() - start) / 1000;
    crowd.push([count, results.reduce((sum, { made }) => sum + made, 0), results.reduce((sum, { made }) => sum + made, 0) / seconds, quantile(results.map(({ first }) => first), 0.99)]);
  }
  console.log('Streams at once, prompts of 64 tokens.\n');
  printTable(['streams', 'made', 'tokens/s together', 'first token p99 ms'], crowd);
} finally {
  await engine.close();
}
