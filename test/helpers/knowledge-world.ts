// Owns the small vocabulary in which tests of the knowledge graph are written: a graph over a store in memory, facts and rules as text.
// Refuses to know how anything is derived.

import type { Test } from 'tap';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { ChangeEvent, KnowledgeLimits, KnownFact } from '../../graph/knowledge.ts';
import { DEFAULT_BASE, entity, parseEntityId, parseRelationName, termKey, tripleKey } from '../../graph/terms.ts';
import type { BaseName, RelationName, Relation, Statement, Term, Triple, TriplePattern } from '../../graph/terms.ts';
import type { Change } from '../../graph/store.ts';
import { MemoryStore } from './memory-store.ts';

export const BASE = DEFAULT_BASE;
export const node = (name: string): Term => entity(parseEntityId(name));
export const triple = (subject: string, relation: string, object: string | Term, negated = false): Triple => ({
  subject: parseEntityId(subject),
  relation: parseRelationName(relation),
  object: typeof object === 'string' ? node(object) : object,
  ...(negated ? { negated } : {}),
});
export const say = (subject: string, relation: string, object: string | Term, extra: Partial<Statement> = {}): Change => ({
  kind: 'assert',
  statement: { ...triple(subject, relation, object), ...extra },
});
export const unsay = (subject: string, relation: string, object: string | Term, extra: { negated?: boolean; source?: string } = {}): Change => ({
  kind: 'withdraw',
  pattern: triple(subject, relation, object, extra.negated),
  ...(extra.source === undefined ? {} : { source: extra.source }),
});
type Names = 'disjointWith' | 'domain' | 'range' | 'subPropertyOf' | 'equivalentTo';
export const declare = (
  name: string,
  properties: Partial<Omit<Relation, 'name' | 'inverseOf' | Names>> & { inverseOf?: string } & { readonly [K in Names]?: readonly string[] } = {},
): Change => ({
  kind: 'relation',
  relation: { aliases: [], ...(properties as Partial<Relation>), name: parseRelationName(name) },
});

export interface World {
  readonly graph: KnowledgeGraph;
  readonly store: MemoryStore;
  readonly events: ChangeEvent[];
}
export async function open(
  t: Pick<Test, 'teardown'>,
  options: { limits?: Partial<KnowledgeLimits>; now?: () => number; store?: MemoryStore } = {},
): Promise<World> {
  const store = options.store ?? new MemoryStore(options.now);
  const graph = new KnowledgeGraph({ store, limits: options.limits, now: options.now });
  await graph.open();
  t.teardown(() => graph.close());
  const events: ChangeEvent[] = [];
  graph.subscribe((event) => void events.push(event));
  return { graph, store, events };
}

/** Every page of a match. */
export async function all(
  graph: KnowledgeGraph,
  pattern: TriplePattern = {},
  options: { derived?: 'include' | 'exclude' | 'only'; limit?: number; base?: BaseName } = {},
): Promise<KnownFact[]> {
  const { base = BASE, limit = 1000, derived } = options;
  const facts: KnownFact[] = [];
  let cursor: string | undefined;
  do {
    const page = await graph.match(base, pattern, { limit, derived, cursor });
    facts.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return facts;
}
const text = ({ subject, relation, object, negated }: Triple): string =>
  `${negated ? '-' : ''}${relation}(${subject}, ${object.kind === 'entity' ? object.id : String(object.value)})`;
export const texts = (triples: readonly Triple[]): string[] => triples.map(text).toSorted();
/** All that is derived, with confidences. */
export async function derived(graph: KnowledgeGraph): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const negated of [false, true]) for (const fact of await all(graph, { negated }, { derived: 'only' })) found.set(tripleKey(fact), fact.confidence);
  return found;
}
/** Is what is derived the same as in a graph that reads the store anew? */
export async function sameAnew(t: Pick<Test, 'same'>, { graph, store }: Pick<World, 'graph' | 'store'>, label: string): Promise<void> {
  const anew = new KnowledgeGraph({ store: store.view() });
  await anew.open();
  t.same([...(await derived(anew))].toSorted(), [...(await derived(graph))].toSorted(), `${label}, read anew`);
  await anew.close();
}
export const named = (name: string): RelationName => parseRelationName(name);
export { termKey };
