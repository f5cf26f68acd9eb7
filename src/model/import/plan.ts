// Owns what a model will need, said before its weights are read: shapes, parameters, bytes on the disk and in memory.
// Refuses to read weights.

import type { Parameter, Storage } from '../decoder-parts.ts';
import type { Architecture } from './architecture.ts';
import { sizeOf } from './checkpoint.ts';

export const parameterCount = ({ parameters }: Architecture): number => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Bytes of a parameter as it is stored. */
export function bytesOf(architecture: Architecture, parameter: Parameter, storage: Storage): number {
  const size = sizeOf(parameter.shape);
  if (!architecture.isStored(parameter) || storage === 'float') return 4 * size;
  if (storage === 'float16') return 2 * size;
  const [rows, columns] = parameter.shape;
  // The bits of each block, and its scale in float32.
  return rows * Math.ceil(columns / storage.block) * ((storage.block * storage.bits) / 8 + 4);
}
/** Bytes of a model's weights as they are stored, without the angles of its positions. */
export const storedBytes = (architecture: Architecture, storage: Storage): number =>
  architecture.parameters.reduce((sum, parameter) => sum + bytesOf(architecture, parameter, storage), 0);

export const readable = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
};

/** Shapes of one layer of each kind and of what is outside the layers, the sum of all, and what it takes to run. */
export function describePlan(architecture: Architecture, block: number): string[] {
  const { parameters, layers, contextLength, vocabularySize, remembered, type } = architecture;
  const count = parameterCount(architecture);
  const lines = [
    `${type}: ${count.toLocaleString('en')} parameters, ${layers} layers, vocabulary of ${vocabularySize.toLocaleString('en')}, texts of ${contextLength.toLocaleString('en')} tokens`,
    ...(architecture.notes ?? []),
    '',
  ];
  const byLayer = Map.groupBy(parameters, ({ name }) => architecture.layerOf(name));
  for (const { name, shape } of byLayer.get(undefined) ?? []) lines.push(`  ${name}  [${shape.join(', ')}]`);
  // Layers of the same shapes are said once, with numbers in the places of what counts up.
  const kinds = new Map<string, { readonly numbers: number[]; readonly size: number }>();
  for (const [layer, own] of byLayer) {
    if (layer === undefined) continue;
    const shapes = new Map<string, number>();
    for (const { name, shape } of own) {
      const line = `    ${name.replace(/^(.*?)\.\d+\./, '').replace(/\bexperts\.\d+\./, 'experts.N.')}  [${shape.join(', ')}]`;
      shapes.set(line, (shapes.get(line) ?? 0) + 1);
    }
    const key = [...shapes].map(([line, times]) => (times > 1 ? `${line} x ${times}` : line)).join('\n');
    const kind = kinds.get(key) ?? { numbers: [], size: own.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
    kind.numbers.push(layer);
    kinds.set(key, kind);
  }
  for (const [key, { numbers, size }] of kinds)
    lines.push(`  layers ${numbers[0]} to ${numbers[numbers.length - 1]}, ${size.toLocaleString('en')} parameters each:`, key);
  const storages: readonly (readonly [string, Storage])[] = [
    ['float', 'float'],
    ['float16', 'float16'],
    [`int8 in blocks of ${block}`, { bits: 8, block }],
    [`int4 in blocks of ${block}`, { bits: 4, block }],
  ];
  lines.push('', '  weights');
  for (const [name, storage] of storages) {
    const onDisk = storedBytes(architecture, storage);
    // Halves are made whole when a model is loaded.
    lines.push(`    ${name}: ${readable(onDisk)} on the disk, ${readable(storage === 'float16' ? storedBytes(architecture, 'float') : onDisk)} in memory`);
  }
  lines.push(
    `  each token that is remembered: ${readable(4 * remembered)}; a text of ${contextLength.toLocaleString('en')}: ${readable(4 * remembered * contextLength)}`,
  );
  return lines;
}
