// Owns how a model is told of tools where its chat template does not do it: the words of the system message, and calls and their answers as plain messages.
// Refuses to know templates and special tokens: what is untrusted comes here guarded.

import { DEEPSEEK, HERMES } from './format.ts';
import type { CallFormat } from './format.ts';

/** `signatures`: the tools' JSON, one each. */
export function toolsTold(format: CallFormat, signatures: readonly string[]): string {
  const head = ['You can call functions to answer the user. These are the functions, each with a JSON Schema of its arguments:', '<tools>', ...signatures, '</tools>', ''];
  const tail = ['Call a function only when it helps; its result is then given to you. Otherwise answer in words.'];
  const { callsOpen, callsClose, open, separator, close } = DEEPSEEK;
  switch (format) {
    case 'deepseek-v3':
      return [...head, 'To call one, end your answer with a block of this form; for several, repeat the part between its first and last mark, one a line:', `${callsOpen}${open}function${separator}NAME`, '```json', '{"ARGUMENT": VALUE}', '```' + close + callsClose, '', ...tail].join('\n');
    case 'deepseek-v3.1':
      return [...head, 'To call one, end your answer with a block of this form; for several, repeat the part between its first and last mark:', `${callsOpen}${open}NAME${separator}{"ARGUMENT": VALUE}${close}${callsClose}`, '', ...tail].join('\n');
    case 'llama':
      return [...head, 'To call one, answer with JSON of this form and nothing else:', '{"name": NAME, "parameters": {"ARGUMENT": VALUE}}', '', ...tail].join('\n');
    case 'hermes':
    case 'generic':
      return [...head, 'To call one, write a block of this form; for several, write several blocks:', HERMES.open, '{"name": NAME, "arguments": {"ARGUMENT": VALUE}}', HERMES.close, '', ...tail].join('\n');
    default:
      return format satisfies never;
  }
}

/** A call in the words of an assistant. `args`: JSON. */
export const callTold = (name: string, args: string): string => `${HERMES.open}\n{"name": ${name}, "arguments": ${args}}\n${HERMES.close}`;
/** A call's answer in the words of a user. */
export const answerTold = (answer: string): string => `<tool_response>\n${answer}\n</tool_response>`;
