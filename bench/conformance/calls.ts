// Owns trying Pharos' readers of replies on the cases of llama.cpp's tests/test-chat.cpp: what is said, what is thought and what is called, in one piece and character by character.
// Refuses to know models: replies are given as text, with the marks of a format as text and as special tokens.

import { FormatReader } from '../../src/engine/replies/format.ts';
import { Marks } from '../../src/engine/replies/marks.ts';
import type { ReplyPart } from '../../src/engine/replies/reader.ts';
import { options } from '../common/machine.ts';
import { chatCases } from './llama/chat-cases.ts';
import type { ReplyCase } from './llama/chat-cases.ts';
import { llamaSource } from './llama/source.ts';
import { Outcomes, told } from './outcomes.ts';
import { limitOf, marksOf, promptMessages, promptTools, Shower, showsThoughts } from './prompts.ts';

const { llama } = options({ llama: '' });
const source = llamaSource(llama);
const { replies, unread } = chatCases(source.text('tests/test-chat.cpp'));
const groups = new Map<string, Outcomes>();
const showers = new Map<string, Shower | Error>();

interface Read {
  readonly content: string;
  readonly reasoning: string;
  readonly calls: readonly (readonly [name: string, args: string])[];
}
/** llama.cpp compares without space at the ends, and arguments that are cut off not at all. */
function compared({ content, reasoning, calls }: Read): Read {
  return { content: content.trim(), reasoning: reasoning.trim(), calls: calls.map(([name, args]) => [name, normalised(args)]) };
}
function normalised(json: string): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
  };
  try {
    return JSON.stringify(sorted(JSON.parse(json)));
  } catch {
    return '';
  }
}

function read({ format, source: template }: Shower, each: ReplyCase, opened: boolean, special: boolean, pieces: readonly string[]): Read {
  const tokens = special ? marksOf(`${template}${each.reply}`) : [];
  const marks = new Marks((text) => (tokens.includes(text) ? tokens.indexOf(text) : undefined));
  let ids = 0;
  const reader = new FormatReader({ format, marks, opened, names: each.tools.map(({ name }) => name), tools: promptTools(each.tools).tools ?? [], single: !each.parallel, newId: () => `call_${ids++}` });
  const signed = (text: string): string => [...marks.signs].reduce((all, [id, sign]) => all.replaceAll(tokens[id], sign), text);
  const parts: ReplyPart[] = [];
  for (const piece of pieces.length === 1 ? [signed(pieces[0])] : Array.from(signed(pieces.join('')))) parts.push(...reader.push(piece));
  if (!each.partial) parts.push(...reader.end());
  const calls: [string, string][] = [];
  let [content, reasoning] = ['', ''];
  for (const part of parts) {
    if (part.kind === 'delta') content += part.text;
    else if (part.kind === 'reasoning') reasoning += part.text;
    else {
      if (part.name !== undefined) calls.push([part.name, '']);
      calls[part.index][1] += part.arguments;
    }
  }
  return { content, reasoning, calls };
}

/** Marks that the reader of a format has. */
function knownMarks(each: ReplyCase, format: Shower['format']): ReadonlySet<string> {
  const known = new Set<string>();
  const marks = new Marks((text) => (known.add(text), undefined));
  const reader = new FormatReader({ format, marks, opened: false, names: each.tools.map(({ name }) => name), single: false, newId: () => '' });
  reader.end();
  return known;
}
/** Why a case says nothing about Pharos. */
function inapplicable(each: ReplyCase, { format, source: template }: Shower, opened: boolean): string | undefined {
  const { expected, reply, tools, others, separates, continues } = each;
  const settings = others.filter((name) => name !== 'tool_choice');
  if (settings.length > 0) return `${settings.join(', ')}: Pharos keeps such a reply to its form while it is written, and does not clean it afterwards`;
  if (format.calls === 'generic') {
    if (tools.length > 0 || expected.calls.length > 0) return `the template's own form of calls is not read (such models are asked in Pharos' generic form): ${each.template.replace(/^.*\//, '')}`;
    if (!format.thinking && (expected.reasoning !== '' || expected.content.trim() !== reply.trim())) return 'the template has marks of its own for thoughts, which are not read';
  }
  const before = each.messages.at(-1);
  if (continues === 'content' && before?.content === '' && before.reasoning !== '') return 'a message that has thought and said nothing is gone on with in its thought';
  const ending = marksOf(template).find((mark) => reply.endsWith(mark));
  if (ending !== undefined && !knownMarks(each, format).has(ending)) return 'the reply holds the token that ends it, which no reader gets to see';
  const inside = opened && expected.content.trim() !== '' && reply.startsWith(expected.content.trim());
  if (!separates && format.thinking && (inside || reply.includes(format.thinking.close))) return 'thoughts are asked for inside the content, which Pharos does not offer';
  if (!each.parallel && expected.calls.length > 0 && expected.content.trim() !== '' && reply.trim().endsWith(expected.content.trim())) return 'one call was asked for, and the reply ends with it: what is said behind it is not read';
  if (opened && continues === 'no' && format.thinking && expected.reasoning.startsWith(format.thinking.open)) return 'the words with which the prompt opens the thought are told as a part of it, which they are not in Pharos';
  if (continues === 'reasoning' && !showsThoughts(template)) return 'the template does not show thoughts of earlier messages, so that none can be gone on with';
  return undefined;
}

for (const each of replies) {
  const group = each.template.replace(/^.*\/|\.jinja$/g, '');
  const outcomes = groups.get(group) ?? new Outcomes();
  groups.set(group, outcomes);
  const name = `line ${each.line}: ${JSON.stringify(each.reply.length > 120 ? `${each.reply.slice(0, 120)}...` : each.reply)}`;
  let shower = showers.get(each.template);
  if (!shower) {
    try {
      shower = new Shower(source.text(each.template), { bos_token: '', eos_token: '' });
    } catch (error) {
      shower = error instanceof Error ? error : new Error(String(error));
    }
    showers.set(each.template, shower);
  }
  if (shower instanceof Error) {
    outcomes.fail(name, shower.message);
    continue;
  }
  const messages = promptMessages(each.messages);
  if (!messages) {
    outcomes.skip(name, 'the conversation has a role that requests cannot have');
    continue;
  }
  try {
    const prompt = { messages, thinking: each.thinking, parallelToolCalls: each.parallel, ...promptTools(each.tools) };
    const { text, thought } = shower.show({ ...prompt, continues: each.continues !== 'no' });
    const reason = inapplicable(each, shower, thought === 'open');
    if (reason !== undefined) {
      outcomes.skip(name, reason);
      continue;
    }
    const before = each.continues === 'no' ? undefined : each.messages.at(-1);
    const rest = (whole: string, begun = ''): string => (whole.startsWith(begun) ? whole.slice(begun.length) : whole);
    const expected = compared({
      content: rest(each.expected.content, before?.content),
      reasoning: rest(each.expected.reasoning, before?.reasoning),
      calls: each.expected.calls.map((call) => [call.name, call.arguments]),
    });
    const ways: Read[] = [];
    for (const special of [false, true]) for (const pieces of [[each.reply], Array.from(each.reply)]) ways.push(compared(read(shower, each, thought === 'open', special, pieces)));
    const wrong = ways.find((way) => JSON.stringify(way) !== JSON.stringify(expected));
    outcomes.same(name, wrong ?? expected, expected);
    if (each.reconstructs) {
      const again = promptMessages([...each.messages, each.expected]);
      const shown = again && shower.show({ ...prompt, messages: again }).text;
      const begins = shown?.startsWith(text + each.reply) ?? false;
      outcomes.same(`${name}, shown again`, begins ? text + each.reply : shown, text + each.reply);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const limit = limitOf(why, shower.source);
    if (limit !== undefined) outcomes.skip(name, limit);
    else if (each.continues === 'reasoning' && why.includes('leaves the last message out')) outcomes.skip(name, 'the template leaves out what the last message thought, and the request is refused');
    else outcomes.fail(name, why);
  }
}
if (unread.length > 0) {
  const outcomes = new Outcomes();
  groups.set('(cases that the program computes)', outcomes);
  for (const { line, why } of unread) outcomes.skip(`line ${line}`, `the case is no table: ${why.replace(/^line \d+: /, '').replace(/, got .*/, '')}`);
}

const fine = told(`Replies, against llama.cpp ${source.commit}: tests/test-chat.cpp`, groups);
process.exitCode = fine ? 0 : 1;
