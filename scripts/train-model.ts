// Owns the training run of the model that ships: generated data in, Hugging Face layout out. Resumes from its checkpoint.
// Refuses to know how gradients are made.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

import { CHAT_TEMPLATE, NAME_CLOSE, NAME_OPEN, SPECIAL_TOKENS } from '../src/answers/words/evidence.ts';
import type { DecoderConfig } from '../src/model/decoder.ts';
import { readWeights } from '../src/model/onnx-weights.ts';
import { packBatch } from '../src/training/data/packing.ts';
import type { Batch, Sequence } from '../src/training/batch.ts';
import { trainTokenizer, withSpecialTokens } from '../src/training/bpe.ts';
import { decoderLoss } from '../src/training/graphs/decoder-loss.ts';
import { lexicon } from '../src/training/grounded/samples.ts';
import { makeTask } from '../src/training/grounded/tasks.ts';
import { growInto } from '../src/training/grow.ts';
import { drawnWeights } from '../src/training/initial.ts';
import { writeShipped } from '../src/training/folders/shipped.ts';
import { linePlot } from '../src/training/plots/line-plot.ts';
import { scheduleOf } from '../src/training/optimizers/schedules.ts';
import { Random } from '../src/training/random.ts';
import type { OptimizerSpec } from '../src/training/spec.ts';
import { replaceFile, Trainer } from '../src/training/trainer.ts';
import { optionsOf } from './options.ts';

const USAGE = `Trains the model that ships.

  npm run train -- [--out models/pharos-mini] [--work data/training] [--from FOLDER] [--steps 6000] [--rate 0.002] [--optimizer adamw|muon] [--threads 2] [--blend 1] [--export-only]

  --from   vocabulary and weights of a model folder, of as many layers or fewer, are the start, in place of a vocabulary that is learnt and weights that are drawn
  --blend  0.4 writes weights four tenths of the way from there
An interrupt saves and exports before it ends; the same command goes on.`;
const args = optionsOf(USAGE, {
  out: { type: 'string', default: 'models/pharos-mini' },
  work: { type: 'string', default: 'data/training' },
  from: { type: 'string' },
  steps: { type: 'string', default: '6000' },
  rate: { type: 'string', default: '0.002' },
  optimizer: { type: 'string', default: 'adamw' },
  threads: { type: 'string', default: '2' },
  blend: { type: 'string', default: '1' },
  'export-only': { type: 'boolean', default: false },
});
const total = Number(args.steps);
const blend = Number(args.blend);
if (!(blend > 0 && blend <= 1) || (blend < 1 && args.from === undefined)) throw new Error('--blend takes a part above 0, at most 1, of what was learnt since --from');
mkdirSync(args.work, { recursive: true });
mkdirSync(join(args.out, 'onnx'), { recursive: true });

const VOCABULARY = 4096;
const shape: Omit<DecoderConfig, 'vocabularySize'> = { width: 192, layers: 6, heads: 6, headSize: 32, feedForward: 768, contextLength: 1536, rotaryBase: 10000, rotaryDimensions: 16, normEpsilon: 1e-5, pointerWidth: 64, pointerTokenWidth: 32 };
/** Rows of a batch and tokens a row, about as many tokens in each, and how many the first of a row has at least: the kinds of batches take turns. Long lists are rare, and these are where names are lost. */
const USUAL = { rows: 10, steps: 320, least: 0 };
const LONG = { rows: 5, steps: 640, least: 320 };
const FULL = { rows: 2, steps: shape.contextLength, least: 640 };
const TURNS = [USUAL, USUAL, LONG, USUAL, USUAL, FULL] as const;

const tokenizerFile = join(args.work, 'tokenizer.json');
if (args.from !== undefined) replaceFile(tokenizerFile, withSpecialTokens(readFileSync(join(args.from, 'tokenizer.json'), 'utf8'), SPECIAL_TOKENS));
else if (!existsSync(tokenizerFile)) {
  const random = new Random(11);
  const texts = function* (): Iterable<string> {
    for (let i = 0; i < 60_000; i++) {
      const sample = makeTask(random);
      yield* (sample.system + sample.user + sample.assistant).split(/<\|[^|<>]+\|>/);
    }
  };
  replaceFile(tokenizerFile, trainTokenizer(texts(), VOCABULARY, SPECIAL_TOKENS));
}
const tokenizerJson = readFileSync(tokenizerFile, 'utf8');
const tokenizer = new Tokenizer(JSON.parse(tokenizerJson), {});
const encode = (text: string): number[] => tokenizer.encode(text).ids;
const idOf = (token: string): number => {
  const [id, ...more] = encode(token);
  if (id === undefined || more.length > 0) throw new Error(`the tokenizer has no token ${token}`);
  return id;
};
const vocabularySize = Math.max(...Object.values((JSON.parse(tokenizerJson) as { readonly model: { readonly vocab: Readonly<Record<string, number>> } }).model.vocab), ...SPECIAL_TOKENS.map(idOf)) + 1;
const config: DecoderConfig = { ...shape, vocabularySize };
const special = new Set(SPECIAL_TOKENS.map(idOf));

const spelt = [...new Set(Array.from({ length: vocabularySize }, (_, id) => (special.has(id) ? '' : tokenizer.decode([id], { clean_up_tokenization_spaces: false }))))].filter((text) => text.trim() !== '' && !text.includes('\ufffd'));
const pieces = { en: spelt.filter((text) => !/\p{Script=Han}/u.test(text)), zh: spelt };
const data = new Random(2026);
const [USER, OPEN, CLOSE] = (['<|user|>', NAME_OPEN, NAME_CLOSE] as const).map(idOf);
/** The reply is learnt, and so are names in a question that follows its evidence, from their second token on: they are copies as well. */
const nextSequence = (lengthy = false): Sequence => {
  const sample = makeTask(data, { pieces, lengthy });
  const prompt = encode(`<|system|>${sample.system}<|end|><|user|>${sample.user}<|end|><|assistant|>`);
  const answer = encode(`${sample.assistant}<|end|>`);
  const asked = sample.system.includes('<|f|>') ? prompt.indexOf(USER) : prompt.length;
  let within = false;
  const copied = prompt.map((token, i) => {
    const learned = within && prompt[i - 1] !== OPEN;
    if (i > asked && token === OPEN) within = true;
    else if (token === CLOSE) within = false;
    return learned;
  });
  return { tokens: [...prompt, ...answer], learned: [...copied, ...answer.map(() => true)] };
};

const longSequence = (least: number): Sequence => {
  for (;;) {
    const sequence = nextSequence(least > 0);
    if (sequence.tokens.length >= least) return sequence;
  }
};

/** Where a prompt says its task, and how much more than one token of a sentence each token of the reply counts, so that what is said in few words is learnt as fast. */
const TASK = 2;
const COUNTS: ReadonlyMap<number, number> = new Map([[idOf('<|path|>'), 5], [idOf('<|find|>'), 2], [idOf('<|extract|>'), 1.5]]);
function weighed(batch: Batch): Batch {
  const { rows, rowsCount, positions, inputIds } = batch;
  const weights = Float32Array.from(rows, (row) => COUNTS.get(Number(inputIds[Number(row) - (Number(positions[Number(row)]) - TASK) * rowsCount])) ?? 1);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return { ...batch, weights: weights.map((weight) => weight / sum) };
}

const graph = decoderLoss(config, { method: { kind: 'full' }, dropout: 0 });
const OPTIMIZERS: Readonly<Record<string, OptimizerSpec | undefined>> = {
  adamw: { kind: 'adamw', beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.05 },
  muon: { kind: 'muon', momentum: 0.95, weight_decay: 0.05, adam_rate: 1 },
};
const optimizer = OPTIMIZERS[args.optimizer];
if (!optimizer) throw new Error(`--optimizer takes ${Object.keys(OPTIMIZERS).join(' or ')}`);
const trainer = await Trainer.open<{ readonly data: number }>(graph, drawnWeights(config, 1), { optimizer, clip: 1, threads: Number(args.threads) });
const checkpoint = join(args.work, 'checkpoint.bin');
const log = join(args.work, 'log.jsonl');
const resumed = trainer.restore(checkpoint);
const earlier = args.from === undefined ? 0 : ((JSON.parse(readFileSync(join(args.from, 'config.json'), 'utf8')) as { training_steps?: number }).training_steps ?? 0);
if (resumed) data.advanceTo(resumed.data);
else if (args.from !== undefined) {
  data.advanceTo(2026 + earlier);
  for (const [name, values] of startWeights(args.from)) trainer.weights.get(name)?.set(values);
}
/** Those of a model folder, in this many layers. */
function startWeights(folder: string): ReadonlyMap<string, Float32Array> {
  const started = drawnWeights(config, 1);
  const given = new Map([...readWeights(readFileSync(join(folder, 'onnx/model.onnx')))].map(([name, { values }]) => [name, values] as const));
  growInto(started, given, (JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { num_hidden_layers: number }).num_hidden_layers, config.layers);
  return started;
}

/** The weights that are written: of the way from those of --from, that part which --blend says (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", eq. 1). */
function blended(): ReadonlyMap<string, Float32Array> {
  if (args.from === undefined || blend === 1) return trainer.weights;
  const start = startWeights(args.from);
  return new Map(Array.from(trainer.weights, ([name, values]) => [name, values.map((value, i) => (start.get(name)?.[i] ?? 0) * (1 - blend) + value * blend)]));
}

/** The log of this run and its curve, for the model's card. */
function writeCurve(lines: string): void {
  const points = lines.trim().split('\n').map((line): readonly [number, number] => {
    const { step, loss } = JSON.parse(line) as { readonly step: number; readonly loss: number };
    return [earlier + step, loss];
  });
  replaceFile(join(args.out, 'training-log.jsonl'), lines);
  replaceFile(join(args.out, 'training-loss.svg'), linePlot({ title: 'Training loss, means of 25 steps', xLabel: 'step', yLabel: 'nats a learned token', series: [{ name: 'loss', points }] }));
}
function exportModel(): void {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const files = new Map([
    ['tokenizer.json', tokenizerJson],
    ['tokenizer_config.json', json({ tokenizer_class: 'PreTrainedTokenizerFast', bos_token: null, eos_token: '<|end|>', pad_token: '<|pad|>', model_max_length: config.contextLength, clean_up_tokenization_spaces: false, chat_template: CHAT_TEMPLATE })],
    ['generation_config.json', json({ eos_token_id: [idOf('<|end|>')], pad_token_id: idOf('<|pad|>'), do_sample: false, max_new_tokens: 512 })],
    ['pharos.json', json({ format: 'evidence-2', nameOpen: NAME_OPEN, nameClose: NAME_CLOSE, lexicon: { en: lexicon(new Random(3), 'en'), zh: lexicon(new Random(4), 'zh') } })],
  ]);
  if (existsSync(log)) writeCurve(readFileSync(log, 'utf8'));
  writeShipped(args.out, { config, trainingSteps: earlier + trainer.step, weights: blended(), files });
}

if (!args['export-only']) {
  const rate = scheduleOf({ kind: 'cosine', peak: Number(args.rate), warmup: 150, floor: 0.03 }, total);
  let since = performance.now();
  let mean = 0;
  let count = 0;
  let tokens = 0;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  while (trainer.step < total && !stop.signal.aborted) {
    const { rows, steps, least } = TURNS[trainer.step % TURNS.length];
    const report = await trainer.train([weighed(packBatch(() => nextSequence(), rows, steps, () => longSequence(least)))], rate(trainer.step));
    tokens += rows * steps;
    mean += report.loss;
    count++;
    if (trainer.step % 25 === 0) {
      const seconds = (performance.now() - since) / 1000;
      appendFileSync(log, `${JSON.stringify({ step: trainer.step, loss: Number((mean / count).toFixed(4)), norm: Number(report.gradientNorm.toFixed(3)), rate: Number(rate(trainer.step).toPrecision(3)), tokens_per_second: Math.round(tokens / seconds) })}\n`);
      [mean, count, tokens, since] = [0, 0, 0, performance.now()];
    }
    if (trainer.step % 50 === 0) trainer.save(checkpoint, { data: data.state });
    if (trainer.step % 250 === 0) exportModel();
  }
  trainer.save(checkpoint, { data: data.state });
}
exportModel();
await trainer.close();
