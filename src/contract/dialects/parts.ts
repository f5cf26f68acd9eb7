// Owns how the events of an answer become parts in order: thoughts, text, calls, each opened, grown and closed, as dialects with blocks or items tell them.
// Refuses to know any dialect.

import { EngineError } from '../../engine/port.ts';
import type { WrittenToken } from '../../engine/port.ts';
import type { AnswerEvent } from '../../answers/port.ts';

export type Finish = Extract<AnswerEvent, { kind: 'finish' }>;
export type Part =
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string; readonly tokens: readonly WrittenToken[] }
  /** `text`: the arguments. */
  | { readonly kind: 'call'; readonly id: string; readonly name: string; readonly text: string };
/** `index`: which part of the reply. `part` is the part as it stands then. */
export type PartEvent =
  | { readonly kind: 'open' | 'close'; readonly index: number; readonly part: Part }
  | { readonly kind: 'grow'; readonly index: number; readonly part: Part; readonly text: string; readonly tokens: readonly WrittenToken[] };

export class Parts {
  readonly #parts: Part[] = [];
  /** Of the last text. */
  #tokens: WrittenToken[] = [];
  /** Of the open part, when it is a call. */
  #call: number | undefined;
  #open = false;
  #end: Finish | undefined;

  get all(): readonly Part[] {
    return this.#parts;
  }
  /** How the answer ended. Throws when it has not. */
  get end(): Finish {
    if (!this.#end) throw new Error('an answer ended without its last event');
    return this.#end;
  }

  /** What an event brings. Throws what an error event holds. */
  take(event: AnswerEvent): PartEvent[] {
    switch (event.kind) {
      case 'error':
        throw event.error;
      case 'finish':
        this.#end = event;
        return this.#close();
      case 'reasoning':
        return event.text === '' ? [] : [...this.#begin('reasoning', () => ({ kind: 'reasoning', text: '' })), ...this.#grow(event.text)];
      case 'delta': {
        const { text, tokens = [] } = event;
        return text === '' && tokens.length === 0 ? [] : [...this.#begin('text', () => ({ kind: 'text', text: '', tokens: (this.#tokens = []) })), ...this.#grow(text, tokens)];
      }
      case 'tool_call': {
        const begun = this.#begin('call', () => this.#named(event), event.index);
        return event.arguments === '' ? begun : [...begun, ...this.#grow(event.arguments)];
      }
      default:
        return event satisfies never;
    }
  }

  #named({ id, name }: Extract<AnswerEvent, { kind: 'tool_call' }>): Part {
    if (id === undefined || name === undefined) throw new EngineError('upstream_failed', 'a call began without its id and name, or the parts of several calls came mixed');
    return { kind: 'call', id, name, text: '' };
  }
  /** Opens a part unless one of the kind is open; of calls, the one of that number. */
  #begin(kind: Part['kind'], make: () => Part, call?: number): PartEvent[] {
    if (this.#open && this.#parts.at(-1)?.kind === kind && this.#call === call) return [];
    const closed = this.#close();
    const part = make();
    this.#parts.push(part);
    this.#call = call;
    this.#open = true;
    return [...closed, { kind: 'open', index: this.#parts.length - 1, part }];
  }
  #grow(text: string, tokens: readonly WrittenToken[] = []): PartEvent[] {
    const index = this.#parts.length - 1;
    const before = this.#parts[index];
    this.#tokens.push(...tokens);
    const part = { ...before, text: before.text + text };
    this.#parts[index] = part;
    return [{ kind: 'grow', index, part, text, tokens }];
  }
  #close(): PartEvent[] {
    if (!this.#open) return [];
    this.#open = false;
    const index = this.#parts.length - 1;
    return [{ kind: 'close', index, part: this.#parts[index] }];
  }
}

/** The whole of an answer. Throws what an error event holds, and when the last event is missing. */
export async function collect(events: AsyncIterable<AnswerEvent>): Promise<Parts> {
  const parts = new Parts();
  for await (const event of events) parts.take(event);
  return parts;
}
