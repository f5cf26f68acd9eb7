// Owns how request bodies are read: JSON in strict UTF-8, NDJSON as a stream, everything else refused; and what becomes of a body that nobody wants.
// Refuses to know what is in them.

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mayRound, parseExactly, roundedIn, roundedReason } from '../contract/exact-json.ts';
import type { Rounded } from '../contract/exact-json.ts';
import { HttpError } from './problems.ts';
import { bodyTypesOf } from './provider.ts';
import { pathOf } from './validation.ts';

export const NDJSON = 'application/x-ndjson';
/** Time to read what a refused client is still sending, so that it gets to see the answer. */
const DRAIN_MS = 30_000;

/** Lists and objects within each other. */
const NESTING = 256;
const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [...'"\\[]{}'].map((sign) => sign.charCodeAt(0));

const strict = new TextDecoder('utf-8', { fatal: true });
/** Text of the bytes. Throws HttpError `invalid_encoding`. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return strict.decode(bytes);
  } catch (error) {
    throw new HttpError('invalid_encoding', `${what} is not valid UTF-8`, { cause: error });
  }
}

/** Do brackets nest deeper than the limit? Everything behind may then go down by recursion. Text that is no JSON gets some answer. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) quoted = false;
    } else if (code === QUOTE) quoted = true;
    else if (code === OPEN_LIST || code === OPEN_MAP) {
      if (++depth > NESTING) return true;
    } else if (code === CLOSE_LIST || code === CLOSE_MAP) depth--;
  }
  return false;
}

/** Texts of bodies in which numbers may have been rounded. */
const texts = new WeakMap<object, string>();
/** A body, before it is checked by the contract, with whole numbers as they came (see src/contract/exact-json.ts); the body itself where none was rounded. */
export function exactly(body: unknown): unknown {
  const text = typeof body === 'object' && body !== null ? texts.get(body) : undefined;
  return text === undefined ? body : parseExactly(text);
}
/** Fields of bodies that hold schemas by which a text is to be valid. */
const SCHEMAS = ['response_format', 'structured_outputs', 'guided_json', 'json_schema', 'tools', 'text', 'output_config'] as const;
/** Fields of bodies that hold triples, terms and rules: a number in them is a thing that facts are about. */
const TERMS = ['triples', 'facts', 'add', 'remove', 'values', 'object', 'observation', 'rules', 'knowledge'] as const;
const refuseRounded = (found: Rounded, reason: string): never => {
  const param = pathOf(found.path);
  throw new HttpError('invalid_value', `${param}: ${reason}`, { param });
};
/** Throws HttpError `invalid_value` for the first number of terms, as `parseExactly` gave them, that would be another one here. */
export function checkTerms(exact: unknown, path: readonly string[] = []): void {
  const found = roundedIn(exact, path, 'listed');
  if (found) refuseRounded(found, `is ${found.digits}, and whole numbers beyond 2^53 cannot all be told apart here; give it as a string`);
}
/** Throws HttpError `invalid_value` for a number of a schema or of a term that would be another one here. */
function checkNumbers(body: unknown): void {
  const exact = exactly(body);
  if (exact === body) return;
  for (const field of SCHEMAS) {
    const found = roundedIn(Reflect.get(Object(exact), field), [field]);
    if (found) refuseRounded(found, roundedReason(found));
  }
  for (const field of TERMS) checkTerms(Reflect.get(Object(exact), field), [field]);
}
/** What a body says; undefined where it says nothing, for clients announce JSON with requests that need no body, too. */
function parseJson(bytes: Buffer): unknown {
  const text = decodeUtf8(bytes, 'the body');
  if (text.trim() === '') return undefined;
  if (nestsTooDeep(text)) throw new HttpError('invalid_json', `the body nests lists and objects deeper than ${NESTING}, which is the limit`);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && mayRound(text)) texts.set(body, text);
    return body;
  } catch (error) {
    throw new HttpError('invalid_json', `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export function readBodies(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const coding = headers['content-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'identity')
      throw new HttpError('unsupported_media_type', `content-encoding ${JSON.stringify(coding.slice(0, 40))} is not supported; send the body as it is`);
  });
  app.addHook('preValidation', async ({ body }) => checkNumbers(body));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, bytes: Buffer) => parseJson(bytes));
  app.addContentTypeParser([NDJSON, 'application/ndjson', 'application/jsonl'], (request, payload, done) => {
    if (bodyTypesOf(request.routeOptions.schema).includes(NDJSON)) done(null, payload);
    else done(unsupportedType(request));
  });
}

/** What a route says of a body that it does not read. */
export function unsupportedType({ headers, routeOptions }: FastifyRequest, cause?: unknown): HttpError {
  const given = headers['content-type'];
  const types = bodyTypesOf(routeOptions.schema);
  return new HttpError('unsupported_media_type', `${given === undefined ? 'the body has no content-type' : `content-type ${JSON.stringify(given.slice(0, 100))} is not supported`}; send ${types.join(' or ')}`, { cause });
}

/** A body is still on its way. */
function isIncomplete({ raw }: FastifyRequest): boolean {
  const announced = raw.headers['content-length'] !== undefined || raw.headers['transfer-encoding'] !== undefined;
  return announced && !raw.complete && !raw.readableEnded && !raw.destroyed;
}
/** Reads the rest of a body and throws it away, for some time at most. */
export async function drained(request: FastifyRequest): Promise<void> {
  if (!isIncomplete(request)) return;
  const { raw } = request;
  // A pipe that ends later would pause it again.
  raw.unpipe();
  raw.resume();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS).unref();
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    raw.once('end', done).once('close', done).once('error', done);
  });
}
/**
 * Sends an answer that does not wait for the request's body. While that is on its way the answer is written but not ended, for ending it may close the
 * connection, and a connection that is closed with bytes unread throws away the answer, too.
 */
export function sendEarly(request: FastifyRequest, reply: FastifyReply, text: string): void {
  reply.removeHeader('connection');
  if (!isIncomplete(request)) {
    reply.send(text);
    return;
  }
  async function* pieces(): AsyncGenerator<string> {
    yield text;
    await drained(request);
  }
  reply.header('content-length', Buffer.byteLength(text)).send(Readable.from(pieces()));
}
