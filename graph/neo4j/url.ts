// Owns the address of a Neo4j server: neo4j://user:password@host:7687/database, split into what the driver wants.
// Refuses to connect, and to repeat a password in a message.

import { StoreError } from '../store.ts';

export interface Neo4jAddress {
  /** Scheme, host and port, without credentials and database. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const SCHEMES = ['neo4j:', 'neo4j+s:', 'neo4j+ssc:', 'bolt:', 'bolt+s:', 'bolt+ssc:'];
const RIGHT = 'give neo4j://user:password@host:7687/database, or bolt:// for one server of a cluster, with +s for an encrypted connection';

/** StoreError `unavailable` when the address cannot be one. Port 7687 and database `neo4j` where they are absent; an empty user means a server without authentication. */
export function parseNeo4jUrl(text: string): Neo4jAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new StoreError('unavailable', `the Neo4j address is no URL; ${RIGHT}`);
  if (!SCHEMES.includes(url.protocol))
    throw new StoreError('unavailable', `the Neo4j address begins with ${JSON.stringify(url.protocol.slice(0, 20))}; ${RIGHT}`);
  if (url.hostname === '') throw new StoreError('unavailable', `the Neo4j address names no host; ${RIGHT}`);
  if (url.search !== '' || url.hash !== '') throw new StoreError('unavailable', `the Neo4j address has a query or fragment; ${RIGHT}`);
  const database = decode(url.pathname.replace(/^\//, ''), 'database') || 'neo4j';
  if (!/^[A-Za-z][A-Za-z0-9.-]{2,62}$/.test(database))
    throw new StoreError(
      'unavailable',
      `the Neo4j address names the database ${JSON.stringify(database.slice(0, 80))}; a name is 3 to 63 letters, digits, dots and dashes, a letter first`,
    );
  if (url.username === '' && url.password !== '') throw new StoreError('unavailable', `the Neo4j address has a password and no user; ${RIGHT}`);
  return {
    url: `${url.protocol}//${url.hostname}:${url.port || '7687'}`,
    user: decode(url.username, 'user'),
    password: decode(url.password, 'password'),
    database,
  };
}
function decode(part: string, what: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new StoreError('unavailable', `the ${what} in the Neo4j address has a "%" that begins no escape; write a plain % as %25`);
  }
}
