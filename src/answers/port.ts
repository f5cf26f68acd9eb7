// Owns the shape of a question and of a grounded answer.
// Refuses to know HTTP, the store behind the graph, and how the model runs.

import type { BaseName, FactId, Source } from '../../graph/terms.ts';
import type { ChatMessage, ChatPrompt, ConstraintSpec, EngineError, FinishReason, GenerateEvent, Sampling, TextLimits, Usage } from '../engine/port.ts';

export interface KnowledgeOptions {
  /** Default: the default knowledge base. */
  readonly base: BaseName;
  /** `auto`: grounded when the question links to known entities; `grounded`: always; `off`: the model alone. */
  readonly mode: 'auto' | 'grounded' | 'off';
  /** Longest relation path considered, 1..3. */
  readonly hops: number;
  readonly asOf?: string;
  /** World time, ISO 8601; now when absent. */
  readonly validAt?: string;
  readonly minConfidence?: number;
  /** Rules, as text or in the JSON form, that hold for this question besides those of the base. */
  readonly rules?: unknown;
}

/** Relation paths that a model may choose from, and nothing else. */
export interface PathsAsked {
  readonly base: BaseName;
  /** Names or aliases of entities from which the paths lead; at least one. */
  readonly start: readonly string[];
  /** Steps of a path at most. */
  readonly hops: number;
  /** Facts may be walked from object to subject, too. */
  readonly inverse: boolean;
  /** `names`: Ulm -[located in]-> Germany <-[located in]- Bavaria; `relations`: located in/^located in, as SPARQL writes property paths. */
  readonly form: 'names' | 'relations';
}

export interface AnswerRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Tools, thinking and the rest of what a chat may ask of the model. Where there are tools to call, the model alone is asked. */
  readonly chat?: Omit<ChatPrompt, 'kind' | 'messages'>;
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  /** What the text must be. The model alone is asked then: an answer from the graph is worded from its evidence. */
  readonly constraint?: ConstraintSpec;
  /** The text is to be a relation path of a knowledge base. The model alone is asked; what it writes is there, and is proved. */
  readonly paths?: PathsAsked;
  /** How long the reply may be. An answer from the graph tells as many whole statements as fit. */
  readonly limits?: TextLimits;
  readonly knowledge: KnowledgeOptions;
}

export type AnswerValue = string | number | boolean;
export interface Claim {
  /** The sentence or list item of the reply that this claim stands for. */
  readonly text: string;
  readonly proofId: string;
  readonly facts: readonly FactId[];
  readonly sources: readonly Source[];
}
export interface Grounding {
  readonly outcome: 'entailed' | 'refuted' | 'not_entailed' | 'ungrounded';
  readonly answers: readonly AnswerValue[];
  readonly claims: readonly Claim[];
  /** Least confidence among the claims; 0 when nothing was found. */
  readonly confidence: number;
  readonly cached: boolean;
  /** What was understood: linked entities and the relation path followed, as readable text. */
  readonly interpretation?: { readonly entities: readonly string[]; readonly path: string };
  /** `model` when the text is the transformer's own words; `plain` when verification refused them and the evidence was listed instead. */
  readonly wording?: 'model' | 'plain';
  /** The limits of the reply left something out of its text: reasons, or names of a list. `answers` and `claims` hold all. */
  readonly shortened?: boolean;
  /** Of an answer that is a relation path: false where the base has more of them than the model was given to choose from. */
  readonly pathsComplete?: boolean;
}

export type AnswerEvent =
  | Extract<GenerateEvent, { kind: 'reasoning' | 'tool_call' }>
  /** `promptTokens`: those of `usage`, where they are known with the first text. */
  | (Extract<GenerateEvent, { kind: 'delta' }> & { readonly promptTokens?: number })
  /** `stop`: as in the engine's port. */
  | { readonly kind: 'finish'; readonly reason: FinishReason; readonly usage: Usage; readonly stop?: string; readonly grounding?: Grounding }
  | { readonly kind: 'error'; readonly error: EngineError };

export interface AnswerStatistics {
  readonly hits: number;
  readonly misses: number;
  readonly invalidated: number;
  readonly entries: number;
  readonly bytes: number;
}
export interface Answerer {
  /** Streams one answer. Throws EngineError or StoreError when it cannot start; leaves by the same `finally` on abort, error and end. */
  answer(request: AnswerRequest, signal?: AbortSignal): AsyncIterable<AnswerEvent>;
  statistics(): AnswerStatistics;
}
