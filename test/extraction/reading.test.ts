// Owns what a text is read by: passages of a few sentences, and the relations that each may speak of.
// Refuses to know models.

import t from 'tap';
import { passagesOf as read, withoutMark } from '../../src/extraction/passages.ts';
import { isElsewhere, isIndefinite, isOfAnother, isOfRelative, nameRules, stands, wholeName, withoutAside, withoutLead, withoutTail, withoutTime } from '../../src/extraction/names.ts';
import { candidatesOf, isTurned } from '../../src/extraction/relations.ts';
import type { RelationName } from '../../graph/terms.ts';

const passagesOf = (text: string): readonly string[] => [...read(text)];
const relation = (name: string, ...aliases: readonly string[]) => ({ name: name as RelationName, aliases: aliases.map((text) => ({ text })) });

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

t.test('a title or an initial ends no sentence where a name follows', (t) => {
  const sentences = (text: string): readonly string[] => [...read(text, 1)];
  for (const one of ['J. R. R. Tolkien died in Bournemouth.', 'Dr. Anna Berg was born in St. Gallen.', 'The U.S. Capitol is large.', 'George W. Bush met B.L. Laurent.', 'It was led by Gen. Sand alone.']) t.same(sentences(one), [one]);
  t.same(sentences('He lives in the U.S. She lives in St. Gallen.'), ['He lives in the U.S.', 'She lives in St. Gallen.'], 'a pronoun begins a sentence');
  for (const letter of ['They took plan B.', 'Bob got an A.', 'It has vitamin C.', 'He has Hepatitis C.']) t.same(sentences(`${letter} Ann left.`), [letter, 'Ann left.'], letter);
  t.same(sentences('- by J.\n- by K. Sand'), ['- by J.', '- by K. Sand'], 'so does an item of a list');
  const start = process.cpuUsage();
  t.equal(sentences('A. '.repeat(200_000)).join(' ').length, 599_999, 'a text of initials is cut where a passage is');
  t.ok(process.cpuUsage(start).user < 3e6, 'microseconds');
  t.end();
});
t.test('the mark of an item, a quotation or a heading is no part of what it says', (t) => {
  for (const mark of ['- ', '* ', '• ', '> ', '## ', '1. ', '12) ', '(3) ', 'a) ', '– ']) t.equal(withoutMark(`${mark}Ann works at Acme`), 'Ann works at Acme', mark);
  for (const text of ['-5 degrees', '1984 is a novel', '#1 was won by Ann', 'A. Smith was born', '-']) t.equal(withoutMark(text), text);
  t.end();
});

t.test('a passage may speak of the relations that it has a word of, under the label that fits best', (t) => {
  const relations = [relation('born in', 'birthplace', '出生于'), relation('directed_by', 'director'), relation('located in'), relation('is a')];
  t.same(candidatesOf('Albert Einstein was born in Ulm.', relations, 8), [{ relation: 'born in', label: 'born in' }]);
  t.same(candidatesOf('The director of Psycho was Alfred Hitchcock.', relations, 8), [{ relation: 'directed_by', label: 'director' }], 'the label that stands there');
  t.same(candidatesOf('Alfred Hitchcock directed Psycho.', [relation('director')], 8), [{ relation: 'director', label: 'director' }], 'forms of a word are one word');
  for (const [passage, name] of [['Plato taught Aristotle.', 'teaches'], ['Orwell wrote it.', 'writes'], ['She used to live there.', 'lives in'], ['It led to war.', 'leads to']] as const) t.same(candidatesOf(passage, [relation(name)], 8), [{ relation: name, label: name }], passage);
  t.same(candidatesOf('爱因斯坦出生于乌尔姆。', relations, 8), [{ relation: 'born in', label: '出生于' }]);
  t.same(candidatesOf('It rained.', relations, 8), []);
  t.same(candidatesOf('Socrates was a man.', relations, 8), [{ relation: 'is a', label: 'is a' }]);
  t.same(candidatesOf('He was born in a house that is located in Ulm.', relations, 1).length, 1, 'at most so many');
  t.end();
});

t.test('labels that stand in a passage word for word are each one, but not what is a part of a longer one', (t) => {
  const relations = [relation('teacher of', 'taught'), relation('student of', 'pupil of', 'taught by', '老师'), relation('birth year', 'born in the year'), relation('born_in')];
  const labels = (passage: string): readonly string[] => candidatesOf(passage, relations, 8).map(({ label }) => label);
  t.same(labels('Aristotle was taught by Plato.'), ['taught by']);
  t.same(labels('Plato taught Aristotle.'), ['taught']);
  t.same(labels('Plato taught Aristotle, who was Taught  by him.'), ['taught', 'taught by']);
  t.same(labels('Alexander was a pupil of Aristotle, a student of Plato.'), ['student of', 'pupil of']);
  t.same(labels('Kant was born in Königsberg.'), ['born_in']);
  t.same(labels('Kant was born in Königsberg, in the year 1724.'), ['born_in', 'born in the year'], 'what stands there comes first');
  t.same(labels('Plato teaches Aristotle.'), ['teacher of'], 'nobody is taught by him');
  t.same(candidatesOf('Hitchcock directed Psycho.', [relation('directed by')], 8).length, 1, 'where no other label says it');
  t.same(labels('苏格拉底是柏拉图的老师。'), ['老师']);
  const chinese = [relation('is a', '是'), relation('spouse', '妻子')];
  t.same(candidatesOf('王芳是李明的妻子。', chinese, 8), [{ relation: 'spouse', label: '妻子' }], 'whose wife she is, and not what');
  t.same(candidatesOf('李明的妻子是王芳。', chinese, 8).length, 2);
  t.same(candidatesOf('He is a pupil of hers and a student of mine.', relations, 1), [{ relation: 'student of', label: 'student of' }]);
  t.end();
});
t.test('labels are read once for all passages of a text, of which a knowledge base may have ten thousand', (t) => {
  let reads = 0;
  const counted = ['born in', 'located in'].map((name) => ({
    ...relation(name),
    get aliases() {
      reads++;
      return [];
    },
  }));
  for (const passage of ['Plato was born in Athens.', 'Athens is located in Greece.', 'Kant was born in Prussia.']) t.equal(candidatesOf(passage, counted, 8).length, 1);
  t.equal(reads, 2);
  t.end();
});
t.test('of labels that stand in each other the longest are taken, also where a text without full stops has each of them a hundred thousand times', (t) => {
  const start = process.cpuUsage();
  const small = ['in', 'of', 'in the', 'of the', 'is in'].map((name) => relation(name));
  const found = candidatesOf('the river was in the town of kings '.repeat(20_000), small, 8);
  t.same(found.map(({ label }) => label), ['of', 'in the']);
  t.ok(process.cpuUsage(start).user < 3e6, 'microseconds');
  t.end();
});

t.test('a time at the beginning of the text leads to a name and is no part of it', (t) => {
  const named = (name: string, text = `${name} lived in Athens.`) => withoutTime(name, text);
  t.equal(named('Until 1990 Plato'), 'Plato');
  t.equal(named('From 1990 to 1995 Tom Reed'), 'Tom Reed');
  t.equal(named('In early 1920, Max'), 'Max');
  t.equal(named('Until 1990'), 'Until 1990');
  t.equal(named('Until 1990 Plato', 'The song Until 1990 Plato is long.'), 'Until 1990 Plato');
  t.end();
});

t.test('what the sentence goes on with is no part of the name that was told last', (t) => {
  for (const [name, meant] of [['Paul Reyes in 2019', 'Paul Reyes'], ['Lagos on 3 December 2001', 'Lagos'], ['Ulm in March 1879', 'Ulm'], ['1902 by Lord Ashgrove', '1902'], ['Port of Selby', 'Port of Selby'], ['Man in the Iron Mask', 'Man in the Iron Mask'], ['1984', '1984'], ['12 in a Row', '12 in a Row']] as const) t.equal(withoutTail(name), meant, name);
  for (const name of ['a', 'Orlan Shipping against', '现在是星光动物园', '李建国是']) t.notOk(stands(name, `Here is ${name} 。`), name);
  t.end();
});

t.test('a phrase that leads to a name, and what is told of a life beside it, are no parts of it', (t) => {
  for (const [name, meant] of [['Founded by Larry Page, Google', 'Google'], ['Contrary to popular belief, Einstein', 'Einstein'], ['University of Oslo, Norway', 'University of Oslo, Norway'], ['Washington, D.C.', 'Washington, D.C.'], ['Duke of Kent, Earl of Ulster', 'Duke of Kent, Earl of Ulster']] as const)
    t.equal(withoutLead(name, `${name} was there.`), meant, name);
  t.equal(withoutLead('Owned by nobody, Acme', 'Ann left. Owned by nobody, Acme closed.'), 'Owned by nobody, Acme', 'where the text begins');
  for (const aside of ['born in Warsaw', 'née Sklodowska', '1879–1955', '470 BC – 399 BC', '22 April 1724 – 12 February 1804', 'March 14, 1879', 'died 1936']) t.equal(withoutAside(`Ann Lee (${aside})`), 'Ann Lee', aside);
  for (const name of ['Mercury (planet)', 'Genesis (band)', 'Dune (1984 film)', 'Psycho (1960)']) t.equal(withoutAside(name), name);
  for (const name of ['Before he', 'When they']) t.notOk(stands(name, `${name} moved to Ulm, Ann left.`), name);
  t.end();
});
t.test('what a relative clause tells is told of the name that it follows', (t) => {
  const tells = (word: string): boolean => word === 'grows';
  const passage = 'Marc Fabre owns Chateau Lirac, which grows Syrah.';
  t.ok(isOfRelative('Marc Fabre', passage, tells));
  t.notOk(isOfRelative('Chateau Lirac', passage, tells));
  t.notOk(isOfRelative('Marc Fabre', 'Marc Fabre grows Syrah, which he sells.', tells));
  t.notOk(isOfRelative('Marc Fabre', 'Marc Fabre, who was born in Lyon, grows Syrah.', tells));
  t.end();
});

t.test('a name stands between borders of words, and is none of the words that mean another', (t) => {
  const passage = 'Romeo, who met Juliet in Verona, married her. His wife read "His Dark Materials" and One Thousand Nights.';
  for (const name of ['Romeo', 'Juliet', 'Verona', 'His Dark Materials', 'One Thousand Nights']) t.ok(stands(name, passage), name);
  for (const name of ['Rom', 'uliet', 'who', 'her', 'His wife', 'Paris', '', 'wife rea', 'Juliet in', 'Romeo, who']) t.notOk(stands(name, passage), name);
  t.notOk(stands('was Constanze', 'His wife was Constanze.'));
  t.ok(stands('The Who', 'The Who played.'));
  t.ok(stands('乌尔姆', '爱因斯坦出生于乌尔姆。'), 'Chinese words have no borders');
  for (const name of ['他', '她获得', '他们', '他的父亲']) t.notOk(stands(name, `${name}了。`), name);
  for (const name of ['他信', '那不勒斯', '其乐山', "It's a Wonderful Life", 'He-Man', 'I, Robot']) t.ok(stands(name, `${name} 。`), name);
  t.end();
});

t.test('amounts, pieces of the clause and of longer names are no names', (t) => {
  const passage = 'In 1911 her brother won several prizes, if Tom did not win the Nobel Prize. No Country for Old Men was shown.';
  for (const name of ['brother', 'her brother', 'several prizes', 'prizes', 'Tom did', 'Tom did not', 'if Tom', 'Country for Old Men']) t.notOk(stands(name, passage), name);
  for (const name of ['Tom', 'the Nobel Prize', 'No Country for Old Men']) t.ok(stands(name, passage), name);
  t.notOk(stands('in 1911', 'Physics in 1911.'));
  t.notOk(stands('Several prizes', 'Several prizes were won.'));
  const isHead = (word: string): boolean => word === 'Director';
  t.equal(wholeName('Oslo', 'The University of Oslo lies in Norway.', isHead), 'University of Oslo');
  t.equal(wholeName('Berlin', 'Ada studied at the Free University of Berlin.', isHead), 'Free University of Berlin');
  for (const [name, text] of [
    ['Oslo', 'The University of Oslo lies in Oslo.'],
    ['France', 'The capital of France is Paris.'],
    ['Psycho', 'The Director of Psycho was born in London.'],
  ] as const)
    t.equal(wholeName(name, text, isHead), name, text);
  t.ok(isIndefinite('a film', 'Mary directed a film.'));
  t.ok(isIndefinite('film', 'Mary directed a film.'));
  t.notOk(isIndefinite('A Clockwork Orange', 'He saw A Clockwork Orange.'));
  t.notOk(isIndefinite('the film', 'Mary directed the film.'));
  t.end();
});

/** Everything that rules give, with `n0 ::= "a" ("b" n1)?` read as they are written. */
function namesIn(text: string): readonly string[] {
  const rules = new Map(nameRules(text).map((rule) => rule.split(' ::= ', 2) as [string, string]));
  const written = (literal: string): string => literal.slice(1, -1).replace(/\\(.)/g, '$1');
  const given = (rule: string): string[] =>
    (rules.get(rule) ?? '').split(' | ').flatMap((part) => {
      const [, first, , open, gap, next] = /^("(?:[^"\\]|\\.)*")( (\()?("(?:[^"\\]|\\.)*")? ?(n\d+)\)?\??)?$/u.exec(part) ?? [];
      if (first === undefined) return given(part);
      const more = next === undefined ? [] : given(next).map((rest) => written(first) + (gap === undefined ? '' : written(gap)) + rest);
      return next === undefined || open ? [written(first), ...more] : more;
    });
  return given('name');
}
t.test('the names of a text are its stretches from word to word, without signs around them', (t) => {
  t.same(namesIn('Ada saw Ulm.').toSorted(), ['Ada', 'Ada saw', 'Ada saw Ulm', 'Ulm', 'saw', 'saw Ulm'].toSorted());
  const names = namesIn('"Lord Byron", the poet, met J. R. R. Tolkien (a \\ man) of Acme Inc. and Jean-Paul.');
  for (const name of ['Lord Byron', 'the poet', 'J. R. R. Tolkien', 'Acme Inc.', 'Jean-Paul', 'Paul', 'a \\ man']) t.ok(names.includes(name), name);
  for (const name of ['"Lord Byron', 'Lord Byron"', 'Byron",', ', the poet', 'Paul.', 'ord', 'Byro', 'J. R. R. Tolkien (']) t.notOk(names.includes(name), name);
  t.same(namesIn('法国首都“巴黎”！').filter((name) => /[“”！]$|^[“”！]/.test(name)), []);
  t.ok(namesIn('法国首都“巴黎”！').includes('巴黎'));
  t.same(namesIn('Ulm\nBerlin | Bonn; Jena'), ['Ulm', 'Berlin', 'Bonn', 'Jena'], 'none goes over lines, bars and semicolons');
  t.same(nameRules('...'), ['name ::= [^|\\n\\r ] [^|\\n\\r]*']);
  t.end();
});

t.test('who is said to be what the other one has is the object', (t) => {
  for (const [passage, subject, label, object] of [
    ['Berlin is the capital of Germany.', 'Berlin', 'capital', 'Germany'],
    ['Berlin is the large old capital of the Germany.', 'Berlin', 'capital', 'Germany'],
    ['苏格拉底是柏拉图的老师。', '苏格拉底', '老师', '柏拉图'],
  ] as const)
    t.ok(isTurned(passage, subject, label, object), passage);
  for (const [passage, subject, label, object] of [
    ['The capital of Germany is Berlin.', 'Germany', 'capital', 'Berlin'],
    ['Plato was a student of Socrates.', 'Plato', 'student of', 'Socrates'],
    ['柏拉图的老师是苏格拉底。', '柏拉图', '老师', '苏格拉底'],
  ] as const)
    t.notOk(isTurned(passage, subject, label, object), passage);
  t.end();
});

t.test('what is told of another, or of a place near by, is not told of the name', (t) => {
  const tells = (word: string): boolean => word === 'born' || word === 'lies';
  t.ok(isOfAnother('Plato', 'The father of Plato was born in Rome.', tells));
  for (const [name, passage] of [['Plato', 'Plato was born in Athens.'], ['Ulm', 'The city of Ulm lies in Germany.'], ['Plato', 'The father of Plato knew that Plato was born in Athens.']]) t.notOk(isOfAnother(name, passage, tells), passage);
  t.ok(isElsewhere('Rome', 'Plato was born near Rome.', 'born in'));
  t.notOk(isElsewhere('Rome', 'Plato was born in Rome.', 'born in'));
  t.notOk(isElsewhere('Rome', 'Ostia lies near Rome.', 'lies near'));
  for (const name of ['outside Rome', 'from Rome']) t.notOk(stands(name, `Plato was born ${name}.`), name);
  t.ok(isTurned('The Cup was won by Lee.', 'The Cup', 'won', 'Lee'));
  t.notOk(isTurned('Lee won the Cup.', 'Lee', 'won', 'the Cup'));
  t.notOk(isTurned('Psycho was directed by Lee.', 'Psycho', 'directed by', 'Lee'));
  t.end();
});
