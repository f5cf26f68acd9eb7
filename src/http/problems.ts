// Owns what an error looks like on the wire: the table from every error code to a status, and OpenAI's error body.
// Refuses to know which route failed and how errors arise.

import { InduceError, KnowledgeError, RuleError } from '../../graph/knowledge.ts';
import type { InduceErrorCode, KnowledgeErrorCode, RuleErrorCode } from '../../graph/knowledge.ts';
import { StoreError } from '../../graph/store.ts';
import type { StoreErrorCode } from '../../graph/store.ts';
import { TermError } from '../../graph/terms.ts';
import type { TermErrorCode } from '../../graph/terms.ts';
import { EngineError } from '../engine/port.ts';
import type { EngineErrorCode } from '../engine/port.ts';
import { JobError } from '../training/jobs/job.ts';
import type { JobErrorCode } from '../training/jobs/job.ts';
import { isFull } from '../workspace/files/durable.ts';
import { FileError } from '../workspace/files/file-store.ts';
import type { FileErrorCode } from '../workspace/files/file-store.ts';

export type HttpErrorCode =
  | 'invalid_value'
  | 'missing_required_parameter'
  | 'unknown_parameter'
  | 'unsupported_parameter'
  | 'invalid_json'
  | 'invalid_encoding'
  | 'invalid_url'
  | 'invalid_http'
  | 'invalid_line'
  | 'invalid_api_key'
  | 'not_found'
  | 'entity_not_found'
  | 'relation_not_found'
  | 'proof_not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'body_timeout'
  | 'client_gone'
  | 'body_too_large'
  | 'headers_too_large'
  | 'unsupported_media_type'
  | 'too_many_streams'
  | 'overloaded'
  | 'shutting_down'
  | 'internal';
/** A request that HTTP itself refuses. `param`: the field or parameter that is wrong; `extra`: further fields of the error body. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly param: string | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  /** Whole seconds after which trying again may help, where more is known than the table says. */
  readonly retryAfter: number | undefined;
  constructor(
    code: HttpErrorCode,
    message: string,
    options: ErrorOptions & { readonly param?: string; readonly extra?: Readonly<Record<string, unknown>>; readonly retryAfter?: number } = {},
  ) {
    super(message, options);
    this.name = 'HttpError';
    this.code = code;
    this.param = options.param;
    this.extra = options.extra ?? {};
    this.retryAfter = options.retryAfter;
  }
}

/** Any error, with further fields for its body. */
export class ErrorWith extends Error {
  override readonly cause: unknown;
  readonly extra: Readonly<Record<string, unknown>>;
  constructor(cause: unknown, extra: Readonly<Record<string, unknown>>) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'ErrorWith';
    this.cause = cause;
    this.extra = extra;
  }
}

type ProblemType = 'invalid_request_error' | 'authentication_error' | 'rate_limit_error' | 'server_error';
interface Problem {
  readonly status: number;
  readonly type: ProblemType;
  /** Code on the wire, where it differs from the error's own. */
  readonly code?: string;
  readonly param?: string;
  /** Seconds after which trying again may help. */
  readonly retryAfter?: number;
  /** Sent in place of the error's own message, which may tell of the inside and is logged. */
  readonly shown?: string;
}
const bad: Problem = { status: 400, type: 'invalid_request_error' };
const missing: Problem = { status: 404, type: 'invalid_request_error' };
const large: Problem = { status: 413, type: 'invalid_request_error' };
const busy: Problem = { status: 429, type: 'rate_limit_error', retryAfter: 1 };
const unavailable: Problem = { status: 503, type: 'server_error', retryAfter: 2 };
const broken: Problem = { status: 500, type: 'server_error', code: 'internal', shown: 'Pharos failed at this request; its log holds the cause' };
const full: Problem = { status: 507, type: 'server_error', code: 'disk_full', shown: 'the disk on which Pharos keeps its data is full, and this was not done; it can be tried again when there is room' };

const HTTP: Readonly<Record<HttpErrorCode, Problem>> = {
  invalid_value: bad,
  missing_required_parameter: bad,
  unknown_parameter: bad,
  unsupported_parameter: bad,
  invalid_json: bad,
  invalid_encoding: bad,
  invalid_url: bad,
  invalid_http: bad,
  invalid_line: bad,
  invalid_api_key: { status: 401, type: 'authentication_error' },
  not_found: missing,
  entity_not_found: missing,
  relation_not_found: missing,
  proof_not_found: missing,
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  timeout: { status: 504, type: 'server_error' },
  body_timeout: { status: 408, type: 'invalid_request_error' },
  client_gone: { status: 499, type: 'invalid_request_error' },
  body_too_large: large,
  headers_too_large: { status: 431, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  too_many_streams: busy,
  overloaded: unavailable,
  shutting_down: unavailable,
  internal: broken,
};
const ENGINE: Readonly<Record<EngineErrorCode, Problem>> = {
  unknown_model: { ...missing, code: 'model_not_found', param: 'model' },
  context_length_exceeded: { ...bad, param: 'messages' },
  queue_full: { ...busy, code: 'engine_overloaded' },
  constraint_unsatisfiable: { status: 422, type: 'invalid_request_error' },
  constraint_invalid: { ...bad, param: 'response_format' },
  tools_invalid: { ...bad, param: 'tools' },
  filling_unsupported: { ...bad, code: 'unsupported_parameter', param: 'suffix' },
  dimensions_invalid: { ...bad, code: 'invalid_value', param: 'dimensions' },
  unknown_prompt: { ...bad, code: 'invalid_value', param: 'prompt_name' },
  invalid_prompt: { ...bad, param: 'messages' },
  device_unavailable: { ...unavailable, retryAfter: undefined },
  model_invalid: broken,
  model_unavailable: { ...unavailable, retryAfter: undefined },
  closed: { ...unavailable, code: 'shutting_down' },
  aborted: { status: 499, type: 'invalid_request_error', code: 'client_gone' },
  upstream_failed: { status: 502, type: 'server_error' },
  thread_ended: { ...unavailable, code: 'engine_failed' },
  failed: { ...broken, code: 'engine_failed' },
};
const STORE: Readonly<Record<StoreErrorCode, Problem>> = {
  closed: { ...unavailable, code: 'shutting_down', shown: 'the store of the facts is closed: Pharos is shutting down' },
  too_large: large,
  unavailable: { ...unavailable, code: 'store_unavailable', shown: 'the store of the facts cannot be reached, read or written now; the log of Pharos holds the cause' },
  corrupt: { ...broken, code: 'store_corrupt' },
  invalid_cursor: { ...bad, param: 'cursor' },
  locked: { ...unavailable, code: 'store_locked', shown: 'the store of the facts is locked by another process; the log of Pharos holds more' },
};
const KNOWLEDGE: Readonly<Record<KnowledgeErrorCode, Problem>> = {
  closed: { ...unavailable, code: 'shutting_down' },
  busy: { ...busy, code: 'too_many_writes' },
  occupied: { ...busy, code: 'too_many_abductions' },
  unknown_rule: { ...missing, code: 'rule_not_found' },
  unknown_version: { ...missing, code: 'version_not_found' },
  invalid_request: { ...bad, code: 'invalid_value' },
  corrupt_rule: broken,
  too_large: large,
};
const INDUCE: Readonly<Record<InduceErrorCode, Problem>> = {
  unknown_induction: { ...missing, code: 'induction_not_found' },
  unknown_rule: { ...missing, code: 'rule_not_found', param: 'rules' },
  unknown_term: { ...missing, code: 'no_facts' },
  invalid_request: { ...bad, code: 'invalid_value' },
  too_large: { ...large, code: 'induction_too_large' },
  busy: { ...busy, code: 'too_many_inductions' },
  cancelled: { ...missing, code: 'induction_cancelled' },
  failed: { ...broken, code: 'induction_failed' },
};
const ruleProblem = (code: RuleErrorCode): Problem => ({ ...(code === 'too_large' ? large : bad), code: `rule_${code}`, param: 'rules' });
const RULE: Readonly<Record<RuleErrorCode, Problem>> = {
  syntax: ruleProblem('syntax'),
  unsafe: ruleProblem('unsafe'),
  unstratifiable: ruleProblem('unstratifiable'),
  invalid_term: ruleProblem('invalid_term'),
  invalid_annotation: ruleProblem('invalid_annotation'),
  type: ruleProblem('type'),
  unknown_builtin: ruleProblem('unknown_builtin'),
  arity: ruleProblem('arity'),
  too_large: ruleProblem('too_large'),
};
const TERM: Readonly<Record<TermErrorCode, Problem>> = {
  invalid_base: { ...bad, param: 'knowledge_base' },
  invalid_entity: bad,
  invalid_relation: bad,
  invalid_literal: bad,
  invalid_time: bad,
  invalid_confidence: { ...bad, param: 'confidence' },
};
const FILE: Readonly<Record<FileErrorCode, Problem>> = {
  unknown_file: { ...missing, code: 'file_not_found' },
  file_too_large: { ...large, param: 'file' },
  files_full: { ...large, param: 'file' },
  disk_full: { ...full, param: 'file', shown: undefined },
};
const JOB: Readonly<Record<JobErrorCode, Problem>> = {
  unknown_job: { ...missing, code: 'fine_tuning_job_not_found' },
  job_queue_full: { ...busy, retryAfter: 60 },
  job_ended: bad,
  job_paused: bad,
  job_not_paused: bad,
  tuning_unsupported: { ...bad, param: 'model' },
  jobs_closed: { ...unavailable, code: 'shutting_down' },
};
/** Fastify's own codes. */
const FASTIFY: Readonly<Record<string, HttpErrorCode>> = {
  FST_ERR_BAD_URL: 'invalid_url',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_http',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_MAX_LIMIT: 'invalid_url',
};

export interface ErrorWire {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string; readonly [extra: string]: unknown };
}
export interface Answer {
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly body: ErrorWire;
  /** The message was replaced: whoever answers should log the error itself. */
  readonly hidden: boolean;
}

const answer = (error: Error, code: string, problem: Problem, param?: string, extra: Readonly<Record<string, unknown>> = {}): Answer => ({
  status: problem.status,
  retryAfter: (error instanceof HttpError || error instanceof EngineError ? error.retryAfter : undefined) ?? problem.retryAfter,
  hidden: problem.shown !== undefined,
  body: {
    error: {
      message: problem.shown ?? error.message,
      type: problem.type,
      param: param ?? problem.param ?? null,
      code: problem.code ?? code,
      ...extra,
    },
  },
});

export const ruleErrorWire = ({ line, column, expected, rule, path }: RuleError): Record<string, unknown> => ({
  line,
  column,
  expected,
  ...(rule === undefined ? {} : { rule }),
  ...(path === undefined ? {} : { path }),
});

/** What the system says of a disk without room, or SQLite (SQLITE_FULL). */
const hasNoRoom = (error: unknown): boolean => isFull(error) || (error instanceof Error && (('errcode' in error && error.errcode === 13) || hasNoRoom(error.cause)));

/** Status and body for anything thrown. What is not one of the known errors is a 500 whose message is hidden. */
export function answerTo(error: unknown): Answer {
  if (error instanceof ErrorWith) {
    const inner = answerTo(error.cause);
    return { ...inner, body: { error: { ...inner.body.error, ...error.extra } } };
  }
  if (error instanceof HttpError) return answer(error, error.code, HTTP[error.code], error.param, error.extra);
  if (error instanceof EngineError) return answer(error, error.code, ENGINE[error.code]);
  if (error instanceof FileError) return answer(error, error.code, FILE[error.code]);
  if (error instanceof Error && hasNoRoom(error)) return answer(error, 'disk_full', full);
  if (error instanceof StoreError) return answer(error, error.code, STORE[error.code]);
  if (error instanceof KnowledgeError) return answer(error, error.code, KNOWLEDGE[error.code], error.field);
  if (error instanceof InduceError) return answer(error, error.code, INDUCE[error.code]);
  if (error instanceof RuleError) return answer(error, error.code, RULE[error.code], error.field, ruleErrorWire(error));
  if (error instanceof JobError) return answer(error, error.code, JOB[error.code]);
  if (error instanceof TermError) return answer(error, error.code, TERM[error.code], error.field);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && Object.hasOwn(FASTIFY, error.code))
    return answer(error, FASTIFY[error.code], HTTP[FASTIFY[error.code]]);
  const other = error instanceof Error ? error : new Error(String(error));
  // A body that broke off, a bad header: Node and Fastify say so by a status.
  if ('statusCode' in other && typeof other.statusCode === 'number' && other.statusCode >= 400 && other.statusCode < 500)
    return answer(other, 'invalid_http', HTTP.invalid_http);
  return answer(other, 'internal', broken);
}
