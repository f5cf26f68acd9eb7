// Owns random answers as events of the engine, with what they come to: a dialect that streams them must say the same.
// Refuses to know any dialect.

import type { GenerateEvent } from '../../src/engine/port.ts';

export interface RandomAnswer {
  readonly events: readonly GenerateEvent[];
  /** Its parts in order; neighbours of a kind are one, but for calls. */
  readonly parts: readonly { readonly kind: 'reasoning' | 'text' | 'call'; readonly text: string }[];
}
/** Numbers in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
const PIECES = ['', 'a', ' b\n', 'ü', '𝔘', '"', '\\', 'data: x\n\n', '\r\n', ' '];

export function randomAnswer(random: () => number): RandomAnswer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const pieces = (): string[] => Array.from({ length: Math.floor(random() * 5) }, () => pick(PIECES));
  const events: GenerateEvent[] = [];
  const parts: { kind: 'reasoning' | 'text' | 'call'; text: string }[] = [];
  const grow = (kind: 'reasoning' | 'text', text: string): void => {
    const last = parts.at(-1);
    if (text === '') return;
    if (last?.kind === kind) last.text += text;
    else parts.push({ kind, text });
  };
  let calls = 0;
  for (let left = Math.floor(random() * 6); left > 0; left--) {
    const kind = pick(['reasoning', 'text', 'call'] as const);
    if (kind === 'call') {
      const text = JSON.stringify({ value: pieces().join('') });
      const cut = Math.floor(random() * (text.length + 1));
      events.push({ kind: 'tool_call', index: calls, id: `call_${calls}`, name: 'f', arguments: text.slice(0, cut) }, { kind: 'tool_call', index: calls, arguments: text.slice(cut) });
      parts.push({ kind, text });
      calls++;
    } else
      for (const text of pieces()) {
        events.push(kind === 'text' ? { kind: 'delta', text } : { kind, text });
        grow(kind, text);
      }
  }
  const reason = random() < 0.2 ? 'length' : calls > 0 ? 'tool_calls' : 'stop';
  events.push({ kind: 'finish', reason, usage: { promptTokens: Math.floor(random() * 100), completionTokens: events.length } });
  return { events, parts };
}
