// Owns that a model which somebody else exported generates through the engine what a plain loop over its own session gives.
// Refuses to run without PHAROS_OUTSIDE: the model is not part of the repository.

import { join } from 'node:path';
import t from 'tap';
import { readModelFiles } from '../../src/engine/model-files.ts';
import { ModelTokenizer } from '../../src/engine/tokenizer.ts';
import { reference } from './foreign.ts';
import { ask, collect, failure, startEngine } from './world.ts';

const outside = process.env['PHAROS_OUTSIDE'];

t.test('tiny-random-gpt2, a folder of ONNX Runtime GenAI', { skip: outside === undefined && 'PHAROS_OUTSIDE is not set' }, async (t) => {
  const folder = join(outside ?? '', 'weights/tiny-random-gpt2');
  const { onnx, tokenizer, tokenizerConfig } = await readModelFiles(folder);
  const tokens = new ModelTokenizer(tokenizer, tokenizerConfig);
  const engine = await startEngine(t, { models: [folder] });
  t.match(engine.models(), [{ id: 'tiny-random-gpt2', contextLength: 512, vocabularySize: 1000 }]);
  for (const text of ['he and of in to', 'on is at, be or', 'x']) {
    const expected = await reference(onnx, tokens.encodeTrusted(text), 32);
    const detokenizer = tokens.detokenizer();
    const given = await collect(engine.generate(ask(text, { model: 'tiny-random-gpt2', maxTokens: 32 })));
    t.equal(given.text, expected.map((id) => detokenizer.push(id)).join(''), JSON.stringify(text));
  }
  // The tokenizer knows more tokens than the model.
  t.match(await failure(collect(engine.generate(ask('Philosophers', { model: 'tiny-random-gpt2' })))), { code: 'invalid_prompt', message: /vocabulary of 1000/ });
});
