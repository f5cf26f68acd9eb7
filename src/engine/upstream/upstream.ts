// Owns an engine elsewhere: a server with OpenAI's API (vLLM, SGLang, llama.cpp, OpenAI) behind the engine's port. Grounding, proofs and cache stay here.
// Refuses to know how it makes tokens.

import { z } from 'zod';
import { limitEvents } from '../constraints/limits/limited-events.ts';
import { EngineError } from '../port.ts';
import type { ChatPrompt, Embeddings, EmbedRequest, Engine, EngineStatistics, FinishReason, GenerateEvent, GenerateRequest, ModelInfo, ScoreRequest, Scores, Usage } from '../port.ts';
import { DeltaReader } from './upstream-chat.ts';
import { embeddingsBody, readEmbeddings, readScores, rerankBody } from './upstream-encoders.ts';
import { parsed, refusal, waitOf } from './upstream-refusal.ts';
import { bodyOf } from './upstream-request.ts';
import { chunksOf, idsOf, tokensOf } from './upstream-stream.ts';
import type { Chunk } from './upstream-stream.ts';

export interface UpstreamOptions {
  /** Address up to and with its version, such as http://host:8000/v1. */
  readonly url: string;
  /** Sent as "Authorization: Bearer KEY". */
  readonly key?: string;
  /** Generations at the same time; more are refused. */
  readonly limit?: number;
  /** Milliseconds in which the server must have named its models. Default 10,000. */
  readonly startMs?: number;
}

const START_MS = 10_000;
/** Bytes of a list of models, and of what is said of an error. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Bytes of an answer that holds embeddings. */
const MOST_ANSWER = 512 * 1024 * 1024;
/** UTF-8 bytes of a token, about (a Chinese character is often one): what a server elsewhere would count is not asked for. */
const BYTES_A_TOKEN = 3;

const modelsSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), created: z.number().nullish(), max_model_len: z.int().positive().nullish(), context_length: z.int().positive().nullish() })),
});

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
  readonly #startMs: number;
  readonly #live = new Set<AbortController>();
  #models: readonly ModelInfo[] = [];
  #tokens = { prompt: 0, generated: 0 };
  #closed = false;

  constructor({ url, key, limit = 256, startMs = START_MS }: UpstreamOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#limit = limit;
    this.#startMs = startMs;
    this.#headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  }
  async open(): Promise<void> {
    const signal = AbortSignal.timeout(this.#startMs);
    const text = await this.#text(await this.#fetch('/models', { signal }), MOST_BYTES).catch((error: unknown) => {
      throw signal.aborted && !(error instanceof EngineError) ? this.#failed(`the engine at ${this.#url} did not name its models within ${this.#startMs / 1000} s`, error) : this.#broken(error, 'answer');
    });
    const listed = modelsSchema.safeParse(parsed(text));
    if (!listed.success || listed.data.data.length === 0) throw this.#failed(`${this.#url}/models names no model; is this a server with OpenAI's API?`);
    this.#models = listed.data.data.map(({ id, created, max_model_len: longest, context_length: context }) => ({ id, contextLength: longest ?? context ?? undefined, device: 'upstream', created: Math.floor(created ?? 0) }));
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
  /** The body of an answer. Throws EngineError: what the server says where it refuses, `upstream_failed` for more than so many bytes. */
  async #text(response: Response, most: number): Promise<string> {
    const limit = response.ok ? most : Math.min(most, MOST_BYTES);
    const parts: Uint8Array[] = [];
    let held = 0;
    for await (const part of response.body ?? []) {
      held += part.length;
      if (held > limit) throw this.#failed(`the engine at ${this.#url} answered ${response.status} with more than ${limit} bytes`);
      parts.push(part);
    }
    const text = Buffer.concat(parts).toString('utf8');
    if (!response.ok) throw refusal(this.#url, response.status, text, waitOf(response.headers.get('retry-after')));
    return text;
  }
  /** What went wrong while an answer came. */
  #broken(error: unknown, what: string): EngineError {
    return error instanceof EngineError ? error : this.#failed(`the engine at ${this.#url} broke its ${what} off: ${error instanceof Error ? error.message : String(error)}`, error);
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
    return readEmbeddings(await this.#ask('/embeddings', embeddingsBody(request), signal), request);
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
      return parsed(await this.#text(response, MOST_ANSWER));
    } catch (error) {
      if (signal?.aborted) throw new EngineError('aborted', 'the request was aborted by its caller', { cause: error });
      if (live.signal.aborted) throw new EngineError('closed', 'the engine is closed', { cause: error });
      throw this.#broken(error, 'answer');
    } finally {
      this.#live.delete(live);
      live.abort(new EngineError('aborted', 'the reader left'));
    }
  }

  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    return {
      [Symbol.asyncIterator]: () => {
        const live = new AbortController();
        const events = this.#generate(request, live, signal);
        return {
          next: () => events.next(),
          // A generator hears of this only when what it waits for has come; the server may be silent.
          return: () => {
            live.abort(LEFT);
            return events.return(undefined);
          },
        };
      },
    };
  }
  async *#generate(request: GenerateRequest, live: AbortController, signal: AbortSignal | undefined): AsyncGenerator<GenerateEvent, undefined> {
    if (this.#closed) throw new EngineError('closed', 'the engine is closed');
    if (!this.#models.some(({ id }) => id === request.model)) throw new EngineError('unknown_model', `model ${JSON.stringify(request.model)} is not served; served are: ${this.#models.map(({ id }) => id).join(', ')}`);
    if (request.sampling.promptLogprobs !== undefined) throw new EngineError('invalid_prompt', `model ${JSON.stringify(request.model)} is served elsewhere, by a stream, which does not tell how likely the tokens of the prompt are; leave prompt_logprobs out`);
    if (this.#live.size >= this.#limit) throw new EngineError('queue_full', `${this.#limit} generations run, which is the limit; try again later`);
    this.#live.add(live);
    let begun = false;
    try {
      const path = request.prompt.kind === 'chat' ? '/chat/completions' : '/completions';
      const response = await this.#fetch(path, { method: 'POST', body: JSON.stringify(bodyOf(request)), signal: signal ? AbortSignal.any([live.signal, signal]) : live.signal });
      for await (const event of limitEvents(this.#events(response, request.sampling.logprobs), request)) {
        begun = true;
        yield event;
      }
    } catch (error) {
      if (live.signal.reason === LEFT) return undefined;
      const told = signal?.aborted ? new EngineError('aborted', 'the generation was aborted by its caller') : live.signal.aborted ? (live.signal.reason as EngineError) : this.#broken(error, 'stream');
      if (!begun) throw told;
      yield { kind: 'error', error: told };
    } finally {
      this.#live.delete(live);
      live.abort(LEFT);
    }
    return undefined;
  }

  /** What an answer brings, its end included. */
  async *#events(response: Response, likeliest: number | undefined): AsyncGenerator<GenerateEvent> {
    if (!response.ok) await this.#text(response, MOST_BYTES);
    const type = response.headers.get('content-type') ?? '';
    if (!response.body || type.startsWith('application/json')) throw this.#failed(`the engine at ${this.#url} was asked for a stream and sent ${type === '' ? 'nothing' : type}: ${(await this.#text(response, MOST_BYTES)).slice(0, 200)}`);
    let usage: Usage = { promptTokens: 0, completionTokens: 0 };
    let [reason, events]: [FinishReason | undefined, number] = [undefined, 0];
    const reader = new DeltaReader();
    const chunks = chunksOf(this.#url, response.body);
    try {
      for (let next = await chunks.next(); ; next = await chunks.next()) {
        if (next.done) {
          // Not all servers say why a text ended.
          if (next.value) reason ??= reader.called ? 'tool_calls' : 'stop';
          break;
        }
        usage = usageOf(next.value) ?? usage;
        const [choice] = next.value.choices ?? [];
        if (!choice) continue;
        for (const event of eventsOf(next.value, choice, reader, likeliest)) {
          events++;
          yield event;
        }
        if (choice.finish_reason) reason = choice.finish_reason === 'length' ? 'length' : reader.called ? 'tool_calls' : 'stop';
      }
    } catch (error) {
      // Where the end was told, the text is whole, and only its count may be lost.
      if (reason === undefined || error instanceof EngineError) throw error;
    } finally {
      await chunks.return(false);
    }
    if (reason === undefined) throw this.#failed(`the engine at ${this.#url} broke its stream off`);
    // Servers that count no tokens send about one a chunk.
    if (usage.completionTokens === 0) usage = { ...usage, completionTokens: events };
    this.#tokens = { prompt: this.#tokens.prompt + usage.promptTokens, generated: this.#tokens.generated + usage.completionTokens };
    yield { kind: 'finish', reason, usage };
  }
}

/** Why a generation that nobody reads any more is ended. */
const LEFT = new EngineError('aborted', 'the reader left');

function usageOf({ usage }: Chunk): Usage | undefined {
  if (!usage) return undefined;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const thought = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return { promptTokens: usage.prompt_tokens ?? 0, completionTokens: usage.completion_tokens ?? 0, ...(cached > 0 ? { cachedTokens: cached } : {}), ...(thought > 0 ? { reasoningTokens: thought } : {}) };
}
function eventsOf(chunk: Chunk, choice: NonNullable<Chunk['choices']>[number], reader: DeltaReader, likeliest: number | undefined): GenerateEvent[] {
  const { delta, text: plain, logprobs } = choice;
  const thought = delta ? reader.thought(delta) : '';
  const text = delta?.content ?? plain ?? '';
  const tokens = tokensOf(logprobs, likeliest);
  const ids = idsOf(choice, chunk);
  return [
    ...(thought === '' ? [] : [{ kind: 'reasoning' as const, text: thought }]),
    ...(text === '' && !tokens?.length && !ids ? [] : [{ kind: 'delta' as const, text, ...(tokens?.length ? { tokens } : {}), ...(ids ? { ids } : {}) }]),
    ...(delta ? reader.calls(delta) : []),
  ];
}
