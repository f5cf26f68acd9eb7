// Owns weights that are stored in eight bits with a scale for each square block beside them (DeepSeek-V3, section 3.3): whoever reads a tensor gets its values.
// Refuses to know files, and what the tensors are for.

import { z } from 'zod';
import { refuse, whole } from './architecture.ts';
import type { Asked } from './architecture.ts';
import { CheckpointError } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';

const SUFFIX = '_scale_inv';
const schema = z.looseObject({ quant_method: z.literal('fp8'), fmt: z.literal('e4m3').nullish(), weight_block_size: z.tuple([whole, whole]) });

/** Rows and columns of a block, of `quantization_config`; undefined where there is none. Refuses every other way of storing. */
export function blockOf(value: unknown, asked: Asked): readonly [number, number] | undefined {
  if (value === undefined || value === null || asked.ignore?.includes('quantization_config')) return undefined;
  const parsed = schema.safeParse(value);
  return parsed.success
    ? parsed.data.weight_block_size
    : refuse(asked, 'quantization_config', value, 'quant_method fp8 with fmt e4m3 and a weight_block_size is read here, or weights that are not quantised');
}

/** `NAME_scale_inv` [ceil(rows / block), ceil(columns / block)] is what the values of NAME are multiplied by (despite its name). Tensors of more bits without one stay as they are. Throws CheckpointError for one that does not fit, and for one that is missing. */
export function withBlockScales(checkpoint: Checkpoint, [high, wide]: readonly [number, number]): Checkpoint {
  const scaled = new Set(checkpoint.names.filter((name) => checkpoint.shapeOf(name + SUFFIX) !== undefined));
  const bare = checkpoint.names.find((name) => checkpoint.isInEightBits(name) && !scaled.has(name));
  if (bare !== undefined) throw new CheckpointError('checkpoint_invalid', `${bare} is stored in eight bits, and ${bare}${SUFFIX}, by which it is multiplied, is missing`);
  for (const name of scaled) {
    const [shape, scales] = [checkpoint.shapeOf(name) ?? [], checkpoint.shapeOf(name + SUFFIX) ?? []];
    const right = [Math.ceil(shape[0] / high), Math.ceil(shape[1] / wide)];
    if (shape.length !== 2 || scales.join() !== right.join())
      throw new CheckpointError(
        'checkpoint_invalid',
        `${name}${SUFFIX} has the shape [${scales.join(', ')}]; blocks of ${high} by ${wide} of [${shape.join(', ')}] need [${right.join(', ')}]`,
      );
  }
  return {
    names: checkpoint.names.filter((name) => !scaled.has(name.slice(0, -SUFFIX.length)) || !name.endsWith(SUFFIX)),
    bytes: checkpoint.bytes,
    shapeOf: (name) => checkpoint.shapeOf(name),
    isInEightBits: () => false,
    read: (name, from = 0, to) => {
      const values = checkpoint.read(name, from, to);
      if (!scaled.has(name)) return values;
      const [, columns] = checkpoint.shapeOf(name) ?? [];
      const scales = checkpoint.read(name + SUFFIX);
      const across = Math.ceil(columns / wide);
      for (let at = 0; at < values.length;) {
        const [row, column] = [Math.floor((from + at) / columns), (from + at) % columns];
        const block = Math.floor(column / wide);
        const scale = scales[Math.floor(row / high) * across + block];
        const end = Math.min(values.length, at + Math.min(columns, (block + 1) * wide) - column);
        for (; at < end; at++) values[at] *= scale;
      }
      return values;
    },
    close: () => checkpoint.close(),
  };
}
