// Owns the engine port: what generation offers the rest of Pharos.
// Refuses to know HTTP, the graph, and which runtime computes the logits.

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  /** Of an assistant: what it thought before it spoke. */
  readonly reasoning?: string;
  /** Of an assistant: what it called after it spoke. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool: the call that it answers. */
  readonly toolCallId?: string;
  readonly name?: string;
}
/** `arguments` is JSON as the model wrote it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}
/** A function that the model may call. `parameters`: a JSON Schema of its arguments. `strict`: the arguments are valid by it, by construction. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: unknown;
  readonly strict?: boolean;
}
/** `auto`: the model decides; `required`: it calls one or more; `name`: it calls this one. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly name: string };
export interface ChatPrompt {
  readonly kind: 'chat';
  /**
   * They go through the model's chat template; special tokens inside contents are plain text, except that in messages marked `trusted` they are kept (prompts that Pharos itself composes).
   */
  readonly messages: readonly (ChatMessage & { readonly trusted?: boolean })[];
  readonly tools?: readonly Tool[];
  /** Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Default true. */
  readonly parallelToolCalls?: boolean;
  /** Whether the model thinks before it speaks, for templates that can be told (`enable_thinking`, `thinking`, `reasoning_effort`); absent: as the template has it. */
  readonly thinking?: boolean;
  readonly reasoningEffort?: string;
  /** The last message is an assistant's and is gone on with, rather than answered. */
  readonly continues?: boolean;
  readonly languages?: Languages;
}
/** Out of which language a model translates, and into which, by the names of its vocabulary's marks; absent: as its folder says. For models that have such marks. */
export interface Languages {
  readonly source?: string;
  readonly target?: string;
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
  /** No end and no stop string before so many tokens. Not with a constraint or tools. */
  readonly minTokens?: number;
  /** The text goes on behind the model's own ends. Not with a constraint or tools. */
  readonly ignoreEos?: boolean;
  /** Tokens that end the text, besides the model's own. */
  readonly stopTokens?: readonly number[];
  /** What ended the text, a stop string or a token, stays in it. */
  readonly includeStop?: boolean;
  /** Special tokens are in the text, but for the marks of thoughts and calls. */
  readonly specialTokens?: boolean;
  /** Tell the ids of the tokens, those of the prompt as well. */
  readonly tokenIds?: boolean;
  /** Tell how likely each token of the prompt was, and so many of the likeliest in its place. It is then read token by token, which is slow. */
  readonly promptLogprobs?: number;
  /** The last so many tokens of the prompt alone; -1: as many as the context has room for beside `maxTokens`. */
  readonly truncatePrompt?: number;
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
/** `rank`: 1 is the likeliest. */
export interface RankedToken {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
  readonly rank: number;
}
export interface TokenIds {
  /** Of the prompt, once. */
  readonly prompt?: readonly number[];
  readonly written: readonly number[];
}

/** What the sampler may write. Serialisable: it crosses to the engine's thread. */
export type ConstraintSpec =
  /**
   * Free words come from `words` only, and a name span (model's name-open token .. name-close token) holds one of `names`, whole.
   * Models without name tokens: text is any sequence of items out of `words` and `names`.
   * For models with name tokens: `order`: exactly these name spans, one after the other, and the text ends only after the last. `stretches`: so many bytes of words may stand before the first
   * span, between it and the second, and so on, the last number for all that follow; then the word is completed, and the next span or the end comes.
   */
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly words: readonly string[]; readonly order?: readonly string[]; readonly stretches?: readonly number[] }
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

/** How long a text may be. Words and characters as `constraints/text-length.ts` counts them; what the model thinks, and calls, is no part of the text. */
export interface TextLimits {
  readonly words?: number;
  readonly characters?: number;
  /** Of each line, without the end of the line. */
  readonly lineWords?: number;
  readonly lineCharacters?: number;
}

/** Urgencies that can be asked for. */
export const PRIORITIES = { least: -100, most: 100 } as const;
/** When a request has its turn among others. Nothing in its answer depends on it. */
export interface Terms {
  /** Whom it is for, as an opaque name: those who wait share the engine evenly between them. All that name nobody are one. */
  readonly client?: string;
  /** Whole number, lower is sooner. Default 0. */
  readonly priority?: number;
}

export interface GenerateRequest extends Terms {
  readonly model: string;
  /** `suffix`: what follows the text that is to be written, for models that fill in between; its characters, and then those of `text`, stand for themselves. */
  readonly prompt: ChatPrompt | { readonly kind: 'text'; readonly text: string; readonly suffix?: string; readonly languages?: Languages } | { readonly kind: 'tokens'; readonly ids: readonly number[] };
  readonly sampling: Sampling;
  /** New tokens at most. 0 only with `echo`. */
  readonly maxTokens: number;
  /** Give the prompt back in front of what is written, with the likelihood of each of its tokens when `sampling.logprobs` asks for them: it is then read token by token, which is slow. */
  readonly echo?: boolean;
  readonly stop: readonly string[];
  readonly constraint?: ConstraintSpec;
  /** The text never exceeds them, and ends with a whole word, or sentence where one ended in their second half. Where they left something out, it ends with the reason `length`. */
  readonly limits?: TextLimits;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Tokens of the prompt that were known from another text with the same beginning. */
  readonly cachedTokens?: number;
  /** Tokens of the completion in which the model thought. */
  readonly reasoningTokens?: number;
}
export interface TokensTold {
  readonly ids?: TokenIds;
  /** Of each token of the prompt, once, when `sampling.promptLogprobs` asks for it: itself and then the likeliest; nothing of the first, which nothing stands before. */
  readonly prompt?: readonly (readonly RankedToken[])[];
}
/** `error` is the last event of a generation that broke in the middle. */
export type GenerateEvent =
  /** `usage`, here and in the next two: of all that was read and written so far, where the engine tells. `tokens`: those written since the last delta, when `sampling.logprobs` asks for them, and `ids`, when `sampling.tokenIds` does; their text may be held back for a while. */
  | ({ readonly kind: 'delta'; readonly text: string; readonly tokens?: readonly WrittenToken[]; readonly usage?: Usage } & TokensTold)
  /** What the model thinks before it speaks. */
  | { readonly kind: 'reasoning'; readonly text: string; readonly usage?: Usage }
  /** A part of call number `index` of this reply; the first has its id and name. The parts of `arguments` make its JSON. */
  | { readonly kind: 'tool_call'; readonly index: number; readonly id?: string; readonly name?: string; readonly arguments: string; readonly usage?: Usage }
  /** `stop`: the stop string that ended the text, where one did and the engine tells. `times`: of engines that compute here. */
  | { readonly kind: 'finish'; readonly reason: FinishReason; readonly usage: Usage; readonly stop?: string; readonly times?: GenerationTimes }
  | { readonly kind: 'error'; readonly error: EngineError };
/** Milliseconds of a generation: from the request until it had a slot, from there to its first token, and on to the last one. */
export interface GenerationTimes {
  readonly queued: number;
  readonly prefill: number;
  readonly decode: number;
}
/** `tool_calls`: the model stopped to have them answered. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** What a model can do: write text, make vectors of texts, say how much texts have to do with a query. */
export const TASKS = ['generate', 'embed', 'score'] as const;
export type Task = (typeof TASKS)[number];

export interface ModelInfo {
  readonly id: string;
  /** Absent where an engine elsewhere does not say. */
  readonly tasks?: readonly Task[];
  /** Numbers of its vectors. */
  readonly dimensions?: number;
  /** False: described only, and loaded when it is first asked for. Absent where an engine elsewhere does not say. */
  readonly loaded?: boolean;
  /** Bytes of its weights. */
  readonly bytes?: number;
  /** Absent where an engine elsewhere does not say. */
  readonly contextLength?: number;
  readonly vocabularySize?: number;
  readonly parameters?: number;
  /** Execution provider that runs it, after any fallback; while it is not loaded, the one that was asked for; `upstream`: a server elsewhere. */
  readonly device: string;
  /** Unix seconds. */
  readonly created: number;
  /** The model marks names with special tokens and was trained to word facts from Pharos's evidence prompt. */
  readonly grounded?: GroundedFormat;
}
/** Read from `pharos.json` in the model folder. */
export interface GroundedFormat {
  readonly format: 'evidence-2';
  readonly nameOpen: string;
  readonly nameClose: string;
  /** Words that the model may write outside names, besides those of the evidence. */
  readonly lexicon: { readonly en: readonly string[]; readonly zh: readonly string[] };
}
/** Execution providers that can be asked for; `auto` takes an accelerator if one works. */
export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'] as const;
export type Device = (typeof DEVICES)[number];

export interface EmbedRequest extends Terms {
  readonly model: string;
  /** Texts, or token ids taken as they are. At least one. */
  readonly inputs: readonly (string | readonly number[])[];
  /** First numbers of each vector only, brought to length 1 again; for models that were trained for it (Matryoshka). */
  readonly dimensions?: number;
  /** Name of one of the model's prompts, put in front of each text. */
  readonly prompt?: string;
  /** Takes the model's prompt for such texts, where it has one. */
  readonly inputType?: 'query' | 'document';
  /** Cut what is too long; otherwise it is an error. */
  readonly truncate?: boolean;
}
export interface Embeddings {
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
}
export interface ScoreRequest extends Terms {
  readonly model: string;
  readonly query: string;
  /** At least one. */
  readonly documents: readonly string[];
  readonly truncate?: boolean;
}
export interface Scores {
  /** Of each document, higher is nearer: in (0, 1) from a cross-encoder, the cosine from an embedding model. */
  readonly scores: readonly number[];
  readonly promptTokens: number;
}

export interface EngineLimits {
  /** Sequences that run at the same time. */
  readonly slots: number;
  /** Requests that wait for a slot. */
  readonly queue: number;
  /** Tokens of one step at most: a long prompt lets the others go on after as many, or fewer, where those take long and another model has work. */
  readonly prefillChunk: number;
  /** Tokens that may be guessed from the text itself for one pass of one sequence, to be checked by the model in it; 0 guesses none. */
  readonly guesses: number;
  /** Bytes of keys and values of ended texts that each model keeps for others with the same beginning; 0 keeps nothing. */
  readonly prefixBytes: number;
  /** Tokens of one pass of an encoder at most, padding included. */
  readonly passTokens: number;
  /** Bytes of weights, keys and values in memory at most; remembered beginnings are forgotten and the models used longest ago closed for others. 0: no limit. */
  readonly modelBytes: number;
  /** Milliseconds after which a model that nobody uses is closed; 0 never closes. */
  readonly modelIdleMs: number;
}

export interface EngineStatistics {
  readonly running: number;
  readonly waiting: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly slots: { readonly used: number; readonly total: number };
  /** Of engines that compute here. */
  readonly passes?: {
    /** Passes through a graph. */
    readonly total: number;
    /** Sequences in them. */
    readonly sequences: number;
    readonly guessedTokens: number;
    /** Of the guessed tokens, those that the model took. */
    readonly acceptedTokens: number;
  };
  /** Times that what computes ended by itself and was started again. Of engines that compute here. */
  readonly restarts?: number;
  /** Why nothing is taken on any more, where it was not closed. */
  readonly failure?: string;
}

export interface Engine {
  /** Models that serve, loaded or not; the first that can do a task is the default for it. */
  models(): readonly ModelInfo[];
  /**
   * Streams one completion. Rejects (or throws on first `next`) with EngineError for a request that cannot start.
   * Aborting `signal`, or returning from the iterator early, frees the sequence's slot within one step.
   */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Of a text as it stands, or of a chat as the model's template writes it. A server elsewhere is not asked: the number is an estimate then. */
  countTokens(model: string, what: string | ChatPrompt): Promise<number>;
  /** Vectors of texts. Rejects with EngineError for a request that cannot be done. Aborting `signal` frees its work. */
  embed(request: EmbedRequest, signal?: AbortSignal): Promise<Embeddings>;
  /** How much texts have to do with a query. As `embed`. */
  score(request: ScoreRequest, signal?: AbortSignal): Promise<Scores>;
  statistics(): EngineStatistics;
  /** Absent where the models are not this engine's own. */
  readonly library?: ModelLibrary;
  /** Absent likewise. */
  readonly tokens?: TokenTable;
  /** Stops admission, lets running sequences finish for at most `graceMs`, then aborts them and frees everything. */
  close(graceMs?: number): Promise<void>;
}

/** Texts as the ids of a model's tokens, and ids as text. */
export interface TokenTable {
  /** Ids of a text as it is read (`framed`: with what the tokenizer puts around it), or of a chat as the model's template writes it, and how the vocabulary spells each. Rejects with EngineError `unknown_model` or `invalid_prompt`. */
  encode(model: string, what: EncodedText | ChatPrompt): Promise<Encoded>;
  /** The text that ids write, special tokens written out. Rejects with EngineError `unknown_model`, or `invalid_prompt` for ids that the vocabulary has not. */
  decode(model: string, ids: readonly number[]): Promise<string>;
}
export interface EncodedText {
  readonly kind: 'text';
  readonly text: string;
  readonly framed: boolean;
}
export interface Encoded {
  readonly ids: readonly number[];
  readonly spelt: readonly string[];
}

/** Models that come and go while the engine runs. */
export interface ModelLibrary {
  /** Folder of a model, with `#` and the variant behind it where one was asked for. Undefined when there is none of that name. */
  folderOf(id: string): string | undefined;
  /** Serves the model in `folder` from now on, after those that are there; it is loaded when it is first asked for. Rejects with EngineError `model_invalid` for what is no model, and for a name that is taken. */
  add(folder: string): Promise<ModelInfo>;
  /** Takes no more requests for a model; those under way end as they would. Rejects with EngineError `unknown_model`. */
  remove(id: string): Promise<void>;
}

export type EngineErrorCode =
  | 'unknown_model' | 'context_length_exceeded' | 'queue_full' | 'constraint_unsatisfiable' | 'constraint_invalid' | 'tools_invalid' | 'filling_unsupported' | 'dimensions_invalid' | 'unknown_prompt' | 'invalid_prompt' | 'device_unavailable' | 'model_invalid' | 'model_unavailable' | 'closed' | 'aborted' | 'upstream_failed' | 'thread_ended' | 'failed';
export interface EngineErrorOptions extends ErrorOptions {
  /** Of `queue_full`: whole seconds after which there is likely to be room. */
  readonly retryAfter?: number;
  /** Of `aborted`: milliseconds for which it waited for a slot, when it had none until the end. */
  readonly waitedMs?: number;
}
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly retryAfter: number | undefined;
  readonly waitedMs: number | undefined;
  constructor(code: EngineErrorCode, message: string, options: EngineErrorOptions = {}) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.retryAfter = options.retryAfter;
    this.waitedMs = options.waitedMs;
  }
}

/** Refuses a task to a model: what it can do, and which ones can. */
export function unableTo(task: Task, { id, tasks = TASKS }: ModelInfo, models: readonly ModelInfo[]): EngineError {
  const words = { generate: 'write text', embed: 'make embeddings', score: 'rank texts' };
  const others = models.filter((model) => model.tasks?.includes(task)).map((model) => model.id);
  return new EngineError('unknown_model', `model ${JSON.stringify(id)} can ${tasks.map((each) => words[each]).join(' and ')}, and cannot ${words[task]}; ${others.length > 0 ? `models that can: ${others.join(', ')}` : 'no model here can'}`);
}
