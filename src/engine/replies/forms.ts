// Owns the forms of calls that are marks around lists, elements or names: which template shows each, its marks, how it is read, and how it is written.
// Refuses to know prompts, grammars, and what is done with a call.

import { ObjectBody, SeparatedBody } from './call-bodies.ts';
import type { CallBody } from './call-bodies.ts';
import { CallObject } from './call-object.ts';
import type { CallSink } from './call-object.ts';
import { ElementBody } from './element-body.ts';
import type { ElementForm } from './element-body.ts';
import {
  commandMark,
  dsmlElements,
  functionElements,
  hunyuanElements,
  hunyuanMark,
  kimiElements,
  minicpmElements,
  minimaxElements,
  NAMESPACE,
  namespaced,
  seedElements,
} from './form-elements.ts';
import { HeadedBody } from './headed-body.ts';
import { EitherBody, KeyedObject, ListBody } from './list-body.ts';
import type { Mark } from './marks.ts';
import { PythonBody } from './python-body.ts';
import type { Thinking } from './thinking.ts';

/** What stands for the function's name, its arguments as JSON, and a number that the model counts. */
export type CallPiece = string | { readonly of: 'name' | 'arguments' | 'number' };
const NAME = { of: 'name' } as const;
const ARGUMENTS = { of: 'arguments' } as const;
const NUMBER = { of: 'number' } as const;
/** A reply's calls as they are to be written; a piece that is a special token of the vocabulary is that token. */
export interface WrittenForm {
  readonly begin: readonly string[];
  readonly call: readonly CallPiece[];
  /** Between two calls; absent: a reply has one. */
  readonly between?: string;
  readonly end: readonly string[];
}
export interface Form {
  /** Does a chat template show calls so? */
  readonly shown: (template: string) => boolean;
  readonly opens: readonly Mark[];
  readonly around?: readonly Mark[];
  /** Marks that say nothing, wherever they stand outside of calls. */
  readonly silent?: readonly Mark[];
  /** A call may begin the reply without its mark. */
  readonly headed?: boolean;
  /** `as`: a mark as it reaches a reader; all are asked for before the first call comes. */
  readonly body: (as: (mark: Mark) => string) => (sink: CallSink) => CallBody;
  readonly written: WrittenForm;
  /** In front of what is said. */
  readonly answer?: Mark;
  /** Where the form's templates do not spell the marks of thoughts out. */
  readonly thinking?: Thinking;
}

const has =
  (...texts: readonly string[]) =>
  (template: string): boolean =>
    texts.every((text) => template.includes(text));
const JSON_CALL: readonly CallPiece[] = ['{"name": "', NAME, '", "arguments": ', ARGUMENTS, '}'];
const inList = (open: string, close: string | undefined, call = JSON_CALL): WrittenForm => ({
  begin: [open, '['],
  call,
  between: ', ',
  end: [']', ...(close === undefined ? [] : [close])],
});
const objects = (sink: CallSink): CallObject => new CallObject(sink);
/** A list of objects behind a mark, with or without a mark behind it. */
function listed(open: string, close: string | undefined, shown: Form['shown'], more: Partial<Form> = {}): Form {
  return {
    shown,
    opens: [open],
    body: (as) => {
      const form = close === undefined ? {} : { close: as(close) };
      return (sink) => new ListBody(sink, form, objects);
    },
    written: inList(open, close),
    ...more,
  };
}

const elements =
  (formed: (as: (mark: Mark) => string) => ElementForm): Form['body'] =>
  (as) => {
    const form = formed(as);
    return (sink) => new ElementBody(sink, form);
  };

const ARGS = '[ARGS]';
const mistral: Pick<Form, 'opens' | 'body'> = {
  opens: ['[TOOL_CALLS]'],
  // Which of the two a model writes is not always what its template shows.
  body: (as) => {
    const form = { separator: as(ARGS), id: as('[CALL_ID]') };
    return (sink) =>
      new EitherBody(
        '[',
        () => new ListBody(sink, {}, objects),
        () => new HeadedBody(sink, form),
      );
  },
};
/** The call's id stands in front of its name. */
function solarHead(head: string, separator: string): { readonly name: string; readonly id: string } {
  const [id, name = ''] = head.split(separator);
  return { name, id };
}
const SOLAR = { id: '<|tool_call:begin|>', name: '<|tool_call:name|>', arguments: '<|tool_call:args|>', close: '<|tool_call:end|>' } as const;
const FUNCTION_CALL = ['<|message_sep|>', '\n\nfunction call', '<|role_sep|>'] as const;
const LFM = { open: '<|tool_call_start|>', close: '<|tool_call_end|>' } as const;
const dsml = (calls: string): Form => {
  const { form, open, around, element } = dsmlElements(calls);
  return {
    shown: has('｜DSML｜', `${calls}>`),
    opens: [open],
    around: [...dsmlElements('function_calls').around, ...dsmlElements('tool_calls').around],
    body: elements(form),
    written: { begin: [...around[0], '\n'], call: [...open, ' name="', NAME, '">\n', ARGUMENTS, '\n', ...element.close, '\n'], between: '', end: around[1] },
  };
};

/**
 * Looked through in this order. `mistral-list` (Nemo, 7B v0.3, Large), `mistral` (Small 3.2, Magistral, Ministral, Devstral), `nemotron-v2`, `apriel`, `minimax-m1`, `command-r7b` (and Command A), `command-r`,
 * `apertus`, `granite-3`, `firefunction`: lists, or a name and an object. `lfm2` (and LFM2.5): code of Python. `seed-oss`, `minimax-m3`, `deepseek-v3.2`, `deepseek-v4`, `kimi-k3`, `hunyuan-3`, `minicpm5`: elements.
 * `functionary-v3.1`, `functionary-v3.2`, `gigachat3`, `gigachat3.1`, `solar-open`: a name, or a mark, and an object.
 */
export const FORMS = {
  'mistral-list': { ...mistral, shown: (template) => has('[TOOL_CALLS]')(template) && !has(ARGS)(template), written: inList('[TOOL_CALLS]', undefined) },
  mistral: { ...mistral, shown: has('[TOOL_CALLS]', ARGS), written: { begin: [], call: ['[TOOL_CALLS]', NAME, ARGS, ARGUMENTS], between: '', end: [] } },
  'nemotron-v2': listed('<TOOLCALL>', '</TOOLCALL>', has('<TOOLCALL>[')),
  apriel: listed('<tool_calls>', '</tool_calls>', has('<tool_calls>[')),
  'minimax-m1': {
    shown: (template) => /<tool_calls>(?:\\n|\n)\{/.test(template),
    opens: ['<tool_calls>'],
    body: (as) => {
      const form = { close: as('</tool_calls>'), loose: true };
      return (sink) => new ListBody(sink, form, objects);
    },
    written: { begin: ['<tool_calls>', '\n'], call: JSON_CALL, between: '\n', end: ['\n', '</tool_calls>'] },
  },
  'command-r7b': listed('<|START_ACTION|>', '<|END_ACTION|>', has('<|START_ACTION|>'), {
    silent: ['RESPONSE', 'TEXT'].flatMap((what) => [commandMark('START', what), commandMark('END', what)]),
    written: inList('<|START_ACTION|>', '<|END_ACTION|>', ['{"tool_call_id": "', NUMBER, '", "tool_name": "', NAME, '", "parameters": ', ARGUMENTS, '}']),
  }),
  apertus: listed('<|tools_prefix|>', '<|tools_suffix|>', has('<|tools_prefix|>'), {
    body: (as) => {
      const form = { close: as('<|tools_suffix|>') };
      return (sink) => new ListBody(sink, form, (each) => new KeyedObject(each));
    },
    written: inList('<|tools_prefix|>', '<|tools_suffix|>', ['{"', NAME, '": ', ARGUMENTS, '}']),
  }),
  'granite-3': listed('<|tool_call|>', undefined, has('<|tool_call|>', 'available_tools'), { silent: ['<response>', '</response>'] }),
  'command-r': listed('Action:\n```json', '```', has('Action:\\n```json'), {
    opens: ['Action:\n```json', 'Action: ```json'],
    written: inList('Action:\n```json\n', '\n```', ['{"tool_name": "', NAME, '", "parameters": ', ARGUMENTS, '}']),
  }),
  firefunction: {
    shown: has('functools['),
    opens: ['functools['],
    body: () => (sink) => {
      const list = new ListBody(sink, {}, objects);
      list.push('[');
      return list;
    },
    written: inList(' functools', undefined),
  },
  lfm2: {
    shown: (template) => has(LFM.open)(template) || has('List of tools: ', '<|im_start|>')(template),
    opens: [LFM.open],
    body: (as) => {
      const close = as(LFM.close);
      return (sink) => new PythonBody(sink, close);
    },
    written: inList(LFM.open, LFM.close),
  },
  'seed-oss': {
    shown: has('<seed:tool_call>'),
    opens: ['<function='],
    around: ['<seed:tool_call>', '</seed:tool_call>'],
    body: elements(seedElements),
    written: { begin: [], call: ['<seed:tool_call>', '\n<function=', NAME, '>\n', ARGUMENTS, '\n</function>\n', '</seed:tool_call>'], between: '\n', end: [] },
  },
  'minimax-m3': {
    shown: has(NAMESPACE),
    opens: [namespaced('invoke name=')],
    around: [namespaced('tool_call>'), namespaced('/tool_call>')],
    body: elements(minimaxElements),
    written: {
      begin: [...namespaced('tool_call>'), '\n'],
      call: [...namespaced('invoke name="'), NAME, '">', ARGUMENTS, ...namespaced('/invoke>'), '\n'],
      between: '',
      end: namespaced('/tool_call>'),
    },
  },
  'deepseek-v3.2': dsml('function_calls'),
  'deepseek-v4': dsml('tool_calls'),
  'kimi-k3': {
    shown: has("open_tag('call'"),
    opens: [['<|open|>', 'call']],
    around: [
      ['<|open|>', 'tools', '<|sep|>'],
      ['<|close|>', 'tools', '<|sep|>'],
    ],
    silent: [
      ['<|open|>', 'response', '<|sep|>'],
      ['<|close|>', 'response', '<|sep|>'],
      ['<|close|>', 'message', '<|sep|>'],
    ],
    answer: ['<|open|>', 'response', '<|sep|>'],
    thinking: { open: '<|open|>think<|sep|>', close: '<|close|>think<|sep|>' },
    body: elements(kimiElements),
    written: {
      begin: ['<|open|>', 'tools', '<|sep|>'],
      call: ['<|open|>', 'call tool="', NAME, '" index="', NUMBER, '"', '<|sep|>', ARGUMENTS, '<|close|>', 'call', '<|sep|>'],
      between: '',
      end: ['<|close|>', 'tools', '<|sep|>'],
    },
  },
  'hunyuan-3': {
    shown: has("'<tool_sep{}>'.format(HYTK)"),
    opens: [hunyuanMark('tool_call')],
    around: [hunyuanMark('tool_calls'), hunyuanMark('/tool_calls')],
    thinking: { open: hunyuanMark('think'), close: hunyuanMark('/think') },
    body: elements(hunyuanElements),
    written: {
      begin: [hunyuanMark('tool_calls'), '\n'],
      call: [hunyuanMark('tool_call'), NAME, hunyuanMark('tool_sep'), '\n', ARGUMENTS, '\n', hunyuanMark('/tool_call'), '\n'],
      between: '',
      end: [hunyuanMark('/tool_calls')],
    },
  },
  minicpm5: {
    shown: has('<function name=', '<param name='),
    opens: ['<function name='],
    body: elements(minicpmElements),
    written: { begin: [], call: ['<function name="', NAME, '">', ARGUMENTS, '</function>'], between: '\n', end: [] },
  },
  'functionary-v3.1': {
    shown: has('<function=', '{parameters}{end_tag}'),
    opens: ['<function='],
    body: elements(functionElements),
    written: { begin: [], call: ['<function=', NAME, '>', ARGUMENTS, '</function>'], end: [] },
  },
  'functionary-v3.2': {
    shown: has('>>>${recipient}'),
    opens: ['>>>'],
    headed: true,
    answer: 'all\n',
    body: () => (sink) => new HeadedBody(sink, { separator: '\n', everyone: 'all' }),
    written: { begin: [], call: [NAME, '\n', ARGUMENTS], between: '>>>', end: [] },
  },
  'gigachat3.1': {
    shown: has('<|function_call|>'),
    opens: ['<|function_call|>'],
    body: () => (sink) => new ObjectBody(sink),
    written: { begin: ['<|function_call|>'], call: JSON_CALL, end: [] },
  },
  gigachat3: {
    shown: has('function call', '<|role_sep|>', 'render_function_call'),
    opens: [FUNCTION_CALL],
    body: () => (sink) => new ObjectBody(sink),
    written: { begin: FUNCTION_CALL, call: ['\n', ...JSON_CALL], end: [] },
  },
  'solar-open': {
    shown: has(SOLAR.id, SOLAR.arguments),
    opens: [SOLAR.id],
    around: ['<|tool_calls|>', '<|calls|>'],
    silent: [['<|begin|>', 'assistant'], '<|content|>', '<|end|>'],
    answer: '<|content|>',
    thinking: { open: '<|think|>', close: '<|end|>', behind: '<|begin|>assistant' },
    body: (as) => {
      const [separator, close, name] = [SOLAR.arguments, SOLAR.close, SOLAR.name].map(as);
      return (sink) => new SeparatedBody(sink, { separator, close, within: name, head: (text) => solarHead(text, name) });
    },
    written: {
      begin: ['<|tool_calls|>'],
      call: [SOLAR.id, NUMBER, SOLAR.name, NAME, SOLAR.arguments, ARGUMENTS, SOLAR.close],
      between: '',
      end: ['<|calls|>'],
    },
  },
} as const satisfies Readonly<Record<string, Form>>;
export type FormName = keyof typeof FORMS;
export const FORM_NAMES = Object.keys(FORMS) as readonly FormName[];
export const isForm = (calls: string): calls is FormName => Object.hasOwn(FORMS, calls);
/** A form of calls by its name; undefined: it has no description here. */
export const formOf = (calls: string): Form | undefined => (isForm(calls) ? FORMS[calls] : undefined);
