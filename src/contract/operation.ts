// Owns the wire form of what operators ask: knowledge bases, health, readiness.
// Refuses to know how the answers are found.

import { z } from 'zod';
import { listOf, page, partial } from './common.ts';
import type { KnownBaseStatistics } from '../../graph/knowledge.ts';

export const knowledgeBase = z
  .strictObject({
    name: z.string(),
    version: z.int(),
    facts: z.int(),
    entities: z.int(),
    relations: z.int(),
    derived: z.int(),
    rules: z.int(),
    partial: partial.optional(),
  })
  .meta({ id: 'KnowledgeBase' });
export const knowledgeBaseList = listOf(knowledgeBase);
export const listQuery = z.strictObject(page);
export const health = z
  .strictObject({
    status: z.literal('ok'),
    version: z.string(),
    uptime_seconds: z.number(),
    store: z.string().describe('Where facts live.'),
    models: z.array(z.strictObject({ id: z.string(), device: z.string().describe('Execution provider, after any fallback.') })),
  })
  .meta({ id: 'Health' });
export const readiness = z.strictObject({ status: z.literal('ready') }).meta({ id: 'Readiness' });

export const baseWire = ({
  base,
  version,
  facts,
  entities,
  relations,
  derived,
  rules,
  partial: reached,
}: KnownBaseStatistics): z.infer<typeof knowledgeBase> => ({
  name: base,
  version,
  facts,
  entities,
  relations,
  derived,
  rules,
  ...(reached === undefined ? {} : { partial: reached }),
});
