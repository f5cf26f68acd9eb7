// Owns showing a prompt as a model's template makes it, as text: through Pharos' template and a tokenizer whose tokens are bytes.
// Refuses to know which prompts are right.

import { Template } from '@huggingface/jinja';
import { ChatTemplate } from '../../src/engine/text/chat-template.ts';
import type { ChatMessage, ChatPrompt } from '../../src/engine/port.ts';
import { formatOf } from '../../src/engine/replies/format.ts';
import type { ReplyFormat, Thought } from '../../src/engine/replies/format.ts';
import { ModelTokenizer, tokenizerSchema } from '../../src/engine/text/tokenizer.ts';
import type { CaseMessage, CaseTool } from './llama/chat-cases.ts';

/** Every byte is a token, and each of `special` is one. */
function bytesTokenizer(special: readonly string[]): ModelTokenizer {
  const letters: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) letters.push(String.fromCodePoint((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : next++));
  return new ModelTokenizer(
    tokenizerSchema.parse({
      added_tokens: special.map((content, i) => ({ id: 256 + i, content, special: true, lstrip: false, rstrip: false, single_word: false, normalized: false })),
      normalizer: null,
      post_processor: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      model: { type: 'BPE', unk_token: null, vocab: Object.fromEntries(letters.map((letter, i) => [letter, i])), merges: [] },
    }),
  );
}
const BYTES = bytesTokenizer([]);

/** Marks of a template that a model's vocabulary usually has as special tokens. */
export const marksOf = (source: string): string[] => [...new Set(source.match(/<[|｜][^<>\s|｜'"]+[|｜]>|<\/?(?:tool_call|tool_response|think|tools)>|<(?:start|end)_of_turn>|\[\/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|ARGS|CALL_ID|THINK)\]|\]<\]minimax\[>\[/gu))];

export class Shower {
  readonly source: string;
  readonly format: ReplyFormat;
  readonly #template: ChatTemplate;
  readonly #marked: ModelTokenizer;

  /** Throws for a template that cannot be read. */
  constructor(source: string, variables: Readonly<Record<string, string>> = {}) {
    this.source = source;
    this.format = formatOf(source);
    this.#template = new ChatTemplate(source, variables);
    this.#marked = bytesTokenizer(marksOf(source));
  }
  /** The prompt's text, and how the reply may begin. Marks being special tokens or plain text must make no difference to it: what differs is thrown. */
  show(prompt: Omit<ChatPrompt, 'kind'>): { readonly text: string; readonly thought: Thought } {
    const of = (tokenizer: ModelTokenizer): { readonly text: string; readonly thought: Thought } => {
      const { ids, thought } = this.#template.encode(tokenizer, { kind: 'chat', ...prompt }, this.format);
      return { text: tokenizer.textOfAll(ids), thought };
    };
    const [plain, marked] = [of(BYTES), of(this.#marked)];
    if (plain.text !== marked.text) throw new Error(`the prompt is another when marks are special tokens: ${JSON.stringify(marked.text)} instead of ${JSON.stringify(plain.text)}`);
    return plain;
  }
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool']);
const isRole = (role: string): role is ChatMessage['role'] => ROLES.has(role);
/** Undefined where a message has a role that requests cannot have. */
export function promptMessages(messages: readonly Pick<CaseMessage, 'role' | 'content'>[]): ChatMessage[] | undefined {
  const made: ChatMessage[] = [];
  for (const message of messages) {
    const { role, content, reasoning = '', calls = [] } = message as Partial<CaseMessage> & Pick<CaseMessage, 'role' | 'content'>;
    if (!isRole(role)) return undefined;
    made.push({
      role,
      content,
      ...(reasoning === '' ? {} : { reasoning }),
      ...(calls.length === 0 ? {} : { toolCalls: calls.map((call, i) => ({ ...call, id: call.id === '' ? `call0000${i + 1}` : call.id })) }),
      ...(role === 'tool' ? { toolCallId: 'call00001' } : {}),
    });
  }
  return made;
}
export const promptTools = (tools: readonly CaseTool[]): { readonly tools?: readonly CaseTool[] } => (tools.length === 0 ? {} : { tools });

/** Does the template itself show what was thought, under whatever name? */
export function showsThoughts(source: string): boolean {
  const thought = { reasoning_content: 'zqthought', reasoning: 'zqthought', thinking: 'zqthought' };
  try {
    return new Template(source).render({ bos_token: '', eos_token: '', tools: [], thinking: true, enable_thinking: true, messages: [{ role: 'user', content: 'u' }, { role: 'assistant', content: 'a', ...thought }], add_generation_prompt: false }).includes('zqthought');
  } catch {
    return false;
  }
}
const LIMITS: readonly (readonly [failure: RegExp, template: RegExp, why: string])[] = [
  [/Object keys must be strings/, /\{\s*\d+:/, 'a limit of @huggingface/jinja: keys of objects in a template are texts'],
  [/Cannot call something that is not a function/, /'\.format\(/, 'a limit of @huggingface/jinja: texts have no method "format"'],
  [/Cannot perform operation \+ on undefined values/, /\+ functions\b/, 'the template wants variables (functions, datetime) that neither requests nor model folders have'],
];
/** Why a template fails for a reason that lies outside of Pharos: what it says, and what it writes that leads to it. */
export const limitOf = (failure: string, source: string): string | undefined => LIMITS.find(([says, writes]) => says.test(failure) && writes.test(source))?.[2];
