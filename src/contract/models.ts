// Owns the wire form of models.
// Refuses to know how they run.

import { z } from 'zod';
import { listOf } from './common.ts';
import type { ModelInfo } from '../engine/port.ts';

export const model = z
  .strictObject({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
    device: z.string().describe('Execution provider that runs it, after any fallback; `upstream`: a server elsewhere (PHAROS_ENGINE).'),
    context_length: z.int().optional(),
    vocabulary_size: z.int().optional(),
    parameters: z.int().optional(),
    grounded: z.boolean().describe('It was trained to word facts from evidence, with names marked.'),
  })
  .meta({ id: 'Model' });
export const modelList = listOf(model);

export const modelWire = ({ id, created, device, contextLength, vocabularySize, parameters, grounded }: ModelInfo): z.infer<typeof model> => ({
  id,
  object: 'model',
  created,
  owned_by: 'pharos',
  device,
  ...(contextLength === undefined ? {} : { context_length: contextLength }),
  ...(vocabularySize === undefined ? {} : { vocabulary_size: vocabularySize }),
  ...(parameters === undefined ? {} : { parameters }),
  grounded: grounded !== undefined,
});
