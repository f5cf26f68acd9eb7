// Owns the command that fine-tunes a model, here or on a cluster: its arguments, the specification's file, what it says on the way.
// Refuses to know how a run is carried out.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { prettifyError } from 'zod';
import { LAUNCHERS, writeLaunch } from '../src/training/launch/launch.ts';
import type { LaunchOptions } from '../src/training/launch/launch.ts';
import { progressOn } from '../src/training/run/progress.ts';
import { runTraining } from '../src/training/run/run-training.ts';
import { trainingSpec } from '../src/training/spec.ts';
import type { TrainingSpec } from '../src/training/spec.ts';

const USAGE = `Trains a model further on your examples.

  npm run finetune -- SPEC.json [--resume]
  npm run finetune -- SPEC.json --launch torchrun|ray --out FOLDER [--nodes 1] [--parallel ddp|fsdp] [--cpu]

SPEC.json names the model, the examples and the folder of the result:
  {"model": "models/pharos-mini", "training_files": ["examples.jsonl"], "output": "models/mine"}
and whatever else src/training/spec.ts lists: method (full or lora), schedule, optimizer, steps or epochs, validation_files, patience, ...
  --resume    go on from the checkpoint in the output folder; without one, begin
  --launch    train nothing here, but write a folder with which torchrun or Ray carries out the same run in PyTorch
  --out       that folder
  --nodes     machines over which the specification's workers are spread (1)
  --parallel  ddp: each worker holds the whole model; fsdp: workers share it (ddp)
  --cpu       workers have no GPU
An interrupt (Ctrl-C) keeps a checkpoint and ends within one step; a second one ends at once.`;
/** What sysexits and most shells take for wrong usage, and for an interrupt. */
const WRONG = 2;
const INTERRUPTED = 130;
const MOST_NODES = 1000;

function fail(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
/** One of the words, or the end. */
function oneOf<Word extends string>(name: string, words: readonly Word[], given: string): Word {
  return words.find((word) => word === given) ?? fail(`--${name} must be one of ${words.join(', ')}, got ${given}`, WRONG);
}

interface Arguments {
  readonly file: string;
  readonly resume: boolean;
  readonly launch?: LaunchOptions;
}
const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
function parse() {
  try {
    return parseArgs({
      options: { resume: flag, help: flag, cpu: flag, launch: text, out: text, nodes: { ...text, default: '1' }, parallel: { ...text, default: 'ddp' } },
      allowPositionals: true,
    });
  } catch (error) {
    return fail(`${messageOf(error)}\n\n${USAGE}`, WRONG);
  }
}
function readArguments(): Arguments {
  const { values, positionals } = parse();
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (positionals.length !== 1) fail(`one specification is needed, got ${positionals.length}\n\n${USAGE}`, WRONG);
  const given = { file: positionals[0], resume: values.resume };
  if (values.launch === undefined) return given;
  const launcher = oneOf('launch', LAUNCHERS, values.launch);
  const nodes = Number(values.nodes);
  if (!/^\d+$/u.test(values.nodes) || nodes < 1 || nodes > MOST_NODES)
    fail(`--nodes must be a whole number from 1 to ${MOST_NODES}, got ${values.nodes}`, WRONG);
  if (values.out === undefined) fail('--launch needs --out, the folder to write', WRONG);
  return { ...given, launch: { launcher, nodes, out: values.out, parallel: oneOf('parallel', ['ddp', 'fsdp'] as const, values.parallel), gpu: !values.cpu } };
}
function readSpec(file: string): TrainingSpec {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail(`${file} cannot be read as JSON: ${messageOf(error)}`, WRONG);
  }
  const read = trainingSpec.safeParse(value);
  return read.success ? read.data : fail(`${file} is no specification of a run:\n${prettifyError(read.error)}`, WRONG);
}

async function train(spec: TrainingSpec, resume: boolean): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const { stdout } = process;
  const show = progressOn({ write: (line) => stdout.write(line), ...(stdout.isTTY ? { columns: stdout.columns } : {}) });
  await runTraining(spec, {
    resume,
    signal: stop.signal,
    emit: (event) => {
      show(event);
      if (event.kind === 'end' && event.reason === 'stopped') process.exitCode = INTERRUPTED;
    },
  });
}
function launch(spec: TrainingSpec, wanted: LaunchOptions): void {
  const { files, command } = writeLaunch(spec, wanted);
  console.log(`${wanted.out} has ${files.join(', ')}\nstart it with: ${command}`);
}

const { file, resume, launch: wanted } = readArguments();
const spec = readSpec(file);
try {
  if (wanted) launch(spec, wanted);
  else await train(spec, resume);
} catch (error) {
  // Errors with a code are told to people, as are values that cannot be; others are faults of the program.
  if (error instanceof RangeError || (error instanceof Error && 'code' in error)) fail(`${process.stdout.isTTY ? '\n' : ''}${error.message}`, 1);
  throw error;
}
