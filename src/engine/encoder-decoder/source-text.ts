// Owns what an encoder reads of a request and what its decoder begins with: the text in its frame of special tokens, languages, an answer that is gone on with.
// Refuses to know how both run.

import { EngineError } from '../port.ts';
import type { ChatPrompt, GenerateRequest, Languages } from '../port.ts';
import type { Detokenizer, ModelTokenizer, TokenizerFile } from '../text/tokenizer.ts';
import type { EncoderDecoderFiles } from './files.ts';

export interface SourcePrompt {
  /** Ids that the encoder reads. */
  readonly source: readonly number[];
  /** Ids that the decoder sees before it writes. */
  readonly begins: readonly number[];
}
/** Names of tokens that stand for languages: fra_Latn (NLLB), fr_XX (mBART), __fr__ (M2M100), >>fra<< (Marian). */
const LANGUAGE = /^(?:[a-z]{2,3}_[A-Z][A-Za-z]{1,3}|__[a-z]{2,3}__|>>[\w-]{2,12}<<)$/;
const namesOf = (language: string): readonly string[] => [language, `__${language}__`, `>>${language}<<`];
/** Models that are told in words what to do with a text. */
const INSTRUCTED = /t5/;

export const languagesOf = (prompt: GenerateRequest['prompt']): Languages | undefined => (prompt.kind === 'tokens' ? undefined : prompt.languages);

/** What of a chat is read: the last message of a user, and where the model is told its task in words, what system messages say in front of it. Throws EngineError `invalid_prompt`. */
export function sourceText({ messages }: ChatPrompt, type: string): string {
  const last = messages.findLast(({ role }) => role === 'user');
  if (!last) throw new EngineError('invalid_prompt', 'an encoder and a decoder answer the last message of a user, and there is none');
  const told = INSTRUCTED.test(type) ? messages.filter(({ role, content }) => role === 'system' && content !== '') : [];
  return [...told, last].map(({ content }) => content).join('\n\n');
}

export class SourceReader {
  readonly #files: EncoderDecoderFiles;
  readonly #tokenizer: ModelTokenizer;
  /** Special tokens that stand around every text. */
  readonly #frame: { readonly front: readonly number[]; readonly behind: readonly number[] };
  /** The first word of a text is spelt with a space in front that is no part of it. */
  readonly #spaced: boolean;

  constructor(files: EncoderDecoderFiles, tokenizer: ModelTokenizer, file: TokenizerFile) {
    this.#files = files;
    this.#tokenizer = tokenizer;
    this.#frame = frameOf(tokenizer);
    this.#spaced = isSpaced(file);
  }
  /** What is read of a prompt, as text; undefined where it is ids. */
  textOf(prompt: GenerateRequest['prompt']): string | undefined {
    return prompt.kind === 'tokens' ? undefined : prompt.kind === 'text' ? prompt.text : sourceText(prompt, this.#files.type);
  }
  /** Special tokens in a text keep their meaning; in a chat they are plain text. Throws EngineError `invalid_prompt`. */
  read(prompt: GenerateRequest['prompt']): SourcePrompt {
    const languages = languagesOf(prompt) ?? {};
    const { start, begins } = this.#files;
    const target = languages.target === undefined ? undefined : this.#language(languages.target);
    // Marian has the language into which it translates in front of the text, the others as the first token that is written.
    const inFront = target !== undefined && this.#tokenizer.textOf(target).startsWith('>>');
    const ids = this.#ids(prompt);
    const source = languages.source === undefined ? ids : this.#from(ids, this.#language(languages.source));
    const first = target === undefined ? begins : inFront ? begins : [start, target];
    const last = prompt.kind === 'chat' && prompt.continues === true ? prompt.messages.at(-1) : undefined;
    if (last && last.role !== 'assistant')
      throw new EngineError('invalid_prompt', `the last message is to be gone on with, and it is one of ${last.role}; it must be one of assistant`);
    return { source: inFront ? [target, ...source] : source, begins: last ? [...first, ...this.#tokenizer.encodePlain(last.content)] : first };
  }
  /** What is written in front of a text and is no part of it. */
  front(prompt: GenerateRequest['prompt']): string {
    return this.#spaced && !(prompt.kind === 'chat' && prompt.continues === true) ? ' ' : '';
  }
  /** Without the space that the first word has in front, where the text begins with it. */
  detokenizer(whole: Detokenizer, prompt: GenerateRequest['prompt']): Detokenizer {
    if (this.front(prompt) === '') return whole;
    let begun = false;
    return {
      push: (token) => {
        const text = whole.push(token);
        if (begun || text === '') return text;
        begun = true;
        return text.startsWith(' ') ? text.slice(1) : text;
      },
    };
  }

  #ids(prompt: GenerateRequest['prompt']): readonly number[] {
    if (prompt.kind === 'tokens') return prompt.ids;
    if (prompt.kind === 'text') return prompt.text === '' ? [] : this.#tokenizer.encodeTrusted(prompt.text);
    const text = sourceText(prompt, this.#files.type);
    return text === '' ? [] : [...this.#frame.front, ...this.#tokenizer.encodePlain(text), ...this.#frame.behind];
  }
  /** The same text in another language than the frame says. */
  #from(ids: readonly number[], language: number): readonly number[] {
    const at = ids.findIndex((id) => LANGUAGE.test(this.#tokenizer.textOf(id)) && this.#tokenizer.isSpecial(id));
    return at < 0 ? [language, ...ids] : ids.with(at, language);
  }
  #language(language: string): number {
    for (const name of namesOf(language)) {
      const id = this.#tokenizer.idOf(name);
      if (id !== undefined && LANGUAGE.test(name)) return id;
    }
    const known = Array.from({ length: this.#tokenizer.size }, (_, id) => this.#tokenizer.textOf(id)).filter((name) => LANGUAGE.test(name));
    throw new EngineError(
      'invalid_prompt',
      known.length === 0
        ? `this model has no marks for languages; leave ${JSON.stringify(language)} out`
        : `this model has no language ${JSON.stringify(language)}; it has: ${known.join(', ')}`,
    );
  }
}

/** Found by looking at what stands around a letter. */
function frameOf(tokenizer: ModelTokenizer): { readonly front: readonly number[]; readonly behind: readonly number[] } {
  const [plain, whole] = [tokenizer.encodePlain('a'), tokenizer.encodeTrusted('a')];
  const at = whole.findIndex((_, i) => plain.every((id, k) => whole[i + k] === id));
  return at < 0 ? { front: [], behind: [] } : { front: whole.slice(0, at), behind: whole.slice(at + plain.length) };
}
/** Does the decoder that tokenizer.json states leave out the first space? */
function isSpaced({ decoder }: TokenizerFile): boolean {
  const parts: readonly Readonly<Record<string, unknown>>[] = decoder ? [decoder, ...(decoder.decoders ?? [])] : [];
  return parts.some(
    (part) =>
      (part['type'] === 'Metaspace' && part['add_prefix_space'] !== false && part['prepend_scheme'] !== 'never') ||
      (part['type'] === 'Strip' && part['content'] === ' ' && part['start'] === 1),
  );
}
