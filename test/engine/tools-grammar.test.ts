// Owns that replies under a grammar of calls are read as calls of functions that were offered, with valid arguments, whatever tokens chance chooses.
// Refuses to know models: tokens are drawn out of those that are allowed.

import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { behindThought, callGrammar } from '../../src/engine/constraints/calls.ts';
import { constraintOf, grammarOf } from '../../src/engine/constraints/constraint.ts';
import { literal, sequence, token, without } from '../../src/engine/constraints/grammar/expression.ts';
import type { Grammar } from '../../src/engine/constraints/grammar/expression.ts';
import type { Tool, ToolChoice } from '../../src/engine/port.ts';
import { CALL_FORMATS, formatOf } from '../../src/engine/replies/format.ts';
import type { CallFormat, ReplyFormat, Thought } from '../../src/engine/replies/format.ts';
import { isForm } from '../../src/engine/replies/forms.ts';
import type { FormName } from '../../src/engine/replies/forms.ts';
import { DEEPSEEK, FENCED, FUNCTION_GEMMA, GEMMA_4, GLM, HARMONY, HERMES, KIMI, LLAMA, MINIMAX, QWEN_CODER } from '../../src/engine/replies/syntax.ts';
import { seeded } from '../helpers/store-world.ts';
import { draw, END, offer, read, World, wrongWhenCut } from './drawn-replies.ts';

/** The others: test/engine/described-grammar.test.ts. */
type OwnFormat = Exclude<CallFormat, FormName>;
const FORMATS = CALL_FORMATS.filter((calls): calls is OwnFormat => !isForm(calls));
const THINKING = { open: '<think>', close: '</think>' };
const OF_GEMMA = { open: '<|channel>thought', close: '<channel|>' };
const thinks = (calls: CallFormat): ReplyFormat => (calls === 'harmony' ? formatOf('', { calls }) : { calls, thinking: calls === 'gemma-4' ? OF_GEMMA : THINKING });
/** What may be special tokens of a vocabulary. */
const MARKS: Readonly<Record<OwnFormat, readonly string[]>> = {
  hermes: Object.values(HERMES),
  generic: Object.values(HERMES),
  llama: [LLAMA.tag],
  'deepseek-v3': Object.values(DEEPSEEK),
  'deepseek-v3.1': Object.values(DEEPSEEK),
  'kimi-k2': Object.values(KIMI),
  harmony: Object.values(HARMONY),
  'qwen-coder': [QWEN_CODER.callsOpen, QWEN_CODER.callsClose],
  'minimax-m2': [MINIMAX.callsOpen, MINIMAX.callsClose],
  'glm-4.5': Object.values(GLM),
  'gemma-4': [...Object.values(GEMMA_4), '<|channel>', OF_GEMMA.close],
  'function-gemma': Object.values(FUNCTION_GEMMA),
};
/** Marks are text, or special tokens. */
const text = new World([]);
const worldsOf = (calls: OwnFormat): readonly World[] => [text, new World([...MARKS[calls], ...(calls === 'gemma-4' || calls === 'harmony' ? [] : Object.values(THINKING))])];

/** Beginnings of calls, and calls that are not valid: what a free text must not be able to say. */
const WRONG = '{"zz": 1}';
const separated = [DEEPSEEK.callsOpen, DEEPSEEK.open, `${DEEPSEEK.open}weather${DEEPSEEK.separator}${WRONG}${DEEPSEEK.close}`, `${DEEPSEEK.open}function${DEEPSEEK.separator}weather\n\`\`\`json\n${WRONG}\n\`\`\`${DEEPSEEK.close}`];
const hermes = [HERMES.open, `${HERMES.open}{"name": "weather", "arguments": ${WRONG}}${HERMES.close}`];
const toWeather = `${HARMONY.channel}commentary to=functions.weather ${HARMONY.constrain}json${HARMONY.message}${WRONG}${HARMONY.call}`;
const opensOf: Readonly<Record<OwnFormat, readonly string[]>> = {
  hermes,
  generic: [...hermes, `${FENCED.open}\nweather(zz=1)\n${FENCED.close}`],
  llama: [LLAMA.tag, '{', `{"name": "weather", "parameters": ${WRONG}}`, ` {"name": "weather", "parameters": ${WRONG}}`],
  'deepseek-v3': separated,
  'deepseek-v3.1': separated,
  'kimi-k2': [KIMI.callsOpen, KIMI.open, `${KIMI.open}functions.weather:0${KIMI.separator}${WRONG}${KIMI.close}`],
  harmony: [...Object.values(HARMONY), toWeather, `${HARMONY.channel}commentary${HARMONY.message}x${HARMONY.end}${HARMONY.start}assistant${HARMONY.channel}commentary to=functions.`, `${HARMONY.channel}final${HARMONY.message}${toWeather}`, ` to=functions.weather${HARMONY.message}${WRONG}`],
  'qwen-coder': [QWEN_CODER.callsOpen, QWEN_CODER.open, `${QWEN_CODER.open}weather><parameter=zz>1</parameter>${QWEN_CODER.close}`],
  'minimax-m2': [MINIMAX.callsOpen, MINIMAX.open, `${MINIMAX.open}"weather"><parameter name="zz">1</parameter>${MINIMAX.close}`],
  'glm-4.5': [GLM.open, `${GLM.open}weather\n<arg_key>zz</arg_key><arg_value>1</arg_value>${GLM.close}`],
  'gemma-4': [GEMMA_4.open, `${GEMMA_4.open}call:weather{zz:1}${GEMMA_4.close}`],
  'function-gemma': [FUNCTION_GEMMA.open, `${FUNCTION_GEMMA.open}call:weather{zz:1}${FUNCTION_GEMMA.close}`],
};

/** What stands before the thought is the same in the others. */
const ALL_THOUGHTS: readonly CallFormat[] = ['hermes', 'deepseek-v3', 'harmony'];

const ajv = new Ajv2020({ strict: false, formats: { date: true, uuid: true, ipv4: true } });
t.test('whatever is drawn is read as calls of what was offered, with arguments that another validator accepts', async (t) => {
  const random = seeded(21);
  for (const calls of FORMATS) {
    const format = thinks(calls);
    for (const world of worldsOf(calls))
      for (const thought of (ALL_THOUGHTS.includes(calls) ? ['none', 'free', 'open'] : ['free']) as readonly Thought[]) {
        let [ended, called, several] = [0, 0, 0];
        for (let round = 0; round < 4; round++) {
          const tools = offer(random);
          const choice: Exclude<ToolChoice, 'none'> = (['required', 'auto', { name: 'add_2' }, 'auto'] as const)[round];
          const parallel = random.next() < 0.6;
          const grammar = callGrammar({ format, tools, choice, parallel, thought }, world.special);
          const valid = new Map(tools.map(({ name, parameters }) => [name, ajv.compile(parameters ?? { type: 'object', maxProperties: 0 })]));
          const key = JSON.stringify([calls, thought, choice, tools, parallel]);
          for (let i = 0; i < 2; i++) {
            const tokens = draw(grammar, key, world, random, [...(choice === 'auto' ? opensOf[calls] : []), ...(thought === 'none' || !format.thinking ? [] : [format.thinking.open, format.thinking.close])]);
            if (!tokens) continue;
            ended++;
            const found = read(tokens, world, format, thought, tools.map(({ name }) => name));
            const text = world.tokenizer.textOfAll(tokens);
            if (choice !== 'auto' && (found.calls.length === 0 || found.said.trim() !== '')) t.fail(`${key} gave ${text}`);
            const wrong = wrongWhenCut(tokens, world, format, thought, typeof choice === 'object' ? [choice.name] : tools.map(({ name }) => name), choice === 'auto' ? opensOf[calls].filter((text) => /^(?:[<`]|\[[A-Z])[^{]*$/.test(text)) : undefined);
            if (wrong !== undefined) t.fail(`${key}: ${wrong}`);
            if (!parallel && found.calls.length > 1) t.fail(`${key} called twice: ${text}`);
            for (const { name, args } of found.calls) {
              if (typeof choice === 'object' && name !== choice.name) t.fail(`${name} was called`);
              const validate = valid.get(name);
              if (!validate?.(JSON.parse(args))) t.fail(`${key} gave ${name} ${args}`);
            }
            if (found.calls.length > 0) called++;
            if (found.calls.length > 1) several++;
          }
        }
        t.ok(ended >= 3 && called >= 2, `${calls}, ${thought}: ${ended} of 8 replies ended, ${called} called, ${several} more than once`);
      }
  }
});

t.test('what a model writes of its own is let through', async (t) => {
  const tools: Tool[] = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }, strict: true }];
  const { callsOpen: B, callsClose: E, open: C, close: D, separator: S } = DEEPSEEK;
  const args = '{"city": "Zürich"}';
  const think = ({ thinking }: ReplyFormat): string => (thinking ? `${thinking.open}\nHm.\n${thinking.close}` : '');
  const { channel, constrain, message, end, start } = HARMONY;
  const cases: readonly (readonly [OwnFormat, string, string])[] = [
    ['hermes', 'I look <it> up.\n', `<tool_call>\n{"name": "weather", "arguments": ${args}}\n</tool_call>\n<tool_call>\n{"name": "weather", "arguments": ${args}}\n</tool_call>`],
    ['llama', '', `{"name": "weather", "parameters": ${args}}`],
    ['deepseek-v3', 'So: ', `${B}${C}function${S}weather\n\`\`\`json\n${args}\n\`\`\`${D}${E}`],
    ['deepseek-v3.1', '', `${B}${C}weather${S}${args}${D}${C}weather${S}${args}${D}${E}`],
    ['kimi-k2', 'So.', `${KIMI.callsOpen}${KIMI.open}functions.weather:0${KIMI.separator}${args}${KIMI.close}${KIMI.open}functions.weather:12${KIMI.separator}${args}${KIMI.close}${KIMI.callsClose}`],
    ['harmony', `${channel}commentary${message}I look.${end}${start}assistant`, `${channel}commentary to=functions.weather ${constrain}json${message}${args}`],
    ['qwen-coder', '', `<tool_call>\n<function=weather>\n${args}\n</function>\n</tool_call>`],
    ['minimax-m2', '', `<minimax:tool_call>\n<invoke name="weather">\n${args}\n</invoke>\n</minimax:tool_call>`],
    ['glm-4.5', 'So.\n', `<tool_call>weather\n${args}\n</tool_call>`],
    ['gemma-4', '', `<|tool_call>call:weather${args}<tool_call|>`],
    ['function-gemma', '', `<start_function_call>call:weather${args}<end_function_call>`],
  ];
  for (const [calls, before, text] of cases)
    for (const world of worldsOf(calls)) {
      const format = thinks(calls);
      const role = calls === 'harmony' ? `${start}assistant` : '\n\n';
      const ids = (thoughts: string): readonly number[] => world.idsOf(`${thoughts}${before}${text}`);
      const takes = (choice: Exclude<ToolChoice, 'none'>, thought: Thought, tokens: readonly number[]): boolean => {
        const constraint = constraintOf(JSON.stringify([calls, choice, thought]), () => callGrammar({ format, tools, choice, parallel: true, thought }, world.special), world.vocabulary);
        for (const id of tokens) {
          const { bits, ids: listed } = constraint.allowed();
          if (bits ? ((bits[id >>> 5] >>> (id & 31)) & 1) === 0 : !listed?.includes(id)) return false;
          constraint.accept(id);
        }
        return constraint.complete();
      };
      t.ok(takes('auto', 'none', ids('')), `${calls}: ${before}${text}`);
      t.ok(takes('auto', 'free', ids(think(format) + role)));
      t.ok(takes('auto', 'open', ids(`\nHm.\n${format.thinking?.close}${role}`)));
      t.equal(takes('required', 'none', ids('')), before === '');
      t.notOk(takes('auto', 'open', world.tokenizer.encodePlain('no end of the thought')));
      t.ok(takes('auto', 'none', world.tokenizer.encodePlain('Only text, with < and {"a": 1}.')));
    }
});

t.test('a form that is asked for stands behind the thought', async (t) => {
  const random = seeded(22);
  for (const calls of ['hermes', 'harmony', 'gemma-4'] as const)
  for (const world of worldsOf(calls))
    for (const thought of ['open', 'free'] as const) {
      const format = thinks(calls);
      let [ended, thoughts] = [0, 0];
      for (let i = 0; i < 20; i++) {
        const tokens = draw(behindThought(grammarOf({ kind: 'choice', choices: ['yes', 'no, "never"'] }), format, thought, world.special), `choice ${calls} ${thought}`, world, random, Object.values(format.thinking ?? {}), 200);
        if (!tokens) continue;
        ended++;
        const found = read(tokens, world, format, thought, []);
        if (!['yes', 'no, "never"'].includes(found.said)) t.fail(JSON.stringify(found));
        if (found.thought !== '') thoughts++;
      }
      t.ok(ended >= 10 && (thoughts > 0 || thought === 'free'), `${ended} ended, ${thoughts} thought`);
    }
});

t.test('texts without others, and special tokens, as parts of grammars', async (t) => {
  const [, world] = worldsOf('hermes');
  const open = world.special(HERMES.open) ?? 0;
  const grammar: Grammar = { root: sequence(without('aab', 'ö'), token(open), literal('!')), rules: new Map() };
  const takes = (parts: readonly (string | number)[]): boolean => {
    const constraint = constraintOf('without', () => grammar, world.vocabulary);
    for (const id of parts.flatMap((part) => (typeof part === 'number' ? [part] : Array.from(part, (character) => world.tokenizer.encodePlain(character)).flat()))) {
      const { bits, ids } = constraint.allowed();
      if (bits ? ((bits[id >>> 5] >>> (id & 31)) & 1) === 0 : !ids?.includes(id)) return false;
      constraint.accept(id);
    }
    return constraint.complete();
  };
  for (const text of ['', 'a', 'aa', 'aaa', 'abab aa', 'aäb', 'o']) t.ok(takes([text, open, '!']), JSON.stringify(text));
  for (const text of ['aab', 'aaab', 'xaabx', 'ö', 'aaö']) t.notOk(takes([text, open, '!']), JSON.stringify(text));
  const byte = (value: number): number => Array.from({ length: world.tokenizer.size }, (_, id) => id).find((id) => world.tokenizer.bytesOf(id)?.length === 1 && world.tokenizer.bytesOf(id)?.[0] === value) ?? 0;
  t.ok(takes(['a', byte(0xf0), byte(0x9f), byte(0x98), byte(0x80), 'b', open, '!']), 'a character byte by byte');
  for (const bytes of [[0x80], [0xf0, 0x9f], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff]]) t.notOk(takes(['aa', ...bytes.map(byte), 'b', open, '!']), `bytes that form no character, which readers drop: ${bytes.join()}`);
  t.notOk(takes(['x', '!']));
  t.notOk(takes(['x', open]));
  t.notOk(takes([open, open, '!']));
  t.throws(() => constraintOf('without', () => grammar, world.vocabulary).accept(END), TypeError);
});

t.test('functions that are strict and cannot be kept to are refused; others may be called with any object', async (t) => {
  const parameters = { type: 'object', properties: { a: { $dynamicRef: '#x' } } };
  const format: ReplyFormat = { calls: 'hermes' };
  const ask = (strict: boolean): Grammar => callGrammar({ format, tools: [{ name: 'f', parameters, strict }], choice: 'required', parallel: true, thought: 'none' }, () => undefined);
  t.throws(() => ask(true), { code: 'tools_invalid', message: /function f is strict, .* \$dynamicRef at #\/properties\/a is not supported/ });
  t.doesNotThrow(() => ask(false));
});
