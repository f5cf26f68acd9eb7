// Trains the model that ships from generated data, and writes it in the Hugging Face layout. Resumes from its checkpoint.
// Usage: node scripts/train-model.ts [--out models/pharos-mini] [--work data/training] [--steps 6000] [--threads 2] [--export-only]

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';

import { CHAT_TEMPLATE, NAME_CLOSE, NAME_OPEN, SPECIAL_TOKENS } from '../src/answers/evidence.ts';
import { buildDecoder, parameterCount } from '../src/model/decoder.ts';
import type { DecoderConfig } from '../src/model/decoder.ts';
import { packBatch } from '../src/training/batch.ts';
import type { Sequence } from '../src/training/batch.ts';
import { trainTokenizer } from '../src/training/bpe.ts';
import { lexicon, makeSample } from '../src/training/grounded/samples.ts';
import { cosineSchedule } from '../src/training/optimizer.ts';
import { Random } from '../src/training/random.ts';
import { replaceFile, Trainer } from '../src/training/trainer.ts';

const { values: args } = parseArgs({
  options: {
    out: { type: 'string', default: 'models/pharos-mini' },
    work: { type: 'string', default: 'data/training' },
    steps: { type: 'string', default: '6000' },
    threads: { type: 'string', default: '2' },
    'export-only': { type: 'boolean', default: false },
  },
});
const total = Number(args.steps);
mkdirSync(args.work, { recursive: true });
mkdirSync(join(args.out, 'onnx'), { recursive: true });

const VOCABULARY = 4096;
const config: DecoderConfig = { vocabularySize: VOCABULARY, width: 192, layers: 4, heads: 6, headSize: 32, feedForward: 768, contextLength: 1024, rotaryBase: 10000, rotaryDimensions: 16, normEpsilon: 1e-5 };
const STEPS = 320;
const ROWS = 10;

const tokenizerFile = join(args.work, 'tokenizer.json');
if (!existsSync(tokenizerFile)) {
  const random = new Random(11);
  const texts = function* (): Iterable<string> {
    for (let i = 0; i < 60_000; i++) {
      const sample = makeSample(random);
      yield* (sample.system + sample.user + sample.assistant).split(/<\|[^|<>]+\|>/);
    }
  };
  replaceFile(tokenizerFile, trainTokenizer(texts(), VOCABULARY, SPECIAL_TOKENS));
}
const tokenizerJson = readFileSync(tokenizerFile, 'utf8');
const tokenizer = new Tokenizer(JSON.parse(tokenizerJson), {});
const encode = (text: string): number[] => tokenizer.encode(text).ids;

const data = new Random(2026);
const nextSequence = (): Sequence => {
  const sample = makeSample(data);
  const prompt = encode(`<|system|>${sample.system}<|end|><|user|>${sample.user}<|end|><|assistant|>`);
  const answer = encode(`${sample.assistant}<|end|>`);
  return { tokens: [...prompt, ...answer], learned: [...prompt.map(() => false), ...answer.map(() => true)] };
};

const trainer = await Trainer.create(config, { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.05, clip: 1 }, 1, Number(args.threads));
const checkpoint = join(args.work, 'checkpoint.bin');
const log = join(args.work, 'log.jsonl');
const resumed = trainer.restore(checkpoint);
if (resumed) data.advanceTo(resumed['data']);

function exportModel(): void {
  const out = (name: string, content: string | Uint8Array): void => replaceFile(join(args.out, name), content);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const id = (token: string): number => (SPECIAL_TOKENS as readonly string[]).indexOf(token);
  out('onnx/model.onnx', buildDecoder(config, trainer.weights, { storage: 'float16' }));
  out('tokenizer.json', tokenizerJson);
  out(
    'tokenizer_config.json',
    json({ tokenizer_class: 'PreTrainedTokenizerFast', bos_token: null, eos_token: '<|end|>', pad_token: '<|pad|>', model_max_length: config.contextLength, clean_up_tokenization_spaces: false, chat_template: CHAT_TEMPLATE }),
  );
  out('generation_config.json', json({ eos_token_id: [id('<|end|>')], pad_token_id: id('<|pad|>'), do_sample: false, max_new_tokens: 512 }));
  out(
    'config.json',
    json({
      model_type: 'pharos-decoder',
      architectures: ['PharosForCausalLM'],
      vocab_size: config.vocabularySize,
      hidden_size: config.width,
      num_hidden_layers: config.layers,
      num_attention_heads: config.heads,
      num_key_value_heads: config.heads,
      head_dim: config.headSize,
      intermediate_size: config.feedForward,
      max_position_embeddings: config.contextLength,
      rope_theta: config.rotaryBase,
      rotary_dimensions: config.rotaryDimensions,
      rms_norm_eps: config.normEpsilon,
      hidden_act: 'relu2',
      key_mix: 'previous-token',
      tie_word_embeddings: true,
      torch_dtype: 'float16',
      num_parameters: parameterCount(config),
      training_steps: trainer.step,
    }),
  );
  out('pharos.json', json({ format: 'evidence-1', nameOpen: NAME_OPEN, nameClose: NAME_CLOSE, lexicon: { en: lexicon(new Random(3), 'en'), zh: lexicon(new Random(4), 'zh') } }));
}

if (!args['export-only']) {
  const rate = cosineSchedule({ peak: 2e-3, warmup: 150, total, floor: 0.03 });
  let since = performance.now();
  let mean = 0;
  let count = 0;
  while (trainer.step < total) {
    const report = await trainer.train(packBatch(nextSequence, ROWS, STEPS), rate(trainer.step));
    mean += report.loss;
    count++;
    if (trainer.step % 25 === 0) {
      const seconds = (performance.now() - since) / 1000;
      appendFileSync(log, `${JSON.stringify({ step: trainer.step, loss: Number((mean / count).toFixed(4)), norm: Number(report.gradientNorm.toFixed(3)), rate: Number(rate(trainer.step).toPrecision(3)), tokens_per_second: Math.round((count * ROWS * STEPS) / seconds) })}\n`);
      [mean, count, since] = [0, 0, performance.now()];
    }
    if (trainer.step % 250 === 0) {
      trainer.save(checkpoint, { data: data.state });
      exportModel();
    }
  }
  trainer.save(checkpoint, { data: data.state });
}
exportModel();
await trainer.close();
