// Owns what the shipped encoder has to be good for: it loads, and a question is nearer to the fact that answers it than to others, in English, in Chinese and across.
// Refuses to know figures: its card has them.

import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startEngine } from './world.ts';

const FOLDER = fileURLToPath(new URL('../../models/pharos-embed', import.meta.url));
const model = 'pharos-embed';
const engine = await startEngine(t, { models: [FOLDER] });
const embed = async (inputs: readonly string[], dimensions?: number): Promise<readonly Float32Array[]> =>
  (await engine.embed({ model, inputs, dimensions })).vectors;
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

t.test('it makes vectors of length 1, whole or cut, of any text', async (t) => {
  t.match(engine.models(), [{ id: model, tasks: ['embed', 'score'], contextLength: 256 }]);
  const texts = ['x', 'Albert Einstein was born in Ulm.', '阿尔伯特·爱因斯坦出生于乌尔姆。', '🦉 <|end|> ß', 'long '.repeat(100)];
  for (const [dimensions, vectors] of [
    [192, await embed(texts)],
    [64, await embed(texts, 64)],
  ] as const)
    for (const vector of vectors) {
      t.equal(vector.length, dimensions);
      t.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
    }
  t.same(await embed([texts[1]]), [(await embed(texts))[1]], 'alone as beside others');
});

/** Facts with a question for each. */
const FACTS = {
  en: [
    ['Albert Einstein was born in Ulm.', 'Where was Albert Einstein born?'],
    ['Albert Einstein was educated at ETH Zurich.', 'where did Einstein study'],
    ['the author of War and Peace is Leo Tolstoy.', 'who is the writer of War and Peace?'],
    ['Vertigo was directed by Alfred Hitchcock.', 'who directed Vertgo'],
    ['the capital of Peru is Lima.', 'what is the capital of Peru'],
    ['the spouse of Marie Curie is Pierre Curie.', 'who is Marie Curie married to'],
  ],
  zh: [
    ['爱因斯坦出生于乌尔姆。', '爱因斯坦出生于哪里？'],
    ['《战争与和平》的作者是托尔斯泰。', '谁是《战争与和平》的作者'],
    ['《迷魂记》的导演是希区柯克。', '《迷魂记》的导演是谁？'],
    ['秘鲁的首都是利马。', '秘鲁的首都是什么'],
    ['居里夫人的配偶是皮埃尔·居里。', '居里夫人的配偶是哪位'],
  ],
} as const;
for (const language of ['en', 'zh'] as const)
  t.test(`a question is nearest to its fact: ${language}`, async (t) => {
    const facts = await embed(FACTS[language].map(([fact]) => fact));
    const questions = await embed(FACTS[language].map(([, question]) => question));
    for (const [i, question] of questions.entries()) {
      const scores = facts.map((fact) => dot(fact, question));
      t.equal(scores.indexOf(Math.max(...scores)), i, FACTS[language][i][1]);
    }
  });

t.test('a question is nearer to its fact in the other language than to the same names in another relation', async (t) => {
  for (const [question, right, wrong] of [
    ['what is the capital of Peru', 'Peru的首都是Lima。', 'Peru的人口是Lima。'],
    ['who is the director of Vertigo', 'Vertigo的导演是Hitchcock。', 'Vertigo的编剧是Hitchcock。'],
    ['Vertigo的作者是谁', 'the author of Vertigo is Hitchcock.', 'the height of Vertigo is Hitchcock.'],
  ]) {
    const [of, near, far] = await embed([question, right, wrong]);
    t.ok(dot(of, near) > dot(of, far), `${question}: ${dot(of, near).toFixed(3)} and ${dot(of, far).toFixed(3)}`);
  }
});
