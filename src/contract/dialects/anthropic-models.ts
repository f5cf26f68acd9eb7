// Owns the wire form of models as Anthropic's clients list them.
// Refuses to know how they run.

import { z } from 'zod';
import type { ModelInfo } from '../../engine/port.ts';

export const anthropicModel = z
  .strictObject({
    type: z.literal('model'),
    id: z.string(),
    display_name: z.string(),
    created_at: z.string().describe('RFC 3339.'),
    max_input_tokens: z.int().nullable(),
    max_tokens: z.int().nullable(),
  })
  .meta({ id: 'AnthropicModel' });
export const anthropicModelList = z
  .strictObject({ data: z.array(anthropicModel), has_more: z.literal(false), first_id: z.string().nullable(), last_id: z.string().nullable() })
  .meta({ id: 'AnthropicModelList' });

export const anthropicModelWire = ({ id, created, contextLength }: ModelInfo, newTokens: number): z.infer<typeof anthropicModel> => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(created * 1000).toISOString(),
  max_input_tokens: contextLength ?? null,
  max_tokens: newTokens,
});
export const anthropicModelsWire = (models: readonly ModelInfo[], newTokens: number): z.infer<typeof anthropicModelList> => ({
  data: models.map((model) => anthropicModelWire(model, newTokens)),
  has_more: false,
  first_id: models[0]?.id ?? null,
  last_id: models.at(-1)?.id ?? null,
});
