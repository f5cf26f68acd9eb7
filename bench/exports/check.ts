// Owns trying the engine on graphs that other people's exporters wrote: ids, logits, batches, guesses and remembered beginnings against what the same graph gives in a plain Python loop.
// Refuses to know how the graphs are made: make.py makes them, with a Python that is named, or they lie in a folder from a run before.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine/engine.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Engine, GenerateRequest } from '../../src/engine/port.ts';
import { Runner } from '../../src/engine/decoder/runner.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { python, folder: given, only } = options({ python: '', folder: '', only: '' });
if (python === '' && given === '') {
  console.error('say --python with the path of a Python that has torch, transformers, onnx, onnxruntime, onnxruntime-genai and optimum-onnx, or --folder with exports of a run before');
  process.exit(2);
}
const place = given === '' ? mkdtempSync(join(tmpdir(), 'exports-')) : given;

interface Prompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** Greedy ids with the graph's own cache, and over the whole text at each step. */
  readonly cached: readonly number[];
  readonly whole: readonly number[];
  readonly torch: readonly number[] | null;
}
interface Reference {
  readonly name: string;
  readonly family: string;
  readonly prompts: readonly Prompt[];
  readonly operators: readonly string[];
}
interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly right: boolean;
}

/** Ids of words. */
const FEW = [300, 301, 302, 303, 304];
const greatest = (row: Float32Array): number => row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
/** By how much another id is ahead of the reference's, as a part of the greatest logit: 0 where the same is written. */
const ahead = (row: Float32Array, id: number): number => (row[greatest(row)] - row[id]) / Math.max(1e-9, Math.abs(row[greatest(row)]), Math.abs(row[id]));
/** How far apart logits are, as a part of the greatest of them. */
function apart(row: Float32Array, other: Float32Array): number {
  let [most, size] = [0, 1e-9];
  row.forEach((value, i) => {
    most = Math.max(most, Math.abs(value - other[i]));
    size = Math.max(size, Math.abs(other[i]));
  });
  return most / size;
}

/** The logits after the prompt and after each id that the reference wrote: two that write different ids once have nothing more to compare. */
async function alone(runner: Runner, { ids, cached }: Prompt, piece: number): Promise<readonly Float32Array[]> {
  const state = runner.start();
  let rows: Float32Array[] = [];
  for (let i = 0; i < ids.length; i += piece) rows = await runner.forward(state, ids.slice(i, i + piece), 1);
  for (const id of cached.slice(0, -1)) rows.push(...(await runner.forward(state, [id], 1)));
  return rows;
}
/** All prompts in one batch: they are of different lengths. */
async function sideBySide(runner: Runner, prompts: readonly Prompt[]): Promise<readonly (readonly Float32Array[])[]> {
  const batch = runner.batch(prompts.length);
  for (const [i, { ids }] of prompts.entries()) {
    const state = runner.start();
    if (ids.length > 1) await runner.forward(state, ids.slice(0, -1), 0);
    batch.put(state.cache, i);
  }
  const all: Float32Array[][] = prompts.map(() => []);
  for (let step = 0; step < prompts[0].cached.length; step++) {
    const rows = await runner.forwardAll(batch, prompts.map(({ ids, cached }) => ({ tokens: [step === 0 ? ids[ids.length - 1] : cached[step - 1]], wanted: 1 })));
    rows.forEach(([row], i) => all[i].push(row));
  }
  return all;
}
async function said(engine: Engine, model: string, text: string, maxTokens: number, logitBias?: Readonly<Record<number, number>>): Promise<{ readonly text: string; readonly cached: number }> {
  const request: GenerateRequest = { model, prompt: { kind: 'text', text }, sampling: { temperature: 0, topP: 1, ...(logitBias ? { logitBias } : {}) }, maxTokens, stop: [] };
  let [whole, cached] = ['', 0];
  for await (const event of engine.generate(request)) {
    if (event.kind === 'delta') whole += event.text;
    else if (event.kind === 'error') throw event.error;
    else if (event.kind === 'finish') cached = event.usage.cachedTokens ?? 0;
  }
  return { text: whole, cached };
}

async function tried(folder: string): Promise<Row> {
  const name = basename(folder);
  const { prompts } = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as Reference;
  const bytes = readFileSync(join(folder, 'reference.f32'));
  const logits = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const files = await readModelFiles(folder);
  const { onnx, names, window, contextLength, vocabularySize, endTokens } = files;
  let right = true;
  // Where weights or activations are rounded, passes of other sizes round otherwise, and near ties may fall otherwise.
  const exact = !/int4|int8|q4|fp16/.test(name);
  const near = exact ? 1e-4 : /int8/.test(name) ? 0.3 : 0.05;
  /** Steps at which the id of the reference is written, of all; none that is not may be more than a near tie. */
  const steps = (all: readonly (readonly Float32Array[])[]): string => {
    const gaps = all.flatMap((rows, i) => rows.map((row, step) => ahead(row, prompts[i].cached[step])));
    right &&= gaps.every((gap) => gap <= near);
    return `${gaps.filter((gap) => gap === 0).length}/${gaps.length}`;
  };
  const share = (holds: readonly boolean[]): string => {
    if (exact) right &&= holds.every(Boolean);
    return `${holds.filter(Boolean).length}/${holds.length}`;
  };
  const runner = await Runner.open({ file: onnx, names, window, device: 'cpu', threads: 1, contextLength, vocabularySize });
  // What the exporter made of the model is its own affair, and said beside.
  const known = prompts.filter(({ torch }) => torch);
  const cells: string[] = [known.length === 0 ? '' : `${known.filter(({ cached, torch }) => torch?.every((id, i) => id === cached[i])).length}/${known.length}`];
  try {
    const results = [];
    for (const prompt of prompts) results.push(await alone(runner, prompt, prompt.ids.length));
    cells.push(steps(results));
    const width = logits.length / prompts.length;
    const distance = Math.max(...results.map((rows, i) => apart(rows[rows.length - 1], logits.subarray(i * width, (i + 1) * width))));
    right &&= distance <= near;
    cells.push(distance === 0 ? '0' : distance.toExponential(0));
    const pieces = [];
    for (const prompt of prompts) pieces.push(await alone(runner, prompt, 3));
    cells.push(steps(pieces));
    cells.push(runner.together === 0 ? 'one by one' : `${steps(await sideBySide(runner, prompts))}${runner.together === 1 ? ', one id each' : ''}`);
  } finally {
    await runner.close();
  }
  // Text through the whole engine: everything at once with guesses and remembered beginnings, against the ids of the reference.
  const tokens = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
  const written = (ids: readonly number[]): string => {
    const detokenizer = tokens.detokenizer();
    const end = ids.findIndex((id) => endTokens.includes(id));
    return (end < 0 ? ids : ids.slice(0, end)).map((id) => detokenizer.push(id)).join('');
  };
  const engine = await createEngine({ models: [folder], device: 'cpu', threads: 1, limits: { guesses: 8 } });
  const plain = await createEngine({ models: [folder], device: 'cpu', threads: 1, limits: { guesses: 0, prefixBytes: 0 } });
  try {
    const ask = async (one: Engine, text: string, logitBias?: Readonly<Record<number, number>>): ReturnType<typeof said> => said(one, name, text, prompts[0].cached.length, logitBias);
    const together = await Promise.all(prompts.map(({ text }) => ask(engine, text)));
    cells.push(share(together.map(({ text }, i) => text === written(prompts[i].cached))));
    // With a few words alone to choose from, texts repeat themselves and there is something to guess.
    const bias = Object.fromEntries(FEW.map((id) => [id, 100]));
    const guessed: boolean[] = [];
    for (const { text } of prompts) guessed.push((await ask(engine, text, bias)).text === (await ask(plain, text, bias)).text);
    const { guessedTokens = 0, acceptedTokens = 0 } = engine.statistics().passes ?? {};
    cells.push(`${share(guessed)}, ${acceptedTokens} of ${guessedTokens} taken`);
    const [again, without] = [[] as string[], [] as string[]];
    let remembered = 0;
    for (const { text } of prompts) {
      const longer = `${text} and so`;
      const { text: one, cached } = await ask(engine, longer);
      remembered += cached;
      again.push(one);
      without.push((await ask(plain, longer)).text);
    }
    cells.push(`${share(again.map((text, i) => text === without[i]))}, ${remembered} ids`);
  } finally {
    await Promise.all([engine.close(0), plain.close(0)]);
  }
  return { name, cells, right };
}

if (python !== '') {
  const script = fileURLToPath(new URL('make.py', import.meta.url));
  const tokenizer = fileURLToPath(new URL('../../models/pharos-mini', import.meta.url));
  const { status, error } = spawnSync(python, [script, '--out', place, '--tokenizer', tokenizer, '--only', only], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(error?.message ?? `${python} ended with ${status}`);
    process.exit(1);
  }
}
await printMachine(['onnxruntime-node']);
const rows: Row[] = [];
for (const name of readdirSync(place).toSorted()) {
  const folder = join(place, name);
  if (name === 'checkpoints' || !readdirSync(folder).includes('reference.json') || !only.split(',').some((part) => name.includes(part))) continue;
  rows.push(await tried(folder).catch((error: unknown): Row => ({ name, cells: [`refused: ${error instanceof Error ? error.message : String(error)}`, '', '', '', '', '', '', ''], right: false })));
  console.error(`${rows.at(-1)?.right ? 'as the graph' : 'OTHERWISE'}: ${name}`);
}
printTable(['export', 'the graph as torch', 'alone', 'logits apart', 'prompt in pieces', 'side by side', 'engine, all at once', 'with guesses', 'beginnings remembered'], rows.map(({ name, cells }) => [name, ...cells]));
if (given === '') rmSync(place, { recursive: true });
if (rows.length === 0 || rows.some(({ right }) => !right)) process.exitCode = 1;
