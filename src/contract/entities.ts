// Owns the wire form of entities.
// Refuses to know how they are found.

import { z } from 'zod';
import { alias, aliases, base, listOf, name, page, text } from './common.ts';
import { parseEntityId } from '../../graph/terms.ts';
import type { Entity } from '../../graph/terms.ts';
import type { Change, EntityHit } from '../../graph/store.ts';

const fields = { name: z.string(), label: z.string(), aliases: z.array(alias), types: z.array(z.string()) };
export const entity = z.strictObject(fields).meta({
  id: 'Entity',
  example: { name: 'Albert Einstein', label: 'Albert Einstein', aliases: [{ text: '阿尔伯特·爱因斯坦', language: 'zh' }], types: ['person'] },
});
export const entityHit = z
  .strictObject({
    ...fields,
    matched: z.string().describe('The name or alias that matched.'),
    score: z.number().describe('1: exact but for case and accents; less for prefixes and misspellings.'),
  })
  .meta({ id: 'EntityHit' });
export const entityList = listOf(entityHit);
export const searchQuery = z.strictObject({
  q: text(1024).min(1).describe('A name or alias, or how it begins, or nearly so.'),
  knowledge_base: base,
  limit: page.limit,
});
export const nameParams = z.strictObject({ name: name('The name, percent-encoded.') });
export const baseQuery = z.strictObject({ knowledge_base: base });
export const putEntity = z
  .strictObject({
    label: name('Name as it is shown.').optional(),
    aliases: aliases.optional(),
    types: z.array(name('Type.')).max(1000).optional(),
    knowledge_base: base,
  })
  .meta({
    id: 'PutEntity',
    description: 'What is given replaces what was; what is absent stays.',
    example: { aliases: ['Einstein', { text: '爱因斯坦', language: 'zh' }], types: ['person'] },
  });

export const entityWire = ({ id, label, aliases: known, types }: Entity): z.infer<typeof entity> => ({
  name: id,
  label,
  aliases: known.map((item) => ({ ...item })),
  types: [...types],
});
export const hitWire = ({ entity: found, matched, score }: EntityHit): z.infer<typeof entityHit> => ({ ...entityWire(found), matched, score });
export const entityChange = (id: string, { label, aliases: known, types }: z.infer<typeof putEntity>): Change => ({
  kind: 'entity',
  entity: {
    id: parseEntityId(id),
    ...(label === undefined ? {} : { label }),
    ...(known === undefined ? {} : { aliases: known }),
    ...(types === undefined ? {} : { types }),
  },
});
