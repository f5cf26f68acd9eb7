// Owns the translation of AbductionRules, and with PHAROS_OUTSIDE that the fact left out of each case is the first explanation.
// Refuses to know how explanations are searched.

import { join } from 'node:path';
import t from 'tap';
import { printAtom } from '../../../graph/reason/language/print.ts';
import { entity } from '../../../graph/terms.ts';
import { missingFirst, readCases, translate } from '../../helpers/abduction-rules.ts';
import { open, texts } from '../../helpers/knowledge-world.ts';

const CASE = {
  id: 'own',
  context:
    'The grey goose is loud. The goat sees the grey goose. If something is loud, is tame, and is old, then it is also brave. All animals that see the grey goose, are odd, and feed the hen, are also shy. Ron is loud.',
  questions: [
    { id: 'q1', text: 'The goat is shy.', label: 'The goat feeds the hen.' },
    { id: 'q2', text: 'Ron is not brave.', label: 'Ron is tame.' },
  ],
};

t.test('sentences become facts and rules by their form alone', async (t) => {
  const { facts, rules, questions } = translate({
    ...CASE,
    context: CASE.context.replace('feed', 'need'),
    questions: [{ id: 'q', text: 'The goat is not shy.', label: 'The goat needs the hen.' }],
  });
  t.same(texts(facts), ['is a(grey goose, loud)', 'is a(ron, loud)', 'see(goat, grey goose)']);
  t.same(
    rules.map(({ text }) => text),
    ['brave(?x) :- loud(?x), tame(?x), old(?x).', 'shy(?x) :- see(?x, "grey goose"), odd(?x), need(?x, hen).'],
  );
  const [{ observed, missing }] = questions;
  t.equal(printAtom({ ...observed, subject: entity(observed.subject) }), '-shy(goat)');
  t.equal(printAtom({ ...missing, subject: entity(missing.subject) }), 'need(goat, hen)');
  t.throws(() => translate(CASE), /no form of a fact is "The goat feeds the hen\."/, 'an unknown form is an error, not a guess');
});

t.test('the one fact that was left out comes first', async (t) => {
  const { graph } = await open(t);
  const own = translate({
    ...CASE,
    context:
      'Ron is loud. Ron is old. The goat sees the hen. If a person is loud, is tame, and is old, that person is also brave. Things that see the hen, are odd, are sad.',
    questions: [
      { id: 'q1', text: 'Ron is brave.', label: 'Ron is tame.' },
      { id: 'q2', text: 'Ron is not brave.', label: 'Ron is tame.' },
      { id: 'q3', text: 'The goat is sad.', label: 'The goat is odd.' },
    ],
  });
  t.same(await missingFirst(graph, [own]), { asked: 3, first: 3, misses: [] });
  const outside = process.env['PHAROS_OUTSIDE'];
  if (outside === undefined) return;
  for (const file of ['animal-simple-dev', 'person-dev']) {
    // Every eighth case: the benchmark runs them all.
    const cases = readCases(join(outside, 'data/abduction', `${file}.jsonl`)).filter((_, i) => i % 8 === 0);
    const { asked, first, misses } = await missingFirst(graph, cases);
    t.ok(asked > 200 && first / asked >= 0.99, `${file}: ${first} of ${asked} first; misses: ${misses.join(' ')}`);
  }
});
