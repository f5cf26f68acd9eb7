// Owns POST /v1/chat/completions: OpenAI's chat, whole or streamed, with `grounding` beside it.
// Refuses to know how answers are found, worded and cached.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { AnswerEvent } from '../../../src/answers/port.ts';
import { errors, WRITE_ERRORS } from '../../../src/contract/common.ts';
import { answerRequestsOf, chatChunk, chatLogprobs, chatReply, chatRequest, groundingWire } from '../../../src/contract/chat.ts';
import type { ChatRequest } from '../../../src/contract/chat.ts';
import { formFieldOf } from '../../../src/contract/forms.ts';
import { maxTokensOf, runningUsage, usageWire } from '../../../src/contract/generation.ts';
import { promptLogprobsWire } from '../../../src/contract/tokens.ts';
import { callDeltaWire, GatheredCalls } from '../../../src/contract/tools.ts';
import type { FinishReason, TokensTold, Usage, WrittenToken } from '../../../src/engine/port.ts';
import { checkBounds } from '../../../src/http/bounds.ts';
import { sideBySide } from '../../../src/http/choices.ts';
import { begin, sendEvents } from '../../../src/http/events.ts';
import { fingerprintOf } from '../../../src/http/fingerprint.ts';
import { refusedIn } from '../../../src/http/forms.ts';
import type { RoutePlugin } from '../../../src/http/provider.ts';

type Chunk = z.infer<typeof chatChunk>;
interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}
const UNGROUNDED = groundingWire({ outcome: 'ungrounded', answers: [], claims: [], confidence: 0, cached: false });

interface ChoiceEvent {
  readonly index: number;
  readonly event: AnswerEvent;
}
/** Chunks of the choices, event by event. `grounding` is in the last chunk of each, and beside the count of tokens in the very last. */
function chunks(head: Head, request: ChatRequest, choices: number): (event: ChoiceEvent) => Chunk[] {
  const counted = request.stream_options?.include_usage === true;
  const opened = new Set<number>();
  const used: Usage[] = [];
  const chunk = (index: number, delta: Chunk['choices'][number]['delta'], finish_reason: FinishReason | null, soFar: Usage | undefined, tokens: readonly WrittenToken[] = [], ids?: readonly number[]): Chunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, finish_reason, logprobs: tokens.length > 0 ? chatLogprobs(tokens) : null, ...(ids ? { token_ids: [...ids] } : {}) }],
    ...runningUsage(request, soFar),
  });
  return ({ index, event }) => {
    if (event.kind === 'error') throw event.error;
    const prompt = opened.size === 0 && event.kind === 'delta' ? event.ids?.prompt : undefined;
    const { usage } = event;
    const start: Chunk[] = opened.has(index) ? [] : [{ ...chunk(index, { role: 'assistant', content: event.kind === 'tool_call' ? null : '' }, null, usage), ...(prompt ? { prompt_token_ids: [...prompt] } : {}) }];
    opened.add(index);
    if (event.kind === 'delta') return [...start, chunk(index, { content: event.text }, null, usage, event.tokens, event.ids?.written)];
    if (event.kind === 'reasoning') return [...start, chunk(index, { reasoning_content: event.text }, null, usage)];
    if (event.kind === 'tool_call') return [...start, chunk(index, { tool_calls: [callDeltaWire(event)] }, null, usage)];
    const grounding = event.grounding ? groundingWire(event.grounding) : UNGROUNDED;
    const last: Chunk = { ...chunk(index, {}, event.reason, usage), grounding };
    used.push(event.usage);
    return [...start, last, ...(counted && used.length === choices ? [{ ...last, choices: [], usage: usageWire(used) }] : [])];
  };
}

/** One choice as it grows. */
class Choice {
  #content = '';
  #thought = '';
  readonly #calls = new GatheredCalls();
  readonly #tokens: WrittenToken[] = [];
  #ids: number[] | undefined;
  /** Ids and likelihoods of what it answers. */
  promptIds: readonly number[] | undefined;
  prompt: TokensTold['prompt'];
  end: Extract<AnswerEvent, { kind: 'finish' }> | undefined;
  take(event: AnswerEvent): void {
    if (event.kind === 'error') throw event.error;
    if (event.kind === 'finish') this.end = event;
    else if (event.kind === 'reasoning') this.#thought += event.text;
    else if (event.kind === 'tool_call') this.#calls.take(event);
    else {
      this.#content += event.text;
      this.#tokens.push(...(event.tokens ?? []));
      if (event.ids) (this.#ids ??= []).push(...event.ids.written);
      this.promptIds ??= event.ids?.prompt;
      this.prompt ??= event.prompt;
    }
  }
  wire(index: number): z.infer<typeof chatReply>['choices'][number] {
    if (!this.end) throw new Error('an answer ended without its last event');
    const calls = this.#calls.wire();
    const message = {
      role: 'assistant' as const,
      content: this.#content === '' && calls.length > 0 ? null : this.#content,
      refusal: null,
      ...(this.#thought === '' ? {} : { reasoning_content: this.#thought }),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    return { index, message, finish_reason: this.end.reason, logprobs: this.#tokens.length > 0 ? chatLogprobs(this.#tokens) : null, ...(this.#ids ? { token_ids: this.#ids } : {}) };
  }
}

export default (async (app) => {
  app.route({
    method: 'POST',
    url: '/completions',
    schema: {
      operationId: 'createChatCompletion',
      summary: 'Answer a question from the graph, with proofs; or chat',
      tags: ['generation'],
      body: chatRequest,
      response: {
        200: {
          description: 'The answer; with `stream: true` as events.',
          content: { 'application/json': { schema: chatReply }, 'text/event-stream': { schema: chatChunk } },
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
      const asked = answerRequestsOf(body, model, maxTokens);
      app.admission.enterGeneration(reply);
      const events = await begin(sideBySide(asked.map((each) => app.answers.answer(each, lifetime))), reply).catch(refusedIn(formFieldOf(body)));
      const head: Head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model, system_fingerprint: fingerprintOf(info) };
      if (body.stream === true) return sendEvents(reply, events, chunks(head, body, asked.length), (error) => app.admission.reasonOf(request, error));

      const choices = asked.map(() => new Choice());
      for await (const { index, event } of events) choices[index].take(event);
      const [first] = choices;
      return {
        ...head,
        object: 'chat.completion' as const,
        choices: choices.map((choice, i) => choice.wire(i)),
        usage: usageWire(choices.flatMap(({ end }) => (end ? [end.usage] : []))),
        ...(first.promptIds ? { prompt_token_ids: [...first.promptIds] } : {}),
        ...(first.prompt ? { prompt_logprobs: promptLogprobsWire(first.prompt) } : {}),
        grounding: first.end?.grounding ? groundingWire(first.end.grounding) : UNGROUNDED,
      };
    },
  });
}) satisfies RoutePlugin;
