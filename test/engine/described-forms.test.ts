// Owns that replies are read right in the forms that are described by their marks: lists, names with an object, elements with attributes and within each other, code of LFM2; and what stands around what is said.
// Refuses to know models, and what is common to all formats: test/engine/replies.test.ts does.

import t from 'tap';
import { formatOf, needsReader } from '../../src/engine/replies/format.ts';
import type { CallFormat } from '../../src/engine/replies/format.ts';
import { FORM_NAMES, FORMS } from '../../src/engine/replies/forms.ts';
import type { Form } from '../../src/engine/replies/forms.ts';
import { callsWritten } from '../../src/engine/replies/telling.ts';
import { seeded } from '../helpers/store-world.ts';
import { formatOfCalls, marksOfForm, NAMES, read, reader, readsAll, THINKING } from './reading.ts';
import type { Case } from './reading.ts';

const of = (calls: CallFormat): ReturnType<typeof formatOf> => formatOf('', { calls });
const thinking = (calls: CallFormat, open: string, close: string): ReturnType<typeof formatOf> => formatOf('', { calls, thinking: { open, close } });

const lists: readonly Case[] = [
  { title: 'a list of Mistral Nemo, with the id behind', format: of('mistral-list'), special: ['[TOOL_CALLS]'], text: 'So. [TOOL_CALLS][{"name": "weather", "arguments": {"city": "Ulm \\" ]"}, "id": "123456789"}]', is: { said: 'So.', calls: [['weather', '{"city": "Ulm \\" ]"}']], order: 'dt' } },
  { title: 'of several calls, with space before it', format: of('mistral-list'), text: '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}}, {"arguments": {"b": "x"}, "name": "add"}]', is: { said: '', calls: [['add', '{"a": 1}'], ['add', '{"b": "x"}']] } },
  { title: 'one of several, where one was asked for', format: of('mistral-list'), single: true, text: '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {}}]', is: { calls: [['add', '{"a": 1}']] } },
  { title: 'names and objects of Mistral Small 3.2', format: of('mistral'), special: ['[TOOL_CALLS]', '[CALL_ID]', '[ARGS]'], text: 'Yes.[TOOL_CALLS]weather[CALL_ID]000000001[ARGS]{"city": "Ulm"}[TOOL_CALLS]add[CALL_ID]000000002[ARGS]{"a": {"b": []}}', is: { said: 'Yes.', calls: [['weather', '{"city": "Ulm"}'], ['add', '{"a": {"b": []}}']] } },
  { title: 'without ids, behind a thought, as text', format: thinking('mistral', '[THINK]', '[/THINK]'), text: '[THINK]I could [TOOL_CALLS]add[ARGS]{"a": 1} so[/THINK][TOOL_CALLS]add[ARGS]{"a": 2}', is: { thought: 'I could [TOOL_CALLS]add[ARGS]{"a": 1} so', said: '', calls: [['add', '{"a": 2}']] } },
  { title: 'arguments that are no JSON', format: of('mistral'), text: '[TOOL_CALLS]add[ARGS]{"a": x} y', is: { said: '', calls: [['add', '{"a": x} y']] } },
  { title: 'arguments that are no JSON, before a mark that is a special token', format: of('mistral'), special: ['[TOOL_CALLS]'], text: '[TOOL_CALLS]add[ARGS]{"a": x}[TOOL_CALLS]add[ARGS]{}', is: { said: '', calls: [['add', '{"a": x}'], ['add', '{}']] } },
  { title: 'one that was not offered', format: of('mistral'), text: '[TOOL_CALLS]delete[ARGS]{"a": 1}', is: { said: '[TOOL_CALLS]delete[ARGS]{"a": 1}', calls: [] } },
  { title: 'a list of Nemotron v2', format: formatOfCalls('nemotron-v2'), opened: true, text: 'Hm\n</think>\n\n<TOOLCALL>[{"name": "add", "arguments": {"a": 1}}]</TOOLCALL>\n', is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'with a bracket too many', format: of('nemotron-v2'), text: '<TOOLCALL>[{"name": "add", "arguments": {"a": 1}}]]</TOOLCALL>!', is: { said: '!', calls: [['add', '{"a": 1}']] } },
  { title: 'the last brace forgotten', format: of('nemotron-v2'), text: '<TOOLCALL>[{"name": "add", "arguments": {"a": 1}]</TOOLCALL>', is: { said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'arguments that are no JSON, up to the mark', format: of('nemotron-v2'), text: '<TOOLCALL>[{"name": "add", "arguments": {"a": x}}]</TOOLCALL>!', is: { said: '!', calls: [['add', '{"a": x}}]']] } },
  { title: 'a second that was not offered is said', format: of('apriel'), text: '<tool_calls>[{"name": "add", "arguments": {}}, {"name": "delete", "arguments": {}}]</tool_calls>', is: { said: '{"name": "delete", "arguments": {}}]</tool_calls>', calls: [['add', '{}']] } },
  { title: 'a list of other things', format: of('apriel'), text: 'x <tool_calls>[1, 2]</tool_calls>', is: { said: 'x <tool_calls>[1, 2]</tool_calls>', calls: [] } },
  { title: 'Apriel 1.6, of which the prompt opens the thought', format: formatOf("{{ tools }}{{ 'Here are my reasoning steps:\\n' }}[BEGIN FINAL RESPONSE]<tool_calls>[{"), opened: true, text: 'Hm\n[BEGIN FINAL RESPONSE]\n<tool_calls>[{"name": "add", "arguments": {"a": 1}}]</tool_calls>', is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'objects of MiniMax M1, one a line', format: of('minimax-m1'), text: '<tool_calls>\n{"name": "add", "arguments": {"a": 1}}\n{"name": "add", "arguments": {}}\n</tool_calls>', is: { said: '', calls: [['add', '{"a": 1}'], ['add', '{}']] } },
  { title: 'actions of Command R7B, with ids in front', format: thinking('command-r7b', '<|START_THINKING|>', '<|END_THINKING|>'), special: ['<|START_THINKING|>', '<|END_THINKING|>', '<|START_ACTION|>', '<|END_ACTION|>'], text: '<|START_THINKING|>Hm<|END_THINKING|><|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "weather", "parameters": {"city": "Ulm"}},\n    {"tool_call_id": "1", "tool_name": "add", "parameters": {}}\n]<|END_ACTION|>', is: { thought: 'Hm', said: '', calls: [['weather', '{"city": "Ulm"}'], ['add', '{}']] } },
  { title: 'what it says, without the marks around it', format: thinking('command-r7b', '<|START_THINKING|>', '<|END_THINKING|>'), text: '<|START_THINKING|>Hm<|END_THINKING|><|START_RESPONSE|>Yes. <b><|END_RESPONSE|>', is: { thought: 'Hm', said: 'Yes. <b>' } },
  { title: 'and where nothing may be called', format: thinking('command-r7b', '<|START_THINKING|>', '<|END_THINKING|>'), names: [], text: '<|START_TEXT|>Yes.<|END_TEXT|>', is: { said: 'Yes.' } },
  { title: 'a call of Apertus, of which the key is the function', format: of('apertus'), text: '<|tools_prefix|>[{"add": {"a": [1, {"b": "}"}]}}, {"weather": {"city": "Ulm"}}]<|tools_suffix|>', is: { said: '', calls: [['add', '{"a": [1, {"b": "}"}]}'], ['weather', '{"city": "Ulm"}']] } },
  { title: 'one that was not offered', format: of('apertus'), text: '<|tools_prefix|>[{"delete": {}}]<|tools_suffix|>', is: { said: '<|tools_prefix|>[{"delete": {}}]<|tools_suffix|>', calls: [] } },
  { title: 'a list of Granite 3, and its response', format: formatOfCalls('granite-3'), text: '<think>Hm</think><response>Yes.</response><|tool_call|>[{"name": "add", "arguments": {}}]', is: { thought: 'Hm', said: 'Yes.', calls: [['add', '{}']] } },
  { title: 'FireFunction', format: of('firefunction'), text: ' functools[{"name": "add", "arguments": {"a": 1}}]', is: { said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'Command R+', format: of('command-r'), text: 'Action: ```json\n[\n    {\n        "tool_name": "add",\n        "parameters": {"a": 1}\n    }\n]```', is: { said: '', calls: [['add', '{"a": 1}']] } },
];
t.test('calls in lists, and names with an object', async (t) => readsAll(t, lists));

const seed = (body: string): string => `<seed:tool_call>\n<function=weather>\n${body}</function>\n</seed:tool_call>`;
const dsml = (calls: string, body: string): string => `<｜DSML｜${calls}>\n<｜DSML｜invoke name="weather">\n${body}</｜DSML｜invoke>\n</｜DSML｜${calls}>`;
const city = (value: string): string => `<｜DSML｜parameter name="city" string="true">${value}</｜DSML｜parameter>\n`;
const kimi = (name: string, ...values: readonly (readonly [key: string, type: string, value: string])[]): string =>
  `<|open|>call tool="${name}" index="1"<|sep|>${values.map(([key, type, value]) => `<|open|>argument key="${key}" type="${type}"<|sep|>${value}<|close|>argument<|sep|>`).join('')}<|close|>call<|sep|>`;
const KIMI_MARKS = ['<|open|>', '<|sep|>', '<|close|>'];
const NS = ']<]minimax[>[';
const NESTED = { type: 'object', properties: { tags: { type: 'array', items: { type: 'string' } }, entries: { type: 'array', items: { $ref: '#/$defs/entry' } }, at: { anyOf: [{ type: 'integer' }, { $ref: '#/$defs/entry' }] }, city: { type: 'string' }, none: { type: 'array' } }, $defs: { entry: { type: 'object', properties: { id: { type: 'integer' }, item: { type: 'string' }, at: { type: 'string' } } } } };
/** Elements of MiniMax M3 in short: each bracket has its namespace. */
const m3 = (text: string): string => text.replaceAll('<', `${NS}<`);
const nested = (body: string): string => m3(`<tool_call>\n<invoke name="weather">${body}</invoke>\n</tool_call>`);

const elements: readonly Case[] = [
  { title: 'Seed-OSS', format: thinking('seed-oss', '<seed:think>', '</seed:think>'), text: `<seed:think>Hm</seed:think>\nSo.\n${seed('<parameter=city>a\n"b"\n</parameter>\n<parameter=days>3</parameter>\n')}`, is: { thought: 'Hm', said: 'So.', calls: [['weather', '{"city": "a\\n\\"b\\"\\n", "days": 3}']] } },
  { title: 'DeepSeek V3.2, where an attribute says what is text', format: formatOfCalls('deepseek-v3.2'), opened: true, tools: [], text: `Hm</think>So.\n\n${dsml('function_calls', `${city('12')}<｜DSML｜parameter name="days" string="false">[1, {"a": "b"}]</｜DSML｜parameter>\n`)}`, is: { thought: 'Hm', said: 'So.', calls: [['weather', '{"city": "12", "days": [1, {"a": "b"}]}']] } },
  { title: 'DeepSeek V4, of which the inner mark is a special token', format: of('deepseek-v4'), special: ['｜DSML｜'], text: dsml('tool_calls', city('a <b> "c"')), is: { said: '', calls: [['weather', '{"city": "a <b> \\"c\\""}']] } },
  { title: 'a thought that was not closed', format: formatOfCalls('deepseek-v4'), opened: true, text: `Hm\n\n${dsml('tool_calls', city('Ulm'))}`, is: { thought: 'Hm', said: '', calls: [['weather', '{"city": "Ulm"}']], order: 'rt' } },
  { title: 'Kimi K3', format: of('kimi-k3'), special: KIMI_MARKS, opened: true, text: `Hm<|close|>think<|sep|><|open|>response<|sep|>On it.<|close|>response<|sep|><|open|>tools<|sep|>${kimi('weather', ['city', 'string', '12'], ['days', 'number', '3'])}${kimi('add')}<|close|>tools<|sep|><|close|>message<|sep|>`, is: { thought: 'Hm', said: 'On it.', calls: [['weather', '{"city": "12", "days": 3}'], ['add', '{}']] } },
  { title: 'its words in a text', format: of('kimi-k3'), names: [], text: '<|open|>response<|sep|>Use the response tag, then message <|open|> the handler.<|close|>response<|sep|><|close|>message<|sep|>', is: { said: 'Use the response tag, then message <|open|> the handler.' } },
  { title: 'a response in a thought that was not closed', format: of('kimi-k3'), opened: true, text: 'Hm<|open|>response<|sep|>Yes.<|close|>response<|sep|>', is: { thought: 'Hm', said: 'Yes.' } },
  { title: 'a key with quotes in it', format: of('kimi-k3'), tools: [], text: kimi('add', ['a &quot;b&quot;', 'boolean', 'true']), is: { calls: [['add', '{"a \\"b\\"": true}']] } },
  { title: 'Hunyuan 3', format: of('hunyuan-3'), text: '<think:opensource>Hm</think:opensource><tool_calls:opensource>\n<tool_call:opensource>weather<tool_sep:opensource>\n<arg_key:opensource>city</arg_key:opensource>\n<arg_value:opensource>Ulm</arg_value:opensource>\n</tool_call:opensource>\n</tool_calls:opensource>', is: { thought: 'Hm', said: '', calls: [['weather', '{"city": "Ulm"}']] } },
  { title: 'MiniCPM 5', format: formatOfCalls('minicpm5'), text: '<function name="weather"><param name="city">a <b> ]]></param><param name="days">3</param></function>\n<function name="add"></function>', is: { said: '', calls: [['weather', '{"city": "a <b> ]]>", "days": 3}'], ['add', '{}']] } },
  { title: 'a value in which no mark counts', format: of('minicpm5'), text: '<function name="weather"><param name="city"><![CDATA[<a>hi</a> </param>]]></param></function>', is: { said: '', calls: [['weather', '{"city": "<a>hi</a> </param>"}']] } },
  { title: 'its mark within a value', format: of('minicpm5'), text: '<function name="weather"><param name="city">x<![CDATA[y]]></param></function>', is: { calls: [['weather', '{"city": "x<![CDATA[y]]>"}']] } },
  { title: 'MiniMax M3', format: thinking('minimax-m3', '<mm:think>', '</mm:think>'), special: [NS], text: `<mm:think>Hm</mm:think>So.${nested('<city>Ulm < x</city><days>3</days>').replace(`Ulm ${NS}<`, 'Ulm <')}`, is: { thought: 'Hm', said: 'So.', calls: [['weather', '{"city": "Ulm < x", "days": 3}']] } },
  { title: 'lists and objects within each other', format: of('minimax-m3'), tools: [{ name: 'weather', parameters: NESTED }], text: nested('<tags><item>a</item><item>2</item></tags><entries><item><id>1</id><item>12</item></item></entries><at><id>7</id><at>x</at></at><none></none>'), is: { said: '', calls: [['weather', '{"tags": ["a", "2"], "entries": [{"id": 1, "item": "12"}], "at": {"id": 7, "at": "x"}, "none": []}']] } },
  { title: 'one of which nothing is known', format: of('minimax-m3'), tools: [], text: nested('<a><item>1</item><item>x</item></a><b><c>true</c></b><d>4</d>'), is: { calls: [['weather', '{"a": [1, "x"], "b": {"c": true}, "d": 4}']] } },
  { title: 'a thought that is closed and was not opened', format: thinking('minimax-m3', '<mm:think>', '</mm:think>'), text: '</mm:think>Hello', is: { thought: '', said: 'Hello' } },
  { title: 'a value cut off', format: of('minimax-m3'), text: m3('<tool_call>\n<invoke name="weather"><city>Ul'), is: { said: '', calls: [['weather', '{"city": "Ul']] } },
];
t.test('calls as elements, with attributes and within each other', async (t) => readsAll(t, elements));

const SOLAR_MARKS = ['<|think|>', '<|end|>', '<|begin|>', '<|content|>', '<|tool_calls|>', '<|calls|>', '<|tool_call:begin|>', '<|tool_call:name|>', '<|tool_call:args|>', '<|tool_call:end|>'];
const others: readonly Case[] = [
  { title: 'Functionary v3.1', format: of('functionary-v3.1'), text: 'So. <function=add>{"a": "</function>"}</function>', is: { said: 'So.', calls: [['add', '{"a": "</function>"}']] } },
  { title: 'Functionary v3.2 to everyone', format: of('functionary-v3.2'), text: 'all\nHello,\nworld >>> x', is: { said: 'Hello,\nworld >>> x', calls: [] } },
  { title: 'where nothing may be called', format: of('functionary-v3.2'), names: [], text: 'all\nHello', is: { said: 'Hello' } },
  { title: 'a call, and another', format: of('functionary-v3.2'), text: 'weather\n{"city": "Ulm"}>>>add\n{"a": 1}', is: { said: '', calls: [['weather', '{"city": "Ulm"}'], ['add', '{"a": 1}']] } },
  { title: 'what was said before one', format: of('functionary-v3.2'), text: 'all\nSo.\n>>>add\n{}', is: { said: 'So.', calls: [['add', '{}']] } },
  { title: 'what was said ends as a mark begins', format: of('functionary-v3.2'), text: 'all\n<b>So</b>>>>>add\n{}>>>>weather\n{"city": "Ulm"}', is: { said: '<b>So</b>>>', calls: [['add', '{}'], ['weather', '{"city": "Ulm"}']] } },
  { title: 'a text without its head', format: of('functionary-v3.2'), text: 'Hello\nworld', is: { said: 'Hello\nworld' } },
  { title: 'a text that ends in its head', format: of('functionary-v3.2'), text: 'Hello', is: { said: 'Hello' } },
  { title: 'a text to everyone where one call is asked for', format: of('functionary-v3.2'), single: true, text: 'all\nSo.>>>add\n{"a": 1}>>>add\n{}', is: { said: 'So.', calls: [['add', '{"a": 1}']] } },
  { title: 'GigaChat 3', format: of('gigachat3'), text: 'So.<|message_sep|>\n\nfunction call<|role_sep|>\n{"name": "add", "arguments": {"a": 1}}', is: { said: 'So.', calls: [['add', '{"a": 1}']] } },
  { title: 'GigaChat 3.1', format: of('gigachat3.1'), special: ['<|function_call|>'], text: 'So.<|function_call|>{"name": "add", "arguments": {"a": 1}}', is: { said: 'So.', calls: [['add', '{"a": 1}']] } },
  { title: 'Solar Open, with the ids that it gives', format: of('solar-open'), special: SOLAR_MARKS, text: '<|think|>Hm<|end|><|begin|>assistant<|tool_calls|><|tool_call:begin|>7a<|tool_call:name|>add<|tool_call:args|>{"a": 1}<|tool_call:end|><|calls|>', is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'and what it says', format: of('solar-open'), text: '<|think|>Hm<|end|><|begin|>assistant<|content|>Yes.<|end|>', is: { thought: 'Hm', said: 'Yes.' } },
  { title: 'code of LFM2', format: formatOfCalls('lfm2'), special: ['<|tool_call_start|>', '<|tool_call_end|>'], text: '<think>Hm</think>So.<|tool_call_start|>[weather(city="Ulm", days=2), add(a=1)]<|tool_call_end|>', is: { thought: 'Hm', said: 'So.', calls: [['weather', '{"city":"Ulm","days":2}'], ['add', '{"a":1}']] } },
  { title: 'a list of LFM2', format: of('lfm2'), text: '<|tool_call_start|>[{"name": "add", "arguments": {"a": 1}}]<|tool_call_end|>', is: { said: '', calls: [['add', '{"a": 1}']] } },
];
t.test('calls behind names and marks, and code', async (t) => readsAll(t, others));

const HERMES_CALL = '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>';
const doubts: readonly Case[] = [
  { title: 'a call ends a thought that is never closed', format: formatOfCalls('hermes'), opened: true, text: `Hm.\n${HERMES_CALL}`, is: { thought: 'Hm.', said: '', calls: [['add', '{"a": 1}']], order: 'rt' } },
  { title: 'with text behind it', format: formatOfCalls('hermes'), opened: true, text: `Hm.\n${HERMES_CALL}\nDone.`, is: { thought: 'Hm.', said: '\nDone.', calls: [['add', '{"a": 1}']] } },
  { title: 'and is thought in one that is closed later', format: formatOfCalls('hermes'), opened: true, text: `Or ${HERMES_CALL} so</think>${HERMES_CALL}`, is: { thought: `Or ${HERMES_CALL} so`, said: '', calls: [['add', '{"a": 1}']], order: 'rt' } },
  { title: 'also as special tokens', format: formatOfCalls('hermes'), special: ['<tool_call>', '</tool_call>', '</think>'], opened: true, text: `Or ${HERMES_CALL} so</think>No.`, is: { thought: `Or ${HERMES_CALL} so`, said: 'No.', calls: [] } },
  { title: 'a mark alone is thought', format: formatOfCalls('hermes'), opened: true, text: 'the mark <tool_call> is <tool_call><tool_call> one', is: { thought: 'the mark <tool_call> is <tool_call><tool_call> one', said: '', calls: [] } },
  { title: 'and so is a call that was not offered', format: formatOfCalls('hermes'), opened: true, text: '<tool_call>{"name": "delete"}</tool_call> x', is: { thought: '<tool_call>{"name": "delete"}</tool_call> x', calls: [] } },
  { title: 'a call cut off', format: formatOfCalls('hermes'), opened: true, text: 'Hm <tool_call>{"name": "add", "arguments": {"a": ', is: { thought: 'Hm', calls: [['add', '{"a": ']] } },
];
t.test('calls in thoughts', async (t) => readsAll(t, doubts));

t.test('arguments come as they are written', async (t) => {
  const form = (calls: CallFormat): ReturnType<typeof reader>['reader'] => reader(of(calls)).reader;
  const mistral = form('mistral');
  t.same(mistral.push('[TOOL_CALLS]weather[ARGS]'), []);
  t.same(mistral.push('{"ci'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'weather', arguments: '{"ci' }]);
  t.same(mistral.push('ty": "Ulm"}'), [{ kind: 'tool_call', index: 0, arguments: 'ty": "Ulm"}' }]);
  const command = form('command-r7b');
  t.same(command.push('<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "add"'), [{ kind: 'tool_call', index: 0, id: '0', name: 'add', arguments: '' }], 'the name as soon as it is known to be one');
  t.same(command.push(', "parameters": {"a": 1'), [{ kind: 'tool_call', index: 0, arguments: '{"a": 1' }]);
  t.same(command.push('}}, {"tool_call_id": "0", "tool_name": "add", "parameters": {'), [{ kind: 'tool_call', index: 0, arguments: '}' }, { kind: 'tool_call', index: 1, id: 'call_0', name: 'add', arguments: '{' }], 'an id that was given already is not given twice');
  const apertus = form('apertus');
  t.same(apertus.push('<|tools_prefix|>[{"add": {"a"'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'add', arguments: '{"a"' }]);
  const kimi3 = form('kimi-k3');
  t.same(kimi3.push('<|open|>call tool="weather" index="1"<|sep|><|open|>argument key="city" type="string"<|sep|>Ul'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'weather', arguments: '{"city": "Ul' }]);
  const minimax = form('minimax-m3');
  t.same(minimax.push(m3('<invoke name="weather"><city>Ul')), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'weather', arguments: '{"city": "Ul' }]);
  const lfm = form('lfm2');
  t.same(lfm.push('<|tool_call_start|>[add(a=1)]'), [], 'code is read when it is whole');
  t.same(lfm.push('<|tool_call_end|>'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'add', arguments: '{"a":1}' }]);
});

t.test('what is written in a form is read in it, with the marks as text and as special tokens', async (t) => {
  const calls = [{ name: 'weather', arguments: '{"city": "Zürich </x>]] \\"q\\"", "days": 3}' }, { name: 'add', arguments: '{}' }];
  for (const name of FORM_NAMES) {
    const form: Form = FORMS[name];
    const given = form.written.between === undefined ? calls.slice(0, 1) : calls;
    const text = callsWritten(name, given) ?? '';
    for (const special of [[], marksOfForm(form)]) {
      const found = read(of(name), text, { special });
      t.same(found.calls.map(([called, args]) => ({ name: called, arguments: args })), given, `${name}: ${text}`);
      t.equal(found.said, '', name);
      const { reader: one, marks } = reader(of(name), { special, single: true });
      const parts = one.push(special.reduce((all, mark) => all.replaceAll(mark, marks.as(mark)), text));
      t.equal(parts.filter((part) => part.kind === 'tool_call' && part.name !== undefined).length, 1, `${name}: one call where one is asked for`);
      // The end of a list is waited for, and so is what closes the last call.
      t.equal([...parts, ...one.end()].filter((part) => part.kind === 'delta' && part.text.trim() !== '').length, 0, name);
      t.ok(one.called && one.over, `${name}: and the reply is over`);
    }
  }
});

t.test('whatever comes, nothing is called that was not offered, and pieces make no difference', async (t) => {
  const random = seeded(12);
  const common = ['add', 'weather', ' ', '\n', 'x', '😀', '{"a": 1}', '{', '}', '[', ']', ',', '"', 'city', '>', '<think>', '</think>', '{"name": "add", "arguments": ', '{"name": "delete", "arguments": {}}', 'a=1', '(', ')'];
  for (let i = 0; i < 3000; i++) {
    const calls = random.pick(FORM_NAMES);
    const form: Form = FORMS[calls];
    const pieces = [...form.opens, ...(form.around ?? []), ...form.written.begin, ...form.written.end].map((mark) => (typeof mark === 'string' ? mark : mark.join(''))).filter((piece) => piece !== '');
    const scraps = [...common, ...pieces, ...pieces, ...form.written.call.map((piece) => (typeof piece === 'string' ? piece : piece.of === 'name' ? 'add' : '{"a": 1}'))];
    const text = Array.from({ length: 1 + Math.floor(random.next() * 14) }, () => random.pick(scraps)).join('');
    const how = { special: random.next() < 0.5 ? marksOfForm(form) : [], opened: random.next() < 0.3 };
    const format = { calls, thinking: THINKING };
    const whole = read(format, text, how, (all) => [all.join('')]);
    const single = read(format, text, how);
    if (JSON.stringify(single) !== JSON.stringify(whole)) t.same(single, whole, `${calls} ${text}`);
    for (const [name] of whole.calls) if (!NAMES.includes(name)) t.fail(`${name} was called`);
  }
});

t.test('which form it is, is seen in the template', async (t) => {
  const calls = (template: string): CallFormat => formatOf(`{{ tools }}${template}`).calls;
  t.equal(calls("{{ '[TOOL_CALLS][' }}"), 'mistral-list');
  t.equal(calls("{{ '[TOOL_CALLS]' + name + '[ARGS]' + arguments }}"), 'mistral');
  t.equal(calls('<tool_calls>[{'), 'apriel');
  t.equal(calls('<tool_calls>\\n{"name"'), 'minimax-m1');
  t.equal(calls("{%- set ns = ']<]minimax[>[' -%}<tool_call><invoke name="), 'minimax-m3');
  t.equal(calls("{% set dsml = '｜DSML｜' %}{{ '<' + dsml + 'function_calls>' }}"), 'deepseek-v3.2');
  t.equal(calls("{% set dsml = '｜DSML｜' %}{{ '<' + dsml + 'tool_calls>' }}"), 'deepseek-v4');
  t.equal(calls('List of tools: <|im_start|>'), 'lfm2');
  t.equal(formatOf('{{ functions }}functools[').calls, 'firefunction', 'which names tools otherwise');
  t.same(formatOf("{{ tools }}[TOOL_CALLS][ARGS][THINK]"), { calls: 'mistral', thinking: { open: '[THINK]', close: '[/THINK]' } });
  t.match(formatOf("{{ tools }}{{ open_tag('call') }}").thinking, { open: '<|open|>think<|sep|>' }, 'marks of thoughts that a template does not spell out');
  t.ok(needsReader(of('functionary-v3.2')), 'of which every reply has a head');
  t.notOk(needsReader(of('mistral')));
});
