// Owns the command that brings a checkpoint in: its arguments, what it says on the way, and the report.
// Refuses to know how checkpoints are read and graphs are written.

import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readModelFiles } from '../src/engine/models/model-files.ts';
import { EngineError } from '../src/engine/port.ts';
import type { Storage } from '../src/model/decoder-parts.ts';
import { MOST_CONTEXT } from '../src/model/import/architecture.ts';
import { CheckpointError } from '../src/model/import/checkpoint.ts';
import { importModel } from '../src/model/import/import-model.ts';
import type { LayerReport } from '../src/model/import/import-model.ts';
import { describePlan, readable } from '../src/model/import/plan.ts';
import { openSource } from '../src/model/import/source.ts';

const USAGE = `Makes a model folder of a checkpoint, so that Pharos serves it.

  npm run import -- FOLDER [--out FOLDER] [--storage float|float16|int8|int4] [--block 32] [--context N] [--ignore NAME]...
  npm run import -- FOLDER|config.json --plan [--context N] [--block 32]

FOLDER holds config.json, tokenizer.json and safetensors, or a checkpoint of llama2.c with its tokenizer; a .bin file says the latter.
  --out      where the model goes; a folder that is not there yet (models/NAME)
  --storage  how matrices are stored: whole, half, or rounded to 8 or 4 bits in blocks that share a scale (int8)
  --block    numbers in a block; a power of two from 16 to 256 (32)
  --context  tokens of the longest text; fewer take less memory (as many as the model was made for)
  --ignore   a key of config.json or a tensor that changes nothing; may be given several times
  --plan     say shapes, parameters and memory, and read no weights`;
/** What sysexits and most shells take for wrong usage. */
const WRONG = 2;

function fail(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}
/** A whole number among `least` and `most`; undefined when it is not given. */
function count(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) fail(`--${name} must be a whole number from ${least} to ${most}, got ${text}`, WRONG);
  return value;
}
interface Arguments {
  readonly from: string;
  readonly out: string;
  readonly storage: Storage;
  readonly block: number;
  readonly context: number | undefined;
  readonly ignore: readonly string[];
  readonly plan: boolean;
}
function parse(): {
  readonly values: { readonly [Name in 'out' | 'storage' | 'block' | 'context']?: string } & {
    readonly ignore?: string[];
    readonly plan?: boolean;
    readonly help?: boolean;
  };
  readonly positionals: readonly string[];
} {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      options: { out: text, storage: text, block: text, context: text, ignore: { type: 'string', multiple: true }, plan: flag, help: flag },
      allowPositionals: true,
    });
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, WRONG);
  }
}
function readArguments(): Arguments {
  const { values, positionals } = parse();
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (positionals.length !== 1) fail(`one folder is needed, got ${positionals.length}\n\n${USAGE}`, WRONG);
  const [from] = positionals;
  const block = count('block', values.block, 16, 256) ?? 32;
  if ((block & (block - 1)) !== 0) fail(`--block must be a power of two from 16 to 256, got ${block}`, WRONG);
  const storages: ReadonlyMap<string, Storage> = new Map<string, Storage>([
    ['float', 'float'],
    ['float16', 'float16'],
    ['int8', { bits: 8, block }],
    ['int4', { bits: 4, block }],
  ]);
  const storage = storages.get(values.storage ?? 'int8');
  if (!storage) fail(`--storage must be one of ${[...storages.keys()].join(', ')}, got ${values.storage}`, WRONG);
  if (values.block !== undefined && typeof storage === 'string' && !values.plan)
    fail(`--block is for int8 and int4; with --storage ${values.storage} there are no blocks`, WRONG);
  const out = values.out ?? join('models', basename(resolve(from)).replace(/\.(bin|json)$/, ''));
  return { from, out, storage, block, context: count('context', values.context, 2, MOST_CONTEXT), ignore: values.ignore ?? [], plan: values.plan ?? false };
}

/** Halves lose a fiftieth of a per cent. */
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.001 ? 4 : 2)} %`;
const lineOf = ({ layer, bytes, lost }: LayerReport): string =>
  `layer ${layer}: ${readable(bytes)}${lost ? `, error ${percent(lost.all)} of the weights, at most ${percent(lost.worst)} (${lost.name.replace(/^.*?\.\d+\./, '')})` : ''}`;

const { from, out, storage, block, context, ignore, plan } = readArguments();
try {
  if (plan) console.log(describePlan(openSource(from, { context, ignore, planned: true }).architecture, block).join('\n'));
  else {
    const terminal = process.stdout.isTTY;
    const report = importModel({
      from,
      out,
      storage,
      context,
      ignore,
      onLayer: (layer, layers) => {
        if (terminal) process.stdout.write(`\r\u001b[K${layer.layer + 1} of ${layers} layers, ${lineOf(layer)}`);
      },
    });
    if (terminal) process.stdout.write('\r\u001b[K');
    for (const layer of report.layers) console.log(lineOf(layer));
    for (const { name, lost } of report.outside) console.log(`${name}: error ${percent(lost)} of the weights`);
    for (const note of report.notes) console.log(note);
    console.log(`${report.parameters.toLocaleString('en')} parameters, texts of ${report.contextLength.toLocaleString('en')} tokens`);
    console.log(
      `${readable(report.read)} read, ${readable(report.written)} written in ${report.seconds.toFixed(1)} s, with at most ${readable(report.peak)} of memory`,
    );
    await readModelFiles(out);
    console.log(`${out} is ready: PHAROS_MODELS=${out} npm start`);
  }
} catch (error) {
  if (error instanceof CheckpointError) fail(error.message, error.code === 'arguments_invalid' ? WRONG : 1);
  if (error instanceof EngineError) fail(`the model is written, and Pharos cannot serve it yet: ${error.message}`, 1);
  // A full disk, a folder that may not be written.
  if (error instanceof Error && 'syscall' in error) fail(error.message, 1);
  throw error;
}
