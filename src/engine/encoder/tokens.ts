// Owns texts and pairs of texts as an encoder reads them: token ids in the frame of special tokens that tokenizer.json states, segment numbers, cutting.
// Refuses to know what the model makes of them.

import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { EngineError } from '../port.ts';
import type { Encoded } from '../port.ts';
import { vocabularySchema } from '../text/tokenizer.ts';

const added = z.looseObject({ id: z.int().nonnegative(), content: z.string().min(1), special: z.boolean().default(false) });
const segment = z.int().nonnegative().default(0);
const piece = z.union([
  z.strictObject({ SpecialToken: z.object({ id: z.string(), type_id: segment }) }).transform(({ SpecialToken: { id, type_id } }) => ({ special: id, segment: type_id })),
  z.strictObject({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: segment }) }).transform(({ Sequence: { id, type_id } }) => ({ text: id, segment: type_id })),
]);
const marked = z.tuple([z.string(), z.int().nonnegative()]);
const processor = z.union([
  z.looseObject({ type: z.literal('TemplateProcessing'), single: z.array(piece), pair: z.array(piece), special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.int().nonnegative()) })) }),
  z.looseObject({ type: z.enum(['BertProcessing', 'RobertaProcessing']), sep: marked, cls: marked }),
  z.looseObject({ type: z.literal('ByteLevel') }),
]);
const sequence = z.looseObject({ type: z.literal('Sequence'), processors: z.array(processor) });
/** The parts of tokenizer.json that are read here; the rest is handed on as it is. */
export const encoderTokenizerSchema = z.looseObject({
  added_tokens: z.array(added).default([]),
  post_processor: z.union([processor, sequence]).nullish(),
  padding: z.looseObject({ pad_id: z.int().nonnegative() }).nullish(),
  model: z.looseObject({ unk_token: z.string().nullish(), unk_id: z.int().nullish(), vocab: vocabularySchema }),
});
export type EncoderTokenizerFile = z.infer<typeof encoderTokenizerSchema>;

type Part = { readonly ids: readonly number[]; readonly segment: number } | { readonly text: 'A' | 'B'; readonly segment: number };
/** One text, or a pair, as the model reads it. */
export interface Row {
  readonly ids: readonly number[];
  /** Segment number of each token. */
  readonly segments: readonly number[];
  /** First tokens that are a prompt and do not count when the vector is made. */
  readonly skip: number;
}
export interface Cutting {
  /** Tokens of a row at most, special ones included. */
  readonly limit: number;
  /** Cut what is longer; otherwise it is an error. */
  readonly truncate: boolean;
  /** What the row is called in a message. */
  readonly name: string;
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

function framesOf(file: EncoderTokenizerFile): { readonly single: readonly Part[]; readonly pair: readonly Part[] } {
  const given = file.post_processor;
  const processors = given?.type === 'Sequence' ? given.processors : given ? [given] : [];
  for (const each of processors) {
    if (each.type === 'TemplateProcessing') {
      const { special_tokens: specials } = each;
      const parts = (pieces: readonly z.infer<typeof piece>[]): Part[] =>
        pieces.map((one) => {
          if ('text' in one) return one;
          const ids = specials[one.special]?.ids;
          if (!ids) throw new EngineError('model_invalid', `tokenizer.json: the template of post_processor names ${one.special}, which its special_tokens do not have`);
          return { ids, segment: one.segment };
        });
      const { single, pair } = each;
      return { single: parts(single), pair: parts(pair) };
    }
    if (each.type === 'BertProcessing' || each.type === 'RobertaProcessing') {
      const { cls, sep, type } = each;
      const [open, close]: Part[] = [{ ids: [cls[1]], segment: 0 }, { ids: [sep[1]], segment: 0 }];
      const second = type === 'BertProcessing' ? 1 : 0;
      const between: Part[] = type === 'BertProcessing' ? [close] : [close, close];
      const single: Part[] = [open, { text: 'A', segment: 0 }, close];
      return { single, pair: [open, { text: 'A', segment: 0 }, ...between, { text: 'B', segment: second }, { ids: [sep[1]], segment: second }] };
    }
  }
  return { single: [{ text: 'A', segment: 0 }], pair: [{ text: 'A', segment: 0 }, { text: 'B', segment: 0 }] };
}

export class EncoderTokens {
  readonly padId: number | undefined;
  readonly #encoder: Tokenizer;
  readonly #frames: { readonly single: readonly Part[]; readonly pair: readonly Part[] };
  readonly #specialIds: ReadonlySet<number>;
  /** Texts of the special tokens, by id. */
  readonly #specials: ReadonlyMap<number, string>;
  readonly #pattern: RegExp | undefined;
  readonly #lowerCase: boolean;
  /** UTF-16 units that a token stands for at most, about. */
  readonly #longest: number;

  /** Throws EngineError `model_invalid`. */
  constructor(file: EncoderTokenizerFile, config: object = {}, lowerCase = false) {
    const special = file.added_tokens.filter((token) => token.special);
    const { vocab, unk_token: unknown, unk_id: unknownId } = file.model;
    try {
      // Texts hold no special tokens, whatever is written in them: the frame alone does.
      this.#encoder = new Tokenizer({ ...file, added_tokens: file.added_tokens.filter((token) => !token.special), post_processor: null, truncation: null, padding: null }, config);
    } catch (error) {
      throw new EngineError('model_invalid', `tokenizer.json cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    this.#frames = framesOf(file);
    this.#specialIds = new Set(special.filter(({ id, content }) => content !== unknown && id !== unknownId).map(({ id }) => id));
    this.#specials = new Map(special.map(({ id, content }) => [id, content]));
    const contents = special.map(({ content }) => content).toSorted((a, b) => b.length - a.length);
    this.#pattern = contents.length > 0 ? new RegExp(`(?:${contents.map(escape).join('|')})`, 'gu') : undefined;
    this.#lowerCase = lowerCase;
    this.padId = file.padding?.pad_id ?? special.find(({ content }) => /^(\[PAD\]|<pad>|<\|pad\|>|<\|endoftext\|>)$/.test(content))?.id;
    const tokens = Array.isArray(vocab) ? vocab.map(([token]) => token) : Object.keys(vocab);
    this.#longest = tokens.reduce((most, token) => Math.max(most, token.length), 16);
  }

  /** Special tokens around a text. */
  get frame(): number {
    return this.#frames.single.reduce((sum, part) => sum + ('ids' in part ? part.ids.length : 0), 0);
  }
  count(text: string): number {
    return this.#encode(text).length + this.frame;
  }
  /** Ids of a whole text, in its frame or by itself, and how the vocabulary spells each. */
  spelt(text: string, framed: boolean): Encoded {
    const ids = framed ? this.#framed(this.#frames.single, this.#encode(text), []).ids : this.#encode(text);
    return { ids, spelt: ids.map((id) => this.#specials.get(id) ?? this.#encoder.id_to_token(id) ?? '') };
  }

  /** A text in its frame. `prompt` is put in front of it; with `skipPrompt` its tokens do not count in pooling. */
  text(text: string, { limit, truncate, name }: Cutting, prompt = '', skipPrompt = false): Row {
    const whole = prompt + text;
    const ids = this.#encode(this.#bounded(whole, limit, truncate, name));
    const room = limit - this.frame;
    if (ids.length > room && !truncate) throw tooLong(name, `${ids.length + this.frame} tokens`, limit);
    const row = this.#framed(this.#frames.single, ids.slice(0, room), []);
    return skipPrompt && prompt !== '' ? { ...row, skip: this.#encode(prompt).length + this.#leading() } : row;
  }
  /** Ids taken as they are, without a frame. */
  ids(ids: readonly number[], { limit, truncate, name }: Cutting): Row {
    if (ids.length > limit && !truncate) throw tooLong(name, `${ids.length} tokens`, limit);
    const taken = ids.slice(0, limit);
    return { ids: taken, segments: taken.map(() => 0), skip: 0 };
  }
  /** A pair in its frame. When it is cut, the longer of the two loses its last token until both fit (`longest_first` of Hugging Face's tokenizers). */
  pair(first: readonly number[], text: string, { limit, truncate, name }: Cutting): Row {
    const second = this.#encode(this.#bounded(text, limit, truncate, name));
    const frame = this.#frames.pair.reduce((sum, part) => sum + ('ids' in part ? part.ids.length : 0), 0);
    const room = limit - frame;
    if (first.length + second.length > room && !truncate) throw tooLong(name, `${first.length + second.length + frame} tokens together with the query`, limit);
    let [a, b] = [first.length, second.length];
    if (a + b > room) {
      const [less, more] = [Math.floor(room / 2), Math.ceil(room / 2)];
      if (b <= less) a = room - b;
      else if (a <= less) b = room - a;
      else [a, b] = a > b ? [more, less] : [less, more];
    }
    return this.#framed(this.#frames.pair, first.slice(0, a), second.slice(0, b));
  }
  /** Ids of a text by itself, for `pair`. */
  first(text: string, cutting: Cutting): readonly number[] {
    const ids = this.#encode(this.#bounded(text, cutting.limit, cutting.truncate, cutting.name));
    if (ids.length > cutting.limit && !cutting.truncate) throw tooLong(cutting.name, `${ids.length} tokens`, cutting.limit);
    return ids;
  }

  /** What cannot fit is not cut up to the end. */
  #bounded(text: string, limit: number, truncate: boolean, name: string): string {
    const most = limit * this.#longest;
    if (text.length <= most) return text;
    if (!truncate) throw tooLong(name, `${text.length} characters`, limit);
    return text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');
  }
  #leading(): number {
    let count = 0;
    for (const part of this.#frames.single) {
      if (!('ids' in part)) break;
      count += part.ids.length;
    }
    return count;
  }
  #framed(frame: readonly Part[], a: readonly number[], b: readonly number[]): Row {
    const [ids, segments]: [number[], number[]] = [[], []];
    for (const part of frame) {
      for (const id of 'ids' in part ? part.ids : part.text === 'A' ? a : b) {
        ids.push(id);
        segments.push(part.segment);
      }
    }
    return { ids, segments, skip: 0 };
  }
  #encode(given: string): number[] {
    const text = this.#lowerCase ? given.toLowerCase() : given;
    if (text === '') return [];
    const ids = this.#plain(text);
    if (!this.#pattern || !ids.some((id) => this.#specialIds.has(id))) return ids;
    // The vocabulary itself spells a special token: what is written like one is taken apart behind its first character.
    const parts: string[] = [];
    let from = 0;
    for (const found of text.matchAll(this.#pattern)) {
      const cut = found.index + (Array.from(found[0])[0]?.length ?? 1);
      parts.push(text.slice(from, cut));
      from = cut;
    }
    parts.push(text.slice(from));
    return parts.flatMap((part) => (part === '' ? [] : this.#plain(part))).filter((id) => !this.#specialIds.has(id));
  }
  #plain(text: string): number[] {
    const ids: readonly (number | undefined)[] = this.#encoder.encode(text, { add_special_tokens: false }).ids;
    return ids.map((id) => {
      if (id === undefined) throw new EngineError('invalid_prompt', "the text has characters that the model's vocabulary cannot write; leave them out or use another model");
      return id;
    });
  }
}

const tooLong = (name: string, size: string, limit: number): EngineError =>
  new EngineError('context_length_exceeded', `${name} has ${size}; the model takes ${limit}. Send less, or let it be cut with truncate: true`);
