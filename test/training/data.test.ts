// Owns the training data: held-out names, relations and questions kept apart, samples that say what they should, the vocabulary's way there and back, packing.
// Refuses to know gradients and the trained model.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { evidenceNames, mark, plain } from '../../src/answers/words/evidence.ts';
import { article } from '../../src/answers/words/grammar.ts';
import { reply } from '../../src/answers/words/wording.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { packBatch } from '../../src/training/data/packing.ts';
import { trainTokenizer } from '../../src/training/bpe.ts';
import { judge, sum } from '../../src/training/grounded/judge.ts';
import { LEXICONS, longName, randomName } from '../../src/training/grounded/names.ts';
import { EN_HELD_OUT, EN_LABELS, ZH_HELD_OUT, ZH_LABELS } from '../../src/training/grounded/labels.ts';
import { lexicon, makeSample } from '../../src/training/grounded/samples.ts';
import { Random } from '../../src/training/random.ts';

t.test('held-out names share no word, no syllable and no Han character with those of training', (t) => {
  const { training, 'held-out': held } = LEXICONS;
  for (const part of ['onsets', 'vowels', 'words', 'given', 'family', 'han'] as const) {
    const known = new Set(training[part].map((text) => text.toLowerCase()));
    t.same(held[part].filter((text) => known.has(text.toLowerCase())), [], part);
    t.ok(held[part].length >= 15, `${part}: ${held[part].length}`);
  }
  t.same(held.foreignHan.filter((character) => training.han.includes(character) || training.foreignHan.includes(character)), []);
  const random = new Random(1);
  const seen = new Set(Array.from({ length: 30_000 }, () => randomName(random, random.chance(0.5) ? 'en' : 'zh')));
  const names = Array.from({ length: 3000 }, () => randomName(random, random.chance(0.5) ? 'en' : 'zh', 'held-out'));
  // Numbers, dates, initials and contractions are the same everywhere.
  const common = /^[\d.-]+( more)?$|^([A-Z]\.)+$|^(The )?\p{L}+'\p{L}+$/u;
  t.same([...new Set(names.filter((name) => seen.has(name) && !common.test(name)))], []);
  t.end();
});

t.test('held-out samples have held-out relations and questions', (t) => {
  const random = new Random(3);
  for (let i = 0; i < 400; i++) {
    const { evidence } = makeSample(random, { language: 'en', names: 'held-out', heldOutRelations: true, heldOutQuestions: true });
    for (const line of [...(evidence.conclusion ? [evidence.conclusion] : []), ...evidence.lines]) for (const relation of line.relations) if (EN_LABELS.includes(relation)) t.fail(relation);
  }
  t.same(EN_HELD_OUT.filter((label) => EN_LABELS.includes(label)), []);
  t.same(ZH_HELD_OUT.filter((label) => ZH_LABELS.includes(label)), []);
  t.end();
});

t.test('a sample says in its reply what its evidence holds, in its language', (t) => {
  const random = new Random(8);
  const kinds = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const sample = makeSample(random);
    kinds.set(sample.kind, (kinds.get(sample.kind) ?? 0) + 1);
    const names = new Set(evidenceNames(sample.evidence));
    for (const [, name] of sample.assistant.matchAll(/<\|n\|>(.*?)<\|\/n\|>/gsu)) if (!names.has(name) && sample.kind !== 'refuse') t.fail(`${name} is not in ${sample.system}`);
    if (sample.evidence.verdict) t.equal(sample.assistant, reply(sample.evidence, sample.language, mark));
    const judged = judge(sample, plain(sample.assistant));
    if (!judged.exact || !judged.sentence || judged.copied !== judged.names || judged.refused !== judged.unanswerable) t.fail(sample.assistant);
  }
  for (const kind of ['answer', 'yes', 'no', 'unknown', 'count', 'find', 'refuse']) t.ok((kinds.get(kind) ?? 0) > 50, `${kind}: ${kinds.get(kind)}`);
  t.end();
});

t.test('where classes are asked for, so many lines say what something is, each kind with its article', (t) => {
  const random = new Random(5);
  const samples = Array.from({ length: 600 }, () => makeSample(random, { language: 'en', classes: 0.3 }));
  const told = samples.filter(({ evidence: { verdict, form, conclusion } }) => verdict === 'answer' && !form && conclusion && /^(is an?|is_a|instance of)$/.test(conclusion.relations.join(' / ')));
  t.ok(told.length > 30, `${told.length} of ${samples.length}`);
  for (const { evidence: { conclusion }, assistant } of told)
    if (conclusion && conclusion.subjects.length === 1) for (const kind of conclusion.objects) t.match(assistant, new RegExp(`\\b${article(kind)} <\\|n\\|>${RegExp.escape(kind)}<`), assistant);
  t.end();
});

t.test('the judge counts a wrong name, a wrong sentence and a wrong refusal', (t) => {
  const sample = { language: 'en', kind: 'answer', system: '', user: '', question: '', assistant: '<|n|>Ada<|/n|> was born in <|n|>London<|/n|>.', evidence: { verdict: 'answer', lines: [] } } as const;
  t.match(judge(sample, 'Ada was born in Londom.'), { exact: false, copied: 1, names: 2, sentence: true });
  t.match(judge(sample, 'Ada died in London.'), { exact: false, copied: 2, sentence: false });
  t.match(judge(sample, 'I do not know: the graph has no answer to that about Ada.'), { refused: true, unanswerable: false });
  t.match(sum([judge(sample, 'Ada was born in London.'), judge(sample, 'I do not know.')]), { replies: 2, exact: 1, names: 4, copied: 2, falselyRefused: 1, unanswerable: 0 });
  t.end();
});

t.test('the lexicon holds the words that replies need and no names or relations', (t) => {
  const en = lexicon(new Random(3), 'en');
  const zh = lexicon(new Random(4), 'zh');
  for (const word of ['Yes', 'No', 'because', 'those', 'among', 'same', 'kind', 'was', 'were', 'There', ',', '.', ';', ':']) t.ok(en.includes(word), word);
  for (const sign of '是的不知道图谱因为共有个其那些同类并且，。、：和') t.ok(zh.includes(sign), sign);
  t.ok(en.length < 80 && zh.length < 100, `${en.length} and ${zh.length}`);
  t.end();
});

t.test('every text survives the vocabulary, and a learnt vocabulary is shorter than bytes', (t) => {
  const random = new Random(5);
  const texts = Array.from({ length: 400 }, () => {
    const sample = makeSample(random);
    return plain(sample.system + sample.user + sample.assistant);
  });
  const file = tokenizerSchema.parse(JSON.parse(trainTokenizer(texts, 700, ['<|pad|>', '<|end|>'])));
  const shipped = tokenizerSchema.parse(JSON.parse(readFileSync(new URL('../../models/pharos-mini/tokenizer.json', import.meta.url), 'utf8')));
  const awkward = ['阿尔伯特·爱因斯坦生于1879年。', "J.R.R. O'Brien-Smith's  “Don't”\n\ttabs", 'naïve café – 東京 🙂👩‍🚀', '\u0000\u0007', ' leading and trailing ', '<|end|> as text', 'ﬁ ﷽ Ω', ...Array.from({ length: 200 }, () => longName(random, random.chance(0.5) ? 'en' : 'zh', 'held-out'))];
  for (const tokenizer of [new ModelTokenizer(file), new ModelTokenizer(shipped)]) {
    for (const text of awkward) {
      const detokenizer = tokenizer.detokenizer();
      t.equal(tokenizer.encodePlain(text).map((id) => detokenizer.push(id)).join(''), text);
    }
  }
  const learnt = new ModelTokenizer(file);
  t.equal(learnt.size, 700);
  const [tokens, bytes] = texts.reduce(([a, b], text) => [a + learnt.encodePlain(text).length, b + Buffer.byteLength(text)], [0, 0]);
  t.ok(tokens < bytes * 0.6, `${tokens} tokens for ${bytes} bytes`);
  t.end();
});

t.test('packed rows hold whole sequences, their positions from zero, and weights that sum to one', (t) => {
  const sequences = [[1, 2, 3], [4, 5], [6, 7, 8, 9], [10, 11, 12, 13, 14, 15, 16, 17, 18]];
  let next = 0;
  const batch = packBatch(() => {
    const tokens = sequences[next++ % sequences.length];
    return { tokens, learned: tokens.map((_, i) => i > 0) };
  }, 2, 8);
  const row = (values: BigInt64Array, b: number): number[] => Array.from({ length: 8 }, (_, step) => Number(values[step * 2 + b]));
  t.same(row(batch.inputIds, 0), [1, 2, 3, 4, 5, 0, 0, 0], 'the next one, of four tokens, does not fit');
  t.same(row(batch.inputIds, 1), [6, 7, 8, 9, 1, 2, 3, 0], 'it begins the next row; one longer than a row is passed over');
  t.same(row(batch.positions, 1), [0, 1, 2, 3, 0, 1, 2, 0]);
  t.same(row(batch.segments, 1), [1, 1, 1, 1, 2, 2, 2, 0]);
  t.equal(batch.rows.length, 2 + 1 + 3 + 2);
  t.ok(Math.abs(batch.weights.reduce((total, weight) => total + weight, 0) - 1) < 1e-6);
  for (let i = 0; i < batch.rows.length; i++) t.equal(batch.inputIds[Number(batch.rows[i]) + 2], batch.targets[i], 'the target is the token one step later in its row');
  t.end();
});
