// Owns the start of a decoder from nothing: weights drawn at random.
// Refuses to know graphs, data and updates.

import { decoderParameters, sizeOf } from '../model/decoder.ts';
import type { DecoderConfig } from '../model/decoder.ts';
import { Random } from './random.ts';

/** Weights as decoderParameters says that they start, by name. */
export function drawnWeights(config: DecoderConfig, seed: number): Map<string, Float32Array> {
  const random = new Random(seed);
  return new Map(
    decoderParameters(config).map(({ name, shape, init }) => [
      name,
      'constant' in init
        ? new Float32Array(sizeOf(shape)).fill(init.constant)
        : Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * init.normal),
    ]),
  );
}
