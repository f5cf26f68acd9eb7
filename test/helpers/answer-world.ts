// Owns the world in which answering is tested: a real knowledge graph over a real store in memory, written in a few words.
// Refuses to know what is asked of it.

import { readFile } from 'node:fs/promises';
import { EmbeddedStore } from '../../graph/embedded/store.ts';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { ChangeEvent } from '../../graph/knowledge.ts';
import type { Change } from '../../graph/store.ts';
import { DEFAULT_BASE, entity, literal, parseEntityId, parseRelationName } from '../../graph/terms.ts';
import type { EntityId, LiteralType, RelationName, Term, Triple, TriplePattern } from '../../graph/terms.ts';

export interface AnswerWorld {
  readonly graph: KnowledgeGraph;
  tell(triples: readonly Triple[]): Promise<void>;
  withdraw(pattern: TriplePattern): Promise<void>;
  name(id: EntityId, aliases: readonly string[]): Promise<void>;
  relate(relation: RelationName, aliases: readonly string[]): Promise<void>;
  rule(text: string): Promise<void>;
  /** Removes the rule of this text; nothing happens when there is none. */
  unrule(text: string): Promise<void>;
  subscribe(listener: (event: ChangeEvent) => void): void;
  close(): Promise<void>;
}

export async function openWorld(now?: () => number): Promise<AnswerWorld> {
  const graph = new KnowledgeGraph({ store: new EmbeddedStore({ file: ':memory:' }), now });
  await graph.open();
  const change = async (changes: readonly Change[]): Promise<void> => void (await graph.tell(DEFAULT_BASE, changes));
  const written = (aliases: readonly string[]): { text: string }[] => aliases.map((text) => ({ text }));
  return {
    graph,
    tell: (triples) => change(triples.map((statement) => ({ kind: 'assert', statement }))),
    withdraw: (pattern) => change([{ kind: 'withdraw', pattern }]),
    name: (id, aliases) => change([{ kind: 'entity', entity: { id, aliases: written(aliases) } }]),
    relate: (name, aliases) => change([{ kind: 'relation', relation: { name, aliases: written(aliases) } }]),
    rule: async (text) => void (await graph.addRules(DEFAULT_BASE, text)),
    unrule: async (text) => {
      const { rules } = await graph.validateRules(DEFAULT_BASE, text);
      const stored = (await graph.rules(DEFAULT_BASE)).find(({ id }) => rules.some((rule) => rule.id === id));
      if (stored) await graph.removeRule(DEFAULT_BASE, stored.id);
    },
    subscribe: (listener) => void graph.subscribe(listener),
    close: () => graph.close(),
  };
}

type WireObject = string | { readonly value: string | number | boolean; readonly type?: LiteralType };
const term = (object: WireObject): Term => (typeof object === 'string' ? entity(parseEntityId(object)) : literal(object.value, object.type));
async function lines<T>(file: string): Promise<T[]> {
  const text = await readFile(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as T]));
}

/** A world that holds the example graph with its rules. */
export async function openExample(now?: () => number): Promise<AnswerWorld> {
  const world = await openWorld(now);
  type Alias = { readonly text: string; readonly language?: string };
  const entities = await lines<{ name: string; aliases?: Alias[]; types?: string[] }>('entities.ndjson');
  const relations = await lines<{ name: string; aliases?: Alias[]; functional?: boolean; symmetric?: boolean; transitive?: boolean; inverse_of?: string }>('relations.ndjson');
  const triples = await lines<{ subject: string; relation: string; object: WireObject; confidence?: number; source?: string }>('triples.ndjson');
  await world.graph.tell(DEFAULT_BASE, [
    ...entities.map(({ name, aliases, types }): Change => ({ kind: 'entity', entity: { id: parseEntityId(name), aliases, types } })),
    ...relations.map(
      ({ name, aliases = [], inverse_of, ...properties }): Change => ({
        kind: 'relation',
        relation: { ...properties, name: parseRelationName(name), aliases, ...(inverse_of === undefined ? {} : { inverseOf: parseRelationName(inverse_of) }) },
      }),
    ),
    ...triples.map(
      ({ subject, relation, object, confidence, source }): Change => ({
        kind: 'assert',
        statement: { subject: parseEntityId(subject), relation: parseRelationName(relation), object: term(object), confidence, source },
      }),
    ),
  ]);
  await world.rule(await readFile(new URL('../../examples/rules.txt', import.meta.url), 'utf8'));
  return world;
}
