// Owns how everything that goes wrong in a request is answered, down to addresses and methods that do not exist and bytes that are not HTTP.
// Refuses to know what went wrong: the table is src/http/problems.ts.

import type { Socket } from 'node:net';
import fp from 'fastify-plugin';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendEarly, unsupportedType } from '../http/body.ts';
import { Paths } from '../http/paths.ts';
import { bodyFor, isAnthropic } from '../http/error-dialects.ts';
import { answerTo, HttpError } from '../http/problems.ts';

/** Of what Fastify refuses about a body, with what would be right. */
function ofBody(error: unknown, request: FastifyRequest): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new HttpError('body_too_large', `the body has more than ${request.routeOptions.bodyLimit} bytes, which is the limit (PHAROS_BODY_BYTES)`, { cause: error });
  return code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' ? unsupportedType(request, error) : error;
}
/** Sends the answer to an error. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = answerTo(ofBody(error, request));
  const { status, retryAfter, body, hidden } = answer;
  if (hidden) request.log.error({ err: error }, 'a request failed');
  else request.log.debug({ code: body.error.code, message: body.error.message }, 'a request was refused');
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (isAnthropic(request.url)) reply.header('request-id', request.id);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  reply.code(status).type('application/json; charset=utf-8');
  const text = JSON.stringify(bodyFor(request.url, answer, request.id));
  // Who is too slow is not waited for.
  if (body.error.code === 'body_timeout') reply.send(text);
  else sendEarly(request, reply, text);
}

/** For requests that never became one. */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const { status, body } = answerTo(
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new HttpError('body_timeout', 'the request did not arrive in time')
      : tooLarge
        ? new HttpError('headers_too_large', 'the address and headers together are longer than 64 KiB, which is the limit')
        : new HttpError('invalid_http', `the request is not HTTP/1.1: ${error.message}`),
  );
  const text = JSON.stringify(body);
  const phrase = status === 431 ? 'Request Header Fields Too Large' : status === 408 ? 'Request Timeout' : 'Bad Request';
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

export const errors = fp(
  async (app) => {
    const paths = new Paths();
    app.addHook('onRoute', ({ url, method }) => paths.add(url, method));
    app.setErrorHandler((error, request, reply) => sendError(app.admission.reasonOf(request, error), request, reply));
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0];
      const methods = paths.methodsOf(path);
      if (methods.length === 0) throw new HttpError('not_found', `there is nothing at ${path.slice(0, 200)}; GET /docs shows what there is`);
      reply.header('allow', methods.join(', '));
      throw new HttpError('method_not_allowed', `${path.slice(0, 200)} does not take ${request.method}; it takes ${methods.join(', ')}`);
    });
  },
  { name: 'errors', dependencies: ['admission'] },
);
