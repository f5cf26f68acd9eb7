// Owns the marks of each format of calls, and which body stands behind which mark.
// Refuses to know templates, and how a call is told of.

import { ObjectBody, SeparatedBody } from './call-bodies.ts';
import type { CallBody } from './call-bodies.ts';
import type { CallSink } from './call-object.ts';
import { DictionaryBody } from './dictionary-body.ts';
import { ElementBody } from './element-body.ts';
import type { ElementForm } from './element-body.ts';
import { formOf, FORMS } from './forms.ts';
import type { Form, FormName } from './forms.ts';
import type { Mark, Marks } from './marks.ts';
import { PythonBody } from './python-body.ts';

export const HERMES = { open: '<tool_call>', close: '</tool_call>' } as const;
export const LLAMA = { tag: '<|python_tag|>' } as const;
export const DEEPSEEK = {
  callsOpen: '<｜tool▁calls▁begin｜>',
  callsClose: '<｜tool▁calls▁end｜>',
  open: '<｜tool▁call▁begin｜>',
  separator: '<｜tool▁sep｜>',
  close: '<｜tool▁call▁end｜>',
} as const;
export const KIMI = {
  callsOpen: '<|tool_calls_section_begin|>',
  callsClose: '<|tool_calls_section_end|>',
  open: '<|tool_call_begin|>',
  separator: '<|tool_call_argument_begin|>',
  close: '<|tool_call_end|>',
} as const;
export const QWEN_CODER = { callsOpen: '<tool_call>', callsClose: '</tool_call>', open: '<function=', nameEnd: '>', close: '</function>' } as const;
export const MINIMAX = {
  callsOpen: '<minimax:tool_call>',
  callsClose: '</minimax:tool_call>',
  open: '<invoke name=',
  nameEnd: '>',
  close: '</invoke>',
} as const;
export const GLM = { open: '<tool_call>', close: '</tool_call>', key: '<arg_key>' } as const;
/** `responds`: the model waits for an answer. */
export const GEMMA_4 = { open: '<|tool_call>', close: '<tool_call|>', quote: '<|"|>', responds: '<|tool_response>' } as const;
export const FUNCTION_GEMMA = {
  open: '<start_function_call>',
  close: '<end_function_call>',
  quote: '<escape>',
  responds: '<start_function_response>',
} as const;
export const HARMONY = {
  start: '<|start|>',
  channel: '<|channel|>',
  constrain: '<|constrain|>',
  message: '<|message|>',
  end: '<|end|>',
  call: '<|call|>',
  stop: '<|return|>',
} as const;
/** Code of Python between fences, as Gemma 3 is wont to write calls. */
export const FENCED = { open: '```tool_code', close: '```' } as const;

export interface CallSyntax {
  /** Marks behind which a call is written. */
  readonly opens: readonly string[];
  /** Marks around calls, which say nothing. */
  readonly around: readonly string[];
  /** Marks with which the reply is over. */
  readonly ends: readonly string[];
  /** Marks that say nothing, wherever they stand outside of calls. */
  readonly silent?: readonly string[];
  /** Where a call may also begin with a bare brace: where nothing else was said, behind a mark around calls, nowhere; or, `headed`, with its head, at the beginning of the reply. */
  readonly bare: 'first' | 'marked' | 'headed' | 'never';
  /** `mark`: the one that opened it; empty where a brace did. */
  body(sink: CallSink, mark: string): CallBody;
}

const PARAMETERS: Readonly<Record<'qwen-coder' | 'minimax-m2' | 'glm-4.5', ElementForm>> = {
  'qwen-coder': { nameEnd: QWEN_CODER.nameEnd, open: '<parameter=', keyEnd: '>', valueClose: '</parameter>', close: QWEN_CODER.close, lines: true },
  'minimax-m2': { nameEnd: MINIMAX.nameEnd, open: '<parameter name=', keyEnd: '>', valueClose: '</parameter>', close: MINIMAX.close, lines: false },
  'glm-4.5': { open: GLM.key, keyEnd: '</arg_key>', valueOpen: '<arg_value>', valueClose: '</arg_value>', close: GLM.close, lines: false },
};
function marked({ nameEnd, open, keyEnd, valueOpen, valueClose, close, lines }: ElementForm, marks: Marks): ElementForm {
  return {
    ...(nameEnd === undefined ? {} : { nameEnd: marks.as(nameEnd) }),
    open: marks.as(open),
    keyEnd: marks.as(keyEnd),
    ...(valueOpen === undefined ? {} : { valueOpen: marks.as(valueOpen) }),
    valueClose: marks.as(valueClose),
    close: marks.as(close),
    lines,
  };
}
/** The id and the name in it: `functions.NAME:NUMBER` (Kimi K2). */
const kimiHead = (head: string): { readonly name: string; readonly id: string } => ({ name: head.replace(/^functions\./, '').replace(/:\d+$/, ''), id: head });

/** How calls are written, but for Harmony's: there they are whole messages. */
export type SyntaxName =
  | 'hermes'
  | 'generic'
  | 'llama'
  | 'deepseek-v3'
  | 'deepseek-v3.1'
  | 'kimi-k2'
  | 'gemma-4'
  | 'function-gemma'
  | keyof typeof PARAMETERS
  | FormName;
/** Marks of thoughts that stand around none: Gemma 4 closes thoughts that it has not opened, and opens empty ones between texts. */
const STRAY: Partial<Readonly<Record<SyntaxName, readonly Mark[]>>> = { 'gemma-4': ['<|channel>thought\n<channel|>', '<channel|>'] };
/** Marks of a format as they reach a reader. Each has its sign from here on: a text may be made of many tokens before the reader gets any of it. */
export function syntaxOf(format: SyntaxName, marks: Marks): CallSyntax {
  return { ...callSyntax(format, marks), silent: silentMarks(format, marks) };
}
const silentMarks = (format: SyntaxName, marks: Marks): readonly string[] => (STRAY[format] ?? formOf(format)?.silent ?? []).map((mark) => marks.as(mark));
/** Where nothing may be called: what says nothing all the same; undefined: there is nothing of that kind. */
export function silentSyntax(format: SyntaxName, marks: Marks): CallSyntax | undefined {
  const silent = silentMarks(format, marks);
  const form = formOf(format);
  const plain = { opens: [], around: [], ends: [], silent };
  if (form?.headed === true) return { ...plain, bare: 'headed', body: form.body((mark) => marks.as(mark)) };
  return silent.length === 0 ? undefined : { ...plain, bare: 'never', body: (sink) => new ObjectBody(sink) };
}
function callSyntax(format: SyntaxName, marks: Marks): CallSyntax {
  const plain = { around: [], ends: [], bare: 'never' } as const;
  const as = (mark: string): string => marks.as(mark);
  switch (format) {
    case 'hermes': {
      const close = as(HERMES.close);
      return { ...plain, opens: [as(HERMES.open)], body: (sink) => new ObjectBody(sink, close) };
    }
    case 'generic': {
      const [open, close, fence, end] = [HERMES.open, HERMES.close, FENCED.open, FENCED.close].map(as);
      return { ...plain, opens: [open, fence], body: (sink, mark) => (mark === fence ? new PythonBody(sink, end) : new ObjectBody(sink, close)) };
    }
    case 'llama':
      return { ...plain, opens: [as(LLAMA.tag)], bare: 'first', body: (sink) => new ObjectBody(sink) };
    case 'deepseek-v3':
    case 'deepseek-v3.1': {
      const [open, separator, close] = [DEEPSEEK.open, DEEPSEEK.separator, DEEPSEEK.close].map(as);
      return {
        ...plain,
        opens: [open],
        around: [as(DEEPSEEK.callsOpen), as(DEEPSEEK.callsClose)],
        body: (sink) => new SeparatedBody(sink, { separator, close }),
      };
    }
    case 'kimi-k2': {
      const [open, separator, close] = [KIMI.open, KIMI.separator, KIMI.close].map(as);
      return {
        ...plain,
        opens: [open],
        around: [as(KIMI.callsOpen), as(KIMI.callsClose)],
        body: (sink) => new SeparatedBody(sink, { separator, close, head: kimiHead }),
      };
    }
    case 'qwen-coder': {
      const [open, callsOpen, callsClose] = [QWEN_CODER.open, QWEN_CODER.callsOpen, QWEN_CODER.callsClose].map(as);
      const form = marked(PARAMETERS[format], marks);
      // Where other calls are shown so, the model writes them as Hermes.
      const body = (sink: CallSink, mark: string): CallBody => (mark === '' ? new ObjectBody(sink, callsClose) : new ElementBody(sink, form));
      return { ...plain, opens: [open], around: [callsOpen, callsClose], bare: 'marked', body };
    }
    case 'minimax-m2': {
      const form = marked(PARAMETERS[format], marks);
      return { ...plain, opens: [as(MINIMAX.open)], around: [as(MINIMAX.callsOpen), as(MINIMAX.callsClose)], body: (sink) => new ElementBody(sink, form) };
    }
    case 'glm-4.5': {
      const form = marked(PARAMETERS[format], marks);
      return { ...plain, opens: [as(GLM.open)], body: (sink) => new ElementBody(sink, form) };
    }
    case 'gemma-4':
    case 'function-gemma': {
      const [open, close, quote, responds] = Object.values(format === 'gemma-4' ? GEMMA_4 : FUNCTION_GEMMA).map(as);
      return { ...plain, opens: [open], ends: [responds], body: (sink) => new DictionaryBody(sink, quote, close) };
    }
    default: {
      const { opens, around = [], headed = false, body }: Form = FORMS[format];
      const as = (mark: Mark): string => marks.as(mark);
      return { ends: [], opens: opens.map(as), around: around.map(as), bare: headed ? 'headed' : 'never', body: body(as) };
    }
  }
}
