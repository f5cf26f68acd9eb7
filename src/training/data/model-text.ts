// Owns what of a model's folder turns examples into tokens: tokenizer, chat template, end tokens. Weights may lie there in any form, or not at all.
// Refuses to know weights, graphs and examples.

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { invalid, readJson } from '../../engine/models/model-files.ts';
import { CALL_FORMATS, formatOf } from '../../engine/replies/format.ts';
import type { ReplyFormat } from '../../engine/replies/format.ts';
import { tokenizerSchema } from '../../engine/text/tokenizer.ts';
import type { TokenizerFile } from '../../engine/text/tokenizer.ts';

const ids = z
  .union([
    z
      .int()
      .nonnegative()
      .transform((id) => [id]),
    z.array(z.int().nonnegative()),
  ])
  .nullish();
const endsSchema = z.looseObject({ eos_token_id: ids, text_config: z.looseObject({ eos_token_id: ids }).optional() });
const namedToken = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish();
const NAMED = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;
const tokenizerConfigSchema = z.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  pad_token: namedToken,
  unk_token: namedToken,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});
const statedSchema = z.looseObject({
  replies: z
    .looseObject({
      calls: z.enum(CALL_FORMATS).optional(),
      thinking: z.union([z.literal(false), z.strictObject({ open: z.string().min(1), close: z.string().min(1) })]).optional(),
    })
    .optional(),
});

export interface ModelText {
  readonly id: string;
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: object;
  /** Absent: the model completes text only. */
  readonly chatTemplate?: string;
  /** `bos_token` and its like, as chat templates name them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly replies: ReplyFormat;
  /** At least one. */
  readonly endTokens: readonly number[];
}

/** Reads a folder in the layout of Hugging Face. Throws EngineError `model_invalid` that names the file and what it lacks. */
export async function readModelText(folder: string): Promise<ModelText> {
  const at = (name: string): string => join(folder, name);
  const tokenizer = await readJson(at('tokenizer.json'), tokenizerSchema, true);
  const tokenizerConfig = (await readJson(at('tokenizer_config.json'), tokenizerConfigSchema, false)) ?? {};
  const [generation, config] = [await readJson(at('generation_config.json'), endsSchema, false), await readJson(at('config.json'), endsSchema, true)];
  if (!tokenizer || !config) throw invalid(`${folder} is no model folder; it needs config.json and tokenizer.json`);
  const named = tokenizer.added_tokens.find(({ content }) => content === tokenizerConfig.eos_token)?.id;
  const endTokens = [generation?.eos_token_id, config.eos_token_id, config.text_config?.eos_token_id, named === undefined ? undefined : [named]].find(
    (found) => found && found.length > 0,
  );
  if (!endTokens)
    throw invalid(`${folder} names no end token, without which a model cannot learn to stop; put eos_token_id into generation_config.json or config.json`);
  const stated = await readJson(at('pharos.json'), statedSchema, false);
  const own = tokenizerConfig.chat_template;
  const listed = Array.isArray(own) ? (own.find(({ name }) => name === 'default') ?? own[0])?.template : own;
  const beside = await readFile(at('chat_template.jinja'), 'utf8').catch(() => undefined);
  const chatTemplate = beside ?? listed ?? undefined;
  return {
    id: basename(folder),
    tokenizer,
    tokenizerConfig,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    namedTokens: Object.fromEntries(NAMED.flatMap((name) => (typeof tokenizerConfig[name] === 'string' ? [[name, tokenizerConfig[name]]] : []))),
    replies: formatOf(chatTemplate ?? '', stated?.replies),
    endTokens,
  };
}
