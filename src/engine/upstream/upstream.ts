// Owns an engine elsewhere: a server with OpenAI's API (vLLM, SGLang, llama.cpp, OpenAI) behind the engine's port. Grounding, proofs and cache stay here.
// Refuses to know how it makes tokens.

import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { ChatPrompt, ConstraintSpec, Embeddings, EmbedRequest, Engine, EngineErrorCode, EngineStatistics, FinishReason, GenerateEvent, GenerateRequest, ModelInfo, Sampling, ScoreRequest, Scores, TokenLikelihood, Usage, WrittenToken } from '../port.ts';
import { chatBody, DeltaReader, deltaSchema } from './upstream-chat.ts';
import { embeddingsBody, readEmbeddings, readScores, rerankBody } from './upstream-encoders.ts';

export interface UpstreamOptions {
  /** Address up to and with its version, such as http://host:8000/v1. */
  readonly url: string;
  /** Sent as "Authorization: Bearer KEY". */
  readonly key?: string;
  /** Generations at the same time; more are refused. */
  readonly limit?: number;
}

const START_MS = 10_000;
/** Bytes of an answer that is no stream, and of one event of a stream. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Bytes of an answer that holds embeddings. */
const MOST_ANSWER = 512 * 1024 * 1024;
/** UTF-8 bytes of a token, about (a Chinese character is often one): what a server elsewhere would count is not asked for. */
const BYTES_A_TOKEN = 3;

const likelihood = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullish() };
const chunkSchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        delta: deltaSchema.nullish(),
        text: z.string().nullish(),
        finish_reason: z.string().nullish(),
        logprobs: z
          .looseObject({
            content: z.array(z.looseObject({ ...likelihood, top_logprobs: z.array(z.looseObject(likelihood)).nullish() })).nullish(),
            // Of plain texts.
            tokens: z.array(z.string()).nullish(),
            token_logprobs: z.array(z.number().nullable()).nullish(),
            top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
          })
          .nullish(),
      }),
    )
    .default([]),
  usage: z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int(), prompt_tokens_details: z.looseObject({ cached_tokens: z.int().nullish() }).nullish(), completion_tokens_details: z.looseObject({ reasoning_tokens: z.int().nullish() }).nullish() }).nullish(),
  error: z.unknown().optional(),
});
const modelsSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), created: z.int().nullish(), max_model_len: z.int().positive().nullish(), context_length: z.int().positive().nullish() })),
});
const errorSchema = z.looseObject({ error: z.union([z.string(), z.looseObject({ message: z.string().nullish(), code: z.unknown().optional() })]).optional(), message: z.string().optional() });

/** Asks for the models. Rejects with EngineError `upstream_failed` when the server cannot be reached, refuses or has no model. */
export async function createUpstream(options: UpstreamOptions): Promise<Engine> {
  const engine = new UpstreamEngine(options);
  await engine.open();
  return engine;
}

class UpstreamEngine implements Engine {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limit: number;
  readonly #live = new Set<AbortController>();
  #models: readonly ModelInfo[] = [];
  #tokens = { prompt: 0, generated: 0 };
  #closed = false;

  constructor({ url, key, limit = 256 }: UpstreamOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#limit = limit;
    this.#headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  }
  async open(): Promise<void> {
    const response = await this.#fetch('/models', { signal: AbortSignal.timeout(START_MS) });
    const text = await response.text();
    if (!response.ok) throw this.#refusal(response.status, text);
    const listed = modelsSchema.safeParse(parsed(text));
    if (!listed.success || listed.data.data.length === 0) throw this.#failed(`${this.#url}/models names no model; is this a server with OpenAI's API?`);
    this.#models = listed.data.data.map(({ id, created, max_model_len: longest, context_length: context }) => ({ id, contextLength: longest ?? context ?? undefined, device: 'upstream', created: created ?? 0 }));
  }
  #failed(message: string, cause?: unknown): EngineError {
    return new EngineError('upstream_failed', message, { cause });
  }
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(this.#url + path, { ...init, headers: this.#headers });
    } catch (error) {
      if (init.signal?.aborted && !(init.signal.reason instanceof DOMException && init.signal.reason.name === 'TimeoutError')) throw error;
      const { cause } = error as { cause?: { code?: string; message?: string } };
      throw this.#failed(`the engine at ${this.#url} cannot be reached: ${cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error))}`, error);
    }
  }
  /** What the server says is wrong, as it is told to our client. */
  #refusal(status: number, text: string): EngineError {
    const given = errorSchema.safeParse(parsed(text)).data;
    const inner = given?.error;
    const said = (typeof inner === 'string' ? inner : inner?.message) ?? given?.message ?? text.slice(0, 500);
    const long = (typeof inner === 'object' && inner.code === 'context_length_exceeded') || /context.{0,40}length|maximum context|too long/i.test(said);
    const ofRequest = status === 400 || status === 422;
    const code: EngineErrorCode = status === 429 ? 'queue_full' : status === 404 ? 'unknown_model' : ofRequest ? (long ? 'context_length_exceeded' : 'invalid_prompt') : 'upstream_failed';
    return new EngineError(code, `the engine at ${this.#url} answered ${status}: ${said}`);
  }

  models(): readonly ModelInfo[] {
    return this.#models;
  }
  async countTokens(_model: string, what: string | ChatPrompt): Promise<number> {
    return Math.ceil(Buffer.byteLength(typeof what === 'string' ? what : JSON.stringify([what.messages, what.tools])) / BYTES_A_TOKEN);
  }
  statistics(): EngineStatistics {
    const { prompt, generated } = this.#tokens;
    return { running: this.#live.size, waiting: 0, promptTokens: prompt, generatedTokens: generated, slots: { used: this.#live.size, total: this.#limit } };
  }
  async close(): Promise<void> {
    this.#closed = true;
    for (const live of this.#live) live.abort(new EngineError('closed', 'the engine is closed'));
  }

  async embed(request: EmbedRequest, signal?: AbortSignal): Promise<Embeddings> {
    return readEmbeddings(await this.#ask('/embeddings', embeddingsBody(request), signal), request.inputs.length);
  }
  async score(request: ScoreRequest, signal?: AbortSignal): Promise<Scores> {
    return readScores(await this.#ask('/rerank', rerankBody(request), signal), request.documents.length);
  }
  /** A question that has one answer. */
  async #ask(path: string, body: Readonly<Record<string, unknown>>, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#closed) throw new EngineError('closed', 'the engine is closed');
    if (this.#live.size >= this.#limit) throw new EngineError('queue_full', `${this.#limit} requests are under way, which is the limit; try again later`);
    const live = new AbortController();
    this.#live.add(live);
    try {
      const response = await this.#fetch(path, { method: 'POST', body: JSON.stringify(body), signal: signal ? AbortSignal.any([live.signal, signal]) : live.signal });
      const parts: Uint8Array[] = [];
      let held = 0;
      for await (const part of response.body ?? []) {
        held += part.length;
        if (held > MOST_ANSWER) throw this.#failed(`the engine at ${this.#url} sent an answer of more than ${MOST_ANSWER} bytes`);
        parts.push(part);
      }
      const text = Buffer.concat(parts).toString('utf8');
      if (!response.ok) throw this.#refusal(response.status, text);
      return parsed(text);
    } catch (error) {
      if (signal?.aborted) throw new EngineError('aborted', 'the request was aborted by its caller', { cause: error });
      if (live.signal.aborted) throw new EngineError('closed', 'the engine is closed', { cause: error });
      throw error instanceof EngineError ? error : this.#failed(`the engine at ${this.#url} broke its answer off: ${error instanceof Error ? error.message : String(error)}`, error);
    } finally {
      this.#live.delete(live);
      live.abort(new EngineError('aborted', 'the reader left'));
    }
  }

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
    if (this.#closed) throw new EngineError('closed', 'the engine is closed');
    if (!this.#models.some(({ id }) => id === request.model)) throw new EngineError('unknown_model', `model ${JSON.stringify(request.model)} is not served; served are: ${this.#models.map(({ id }) => id).join(', ')}`);
    if (this.#live.size >= this.#limit) throw new EngineError('queue_full', `${this.#limit} generations run, which is the limit; try again later`);
    const live = new AbortController();
    this.#live.add(live);
    const both = signal ? AbortSignal.any([live.signal, signal]) : live.signal;
    let begun = false;
    try {
      const path = request.prompt.kind === 'chat' ? '/chat/completions' : '/completions';
      const response = await this.#fetch(path, { method: 'POST', body: JSON.stringify(bodyOf(request)), signal: both });
      if (!response.ok) throw this.#refusal(response.status, await response.text());
      if (!response.body) throw this.#failed(`the engine at ${this.#url} sent no stream`);
      let usage: Usage = { promptTokens: 0, completionTokens: 0 };
      let [reason, deltas]: [FinishReason | undefined, number] = [undefined, 0];
      const reader = new DeltaReader();
      for await (const chunk of this.#chunks(response.body)) {
        if (chunk.error !== undefined) throw this.#refusal(502, JSON.stringify({ error: chunk.error }));
        if (chunk.usage) {
          const cached = chunk.usage.prompt_tokens_details?.cached_tokens ?? 0;
          const thought = chunk.usage.completion_tokens_details?.reasoning_tokens ?? 0;
          usage = { promptTokens: chunk.usage.prompt_tokens, completionTokens: chunk.usage.completion_tokens, ...(cached > 0 ? { cachedTokens: cached } : {}), ...(thought > 0 ? { reasoningTokens: thought } : {}) };
        }
        const [choice] = chunk.choices;
        if (!choice) continue;
        const thought = choice.delta ? reader.thought(choice.delta) : '';
        if (thought !== '') {
          begun = true;
          deltas++;
          yield { kind: 'reasoning', text: thought };
        }
        const text = choice.delta?.content ?? choice.text ?? '';
        const tokens = tokensOf(choice.logprobs);
        if (text !== '' || tokens?.length) {
          begun = true;
          deltas++;
          yield { kind: 'delta', text, ...(tokens?.length ? { tokens } : {}) };
        }
        for (const part of choice.delta ? reader.calls(choice.delta) : []) {
          begun = true;
          deltas++;
          yield part;
        }
        if (choice.finish_reason) reason = choice.finish_reason === 'length' ? 'length' : reader.called ? 'tool_calls' : 'stop';
      }
      if (reason === undefined) throw this.#failed(`the engine at ${this.#url} broke its stream off`);
      // Servers that count no tokens send about one a chunk.
      if (usage.completionTokens === 0) usage = { ...usage, completionTokens: deltas };
      this.#tokens = { prompt: this.#tokens.prompt + usage.promptTokens, generated: this.#tokens.generated + usage.completionTokens };
      yield { kind: 'finish', reason, usage };
    } catch (error) {
      const told = signal?.aborted ? new EngineError('aborted', 'the generation was aborted by its caller') : live.signal.aborted ? (live.signal.reason as EngineError) : error instanceof EngineError ? error : this.#failed(`the engine at ${this.#url} broke its stream off: ${error instanceof Error ? error.message : String(error)}`, error);
      if (!begun) throw told;
      yield { kind: 'error', error: told };
    } finally {
      this.#live.delete(live);
      live.abort(new EngineError('aborted', 'the reader left'));
    }
  }

  /** Events of a stream until `[DONE]`. */
  async *#chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<z.infer<typeof chunkSchema>> {
    const ready: string[] = [];
    let held = 0;
    const parser = createParser({ onEvent: ({ data }) => ready.push(data) });
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      held += bytes.length;
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (ready.length > 0) held = 0;
      if (held > MOST_BYTES) throw this.#failed(`the engine at ${this.#url} sent an event of more than ${MOST_BYTES} bytes`);
      for (const data of ready.splice(0)) {
        if (data === '[DONE]') return;
        const chunk = chunkSchema.safeParse(parsed(data));
        if (!chunk.success) throw this.#failed(`the engine at ${this.#url} sent an event that is none of OpenAI's: ${data.slice(0, 200)}`);
        yield chunk.data;
      }
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
type Logprobs = z.infer<typeof chunkSchema>['choices'][number]['logprobs'];
/** Tokens as chats and as plain texts tell them. */
function tokensOf(given: Logprobs): readonly WrittenToken[] | undefined {
  const bytesOf = (text: string): number[] => [...Buffer.from(text, 'utf8')];
  const one = (each: { readonly token: string; readonly logprob: number; readonly bytes?: readonly number[] | null }): TokenLikelihood => ({ text: each.token, logprob: each.logprob, bytes: each.bytes ?? bytesOf(each.token) });
  if (given?.content) return given.content.map((each) => ({ ...one(each), top: (each.top_logprobs ?? []).map(one) }));
  return given?.tokens?.map((text, i) => ({
    text,
    bytes: bytesOf(text),
    logprob: given.token_logprobs?.[i] ?? undefined,
    top: Object.entries(given.top_logprobs?.[i] ?? {}).map(([token, logprob]) => one({ token, logprob })),
  }));
}

/** The request in OpenAI's form. What is not in OpenAI's API is sent under the names that vLLM knows, and only where it asks for something. */
function bodyOf(request: GenerateRequest): Readonly<Record<string, unknown>> {
  const { model, prompt, maxTokens, stop, sampling, echo, constraint, priority } = request;
  const chat = prompt.kind === 'chat';
  return {
    model,
    ...(prompt.kind === 'chat' ? chatBody(prompt) : prompt.kind === 'text' ? { prompt: prompt.text, ...(prompt.suffix === undefined ? {} : { suffix: prompt.suffix }) } : { prompt: prompt.ids }),
    max_tokens: maxTokens,
    ...(stop.length > 0 ? { stop } : {}),
    ...(echo ? { echo } : {}),
    ...(priority ? { priority } : {}),
    ...samplingOf(sampling, chat),
    ...(constraint ? constraintOf(constraint) : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}
function samplingOf(sampling: Sampling, chat: boolean): Readonly<Record<string, unknown>> {
  const { temperature, topP, seed, topK, minP, typicalP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, logprobs } = sampling;
  const given = {
    seed,
    top_k: topK || undefined,
    min_p: minP || undefined,
    typical_p: typicalP === 1 ? undefined : typicalP,
    repetition_penalty: repetitionPenalty === 1 ? undefined : repetitionPenalty,
    presence_penalty: presencePenalty || undefined,
    frequency_penalty: frequencyPenalty || undefined,
    logit_bias: logitBias,
    ...(logprobs === undefined ? {} : chat ? { logprobs: true, top_logprobs: logprobs } : { logprobs }),
  };
  return { temperature, top_p: topP, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
function constraintOf(constraint: ConstraintSpec): Readonly<Record<string, unknown>> {
  switch (constraint.kind) {
    // Names of the evidence cannot be forced on a server elsewhere; the answer is verified all the same.
    case 'names':
      return {};
    case 'choice':
      return { structured_outputs: { choice: constraint.choices } };
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'schema':
      return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: constraint.schema, strict: true } } };
    case 'regex':
      return { structured_outputs: { regex: constraint.pattern } };
    case 'grammar':
      return { structured_outputs: { grammar: constraint.grammar } };
    default:
      return constraint satisfies never;
  }
}
