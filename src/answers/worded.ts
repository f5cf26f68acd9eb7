// Owns putting a reading into words: the model's own where they say what the evidence says, else the plain sentence; as much of it as the request has room for.
// Refuses to know how a question is read, and what is kept of a reply.

import { isWithin } from '../engine/constraints/lengths/text-length.ts';
import type { Engine, FinishReason, GenerateRequest, ModelInfo, Usage, WrittenToken } from '../engine/port.ts';
import type { AnswerRequest, Grounding } from './port.ts';
import type { Reading } from './reading.ts';
import { allowedWords, composePrompt, namesInOrder, verifyReply } from './words/compose.ts';
import { evidenceNames } from './words/evidence.ts';
import type { Evidence } from './words/evidence.ts';
import { beginning, fit, upTo } from './words/fit.ts';
import { reply } from './words/wording.ts';

/** Tokens of a reply at most, by those of the plain sentence. */
const AMPLE = 2;
const AMPLE_MORE = 32;
/** Of the context, what a list or table may take that the model writes. */
const FORMED = 0.4;

export interface Words {
  readonly text: string;
  /** Those of the model's own words, when they were asked for. */
  readonly tokens?: readonly WrittenToken[];
  readonly reason: FinishReason;
  /** The stop string that ended it. */
  readonly stop?: string;
  readonly usage: Usage;
  readonly wording: Grounding['wording'];
}
/** A reply that no model was asked for. */
const NOTHING_WORDED = { tokens: undefined, reason: 'length', usage: { promptTokens: 0, completionTokens: 0 }, wording: 'plain' } as const;

/** Evidence with the list or table that is asked for, if the request has room for a whole one; `plainly`: it is longer than those that the model was taught, or a name cannot stand in it as it is. */
async function formed(engine: Engine, { model: id, maxTokens, stop }: AnswerRequest, { grounded, contextLength = 0 }: ModelInfo, { evidence, language }: Reading): Promise<{ readonly evidence: Evidence; readonly plainly: boolean }> {
  if (!evidence.form || !grounded) return { evidence, plainly: false };
  const tokens = await engine.countTokens(id, reply(evidence, language));
  const plainly = tokens > FORMED * contextLength || (evidence.form === 'table' && evidenceNames(evidence).some((name) => name.includes('|')));
  if (tokens > maxTokens || (plainly && stop.length > 0)) return { evidence: { ...evidence, form: undefined }, plainly: false };
  return { evidence, plainly };
}
/** The model's words for a reading, or the plain sentence. */
async function worded(engine: Engine, request: AnswerRequest, model: ModelInfo, reading: Reading, signal?: AbortSignal): Promise<Words> {
  const { question, language, spans } = reading;
  const { evidence, plainly } = await formed(engine, request, model, reading);
  const names = evidenceNames(evidence);
  const expected = reply(evidence, language);
  // What runs on far beyond the plain sentence is wrong, whatever comes.
  const ample = Math.ceil(AMPLE * (await engine.countTokens(request.model, expected))) + AMPLE_MORE;
  // A sentence that words evidence needs no thought. Servers elsewhere are told only what was asked for: not all of them know how.
  const thinking = request.chat?.thinking ?? (model.device === 'upstream' ? undefined : false);
  const generation: GenerateRequest = {
    model: request.model,
    prompt: { kind: 'chat', ...(thinking === undefined ? {} : { thinking }), messages: composePrompt(evidence, question, spans.filter(({ name }) => names.includes(name)), language, model.grounded) },
    sampling: request.sampling,
    maxTokens: Math.min(request.maxTokens, ample),
    stop: request.stop,
    ...(model.grounded ? { constraint: { kind: 'names' as const, names, words: allowedWords(evidence, language, model.grounded), ...namesInOrder(evidence, language) } } : {}),
  };
  let text = '';
  let tokens: WrittenToken[] | undefined;
  let reason: FinishReason = 'stop';
  let stop: string | undefined;
  let usage: Usage = { promptTokens: 0, completionTokens: 0 };
  if (plainly) text = expected;
  else for await (const event of engine.generate(generation, signal)) {
    if (event.kind === 'delta') {
      text += event.text;
      if (event.tokens) (tokens ??= []).push(...event.tokens);
    }
    else if (event.kind === 'error') throw event.error;
    else if (event.kind === 'finish') [reason, usage, stop] = [event.reason, event.usage, event.stop];
  }
  const ranOn = reason === 'length' && ample < request.maxTokens;
  // What the client's own limits cut short is checked as far as it goes.
  const cut = reason === 'length' && !ranOn;
  const until = upTo(expected, request.stop);
  const wrong = ranOn ? 'the reply does not end' : verifyReply(text, evidence, language, { strict: model.grounded !== undefined, cut, ...(stop === undefined ? {} : { said: until.text }) });
  const over = request.limits !== undefined && !isWithin(text.trim(), request.limits);
  if (wrong !== undefined && cut) return { text: await beginning(until.text, request.maxTokens, (part) => engine.countTokens(request.model, part)), reason, usage, wording: 'plain' };
  if (wrong !== undefined || over) return { ...until, reason: 'stop', usage, wording: 'plain' };
  return { text, tokens, reason, stop, usage, wording: plainly ? 'plain' : 'model' };
}
/** The reply in words; `shortened`: it leaves out what the request has no room for. */
export async function wordReading(engine: Engine, request: AnswerRequest, model: ModelInfo, reading: Reading, signal?: AbortSignal): Promise<Words & { readonly shortened: boolean }> {
  const { text, shortened, evidence } = fit(reading.evidence, reading.language, request.limits);
  const words = text === undefined ? await worded(engine, request, model, { ...reading, evidence }, signal) : { ...NOTHING_WORDED, ...upTo(text, request.stop) };
  return { ...words, text: words.text.trim(), reason: shortened ? 'length' : words.reason, shortened };
}
