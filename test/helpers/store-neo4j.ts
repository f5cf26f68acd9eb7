// Owns Neo4j stores for tests: the server that PHAROS_TEST_NEO4J names, with the bases of the tests emptied before and after.
// Refuses to start a server; `npm run neo4j` does.

import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import neo4j from 'neo4j-driver';
import { Neo4jStore } from '../../graph/neo4j/store.ts';
import type { Neo4jOptions } from '../../graph/neo4j/store.ts';
import { parseNeo4jUrl } from '../../graph/neo4j/url.ts';
import { parseBaseName } from '../../graph/terms.ts';
import type { BaseName } from '../../graph/terms.ts';
import { base, otherBase, reopenable } from './store-world.ts';
import type { StoreUnderTest } from './store-world.ts';

/** Address of the server to test with; undefined where there is none. */
export const serverUrl: string | undefined = process.env['PHAROS_TEST_NEO4J'];

export async function openStore(url: string, options: Omit<Neo4jOptions, 'url'> = {}): Promise<Neo4jStore> {
  const store = new Neo4jStore({ ...options, url });
  await store.open();
  return store;
}
/** A base that no other test has. */
export const ownBase = (): BaseName => parseBaseName(`test-${randomBytes(8).toString('hex')}`);

/** Runs one query beside the store, as an administrator would. */
export async function query(url: string, text: string, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>[]> {
  const { url: server, user, password, database } = parseNeo4jUrl(url);
  const driver = neo4j.driver(server, neo4j.auth.basic(user, password), { disableLosslessIntegers: true, telemetryDisabled: true });
  try {
    return (await driver.executeQuery(text, parameters, { database })).records.map((record) => record.toObject() as Record<string, unknown>);
  } finally {
    await driver.close();
  }
}
export const removeBases = (url: string, ...bases: readonly BaseName[]): Promise<unknown> =>
  query(url, 'MATCH (n) WHERE n.kb IN $bases DETACH DELETE n', { bases });

/** The contract's way to a store whose two bases are empty. */
export const createOnServer = (url: string) => async (): Promise<StoreUnderTest> => {
  await removeBases(url, base, otherBase);
  return reopenable(
    () => openStore(url),
    () => removeBases(url, base, otherBase),
  );
};

/** A relay to the server that can be cut, as a network or a server that stops. The store must be given a `bolt` address: with `neo4j` it is led past the relay. */
export async function relay(url: string): Promise<{ readonly url: string; cut(): Promise<void> }> {
  const { url: server, user, password, database } = parseNeo4jUrl(url);
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  const listener = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `bolt://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${(listener.address() as AddressInfo).port}/${database}`,
    cut: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
