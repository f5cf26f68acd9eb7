// Owns what a folder says of a model in which a decoder writes what an encoder has read: its graphs, how a text begins and what it may not hold.
// Refuses to know how the graphs run and how texts are read.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { weightNames } from '../models/find-weights.ts';
import { invalid, readJson } from '../models/json-files.ts';
import { ids, tokenIds } from '../models/text-files.ts';
import type { EngineError } from '../port.ts';
import type { BanRules } from './bans.ts';
import { DECODERS, ENCODERS, pairOf } from './pair.ts';

const id = z.int().nonnegative().nullish();
const count = z.int().nonnegative().nullish();
/** Of config.json and of generation_config.json, which comes first. Older folders have all in the former. */
const schema = z.looseObject({
  is_encoder_decoder: z.boolean().nullish(),
  model_type: z.string().nullish(),
  decoder_start_token_id: id,
  bos_token_id: ids,
  pad_token_id: id,
  forced_bos_token_id: id,
  forced_eos_token_id: ids,
  no_repeat_ngram_size: count,
  min_length: count,
  min_new_tokens: count,
  suppress_tokens: z.array(z.int()).nullish(),
  begin_suppress_tokens: z.array(z.int()).nullish(),
  bad_words_ids: z.array(z.array(z.int().nonnegative())).nullish(),
});
const ENCODER_DECODERS =
  /^(bart|mbart|marian|m2m_100|t5|mt5|umt5|longt5|pegasus|pegasus_x|blenderbot|blenderbot-small|led|prophetnet|fsmt|nllb-moe|switch_transformers)$/;

export interface EncoderDecoderFiles {
  /** Path of the encoder's graph. */
  readonly encoder: string;
  /** The decoder's graph for the first pass of a text, where that is another one. */
  readonly opening?: string;
  readonly type: string;
  readonly padId?: number;
  /** What the decoder sees before it writes: where it starts, and a first token that is always the same. */
  readonly begins: readonly number[];
  /** Of these the first is in the place of the token that is always the same, where a request names a language. */
  readonly start: number;
  /** End tokens besides those of any text. */
  readonly ends: readonly number[];
  readonly bans: BanRules;
}

/** Does config.json describe such a model? */
export const isEncoderDecoder = ({ is_encoder_decoder: said, model_type: type }: z.infer<typeof schema>): boolean => said ?? ENCODER_DECODERS.test(type ?? '');

/** Of files where graphs may lie. */
async function namesIn(folder: string): Promise<readonly string[]> {
  const [outer, inner] = await Promise.all([folder, join(folder, 'onnx')].map(async (path) => readdir(path).catch(() => [])));
  return [...outer, ...inner.map((name) => `onnx/${name}`)];
}

/** The decoder's graph that most passes go through, and what else there is. Throws EngineError `model_invalid` that names what is missing. */
export async function readEncoderDecoder(
  folder: string,
  variant: string | undefined,
): Promise<EncoderDecoderFiles & { readonly onnx: { readonly path: string; readonly created: number } }> {
  const config = (await readJson(join(folder, 'config.json'), schema, true)) ?? {};
  const generation = (await readJson(join(folder, 'generation_config.json'), schema, false)) ?? {};
  const said = <Key extends keyof z.infer<typeof schema>>(key: Key): z.infer<typeof schema>[Key] => generation[key] ?? config[key];

  const present = new Set(await namesIn(folder));
  const { encoder, decoder, opening } = pairOf(variant, (name) => present.has(name));
  const lacks = (what: string, stems: readonly string[]): EngineError =>
    invalid(
      `${folder} has no ${what}${variant === undefined ? '' : ` of the variant ${variant}`}; a model of type ${config.model_type} is an encoder and a decoder, and Pharos looks for ${weightNames(variant, stems).join(', ')}`,
    );
  if (encoder === undefined) throw lacks('encoder', ENCODERS);
  if (decoder === undefined) throw lacks('decoder', DECODERS);

  const start = said('decoder_start_token_id') ?? tokenIds(said('bos_token_id'))[0];
  if (start === undefined)
    throw invalid(`${folder} does not say with which token the decoder starts; put decoder_start_token_id into generation_config.json or config.json`);
  const first = said('forced_bos_token_id') ?? undefined;
  const begins = first === undefined ? [start] : [start, first];
  const suppressed = (key: 'suppress_tokens' | 'begin_suppress_tokens'): readonly number[] => (said(key) ?? []).filter((token) => token >= 0);
  return {
    onnx: { path: join(folder, decoder), created: Math.floor((await stat(join(folder, decoder))).mtimeMs / 1000) },
    encoder: join(folder, encoder),
    ...(opening === undefined ? {} : { opening: join(folder, opening) }),
    type: config.model_type ?? '',
    padId: said('pad_token_id') ?? undefined,
    begins,
    start,
    ends: tokenIds(said('forced_eos_token_id')),
    bans: {
      ngram: said('no_repeat_ngram_size') ?? 0,
      always: suppressed('suppress_tokens'),
      first: suppressed('begin_suppress_tokens'),
      words: said('bad_words_ids') ?? [],
      // The library that writes these files counts the first token that is always the same, and as a length where the decoder starts, too.
      least: Math.max(0, (said('min_new_tokens') ?? (said('min_length') ?? 0) - 1) - (begins.length - 1)),
    },
  };
}
