// Owns examples to token sequences: the prompt of each reply exactly as the engine builds it, the reply as the model has to write it, and which tokens are learned.
// Refuses to know files, packing and threads.

import type { ChatPrompt } from '../../engine/port.ts';
import type { ReplyFormat } from '../../engine/replies/format.ts';
import { ChatTemplate } from '../../engine/text/chat-template.ts';
import { ModelTokenizer } from '../../engine/text/tokenizer.ts';
import type { Sequence } from '../batch.ts';
import type { Example, ExampleMessage } from './example.ts';
import type { ModelText } from './model-text.ts';

type Conversation = Omit<ChatPrompt, 'kind'>;
/** A prompt as text, with the guards in it that keep its texts from posing as special tokens. */
interface Written {
  readonly text: string;
  readonly guard: string;
  readonly controls: readonly string[];
}
/** Keeps the text of a prompt instead of cutting it into tokens: where a reply begins and ends is seen in the text alone. */
class PromptWriter extends ModelTokenizer {
  #last: Written = { text: '', guard: '', controls: [] };

  override encodeGuarded(text: string, guard: string, controls: readonly string[] = []): number[] {
    this.#last = { text, guard, controls };
    return [];
  }
  written(template: ChatTemplate, prompt: Conversation, format: ReplyFormat): Written {
    template.encode(this, { kind: 'chat', ...prompt }, format);
    return this.#last;
  }
  idsOf(text: string, { guard, controls }: Written): number[] {
    return super.encodeGuarded(text, guard, controls);
  }
}
/** A text under way: its tokens, and what it says up to here. */
interface Draft {
  readonly tokens: number[];
  readonly learned: boolean[];
  text: string;
}

export class Renderer {
  readonly #writer: PromptWriter;
  readonly #template: ChatTemplate | undefined;
  readonly #format: ReplyFormat;
  readonly #endToken: number;
  readonly #endTexts: readonly string[];
  readonly #id: string;

  constructor({ id, tokenizer, tokenizerConfig, chatTemplate, namedTokens, replies, endTokens }: ModelText) {
    this.#id = id;
    this.#writer = new PromptWriter(tokenizer, tokenizerConfig);
    this.#template = chatTemplate === undefined ? undefined : new ChatTemplate(chatTemplate, namedTokens);
    this.#format = replies;
    this.#endToken = endTokens[0];
    this.#endTexts = endTokens.map((token) => this.#writer.textOf(token)).filter((text) => text !== '');
  }

  /**
   * The sequences that teach an example. A conversation is one sequence where the template shows each later prompt as the earlier one, its reply and what follows; where it does not (templates that drop
   * what was thought in earlier turns), the replies that differ get sequences of their own. Throws EngineError `invalid_prompt` where the template refuses the messages, TypeError for a model without one.
   */
  sequences(example: Example): Sequence[] {
    if (example.kind === 'completion') return [this.#completion(example.prompt, example.completion)];
    const drafts: Draft[] = [];
    for (const [i, message] of example.messages.entries()) {
      // What the assistant says before anything else answers no prompt.
      if (!message.learned || i === 0) continue;
      const prompt = this.#written({ messages: example.messages.slice(0, i), tools: example.tools });
      const reply = this.#reply(example, i, prompt);
      const last = drafts.at(-1);
      const draft = last && prompt.text.startsWith(last.text) ? last : { tokens: [], learned: [], text: '' };
      if (draft !== last) drafts.push(draft);
      this.#add(draft, prompt.text.slice(draft.text.length), prompt, false);
      this.#add(draft, reply, prompt, true);
    }
    return drafts.map(({ tokens, learned }) => ({ tokens, learned }));
  }

  #written(prompt: Conversation): Written {
    if (!this.#template)
      throw new TypeError(`model ${this.#id} has no chat template, so it learns from {"prompt", "completion"} alone; this line has messages`);
    return this.#writer.written(this.#template, prompt, this.#format);
  }
  #add(draft: Draft, text: string, written: Written, learned: boolean): void {
    for (const id of this.#writer.idsOf(text, written)) {
      draft.tokens.push(id);
      draft.learned.push(learned);
    }
    draft.text += text;
  }
  /** What the model has to write after the prompt, to its end token. */
  #reply({ messages, tools }: Extract<Example, { kind: 'chat' }>, at: number, prompt: Written): string {
    const message = messages[at];
    const shown = this.#written({ messages: messages.slice(0, at + 1), tools });
    if (!shown.text.startsWith(prompt.text)) return this.#spoken(message, prompt);
    const rest = shown.text.slice(prompt.text.length);
    const ends = this.#endTexts.flatMap((text) => (rest.includes(text) ? [rest.indexOf(text) + text.length] : []));
    if (ends.length > 0) return rest.slice(0, Math.min(...ends));
    // The template ends no turn of its own: the model has to learn to stop all the same.
    if (message.toolCalls?.length)
      throw new TypeError(
        `messages.${at}.tool_calls: the chat template of model ${this.#id} ends replies that call with no end token, so that they cannot be learnt`,
      );
    const upTo = this.#written({ messages: messages.slice(0, at + 1), tools, continues: true });
    return upTo.text.slice(prompt.text.length) + this.#writer.textOf(this.#endToken);
  }
  /** A reply that the template shows otherwise than the model writes it: the prompt has opened a thought, and the template shows none of those that were. */
  #spoken({ content, reasoning = '', toolCalls = [] }: ExampleMessage, { text, guard, controls }: Written): string {
    const { thinking } = this.#format;
    if (toolCalls.length > 0 || !thinking || !text.trimEnd().endsWith(thinking.open))
      throw new TypeError(`the chat template of model ${this.#id} shows this reply otherwise than behind its prompt, so that it cannot be learnt`);
    const safe = (said: string): string => this.#writer.guard(said, guard, controls);
    return `${safe(reasoning)}\n${thinking.close}\n\n${safe(content)}${this.#writer.textOf(this.#endToken)}`;
  }
  #completion(prompt: string, completion: string): Sequence {
    const before = this.#writer.encodeTrusted(prompt);
    const after = [...this.#writer.encodePlain(completion), this.#endToken];
    return { tokens: [...before, ...after], learned: [...before.map(() => false), ...after.map(() => true)] };
  }
}
