// Owns how answers are told in OpenAI's Responses, event by event.
// Refuses to know how answers are made, and the response itself (src/contract/dialects/responses-reply.ts).

import { z } from 'zod';
import type { AnswerEvent } from '../../answers/port.ts';
import type { Answer } from '../../http/problems.ts';
import { Parts } from './parts.ts';
import type { PartEvent } from './parts.ts';
import { endResponse, failResponse, itemId, itemWire, likelihoodsWire, outputItem, outputLogprobs, outputText, reasoningText, response, textWire } from './responses-reply.ts';
import type { ResponseWire } from './responses-reply.ts';

const numbered = { sequence_number: z.int() };
const at = { ...numbered, output_index: z.int() };
const inItem = { ...at, item_id: z.string() };
const inPart = { ...inItem, content_index: z.literal(0) };
const ofResponse = <const T extends string>(type: T) => z.strictObject({ type: z.literal(type), ...numbered, response });
const part = z.discriminatedUnion('type', [outputText, reasoningText]);
export const responseEvent = z
  .discriminatedUnion('type', [
    ofResponse('response.created'),
    ofResponse('response.in_progress'),
    z.strictObject({ type: z.literal('response.output_item.added'), ...at, item: outputItem }),
    z.strictObject({ type: z.literal('response.content_part.added'), ...inPart, part }),
    z.strictObject({ type: z.literal('response.reasoning_text.delta'), ...inPart, delta: z.string() }),
    z.strictObject({ type: z.literal('response.reasoning_text.done'), ...inPart, text: z.string() }),
    z.strictObject({ type: z.literal('response.output_text.delta'), ...inPart, delta: z.string(), logprobs: outputLogprobs }),
    z.strictObject({ type: z.literal('response.output_text.done'), ...inPart, text: z.string(), logprobs: outputLogprobs }),
    z.strictObject({ type: z.literal('response.content_part.done'), ...inPart, part }),
    z.strictObject({ type: z.literal('response.function_call_arguments.delta'), ...inItem, delta: z.string() }),
    z.strictObject({ type: z.literal('response.function_call_arguments.done'), ...inItem, name: z.string(), arguments: z.string() }),
    z.strictObject({ type: z.literal('response.output_item.done'), ...at, item: outputItem }),
    ofResponse('response.completed'),
    ofResponse('response.incomplete'),
    ofResponse('response.failed'),
    z.strictObject({ type: z.literal('error'), ...numbered, code: z.string(), message: z.string(), param: z.string().nullable() }),
  ])
  .meta({
    id: 'ResponseEvent',
    description: 'One event of a streamed response; `event:` names its type. The last one is `response.completed`, `response.incomplete`, or, after an `error`, `response.failed`.',
  });
export type ResponseEvent = z.infer<typeof responseEvent>;
type Numberless<E> = E extends unknown ? Omit<E, 'sequence_number'> : never;
type Told = Numberless<ResponseEvent>;

export class ResponseTeller {
  readonly #begun: ResponseWire;
  /** Unix seconds. */
  readonly #now: () => number;
  readonly #parts = new Parts();
  #next = 0;

  constructor(begun: ResponseWire, now: () => number) {
    this.#begun = begun;
    this.#now = now;
  }

  tell(event: AnswerEvent): ResponseEvent[] {
    const cut = event.kind === 'finish' && event.reason === 'length';
    const brought = this.#parts.take(event).flatMap((change) => this.#changed(change, cut));
    const opening = this.#opening();
    if (event.kind !== 'finish') return this.#numbered([...opening, ...brought]);
    const ended = endResponse(this.#begun, this.#parts, event, this.#now());
    return this.#numbered([...opening, ...brought, { type: ended.status === 'incomplete' ? 'response.incomplete' : 'response.completed', response: ended }]);
  }
  fail(answer: Answer): ResponseEvent[] {
    const { code, message, param } = answer.body.error;
    return this.#numbered([...this.#opening(), { type: 'error', code, message, param }, { type: 'response.failed', response: failResponse(this.#begun, this.#parts, answer) }]);
  }

  #numbered(told: readonly Told[]): ResponseEvent[] {
    return told.map((event): ResponseEvent => ({ ...event, sequence_number: this.#next++ }));
  }
  #opening(): Told[] {
    if (this.#next > 0) return [];
    return [
      { type: 'response.created', response: this.#begun },
      { type: 'response.in_progress', response: this.#begun },
    ];
  }
  #changed(change: PartEvent, cut: boolean): Told[] {
    const { kind, index: output_index, part: changed } = change;
    const item_id = itemId(changed.kind, output_index, this.#begun.id);
    const where = { output_index, item_id };
    const inside = { ...where, content_index: 0 } as const;
    if (kind === 'open') {
      const item = itemWire(changed.kind === 'text' ? { ...changed, text: '', tokens: [] } : { ...changed, text: '' }, item_id, 'in_progress');
      if (item.type === 'function_call') return [{ type: 'response.output_item.added', output_index, item }];
      return [
        { type: 'response.output_item.added', output_index, item: { ...item, content: [] } },
        { type: 'response.content_part.added', ...inside, part: item.content[0] },
      ];
    }
    const done = (): Told => ({ type: 'response.output_item.done', output_index, item: itemWire(changed, item_id, cut ? 'incomplete' : 'completed') });
    switch (changed.kind) {
      case 'reasoning':
        if (kind === 'grow') return [{ type: 'response.reasoning_text.delta', ...inside, delta: change.text }];
        return [
          { type: 'response.reasoning_text.done', ...inside, text: changed.text },
          { type: 'response.content_part.done', ...inside, part: { type: 'reasoning_text', text: changed.text } },
          done(),
        ];
      case 'text':
        if (kind === 'grow') return [{ type: 'response.output_text.delta', ...inside, delta: change.text, logprobs: likelihoodsWire(change.tokens) }];
        return [
          { type: 'response.output_text.done', ...inside, text: changed.text, logprobs: likelihoodsWire(changed.tokens) },
          { type: 'response.content_part.done', ...inside, part: textWire(changed.text, changed.tokens) },
          done(),
        ];
      case 'call':
        if (kind === 'grow') return [{ type: 'response.function_call_arguments.delta', ...where, delta: change.text }];
        return [{ type: 'response.function_call_arguments.done', ...where, name: changed.name, arguments: changed.text }, done()];
      default:
        return changed satisfies never;
    }
  }
}
