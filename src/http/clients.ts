// Owns whom a request is for: the key that it shows, and a name that says nothing, made of the key where there are keys, else of what the request says itself, else of its address.
// Refuses to know which keys are good, and what the name is for.

import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** What a request shows: as OpenAI's clients send it, or as Anthropic's do. */
export function shownBy({ authorization, 'x-api-key': other }: IncomingHttpHeaders): string | undefined {
  const [, bearer] = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '') ?? [];
  return bearer ?? (typeof other === 'string' && other !== '' ? other : undefined);
}

/** Fields of a body that say whom it is for: OpenAI's, its former one, DeepSeek's. */
const FIELDS = ['safety_identifier', 'user', 'user_id'] as const;

export class ClientNames {
  readonly #keyed: boolean;
  /** Names of another process are others. */
  readonly #salt = randomBytes(32);

  constructor(keyed: boolean) {
    this.#keyed = keyed;
  }
  of({ headers, ip }: Pick<FastifyRequest, 'headers' | 'ip'>, body: Readonly<Record<string, unknown>>): string {
    const key = this.#keyed ? shownBy(headers) : undefined;
    if (key !== undefined) return this.#hashed('key', key);
    const said = saidIn(body);
    return said === undefined ? this.#hashed('address', ip) : this.#hashed('said', said);
  }
  #hashed(kind: string, value: string): string {
    return createHmac('sha256', this.#salt).update(`${kind}\0${value}`).digest('base64url').slice(0, 22);
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
function saidIn(body: Readonly<Record<string, unknown>>): string | undefined {
  const { metadata } = body;
  // Anthropic's lies deeper.
  const deeper = typeof metadata === 'object' && metadata !== null && 'user_id' in metadata ? metadata.user_id : undefined;
  return [...FIELDS.map((field) => body[field]), deeper].find(isText);
}
