// Owns streamed answers whose events have names, as Anthropic's Messages and OpenAI's Responses stream them: each with its type on a line of its own, and no mark at the end.
// Refuses to know what the events say.

import type { FastifyReply } from 'fastify';
import { sendFrames } from './events.ts';
import { answerTo } from './problems.ts';
import type { Answer } from './problems.ts';

export interface NamedEvent {
  readonly type: string;
}
/** How one dialect tells an answer. */
export interface Teller<T> {
  tell(event: T): readonly NamedEvent[];
  /** The last events of an answer that broke off. */
  fail(answer: Answer): readonly NamedEvent[];
}

const frame = (event: NamedEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
async function* frames<T>(events: AsyncIterable<T>, teller: Teller<T>, reply: FastifyReply, reasonOf: (error: unknown) => unknown): AsyncGenerator<string> {
  try {
    for await (const event of events) for (const told of teller.tell(event)) yield frame(told);
  } catch (error) {
    const answer = answerTo(reasonOf(error));
    if (answer.hidden) reply.log.error({ err: error }, 'a streamed answer broke off');
    for (const told of teller.fail(answer)) yield frame(told);
  }
}
/** `reasonOf` may put a better error in the place of one that is thrown in the middle. */
export const sendNamedEvents = <T>(reply: FastifyReply, events: AsyncIterable<T>, teller: Teller<T>, reasonOf: (error: unknown) => unknown): FastifyReply =>
  sendFrames(reply, frames(events, teller, reply, reasonOf));
