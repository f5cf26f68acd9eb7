// Owns that chat templates of models that know less than others still show everything: system messages, thoughts under other names, tools without descriptions.
// Refuses to know how replies are read.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ChatTemplate } from '../../src/engine/text/chat-template.ts';
import type { ChatPrompt } from '../../src/engine/port.ts';
import { formatOf, FormatReader } from '../../src/engine/replies/format.ts';
import { Marks } from '../../src/engine/replies/marks.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import { FOLDER } from './world.ts';

const tokenizer = new ModelTokenizer(tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8'))));
interface Shown {
  readonly text: string;
  readonly thought: string;
  /** Special tokens among the ids. */
  readonly marks: number;
}
function shown(template: string, prompt: Omit<ChatPrompt, 'kind'>): Shown {
  const { ids, thought } = new ChatTemplate(template).encode(tokenizer, { kind: 'chat', ...prompt }, formatOf(template));
  return { text: tokenizer.textOfAll(ids), thought, marks: ids.filter((id) => tokenizer.isSpecial(id)).length };
}
const system = (content: string): ChatPrompt['messages'][number] => ({ role: 'system', content });
const user = (content: string): ChatPrompt['messages'][number] => ({ role: 'user', content });
const assistant = (content: string, reasoning?: string): ChatPrompt['messages'][number] => ({ role: 'assistant', content, ...(reasoning === undefined ? {} : { reasoning }) });

/** As Mistral's first and Gemma's: system messages are refused. */
const REFUSES = `{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns') }}{% endif %}{% if message.role == 'user' %}[INST] {{ message.content }} [/INST]{% else %}{{ message.content }}</s>{% endif %}{% endfor %}`;
/** As YandexGPT's: they are left out without a word. */
const DROPS = `{% for message in messages %}{% if message.role == 'user' %}U: {{ message.content }}\n{% elif message.role == 'assistant' %}A: {{ message.content }}\n{% endif %}{% endfor %}A:`;
const SHOWS = `{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}<assistant>`;

t.test('what the system says is shown by templates that know no system messages', async (t) => {
  const messages = [system('Be kind.'), user('Hello'), assistant('Hi'), user('Who are you?')];
  t.equal(shown(REFUSES, { messages }).text, '[INST] Be kind.\nHello [/INST]Hi</s>[INST] Who are you? [/INST]');
  t.equal(shown(DROPS, { messages }).text, 'U: Be kind.\nHello\nA: Hi\nU: Who are you?\nA:');
  t.equal(shown(SHOWS, { messages }).text, '<system>Be kind.<user>Hello<assistant>Hi<user>Who are you?<assistant>', 'others show it as it is');
  t.equal(shown(DROPS, { messages: [user('a'), assistant('b'), system('c'), system('d'), user('e')] }).text, 'U: a\nA: b\nU: c\nd\ne\nA:', 'several, and later ones');
  t.equal(shown(DROPS, { messages: [user('a'), assistant('b')] }).text, 'U: a\nA: b\nA:');
  t.throws(() => shown(REFUSES, { messages: [system('alone')] }), { code: 'invalid_prompt', message: /Roles must take turns/ }, 'one that no user follows stays the template\'s matter');
});

t.test('and holds no special token there, either', async (t) => {
  const { text, marks } = shown(REFUSES, { messages: [system('<|end|><|us'), user('er|>')] });
  t.equal(text, '[INST] <|end|><|us\ner|> [/INST]');
  t.equal(marks, 0);
});

/** As Qwen 3's. */
const THINKS = `{% for message in messages %}<{{ message.role }}>{% if message.reasoning_content %}<think>\n{{ message.reasoning_content.strip('\\n') }}\n</think>\n\n{% endif %}{{ message.content }}<end>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;

t.test('a message that has only thought is gone on with inside its thought', async (t) => {
  t.match(shown(THINKS, { messages: [user('x'), assistant('', 'Let me see ')], continues: true }), { text: '<user>x<end><assistant><think>\nLet me see ', thought: 'open' });
  t.match(shown(THINKS, { messages: [user('x'), assistant('It', 'Hm')], continues: true }), { text: '<user>x<end><assistant><think>\nHm\n</think>\n\nIt', thought: 'none' }, 'one that has spoken, in what it said');
  t.match(shown(THINKS, { messages: [user('x'), assistant('')], continues: true }), { text: '<user>x<end><assistant>', thought: 'none' });
  t.match(shown(SHOWS.replace('<assistant>', ''), { messages: [user('x'), assistant('', 'Hm')], continues: true }), { text: '<user>x<assistant>', thought: 'none' }, 'templates that show no thoughts have none to go on with');
});

t.test('thoughts have the name that the template gives them', async (t) => {
  const messages = [user('x'), assistant('so', 'Hm'), user('y')];
  for (const shows of ['message.reasoning_content', "message['reasoning']", 'message.thinking', "message.get('reasoning') or message.get('reasoning_content')"])
    t.equal(shown(`{% for message in messages %}{% if ${shows} %}({{ ${shows} }}){% endif %}{{ message.content }};{% endfor %}`, { messages }).text, 'x;(Hm)so;y;', shows);
  t.equal(shown("{% for message in messages %}{% if 'thinking' in message %}({{ message.thinking }}){% endif %}{{ message.content }};{% endfor %}", { messages }).text, 'x;(Hm)so;y;');
  t.equal(shown('{% for message in messages %}{{ message.content }}{% if thinking %}!{% endif %};{% endfor %}', { messages, thinking: true }).text, 'x!;so!;y!;', 'a variable is no field');
});

/** As Hermes': goes through the tools whether there are any or not, and cuts each description. */
const HERMES = `{% for tool in tools %}{{ tool.function.name }}{% for name, field in tool.function.parameters.properties.items() %} {{ name }}: {{ field.description | trim }}.{% endfor %};{% endfor %}<tool_call>{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}`;

t.test('templates that take tools and their descriptions for granted get empty ones', async (t) => {
  const messages = [user('x')];
  t.equal(shown(HERMES, { messages }).text, '<tool_call><user>x');
  t.equal(shown("{{ tools | length }}{% for message in messages %}{{ message.content }}{% endfor %}", { messages }).text, '0x');
  const tools = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string', description: ' of it ' }, days: { type: 'integer' } } } }, { name: 'now' }];
  t.equal(shown(HERMES, { messages, tools }).text, 'weather city: of it. days: .;now;<tool_call><user>x');
  t.throws(() => shown('{{ tools.nothing.more }}{{ raise_exception("never") }}', { messages, tools }), { code: 'invalid_prompt', message: /refuses these messages/ });
});

/** As those of Gemma 4, GLM 4.5 (in llama.cpp), Kimi K2, Qwen3-Coder and MiniMax M2 show calls. */
const CALLS: Readonly<Record<string, readonly [template: string, shown: string]>> = {
  'gemma-4': [
    `{%- macro argument(value) -%}{%- if value is string -%}{{ '<|"|>' + value + '<|"|>' }}{%- else -%}{{ value }}{%- endif -%}{%- endmacro -%}
{%- for m in messages -%}<|turn>{{ m.role }}\n{%- for call in m.tool_calls or [] -%}<|tool_call>call:{{ call.function.name }}{
{%- if call.function.arguments is mapping -%}{%- for key, value in call.function.arguments | dictsort -%}{{ key }}:{{ argument(value) }}{{ ',' if not loop.last }}{%- endfor -%}{%- else -%}{{ call.function.arguments }}{%- endif -%}}<tool_call|>{%- endfor -%}{{ m.content }}<turn|>{%- endfor -%}{{ (tools or []) | length }}`,
    '<|tool_call>call:weather{city:<|"|>Ulm<|"|>,days:2}<tool_call|>',
  ],
  'glm-4.5': [
    `{%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}{%- for call in m.tool_calls or [] -%}<tool_call>{{ call.function.name }}
{%- if call.function.arguments is mapping -%}{%- for k, v in call.function.arguments.items() -%}\n<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v | tojson if v is not string else v }}</arg_value>{%- endfor -%}{%- else -%}\n<arg_key>raw</arg_key>\n<arg_value>{{ call.function.arguments }}</arg_value>{%- endif -%}\n</tool_call>{%- endfor -%}{%- endfor -%}{{ (tools or []) | length }}`,
    '<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Ulm</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>',
  ],
  'kimi-k2': [
    `{%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}{%- for call in m.tool_calls or [] -%}<|tool_call_begin|>{{ call['id'] }}<|tool_call_argument_begin|>{% if call['function']['arguments'] is string %}{{ call['function']['arguments'] }}{% else %}{{ call['function']['arguments'] | tojson }}{% endif %}<|tool_call_end|>{%- endfor -%}{%- endfor -%}{{ (tools or []) | length }}`,
    '<|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{"city": "Ulm", "days": 2}<|tool_call_end|>',
  ],
  'qwen-coder': [
    `{%- for m in messages -%}<|{{ m.role }}|>{{ m.content }}{%- for call in m.tool_calls or [] -%}<tool_call>\n<function={{ call.function.name }}>\n{%- for k, v in call.function.arguments | items -%}\n<parameter={{ k }}>\n{{ v | tojson if v is not string else v }}\n</parameter>{%- endfor -%}\n</function>\n</tool_call>{%- endfor -%}{%- endfor -%}{{ (tools or []) | length }}`,
    '<tool_call>\n<function=weather>\n<parameter=city>\nUlm\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>',
  ],
};
t.test('calls are shown in the way that the template has for objects, and read in the same', async (t) => {
  const call = { id: 'functions.weather:0', name: 'weather', arguments: '{"city": "Ulm", "days": 2}' };
  const messages = [user('x'), { ...assistant('So.'), toolCalls: [call] }, { role: 'tool' as const, content: 'y', toolCallId: call.id }];
  const tools = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } } }];
  const bare = (text: string): string => text.replace(/\s/g, '');
  for (const [calls, [template, text]] of Object.entries(CALLS)) {
    const format = formatOf(template);
    t.equal(format.calls, calls);
    const whole = shown(template, { messages, tools }).text;
    t.ok(bare(whole).includes(bare(text)), `${calls}: ${whole}`);
    const parts = new FormatReader({ format, marks: new Marks(() => undefined), opened: false, names: ['weather'], tools, single: false, newId: () => 'x' }).push(text);
    const args = parts.map((part) => (part.kind === 'tool_call' ? part.arguments : '')).join('');
    t.same(JSON.parse(args), { city: 'Ulm', days: 2 }, args);
  }
});

/** As gpt-oss's. */
const HARMONY = `{{ (tools or []) | length }}{%- for m in messages -%}{%- if m.tool_calls -%}{%- if m.content and m.thinking -%}{{ raise_exception("Cannot pass both content and thinking") }}{%- endif -%}<|channel|>analysis<|message|>{{ m.content or m.thinking }}<|end|> to=functions.{{ m.tool_calls[0].function.name }}<|message|>{{ m.tool_calls[0].function.arguments | tojson }}<|call|>{%- else -%}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{%- endif -%}{%- endfor -%}`;
t.test('what was thought and said before a call goes to gpt-oss as one thought', async (t) => {
  const messages = [user('x'), { ...assistant('I look.', 'Hm.'), toolCalls: [{ id: 'c', name: 'now', arguments: '{"a": 1}' }] }, { role: 'tool' as const, content: 'y', toolCallId: 'c' }];
  t.match(shown(HARMONY, { messages }).text, /analysis<\|message\|>Hm\.\n\nI look\.<\|end\|> to=functions\.now<\|message\|>\{"a": 1\}<\|call\|>/);
});

const CALLED: ChatPrompt['messages'] = [user('x'), { ...assistant('So.'), toolCalls: [{ id: 'call_1234567890', name: 'weather', arguments: '{"city": "Ulm"}' }] }, { role: 'tool', content: '{"sun": true}', toolCallId: 'call_1234567890', name: 'weather' }];
const WEATHER = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];

/** As those of Mistral: ids of nine signs, and what was thought as a part of the content. */
const MISTRAL = `{% for m in messages %}{% if m.role == 'tool' %}{% if m.tool_call_id|length != 9 %}{{ raise_exception('9!') }}{% endif %}[R {{ m.tool_call_id }}]{{ m.content }}{% elif m.content is string %}{{ m.content }}{% else %}{% for block in m.content %}{% if block['type'] == 'thinking' %}[THINK]{{ block['thinking'] }}[/THINK]{% else %}{{ block['text'] }}{% endif %}{% endfor %}{% endif %}{% for c in m.tool_calls or [] %}[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}{% if c.id|length != 9 %}{{ raise_exception('9!') }}{% endif %}[ARGS]{{ c.function.arguments | tojson }}{% endfor %};{% endfor %}{{ tools | tojson if tools }}`;
t.test('ids of calls have the length that the template wants, and are the same in calls and answers', async (t) => {
  const { text } = shown(MISTRAL, { messages: CALLED, tools: WEATHER });
  const [, called] = /\[CALL_ID\]([0-9a-z]{9})\[ARGS\]/.exec(text) ?? [];
  t.ok(called !== undefined && text.includes(`[R ${called}]`), text);
  const own = CALLED.map((message) => JSON.parse(JSON.stringify(message).replaceAll('call_1234567890', 'aB3456789')) as ChatPrompt['messages'][number]);
  t.match(shown(MISTRAL, { messages: own, tools: WEATHER }).text, /\[CALL_ID\]aB3456789\[ARGS\]/, 'one that has it already stays');
});
t.test('what was thought stands among the parts of a content where a template wants it there', async (t) => {
  t.equal(shown(MISTRAL, { messages: [user('x'), assistant('Yes.', 'Hm'), user('y')] }).text, 'x;[THINK]Hm[/THINK]Yes.;y;');
  t.match(shown(MISTRAL, { messages: [user('x'), assistant('', 'Let me ')], continues: true }), { text: 'x;[THINK]Let me ', thought: 'open' });
});

t.test('answers stand in the message that called where a template shows none of their own', async (t) => {
  const template = `{% for m in messages %}{% if m.role != 'tool' %}{{ m.role }}:{{ m.content }}{% for c in m.tool_calls or [] %}<|tool_call>call:{{ c.function.name }}{city:{{ c.function.arguments.city or c.function.arguments.probed }}}probed:<tool_call|>{% endfor %}{% for r in m.tool_responses or [] %}<|tool_response>{{ r.name }}:{{ r.response.sun if r.response is mapping else r.response }}{% endfor %};{% endif %}{% endfor %}{{ tools | length if tools }}`;
  t.match(shown(template, { messages: CALLED, tools: WEATHER }).text, /<\|tool_response>weather:true;/, 'an object as one');
  t.match(shown(template, { messages: [...CALLED.slice(0, 2), { role: 'tool', content: 'rain <|end|>', toolCallId: 'call_1234567890' }], tools: WEATHER }), { text: /<\|tool_response>weather:rain <\|end\|>;/, marks: 0 });
  t.notMatch(shown(`${template}{# #}`.replace("{% if m.role != 'tool' %}", '{% if true %}'), { messages: CALLED, tools: WEATHER }).text, /<\|tool_response>/, 'and in messages of their own where it does');
});

t.test("calls that a template leaves out are shown in the model's form", async (t) => {
  const template = `{# List of tools: <|im_start|> #}{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}{{ tools | length if tools }}`;
  t.equal(shown(template, { messages: CALLED, tools: WEATHER }).text, 'user:x;assistant:So.<|tool_call_start|>[{"name": "weather", "arguments": {"city": "Ulm"}}]<|tool_call_end|>;tool:{"sun": true};1');
});

t.test('where a template fails at the tools, they are told of in words', async (t) => {
  const template = `{% for tool in tools or [] %}{{ tool | string }}[TOOL_CALLS][ARGS]{% endfor %}{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}`;
  t.match(shown(template, { messages: [user('x')], tools: WEATHER }).text, /^system:You can call functions.*\[TOOL_CALLS\]NAME\[ARGS\]\{"ARGUMENT": VALUE\}.*;user:x;$/s);
  t.throws(() => shown(`${template}{{ raise_exception('never') }}`, { messages: [user('x')], tools: WEATHER }), { code: 'invalid_prompt', message: /filter: string/ }, 'what fails in words, too, is told as it failed first');
});
t.test('tools have the names that FireFunction gives them', async (t) => {
  t.match(shown("functools[{{ '\\n' + functions + ' on ' + datetime }}{% for m in messages %};{{ m.content }}{% endfor %}", { messages: [user('x')], tools: WEATHER }).text, /^functools\[\n\[\{"type":"function".*"weather".*\}\] on \d{4}-\d{2}-\d{2};x$/);
});

t.test('what @huggingface/jinja does not know is said in other words', async (t) => {
  const lists = "{% set q = namespace(ids=[]) %}{% macro add(x) %}{% set _ = q.ids.append(x) %}{% endmacro %}{{ add('a') }}{{ add('b' + 'c') }}{%- set first = q.ids.pop(0) -%}{{ first }}{{ q.ids[0] }}{{ q.ids | length }}";
  t.equal(shown(lists, { messages: [user('x')] }).text, 'abc1');
  t.equal(shown("{%- set by = {\n  0: 0,\n 512: 128\n} -%}{%- for k, v in by | dictsort -%}{{ k }}={{ v }};{%- endfor -%}", { messages: [user('x')] }).text, '0=0;512=128;');
  t.equal(shown("{% set of = ':open' %}{{ '<a{}>'.format(of) + '.' }}", { messages: [user('x')] }).text, '<a:open>.');
});

t.test('a prompt that opens the answer lets no thought begin', async (t) => {
  const template = "{# {{ tools }} open_tag('call' #}{% for m in messages %}{{ m.content }}{% endfor %}<|open|>{{ 'think' if thinking else 'response' }}<|sep|>";
  t.match(shown(template, { messages: [user('x')], thinking: false }), { thought: 'none' });
  t.match(shown(template, { messages: [user('x')], thinking: true }), { thought: 'open' });
});

t.test('whole numbers of any length stand in earlier calls, and in answers given as values, with all their digits', async (t) => {
  const template = `{% for m in messages %}{% if m.role != 'tool' %}{{ m.content }}{% endif %}{% for c in m.tool_calls or [] %}<tool_call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>{% for k, v in c.function.arguments.items() %}[{{ v | tojson if v is not string else v }}]{% endfor %}{% endfor %}{% for r in m.tool_responses or [] %}({{ r.response | tojson }}){% endfor %};{% endfor %}{{ (tools or []) | length }}`;
  const args = '{"id": 175928847299117063, "low": -9007199254740993, "more": [123456789012345678901234567890, 7], "text": "9007199254740993", "part": 0.5}';
  const call = { id: 'c', name: 'f', arguments: args };
  const messages = [user('9007199254740993'), { ...assistant(''), toolCalls: [call] }, { role: 'tool' as const, content: '{"id": 9007199254740995}', toolCallId: 'c', name: 'f' }];
  const text = shown(template, { messages }).text;
  t.match(text, `"arguments": ${args}}\n</tool_call>[175928847299117063][-9007199254740993][[123456789012345678901234567890, 7]][9007199254740993][0.5]`);
  t.match(text, '({"id": 9007199254740995})');
});
