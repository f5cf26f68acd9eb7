// Owns whom pronouns are taken to mean in a text that is read sentence by sentence.
// Refuses to know models.

import t from 'tap';
import type { Test } from 'tap';
import { Referents } from '../../src/extraction/pronouns.ts';

const LABELS = ['born in', 'died in', 'won', 'located in', 'directed by', 'written by', 'student of', 'married to', 'capital', '出生于', '获得', '位于', '师从', '职业'];
/** The sentences as they are meant. */
function read(...sentences: readonly string[]): readonly string[] {
  const referents = new Referents();
  return sentences.map((sentence) => {
    referents.next();
    return referents.read(sentence, LABELS);
  });
}
const told = (t: Test, sentences: readonly string[], ...meant: readonly string[]): unknown => t.same(read(...sentences).slice(-meant.length), meant, sentences.join(' '));

t.test('a pronoun that is a subject means the one name that was the subject before', (t) => {
  told(t, ['Marie Curie was born in Warsaw.', 'She won the Nobel Prize.', 'Later she died in Passy.'], 'Marie Curie won the Nobel Prize.', 'Later Marie Curie died in Passy.');
  told(t, ['Marie Curie was born in Warsaw.', 'Warsaw is located in Poland.', 'She won the Nobel Prize.'], 'Marie Curie won the Nobel Prize.');
  told(t, ['Otto Hahn won the Nobel Prize.', 'In 1900 he was born in Ulm.'], 'Otto Hahn was born in Ulm.');
  told(t, ['Psycho was directed by Alfred Hitchcock.', 'It was written by Joseph Stefano.'], 'Psycho was written by Joseph Stefano.');
  told(t, ['Ulm is a city.', 'It is located in Germany.'], 'Ulm is located in Germany.');
  told(t, ['Marie Curie was born in Warsaw.', 'Curie won a prize.', 'She died in Passy.'], 'Marie Curie died in Passy.');
  told(t, ['Weber, a physicist, was born in Ulm.', 'He won a prize.'], 'Weber won a prize.');
  told(t, ['Vienna, the capital of Austria, is located in Europe.', 'It was a village.'], 'Vienna was a village.');
  told(t, ['Otto Hahn won a prize in Physics and Chemistry.', 'He was born in Ulm.'], 'Otto Hahn was born in Ulm.');
  told(t, ["Otto Hahn's win was celebrated.", 'He died in Ulm.'], 'Otto Hahn died in Ulm.');
  told(t, ['爱因斯坦，德国物理学家，出生于乌尔姆。', '他获得了奖。'], '爱因斯坦获得了奖。');
  told(t, ['鲁迅出生于绍兴。', '他的职业是作家。', '后来他获得了奖。'], '鲁迅的职业是作家。', '后来鲁迅获得了奖。');
  told(t, ['鲁迅的职业是作家。', '他出生于绍兴。'], '鲁迅出生于绍兴。');
  told(t, ['居里夫人出生于华沙。', '华沙位于波兰。', '她获得了诺贝尔奖。'], '居里夫人获得了诺贝尔奖。');
  told(t, ['乌尔姆位于德国。', '它的面积是一百平方公里。'], '乌尔姆的面积是一百平方公里。');
  t.end();
});

t.test('what is the one name\'s own is told of that name', (t) => {
  told(t, ['Mozart was born in Salzburg.', 'His wife was Constanze.', 'She died in Salzburg.'], 'The wife of Mozart was Constanze.', 'She died in Salzburg.');
  told(t, ['Marie Curie was born in Warsaw.', 'In 1895 her first husband was Pierre Curie.'], 'The first husband of Marie Curie was Pierre Curie.');
  told(t, ['Ulm is located in Germany.', 'Its population is 120000.'], 'The population of Ulm is 120000.');
  const stays = (...sentences: readonly string[]): unknown => told(t, sentences, sentences[sentences.length - 1]);
  stays('His wife was Constanze.');
  stays('Anna was born in Oslo.', 'Ben was born in Paris.', 'His wife was Eve.');
  stays('Mozart was born in Salzburg.', 'His wife was tall.');
  stays('Mozart was born in Salzburg.', 'His wife was a singer.');
  stays('Mozart was born in Salzburg.', 'His wife was Polish.');
  stays('Mozart was born in Salzburg.', 'His mother died in Paris.');
  stays('Mozart was born in Salzburg.', 'Its capital is Ulm.');
  t.end();
});

t.test('who is the subject of the same sentence comes first', (t) => {
  const referents = new Referents();
  referents.next();
  referents.read('Marie Curie was born in Warsaw.', LABELS);
  referents.next();
  referents.read('Anna Berg was born in Oslo.', LABELS);
  t.equal(referents.read('she died in Rome.', LABELS), 'Anna Berg died in Rome.');
  t.end();
});

t.test('where two could be meant, or none, it stays', (t) => {
  const stays = (...sentences: readonly string[]): unknown => told(t, sentences, sentences[sentences.length - 1]);
  stays('She won the Nobel Prize.');
  stays('Anna was born in Oslo.', 'Ben was born in Paris.', 'She won the Nobel Prize.');
  stays('Plato was a student of Socrates.', 'He was born in Athens.');
  stays('Marta was married to Jonas.', 'She was born in Oslo.');
  stays('Anna and Eve were born in Oslo.', 'She won the Nobel Prize.');
  stays('Marie Curie was born in Warsaw.', 'It is located in Poland.');
  stays('Anna was born in Oslo.', 'Psycho was directed by Alfred Hitchcock.', 'He was born in London.');
  stays('Psycho was directed by Alfred Hitchcock.', 'He was born in London.');
  stays('Anna was born in Oslo.', 'She won a prize.', 'He died in Rome.');
  stays('Would Otto Hahn win?', 'He was born in Ulm.');
  stays('Ulm is located in Germany.', 'It was Einstein who won the prize.');
  stays('Ulm is located in Germany.', 'It is true that Einstein won the prize.');
  stays('The director of Psycho was Alfred Hitchcock.', 'He was born in London.');
  stays('Mozart was born in Salzburg.', 'His wife was Constanze.', 'She was born in Ulm.');
  stays('Anna Berg was born in Oslo.', 'At that time a prize went to Eve.', 'She died in Rome.');
  stays('鲁迅和周作人出生于绍兴。', '他获得了奖。');
  stays('鲁迅的妻子是许广平。', '她出生于广州。');
  stays('Anna was born in Oslo.', 'One.', 'Two.', 'Three.', 'Four.', 'She won a prize.');
  stays('柏拉图师从苏格拉底。', '他出生于雅典。');
  stays('居里夫人出生于华沙。', '它位于波兰。');
  stays('鲁迅出生于绍兴。', '他们获得了奖。');
  stays('鲁迅出生于绍兴。', '他人获得了奖。');
  t.end();
});

t.test('a text of any length is read in no time', (t) => {
  const start = process.cpuUsage();
  for (const part of ['in a, ', 'A ', 'later ', 'he is ', '它', '后来', 'It was a ', 'is a b ', 'The A ']) for (const length of [1999, 200_000]) read(part.repeat(Math.floor(length / part.length)), 'He was born in Ulm.');
  t.ok(process.cpuUsage(start).user < 3e6, 'microseconds');
  t.end();
});
