// Owns prompts for text between two others: each family's marks in its order, around texts whose characters stand for themselves.
// Refuses to know what a model writes there.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Filling } from '../../src/engine/decoder/filling.ts';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { writeForeign } from './foreign.ts';
import { ask, collect, failure, startEngine } from './world.ts';

/** A small decoder whose vocabulary calls special tokens of ours by other names. */
async function written(folder: string, names: Readonly<Record<string, string>>): Promise<void> {
  await writeForeign(folder, { cache: 'concat' });
  const file = join(folder, 'tokenizer.json');
  let text = await readFile(file, 'utf8');
  for (const [ours, other] of Object.entries(names)) text = text.replaceAll(JSON.stringify(ours), JSON.stringify(other));
  await writeFile(file, text);
}
const [BEFORE, AFTER] = ['def f(x):\n  <|n|>', '\n  return x <fim_middle>'];
const FORMS = [
  ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'],
  ['<fim_prefix>', '<fim_suffix>', '<fim_middle>'],
  ['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'],
  ['[PREFIX]', '[SUFFIX]'],
] as const;

for (const [before, after, between] of FORMS)
  t.test(`marks ${before} ${after} ${between ?? ''}`, async (t) => {
    const folder = t.testdir();
    await written(folder, { '<|n|>': before, '<|/n|>': after, '<|r|>': between ?? '<|other|>' });
    const files = await readModelFiles(folder);
    const tokenizer = new ModelTokenizer(files.tokenizer, files.tokenizerConfig);
    const id = (mark: string): number => tokenizer.idOf(mark) ?? Number.NaN;
    const front = [id(before), ...tokenizer.encodePlain(BEFORE)];
    const back = [id(after), ...tokenizer.encodePlain(AFTER)];
    const expected = [...tokenizer.encodeTrusted(''), ...(between === undefined ? [...back, ...front] : [...front, ...back, id(between)])];
    t.same(Filling.of(tokenizer)?.prompt(BEFORE, AFTER), expected);
    t.equal(expected.filter((each) => each === id(before)).length, 1, 'what reads as a mark in a text is none');

    const engine = await startEngine(t, { models: [folder] });
    const [{ id: model }] = engine.models();
    const filled = await collect(engine.generate(ask('', { model, prompt: { kind: 'text', text: BEFORE, suffix: AFTER }, maxTokens: 12 })));
    const told = await collect(engine.generate(ask('', { model, prompt: { kind: 'tokens', ids: expected }, maxTokens: 12 })));
    t.equal(filled.usage?.promptTokens, expected.length);
    t.equal(told.text.startsWith(filled.text), true, 'the same text, up to a mark that ends it');
  });

t.test('a model without marks says that it cannot', async (t) => {
  const engine = await startEngine(t);
  t.match(await failure(collect(engine.generate(ask('', { prompt: { kind: 'text', text: 'a', suffix: 'b' } })))), { code: 'filling_unsupported', message: /leave suffix out/ });
});
