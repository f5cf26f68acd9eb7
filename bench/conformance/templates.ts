// Owns trying Pharos' chat templates on llama.cpp's: the prompts of tests/test-chat-template.cpp, what prompts end with in tests/test-chat.cpp, and every template of models/templates shown a plain conversation and one with tools.
// Refuses to know tokenizers: prompts are compared as text.

import { readdirSync } from 'node:fs';
import { z } from 'zod';
import { options } from '../common/machine.ts';
import { chatCases } from './llama/chat-cases.ts';
import { llamaSource } from './llama/source.ts';
import { jsonBehind, templateCases } from './llama/templates-table.ts';
import { outcomeGroups, told } from './outcomes.ts';
import type { Outcomes } from './outcomes.ts';
import { limitOf, promptMessages, Shower, showsThoughts } from './prompts.ts';

const { llama } = options({ llama: '' });
const source = llamaSource(llama);
const { groups, group } = outcomeGroups();
const tried = (outcomes: Outcomes, name: string, template: string, work: () => void): void => {
  try {
    work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const limit = limitOf(why, template);
    if (limit === undefined) outcomes.fail(name, why);
    else outcomes.skip(name, limit);
  }
};

const program = source.text('tests/test-chat-template.cpp');
const prompts = group('prompts of tests/test-chat-template.cpp');
for (const { line, name, template, expected, variables, supported, conversation } of templateCases(program)) {
  const title = `line ${line}: ${name}`;
  const messages = promptMessages(conversation);
  if (!supported) prompts.skip(title, 'llama.cpp does not show this template through Jinja either: it needs more than the file says');
  else if (!messages) prompts.skip(title, 'the conversation has a role that requests cannot have');
  else tried(prompts, title, template, () => prompts.same(title, new Shower(template, variables).show({ messages }).text, expected));
}

const endings = group('endings of tests/test-chat.cpp');
const cases = chatCases(source.text('tests/test-chat.cpp'));
const [SYSTEM, USER] = [{ role: 'system', content: 'You are a helpful assistant.' }, { role: 'user', content: 'Hey there!' }] as const;
for (const { line, template, continues, ending } of cases.prompts) {
  const title = `line ${line}: ${template.replace(/^.*\//, '')}, ${continues === 'no' ? 'answered' : `${continues} gone on with`}`;
  const text = source.text(template);
  if (ending.includes("I'm") && !showsThoughts(text)) {
    endings.skip(title, 'the template leaves thoughts of earlier messages out; llama.cpp writes them itself');
    continue;
  }
  tried(endings, title, text, () => {
    const begun = continues === 'content' ? [{ role: 'assistant', content: 'Hello, ', reasoning: "I'm thinking" } as const] : continues === 'reasoning' ? [{ role: 'assistant', content: '', reasoning: "I'm" } as const] : [];
    const shown = new Shower(text, { bos_token: '', eos_token: '' }).show({ messages: [SYSTEM, USER, ...begun], thinking: true, continues: continues !== 'no' }).text;
    for (const { content } of [SYSTEM, USER]) if (!shown.includes(content)) throw new Error(`the prompt lacks ${JSON.stringify(content)}: ${JSON.stringify(shown)}`);
    endings.same(title, shown.endsWith(ending) ? ending : shown.slice(-Math.max(80, ending.length)), ending);
  });
}

const callSchema = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.unknown() }) });
const conversationSchema = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string().default(''), tool_calls: z.array(callSchema).default([]) })),
  tools: z.array(z.object({ function: z.object({ name: z.string(), description: z.string(), parameters: z.unknown() }) })).default([]),
});
for (const [title, name] of [['every template, a conversation', 'DEFAULT_JSON'], ['every template, with tools', 'DEFAULT_JSON_WITH_TOOLS']] as const) {
  const { messages, tools } = conversationSchema.parse(jsonBehind(program, name));
  const spoken = promptMessages(
    messages.map(({ tool_calls: calls, ...message }) => ({ ...message, reasoning: '', calls: calls.map((call) => ({ id: call.id, name: call.function.name, arguments: JSON.stringify(call.function.arguments) })) })),
  );
  // A request that ends with calls is refused before any template sees it: the calls get their answer.
  const called = messages.at(-1)?.tool_calls.length ?? 0;
  if (called > 0) spoken?.push({ role: 'tool', content: 'zqresult', toolCallId: messages.at(-1)?.tool_calls[0].id ?? '' });
  const outcomes = group(title);
  for (const file of readdirSync(`${source.root}/models/templates`).filter((each) => each.endsWith('.jinja'))) {
    const template = source.text(`models/templates/${file}`);
    tried(outcomes, file, template, () => {
      const { text } = new Shower(template, { bos_token: '<s>', eos_token: '</s>' }).show({ messages: spoken ?? [], tools: tools.map((tool) => tool.function) });
      // Nothing that was said, offered or called may be missing.
      const due = [...messages.map(({ content }) => content), ...tools.flatMap((tool) => [tool.function.name, tool.function.description]), ...messages.flatMap((message) => (message.tool_calls.length > 0 ? ['hello', 'zqresult'] : []))];
      const missing = due.filter((part) => !text.includes(part));
      outcomes.same(`${file}, parts that are missing`, missing.length === 0 ? [] : [...missing, text], []);
    });
  }
}

const fine = told(`Chat templates, against llama.cpp ${source.commit}`, groups);
process.exitCode = fine ? 0 : 1;
