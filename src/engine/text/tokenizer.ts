// Owns text to token ids and back: what is a special token and what only looks like one, the bytes of each token, whole characters.
// Refuses to know chat templates, sampling, and which model the ids are for.

import { Tokenizer as Encoder } from '@huggingface/tokenizers';
import { z } from 'zod';
import { EngineError } from '../port.ts';

const addedTokenSchema = z.object({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
});
/** Ids by token, or tokens in order with a number of each. It is checked as it stands: zod's records lose a token that is called __proto__. */
export const vocabularySchema = z.union([
  z.custom<Readonly<Record<string, number>>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(Number.isSafeInteger), 'must have a whole number for each token'),
  z.array(z.tuple([z.string(), z.number()])),
]);
/** The parts of a Hugging Face `tokenizer.json` that are read here; the rest is handed on as it is. */
export const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema.loose()).default([]),
  decoder: z.looseObject({ type: z.string(), decoders: z.array(z.looseObject({ type: z.string() })).optional() }).nullable(),
  model: z.looseObject({ type: z.string().optional(), vocab: vocabularySchema }),
});
export type TokenizerFile = z.infer<typeof tokenizerSchema>;

/** Reverse of the printable alphabet in which byte-level BPE writes bytes (Radford et al. 2019, GPT-2 `bytes_to_unicode`): bytes by UTF-16 units, and -1. */
function byteOfUnit(): Int16Array {
  const bytes = new Int16Array(512).fill(-1);
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    bytes[printable ? byte : next++] = byte;
  }
  return bytes;
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** Characters out of a stream of bytes. A character is given when its last byte is there; bytes that form no character are dropped. */
export class Utf8Stream {
  #point = 0;
  #missing = 0;
  #least = 0;

  push(bytes: Uint8Array): string {
    let text = '';
    for (const byte of bytes) {
      if (this.#missing > 0 && (byte & 0xc0) === 0x80) {
        this.#point = (this.#point << 6) | (byte & 0x3f);
        const whole = --this.#missing === 0;
        const valid = this.#point >= this.#least && this.#point <= 0x10ffff && (this.#point < 0xd800 || this.#point > 0xdfff);
        if (whole && valid) text += String.fromCodePoint(this.#point);
        continue;
      }
      this.#missing = 0;
      if (byte < 0x80) text += String.fromCharCode(byte);
      else if (byte >= 0xc2 && byte <= 0xf4) {
        this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        this.#least = [0, 0x80, 0x800, 0x10000][this.#missing];
        this.#point = byte & (0x3f >> this.#missing);
      }
    }
    return text;
  }
}

/** Text of a growing sequence of tokens; special tokens have none, but where they are given a sign. */
export interface Detokenizer {
  push(token: number): string;
}

export class ModelTokenizer {
  /** One more than the highest id. */
  readonly size: number;
  /** Bytes of the longest token: no text of more than n times as many bytes fits into n tokens. */
  readonly longestToken: number;
  /** Made when it is first needed: chats do without. */
  readonly #trusted: () => Encoder;
  readonly #plain: Encoder;
  readonly #ids = new Map<string, number>();
  readonly #special: ReadonlyMap<string, z.infer<typeof addedTokenSchema>>;
  readonly #specialIds: ReadonlySet<number>;
  /** Added tokens that the tokenizer does not call special. */
  readonly #added: readonly string[];
  /** One capturing group; absent where there are no special tokens. */
  readonly #pattern: RegExp | undefined;
  readonly #bytes: (Uint8Array | undefined)[];
  readonly #texts: (string | undefined)[];

  /** Throws EngineError `model_invalid` for a tokenizer whose tokens cannot be turned into bytes. */
  constructor(file: TokenizerFile, config: object = {}) {
    const special = file.added_tokens.filter((token) => token.special);
    this.#special = new Map(special.map((token) => [token.content, token]));
    this.#specialIds = new Set(special.map(({ id }) => id));
    const contents = special.map(({ content }) => content).toSorted((a, b) => b.length - a.length);
    this.#pattern = contents.length > 0 ? new RegExp(`(${contents.map(escape).join('|')})`, 'u') : undefined;
    this.#added = file.added_tokens.filter((token) => !token.special).map(({ content }) => content);

    const { vocab } = file.model;
    const entries: readonly (readonly [string, number])[] = Array.isArray(vocab) ? vocab.map(([token], id) => [token, id]) : Object.entries(vocab);
    const withoutSpecial = Array.isArray(vocab) || !entries.some(([, id]) => this.#specialIds.has(id)) ? vocab : Object.fromEntries(entries.filter(([, id]) => !this.#specialIds.has(id)));
    try {
      let trusted: { readonly encoder: Encoder } | undefined;
      this.#trusted = () => (trusted ??= { encoder: new Encoder(file, config) }).encoder;
      this.#plain = new Encoder({ ...file, added_tokens: file.added_tokens.filter((token) => !token.special), model: { ...file.model, vocab: withoutSpecial } }, config);
    } catch (error) {
      throw new EngineError('model_invalid', `tokenizer.json cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    const spell = speller(file);
    // As long as they are to be: vocabularies do not come in the order of their ids.
    this.size = entries.reduce((size, [, id]) => Math.max(size, id + 1), Math.max(0, ...file.added_tokens.map(({ id }) => id + 1)));
    this.#bytes = Array.from<undefined>({ length: this.size });
    this.#texts = Array.from<undefined>({ length: this.size });
    for (const [token, id] of entries) {
      this.#ids.set(token, id);
      this.#texts[id] = token;
      if (!this.#specialIds.has(id)) this.#bytes[id] = spell(token);
    }
    for (const { id, content, special: isSpecial } of file.added_tokens) {
      this.#ids.set(content, id);
      this.#texts[id] = content;
      this.#bytes[id] = isSpecial ? undefined : Buffer.from(content, 'utf8');
    }
    this.longestToken = this.#bytes.reduce((longest, bytes) => Math.max(longest, bytes?.length ?? 0), 1);
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }
  /** How a token is written in the vocabulary; empty for ids without a token. */
  textOf(id: number): string {
    return this.#texts[id] ?? '';
  }
  /** Texts of the special tokens, by id. */
  get specials(): ReadonlyMap<number, string> {
    return new Map(Array.from(this.#special.values(), ({ id, content }) => [id, content]));
  }
  isSpecial(id: number): boolean {
    return this.#specialIds.has(id);
  }
  /** Bytes that a token writes; undefined for special tokens and ids without a token. */
  bytesOf(id: number): Uint8Array | undefined {
    return this.#bytes[id];
  }

  /** Special tokens in `text` keep their meaning; the tokenizer's own beginning (such as a BOS token) is put in front, if it is `framed`. */
  encodeTrusted(text: string, framed = true): number[] {
    return this.#checked(this.#trusted().encode(text, { add_special_tokens: framed }).ids);
  }
  /** Every character stands for itself; the result holds no special token, whatever the text is. */
  encodePlain(text: string): number[] {
    if (text === '') return [];
    const ids = this.#checked(this.#plain.encode(text, { add_special_tokens: false }).ids);
    if (!ids.some((id) => this.#specialIds.has(id))) return ids;
    return this.#checked(Array.from(text).flatMap((character) => this.#plain.encode(character, { add_special_tokens: false }).ids).filter((id) => !this.#specialIds.has(id)));
  }

  /** Tokens that a template writes as marks between messages, such as <｜User｜>, though the tokenizer does not call them special. */
  controlsIn(template: string): string[] {
    return this.#added.filter((content) => /^<[|｜]\S+[|｜]>$/u.test(content) && template.includes(content));
  }

  /**
   * Puts `guard`, a character that occurs nowhere else, into everything in `text` that reads as a special token, alone or together with what may stand beside it,
   * so that `encodeGuarded` takes it for plain text. `controls`: further tokens that are guarded so.
   */
  guard(text: string, guard: string, controls: readonly string[] = []): string {
    const contents = [...this.#special.keys(), ...controls];
    const pattern = oneOf(contents, 'gu');
    if (!pattern) return text;
    const pieces: string[] = [];
    let from = 0;
    for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
      // Behind its first character, where another one may begin.
      const cut = found.index + (Array.from(found[0])[0]?.length ?? 1);
      pieces.push(text.slice(from, cut), guard);
      pattern.lastIndex = from = cut;
    }
    const guarded = pieces.join('') + text.slice(from);
    const opens = contents.some((content) => prefixes(content).some((part) => guarded.endsWith(part)));
    const closes = contents.some((content) => prefixes(content).some((part) => guarded.startsWith(content.slice(part.length))));
    return `${closes ? guard : ''}${guarded}${opens ? guard : ''}`;
  }
  /** Ids of text of which some parts went through `guard`: special tokens keep their meaning where no guard stands in them. Adds nothing in front. */
  encodeGuarded(text: string, guard: string, controls: readonly string[] = []): number[] {
    const control = oneOf(controls, 'gu');
    const plain = (part: string): number[] => {
      const whole = part.replaceAll(guard, '');
      const split = control !== undefined && (whole.match(control)?.length ?? 0) !== (part.match(control)?.length ?? 0);
      return split ? part.split(guard).flatMap((each) => this.encodePlain(each)) : this.encodePlain(whole);
    };
    if (!this.#pattern) return plain(text);
    const parts = text.split(this.#pattern);
    const ids: number[] = [];
    for (let i = 0; i < parts.length; i++) {
      if (i % 2 === 1) {
        const id = this.#special.get(parts[i])?.id;
        if (id !== undefined) ids.push(id);
        continue;
      }
      let part = parts[i];
      if (this.#special.get(parts[i - 1])?.rstrip) part = part.trimStart();
      if (this.#special.get(parts[i + 1])?.lstrip) part = part.trimEnd();
      for (const id of plain(part)) ids.push(id);
    }
    return ids;
  }

  /** `signs`: what is given in the place of special tokens; those that have none are left out. */
  detokenizer(signs?: ReadonlyMap<number, string>): Detokenizer {
    const stream = new Utf8Stream();
    return {
      push: (token) => {
        const bytes = this.#bytes[token];
        return bytes ? stream.push(bytes) : (signs?.get(token) ?? '');
      },
    };
  }

  /** Text of a whole sequence, special tokens written out. */
  textOfAll(ids: readonly number[]): string {
    const stream = new Utf8Stream();
    return ids.map((id) => stream.push(this.#bytes[id] ?? Buffer.from(this.textOf(id), 'utf8'))).join('');
  }

  #checked(ids: readonly (number | undefined)[]): number[] {
    return ids.map((id) => {
      if (id === undefined) throw new EngineError('invalid_prompt', "the text has characters that the model's vocabulary cannot write; leave them out or use another model");
      return id;
    });
  }
}

/** Finds each of these texts, the longest first; undefined where there are none. */
const oneOf = (texts: readonly string[], flags: 'u' | 'gu'): RegExp | undefined => (texts.length === 0 ? undefined : new RegExp(texts.toSorted((a, b) => b.length - a.length).map(escape).join('|'), flags));
/** Proper, non-empty beginnings. */
const prefixes = (text: string): string[] => Array.from({ length: text.length - 1 }, (_, i) => text.slice(0, i + 1));

/** How this tokenizer's vocabulary spells bytes. */
function speller(file: TokenizerFile): (token: string) => Uint8Array {
  const kinds = [file.decoder?.type, ...(file.decoder?.decoders ?? []).map(({ type }) => type)];
  if (kinds.includes('ByteLevel')) {
    const byteOf = byteOfUnit();
    return (token) => {
      const bytes = new Uint8Array(token.length);
      for (let i = 0; i < token.length; i++) {
        const byte = byteOf[token.charCodeAt(i)] ?? -1;
        if (byte < 0) return Buffer.from(token, 'utf8');
        bytes[i] = byte;
      }
      return bytes;
    };
  }
  if (kinds.includes('ByteFallback') || kinds.includes('Metaspace')) {
    return (token) => {
      const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
      return byte ? Uint8Array.of(Number.parseInt(byte, 16)) : Buffer.from(token.replaceAll('\u2581', ' '), 'utf8');
    };
  }
  throw new EngineError('model_invalid', `tokenizer.json has decoder ${JSON.stringify(file.decoder?.type ?? null)}; Pharos reads ByteLevel, ByteFallback and Metaspace`);
}
