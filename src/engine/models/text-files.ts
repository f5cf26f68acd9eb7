// Owns the files of a model's folder that turn text into tokens and back: tokenizer, chat template, end tokens, how replies are written.
// Refuses to know weights and graphs.

import { join } from 'node:path';
import { z } from 'zod';
import { CALL_FORMATS } from '../replies/format.ts';
import { tokenizerSchema } from '../text/tokenizer.ts';
import type { TokenizerFile } from '../text/tokenizer.ts';
import { readJson, readOptional } from './json-files.ts';

/** One id of a token, or several. */
export const ids = z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish();
const generationSchema = z.looseObject({ eos_token_id: ids });
const namedToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish();
const tokenizerConfigSchema = z.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  pad_token: namedToken,
  unk_token: namedToken,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});
const repliesSchema = z.looseObject({
  replies: z
    .strictObject({ calls: z.enum(CALL_FORMATS).optional(), thinking: z.union([z.literal(false), z.strictObject({ open: z.string().min(1), close: z.string().min(1) })]).optional() })
    .optional(),
  format: z.unknown().optional(),
});
const NAMED = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

export const tokenIds = (value: z.infer<typeof ids>): readonly number[] => (value === null || value === undefined ? [] : typeof value === 'number' ? [value] : value);

export interface TextFiles {
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: z.infer<typeof tokenizerConfigSchema>;
  /** Absent: the model completes text only. */
  readonly chatTemplate: string | undefined;
  /** `bos_token` and its like, as chat templates name them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  /** What `pharos.json` says. */
  readonly stated: z.infer<typeof repliesSchema> | undefined;
  /** End tokens by generation_config.json, and the one that the tokenizer names. */
  readonly ends: { readonly generation: readonly number[]; readonly tokenizer: readonly number[] };
}
/** Throws EngineError `model_invalid` that names the file and what it lacks. */
export async function readTextFiles(folder: string): Promise<TextFiles> {
  const at = (name: string): string => join(folder, name);
  const tokenizer = (await readJson(at('tokenizer.json'), tokenizerSchema, true)) as TokenizerFile;
  const generation = await readJson(at('generation_config.json'), generationSchema, false);
  const tokenizerConfig = (await readJson(at('tokenizer_config.json'), tokenizerConfigSchema, false)) ?? {};
  const stated = await readJson(at('pharos.json'), repliesSchema, false);
  const own = tokenizerConfig.chat_template;
  const listed = Array.isArray(own) ? (own.find(({ name }) => name === 'default') ?? own[0])?.template : own;
  const named = tokenizer.added_tokens.find(({ content }) => content === tokenizerConfig.eos_token)?.id;
  return {
    tokenizer,
    tokenizerConfig,
    chatTemplate: (await readOptional(at('chat_template.jinja'))) ?? listed ?? undefined,
    namedTokens: Object.fromEntries(NAMED.flatMap((name) => (typeof tokenizerConfig[name] === 'string' ? [[name, tokenizerConfig[name]]] : []))),
    stated,
    ends: { generation: tokenIds(generation?.eos_token_id), tokenizer: tokenIds(named) },
  };
}
