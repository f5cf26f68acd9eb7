// Owns POST /v1/completions: plain text goes on, whole or streamed.
// Refuses to know how text is generated.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { errors, WRITE_ERRORS } from '../../src/contract/common.ts';
import { completionChunk, completionLogprobs, completionReply, completionRequest, generateRequestsOf } from '../../src/contract/completions.ts';
import type { CompletionRequest } from '../../src/contract/completions.ts';
import { formFieldOf, usageWire } from '../../src/contract/generation.ts';
import type { FinishReason, GenerateEvent, Usage, WrittenToken } from '../../src/engine/port.ts';
import { sideBySide } from '../../src/http/choices.ts';
import { begin, sendEvents } from '../../src/http/events.ts';
import { refusedIn } from '../../src/http/forms.ts';
import type { RoutePlugin } from '../../src/http/provider.ts';

type Chunk = z.infer<typeof completionChunk>;

interface ChoiceEvent {
  readonly index: number;
  readonly event: GenerateEvent;
}
/** `each`: choices of every prompt. */
function chunks(head: Pick<Chunk, 'id' | 'object' | 'created' | 'model'>, request: CompletionRequest, choices: number, each: number): (event: ChoiceEvent) => Chunk[] {
  const counted = request.stream_options?.include_usage === true;
  const used: Usage[] = [];
  let ended = 0;
  const written = new Map<number, number>();
  const chunk = (index: number, text: string, finish_reason: FinishReason | null, tokens: readonly WrittenToken[] = []): Chunk => {
    const offset = written.get(index) ?? 0;
    written.set(index, offset + text.length);
    return { ...head, choices: [{ index, text, logprobs: tokens.length > 0 ? completionLogprobs(tokens, offset) : null, finish_reason }], ...(counted ? { usage: null } : {}) };
  };
  return ({ index, event }) => {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'delta') return [chunk(index, event.text, null, event.tokens)];
    // Plain texts think and call nothing.
    if (event.kind !== 'finish') return [];
    used[index] = event.usage;
    ended++;
    return [chunk(index, '', event.reason), ...(counted && ended === choices ? [{ ...head, choices: [], usage: usageWire(used, each) }] : [])];
  };
}

/** One text as it grows. */
class Choice {
  #text = '';
  readonly #tokens: WrittenToken[] = [];
  end: Extract<GenerateEvent, { kind: 'finish' }> | undefined;
  take(event: GenerateEvent): void {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'finish') this.end = event;
    else if (event.kind === 'delta') {
      this.#text += event.text;
      this.#tokens.push(...(event.tokens ?? []));
    }
  }
  /** Mean of the tokens' logarithms. */
  get likelihood(): number {
    return this.#tokens.reduce((sum, { logprob }) => sum + (logprob ?? 0), 0) / Math.max(1, this.#tokens.length);
  }
  wire(index: number, told: boolean): z.infer<typeof completionReply>['choices'][number] {
    if (!this.end) throw new Error('a generation ended without its last event');
    return { index, text: this.#text, logprobs: told ? completionLogprobs(this.#tokens, 0) : null, finish_reason: this.end.reason };
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
      const model = app.modelOf(body.model).id;
      const asked = generateRequestsOf(body, model, Math.min(body.max_tokens ?? defaultTokens, newTokens));
      app.admission.enterGeneration(reply);
      const events = await begin(sideBySide(asked.map((each) => app.engine.generate(each, lifetime))), reply).catch(refusedIn(formFieldOf(body)));
      const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion' as const, created: Math.floor(Date.now() / 1000), model };
      const [wanted, each] = [body.n ?? 1, body.best_of ?? body.n ?? 1];
      if (body.stream === true) return sendEvents(reply, events, chunks(head, body, asked.length, each), (error) => app.admission.reasonOf(request, error));

      const made = asked.map(() => new Choice());
      for await (const { index, event } of events) made[index].take(event);
      const kept: Choice[] = [];
      for (let i = 0; i < made.length; i += each) {
        const choices = made.slice(i, i + each);
        kept.push(...(each > wanted ? choices.toSorted((a, b) => b.likelihood - a.likelihood).slice(0, wanted) : choices));
      }
      const told = body.logprobs !== undefined && body.logprobs !== null;
      const usage = usageWire(made.flatMap(({ end }) => (end ? [end.usage] : [])), each);
      return { ...head, choices: kept.map((choice, i) => choice.wire(i, told)), usage };
    },
  });
}) satisfies RoutePlugin;
