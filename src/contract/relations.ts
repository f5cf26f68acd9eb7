// Owns the wire form of relations and their declared properties.
// Refuses to know what the properties imply.

import { z } from 'zod';
import { alias, aliases, base, listOf, name, page } from './common.ts';
import { parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { Relation } from '../../graph/terms.ts';
import type { RelationSummary } from '../../graph/store.ts';

const flag = (what: string) => z.boolean().optional().describe(what);
const list = (what: string) => z.array(name(what)).max(1000).optional();
const properties = {
  functional: flag('A subject has one object at most; another is refuted.'),
  symmetric: flag('It holds both ways round.'),
  transitive: flag('What it reaches in several steps it reaches in one.'),
  closed: flag('What is neither stored nor derived is false.'),
  inverse_of: name('The relation that holds the other way round.').optional(),
  disjoint_with: list('A relation that excludes this one.'),
  domain: list('A class of all that has this relation.'),
  range: list('A class of all that this relation leads to.'),
  sub_property_of: list('A relation that holds wherever this one does.'),
  equivalent_to: list('A relation that holds of the same pairs as this one.'),
};
export const relation = z
  .strictObject({
    name: z.string(),
    aliases: z.array(alias),
    ...properties,
    facts: z.int().describe('Facts that hold now, derived ones included.'),
    literals: z.number().describe('Share of facts whose object is a literal, 0 to 1.'),
  })
  .meta({ id: 'Relation', example: { name: 'born in', aliases: [{ text: '出生于', language: 'zh' }], functional: false, facts: 3, literals: 0 } });
export const relationList = listOf(relation);
export const listQuery = z.strictObject({ knowledge_base: base, ...page });
export const putRelation = z
  .strictObject({ aliases: aliases.optional(), ...properties, knowledge_base: base })
  .meta({
    id: 'PutRelation',
    description: 'Replaces the whole declaration of the relation.',
    example: { aliases: ['birthplace', { text: '出生于', language: 'zh' }], functional: true, domain: ['person'], range: ['place'] },
  });

export const relationWire = (item: RelationSummary): z.infer<typeof relation> => ({
  name: item.name,
  aliases: item.aliases.map((known) => ({ ...known })),
  ...(item.functional ? { functional: true } : {}),
  ...(item.symmetric ? { symmetric: true } : {}),
  ...(item.transitive ? { transitive: true } : {}),
  ...(item.closed ? { closed: true } : {}),
  ...(item.inverseOf === undefined ? {} : { inverse_of: item.inverseOf }),
  ...(item.disjointWith === undefined ? {} : { disjoint_with: [...item.disjointWith] }),
  ...(item.domain === undefined ? {} : { domain: [...item.domain] }),
  ...(item.range === undefined ? {} : { range: [...item.range] }),
  ...(item.subPropertyOf === undefined ? {} : { sub_property_of: [...item.subPropertyOf] }),
  ...(item.equivalentTo === undefined ? {} : { equivalent_to: [...item.equivalentTo] }),
  facts: item.facts,
  literals: item.literals,
});
export const relationOf = (id: string, wire: z.infer<typeof putRelation>): Relation => ({
  name: parseRelationName(id),
  aliases: wire.aliases ?? [],
  ...(wire.functional ? { functional: true } : {}),
  ...(wire.symmetric ? { symmetric: true } : {}),
  ...(wire.transitive ? { transitive: true } : {}),
  ...(wire.closed ? { closed: true } : {}),
  ...(wire.inverse_of === undefined ? {} : { inverseOf: parseRelationName(wire.inverse_of) }),
  ...(wire.disjoint_with === undefined ? {} : { disjointWith: wire.disjoint_with.map(parseRelationName) }),
  ...(wire.domain === undefined ? {} : { domain: wire.domain.map(parseEntityId) }),
  ...(wire.range === undefined ? {} : { range: wire.range.map(parseEntityId) }),
  ...(wire.sub_property_of === undefined ? {} : { subPropertyOf: wire.sub_property_of.map(parseRelationName) }),
  ...(wire.equivalent_to === undefined ? {} : { equivalentTo: wire.equivalent_to.map(parseRelationName) }),
});
