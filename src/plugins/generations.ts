// Owns what is measured of each generation, under the names that vLLM gives the same figures, so that its dashboards and routers read them.
// Refuses to know who asked, and how tokens are made: it looks at the events of the engine's port.

import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metric } from 'prom-client';
import { EngineError } from '../engine/port.ts';
import type { Engine, GenerateEvent } from '../engine/port.ts';

/** vLLM's reasons: calls end a text as any other end does. */
type Reason = 'stop' | 'length' | 'abort' | 'error';
const LABELS = ['model_name', 'engine'] as const;
type Label = (typeof LABELS)[number];
/** There is one engine in a process. */
const ENGINE = '0';

const FIRST_TOKEN = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640];
const NEXT_TOKEN = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80];
const WHOLE = [0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960];
/** From none at all. */
const PHASE = [0.001, 0.005, 0.01, ...WHOLE];
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

const histogram = (name: string, help: string, buckets: number[]): Histogram<Label> => new Histogram({ name, help, buckets, labelNames: LABELS, registers: [] });
const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> => new Counter({ name, help, labelNames, registers: [] });

export class GenerationMetrics {
  readonly #firstToken = histogram('vllm:time_to_first_token_seconds', 'From the request to the engine to its first text, thought or call.', FIRST_TOKEN);
  readonly #nextToken = histogram('vllm:inter_token_latency_seconds', 'Between two pieces of a text as the service reads them; a piece is a token, or several where text was held back.', NEXT_TOKEN);
  /** The name that vLLM had for it before. */
  readonly #nextTokenBefore = histogram('vllm:time_per_output_token_seconds', 'As vllm:inter_token_latency_seconds, by its former name.', NEXT_TOKEN);
  readonly #perToken = histogram('vllm:request_time_per_output_token_seconds', 'Of each generation: time after its first token, by the tokens that followed it.', NEXT_TOKEN);
  readonly #whole = histogram('vllm:e2e_request_latency_seconds', 'From the request to the engine to the end of its text.', WHOLE);
  readonly #queued = histogram('vllm:request_queue_time_seconds', 'From the request until it had a slot. Of generations that ended, as the next three.', PHASE);
  readonly #prefill = histogram('vllm:request_prefill_time_seconds', 'From the slot to the first token: the prompt is read.', PHASE);
  readonly #decode = histogram('vllm:request_decode_time_seconds', 'From the first token to the last one.', PHASE);
  readonly #inference = histogram('vllm:request_inference_time_seconds', 'From the slot to the last token.', PHASE);
  readonly #prompts = histogram('vllm:request_prompt_tokens', 'Tokens of the prompt.', TOKENS);
  readonly #written = histogram('vllm:request_generation_tokens', 'Tokens written.', TOKENS);
  readonly #ended = counter('vllm:request_success_total', 'Generations that ended, by how; abort: who asked left or ran out of time; error: they broke.', [...LABELS, 'finished_reason']);
  readonly #queried = counter('vllm:prefix_cache_queries_total', 'Tokens of prompts that were looked up among remembered beginnings. Counted when a generation ends.', LABELS);
  readonly #hit = counter('vllm:prefix_cache_hits_total', 'Tokens of prompts that were found among remembered beginnings. Counted when a generation ends.', LABELS);
  #engine: Engine | undefined;

  /** All of them, for a registry. */
  all(): Metric[] {
    const statistics = (): ReturnType<Engine['statistics']> | undefined => this.#engine?.statistics();
    const read = (name: string, help: string, value: () => number | undefined, kind: typeof Gauge | typeof Counter = Gauge): Metric => {
      const labels = (): Record<Label, string> => ({ model_name: this.#engine?.models()[0]?.id ?? '', engine: ENGINE });
      const shared = { name, help: `${help} Of all models; model_name is the first of them.`, labelNames: LABELS, registers: [] };
      if (kind === Gauge)
        return new Gauge({
          ...shared,
          collect() {
            this.set(labels(), value() ?? 0);
          },
        });
      return new Counter({
        ...shared,
        collect() {
          this.reset();
          this.inc(labels(), value() ?? 0);
        },
      });
    };
    return [
      read('vllm:num_requests_running', 'Generations that compute.', () => statistics()?.running),
      read('vllm:num_requests_waiting', 'Generations that wait for a slot.', () => statistics()?.waiting),
      read('vllm:kv_cache_usage_perc', 'Part of the KV cache slots that is in use; 1: all of them.', () => {
        const slots = statistics()?.slots;
        return slots && slots.total > 0 ? slots.used / slots.total : 0;
      }),
      read('vllm:prompt_tokens_total', 'Tokens of prompts.', () => statistics()?.promptTokens, Counter),
      read('vllm:generation_tokens_total', 'Tokens written.', () => statistics()?.generatedTokens, Counter),
      read('vllm:spec_decode_num_draft_tokens_total', 'Tokens that were guessed and checked by the model.', () => statistics()?.passes?.guessedTokens, Counter),
      read('vllm:spec_decode_num_accepted_tokens_total', 'Of the guessed tokens, those that the model took.', () => statistics()?.passes?.acceptedTokens, Counter),
      this.#firstToken,
      this.#nextToken,
      this.#nextTokenBefore,
      this.#perToken,
      this.#whole,
      this.#queued,
      this.#prefill,
      this.#decode,
      this.#inference,
      this.#prompts,
      this.#written,
      this.#ended,
      this.#queried,
      this.#hit,
    ];
  }

  /** The same engine; its generations are measured. */
  measured(engine: Engine): Engine {
    this.#engine = engine;
    return {
      models: () => engine.models(),
      generate: (request, signal) => ({ [Symbol.asyncIterator]: () => this.#watched(request.model, engine.generate(request, signal)) }),
      countTokens: (model, what) => engine.countTokens(model, what),
      embed: (request, signal) => engine.embed(request, signal),
      score: (request, signal) => engine.score(request, signal),
      statistics: () => engine.statistics(),
      library: engine.library,
      tokens: engine.tokens,
      close: (graceMs) => engine.close(graceMs),
    };
  }

  #watched(model: string, events: AsyncIterable<GenerateEvent>): AsyncIterator<GenerateEvent> {
    const inner = events[Symbol.asyncIterator]();
    const watch = new Watch((reason, times) => this.#end(model, reason, times), (seconds) => this.#piece(model, seconds));
    return {
      next: async () => {
        try {
          const result = await inner.next();
          if (result.done) watch.over('error');
          else watch.saw(result.value);
          return result;
        } catch (error) {
          watch.over(reasonOf(error));
          throw error;
        }
      },
      return: async () => {
        watch.over('abort');
        await inner.return?.();
        return { done: true, value: undefined };
      },
    };
  }
  #piece(model: string, seconds: number): void {
    const labels = { model_name: model, engine: ENGINE };
    this.#nextToken.observe(labels, seconds);
    this.#nextTokenBefore.observe(labels, seconds);
  }
  #end(model: string, reason: Reason, { first, whole, finish }: Times): void {
    const labels = { model_name: model, engine: ENGINE };
    this.#ended.inc({ ...labels, finished_reason: reason });
    if (first !== undefined) this.#firstToken.observe(labels, first);
    if (!finish) return;
    const { promptTokens, completionTokens, cachedTokens = 0 } = finish.usage;
    this.#whole.observe(labels, whole);
    this.#prompts.observe(labels, promptTokens);
    this.#written.observe(labels, completionTokens);
    this.#queried.inc(labels, promptTokens);
    this.#hit.inc(labels, cachedTokens);
    if (finish.times) {
      const { queued, prefill, decode } = finish.times;
      this.#queued.observe(labels, queued / 1000);
      this.#prefill.observe(labels, prefill / 1000);
      this.#decode.observe(labels, decode / 1000);
      this.#inference.observe(labels, (prefill + decode) / 1000);
    }
    if (first !== undefined && completionTokens > 1) this.#perToken.observe(labels, (whole - first) / (completionTokens - 1));
  }
}

/** Undefined: it was refused, and never began. */
function reasonOf(error: unknown): Reason | undefined {
  if (!(error instanceof EngineError)) return error instanceof Error && error.name === 'AbortError' ? 'abort' : 'error';
  if (error.code === 'aborted' || error.code === 'closed') return 'abort';
  return error.code === 'failed' || error.code === 'upstream_failed' || error.code === 'thread_ended' ? 'error' : undefined;
}

/** In seconds from the request. */
interface Times {
  readonly first: number | undefined;
  readonly whole: number;
  readonly finish: Extract<GenerateEvent, { kind: 'finish' }> | undefined;
}
/** The clock of one generation. */
class Watch {
  readonly #began = performance.now();
  readonly #ended: (reason: Reason, times: Times) => void;
  readonly #piece: (seconds: number) => void;
  #first: number | undefined;
  #last = 0;
  #over = false;

  constructor(ended: (reason: Reason, times: Times) => void, piece: (seconds: number) => void) {
    this.#ended = ended;
    this.#piece = piece;
  }
  saw(event: GenerateEvent): void {
    if (event.kind === 'finish') this.over(event.reason === 'length' ? 'length' : 'stop', event);
    else if (event.kind === 'error') this.over(reasonOf(event.error));
    else if (!this.#over) {
      const now = this.#now();
      if (this.#first === undefined) this.#first = now;
      else this.#piece(now - this.#last);
      this.#last = now;
    }
  }
  /** Only the first time counts. */
  over(reason: Reason | undefined, finish?: Times['finish']): void {
    if (this.#over) return;
    this.#over = true;
    if (reason === undefined) return;
    this.#ended(reason, { first: this.#first, whole: this.#now(), finish });
  }
  #now(): number {
    return (performance.now() - this.#began) / 1000;
  }
}
