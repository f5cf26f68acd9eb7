// Owns that a model which somebody else exported generates through the engine what a plain loop over its own session gives.
// Refuses to carry that model: with PHAROS_OUTSIDE it is tiny-random-gpt2, without a small one of the same form is made.

import { basename, join } from 'node:path';
import t from 'tap';
import { readModelFiles } from '../../src/engine/models/model-files.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { reference, writeForeign } from './foreign.ts';
import { ask, collect, failure, startEngine } from './world.ts';

const outside = process.env['PHAROS_OUTSIDE'];

t.test('a model of others says what a plain loop over its session says', async (t) => {
  const folder = outside === undefined ? join(t.testdir(), 'foreign') : join(outside, 'weights/tiny-random-gpt2');
  if (outside === undefined) await writeForeign(folder, { cache: 'concat', joined: true, ids: 'int32' });
  const model = basename(folder);
  const { onnx, tokenizer, tokenizerConfig } = await readModelFiles(folder);
  const tokens = new ModelTokenizer(tokenizer, tokenizerConfig);
  const engine = await startEngine(t, { models: [folder] });
  t.match(engine.models(), [outside === undefined ? { id: 'foreign', contextLength: 256 } : { id: 'tiny-random-gpt2', contextLength: 512, vocabularySize: 1000 }]);
  for (const text of ['he and of in to', 'on is at, be or', 'x']) {
    const expected = await reference(onnx, tokens.encodeTrusted(text), 32);
    const detokenizer = tokens.detokenizer();
    const given = await collect(engine.generate(ask(text, { model, maxTokens: 32 })));
    t.equal(given.text, expected.map((id) => detokenizer.push(id)).join(''), JSON.stringify(text));
  }
  // The tokenizer knows more tokens than the model.
  if (outside !== undefined) t.match(await failure(collect(engine.generate(ask('Philosophers', { model })))), { code: 'invalid_prompt', message: /vocabulary of 1000/ });
});
