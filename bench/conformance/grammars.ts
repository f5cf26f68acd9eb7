// Owns trying Pharos' grammars on llama.cpp's: the texts of tests/test-grammar-integration.cpp, what tests/test-grammar-parser.cpp parses and refuses, and that every file of grammars/ is read.
// Refuses to know how grammars are read.

import { readdirSync } from 'node:fs';
import { options } from '../common/machine.ts';
import { CppReader, evaluate, listOf, textOf, tokensOf, Unreadable } from './llama/cpp.ts';
import type { Scope, Value } from './llama/cpp.ts';
import { llamaSource } from './llama/source.ts';
import { outcomeGroups, told } from './outcomes.ts';
import { textsOrRefusal } from './texts.ts';

const { llama } = options({ llama: '' });
const source = llamaSource(llama);
const { groups, group } = outcomeGroups();
const SCOPE: Scope = { names: new Map(), functions: new Map() };
const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);

/** Arguments of each call of a function in a source; a definition is none. */
function* callsOf(path: string, name: string): Generator<{ readonly line: number; readonly args: readonly Value[] | Unreadable }> {
  const tokens = tokensOf(source.text(path));
  for (const [at, { kind, value, line }] of tokens.entries()) {
    if (kind !== 'word' || value !== name || tokens[at - 1]?.value === 'void') continue;
    const reader = new CppReader(tokens, at + 1);
    try {
      reader.expect('(');
      // Raw strings alone are read of what the parser's cases expect.
      const args = name.startsWith('verify_') ? [reader.expression()] : reader.list(')');
      yield { line, args: args.map((each) => evaluate(each, SCOPE)) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      yield { line, args: error };
    }
  }
}

const INTEGRATION = 'tests/test-grammar-integration.cpp';
for (const kind of ['grammar', 'schema'] as const) {
  const outcomes = group(`texts of ${kind}s`);
  for (const { line, args } of callsOf(INTEGRATION, `test_${kind}`)) {
    if (args instanceof Unreadable) {
      outcomes.skip(`line ${line}`, args.message.replace(/^line \d+: /, ''));
      continue;
    }
    const [title, form, passing, failing] = [textOf(args[0]), textOf(args[1]), listOf(args[2]).map(textOf), listOf(args[3]).map(textOf)];
    const schema: unknown = kind === 'schema' ? JSON.parse(form) : undefined;
    const mayBe = textsOrRefusal(kind === 'schema' ? { kind, schema } : { kind, grammar: form });
    if (typeof mayBe === 'string') {
      for (const text of [...passing, ...failing]) outcomes.skip(`${title}: ${shown(text)}`, `refused: ${mayBe}`);
      continue;
    }
    for (const text of passing) {
      if (mayBe(text)) outcomes.pass();
      else if (kind === 'schema') outcomes.skip(`${title}: ${shown(text)}`, 'valid, and not written: a gap behind a brace, or other properties');
      else outcomes.fail(`${title}: ${shown(text)}`, 'is not let through');
    }
    const open = typeof schema === 'object' && schema !== null && !('type' in schema);
    for (const text of failing) {
      if (!mayBe(text)) outcomes.pass();
      else if (kind === 'schema' && /^\d{16,}$/.test(text)) outcomes.skip(`${title}: ${shown(text)}`, 'valid; llama.cpp writes no whole number so long');
      else if (open) outcomes.skip(`${title}: ${shown(text)}`, 'valid where the schema names no type; llama.cpp takes it from the other keywords');
      else outcomes.fail(`${title}: ${shown(text)}`, 'is let through');
    }
  }
}

const parser = group('parsed and refused');
for (const [name, parses] of [['verify_parsing', true], ['verify_failure', false]] as const)
  for (const { line, args } of callsOf('tests/test-grammar-parser.cpp', name)) {
    if (args instanceof Unreadable) {
      parser.skip(`line ${line}`, args.message.replace(/^line \d+: /, ''));
      continue;
    }
    const grammar = textOf(args[0]);
    const mayBe = textsOrRefusal({ kind: 'grammar', grammar });
    if ((typeof mayBe !== 'string') === parses) parser.pass();
    else if (!parses && /\{\d*,?\d+\}|\{\d+,\}/.test(grammar)) parser.skip(shown(grammar), 'repeats more often than llama.cpp allows');
    else if (typeof mayBe === 'string' && /<\[|<[a-z]/.test(grammar)) parser.skip(shown(grammar), `refused: ${mayBe}`);
    else parser.fail(shown(grammar), typeof mayBe === 'string' ? mayBe : 'is read');
  }

const files = group('files of grammars/');
for (const file of readdirSync(`${source.root}/grammars`).filter((name) => name.endsWith('.gbnf'))) {
  const mayBe = textsOrRefusal({ kind: 'grammar', grammar: source.text(`grammars/${file}`) });
  if (typeof mayBe === 'string') files.fail(file, mayBe);
  else files.pass();
}

process.exitCode = told(`Grammars, against llama.cpp ${source.commit}`, groups) ? 0 : 1;
