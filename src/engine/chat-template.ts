// Owns a model's chat template: messages in, the prompt's token ids out, with untrusted text kept from posing as special tokens.
// Refuses to know sampling and how the template got here.

import { Template } from '@huggingface/jinja';
import { EngineError } from './port.ts';
import type { ChatMessage } from './port.ts';
import type { ModelTokenizer } from './tokenizer.ts';

/** First character of Unicode's private use area that none of the texts hold. */
function unusedCharacter(texts: readonly string[]): string {
  for (let point = 0xe000; point <= 0xf8ff; point++) {
    const character = String.fromCharCode(point);
    if (!texts.some((text) => text.includes(character))) return character;
  }
  throw new EngineError('invalid_prompt', 'the messages use every private-use character (U+E000 to U+F8FF); leave at least one out');
}

export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #source: string;

  /** `variables`: what templates may name besides the messages, such as `bos_token`. Throws EngineError `model_invalid` for a template that cannot be read. */
  constructor(source: string, variables: Readonly<Record<string, string>> = {}) {
    this.#source = source;
    this.#variables = variables;
    try {
      this.#template = new Template(source);
    } catch (error) {
      throw new EngineError('model_invalid', `the chat template cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  /** Prompt ids up to where the assistant speaks. Throws EngineError `invalid_prompt` where the template refuses the messages. */
  encode(tokenizer: ModelTokenizer, messages: readonly (ChatMessage & { readonly trusted?: boolean })[]): number[] {
    if (messages.length === 0) throw new EngineError('invalid_prompt', 'a chat prompt needs at least one message, got none');
    const guard = unusedCharacter([this.#source, ...messages.map(({ content }) => content)]);
    const shown = messages.map(({ role, content, trusted }) => ({ role, content: trusted ? content : tokenizer.guard(content, guard) }));
    let text: string;
    try {
      text = this.#template.render({ ...this.#variables, messages: shown, add_generation_prompt: true });
    } catch (error) {
      throw new EngineError('invalid_prompt', `the model's chat template refuses these messages: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    return tokenizer.encodeGuarded(text, guard);
  }
}
