// Owns a whole service for tests: the shipped model, a store in a folder of its own, every reply checked against the contract.
// Refuses to know what is asked of it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { buildApp } from '../../src/app.ts';
import type { AppOverrides } from '../../src/app.ts';
import { parseConfig } from '../../src/config.ts';

/** `settings`: PHAROS_ variables beside the data folder; the example graph is off unless they say otherwise. */
export async function startApp(
  t: Pick<Test, 'teardown'>,
  settings: Readonly<Record<string, string>> = {},
  overrides: AppOverrides = {},
): Promise<FastifyInstance> {
  const folder = await mkdtemp(join(tmpdir(), 'pharos-http-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const app = await buildApp(parseConfig({ PHAROS_DATA: folder, PHAROS_EXAMPLE: 'off', PHAROS_DEVICE: 'cpu', PHAROS_SHUTDOWN_SECONDS: '1', ...settings }), {
    checkReplies: true,
    ...overrides,
  });
  t.teardown(() => app.close());
  return app;
}
/** The same on a real socket; resolves to its address, too. */
export async function listen(
  t: Pick<Test, 'teardown'>,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly app: FastifyInstance; readonly url: string }> {
  const app = await startApp(t, settings);
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: Json;
}
/** What a test reads a body as: any path may be looked at, values are compared. */
export type Json = { readonly [key: string]: Json } & { readonly [index: number]: Json };
/** A value that has to be a text. */
export function str(value: Json): string {
  const held: unknown = value;
  if (typeof held !== 'string') throw new TypeError(`expected a text, got ${JSON.stringify(held)}`);
  return held;
}
/** Items of what has to be a list. */
export function list(value: Json): Json[] {
  if (!Array.isArray(value)) throw new TypeError(`expected a list, got ${JSON.stringify(value)}`);
  return value as Json[];
}
const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined as unknown as Json;
  }
};

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD';
/** One request without a socket. A body that is no text or buffer is sent as JSON. */
export async function call(app: FastifyInstance, method: Method, url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  const payload = body === undefined ? undefined : raw ? body : JSON.stringify(body);
  const reply = await app.inject({
    method,
    url,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: reply.statusCode, headers: reply.headers, text: reply.body, json: parse(reply.body) };
}
export const lines = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(parse);
/** The data of server-sent events, `[DONE]` left out. */
export const events = (text: string): Json[] =>
  text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => parse(frame.slice('data: '.length)));
