// Owns what a text is read by: passages of a few sentences, and the relations that each may speak of.
// Refuses to know models.

import t from 'tap';
import { passagesOf as read } from '../../src/extraction/passages.ts';
import { candidatesOf } from '../../src/extraction/relations.ts';
import type { RelationName } from '../../graph/terms.ts';

const passagesOf = (text: string): readonly string[] => [...read(text)];

t.test('a text becomes passages of at most three sentences and some hundred characters, and no word of it is lost', (t) => {
  t.same(passagesOf('One is here. Two is there.  Three? Four!'), ['One is here. Two is there. Three?', 'Four!']);
  t.same(passagesOf('  \n '), []);
  const sentence = `Word ${'word '.repeat(59).trim()}.`;
  t.same(passagesOf(`${sentence} ${sentence} Short.`), [sentence, `${sentence} Short.`]);
  t.same(passagesOf('爱因斯坦出生于乌尔姆。乌尔姆位于德国。柏林是首都。他去世了。'), ['爱因斯坦出生于乌尔姆。乌尔姆位于德国。柏林是首都。', '他去世了。']);
  const long = 'x'.repeat(5000);
  t.same(passagesOf(long), [long], 'a sentence is not cut');
  t.end();
});

t.test('lines that were wrapped are one sentence, and lines that were not stay lines', (t) => {
  const wrapped = 'Marie Curie was a physicist and chemist who conducted research on Albert\nEinstein and others. She was born in Warsaw, in what was then the kingdom of\nPoland. She died in Passy\nafter a long illness.';
  t.same(passagesOf(wrapped), ['Marie Curie was a physicist and chemist who conducted research on Albert Einstein and others. She was born in Warsaw, in what was then the kingdom of Poland. She died in Passy after a long illness.']);
  t.same(passagesOf(wrapped.replaceAll('\n', '\r\n')), passagesOf(wrapped));
  const chinese = '阿尔伯特·爱因斯坦是二十世纪最著名的物理学家之一，他出生于德国巴登州的乌';
  t.same(passagesOf(`${chinese}\n尔姆市。`), [`${chinese}尔姆市。`]);
  t.same(passagesOf('Socrates is a human\nPlato is a human\nUlm lies in Germany'), ['Socrates is a human\nPlato is a human\nUlm lies in Germany'], 'short lines');
  const long = 'The cities that this chapter tells of, in the order in which they were founded';
  for (const rest of ['- Ulm', '\nUlm is one', '1. Ulm', '| Ulm |']) t.match(passagesOf(`${long}\n${rest}`)[0], new RegExp(`founded\\s*\\n\\s*${RegExp.escape(rest.trim())}`), 'lists, tables and paragraphs');
  const lines = passagesOf('word and word\n'.repeat(200));
  t.ok(lines.every((passage) => passage.length <= 400), 'a text without any full stop is still cut');
  t.end();
});

t.test('blanks of any width are one blank, as in names', (t) => {
  t.same(passagesOf('Marie\u00a0Curie was born in  Warsaw.\tIt\u3000rained.'), ['Marie Curie was born in Warsaw. It rained.']);
  t.end();
});

t.test('of a text of any length only so much is read as is asked for', (t) => {
  const start = process.cpuUsage();
  for (const part of ['A b. ', 'Word\n', '\n', '\r', ' \r\n', '\u2028 ', '. ', '."', 'x ', '爱\n']) t.ok([...read(part.repeat(2_000_000 / part.length)).take(201)].length <= 201, encodeURIComponent(part));
  t.ok(process.cpuUsage(start).user < 3e6, 'microseconds');
  t.end();
});

t.test('a passage may speak of the relations that it has a word of, under the label that fits best', (t) => {
  const relation = (name: string, ...aliases: readonly string[]) => ({ name: name as RelationName, aliases: aliases.map((text) => ({ text })) });
  const relations = [relation('born in', 'birthplace', '出生于'), relation('directed_by', 'director'), relation('located in'), relation('is a')];
  t.same(candidatesOf('Albert Einstein was born in Ulm.', relations, 8), [{ relation: 'born in', label: 'born in' }]);
  t.same(candidatesOf('The director of Psycho was Alfred Hitchcock.', relations, 8), [{ relation: 'directed_by', label: 'directed_by' }], 'forms of a word are one word');
  t.same(candidatesOf('爱因斯坦出生于乌尔姆。', relations, 8), [{ relation: 'born in', label: '出生于' }]);
  t.same(candidatesOf('It rained.', relations, 8), []);
  t.same(candidatesOf('Socrates was a man.', relations, 8), [{ relation: 'is a', label: 'is a' }]);
  t.same(candidatesOf('He was born in a house that is located in Ulm.', relations, 1).length, 1, 'at most so many');
  t.end();
});
