// Owns texts of schemas for tests: what may be written under one, drawn at random or given, and whether that is what another validator takes.
// Refuses to know how they come to be allowed.

import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Test } from 'tap';
import { compileConstraint } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import { TokenSet } from '../../src/engine/constraints/tokens/token-set.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import { drawn } from './masks-cases.ts';
import type { Random } from './masks-cases.ts';

export type Value = object | string | number | boolean | null;

export const keyword = (name: string, value: unknown): object => ({ [name]: value });
export const branches = (condition: object, met: object, unmet?: object): object => ({ if: condition, ...keyword('then', met), ...(unmet ? { else: unmet } : {}) });

/** Every byte, and some longer tokens. */
const TOKENS = [
  ...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)),
  ...['", "', '12', '0.', 'T0', '-02', '00', 'ab', '@a', '.c', '://', 'é'].map((text) => Buffer.from(text)),
];
const END = TOKENS.length;
const bytesOf = (id: number): Uint8Array | undefined => TOKENS[id];
const trie = new TokenTrie(TOKENS.keys(), bytesOf);
export const vocabulary = (): ConstraintVocabulary => ({
  trie: () => trie,
  size: END + 1,
  ends: [END],
  encode: (text) => [...Buffer.from(text)],
  bytesOf,
  compiled: new Map(),
});
const CLOSING = new Set(TOKENS.flatMap((bytes, id) => (/^["\]}]/.test(bytes.toString()) ? [id] : [])));

export function draw(schema: unknown, words: ConstraintVocabulary, random: Random): string | undefined {
  const constraint = compileConstraint({ kind: 'schema', schema }, words);
  const written: Uint8Array[] = [];
  for (let i = 0; i < 400 && !constraint.complete(); i++) {
    const allowed = constraint.allowed();
    const closing = random.next() < 0.3 ? TokenSet.ofIds([...CLOSING].filter((id) => allowed.has(id))) : allowed;
    const token = drawn(closing.size > 0 ? closing : allowed, random);
    if (token === undefined) throw new Error(`nothing may follow ${Buffer.concat(written).toString()}`);
    written.push(TOKENS[token]);
    constraint.accept(token);
  }
  return constraint.complete() ? Buffer.concat(written).toString('utf8') : undefined;
}
export function accepts(schema: unknown, value: unknown, words = vocabulary()): boolean {
  const constraint = compileConstraint({ kind: 'schema', schema }, words);
  for (const byte of Buffer.from(JSON.stringify(value))) {
    if (!constraint.allowed().has(byte)) return false;
    constraint.accept(byte);
  }
  return constraint.complete();
}

const ajv = new Ajv2020({ strict: false, ownProperties: true });
/** What is drawn is valid, and of the values exactly those that are valid are taken. Whether the schema was. */
export function holds(t: Test, schema: object, values: readonly Value[], random: Random): boolean {
  const valid = ajv.compile(schema);
  const words = vocabulary();
  try {
    compileConstraint({ kind: 'schema', schema }, words);
  } catch (error) {
    t.match(error, { code: 'constraint_invalid' }, JSON.stringify(schema));
    return false;
  }
  for (const value of values) if (accepts(schema, value, words) !== valid(value)) t.fail(`${JSON.stringify(schema)} ${JSON.stringify(value)}: ${valid(value)}`);
  for (let i = 0; i < 8; i++) {
    const text = draw(schema, words, random);
    if (text !== undefined && !valid(JSON.parse(text))) t.fail(`${JSON.stringify(schema)} gave ${text}: ${ajv.errorsText(valid.errors)}`);
  }
  return true;
}
