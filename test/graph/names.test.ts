// Owns the behaviour of folding and comparing names.
// Refuses to know who searches with them.

import t from 'tap';
import { foldName, hasHan, nameSimilarity } from '../../graph/names.ts';
import { seeded } from '../helpers/store-world.ts';

t.test('names that a reader takes for the same fold to the same text', async (t) => {
  for (const [a, b] of [
    ['Albert Einstein', '  ALBERT   einstein'],
    ['René Descartes', 'Rene\u0301 DESCARTES'],
    ['ＡＢＣ１２', 'abc12'],
    ['Spider-Man', 'spider man'],
    ['O’Hara', "O'Hara"],
    ['ﬁne', 'fine'],
    ['Ångström', 'angstrom'],
    ['Ёлка', 'елка'],
    ['阿尔伯特·爱因斯坦', '阿尔伯特・爱因斯坦'],
  ])
    t.equal(foldName(a), foldName(b), `${a} and ${b}`);
  t.equal(foldName('Albert Einstein'), 'albert einstein');
  t.equal(foldName('爱因斯坦'), '爱因斯坦');
  t.not(foldName('C'), foldName('C 1'));
});

t.test('folding twice changes nothing, whatever the text', async (t) => {
  const random = seeded(5);
  const alphabet = [...'aZ09 -_.\'"éÅßİıﬁ½Ⅷ爱因ーカ가각अ🙂\u0301\u200d\u00a0\u3000'];
  for (let n = 0; n < 500; n++) {
    const name = Array.from({ length: random.below(12) }, () => random.pick(alphabet)).join('');
    const folded = foldName(name);
    t.equal(foldName(folded), folded, encodeURI(name));
    t.equal(folded, folded.trim());
  }
});

t.test('similarity is 1 for equal names only, and 0 to 1 for all', async (t) => {
  t.equal(nameSimilarity('albert einstein', 'albert einstein'), 1);
  t.equal(nameSimilarity('爱因斯坦', '爱因斯坦'), 1);
  const random = seeded(6);
  for (let n = 0; n < 500; n++) {
    const [a, b] = [0, 1].map(() => Array.from({ length: 1 + random.below(8) }, () => random.pick([...'abc 爱因'])).join('').trim().replace(/ +/g, ' '));
    const score = nameSimilarity(a, b);
    t.ok(score >= 0 && score <= 1, `${a} | ${b}: ${score}`);
    t.equal(score === 1, a === b, `${a} | ${b}: ${score}`);
  }
});

t.test('fewer mistakes are more similar, and a beginning is more similar than something else', async (t) => {
  const rank = (query: string, ...inOrder: readonly string[]): void => {
    const scores = inOrder.map((name) => nameSimilarity(query, name));
    for (let n = 1; n < scores.length; n++) t.ok(scores[n - 1] > scores[n], `${query}: ${inOrder[n - 1]} (${scores[n - 1]}) before ${inOrder[n]} (${scores[n]})`);
  };
  rank('albert einstien', 'albert einstein', 'albert epstein', 'marie curie');
  rank('albert ein', 'albert einstein', 'robert browning');
  rank('up', 'up', 'upstream', 'down');
  rank('爱因', '爱因斯坦', '北京');
  rank('爱因斯但', '爱因斯坦', '居里夫人');
  t.ok(nameSimilarity('albret', 'albert') > nameSimilarity('alxyet', 'albert'), 'swapped neighbours are one mistake');
  t.ok(nameSimilarity('zzzz', 'albert einstein') < 0.3);
});

t.test('very long names are compared without harm', async (t) => {
  const long = 'abcdefghij'.repeat(100);
  t.equal(nameSimilarity(long, long), 1);
  const score = nameSimilarity(long, `${long.slice(0, 500)}x${long.slice(501)}`);
  t.ok(score >= 0 && score < 1);
});

t.test('Han characters are recognised', async (t) => {
  t.equal(hasHan('爱因斯坦'), true);
  t.equal(hasHan('Q1 北'), true);
  t.equal(hasHan('𠀀'), true, 'beyond the basic plane');
  t.equal(hasHan('Albert'), false);
  t.equal(hasHan('カタカナ'), false);
  t.equal(hasHan(''), false);
});
