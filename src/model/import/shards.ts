// Owns a checkpoint of one or of several safetensors files in a folder of Hugging Face.
// Refuses to know what the tensors are for.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError, reasonOf } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { SafetensorsFile } from './safetensors.ts';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string().min(1)) });

/** Opens all files of a folder. Throws CheckpointError that says what is missing. */
export function openShards(folder: string): Checkpoint {
  const map = mapOf(folder);
  const files = new Map<string, SafetensorsFile>();
  const close = (): void => {
    for (const file of files.values()) file.close();
  };
  try {
    for (const name of new Set(map?.values() ?? [SINGLE])) files.set(name, new SafetensorsFile(join(folder, name)));
    const places = new Map<string, SafetensorsFile>();
    for (const file of files.values()) for (const name of file.names) if (files.get(map?.get(name) ?? '') === file || !map?.has(name)) places.set(name, file);
    for (const [name, file] of map ?? []) if (!places.has(name)) throw new CheckpointError('checkpoint_invalid', `${join(folder, INDEX)} puts ${name} into ${file}, which does not have it`);
    return {
      names: [...places.keys()],
      bytes: [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      shapeOf: (name) => places.get(name)?.shapeOf(name),
      isInEightBits: (name) => places.get(name)?.isInEightBits(name) ?? false,
      read: (name, from, to) => {
        const file = places.get(name);
        if (!file) throw new CheckpointError('checkpoint_invalid', `${folder} has no tensor ${name}`);
        return file.read(name, from, to);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** File of each tensor; undefined where all are in one. */
function mapOf(folder: string): ReadonlyMap<string, string> | undefined {
  const path = join(folder, INDEX);
  if (!existsSync(path)) {
    if (existsSync(join(folder, SINGLE))) return undefined;
    const others = readdirSync(folder).filter((name) => /\.(bin|pt|pth|gguf|h5|msgpack|safetensors)$/.test(name));
    throw new CheckpointError('checkpoint_invalid', `${folder} has neither ${SINGLE} nor ${INDEX}${others.length > 0 ? `, but ${others.slice(0, 4).join(', ')}` : ''}; weights are read from safetensors`);
  }
  const wrong = (reason: string, cause: unknown): CheckpointError => new CheckpointError('checkpoint_invalid', `${path} is no index of safetensors files: ${reason}`, { cause });
  let index: unknown;
  try {
    index = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(reasonOf(error), error);
  }
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) throw wrong(parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the whole file'}: ${message}`).join('; '), parsed.error);
  const { weight_map: map } = parsed.data;
  const outside = Object.values(map).find((name) => name !== basename(name) || name === '..' || name.includes('\\'));
  if (outside !== undefined) throw new CheckpointError('checkpoint_invalid', `${path} names the file ${outside}, which is not in the folder itself`);
  return new Map(Object.entries(map));
}
