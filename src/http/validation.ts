// Owns how a request that breaks the contract is told so: from zod's issues to one message that names the field.
// Refuses to know any route.

import type { z } from 'zod';
import { HttpError } from './problems.ts';
import type { HttpErrorCode } from './problems.ts';

type Issue = z.core.$ZodIssue;

/** A place in a body, as errors name it. */
export const pathOf = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

/** How far a way to read something got: as deep, and at this place, its first mistake lies. */
function reach(issues: readonly Issue[]): readonly [depth: number, place: number] {
  if (issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0)) return [-1, 0];
  const [first] = issues[0]?.path ?? [];
  return [Math.max(...issues.map(({ path }) => path.length)), typeof first === 'number' ? first : 0];
}
/** Of the ways to read a union, the one that got furthest: its mistakes say most. */
function narrowed(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const [best] = issue.errors
    .map((issues) => ({ issues, reached: reach(issues) }))
    .toSorted(({ reached: a }, { reached: b }) => b[0] - a[0] || b[1] - a[1])
    .map(({ issues }) => issues);
  if (!best?.[0] || reach(best)[0] < 0) return issue;
  const inner = narrowed(best[0]);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

const isMissing = (issue: Issue): boolean =>
  issue.code === 'invalid_union'
    ? issue.errors.length > 0 && issue.errors.every((each) => each[0]?.path.length === 0 && isMissing(each[0]))
    : issue.code === 'invalid_type' && issue.message.endsWith('received undefined');

/** What a union takes, where nothing of it fits at all. */
function formsOf(issue: Extract<Issue, { readonly code: 'invalid_union' }>): string {
  if (issue.message !== 'Invalid input') return issue.message;
  const first = issue.errors.map(([each]) => each);
  const kinds = new Set(first.flatMap((each) => (each?.code === 'invalid_type' && each.path.length === 0 ? [each.expected] : [])));
  const received = /received (.+)$/.exec(first.find((each) => each?.code === 'invalid_type')?.message ?? '')?.[1];
  return kinds.size === 0 || received === undefined ? 'has none of the forms that are allowed here' : `expected ${[...kinds].join(' or ')}, received ${received}`;
}
function read(found: Issue): { readonly code: HttpErrorCode; readonly param: string; readonly reason: string } {
  const issue = narrowed(found);
  const param = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const key = pathOf([...issue.path, issue.keys[0]]);
    return {
      code: 'unknown_parameter',
      param: key,
      reason:
        issue.keys.length === 1
          ? 'is not a field that is known here'
          : `and ${issue.keys
              .slice(1)
              .map((other) => JSON.stringify(other))
              .join(', ')} are not fields that are known here`,
    };
  }
  if (isMissing(issue)) return { code: 'missing_required_parameter', param, reason: 'is required' };
  if (issue.code === 'custom' && issue.params?.['unsupported'] === true) return { code: 'unsupported_parameter', param, reason: issue.message };
  if (issue.code === 'invalid_key') return { code: 'invalid_value', param, reason: issue.issues[0]?.message ?? issue.message };
  if (issue.code === 'invalid_union') return { code: 'invalid_value', param, reason: formsOf(issue) };
  return { code: 'invalid_value', param, reason: issue.message.replace(/^Invalid (input|option): /, '').replace(/^Too (small|big): expected /, 'expected ') };
}

/** The first issue as an error; further ones are counted in the message. `part`: body, querystring or params. */
export function validationError(issues: readonly Issue[], part: string): HttpError {
  // Fastify gives a body that did not come as null.
  if (part === 'body' && issues[0].code === 'invalid_type' && issues[0].path.length === 0 && issues[0].message.endsWith('received null'))
    return new HttpError('missing_required_parameter', 'the body is missing; send a JSON object with content-type: application/json');
  const { code, param, reason } = read(issues[0]);
  const what = param === '' ? (part === 'body' ? 'the body' : part) : param;
  // A field that is not known often is the missing one by another name.
  const unknown = issues.slice(1).find((issue) => issue.code === 'unrecognized_keys');
  const also = unknown && read(unknown);
  const left = issues.length - (also ? 2 : 1);
  return new HttpError(code, `${what}: ${reason}${also ? `; ${also.param}: ${also.reason}` : ''}${left > 0 ? ` (and ${left} more)` : ''}`, { param: param === '' ? undefined : param });
}
