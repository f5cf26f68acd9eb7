// Owns drawing replies out of a grammar by chance, and reading them again: a vocabulary whose special tokens are a format's marks, and tools with schemas of all kinds.
// Refuses to know which formats there are.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constraintOf } from '../../src/engine/constraints/constraint.ts';
import type { ConstraintVocabulary } from '../../src/engine/constraints/port.ts';
import type { Grammar } from '../../src/engine/constraints/grammar/expression.ts';
import { TokenTrie } from '../../src/engine/constraints/tokens/token-trie.ts';
import type { Tool } from '../../src/engine/port.ts';
import type { Certain } from '../../src/engine/replies/calls.ts';
import { FormatReader } from '../../src/engine/replies/format.ts';
import type { ReplyFormat, Thought } from '../../src/engine/replies/format.ts';
import { Marks } from '../../src/engine/replies/marks.ts';
import type { ReplyPart } from '../../src/engine/replies/reader.ts';
import { DEEPSEEK, HARMONY } from '../../src/engine/replies/syntax.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import type { TokenizerFile } from '../../src/engine/text/tokenizer.ts';
import type { seeded } from '../helpers/store-world.ts';
import { FOLDER } from './world.ts';

export type Random = ReturnType<typeof seeded>;
export const END = 1;
const FIRST_MARK = 5;

const file = (): TokenizerFile => tokenizerSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'tokenizer.json'), 'utf8')));
/** The shipped tokenizer with other special tokens, the marks among them. */
function tokenizerWith(marks: readonly string[]): ModelTokenizer {
  const given = file();
  // The name of its end is a mark of Harmony's.
  const renamed = new Map(given.added_tokens.map(({ id, content }) => [content, id === END ? '<|eos|>' : (marks[id - FIRST_MARK] ?? content)]));
  const vocab = Object.fromEntries(Object.entries(given.model.vocab).map(([text, id]) => [renamed.get(text) ?? text, id as number]));
  return new ModelTokenizer({ ...given, added_tokens: given.added_tokens.map((each) => ({ ...each, content: renamed.get(each.content) ?? each.content })), model: { ...given.model, vocab } });
}
export class World {
  readonly tokenizer: ModelTokenizer;
  readonly vocabulary: ConstraintVocabulary;
  /** Tokens that may end what is open. */
  readonly closing: ReadonlySet<number>;
  readonly #marks: readonly string[];
  constructor(marks: readonly string[]) {
    const tokenizer = tokenizerWith(marks);
    this.#marks = marks;
    this.tokenizer = tokenizer;
    this.closing = new Set(Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => /^["\]})`]/.test(tokenizer.textOf(id))));
    const trie = new TokenTrie(Array.from({ length: tokenizer.size }, (_, id) => id), (id) => tokenizer.bytesOf(id));
    this.vocabulary = { trie: () => trie, size: tokenizer.size, ends: [END], encode: (text) => tokenizer.encodePlain(text), bytesOf: (id) => tokenizer.bytesOf(id), compiled: new Map() };
  }
  readonly special = (text: string): number | undefined => {
    const id = this.tokenizer.idOf(text);
    return id !== undefined && this.tokenizer.isSpecial(id) ? id : undefined;
  };
  /** Marks in the text as their tokens. */
  idsOf(text: string): readonly number[] {
    const parts = this.#marks.length === 0 ? [text] : text.split(new RegExp(`(${this.#marks.map((mark) => mark.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})`, 'u'));
    return parts.flatMap((part) => {
      const id = this.#marks.includes(part) ? this.special(part) : undefined;
      return id === undefined ? this.tokenizer.encodePlain(part) : [id];
    });
  }
}
/** Tokens drawn from those allowed; marks of `steer` are begun now and then. Undefined when the reply does not end in time. */
export function draw(grammar: Grammar, key: string, world: World, random: Random, steer: readonly string[], most = 300): number[] | undefined {
  const constraint = constraintOf(key, () => grammar, world.vocabulary);
  const written: number[] = [];
  const ahead: number[] = [];
  for (let i = 0; i < most; i++) {
    const { bits, ids: listed } = constraint.allowed();
    const isAllowed = (id: number): boolean => (bits ? ((bits[id >>> 5] >>> (id & 31)) & 1) === 1 : (listed?.includes(id) ?? false));
    const ids = listed ? [...listed] : [];
    if (bits) for (let id = 0; id < world.tokenizer.size; id++) if (isAllowed(id)) ids.push(id);
    if (ids.length === 0) throw new Error(`nothing may follow ${world.tokenizer.textOfAll(written)}`);
    if (ids.includes(END) !== constraint.complete()) throw new Error('the end is allowed exactly where the reply is complete');
    if (ahead.length === 0 && steer.length > 0 && random.next() < (i === 0 ? 0.5 : 0.15)) ahead.push(...world.idsOf(random.pick(steer)));
    const closing = ids.filter((id) => world.closing.has(id));
    const steered = ahead.shift();
    const next = steered !== undefined && isAllowed(steered) ? steered : ids.includes(END) && random.next() < 0.1 ? END : closing.length > 0 && random.next() < 0.3 ? random.pick(closing) : random.pick(ids);
    if (next !== steered) ahead.length = 0;
    if (next === END) return written;
    written.push(next);
    constraint.accept(next);
  }
  return undefined;
}
export interface Read {
  readonly said: string;
  readonly thought: string;
  readonly calls: readonly { readonly name: string; readonly args: string }[];
}
/** What the format's reader finds in these tokens. */
export function read(tokens: readonly number[], world: World, format: ReplyFormat, thought: Thought, names: readonly string[], certain: Certain = 'nothing'): Read {
  const marks = new Marks(world.special);
  const reader = new FormatReader({ format, marks, opened: thought === 'open', names, single: false, certain, newId: () => 'x' });
  const detokenizer = world.tokenizer.detokenizer(marks.signs);
  const parts: ReplyPart[] = [...tokens.flatMap((id) => reader.push(detokenizer.push(id))), ...reader.end()];
  const calls: { name: string; args: string }[] = [];
  let [said, thoughts] = ['', ''];
  for (const part of parts) {
    if (part.kind === 'delta') said += part.text;
    else if (part.kind === 'reasoning') thoughts += part.text;
    else if (part.name === undefined) calls[part.index].args += part.arguments;
    else calls.push({ name: part.name, args: part.arguments });
  }
  return { said, thought: thoughts, calls };
}
/**
 * What is wrong with the beginnings of a reply that holds by construction: calls that the whole has not, or text that is said where all is calls, or else that holds one of `marks`. Where one function must be
 * called, beginnings call it.
 */
export function wrongWhenCut(tokens: readonly number[], world: World, format: ReplyFormat, thought: Thought, names: readonly string[], marks?: readonly string[]): string | undefined {
  const certain = marks ? 'calls' : 'reply';
  const whole = read(tokens, world, format, thought, names, certain);
  let calling = false;
  for (let most = 1; most < tokens.length; most++) {
    const { said, thought: thoughts, calls } = read(tokens.slice(0, most), world, format, thought, names, certain);
    const right = (marks ? !marks.some((mark) => said.includes(mark)) : said === '') && calls.length <= whole.calls.length && calls.every(({ name, args }, i) => name === whole.calls[i].name && whole.calls[i].args.startsWith(args));
    if (!right) return `${world.tokenizer.textOfAll(tokens.slice(0, most))} is read as ${JSON.stringify({ said, thoughts, calls })}`;
    calling ||= calls.length > 0;
  }
  return calling || names.length > 1 || marks ? undefined : `${world.tokenizer.textOfAll(tokens)} is never read as a call`;
}

function valueSchema(random: Random, depth: number): object {
  switch (random.below(depth > 2 ? 5 : 7)) {
    case 0:
      return { type: 'string', maxLength: 2 + random.below(10) };
    case 1:
      return { type: 'integer', minimum: -random.below(50), maximum: random.below(2000) };
    case 2:
      return { enum: ['red', 'grün', 7, null, '</tool_call>', DEEPSEEK.close, `${HARMONY.call}</function>`] };
    case 3:
      return { type: 'boolean' };
    case 4:
      return { type: 'string', format: random.pick(['date', 'uuid', 'ipv4']) };
    case 5:
      return { type: 'array', items: valueSchema(random, depth + 1), maxItems: 3 };
    default:
      return objectSchema(random, depth + 1);
  }
}
function objectSchema(random: Random, depth = 0): object {
  const names = ['name', 'arguments', 'city', 'ö "x"', 'n'].filter(() => random.next() < 0.5);
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, valueSchema(random, depth)])), required: names.filter(() => random.next() < 0.7), additionalProperties: false };
}
export const offer = (random: Random): Tool[] => ['weather', 'add_2', 'now'].map((name, i) => (i === 2 ? { name } : { name, parameters: objectSchema(random), strict: true }));
