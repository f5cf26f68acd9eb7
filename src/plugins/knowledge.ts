// Owns the life of the knowledge graph: its store as configured, opened at start, closed last.
// Refuses to know who asks it.

import { join } from 'node:path';
import fp from 'fastify-plugin';
import type { Config } from '../config.ts';
import { KnowledgeGraph } from '../../graph/knowledge.ts';
import type { GraphStore } from '../../graph/store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly knowledge: KnowledgeGraph;
    /** Where facts live, as words for people. */
    readonly storeKind: string;
  }
}

/** Each adapter is loaded only when it is used: the Neo4j driver is large. */
async function createStore({ graph, data }: Config): Promise<GraphStore> {
  if (graph.kind === 'neo4j') {
    const { Neo4jStore } = await import('../../graph/neo4j/store.ts');
    return new Neo4jStore({ url: graph.url });
  }
  const { EmbeddedStore } = await import('../../graph/embedded/store.ts');
  return new EmbeddedStore({ file: join(data, 'graph.db') });
}

export const knowledge = fp(
  async (app, { config, store }: { readonly config: Config; readonly store?: GraphStore }) => {
    const used = store ?? (await createStore(config));
    const { limits } = config;
    const graph = new KnowledgeGraph({
      store: used,
      limits: {
        standing: { answers: 1_000, facts: limits.rulesFacts, ms: limits.rulesMs, depth: 10_000 },
        proofBytes: limits.proofBytes,
        pendingWrites: limits.pendingWrites,
        induce: limits.inductions,
        abduce: limits.abductions,
      },
    });
    await graph.open();
    app.decorate('knowledge', graph);
    app.decorate('storeKind', used.kind);
    app.addHook('onClose', async () => graph.close());
  },
  { name: 'knowledge' },
);
