// Owns the configuration: every PHAROS_ variable with its default, unit and meaning, read from an environment into one frozen object.
// Refuses to know who reads the environment and what is done with a setting.

import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { z } from 'zod';
import { hubSettings } from './engine/hub/settings.ts';
import type { HubSettings } from './engine/hub/settings.ts';
import { DEVICES } from './engine/port.ts';

/** Variables of tests and benchmarks: known, so that a shell that has them can start the service, and without effect here. */
const FOR_TESTS = ['PHAROS_OUTSIDE', 'PHAROS_TEST_NEO4J', 'PHAROS_CI_NEO4J_PORT'];
/** Values that hold keys, or may: they are not repeated. */
const SECRET = new Set(['PHAROS_API_KEYS', 'PHAROS_GRAPH', 'PHAROS_ENGINE', 'PHAROS_ENGINE_KEY']);
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const setting = <T>(fallback: string, description: string, schema: z.ZodType<T, string>) =>
  z.string().default(fallback).pipe(schema).meta({ description, fallback });
const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'give a whole number')
    .transform(Number)
    .pipe(z.number().min(least, `give ${least} or more`).max(most, `give ${most} or less`));
const bytes = (least: number) =>
  z
    .string()
    .regex(/^\d{1,16}(KiB|MiB|GiB)?$/, 'give a number of bytes, such as 67108864 or 64MiB')
    .transform((text) => Number.parseInt(text, 10) * UNITS[text.replace(/^\d+/, '')])
    .pipe(z.number().min(least, `give ${least} bytes or more`).max(Number.MAX_SAFE_INTEGER, 'give 8388607GiB or less'));
const oneOf = <const T extends readonly string[]>(names: T) => z.enum(names, { error: `give one of ${names.join(', ')}` });
const graph = z.string().transform((text, context): { readonly kind: 'embedded' } | { readonly kind: 'neo4j'; readonly url: string } => {
  if (text === 'embedded:' || text === 'embedded') return { kind: 'embedded' };
  if (/^(neo4j|bolt)(\+s|\+ssc)?:\/\/[^/\s]/.test(text) && URL.canParse(text)) return { kind: 'neo4j', url: text };
  context.addIssue({ code: 'custom', message: 'give "embedded:" or an address such as neo4j://user:password@host:7687' });
  return z.NEVER;
});
/** Its paths are put behind it, and a key has a setting of its own. */
function isServer(text: string): boolean {
  const { protocol = '', username = '', password = '', search = '', hash = '' } = URL.parse(text) ?? {};
  return /^https?:$/.test(protocol) && username + password + search + hash === '' && !/[?#]$/.test(text);
}
const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const environment = z.strictObject({
  PHAROS_HOST: setting('127.0.0.1', 'Address to listen on. Anything but loopback needs PHAROS_API_KEYS.', z.string().min(1)),
  PHAROS_PORT: setting('8080', 'Port to listen on; 0 takes a free one.', whole(0, 65_535)),
  PHAROS_DATA: setting('data', "Folder of the embedded store's file, of uploaded files, of fine-tuning jobs and of fine-tuned models.", z.string().min(1)),
  PHAROS_GRAPH: setting('embedded:', 'Where facts live: "embedded:", or neo4j://user:password@host:7687 (also neo4j+s://, bolt://).', graph),
  PHAROS_EXAMPLE: setting('on', 'on: an embedded store that was never written gets the example graph of examples/ at start.', oneOf(['on', 'off'])),
  PHAROS_MODELS: setting(
    'models',
    'Comma-separated folders of model folders, or model folders, in the layout of Hugging Face or ONNX Runtime GenAI, or names of models on the Hugging Face Hub (owner/name, or owner/name@revision), which are fetched into its cache (HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE and HF_TOKEN count); #q4 (or fp16, int8, q4f16, ...) behind one says which weights. Models that generate, make embeddings (sentence-transformers) or rank (one label). The first by name that generates is the default model; what cannot be read is left out.',
    z.string().transform(listOf).pipe(z.array(z.string()).min(1, 'name at least one folder or model')),
  ),
  PHAROS_DEVICE: setting('auto', `Execution provider: ${DEVICES.join(', ')}.`, oneOf(DEVICES)),
  PHAROS_ENGINE: setting(
    'embedded',
    "embedded: the models of PHAROS_MODELS run here. Or the address of a server with OpenAI's API (vLLM, SGLang, llama.cpp, OpenAI), such as http://host:8000/v1, whose models are served; its first one is the default.",
    z.string().refine((text) => text === 'embedded' || isServer(text), 'give embedded, or an address such as http://host:8000/v1, without a user, "?" and "#"; a key goes into PHAROS_ENGINE_KEY'),
  ),
  PHAROS_ENGINE_KEY: setting('', 'Key for the server of PHAROS_ENGINE.', z.string().regex(/^[\u0021-\u007e]{0,4096}$/, 'a key has up to 4096 printable ASCII characters and no spaces')),
  PHAROS_API_KEYS: setting(
    '',
    'Comma-separated keys, one of which each request must carry as "Authorization: Bearer KEY". Empty: no keys (loopback only).',
    z
      .string()
      .transform(listOf)
      .pipe(z.array(z.string().regex(/^[\u0021-\u007e]{8,512}$/, 'a key has 8 to 512 printable ASCII characters and no spaces'))),
  ),
  PHAROS_FILE_BYTES: setting('512MiB', 'Longest file that is uploaded.', bytes(1024)),
  PHAROS_FILES_BYTES: setting('16GiB', 'Bytes of all files that are kept.', bytes(1024)),
  PHAROS_FILES: setting('10000', 'Files that are kept at most.', whole(0, 1_000_000)),
  PHAROS_TUNE_JOBS: setting('1', 'Fine-tuning jobs at work at the same time, each in a process of its own; 0 refuses fine-tuning.', whole(0, 64)),
  PHAROS_TUNE_QUEUE: setting('16', 'Fine-tuning jobs that wait or are paused; more are refused with 429.', whole(0, 10_000)),
  PHAROS_TUNE_KEPT: setting('1000', 'Fine-tuning jobs remembered after they ended.', whole(1, 100_000)),
  PHAROS_TUNE_THREADS: setting('0', 'Processor threads of one fine-tuning job; 0: half of the processors. Its process gives way to the service.', whole(0, 256)),
  PHAROS_TUNE_STEPS: setting('1000000', 'Most updates of one fine-tuning job.', whole(1, 10_000_000)),
  PHAROS_TUNE_EXAMPLES: setting('10000', 'Most examples that one fine-tuning job makes out of a knowledge base.', whole(1, 1_000_000)),
  PHAROS_CACHE: setting('64MiB', 'Bytes of the answer cache; 0 keeps nothing.', bytes(0)),
  PHAROS_LOG_LEVEL: setting('info', `Least level that is logged: ${LOG_LEVELS.join(', ')}.`, oneOf(LOG_LEVELS)),
  PHAROS_PREFIX_CACHE: setting('256MiB', 'Bytes of keys and values of ended texts that each model keeps for texts with the same beginning; 0 keeps nothing.', bytes(0)),
  PHAROS_GUESSES: setting('8', 'Tokens that are guessed from the text itself for one pass of one generation and checked by the model in it; the answer is the same without. 0 guesses none.', whole(0, 64)),
  PHAROS_MODEL_MEMORY: setting('0', 'Bytes of weights, keys and values in memory, of all models together; the models used longest ago are closed when others need the room. 0: what the machine, or its container, has free. Models are loaded when they are first asked for; the default model at start.', bytes(0)),
  PHAROS_MODEL_IDLE_SECONDS: setting('0', 'Seconds after which a model that nobody asks for is closed; 0 never closes.', whole(0, 31_536_000)),
  PHAROS_DOWNLOAD_BYTES: setting('64GiB', 'Most bytes that are fetched for one model of the hub.', bytes(1)),
  PHAROS_EMBED_INPUTS: setting('2048', 'Most texts of one request for embeddings.', whole(1, 100_000)),
  PHAROS_RERANK_DOCUMENTS: setting('1000', 'Most documents of one request for reranking.', whole(1, 100_000)),
  PHAROS_EMBED_PASS_TOKENS: setting('1024', 'Most tokens of one pass of an embedding or ranking model, padding included; generations take their steps between passes. A longer text goes alone.', whole(1, 1_048_576)),
  PHAROS_BODY_BYTES: setting('8MiB', 'Longest request body, NDJSON excepted.', bytes(1024)),
  PHAROS_BULK_BYTES: setting('16GiB', 'Longest NDJSON body.', bytes(1024)),
  PHAROS_LINE_BYTES: setting('1MiB', 'Longest line of an NDJSON body.', bytes(64)),
  PHAROS_BATCH_TRIPLES: setting('10000', 'Lines of an NDJSON body that become one transaction.', whole(1, 100_000)),
  PHAROS_REQUEST_SECONDS: setting('300', 'Longest time of a request from its first byte to the end of its answer, NDJSON excepted.', whole(1, 86_400)),
  PHAROS_BULK_SECONDS: setting('3600', 'Longest time of an NDJSON import or export.', whole(1, 604_800)),
  PHAROS_STREAMS: setting('1000', 'Generations that may be under way at the same time, those that wait included; one client may have nine tenths of them.', whole(1)),
  PHAROS_SLOTS: setting('8', 'Generations that compute at the same time; each holds a KV cache.', whole(1, 1024)),
  PHAROS_QUEUE_REQUESTS: setting('512', 'Generations that wait for a slot; more are refused with 429. Those that wait share the engine evenly between clients: by API key, without keys by what requests name as user, else by address. Where one client fills the queue, its newest give way to others.', whole(0)),
  PHAROS_THREADS: setting('0', 'Processor threads of one forward pass; 0: half of the processors, 4 at most.', whole(0, 1024)),
  PHAROS_NEW_TOKENS: setting('4096', 'Most new tokens of one generation.', whole(1)),
  PHAROS_DEFAULT_TOKENS: setting('512', 'New tokens of a generation that names no number.', whole(1)),
  PHAROS_DEDUCE_ANSWERS: setting('10000', 'Most answers of one deduction.', whole(1)),
  PHAROS_DEDUCE_FACTS: setting('1000000', 'Most facts that one deduction derives.', whole(1)),
  PHAROS_DEDUCE_MS: setting('10000', 'Most milliseconds of one deduction.', whole(1)),
  PHAROS_DEDUCE_DEPTH: setting('10000', 'Greatest height of a proof tree in one deduction or abduction.', whole(1)),
  PHAROS_INDUCE_MS: setting('3600000', 'Most milliseconds of learning in one induction.', whole(1)),
  PHAROS_INDUCE_DEFAULT_MS: setting('10000', 'Milliseconds of learning in an induction that names no number.', whole(1)),
  PHAROS_INDUCE_FACTS: setting('1000000', 'Most facts that one induction reads.', whole(1)),
  PHAROS_INDUCE_RULES: setting('100000', 'Most rules that one induction gives out.', whole(1)),
  PHAROS_INDUCE_COLLECTED: setting('1000000', 'Most rules that one thread of an induction collects; those that are not given out serve rankings.', whole(1)),
  PHAROS_INDUCE_CANDIDATES: setting('2000000', 'Most rule bodies that one thread of an induction keeps in mind.', whole(1)),
  PHAROS_INDUCE_EDGES: setting('1000000', 'Edges looked at to count one rule; with more it is extrapolated, and says so.', whole(1)),
  PHAROS_INDUCE_THREADS: setting('2', 'Threads of one induction, if there are as many processors.', whole(1, 1024)),
  PHAROS_INDUCE_HEAP: setting('4GiB', 'JavaScript heap of one such thread; an induction that needs more fails.', bytes(2 ** 25)),
  PHAROS_INDUCE_JOBS: setting('2', 'Inductions at work at the same time; more are refused with 429.', whole(1)),
  PHAROS_INDUCE_KEPT: setting('8', 'Inductions kept after they ended, with their facts and rules in memory.', whole(1)),
  PHAROS_RANK_MS: setting('5000', 'Milliseconds of learning for a ranking that names neither an induction nor a number.', whole(1)),
  PHAROS_RANK_EDGES: setting('5000000', 'Edges looked at in one ranking.', whole(1)),
  PHAROS_ABDUCE_MS: setting('10000', 'Most milliseconds of one abduction.', whole(1)),
  PHAROS_ABDUCE_FACTS: setting('1000000', 'Most facts that rules derive in any one world of an abduction.', whole(1)),
  PHAROS_ABDUCE_EXPLANATIONS: setting('1000', 'Most explanations of one abduction.', whole(1)),
  PHAROS_ABDUCE_SIZE: setting('16', 'Most assumptions in one explanation.', whole(1, 64)),
  PHAROS_ABDUCE_NODES: setting('10000000', 'Most steps of the search in one abduction.', whole(1)),
  PHAROS_ABDUCE_BREACHES: setting('10000', 'Ways to break one constraint that an abduction tells apart; with more, its result is not complete.', whole(1)),
  PHAROS_ABDUCE_JOBS: setting('4', 'Abductions at work at the same time; more are refused with 429.', whole(1)),
  PHAROS_RULES_FACTS: setting('5000000', 'Most facts that the stored rules of one knowledge base derive.', whole(1)),
  PHAROS_RULES_MS: setting('20000', 'Most milliseconds that stored rules run after one write.', whole(1)),
  PHAROS_QUESTION_CHARACTERS: setting('2000', 'Longest question that is looked up in the graph.', whole(1, 100_000)),
  PHAROS_PATH_CHARACTERS: setting('100000', 'Characters of the relation paths that one request gives a model to choose from; the farthest are left out. Each step counts 32 besides.', whole(1, 200_000)),
  PHAROS_EXTRACT_PASSAGES: setting('200', 'Most passages, of up to three sentences each (of one for a model that was trained for it), of one text that triples are taken out of.', whole(1, 100_000)),
  PHAROS_PROOF_BYTES: setting('64MiB', 'Bytes of proofs kept to be asked for by id.', bytes(0)),
  PHAROS_PENDING_WRITES: setting('1000', 'Writes that may wait for one knowledge base; more are refused with 429.', whole(1)),
  PHAROS_EVENT_LOOP_DELAY_MS: setting('5000', 'Mean delay of the event loop above which requests are refused with 503; 0 never refuses.', whole(0)),
  PHAROS_SHUTDOWN_SECONDS: setting('10', 'Time for live requests to finish after SIGTERM; then they are ended with a final event.', whole(0, 3600)),
});
type Settings = z.infer<typeof environment>;

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const toConfig = (env: Settings, isGiven: (name: keyof Settings) => boolean, hub: HubSettings) => ({
  host: env.PHAROS_HOST,
  port: env.PHAROS_PORT,
  // What is given is meant from where one stands; the defaults are Pharos's own folders.
  data: isGiven('PHAROS_DATA') ? resolve(env.PHAROS_DATA) : resolve(ROOT, env.PHAROS_DATA),
  graph: env.PHAROS_GRAPH,
  example: env.PHAROS_EXAMPLE === 'on',
  models: env.PHAROS_MODELS.map((given) => Object.freeze({ given, path: resolve(isGiven('PHAROS_MODELS') ? '.' : ROOT, given) })),
  hub: Object.freeze(hub),
  engine: env.PHAROS_ENGINE,
  engineKey: env.PHAROS_ENGINE_KEY,
  device: env.PHAROS_DEVICE,
  apiKeys: env.PHAROS_API_KEYS as readonly string[],
  cacheBytes: env.PHAROS_CACHE,
  logLevel: env.PHAROS_LOG_LEVEL,
  limits: Object.freeze({
    bodyBytes: env.PHAROS_BODY_BYTES,
    bulkBytes: env.PHAROS_BULK_BYTES,
    lineBytes: env.PHAROS_LINE_BYTES,
    batchTriples: env.PHAROS_BATCH_TRIPLES,
    requestMs: env.PHAROS_REQUEST_SECONDS * 1000,
    bulkMs: env.PHAROS_BULK_SECONDS * 1000,
    streams: env.PHAROS_STREAMS,
    slots: env.PHAROS_SLOTS,
    prefixBytes: env.PHAROS_PREFIX_CACHE,
    guesses: env.PHAROS_GUESSES,
    modelBytes: env.PHAROS_MODEL_MEMORY,
    modelIdleMs: env.PHAROS_MODEL_IDLE_SECONDS * 1000,
    downloadBytes: env.PHAROS_DOWNLOAD_BYTES,
    embedInputs: env.PHAROS_EMBED_INPUTS,
    rerankDocuments: env.PHAROS_RERANK_DOCUMENTS,
    passTokens: env.PHAROS_EMBED_PASS_TOKENS,
    queue: env.PHAROS_QUEUE_REQUESTS,
    files: Object.freeze({ fileBytes: env.PHAROS_FILE_BYTES, allBytes: env.PHAROS_FILES_BYTES, files: env.PHAROS_FILES }),
    tuning: Object.freeze({
      jobs: env.PHAROS_TUNE_JOBS,
      queue: env.PHAROS_TUNE_QUEUE,
      kept: env.PHAROS_TUNE_KEPT,
      threads: env.PHAROS_TUNE_THREADS,
      steps: env.PHAROS_TUNE_STEPS,
      examples: env.PHAROS_TUNE_EXAMPLES,
    }),
    threads: env.PHAROS_THREADS,
    newTokens: env.PHAROS_NEW_TOKENS,
    defaultTokens: Math.min(env.PHAROS_DEFAULT_TOKENS, env.PHAROS_NEW_TOKENS),
    deduce: Object.freeze({ answers: env.PHAROS_DEDUCE_ANSWERS, facts: env.PHAROS_DEDUCE_FACTS, ms: env.PHAROS_DEDUCE_MS, depth: env.PHAROS_DEDUCE_DEPTH }),
    /** Of one induction; `defaultMs`, when the request names none. */
    induce: Object.freeze({
      ms: env.PHAROS_INDUCE_MS,
      defaultMs: Math.min(env.PHAROS_INDUCE_DEFAULT_MS, env.PHAROS_INDUCE_MS),
      facts: env.PHAROS_INDUCE_FACTS,
      rules: env.PHAROS_INDUCE_RULES,
    }),
    rankMs: Math.min(env.PHAROS_RANK_MS, env.PHAROS_INDUCE_MS),
    /** Of all inductions. */
    inductions: Object.freeze({
      jobs: env.PHAROS_INDUCE_JOBS,
      kept: env.PHAROS_INDUCE_KEPT,
      threads: env.PHAROS_INDUCE_THREADS,
      heapBytes: env.PHAROS_INDUCE_HEAP,
      collected: env.PHAROS_INDUCE_COLLECTED,
      candidates: env.PHAROS_INDUCE_CANDIDATES,
      edges: env.PHAROS_INDUCE_EDGES,
      rankEdges: env.PHAROS_RANK_EDGES,
    }),
    /** Of one abduction. */
    abduce: Object.freeze({
      explanations: env.PHAROS_ABDUCE_EXPLANATIONS,
      size: env.PHAROS_ABDUCE_SIZE,
      nodes: env.PHAROS_ABDUCE_NODES,
      ms: env.PHAROS_ABDUCE_MS,
      facts: env.PHAROS_ABDUCE_FACTS,
      depth: env.PHAROS_DEDUCE_DEPTH,
    }),
    /** Of all abductions. */
    abductions: Object.freeze({ jobs: env.PHAROS_ABDUCE_JOBS, breaches: env.PHAROS_ABDUCE_BREACHES }),
    rulesFacts: env.PHAROS_RULES_FACTS,
    rulesMs: env.PHAROS_RULES_MS,
    questionCharacters: env.PHAROS_QUESTION_CHARACTERS,
    pathCharacters: env.PHAROS_PATH_CHARACTERS,
    extractPassages: env.PHAROS_EXTRACT_PASSAGES,
    proofBytes: env.PHAROS_PROOF_BYTES,
    pendingWrites: env.PHAROS_PENDING_WRITES,
    eventLoopDelayMs: env.PHAROS_EVENT_LOOP_DELAY_MS,
    shutdownMs: env.PHAROS_SHUTDOWN_SECONDS * 1000,
  }),
});
export type Config = Readonly<ReturnType<typeof toConfig>>;

/** Everything that is wrong with an environment, in one message. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'The configuration has a mistake' : `The configuration has ${problems.length} mistakes`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Reads the PHAROS_ variables; an empty one counts as absent. Throws ConfigError with every mistake at once: an unknown name, a bad value, an open address without keys. */
export function parseConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(variables).filter(([name, value]) => name.startsWith('PHAROS_') && !FOR_TESTS.includes(name) && value !== undefined && value !== ''),
  );
  const result = environment.safeParse(given);
  const problems: string[] = [];
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '');
    if (issue.code === 'unrecognized_keys')
      problems.push(...issue.keys.map((key) => `${key}: there is no such setting; \`node src/server.ts --help\` lists them all`));
    else problems.push(`${name}${SECRET.has(name) ? '' : `=${given[name]}`}: ${issue.message}`);
  }
  const { PHAROS_HOST: host = '', PHAROS_API_KEYS: keys = '' } = given;
  if (host !== '' && !isLoopback(host) && listOf(keys).length === 0)
    problems.push(`PHAROS_HOST=${host}: others can reach this address, so PHAROS_API_KEYS must name at least one key; or listen on 127.0.0.1`);
  if (problems.length > 0 || !result.success) throw new ConfigError(problems);
  return Object.freeze(toConfig(result.data, (name) => Object.hasOwn(given, name), hubSettings(variables)));
}

/** Every setting as a Markdown table. */
export function describeConfig(): string {
  const rows = Object.entries(environment.shape).map(([name, schema]) => {
    const { description, fallback } = schema.meta() ?? {};
    return `| ${name} | ${fallback === '' ? '' : `\`${String(fallback)}\``} | ${String(description)} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
