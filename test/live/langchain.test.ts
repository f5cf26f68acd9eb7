// Owns what LangChain sees of a running service with the shipped model: texts, streams, objects by a schema, tools, and the same through OpenAI's Responses.
// Refuses to know the inside: LangChain is used as its own documentation has it.

import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import t from 'tap';
import { z } from 'zod';
import { listen } from '../helpers/http-app.ts';

const { url } = await listen(t, { PHAROS_EXAMPLE: 'on' });
const base = { model: 'pharos-mini', apiKey: 'unused', maxRetries: 0, configuration: { baseURL: `${url}/v1` } };
const model = new ChatOpenAI(base);
/** The model alone. */
const alone = new ChatOpenAI({ ...base, maxTokens: 200, modelKwargs: { knowledge: { mode: 'off' } } });
const responses = new ChatOpenAI({ ...base, useResponsesApi: true });
const born = 'Where was Albert Einstein born?';
const textOf = ({ text }: { readonly text: string }): string => text;

t.test('a text as the graph has it, and its usage', async (t) => {
  const reply = await model.invoke(born);
  t.match(textOf(reply), /Ulm/);
  t.match(reply.response_metadata, { finish_reason: 'stop' });
  t.ok((reply.usage_metadata?.output_tokens ?? 0) > 0);
});

t.test('a stream says the same', async (t) => {
  const whole = textOf(await model.invoke(born));
  const pieces: string[] = [];
  for await (const piece of await model.stream(born)) pieces.push(textOf(piece));
  t.equal(pieces.join(''), whole);
  t.ok(pieces.filter((piece) => piece !== '').length > 1);
});

t.test('an object by a schema is one by construction', async (t) => {
  const schema = z.object({ colour: z.enum(['red', 'green']), count: z.int().min(0).max(9) });
  const object: unknown = await alone.withStructuredOutput(schema, { method: 'jsonSchema', name: 'thing' }).invoke('Give an object.');
  t.ok(schema.safeParse(object).success, JSON.stringify(object));
});

t.test('a tool is called with valid arguments, and its answer is taken', async (t) => {
  const weather = tool(({ city }) => `20 degrees in ${city}`, { name: 'weather', description: 'The weather of a city.', schema: z.object({ city: z.enum(['Ulm', 'Bern']) }) });
  const question = new HumanMessage('What is the weather in Ulm?');
  const called = await alone.bindTools([weather], { tool_choice: 'required', parallel_tool_calls: false }).invoke([question]);
  t.match(called.tool_calls, [{ name: 'weather', args: { city: /^(Ulm|Bern)$/ }, id: /./ }]);
  const [call] = called.tool_calls ?? [];
  const result: unknown = await weather.invoke(call);
  if (!(result instanceof ToolMessage)) throw new Error('the tool gave no message');
  const reply = await alone.bindTools([weather], { tool_choice: 'none' }).invoke([question, called, result]);
  t.ok(reply instanceof AIMessage);
  t.same(reply.tool_calls, []);

  let gathered: Awaited<ReturnType<typeof alone.invoke>> | undefined;
  for await (const piece of await alone.bindTools([weather], { tool_choice: 'weather', parallel_tool_calls: false }).stream([question])) gathered = gathered ? gathered.concat(piece) : piece;
  t.match(gathered?.tool_calls, [{ name: 'weather', args: { city: /^(Ulm|Bern)$/ } }]);
});

t.test("through OpenAI's Responses: a text, a stream, a conversation", async (t) => {
  const reply = await responses.invoke(born);
  t.match(textOf(reply), /Ulm/);
  t.ok((reply.usage_metadata?.input_tokens ?? 0) > 0);
  const pieces: string[] = [];
  for await (const piece of await responses.stream(born)) pieces.push(textOf(piece));
  t.equal(pieces.join(''), textOf(reply));
  t.match(textOf(await responses.invoke([new HumanMessage(born), reply, new HumanMessage('Is Socrates mortal?')])), /^Yes/);
});

t.test('what is refused comes as an error with our message', async (t) => {
  const failure: unknown = await new ChatOpenAI({ ...base, model: 'gpt-9' }).invoke('x').catch((error: unknown) => error);
  t.match(failure, { message: /gpt-9.*pharos-mini/s });
});
