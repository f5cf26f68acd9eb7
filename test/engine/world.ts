// Owns what the engine's tests share: the model that ships, an engine that ends with its test, a whole generation in one call.
// Refuses to know what is tested.

import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { createEngine } from '../../src/engine/engine.ts';
import type { EngineOptions } from '../../src/engine/engine.ts';
import type { ChatMessage, Engine, EngineError, FinishReason, GenerateEvent, GenerateRequest, Usage } from '../../src/engine/port.ts';

export const MODEL = 'pharos-mini';
export const FOLDER = fileURLToPath(new URL(`../../models/${MODEL}`, import.meta.url));

export async function startEngine(t: Test, options: EngineOptions = {}): Promise<Engine> {
  const engine = await createEngine({ models: [FOLDER], device: 'cpu', threads: 1, ...options });
  t.teardown(() => engine.close(0));
  return engine;
}

/** Greedy, free text, unless told otherwise. */
export const ask = (text: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  model: MODEL,
  prompt: { kind: 'text', text },
  sampling: { temperature: 0, topP: 1 },
  maxTokens: 48,
  stop: [],
  ...more,
});
export const chat = (messages: readonly (ChatMessage & { trusted?: boolean })[], more: Partial<GenerateRequest> = {}): GenerateRequest => ask('', { prompt: { kind: 'chat', messages }, ...more });

/** Evidence about one fact and the question for it, as the answering path writes them. */
export const FACT: readonly (ChatMessage & { trusted: boolean })[] = [
  { role: 'system', content: '<|en|><|answer|><|f|><|n|>Albert Einstein<|/n|><|r|><|was|> born in<|o|><|n|>Ulm<|/n|>', trusted: true },
  { role: 'user', content: 'Where was <|n|>Albert Einstein<|/n|> born?', trusted: true },
];
export const FACT_ZH: readonly (ChatMessage & { trusted: boolean })[] = [
  { role: 'system', content: '<|zh|><|answer|><|f|><|n|>阿尔伯特·爱因斯坦<|/n|><|r|><|verb|>出生于<|o|><|n|>乌尔姆<|/n|>', trusted: true },
  { role: 'user', content: '<|n|>阿尔伯特·爱因斯坦<|/n|>出生于哪里？', trusted: true },
];
/** Wild sampling: long, unforeseeable text whatever the model has learnt. */
export const wild = (seed: number, maxTokens = 64): Partial<GenerateRequest> => ({ sampling: { temperature: 3, topP: 1, seed }, maxTokens });

export interface Whole {
  readonly text: string;
  readonly deltas: readonly string[];
  readonly reason: FinishReason | undefined;
  readonly usage: Usage | undefined;
  /** The last event, when it was an error. */
  readonly error: EngineError | undefined;
}
export async function collect(events: AsyncIterable<GenerateEvent>): Promise<Whole> {
  const deltas: string[] = [];
  let [reason, usage, error]: [Whole['reason'], Whole['usage'], Whole['error']] = [undefined, undefined, undefined];
  for await (const event of events) {
    if (event.kind === 'delta') deltas.push(event.text);
    else if (event.kind === 'finish') [reason, usage] = [event.reason, event.usage];
    else if (event.kind === 'error') error = event.error;
  }
  return { text: deltas.join(''), deltas, reason, usage, error };
}

/** What a promise rejects with; undefined when it does not. */
export const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Resolves when `holds` does, asked after each turn of the event loop; rejects after 10 s. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
