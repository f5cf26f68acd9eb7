// Owns how long prompts are: the tokens of a text, or of a chat as the model's template writes it, from the model's files alone.
// Refuses to know how they are run.

import { ChatTemplate } from '../text/chat-template.ts';
import type { ModelFiles } from './model-files.ts';
import { EngineError } from '../port.ts';
import type { ChatPrompt } from '../port.ts';
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
    if (typeof what === 'string') return this.#tokenizer.encodePlain(what).length;
    if (this.#reader) return this.#reader.read(what).source.length;
    if (!this.#template) throw new EngineError('invalid_prompt', `model ${this.#id} has no chat template; use a text prompt`);
    return this.#template.encode(this.#tokenizer, what, this.#replies).ids.length;
  }
}
