// Owns POST /v1/completions: plain text goes on, whole or streamed.
// Refuses to know how text is generated.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { promptLogprobsWire } from '../../src/contract/tokens.ts';
import { completionChunk, completionLogprobs, completionReply, completionRequest, generateRequestsOf, toldOf } from '../../src/contract/completions.ts';
import type { CompletionRequest } from '../../src/contract/completions.ts';
import { formFieldOf } from '../../src/contract/forms.ts';
import { maxTokensOf, runningUsage, usageWire } from '../../src/contract/generation.ts';
import type { FinishReason, GenerateEvent, TokenIds, TokensTold, Usage, WrittenToken } from '../../src/engine/port.ts';
import { checkBounds } from '../../src/http/bounds.ts';
import { sideBySide } from '../../src/http/choices.ts';
import { begin, sendEvents } from '../../src/http/events.ts';
import { fingerprintOf } from '../../src/http/fingerprint.ts';
import { refusedIn } from '../../src/http/forms.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

type Chunk = z.infer<typeof completionChunk>;

interface ChoiceEvent {
  readonly index: number;
  readonly event: GenerateEvent;
}
const idsWire = ({ prompt, written }: TokenIds): Pick<Chunk['choices'][number], 'prompt_token_ids' | 'token_ids'> => ({ ...(prompt ? { prompt_token_ids: [...prompt] } : {}), token_ids: [...written] });
/** `each`: choices of every prompt. */
function chunks(head: Pick<Chunk, 'id' | 'object' | 'created' | 'model' | 'system_fingerprint'>, request: CompletionRequest, choices: number, each: number): (event: ChoiceEvent) => Chunk[] {
  const counted = request.stream_options?.include_usage === true;
  const used: Usage[] = [];
  let ended = 0;
  /** By choice: characters of the tokens that were told. Its text may lag behind them, where it could begin a stop sequence. */
  const told = new Map<number, number>();
  const chunk = (index: number, text: string, finish_reason: FinishReason | null, soFar: Usage | undefined, tokens: readonly WrittenToken[] = [], ids?: TokenIds): Chunk => {
    const offset = told.get(index) ?? 0;
    told.set(index, tokens.reduce((sum, token) => sum + token.text.length, offset));
    return { ...head, choices: [{ index, text, logprobs: tokens.length > 0 ? completionLogprobs(tokens, offset) : null, finish_reason, ...(ids ? idsWire(ids) : {}) }], ...runningUsage(request, soFar) };
  };
  return ({ index, event }) => {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'delta') return [chunk(index, event.text, null, event.usage, event.tokens, event.ids)];
    // Plain texts think and call nothing.
    if (event.kind !== 'finish') return [];
    used[index] = event.usage;
    ended++;
    return [chunk(index, '', event.reason, event.usage), ...(counted && ended === choices ? [{ ...head, choices: [], usage: usageWire(used, each) }] : [])];
  };
}

/** One text as it grows. */
class Choice {
  #text = '';
  readonly #tokens: WrittenToken[] = [];
  #ids: TokenIds | undefined;
  prompt: TokensTold['prompt'];
  end: Extract<GenerateEvent, { kind: 'finish' }> | undefined;
  take(event: GenerateEvent): void {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'finish') this.end = event;
    else if (event.kind === 'delta') {
      this.#text += event.text;
      this.#tokens.push(...(event.tokens ?? []));
      this.prompt ??= event.prompt;
      if (event.ids) this.#ids = { prompt: this.#ids?.prompt ?? event.ids.prompt, written: [...(this.#ids?.written ?? []), ...event.ids.written] };
    }
  }
  /** Mean of the tokens' logarithms. */
  get likelihood(): number {
    return this.#tokens.reduce((sum, { logprob }) => sum + (logprob ?? 0), 0) / Math.max(1, this.#tokens.length);
  }
  /** `prompt`: of the likelihoods of its prompt, which the first of several choices has. */
  wire(index: number, told: boolean, prompt: TokensTold['prompt']): z.infer<typeof completionReply>['choices'][number] {
    if (!this.end) throw new Error('a generation ended without its last event');
    return { index, text: this.#text, logprobs: told ? completionLogprobs(this.#tokens, 0) : null, finish_reason: this.end.reason, ...(this.#ids ? idsWire(this.#ids) : {}), ...(prompt ? { prompt_logprobs: promptLogprobsWire(prompt) } : {}) };
  }
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/completions',
    schema: {
      operationId: 'createCompletion',
      summary: 'Go on from a text',
      tags: ['generation'],
      body: completionRequest,
      response: {
        200: {
          description: 'The text; with `stream: true` as events.',
          content: { 'application/json': { schema: completionReply }, 'text/event-stream': { schema: completionChunk } },
        },
        ...errors(404, 422, 502, ...WRITE_ERRORS),
      },
    },
    handler: async (request, reply) => {
      const { body, lifetime } = request;
      const { defaultTokens, newTokens } = app.config.limits;
      const info = app.modelOf(body.model);
      const model = info.id;
      const maxTokens = maxTokensOf(body, defaultTokens, newTokens);
      checkBounds(body, info, maxTokens);
      const asked = generateRequestsOf(body, model, maxTokens);
      app.admission.enterGeneration(reply);
      const events = await begin(sideBySide(asked.map((each) => app.engine.generate(each, lifetime))), reply).catch(refusedIn(formFieldOf(body)));
      const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion' as const, created: Math.floor(Date.now() / 1000), model, system_fingerprint: fingerprintOf(info) };
      const [wanted, each] = [body.n ?? 1, body.best_of ?? body.n ?? 1];
      if (body.stream === true) return sendEvents(reply, events, chunks(head, body, asked.length, each), (error) => app.admission.reasonOf(request, error));

      const made = asked.map(() => new Choice());
      for await (const { index, event } of events) made[index].take(event);
      const kept: Choice[] = [];
      for (let i = 0; i < made.length; i += each) {
        const choices = made.slice(i, i + each);
        kept.push(...(each > wanted ? choices.toSorted((a, b) => b.likelihood - a.likelihood).slice(0, wanted) : choices));
      }
      const told = toldOf(body) !== undefined;
      const usage = usageWire(made.flatMap(({ end }) => (end ? [end.usage] : [])), each);
      return { ...head, choices: kept.map((choice, i) => choice.wire(i, told, made[Math.floor(i / wanted) * each].prompt)), usage };
    },
  });
}) satisfies RoutePlugin;
