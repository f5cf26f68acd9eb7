// Owns the engine port: what generation offers the rest of Pharos.
// Refuses to know HTTP, the graph, and which runtime computes the logits.

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

export interface Sampling {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Nucleus mass in (0, 1]. */
  readonly topP: number;
  /** Same seed, prompt and model give the same text. Absent = random. */
  readonly seed?: number;
  /** Only so many of the likeliest; absent or 0: all. */
  readonly topK?: number;
  /** In [0, 1]: only those that are at least so likely as this part of the likeliest one. */
  readonly minP?: number;
  /** In (0, 1]: mass of the tokens whose surprise is closest to the expected one. */
  readonly typicalP?: number;
  /** Above 0; 1: none. Of tokens in prompt or text. */
  readonly repetitionPenalty?: number;
  /** Taken off the logits of tokens in the text: once, and for each time. */
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  /** Added to the logits of tokens, by id. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Tell how likely each token was, and so many of the likeliest in its place. */
  readonly logprobs?: number;
}
/** A token and how likely the model itself found it there. */
export interface TokenLikelihood {
  readonly text: string;
  /** UTF-8; a token may be a part of a character. */
  readonly bytes: readonly number[];
  /** Absent: nothing stands before it. */
  readonly logprob: number | undefined;
}
export interface WrittenToken extends TokenLikelihood {
  readonly top: readonly TokenLikelihood[];
}

/** What the sampler may write. Serialisable: it crosses to the engine's thread. */
export type ConstraintSpec =
  /**
   * Free words come from `words` only, and a name span (model's name-open token .. name-close token) holds one of `names`, whole.
   * Models without name tokens: text is any sequence of items out of `words` and `names`.
   * `order`, for models with name tokens: exactly these name spans, one after the other, and the text ends only after the last.
   */
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly words: readonly string[]; readonly order?: readonly string[] }
  /** The whole text is exactly one of these. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** The whole text is a JSON object. */
  | { readonly kind: 'json' }
  /** The whole text is JSON that is valid by a schema. */
  | { readonly kind: 'schema'; readonly schema: unknown }
  /** The whole text matches a regular expression. */
  | { readonly kind: 'regex'; readonly pattern: string }
  /** The whole text is a `root` of a grammar in llama.cpp's GBNF. */
  | { readonly kind: 'grammar'; readonly grammar: string };

export interface GenerateRequest {
  readonly model: string;
  /**
   * `messages` go through the model's chat template; special tokens inside contents are plain text, except that in messages marked `trusted` they are kept
   * (prompts that Pharos itself composes).
   */
  readonly prompt: { readonly kind: 'chat'; readonly messages: readonly (ChatMessage & { readonly trusted?: boolean })[] } | { readonly kind: 'text'; readonly text: string } | { readonly kind: 'tokens'; readonly ids: readonly number[] };
  readonly sampling: Sampling;
  /** New tokens at most. 0 only with `echo`. */
  readonly maxTokens: number;
  /** Give the prompt back in front of what is written, with the likelihood of each of its tokens when `sampling.logprobs` asks for them: it is then read token by token, which is slow. */
  readonly echo?: boolean;
  readonly stop: readonly string[];
  readonly constraint?: ConstraintSpec;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Tokens of the prompt that were known from another text with the same beginning. */
  readonly cachedTokens?: number;
}
/** `error` is the last event of a generation that broke in the middle. */
export type GenerateEvent =
  /** `tokens`: those written since the last delta, when `sampling.logprobs` asks for them; their text may be held back for a while. */
  | { readonly kind: 'delta'; readonly text: string; readonly tokens?: readonly WrittenToken[] }
  | { readonly kind: 'finish'; readonly reason: 'stop' | 'length'; readonly usage: Usage }
  | { readonly kind: 'error'; readonly error: EngineError };

export interface ModelInfo {
  readonly id: string;
  /** Absent where an engine elsewhere does not say. */
  readonly contextLength?: number;
  readonly vocabularySize?: number;
  readonly parameters?: number;
  /** Execution provider that runs it, after any fallback; `upstream`: a server elsewhere. */
  readonly device: string;
  /** Unix seconds. */
  readonly created: number;
  /** The model marks names with special tokens and was trained to word facts from Pharos's evidence prompt. */
  readonly grounded?: GroundedFormat;
}
/** Read from `pharos.json` in the model folder. */
export interface GroundedFormat {
  readonly format: 'evidence-1';
  readonly nameOpen: string;
  readonly nameClose: string;
  /** Words that the model may write outside names, besides those of the evidence. */
  readonly lexicon: { readonly en: readonly string[]; readonly zh: readonly string[] };
}
/** Execution providers that can be asked for; `auto` takes an accelerator if one works. */
export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
export type Device = (typeof DEVICES)[number];

export interface EngineLimits {
  /** Sequences that run at the same time. */
  readonly slots: number;
  /** Requests that wait for a slot. */
  readonly queue: number;
  /** Tokens of one step at most: a long prompt lets the others go on after as many. */
  readonly prefillChunk: number;
  /** Bytes of keys and values of ended texts that each model keeps for others with the same beginning; 0 keeps nothing. */
  readonly prefixBytes: number;
}

export interface EngineStatistics {
  readonly running: number;
  readonly waiting: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly slots: { readonly used: number; readonly total: number };
}

export interface Engine {
  /** Models ready to serve; the first is the default. */
  models(): readonly ModelInfo[];
  /**
   * Streams one completion. Rejects (or throws on first `next`) with EngineError for a request that cannot start.
   * Aborting `signal`, or returning from the iterator early, frees the sequence's slot within one step.
   */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  countTokens(model: string, text: string): Promise<number>;
  statistics(): EngineStatistics;
  /** Stops admission, lets running sequences finish for at most `graceMs`, then aborts them and frees everything. */
  close(graceMs?: number): Promise<void>;
}

export type EngineErrorCode =
  | 'unknown_model' | 'context_length_exceeded' | 'queue_full' | 'constraint_unsatisfiable' | 'constraint_invalid' | 'invalid_prompt' | 'device_unavailable' | 'model_invalid' | 'closed' | 'aborted' | 'upstream_failed' | 'failed';
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}
