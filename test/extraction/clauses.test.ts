// Owns what a sentence is taken to state: its clauses, without those that deny, suppose or ask something.
// Refuses to know models.

import t from 'tap';
import { statementsOf } from '../../src/extraction/clauses.ts';

const LABELS = ['born in', 'won', 'capital', 'married to', 'student of', 'lies in', 'directed by', 'director', '出生于', '位于', '首都', '获得'];
const read = (sentence: string) => statementsOf(sentence, LABELS);

t.test('what denies, supposes or asks something states nothing', (t) => {
  for (const sentence of [
    'Alice is not married to Carl.',
    'ALICE IS NOT MARRIED TO CARL.',
    '"Alice is not married to Carl."',
    'Planck did not win the Nobel Prize in Chemistry.',
    'Planck didn’t win the Nobel Prize.',
    'Nobody was born in Paris.',
    'Tom was never born in Rome.',
    'Neither Anna nor Ben was born in Rome.',
    'Perhaps Homer was born in Chios.',
    'If Bob were born in Rome, he would be a Roman.',
    'If Anna Berg was born in Rome, Ben lives there.',
    'Had Bob been born in Rome, he would have won.',
    'It is false that Bern is the capital of France.',
    'It is unlikely that Bob was born in Rome.',
    'Bob denies that he won the prize.',
    'Was Bob born in Oslo?',
    'According to Livy, Bob was born in Rome.',
    'Bob was almost born in Rome.',
    'Bob was born in Rome, which is a lie.',
    'I dreamt that Bob was born in Rome.',
    'Bob pretended to be born in Rome.',
    'Bob hoped to win the prize.',
    '爱丽丝不出生于北京。',
    '鲍勃没有获得诺贝尔奖。',
    '鲍勃没获得诺贝尔奖。',
    '鲍勃未出生于奥斯陆。',
    '伯尔尼并非法国的首都。',
    '伯尔尼不是法国的首都。',
    '如果鲍勃出生于罗马，他就是罗马人。',
    '无人出生于北京。',
    '假如巴黎位于德国，柏林就是首都。',
    '要是柏林位于法国。',
    '鲁迅出生于绍兴吗？',
  ])
    t.same(read(sentence), { told: [], denied: 1 }, sentence);
  t.end();
});

t.test('a name may hold any word, and "not only" denies nothing', (t) => {
  for (const sentence of [
    'No Country for Old Men was directed by Joel Coen.',
    'If I Were King was directed by Frank Lloyd.',
    'Never Let Me Go was directed by Mark Romanek.',
    'Mark Romanek is the director of Never Let Me Go.',
    'The film "If Bob was not there" was directed by Ann.',
    'May was born in Rome.',
    'Nothing Compares 2 U won an award.',
    'Marie Curie not only won the Nobel Prize in Physics.',
    'Almost 20 prizes went to Bob, who won an award.',
    '不丹位于亚洲。',
    '那不勒斯位于意大利。',
    '《不见不散》获得金鸡奖。',
    '莫言不仅获得诺贝尔奖。',
  ])
    t.same(read(sentence), { told: [sentence], denied: 0 }, sentence);
  t.end();
});

t.test('clauses with a subject and a verb of their own are each a sentence', (t) => {
  const told = (sentence: string, ...clauses: readonly string[]) => t.same(read(sentence), { told: clauses, denied: 0 }, sentence);
  told('Anna was born in Berlin, Ben was born in Paris and Carl was born in Rome.', 'Anna was born in Berlin.', 'Ben was born in Paris.', 'Carl was born in Rome.');
  told('The director of the film was Lena Berg, while her brother was born in Bergen.', 'The director of the film was Lena Berg.', 'her brother was born in Bergen.');
  told('Gauss was born in Brunswick; Euler was born in Basel.', 'Gauss was born in Brunswick.', 'Euler was born in Basel.');
  told('Although Bohr was born in Copenhagen, Fermi was born in Rome.', 'Bohr was born in Copenhagen.', 'Fermi was born in Rome.');
  told('Carl moved to Rome, Ben was born in Paris.', 'Carl moved to Rome.', 'Ben was born in Paris.');
  told('Kant was born in Königsberg and was a student of Martin Knutzen.', 'Kant was born in Königsberg.', 'Kant was a student of Martin Knutzen.');
  told('Tom was born in Paris and Anna in Rome.', 'Tom was born in Paris.', 'Anna was born in Rome.');
  told('Carl Berg was born in Oslo, Anna Dahl in Rome and Ben Lund in Bonn.', 'Carl Berg was born in Oslo.', 'Anna Dahl was born in Rome.', 'Ben Lund was born in Bonn.');
  told('鲁迅出生于绍兴，绍兴位于浙江。', '鲁迅出生于绍兴。', '绍兴位于浙江。');
  told('不丹的首都是廷布，尼泊尔的首都是加德满都。', '不丹的首都是廷布。', '尼泊尔的首都是加德满都。');
  for (const whole of [
    'Tom was born in Dayton, Ohio in Montgomery County.',
    'The director of Psycho and the author of It were born in London.',
    'Paris, the capital of France, lies in Europe.',
    'Ada was born in London, the capital of England, which lies in Europe.',
    'Romeo and Juliet was directed by Franco Zeffirelli.',
    'J. R. R. Tolkien, who was born in Bloemfontein, wrote "The Hobbit".',
    'Anna (born in Rome, and Ben was ill) won a prize.',
    '鲁迅，原名周树人，出生于浙江绍兴！',
    '爱因斯坦，德国物理学家，1879年出生于乌尔姆，1921年获得诺贝尔奖。',
  ])
    told(whole, whole);
  t.end();
});

t.test('where one clause denies something, the others are still told', (t) => {
  const kept = (sentence: string, denied: number, ...told: readonly string[]) => t.same(read(sentence), { told, denied }, sentence);
  kept('Anna wasn’t born in Berlin but Ben was born in Paris.', 1, 'Ben was born in Paris.');
  kept('Ingrid Dahl was born in Tromsø, but her husband never lived there.', 1, 'Ingrid Dahl was born in Tromsø.');
  kept('Pindar was born in Thebes, not in Athens.', 1, 'Pindar was born in Thebes.');
  kept('Tom was born in Rome and was never married to Eve, and Ben was born in Paris.', 1, 'Tom was born in Rome.', 'Ben was born in Paris.');
  kept('Nobody was born in Rome and won a prize.', 2);
  kept('Tom was not born in Rome and married to Eve.', 2);
  kept('莫言获得了诺贝尔文学奖，而余华没有获得诺贝尔奖。', 1, '莫言获得了诺贝尔文学奖。');
  kept('鲁迅出生于绍兴，不是北京。', 1, '鲁迅出生于绍兴。');
  kept('鲁迅不是出生于北京，而是出生于绍兴。', 1);
  t.end();
});

t.test('what somebody says is not told by the sentence, and is counted', (t) => {
  for (const sentence of [
    'Livy said that Rome was the capital of Italy.',
    'Livy said Rome was the capital of Italy.',
    'Bob claims that Anna was born in Rome.',
    'It is believed that Anna was born in Rome.',
    'Anna is said to have been born in Rome.',
    'Anna was reportedly born in Rome.',
    'The theory that Anna was born in Rome won much praise.',
    '"Rome was the capital of Italy," said Livy.',
    '李维声称罗马的首都是奥斯蒂亚。',
    '他说李白出生于碎叶。',
    '据说李白出生于碎叶。',
    '李白被认为出生于碎叶。',
  ])
    t.same(read(sentence), { told: [], denied: 1 }, sentence);
  t.same(read('Rome was the capital of Italy, and Ben said that Ostia was the capital of Peru and Veii was the capital of Chile.'), { told: ['Rome was the capital of Italy.'], denied: 2 }, 'and what is said goes on');
  t.same(read('Ben said that Anna was born in Rome, but Eve was born in Oslo.'), { told: ['Eve was born in Oslo.'], denied: 1 });
  for (const sentence of ['Anna claimed the prize that Eve won.', 'Anna said much and won the prize.', 'Ben showed that Anna was born in Rome.', 'Bavaria is the state that lies in the south.', 'The report that won the prize was long.', '鲁迅的小说获得了奖。', '北京被称为首都。', '莫言的传说故事获得了奖。'])
    t.equal(read(sentence).denied, 0, sentence);
  t.end();
});

t.test('a sentence of any length is read in no time', (t) => {
  const start = process.cpuUsage();
  for (const part of ['a, and the b is not c, ', 'b c; ', 'a and ', '鲁迅出生于绍兴，不是北京', ', ', '( ', 'A a ', 'no ', '，不', '“', 'A, who ', '《', 'If A ', 'in a ']) for (const length of [1999, 1_000_000]) read(part.repeat(Math.floor(length / part.length)));
  t.ok(process.cpuUsage(start).user < 3e6, 'microseconds');
  t.end();
});

t.test('a Chinese clause stands without its conjunction', (t) => {
  t.same(read('虽然鲍勃出生于罗马，但他没有获得诺贝尔奖。').told, ['鲍勃出生于罗马。']);
  t.end();
});
