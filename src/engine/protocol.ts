// Owns the messages between the engine on the main thread and its worker. Everything in them survives structured cloning.
// Refuses to know who sends them and why.

import type { EncoderAnswer } from './encoder/encoder.ts';
import type { ChatPrompt, Device, EmbedRequest, Encoded, EncodedText, EngineErrorCode, EngineLimits, EngineStatistics, FinishReason, GenerateEvent, GenerateRequest, GenerationTimes, ModelInfo, ScoreRequest, TokensTold, Usage, WrittenToken } from './port.ts';

/** Given to the worker when it starts. */
export interface WorkerSetup {
  readonly folders: readonly string[];
  readonly device: Device;
  readonly threads: number;
  readonly limits: EngineLimits;
  /** The default model is loaded at once, and has to load; otherwise all are loaded when they are asked for. */
  readonly loadDefault: boolean;
}

export type ToWorker =
  | { readonly kind: 'generate'; readonly id: number; readonly request: GenerateRequest }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'count'; readonly id: number; readonly model: string; readonly what: string | ChatPrompt }
  | { readonly kind: 'encode'; readonly id: number; readonly model: string; readonly what: EncodedText | ChatPrompt }
  | { readonly kind: 'decode'; readonly id: number; readonly model: string; readonly ids: readonly number[] }
  | { readonly kind: 'embed'; readonly id: number; readonly request: EmbedRequest }
  | { readonly kind: 'score'; readonly id: number; readonly request: ScoreRequest }
  | { readonly kind: 'add'; readonly id: number; readonly folder: string }
  | { readonly kind: 'remove'; readonly id: number; readonly model: string }
  | { readonly kind: 'close'; readonly graceMs: number };

/** GenerateEvent of request `id`, and when its turn has come. */
export type WireEvent =
  | { readonly id: number; readonly kind: 'begun' }
  | { readonly id: number; readonly kind: 'delta'; readonly text: string; readonly tokens?: readonly WrittenToken[]; readonly told?: TokensTold; readonly usage: Usage }
  /** What was thought or called. */
  | { readonly id: number; readonly kind: 'part'; readonly part: Extract<GenerateEvent, { kind: 'reasoning' | 'tool_call' }>; readonly usage: Usage }
  | { readonly id: number; readonly kind: 'finish'; readonly reason: FinishReason; readonly usage: Usage; readonly stop?: string; readonly times: GenerationTimes }
  | ({ readonly id: number; readonly kind: 'error' } & WireError);
/** EngineError. */
export interface WireError {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly retryAfter?: number;
}

export type Answer =
  | { readonly kind: 'count'; readonly tokens: number }
  | ({ readonly kind: 'encode' } & Encoded)
  | { readonly kind: 'decode'; readonly text: string }
  | EncoderAnswer
  | { readonly kind: 'models'; readonly models: readonly ModelInfo[] };
export type FromWorker =
  | { readonly kind: 'ready'; readonly models: readonly ModelInfo[] }
  /** It could not start; nothing follows. */
  | { readonly kind: 'refused'; readonly code: EngineErrorCode; readonly message: string }
  /** All that one step brought, and how things stand after it. */
  | { readonly kind: 'step'; readonly events: readonly WireEvent[]; readonly statistics: EngineStatistics }
  /** What was counted, embedded or scored, and how things stand after it. */
  | { readonly kind: 'answered'; readonly id: number; readonly answer: Answer; readonly statistics: EngineStatistics }
  | ({ readonly kind: 'unanswered'; readonly id: number } & WireError)
  /** It was loaded, or closed. */
  | { readonly kind: 'model'; readonly info: ModelInfo }
  | { readonly kind: 'note'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  /** Everything is freed; the thread ends now. */
  | { readonly kind: 'closed' };
