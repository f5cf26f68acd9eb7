// Owns reading the JSON and text files of model folders, each checked against what is expected in it.
// Refuses to know what the files say.

import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { EngineError } from '../port.ts';

export const invalid = (message: string, cause?: unknown): EngineError => new EngineError('model_invalid', message, { cause });
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw invalid(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
export async function readJson<T>(path: string, schema: z.ZodType<T>, needed: boolean): Promise<T | undefined> {
  const text = await readOptional(path);
  if (text === undefined) {
    if (needed) throw invalid(`${path} is missing; a model folder needs config.json, tokenizer.json and onnx/model.onnx`);
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(`${path}: ${result.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the whole file'}: ${message}`).join('; ')}`, result.error);
  return result.data;
}
