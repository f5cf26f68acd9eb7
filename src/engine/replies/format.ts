// Owns which formats of replies there are, which one a model writes, and the reader for it.
// Refuses to know tokens and how the model is asked.

import type { Tool } from '../port.ts';
import { CallsReader } from './calls.ts';
import type { CallsOptions, Certain } from './calls.ts';
import { FORM_NAMES, formOf, FORMS } from './forms.ts';
import { HarmonyReader } from './harmony.ts';
import { LayeredReader } from './layered.ts';
import type { Marks } from './marks.ts';
import { joined } from './reader.ts';
import type { ReplyPart, ReplyReader } from './reader.ts';
import { DEEPSEEK, FUNCTION_GEMMA, GEMMA_4, GLM, HARMONY, HERMES, KIMI, LLAMA, MINIMAX, QWEN_CODER, silentSyntax, syntaxOf } from './syntax.ts';
import { ThoughtReader } from './thinking.ts';
import type { Thinking } from './thinking.ts';

/**
 * How calls are written. As JSON: `hermes`: <tool_call>{"name", "arguments"}</tool_call> (Hermes, Qwen); `llama`: {"name", "parameters"}, with or without <|python_tag|> (Llama 3.1 and later);
 * `deepseek-v3` (and R1), `deepseek-v3.1`, `kimi-k2`: with marks around each call and between name and arguments; `harmony` (gpt-oss): as messages to functions. In ways of their own:
 * `qwen-coder` (Qwen3-Coder), `minimax-m2`, `glm-4.5` (and later): each parameter is an element; `gemma-4`, `function-gemma`: call:name{key:value}. `generic`: as `hermes`, or code of
 * Python in a block `tool_code` (as Gemma 3 has it), for models whose template knows no tools that are read here. The others: src/engine/replies/forms.ts.
 */
export const CALL_FORMATS = [
  'hermes',
  'llama',
  'deepseek-v3',
  'deepseek-v3.1',
  'kimi-k2',
  'harmony',
  'qwen-coder',
  'minimax-m2',
  'glm-4.5',
  'gemma-4',
  'function-gemma',
  ...FORM_NAMES,
  'generic',
] as const;
export type CallFormat = (typeof CALL_FORMATS)[number];
export interface ReplyFormat {
  readonly calls: CallFormat;
  /** Absent: the model does not think aloud. */
  readonly thinking?: Thinking;
}
/** `open`: the prompt has opened a thought; `free`: the reply may begin with one; `none`: it is not to. */
export type Thought = 'open' | 'free' | 'none';
/** What a model's folder may state; the rest is found in its template. */
export interface StatedReplies {
  readonly calls?: CallFormat;
  readonly thinking?: Thinking | false;
}

const THOUGHTS: readonly Thinking[] = [
  { open: '<think>', close: '</think>' },
  // Gemma 4.
  { open: '<|channel>thought', close: '<channel|>', twice: '<|channel>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<seed:think>', close: '</seed:think>' },
  { open: '<mm:think>', close: '</mm:think>' },
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  { open: '<|inner_prefix|>', close: '<|inner_suffix|>' },
  // Apriel 1.6, of which the prompt opens the thought.
  { open: 'Here are my reasoning steps:', close: '[BEGIN FINAL RESPONSE]' },
];
const HARMONY_THOUGHT: Thinking = { open: `${HARMONY.channel}analysis${HARMONY.message}`, close: HARMONY.end };

function callFormat(template: string): CallFormat {
  const has = (...marks: readonly string[]): boolean => marks.every((mark) => template.includes(mark));
  if (has(DEEPSEEK.open)) return has('```json') ? 'deepseek-v3' : 'deepseek-v3.1';
  if (has(HARMONY.channel, HARMONY.message)) return 'harmony';
  // FireFunction names them otherwise.
  if (!/\btools\b/.test(template)) return FORMS.firefunction.shown(template) ? 'firefunction' : 'generic';
  // The first template of Kimi K2 tells of tools, and does not show calls.
  if (has(KIMI.open) || has('<|im_middle|>', 'tool_declare')) return 'kimi-k2';
  if (has(GEMMA_4.open, GEMMA_4.close)) return 'gemma-4';
  if (has(FUNCTION_GEMMA.open)) return 'function-gemma';
  if (has(MINIMAX.callsOpen, '<invoke ')) return 'minimax-m2';
  if (has(GLM.open, GLM.key)) return 'glm-4.5';
  if (has(QWEN_CODER.callsOpen, QWEN_CODER.open, '<parameter=')) return 'qwen-coder';
  const form = FORM_NAMES.find((name) => FORMS[name].shown(template));
  if (form !== undefined) return form;
  // Some templates write calls in other ways, be it inside <tool_call>: <function=name>{...}, <invoke name=...>, <tool_calls>[...].
  if (/<function=|<arg_key>|<invoke |<tool_calls>/.test(template)) return 'generic';
  if (has(HERMES.open)) return 'hermes';
  if (has('<|start_header_id|>') && (has(LLAMA.tag) || has('"parameters"'))) return 'llama';
  return 'generic';
}
/** The format that a chat template shows. */
export function formatOf(template: string, stated: StatedReplies = {}): ReplyFormat {
  const calls = stated.calls ?? callFormat(template);
  // In Harmony thoughts are a channel like others: they are read in any case.
  if (calls === 'harmony') return { calls, thinking: stated.thinking ? stated.thinking : HARMONY_THOUGHT };
  const thinking =
    stated.thinking ?? formOf(calls)?.thinking ?? THOUGHTS.find(({ open, close }) => template.includes(open) || template.includes(close)) ?? false;
  return { calls, ...(thinking ? { thinking } : {}) };
}

export interface ReaderOptions {
  readonly format: ReplyFormat;
  readonly marks: Marks;
  /** The prompt has opened a thought. */
  readonly opened: boolean;
  /** Functions that may be called; none: nothing is read as a call. */
  readonly names: readonly string[];
  /** What is known of them: where calls do not say whether a value is text, their schemas do. */
  readonly tools?: readonly Tool[];
  /** The reply ends after its first call. */
  readonly single: boolean;
  /** Behind its thought. Default `nothing`. */
  readonly certain?: Certain;
  readonly newId: () => string;
}
const marked = ({ open, close, twice }: Thinking, marks: Marks): Thinking => ({
  open: marks.as(open),
  close: marks.as(close),
  ...(twice === undefined ? {} : { twice: marks.as(twice) }),
});
function readerOf({ format, marks, opened, names, tools = [], single, certain = 'nothing', newId }: ReaderOptions): ReplyReader {
  const { calls, thinking } = format;
  const offered = new Set(names);
  if (calls === 'harmony') return new HarmonyReader({ marks, opened, names: offered, single, forced: certain === 'reply', newId });
  const syntax = names.length > 0 ? syntaxOf(calls, marks) : silentSyntax(calls, marks);
  const answer = formOf(calls)?.answer;
  // Where calls hold by construction, thoughts in front of them are closed.
  const doubtful = syntax && certain === 'nothing' ? [...syntax.opens, ...syntax.around] : [];
  const thought = thinking && new ThoughtReader(marked(thinking, marks), { opened, doubtful, ends: answer === undefined ? [] : [marks.as(answer)] });
  if (!syntax) return new LayeredReader(thought);
  const parameters = new Map(tools.map((tool) => [tool.name, tool.parameters]));
  const reader = (how: Pick<CallsOptions, 'single' | 'newId'>): CallsReader =>
    new CallsReader({ syntax, names: offered, parameters: (name) => parameters.get(name), certain, ...how });
  return new LayeredReader(thought, { calls: reader({ single, newId }), trial: () => reader({ single: false, newId: () => '' }) });
}
/** Is there anything in such replies that is not said, where nothing may be called? */
export const needsReader = ({ calls, thinking }: ReplyFormat): boolean => thinking !== undefined || formOf(calls)?.headed === true;

/** Reads a format; marks that came as signs are text again where they belong to what is told. */
export class FormatReader implements ReplyReader {
  readonly #marks: Marks;
  readonly #reader: ReplyReader;

  constructor(options: ReaderOptions) {
    this.#marks = options.marks;
    this.#reader = readerOf(options);
  }
  get called(): boolean {
    return this.#reader.called;
  }
  get over(): boolean {
    return this.#reader.over;
  }
  get thinks(): boolean {
    return this.#reader.thinks;
  }
  get holds(): boolean {
    return this.#reader.holds;
  }
  push(text: string): ReplyPart[] {
    return joined(this.#reader.push(text)).map((part) => this.#plain(part));
  }
  end(): ReplyPart[] {
    return joined(this.#reader.end()).map((part) => this.#plain(part));
  }
  #plain(part: ReplyPart): ReplyPart {
    return part.kind === 'tool_call' ? { ...part, arguments: this.#marks.plain(part.arguments) } : { ...part, text: this.#marks.plain(part.text) };
  }
}
