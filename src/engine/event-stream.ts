// Owns one generation's events between the thread that makes them and the reader that asks for them.
// Refuses to know where events come from.

import { EngineError } from './port.ts';
import type { GenerateEvent, TokenIds } from './port.ts';

export interface EventStreamOptions {
  /** Called at the first `next`; what it throws, `next` rejects with. */
  begin(stream: EventStream): void;
  /** Called once: with true when the reader leaves or aborts before the last event has come, with false otherwise. */
  end(cancel: boolean): void;
  /** Milliseconds for which it has waited for its turn; undefined: that has come. */
  waited?(): number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Neighbouring deltas that nobody has read yet become one, so a slow reader costs no more memory than the text itself. An error before the first event is a
 * rejection; a later one is the last event.
 */
export class EventStream implements AsyncIterator<GenerateEvent, undefined> {
  readonly #options: EventStreamOptions;
  readonly #ready: GenerateEvent[] = [];
  readonly #readers: { readonly resolve: (result: IteratorResult<GenerateEvent, undefined>) => void; readonly reject: (error: unknown) => void }[] = [];
  #phase: 'new' | 'open' | 'ended' = 'new';
  /** An event has been given or is ready. */
  #began = false;
  #error: EngineError | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  next(): Promise<IteratorResult<GenerateEvent, undefined>> {
    if (this.#phase === 'new') {
      try {
        if (this.#options.signal?.aborted) throw new EngineError('aborted', 'the generation was aborted before it began');
        this.#options.begin(this);
      } catch (error) {
        this.#phase = 'ended';
        return Promise.reject(error);
      }
      this.#phase = 'open';
      this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    }
    const event = this.#ready.shift();
    if (event) return Promise.resolve({ done: false, value: event });
    if (this.#error) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#phase === 'ended') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  /** The reader leaves. */
  return(): Promise<IteratorResult<GenerateEvent, undefined>> {
    this.#end(true);
    this.#ready.length = 0;
    this.#error = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** `finish` is the last. */
  push(event: GenerateEvent): void {
    if (this.#phase === 'ended') return;
    this.#give(event);
    if (event.kind === 'finish' || event.kind === 'error') this.#end(false);
  }
  /** Ends the stream in place of a `finish`. */
  fail(error: EngineError): void {
    this.#fail(error, false);
  }

  readonly #onAbort = (): void => {
    const waitedMs = this.#options.waited?.();
    this.#fail(new EngineError('aborted', 'the generation was aborted by its caller', waitedMs === undefined ? {} : { waitedMs }), true);
  };

  #fail(error: EngineError, cancel: boolean): void {
    if (this.#phase === 'ended') return;
    if (this.#began) this.#give({ kind: 'error', error });
    else {
      const reader = this.#readers.shift();
      if (reader) reader.reject(error);
      else this.#error = error;
    }
    this.#end(cancel);
  }
  #give(event: GenerateEvent): void {
    this.#began = true;
    const reader = this.#readers.shift();
    const last = this.#ready.at(-1);
    const both = reader === undefined && last !== undefined ? merged(last, event) : undefined;
    if (reader) reader.resolve({ done: false, value: event });
    else if (both) this.#ready[this.#ready.length - 1] = both;
    else this.#ready.push(event);
  }
  #end(cancel: boolean): void {
    if (this.#phase === 'ended') return;
    const open = this.#phase === 'open';
    this.#phase = 'ended';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (open) this.#options.end(cancel);
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }
}

/** One event for two that follow each other; undefined where they say different things. */
function merged(first: GenerateEvent, second: GenerateEvent): GenerateEvent | undefined {
  if (first.kind === 'reasoning' && second.kind === 'reasoning') return { ...second, text: first.text + second.text };
  if (first.kind === 'tool_call' && second.kind === 'tool_call' && first.index === second.index) return { ...first, ...(second.usage ? { usage: second.usage } : {}), arguments: first.arguments + second.arguments };
  if (first.kind !== 'delta' || second.kind !== 'delta') return undefined;
  const [tokens, ids, prompt] = [listOf(first.tokens, second.tokens), idsOf(first.ids, second.ids), first.prompt ?? second.prompt];
  return { kind: 'delta', text: first.text + second.text, ...(tokens ? { tokens } : {}), ...(ids ? { ids } : {}), ...(prompt ? { prompt } : {}), ...(second.usage ? { usage: second.usage } : {}) };
}
const listOf = <T>(first: readonly T[] | undefined, second: readonly T[] | undefined): readonly T[] | undefined => (first && second ? [...first, ...second] : (first ?? second));
function idsOf(first: TokenIds | undefined, second: TokenIds | undefined): TokenIds | undefined {
  if (!first || !second) return first ?? second;
  const prompt = first.prompt ?? second.prompt;
  return { ...(prompt ? { prompt } : {}), written: [...first.written, ...second.written] };
}
