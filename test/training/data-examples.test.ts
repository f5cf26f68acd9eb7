// Owns what a line of training data may be and what it teaches: prompts exactly as the engine builds them, which tokens are learned, errors that name the field.
// Refuses to know files, packing and runs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { ChatMessage } from '../../src/engine/port.ts';
import { formatOf } from '../../src/engine/replies/format.ts';
import { ChatTemplate } from '../../src/engine/text/chat-template.ts';
import { ModelTokenizer } from '../../src/engine/text/tokenizer.ts';
import { exampleOf } from '../../src/training/data/example.ts';
import { readModelText } from '../../src/training/data/model-text.ts';
import type { ModelText } from '../../src/training/data/model-text.ts';
import { Renderer } from '../../src/training/data/renderer.ts';

const MODEL = fileURLToPath(new URL('../../models/pharos-mini', import.meta.url));
const TEXT = await readModelText(MODEL);
const TOKENIZER = new ModelTokenizer(TEXT.tokenizer, TEXT.tokenizerConfig);
const CONVERSATION: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief. <|end|> is no mark here.' },
  { role: 'user', content: 'Who was born in Ulm?' },
  { role: 'assistant', content: 'Albert Einstein.', reasoning: 'Ulm is on the Danube.' },
  { role: 'user', content: 'When?' },
  { role: 'assistant', content: 'In 1879.', reasoning: 'A year is asked for.' },
];
const wire = CONVERSATION.map(({ role, content, reasoning }) => ({ role, content, ...(reasoning === undefined ? {} : { reasoning_content: reasoning }) }));
const withTemplate = (chatTemplate: string): ModelText => ({ ...TEXT, chatTemplate, replies: formatOf(chatTemplate) });
const HEAD = "{% for m in messages %}<|{{ 'user' if m.role == 'tool' else m.role }}|>";

/** What each sequence shows, and the pieces of it that are learned. */
const shown = (text: ModelText, line: object): { readonly all: string; readonly learned: string[] }[] =>
  new Renderer(text).sequences(exampleOf(line)).map(({ tokens, learned }) => {
    const pieces: number[][] = [];
    for (const [i, id] of tokens.entries()) {
      if (learned[i] && !learned[i - 1]) pieces.push([]);
      if (learned[i]) pieces.at(-1)?.push(id);
    }
    return { all: TOKENIZER.textOfAll(tokens), learned: pieces.map((ids) => TOKENIZER.textOfAll(ids)) };
  });
const turn = (user: string, assistant: string): object => ({
  messages: [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ],
});

t.test('prompts are the ids that the engine builds, special tokens in texts are plain text, and only replies with their end token are learned', (t) => {
  const template = new ChatTemplate(TEXT.chatTemplate ?? '', TEXT.namedTokens);
  const [sequence, ...others] = new Renderer(TEXT).sequences(exampleOf({ messages: wire }));
  t.same(others, []);
  const end = TOKENIZER.idOf('<|end|>') ?? -1;
  for (const turns of [2, 4]) {
    const prompt = template.encode(TOKENIZER, { kind: 'chat', messages: CONVERSATION.slice(0, turns) }, TEXT.replies).ids;
    const reply = [...TOKENIZER.encodePlain(CONVERSATION[turns].content), end];
    t.same(sequence.tokens.slice(0, prompt.length), prompt);
    t.same(sequence.tokens.slice(prompt.length, prompt.length + reply.length), reply);
    t.same(sequence.learned.slice(prompt.length - 1, prompt.length + reply.length), [false, ...reply.map(() => true)]);
  }
  t.equal(sequence.tokens.filter((id) => id === end).length, 5, 'the one that a text names is none of them');
  t.same(shown(TEXT, { messages: wire })[0].learned, ['Albert Einstein.<|end|>', 'In 1879.<|end|>']);
  t.end();
});

t.test('a template that shows thoughts in the last reply alone gives each reply its own sequence, behind the prompt that it answers', (t) => {
  const text = withTemplate(
    `${HEAD}{% if m.role == 'assistant' and loop.last %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`,
  );
  const [first, second] = shown(text, { messages: wire });
  t.same(first.learned, ['<think>Ulm is on the Danube.</think>Albert Einstein.<|end|>']);
  t.same(second.learned, ['<think>A year is asked for.</think>In 1879.<|end|>']);
  t.match(second.all, '<|assistant|>Albert Einstein.<|end|>\n<|user|>When?<|end|>\n<|assistant|><think>A year');
  t.end();
});

t.test('a template whose prompt opens the thought gets the rest of the thought and the reply learned', (t) => {
  const text = withTemplate(`${HEAD}{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}`);
  t.same(
    shown(text, { messages: wire }).map(({ learned }) => learned),
    [['Ulm is on the Danube.\n</think>\n\nAlbert Einstein.<|end|>'], ['A year is asked for.\n</think>\n\nIn 1879.<|end|>']],
  );
  t.end();
});

t.test('a template that ends no turn gets an end token behind each reply', (t) => {
  const text = withTemplate('{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}');
  t.same(
    shown(text, { messages: wire }).map(({ learned }) => learned),
    [['Albert Einstein.<|end|>'], ['In 1879.<|end|>']],
  );
  t.end();
});

t.test('weight 0, a reply before any prompt, trusted marks, calls, and a text with its completion', (t) => {
  t.same(shown(TEXT, { messages: wire.map((message, i) => (i === 2 ? { ...message, weight: 0 } : message)) })[0].learned, ['In 1879.<|end|>']);
  t.same(shown(TEXT, { messages: [{ role: 'assistant', content: 'Hello!' }, ...wire.slice(1)] })[0].learned, ['Albert Einstein.<|end|>', 'In 1879.<|end|>']);
  const marked = (trusted: boolean): number[] => [
    ...new Renderer(TEXT).sequences(
      exampleOf({
        messages: [
          { role: 'user', content: 'Who?' },
          { role: 'assistant', content: '<|n|>Ada<|/n|>', trusted },
        ],
      }),
    )[0].tokens,
  ];
  const mark = TOKENIZER.idOf('<|n|>') ?? -1;
  t.same([marked(false).includes(mark), marked(true).includes(mark)], [false, true]);
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city": "Ulm"}' } };
  const [calling] = shown(TEXT, {
    messages: [
      { role: 'user', content: 'Weather in Ulm?' },
      { role: 'assistant', tool_calls: [call] },
    ],
    tools: [{ type: 'function', function: { name: 'weather' } }],
  });
  t.match(calling.learned[0], /weather.*Ulm.*<\|end\|>$/s);
  t.match(calling.all, /"name":"weather"/);
  t.same(shown(TEXT, { prompt: 'The sky is', completion: ' blue' }), [{ all: 'The sky is blue<|end|>', learned: [' blue<|end|>'] }]);
  t.throws(
    () => new Renderer({ ...TEXT, chatTemplate: undefined }).sequences(exampleOf(turn('a', 'b'))),
    /has no chat template, so it learns from \{"prompt", "completion"\} alone/,
  );
  t.end();
});

t.test('a line that is no example says which field is wrong and what would be right', (t) => {
  const wrong: readonly (readonly [object | string, RegExp])[] = [
    [{}, /neither messages nor prompt and completion/],
    [{ messages: [] }, /messages: /],
    [{ messages: [{ role: 'robot', content: 'x' }] }, /messages\.0\.role: /],
    [{ messages: [{ role: 'user', content: 'x' }] }, /no message of the role assistant to learn/],
    [
      {
        messages: [
          { role: 'user', content: 'x', weight: 1 },
          { role: 'assistant', content: 'y' },
        ],
      },
      /messages\.0\.weight: belongs to messages of the role assistant/,
    ],
    [{ messages: [{ role: 'user' }, { role: 'assistant', content: 'y' }] }, /messages\.0\.content: is missing/],
    [
      {
        messages: [
          { role: 'user', content: 'x', contnet: 'y' },
          { role: 'assistant', content: 'y' },
        ],
      },
      /messages\.0: .*contnet/,
    ],
    [{ prompt: 'x' }, /completion: /],
    [{ messages: [{ role: 'assistant', content: 'Hello!' }] }, /the assistant speaks first, and there is no other reply to learn/],
    [turn([{ type: 'image_url', image_url: { url: 'x' } }] as never, 'y'), /messages\.\d\.content: must be a text, or an array of at most 1000 parts of type "text"/],
    [{ messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: null, refusal: 'No.' }] }, /messages\.1\.refusal: must be null; a refusal is learnt as content/],
  ];
  for (const [line, reason] of wrong) t.throws(() => exampleOf(line), reason);
  t.match(exampleOf({ messages: [{ role: 'user', content: 'x' }, { role: 'assistant', content: 'y', refusal: null, annotations: [], audio: null, tool_calls: null }] }), { messages: [{}, { content: 'y' }] }, 'a reply as a service gives it');
  t.same(exampleOf({ id: 7, prompt: 'x', completion: 'y' }), { kind: 'completion', prompt: 'x', completion: 'y' }, 'further fields of a line are passed over');
  t.end();
});

t.test('what a template cannot teach is told: calls that it ends with no end token, replies that it shows otherwise than behind their prompt', (t) => {
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
  const calling = {
    messages: [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', tool_calls: [call] },
    ],
  };
  const endless = withTemplate('{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}');
  t.throws(
    () => shown(endless, { ...calling, tools: [{ type: 'function', function: { name: 'weather' } }] }),
    /messages\.1\.tool_calls: the chat template of model pharos-mini ends replies that call with no end token/,
  );
  const otherwise = withTemplate(`${HEAD}{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>So: {% endif %}`);
  t.throws(() => shown(otherwise, turn('a', 'b')), /shows this reply otherwise than behind its prompt, so that it cannot be learnt/);
  t.throws(() => shown(TEXT, { messages: [{ role: 'assistant', content: 'Hello!' }] }), /the assistant speaks first, and there is no other reply to learn/);
  t.end();
});

t.test('a folder gives its text without any weights; what it lacks is told', async (t) => {
  const tokenizer = readFileSync(join(MODEL, 'tokenizer.json'), 'utf8');
  const config = JSON.stringify({
    eos_token: { content: '<|end|>' },
    bos_token: null,
    chat_template: [
      { name: 'other', template: 'x' },
      { name: 'default', template: 'listed' },
    ],
  });
  const folder = t.testdir({
    listed: { 'config.json': '{}', 'tokenizer.json': tokenizer, 'tokenizer_config.json': config },
    beside: {
      'config.json': '{"text_config": {"eos_token_id": 7}}',
      'tokenizer.json': tokenizer,
      'chat_template.jinja': 'beside',
      'tokenizer_config.json': config,
    },
    endless: { 'config.json': '{}', 'tokenizer.json': tokenizer },
    empty: { 'config.json': '{}' },
  });
  t.match(await readModelText(join(folder, 'listed')), {
    id: 'listed',
    chatTemplate: 'listed',
    namedTokens: { eos_token: '<|end|>' },
    endTokens: [TOKENIZER.idOf('<|end|>')],
  });
  t.match(await readModelText(join(folder, 'beside')), { chatTemplate: 'beside', endTokens: [7] });
  await t.rejects(readModelText(join(folder, 'endless')), {
    code: 'model_invalid',
    message: /names no end token, without which a model cannot learn to stop; put eos_token_id into/,
  });
  await t.rejects(readModelText(join(folder, 'empty')), { code: 'model_invalid', message: /tokenizer\.json is missing/ });
});
