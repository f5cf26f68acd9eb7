// Owns the data of search and the folder made of it: pairs that belong together, what training never draws, batches, an encoder that learns and is served.
// Refuses to know how good the model that ships is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import t from 'tap';
import { encoderLoss } from '../../src/training/graphs/encoder-loss.ts';
import { EN_HELD_OUT, ZH_HELD_OUT } from '../../src/training/grounded/labels.ts';
import { Random } from '../../src/training/random.ts';
import { contrastBatch, packTexts } from '../../src/training/search/batches.ts';
import { SAME_LABELS } from '../../src/training/search/bilingual.ts';
import { drawnEncoder, EMBEDDER, writeEmbedder } from '../../src/training/search/folder.ts';
import { acrossPair, drawKind, makePair, otherWordsPair, PAIR_KINDS } from '../../src/training/search/pairs.ts';
import { inOtherWords, misspelt, nameVariant } from '../../src/training/search/variants.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { startEngine } from '../engine/world.ts';
import { transformer } from '../model/transformer-reference.ts';
import { ADAM } from './tiny.ts';

const tokenizerJson = readFileSync(new URL('../../models/pharos-mini/tokenizer.json', import.meta.url), 'utf8');
const tokenizer = new Tokenizer(JSON.parse(tokenizerJson), {});
const encode = (text: string): readonly number[] => tokenizer.encode(text).ids;

t.test('the same seed draws the same pairs, every kind is drawn, and the three texts of a pair differ', (t) => {
  const draw = (): object[] => {
    const random = new Random(3);
    return Array.from({ length: 300 }, () => makePair(random, drawKind(random)));
  };
  const pairs = draw() as ReturnType<typeof makePair>[];
  t.same(draw(), pairs);
  t.same(new Set(pairs.map(({ kind }) => kind)), new Set(PAIR_KINDS));
  for (const { query, document, negative } of pairs) t.equal(new Set([query, document, negative]).size, 3);
  t.end();
});

t.test('training draws no label and no phrasing that is held out, and held-out draws have them', (t) => {
  const random = new Random(8);
  const texts = (options: object): string[] => Array.from({ length: 400 }, () => Object.values(makePair(random, drawKind(random), options))).flat();
  const held = new RegExp(`\\b(?:${EN_HELD_OUT.join('|')})\\b|${ZH_HELD_OUT.join('|')}|look up|for .+ I need to know|please state`);
  t.same(
    texts({}).filter((text) => held.test(text)),
    [],
  );
  t.ok(texts({ names: 'held-out', heldOutRelations: true, heldOutQuestions: true }).filter((text) => held.test(text)).length > 300);
  for (const [en, zh] of SAME_LABELS) t.notOk(EN_HELD_OUT.includes(en) || ZH_HELD_OUT.includes(zh), `${en} ${zh}`);
  t.end();
});

t.test('across languages, question and fact are of one each, and name the same', (t) => {
  const random = new Random(2);
  for (const from of ['en', 'zh'] as const)
    for (let i = 0; i < 50; i++) {
      const names = ['Ada Lovelace', 'Kyoto', 'Mars'];
      const { query, document } = acrossPair(random, { names, language: 'en' }, from, 'question');
      const isHan = (text: string): boolean => /\p{Script=Han}/u.test(text);
      t.equal(isHan(query), from === 'zh', query);
      t.equal(isHan(document), from === 'en', document);
      t.ok(
        names.some((name) => query.includes(name) && document.includes(name)),
        `${query} ${document}`,
      );
    }
  t.end();
});

t.test('a slip of the pen touches one word, names are varied and labels put in other words', (t) => {
  const random = new Random(5);
  for (let i = 0; i < 100; i++) {
    const [given, spelt] = ['the director of Vertigo', misspelt(random, 'the director of Vertigo')];
    t.ok(spelt.split(' ').filter((word, n) => word !== given.split(' ')[n]).length <= 1, spelt);
  }
  t.equal(misspelt(random, '42'), '42');
  t.equal(misspelt(random, '爱因斯坦').length, 3);
  const variants = new Set(Array.from({ length: 200 }, () => nameVariant(random, 'Ada Lovelace')));
  for (const variant of ['Lovelace, Ada', 'ada lovelace', 'A. Lovelace', 'Lovelace Ada']) t.ok(variants.has(variant), variant);
  t.ok(new Set(Array.from({ length: 40 }, () => inOtherWords(random, 'author'))).has('writer'));
  t.equal(inOtherWords(random, 'of the'), undefined);
  const { query, document } = otherWordsPair(random, { names: ['Kyoto'] });
  t.match([query, document], [/Kyoto/, /Kyoto/]);
  t.end();
});

t.test('a batch holds every text whole or cut, numbered in its order, with weights that make means', (t) => {
  const random = new Random(6);
  const [pairs, steps] = [12, 40];
  const batch = contrastBatch(() => makePair(random, drawKind(random)), encode, pairs, steps);
  const texts = Array.from({ length: 3 * pairs }, () => ({ tokens: [] as number[], weight: 0 }));
  for (const [i, owner] of batch.targets.entries()) {
    const text = texts[Number(owner)];
    t.equal(Number(batch.positions[Number(batch.rows[i])]), text.tokens.length);
    text.tokens.push(Number(batch.inputIds[Number(batch.rows[i])]));
    text.weight += batch.weights[i];
  }
  t.ok(texts.every(({ tokens, weight }) => tokens.length > 0 && tokens.length <= steps && Math.abs(weight - 1) < 1e-5));
  t.equal(new Set(texts.map(({ tokens }) => tokens.join())).size, texts.length);
  t.throws(() => contrastBatch(() => ({ kind: 'name', query: 'a', document: 'b', negative: 'c' }), encode, 2, 8), {
    name: 'RangeError',
    message: /gave 1 pairs of different texts in 100; 2 are needed/,
  });
  t.throws(() => packTexts([[1], []], 8), { message: /text 1 has 0 tokens; from 1 to 8 fit/ });
  t.end();
});

t.test('an encoder learns the pairs, and what is written of it serves the vectors that training compares', async (t) => {
  const config = { ...EMBEDDER, width: 24, contextLength: 64, encoder: { layers: 1, heads: 2, feedForward: 32 } };
  const graph = encoderLoss(config, { negatives: 1, temperature: 0.1, dimensions: [12, 24], dropout: 0 });
  const trainer = await Trainer.open(graph, drawnEncoder(config, 1), { optimizer: ADAM, clip: 1, threads: 1 });
  t.teardown(async () => trainer.close());
  const random = new Random(4);
  const next = (): ReturnType<typeof contrastBatch> => contrastBatch(() => makePair(random, 'fact'), encode, 8, 48);
  const judged = Array.from({ length: 6 }, next);
  const before = await trainer.evaluate(judged);
  for (let step = 0; step < 60; step++) await trainer.train([next()], 0.005);
  const after = await trainer.evaluate(judged);
  t.ok(after < 0.9 * before, `${before} before, ${after} after`);

  const folder = join(t.testdir(), 'small');
  writeEmbedder(folder, { config, weights: trainer.weights, trainingSteps: trainer.step, tokenizer: tokenizerJson, padToken: '<|pad|>', padId: 0 });
  const engine = await startEngine(t, { models: [folder] });
  t.match(engine.models(), [{ id: 'small', tasks: ['embed', 'score'], contextLength: 64 }]);
  const texts = ['who is the author of Emma', '《红楼梦》的作者是曹雪芹。'];
  const { vectors } = await engine.embed({ model: 'small', inputs: texts });
  for (const [i, text] of texts.entries()) {
    const states = transformer(config, trainer.weights).encoded(encode(text));
    const mean = states[0].map((_, d) => states.reduce((sum, state) => sum + state[d], 0));
    const apart = Math.max(...mean.map((value, d) => Math.abs(value / Math.hypot(...mean) - vectors[i][d])));
    t.ok(apart < 2e-3, `half precision alone is between them: ${apart.toExponential(1)}`);
  }
});
