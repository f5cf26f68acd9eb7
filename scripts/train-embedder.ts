// Owns the training run of the encoder that ships: generated pairs in, a folder in the layout of sentence-transformers out. Resumes from its checkpoint.
// Refuses to know how gradients are made.

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

import { SPECIAL_TOKENS } from '../src/answers/words/evidence.ts';
import type { Batch } from '../src/training/batch.ts';
import { encoderLoss } from '../src/training/graphs/encoder-loss.ts';
import type { SampleOptions } from '../src/training/grounded/samples.ts';
import { scheduleOf } from '../src/training/optimizers/schedules.ts';
import { Random } from '../src/training/random.ts';
import { contrastBatch } from '../src/training/search/batches.ts';
import { DIMENSIONS, drawnEncoder, EMBEDDER, writeEmbedder } from '../src/training/search/folder.ts';
import { drawKind, makePair } from '../src/training/search/pairs.ts';
import { Trainer } from '../src/training/trainer.ts';
import { optionsOf } from './options.ts';

const USAGE = `Trains the encoder that ships.

  npm run train:embed -- [--out models/pharos-embed] [--tokenizer models/pharos-mini/tokenizer.json] [--work data/embedder] [--steps 1000] [--rate 0.002] [--threads 2] [--export-only]

An interrupt saves and exports before it ends; the same command goes on.`;
const args = optionsOf(USAGE, {
  out: { type: 'string', default: 'models/pharos-embed' },
  tokenizer: { type: 'string', default: 'models/pharos-mini/tokenizer.json' },
  work: { type: 'string', default: 'data/embedder' },
  steps: { type: 'string', default: '1000' },
  rate: { type: 'string', default: '0.002' },
  threads: { type: 'string', default: '2' },
  'export-only': { type: 'boolean', default: false },
});
const [total, peak, threads] = [args.steps, args.rate, args.threads].map(Number);
if (!(Number.isSafeInteger(total) && total > 0 && peak > 0 && Number.isSafeInteger(threads) && threads > 0))
  throw new RangeError('--steps and --threads are whole numbers of at least 1, --rate is above 0');
mkdirSync(args.work, { recursive: true });

/** Pairs of a batch, and tokens of a row of the usual batch and of every tenth, into which whole passages fit. */
const PAIRS = 64;
const [USUAL, LONG] = [64, 192];
const LONG_EVERY = 10;

const tokenizerJson = readFileSync(args.tokenizer, 'utf8');
const tokenizer = new Tokenizer(JSON.parse(tokenizerJson), {});
const encode = (text: string): readonly number[] => tokenizer.encode(text).ids;
const spelt = Array.from({ length: EMBEDDER.vocabularySize - SPECIAL_TOKENS.length }, (_, id) =>
  tokenizer.decode([SPECIAL_TOKENS.length + id], { clean_up_tokenization_spaces: false }),
);
const whole = [...new Set(spelt)].filter((text) => text.trim() !== '' && !text.includes('\ufffd'));
const pieces = { en: whole.filter((text) => !/\p{Script=Han}/u.test(text)), zh: whole };
const batchOf = (random: Random, steps: number, options: SampleOptions): Batch =>
  contrastBatch(() => makePair(random, drawKind(random), options), encode, PAIRS, steps);

const graph = encoderLoss(EMBEDDER, { negatives: 1, temperature: 0.05, dimensions: DIMENSIONS, dropout: 0 });
const optimizer = { kind: 'adamw', beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.05 } as const;
const trainer = await Trainer.open<{ readonly data: number }>(graph, drawnEncoder(EMBEDDER, 1), { optimizer, clip: 1, threads });
const data = new Random(2027);
const [checkpoint, log] = ['checkpoint.bin', 'log.jsonl'].map((name) => join(args.work, name));
const resumed = trainer.restore(checkpoint);
if (resumed) data.advanceTo(resumed.data);

/** Pairs of names, labels and phrasings that training never draws; each batch by itself, for its pairs are each other's negatives. */
const heldOut = Array.from({ length: 4 }, (_, i) =>
  batchOf(new Random(900 + i), USUAL, { names: 'held-out', heldOutQuestions: true, heldOutRelations: i % 2 === 1 }),
);
async function heldOutLoss(): Promise<number> {
  let sum = 0;
  for (const batch of heldOut) sum += await trainer.evaluate([batch]);
  return sum / heldOut.length;
}
function exportModel(): void {
  const [padToken, padId] = ['<|pad|>', (SPECIAL_TOKENS as readonly string[]).indexOf('<|pad|>')] as const;
  writeEmbedder(args.out, { config: EMBEDDER, weights: trainer.weights, trainingSteps: trainer.step, tokenizer: tokenizerJson, padToken, padId });
}

if (!args['export-only']) {
  // Three quarters at the peak: how long a run is can be decided late.
  const rate = scheduleOf({ kind: 'multi_step', peak, warmup: 100, milestones: [0.75, 0.85, 0.95], gamma: 0.3 }, total);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let [since, sum, count, tokens] = [performance.now(), 0, 0, 0];
  const round = (value: number): number => Number(value.toPrecision(4));
  while (trainer.step < total && !stop.signal.aborted) {
    const batch = batchOf(data, trainer.step % LONG_EVERY === LONG_EVERY - 1 ? LONG : USUAL, { pieces });
    const report = await trainer.train([batch], rate(trainer.step));
    [sum, count, tokens] = [sum + report.loss, count + 1, tokens + batch.rows.length];
    if (trainer.step % 25 === 0) {
      const seconds = (performance.now() - since) / 1000;
      const heldOutNow = trainer.step % 100 === 0 ? { held_out: round(await heldOutLoss()) } : {};
      appendFileSync(
        log,
        `${JSON.stringify({ step: trainer.step, loss: round(sum / count), ...heldOutNow, norm: round(report.gradientNorm), rate: round(rate(trainer.step)), tokens_per_second: Math.round(tokens / seconds) })}\n`,
      );
      [since, sum, count, tokens] = [performance.now(), 0, 0, 0];
    }
    if (trainer.step % 50 === 0) trainer.save(checkpoint, { data: data.state });
    if (trainer.step % 500 === 0) exportModel();
  }
  trainer.save(checkpoint, { data: data.state });
}
exportModel();
await trainer.close();
