// Owns the fields of vLLM's that Pharos has no use for: those that change nothing are accepted, of the others only the value that asks for nothing.
// Refuses to know the fields that have an effect here.

import { isEmptyList, unsupported, unused } from './generation.ts';

const isEmptyObject = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
const only = (value: boolean) => unsupported(` or give ${value}`, (given) => given === value);
const shared = {
  guided_decoding_backend: unused,
  request_id: unused,
  length_penalty: unused,
  spaces_between_special_tokens: unused,
  use_beam_search: only(false),
  return_tokens_as_token_ids: only(false),
  bad_words: unsupported(' or give []', isEmptyList),
  allowed_token_ids: unsupported('', () => false),
  guided_whitespace_pattern: unsupported('', () => false),
  logits_processors: unsupported(' or give []', isEmptyList),
  kv_transfer_params: unsupported('', () => false),
  vllm_xargs: unsupported(' or give {}', isEmptyObject),
};
export const ofCompletions = { ...shared, add_special_tokens: only(true) };
export const ofChats = {
  ...shared,
  add_special_tokens: only(false),
  echo: only(false),
  include_reasoning: only(true),
  documents: unsupported(' or give []', isEmptyList),
  chat_template: unsupported('', () => false),
  mm_processor_kwargs: unsupported(' or give {}', isEmptyObject),
};
