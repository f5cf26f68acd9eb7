// Owns what of a knowledge base is asked about: its relations, a share of their facts, and how things are called in each language.
// Refuses to know questions.

import { setImmediate } from 'node:timers/promises';
import type { ReadableGraph } from '../../answers/cache/dependencies.ts';
import { relationText } from '../../answers/words/evidence.ts';
import type { Language } from '../../answers/words/evidence.ts';
import { entity, termKey, termText } from '../../../graph/terms.ts';
import type { BaseName, Entity, EntityId, Fact, Term } from '../../../graph/terms.ts';
import type { RelationSummary } from '../../../graph/store.ts';
import type { Random } from '../random.ts';

/** Facts that are read in all, and of one relation at least. */
const FACTS = 50_000;
const FACTS_OF_ONE = 50;
const PAGE = 1_000;
const HAN = /\p{Script=Han}/u;
const isIn = (text: string, language: Language): boolean => HAN.test(text) === (language === 'zh');

/** Relations that have facts, with facts of each as far as they were read. */
export interface Pool {
  readonly relations: readonly { readonly relation: RelationSummary; readonly facts: readonly Fact[] }[];
  entity(id: EntityId): Entity | undefined;
}

export async function readPool(graph: ReadableGraph, base: BaseName, signal: AbortSignal): Promise<Pool> {
  const known = (await graph.relations(base)).filter(({ facts }) => facts > 0);
  const share = Math.max(FACTS_OF_ONE, Math.floor(FACTS / Math.max(1, known.length)));
  const relations: { relation: RelationSummary; facts: Fact[] }[] = [];
  const ids = new Set<EntityId>();
  for (const relation of known) {
    const facts: Fact[] = [];
    for (let cursor: string | undefined; facts.length < share;) {
      signal.throwIfAborted();
      const page = await graph.match(base, { relation: relation.name }, { limit: Math.min(PAGE, share - facts.length), cursor, signal });
      facts.push(...page.items);
      ({ cursor } = page);
      await setImmediate();
      if (cursor === undefined) break;
    }
    for (const { subject, object } of facts) {
      ids.add(subject);
      if (object.kind === 'entity') ids.add(object.id);
    }
    if (facts.length > 0) relations.push({ relation, facts });
  }
  const entities = new Map<EntityId, Entity>();
  const all = [...ids];
  for (let at = 0; at < all.length; at += PAGE) {
    for (const each of await graph.entities(base, all.slice(at, at + PAGE))) entities.set(each.id, each);
    await setImmediate();
  }
  return { relations, entity: (id) => entities.get(id) };
}

/** One of a term's names in the language; its own name where it has none. */
export function nameIn(random: Random, pool: Pool, term: Term, language: Language): string {
  if (term.kind !== 'entity') return termText(term);
  const found = pool.entity(term.id);
  const names = found
    ? [found.label, ...found.aliases.filter(({ language: of }) => of === undefined || of === language).map(({ text }) => text)].filter((text) =>
        isIn(text, language),
      )
    : [];
  return names.length > 0 ? random.pick(names) : (found?.label ?? term.id);
}
/** One of a relation's labels in the language; undefined where it has none. */
export function labelIn(random: Random, relation: RelationSummary, language: Language): string | undefined {
  const labels = [relation.name, ...relation.aliases.filter(({ language: of }) => of === undefined || of === language).map(({ text }) => text)].filter((text) =>
    isIn(text, language),
  );
  return labels.length > 0 ? relationText(random.pick(labels)) : undefined;
}

/** FNV-1a of the term and the seed: whether its questions are kept for validation. A share of all terms, whatever their order. */
export function isHeldOut(term: Term, seed: number, share: number): boolean {
  let hash = (2166136261 ^ seed) >>> 0;
  for (const byte of Buffer.from(termKey(term))) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  // The lowest bits of the last byte say little.
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507) >>> 0;
  return (hash ^ (hash >>> 13)) >>> 0 < share * 2 ** 32;
}
export const subjectOf = ({ subject }: { readonly subject: EntityId }): Term => entity(subject);
