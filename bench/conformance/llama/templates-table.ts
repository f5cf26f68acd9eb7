// Owns the table of llama.cpp's tests/test-chat-template.cpp: templates, one conversation, and the prompts that they make of it; and the conversations that the program shows to any template.
// Refuses to know how Pharos shows messages.

import { CppReader, evaluate, listOf, textOf, tokensOf } from './cpp.ts';
import type { Value } from './cpp.ts';

export interface Spoken {
  readonly role: string;
  readonly content: string;
}
export interface TemplateCase {
  readonly line: number;
  readonly name: string;
  readonly template: string;
  /** What a Jinja engine is to give. */
  readonly expected: string;
  readonly variables: { readonly bos_token: string; readonly eos_token: string };
  /** llama.cpp itself does not show it through Jinja. */
  readonly supported: boolean;
  readonly conversation: readonly Spoken[];
}

const NOTHING = { names: new Map<string, Value>(), functions: new Map([['U8C', ([text]: readonly Value[]): Value => text]]) };
/** The braced list behind a name. */
function tableOf(source: string, name: string): { readonly line: number; readonly value: Value }[] {
  const tokens = tokensOf(source);
  const at = tokens.findIndex((token, i) => token.kind === 'word' && token.value === name && tokens[i + 1]?.value === '{');
  if (at < 0) throw new Error(`the source has no table ${name}`);
  const reader = new CppReader(tokens, at + 2);
  const rows: { line: number; value: Value }[] = [];
  while (!reader.accept('}')) {
    const { line } = tokens[reader.at];
    rows.push({ line, value: evaluate(reader.expression(), NOTHING) });
    reader.accept(',');
  }
  return rows;
}
const spokenOf = (value: Value): Spoken => {
  const [role, content] = listOf(value);
  return { role: textOf(role), content: textOf(content) };
};

export function templateCases(source: string): TemplateCase[] {
  const conversation = tableOf(source, 'conversation').map(({ value }) => spokenOf(value));
  return tableOf(source, 'test_cases').map(({ line, value }) => {
    const [name, template, plain, jinja, bos = '', eos = '', supported = true, more = []] = listOf(value);
    return {
      line,
      name: textOf(name),
      template: textOf(template),
      expected: textOf(jinja) === '' ? textOf(plain) : textOf(jinja),
      variables: { bos_token: textOf(bos), eos_token: textOf(eos) },
      supported: supported === true,
      conversation: [...conversation, ...listOf(more).map(spokenOf)],
    };
  });
}

/** JSON that stands in a raw literal behind a name. */
export function jsonBehind(source: string, name: string): unknown {
  const tokens = tokensOf(source);
  const at = tokens.findIndex((token, i) => token.value === name && tokens[i + 1]?.value === '=');
  return JSON.parse(tokens[at + 2]?.value ?? 'null') as unknown;
}
