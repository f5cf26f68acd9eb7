// Owns how a refusal is told where the address speaks another dialect than OpenAI's chat: the body's form, and the names of its fields.
// Refuses to know what went wrong.

import { anthropicErrorWire } from '../contract/dialects/messages-reply.ts';
import type { Answer, ErrorWire } from './problems.ts';

const ANTHROPIC = /^\/(anthropic(?=$|[/?])|v1\/messages(?=$|[/?]))/;
const RESPONSES = /^\/v1\/responses(?=$|[/?])/;
const COMPLETIONS = /^\/(?:(?:v1|beta)\/)?completions(?=$|[/?])/;
export const isAnthropic = (url: string): boolean => ANTHROPIC.test(url);

/** What the engine refuses is named by the fields of a chat; what is no field of the address is named as it came. */
const IN_ANTHROPIC: Readonly<Record<string, string>> = { response_format: 'output_config.format' };
const IN_RESPONSES: Readonly<Record<string, string>> = { response_format: 'text.format', messages: 'input' };
const IN_COMPLETIONS: Readonly<Record<string, string>> = { messages: 'prompt' };
const renamed = ({ error }: ErrorWire, names: Readonly<Record<string, string>>): ErrorWire => {
  const { param, code } = error;
  return { error: { ...error, param: param !== null && code !== 'unknown_parameter' && Object.hasOwn(names, param) ? names[param] : param } };
};
/** An error's body with its field by the name that the address has for it. */
export function namedFor(url: string, body: ErrorWire): ErrorWire {
  if (isAnthropic(url)) return renamed(body, IN_ANTHROPIC);
  if (RESPONSES.test(url)) return renamed(body, IN_RESPONSES);
  return COMPLETIONS.test(url) ? renamed(body, IN_COMPLETIONS) : body;
}
/** The body of an answer to an error, as the address has it. */
export function bodyFor(url: string, { status, body }: Answer, requestId: string): object {
  const named = namedFor(url, body);
  return isAnthropic(url) ? anthropicErrorWire(named, status, requestId) : named;
}
