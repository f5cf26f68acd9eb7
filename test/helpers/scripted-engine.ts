// Owns an engine whose replies come from a table: what the service makes of exact events is tested with it, and what it asked of the engine.
// Refuses to know how tokens are made.

import { EngineError } from '../../src/engine/port.ts';
import type { ChatPrompt, Engine, GenerateEvent, GenerateRequest, ModelInfo } from '../../src/engine/port.ts';

export interface ScriptedEngine extends Engine {
  /** What was asked, in order. */
  readonly requests: readonly GenerateRequest[];
}
export const SCRIPTED: ModelInfo = { id: 'scripted', contextLength: 4096, vocabularySize: 1000, device: 'cpu', created: 1_767_225_600 };

/** Each request is answered with the events that `script` gives for it. */
export function scriptedEngine(script: (request: GenerateRequest) => readonly GenerateEvent[], models: readonly ModelInfo[] = [SCRIPTED]): ScriptedEngine {
  const requests: GenerateRequest[] = [];
  return {
    requests,
    models: () => models,
    async *generate(request, signal) {
      requests.push(request);
      for (const event of script(request)) {
        await new Promise(setImmediate);
        if (signal?.aborted) throw new EngineError('aborted', 'the generation was aborted by its caller');
        yield event;
      }
    },
    embed: async () => {
      throw new EngineError('unknown_model', 'this engine makes no embeddings');
    },
    score: async () => {
      throw new EngineError('unknown_model', 'this engine ranks nothing');
    },
    countTokens: async (_model, what) => Math.ceil((typeof what === 'string' ? what : what.messages.map(({ content }) => content).join('')).length / 4),
    statistics: () => ({ running: 0, waiting: 0, promptTokens: 0, generatedTokens: 0, slots: { used: 0, total: 1 } }),
    close: async () => undefined,
  };
}
/** Deltas of the words of a text, then the end. */
export const says = (text: string, reason: 'stop' | 'length' = 'stop'): GenerateEvent[] => [
  ...(text.match(/\s*\S+/g) ?? []).map((word) => ({ kind: 'delta' as const, text: word })),
  { kind: 'finish', reason, usage: { promptTokens: 10, completionTokens: text.split(/\s+/).length } },
];
/** The last request that was asked of the engine. */
export function lastAsked({ requests }: ScriptedEngine): GenerateRequest {
  const last = requests.at(-1);
  if (!last) throw new Error('nothing was asked of the engine');
  return last;
}
/** Its prompt, which has to be a chat. */
export function lastChat(engine: ScriptedEngine): ChatPrompt {
  const { prompt } = lastAsked(engine);
  if (prompt.kind !== 'chat') throw new Error('what was asked is no chat');
  return prompt;
}
