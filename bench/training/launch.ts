// Owns the comparison of one specification run by Pharos and by the Python program that `--launch` writes, with torchrun or in a cluster of Ray that it starts on this machine: the loss of every step.
// Refuses to know how either makes gradients.

import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plain } from '../../src/answers/words/evidence.ts';
import { writeLaunch } from '../../src/training/launch/launch.ts';
import { makeSample } from '../../src/training/grounded/samples.ts';
import { Random } from '../../src/training/random.ts';
import { runTraining } from '../../src/training/run/run-training.ts';
import { trainingSpec } from '../../src/training/spec.ts';
import type { TrainingEvent, TrainingSpec } from '../../src/training/spec.ts';
import { options, printMachine, printTable } from '../common/machine.ts';

const { python, steps, workers, parallel, launcher } = options({ python: 'python3', steps: 12, workers: 2, parallel: 'ddp', launcher: 'torchrun' });
/** Nats by which losses may differ: the rounding of float32 through so many updates. */
const MOST_DIFFERENCE = 1e-4;
const SHIPPED = fileURLToPath(new URL('../../models/pharos-mini', import.meta.url));
const MODEL = `
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
torch.manual_seed(0)
LlamaForCausalLM(LlamaConfig(vocab_size=4096, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, eos_token_id=1, pad_token_id=0, bos_token_id=None, tie_word_embeddings=True)).save_pretrained(sys.argv[1])`;
await printMachine(['onnxruntime-node']);

/** Lines that a program prints; what it says otherwise is shown when it fails. */
async function printed(command: string, args: readonly string[], cwd?: string): Promise<string[]> {
  const child = spawn(command, args, { cwd, env: { ...process.env, PATH: `${dirname(python)}${delimiter}${process.env['PATH']}` } });
  const [out, errors] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString()),
  );
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('close', resolve)));
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${errors}`);
  return out.split('\n');
}
function conversations(path: string, count: number, seed: number): string {
  const random = new Random(seed);
  const lines = Array.from({ length: count }, () => {
    const { system, user, assistant } = makeSample(random);
    return JSON.stringify({
      messages: [
        { role: 'system', content: plain(system) },
        { role: 'user', content: plain(user) },
        { role: 'assistant', content: plain(assistant) },
      ],
    });
  });
  writeFileSync(path, lines.join('\n'));
  return path;
}
const losses = (events: readonly TrainingEvent[]): Map<string, number> =>
  new Map(events.flatMap((event) => (event.kind === 'step' || event.kind === 'evaluation' ? [[`${event.kind} ${event.step}`, event.loss] as const] : [])));

const folder = mkdtempSync(join(tmpdir(), 'pharos-launch-'));
try {
  const at = (name: string): string => join(folder, name);
  await printed(python, ['-c', MODEL, at('model')]);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) copyFileSync(join(SHIPPED, name), join(at('model'), name));
  const shared = {
    model: at('model'),
    training_files: [conversations(at('train.jsonl'), 400, 1)],
    validation_files: [conversations(at('validation.jsonl'), 40, 2)],
    context: 256,
    rows: 4,
    accumulation: 2,
    workers,
    threads: 1,
    steps,
    evaluate_every: Math.ceil(steps / 2),
    checkpoint_every: steps,
  };
  const specOf = (output: string): TrainingSpec =>
    trainingSpec.parse({ ...shared, output: at(output), schedule: { kind: 'cosine', peak: 3e-3, warmup: 4, floor: 0.1 } });
  const own: TrainingEvent[] = [];
  await runTraining(specOf('own'), { emit: (event) => own.push(event) });
  const way = parallel === 'fsdp' ? 'fsdp' : 'ddp';
  const { command } = writeLaunch(specOf('launched'), { launcher: launcher === 'ray' ? 'ray' : 'torchrun', nodes: 1, out: at('launch'), parallel: way, gpu: false });
  const lines = launcher === 'ray' ? await printed(python, ['train.py', '--ray', '--parallel', way], at('launch')) : await printed(command, []);
  // Ray writes in front of a line which worker printed it.
  const launched = losses(lines.flatMap((line) => (line.includes('{"kind"') ? [JSON.parse(line.slice(line.indexOf('{"kind"'))) as TrainingEvent] : [])));
  const rows = Array.from(losses(own), ([name, loss]) => [
    name,
    loss.toFixed(6),
    launched.get(name)?.toFixed(6) ?? 'none',
    Math.abs(loss - (launched.get(name) ?? Number.NaN)).toExponential(1),
  ]);
  printTable(['', 'Pharos', `${launcher}, ${workers} x ${parallel}`, 'difference'], rows);
  if (rows.length === 0 || rows.some(([, , , difference]) => !(Number(difference) <= MOST_DIFFERENCE))) {
    console.error(`losses differ by more than ${MOST_DIFFERENCE} nats`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
