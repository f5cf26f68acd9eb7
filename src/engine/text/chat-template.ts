// Owns a model's chat template: messages and tools in, the prompt's token ids out, with untrusted text kept from posing as special tokens.
// Refuses to know sampling, how replies are read, and how the template got here.

import { Template } from '@huggingface/jinja';
import { EngineError } from '../port.ts';
import type { ChatMessage, ChatPrompt, Tool, ToolCall } from '../port.ts';
import type { ReplyFormat, Thought } from '../replies/format.ts';
import { answerTold, callTold, toolsTold } from '../replies/telling.ts';
import type { ModelTokenizer } from './tokenizer.ts';

/** A message as templates read it. */
interface Shown {
  readonly role: string;
  readonly content: string | null;
  readonly [field: string]: unknown;
}
/** What a template takes where templates differ. */
interface Habits {
  /** Arguments of calls as JSON text rather than as an object. */
  readonly argumentsAsText: boolean;
  /** Content of a message that only calls is null rather than empty. */
  readonly nullContent: boolean;
  /** System messages are shown; templates without them refuse them, or leave them out without a word. */
  readonly system: boolean;
}
export interface EncodedPrompt {
  readonly ids: number[];
  /** How the reply may begin. */
  readonly thought: Thought;
}

/** First characters of Unicode's private use area that none of the texts hold. */
function unusedCharacters(texts: readonly string[]): readonly [guard: string, end: string] {
  const all = texts.join('');
  const found: string[] = [];
  for (let point = 0xe000; point <= 0xf8ff && found.length < 2; point++) {
    const character = String.fromCharCode(point);
    if (!all.includes(character)) found.push(character);
  }
  if (found.length < 2) throw new EngineError('invalid_prompt', 'the messages use every private-use character (U+E000 to U+F8FF); leave at least two out');
  return [found[0], found[1]];
}

const MOST_DEPTH = 256;
/** The same value with each text in it, keys too, made by `change`. */
function mapTexts(value: unknown, change: (text: string) => string, depth = 0): unknown {
  if (depth > MOST_DEPTH) throw new EngineError('invalid_prompt', `tools and arguments of calls may be nested ${MOST_DEPTH} deep; these are nested deeper`);
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapTexts(item, change, depth + 1)]));
  return value;
}
function objectOf(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
const toolWire = ({ name, description, parameters }: Tool): object => ({
  type: 'function',
  function: { name, ...(description === undefined ? {} : { description }), parameters: parameters ?? { type: 'object', properties: {} } },
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
/** A tool whose parameters all have descriptions, be it empty ones. */
function described(tool: Tool): Tool {
  const { description = '', parameters } = tool;
  const properties = isObject(parameters) && isObject(parameters['properties']) ? parameters['properties'] : undefined;
  if (!isObject(parameters) || !properties) return { ...tool, description };
  const all = Object.entries(properties).map(([name, property]) => [name, isObject(property) ? { description: '', ...property } : property]);
  return { ...tool, description, parameters: { ...parameters, properties: Object.fromEntries(all) } };
}

export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #source: string;
  /** Under which name messages say what was thought; undefined where the template leaves it out. */
  readonly #thoughts: string | undefined;
  #habits: Habits | undefined;
  #controls: readonly string[] | undefined;

  /** `variables`: what templates may name besides the messages, such as `bos_token`. Throws EngineError `model_invalid` for a template that cannot be read. */
  constructor(source: string, variables: Readonly<Record<string, string>> = {}) {
    this.#source = source;
    this.#thoughts = ['reasoning_content', 'reasoning', 'thinking'].find((name) => new RegExp(`(?:message|msg|m)(?:\\.|\\[['"]|\\.get\\(['"])${name}\\b|['"]${name}['"] in `).test(source));
    this.#variables = variables;
    try {
      this.#template = new Template(source);
    } catch (error) {
      throw new EngineError('model_invalid', `the chat template cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  get source(): string {
    return this.#source;
  }

  /** Prompt ids up to where the assistant speaks, or goes on. `format`: how the model's replies are written. Throws EngineError `invalid_prompt` where the template refuses the messages. */
  encode(tokenizer: ModelTokenizer, prompt: ChatPrompt, format: ReplyFormat): EncodedPrompt {
    const { messages, thinking, reasoningEffort, continues = false } = prompt;
    const last = messages.at(-1);
    if (!last) throw new EngineError('invalid_prompt', 'a chat prompt needs at least one message, got none');
    if (continues && last.role !== 'assistant') throw new EngineError('invalid_prompt', `the last message is to be gone on with, and it is one of ${last.role}; it must be one of assistant`);
    const tools = prompt.toolChoice === 'none' ? [] : (prompt.tools ?? []);
    const [guard, end] = unusedCharacters([this.#source, JSON.stringify([messages, tools])]);
    const controls = (this.#controls ??= tokenizer.controlsIn(this.#source));
    const safe = (text: string): string => tokenizer.guard(text, guard, controls);
    const signatures = tools.map((tool) => mapTexts(toolWire(tool), safe));
    const told = tools.length > 0 && !this.#tells(format);
    const spoken = messages.map((message, i) => this.#shown(message, message.trusted ? (text) => text : safe, continues && i === messages.length - 1 ? end : '', format));
    const shown = format.calls === 'generic' ? merged(spoken) : spoken;
    const variables = {
      ...this.#variables,
      ...(signatures.length > 0 && !told ? { tools: signatures } : {}),
      ...(thinking === undefined ? {} : { enable_thinking: thinking, thinking }),
      ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
      add_generation_prompt: !continues,
    };
    const system = told ? toolsTold(format.calls, signatures.map((each) => JSON.stringify(each))) : undefined;
    const placed = system === undefined ? shown : withSystem(shown, system);
    const fitting = placed.every(({ role }) => role !== 'system') || this.#habit().system ? placed : withinUsers(placed);
    let text = this.#rendered(fitting, variables, 'tools' in variables ? tools.map((tool) => mapTexts(toolWire(described(tool)), safe)) : []);
    if (continues) {
      const at = text.lastIndexOf(end);
      if (at < 0) throw new EngineError('invalid_prompt', "the model's chat template leaves the last message out, so that it cannot be gone on with");
      text = text.slice(0, at);
    }
    return { ids: tokenizer.encodeGuarded(text, guard, controls), thought: thoughtOf(text.replaceAll(guard, ''), format, prompt) };
  }
  /** Templates of DeepSeek show calls and never tell of tools; those without calls that are read here are not asked to. */
  #tells({ calls }: ReplyFormat): boolean {
    return calls !== 'generic' && /\btools\b/.test(this.#source);
  }

  /** `tools`: what is tried where the template fails at the tools as they are: some count them without asking whether there are any, some join descriptions without asking whether there is one. */
  #rendered(messages: readonly Shown[], variables: Readonly<Record<string, unknown>>, tools: readonly unknown[]): string {
    const failures: unknown[] = [];
    for (const given of [variables, { ...variables, tools }]) {
      try {
        return this.#template.render({ ...given, messages });
      } catch (error) {
        failures.push(error);
      }
    }
    const [error] = failures;
    throw new EngineError('invalid_prompt', `the model's chat template refuses these messages: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }

  #shown(message: ChatMessage, safe: (text: string) => string, end: string, format: ReplyFormat): Shown {
    const { role, content, reasoning, toolCalls = [], toolCallId, name } = format.calls === 'harmony' ? thoughtBeforeCalls(message) : message;
    const within = end !== '' && endsInThought(message) && this.#thoughts !== undefined;
    const said = safe(content) + (within ? '' : end);
    const thought = reasoning === undefined || this.#thoughts === undefined ? {} : { [this.#thoughts]: safe(reasoning) + (within ? end : '') };
    if (format.calls === 'generic') {
      if (role === 'tool') return { role: 'user', content: answerTold(said), answers: true };
      const calls = toolCalls.map((call) => callTold(safe(JSON.stringify(call.name)), safe(call.arguments)));
      return { role, content: [...(said === '' ? [] : [said]), ...calls].join('\n'), ...thought };
    }
    return {
      role,
      content: said === '' && toolCalls.length > 0 && this.#habit().nullContent ? null : said,
      ...thought,
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map((call) => this.#call(call, safe)) } : {}),
      ...(toolCallId === undefined ? {} : { tool_call_id: safe(toolCallId) }),
      ...(name === undefined ? {} : { name: safe(name) }),
    };
  }
  #call({ id, name, arguments: args }: ToolCall, safe: (text: string) => string): object {
    const given = this.#habit().argumentsAsText ? undefined : objectOf(args);
    return { id: safe(id), type: 'function', function: { name: safe(name), arguments: given === undefined ? safe(args) : mapTexts(given, safe) } };
  }

  /** Found by showing the template a call in each of the ways, and a system message. */
  #habit(): Habits {
    if (this.#habits) return this.#habits;
    const tried = (messages: readonly object[]): string => {
      try {
        return this.#template.render({ ...this.#variables, messages, add_generation_prompt: true });
      } catch {
        return '';
      }
    };
    const shows = (args: unknown, content: string | null): boolean => {
      const call = { id: 'call00001', type: 'function', function: { name: 'probe', arguments: args } };
      const text = tried([{ role: 'user', content: 'u' }, { role: 'assistant', content, tool_calls: [call] }, { role: 'tool', content: 'r', tool_call_id: 'call00001', name: 'probe' }]);
      // An object may be shown in the model's own way: its key before its value, and not as Python prints it.
      return (typeof args === 'string' ? /"probed":\s*"zq"/ : /\bprobed\b(?!': )[^]*\bzq\b/).test(text) && !/\b(?:null|None)\b/.test(text);
    };
    const [object, text] = [{ probed: 'zq' }, '{"probed": "zq"}'];
    const argumentsAsText = !shows(object, '') && !shows(object, null) && (shows(text, '') || shows(text, null));
    const system = tried([{ role: 'system', content: 'zqsystem' }, { role: 'user', content: 'u' }]).includes('zqsystem');
    return (this.#habits = { argumentsAsText, nullContent: shows(argumentsAsText ? text : object, null), system });
  }
}

/** Neighbouring messages of a user, of which one is a call's answer, as one: many templates want users and assistants to take turns. */
function merged(messages: readonly Shown[]): Shown[] {
  const all: Shown[] = [];
  for (const { answers, ...message } of messages) {
    const last = all.at(-1);
    if (last?.role === 'user' && message.role === 'user' && (answers === true || last['answers'] === true)) all[all.length - 1] = { ...last, content: `${last.content}\n${message.content}`, answers };
    else all.push({ ...message, ...(answers === true ? { answers } : {}) });
  }
  return all;
}
/** Behind what the client's own system message says, or in a message of its own. */
function withSystem(messages: readonly Shown[], told: string): Shown[] {
  const [first, ...rest] = messages;
  if (first.role !== 'system') return [{ role: 'system', content: told }, ...messages];
  return [{ ...first, content: `${first.content}\n\n${told}` }, ...rest];
}
/** System messages in front of what the user says next; one that no user follows stays, and the template says what it thinks of it. */
function withinUsers(messages: readonly Shown[]): Shown[] {
  const all: Shown[] = [];
  let held: Shown[] = [];
  for (const message of messages) {
    if (message.role === 'system') held.push(message);
    else if (message.role === 'user' && held.length > 0) {
      all.push({ ...message, content: [...held, message].map(({ content }) => content).join('\n') });
      held = [];
    } else all.push(message);
  }
  return [...all, ...held];
}

/** Templates of gpt-oss refuse a thought and a text before calls side by side, and show either as thought. */
function thoughtBeforeCalls(message: ChatMessage): ChatMessage {
  const { content, reasoning = '', toolCalls = [] } = message;
  return toolCalls.length === 0 || content === '' || reasoning === '' ? message : { ...message, content: '', reasoning: `${reasoning}\n\n${content}` };
}

/** A message that has thought and not spoken is gone on with in its thought. */
const endsInThought = ({ content, reasoning }: ChatMessage): boolean => content === '' && reasoning !== undefined && reasoning !== '';

/** Of a text that is gone on with, its own marks count. */
function thoughtOf(text: string, { thinking }: ReplyFormat, prompt: ChatPrompt): Thought {
  if (!thinking) return 'none';
  const last = prompt.messages.at(-1);
  const { open, close } = thinking;
  if (prompt.continues && last) {
    const own = endsInThought(last) ? text : last.content;
    return own.lastIndexOf(open) > own.lastIndexOf(close) ? 'open' : 'none';
  }
  if (text.trimEnd().endsWith(open)) return 'open';
  return prompt.thinking === false || text.trimEnd().endsWith(close) ? 'none' : 'free';
}
