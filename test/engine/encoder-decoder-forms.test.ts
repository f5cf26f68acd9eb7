// Owns the test that forms of a text hold where the vocabulary spells a text with a space in front: choices, patterns, grammars, schemas, with and without limits.
// Refuses to know how grammars are recognised.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import type { GenerateRequest } from '../../src/engine/port.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { writeExport } from './encoder-decoder-folders.ts';
import { ask, collect, startEngine } from './world.ts';

interface Added {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i).replace(' ', '\u2581'));
const METASPACE = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', add_prefix_space: true, split: true };
/** As SentencePiece models are written by `save_pretrained`. */
function metaspaceFile(added: readonly Added[]): object {
  const vocab = [...added.toSorted((a, b) => a.id - b.id).map(({ content }) => content), '<unk>', ...PRINTABLE, '\u2581yes', '\u2581no', '\u2581red', '\u2581\u2581'];
  return {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: METASPACE,
    post_processor: null,
    decoder: METASPACE,
    model: { type: 'Unigram', unk_id: added.length, vocab: vocab.map((token, i) => [token, -1 - i / 1000]) },
  };
}

t.test('forms hold to the first space, where the vocabulary spells a text with one in front', async (t) => {
  const folder = join(t.testdir(), 'model');
  writeExport(folder, { layout: 'merged' });
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify(metaspaceFile((JSON.parse(readFileSync(path, 'utf8')) as { added_tokens: Added[] }).added_tokens)));
  const engine = await startEngine(t, { models: [folder] });
  const forms: readonly (readonly [GenerateRequest['constraint'], readonly string[]])[] = [
    [{ kind: 'choice', choices: ['yes', 'no'] }, ['yes', 'no']],
    [{ kind: 'choice', choices: [' yes', '  no'] }, [' yes', '  no']],
    [{ kind: 'regex', pattern: ' (yes|no)' }, [' yes', ' no']],
    [{ kind: 'regex', pattern: '  red' }, ['  red']],
    [{ kind: 'regex', pattern: 'red|no' }, ['red', 'no']],
    [{ kind: 'grammar', grammar: 'root ::= " "? "yes"' }, [' yes', 'yes']],
    [{ kind: 'schema', schema: { enum: ['no', 12] } }, ['"no"', '12']],
  ];
  for (const [constraint, texts] of forms)
    for (const seed of [1, 2, 3]) {
      const more = { model: 'model', constraint, sampling: { temperature: 2, topP: 1, seed }, maxTokens: 20 };
      const { text, reason } = await collect(engine.generate(ask('a river', more)));
      t.ok(texts.includes(text), `${JSON.stringify(constraint)} gave ${JSON.stringify(text)}`);
      t.equal(reason, 'stop');
      const characters = Math.max(...texts.map(({ length }) => length));
      const limited = await collect(engine.generate(ask('a river', { ...more, limits: { characters } })));
      t.ok(texts.includes(limited.text), `${JSON.stringify(constraint)}, limited, gave ${JSON.stringify(limited.text)}`);
    }
});

t.test('a choice is written as it is, also where the tokenizer would put a space in front of it', (t) => {
  const tokenizer = new ModelTokenizer(tokenizerSchema.parse(metaspaceFile([{ id: 0, content: '</s>', special: true }])));
  const trie = new TokenTrie(Array.from({ length: tokenizer.size }, (_, id) => id), (id) => tokenizer.bytesOf(id));
  const vocabulary = { trie: () => trie, size: tokenizer.size, ends: [0], encode: (text: string) => tokenizer.encodePlain(text), bytesOf: (id: number) => tokenizer.bytesOf(id), compiled: new Map() };
  for (const choices of [['yes', 'no'], [' yes', ' red']]) {
    const texts = new Set<string>();
    for (let pick = 0; pick < 8; pick++) {
      const constraint = compileConstraint({ kind: 'choice', choices }, vocabulary);
      const written: number[] = [];
      while (!constraint.complete()) {
        const { bits, ids } = constraint.allowed();
        const allowed = Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => (bits ? ((bits[id >>> 5] >>> (id & 31)) & 1) === 1 : ids?.includes(id)));
        const token = allowed[(pick + written.length) % allowed.length];
        written.push(token);
        constraint.accept(token);
      }
      texts.add(tokenizer.textOfAll(written));
    }
    t.same([...texts].toSorted(), choices.toSorted());
  }
  t.end();
});
