// Owns comparing imported checkpoints with what transformers computes of them: logits after every token, by the largest error over the largest logit; of rounded weights, by the root mean square of
// errors over that of logits.
// Refuses to know how the checkpoints are made: make.py makes them, with a Python that is named, or they lie in a folder from a run before.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { Runner } from '../../src/engine/decoder/runner.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import type { Storage } from '../../src/model/decoder-parts.ts';
import { importModel } from '../../src/model/import/import-model.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { python, folder: given, only } = options({ python: '', folder: '', only: '' });
if (python === '' && given === '') {
  console.error('say --python with the path of a Python that has torch and transformers, or --folder with checkpoints of a run before');
  process.exit(2);
}
const place = given === '' ? mkdtempSync(join(tmpdir(), 'checkpoints-')) : given;
/** What float32 may differ by over a few layers; a wrong equation is far beyond. */
const NEAR = 2e-5;
const CONTEXT = 64;
const PIECE = 3;

interface Text {
  readonly ids: readonly number[];
  readonly source?: readonly number[];
}
interface Reference {
  readonly name: string;
  readonly parameters: number;
  readonly texts: readonly Text[];
}
interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly right: boolean;
}
/** Logits after every token of a text. */
type Say = (text: Text) => Promise<readonly Float32Array[]>;

interface Apart {
  readonly largest: number;
  readonly mean: number;
}
function apart(rows: readonly Float32Array[], right: Float32Array): Apart {
  if (rows.length * rows[0].length !== right.length) throw new Error(`${right.length} logits were expected, got ${rows.length * rows[0].length}`);
  let [most, size, lost, all] = [0, 0, 0, 0];
  rows.forEach((row, t) =>
    row.forEach((value, i) => {
      const other = right[t * row.length + i];
      most = Math.max(most, Math.abs(value - other));
      size = Math.max(size, Math.abs(other));
      lost += (value - other) ** 2;
      all += other ** 2;
    }),
  );
  return { largest: most / size, mean: Math.sqrt(lost / all) };
}
const whole = (ids: readonly number[]): ort.Tensor => new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);

/** The engine's runner, all at once or with a cache in pieces. */
async function decoder(out: string): Promise<{ readonly atOnce: Say; readonly inPieces: Say; readonly close: () => Promise<void> }> {
  const { onnx, names, window, contextLength, vocabularySize } = await readModelFiles(out);
  const runner = await Runner.open({ file: onnx, names, window, device: 'cpu', threads: 1, contextLength, vocabularySize });
  const fed =
    (size: number): Say =>
    async ({ ids }) => {
      const state = runner.start();
      const rows: Float32Array[] = [];
      for (let at = 0; at < ids.length; at += size) {
        const piece = ids.slice(at, at + size);
        rows.push(...(await runner.forward(state, piece, piece.length)));
      }
      return rows;
    };
  return { atOnce: fed(CONTEXT), inPieces: fed(PIECE), close: async () => runner.close() };
}
/** Two graphs, fed by hand. */
async function pair(out: string): Promise<Awaited<ReturnType<typeof decoder>>> {
  const [encoder, second] = await Promise.all(
    ['encoder_model', 'decoder_model'].map(async (name) => ort.InferenceSession.create(join(out, `onnx/${name}.onnx`), { intraOpNumThreads: 1 })),
  );
  const pasts = second.inputMetadata.filter(({ name }) => name.startsWith('past_') && name !== 'past_lengths');
  const fed =
    (size: number): Say =>
    async ({ ids, source = [] }) => {
      const mask = whole(source.map(() => 1));
      const { last_hidden_state: _, ...cross } = await encoder.run({ input_ids: whole(source), attention_mask: mask });
      const cache = new Map(pasts.map(({ name }) => [name, [] as number[]]));
      const rows: Float32Array[] = [];
      for (let at = 0; at < ids.length; at += size) {
        const piece = ids.slice(at, at + size);
        const feeds: Record<string, ort.Tensor> = {
          ...cross,
          encoder_attention_mask: mask,
          input_ids: whole(piece),
          position_ids: whole(piece.map((_, i) => at + i)),
          past_lengths: new ort.Tensor('int64', [BigInt(at)], [1]),
          wanted: whole(piece.map((_, i) => i)),
        };
        for (const info of pasts)
          if (info.isTensor)
            feeds[info.name] = new ort.Tensor('float32', Float32Array.from(cache.get(info.name) ?? []), [at, 1, ...info.shape.slice(2).map(Number)]);
        const { logits, ...fresh } = await second.run(feeds);
        for (const [name, values] of cache) values.push(...(fresh[name.replace('past_', 'new_')].data as Float32Array));
        const [all, width] = [logits.data as Float32Array, logits.dims[2]];
        rows.push(...piece.map((_, i) => all.slice(i * width, (i + 1) * width)));
      }
      return rows;
    };
  return { atOnce: fed(CONTEXT), inPieces: fed(PIECE), close: async () => void (await Promise.all([encoder.release(), second.release()])) };
}

async function tried(folder: string): Promise<Row> {
  const { name, texts, parameters } = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) as Reference;
  const bytes = readFileSync(join(folder, 'reference.f32'));
  const logits = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const width = logits.length / texts.reduce((sum, { ids }) => sum + ids.length, 0);
  let from = 0;
  const right = texts.map(({ ids }) => logits.subarray(from, (from += ids.length * width)));
  const cells: string[] = [];
  let isRight = true;
  for (const storage of ['float', 'float16', { bits: 8, block: 32 }, { bits: 4, block: 32 }] as const satisfies readonly Storage[]) {
    const out = mkdtempSync(join(tmpdir(), 'imported-'));
    rmSync(out, { recursive: true });
    try {
      const report = importModel({ from: folder, out, storage, context: CONTEXT });
      const model = report.graphs.length > 1 ? await pair(out) : await decoder(out);
      for (const say of storage === 'float' ? [model.atOnce, model.inPieces] : [model.inPieces]) {
        const errors: Apart[] = [];
        for (const [i, text] of texts.entries()) errors.push(apart(await say(text), right[i]));
        const [largest, mean] = [Math.max(...errors.map((each) => each.largest)), Math.max(...errors.map((each) => each.mean))];
        if (storage === 'float') isRight &&= largest < NEAR;
        cells.push((storage === 'float' ? largest : mean).toExponential(1));
      }
      if (storage === 'float') cells.unshift(parameters.toLocaleString('en'));
      await model.close();
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }
  return { name, cells, right: isRight };
}

if (python !== '') {
  const [script, tokenizer] = ['make.py', '../../models/pharos-mini'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const { status, error } = spawnSync(python, [script, '--out', place, '--tokenizer', tokenizer, '--only', only], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(error?.message ?? `${python} ended with ${status}`);
    process.exit(1);
  }
}
await printMachine(['onnxruntime-node']);
const rows: Row[] = [];
for (const name of readdirSync(place)) {
  if (!only.split(',').some((part) => name.includes(part.replace(', ', '-')))) continue;
  rows.push(
    await tried(join(place, name)).catch((error: unknown): Row => ({
      name,
      cells: [`refused: ${error instanceof Error ? error.message : String(error)}`, '', '', '', '', ''],
      right: false,
    })),
  );
  if (!rows.at(-1)?.right) console.error(`OTHERWISE: ${name}`);
}
printTable(
  ['model', 'parameters', 'float, at once', `float, by ${PIECE}`, 'float16, mean', 'int8, mean', 'int4, mean'],
  rows.map(({ name, cells }) => [name, ...cells]),
);
if (given === '') rmSync(place, { recursive: true });
if (rows.length === 0 || rows.some(({ right }) => !right)) process.exitCode = 1;
