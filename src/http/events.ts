// Owns streamed answers: the first event before the status, then frames or lines one by one, and the end of the generation however the client leaves. Who asks for the head alone gets nothing made.
// Refuses to know what the events say.

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { NDJSON } from './body.ts';
import { answerTo } from './problems.ts';

/** A generation that has begun: its first event is there. */
export class Begun<T> {
  readonly #first: IteratorResult<T>;
  readonly #rest: AsyncIterator<T>;
  constructor(first: IteratorResult<T>, rest: AsyncIterator<T>) {
    this.#first = first;
    this.#rest = rest;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (let next = this.#first; !next.done; next = await this.#rest.next()) yield next.value;
    } finally {
      await this.#rest.return?.();
    }
  }
}

/** Waits for the first event, so that what cannot start is thrown while the status is still free. A client that leaves ends the events, read or not. */
export async function begin<T>(events: AsyncIterable<T>, reply: FastifyReply): Promise<Begun<T>> {
  const iterator = events[Symbol.asyncIterator]();
  const leave = (): void => {
    Promise.resolve(iterator.return?.()).catch((error: unknown) => reply.log.debug({ err: error }, 'a generation ended badly after its client had left'));
  };
  reply.raw.once('close', leave);
  return new Begun(await iterator.next(), iterator);
}

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
async function* frames<T>(
  events: AsyncIterable<T>,
  toData: (event: T) => readonly unknown[],
  reply: FastifyReply,
  reasonOf: (error: unknown) => unknown,
): AsyncGenerator<string> {
  try {
    for await (const event of events) for (const data of toData(event)) yield frame(data);
  } catch (error) {
    const { body, hidden } = answerTo(reasonOf(error));
    if (hidden) reply.log.error({ err: error }, 'a streamed answer broke off');
    yield frame(body);
  }
  yield 'data: [DONE]\n\n';
}

/**
 * Answers with server-sent events: the data of each event in turn, then `[DONE]`. What is thrown in the middle becomes a last event with an error body;
 * `reasonOf` may put a better error in its place.
 */
export function sendEvents<T>(
  reply: FastifyReply,
  events: AsyncIterable<T>,
  toData: (event: T) => readonly unknown[],
  reasonOf: (error: unknown) => unknown,
): FastifyReply {
  return sendFrames(reply, frames(events, toData, reply, reasonOf));
}
/** Answers with server-sent events that are written already. */
export const sendFrames = (reply: FastifyReply, written: AsyncIterable<string>): FastifyReply =>
  reply.type('text/event-stream; charset=utf-8').header('cache-control', 'no-cache').header('x-accel-buffering', 'no').send(Readable.from(written));

/** Ends streams of which only the head is sent: Fastify reads them to their end, after the answer is over and the request's time with it. */
export function endHeads(app: FastifyInstance): void {
  app.addHook('onSend', async ({ method }, _reply, payload) => {
    if (method !== 'HEAD' || !(payload instanceof Readable)) return payload;
    payload.destroy();
    return Readable.from([]);
  });
}

/** Answers with NDJSON, piece by piece; a piece is one or more whole lines. */
export const sendLines = (reply: FastifyReply, lines: AsyncIterable<string>): FastifyReply => reply.type(NDJSON).send(Readable.from(lines));
