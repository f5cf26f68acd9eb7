// Owns prompts as tokens, and tokens as text: how many and which those of a text are, or of a chat as the model's template writes it, from the model's files alone.
// Refuses to know how they are run.

import { ChatTemplate } from '../text/chat-template.ts';
import type { ModelFiles } from './model-files.ts';
import { EngineError } from '../port.ts';
import type { ChatPrompt, Encoded, EncodedText } from '../port.ts';
import { formatOf } from '../replies/format.ts';
import type { ReplyFormat } from '../replies/format.ts';
import { SourceReader } from '../encoder-decoder/source-text.ts';
import { ModelTokenizer } from '../text/tokenizer.ts';

export class PromptCounter {
  readonly #id: string;
  readonly #tokenizer: ModelTokenizer;
  readonly #template: ChatTemplate | undefined;
  readonly #replies: ReplyFormat;
  /** Where an encoder reads prompts. */
  readonly #reader: SourceReader | undefined;

  constructor({ id, tokenizer, tokenizerConfig, chatTemplate, namedTokens, replies, source }: Pick<ModelFiles, 'id' | 'tokenizer' | 'tokenizerConfig' | 'chatTemplate' | 'namedTokens' | 'replies' | 'source'>) {
    this.#id = id;
    this.#tokenizer = new ModelTokenizer(tokenizer, tokenizerConfig);
    this.#reader = source && new SourceReader(source, this.#tokenizer, tokenizer);
    this.#template = chatTemplate === undefined ? undefined : new ChatTemplate(chatTemplate, namedTokens);
    this.#replies = formatOf(chatTemplate ?? '', replies);
  }
  /** Special tokens in a text count as what they are written with. Throws EngineError `invalid_prompt`. */
  count(what: string | ChatPrompt): number {
    return typeof what === 'string' ? this.#tokenizer.encodePlain(what).length : this.#idsOf(what).length;
  }
  /** Special tokens in a text keep their meaning. Throws EngineError `invalid_prompt`. */
  encode(what: EncodedText | ChatPrompt): Encoded {
    const ids = what.kind === 'text' && !what.framed ? this.#tokenizer.encodeTrusted(what.text, false) : this.#idsOf(what);
    return { ids, spelt: ids.map((id) => this.#tokenizer.textOf(id)) };
  }
  /** Throws EngineError `invalid_prompt` for an id that is none of the vocabulary. */
  decode(ids: readonly number[]): string {
    const beyond = ids.find((id) => id >= this.#tokenizer.size);
    if (beyond !== undefined) throw new EngineError('invalid_prompt', `token ${beyond} is none of the vocabulary of model ${this.#id}, whose ids go from 0 to ${this.#tokenizer.size - 1}`);
    return this.#tokenizer.textOfAll(ids);
  }
  #idsOf(what: EncodedText | ChatPrompt): readonly number[] {
    if (this.#reader) return this.#reader.read(what).source;
    if (what.kind === 'text') return this.#tokenizer.encodeTrusted(what.text);
    if (!this.#template) throw new EngineError('invalid_prompt', `model ${this.#id} has no chat template; use a text prompt`);
    return this.#template.encode(this.#tokenizer, what, this.#replies).ids;
  }
}
