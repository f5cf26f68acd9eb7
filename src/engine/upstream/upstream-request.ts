// Owns a generation as a server elsewhere is asked for it: the request in OpenAI's form.
// Refuses to know how it is sent, and what comes back.

import type { ConstraintSpec, GenerateRequest, Sampling } from '../port.ts';
import { chatBody } from './upstream-chat.ts';

/** The request in OpenAI's form. What is not in OpenAI's API is sent under the names that vLLM knows, and only where it asks for something. */
export function bodyOf(request: GenerateRequest): Readonly<Record<string, unknown>> {
  const { model, prompt, maxTokens, stop, sampling, echo, constraint, priority } = request;
  const chat = prompt.kind === 'chat';
  return {
    model,
    ...(prompt.kind === 'chat' ? chatBody(prompt) : prompt.kind === 'text' ? { prompt: prompt.text, ...(prompt.suffix === undefined ? {} : { suffix: prompt.suffix }) } : { prompt: prompt.ids }),
    max_tokens: maxTokens,
    ...(stop.length > 0 ? { stop } : {}),
    ...(echo ? { echo } : {}),
    ...(priority ? { priority } : {}),
    ...samplingOf(sampling, chat),
    ...(constraint ? constraintOf(constraint) : {}),
    stream: true,
    stream_options: { include_usage: true },
  };
}
function samplingOf(sampling: Sampling, chat: boolean): Readonly<Record<string, unknown>> {
  const { temperature, topP, seed, topK, minP, typicalP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, logprobs, minTokens, ignoreEos, stopTokens, includeStop, specialTokens, tokenIds, truncatePrompt } = sampling;
  const given = {
    seed,
    top_k: topK || undefined,
    min_p: minP || undefined,
    typical_p: typicalP === 1 ? undefined : typicalP,
    repetition_penalty: repetitionPenalty === 1 ? undefined : repetitionPenalty,
    presence_penalty: presencePenalty || undefined,
    frequency_penalty: frequencyPenalty || undefined,
    logit_bias: logitBias,
    min_tokens: minTokens,
    ignore_eos: ignoreEos,
    stop_token_ids: stopTokens,
    include_stop_str_in_output: includeStop,
    skip_special_tokens: specialTokens === true ? false : undefined,
    return_token_ids: tokenIds,
    truncate_prompt_tokens: truncatePrompt,
    ...(logprobs === undefined ? {} : chat ? { logprobs: true, top_logprobs: logprobs } : { logprobs }),
  };
  return { temperature, top_p: topP, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
function constraintOf(constraint: ConstraintSpec): Readonly<Record<string, unknown>> {
  switch (constraint.kind) {
    // Names of the evidence cannot be forced on a server elsewhere; the answer is verified all the same.
    case 'names':
      return {};
    case 'choice':
      return { structured_outputs: { choice: constraint.choices } };
    case 'json':
      return { response_format: { type: 'json_object' } };
    case 'schema':
      return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: constraint.schema, strict: true } } };
    case 'regex':
      return { structured_outputs: { regex: constraint.pattern } };
    case 'grammar':
      return { structured_outputs: { grammar: constraint.grammar } };
    default:
      return constraint satisfies never;
  }
}
