// Owns that limits of a text of a certain form count what a model says and not what it thinks, in formats whose marks are more than one token (Gemma 4, gpt-oss).
// Refuses to know HTTP, and how masks are found.

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { StagedConstraint } from '../../src/engine/constraints/staged.ts';
import { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import type { GenerateEvent } from '../../src/engine/port.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { chat, FOLDER, startEngine } from './world.ts';

interface Named {
  readonly title: string;
  /** What the template says of its format. */
  readonly says: string;
  /** Special tokens under other names. */
  readonly names: Readonly<Record<string, string>>;
  /** Tokens that end a thought. */
  readonly close: string;
  readonly end: string;
  /** How much likelier a thought is made to end. */
  readonly bias: number;
}
const FORMATS: readonly Named[] = [
  { title: 'gemma', says: 'tools <|tool_call><tool_call|><|channel>thought <channel|>', names: { '<|f|>': '<|channel>', '<|r|>': '<channel|>' }, close: '<channel|>', end: '<|end|>', bias: 16 },
  { title: 'harmony', says: '<|channel|><|message|>', names: { '<|end|>': '<|eos|>', '<|f|>': '<|channel|>', '<|r|>': '<|message|>', '<|o|>': '<|start|>', '<|n|>': '<|end|>' }, close: '<|end|>', end: '<|eos|>', bias: 3 },
];
async function folderOf(t: Test, { title, says, names, end }: Named): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `pharos-${title}-`));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['config.json', 'generation_config.json']) await cp(join(FOLDER, name), join(folder, name));
  await symlink(join(FOLDER, 'onnx'), join(folder, 'onnx'));
  const given = await readFile(join(FOLDER, 'tokenizer.json'), 'utf8');
  await writeFile(join(folder, 'tokenizer.json'), given.replaceAll(/"(<\|[^"]*\|>)"/g, (whole, name: string) => (Object.hasOwn(names, name) ? `"${names[name]}"` : whole)));
  const template = `{# ${says} #}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}${end}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`;
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: end, chat_template: template }));
  return folder;
}
async function whole(events: AsyncIterable<GenerateEvent>): Promise<{ readonly thought: string; readonly said: string; readonly reason: string }> {
  let [thought, said, reason] = ['', '', ''];
  for await (const event of events) {
    if (event.kind === 'reasoning') thought += event.text;
    else if (event.kind === 'delta') said += event.text;
    else if (event.kind === 'finish') ({ reason } = event);
    else if (event.kind === 'error') throw event.error;
  }
  return { thought, said, reason };
}

for (const named of FORMATS)
  t.test(`${named.title}: a thought may be longer than what is said`, async (t) => {
    const folder = await folderOf(t, named);
    const engine = await startEngine(t, { models: [folder] });
    const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'))));
    const [close, open] = [named.close, named.names['<|f|>']].map((mark) => tokenizer.idOf(mark) ?? -1);
    let [ended, long] = [0, 0];
    for (let seed = 1; seed <= 30 && (ended < 3 || long < 1); seed++) {
      const asked = chat([{ role: 'user', content: 'x' }], { model: basename(folder), constraint: { kind: 'regex', pattern: '[a-z ]{4,}!' }, limits: { characters: 12 }, sampling: { temperature: 3, topP: 1, seed, logitBias: { [close]: named.bias, [open]: 40 } }, maxTokens: 120 });
      const { thought, said, reason } = await whole(engine.generate(asked));
      if (reason === 'length' && !said.endsWith('!')) continue;
      ended++;
      t.match(said, /^[a-z ]{4,}!$/, `${seed}: ${JSON.stringify(said)} behind ${JSON.stringify(thought)}`);
      t.ok(said.length <= 12);
      if (thought.length > 12) long++;
    }
    t.ok(ended >= 3 && long >= 1, `${ended} ended, ${long} thought longer than they may speak`);
  });

t.test('a text behind another begins where the other is whole', async (t) => {
  const only = (...tokens: readonly number[]): { left: number[]; allowed: () => TokenSet; complete: () => boolean; accept: () => void } => {
    const left = [...tokens];
    return { left, allowed: () => TokenSet.ofIds(left.slice(0, 1)), complete: () => left.length === 0, accept: () => void left.shift() };
  };
  const text = only(3);
  const staged = new StagedConstraint(only(1, 2), text);
  for (const token of [1, 2, 3]) {
    t.notOk(staged.complete());
    t.equal(staged.allowed().first, token);
    t.equal(staged.next()?.first, token);
    t.equal(staged.unlimited(), undefined);
    staged.accept(token);
  }
  t.ok(staged.complete());
  t.same(text.left, []);
});
