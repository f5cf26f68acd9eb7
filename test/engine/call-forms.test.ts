// Owns that replies are read right in the forms in which each family of models writes calls of its own: elements, dictionaries, ids, channels, code.
// Refuses to know models, and what is common to all formats: test/engine/replies.test.ts does.

import t from 'tap';
import { formatOf } from '../../src/engine/replies/format.ts';
import type { CallFormat } from '../../src/engine/replies/format.ts';
import { seeded } from '../helpers/store-world.ts';
import { formatOfCalls as of, NAMES, read, reader, readsAll, THINKING } from './reading.ts';
import type { Case } from './reading.ts';

const HARMONY = formatOf('{{ tools }}<|start|><|channel|><|message|>');
const GEMMA_4 = formatOf('{{ tools }}<|tool_call><tool_call|><|channel>thought\n<channel|>');
const KIMI_MARKS = ['<|tool_calls_section_begin|>', '<|tool_calls_section_end|>', '<|tool_call_begin|>', '<|tool_call_argument_begin|>', '<|tool_call_end|>'];
const [KB, KE, KC, KS, KD] = KIMI_MARKS;
const HARMONY_MARKS = ['<|start|>', '<|channel|>', '<|constrain|>', '<|message|>', '<|end|>', '<|call|>', '<|return|>'];
const GEMMA_MARKS = ['<|tool_call>', '<tool_call|>', '<|"|>', '<|channel>', '<channel|>', '<|tool_response>'];
const coder = (name: string, ...parameters: readonly (readonly [string, string])[]): string =>
  `<tool_call>\n<function=${name}>\n${parameters.map(([key, value]) => `<parameter=${key}>\n${value}\n</parameter>\n`).join('')}</function>\n</tool_call>`;
const glm = (name: string, ...parameters: readonly (readonly [string, string])[]): string => `<tool_call>${name}\n${parameters.map(([key, value]) => `<arg_key>${key}</arg_key>\n<arg_value>${value}</arg_value>\n`).join('')}</tool_call>`;
const invoke = (name: string, ...parameters: readonly (readonly [string, string])[]): string => `<invoke name="${name}">\n${parameters.map(([key, value]) => `<parameter name="${key}">${value}</parameter>\n`).join('')}</invoke>\n`;
const minimax = (...calls: readonly string[]): string => `<minimax:tool_call>\n${calls.join('')}</minimax:tool_call>`;
const code = (text: string): string => `\`\`\`tool_code\n${text}\n\`\`\``;
const analysis = (text: string): string => `<|channel|>analysis<|message|>${text}<|end|><|start|>assistant`;
const toFunction = (name: string, args: string): string => `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${args}<|call|>`;

const elements: readonly Case[] = [
  { title: 'a call of Qwen3-Coder', format: of('qwen-coder'), text: coder('weather', ['city', 'Zürich "x" 😀'], ['days', '3']), is: { said: '', calls: [['weather', '{"city": "Zürich \\"x\\" 😀", "days": 3}']], order: 't' } },
  { title: 'text of several lines', format: of('qwen-coder'), text: coder('weather', ['city', '\na <b>\n\nc </p\n']), is: { calls: [['weather', '{"city": "\\na <b>\\n\\nc </p\\n"}']], said: '' } },
  { title: 'text that looks like JSON stays text where the schema says text', format: of('qwen-coder'), text: coder('weather', ['city', '{"a": 1}'], ['unit', 'C'], ['at', '12']), is: { calls: [['weather', '{"city": "{\\"a\\": 1}", "unit": "C", "at": "12"}']] } },
  { title: 'and null where it may be null', format: of('qwen-coder'), text: coder('weather', ['at', 'null'], ['at', 'noon']), is: { calls: [['weather', '{"at": null, "at": "noon"}']] } },
  { title: 'lists, and words of Python', format: of('qwen-coder'), text: coder('weather', ['places', '["Ulm", 1]'], ['places', 'None'], ['places', 'Ulm and Bern']), is: { calls: [['weather', '{"places": ["Ulm", 1], "places": null, "places": "Ulm and Bern"}']] } },
  { title: 'lists and objects of Python, where there can be no text', format: of('qwen-coder'), text: coder('weather', ['places', "['Ulm', True, {'n': None}]"], ['at', "['Ulm']"]), is: { calls: [['weather', '{"places": ["Ulm",true,{"n":null}], "at": "[\'Ulm\']"}']] } },
  { title: 'schemas as OpenAPI has them, and references that lead nowhere', format: of('qwen-coder'), tools: [{ name: 'add', parameters: { properties: { a: { type: 'string', nullable: true }, b: { $ref: '#/%ff' }, c: { $ref: '#/constructor' } } } }], text: coder('add', ['a', 'null'], ['a', '1'], ['b', '2'], ['c', '3']), is: { calls: [['add', '{"a": null, "a": "1", "b": 2, "c": 3}']] } },
  { title: 'one of two types', format: of('qwen-coder'), text: coder('add', ['b', '2.5'], ['b', 'two'], ['b', '"2"']), is: { calls: [['add', '{"b": 2.5, "b": "two", "b": "\\"2\\""}']] } },
  { title: 'a value of which nothing is known is JSON where it may be', format: of('qwen-coder'), tools: [], text: coder('add', ['a', '7'], ['b', 'seven'], ['c', '"x"'], ['d', 'True']), is: { calls: [['add', '{"a": 7, "b": "seven", "c": "x", "d": true}']] } },
  { title: 'nothing given', format: of('qwen-coder'), text: coder('add'), is: { calls: [['add', '{}']], said: '' } },
  { title: 'an empty text', format: of('qwen-coder'), text: '<tool_call><function=weather><parameter=city></parameter></function></tool_call>', is: { calls: [['weather', '{"city": ""}']] } },
  { title: 'two calls, text before them', format: of('qwen-coder'), text: `I look.\n\n${coder('weather', ['city', 'Ulm'])}\n${coder('add', ['a', '1'])}\n`, is: { said: 'I look.', calls: [['weather', '{"city": "Ulm"}'], ['add', '{"a": 1}']], order: 'dtt' } },
  { title: 'the mark in front forgotten', format: of('qwen-coder'), text: `Yes.\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>`, is: { said: 'Yes.', calls: [['add', '{"a": 1}']] } },
  { title: 'one call of two, where one was asked for', format: of('qwen-coder'), single: true, text: coder('add') + coder('add'), is: { calls: [['add', '{}']], said: '' } },
  { title: 'arguments as JSON', format: of('qwen-coder'), text: '<tool_call>\n<function=add>\n{"a": "</function>"}\n</function>\n</tool_call>', is: { calls: [['add', '{"a": "</function>"}']], said: '' } },
  { title: 'a call of Hermes', format: of('qwen-coder'), text: 'So.\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>', is: { calls: [['add', '{"a": 1}']], said: 'So.' } },
  { title: 'and what is none', format: of('qwen-coder'), text: '<tool_call>{"a": 1}</tool_call> x {"name": "add"}', is: { calls: [], said: '<tool_call>{"a": 1}</tool_call> x {"name": "add"}' } },
  { title: 'a brace too many', format: of('qwen-coder'), text: '<tool_call>\n<function=add>\n{"a": 1}}\n</function>\n</tool_call>', is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'a value cut off', format: of('qwen-coder'), text: '<tool_call>\n<function=weather>\n<parameter=city>\nUl</par', is: { calls: [['weather', '{"city": "Ul</par']], said: '' } },
  { title: 'a number cut off', format: of('qwen-coder'), text: '<function=add><parameter=a>12', is: { calls: [['add', '{"a": "12']], said: '' } },
  { title: 'a name cut off', format: of('qwen-coder'), text: 'so <tool_call>\n<function=ad', is: { calls: [], said: 'so <tool_call>\n<function=ad' } },
  { title: 'a key cut off', format: of('qwen-coder'), text: '<function=add><parameter=a', is: { calls: [['add', '{"a']], said: '' } },
  { title: 'a function that was not offered', format: of('qwen-coder'), text: coder('delete', ['a', '1']), is: { said: coder('delete', ['a', '1']), calls: [] } },
  { title: 'a name in a text', format: of('qwen-coder'), text: 'Write <function=add> to call.', is: { said: 'Write <function=add> to call.', calls: [] } },
  { title: 'what is no parameter stays', format: of('qwen-coder'), text: '<function=add><parameter=a>1</parameter>oops<parameter=b>2</parameter></function>!', is: { calls: [['add', '{"a": 1oops<parameter=b>2</parameter>']], said: '!' } },
  { title: 'a value that was not closed, before marks that are special tokens', format: of('glm-4.5'), special: ['<tool_call>', '</tool_call>', '<arg_key>', '</arg_key>', '<arg_value>', '</arg_value>'], text: '<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Ulm<arg_key>days</arg_key><arg_value>2</tool_call>', is: { calls: [['weather', '{"city": "Ulm", "days": 2}']], said: '' } },

  { title: 'a call of GLM 4.5', format: of('glm-4.5'), text: `<think>Hm.</think>\n${glm('weather', ['city', ' Ulm\n'], ['days', '3'])}\n${glm('add')}`, is: { thought: 'Hm.', said: '', calls: [['weather', '{"city": " Ulm\\n", "days": 3}'], ['add', '{}']], order: 'rtt' } },
  { title: 'of GLM 4.7, without line breaks', format: of('glm-4.5'), special: ['<tool_call>', '</tool_call>'], text: 'So.<tool_call>weather<arg_key>city</arg_key><arg_value>Ulm</arg_value></tool_call>', is: { said: 'So.', calls: [['weather', '{"city": "Ulm"}']] } },
  { title: 'arguments as JSON', format: of('glm-4.5'), text: '<tool_call>add\n{"a": 1}\n</tool_call>', is: { said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'a mark in a text', format: of('glm-4.5'), text: `the mark <tool_call> is one; <tool_call>add<tool_call>add\n</tool_call>`, is: { said: 'the mark <tool_call> is one; <tool_call>add', calls: [['add', '{}']] } },

  { title: 'calls of MiniMax M2', format: of('minimax-m2'), opened: true, text: `Hm.\n</think>\n\nLet me see.\n${minimax(invoke('weather', ['city', 'Ulm & <Bern>'], ['places', '[1]']), invoke('add'))}`, is: { thought: 'Hm.', said: 'Let me see.', calls: [['weather', '{"city": "Ulm & <Bern>", "places": [1]}'], ['add', '{}']], order: 'rdtt' } },
  { title: 'marks that are special tokens', format: of('minimax-m2'), special: ['<minimax:tool_call>', '</minimax:tool_call>'], text: minimax(invoke('add', ['a', '1'])), is: { said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'one that was not offered', format: of('minimax-m2'), text: minimax(invoke('delete', ['a', '1'])), is: { said: minimax(invoke('delete', ['a', '1'])), calls: [] } },
];
t.test('calls whose parameters are elements', async (t) => readsAll(t, elements));

const others: readonly Case[] = [
  { title: 'calls of Kimi K2, with the ids that it gives', format: of('kimi-k2'), text: `I look.${KB}${KC}functions.weather:0${KS}{"city": "Ulm"}${KD}${KC}functions.add:1${KS}{}${KD}${KE}`, is: { said: 'I look.', calls: [['weather', '{"city": "Ulm"}'], ['add', '{}']], order: 'dtt' } },
  { title: 'marks that are special tokens', format: of('kimi-k2'), special: KIMI_MARKS, text: `<think>Hm</think>${KB}${KC}functions.add:7${KS}{"a": 1}${KD}${KE}`, is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'a thought that was not closed', format: of('kimi-k2'), special: KIMI_MARKS, text: `<think>Hm \n${KB}${KC}functions.add:7${KS}{"a": 1}${KD}${KE}`, is: { thought: 'Hm', said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'one that was not offered', format: of('kimi-k2'), text: `${KB}${KC}functions.delete:0${KS}{"a": 1}${KD}${KE}`, is: { said: `${KB}${KC}functions.delete:0${KS}{"a": 1}${KD}${KE}`, calls: [] } },

  { title: 'a call of Gemma 4', format: GEMMA_4, special: GEMMA_MARKS, text: '<|channel>thought\nHm.\n<channel|>So.<|tool_call>call:weather{city:<|"|>Ulm "x", {y}<|"|>,days:3,places:[<|"|>a<|"|>,{b:true,c:null},[]]}<tool_call|><|tool_call>call:add{}<tool_call|><|tool_response>x', is: { thought: 'Hm.', said: 'So.', calls: [['weather', '{"city": "Ulm \\"x\\", {y}", "days": 3, "places": ["a", {"b": true, "c": null}, []]}'], ['add', '{}']], order: 'rdtt' } },
  { title: 'marks that are text', format: of('gemma-4'), text: '<|tool_call>call:weather{city:<|"|>a<|b<|"|>}<tool_call|>', is: { said: '', calls: [['weather', '{"city": "a<|b"}']] } },
  { title: 'as JSON', format: of('gemma-4'), special: GEMMA_MARKS, text: '<|tool_call>call:weather{"city": "Ulm \\" x\\u00fc", "n": [-1.5e3]}<tool_call|>', is: { said: '', calls: [['weather', '{"city": "Ulm \\" x\\u00fc", "n": [-1.5e3]}']] } },
  { title: 'text without its marks, and words of Python', format: of('gemma-4'), special: GEMMA_MARKS, text: '<|tool_call>call:weather{city:New York, at: 12:30, ok:True}<tool_call|>', is: { calls: [['weather', '{"city": "New York", "at": "12:30", "ok": true}']] } },
  { title: 'what is no dictionary stays whole', format: of('gemma-4'), special: GEMMA_MARKS, text: '<|tool_call>call:add{a:1,{b}<tool_call|>!', is: { calls: [['add', '{"a": 1, {b}']], said: '!' } },
  { title: 'a text cut off', format: of('gemma-4'), text: '<|tool_call>call:weather{city:<|"|>Ul<|', is: { calls: [['weather', '{"city": "Ul<|']], said: '' } },
  { title: 'one that was not offered', format: of('gemma-4'), text: '<|tool_call>call:delete{a:1}<tool_call|>', is: { said: '<|tool_call>call:delete{a:1}<tool_call|>', calls: [] } },
  { title: 'a mark twice', format: of('gemma-4'), text: '<|tool_call><|tool_call>call:add{a:1}<tool_call|>', is: { said: '<|tool_call>', calls: [['add', '{"a": 1}']] } },
  { title: 'a call of FunctionGemma', format: of('function-gemma'), special: ['<start_function_call>', '<end_function_call>', '<escape>', '<start_function_response>'], text: '<start_function_call>call:weather{city:<escape>Ulm<escape>,days:2}<end_function_call><start_function_response>', is: { said: '', calls: [['weather', '{"city": "Ulm", "days": 2}']] } },

  { title: 'code of Gemma 3', format: of('generic'), text: `I look.\n${code('weather(city="Ulm", days=-2)')}`, is: { said: 'I look.', calls: [['weather', '{"city":"Ulm","days":-2}']], order: 'dt' } },
  { title: 'printed, assigned, in a list, by position, with comments', format: of('generic'), text: code('# first\nprint(weather("Ulm", 3))\nr = default_api.add(a=1.5, b=\'it\\\'s\')\n[add(), add(**{"a": 2})]'), is: { said: '', calls: [['weather', '{"city":"Ulm","days":3}'], ['add', '{"a":1.5,"b":"it\'s"}'], ['add', '{}'], ['add', '{"a":2}']], order: 'tttt' } },
  { title: 'literals', format: of('generic'), text: code('weather(city="""a\n"b" ü\\u00fc""", places=[1, (True, None), {"k": \'v\'},],)'), is: { calls: [['weather', '{"city":"a\\n\\"b\\" üü","places":[1,[true,null],{"k":"v"}]}']] } },
  { title: 'one of several, where one was asked for', format: of('generic'), single: true, text: code('add(a=1)\nadd(a=2)'), is: { calls: [['add', '{"a":1}']], said: '' } },
  { title: 'other code is text', format: of('generic'), text: code('x = 1 + add(a=1)'), is: { said: code('x = 1 + add(a=1)'), calls: [] } },
  { title: 'and so is a call that was not offered', format: of('generic'), text: `${code('add(a=1)\nexit()')} done`, is: { said: `${code('add(a=1)\nexit()')} done`, calls: [] } },
  { title: 'a block without its end', format: of('generic'), text: '```tool_code\nadd(a=1)', is: { calls: [['add', '{"a":1}']], said: '' } },
  { title: 'a block cut off', format: of('generic'), text: '```tool_code\nadd(a=', is: { calls: [], said: '```tool_code\nadd(a=' } },
  { title: 'JSON in a block', format: of('generic'), text: code('{"name": "add", "parameters": {"a": 1}}'), is: { calls: [['add', '{"a": 1}']], said: '' } },
  { title: 'a number that is too large to be kept', format: of('generic'), text: code('add(a=12345678901234567890)'), is: { calls: [], said: code('add(a=12345678901234567890)') } },
];
t.test('calls with ids, as dictionaries, as code', async (t) => readsAll(t, others));

const messages: readonly Case[] = [
  { title: 'a thought and an answer', format: HARMONY, text: `${analysis('Hm, <|x|>.')}<|channel|>final<|message|>Yes. <b>`, is: { thought: 'Hm, <|x|>.', said: 'Yes. <b>', order: 'rd' } },
  { title: 'a call', format: HARMONY, text: `${analysis('Look.')}${toFunction('weather', '{"city": "Ulm <|call|> x"}')}`, is: { thought: 'Look.', said: '', calls: [['weather', '{"city": "Ulm <|call|> x"}']], order: 'rt' } },
  { title: 'marks that are special tokens', format: HARMONY, special: HARMONY_MARKS, text: `${analysis('Look.')}<|channel|>commentary<|message|>I look it up.<|end|><|start|>assistant${toFunction('weather', '{"city": "Ulm"}')}`, is: { thought: 'Look.', said: 'I look it up.', calls: [['weather', '{"city": "Ulm"}']], order: 'rdt' } },
  { title: 'the recipient behind the role', format: HARMONY, special: HARMONY_MARKS, text: ' to=functions.add<|channel|>commentary json<|message|>{"a": 1}<|call|>', is: { said: '', calls: [['add', '{"a": 1}']] } },
  { title: 'and after a thought', format: HARMONY, special: HARMONY_MARKS, text: `<|channel|>analysis<|message|>Hm<|end|><|start|>assistant to=functions.add<|channel|>analysis<|message|>{}<|call|>`, is: { thought: 'Hm', said: '', calls: [['add', '{}']] } },
  { title: 'nothing given', format: HARMONY, special: HARMONY_MARKS, text: toFunction('add', ''), is: { calls: [['add', '{}']] } },
  { title: 'arguments that are no JSON', format: HARMONY, special: HARMONY_MARKS, text: toFunction('add', '{"a": x}'), is: { calls: [['add', '{"a": x}']] } },
  { title: 'arguments cut off', format: HARMONY, special: HARMONY_MARKS, text: '<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a": [1', is: { calls: [['add', '{"a": [1']], said: '' } },
  { title: 'a thought cut off', format: HARMONY, text: '<|channel|>analysis<|message|>Hm <|en', is: { thought: 'Hm <|en', said: '' } },
  { title: 'a head cut off', format: HARMONY, text: '<|channel|>analy', is: { thought: '', said: '' } },
  { title: 'a thought that the prompt opened', format: HARMONY, opened: true, text: 'Hm<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>', is: { thought: 'Hm', said: 'Yes' } },
  { title: 'text without channels is said', format: HARMONY, text: '{"a": "to=b"}', is: { said: '{"a": "to=b"}', thought: '' } },
  { title: 'and text that begins like a recipient', format: HARMONY, text: 'to=be or', is: { said: 'to=be or' } },
  { title: 'two thoughts, and messages to the user', format: HARMONY, special: HARMONY_MARKS, text: `${analysis('One.')}${analysis('Two.')}<|channel|>commentary<|message|>First.<|end|><|start|>assistant<|channel|>final<|message|>Last.<|return|>`, is: { thought: 'One.\n\nTwo.', said: 'First.\n\nLast.', order: 'rd' } },
  { title: 'two channels', format: HARMONY, special: HARMONY_MARKS, text: '<|channel|>commentary to=assistant<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.', is: { thought: 'Hm', said: 'Yes.' } },
  { title: 'a tool that was not offered', format: HARMONY, text: '<|channel|>commentary to=python code<|message|>print(1)<|call|>more', is: { said: '<|channel|>commentary to=python code<|message|>print(1)', calls: [] } },
  { title: 'nothing is offered', format: HARMONY, names: [], special: HARMONY_MARKS, text: toFunction('add', '{}'), is: { said: '<|channel|>commentary to=functions.add <|constrain|>json<|message|>{}', calls: [] } },
  { title: 'two calls', format: HARMONY, special: HARMONY_MARKS, text: `${toFunction('add', '{}').replace('<|call|>', '<|end|>')}<|start|>assistant${toFunction('weather', '{}')}`, is: { calls: [['add', '{}'], ['weather', '{}']], said: '' } },
  { title: 'one of them, where one was asked for', format: HARMONY, single: true, special: HARMONY_MARKS, text: `${toFunction('add', '{}').replace('<|call|>', '<|end|>')}<|start|>assistant${toFunction('weather', '{}')}`, is: { calls: [['add', '{}']], said: '' } },
  { title: 'where someone else speaks, the reply is over', format: HARMONY, special: HARMONY_MARKS, text: '<|channel|>final<|message|>Yes.<|end|><|start|>user<|message|>And?<|end|>', is: { said: 'Yes.' } },
];
t.test('messages of Harmony', async (t) => readsAll(t, messages));

t.test('the ids of Kimi K2 are the calls\' own, each once', async (t) => {
  const { reader: made } = reader(of('kimi-k2'));
  const parts = made.push(`${KB}${KC}functions.add:4${KS}{}${KD}${KC}functions.add:4${KS}{}${KD}${KC}add${KS}{}${KD}${KE}`);
  t.same(parts.flatMap((part) => (part.kind === 'tool_call' && part.id !== undefined ? [part.id] : [])), ['functions.add:4', 'call_0', 'add']);
});

t.test('text of parameters comes as it is written, all else when it is whole', async (t) => {
  const { reader: made } = reader(of('qwen-coder'));
  t.same(made.push('<tool_call>\n<function=weather>\n'), []);
  t.same(made.push('<parameter=city>\nUl'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'weather', arguments: '{"city": "Ul' }]);
  t.same(made.push('m\n'), [{ kind: 'tool_call', index: 0, arguments: 'm' }]);
  t.same(made.push('</parameter>\n<parameter=days>\n1'), [{ kind: 'tool_call', index: 0, arguments: '", "days": ' }]);
  t.same(made.push('2\n</parameter>\n</function>'), [{ kind: 'tool_call', index: 0, arguments: '12}' }]);
  t.notOk(made.over);
  t.same(made.push('\n</tool_call>'), []);
  const harmony = reader(HARMONY).reader;
  t.same(harmony.push('<|channel|>analysis<|message|>Hm'), [{ kind: 'reasoning', text: 'Hm' }]);
  t.ok(harmony.thinks);
  t.same(harmony.push('<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a'), [{ kind: 'tool_call', index: 0, id: 'call_0', name: 'add', arguments: '{"a' }]);
  t.notOk(harmony.thinks);
  t.same(harmony.push('": 1}'), [{ kind: 'tool_call', index: 0, arguments: '": 1}' }]);
  t.notOk(harmony.over);
  t.same(harmony.push('<|call|>'), []);
  t.ok(harmony.over && harmony.called);
});

const KINDS: readonly CallFormat[] = ['kimi-k2', 'qwen-coder', 'minimax-m2', 'glm-4.5', 'gemma-4', 'function-gemma', 'generic'];
t.test('whatever comes, nothing is lost and nothing is called that was not offered', async (t) => {
  const random = seeded(11);
  const scraps = [...KIMI_MARKS, ...GEMMA_MARKS.slice(0, 3), '<tool_call>', '</tool_call>', '<think>', '</think>', '<function=', 'add', 'add>', 'weather\n', '<parameter=city>', '<parameter=', '</parameter>', '</function>', '<invoke name="add">', '<parameter name="b">', '</invoke>', '<arg_key>', 'city</arg_key>', '<arg_value>', '</arg_value>', 'call:add', 'call:weather{', '{', '}', '{"a": ', '```tool_code\n', 'add(b="x")', '```', '<start_function_call>', '<escape>', '"', ':', ',', '[', ']', '\n', ' ', 'x', '😀', '1', '<', '\\'];
  for (let i = 0; i < 3000; i++) {
    const calls = random.pick(KINDS);
    const text = Array.from({ length: 1 + Math.floor(random.next() * 14) }, () => random.pick(scraps)).join('');
    const whole = read(of(calls), text, {}, (all) => [all.join('')]);
    const single = read(of(calls), text);
    if (JSON.stringify(single) !== JSON.stringify(whole)) t.same(single, whole, `${calls} ${text}`);
    const letters = (value: string): string => value.replace(/[^x😀]/gu, '');
    const kept = letters(whole.said + whole.thought + whole.calls.map(([, args]) => args).join(''));
    if (kept.length !== letters(text).length && !/<tool_response|function_response|x=|x<\/arg|x\(/.test(text)) t.equal(kept, letters(text), `${calls} ${text}`);
    for (const [name] of whole.calls) if (!NAMES.includes(name)) t.fail(`${name} was called`);
  }
  for (let i = 0; i < 2000; i++) {
    const parts = ['to=', 'functions.add', 'analysis', 'final', 'commentary', 'assistant', ...HARMONY_MARKS, 'x', ' ', '{"a": 1}', '<|', '😀'];
    const text = Array.from({ length: 1 + Math.floor(random.next() * 14) }, () => random.pick(parts)).join('');
    const how = random.next() < 0.5 ? { special: HARMONY_MARKS } : {};
    const whole = read(HARMONY, text, how, (all) => [all.join('')]);
    const single = read(HARMONY, text, how);
    if (JSON.stringify(single) !== JSON.stringify(whole)) t.same(single, whole, text);
    for (const [name] of whole.calls) if (!NAMES.includes(name)) t.fail(`${name} was called`);
  }
});

type Random = ReturnType<typeof seeded>;
const TEXTS = ['', ' ', 'Ulm', '\n', ' a\nb\n', '1', 'true', 'null', '"x"', "it's", '{"a": 1}', '[', '\\n', 'ü😀\u0001', '</p', '<tool_call', '<|', '}', ',:'];
function valueOf(random: Random, depth: number): unknown {
  switch (random.below(depth > 2 ? 4 : 6)) {
    case 0:
      return random.below(2000) - 1000;
    case 1:
      return random.pick([true, false, null, 0.5, -1e21]);
    case 2:
    case 3:
      return random.pick(TEXTS) + random.pick(TEXTS);
    case 4:
      return Array.from({ length: random.below(4) }, () => valueOf(random, depth + 1));
    default:
      return objectOf(random, depth + 1);
  }
}
const objectOf = (random: Random, depth = 0): Record<string, unknown> => Object.fromEntries(['city', 'n', 'a_b', 'Ort'].filter(() => random.next() < 0.5).map((key) => [key, valueOf(random, depth)]));
const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
/** Text as it is, all else as JSON: as templates write the values of elements. */
const parameters = (args: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] => Object.entries(args).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]);
/** As Gemma's templates write them. */
function dictionary(value: unknown, quote: string): string {
  if (typeof value === 'string') return quote + value + quote;
  if (Array.isArray(value)) return `[${value.map((item) => dictionary(item, quote)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, item]) => `${key}:${dictionary(item, quote)}`).join(',')}}`;
  return JSON.stringify(value);
}
/** As Python prints them. */
function python(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, item]) => `'${key}': ${python(item)}`).join(', ')}}`;
  const words = new Map<unknown, string>([[true, 'True'], [false, 'False'], [null, 'None']]);
  return words.get(value) ?? JSON.stringify(value);
}
const WRITERS: readonly (readonly [CallFormat, (args: Readonly<Record<string, unknown>>) => string])[] = [
  ['qwen-coder', (args) => coder('weather', ...parameters(args))],
  ['minimax-m2', (args) => minimax(invoke('weather', ...parameters(args)))],
  ['glm-4.5', (args) => glm('weather', ...parameters(args))],
  ['gemma-4', (args) => `<|tool_call>call:weather${dictionary(args, '<|"|>')}<tool_call|>`],
  ['function-gemma', (args) => `<start_function_call>call:weather${dictionary(args, '<escape>')}<end_function_call>`],
  ['generic', (args) => code(`weather(${Object.entries(args).map(([key, value]) => `${key}=${python(value)}`).join(', ')})`)],
];
t.test('arguments are read as what they were before they were written, whatever they are', async (t) => {
  const random = seeded(12);
  for (let i = 0; i < 300; i++)
    for (const [calls, write] of WRITERS) {
      const args = objectOf(random);
      const properties = Object.fromEntries(Object.entries(args).map(([key, value]) => [key, { type: typeOf(value) }]));
      const { calls: found, said } = read(of(calls), write(args), { tools: [{ name: 'weather', parameters: { type: 'object', properties } }] });
      if (found.length !== 1 || said !== '') t.fail(`${calls} ${write(args)}: ${found.length} calls, ${said}`);
      else if (JSON.stringify(JSON.parse(found[0][1])) !== JSON.stringify(args)) t.same(JSON.parse(found[0][1]), args, `${calls} ${write(args)}`);
    }
});

t.test('which format it is, is seen in the template', async (t) => {
  const calls = (template: string): CallFormat => formatOf(template).calls;
  t.equal(calls('{% if tools %}{% endif %}<|im_user|>user<|im_middle|>{{ "<|im_system|>tool_declare<|im_middle|>" }}'), 'kimi-k2');
  t.equal(calls('{{ tools }}<|tool_calls_section_begin|><|tool_call_begin|>'), 'kimi-k2');
  t.equal(calls('{{ tools }}<|tool_call_begin|>{% set _ = queue.ids.append(id) %}'), 'kimi-k2', 'one that changes lists');
  t.same(formatOf('{{ tools }}<tool_call>\n<function=example>\n<parameter=a>\n{{ "<think>" }}'), { calls: 'qwen-coder', thinking: THINKING });
  t.equal(calls('{{ tools }}<minimax:tool_call>\n<invoke name="f">\n<parameter name="k">'), 'minimax-m2');
  t.equal(calls('{{ tools }}<tool_call>{function-name}\n<arg_key>{k}</arg_key>'), 'glm-4.5');
  t.same(GEMMA_4, { calls: 'gemma-4', thinking: { open: '<|channel>thought', close: '<channel|>', twice: '<|channel>' } });
  t.equal(calls('{{ tools }}<start_function_call>call:'), 'function-gemma');
  t.same(HARMONY, { calls: 'harmony', thinking: { open: '<|channel|>analysis<|message|>', close: '<|end|>' } });
  t.same(formatOf('', { calls: 'harmony', thinking: false }), HARMONY, 'its channels are read in any case');
  t.equal(calls('<start_of_turn>user'), 'generic', 'Gemma 3 knows no tools');
});
