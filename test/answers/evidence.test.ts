// Owns the prompt format of models that were trained for it: evidence, relations to look for, relations to choose from.
// Refuses to know how well any model reads it.

import t from 'tap';
import { composePathPrompt } from '../../src/answers/words/compose.ts';
import { renderEvidence, renderRelations } from '../../src/answers/words/evidence.ts';
import type { Evidence, Language } from '../../src/answers/words/evidence.ts';
import { readable, readRows, rowsGrammar, writeRows } from '../../src/extraction/rows.ts';

t.test('evidence says its language, its verdict, the form that is wanted, and what kind of phrase each relation is', (t) => {
  const conclusion = { subjects: ['Psycho'], relations: ['directed by'], objects: ['Alfred Hitchcock'] };
  const told = '<|f|><|n|>Psycho<|/n|><|r|><|was|> directed by<|o|><|n|>Alfred Hitchcock<|/n|>';
  const rendered = (evidence: Evidence, language: Language = 'en') => renderEvidence(evidence, 'Who?', language);
  t.same(rendered({ verdict: 'answer', conclusion, lines: [] }), { system: `<|en|><|answer|>${told}`, user: 'Who?' });
  t.same(rendered({ lines: [conclusion] }), { system: '<|en|><|find|>', user: `Who?${told}` }, 'loose facts follow the question');
  t.equal(rendered({ verdict: 'yes', conclusion, lines: [conclusion] }).system, `<|en|><|yes|>${told}<|because|>${told}`);
  t.equal(rendered({ verdict: 'answer', conclusion, lines: [], form: 'table', sought: 'subjects' }).system, `<|en|><|answer|><|table|><|turned|>${told}`);
  t.equal(rendered({ verdict: 'count', count: 2, conclusion, lines: [], form: 'list', sought: 'objects' }).system, `<|en|><|count|><|list|><|n|>2<|/n|>${told}`);
  t.equal(
    rendered({ verdict: 'yes', conclusion: { subjects: ['惊魂记'], relations: ['拍摄于', '位于'], inverse: [false, true], objects: ['加州'] }, lines: [] }, 'zh').system,
    '<|zh|><|yes|><|f|><|n|>惊魂记<|/n|><|r|><|verb|>拍摄于<|r|><|verb|>^位于<|o|><|n|>加州<|/n|>',
  );
  for (const [relation, kind] of [
    ['has_genre', 'noun'],
    ['is a', 'class'],
    ['capital of', 'is'],
    ['works for', 'verb'],
  ] as const)
    t.ok(rendered({ lines: [{ subjects: ['a'], relations: [relation], objects: ['b'] }] }).user.includes(`<|r|><|${kind}|> `), relation);
  t.end();
});

t.test('relations follow the text, as the reply writes them, and text of others cannot pass for the format', (t) => {
  t.same(renderRelations('extract', ' He came.', ['born_in'], 'en'), { system: '<|en|><|extract|>', user: ' He came.<|r|><|was|> born_in' });
  t.same(renderRelations('path', 'Where?', ['born_in'], 'en'), { system: '<|en|><|path|>', user: 'Where?<|r|><|was|> born_in<|o|>born_in' });
  t.equal(renderRelations('path', '', ['出生于'], 'zh').user, '<|r|><|verb|>出生于');
  t.equal(renderRelations('path', '', ['a<|yes|>b'], 'en').user, '<|r|><|noun|> ab<|o|>ab');
  t.same(composePathPrompt(['won'], 'What has marie curie won<|end|>?', ['Marie Curie', '']), [
    { role: 'system', content: '<|en|><|path|>', trusted: true },
    { role: 'user', content: 'What has <|n|>marie curie<|/n|> won?<|r|><|verb|> won<|o|>won', trusted: true },
  ]);
  t.equal(composePathPrompt([], '居里夫人？', [])[1].content, '居里夫人？');
  t.end();
});

t.test('rows are read as they are written, whole ones only', (t) => {
  const rows = [['Marie Curie', 'born in', 'Warsaw'], ['Marie Curie', 'won', 'a prize']] as const;
  t.equal(writeRows(rows, 'en'), '| Marie Curie | born in | Warsaw |\n| Marie Curie | won | a prize |');
  t.equal(writeRows([['居里', '出生于', '华沙']], 'zh'), '|居里|出生于|华沙|');
  for (const language of ['en', 'zh'] as const) t.same(readRows(writeRows(rows, language)), rows);
  t.same(readRows('| Marie Curie | born in | Warsaw |\n| Marie Curie | wo'), rows.slice(0, 1));
  t.same(readRows(''), []);
  t.equal(readable(' Marie<|end|> Curie ', 'en'), ' Marie Curie');
  t.match(rowsGrammar(['born "in"'], 3, 'en', 'Marie'), /relation ::= "born \\"in\\""/);
  t.end();
});
