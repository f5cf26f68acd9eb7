// Owns where the weights of a model folder lie: their names by variant, those that are preferred first.
// Refuses to know what is in them.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from './json-files.ts';

/** In order of preference: whole precision first, because the half-precision forms are slower on a CPU. */
const VARIANTS = ['', '_q4', '_int8', '_quantized', '_uint8', '_q4f16', '_fp16', '_bnb4'] as const;
const WEIGHTS = ['onnx/model', 'onnx/decoder_model_merged', 'model'] as const;

export const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** Names under which weights may lie, those that are preferred first. */
export const weightNames = (variant: string | undefined, stems: readonly string[] = WEIGHTS): string[] =>
  stems.flatMap((stem) => (variant === undefined ? VARIANTS : [variant === 'fp32' ? '' : `_${variant}`]).map((suffix) => `${stem}${suffix}.onnx`));

/** The weights of a folder: those of a variant (`q4`, `fp16`, ...), or those that are preferred. `stems`: what their names begin with. */
export async function findWeights(
  folder: string,
  variant: string | undefined,
  stems: readonly string[] = WEIGHTS,
): Promise<{ readonly path: string; readonly created: number }> {
  const names = weightNames(variant, stems);
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return { path, created: Math.floor(found.mtimeMs / 1000) };
  }
  throw invalid(`${folder} has no weights${variant === undefined ? '' : ` of the variant ${variant}`}; Pharos looks for ${names.join(', ')}`);
}
