// Owns the first start: a store of Pharos's own that was never written gets the example graph.
// Refuses to know what the example says: it is read from examples/ through the contract, as if a client had sent it.

import { readFile } from 'node:fs/promises';
import fp from 'fastify-plugin';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { entityChange, putEntity } from '../contract/entities.ts';
import { putRelation, relationOf } from '../contract/relations.ts';
import { statementOf, triple } from '../contract/triples.ts';
import { DEFAULT_BASE } from '../../graph/terms.ts';
import type { Change } from '../../graph/store.ts';

const FOLDER = new URL('../../examples/', import.meta.url);
const named = z.looseObject({ name: z.string() });
const entityLine = z.intersection(named, z.unknown()).transform(({ name, ...rest }): Change => entityChange(name, putEntity.parse(rest)));
const relationLine = z
  .intersection(named, z.unknown())
  .transform(({ name, ...rest }): Change => ({ kind: 'relation', relation: relationOf(name, putRelation.parse(rest)) }));
const tripleLine = triple.transform((wire): Change => ({ kind: 'assert', statement: statementOf(wire) }));

async function readLines(file: string, line: z.ZodType<Change>): Promise<Change[]> {
  const text = await readFile(new URL(file, FOLDER), 'utf8');
  return text.split('\n').flatMap((each) => (each.trim() === '' ? [] : [line.parse(JSON.parse(each))]));
}

export const example = fp(
  async (app, { config }: { readonly config: Config }) => {
    if (!config.example || config.graph.kind !== 'embedded' || (await app.knowledge.bases()).length > 0) return;
    const changes = [
      ...(await readLines('relations.ndjson', relationLine)),
      ...(await readLines('entities.ndjson', entityLine)),
      ...(await readLines('triples.ndjson', tripleLine)),
    ];
    const { added } = await app.knowledge.tell(DEFAULT_BASE, changes);
    const { rules } = await app.knowledge.addRules(DEFAULT_BASE, await readFile(new URL('rules.txt', FOLDER), 'utf8'));
    app.log.info({ facts: added.length, rules: rules.length }, 'loaded the example graph');
  },
  { name: 'example', dependencies: ['knowledge'] },
);
