// Owns what a text is read by: passages of a few sentences, and the relations that each may speak of.
// Refuses to know models.

import t from 'tap';
import { passagesOf } from '../../src/extraction/passages.ts';
import { candidatesOf } from '../../src/extraction/relations.ts';
import type { RelationName } from '../../graph/terms.ts';

t.test('a text becomes passages of at most three sentences and some hundred characters, and nothing of it is lost', (t) => {
  t.same(passagesOf('One is here. Two is there.  Three? Four!'), ['One is here. Two is there.  Three?', 'Four!']);
  t.same(passagesOf('  \n '), []);
  const sentence = `Word ${'word '.repeat(59).trim()}.`;
  t.same(passagesOf(`${sentence} ${sentence} Short.`), [sentence, `${sentence} Short.`]);
  t.same(passagesOf('爱因斯坦出生于乌尔姆。乌尔姆位于德国。柏林是首都。他去世了。'), ['爱因斯坦出生于乌尔姆。乌尔姆位于德国。柏林是首都。', '他去世了。']);
  const long = 'x'.repeat(5000);
  t.same(passagesOf(long), [long], 'a sentence is not cut');
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
