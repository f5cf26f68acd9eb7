// Owns the mixture of requests and what is right about each answer: its status, its form, that a stream is whole, that what was told is there and what was withdrawn is not.
// Refuses to know the server's inside, and how often each kind is asked.

import { z } from 'zod';
import type { Random } from '../../src/training/random.ts';
import { ask } from './client.ts';
import type { Asking, Got } from './client.ts';

export interface World {
  readonly url: string;
  readonly model: string;
  /** Tokens that the model takes for prompt and completion together. */
  readonly context: number;
  readonly random: Random;
  /** A number that no other request has. */
  readonly next: () => number;
}
/** Undefined: the answer was right. */
export type Verdict = string | undefined;
type Kind = (world: World) => Promise<Verdict>;

const CHAT = '/v1/chat/completions';
const QUESTIONS = ['Where was Albert Einstein born?', 'Is Socrates mortal?', 'Who was the spouse of Marie Curie?', 'What did Marie Curie win?', 'Who is an ancestor of Hélène Langevin-Joliot?', 'Was Plato born in Greece?', 'Where was Isaac Newton born?', 'Who is the academic grandfather of Alexander the Great?'];
const said = (text: string): { readonly messages: readonly object[] } => ({ messages: [{ role: 'user', content: text }] });
const off = { knowledge: { mode: 'off' } };
const WORDS = ['stone', 'river', 'and', 'the', 'of', 'light', 'seven', 'über', '学', 'walks', 'never', 'x'];
const prose = (random: Random, words: number): string => Array.from({ length: words }, () => random.pick(WORDS)).join(' ');

const errorSchema = z.object({ error: z.object({ message: z.string().min(10), type: z.string(), code: z.string() }) });
const chatSchema = z.object({
  choices: z.array(z.object({ finish_reason: z.enum(['stop', 'length', 'tool_calls']), message: z.object({ content: z.string().nullable(), tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })).optional() }) })).min(1),
  grounding: z.object({ outcome: z.enum(['entailed', 'refuted', 'not_entailed', 'ungrounded']) }),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }),
});
function parsed<T>(schema: z.ZodType<T>, text: string): T | string {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : `the answer has another form: ${z.prettifyError(result.error)}: ${text.slice(0, 300)}`;
  } catch {
    return `the answer is no JSON: ${text.slice(0, 300)}`;
  }
}
const wrongStatus = ({ status, text }: Got, expected: number): string => `status ${status} instead of ${expected}: ${text.slice(0, 300)}`;
async function isRefused({ url }: World, path: string, asking: Asking, status: number): Promise<Verdict> {
  const got = await ask(url, path, asking);
  if (got.status !== status) return `${path} ${JSON.stringify(asking).slice(0, 200)}: ${wrongStatus(got, status)}`;
  const body = parsed(errorSchema, got.text);
  return typeof body === 'string' ? body : undefined;
}
async function chat({ url, model }: World, body: object): Promise<z.infer<typeof chatSchema> | string> {
  const got = await ask(url, CHAT, { body: { model, ...body } });
  return got.status === 200 ? parsed(chatSchema, got.text) : wrongStatus(got, 200);
}
const worked = async (world: World, path: string, asking: Asking): Promise<Verdict> => {
  const got = await ask(world.url, path, asking);
  return got.status === 200 ? undefined : `${path}: ${wrongStatus(got, 200)}`;
};

const grounded: Kind = async (world) => {
  const answer = await chat(world, { ...said(world.random.pick(QUESTIONS)), knowledge: {}, max_tokens: 64 });
  if (typeof answer === 'string') return answer;
  return answer.grounding.outcome === 'ungrounded' ? 'a question about the graph was answered without it' : undefined;
};
const plain: Kind = async (world) => {
  const answer = await chat(world, { ...said(`Say something, ${world.next()}.`), ...off, max_tokens: world.random.int(1, 48), temperature: 1, seed: world.next(), n: world.random.int(1, 2) });
  return typeof answer === 'string' ? answer : undefined;
};
const stream: Kind = async ({ url, model, random, next }) => {
  const withGraph = random.next() < 0.5;
  const got = await ask(url, CHAT, { body: { model, stream: true, stream_options: { include_usage: true }, max_tokens: random.int(1, 48), ...(withGraph ? { ...said(random.pick(QUESTIONS)), knowledge: {} } : { ...said(`Go on, ${next()}.`), ...off }) } });
  if (got.status !== 200) return wrongStatus(got, 200);
  if (!got.text.endsWith('data: [DONE]\n\n')) return `a stream ended so: ${got.text.slice(-200)}`;
  return /"finish_reason":"(stop|length)"/.test(got.text) && got.text.includes('"usage":{') ? undefined : `a stream without an end or its usage: ${got.text.slice(-300)}`;
};
const leaver: Kind = async ({ url, model, random, next }) => {
  const paths = [CHAT, '/v1/completions', '/v1/responses', '/v1/messages'] as const;
  const path = random.pick(paths);
  const prompt = `${next()} ${prose(random, random.int(1, 60))}`;
  const body = path === CHAT ? { ...said(prompt), ...off } : path === '/v1/completions' ? { prompt } : path === '/v1/responses' ? { input: prompt } : said(prompt);
  const got = await ask(url, path, { body: { model, stream: true, ...(path === '/v1/responses' ? { max_output_tokens: 200 } : { max_tokens: 200 }), ...body }, leaveAfter: random.int(0, 8) });
  // One that ends before the client leaves is whole.
  return got.left || got.status === 200 ? undefined : `${path}: ${wrongStatus(got, 200)}`;
};
const quitter: Kind = async ({ url, model, random, next }) => {
  await ask(url, CHAT, { body: { model, ...said(`${next()} ${prose(random, 100)}`), ...off, max_tokens: 300 }, leaveAfter: 0 });
  return undefined;
};
const long: Kind = async (world) => {
  const answer = await chat(world, { ...said(`${world.next()} ${prose(world.random, Math.floor(world.context / 8))}`), ...off, max_tokens: 4 });
  return typeof answer === 'string' ? answer : undefined;
};
const tooLong: Kind = async (world) => isRefused(world, CHAT, { body: { model: world.model, ...said(prose(world.random, world.context * 2)), ...off } }, 400);

const BAD: readonly (readonly [path: string, asking: Asking, status: number])[] = [
  [CHAT, { body: {} }, 400],
  [CHAT, { body: { messages: [{ role: 'robot', content: 'x' }] } }, 400],
  [CHAT, { body: { messages: [{ role: 'user', content: 'a\u0000b' }] } }, 400],
  [CHAT, { body: { ...said('x'), temprature: 1 } }, 400],
  [CHAT, { body: { ...said('x'), model: 'gpt-9' } }, 404],
  [CHAT, { body: { ...said('x'), max_tokens: -1 } }, 400],
  [CHAT, { body: { ...said('x'), ...off, response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'nonsense' } } } } }, 400],
  [CHAT, { raw: '{"messages": [' }, 400],
  [CHAT, { raw: Buffer.from([0x7b, 0xff, 0xfe]) }, 400],
  [CHAT, { raw: 'hello', type: 'text/plain' }, 415],
  [CHAT, { method: 'PATCH', body: {} }, 405],
  ['/v1/nothing', {}, 404],
  ['/v1/triples?limit=0', {}, 400],
  ['/v1/triples?cursor=xyz', {}, 400],
  ['/v1/triples', { body: { triples: [{ subject: ' ', relation: 'r', object: 'o' }] } }, 400],
  ['/v1/rules', { body: { rules: 'p(?x, ?y) :- q(?x ?y).' } }, 400],
  ['/v1/proofs/nothing', {}, 404],
  ['/v1/reason/deduce', { body: { goal: 'p(' } }, 400],
];
const invalid: Kind = async (world) => {
  const [path, asking, status] = world.random.pick(BAD);
  return isRefused(world, path, asking, status);
};
const large: Kind = async (world) => isRefused(world, CHAT, { raw: JSON.stringify(said('x'.repeat(9 * 2 ** 20))) }, 413);
const vectors: Kind = async (world) => isRefused(world, '/v1/embeddings', { body: { model: world.model, input: 'a text' } }, 404);

const weather = { type: 'function', function: { name: 'weather', description: 'The weather of a city', parameters: { type: 'object', properties: { city: { enum: ['Ulm', 'Athens'] }, days: { type: 'integer', minimum: 1, maximum: 9 } }, required: ['city'], additionalProperties: false } } };
const tools: Kind = async (world) => {
  const answer = await chat(world, { ...said(`What is the weather in Ulm? ${world.next()}`), ...off, tools: [weather], tool_choice: 'required', parallel_tool_calls: false, max_tokens: 128 });
  if (typeof answer === 'string') return answer;
  const [{ finish_reason: reason, message }] = answer.choices;
  if (reason === 'length') return undefined;
  const call = message.tool_calls?.[0]?.function;
  if (reason !== 'tool_calls' || call?.name !== 'weather') return `no call though one was required: ${JSON.stringify(answer.choices[0])}`;
  return z.strictObject({ city: z.enum(['Ulm', 'Athens']), days: z.int().min(1).max(9).optional() }).safeParse(JSON.parse(call.arguments)).success ? undefined : `arguments that the schema does not allow: ${call.arguments}`;
};
const schema: Kind = async (world) => {
  const wanted = { type: 'object', properties: { colour: { enum: ['red', 'green'] }, size: { type: 'integer', minimum: 0, maximum: 99 } }, required: ['colour', 'size'], additionalProperties: false };
  const answer = await chat(world, { ...said(`A thing, ${world.next()}.`), ...off, max_tokens: 96, temperature: 1, response_format: { type: 'json_schema', json_schema: { name: 'thing', schema: wanted, strict: true } } });
  if (typeof answer === 'string') return answer;
  const [{ finish_reason: reason, message }] = answer.choices;
  if (reason === 'length') return undefined;
  return z.strictObject({ colour: z.enum(['red', 'green']), size: z.int().min(0).max(99) }).safeParse(JSON.parse(message.content ?? '')).success ? undefined : `JSON that the schema does not allow: ${message.content}`;
};

const CONSONANTS = Array.from('bdfgklmnprstvz');
const VOWELS = Array.from('aeiou');
const counted = z.object({ data: z.array(z.unknown()) });
/** A name of two words, unlike the others: a name that nothing is known of may be taken for a misspelt one. */
function nameOf(random: Random, number: number): string {
  const word = (syllables: number): string => Array.from({ length: syllables }, () => random.pick(CONSONANTS) + random.pick(VOWELS)).join('');
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  return `${capital(word(4))} ${capital(word(2))}${Array.from(String(number), (digit) => CONSONANTS[Number(digit)] + VOWELS[Number(digit) % VOWELS.length]).join('')}`;
}
/** Facts told, found, asked for, withdrawn, gone. */
const triples: Kind = async (world) => {
  const { url, random } = world;
  const subject = nameOf(random, world.next());
  const given = Array.from({ length: random.int(1, 20) }, (_, i) => ({ subject, relation: 'visited', object: `Town ${i}` }));
  const told = await ask(url, '/v1/triples', { body: { triples: given } });
  if (told.status !== 200) return wrongStatus(told, 200);
  const query = `?subject=${encodeURIComponent(subject)}&limit=100`;
  const found = async (): Promise<number | string> => {
    const got = await ask(url, `/v1/triples${query}`);
    const body = got.status === 200 ? parsed(counted, got.text) : wrongStatus(got, 200);
    return typeof body === 'string' ? body : body.data.length;
  };
  const before = await found();
  if (before !== given.length) return `${given.length} facts were told and ${before} found`;
  const answer = await chat(world, { ...said(`What did ${subject} visit?`), knowledge: {} });
  if (typeof answer === 'string') return answer;
  const speaks = ({ choices: [{ message }], grounding }: z.infer<typeof chatSchema>): boolean => grounding.outcome === 'entailed' && (message.content ?? '').includes(subject);
  if (!speaks(answer)) return `facts that were told do not answer the question about ${subject}: ${answer.grounding.outcome}, ${answer.choices[0].message.content}`;
  const withdrawn = await ask(url, `/v1/triples?subject=${encodeURIComponent(subject)}`, { method: 'DELETE' });
  if (withdrawn.status !== 200) return wrongStatus(withdrawn, 200);
  const after = await found();
  if (after !== 0) return `${after} facts are left of those withdrawn`;
  const later = await chat(world, { ...said(`What did ${subject} visit?`), knowledge: {} });
  if (typeof later === 'string') return later;
  return speaks(later) ? `an answer about ${subject} outlived the facts under it` : undefined;
};
const deduce: Kind = async (world) => worked(world, '/v1/reason/deduce', { body: { goal: '"ancestor of"(?x, ?y)' } });
const others: Kind = async (world) => {
  const { model, random } = world;
  const text = `${world.next()} ${prose(random, 8)}`;
  const [path, body] = random.pick([
    ['/v1/completions', { model, prompt: text, max_tokens: 12 }],
    ['/v1/responses', { model, input: text, max_output_tokens: 16 }],
    ['/v1/messages', { model, ...said(text), max_tokens: 12 }],
    ['/v1/messages/count_tokens', { model, ...said(text) }],
  ] as const);
  return worked(world, path, { body });
};
const metrics: Kind = async (world) => {
  const got = await ask(world.url, '/metrics');
  return got.status === 200 && got.text.includes('pharos_engine_slots_used ') ? undefined : wrongStatus(got, 200);
};

/** Kinds, and how often each is asked beside the others. */
export const KINDS: readonly (readonly [name: string, weight: number, kind: Kind])[] = [
  ['grounded', 6, grounded],
  ['plain', 4, plain],
  ['stream', 8, stream],
  ['leaver', 8, leaver],
  ['quitter', 2, quitter],
  ['long', 2, long],
  ['too long', 1, tooLong],
  ['invalid', 8, invalid],
  ['large', 0.2, large],
  ['vectors', 1, vectors],
  ['tools', 3, tools],
  ['schema', 3, schema],
  ['triples', 3, triples],
  ['deduce', 2, deduce],
  ['other dialects', 4, others],
  ['metrics', 2, metrics],
];
