// Owns what a server elsewhere says when it refuses, as an error of the engine: its status, its message in the forms that servers have, and when it wants to be asked again.
// Refuses to know connections and streams.

import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { EngineErrorCode } from '../port.ts';

/** `{error: {...}}` of OpenAI, `{error: "..."}`, and `{object: "error", message, code}` of vLLM before it had the first. */
const errorSchema = z.looseObject({
  error: z.union([z.string(), z.looseObject({ message: z.string().nullish(), code: z.unknown().optional() })]).optional(),
  message: z.string().optional(),
  code: z.unknown().optional(),
});
/** Nobody is told to wait longer. */
const LONGEST_WAIT_S = 3600;
const MOST_SAID = 500;
/** What an error in the middle of a stream counts for where it has no status of its own. */
const BROKEN = 502;

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whole seconds of a `Retry-After` header, which are stated as such or as a date (RFC 9110, section 10.2.3); undefined for what is neither. */
export function waitOf(header: string | null, now: number = Date.now()): number | undefined {
  const given = header?.trim() ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(given) ? Number(given) : /^[A-Za-z]/.test(given) ? (Date.parse(given) - now) / 1000 : Number.NaN;
  return Number.isFinite(seconds) ? Math.min(LONGEST_WAIT_S, Math.max(1, Math.ceil(seconds))) : undefined;
}

/** `url`: where the server is. `retryAfter`: seconds, where it stated some. */
export function refusal(url: string, status: number, text: string, retryAfter?: number): EngineError {
  const given = errorSchema.safeParse(parsed(text)).data;
  const inner = given?.error;
  const said = (typeof inner === 'string' ? inner : inner?.message) ?? given?.message ?? text.slice(0, MOST_SAID);
  const long = (typeof inner === 'object' && inner.code === 'context_length_exceeded') || /context.{0,40}length|maximum context|too long/i.test(said);
  const ofRequest = status === 400 || status === 422;
  const code: EngineErrorCode = status === 429 ? 'queue_full' : status === 404 ? 'unknown_model' : ofRequest ? (long ? 'context_length_exceeded' : 'invalid_prompt') : 'upstream_failed';
  return new EngineError(code, `the engine at ${url} answered ${status}: ${said}`, retryAfter === undefined ? {} : { retryAfter });
}
/** An error that came in a stream: servers that have begun to answer put the status into its code. */
export function refusalWithin(url: string, error: unknown): EngineError {
  const text = JSON.stringify(typeof error === 'string' ? { error } : { error, ...(typeof error === 'object' ? error : {}) });
  const code = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN;
  return refusal(url, Number.isInteger(code) && code >= 400 && code <= 599 ? code : BROKEN, text);
}
