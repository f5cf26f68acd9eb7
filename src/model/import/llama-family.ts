// Owns the names (`model_type` of config.json) of the family of decoders that are built as Llama is.
// Refuses to know how they differ.

export const LLAMA_FAMILY = [
  'llama',
  'mistral',
  'qwen2',
  'qwen3',
  'phi3',
  'gemma',
  'gemma2',
  'gemma3_text',
  'deepseek',
  'deepseek_v2',
  'deepseek_v3',
  'qwen3_moe',
  'mixtral',
] as const;
export type LlamaKind = (typeof LLAMA_FAMILY)[number];
