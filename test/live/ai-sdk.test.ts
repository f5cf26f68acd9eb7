// Owns what the Vercel AI SDK sees of a running service with the shipped model: texts, streams, objects by a schema, tools, errors.
// Refuses to know the inside: the SDK is used as its own documentation has it.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import t from 'tap';
import { z } from 'zod';
import { listen } from '../helpers/http-app.ts';

const { url } = await listen(t, { PHAROS_EXAMPLE: 'on' });
const pharos = createOpenAICompatible({ name: 'pharos', baseURL: `${url}/v1`, apiKey: 'unused', supportsStructuredOutputs: true, includeUsage: true });
const model = pharos('pharos-mini');
const alone = { providerOptions: { pharos: { knowledge: { mode: 'off' } } } };
const oneCall = { providerOptions: { pharos: { knowledge: { mode: 'off' }, parallel_tool_calls: false } } };
const born = 'Where was Albert Einstein born?';

t.test('a text, with its usage, as the graph has it', async (t) => {
  const { text, finishReason, usage } = await generateText({ model, prompt: born, maxRetries: 0 });
  t.match(text, /Ulm/);
  t.equal(finishReason, 'stop');
  t.ok((usage.inputTokens ?? 0) > 0 && (usage.outputTokens ?? 0) > 0);
});

t.test('a stream says the same', async (t) => {
  const whole = await generateText({ model, prompt: born, maxRetries: 0 });
  const result = streamText({ model, prompt: born, maxRetries: 0 });
  const pieces: string[] = [];
  for await (const piece of result.textStream) pieces.push(piece);
  t.ok(pieces.length > 1);
  t.equal(pieces.join(''), whole.text);
  t.equal(await result.finishReason, 'stop');
  t.ok(((await result.usage).outputTokens ?? 0) > 0);
});

t.test('an object by a schema is one by construction', async (t) => {
  const schema = z.object({ colour: z.enum(['red', 'green']), count: z.int().min(0).max(9) });
  const { output } = await generateText({ model, prompt: 'Give an object.', output: Output.object({ schema }), maxOutputTokens: 200, maxRetries: 0, ...alone });
  t.ok(schema.safeParse(output).success, JSON.stringify(output));
});

t.test('a tool is called with valid arguments, answered, and the conversation goes on', async (t) => {
  const asked: unknown[] = [];
  const weather = tool({
    description: 'The weather of a city.',
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string', enum: ['Ulm', 'Bern'] } }, required: ['city'], additionalProperties: false }),
    execute: async (input) => {
      asked.push(input);
      return { degrees: 20 };
    },
  });
  const { steps } = await generateText({
    model,
    prompt: 'What is the weather in Ulm?',
    tools: { weather },
    // The model is tiny: it is made to call once, and then made to speak.
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? ('required' as const) : ('none' as const) }),
    stopWhen: stepCountIs(2),
    maxOutputTokens: 120,
    maxRetries: 0,
    ...oneCall,
  });
  t.equal(steps[0].finishReason, 'tool-calls');
  t.match(steps[0].toolCalls, [{ toolName: 'weather', input: { city: /^(Ulm|Bern)$/ } }]);
  t.match(asked[0], { city: /^(Ulm|Bern)$/ });
  t.equal(steps.length, 2);
  t.equal(steps[1].toolCalls.length, 0);

  const streamed = streamText({ model, prompt: 'What is the weather in Ulm?', tools: { weather }, toolChoice: { type: 'tool', toolName: 'weather' }, maxOutputTokens: 120, maxRetries: 0, ...oneCall });
  const kinds = new Set<string>();
  for await (const part of streamed.fullStream) kinds.add(part.type);
  t.ok(kinds.has('tool-call') && kinds.has('tool-result') && !kinds.has('error'), [...kinds].join());
});

t.test('what is refused comes as an error of the SDK, with our message', async (t) => {
  const failure: unknown = await generateText({ model: pharos('gpt-9'), prompt: 'x', maxRetries: 0 }).catch((error: unknown) => error);
  t.ok(APICallError.isInstance(failure));
  t.match(failure, { statusCode: 404, message: /gpt-9.*pharos-mini/ });
});
