// Owns what is held against a model's words for an answer: the plain sentence, letter for letter or in substance, whole or as far as a client's limits let it go.
// Refuses to know how models write.

import t from 'tap';
import { DEFAULT_BASE, literal, parseRelationName } from '../../graph/terms.ts';
import type { Term } from '../../graph/terms.ts';
import { createAnswerer, DEFAULT_COMPOSE } from '../../src/answers/answerer.ts';
import type { AnswerEvent, AnswerRequest } from '../../src/answers/port.ts';
import { makeDisplay, pathLine, verifyReply } from '../../src/answers/words/compose.ts';
import type { Evidence, Language } from '../../src/answers/words/evidence.ts';
import { article, isPlural, plural } from '../../src/answers/words/grammar.ts';
import { clause, reply } from '../../src/answers/words/wording.ts';
import type { GenerateEvent, ModelInfo } from '../../src/engine/port.ts';
import { openExample } from '../helpers/answer-world.ts';
import { says, SCRIPTED, scriptedEngine } from '../helpers/scripted-engine.ts';

const human: Evidence = {
  verdict: 'yes',
  conclusion: { subjects: ['Socrates'], relations: ['is a'], objects: ['mortal'] },
  lines: [{ subjects: ['Socrates'], relations: ['is a'], objects: ['human'] }],
};
const born: Evidence = { verdict: 'answer', conclusion: { subjects: ['Ada'], relations: ['born in'], objects: ['New York', 'Ulm'] }, lines: [] };

t.test('labels in capitals and in camel case are read as words', (t) => {
  const said: Readonly<Record<string, string>> = {
    ACTED_IN: 'Ada acted in Ulm.',
    actedIn: 'Ada acted in Ulm.',
    DIRECTED: 'Ada directed Ulm.',
    marriedTo: 'Ada is married to Ulm.',
    HAS_CHILD: 'The child of Ada is Ulm.',
    ISBN: 'The ISBN of Ada is Ulm.',
    takes: 'Ada takes Ulm.',
    supervises: 'Ada supervises Ulm.',
    attends: 'Ada attends Ulm.',
    hosts: 'Ada hosts Ulm.',
    'partner at': 'Ada is a partner at Ulm.',
    'responsible for': 'Ada is responsible for Ulm.',
    'heard by': 'Ada was heard by Ulm.',
    'contract until': 'Ada has a contract until Ulm.',
    'licence valid until': 'Ada has a licence valid until Ulm.',
    'office in': 'Ada has an office in Ulm.',
    'member since': 'Ada is a member since Ulm.',
    'valid until': 'Ada is valid until Ulm.',
    'employed since': 'Ada was employed since Ulm.',
    'operated on by': 'Ada was operated on by Ulm.',
    'married on': 'Ada was married on Ulm.',
    'joined on': 'Ada joined on Ulm.',
    mentors: 'Ada mentors Ulm.',
    falcons: 'The falcons of Ada are Ulm.',
    species: 'The species of Ada is Ulm.',
  };
  for (const [relation, sentence] of Object.entries(said)) t.equal(reply({ verdict: 'answer', conclusion: { subjects: ['Ada'], relations: [relation], objects: ['Ulm'] }, lines: [] }, 'en', (name) => name), sentence);
  t.end();
});

t.test('an article goes by the sound of what follows', (t) => {
  const an = 'apple,hour,honest person,heir,umbrella,uninteresting thing,unimportant thing,unaware one,usher,urban area,utter mess,EU member,IBM computer,8-bit computer,11,18th century,onion,oneiric image';
  const a = 'human,university,unit,unanimous vote,user,utility,US state,UK city,European,ewe,one-off,Ukrainian,Uruguayan,house,110-metre hurdler,1 day';
  for (const [right, phrases] of [
    ['an', an],
    ['a', a],
  ] as const)
    for (const phrase of phrases.split(',')) t.equal(article(phrase), right, phrase);
  t.equal(reply({ ...human, lines: [], conclusion: { subjects: ['MIT'], relations: ['is a'], objects: ['university'] } }, 'en'), 'Yes, MIT is a university.');
  t.equal(reply({ ...born, conclusion: { subjects: ['Ada'], relations: ['user of'], objects: ['Unix'] } }, 'en'), 'Ada is a user of Unix.');
  t.end();
});

t.test('what things are is told with an article for each kind', (t) => {
  const said = (subjects: readonly string[], objects: readonly string[]): string => reply({ verdict: 'answer', conclusion: { subjects, relations: ['is a'], objects }, lines: [] }, 'en');
  t.equal(said(['Socrates'], ['human', 'animal', 'mortal']), 'Socrates is a human, an animal and a mortal.');
  t.equal(said(['Socrates'], ['human', '3 more']), 'Socrates is a human and 3 more.');
  t.equal(said(['Leeds', 'York'], ['station']), 'Leeds and York are each a station.');
  t.equal(said(['Tom', 'Ada'], ['people']), 'Tom and Ada are people.');
  t.end();
});

t.test('nouns that end in "man" and "men" without a man in them', (t) => {
  for (const [one, many] of [['human', 'humans'], ['Roman', 'Romans'], ['woman', 'women'], ['chairman', 'chairmen'], ['specimen', 'specimens'], ['alias', 'aliases'], ['series', 'series'], ['genre', 'genres']] as const) t.equal(plural(one), many);
  for (const many of ['women', 'ceramics', 'topics', 'statistics']) t.ok(isPlural(many), many);
  for (const one of ['specimen', 'species', 'alias', 'mathematics', 'economics', 'gas']) t.notOk(isPlural(one), one);
  t.end();
});

t.test('a bare participle gets its preposition before a time', (t) => {
  const date = (value: string): Term => ({ kind: 'literal', type: 'date', value });
  const number = (value: number): Term => ({ kind: 'literal', type: 'number', value });
  const said = (relation: string, object: Term, language: Language = 'en'): string => clause(pathLine(literal('Ada'), [{ relation: parseRelationName(relation), inverse: false }], [object], makeDisplay(language, [], []), DEFAULT_COMPOSE), language, (name) => name);
  t.equal(said('founded', number(1889)), 'Ada was founded in 1889');
  t.equal(said('born', date('1879-03-14')), 'Ada was born on 1879-03-14');
  t.equal(said('died', date('1955')), 'Ada died in 1955');
  t.equal(said('painted', date('1889-06')), 'Ada was painted in 1889-06');
  t.equal(clause(pathLine(date('1849-06-29'), [{ relation: parseRelationName('opened'), inverse: true }], [literal('Ada')], makeDisplay('en', [], []), DEFAULT_COMPOSE), 'en', (name) => name), 'Ada was opened on 1849-06-29', 'asked the other way');
  t.equal(said('sold', number(1500)), 'Ada sold 1500', 'may be as many');
  t.equal(said('directed', literal('1917')), 'Ada directed 1917', 'may be a name');
  t.equal(said('birth year', number(1879)), 'the birth year of Ada is 1879');
  t.equal(said('出生于', date('1879'), 'zh'), 'Ada出生于1879');
  t.end();
});

t.test('of a model that was taught the plain sentence nothing else is taken', (t) => {
  const strict = { strict: true };
  const sentence = 'Yes, Socrates is a mortal, because Socrates is a human.';
  t.equal(verifyReply(`${sentence}\n`, human, 'en', strict), undefined);
  for (const worse of [
    'Yes, Socrates is a mortal, because Socrates is an human.',
    'Yes, Socrates is mortal, because Socrates is human.',
    'Yes, Socrates is the mortal, because Socrates is a human.',
    'Yes, Socrates is a a mortal, because Socrates is a human.',
    'Yes, Socrates is a mortal, because Socrates is a human',
    'Yes Socrates is a mortal because Socrates is a human.',
    'Yes, Socrates is a mortal , because, Socrates is a human..',
    'Yes, Socrates is a mortal, because socrates is a human.',
    'yes, Socrates is a mortal, because Socrates is a human.',
    'Yes, Socrates  is a mortal, because Socrates is a human.',
  ])
    t.match(verifyReply(worse, human, 'en', strict), /something else than the plain sentence/, worse);
  t.equal(verifyReply('是的，苏格拉底是凡人。', { ...human, conclusion: { subjects: ['苏格拉底'], relations: ['是'], objects: ['凡人'] }, lines: [] }, 'zh', strict), undefined);
  t.match(verifyReply('是的苏格拉底是凡人', { ...human, conclusion: { subjects: ['苏格拉底'], relations: ['是'], objects: ['凡人'] }, lines: [] }, 'zh', strict), /something else/);
  t.end();
});

t.test('a reply in another language than the question is not taken', (t) => {
  const check = (text: string, language: Language, evidence: Evidence = born): string | undefined => verifyReply(text, evidence, language);
  t.match(check('Ada 出生于 New York 和 Ulm。', 'en'), /not in the language of the question/);
  t.equal(check('Ada was born in New York and Ulm.', 'en'), undefined);
  t.match(check('Ada was born in New York and Ulm.', 'zh'), /not in the language of the question/);
  t.equal(check('Ada 出生于 New York 和 Ulm。', 'zh'), undefined);
  const labels: Evidence = { verdict: 'answer', conclusion: { subjects: ['苏格拉底'], relations: ['出生于'], objects: ['雅典'] }, lines: [] };
  t.equal(check('苏格拉底出生于雅典。', 'zh', labels), undefined, 'a sentence of names and a label');
  t.equal(check('苏格拉底 出生于 雅典, that is all.', 'en', labels), undefined, 'names and labels that have no other language stay');
  t.end();
});

t.test('a reply that denies what the plain sentence says is not taken, whatever labels and names hold', (t) => {
  for (const [text, language] of [
    ['Ada was not born in New York and Ulm.', 'en'],
    ["Ada wasn't born in New York or Ulm.", 'en'],
    ['Ada 并非出生于 New York 和 Ulm。', 'zh'],
    ['Ada 没有出生于 New York 和 Ulm。', 'zh'],
  ] as const)
    t.match(verifyReply(text, born, language), /denies/, text);
  t.match(verifyReply('Yes, Socrates is not a mortal.', human, 'en'), /denies/);
  t.equal(verifyReply('No, Socrates is not a mortal.', { ...human, verdict: 'no', lines: [] }, 'en'), undefined);
  t.equal(verifyReply('I do not know whether Socrates is a mortal; it is not known.', { ...human, verdict: 'unknown', lines: [] }, 'en'), undefined);
  const labels: Evidence = { verdict: 'answer', conclusion: { subjects: ['Ada'], relations: ['not compatible with'], objects: ['Dr. No'] }, lines: [] };
  t.equal(verifyReply('Ada is not compatible with Dr. No.', labels, 'en'), undefined);
  t.end();
});

t.test('a reply that is cut is checked as far as it goes', (t) => {
  const cut = { cut: true };
  for (const text of ['', 'Ada was', 'Ada was born in New Y', 'Ada was born in New York and U']) t.equal(verifyReply(text, born, 'en', cut), undefined, text);
  t.match(verifyReply('Ada was born in Rome, I', born, 'en', cut), /names "Rome"/);
  t.equal(verifyReply('Yes, Socr', human, 'en', cut), undefined);
  t.match(verifyReply('No, Socr', human, 'en', cut), /says "no"/);
  t.equal(verifyReply('Ada was born in New Y', born, 'en', { ...cut, strict: true }), undefined);
  t.match(verifyReply('Ada was born an Ne', born, 'en', { ...cut, strict: true }), /something else/);
  t.end();
});

t.test('what limits of the client cut is the plain sentence so far, where the words of the model go wrong before', async (t) => {
  const world = await openExample();
  let script: readonly GenerateEvent[] = [];
  const taught: ModelInfo = { ...SCRIPTED, id: 'taught', grounded: { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: [], zh: [] } } };
  const answerer = createAnswerer({ knowledge: world.graph, engine: scriptedEngine(() => script, [SCRIPTED, taught]), cacheBytes: 0 });
  t.teardown(async () => {
    answerer.close();
    await world.close();
  });
  const ask = async (model: string, question: string, more: Partial<AnswerRequest>): Promise<{ readonly text: string; readonly end: AnswerEvent | undefined }> => {
    const events = await Array.fromAsync(
      answerer.answer({ model, messages: [{ role: 'user', content: question }], sampling: { temperature: 0, topP: 1 }, maxTokens: 100, stop: [], knowledge: { base: DEFAULT_BASE, mode: 'grounded', hops: 1 }, ...more }),
    );
    return { text: events.map((event) => (event.kind === 'delta' ? event.text : '')).join(''), end: events.at(-1) };
  };
  for (const model of ['scripted', 'taught']) {
    // Four characters count as a token.
    script = says('No, Socrates', 'length');
    t.match(await ask(model, 'Is Socrates mortal?', { maxTokens: 3 }), { text: 'Yes, Socrate', end: { reason: 'length', grounding: { wording: 'plain' } } }, model);
    script = says('Yes, Soc', 'length');
    t.match(await ask(model, 'Is Socrates mortal?', { maxTokens: 2 }), { text: 'Yes, Soc', end: { reason: 'length', grounding: { wording: 'model' } } }, model);
    script = [{ kind: 'delta', text: 'Albert Einstein was born in Paris.' }, { kind: 'finish', reason: 'stop', stop: '\n', usage: { promptTokens: 1, completionTokens: 5 } }];
    t.match(await ask(model, 'Where was Albert Einstein born?', { stop: ['\n'] }), { text: 'Albert Einstein was born in Ulm and Germany.', end: { grounding: { wording: 'plain' } } }, model);
  }
});
