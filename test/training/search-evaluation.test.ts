// Owns the evaluation of search: that ranks and words are counted right, and that a model without any sense is told from one that knows.
// Refuses to know how good any model is.

import t from 'tap';
import type { EmbedRequest } from '../../src/engine/port.ts';
import { groups } from '../../src/training/evaluation/groups.ts';
import { rankOf, SEARCH_HEAD, searchRows, searchSet, searchWords, together, wordSearch } from '../../src/training/evaluation/search.ts';
import { Random } from '../../src/training/random.ts';
import { makePair } from '../../src/training/search/pairs.ts';
import { SCRIPTED, says, scriptedEngine } from '../helpers/scripted-engine.ts';

t.test('words are small letters and numbers, Chinese characters one by one and in pairs', (t) => {
  t.same(searchWords('Who wrote “War & Peace” in 1869？'), ['who', 'wrote', 'war', 'peace', 'in', '1869']);
  t.same(searchWords('出生于Ulm'), ['出', '生', '于', '出生', '生于', 'ulm']);
  t.end();
});

t.test('scores by words are those of BM25', (t) => {
  const score = wordSearch(['a b', 'a a c', 'd d d d']);
  // Mean length 3; a stands in two of three texts, once and twice: log(1 + 1.5 / 2.5) * n * 2.2 / (n + 1.2 (0.25 + 0.75 length / 3)).
  const rarity = Math.log(1.6);
  const [first, second, third] = score('A x');
  t.ok(Math.abs(first - (rarity * 2.2) / (1 + 1.2 * 0.75)) < 1e-12, String(first));
  t.ok(Math.abs(second - (rarity * 2 * 2.2) / (2 + 1.2)) < 1e-12, String(second));
  t.equal(third, 0);
  t.equal(rankOf([0.2, 0.9, 0.2, 0.1], 0), 3, 'of equal ones it is the last');
  t.equal(rankOf([0.2, 0.9, 0.2, 0.1], 1), 1);
  t.same(together(Float64Array.of(3, 2, 1), Float64Array.of(5, 9, 1)), [1 / 61 + 1 / 62, 1 / 62 + 1 / 61, 2 / 63]);
  t.end();
});

t.test('a set has a thousand different facts, of which the first answer the questions', (t) => {
  const random = new Random(9);
  const { questions, facts } = searchSet(() => makePair(random, 'fact', { names: 'held-out' }), 30);
  t.equal(questions.length, 30);
  t.equal(new Set(facts).size, 1000);
  t.end();
});

t.test('vectors that say nothing find nothing, and words find most', async (t) => {
  const engine = {
    ...scriptedEngine(() => says('')),
    embed: async ({ inputs }: EmbedRequest) => ({ vectors: inputs.map(() => Float32Array.of(1)), promptTokens: 0 }),
  };
  const rows = await searchRows(engine, SCRIPTED, groups(undefined)[0], new Random(4), 20);
  t.same(
    rows.map(([title, asked, count]) => [title, asked, count]),
    ['in its words', 'misspelt', 'in other words', 'in Chinese'].map((asked) => ['English, new names', asked, '20']),
  );
  for (const row of rows) {
    t.equal(row.length, SEARCH_HEAD.length);
    t.same(row.slice(3, 6), ['0.0%', '0.0%', '0.001']);
  }
  t.ok(parseFloat(rows[0][7]) > 90);
});
