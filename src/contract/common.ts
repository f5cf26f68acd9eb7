// Owns the parts that wire schemas share: text, names, knowledge bases, pages, error bodies.
// Refuses to know any single resource.

import { z } from 'zod';
import { DEFAULT_BASE, parseBaseName, isCalendar } from '../../graph/terms.ts';
import type { BaseName } from '../../graph/terms.ts';

/** Text that can be stored and shown: no NUL, no half of a surrogate pair. */
export const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !value.includes('\u0000'), { error: 'holds a NUL character; remove it' })
    .refine((value) => value.isWellFormed(), { error: 'holds half of a surrogate pair; send well-formed Unicode' });
export const name = (what: string) => text(1024).min(1).describe(what);

export const baseName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 . _ - and start with a letter or digit')
  .describe('Name of the knowledge base; `default` when absent.');
export const base = baseName.optional();
export const baseOf = (value: string | undefined): BaseName => (value === undefined ? DEFAULT_BASE : parseBaseName(value));

const INSTANT = /^-?\d{4,6}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
export const instant = z.string().max(40).regex(INSTANT, 'must be ISO 8601, such as 2024-03-01 or 2024-03-01T12:00:00Z').refine(isCalendar, 'is no date or time that the calendar has; give one such as 2024-03-01 or 2024-03-01T12:00:00Z');
export const confidence = z.number().gt(0).lte(1);

/** A number in a query string. */
export const queryWhole = (least: number, most: number) =>
  z
    .string()
    .regex(most > 999_999_999 ? /^\d{1,16}$/ : /^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .meta({ type: 'integer', minimum: least, maximum: most });
export const queryFraction = z
  .string()
  .regex(/^(0?\.\d{1,15}|0|1(\.0{1,15})?)$/, 'must be a number from 0 to 1')
  .transform(Number)
  .pipe(z.number().min(0).max(1))
  .meta({ type: 'number', minimum: 0, maximum: 1 });
export const queryFlag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const page = {
  limit: queryWhole(1, 1000).optional().describe('Items of one page, 1 to 1000 (default 100).'),
  cursor: z.string().min(1).max(2048).optional().describe('Where to go on: `cursor` of the page before.'),
};
export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    cursor: z.string().optional().describe('Present when there is more; give it with the next request.'),
  });
/** A page as it is sent. */
export const asList = <T>(data: T[], cursor?: string): { object: 'list'; data: T[]; has_more: boolean; cursor?: string } => ({
  object: 'list',
  data,
  has_more: cursor !== undefined,
  ...(cursor === undefined ? {} : { cursor }),
});

export const alias = z.strictObject({
  text: name('The alias.'),
  language: z
    .string()
    .regex(/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, 'must be a language tag such as en or zh')
    .optional(),
});
export const aliases = z
  .array(z.union([name('An alias of any language.'), alias]))
  .max(1000)
  .transform((list) => list.map((item) => (typeof item === 'string' ? { text: item } : item)));
export const partial = z.enum(['answers', 'facts', 'ms', 'depth']).describe('The rules reached this limit: some consequences are missing.');

export const errorBody = z
  .strictObject({
    error: z.looseObject({
      message: z.string().describe('What was wrong, where, and what would be right.'),
      type: z.string(),
      param: z.string().nullable().describe('The field or parameter that is wrong.'),
      code: z.string().describe('Stable name of the error.'),
      line: z.int().optional().describe('Of a mistake in rules (line of the text, from 1; 0 when the rules came as JSON) or in an NDJSON body.'),
      column: z.int().optional(),
      expected: z.array(z.string()).optional(),
      status: z.int().optional().describe('NDJSON, in a reply under way: the HTTP status that the error stands for.'),
      acknowledged_lines: z.int().optional().describe('NDJSON: lines that are stored for good. Send the rest from the next line on.'),
    }),
  })
  .meta({
    id: 'Error',
    example: { error: { message: 'messages: required', type: 'invalid_request_error', param: 'messages', code: 'missing_required_parameter' } },
  });

const ERRORS = {
  400: 'The request is wrong; the message says where and what would be right.',
  401: 'No API key, or one that is not known.',
  404: 'There is no such thing.',
  408: 'The body did not arrive in time.',
  413: 'The body, or what it asks for, is larger than the limits allow.',
  415: 'The media type of the body is none that this operation reads.',
  422: 'What was asked for cannot be generated.',
  429: 'Too much is under way; try again later.',
  431: 'The address and the headers together are too long.',
  500: 'Pharos failed; its log holds the cause.',
  502: 'The engine elsewhere (PHAROS_ENGINE) cannot be reached or failed.',
  503: 'Pharos is shutting down, overloaded, or cannot reach its store.',
  504: 'The answer took longer than a request may.',
  507: 'The disk on which Pharos keeps its data is full.',
} as const;
type ErrorStatus = keyof typeof ERRORS;
type ErrorReply = { readonly description: string; readonly content: { readonly 'application/json': { readonly schema: typeof errorBody } } };
/** Error replies of an operation: those given, and those that any operation may answer. */
export const errors = <const S extends ErrorStatus>(...statuses: readonly S[]): Record<S | 400 | 401 | 431 | 500 | 503, ErrorReply> =>
  Object.fromEntries(
    [...new Set<ErrorStatus>([400, 401, ...statuses, 431, 500, 503])].map((status) => [
      status,
      { description: ERRORS[status], content: { 'application/json': { schema: errorBody } } },
    ]),
  ) as Record<S | 400 | 401 | 431 | 500 | 503, ErrorReply>;
export const WRITE_ERRORS = [408, 413, 415, 429, 504] as const;
/** Of operations that keep something. */
export const KEEP_ERRORS = [...WRITE_ERRORS, 507] as const;
