// Owns a model's chat template: messages and tools in, the prompt's token ids out, with untrusted text kept from posing as special tokens.
// Refuses to know sampling, how replies are read, and how the template got here.

import { createHash } from 'node:crypto';
import { Template } from '@huggingface/jinja';
import { EngineError } from '../port.ts';
import type { ChatMessage, ChatPrompt, Tool, ToolCall } from '../port.ts';
import type { ReplyFormat, Thought } from '../replies/format.ts';
import { formOf, FORMS } from '../replies/forms.ts';
import { answerTold, callsWritten, callTold, toolsTold } from '../replies/telling.ts';
import { habitsOf } from './template-habits.ts';
import type { Habits } from './template-habits.ts';
import { answeredWithin, merged, thoughtBeforeCalls, withinUsers, withParts, withSystem } from './template-messages.ts';
import type { Shown } from './template-messages.ts';
import { LongNumbers } from './template-numbers.ts';
import { repaired } from './template-repairs.ts';
import type { ModelTokenizer } from './tokenizer.ts';

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
const toolWire = ({ name, description, parameters }: Tool): object => ({
  type: 'function',
  function: { name, ...(description === undefined ? {} : { description }), parameters: parameters ?? { type: 'object', properties: {} } },
});

/** What FireFunction's template wants to know besides the messages: it names tools otherwise, and the day. */
const fireFunctions = (signatures: readonly unknown[]): object => ({ functions: JSON.stringify(signatures), datetime: new Date().toISOString().slice(0, 10) });
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
/** A tool whose parameters all have descriptions, be it empty ones. */
function described(tool: Tool): Tool {
  const { description = '', parameters } = tool;
  const properties = isObject(parameters) && isObject(parameters['properties']) ? parameters['properties'] : undefined;
  if (!isObject(parameters) || !properties) return { ...tool, description };
  const all = Object.entries(properties).map(([name, property]) => [name, isObject(property) ? { description: '', ...property } : property]);
  return { ...tool, description, parameters: { ...parameters, properties: Object.fromEntries(all) } };
}

/** How a message's texts are kept from posing as special tokens, and how JSON is read. */
interface Reading {
  readonly safe: (text: string) => string;
  readonly objectOf: (json: string) => object | undefined;
}

export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #source: string;
  /** Under which name messages say what was thought; undefined where the template leaves it out. */
  readonly #thoughts: string | undefined;
  /** Messages say it in parts of their content (Mistral). */
  readonly #parts: boolean;
  /** Ids of calls are nine letters or digits (Mistral). */
  readonly #shortIds: boolean;
  #habits: Habits | undefined;
  #controls: readonly string[] | undefined;

  /** `variables`: what templates may name besides the messages, such as `bos_token`. Throws EngineError `model_invalid` for a template that cannot be read. */
  constructor(source: string, variables: Readonly<Record<string, string>> = {}) {
    this.#source = source;
    this.#thoughts = ['reasoning_content', 'reasoning', 'thinking'].find((name) => new RegExp(`(?:message|msg|m)(?:\\.|\\[['"]|\\.get\\(['"])${name}\\b|['"]${name}['"] in `).test(source));
    this.#parts = this.#thoughts === undefined && /\[['"]type['"]\]\s*==\s*['"]thinking['"]/.test(source);
    this.#shortIds = /length\s*!=\s*9\b/.test(source);
    this.#variables = variables;
    try {
      this.#template = new Template(repaired(source));
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
    const texts = [this.#source, JSON.stringify([messages, tools])];
    const [guard, end] = unusedCharacters(texts);
    const numbers = new LongNumbers(texts.join());
    const objectOf = (json: string): object | undefined => numbers.objectOf(json);
    const controls = (this.#controls ??= tokenizer.controlsIn(this.#source));
    const safe = (text: string): string => tokenizer.guard(text, guard, controls);
    const signatures = tools.map((tool) => mapTexts(toolWire(tool), safe));
    const spoken = messages.map((message, i) => this.#shown(message, { safe: message.trusted ? (text) => text : safe, objectOf }, continues && i === messages.length - 1 ? end : '', format));
    const shown = format.calls === 'generic' ? merged(spoken) : spoken.some(({ role }) => role === 'tool') && this.#habit().responsesWithin ? answeredWithin(spoken, objectOf) : spoken;
    const variables = {
      ...this.#variables,
      ...(thinking === undefined ? {} : { enable_thinking: thinking, thinking }),
      ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
      ...(format.calls === 'firefunction' ? fireFunctions(signatures) : {}),
      add_generation_prompt: !continues,
    };
    /** `told`: Pharos itself tells of the tools, and not the template. */
    const written = (told: boolean): string => {
      const placed = told ? withSystem(shown, toolsTold(format.calls, signatures.map((each) => JSON.stringify(each)))) : shown;
      const fitting = placed.every(({ role }) => role !== 'system') || this.#habit().system ? placed : withinUsers(placed);
      return told || tools.length === 0
        ? this.#rendered(fitting, variables, [])
        : this.#rendered(fitting, { ...variables, tools: signatures }, tools.map((tool) => mapTexts(toolWire(described(tool)), safe)));
    };
    let text = tools.length > 0 && this.#tells(format) ? this.#either(written) : written(tools.length > 0);
    text = numbers.restored(text);
    if (continues) {
      const at = text.lastIndexOf(end);
      if (at < 0) throw new EngineError('invalid_prompt', "the model's chat template leaves the last message out, so that it cannot be gone on with");
      text = text.slice(0, at);
    }
    return { ids: tokenizer.encodeGuarded(text, guard, controls), thought: thoughtOf(text.replaceAll(guard, ''), format, prompt, this.#showsThoughts) };
  }
  /** Templates that fail at the tools are not asked to tell of them. */
  #either(written: (told: boolean) => string): string {
    try {
      return written(false);
    } catch (error) {
      try {
        return written(true);
      } catch {
        throw error;
      }
    }
  }
  get #showsThoughts(): boolean {
    return this.#thoughts !== undefined || this.#parts;
  }
  /** Templates of DeepSeek show calls and never tell of tools; those without calls that are read here are not asked to. */
  #tells({ calls }: ReplyFormat): boolean {
    return calls === 'firefunction' || (calls !== 'generic' && /\btools\b/.test(this.#source));
  }

  /** `tools`: what is tried where the template fails at the tools as they are: some count them without asking whether there are any, some join descriptions without asking whether there is one. */
  #rendered(messages: readonly Shown[], variables: Readonly<Record<string, unknown>>, tools: readonly unknown[]): string {
    const failures: unknown[] = [];
    for (const given of [variables, { ...variables, tools }]) {
      try {
        return this.#template.render({ ...given, messages: messages.map(withParts) });
      } catch (error) {
        failures.push(error);
      }
    }
    const [error] = failures;
    throw new EngineError('invalid_prompt', `the model's chat template refuses these messages: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }

  #shown(message: ChatMessage, reading: Reading, end: string, format: ReplyFormat): Shown {
    const { safe } = reading;
    const { role, content, reasoning, toolCalls = [], toolCallId, name } = format.calls === 'harmony' ? thoughtBeforeCalls(message) : message;
    const within = end !== '' && endsInThought(message) && this.#showsThoughts;
    const said = safe(content) + (within ? '' : end);
    const thought = reasoning === undefined || this.#thoughts === undefined ? {} : { [this.#thoughts]: safe(reasoning) + (within ? end : '') };
    if (format.calls === 'generic') {
      if (role === 'tool') return { role: 'user', content: answerTold(said), answers: true };
      const calls = toolCalls.map((call) => callTold(safe(JSON.stringify(call.name)), safe(call.arguments)));
      return { role, content: [...(said === '' ? [] : [said]), ...calls].join('\n'), ...thought };
    }
    if (toolCalls.length > 0 && !this.#habit().calls) {
      const calls = callsWritten(format.calls, toolCalls.map((call) => ({ name: safe(call.name), arguments: safe(call.arguments) })));
      if (calls !== undefined) return { role, content: said + calls, ...thought };
    }
    const parts = this.#parts && reasoning !== undefined && reasoning !== '' ? [{ type: 'thinking', thinking: safe(reasoning) + (within ? end : '') }, ...(said === '' ? [] : [{ type: 'text', text: said }])] : undefined;
    return {
      role,
      content: said === '' && toolCalls.length > 0 && this.#habit().nullContent ? null : said,
      ...(parts ? { parts } : {}),
      ...thought,
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map((call) => this.#call(call, reading)) } : {}),
      ...(toolCallId === undefined ? {} : { tool_call_id: safe(this.#id(toolCallId)) }),
      ...(name === undefined ? {} : { name: safe(name) }),
    };
  }
  #call({ id, name, arguments: args }: ToolCall, { safe, objectOf }: Reading): object {
    const given = this.#habit().argumentsAsText ? undefined : objectOf(args);
    return { id: safe(this.#id(id)), type: 'function', function: { name: safe(name), arguments: given === undefined ? safe(args) : mapTexts(given, safe) } };
  }

  #id(id: string): string {
    return this.#shortIds && !/^[A-Za-z0-9]{9}$/.test(id) ? createHash('sha256').update(id).digest('hex').slice(0, 9) : id;
  }
  #habit(): Habits {
    return (this.#habits ??= habitsOf((messages) => this.#template.render({ ...this.#variables, ...(FORMS.firefunction.shown(this.#source) ? fireFunctions([]) : {}), messages, add_generation_prompt: true })));
  }
}

/** A message that has thought and not spoken is gone on with in its thought. */
const endsInThought = ({ content, reasoning }: ChatMessage): boolean => content === '' && reasoning !== undefined && reasoning !== '';

/** Of a text that is gone on with, its own marks count. */
function thoughtOf(text: string, { calls, thinking }: ReplyFormat, prompt: ChatPrompt, shows: boolean): Thought {
  if (!thinking) return 'none';
  const last = prompt.messages.at(-1);
  const { open, close } = thinking;
  if (prompt.continues && last) {
    if (endsInThought(last)) return shows ? 'open' : 'none';
    const own = last.content;
    return own.lastIndexOf(open) > own.lastIndexOf(close) ? 'open' : 'none';
  }
  if (text.trimEnd().endsWith(open)) return 'open';
  const { answer } = formOf(calls) ?? {};
  if (answer !== undefined && text.endsWith(typeof answer === 'string' ? answer : answer.join(''))) return 'none';
  return prompt.thinking === false || text.trimEnd().endsWith(close) ? 'none' : 'free';
}
