// Owns what bringing a model in changes in its config.json, and what was there before.
// Refuses to know architectures.

type Config = Readonly<Record<string, unknown>>;
/** Keeps the longest text that a model was published for, where it was brought in for others: rotary positions may be made of it. */
const PUBLISHED = 'published_max_position_embeddings';

/** A configuration under whose first key whoever serves the model finds its longest text. */
export function withContext(config: Config, contextLength: number): Config {
  const { max_position_embeddings: published } = config;
  return {
    ...config,
    max_position_embeddings: contextLength,
    ...(published === undefined || published === contextLength ? {} : { [PUBLISHED]: published }),
  };
}
/** config.json of a model that was brought in for texts of `contextLength` tokens. */
export function servedConfig(config: Config, contextLength: number, parameters: number): Config {
  const { n_positions: _, n_ctx: __, ...kept } = config;
  return { ...withContext(kept, contextLength), num_parameters: parameters };
}
/** The configuration as published, of a folder as published or brought in; `context`: tokens of the longest text, where it is another than that says. */
export function publishedConfig(config: Config): { readonly config: Config; readonly context?: number } {
  const { [PUBLISHED]: published, ...rest } = config;
  const { max_position_embeddings: context, ...others } = rest;
  // GPT-2 has a name of its own for it.
  if (rest['model_type'] === 'gpt2' && rest['n_positions'] === undefined && context !== undefined) return { config: { ...others, n_positions: context } };
  if (typeof published !== 'number' || typeof context !== 'number') return { config: rest };
  return { config: { ...rest, max_position_embeddings: published }, context };
}
