// Owns what config.json says of rotary positions: the keys of transformers 4 (rope_theta, rope_scaling) and 5 (rope_parameters).
// Refuses to know the rest of the model.

import { z } from 'zod';
import { stretchedBase } from '../rotary.ts';
import type { RotaryConfig } from '../rotary.ts';
import { readKeys, refuse, whole } from './architecture.ts';
import type { Asked } from './architecture.ts';

const positive = z.number().positive();
const factors = z.array(positive);
const ropeSchema = z.object({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  factor: positive.nullish(),
  original_max_position_embeddings: whole.nullish(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: positive.nullish(),
  mscale_all_dim: positive.nullish(),
  truncate: z.boolean().nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  short_factor: factors.nullish(),
  long_factor: factors.nullish(),
});
export const ropeKeys = {
  rope_theta: positive.nullish(),
  rope_local_base_freq: positive.nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  max_position_embeddings: whole,
  original_max_position_embeddings: whole.nullish(),
} as const;
const ropeKeysSchema = z.object(ropeKeys);
type RopeKeys = z.infer<typeof ropeKeysSchema>;

export interface Rope {
  readonly rotary: RotaryConfig;
  /** The longest text that the angles are made for. */
  readonly most: number;
  /** What DeepSeek-V2 and V3 multiply queries and keys by, each, besides. Absent: 1. */
  readonly spread?: number;
}
/** What a configuration with other positions for layers with windows (Gemma 3) says of those that see everything, and of these: by name in transformers 5, by a base alone before. */
export function layeredRope(config: RopeKeys): readonly [full: RopeKeys, local: RopeKeys] {
  const { full_attention: full, sliding_attention: local } = config.rope_parameters ?? {};
  const isNamed = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (isNamed(full) && isNamed(local)) return [{ ...config, rope_parameters: full }, { ...config, rope_parameters: local }];
  return [config, { ...config, rope_theta: config.rope_local_base_freq, rope_scaling: undefined, rope_parameters: undefined }];
}
/** Angles for heads of a size. */
export function rotaryOf(config: RopeKeys, headSize: number, asked: Asked): Rope {
  const where = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const given = config.rope_parameters ?? config.rope_scaling ?? {};
  const nested = Object.entries(given).find(([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value));
  if (nested) refuse(asked, `${where}.${nested[0]}`, nested[1], 'all layers must have the same rotary positions');
  const rope = readKeys(given, ropeSchema, { ...asked, file: `${asked.file}: ${where}` });
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const need = <T>(key: keyof typeof rope, value: T | null | undefined): T => value ?? refuse(asked, `${where}.${key}`, null, `${kind} needs it`);
  const base = rope.rope_theta ?? config.rope_theta ?? 10_000;
  const share = rope.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  const size = Math.floor(headSize * share);
  if (size % 2 !== 0 || size === 0) refuse(asked, 'partial_rotary_factor', share, `of ${headSize} dimensions of a head an even number must be turned`);
  const plain = { base, ...(size === headSize ? {} : { dimensions: size }) };
  const longest = config.max_position_embeddings;
  switch (kind) {
    case 'default':
      return { rotary: plain, most: longest };
    // Up to what the model was made for the angles are the plain ones. Where longer texts are asked for, all are turned as the longest would be: angles that follow each text's length would make what is
    // remembered of its beginning wrong.
    case 'dynamic': {
      const length = Math.max(longest, asked.context ?? 0);
      return { rotary: length === longest ? plain : { ...plain, base: stretchedBase(base, size, need('factor', rope.factor), longest, length) }, most: length };
    }
    case 'linear':
      return { rotary: { ...plain, scaling: { kind, factor: need('factor', rope.factor) } }, most: longest };
    case 'llama3': {
      const trainedLength = need('original_max_position_embeddings', rope.original_max_position_embeddings);
      const scaling = {
        kind,
        factor: need('factor', rope.factor),
        lowFactor: need('low_freq_factor', rope.low_freq_factor),
        highFactor: need('high_freq_factor', rope.high_freq_factor),
        trainedLength,
      } as const;
      return { rotary: { ...plain, scaling }, most: longest };
    }
    case 'yarn': {
      if (rope.truncate === false) refuse(asked, `${where}.truncate`, false, 'the borders of the slope must be whole dimensions');
      const factor = need('factor', rope.factor);
      const trainedLength = rope.original_max_position_embeddings ?? longest;
      const spread = (scale: number): number => (factor > 1 ? 0.1 * scale * Math.log(factor) + 1 : 1);
      const stated = rope.mscale && rope.mscale_all_dim ? spread(rope.mscale) / spread(rope.mscale_all_dim) : undefined;
      const scaling = {
        kind,
        factor,
        trainedLength,
        fast: rope.beta_fast ?? 32,
        slow: rope.beta_slow ?? 1,
        attention: rope.attention_factor ?? stated,
      } as const;
      return {
        rotary: { ...plain, scaling },
        most: Math.max(longest, Math.floor(trainedLength * factor)),
        ...(rope.mscale_all_dim ? { spread: spread(rope.mscale_all_dim) } : {}),
      };
    }
    case 'longrope':
    case 'su': {
      const trained = rope.original_max_position_embeddings ?? need('original_max_position_embeddings', config.original_max_position_embeddings);
      const short = need('short_factor', rope.short_factor);
      if (short.length !== size / 2) refuse(asked, `${where}.short_factor`, short, `${size / 2} factors are needed, one for each frequency`);
      // Longer texts are turned by other angles from their first token on, which would make what is remembered of it wrong.
      if ((asked.context ?? longest) > trained)
        refuse(asked, `${where}.rope_type`, kind, `texts of more than ${trained} tokens change the angles of all tokens before; say --context ${trained}`);
      const factor = rope.factor ?? longest / trained;
      const attention = rope.attention_factor ?? (factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(trained)) : 1);
      return { rotary: { ...plain, scaling: { kind: 'longrope', factors: short, attention } }, most: trained };
    }
    default:
      return refuse(asked, `${where}.rope_type`, kind, 'default, linear, llama3, yarn, longrope and dynamic are computed here');
  }
}
