// Owns the evaluation of models: that right replies count as right and wrong ones as wrong, for models of any kind.
// Refuses to know how good any model is.

import t from 'tap';
import { plain } from '../../src/answers/words/evidence.ts';
import { reply } from '../../src/answers/words/wording.ts';
import type { GenerateRequest } from '../../src/engine/port.ts';
import { relationSaid, stray } from '../../src/training/evaluation/faithful.ts';
import { extractionRow } from '../../src/training/evaluation/extraction.ts';
import { groups } from '../../src/training/evaluation/groups.ts';
import { pathsRow } from '../../src/training/evaluation/paths.ts';
import { wordAll, WORDING_HEAD, wordingRow } from '../../src/training/evaluation/wording.ts';
import { readRows } from '../../src/extraction/rows.ts';
import { makeExtraction } from '../../src/training/grounded/extraction.ts';
import { makePath } from '../../src/training/grounded/paths.ts';
import { lexicon, makeSample } from '../../src/training/grounded/samples.ts';
import type { Sample } from '../../src/training/grounded/samples.ts';
import { Random } from '../../src/training/random.ts';
import { SCRIPTED, says, scriptedEngine } from '../helpers/scripted-engine.ts';

const sampleOf = (language: Sample['language'], relation: string, user: string): Sample => {
  const evidence = { verdict: 'answer' as const, conclusion: { subjects: ['Psycho'], relations: [relation], objects: ['Alfred Hitchcock'] }, lines: [] };
  return { language, kind: 'answer', system: '', user, question: user, assistant: reply(evidence, language), evidence };
};

t.test('a name that the evidence does not hold is found, and words that are none are not taken for one', (t) => {
  const english = sampleOf('en', 'directed by', 'Who directed Psycho?');
  for (const [text, found] of [
    ['Psycho was directed by Alfred Hitchcock.', undefined],
    ['It is known that Psycho was directed by Alfred Hitchcock.', undefined],
    ['Psycho was directed by Alfred Hitchcock and Billy Wilder.', 'Billy'],
    ['Psycho was directed by Alfred Hitchcock in 1960.', '1960'],
  ] as const)
    t.equal(stray(text, english), found, text);
  const chinese = sampleOf('zh', '导演', '《Psycho》的导演是谁？');
  t.equal(stray('Psycho的导演是Alfred Hitchcock。', chinese), undefined);
  t.equal(stray('Psycho的导演是Alfred Hitchcock和Wilder。', chinese), 'Wilder');
  const format = { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: ['was', '.'], zh: ['的', '是', '。'] } } as const;
  t.equal(stray('Psycho was directed by Alfred Hitchcock.', english, format), undefined);
  t.equal(stray('Psycho was directd by Alfred Hitchcock.', english, format), 'directd', 'of a model with a lexicon, any other word');
  t.equal(stray('Psycho的导演是Alfred Hitchcock。', chinese, format), undefined);
  t.equal(stray('Psycho的号演是Alfred Hitchcock。', chinese, format), '号');
  t.end();
});

t.test('the faithful reply counts as faithful, whatever its labels look like', (t) => {
  const format = { format: 'evidence-2', nameOpen: '<|n|>', nameClose: '<|/n|>', lexicon: { en: lexicon(new Random(3), 'en'), zh: lexicon(new Random(4), 'zh') } } as const;
  const random = new Random(8);
  const wrong = groups(undefined).flatMap(({ options }) =>
    Array.from({ length: 1500 }, () => makeSample(random, options)).flatMap((sample) => {
      const found = stray(plain(sample.assistant), sample, format);
      return found === undefined ? [] : [`${found}: ${sample.assistant}`];
    }),
  );
  t.same(wrong, []);
  t.end();
});

t.test('a relation is said in any form of its words', (t) => {
  const sample = sampleOf('en', 'starred_actors', 'Who stars in Psycho?');
  t.equal(relationSaid('The starred actor of Psycho is Alfred Hitchcock.', sample), true);
  t.equal(relationSaid('Psycho stars Alfred Hitchcock, an actor.', sample), true);
  t.equal(relationSaid('The director of Psycho is Alfred Hitchcock.', sample), false);
  t.equal(relationSaid('Psycho的导演是Alfred Hitchcock。', sampleOf('zh', '导演', '')), true);
  t.equal(relationSaid('Psycho的编剧是Alfred Hitchcock。', sampleOf('zh', '导演', '')), false);
  t.end();
});

/** What a model without a format of its own is told is so. */
const conclusionOf = ({ prompt }: GenerateRequest): string => {
  const text = prompt.kind === 'chat' ? prompt.messages[0].content : '';
  return (/Conclusion: ([^]*?)\nFacts:/.exec(text) ?? /结论：([^]*?)\n事实：/.exec(text))?.[1] ?? '';
};
t.test('a model that says the conclusion has all figures at the top, and one that refuses always has none', async (t) => {
  const [group] = groups(undefined);
  const faithful = await wordAll(
    scriptedEngine((request) => says(conclusionOf(request))),
    SCRIPTED,
    group,
    new Random(5),
    60,
    false,
    4,
  );
  const given = faithful.filter(({ sample }) => sample.evidence.verdict !== undefined);
  t.ok(given.length > 30);
  t.same(
    given.filter(({ right }) => !right).map(({ sample, text }) => [sample.assistant, text]),
    [],
  );
  const row = wordingRow(group.title, given);
  t.equal(row.length, WORDING_HEAD.length);
  t.match(row[WORDING_HEAD.indexOf('whole reply exact')], /^100\.0%/);
  const refusing = await wordAll(
    scriptedEngine(() => says('I do not know.')),
    SCRIPTED,
    group,
    new Random(5),
    60,
    false,
    4,
  );
  for (const { sample, right, judgement } of refusing) {
    t.equal(judgement.refused, true);
    if (!judgement.unanswerable) t.equal(right, false, sample.assistant);
  }
});

type Told = Readonly<Record<'subject' | 'relation' | 'object', string>>;
/** What such a reader makes of the text and of the relations that the prompt names. */
function extracted({ prompt }: GenerateRequest, read: (text: string, relations: readonly string[]) => readonly Told[] | undefined): string {
  if (prompt.kind !== 'chat') return '';
  const [system, user] = prompt.messages.map(({ content }) => content);
  return JSON.stringify(read(user, /Relations: (.*)\.$/s.exec(system)?.[1].split('; ') ?? []) ?? []);
}
t.test('triples out of sentences are counted by precision and recall', async (t) => {
  const [group] = groups(undefined);
  const row = async (count: number, reply: (request: GenerateRequest) => string): Promise<readonly string[]> =>
    extractionRow(
      scriptedEngine((request) => says(reply(request))),
      SCRIPTED,
      group,
      new Random(2),
      count,
      4,
      true,
    );
  const nothing = await row(10, () => '[]');
  t.match(nothing.slice(1, 4), ['none', /^0\.0%/, '0.000']);
  const wrong = await row(10, (request) => extracted(request, (subject, [relation]) => [{ subject, relation, object: '' }]));
  t.match(wrong.slice(1, 4), ['0.0% of 10', /^0\.0%/, '0.000']);
  const noJson = await row(3, () => 'no');
  t.equal(noJson[3], '0.000');
  // Some texts are one sentence, told as "The {relation} of {subject} is {object}.": what such a reader finds is right.
  const reader = await row(60, (request) =>
    extracted(request, (text, relations) => {
      const of = relations.join('|').replace(/[^\w|]/g, (sign) => (sign === ' ' ? ' ' : '\\' + sign));
      const found = new RegExp(`^the (${of}) of ([^.,]*) is ([^.,]*)\\.$`, 'iu').exec(text);
      const relation = relations.find((each) => each.toLowerCase() === found?.[1].toLowerCase());
      return found && relation !== undefined ? [{ subject: found[2], relation, object: found[3] }] : undefined;
    }),
  );
  t.match(reader.slice(1, 3), [/^100\.0% of [1-9]/, /^(?!0\.0%)/]);
  t.match(reader[4], /^(?!0\.0%)/, 'some texts are without a mistake');
  // The same cases are made again from the same seed: their schemas name the relations, their texts the rest.
  const asked: GenerateRequest[] = [];
  for (const constrained of [true, false])
    await extractionRow(
      scriptedEngine((request) => (asked.push(request), says('[]'))),
      SCRIPTED,
      group,
      new Random(2),
      10,
      1,
      constrained,
    );
  t.ok(asked.slice(0, 10).every(({ constraint }) => constraint?.kind === 'schema'));
  t.ok(asked.slice(10).every(({ constraint }) => constraint === undefined));
});

t.test('a path is right only when it is the one that the question means', async (t) => {
  const [group] = groups(undefined);
  const choices = (request: GenerateRequest): readonly string[] => (request.constraint?.kind === 'choice' ? request.constraint.choices : []);
  const question = ({ prompt }: GenerateRequest): string => (prompt.kind === 'chat' ? prompt.messages[1].content.toLowerCase() : '');
  const words = (path: string): readonly string[] => path.split('/').map((step) => step.replace(/^\^/, '').replaceAll('_', ' ').replace(/^(?:has|in|is|was) /, '').toLowerCase());
  const row = async (count: number, reply: (request: GenerateRequest) => string): Promise<readonly string[]> =>
    pathsRow(
      scriptedEngine((request) => says(reply(request))),
      SCRIPTED,
      group,
      new Random(4),
      count,
      4,
      true,
    );
  const reader = await row(60, (request) => {
    const spoken = choices(request).filter((path) => words(path).every((step) => question(request).includes(step)));
    return spoken.toSorted((a, b) => b.split('/').length - a.split('/').length)[0] ?? '';
  });
  t.ok(Number.parseFloat(reader[1]) > 20, reader[1]);
  t.match(reader[4], /^1\d\.\d% of 60/);
  t.equal(Number.parseInt(reader[2].split(' of ')[1], 10) + Number.parseInt(reader[3].split(' of ')[1], 10), 60);
  const mute = await row(40, () => '');
  t.equal(mute[1], '0.0% of 40');
});

t.test('what is to be written can be: every path is among its choices, every fact stands in its text', (t) => {
  for (const { options } of groups(undefined)) {
    const random = new Random(9);
    for (let i = 0; i < 300; i++) {
      const { relations, path, user } = makePath(random, options);
      t.ok(path.split('/').every((step) => relations.includes(step.replace(/^\^/, ''))), path);
      t.ok(relations.every((relation) => user.includes(relation)));
      const { text, triples, relations: sought, assistant } = makeExtraction(random, options);
      for (const [subject, relation, object] of triples) t.ok(text.includes(subject) && text.includes(object) && sought.includes(relation), text);
      t.same(readRows(assistant), triples);
    }
  }
  t.end();
});
