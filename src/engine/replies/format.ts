// Owns which formats of replies there are, which one a model writes, and the reader for it.
// Refuses to know tokens and how the model is asked.

import { SeparatedBody, ObjectBody } from './call-bodies.ts';
import { CallsReader } from './calls.ts';
import type { CallSyntax } from './calls.ts';
import type { Marks } from './marks.ts';
import { joined } from './reader.ts';
import type { ReplyPart, ReplyReader } from './reader.ts';
import { ThoughtReader } from './thinking.ts';
import type { Thinking } from './thinking.ts';

/**
 * How calls are written. `hermes`: <tool_call>{"name", "arguments"}</tool_call> (Hermes, Qwen); `llama`: {"name", "parameters"}, with or without <|python_tag|> (Llama 3.1 and later);
 * `deepseek-v3` (and R1), `deepseek-v3.1`: with marks around each call and between name and arguments; `generic`: as `hermes`, for models whose template knows no tools that are read here.
 */
export const CALL_FORMATS = ['hermes', 'llama', 'deepseek-v3', 'deepseek-v3.1', 'generic'] as const;
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

export const HERMES = { open: '<tool_call>', close: '</tool_call>' } as const;
export const LLAMA = { tag: '<|python_tag|>' } as const;
export const DEEPSEEK = { callsOpen: '<｜tool▁calls▁begin｜>', callsClose: '<｜tool▁calls▁end｜>', open: '<｜tool▁call▁begin｜>', separator: '<｜tool▁sep｜>', close: '<｜tool▁call▁end｜>' } as const;
const THOUGHT: Thinking = { open: '<think>', close: '</think>' };

function callFormat(template: string): CallFormat {
  if (template.includes(DEEPSEEK.open)) return template.includes('```json') ? 'deepseek-v3' : 'deepseek-v3.1';
  // Some templates write calls that are no JSON object, be it inside <tool_call>: <function=name>, <arg_key>, <invoke name=...>, <tool_calls>[...].
  if (!/\btools\b/.test(template) || /<function=|<arg_key>|<invoke |<tool_calls>/.test(template)) return 'generic';
  if (template.includes(HERMES.open)) return 'hermes';
  if (template.includes('<|start_header_id|>') && (template.includes(LLAMA.tag) || template.includes('"parameters"'))) return 'llama';
  return 'generic';
}
/** The format that a chat template shows. */
export function formatOf(template: string, stated: StatedReplies = {}): ReplyFormat {
  const thinking = stated.thinking ?? (template.includes(THOUGHT.open) || template.includes(THOUGHT.close) ? THOUGHT : false);
  return { calls: stated.calls ?? callFormat(template), ...(thinking ? { thinking } : {}) };
}

/** Marks of a format as they reach a reader. Each has its sign from here on: a text may be made of many tokens before the reader gets any of it. */
export function syntaxOf(format: CallFormat, marks: Marks): CallSyntax {
  switch (format) {
    case 'hermes':
    case 'generic': {
      const [open, close] = [HERMES.open, HERMES.close].map((mark) => marks.as(mark));
      return { opens: [open], around: [], bare: false, body: (sink) => new ObjectBody(sink, close) };
    }
    case 'llama':
      return { opens: [marks.as(LLAMA.tag)], around: [], bare: true, body: (sink) => new ObjectBody(sink) };
    case 'deepseek-v3':
    case 'deepseek-v3.1': {
      const [open, separator, close] = [DEEPSEEK.open, DEEPSEEK.separator, DEEPSEEK.close].map((mark) => marks.as(mark));
      return { opens: [open], around: [marks.as(DEEPSEEK.callsOpen), marks.as(DEEPSEEK.callsClose)], bare: false, body: (sink) => new SeparatedBody(sink, separator, close) };
    }
    default:
      return format satisfies never;
  }
}

export interface ReaderOptions {
  readonly format: ReplyFormat;
  readonly marks: Marks;
  /** The prompt has opened a thought. */
  readonly opened: boolean;
  /** Functions that may be called; none: nothing is read as a call. */
  readonly names: readonly string[];
  /** The reply ends after its first call. */
  readonly single: boolean;
  readonly newId: () => string;
}

export class FormatReader implements ReplyReader {
  readonly #marks: Marks;
  readonly #thought: ThoughtReader | undefined;
  readonly #calls: CallsReader | undefined;

  constructor({ format, marks, opened, names, single, newId }: ReaderOptions) {
    this.#marks = marks;
    const { thinking } = format;
    if (thinking) this.#thought = new ThoughtReader({ open: marks.as(thinking.open), close: marks.as(thinking.close) }, opened);
    if (names.length > 0) this.#calls = new CallsReader({ syntax: syntaxOf(format.calls, marks), names: new Set(names), single, newId });
  }
  get called(): boolean {
    return this.#calls?.called ?? false;
  }
  get over(): boolean {
    return this.#calls?.over ?? false;
  }
  get thinks(): boolean {
    return this.#thought?.thinks ?? false;
  }
  get holds(): boolean {
    return (this.#thought?.holds ?? false) || (this.#calls?.holds ?? false);
  }

  push(text: string): ReplyPart[] {
    const parts: ReplyPart[] = [];
    for (const character of text) {
      const { thought, said } = this.#thought?.push(character) ?? { thought: '', said: character };
      this.#add(parts, thought, said);
    }
    return joined(parts);
  }
  end(): ReplyPart[] {
    const parts: ReplyPart[] = [];
    const { thought, said } = this.#thought?.end() ?? { thought: '', said: '' };
    this.#add(parts, thought, said);
    parts.push(...(this.#calls?.end() ?? []).map((part) => this.#plain(part)));
    return joined(parts);
  }
  #add(parts: ReplyPart[], thought: string, said: string): void {
    if (thought !== '') parts.push({ kind: 'reasoning', text: this.#marks.plain(thought) });
    if (said === '') return;
    if (!this.#calls) parts.push({ kind: 'delta', text: this.#marks.plain(said) });
    else for (const character of said) for (const part of this.#calls.push(character)) parts.push(this.#plain(part));
  }
  #plain(part: ReplyPart): ReplyPart {
    return part.kind === 'tool_call' ? { ...part, arguments: this.#marks.plain(part.arguments) } : { ...part, text: this.#marks.plain(part.text) };
  }
}
