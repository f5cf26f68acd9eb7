// Owns the wire form of models.
// Refuses to know how they run.

import { z } from 'zod';
import { listOf } from './common.ts';
import { TASKS } from '../engine/port.ts';
import type { ModelInfo } from '../engine/port.ts';

export const model = z
  .strictObject({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
    device: z.string().describe('Execution provider that runs it, after any fallback; while it is not loaded, the one that was asked for; `upstream`: a server elsewhere (PHAROS_ENGINE).'),
    tasks: z.array(z.enum(TASKS)).optional().describe('What it can do: `generate` text, `embed` texts (POST /v1/embeddings), `score` them against a query (POST /v1/rerank). Absent where a server elsewhere does not say.'),
    loaded: z.boolean().optional().describe('Whether it is in memory; if not, the first request for it loads it.'),
    dimensions: z.int().optional().describe('Numbers of its vectors.'),
    bytes: z.int().optional().describe('Bytes of its weights.'),
    context_length: z.int().optional(),
    vocabulary_size: z.int().optional(),
    parameters: z.int().optional(),
    grounded: z.boolean().describe('It was trained to word facts from evidence, with names marked.'),
  })
  .meta({ id: 'Model' });
export const modelList = listOf(model);
export const modelDeleted = z.strictObject({ id: z.string(), object: z.literal('model'), deleted: z.literal(true) });

export const modelWire = ({ id, created, device, tasks, loaded, dimensions, bytes, contextLength, vocabularySize, parameters, grounded }: ModelInfo): z.infer<typeof model> => ({
  id,
  object: 'model',
  created,
  owned_by: 'pharos',
  device,
  ...(tasks === undefined ? {} : { tasks: [...tasks] }),
  ...(loaded === undefined ? {} : { loaded }),
  ...(dimensions === undefined ? {} : { dimensions }),
  ...(bytes === undefined ? {} : { bytes }),
  ...(contextLength === undefined ? {} : { context_length: contextLength }),
  ...(vocabularySize === undefined ? {} : { vocabulary_size: vocabularySize }),
  ...(parameters === undefined ? {} : { parameters }),
  grounded: grounded !== undefined,
});
