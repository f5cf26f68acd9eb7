// Owns the cases of llama.cpp's tests/test-chat.cpp: a template, what is asked, a reply as the model writes it, and what is to be read from it.
// Refuses to know how Pharos reads replies.

import { CppReader, evaluate, listOf, textOf, tokensOf, Unreadable } from './cpp.ts';
import type { Scope, Token, Value } from './cpp.ts';

export interface CaseCall {
  readonly name: string;
  readonly arguments: string;
  readonly id: string;
}
export interface CaseMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning: string;
  readonly calls: readonly CaseCall[];
}
export interface CaseTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: unknown;
}
export interface ReplyCase {
  readonly line: number;
  readonly template: string;
  readonly reply: string;
  readonly tools: readonly CaseTool[];
  readonly messages: readonly CaseMessage[];
  readonly thinking: boolean;
  readonly parallel: boolean;
  /** Thoughts are told apart from what is said. */
  readonly separates: boolean;
  readonly partial: boolean;
  /** The expected message, shown by the template, is the prompt and the reply again. */
  readonly reconstructs: boolean;
  readonly continues: 'no' | 'content' | 'reasoning';
  /** Settings that stand for something else: a schema, a choice of tools. */
  readonly others: readonly string[];
  readonly expected: CaseMessage;
}
export interface GenerationPrompt {
  readonly line: number;
  readonly template: string;
  readonly continues: ReplyCase['continues'];
  /** The prompt ends so. */
  readonly ending: string;
}
export interface ChatCases {
  readonly replies: readonly ReplyCase[];
  readonly prompts: readonly GenerationPrompt[];
  /** Lines of cases that the program computes, and why. */
  readonly unread: readonly { readonly line: number; readonly why: string }[];
}

const EMPTY: CaseMessage = { role: 'assistant', content: '', reasoning: '', calls: [] };
const isObject = (value: Value | undefined): value is { readonly [field: string]: Value } => typeof value === 'object' && !Array.isArray(value);
/** `{}` stands for an empty text, too. */
const textOrNone = (value: Value): string => (Array.isArray(value) && value.length === 0 ? '' : textOf(value));
const callOf = (value: Value): CaseCall => {
  const [name, args = '', id = ''] = listOf(value);
  return { name: textOf(name), arguments: textOrNone(args), id: textOrNone(id) };
};
function messageOf(value: Value | undefined): CaseMessage {
  if (isObject(value)) return { role: textOf(value['role']), content: textOf(value['content']), reasoning: textOf(value['reasoning']), calls: listOf(value['calls']).map(callOf) };
  // Fields in the order in which the struct declares them.
  const [role, content = '', parts = [], calls = [], reasoning = ''] = listOf(value);
  if (listOf(parts).length > 0) throw new Unreadable('a message of several parts');
  return { role: textOf(role), content: textOf(content), reasoning: textOf(reasoning), calls: listOf(calls).map(callOf) };
}
function toolOf(value: Value): CaseTool {
  const [name, description, parameters] = listOf(value);
  return { name: textOf(name), description: textOf(description), parameters: JSON.parse(textOf(parameters)) as unknown };
}

/** What the helpers of the file do with their arguments. */
const message = (content: Value, reasoning: Value = '', calls: readonly Value[] = []): Value => ({ role: 'assistant', content, reasoning, calls });
const FUNCTIONS = new Map<string, (args: readonly Value[]) => Value>([
  ['simple_assist_msg', ([content, reasoning = '', name = '', args = '', id = '']) => message(content, reasoning, name === '' && id === '' ? [] : [[name, args, id]])],
  ['message_with_tool_calls', ([name, args]) => message('', '', [[name, args]])],
  ['message_with_tool_calls_and_reasoning', ([name, args, reasoning]) => message('', reasoning, [[name, args]])],
  ['message_with_reasoning_and_tool_call', ([reasoning, name, args]) => message('', reasoning, [[name, args]])],
  ['message_with_content_and_tool_call', ([content, name, args]) => message(content, '', [[name, args]])],
  ['message_with_reasoning_content_and_multiple_tool_calls', ([reasoning, content, calls]) => message(content, reasoning, listOf(calls))],
  ['std::string', ([text]) => text],
]);
const BRACED = new Set(['common_chat_msg', 'common_chat_tool', 'common_chat_tool_call']);

class Program {
  readonly #tokens: readonly Token[];
  readonly #names = new Map<string, Value>();
  readonly #scope: Scope = { names: this.#names, functions: FUNCTIONS };
  /** Templates that a name stands for. */
  readonly #testers = new Map<string, readonly string[]>();
  readonly replies: ReplyCase[] = [];
  readonly prompts: GenerationPrompt[] = [];
  readonly unread: { line: number; why: string }[] = [];

  constructor(source: string) {
    this.#tokens = tokensOf(source);
  }
  /** From the first line to the last; a name means what was last put into it. */
  run(): void {
    const reader = new CppReader(this.#tokens);
    while (reader.at < this.#tokens.length) {
      const { at } = reader;
      const token = this.#tokens[at];
      if (token.kind !== 'word') reader.at++;
      else if (this.#testers.has(token.value) && reader.is('.', 1) && reader.is('test', 2)) this.#case(reader);
      else if (token.value === 'check' && reader.is('(', 1)) this.#prompt(reader);
      else if (token.value === 'for' && reader.is('(', 1)) this.#loop(reader);
      else this.#declaration(reader);
      if (reader.at === at) reader.at++;
    }
  }
  #value(reader: CppReader): Value {
    return evaluate(reader.expression(), this.#scope);
  }
  /** `for (const auto & NAME : { ... })`: the name stands for all of them. */
  #loop(reader: CppReader): void {
    const { at } = reader;
    let name = '';
    for (reader.at += 2; !reader.is(':') && !reader.is(')') && !reader.is(';'); reader.at++) if (this.#tokens[reader.at].kind === 'word') name = this.#tokens[reader.at].value;
    try {
      if (!reader.accept(':')) throw new Unreadable('a loop over numbers');
      this.#names.set(name, this.#value(reader));
    } catch {
      this.#names.delete(name);
      reader.at = at + 2;
    }
  }
  #declaration(reader: CppReader): void {
    const { at } = reader;
    const name = this.#tokens[at].value;
    // A field that is set makes of the value something else than what was declared.
    if (reader.is('.', 1) && reader.is('=', 3) && !reader.is('=', 4)) {
      this.#names.delete(name);
      return;
    }
    const type = this.#tokens[at - 1];
    const assigned = reader.is('=', 1) && !reader.is('=', 2);
    const braced = reader.is('{', 1) && type !== undefined && (BRACED.has(type.value) || (type.value === '>' && BRACED.has(this.#tokens[at - 2].value)));
    if (!assigned && !braced) return;
    reader.at = at + (assigned ? 2 : 1);
    try {
      if (assigned && (reader.is('peg_tester') || reader.is('read_templates'))) {
        reader.at++;
        reader.expect('(');
        const path = this.#value(reader);
        this.#testers.set(name, typeof path === 'string' ? [path] : listOf(path).map(textOf));
      } else this.#names.set(name, this.#value(reader));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#names.delete(name);
      this.#testers.delete(name);
      reader.at = at + 1;
    }
  }

  /** `NAME.test(reply).setting(value)...run()` */
  #case(reader: CppReader): void {
    const { value: tester, line } = this.#tokens[reader.at];
    const start = reader.at;
    reader.at += 3;
    try {
      reader.expect('(');
      const [reply] = reader.list(')').map((each) => evaluate(each, this.#scope));
      const settings = new Map<string, Value | undefined>();
      while (reader.accept('.')) {
        const name = this.#tokens[reader.at++].value;
        reader.expect('(');
        settings.set(name, reader.list(')').map((each) => evaluate(each, this.#scope))[0]);
      }
      for (const template of this.#testers.get(tester) ?? []) this.replies.push(caseOf(line, template, textOf(reply), settings));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.unread.push({ line, why: error.message });
      reader.at = start + 3;
    }
  }
  /** `check(TEMPLATES, kind(), ending)` */
  #prompt(reader: CppReader): void {
    const { line } = this.#tokens[reader.at];
    const tester = this.#tokens[reader.at + 2]?.value ?? '';
    if (!this.#testers.has(tester)) return;
    reader.at += 3;
    try {
      reader.expect(',');
      const kind = this.#tokens[reader.at++].value;
      if (!reader.accept('(')) throw new Unreadable(`${kind} is computed by the program`);
      reader.expect(')');
      reader.expect(',');
      const ending = textOf(this.#value(reader));
      const continues = kind === 'continuation_content' ? 'content' : kind === 'continuation_reasoning' ? 'reasoning' : 'no';
      for (const template of this.#testers.get(tester) ?? []) this.prompts.push({ line, template, continues, ending });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.unread.push({ line, why: error.message });
    }
  }
}

const UNDERSTOOD = new Set(['tools', 'messages', 'enable_thinking', 'parallel_tool_calls', 'reasoning_format', 'is_partial', 'expect_reconstruction', 'continue_final_message', 'expect', 'expect_content', 'expect_reasoning', 'expect_tool_calls', 'add_generation_prompt', 'run']);
function caseOf(line: number, template: string, reply: string, settings: ReadonlyMap<string, Value | undefined>): ReplyCase {
  const text = (name: string, otherwise: string): string => (settings.has(name) ? textOf(settings.get(name)) : otherwise);
  const flag = (name: string, otherwise: boolean): boolean => (settings.has(name) ? settings.get(name) !== false : otherwise);
  const whole = settings.has('expect') ? messageOf(settings.get('expect')) : EMPTY;
  const continued = settings.get('continue_final_message');
  return {
    line,
    template,
    reply,
    tools: listOf(settings.get('tools') ?? []).map(toolOf),
    messages: listOf(settings.get('messages') ?? [['user', 'Hey there!']]).map(messageOf),
    thinking: flag('enable_thinking', true),
    parallel: flag('parallel_tool_calls', false),
    separates: !['', 'COMMON_REASONING_FORMAT_NONE'].includes(text('reasoning_format', '')),
    partial: flag('is_partial', false),
    reconstructs: flag('expect_reconstruction', false),
    continues: continued === 'COMMON_CHAT_CONTINUATION_CONTENT' ? 'content' : continued === 'COMMON_CHAT_CONTINUATION_REASONING' ? 'reasoning' : 'no',
    others: [...settings.keys()].filter((name) => !UNDERSTOOD.has(name)),
    expected: {
      role: whole.role,
      content: text('expect_content', whole.content),
      reasoning: text('expect_reasoning', whole.reasoning),
      calls: settings.has('expect_tool_calls') ? listOf(settings.get('expect_tool_calls')).map(callOf) : whole.calls,
    },
  };
}

export function chatCases(source: string): ChatCases {
  const program = new Program(source);
  program.run();
  return program;
}
