// Owns what a reader of replies offers the sequence: the parts of a growing reply, and where the reply is over.
// Refuses to know tokens, formats and what becomes of the parts.

import type { GenerateEvent } from '../port.ts';

/** Thought, said or called. */
export type ReplyPart = { readonly kind: 'delta'; readonly text: string } | Extract<GenerateEvent, { kind: 'reasoning' | 'tool_call' }>;

export interface ReplyReader {
  /** More of the reply: text, and signs for marks that are one special token. Parts that are certain now. */
  push(text: string): ReplyPart[];
  /** The reply is over: what was held back. */
  end(): ReplyPart[];
  /** Something was called. */
  readonly called: boolean;
  /** The reply is to end here: one call was asked for, and it is whole. */
  readonly over: boolean;
  /** What comes now is thought. */
  readonly thinks: boolean;
  /** Text that may be content is held back. */
  readonly holds: boolean;
}

/** Neighbouring parts of one kind as one. */
export function joined(parts: readonly ReplyPart[]): ReplyPart[] {
  const all: ReplyPart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last?.kind === 'tool_call' && part.kind === 'tool_call' && last.index === part.index)
      all[all.length - 1] = { ...last, arguments: last.arguments + part.arguments };
    else if (last && last.kind !== 'tool_call' && part.kind !== 'tool_call' && last.kind === part.kind)
      all[all.length - 1] = { kind: last.kind, text: last.text + part.text };
    else all.push(part);
  }
  return all;
}
