// Owns the messages between the engine on the main thread and its worker. Everything in them survives structured cloning.
// Refuses to know who sends them and why.

import type { Device, EngineErrorCode, EngineLimits, EngineStatistics, GenerateRequest, ModelInfo, Usage, WrittenToken } from './port.ts';

/** Given to the worker when it starts. */
export interface WorkerSetup {
  readonly folders: readonly string[];
  readonly device: Device;
  readonly threads: number;
  readonly limits: EngineLimits;
}

export type ToWorker =
  | { readonly kind: 'generate'; readonly id: number; readonly request: GenerateRequest }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'count'; readonly id: number; readonly model: string; readonly text: string }
  | { readonly kind: 'close'; readonly graceMs: number };

/** GenerateEvent of request `id`. */
export type WireEvent =
  | { readonly id: number; readonly kind: 'delta'; readonly text: string; readonly tokens?: readonly WrittenToken[] }
  | { readonly id: number; readonly kind: 'finish'; readonly reason: 'stop' | 'length'; readonly usage: Usage }
  | { readonly id: number; readonly kind: 'error'; readonly code: EngineErrorCode; readonly message: string };

export type FromWorker =
  | { readonly kind: 'ready'; readonly models: readonly ModelInfo[] }
  /** It could not start; nothing follows. */
  | { readonly kind: 'refused'; readonly code: EngineErrorCode; readonly message: string }
  /** All that one step brought, and how things stand after it. */
  | { readonly kind: 'step'; readonly events: readonly WireEvent[]; readonly statistics: EngineStatistics }
  | { readonly kind: 'counted'; readonly id: number; readonly tokens: number }
  | { readonly kind: 'uncounted'; readonly id: number; readonly code: EngineErrorCode; readonly message: string }
  | { readonly kind: 'note'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  /** Everything is freed; the thread ends now. */
  | { readonly kind: 'closed' };
