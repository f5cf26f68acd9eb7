// Owns that replies are read right in each format, wherever the text is cut into pieces, and that nothing of them is lost.
// Refuses to know models: replies are given as text.

import t from 'tap';
import { formatOf } from '../../src/engine/replies/format.ts';
import { seeded } from '../helpers/store-world.ts';
import { formatOfCalls as of, NAMES, read, reader, readsAll, THINKING } from './reading.ts';
import type { Case } from './reading.ts';

const [B, E, C, D, S] = ['<｜tool▁calls▁begin｜>', '<｜tool▁calls▁end｜>', '<｜tool▁call▁begin｜>', '<｜tool▁call▁end｜>', '<｜tool▁sep｜>'];
const hermes = (name: string, args: string): string => `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;
const ARGS = '{"city": "Z\\u00fcrich \\"x\\" 😀 </tool_call>", "n": [1, -2.5e3, {"a": null}], "ok": true}';

const cases: readonly Case[] = [
  { title: 'text alone', format: of('hermes'), text: ' Hello <b> there\n', is: { said: ' Hello <b> there\n', calls: [], order: 'd' } },
  { title: 'a call of Hermes', format: of('hermes'), text: hermes('weather', ARGS), is: { said: '', calls: [['weather', ARGS]], order: 't' } },
  { title: 'text before it, without the space between', format: of('hermes'), text: `I look it up.\n\n${hermes('weather', '{}')}`, is: { said: 'I look it up.', calls: [['weather', '{}']], order: 'dt' } },
  { title: 'two calls', format: of('hermes'), text: `${hermes('weather', '{"city":"Ulm"}')}\n${hermes('add', '{"a":1}')}\n`, is: { said: '', calls: [['weather', '{"city":"Ulm"}'], ['add', '{"a":1}']], order: 'tt' } },
  { title: 'one call of two, where one was asked for', format: of('hermes'), single: true, text: `${hermes('weather', '{}')}\n${hermes('add', '{}')}`, is: { calls: [['weather', '{}']], said: '' } },
  { title: 'arguments before the name', format: of('hermes'), text: '<tool_call>{"arguments": {"a": 1}, "name": "add"}</tool_call>', is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'arguments inside a string', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1}"}</tool_call>', is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'no arguments', format: of('hermes'), text: '<tool_call>{"name": "add"}</tool_call>', is: { calls: [['add', '{}']] } },
  { title: 'the last brace forgotten', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": 1}\n</tool_call>', is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'a brace too many', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": 1}}}\n</tool_call>\nSo.', is: { calls: [['add', '{"a": 1}']], said: '\nSo.' } },
  { title: 'the closing mark forgotten', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": 1}}\n<tool_call>{"name": "weather", "arguments": {}}</tool_call>', is: { calls: [['add', '{"a": 1}'], ['weather', '{}']], said: '' } },
  { title: 'the closing mark cut off', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": 1}}\n</tool_', is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'arguments cut off', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": 1', is: { calls: [['add', '{"a": 1']], said: '' } },
  { title: 'arguments that turn out to be none stay whole', format: of('hermes'), text: '<tool_call>{"name": "add", "arguments": {"a": x}}</tool_call>!', is: { calls: [['add', '{"a": x}}']], said: '!' } },
  { title: 'a call cut off before its arguments', format: of('hermes'), text: 'so <tool_call>{"name": "add", "argu', is: { said: 'so <tool_call>{"name": "add", "argu', calls: [] } },
  { title: 'what is no JSON', format: of('hermes'), text: '<tool_call>add(1)</tool_call>', is: { said: '<tool_call>add(1)</tool_call>', calls: [] } },
  { title: 'a function that was not offered', format: of('hermes'), text: hermes('delete', '{"a": 1}'), is: { said: hermes('delete', '{"a": 1}'), calls: [] } },
  { title: 'and one behind it that was', format: of('hermes'), text: `${hermes('delete', '{}')}${hermes('add', '{}')}`, is: { said: hermes('delete', '{}'), calls: [['add', '{}']] } },
  { title: 'a mark twice', format: of('hermes'), text: `<tool_call>${hermes('add', '{}')}`, is: { said: '<tool_call>', calls: [['add', '{}']] } },
  { title: 'a mark half', format: of('hermes'), text: 'a <tool_ca', is: { said: 'a <tool_ca', calls: [] } },
  { title: 'nothing is offered', format: of('hermes'), names: [], text: hermes('add', '{}'), is: { said: hermes('add', '{}'), calls: [] } },
  { title: 'marks that are special tokens', format: of('hermes'), special: ['<tool_call>', '</tool_call>', '<think>', '</think>'], text: `<think>why</think>so ${hermes('add', '{"a": "<"}')}`, is: { thought: 'why', said: 'so', calls: [['add', '{"a": "<"}']] } },
  { title: 'and come back as text when the call is none', format: of('hermes'), special: ['<tool_call>', '</tool_call>'], text: '<tool_call>{"name": 1}</tool_call>', is: { said: '<tool_call>{"name": 1}</tool_call>', calls: [] } },

  { title: 'a thought', format: of('hermes'), text: '<think>\nHm, <tool_call>?\n</think>\n\nYes.', is: { thought: 'Hm, <tool_call>?', said: 'Yes.', order: 'rd' } },
  { title: 'a thought and a call', format: of('hermes'), text: `\n<think>\na b\n\nc </thin</think>\n\n${hermes('add', '{}')}`, is: { thought: 'a b\n\nc </thin', said: '', calls: [['add', '{}']], order: 'rt' } },
  { title: 'a thought that the prompt opened', format: of('hermes'), opened: true, text: '\nHm.\n</think>\n\nYes.', is: { thought: 'Hm.', said: 'Yes.' } },
  { title: 'a thought cut off', format: of('hermes'), opened: true, text: 'Hm </th', is: { thought: 'Hm </th', said: '' } },
  { title: 'a mark of thought further on is text', format: of('hermes'), text: 'The mark <think>a</think>', is: { thought: '', said: 'The mark <think>a</think>' } },
  { title: 'an empty thought', format: of('hermes'), text: '<think>\n\n</think>\n\nYes.', is: { thought: '', said: 'Yes.' } },
  { title: 'models that do not think', format: of('hermes', false), text: '<think>a</think>', is: { thought: '', said: '<think>a</think>' } },

  { title: 'a call of Llama', format: of('llama'), text: '{"name": "weather", "parameters": {"city": "Ulm"}}', is: { calls: [['weather', '{"city": "Ulm"}']], said: '' } },
  { title: 'with its type', format: of('llama'), text: '{"type": "function", "name": "add", "parameters": {}}', is: { calls: [['add', '{}']] } },
  { title: 'with its mark', format: of('llama'), special: ['<|python_tag|>'], text: '<|python_tag|>{"name": "add", "parameters": {"a": 2}}', is: { calls: [['add', '{"a": 2}']], said: '' } },
  { title: 'several', format: of('llama'), text: '{"name": "add", "parameters": {"a": 2}}; {"name": "weather", "parameters": {}}', is: { calls: [['add', '{"a": 2}'], ['weather', '{}']], said: '' } },
  { title: 'JSON that is no call', format: of('llama'), text: '{"answer": {"name": "add"}}', is: { calls: [], said: '{"answer": {"name": "add"}}' } },
  { title: 'a brace in a text', format: of('llama'), text: 'so: {"name": "add", "parameters": {}}', is: { calls: [], said: 'so: {"name": "add", "parameters": {}}' } },
  { title: 'code behind the mark', format: of('llama'), special: ['<|python_tag|>'], text: '<|python_tag|>print(1)', is: { calls: [], said: '<|python_tag|>print(1)' } },

  { title: 'a call of DeepSeek V3', format: of('deepseek-v3'), text: `Let me see.${B}${C}function${S}add\n\`\`\`json\n{"a": "\`\`\`"}\n\`\`\`${D}\n${C}function${S}weather\n\`\`\`json\n{}\n\`\`\`${D}${E}`, is: { said: 'Let me see.', calls: [['add', '{"a": "```"}'], ['weather', '{}']], order: 'dtt' } },
  { title: 'with marks that are special tokens', format: of('deepseek-v3'), opened: true, special: [B, E, C, D, S], text: `Hm</think>${B}${C}function${S}add\n\`\`\`json\n{"a": 1}\n\`\`\`${D}${E}`, is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'a call of DeepSeek V3.1', format: of('deepseek-v3.1'), text: `${B}${C}add${S}{"a": 1}${D}${C}weather${S}{}${D}${E}`, is: { said: '', calls: [['add', '{"a": 1}'], ['weather', '{}']] } },
  { title: 'one that was not offered', format: of('deepseek-v3.1'), text: `${B}${C}delete${S}{"a": 1}${D}${E}`, is: { said: `${B}${C}delete${S}{"a": 1}${D}${E}`, calls: [] } },
  { title: 'one without a separator', format: of('deepseek-v3.1'), text: `${B}${C}add${D}${E}`, is: { said: `${B}${C}add${D}${E}`, calls: [] } },
  { title: 'arguments cut off', format: of('deepseek-v3.1'), text: `${B}${C}add${S}{"a": [1,`, is: { said: '', calls: [['add', '{"a": [1,']] } },
];

t.test('each format is read, whole and in any pieces', async (t) => readsAll(t, cases));

t.test('each mark has its sign before anything is read, for texts that come of many tokens at once', async (t) => {
  for (const [calls, special] of [
    ['hermes', ['<tool_call>', '</tool_call>']],
    ['llama', ['<|python_tag|>']],
    ['deepseek-v3', [B, E, C, D, S]],
    ['deepseek-v3.1', [B, E, C, D, S]],
    ['kimi-k2', ['<|tool_calls_section_begin|>', '<|tool_calls_section_end|>', '<|tool_call_begin|>', '<|tool_call_argument_begin|>', '<|tool_call_end|>']],
    ['qwen-coder', ['<tool_call>', '</tool_call>']],
    ['minimax-m2', ['<minimax:tool_call>', '</minimax:tool_call>']],
    ['glm-4.5', ['<tool_call>', '</tool_call>', '<arg_key>', '</arg_key>', '<arg_value>', '</arg_value>']],
    ['gemma-4', ['<|tool_call>', '<tool_call|>', '<|"|>', '<|tool_response>']],
    ['function-gemma', ['<start_function_call>', '<end_function_call>', '<escape>', '<start_function_response>']],
  ] as const) {
    const { marks } = reader(of(calls), { special: [...special, '<think>', '</think>'] });
    t.equal(marks.signs.size, special.length + 2, calls);
  }
  const harmony = ['<|start|>', '<|channel|>', '<|constrain|>', '<|message|>', '<|end|>', '<|call|>', '<|return|>'];
  t.equal(reader(formatOf('', { calls: 'harmony' }), { special: harmony }).marks.signs.size, harmony.length);
  t.equal(reader(formatOf('<|channel>thought'), { special: ['<|channel>', '<channel|>'] }).marks.as('<|channel>thought').length, 'xthought'.length, 'a mark may be a token and a word');
});

t.test('arguments come as they are written, and nothing that may be a mark is shown too early', async (t) => {
  const { reader: made } = reader(of('hermes'));
  t.same(made.push('Well <tool'), [{ kind: 'delta', text: 'Well' }]);
  t.ok(made.holds);
  t.same(made.push('s> or'), [{ kind: 'delta', text: ' <tools> or' }]);
  t.same(made.push('\n<tool_call>{"name": "add", '), []);
  t.same(made.push('"arguments": {"a": "xy'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'add', arguments: '{"a": "xy' }]);
  t.same(made.push('z'), [{ kind: 'tool_call', index: 0, arguments: 'z' }]);
  t.notOk(made.holds);
  t.same(made.push('"}}</tool_call>'), [{ kind: 'tool_call', index: 0, arguments: '"}' }]);
  t.ok(made.called);
  t.same(made.end(), []);
});

t.test('whatever comes, nothing is lost and nothing is called that was not offered', async (t) => {
  const random = seeded(9);
  const scraps = ['<tool_call>', '</tool_call>', '<think>', '</think>', '{"name": "add", ', '{"name": "none"', '"arguments": ', '{"a": 1}', '}', '{', '\n', ' ', 'x', '😀', '"', '\\', '[1,', B, C, S, D, E, '```json\n', 'add', '<', 'null', ';'];
  for (let i = 0; i < 3000; i++) {
    const format = of(random.pick(['hermes', 'llama', 'deepseek-v3', 'deepseek-v3.1'] as const), random.next() < 0.5);
    const text = Array.from({ length: 1 + Math.floor(random.next() * 12) }, () => random.pick(scraps)).join('');
    const whole = read(format, text, {}, (all) => [all.join('')]);
    const single = read(format, text);
    if (JSON.stringify(single) !== JSON.stringify(whole)) t.same(single, whole, text);
    const letters = (value: string): string => value.replace(/[^x😀]/gu, '');
    const kept = letters(whole.said + whole.thought + whole.calls.map(([, args]) => args).join(''));
    if (kept.length !== letters(text).length) t.equal(kept, letters(text), `${JSON.stringify(format)} ${text}`);
    for (const [name] of whole.calls) if (!NAMES.includes(name)) t.fail(`${name} was called`);
  }
});

t.test('arguments that are no JSON go on to the end where no mark closes the call', async (t) => {
  const parts = reader({ calls: 'llama' }).reader.push('{"name": "add", "parameters": {"a": x}} y');
  t.same(parts, [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'add', arguments: '{"a": x}} y' }]);
});

t.test('the format is found in the template, or stated', async (t) => {
  const of = (template: string, stated = {}): object => formatOf(template, stated);
  t.same(of('{% for message in messages %}{{ message.content }}{% endfor %}'), { calls: 'generic' });
  t.same(of("{% if tools %}<tool_call>\n{}</tool_call>{% endif %}{{ '<think>' }}"), { calls: 'hermes', thinking: THINKING });
  t.same(of('{% if tools %}<tool_call>\n<function=example>{% endif %}'), { calls: 'generic' });
  t.same(of('<|start_header_id|>{% if tools %}{"name": function name, "parameters": dictionary}{% endif %}<|python_tag|>'), { calls: 'llama' });
  t.same(of(`{{ '${B}${C}' + tool['type'] + '${S}' + '\`\`\`json' }}<think>`), { calls: 'deepseek-v3', thinking: THINKING });
  t.same(of(`{{ '${B}${C}' + tool.name + '${S}' }}`), { calls: 'deepseek-v3.1' });
  t.same(of('{% if tools %}[AVAILABLE_TOOLS]{% endif %}'), { calls: 'generic' });
  t.same(of('{% if tools %}<ns:tool_call>\n<invoke name="f">{% endif %}'), { calls: 'generic' }, 'elements inside <tool_call> are no JSON');
  t.same(of('{% if tools %}within <tool_call></tool_call>: <tool_calls>{{ calls }}</tool_calls>{% endif %}'), { calls: 'generic' }, 'nor is a list');
  t.same(of('<|start_header_id|>{% if tools %}<function=example>{"parameters"}</function>{% endif %}<|python_tag|>'), { calls: 'generic' }, 'nor are functions written as elements between the headers of Llama');
  t.same(of('<think>', { calls: 'llama', thinking: false }), { calls: 'llama' });
});
