// Owns limits of words and characters for texts that are written elsewhere: what comes is cut where it would exceed them.
// Refuses to know who writes, and texts of a certain form, which no cut may shorten.

import { invalid } from '../grammar/network.ts';
import type { GenerateEvent, GenerateRequest } from '../../port.ts';
import { Limiter } from './limiter.ts';

/** Events of a generation, its text within the request's limits. Where the text is full, it ends at once: its tokens are those seen until then, one for each delta. Throws EngineError `constraint_invalid`. */
export async function* limitEvents(
  events: AsyncIterable<GenerateEvent>,
  { limits, constraint }: Pick<GenerateRequest, 'limits' | 'constraint'>,
): AsyncGenerator<GenerateEvent, undefined> {
  if (!limits || constraint?.kind === 'names') {
    yield* events;
    return undefined;
  }
  if (constraint)
    throw invalid('this model is served elsewhere, where a text of a certain form cannot be completed within limits; leave out the form or the limits');
  const limiter = new Limiter(limits);
  let seen = 0;
  let called = false;
  for await (const event of events) {
    if (event.kind === 'delta') {
      seen++;
      const text = limiter.push(event.text);
      if (text !== '' || event.tokens || event.ids || event.prompt) yield { ...event, text };
      if (!limiter.full) continue;
      yield { kind: 'finish', reason: 'length', usage: { promptTokens: 0, completionTokens: seen } };
      return undefined;
    }
    if (event.kind === 'reasoning') seen++;
    called ||= event.kind === 'tool_call';
    const rest = event.kind === 'finish' || event.kind === 'tool_call' ? limiter.end() : '';
    if (rest !== '') yield { kind: 'delta', text: rest };
    yield event.kind === 'finish' && limiter.cut && !called ? { ...event, reason: 'length' } : event;
  }
  return undefined;
}
