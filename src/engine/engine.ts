// Owns the engine as the rest of Pharos sees it: a proxy on the main thread for the worker that runs the models.
// Refuses to know how tokens are made.

import { availableParallelism } from 'node:os';
import { findModels, modelName, splitVariant } from './models/model-files.ts';
import { DEVICES, EngineError, unableTo } from './port.ts';
import type { ChatPrompt, Embeddings, EmbedRequest, EncodedText, Engine, EngineLimits, EngineStatistics, GenerateEvent, GenerateRequest, ModelInfo, ModelLibrary, ScoreRequest, Scores, Task, TokenTable } from './port.ts';
import type { Answer, FromWorker, ToWorker, WireError, WireEvent, WorkerSetup } from './protocol.ts';
import { EventStream } from './event-stream.ts';
import { EngineThread, RESTARTS } from './thread.ts';
import type { ThreadOptions } from './thread.ts';

export interface EngineLogger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
export interface EngineOptions {
  /** Model folders in Hugging Face layout; the first is the default model. */
  readonly models?: readonly string[];
  /** Folders of model folders, in order of their names, after those of `models`; each may be one model folder itself, with `#` and a variant of its weights behind it. */
  readonly folders?: readonly string[];
  /** One of DEVICES. Default `auto`: an accelerator if one works, else the CPU. */
  readonly device?: string;
  /** Threads of one forward pass on the CPU. Default: half of the processors, 4 at most. */
  readonly threads?: number;
  /** Defaults: 8 slots, 64 waiting requests, 128 tokens a step, 256 MiB of beginnings, 8 guessed tokens, 1,024 tokens of one pass of an encoder, all models in memory for good. */
  readonly limits?: Partial<EngineLimits>;
  readonly logger?: EngineLogger;
}
export const DEFAULT_LIMITS: EngineLimits = { slots: 8, queue: 64, prefillChunk: 128, prefixBytes: 256 * 1024 * 1024, guesses: 8, passTokens: 1024, modelBytes: 0, modelIdleMs: 0 };
const DEFAULT_GRACE_MS = 10_000;
/** Time for the thread to free its sessions and end by itself, once nothing runs in it. */
const ENDING_MS = 5_000;

/** Describes the models in a thread of their own and loads the default one; the others are loaded when they are asked for. What cannot be described, or be the default, is logged and left out; rejects with EngineError `model_invalid` or `device_unavailable` when nothing can, or two have one name. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const folders = [...(options.models ?? []), ...(await Promise.all((options.folders ?? []).map(findModels))).flat()];
  if (folders.length === 0) throw new EngineError('model_invalid', `${options.folders?.join(', ') ?? 'the list of models'} holds no model; a model is a folder with config.json, tokenizer.json and onnx/model.onnx`);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  for (const [name, least] of [['slots', 1], ['queue', 0], ['prefillChunk', 1], ['prefixBytes', 0], ['guesses', 0], ['passTokens', 1], ['modelBytes', 0], ['modelIdleMs', 0]] as const)
    if (!Number.isInteger(limits[name]) || limits[name] < least) throw new RangeError(`limits.${name} must be a whole number of at least ${least}, got ${limits[name]}`);
  const device = DEVICES.find((name) => name === (options.device ?? 'auto'));
  if (!device) throw new EngineError('device_unavailable', `there is no device ${JSON.stringify(options.device)}; use one of ${DEVICES.join(', ')}`);
  const threads = options.threads ?? Math.max(1, Math.min(4, availableParallelism() >> 1));
  return new Promise<Engine>((resolve, reject) => {
    const engine = new ThreadedEngine({ folders, device, threads, limits, loadDefault: true }, options.logger, (error) => (error ? reject(error) : resolve(engine)));
  });
}

const nameOf = (given: string): string => {
  const { folder, variant } = splitVariant(given);
  return modelName(folder, variant);
};
const errorOf = ({ code, message, retryAfter }: WireError): EngineError => new EngineError(code, message, retryAfter === undefined ? {} : { retryAfter });

class ThreadedEngine implements Engine {
  readonly #thread: EngineThread;
  readonly #logger: EngineLogger | undefined;
  readonly #live = new Map<number, EventStream>();
  /** Since when those wait whose turn has not come, by performance.now(). */
  readonly #queued = new Map<number, number>();
  /** Questions that have one answer. */
  readonly #asked = new Map<number, { readonly resolve: (answer: Answer) => void; readonly reject: (error: EngineError) => void }>();
  /** By the models' names. */
  readonly #folders = new Map<string, string>();
  #models: readonly ModelInfo[] = [];
  #statistics: EngineStatistics;
  /** Why nothing more is taken on. */
  #refusal: EngineError | undefined;
  #closed: Promise<void> | undefined;
  #next = 0;

  constructor(setup: WorkerSetup, logger: EngineLogger | undefined, started: (error?: EngineError) => void) {
    this.#logger = logger;
    for (const folder of setup.folders) this.#folders.set(nameOf(folder), folder);
    this.#statistics = { running: 0, waiting: 0, promptTokens: 0, generatedTokens: 0, slots: { used: 0, total: setup.limits.slots } };
    this.#thread = new EngineThread({
      // Those that serve now, in their order: others were left out, or are gone.
      setup: (again) => (again ? { ...setup, folders: this.#models.flatMap(({ id }) => this.#folders.get(id) ?? []), loadDefault: false } : setup),
      received: (message) => {
        if (message.kind === 'ready') {
          this.#models = message.models;
          started();
        } else if (message.kind !== 'refused') this.#receive(message);
        else if (this.#models.length === 0) this.#refusal = new EngineError(message.code, message.message);
      },
      ended: (end) => {
        this.#lose(end);
        started(this.#refusal);
      },
    });
  }

  models(): readonly ModelInfo[] {
    return this.#models;
  }
  statistics(): EngineStatistics {
    return { ...this.#statistics, restarts: this.#thread.restarts, ...(this.#refusal?.code === 'thread_ended' ? { failure: this.#refusal.message } : {}) };
  }

  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    return {
      [Symbol.asyncIterator]: () => {
        const id = ++this.#next;
        return new EventStream({
          begin: (stream) => {
            this.#check(request.model, 'generate');
            this.#send({ kind: 'generate', id, request });
            this.#live.set(id, stream);
            this.#queued.set(id, performance.now());
          },
          /** `cancel`: the worker still works on it. */
          end: (cancel) => {
            this.#queued.delete(id);
            if (this.#live.delete(id) && cancel) this.#send({ kind: 'cancel', id });
          },
          waited: () => {
            const since = this.#queued.get(id);
            return since === undefined ? undefined : performance.now() - since;
          },
          signal,
        });
      },
    };
  }

  async countTokens(model: string, what: string | ChatPrompt): Promise<number> {
    this.#check(model);
    const answer = await this.#ask((id) => ({ kind: 'count', id, model, what }));
    return answer.kind === 'count' ? answer.tokens : Number.NaN;
  }
  readonly tokens: TokenTable = {
    encode: async (model, what: EncodedText | ChatPrompt) => {
      this.#check(model);
      const answer = await this.#ask((id) => ({ kind: 'encode', id, model, what }));
      if (answer.kind !== 'encode') throw new EngineError('failed', 'the engine answered another question');
      return { ids: answer.ids, spelt: answer.spelt };
    },
    decode: async (model, ids) => {
      this.#check(model);
      const answer = await this.#ask((id) => ({ kind: 'decode', id, model, ids }));
      if (answer.kind !== 'decode') throw new EngineError('failed', 'the engine answered another question');
      return answer.text;
    },
  };
  async embed(request: EmbedRequest, signal?: AbortSignal): Promise<Embeddings> {
    this.#check(request.model, 'embed');
    const answer = await this.#ask((id) => ({ kind: 'embed', id, request }), signal);
    if (answer.kind !== 'embed') throw new EngineError('failed', 'the engine answered another question');
    const { vectors, dimensions, promptTokens } = answer;
    return { vectors: request.inputs.map((_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions)), promptTokens };
  }
  async score(request: ScoreRequest, signal?: AbortSignal): Promise<Scores> {
    this.#check(request.model, 'score');
    const answer = await this.#ask((id) => ({ kind: 'score', id, request }), signal);
    if (answer.kind !== 'score') throw new EngineError('failed', 'the engine answered another question');
    return { scores: answer.scores, promptTokens: answer.promptTokens };
  }
  readonly library: ModelLibrary = {
    folderOf: (id) => (this.#models.some((model) => model.id === id) ? this.#folders.get(id) : undefined),
    add: async (folder) => {
      this.#refuse();
      await this.#change((id) => ({ kind: 'add', id, folder }));
      const added = this.#models.find(({ id }) => id === nameOf(folder));
      if (!added) throw new EngineError('failed', `the engine took ${folder} and does not list it`);
      this.#folders.set(added.id, folder);
      return added;
    },
    remove: async (model) => {
      this.#check(model);
      await this.#change((id) => ({ kind: 'remove', id, model }));
      this.#folders.delete(model);
    },
  };
  async #change(message: (id: number) => ToWorker): Promise<void> {
    const answer = await this.#ask(message);
    if (answer.kind === 'models') this.#models = answer.models;
  }
  async #ask(message: (id: number) => ToWorker, signal?: AbortSignal): Promise<Answer> {
    const aborted = (): EngineError => new EngineError('aborted', 'the request was aborted by its caller');
    if (signal?.aborted) throw aborted();
    const id = ++this.#next;
    const leave = (): void => {
      const asked = this.#asked.get(id);
      if (!this.#asked.delete(id)) return;
      this.#send({ kind: 'cancel', id });
      asked?.reject(aborted());
    };
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#asked.set(id, { resolve, reject });
        signal?.addEventListener('abort', leave, { once: true });
        this.#send(message(id));
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }
  async #close(graceMs: number): Promise<void> {
    if (!this.#refusal) {
      this.#refusal = new EngineError('closed', 'the engine is closed');
      this.#send({ kind: 'close', graceMs });
    }
    await this.#thread.stop(graceMs + ENDING_MS);
  }

  #check(model: string, task?: Task): void {
    this.#refuse();
    const found = this.#models.find(({ id }) => id === model);
    if (found && task && found.tasks?.includes(task) === false) throw unableTo(task, found, this.#models);
    if (!found) throw new EngineError('unknown_model', `model ${JSON.stringify(model)} is not loaded; loaded are: ${this.#models.map(({ id }) => id).join(', ')}`);
  }
  #refuse(): void {
    if (this.#refusal) throw new EngineError(this.#refusal.code, this.#refusal.message, { cause: this.#refusal });
  }
  #send(message: ToWorker): void {
    this.#thread.send(message);
  }

  #receive(message: Exclude<FromWorker, { kind: 'ready' | 'refused' }>): void {
    switch (message.kind) {
      case 'step':
        this.#statistics = message.statistics;
        for (const event of message.events) this.#dispatch(event);
        return;
      case 'answered':
        this.#statistics = message.statistics;
        this.#asked.get(message.id)?.resolve(message.answer);
        this.#asked.delete(message.id);
        return;
      case 'unanswered':
        this.#asked.get(message.id)?.reject(errorOf(message));
        this.#asked.delete(message.id);
        return;
      case 'model':
        this.#models = this.#models.map((model) => (model.id === message.info.id ? message.info : model));
        return;
      case 'note':
        this.#logger?.[message.level](message.message);
        return;
      case 'closed':
        this.#failAll(new EngineError('closed', 'the engine is closed'));
        return;
      default:
        message satisfies never;
    }
  }
  #dispatch(event: WireEvent): void {
    const stream = this.#live.get(event.id);
    if (!stream) return;
    if (event.kind === 'delta') stream.push({ kind: 'delta', text: event.text, ...(event.tokens ? { tokens: event.tokens } : {}), ...event.told, usage: event.usage });
    else if (event.kind === 'part') stream.push({ ...event.part, usage: event.usage });
    else if (event.kind === 'begun') this.#queued.delete(event.id);
    else {
      this.#live.delete(event.id);
      this.#queued.delete(event.id);
      if (event.kind === 'finish') stream.push({ kind: 'finish', reason: event.reason, usage: event.usage, ...(event.stop === undefined ? {} : { stop: event.stop }), times: event.times });
      else stream.fail(errorOf(event));
    }
  }

  /** The thread is gone. What was live hears why; an end that was asked for is no failure. */
  #lose({ reason, again, cause }: Parameters<ThreadOptions['ended']>[0]): void {
    if (!this.#refusal) {
      const told = cause instanceof Error ? `: ${cause.message}` : '';
      if (again) this.#logger?.error(`the engine's thread is gone (${reason}${told}) and is started again; what was under way is lost`);
      else {
        const often = this.#thread.restarts > 0 ? `, for the last time after ${RESTARTS.most} others within ${RESTARTS.withinMs / 60_000} minutes,` : '';
        this.#refusal = new EngineError('thread_ended', `the engine's thread is gone${often} and is not started again: ${reason}`, { cause });
        this.#logger?.error(`${this.#refusal.message}${told}`);
      }
    }
    this.#failAll(this.#refusal ?? new EngineError('thread_ended', `the engine's thread ended while this was under way (${reason}) and is started again; try again`, { cause }));
    this.#models = this.#models.map((model) => ({ ...model, loaded: false }));
    this.#statistics = { ...this.#statistics, running: 0, waiting: 0, slots: { ...this.#statistics.slots, used: 0 } };
  }
  #failAll(error: EngineError): void {
    const [streams, questions] = [[...this.#live.values()], [...this.#asked.values()]];
    this.#live.clear();
    this.#queued.clear();
    this.#asked.clear();
    for (const stream of streams) stream.fail(error);
    for (const { reject } of questions) reject(error);
  }
}
