// Owns what of a model's folder turns examples into tokens: tokenizer, chat template, end tokens. Weights may lie there in any form, or not at all.
// Refuses to know weights, graphs and examples.

import { basename, join } from 'node:path';
import { z } from 'zod';
import { invalid, readJson } from '../../engine/models/json-files.ts';
import { ids, readTextFiles, tokenIds } from '../../engine/models/text-files.ts';
import { formatOf } from '../../engine/replies/format.ts';
import type { ReplyFormat } from '../../engine/replies/format.ts';
import type { TokenizerFile } from '../../engine/text/tokenizer.ts';

const endsSchema = z.looseObject({ eos_token_id: ids, text_config: z.looseObject({ eos_token_id: ids }).optional() });

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
  const config = await readJson(join(folder, 'config.json'), endsSchema, true);
  const { tokenizer, tokenizerConfig, chatTemplate, namedTokens, stated, ends } = await readTextFiles(folder);
  const endTokens = [ends.generation, tokenIds(config?.eos_token_id), tokenIds(config?.text_config?.eos_token_id), ends.tokenizer].find((found) => found.length > 0);
  if (!endTokens)
    throw invalid(`${folder} names no end token, without which a model cannot learn to stop; put eos_token_id into generation_config.json or config.json`);
  return {
    id: basename(folder),
    tokenizer,
    tokenizerConfig,
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    namedTokens,
    replies: formatOf(chatTemplate ?? '', stated?.replies),
    endTokens,
  };
}
